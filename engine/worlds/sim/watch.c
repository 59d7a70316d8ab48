#include "engine/worlds/sim/inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static party_t owner(const void *world, const struct addr *a)
{
    const struct sim_node *n = translate_owner(world, a);
    return n ? n->id : PARTY_NONE;
}

int watch_init(struct sim *sim)
{
    const struct trial_spec *t = sim->spec;
    struct sights_setup setup = {.observers = t->observers,
                                 .n_observers = t->n_observers,
                                 .roster = t->roster,
                                 .owner = owner,
                                 .world = sim,
                                 .seed = sim->seed};
    int rc;
    if (sim->recorder) {
        setup.record = sim->recorder->sighting;
        setup.recorded = sim->recorder->sighted;
        setup.record_ctx = sim->recorder->sights_ctx;
        setup.record_wants = sim->recorder->sights;
    }
    rc = sights_new(&sim->sights, &setup, sim->err);
    sim->wants = sights_wants(sim->sights);
    sim->tail = sim->wants & WANT_TRUTH ? sizeof sim->truth : 0;
    for (uint32_t i = 0; sim->tail && i < sim->n_nodes; i++)
        sim->nodes[i].env.truth = &sim->truth;
    sim->watching = sim->trace || sim->wants || t->n_actions;
    if (rc != OK)
        return rc;
    if (t->n_actions) {
        sim->awaited = calloc(t->n_actions, sizeof *sim->awaited);
        if (!sim->awaited)
            return ERR_NOMEM;
    }
    return OK;
}

void watch_free(struct sim *sim)
{
    sights_free(sim->sights);
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

static void see(struct sim *sim, const struct sighting *s)
{
    sights_see(sim->sights, s, sim->wants & WANT_TRUTH ? &sim->truth : NULL);
}

static void take_truth(struct sim *sim, const struct sim_event *ev)
{
    const uint8_t *data = NULL;
    sim->truth = (struct packet_truth){0};
    if (ev && ev->kind == SIM_DATA)
        data = ev->data;
    else if (ev && (ev->kind == SIM_DATAGRAM || ev->kind == SIM_FOUND))
        data = datagram_data(ev);
    if (data && sim->tail)
        memcpy(&sim->truth, data + ev->len, sizeof sim->truth);
}

static void see_event(struct sim *sim, const struct sim_node *n, const struct sim_event *why,
                      const struct event *ev)
{
    const struct sim_node *peer;
    struct sighting s = {.at = n->id, .when = sim->now, .beyond = PARTY_NONE};
    if (ev->kind != EV_UP && ev->kind != EV_DATA)
        return;
    peer = peer_of(sim, why, ev);
    if (ev->kind == EV_DATA && peer && sim->n_awaited)
        see_progress(sim, n->id, peer->id);
    if (!(sim->wants & WANT_NODE_IN) || ev->link_kind == LINK_HANDOVER || !peer)
        return;
    s.datagram = ev->link_kind == LINK_DATAGRAM;
    s.opens = ev->kind == EV_UP;
    s.packets = 1;
    s.bytes = (uint32_t)ev->len;
    s.from = s.datagram ? ev->peer : links_seen(sim, why->at.end->peer);
    s.to = links_local(why->at.end);
    see(sim, &s);
}

/* A party stamps what it sends by itself; a service sends on what came. */
void watch_event(struct sim *sim, const struct sim_node *n, const struct sim_event *why,
                 const struct event *ev)
{
    if (sim->trace)
        trace_event(sim, n, why, ev);
    if (sim->tail)
        take_truth(sim, why);
    see_event(sim, n, why, ev);
    if (sim->tail && n->id < sim->n_parties)
        sim->truth = (struct packet_truth){0};
}

void watch_show(struct sim *sim, const struct sim_node *n, const struct shown *shown)
{
    const struct sighting s = {
        .at = n->id, .when = sim->now, .beyond = PARTY_NONE, .visible = shown};
    see(sim, &s);
}

void watch_keep(struct sim *sim, const struct sim_node *n, const struct retained *kept)
{
    const struct sighting s = {.at = n->id, .when = sim->now, .beyond = PARTY_NONE, .kept = kept};
    see(sim, &s);
}

/* ---- packets on their way ------------------------------------------------------------- */

static void see_line(struct sim *sim, struct sighting s, const struct sim_node *at, bool out)
{
    if (!s.opens && !s.datagram && !(sim->wants & WANT_LINE))
        return;
    s.point = SIGHT_LINE;
    s.at = at->id;
    s.beyond = PARTY_NONE;
    s.out = out;
    see(sim, &s);
}

static void see_border(struct sim *sim, struct sighting s, const struct sim_node *from,
                       const struct sim_node *to)
{
    if (!(sim->wants & WANT_BORDER) || from->host.region == to->host.region)
        return;
    s.point = SIGHT_BORDER;
    s.at = from->host.region;
    s.beyond = to->host.region;
    see(sim, &s);
}

/* Behind one NAT, what they send each other does not come to a line. */
static bool indoors(const struct sim *sim, const struct sim_node *a, const struct sim_node *b)
{
    return nat_inside(&sim->nat, a->id) && nat_inside(&sim->nat, b->id) &&
           nat_outermost(&sim->nat, a->id) == nat_outermost(&sim->nat, b->id);
}

static struct sighting of_stream(const struct sim *sim, const struct sim_end *from, uint32_t len)
{
    uint32_t payload = len ? wire_payload(from, len) : 0;
    uint32_t packets = len ? tcp_segments(payload) : 1;
    return (struct sighting){
        .when = sim->now,
        .opens = len == 0,
        .bytes = len ? payload + packets * TCP_HEADERS : TCP_SYN_BYTES,
        .packets = packets,
        .from = links_seen(sim, from),
        .to = links_seen(sim, from->peer),
    };
}

static bool on_wire(const struct sim *sim, const struct sim_end *end)
{
    return sim->wants & WANT_WIRE && wire_is_below(end) && !end->neighbours;
}

void watch_dial(struct sim *sim, const struct sim_end *end)
{
    sim->truth = (struct packet_truth){0};
    if (on_wire(sim, end)) {
        struct sighting s = of_stream(sim, end, 0);
        s.when = end->node->env.now + end->node->env.spent;
        see_line(sim, s, end->node, true);
    }
}

void watch_send(struct sim *sim, const struct sim_end *end, size_t len)
{
    const struct sim_node *n = end->node;
    struct sighting s = {.at = n->id,
                         .when = n->env.now + n->env.spent,
                         .beyond = PARTY_NONE,
                         .out = true,
                         .packets = 1,
                         .bytes = (uint32_t)len};
    if (sim->wants & WANT_NODE_OUT && wire_is_below(end)) {
        s.from = links_local(end);
        s.to = links_seen(sim, end->peer);
        see(sim, &s);
    }
    if (sim->wants & WANT_LINE && on_wire(sim, end)) {
        s = of_stream(sim, end, (uint32_t)len);
        s.when = n->env.now + n->env.spent;
        see_line(sim, s, n, true);
    }
}

void watch_come(struct sim *sim, const struct sim_event *ev)
{
    const struct sim_end *end = ev->at.end;
    struct sighting s;
    if (!on_wire(sim, end) || (ev->kind == SIM_DATA && !(sim->wants & (WANT_LINE | WANT_BORDER))))
        return;
    take_truth(sim, ev);
    s = of_stream(sim, end->peer, ev->kind == SIM_DATA ? ev->len : 0);
    see_border(sim, s, end->peer->node, end->node);
    see_line(sim, s, end->node, false);
}

void watch_send_to(struct sim *sim, const struct sim_end *end, const struct addr *seen,
                   const struct addr *to, const struct sim_node *target, size_t len)
{
    const struct sim_node *n = end->node;
    struct sighting s = {.at = n->id,
                         .when = n->env.now + n->env.spent,
                         .beyond = PARTY_NONE,
                         .out = true,
                         .datagram = true,
                         .packets = 1,
                         .bytes = (uint32_t)len,
                         .from = links_local(end),
                         .to = *to};
    if (sim->wants & WANT_NODE_OUT)
        see(sim, &s);
    if (sim->wants & WANT_WIRE && !(target && indoors(sim, n, target))) {
        s.bytes += UDP_HEADERS;
        s.from = *seen;
        see_line(sim, s, n, true);
    }
}

void watch_come_from(struct sim *sim, const struct sim_event *ev, const struct sim_node *from,
                     const struct sim_node *to, const struct addr *seen, const struct addr *at)
{
    const struct sighting s = {.when = sim->now,
                               .datagram = true,
                               .packets = 1,
                               .bytes = ev->len + UDP_HEADERS,
                               .from = *seen,
                               .to = *at};
    if (!(sim->wants & WANT_WIRE) || indoors(sim, from, to))
        return;
    take_truth(sim, ev);
    see_border(sim, s, from, to);
    see_line(sim, s, to, false);
}

int watch_score(struct sim *sim)
{
    struct trial_result *r = sim->result;
    struct sights_found found;
    int rc = sights_end(sim->sights, sim->now, &found);
    if (rc != OK)
        return rc;
    r->exposures = found.exposures;
    r->n_exposures = found.n_exposures;
    r->findings = found.findings;
    r->n_findings = found.n_findings;
    r->invalid = found.invalid;
    return OK;
}
