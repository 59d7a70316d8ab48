/* The simulator's own structs, shared by its files alone.
 *
 * An event (sim_event) is pending in the queue, or waits for its node to be free, or is being
 * handled. On its way it may change its kind: a SYN-ACK becomes the node's EV_UP. It keeps the
 * connection alive that it points to (sim_end.refs). life guards what points to a node: it
 * differs after a crash.
 */
#ifndef PARTYLINE_WORLDS_SIM_INNER_H
#define PARTYLINE_WORLDS_SIM_INNER_H

#include "engine/crowd.h"
#include "engine/worlds/link/nat.h"
#include "engine/worlds/link/paths.h"
#include "engine/worlds/link/tcp_bulk.h"
#include "engine/worlds/link/udp.h"
#include "engine/worlds/result/lookout.h"
#include "engine/base/fetch.h"
#include "engine/base/slab.h"
#include "engine/worlds/sim/queue.h"
#include "engine/worlds/sim/sim.h"
#include "engine/worlds/sim/store.h"

#include <xxhash.h>

enum sim_kind {
    /* what happens to a node, or to the world */
    SIM_START, /* or restart */
    SIM_CRASH,
    SIM_WAKE,     /* a busy node is free */
    SIM_BEGIN,    /* a partition or a link change */
    SIM_END,      /* the end of one */
    SIM_DATAGRAM, /* comes to a host */
    SIM_TIMER,
    SIM_GO,
    /* from here on it belongs to a sim_end: packets, when they come to its host */
    SIM_SYN,
    SIM_SYN_ACK,
    SIM_ACK, /* the handshake's third packet */
    SIM_REFUSAL,
    SIM_FIN,
    SIM_RST,
    SIM_DATA,
    SIM_SEGMENTS, /* of a flow in bulk, from this end: at the other host's downlink, */
    SIM_ACKED,    /* acknowledged, */
    SIM_BULK,     /* or its timer */
    /* what the host finds out by itself */
    SIM_CONNECT, /* time for the next SYN */
    SIM_GIVE_UP,
    SIM_KEEPALIVE, /* len: probes without an answer */
    /* what only awaits the node (as DATA does then, and TIMER and GO) */
    SIM_UP,
    SIM_ROOM,
    SIM_FOUND, /* a datagram whose link is found */
    SIM_DOWN
};

struct sim_end;

struct sim_event {
    union {
        struct sim_end *end; /* SIM_SYN and later */
        struct sim_node *node;
        const struct action *action; /* CRASH, BEGIN, END */
    } at;
    union {
        ns_t last;              /* staged: when the last packet is at the downlink */
        struct sim_event *next; /* waiting for a busy node */
    };
    union {
        ns_t sent; /* SYN and later, DATAGRAM */
        struct {
            uint32_t number; /* TIMER: as armed */
            uint32_t life;   /* of a node */
        };
    };
    uint32_t len;      /* bytes of data */
    uint8_t kind, why; /* why: of DOWN; of DATA, ACK and FIN: came in bulk */
    uint8_t size_class;
    bool staged; /* at the receiver's downlink, still to pass it */
    uint8_t data[];
};

enum end_state {
    END_NONE, /* a stream's other end, before its SYN has come */
    END_CONNECTING,
    END_HALF, /* SYN-ACK sent */
    END_OPEN,
    END_DYING, /* the host knows that it is over, the node will soon */
    END_CLOSED
};

/* Of two cache lines; its peer's are the next, or those before. */
struct sim_end {
    _Alignas(64) struct sim_node *node; /* NULL: no host has that address */
    link_t link;
    uint32_t tag;    /* as its node gave it */
    uint32_t unread; /* bytes sent and not handed over */
    uint32_t flying; /* bytes sent in calm that are not at the peer's downlink yet */
    uint32_t refs;   /* its node's while it is open, and those of events */
    uint16_t port;   /* its own */
    uint16_t seen;   /* its own, as the peer sees it */
    uint8_t kind;    /* enum link_kind */
    uint8_t state;
    uint8_t syns;         /* sent; of who was dialled: repeated SYN-ACKs */
    bool second : 1;      /* of its conn's two */
    bool stages : 1;      /* what it sends has to pass the peer's downlink */
    bool blocked : 1;     /* has refused with ERR_AGAIN */
    bool room : 1;        /* and SIM_ROOM is on its way */
    bool told : 1;        /* the peer has been told that this end is closed */
    bool dead : 1;        /* TCP has given up: what is sent from now on never arrives */
    bool mute : 1;        /* its process is gone: what has not arrived never will */
    bool listener : 1;    /* a datagram port's own link */
    bool neighbours : 1;  /* dialled by a private address, behind the same NAT */
    bool owes : 1;        /* an acknowledgement, which goes along with data */
    bool severed : 1;     /* its host's address is another one now: no packet gets through */
    bool timed : 1;       /* its next SYN or SYN-ACK has its time (SIM_CONNECT) */
    struct tcp_flow flow; /* to the peer */
};

_Static_assert(sizeof(struct sim_end) == 128, "two of them for a message");

/* Of one end of a stream, for tap.c. */
struct sim_counts {
    uint64_t written; /* bytes given to TCP, and */
    uint64_t arrived; /* bytes that came, a FIN among them */
};

/* A stream with its two ends, or a datagram link, which has the first alone. */
struct sim_conn {
    struct sim_end end[2];
    union {
        struct sim_conn *next; /* datagrams: of the same node */
        ns_t syn_at;           /* streams: when the last SYN left */
    };
    uint64_t number;           /* among all streams, from 1 */
    struct sim_counts *counts; /* of both ends; NULL: nobody looks on */
    struct addr to;            /* as it was dialled; datagrams: the peer */
};

_Static_assert(sizeof(struct sim_conn) == 320, "state of an open link");

static inline struct sim_end *sim_peer(const struct sim_end *end)
{
    return (struct sim_end *)(uintptr_t)(end->second ? end - 1 : end + 1);
}

static inline struct sim_conn *sim_conn_of(const struct sim_end *end)
{
    return (struct sim_conn *)(uintptr_t)(end - end->second);
}

static inline struct sim_counts *sim_counts_of(const struct sim_end *end)
{
    return &sim_conn_of(end)->counts[end->second];
}

struct sim_slot {
    struct sim_end *end; /* NULL: free */
    link_t link;         /* its next or present number: the slot's low bits, a generation above */
    uint32_t next_free;
};

/* A link's number: its slot below, a generation above. */
enum { LINKS_SLOT_BITS = 20 };

/* What a node that was restarted, or has left, ended with before. */
struct sim_late {
    struct outcome outcome;
    ns_t completion;
};

/* What every message touches comes first, in three cache lines. */
struct sim_node {
    _Alignas(64) struct sim *sim;
    struct sim_event *waiting; /* the last of them: its next is the first */
    ns_t busy_until;
    struct link_host host;
    uint32_t id, life;
    bool alive, ready, done, doomed, paused, leaving;
    uint16_t datagram_port;
    struct sim_end *recent; /* where its latest message went or came from; or NULL */
    uint64_t wire_bytes, wire_packets;
    struct sim_slot *slots; /* the first is below, while there is no other */
    uint32_t n_slots, cap_slots;
    struct env env; /* env_ops get it: see node_of */
    ns_t compute;
    uint64_t useful;
    uint32_t free_slot, n_links, incarnations;
    uint16_t ports;
    struct sim_conn *datagrams;
    struct sim_slot slot;
    struct map dialled;    /* 1 + peer -> connections and datagrams so far */
    struct sim_late *late; /* NULL: this life is its first, or the ones before had no result */
    struct sim_store store;
};

_Static_assert(sizeof(struct sim_node) <= 448, "state of an idle node");
_Static_assert(offsetof(struct sim_node, env.self) <= 192, "env's beginning is among them");

static inline struct sim_node *node_of(struct env *env)
{
    return (struct sim_node *)(void *)((char *)env - offsetof(struct sim_node, env));
}

enum { SIM_OWN_LINES = 8 }; /* of what a node of one peer keeps in one piece: engine/node.c */

/* An ordered pair of nodes whose datagrams have bursts or a bottleneck on their way. */
struct sim_pair {
    struct udp_pair pair;
    uint32_t from, to;
    uint32_t next; /* of the same key, or UINT32_MAX */
};

struct sim {
    const struct trial_spec *spec;
    const struct fault_plan *plan;
    struct sim_tuning tuning;
    struct trial_result *result;
    struct metrics *metrics; /* the result's */
    FILE *trace;
    const struct trace *tap;      /* who wants packets; NULL: nobody */
    const struct trace *log;      /* who wants events */
    const struct trace *recorder; /* who wants sightings */
    const struct trace *layers;   /* who wants to know what passes in nodes */
    uint64_t seed, streams;
    ns_t now;
    struct queue queue;
    struct slab slab;
    struct sim_node *nodes;
    struct crowds crowds;
    uint32_t n_nodes, n_parties;
    uint32_t *by_ip, ip_mask; /* 1 + node, open addressing */
    struct nat nat;
    struct faults faults;
    struct paths paths;
    struct sim_pair *pairs;
    uint32_t n_pairs, cap_pairs;
    struct map pairs_by_nodes;
    struct tcp_net tcp;
    struct store_fate fate;
    XXH3_state_t *hash;
    size_t hashed; /* bytes of `records` in use */
    uint8_t records[128 * TRACE_RECORD];
    party_t peers[128];        /* of the records, for the log */
    unsigned wants;            /* what observers want to see: the lookout's */
    size_t tail;               /* of an event: bytes of truth behind its data, if they want that */
    struct packet_truth truth; /* of the packet in hand */
    struct lookout lookout;
    uint32_t n_ready, n_done;
    uint64_t sends, messages; /* for the fault plan */
    bool go, watching;
    int broken; /* out of memory, or a node that could not start */
    struct err *err;
};

/* sim.c (what every message needs stands below, inline) */
void sim_push_failed(struct sim *, struct sim_event *);
/* True if nothing happens before that time, or at it: then it is now. So what would be put in only
 * to come out next is spared the way. */
static inline bool sim_advance(struct sim *sim, ns_t at)
{
    if (at > sim->spec->limit || !queue_advance(&sim->queue, (uint64_t)at))
        return false;
    sim->now = at;
    return true;
}
/* An event for a node in its present life. */
void sim_post(struct sim_node *, enum sim_kind, uint32_t number, ns_t at);
/* The node whose roster entry has that address; NULL if none has. */
struct sim_node *sim_node_at(const struct sim *, const uint8_t ip[16]);

/* Zeroed but for its `len` bytes of data; NULL: no memory (sim->broken). */
static inline struct sim_event *sim_event_new(struct sim *sim, enum sim_kind kind, size_t len)
{
    uint8_t size_class;
    struct sim_event *e = slab_take(&sim->slab, sizeof *e + len, &size_class);
    if (!e) {
        sim->broken = ERR_NOMEM;
        return NULL;
    }
    *e = (struct sim_event){.kind = (uint8_t)kind, .size_class = size_class, .len = (uint32_t)len};
    return e;
}

/* ops.c: what nodes may ask */
extern const struct env_ops sim_ops;

/* life.c: what happens to nodes */
void life_start(struct sim *, struct sim_node *);
/* by: the action that wants it; NULL: its store. */
void life_crash(struct sim *, struct sim_node *, const struct action *by);
void life_wake(struct sim *, struct sim_node *);
/* An action that is no crash or restart begins, or is over. */
void life_begin(struct sim *, const struct action *);
void life_over(struct sim *, const struct action *);
/* Hands the event to its node, now or when it is free. */
void life_offer(struct sim *, struct sim_event *);
void life_end(struct sim *, struct sim_node *);
void life_digest_flush(struct sim *);

/* links.c: the links of a node */
int links_take(struct sim *, struct sim_node *, struct sim_end *);
static inline struct sim_end *links_find(const struct sim_node *n, link_t link)
{
    uint32_t i = (link & ((1U << LINKS_SLOT_BITS) - 1)) - 1;
    if (n->recent && n->recent->link == link)
        return n->recent;
    return i < n->n_slots && n->slots[i].link == link ? n->slots[i].end : NULL;
}
/* Frees what the node keeps of its links. */
void links_free_slots(struct sim *, struct sim_node *);
/* The end is closed and its number free; it loses a reference. */
void links_release(struct sim *, struct sim_end *);
struct sim_conn *links_new(struct sim *, enum link_kind);
/* Frees a conn that nothing keeps. */
void links_forget(struct sim *, struct sim_conn *);
static inline void links_unref(struct sim *sim, struct sim_end *end)
{
    if (--end->refs == 0)
        links_forget(sim, sim_conn_of(end));
}
static inline void sim_event_free(struct sim *sim, struct sim_event *e)
{
    if (e->kind >= SIM_SYN && e->at.end)
        links_unref(sim, e->at.end);
    slab_give(&sim->slab, e, e->size_class);
}
/* Puts it in; with its end's conn kept. Takes it even if memory is out (sim->broken). */
static inline void sim_push(struct sim *sim, ns_t at, struct sim_event *e)
{
    if (e->kind >= SIM_SYN)
        e->at.end->refs++;
    if (queue_push(&sim->queue, (uint64_t)at, e) != OK)
        sim_push_failed(sim, e);
}
/* A port for what this node opens, from a range of its own. */
uint16_t links_port(struct sim_node *);
struct addr links_local(const struct sim_end *);
/* The address of an end as its peer sees it. */
struct addr links_seen(const struct sim *, const struct sim_end *);
/* How often this node has dialled (or sent a datagram to) that one, before. */
uint32_t links_number(struct sim *, struct sim_node *from, const struct sim_node *to);

/* wire.c, wire_bulk.c, wire_end.c: from one end of a stream to the other */
static inline bool wire_is_below(const struct sim_end *end)
{
    return end->kind != LINK_HANDOVER;
}
/* Bytes that a message is on the wire, without TCP's. */
static inline uint32_t wire_payload(const struct sim_end *end, uint32_t len)
{
    return end->kind == LINK_MESSAGE ? len + LINK_FRAME : len;
}
/* Bytes of the stream, of an event on its way: what carries none counts as one, as a FIN does. */
static inline uint32_t wire_length(const struct sim_event *ev)
{
    return ev->kind == SIM_DATA ? wire_payload(ev->at.end, ev->len) : 1;
}
static inline void wire_count(struct sim_node *n, uint32_t bytes, uint32_t packets)
{
    n->wire_bytes += bytes;
    n->wire_packets += packets;
}
/* A packet that TCP does not repeat by itself; false if it is lost. */
bool wire_signal(struct sim *, struct sim_end *from, enum sim_kind, ns_t at);
/* Payload, ACK or FIN: TCP repeats it until it gets through. Takes the event. */
void wire_deliver(struct sim *, struct sim_end *from, struct sim_event *, ns_t at,
                  uint32_t payload);
/* At the receiver's downlink: on to the host. */
void wire_stage(struct sim *, struct sim_event *);
/* Behind what waits for its bytes to be there: its flow is in bulk. Takes the event. */
void wire_park(struct sim *, struct sim_end *from, struct sim_event *, ns_t at);
/* What this end sent in calm may not find room in the peer's queue: it is in bulk from now on. */
void wire_adopt(struct sim *, struct sim_end *from, ns_t sent);
/* One of those messages comes to the downlink. Takes the event. */
void wire_absorb(struct sim *, struct sim_event *, const struct link_train *);
/* Its TCP gives it up at that time. */
void wire_give_up(struct sim *, struct sim_end *, ns_t at);
/* An end is open: it is probed when it is idle, if the scenario wants that. */
void wire_keep_alive(struct sim *, struct sim_end *);
void wire_probe(struct sim *, struct sim_event *);
/* From its new address it sends to a peer that knows no such connection: it is reset. */
void wire_come_back(struct sim *, struct sim_end *, ns_t at, uint32_t payload);
/* News of a flow in bulk (SIM_SEGMENTS, SIM_ACKED, SIM_BULK). */
void wire_bulk(struct sim *, struct sim_event *);
/* What this end has sent and is not there will never be: its connection is over. */
void wire_stop(struct sim *, struct sim_end *from);
/* This host has another address: its connections can neither send nor hear. */
void wire_sever(struct sim *, struct sim_node *);
/* Frees what a flow keeps. */
void wire_forget(struct sim *, struct sim_end *from);
extern const struct tcp_io wire_io;

/* stream.c */
int stream_open(struct sim *, struct sim_node *, enum link_kind, struct addr to, link_t *out);
int stream_send(struct sim *, struct sim_end *, const void *data, size_t len);
void stream_close(struct sim *, struct sim_end *);
/* The process is gone: RST. */
void stream_reset(struct sim *, struct sim_end *);
/* A packet that came to its host, or the host's own timer. */
void stream_event(struct sim *, struct sim_event *);
/* The data of this event have been handed over. */
void stream_handed_more(struct sim *, struct sim_event *);
static inline void stream_handed(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *from = sim_peer(ev->at.end);
    from->unread -= ev->len;
    if (ev->why || from->blocked)
        stream_handed_more(sim, ev);
}
/* A SYN, SYN-ACK, refusal or RST that a full downlink has dropped. */
void stream_lost(struct sim *, struct sim_event *);

/* datagram.c */
int datagram_open(struct sim *, struct sim_node *, struct addr to, link_t *out);
void datagram_listen(struct sim *, struct sim_node *);
int datagram_send(struct sim *, struct sim_end *, struct addr to, const void *data, size_t len);
void datagram_close(struct sim *, struct sim_end *);
/* A datagram at its host's downlink, or past it. */
void datagram_event(struct sim *, struct sim_event *);
/* Of a SIM_FOUND: the address it came from, who sent it, and its data. */
struct addr datagram_from(const struct sim_event *);
uint32_t datagram_sender(const struct sim_event *);
const uint8_t *datagram_data(const struct sim_event *);

/* translate.c: addresses, and the boxes between hosts (link/nat.h) */
/* The node that packets to that address go to as things are, and the port there; NULL: none. */
struct sim_node *translate_target(struct sim *, enum nat_protocol, const struct addr *to, ns_t at,
                                  uint16_t *port);
/* Whose address that is or was; NULL: nobody's. */
struct sim_node *translate_owner(const struct sim *, const struct addr *);
/* The address of an end as its peer sees it. */
struct addr translate_seen(const struct sim *, const struct sim_end *);
struct nat_packet translate_packet(const struct sim *, const struct sim_end *from,
                                   enum nat_protocol, const struct addr *to);
/* Of a connection that is being dialled: maps its port; `seen` and `neighbours` are set. */
enum drop translate_dial(struct sim *, struct sim_end *, ns_t at);
/* A packet of a stream leaves for the other end: DROP_COUNT if the boxes of both let it pass. */
enum drop translate_stream(struct sim *, struct sim_end *from, enum nat_flag, ns_t at);

/* watch.c: who looks on */
int watch_init(struct sim *);
void watch_free(struct sim *);
void watch_event(struct sim *, const struct sim_node *, const struct sim_event *,
                 const struct event *);
void watch_show(struct sim *, const struct sim_node *, const struct shown *);
void watch_keep(struct sim *, const struct sim_node *, const struct retained *);
/* What observers see of a packet on its way, if sim->wants: a stream is dialled, or a message of
 * it leaves; SYN or DATA come to their host; a datagram leaves from the address `seen`, or comes.
 * Who sees something that leaves or comes gets its truth as well. */
void watch_dial(struct sim *, const struct sim_end *);
void watch_send(struct sim *, const struct sim_end *, size_t len);
void watch_come(struct sim *, const struct sim_event *);
void watch_send_to(struct sim *, const struct sim_end *, const struct addr *seen,
                   const struct addr *to, const struct sim_node *target, size_t len);
void watch_come_from(struct sim *, const struct sim_event *, const struct sim_node *from,
                     const struct sim_node *to, const struct addr *seen, const struct addr *at);
/* Who is at the other end of an event's link; PARTY_NONE if there is none, or nobody known. */
party_t watch_peer(const struct sim *, const struct sim_event *, const struct event *);
/* Counts a loss of what `from` sent; `to` may be NULL. */
void watch_drop(struct sim *, const struct sim_node *from, const struct sim_node *to,
                uint32_t bytes, enum drop);
void watch_world(struct sim *, const struct sim_node *, const char *what);
/* The fault is over: its recovery begins to count. */
void watch_fault_over(struct sim *, const struct action *);
void watch_crash(struct sim *, const struct sim_node *, const struct action *);
void watch_restart(struct sim *, const struct sim_node *);
int watch_score(struct sim *);

/* tap.c: packets for sim->tap, which is there */
void tap_signal(struct sim *, const struct sim_end *from, enum sim_kind, ns_t at);
/* What was given to TCP in calm: each segment as it leaves an uplink that is free at that time. */
void tap_sent(struct sim *, struct sim_end *from, const struct sim_event *, ns_t free,
              uint32_t payload);
/* Bytes of a flow in bulk leave as a segment; an acknowledgement of all before `next` leaves. */
void tap_segment(struct sim *, const struct sim_end *from, uint64_t begin, uint32_t bytes,
                 ns_t left);
void tap_ack(struct sim *, const struct sim_end *from, uint64_t next, ns_t at);
/* A message or a FIN came to this end's host, which acknowledges it. */
void tap_arrival(struct sim *, struct sim_end *, const struct sim_event *);
/* The node hears that its peer has closed: its own FIN, and what that is answered. */
void tap_hang_up(struct sim *, const struct sim_end *);
void tap_datagram(struct sim *, const struct sim_end *from, const struct sim_node *to,
                  const struct addr *, const void *data, uint32_t len);

/* report.c */
int report_outcomes(struct sim *);

#endif
