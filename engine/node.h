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

enum { NODE_HEADER = 16 };

struct node;
struct identity;

struct node_config {
    const struct trial_spec *trial;
    const struct crowds *crowds; /* of its roster */
    uint32_t self;
    const struct identity *identity; /* NULL with channel: none */
    bool shared_clock;               /* `message` may be measured across nodes */
    const struct trace *trace;       /* whose layer() is told what passes; NULL: nobody's */
};

/* Sets env->event and env->node. OK, ERR_NOMEM, or the plugin's refusal in err. */
int node_new(struct node **, const struct node_config *, struct env *, struct err *);
void node_free(struct node *);

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
