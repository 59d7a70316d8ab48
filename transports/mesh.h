/* The full mesh: one link between every two paired peers. The body that `direct` (over
 * LINK_MESSAGE) and `null` (over LINK_HANDOVER) share.
 *
 * One side of a pair dials, by the option `dial`; only that side dials again, for ever,
 * with exponential back-off and jitter. Each message of a link is one frame:
 *
 *   frame       = kind u8, then by kind:
 *   HELLO, RING = version u8, claimed u32, wanted u32, incarnation u32 (14 bytes in all)
 *   DATA        = 1 to MESH_MESSAGE_MAX bytes for the layer above
 *   PING        = nothing
 *
 * Integers are little-endian. HELLO is the dialer's first frame and only that: it names the
 * party that dials and the party it wants, and its first DATA follows at once, so a hello
 * costs no round trip. The acceptor sends none: the dialer knows whom it dialed by the
 * address. A dialer's peer is up when its link is; an acceptor's, at the hello.
 *
 * RING. After a restart an acceptor may wait in vain: if the network lost the resets of its
 * old links, a dialer that has nothing to send never finds out. So what has not dialed a
 * restarted party within backoff_max is called by it, with RING instead of HELLO. The dialer
 * closes that link and, if its own looks alive, sends PING on it: a dead one is answered by a
 * reset. PING is ignored.
 *
 * Hello is not authenticated. Who knows the roster can claim to be anybody in it, and then
 * takes that peer's place here until the peer itself dials again: a denial of service that
 * only a handshake at this layer could refuse. What it cannot do is be believed: the channel
 * above authenticates the identity, and a restarted peer (whose old link may look alive for
 * minutes) must be able to take its place back. A stranger without a valid hello never
 * touches a proven link: it is closed after MESH_HELLO_LIMIT, and at most MESH_STRANGERS
 * more links than peers wait for theirs, beyond which the oldest of them is closed.
 *
 * A newer link of a peer replaces the older: peer_down, then peer_up. Its reason is RESET
 * if the peer comes in another incarnation, else CLOSED.
 *
 * Whose a link is, its tag says (engine/env.h). Per peer 24 bytes; a stranger's slot is made when
 * one comes.
 */
#ifndef PARTYLINE_TRANSPORTS_MESH_H
#define PARTYLINE_TRANSPORTS_MESH_H

#include "engine/transport.h"
#include "transports/strangers.h"

enum {
    MESH_PORT = 7000,
    MESH_VERSION = 1,
    MESH_STRANGERS = 64,
    MESH_HELLO_SIZE = 14,
    MESH_MESSAGE_MAX = LINK_MESSAGE_MAX - 1
};
#define MESH_HELLO_LIMIT (10 * NS_S)

enum mesh_frame { MESH_HELLO = 1, MESH_DATA = 2, MESH_RING = 3, MESH_PING = 4 };

/* Who dials: the index of the option `dial`. */
enum mesh_dial { MESH_DIAL_HIGHER, MESH_DIAL_LOWER };

struct mesh_opts {
    int64_t dial;                     /* enum mesh_dial: that id of a pair dials */
    int64_t backoff_min, backoff_max; /* a wait is drawn from its upper half */
    int64_t connect_limit;            /* a dial that takes longer is given up */
};
extern const struct opt mesh_opts[];
extern const char *const mesh_dial_choices[];

/* The rows of that table, for a transport whose options begin with a struct mesh_opts. */
#define MESH_OPTS                                                                                  \
    {.name = "dial",                                                                               \
     .type = OPT_CHOICE,                                                                           \
     .offset = offsetof(struct mesh_opts, dial),                                                   \
     .fallback = "higher",                                                                         \
     .choices = mesh_dial_choices,                                                                 \
     .help = "Which id of a pair dials the other."},                                               \
        {.name = "backoff_min",                                                                    \
         .type = OPT_DURATION,                                                                     \
         .offset = offsetof(struct mesh_opts, backoff_min),                                        \
         .fallback = "100ms",                                                                      \
         .min = NS_MS,                                                                             \
         .max = 3600 * NS_S,                                                                       \
         .help = "The wait before the first new dial; each further one doubles it."},              \
        {.name = "backoff_max",                                                                    \
         .type = OPT_DURATION,                                                                     \
         .offset = offsetof(struct mesh_opts, backoff_max),                                        \
         .fallback = "10s",                                                                        \
         .min = NS_MS,                                                                             \
         .max = 3600 * NS_S,                                                                       \
         .help = "The longest wait between two dials."},                                           \
    {                                                                                              \
        .name = "connect_limit", .type = OPT_DURATION,                                             \
        .offset = offsetof(struct mesh_opts, connect_limit), .fallback = "10s", .min = NS_MS,      \
        .max = 3600 * NS_S,                                                                        \
        .help = "A dial that has no answer by then is given up and tried again."                   \
    }

/* What is known of a peer: mesh.c's own. */
struct mesh_peer {
    ns_t at;
    party_t id;
    link_t link;
    uint32_t incarnation; /* as its hello said; accepted peers only */
    uint8_t stage;        /* of mesh.c */
    uint8_t fails;        /* dials in a row that led to no lasting link */
    bool awaited;         /* has not dialed since we restarted: is rung */
};

/* All that a node keeps. Zeroed, then mesh_init. */
struct mesh {
    struct transport_setup setup;
    enum link_kind kind;
    bool watched;            /* the timer for the oldest stranger is armed */
    struct mesh_peer *peers; /* as setup.peers */
    struct mesh_peer one;    /* peers of those who have only one */
    struct strangers strangers;
};

/* OK, ERR_INVALID (options, in err), ERR_LIMIT (more peers than timers), ERR_NOMEM. */
int mesh_init(struct mesh *, const struct transport_setup *, enum link_kind, struct err *);
/* The rest of struct transport_role; self is a struct mesh. */
int mesh_send(void *self, party_t to, const void *data, size_t len);
void mesh_event(void *self, const struct event *);
void mesh_expect(const void *self, uint32_t peer);
void mesh_free(void *self);

#endif
