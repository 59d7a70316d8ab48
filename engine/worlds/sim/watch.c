#include "engine/worlds/sim/inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int watch_init(struct sim *sim)
{
    const struct trial_spec *t = sim->spec;
    sim->watching = sim->trace || t->n_observers || t->n_actions;
    if (t->n_actions) {
        sim->awaited = calloc(t->n_actions, sizeof *sim->awaited);
        if (!sim->awaited)
            return ERR_NOMEM;
    }
    if (t->n_observers == 0)
        return OK;
    sim->observers = calloc(t->n_observers, sizeof *sim->observers);
    if (!sim->observers)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_observers; i++) {
        const struct observer_spec *o = &t->observers[i];
        void *state = calloc(1, o->ops->size ? o->ops->size : 1);
        int rc = state ? o->ops->init(state, o->opts, sim->n_nodes) : ERR_NOMEM;
        if (rc != OK) {
            free(state);
            return rc;
        }
        sim->observers[i] = state;
    }
    return OK;
}

void watch_free(struct sim *sim)
{
    const struct trial_spec *t = sim->spec;
    for (size_t i = 0; sim->observers && i < t->n_observers; i++) {
        if (sim->observers[i] && t->observers[i].ops->free)
            t->observers[i].ops->free(sim->observers[i]);
        free(sim->observers[i]);
    }
    free(sim->observers);
    free(sim->awaited);
}

/* ---- the trace ------------------------------------------------------------------------ */

static const char *name_of(const struct sim *sim, const struct sim_node *n)
{
    return n ? sim->spec->roster->entries[n->id].name : "-";
}

static void print_address(FILE *out, const struct addr *a)
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *b = a->ip;
    if (memcmp(b, v4, sizeof v4) == 0) {
        fprintf(out, "%u.%u.%u.%u:%u", b[12], b[13], b[14], b[15], a->port);
        return;
    }
    for (int i = 0; i < 16; i += 2)
        fprintf(out, "%s%x", i ? ":" : "[", (unsigned)(b[i] << 8 | b[i + 1]));
    fprintf(out, "]:%u", a->port);
}

static const struct sim_node *peer_of(const struct sim *sim, const struct sim_event *why,
                                      const struct event *ev)
{
    if (why->kind == SIM_FOUND)
        return &sim->nodes[datagram_sender(why)];
    return why->at.end->kind == LINK_DATAGRAM ? translate_owner(sim, &ev->peer)
                                              : why->at.end->peer->node;
}

party_t watch_peer(const struct sim *sim, const struct sim_event *why, const struct event *ev)
{
    const struct sim_node *peer = ev->kind >= EV_UP ? peer_of(sim, why, ev) : NULL;
    return peer ? peer->id : PARTY_NONE;
}

static void trace_event(struct sim *sim, const struct sim_node *n, const struct sim_event *why,
                        const struct event *ev)
{
    static const char *const names[] = {"start", "go", "timer", "up", "data", "room", "down"};
    static const char *const reasons[] = {
#define X(name, text) text,
        DOWN_REASONS(X)
#undef X
    };
    FILE *out = sim->trace;
    fprintf(out, "%" PRId64 " %s %s", sim->now, name_of(sim, n), names[ev->kind]);
    if (ev->kind == EV_TIMER)
        fprintf(out, " %u", ev->timer);
    if (ev->kind >= EV_UP)
        fprintf(out, " %" PRIu32 " %s", ev->link, name_of(sim, peer_of(sim, why, ev)));
    if (ev->kind == EV_UP) {
        fputc(' ', out);
        print_address(out, &ev->peer);
    } else if (ev->kind == EV_DATA) {
        fprintf(out, " %zu %" PRId64, ev->len, why->sent);
    } else if (ev->kind == EV_DOWN) {
        fprintf(out, " %s", reasons[ev->why]);
    }
    fputc('\n', out);
}

void watch_drop(struct sim *sim, const struct sim_node *from, const struct sim_node *to,
                uint32_t bytes, enum drop drop)
{
    metrics_drop(sim->metrics, drop);
    if (sim->trace)
        fprintf(sim->trace, "%" PRId64 " %s lost %s %" PRIu32 " %s\n", sim->now, name_of(sim, from),
                name_of(sim, to), bytes, drop_infos[drop].name);
}

/* ---- recovery ------------------------------------------------------------------------- */

static void await(struct sim *sim, const struct action *a, bool over)
{
    sim->awaited[sim->n_awaited++] = (struct sim_fault){.action = a, .over = over};
}

static bool touches(const struct action *a, uint32_t x, uint32_t y)
{
    switch (a->kind) {
    case ACT_CRASH:
    case ACT_PAUSE:
        return a->node == x || a->node == y;
    default:
        return faults_touch(a, x, y);
    }
}

static void see_progress(struct sim *sim, uint32_t x, uint32_t y)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->n_awaited; i++) {
        struct sim_fault *f = &sim->awaited[i];
        if (f->over && touches(f->action, x, y))
            metrics_add(sim->metrics, METRIC_RECOVERY, sim->now - f->action->at);
        else
            sim->awaited[kept++] = *f;
    }
    sim->n_awaited = kept;
}

void watch_fault_over(struct sim *sim, const struct action *a)
{
    watch_world(sim, NULL, "heal");
    await(sim, a, true);
}

void watch_crash(struct sim *sim, const struct sim_node *n, const struct action *a)
{
    watch_world(sim, n, "crash");
    if (a)
        await(sim, a, false);
}

void watch_restart(struct sim *sim, const struct sim_node *n)
{
    watch_world(sim, n, "restart");
    for (size_t i = 0; i < sim->n_awaited; i++)
        if (sim->awaited[i].action->kind == ACT_CRASH && sim->awaited[i].action->node == n->id)
            sim->awaited[i].over = true;
}

void watch_world(struct sim *sim, const struct sim_node *n, const char *what)
{
    if (sim->trace)
        fprintf(sim->trace, "%" PRId64 " %s %s\n", sim->now, name_of(sim, n), what);
}

/* ---- observers ------------------------------------------------------------------------ */

static void sight(struct sim *sim, const struct sighting *s)
{
    for (size_t i = 0; i < sim->spec->n_observers; i++)
        sim->spec->observers[i].ops->see(sim->observers[i], s);
}

void watch_event(struct sim *sim, const struct sim_node *n, const struct sim_event *why,
                 const struct event *ev)
{
    const struct sim_node *peer;
    struct sighting s = {.at = n->id, .when = sim->now};
    if (sim->trace)
        trace_event(sim, n, why, ev);
    if (ev->kind != EV_UP && ev->kind != EV_DATA)
        return;
    peer = peer_of(sim, why, ev);
    if (ev->kind == EV_DATA && peer && sim->n_awaited)
        see_progress(sim, n->id, peer->id);
    if (!sim->spec->n_observers || ev->link_kind == LINK_HANDOVER || !peer)
        return;
    s.peer = ev->link_kind == LINK_DATAGRAM ? ev->peer : links_seen(sim, why->at.end->peer);
    s.bytes = (uint32_t)ev->len;
    sight(sim, &s);
}

void watch_show(struct sim *sim, const struct sim_node *n, const struct shown *shown)
{
    struct sighting s = {.at = n->id, .when = sim->now, .shown = shown, .peer = shown->addr};
    sight(sim, &s);
}

static party_t owner(const void *world, const struct addr *a)
{
    const struct sim_node *n = translate_owner(world, a);
    return n ? n->id : PARTY_NONE;
}

static void add_row(void *ctx, const struct exposure *row)
{
    struct sim *sim = ctx;
    struct trial_result *r = sim->result;
    if (r->n_exposures == sim->exposures_cap) {
        size_t cap = sim->exposures_cap ? 2 * sim->exposures_cap : 64;
        struct exposure *rows = realloc(r->exposures, cap * sizeof *rows);
        if (!rows) {
            sim->broken = ERR_NOMEM;
            return;
        }
        r->exposures = rows;
        sim->exposures_cap = cap;
    }
    r->exposures[r->n_exposures++] = *row;
}

int watch_score(struct sim *sim)
{
    const struct truth truth = {.roster = sim->spec->roster, .owner = owner, .world = sim};
    for (size_t i = 0; i < sim->spec->n_observers; i++)
        sim->spec->observers[i].ops->score(sim->observers[i], &truth, add_row, sim);
    return sim->broken;
}
