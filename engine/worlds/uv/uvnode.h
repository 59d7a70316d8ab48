/* A node on real sockets: the seam (engine/env.h) over libuv. One loop may hold several nodes;
 * a node of a real run is alone in its process.
 *
 * LINK_MESSAGE is a TCP stream of frames: length (u32, little-endian) and that many bytes, 1 to
 * LINK_MESSAGE_MAX; any other length ends the link (TOO_BIG). LINK_BYTES is TCP as it comes,
 * LINK_DATAGRAM UDP. Which addresses the node sees: uvplace.h. A node's own chance comes from
 * the system's getrandom().
 *
 * send() refuses with ERR_AGAIN while UVNODE_WINDOW bytes wait in the link's queue, until half
 * of them are on their way; a datagram that the system does not take at once is lost (queue).
 * What is over the limit on links is closed at once and counted (refused). close() sends what is
 * queued, for UVNODE_FLUSH at most.
 *
 * There is no start barrier: ready() is answered at once. done() is told to `done`.
 *
 * Wire bytes and packets are the system's and not measured; a party's completion is.
 */
#ifndef PARTYLINE_WORLDS_UV_UVNODE_H
#define PARTYLINE_WORLDS_UV_UVNODE_H

#include "engine/node.h"
#include "engine/worlds/uv/uvplace.h"

#include <uv.h>

#define UVNODE_FLUSH (5 * NS_S)

enum {
    UVNODE_WINDOW = 1 << 20,
    UVNODE_LINKS = 4096, /* open ones of a node */
    UVNODE_LINKS_MAX = 65535
};

/* Looks on at a node besides the trial's observers. What a node gets carries no truth: in its
 * place it is given a number, TRUTH_UNKNOWN with the serials 1, 2, 3 ..., and what a service sends
 * on has the number of what came, so that who has all nodes' views can say what it truly is. */
struct uvnode_watch {
    unsigned wants; /* of NODE_IN, NODE_OUT, SHOWN, KEPT */
    /* truth: NULL where there is no packet. on_stream: its bytes on the stream, with the frame;
     * 0: of a datagram. */
    void (*see)(void *ctx, const struct sighting *, const struct packet_truth *,
                uint32_t on_stream);
    void *ctx;
};

struct uvnode_setup {
    uv_loop_t *loop;
    struct uvplaces places;
    const struct crowds *crowds;
    uint32_t self;
    const struct identity *identity; /* NULL with channel: none */
    struct store *store;
    uint32_t incarnation;
    ns_t origin;                        /* of its clock: uv_hrtime() when `now` is 0 */
    const struct node_foreign *foreign; /* NULL: none */
    const struct uvnode_watch *watch;   /* NULL: nobody */
    bool shared_clock;                  /* all nodes have this origin, on this machine */
    struct metrics *metrics;
    uint32_t links;          /* 0: UVNODE_LINKS */
    void (*done)(void *ctx); /* the node said so; may be NULL */
    void (*gone)(void *ctx); /* after uvnode_free: nothing is left of it; may be NULL */
    void *ctx;
};

struct uvnode;

/* Binds the ports that the node's role accepts; EV_START comes with the loop. All in setup but
 * itself outlives the node. ERR_EXISTS (a port is in use), ERR_IO, ERR_NOMEM or the plugins'
 * refusal, with a sentence. The loop must be run also after a failure, for what it still holds. */
int uvnode_new(struct uvnode **, const struct uvnode_setup *, struct err *);
/* Ends all its links at once; the rest is freed by the loop, which calls gone(). */
void uvnode_free(struct uvnode *);

struct node *uvnode_node(struct uvnode *);
/* A gateway's party says this to the node: an event of its own. */
void uvnode_foreign(struct uvnode *, party_t from, struct label, const uint8_t *, size_t);
ns_t uvnode_now(struct uvnode *);
/* Bytes that wait to be sent; links that are open; when data came last (its start, if never). */
size_t uvnode_queued(const struct uvnode *);
uint32_t uvnode_links(const struct uvnode *);
ns_t uvnode_heard(const struct uvnode *);
/* What the trial's observers make of what this node saw. */
int uvnode_score(const struct uvnode *, struct sights_found *);

/* Asks the system. False: it has none to give. */
bool uvnode_entropy(struct prng *);

#endif
