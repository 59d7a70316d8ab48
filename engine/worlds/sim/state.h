/* The simulator's own structs, shared by its files alone.
 *
 * An event (sim_event) is pending in the queue, or waits for its node to be free, or is being
 * handled. On its way it may change its kind: a SYN-ACK becomes the node's EV_UP. It keeps the
 * connection alive that it points to (sim_end.refs). life guards what points to a node: it
 * differs after a crash.
 */
#ifndef PARTYLINE_WORLDS_SIM_STATE_H
#define PARTYLINE_WORLDS_SIM_STATE_H

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

#endif
