#include "engine/worlds/ns3/inner.h"

#include "engine/base/bytes.h"
#include "engine/worlds/link/tcp.h"
#include "engine/worlds/link/udp.h"

#include <inttypes.h>

static party_t owner(const void *world, const struct addr *a)
{
    const struct ns3_node *n = address_owner(world, a);
    return n ? n->id : PARTY_NONE;
}

int witness_init(struct ns3 *w)
{
    const struct trial_spec *t = w->spec;
    const struct sights_setup setup = {.observers = t->observers,
                                       .n_observers = t->n_observers,
                                       .roster = t->roster,
                                       .owner = owner,
                                       .world = w,
                                       .seed = w->seed};
    int rc = sights_new(&w->sights, &setup, w->err);
    w->wants = sights_wants(w->sights);
    w->awaited = calloc(t->n_actions + 1, sizeof *w->awaited);
    return rc == OK && !w->awaited ? ERR_NOMEM : rc;
}

void witness_free(struct ns3 *w)
{
    sights_free(w->sights);
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

/* What a node gets or sends, at its access line: a message of a stream when it is whole. */
static void see_line(struct ns3 *w, struct sighting s, enum link_kind kind)
{
    if (!(w->wants & WANT_LINE) && !(w->wants & WANT_LINE_OPENS && (s.opens || s.datagram)))
        return;
    s.point = SIGHT_LINE;
    if (s.opens) {
        s.bytes = TCP_SYN_BYTES;
    } else if (s.datagram) {
        s.bytes += UDP_HEADERS;
    } else {
        s.bytes += kind == LINK_MESSAGE ? LINK_FRAME : 0;
        s.packets = tcp_segments(s.bytes);
        s.bytes += s.packets * TCP_HEADERS;
    }
    sights_see(w->sights, &s, NULL);
}

void witness_event(struct ns3 *w, const struct ns3_node *n, const struct ns3_end *end, ns_t sent,
                   const struct event *ev)
{
    struct sighting s = {.at = n->id,
                         .when = w->now,
                         .beyond = PARTY_NONE,
                         .packets = 1,
                         .bytes = (uint32_t)ev->len};
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
    s.datagram = end->kind == LINK_DATAGRAM;
    s.opens = ev->kind == EV_UP;
    s.from = s.datagram ? ev->peer : end->remote;
    s.to = end->local;
    if (w->wants & WANT_NODE_IN)
        sights_see(w->sights, &s, NULL);
    if (s.opens && s.datagram)
        return; /* nothing was sent for that */
    if (s.opens && end->dialled) {
        s.from = end->local;
        s.to = end->remote;
        s.out = true;
    }
    see_line(w, s, end->kind);
}

void witness_send(struct ns3 *w, const struct ns3_node *n, const struct ns3_end *end,
                  const struct addr *to, size_t len)
{
    const struct sighting s = {.at = n->id,
                               .when = n->env.now + n->env.spent,
                               .beyond = PARTY_NONE,
                               .out = true,
                               .datagram = to != NULL,
                               .packets = 1,
                               .bytes = (uint32_t)len,
                               .from = end->local,
                               .to = to ? *to : end->remote};
    if (w->wants & WANT_NODE_OUT)
        sights_see(w->sights, &s, NULL);
    see_line(w, s, end->kind);
}

void witness_keep(struct ns3 *w, const struct ns3_node *n, const struct retained *kept)
{
    const struct sighting s = {.at = n->id, .when = w->now, .beyond = PARTY_NONE, .kept = kept};
    if (w->wants & WANT_KEPT)
        sights_see(w->sights, &s, NULL);
}

void witness_show(struct ns3 *w, const struct ns3_node *n, const struct shown *shown)
{
    const struct sighting s = {.at = n->id, .when = w->now, .beyond = PARTY_NONE, .visible = shown};
    if (w->sights)
        sights_see(w->sights, &s, NULL);
}

int witness_score(struct ns3 *w)
{
    struct trial_result *r = w->result;
    struct sights_found found;
    int rc = sights_end(w->sights, w->now, &found);
    if (rc != OK)
        return rc;
    r->exposures = found.exposures;
    r->n_exposures = found.n_exposures;
    r->findings = found.findings;
    r->n_findings = found.n_findings;
    r->invalid = found.invalid;
    return OK;
}
