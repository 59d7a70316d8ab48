/* The server of the transport `relay`: relay.h says what it does. For its own files alone:
 * relay_server.c has the links, relay_where.c who is where, relay_frames.c what clients and
 * relays say, relay_flow.c what is on its way, relay_pump.c what leaves on which link, relay_lies.c
 * what one does that lies.
 *
 * A flow is a pair (from, to) as this relay sees it: what waits, what `to` was told about
 * `from`, and the credit. It exists while `to` watches `from`, or something waits, or `from` is
 * here and sends. Each is found by one look-up, is on the lists of its two stations, and, when it
 * has something to leave, on a list of the link where that leaves: forwarding takes the same time
 * however many parties and flows there are. A message that can leave at once is copied once.
 *
 * Nothing is queued about presence and credit: what is due is worked out from the flow when it
 * leaves, so that a client that does not read makes the relay keep nothing but its flows.
 *
 * Timers, from setup.timer_base on: 0 the oldest stranger, 1 the party held longest,
 * RELAY_TIMER_PEERS + k the k-th relay, RELAY_TIMER_LINKS + slot a link's keep-alive.
 */
#ifndef PARTYLINE_TRANSPORTS_RELAY_SERVER_H
#define PARTYLINE_TRANSPORTS_RELAY_SERVER_H

#include "engine/base/map.h"
#include "engine/metrics.h"
#include "transports/relay.h"
#include "transports/strangers.h"

enum {
    RELAY_TIMER_STRANGERS,
    RELAY_TIMER_HELD,
    RELAY_TIMER_PEERS,
    RELAY_TIMER_LINKS = 1 << 16,
    RELAY_QUANTUM = RELAY_MESSAGE_MAX + RELAY_COST,
    RELAY_PATIENCE = 3 /* keep-alives */
};

#define RELAY_UNSURE UINT64_MAX /* no session: what was told does not hold any more */

/* A ring through its members; one that is on no ring points at itself. */
struct relay_ring {
    struct relay_ring *prev, *next;
};

static inline void ring_init(struct relay_ring *r)
{
    r->prev = r->next = r;
}
static inline bool ring_empty(const struct relay_ring *r)
{
    return r->next == r;
}
static inline void ring_leave(struct relay_ring *r)
{
    r->prev->next = r->next;
    r->next->prev = r->prev;
    ring_init(r);
}
/* At the end; leaves the ring where it was. */
static inline void ring_join(struct relay_ring *head, struct relay_ring *r)
{
    ring_leave(r);
    r->prev = head->prev;
    r->next = head;
    head->prev->next = r;
    head->prev = r;
}
#define RING_OF(ring, type, field)                                                                 \
    ((struct type *)(void *)((char *)(ring)-offsetof(struct type, field)))

struct relay_kept {
    struct relay_kept *next;
    uint64_t session; /* the sender's */
    uint32_t len;
    uint8_t data[];
};

struct relay_flow {
    party_t from, to;
    bool watched;          /* `to` is a client here and wants to know of `from` */
    struct relay_out *out; /* where `to` is; NULL: nowhere, or held */
    struct relay_kept *head, **tail;
    uint64_t told;  /* the session of `from` that `to` knows; 0: GONE */
    int64_t credit; /* what the relay behind `out` still takes */
    uint32_t owed;  /* passed on, and not yet credited to where it came from */
    uint32_t deficit;
    size_t queued;                           /* bytes, RELAY_COST included */
    struct relay_ring active, notice, owing; /* of its out; owing: of its source */
    struct relay_ring of_from, of_to;        /* of its stations */
    struct relay_flow *chain;
};

/* A link: a client's, another relay's, or a stranger's. */
struct relay_out {
    struct noiselink link;
    struct addr addr;
    uint32_t slot, stranger; /* stranger: STRANGERS_NONE once proven */
    ns_t heard, said, alive_at;
    bool relay, dialled, blocked, pong;
    struct relay_ring active, notices, owing; /* flows */
    struct relay_ring dirty;                  /* of the server: has something to leave */
    /* Another relay's: parties to tell it about, each once. */
    party_t *news;
    uint32_t news_n, news_at, news_cap;
    uint8_t *newsy; /* a bit a party */
};

/* A party, or a relay. */
struct relay_station {
    struct relay_ring from, to; /* flows */
    struct relay_out *out;      /* its link; NULL: not here */
    uint64_t session;           /* the latest that is known */
    party_t home;               /* a party's: the other relay where it is, or PARTY_NONE */
    bool held, full;            /* held: it left, and what comes for it is kept; full: no more is */
    ns_t held_until;
    size_t kept;               /* bytes, while held */
    struct relay_ring waiting; /* of the server's held ones, the oldest first */
};

/* Another relay. */
struct relay_neighbour {
    party_t id;
    link_t dialling; /* 0: none */
    ns_t at;
    unsigned fails;
    uint32_t dials;
    bool trusted;
};

/* A message that a relay which lies keeps back; data NULL: none. */
struct relay_late {
    party_t from, to;
    uint64_t session;
    uint8_t *data;
    size_t len;
};

struct relay_server {
    struct transport_setup setup;
    struct noiselink_self self;
    struct relay_station *stations; /* as the roster */
    struct relay_neighbour *neighbours;
    uint32_t n_neighbours;
    struct relay_out **outs; /* by slot, a link's tag less one; NULL: unused */
    uint32_t n_outs, cap_outs, *unused_slots, n_unused;
    struct map addresses; /* hash of an address -> its links */
    uint8_t address_key[16];
    struct strangers strangers; /* slots: of strangers, not of outs */
    bool watched;               /* the timer for the oldest stranger is armed */
    struct relay_ring dirty, held;
    struct relay_flow **buckets;
    uint32_t n_flows, n_buckets;
    size_t queued; /* bytes of all flows */
    struct relay_late late;
};

static inline const struct relay_opts *relay_opts_of(const struct relay_server *s)
{
    return s->setup.opts;
}
static inline void relay_arm(struct relay_server *s, uint32_t timer, ns_t at)
{
    s->setup.env->ops->arm(s->setup.env, s->setup.timer_base + timer, at);
}
static inline void relay_drop(struct relay_server *s, enum drop why)
{
    metrics_drop(s->setup.env->metrics, why);
}

/* relay_flow.c */
struct relay_flow *relay_flow_find(const struct relay_server *, party_t from, party_t to);
/* Finds or makes it. NULL: no memory. */
struct relay_flow *relay_flow_get(struct relay_server *, party_t from, party_t to);
/* Frees it if nothing needs it any more. */
void relay_flow_tidy(struct relay_server *, struct relay_flow *);
/* Drops what waits. */
void relay_flow_purge(struct relay_server *, struct relay_flow *, enum drop);
/* A message of a session of `from`: leaves at once, waits, is kept, or is dropped by name. */
void relay_flow_take(struct relay_server *, struct relay_flow *, uint64_t session,
                     const uint8_t *data, size_t len);
/* The oldest waiting message has left. */
void relay_flow_pop(struct relay_server *, struct relay_flow *);
/* `bytes` were passed on or dropped. */
void relay_flow_owe(struct relay_server *, struct relay_flow *, size_t bytes);
/* Something between the two was lost: both are to hear HERE again, from here or from their relay.
 */
void relay_flow_break(struct relay_server *, party_t from, party_t to, bool here_alone);
/* What is due to leave for it now: puts it on its out's lists, or takes it off. */
void relay_flow_due(struct relay_server *, struct relay_flow *);
/* The session of a party that is to be reported as HERE; 0: GONE. */
uint64_t relay_present(const struct relay_server *, party_t);
/* The session to be told before the next message, or about no message. */
static inline uint64_t relay_flow_wants(const struct relay_server *s, const struct relay_flow *f)
{
    return f->head ? f->head->session : relay_present(s, f->from);
}

/* relay_lies.c: relay_flow_take, for one of our own clients, as an honest relay does or otherwise.
 * The sender is here. */
void relay_lies_take(struct relay_server *, struct relay_flow *, uint64_t session,
                     const uint8_t *data, size_t len);
void relay_lies_free(struct relay_server *);

/* relay_pump.c */
void relay_dirty(struct relay_server *, struct relay_out *);
/* One message past the queues. False: not taken. */
bool relay_pass(struct relay_server *, struct relay_flow *, uint64_t session, const uint8_t *data,
                size_t len);
/* Sends what the dirty links take. */
void relay_pump(struct relay_server *);
/* Another relay is to be told about a party. */
void relay_news(struct relay_server *, party_t);
void relay_news_one(struct relay_server *, struct relay_out *, party_t);
void relay_say_lost(struct relay_server *, struct relay_out *, party_t from, party_t to);

/* relay_where.c */
/* Its link has ended. moved: it is at another relay now. */
void relay_party_left(struct relay_server *, party_t, bool moved);
/* Its identity is proven. */
void relay_party_came(struct relay_server *, struct relay_out *);
/* The link to another relay has ended. */
void relay_neighbour_left(struct relay_server *, party_t relay);
/* Another relay says so. */
void relay_arrived(struct relay_server *, party_t relay, party_t who, uint64_t session);
void relay_left(struct relay_server *, party_t relay, party_t who, uint64_t session);
/* Gives up those held for too long. */
void relay_held(struct relay_server *);

/* relay_frames.c: a frame on an open link. Foreign bytes. */
void relay_on_frame(struct relay_server *, struct relay_out *, const uint8_t *frame, size_t len);

/* relay_out.c */
/* A link's. NULL: no memory, or too many. */
struct relay_out *relay_out_new(struct relay_server *, link_t, struct addr);
void relay_out_free(struct relay_server *, struct relay_out *);
/* And the link. */
void relay_out_close(struct relay_server *, struct relay_out *);
/* Are there as many links from that address as there may be? */
bool relay_out_crowded(const struct relay_server *, const struct addr *);

/* relay_server.c */
int relay_server_init(void *self, const struct transport_setup *, struct err *);
void relay_server_event(void *self, const struct event *);
void relay_server_free(void *self);

#endif
