#include "engine/worlds/sim/inner.h"

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
    ev->at.end = sim_peer(from);
    ev->staged = from->stages;
    ev->last = train->last;
    sim_push(sim, ev->staged ? train->first : train->last, ev);
}

/* ---- the receiver's downlink ---------------------------------------------------------- */

/* Its node will be told of it soon: fetches what that touches first, while others go ahead. */
static void announce(const struct sim_event *ev)
{
    const struct sim_node *n = ev->at.end->node;
    fetch(sim_peer(ev->at.end), 1);
    fetch(n, 3);
    if (n->env.node)
        fetch(n->env.node, SIM_OWN_LINES);
}

/* The downlink's queue has no room, or had none for what came before: what TCP repeats goes on in
 * bulk, other packets are lost. */
static bool overflows(struct sim *sim, struct sim_event *ev, const struct link_train *train)
{
    struct sim_end *end = ev->at.end, *from = sim_peer(end);
    const struct link_host *host = &end->node->host;
    const struct access *a = host->access;
    bool repeated = ev->kind == SIM_DATA || ev->kind == SIM_ACK || ev->kind == SIM_FIN;
    bool full = link_full(sim->now, host->down_free, a->down_bps, a->queue_bytes, train->bytes);
    if (repeated && full && !tcp_bulk_absorbs(&from->flow))
        wire_adopt(sim, from, ev->sent);
    if (repeated)
        from->flying -= wire_length(ev);
    if (repeated && tcp_bulk_absorbs(&from->flow)) {
        wire_absorb(sim, ev, train);
        return true;
    }
    if (!full)
        return false;
    watch_drop(sim, from->node, end->node, train->bytes, DROP_QUEUE);
    if (!repeated)
        dial_lost(sim, ev);
    sim_event_free(sim, ev);
    return true;
}

void wire_stage(struct sim *sim, struct sim_event *ev)
{
    struct link_host *host = &ev->at.end->node->host;
    struct link_train train =
        ev->kind == SIM_DATA ? tcp_train(wire_payload(ev->at.end, ev->len)) : train_of(ev);
    train.first = sim->now;
    train.last = ev->last;
    if (host->access->queue_bytes && overflows(sim, ev, &train))
        return;
    link_pass(&train, host->access->down_bps, &host->down_free);
    ev->staged = false;
    if (sim_advance(sim, train.last)) {
        stream_event(sim, ev);
        return;
    }
    announce(ev);
    sim_push(sim, train.last, ev);
    links_unref(sim, ev->at.end); /* sim_push has taken one more */
}

/* ---- leaving -------------------------------------------------------------------------- */

static enum nat_flag flag_of(unsigned kind)
{
    switch (kind) {
    case SIM_SYN:
    case SIM_SYN_ACK:
        return NAT_SYN;
    case SIM_RST:
    case SIM_REFUSAL:
        return NAT_RST;
    default:
        return kind == SIM_FIN ? NAT_FIN : NAT_DATA;
    }
}

/* Without a network beneath. */
static void hand_over(struct sim *sim, struct sim_end *from, struct sim_event *ev, ns_t at)
{
    ev->at.end = sim_peer(from);
    sim_push(sim, at, ev);
}

bool wire_signal(struct sim *sim, struct sim_end *from, enum sim_kind kind, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, kind, 0);
    struct link_train train;
    enum drop drop;
    uint32_t bytes;
    if (!ev)
        return true;
    if (!wire_is_below(from)) {
        hand_over(sim, from, ev, at);
        return true;
    }
    bytes = train_of(ev).bytes;
    drop = tcp_signal(&from->flow, &sim->faults, &from->node->host, at, bytes, &train);
    wire_count(from->node, bytes, 1);
    if (sim->tap)
        tap_signal(sim, from, kind, at);
    if (drop == DROP_COUNT && sim->nat.n_boxes)
        drop = translate_stream(sim, from, flag_of(kind), at);
    if (drop == DROP_COUNT) {
        dispatch(sim, from, ev, &train);
        return true;
    }
    watch_drop(sim, from->node, sim_peer(from)->node, bytes, drop);
    sim_event_free(sim, ev);
    return false;
}

/* ---- payload -------------------------------------------------------------------------- */

/* Do the NATs let it through? A mapping that is gone does not come back. */
static bool passes(struct sim *sim, struct sim_end *from, const struct sim_event *ev, ns_t at,
                   uint32_t payload)
{
    enum drop drop = translate_stream(sim, from, flag_of(ev->kind), at);
    if (drop == DROP_COUNT)
        return true;
    watch_drop(sim, from->node, sim_peer(from)->node, payload, drop);
    wire_give_up(sim, from, at + TCP_GIVE_UP);
    return false;
}

void wire_deliver(struct sim *sim, struct sim_end *from, struct sim_event *ev, ns_t at,
                  uint32_t payload)
{
    struct link_train train;
    ns_t free = from->node->host.up_free;
    ev->sent = at;
    ev->why = 0;
    if (!wire_is_below(from)) {
        hand_over(sim, from, ev, at);
        return;
    }
    if (from->severed || (sim->nat.n_boxes && !passes(sim, from, ev, at, payload))) {
        if (from->severed)
            wire_come_back(sim, from, at, payload);
        sim_event_free(sim, ev);
        return;
    }
    if (!tcp_send(&from->flow, sim->tcp.spec, &sim->faults, &from->node->host, at, payload,
                  &train)) {
        if (sim->tap)
            sim_counts_of(from)->written += payload;
        wire_park(sim, from, ev, at);
        return;
    }
    if (sim->tap)
        tap_sent(sim, from, ev, free, payload);
    wire_count(from->node, train.bytes, tcp_segments(payload));
    if (from->owes)
        tcp_bulk_piggyback(&sim_peer(from)->flow, at);
    dispatch(sim, from, ev, &train);
    from->flying += wire_length(ev);
}
