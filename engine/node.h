/* The node binds protocol, channel, transport and env: the only module that knows these
 * contracts together. A world makes nodes, hands each its env, and feeds it events.
 *
 * Messages of a protocol travel as label (round u32, instance u32), the time of sending
 * (u64, for the metric `message`) and the body: NODE_HEADER bytes before the body.
 */
#ifndef PARTYLINE_NODE_H
#define PARTYLINE_NODE_H

#include "engine/crowd.h"
#include "engine/world.h"

enum { NODE_HEADER = 16, NODE_STEPS = 3 };

struct node;
struct identity;

/* Parties that are no nodes: one node of those they talk to has a gateway (engine/gateway.h) and
 * speaks for them; to the others they are never there. */
struct node_foreign {
    const bool *who; /* one an entry of the roster */
    /* What the protocol sends one of them; NULL: this node has no gateway. OK, or what
     * party_send() gives. */
    int (*send)(void *ctx, party_t to, struct label, const uint8_t *data, size_t len);
    void *ctx;
};

struct node_config {
    const struct trial_spec *trial;
    const struct crowds *crowds; /* of its roster */
    uint32_t self;
    const struct identity *identity;    /* NULL with channel: none */
    bool shared_clock;                  /* `message` may be measured across nodes */
    const struct node_foreign *foreign; /* NULL: none; outlives the node */
    const struct trace *trace;          /* whose layer() is told what passes; NULL: nobody's */
};

/* Sets env->event and env->node. OK, ERR_NOMEM, or the plugin's refusal in err. */
int node_new(struct node **, const struct node_config *, struct env *, struct err *);
void node_free(struct node *);
/* Such a party's message for the protocol: as an event, when env->now is stamped. */
void node_foreign_recv(struct node *, party_t from, struct label, const uint8_t *data, size_t len);

/* A hint: soon there will be an event of a link with that tag, or of none (0). What it will touch
 * is fetched into a cache (engine/base/fetch.h), in steps (0 to NODE_STEPS - 1) with other events
 * between them. */
void node_expect(const struct node *, uint32_t tag, unsigned step);

/* What a party ended with; lent until node_free. */
struct outcome node_outcome(const struct node *);
/* When the result came, counted from its start (EV_GO or EV_START); -1: not done. */
ns_t node_completion(const struct node *);
/* Useful bytes that this node's protocol sent. */
uint64_t node_useful_bytes(const struct node *);
/* For an unfinished party: whom it waits for and the state of those channels. */
void node_waiting(const struct node *, char *buf, size_t cap);
/* What this node accepts, by its roles in transport and protocol; ends with port 0. */
const struct accept *node_accepts(const struct trial_spec *, uint32_t self);

#endif
