#include "engine/worlds/result/lookout.h"

#include "engine/worlds/link/faults.h"
#include "engine/worlds/link/tcp.h"
#include "engine/worlds/link/udp.h"

#include <inttypes.h>
#include <stdlib.h>

int lookout_init(struct lookout *l, party_t (*owner)(const void *, const struct addr *),
                 const void *world, uint64_t seed, const struct trace *recorder, struct err *err)
{
    const struct trial_spec *t = l->spec;
    struct sights_setup setup = {.observers = t->observers,
                                 .n_observers = t->n_observers,
                                 .roster = t->roster,
                                 .owner = owner,
                                 .world = world,
                                 .seed = seed};
    int rc;
    if (recorder) {
        setup.record = recorder->sighting;
        setup.recorded = recorder->sighted;
        setup.record_ctx = recorder->sights_ctx;
        setup.record_wants = recorder->sights;
    }
    rc = sights_new(&l->sights, &setup, err);
    l->wants = sights_wants(l->sights);
    if (rc == OK && t->n_actions && !(l->awaited = calloc(t->n_actions, sizeof *l->awaited)))
        rc = ERR_NOMEM;
    return rc;
}

void lookout_free(struct lookout *l)
{
    sights_free(l->sights);
    free(l->awaited);
}

int lookout_score(struct lookout *l, ns_t now)
{
    struct trial_result *r = l->result;
    struct sights_found found;
    int rc = sights_end(l->sights, now, &found);
    if (rc != OK)
        return rc;
    r->exposures = found.exposures;
    r->n_exposures = found.n_exposures;
    r->findings = found.findings;
    r->n_findings = found.n_findings;
    r->invalid = found.invalid;
    return OK;
}

/* ---- the trace ------------------------------------------------------------------------ */

static const char *name_of(const struct lookout *l, party_t id)
{
    return id < l->spec->roster->n ? l->spec->roster->entries[id].name : "-";
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

void lookout_event(const struct lookout *l, ns_t now, party_t at, const struct event *ev,
                   party_t peer, ns_t sent)
{
    static const char *const names[] = {"start", "go", "timer", "up", "data", "room", "down"};
    static const char *const reasons[] = {
#define X(name, text) text,
        DOWN_REASONS(X)
#undef X
    };
    FILE *out = l->trace;
    if (!out)
        return;
    fprintf(out, "%" PRId64 " %s %s", now, name_of(l, at), names[ev->kind]);
    if (ev->kind == EV_TIMER)
        fprintf(out, " %u", ev->timer);
    if (ev->kind >= EV_UP)
        fprintf(out, " %" PRIu32 " %s", ev->link, name_of(l, peer));
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

void lookout_world(const struct lookout *l, ns_t now, party_t at, const char *what)
{
    if (l->trace)
        fprintf(l->trace, "%" PRId64 " %s %s\n", now, name_of(l, at), what);
}

void lookout_drop(const struct lookout *l, ns_t now, party_t from, party_t to, uint32_t bytes,
                  enum drop drop)
{
    metrics_drop(&l->result->metrics, drop);
    if (l->trace)
        fprintf(l->trace, "%" PRId64 " %s lost %s %" PRIu32 " %s\n", now, name_of(l, from),
                name_of(l, to), bytes, drop_infos[drop].name);
}

/* ---- recovery ------------------------------------------------------------------------- */

static bool touches(const struct action *a, party_t x, party_t y)
{
    if (a->kind == ACT_CRASH || a->kind == ACT_PAUSE)
        return a->node == x || a->node == y;
    return faults_touch(a, x, y);
}

void lookout_progress(struct lookout *l, ns_t now, party_t x, party_t y)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n_awaited; i++) {
        struct awaited *f = &l->awaited[i];
        if (f->over && touches(f->action, x, y))
            metrics_add(&l->result->metrics, METRIC_RECOVERY, now - f->action->at);
        else
            l->awaited[kept++] = *f;
    }
    l->n_awaited = kept;
}

static void await(struct lookout *l, const struct action *a, bool over)
{
    l->awaited[l->n_awaited++] = (struct awaited){.action = a, .over = over};
}

void lookout_fault_over(struct lookout *l, ns_t now, const struct action *a)
{
    lookout_world(l, now, PARTY_NONE, "heal");
    await(l, a, true);
}

void lookout_crash(struct lookout *l, ns_t now, party_t at, const struct action *a)
{
    lookout_world(l, now, at, "crash");
    if (a)
        await(l, a, false);
}

void lookout_restart(struct lookout *l, ns_t now, party_t at)
{
    lookout_world(l, now, at, "restart");
    for (size_t i = 0; i < l->n_awaited; i++)
        if (l->awaited[i].action->kind == ACT_CRASH && l->awaited[i].action->node == at)
            l->awaited[i].over = true;
}

/* ---- observers ------------------------------------------------------------------------ */

void lookout_show(const struct lookout *l, ns_t now, party_t at, const struct shown *shown)
{
    const struct sighting s = {.at = at, .when = now, .beyond = PARTY_NONE, .visible = shown};
    if (l->wants & WANT_SHOWN)
        lookout_see(l, &s);
}

void lookout_keep(const struct lookout *l, ns_t now, party_t at, const struct retained *kept)
{
    const struct sighting s = {.at = at, .when = now, .beyond = PARTY_NONE, .kept = kept};
    if (l->wants & WANT_KEPT)
        lookout_see(l, &s);
}

struct sighting lookout_message(ns_t when, party_t at, bool out, bool datagram, size_t len)
{
    return (struct sighting){.at = at,
                             .when = when,
                             .beyond = PARTY_NONE,
                             .out = out,
                             .datagram = datagram,
                             .packets = 1,
                             .bytes = (uint32_t)len};
}

struct sighting lookout_segments(ns_t when, uint32_t payload)
{
    uint32_t packets = payload ? tcp_segments(payload) : 1;
    return (struct sighting){.when = when,
                             .opens = payload == 0,
                             .bytes = payload ? payload + packets * TCP_HEADERS : TCP_SYN_BYTES,
                             .packets = packets};
}

struct sighting lookout_datagram(ns_t when, uint32_t len)
{
    return (struct sighting){
        .when = when, .datagram = true, .packets = 1, .bytes = len + UDP_HEADERS};
}

void lookout_line(const struct lookout *l, struct sighting *s, party_t at, bool out)
{
    if (!s->opens && !s->datagram && !(l->wants & WANT_LINE))
        return;
    s->point = SIGHT_LINE;
    s->at = at;
    s->beyond = PARTY_NONE;
    s->out = out;
    lookout_see(l, s);
}

void lookout_arrival(const struct lookout *l, struct sighting *s, party_t from, party_t to)
{
    const uint32_t a = l->spec->hosts[from].region, b = l->spec->hosts[to].region;
    if (l->wants & WANT_BORDER && a != b) {
        s->point = SIGHT_BORDER;
        s->at = a;
        s->beyond = b;
        lookout_see(l, s);
    }
    lookout_line(l, s, to, false);
}

bool lookout_indoors(const struct lookout *l, party_t a, party_t b)
{
    return nat_inside(l->nat, a) && nat_inside(l->nat, b) &&
           nat_outermost(l->nat, a) == nat_outermost(l->nat, b);
}
