#include "engine/worlds/sim/inner.h"

#include "engine/base/pages.h"
#include "engine/node.h"

#include <stdlib.h>

/* Nodes keep what they keep in the slab, unless their mistakes with it are looked for. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) /* gcc's way, clang's way */
enum { SIM_LENDS = 0 };
#else
enum { SIM_LENDS = 1 };
#endif

const struct sim_tuning sim_defaults = {.window = SIM_WINDOW, .links = SIM_LINKS};

/* ---- events and hosts ----------------------------------------------------------------- */

void sim_push_failed(struct sim *sim, struct sim_event *e)
{
    sim->broken = ERR_NOMEM;
    sim_event_free(sim, e);
}

void sim_post(struct sim_node *n, enum sim_kind kind, uint32_t number, ns_t at)
{
    struct sim_event *e = sim_event_new(n->sim, kind, 0);
    if (!e)
        return;
    e->at.node = n;
    e->life = n->life;
    e->number = number;
    sim_push(n->sim, at, e);
}

static uint32_t *place_of(const struct sim *sim, const uint8_t ip[16])
{
    uint32_t i = (uint32_t)XXH3_64bits(ip, 16) & sim->ip_mask;
    while (sim->by_ip[i] &&
           memcmp(sim->spec->roster->entries[sim->by_ip[i] - 1].addr.ip, ip, 16) != 0)
        i = (i + 1) & sim->ip_mask;
    return &sim->by_ip[i];
}

struct sim_node *sim_node_at(const struct sim *sim, const uint8_t ip[16])
{
    uint32_t found = *place_of(sim, ip);
    return found ? &sim->nodes[found - 1] : NULL;
}

/* ---- making and ending ---------------------------------------------------------------- */

static void store_died(struct sim_store *s)
{
    struct sim_node *n = (struct sim_node *)((char *)s - offsetof(struct sim_node, store));
    n->doomed = true;
}

/* The description of a last mile. Neighbours that have the same share it, and its cache line. */
static const struct access *access_of(const struct sim *sim, uint32_t i)
{
    const struct access *own = &sim->spec->hosts[i].access;
    const struct access *before = i ? sim->nodes[i - 1].host.access : own;
    return own->up_bps == before->up_bps && own->down_bps == before->down_bps &&
                   own->latency == before->latency && own->jitter == before->jitter &&
                   own->loss_ppm == before->loss_ppm && own->queue_bytes == before->queue_bytes &&
                   own->burst == before->burst && own->bad_ppm == before->bad_ppm &&
                   own->jitter_shape == before->jitter_shape
               ? before
               : own;
}

static int make_nodes(struct sim *sim)
{
    const struct trial_spec *t = sim->spec;
    uint32_t n = t->roster->n, cap = 4;
    while (cap < 2 * n)
        cap *= 2;
    sim->ip_mask = cap - 1;
    sim->by_ip = calloc(cap, sizeof *sim->by_ip);
    sim->nodes = pages_take(n * sizeof *sim->nodes);
    if (!sim->by_ip || !sim->nodes)
        return ERR_NOMEM;
    sim->n_nodes = n;
    sim->n_parties = t->roster->n_parties;
    for (uint32_t i = 0; i < n; i++) {
        struct sim_node *node = &sim->nodes[i];
        const struct roster_entry *who = &t->roster->entries[i];
        uint32_t *place = place_of(sim, who->addr.ip);
        if (*place)
            return err_set(sim->err, ERR_INVALID, "%s and %s have the same address",
                           t->roster->entries[*place - 1].name, who->name);
        *place = i + 1;
        node->id = i;
        node->sim = sim;
        node->host = (struct link_host){.access = access_of(sim, i), .region = t->hosts[i].region};
        node->env.ops = &sim_ops;
        node->env.costs = t->costs;
        node->env.metrics = sim->metrics;
        node->env.store = &node->store.base;
        node->env.slab = SIM_LENDS ? &sim->slab : NULL;
        sim_store_init(&node->store, &sim->fate);
    }
    return OK;
}

static void appoint(struct sim *sim, enum sim_kind kind, const struct action *a, ns_t at)
{
    struct sim_event *e = sim_event_new(sim, kind, 0);
    if (!e)
        return;
    e->at.action = a;
    sim_push(sim, at, e);
}

/* Fixed appointments: actions first, so that at equal times they come before starts. */
static void schedule(struct sim *sim)
{
    const struct trial_spec *t = sim->spec;
    for (size_t i = 0; i < t->n_actions; i++) {
        const struct action *a = &t->actions[i];
        if (a->kind == ACT_RESTART) {
            sim_post(&sim->nodes[a->node], SIM_START, 0, a->at);
        } else if (a->kind == ACT_CRASH) {
            appoint(sim, SIM_CRASH, a, a->at);
        } else {
            appoint(sim, SIM_BEGIN, a, a->at);
            if (a->until != NS_NEVER)
                appoint(sim, SIM_END, a, a->until);
        }
    }
    for (uint32_t i = 0; i < sim->n_nodes; i++)
        sim_post(&sim->nodes[i], SIM_START, 1, t->hosts[i].start);
}

static int set_up(struct sim *sim)
{
    const struct trial_spec *t = sim->spec;
    int rc;
    tcp_net_init(&sim->tcp, &wire_io, t->tcp ? t->tcp : &tcp_linux, &sim->faults);
    sim->hash = XXH3_createState();
    if (!sim->hash || XXH3_64bits_reset(sim->hash) != XXH_OK)
        return ERR_NOMEM;
    sim->fate = (struct store_fate){.fail = sim->plan ? sim->plan->fail_store : 0,
                                    .die_before = sim->tuning.die_before,
                                    .die_after = sim->tuning.die_after,
                                    .died = store_died};
    rc = crowds_find(&sim->crowds, t->roster);
    if (rc == OK)
        rc = make_nodes(sim);
    if (rc == OK)
        rc = nat_init(&sim->nat, t->hosts, t->roster->entries, sim->n_nodes, sim->seed);
    if (rc == OK)
        rc = faults_init(&sim->faults, t->actions, t->n_actions);
    faults_fix(&sim->faults, t->links, t->n_links);
    if (rc == OK)
        rc = watch_init(sim);
    if (rc == OK)
        schedule(sim);
    return rc == OK ? sim->broken : rc;
}

static void tear_down(struct sim *sim)
{
    struct sim_event *e;
    uint64_t time;
    for (uint32_t i = 0; i < sim->n_nodes; i++)
        life_end(sim, &sim->nodes[i]);
    while ((e = queue_pop(&sim->queue, &time)))
        if (e->size_class == SLAB_BIG)
            slab_give(&sim->slab, e, e->size_class);
    while (sim->tcp.live)
        wire_forget(sim, sim->tcp.live->user);
    tcp_net_free(&sim->tcp);
    queue_free(&sim->queue);
    slab_free(&sim->slab);
    watch_free(sim);
    faults_free(&sim->faults);
    paths_free(&sim->paths);
    map_free(&sim->pairs_by_nodes);
    free(sim->pairs);
    nat_free(&sim->nat);
    crowds_free(&sim->crowds);
    pages_give(sim->nodes);
    free(sim->by_ip);
    XXH3_freeState(sim->hash);
}

/* ---- the loop ------------------------------------------------------------------------- */

/* What is not for a link. */
static void happen(struct sim *sim, struct sim_event *e)
{
    struct sim_node *n = e->at.node;
    switch (e->kind) {
    case SIM_START:
        if (n->incarnations == 0 || e->number == 0)
            life_start(sim, n);
        break;
    case SIM_CRASH:
        life_crash(sim, &sim->nodes[e->at.action->node], e->at.action);
        break;
    case SIM_WAKE:
        if (e->life == n->life)
            life_wake(sim, n);
        break;
    case SIM_BEGIN:
        life_begin(sim, e->at.action);
        break;
    case SIM_END:
        life_over(sim, e->at.action);
        break;
    default:
        break;
    }
    sim_event_free(sim, e);
}

static void handle(struct sim *sim, struct sim_event *e)
{
    if (e->kind >= SIM_SYN) {
        if (e->staged)
            wire_stage(sim, e);
        else
            stream_event(sim, e);
    } else if (e->kind == SIM_TIMER || e->kind == SIM_GO) {
        if (e->life == e->at.node->life)
            life_offer(sim, e);
        else
            sim_event_free(sim, e);
    } else if (e->kind == SIM_DATAGRAM) {
        datagram_event(sim, e);
    } else {
        happen(sim, e);
    }
}

/* What fewer hosts touch stays in a cache anyway. */
enum { MANY_HOSTS = 2048 };

static void loop(struct sim *sim)
{
    ns_t limit = sim->spec->limit;
    uint64_t runs = 0;
    bool many = sim->n_nodes > MANY_HOSTS;
    while (!sim->broken && sim->n_done < sim->n_parties) {
        uint64_t time;
        struct sim_event *e = queue_pop(&sim->queue, &time);
        if (!e) {
            sim->broken = sim->queue.broken ? ERR_NOMEM : OK;
            break;
        }
        if ((ns_t)time > limit) {
            sim->result->timed_out = true;
            sim->now = limit;
            sim_event_free(sim, e);
            break;
        }
        sim->now = (ns_t)time;
        if (many && runs != sim->queue.runs)
            ahead_around(&sim->queue);
        runs = sim->queue.runs;
        if (many)
            ahead_look(&sim->queue);
        handle(sim, e);
    }
}

/* Never inlined: tests/bench/gate counts what happens in it. */
__attribute__((noinline)) int sim_run(const struct trial_spec *t, uint64_t seed,
                                      const struct fault_plan *plan, const struct trace *trace,
                                      const struct sim_tuning *tuning, struct trial_result *result,
                                      struct err *err)
{
    struct sim *sim = calloc(1, sizeof *sim);
    int rc;
    memset(result, 0, sizeof *result);
    if (!sim)
        return err_set(err, ERR_NOMEM, "no memory for a simulation");
    metrics_init(&result->metrics);
    *sim = (struct sim){.spec = t,
                        .seed = seed,
                        .plan = plan,
                        .trace = trace ? trace->out : NULL,
                        .tap = trace && trace->packet ? trace : NULL,
                        .log = trace && trace->events ? trace : NULL,
                        .layers = trace && trace->layer ? trace : NULL,
                        .recorder = trace && trace->sighting ? trace : NULL,
                        .tuning = *tuning,
                        .result = result,
                        .metrics = &result->metrics,
                        .err = err};
    if (err)
        err->code = OK;
    rc = set_up(sim);
    if (rc == OK) {
        loop(sim);
        rc = sim->broken;
    }
    if (rc == OK) {
        life_digest_flush(sim);
        result->digest = XXH3_64bits_digest(sim->hash);
        result->ended = sim->now;
        result->faults_fired += sim->fate.fired;
        rc = report_outcomes(sim);
    }
    if (rc == OK)
        rc = watch_score(sim);
    tear_down(sim);
    free(sim);
    if (rc != OK) {
        if (err && err->code == OK)
            err_set(err, rc, "the simulation broke: %s", err_name(rc));
        trial_result_free(result, t->roster->n_parties);
    }
    return rc;
}

static int run(const struct trial_spec *t, uint64_t seed, const struct fault_plan *plan,
               const struct trace *trace, struct trial_result *result, struct err *err)
{
    return sim_run(t, seed, plan, trace, &sim_defaults, result, err);
}

/* Every cell that resolves can run here. */
static int check(const struct trial_spec *t, void (*say)(void *, int line, const char *), void *ctx)
{
    (void)t;
    (void)say;
    (void)ctx;
    return OK;
}

const struct world world_sim = {
    .name = "sim",
    .help = "one thread, virtual nanoseconds, the same bytes on every machine",
    .deterministic = true,
    .handover = true,
    .check = check,
    .run = run,
};
