#include "engine/worlds/sim/inner.h"

void wire_count(struct sim_node *n, uint32_t bytes, uint32_t packets)
{
    n->wire_bytes += bytes;
    n->wire_packets += packets;
}

uint32_t wire_payload(const struct sim_end *end, uint32_t len)
{
    return end->kind == LINK_MESSAGE ? len + LINK_FRAME : len;
}

static struct link_train train_of(const struct sim_event *ev)
{
    uint32_t bytes = ev->kind == SIM_SYN || ev->kind == SIM_SYN_ACK ? TCP_SYN_BYTES : TCP_RST_BYTES;
    switch (ev->kind) {
    case SIM_DATA:
        return tcp_train(wire_payload(ev->at.end, ev->len));
    case SIM_ACK:
    case SIM_FIN:
        return tcp_train(0);
    default:
        return (struct link_train){.bytes = bytes, .head = bytes, .tail = bytes};
    }
}

/* The event travels to the other end. */
static void dispatch(struct sim *sim, struct sim_end *from, struct sim_event *ev,
                     const struct link_train *train)
{
    ev->at.end = from->peer;
    ev->staged = from->stages;
    ev->last = train->last;
    sim_push(sim, ev->staged ? train->first : train->last, ev);
}

/* Its node will be told of it soon: fetches what that touches first, while others go ahead. */
static void announce(const struct sim_event *ev)
{
    enum { LINE = 64, LINES = 8 };
    const struct sim_node *n = ev->at.end->node;
    const char *node = n->env.node;
    __builtin_prefetch(ev->data + LINE);
    __builtin_prefetch(ev->at.end->peer);
    __builtin_prefetch(&ev->at.end->flow.dice);
    __builtin_prefetch(n);
    __builtin_prefetch(n->slots);
    for (int i = 0; node && i < LINES; i++)
        __builtin_prefetch(node + (ptrdiff_t)i * LINE);
}

void wire_stage(struct sim *sim, struct sim_event *ev)
{
    struct link_host *host = &ev->at.end->node->host;
    struct link_train train = train_of(ev);
    train.first = sim->now;
    train.last = ev->last;
    link_pass(&train, host->access->down_bps, &host->down_free);
    ev->staged = false;
    announce(ev);
    sim_push(sim, train.last, ev);
    links_unref(sim, ev->at.end); /* sim_push has taken one more */
}

/* Without a network beneath. */
static void hand_over(struct sim *sim, struct sim_end *from, struct sim_event *ev, ns_t at)
{
    ev->at.end = from->peer;
    sim_push(sim, at, ev);
}

bool wire_signal(struct sim *sim, struct sim_end *from, enum sim_kind kind, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, kind, 0);
    struct tcp_sent sent;
    enum drop drop;
    uint32_t bytes;
    if (!ev)
        return true;
    if (!wire_is_below(from)) {
        hand_over(sim, from, ev, at);
        return true;
    }
    bytes = train_of(ev).bytes;
    drop = tcp_signal(&from->flow, &sim->faults, &from->node->host, at, bytes, &sent);
    wire_count(from->node, sent.bytes, sent.packets);
    if (sim->tap)
        tap_signal(sim, from, kind, at);
    if (drop == DROP_COUNT && kind == SIM_SYN && nat_inside(&sim->nat, from->peer->node->id))
        drop = DROP_NAT_FILTERED;
    if (drop == DROP_COUNT) {
        dispatch(sim, from, ev, &sent.train);
        return true;
    }
    watch_drop(sim, from->node, from->peer->node, bytes, drop);
    sim_event_free(sim, ev);
    return false;
}

static void give_up_at(struct sim *sim, struct sim_end *end, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, SIM_GIVE_UP, 0);
    if (!ev)
        return;
    ev->at.end = end;
    sim_push(sim, at, ev);
    end->dead = true;
}

void wire_deliver(struct sim *sim, struct sim_end *from, struct sim_event *ev, ns_t at,
                  uint32_t payload)
{
    struct tcp_sent sent;
    struct tap tap;
    ev->sent = at;
    if (!wire_is_below(from)) {
        hand_over(sim, from, ev, at);
        return;
    }
    if (sim->tap)
        tap_begin(&tap, sim, from, ev, payload);
    tcp_send(&from->flow, &sim->faults, &from->node->host, at, payload, &sent);
    if (sim->tap)
        tap_end(&tap, from);
    wire_count(from->node, sent.bytes, sent.packets);
    if (sent.resent)
        metrics_count(sim->metrics, COUNT_RETRANSMITS, sent.resent);
    for (uint32_t i = 0; i < sent.lost; i++)
        watch_drop(sim, from->node, from->peer->node, sent.train.head, DROP_LOSS);
    for (uint32_t i = 0; i < sent.cut; i++)
        watch_drop(sim, from->node, from->peer->node, sent.train.head, DROP_PARTITION);
    if (sent.gives_up) {
        sim_event_free(sim, ev);
        give_up_at(sim, from, sent.gives_up);
    } else {
        dispatch(sim, from, ev, &sent.train);
    }
}
