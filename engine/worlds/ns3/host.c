/* The lives of nodes. */
#include "engine/worlds/ns3/inner.h"

#include "engine/node.h"
#include "engine/worlds/result/account.h"

struct ns3_node *host_at(const struct ns3 *w, const uint8_t ip[16])
{
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (memcmp(w->spec->roster->entries[i].addr.ip, ip, 16) == 0)
            return &w->nodes[i];
    return NULL;
}

void host_bury(struct ns3_node *n)
{
    n->useful += node_useful_bytes(n->env.node);
    n->doomed = true; /* whatever it asks for while it is freed has no effect */
    node_free(n->env.node);
    n->doomed = false;
    n->env.node = NULL;
    n->alive = false;
    n->life++;
    prng_wipe(&n->env.rng);
    n->busy_until = 0;
    n->paused = false;
}

static void keep_result(struct ns3_node *n)
{
    struct outcome o = node_outcome(n->env.node);
    if (n->kept.done)
        return;
    if (o.done) {
        n->completion = node_completion(n->env.node);
        if (account_keep(&n->kept, &o) != OK)
            ns3_break(n->w, ERR_NOMEM);
    } else if (n->done) {
        n->done = false;
        n->w->n_done--;
    }
}

void host_crash(struct ns3_node *n, const struct action *by)
{
    struct ns3 *w = n->w;
    if (!n->alive)
        return;
    witness_crash(w, n, by);
    if (n->id < w->n_parties)
        keep_result(n);
    w->n_ready -= n->ready && n->id < w->n_parties;
    n->ready = false;
    host_bury(n);
    while (n->waiting) {
        struct ns3_event *e = n->waiting;
        n->waiting = e->next;
        event_lost(e);
    }
    conn_crash(n);
}

void host_give(struct ns3_node *n, const struct ns3_end *end, const struct ns3_origin *origin,
               const struct event *ev, uint64_t size)
{
    struct ns3 *w = n->w;
    witness_digest(w, n, ev, size);
    metrics_count(w->metrics, COUNT_EVENTS, 1);
    witness_event(w, n, end, origin, ev);
    n->env.now = w->now;
    n->env.spent = 0;
    n->env.event(n->env.node, ev);
    if (n->env.spent) {
        n->busy_until = w->now + n->env.spent;
        n->compute += n->env.spent;
    }
    if (n->doomed)
        host_crash(n, NULL);
}

void host_start(struct ns3_node *n)
{
    struct ns3 *w = n->w;
    const struct trial_spec *t = w->spec;
    struct node_config config = {.trial = t,
                                 .crowds = &w->crowds,
                                 .self = n->id,
                                 .identity = t->secrets ? t->secrets[n->id] : NULL,
                                 .shared_clock = true};
    struct event ev = {.kind = EV_START};
    struct node *made;
    int rc;
    if (n->alive)
        return;
    n->env.now = w->now;
    n->env.spent = 0;
    n->env.self = address_of(w, n->id, t->roster->entries[n->id].addr.port);
    n->env.incarnation = n->incarnations++;
    prng_name(&n->env.rng, w->seed, t->roster->entries[n->id].name, n->env.incarnation, "node");
    sim_store_revive(&n->store);
    n->accepts = node_accepts(t, n->id);
    rc = node_new(&made, &config, &n->env, w->err);
    if (rc != OK) {
        ns3_break(w, rc);
        return;
    }
    n->alive = true;
    if (n->env.incarnation)
        witness_restart(w, n);
    conn_begin(n);
    host_give(n, NULL, NULL, &ev, 0);
}
