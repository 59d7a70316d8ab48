#include "engine/worlds/sim/inner.h"

#include "engine/node.h"

/* What a coming event will touch is fetched before its time, a step of the chain of pointers at a
 * time: the event, the end it is for, its node and the peer's end, the node's own memory, and what
 * that keeps of the peer. With many hosts none of it is in a cache. */
static void fetch_step(const struct sim_event *e, unsigned step)
{
    const struct sim_end *end = e->kind >= SIM_SYN ? e->at.end : NULL;
    const struct sim_node *n;
    if (step == 0) {
        if (end)
            fetch(end, 2);
        else if (e->kind >= SIM_DATAGRAM)
            fetch(e->at.node, 3);
        return;
    }
    n = end ? end->node : e->kind >= SIM_DATAGRAM ? e->at.node : NULL;
    if (!n)
        return;
    if (e->kind >= SIM_SEGMENTS && e->kind <= SIM_BULK) {
        if (step == 1)
            fetch(end->flow.bulk, 8);
    } else if (step == 1) {
        fetch(n, 3);
        if (end)
            fetch(sim_peer(end), 1);
    } else if (n->env.node && step == 2) {
        if (n->n_slots <= 1) /* who has many links is not forgotten between two messages */
            fetch(n->env.node, SIM_OWN_LINES);
        if (!end)
            fetch(n->recent, 2);
    } else if (n->env.node) {
        node_expect(n->env.node, end ? end->tag : 0, step - 3);
    }
}

/* How many events before it: the event itself, and then a step each. */
enum { AHEAD = 18, STEPS = 3 + NODE_STEPS };
static const uint8_t step_ahead[STEPS] = {15, 12, 9, 6, 4, 2};

void ahead_around(const struct queue *q)
{
    const void *e;
    for (unsigned k = 0; k < AHEAD && (e = queue_ahead(q, k)); k++)
        fetch(e, 3);
    for (unsigned step = 0; step < STEPS; step++)
        for (unsigned k = 0; k < step_ahead[step] && (e = queue_ahead(q, k)); k++)
            fetch_step(e, step);
}

void ahead_look(const struct queue *q)
{
    const void *e = queue_ahead(q, AHEAD);
    if (e)
        fetch(e, 3);
    for (unsigned step = 0; step < STEPS; step++)
        if ((e = queue_ahead(q, step_ahead[step])))
            fetch_step(e, step);
}
