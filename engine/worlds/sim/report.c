#include "engine/worlds/result/account.h"
#include "engine/worlds/sim/inner.h"

static struct account account_of(const void *world, party_t id)
{
    const struct sim *sim = world;
    const struct sim_node *n = &sim->nodes[id];
    return (struct account){.node = n->alive ? n->env.node : NULL,
                            .kept = n->late ? n->late->outcome : (struct outcome){0},
                            .completion = n->late ? n->late->completion : -1,
                            .useful = n->useful,
                            .wire_bytes = n->wire_bytes,
                            .wire_packets = n->wire_packets,
                            .compute = n->compute,
                            .incarnations = n->incarnations};
}

int report_outcomes(struct sim *sim)
{
    const struct accounts all = {
        .roster = sim->spec->roster, .n_done = sim->n_done, .of = account_of, .world = sim};
    return accounts_settle(&all, sim->result);
}
