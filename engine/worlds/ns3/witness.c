#include "engine/worlds/ns3/inner.h"

#include "engine/base/bytes.h"

#include <inttypes.h>

int witness_init(struct ns3 *w)
{
    const struct trial_spec *t = w->spec;
    w->awaited = calloc(t->n_actions + 1, sizeof *w->awaited);
    w->observers = calloc(t->n_observers + 1, sizeof *w->observers);
    if (!w->awaited || !w->observers)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_observers; i++) {
        const struct observer_spec *o = &t->observers[i];
        void *state = calloc(1, o->ops->size ? o->ops->size : 1);
        int rc = state ? o->ops->init(state, o->opts, w->n_nodes) : ERR_NOMEM;
        if (rc != OK) {
            free(state);
            return rc;
        }
        w->observers[i] = state;
    }
    return OK;
}

void witness_free(struct ns3 *w)
{
    const struct trial_spec *t = w->spec;
    for (size_t i = 0; w->observers && i < t->n_observers; i++) {
        if (w->observers[i] && t->observers[i].ops->free)
            t->observers[i].ops->free(w->observers[i]);
        free(w->observers[i]);
    }
    free(w->observers);
    free(w->awaited);
}

void witness_digest(struct ns3 *w, const struct ns3_node *n, const struct event *ev, uint64_t size)
{
    uint8_t record[32];
    put_le64(record, (uint64_t)w->now);
    put_le64(record + 8, (uint64_t)n->id << 32 | ev->link);
    put_le64(record + 16, (uint64_t)ev->kind);
    put_le64(record + 24, size);
    XXH3_64bits_update(w->hash, record, sizeof record);
}

/* ---- the trace ------------------------------------------------------------------------ */

static const char *name_of(const struct ns3 *w, uint32_t id)
{
    return id < w->n_nodes ? w->spec->roster->entries[id].name : "-";
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

/* Whose the other side is. */
static uint32_t peer_of(const struct ns3 *w, const struct ns3_end *end, const struct event *ev)
{
    const struct ns3_node *n;
    if (end->kind != LINK_DATAGRAM)
        return end->to;
    n = address_owner(w, &ev->peer);
    return n ? n->id : PARTY_NONE;
}

static void trace_event(struct ns3 *w, const struct ns3_node *n, const struct ns3_end *end,
                        ns_t sent, const struct event *ev)
{
    static const char *const names[] = {"start", "go", "timer", "up", "data", "room", "down"};
    static const char *const reasons[] = {
#define X(name, text) text,
        DOWN_REASONS(X)
#undef X
    };
    FILE *out = w->trace;
    fprintf(out, "%" PRId64 " %s %s", w->now, name_of(w, n->id), names[ev->kind]);
    if (ev->kind == EV_TIMER)
        fprintf(out, " %u", ev->timer);
    if (ev->kind >= EV_UP)
        fprintf(out, " %" PRIu32 " %s", ev->link, name_of(w, peer_of(w, end, ev)));
    if (ev->kind == EV_UP) {
        fputc(' ', out);
        print_address(out, &ev->peer);
    } else if (ev->kind == EV_DATA) {
        fprintf(out, " %zu %" PRId64, ev->len, sent);
    } else if (ev->kind == EV_DOWN) {
        fprintf(out, " %s", reasons[ev->why]);
    }
    fputc('\n', out);
}

void witness_drop(struct ns3 *w, uint32_t from, uint32_t to, uint32_t bytes, enum drop drop)
{
    metrics_drop(w->metrics, drop);
    if (w->trace)
        fprintf(w->trace, "%" PRId64 " %s lost %s %" PRIu32 " %s\n", w->now, name_of(w, from),
                name_of(w, to), bytes, drop_infos[drop].name);
}

void witness_world(struct ns3 *w, const struct ns3_node *n, const char *what)
{
    if (w->trace)
        fprintf(w->trace, "%" PRId64 " %s %s\n", w->now, n ? name_of(w, n->id) : "-", what);
}

/* ---- recovery ------------------------------------------------------------------------- */

static bool touches(const struct action *a, uint32_t x, uint32_t y)
{
    if (a->kind == ACT_CRASH || a->kind == ACT_PAUSE)
        return a->node == x || a->node == y;
    return faults_touch(a, x, y);
}

static void see_progress(struct ns3 *w, uint32_t x, uint32_t y)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n_awaited; i++) {
        struct ns3_fault *f = &w->awaited[i];
        if (f->over && touches(f->action, x, y))
            metrics_add(w->metrics, METRIC_RECOVERY, w->now - f->action->at);
        else
            w->awaited[kept++] = *f;
    }
    w->n_awaited = kept;
}

static void await(struct ns3 *w, const struct action *a, bool over)
{
    w->awaited[w->n_awaited++] = (struct ns3_fault){.action = a, .over = over};
}

void witness_fault_over(struct ns3 *w, const struct action *a)
{
    witness_world(w, NULL, "heal");
    await(w, a, true);
}

void witness_crash(struct ns3 *w, const struct ns3_node *n, const struct action *a)
{
    witness_world(w, n, "crash");
    if (a)
        await(w, a, false);
}

void witness_restart(struct ns3 *w, const struct ns3_node *n)
{
    witness_world(w, n, "restart");
    for (size_t i = 0; i < w->n_awaited; i++)
        if (w->awaited[i].action->kind == ACT_CRASH && w->awaited[i].action->node == n->id)
            w->awaited[i].over = true;
}

/* ---- observers ------------------------------------------------------------------------ */

static void sight(struct ns3 *w, const struct sighting *s)
{
    for (size_t i = 0; i < w->spec->n_observers; i++)
        w->spec->observers[i].ops->see(w->observers[i], s);
}

void witness_event(struct ns3 *w, const struct ns3_node *n, const struct ns3_end *end, ns_t sent,
                   const struct event *ev)
{
    struct sighting s = {.at = n->id, .when = w->now, .bytes = (uint32_t)ev->len};
    uint32_t peer;
    if (w->trace)
        trace_event(w, n, end, sent, ev);
    if (ev->kind != EV_UP && ev->kind != EV_DATA)
        return;
    peer = peer_of(w, end, ev);
    if (peer == PARTY_NONE)
        return;
    if (ev->kind == EV_DATA && w->n_awaited)
        see_progress(w, n->id, peer);
    s.peer = end->kind == LINK_DATAGRAM ? ev->peer : end->remote;
    sight(w, &s);
}

void witness_show(struct ns3 *w, const struct ns3_node *n, const struct shown *shown)
{
    struct sighting s = {.at = n->id, .when = w->now, .shown = shown, .peer = shown->addr};
    sight(w, &s);
}

static party_t owner(const void *world, const struct addr *a)
{
    const struct ns3_node *n = address_owner(world, a);
    return n ? n->id : PARTY_NONE;
}

static void add_row(void *ctx, const struct exposure *row)
{
    struct ns3 *w = ctx;
    struct trial_result *r = w->result;
    if (r->n_exposures == w->exposures_cap) {
        size_t cap = w->exposures_cap ? 2 * w->exposures_cap : 64;
        struct exposure *rows = realloc(r->exposures, cap * sizeof *rows);
        if (!rows) {
            w->broken = ERR_NOMEM;
            return;
        }
        r->exposures = rows;
        w->exposures_cap = cap;
    }
    r->exposures[r->n_exposures++] = *row;
}

int witness_score(struct ns3 *w)
{
    const struct truth truth = {.roster = w->spec->roster, .owner = owner, .world = w};
    for (size_t i = 0; i < w->spec->n_observers; i++)
        w->spec->observers[i].ops->score(w->observers[i], &truth, add_row, w);
    return w->broken;
}
