/* The seam: what a node may ask of the world it lives in, and what the world tells it.
 *
 * A node is an explicit state machine. The world calls env->event(env->node, event) for
 * one event at a time; the node answers with calls of the operations below. Rules:
 *
 *  - No operation calls event() before it returns.
 *  - env->now is constant during an event and never goes back. Time and dice are fields
 *    that the world stamps, not functions: there is no other clock and no other chance.
 *  - send() copies; the bytes of EV_DATA are lent until event() returns.
 *  - Every open() ends in exactly one EV_UP or EV_DOWN. After EV_UP a link ends with
 *    one EV_DOWN or with the node's own close(); after close() there is silence.
 *  - event.peer is the address as observed, not an identity: NATs rewrite it.
 *  - event.tag is what the node has last given the link, so that it need not look up whose it is.
 *  - arm() never disarms: a timer that is no longer wanted fires and must be ignored.
 *
 * Links. LINK_MESSAGE is a stream of whole messages, in order, of 1 byte to LINK_MESSAGE_MAX
 * (u32 framing on real sockets, written once for all worlds; its LINK_FRAME bytes are
 * counted in every world). LINK_BYTES is a raw stream for foreign servers. LINK_DATAGRAM
 * carries datagrams, which may be lost, doubled or reordered; all datagram links of a node
 * share one local port, and an open() to the unspecified address binds a further port
 * (EV_UP tells which). LINK_HANDOVER exists only in worlds whose nodes share one memory:
 * like LINK_MESSAGE, but without a network beneath (no delay, no loss, no bytes on a wire).
 *
 * A role declares what it accepts as a list of {port, link kind}: inbound streams arrive
 * as EV_UP with a new link; a stranger's datagrams arrive on the port's own link with
 * `peer` set.
 *
 * spent: a node charges what it computes (env_charge); what it sends in that event leaves
 * at now + spent, and its next event waits for it. Real worlds ignore it.
 */
#ifndef PARTYLINE_ENV_H
#define PARTYLINE_ENV_H

#include "engine/base/ns.h"
#include "engine/base/prng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t link_t;  /* 0: none */
typedef uint32_t party_t; /* index into the trial's roster; parties first, then services */

#define PARTY_NONE UINT32_MAX

enum { LINK_MESSAGE_MAX = 65536, LINK_FRAME = 4 };

/* IPv6; IPv4 is mapped (::ffff:a.b.c.d). Port in host order. All zero: unspecified. */
struct addr {
    uint8_t ip[16];
    uint16_t port;
};

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

enum link_kind { LINK_MESSAGE, LINK_BYTES, LINK_DATAGRAM, LINK_HANDOVER };

enum event_kind {
    EV_START, /* first event of a node's life; again after a restart */
    EV_GO,    /* the answer to ready(): the start barrier is open */
    EV_TIMER,
    EV_UP,
    EV_DATA,
    EV_ROOM, /* a link that refused with ERR_AGAIN takes data again */
    EV_DOWN
};

#define DOWN_REASONS(X)                                                                            \
    X(NONE, "none")                                                                                \
    X(REFUSED, "refused")                                                                          \
    X(UNREACHABLE, "unreachable")                                                                  \
    X(TIMEOUT, "timeout")                                                                          \
    X(RESET, "reset")                                                                              \
    X(CLOSED, "closed by peer")                                                                    \
    X(TOO_BIG, "message too big")                                                                  \
    X(NAT, "nat")                                                                                  \
    X(LOCAL, "given up here")

enum down_reason {
#define X(name, text) DOWN_##name,
    DOWN_REASONS(X)
#undef X
        DOWN_COUNT
};

struct event {
    enum event_kind kind;
    enum link_kind link_kind; /* EV_UP, EV_DATA, EV_ROOM, EV_DOWN */
    enum down_reason why;     /* EV_DOWN */
    unsigned timer;           /* EV_TIMER: as armed */
    link_t link;
    uint32_t tag;            /* the link's, as the node has given it; else 0 */
    struct addr local, peer; /* EV_UP, and EV_DATA of datagram links */
    const uint8_t *data;     /* EV_DATA */
    size_t len;
};

/* What a role accepts. A list ends with port 0. */
struct accept {
    uint16_t port;
    enum link_kind kind;
};

/* Operations that cost time. A cost table gives nanoseconds for one of each; the table
 * `none` is all zero. */
#define ENV_COSTS(X)                                                                               \
    X(X25519, "x25519")                                                                            \
    X(ED25519_SIGN, "ed25519_sign")                                                                \
    X(ED25519_VERIFY, "ed25519_verify")                                                            \
    X(AEAD, "aead")           /* one sealed or opened message */                                   \
    X(AEAD_KIB, "aead_kib")   /* each KiB of it */                                                 \
    X(SHARE, "share")         /* one field element shared with one party */                        \
    X(FIELD_MUL, "field_mul") /* one field multiplication */                                       \
    X(MESSAGE, "message")     /* one protocol message handled */

enum env_cost {
#define X(name, text) COST_##name,
    ENV_COSTS(X)
#undef X
        COST_COUNT
};

/* A fact that this node now knows: declared for the observers' scoring, write-only. What a
 * role's code shows is what an honest but curious holder of that role can read there. */
enum shown_kind {
    SHOWN_ADDRESS, /* `addr` is the address of the party or service `whom` */
    SHOWN_MEMBER,  /* `whom` takes part */
    SHOWN_PAIR,    /* `whom` and `other` talk to each other */
    SHOWN_INPUT,   /* the input of `whom`, in the clear */
    SHOWN_ROUTE    /* of the packet that just came: `whom` sent it here, it goes to `other` next
                      (PARTY_NONE: unreadable), held for `delay`. Only with env->truth. */
};

struct shown {
    enum shown_kind kind;
    party_t whom, other; /* other: of a PAIR or a ROUTE */
    struct addr addr;    /* of an ADDRESS */
    ns_t delay;          /* of a ROUTE */
    bool in_clear;       /* not for this node's eyes alone: its packets show it on its line */
};

/* What a packet truly is: for judging what observers guess, for nothing else. The sender stamps
 * env->truth before it sends; the world carries it beside the packet and has put it back when the
 * packet's EV_DATA comes, so that who sends on in the same event need not stamp; who sends on
 * later keeps it and stamps again. */
enum truth_kind {
    TRUTH_UNKNOWN,
    TRUTH_REAL,
    TRUTH_COVER_LOOP, /* a client's packet to itself */
    TRUTH_COVER_DROP, /* a client's packet that its last hop throws away */
    TRUTH_MIX_LOOP,   /* a mix's packet to itself */
    TRUTH_ACK,
    TRUTH_CONTROL /* of the transport itself: registration, keep-alive ... */
};

struct packet_truth {
    enum truth_kind kind;
    party_t from, to; /* from end to end; PARTY_NONE: nobody */
    uint64_t serial;  /* among its sender's packets from end to end, from 1; 0: not numbered */
};

/* What a server keeps, as its holder would find it: METRICS.md, M11. Declared when it is written;
 * the same record again replaces it, and with `until` not after now it is erased. */
enum {
    KEPT_ADDRESS = 1, /* of whom */
    KEPT_IDENTITY = 2,
    KEPT_PAIR = 4, /* that whom talks to other */
    KEPT_TIME = 8,
    KEPT_SIZE = 16,
    KEPT_SEALED = 32, /* content that the holder can't read */
    KEPT_INPUT = 64   /* content that it can */
};

struct retained {
    uint64_t record; /* its number, among those of this node */
    unsigned fields;
    uint64_t bits;
    party_t whom, other; /* PARTY_NONE: nobody */
    ns_t until;          /* NS_NEVER: until it is erased */
};

struct env;

struct env_ops {
    /* OK, ERR_LIMIT (too many links), ERR_UNSUPPORTED (kind), ERR_INVALID (address). */
    int (*open)(struct env *, enum link_kind, struct addr to, link_t *out);
    /* OK, ERR_AGAIN (nothing taken: wait for EV_ROOM), ERR_TOO_BIG, ERR_CLOSED. */
    int (*send)(struct env *, link_t, const void *data, size_t len);
    /* A datagram to anyone from a bound port. OK, ERR_TOO_BIG, ERR_CLOSED. */
    int (*send_to)(struct env *, link_t port, struct addr to, const void *data, size_t len);
    void (*close)(struct env *, link_t);
    /* What comes along with all further events of this link, also with those that are on their way
     * already. A link that is none is ignored. */
    void (*tag)(struct env *, link_t, uint32_t tag);
    void (*arm)(struct env *, unsigned timer, ns_t at);
    /* This node could begin: answered by EV_GO when the world's start barrier opens
     * (all nodes that have one are ready), at once where there is none. */
    void (*ready)(struct env *);
    /* This node's part is over; the world may end the trial when all parties said so. */
    void (*done)(struct env *);
    /* This node ends with this event, as if its process did: links are closed, what they have
     * queued is sent; a restart makes it anew. A wish: NULL where nodes end by themselves. */
    void (*leave)(struct env *);
    void (*show)(struct env *, const struct shown *);
    /* NULL where nobody wants to know. */
    void (*keep)(struct env *, const struct retained *);
};

struct metrics;
struct slab;
struct store;

/* What every event touches comes first. */
struct env {
    const struct env_ops *ops;
    ns_t now;
    ns_t spent;
    const ns_t *costs; /* COST_COUNT of them, or NULL: all zero */
    struct metrics *metrics;
    struct slab *slab;          /* for what a node keeps: engine/base/slab.h; NULL: malloc */
    struct packet_truth *truth; /* NULL: nobody wants it */
    void (*event)(void *node, const struct event *);
    void *node;
    struct addr self;
    uint32_t incarnation; /* 0 at first start, one more after every restart */
    struct store *store;
    struct prng rng;
};

/* Charges n operations of a kind to this event. */
static inline void env_charge(struct env *env, enum env_cost op, uint64_t n)
{
    if (env->costs)
        env->spent += env->costs[op] * (ns_t)n;
}

/* Stamps what this node sends from now on. */
static inline void env_truth(struct env *env, enum truth_kind kind, party_t from, party_t to,
                             uint64_t serial)
{
    if (env->truth)
        *env->truth = (struct packet_truth){.kind = kind, .from = from, .to = to, .serial = serial};
}

static inline void env_show(struct env *env, const struct shown *shown)
{
    env->ops->show(env, shown);
}

static inline void env_keep(struct env *env, const struct retained *kept)
{
    if (env->ops->keep)
        env->ops->keep(env, kept);
}

#endif
