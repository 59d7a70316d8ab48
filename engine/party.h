/* A party as node.c and party.c share it: what engine/protocol.h calls by its opaque name.
 * node.c feeds it events, party.c answers its protocol, node_make.c makes it. Nobody else
 * includes this.
 */
#ifndef PARTYLINE_PARTY_H
#define PARTYLINE_PARTY_H

#include "engine/channel/channel.h"
#include "engine/node.h"

/* Who armed a timer: its number tells. */
enum { TIMER_TRANSPORT = 1 << 24, TIMER_PROTOCOL = 2 << 24, TIMER_CHANNEL = 1 << 30 };

struct peer {
    party_t id;
    bool up;      /* its channel is up now */
    bool ever_up; /* and was, at least once */
    struct channel *channel;
};

/* The protocol's view of a node. What every message touches comes first, in three cache lines. */
struct party {
    struct env *env;
    const struct transport_role *carrier;
    void *carrier_state;
    const struct protocol *protocol; /* NULL for a transport's server */
    void *protocol_state;
    struct peer *peers; /* ascending by id; the ids alone stand before them */
    uint32_t n_peers;
    party_t self;
    bool started, done, failed, shared_clock, carrier_made, protocol_made;
    struct channel_node shared;
    const struct trace *trace; /* NULL: nobody looks on */
    uint64_t useful;
    const struct node_foreign *foreign; /* NULL: none */
    uint64_t emitted;                   /* frames, if someone wants to know which is which */
    const struct trial_spec *trial;
    ns_t start, began, completion;
    uint32_t n_ever_up, rounds, result_len;
    uint32_t size; /* of all that is in one piece with it */
    union {
        uint8_t *result; /* result_len bytes, and a NUL */
        char *failure;   /* failed; NULL: out of memory */
    };
};

struct node {
    struct party p;
};

/* node.c: what happens to a node; node_make.c makes and ends it. */
extern const struct channel_up node_channel_up;
extern const struct transport_up node_transport_up;
void node_event(void *node, const struct event *);

_Static_assert(offsetof(struct party, shared) == 64, "a cache line before it");
_Static_assert(sizeof(struct party) <= 256, "state of an idle node");

/* NULL if this party is not paired with it. Peers are mostly one, or everybody else: these places
 * are looked at first. */
struct peer *party_find_peer(struct party *, party_t);
static inline struct peer *party_peer(struct party *p, party_t id)
{
    uint32_t guess = p->n_peers == 1 ? 0 : id < p->self ? id : id - 1;
    return guess < p->n_peers && p->peers[guess].id == id ? &p->peers[guess]
                                                          : party_find_peer(p, id);
}
static inline party_t *party_peer_ids(const struct party *p)
{
    return p->n_peers ? (party_t *)(void *)p->peers - p->n_peers : NULL;
}
/* The peer's channel, made when first needed: what is sent before the peer is reached waits
 * in it. NULL when out of memory. */
struct channel *party_channel(struct party *, struct peer *);
const char *party_name(const struct party *, party_t);
/* Tells the trace; fills in who and when. */
void party_tell(const struct party *, struct trace_layer);
static inline void party_trace(const struct party *p, struct trace_layer what)
{
    if (p->trace)
        party_tell(p, what);
}
/* The protocol's role of that name, or NULL. */
const struct protocol_role *party_role(const struct protocol *, const char *name);

#endif
