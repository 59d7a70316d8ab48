/* Flows in bulk (link/tcp_bulk.h): their news are events, their messages wait. */
#include "engine/worlds/sim/inner.h"

static struct tcp_bulk *bulk_of(struct sim *sim, struct sim_end *from)
{
    struct dice dice = dice_name(sim->seed, "acks", from->node->id, sim_conn_of(from)->number, 0);
    struct tcp_bulk *b =
        tcp_bulk_begin(&sim->tcp, &from->flow, &from->node->host, &sim_peer(from)->node->host,
                       sim_peer(from)->flow.path, dice);
    if (b)
        b->user = from;
    else
        sim->broken = ERR_NOMEM;
    return b;
}

void wire_adopt(struct sim *sim, struct sim_end *from, ns_t sent)
{
    if (bulk_of(sim, from))
        tcp_bulk_adopt(&from->flow, sent, from->flying, sim->now);
}

void wire_absorb(struct sim *sim, struct sim_event *ev, const struct link_train *train)
{
    struct tcp_flow *f = &sim_peer(ev->at.end)->flow;
    struct tcp_bulk *b = f->bulk;
    struct sim_event *before = b->parked_calm;
    uint32_t payload = wire_length(ev);
    ns_t sent = ev->sent;
    ev->why = 1;
    ev->staged = false;
    ev->next = before ? before->next : b->parked;
    if (before)
        before->next = ev;
    else
        b->parked = ev;
    if (!before)
        b->parked_from = b->calm->begin;
    if (!ev->next)
        b->parked_tail = ev;
    b->parked_calm = ev;
    tcp_bulk_absorb(f, sent, payload, train);
    if (sim->tcp.broken)
        sim->broken = ERR_NOMEM;
}

void wire_park(struct sim *sim, struct sim_end *from, struct sim_event *ev, ns_t at)
{
    struct tcp_flow *f = &from->flow;
    struct tcp_bulk *b = bulk_of(sim, from);
    ev->at.end = sim_peer(from);
    ev->at.end->refs++;
    ev->why = 1;
    ev->next = NULL;
    if (!b) {
        sim_event_free(sim, ev);
        return;
    }
    if (b->parked_tail)
        ((struct sim_event *)b->parked_tail)->next = ev;
    else
        b->parked = ev;
    b->parked_tail = ev;
    if (b->parked == ev)
        b->parked_from = b->end;
    tcp_bulk_write(f, at, wire_length(ev));
    if (sim->tcp.broken)
        sim->broken = ERR_NOMEM;
}

static struct sim_event *unpark(struct tcp_bulk *b)
{
    struct sim_event *ev = b->parked;
    b->parked = ev->next;
    if (!b->parked)
        b->parked_tail = NULL;
    if (b->parked_calm == ev)
        b->parked_calm = NULL;
    b->parked_from += wire_length(ev);
    return ev;
}

static struct sim_end *end_of(const struct tcp_flow *f)
{
    return f->bulk->user;
}

static struct sim_event *news(struct tcp_flow *f, enum sim_kind kind, size_t len, const void *data)
{
    struct sim_end *from = end_of(f);
    struct sim_event *ev = sim_event_new(from->node->sim, kind, len);
    if (!ev)
        return NULL;
    ev->at.end = from;
    if (len)
        memcpy(ev->data, data, len);
    return ev;
}

struct carried {
    struct tcp_run *run;
    struct link_train train;
};

static void carry(struct tcp_flow *f, struct tcp_run *run, const struct link_train *train)
{
    struct carried c = {run, *train};
    struct sim_event *ev = news(f, SIM_SEGMENTS, sizeof c, &c);
    if (ev)
        sim_push(end_of(f)->node->sim, train->first, ev);
}

static void answer(struct tcp_flow *f, const struct tcp_ack *ack, ns_t at)
{
    struct sim_event *ev = news(f, SIM_ACKED, sizeof *ack, ack);
    if (ev)
        sim_push(end_of(f)->node->sim, at, ev);
}

static void wake(struct tcp_flow *f, ns_t at)
{
    struct sim_event *ev = news(f, SIM_BULK, 0, NULL);
    if (ev)
        sim_push(end_of(f)->node->sim, at, ev);
}

static void reach(struct tcp_flow *f, uint64_t from, uint64_t to, uint32_t segments, ns_t first,
                  ns_t last)
{
    struct tcp_bulk *b = f->bulk;
    struct sim_end *end = sim_peer(end_of(f));
    struct sim *sim = end->node->sim;
    while (b->parked && b->parked_from + wire_length(b->parked) <= to) {
        struct sim_event *ev = unpark(b);
        uint64_t into = b->parked_from - 1 - from;
        uint32_t i = (uint32_t)(into / TCP_MSS);
        ns_t at = i + 1 < segments ? first + (last - first) / (ns_t)(segments - 1) * (ns_t)i : last;
        if (sim->tap && ev->kind != SIM_ACK)
            sim_counts_of(end)->arrived += wire_length(ev);
        ev->staged = false;
        ev->last = at;
        sim_push(sim, at, ev);
        links_unref(sim, end);
    }
}

static void count(struct tcp_flow *f, uint32_t bytes, uint32_t packets, bool again)
{
    struct sim_node *n = end_of(f)->node;
    wire_count(n, bytes, packets);
    if (again)
        metrics_count(n->sim->metrics, COUNT_RETRANSMITS, packets);
}

static void count_ack(struct tcp_flow *f, uint64_t next, ns_t at)
{
    struct sim_end *end = sim_peer(end_of(f));
    wire_count(end->node, TCP_HEADERS, 1);
    if (end->node->sim->tap)
        tap_ack(end->node->sim, end, next, at);
}

static void segment(struct tcp_flow *f, uint64_t begin, uint32_t bytes, ns_t left)
{
    struct sim_end *from = end_of(f);
    if (from->node->sim->tap)
        tap_segment(from->node->sim, from, begin, bytes, left);
}

static void drop(struct tcp_flow *f, uint32_t bytes, enum drop why, bool ack)
{
    struct sim_end *from = end_of(f);
    if (ack)
        from = sim_peer(from);
    watch_drop(from->node->sim, from->node, sim_peer(from)->node, bytes, why);
}

static void owes(struct tcp_flow *f, bool yes)
{
    sim_peer(end_of(f))->owes = yes;
}

static void leaves(struct tcp_flow *f, ns_t now)
{
    struct sim_end *from = end_of(f);
    if (from->owes)
        tcp_bulk_piggyback(&sim_peer(from)->flow, now);
}

static void give_up(struct tcp_flow *f)
{
    struct sim_end *from = end_of(f);
    wire_give_up(from->node->sim, from, from->node->sim->now);
    wire_stop(from->node->sim, from);
}

const struct tcp_io wire_io = {.carry = carry,
                               .answer = answer,
                               .wake = wake,
                               .reach = reach,
                               .count = count,
                               .count_ack = count_ack,
                               .segment = segment,
                               .drop = drop,
                               .owes = owes,
                               .leaves = leaves,
                               .give_up = give_up};

void wire_bulk(struct sim *sim, struct sim_event *ev)
{
    struct tcp_flow *f = &ev->at.end->flow;
    if (ev->kind == SIM_SEGMENTS) {
        struct carried c;
        memcpy(&c, ev->data, sizeof c);
        tcp_bulk_arrive(f, c.run, &c.train);
    } else if (ev->kind == SIM_ACKED) {
        struct tcp_ack ack;
        memcpy(&ack, ev->data, sizeof ack);
        tcp_bulk_acked(f, &ack, sim->now);
    } else {
        tcp_bulk_wake(f, sim->now);
    }
    if (sim->tcp.broken)
        sim->broken = ERR_NOMEM;
}

void wire_stop(struct sim *sim, struct sim_end *from)
{
    struct tcp_bulk *b = from->flow.bulk;
    if (!b)
        return;
    tcp_bulk_stop(&from->flow);
    while (b->parked) {
        struct sim_event *ev = unpark(b);
        if (ev->kind == SIM_DATA)
            watch_drop(sim, from->node, sim_peer(from)->node, ev->len, DROP_LINK_CLOSED);
        sim_event_free(sim, ev);
    }
}

void wire_forget(struct sim *sim, struct sim_end *from)
{
    struct tcp_bulk *b = from->flow.bulk;
    if (!b)
        return;
    while (b->parked) {
        struct sim_event *ev = unpark(b);
        slab_give(&sim->slab, ev, ev->size_class);
    }
    tcp_bulk_free(&from->flow);
}
