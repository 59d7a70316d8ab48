#include "engine/worlds/sim/inner.h"

#include "engine/node.h"

/* ---- opening -------------------------------------------------------------------------- */

static bool listens(const struct sim_node *n, uint16_t port, uint8_t kind)
{
    if (!n->alive)
        return false;
    for (const struct accept *a = node_accepts(n->sim->spec, n->id); a && a->port; a++)
        if (a->port == port && a->kind == kind)
            return true;
    return false;
}

/* This end goes down, for a reason that its own host knows. */
static void down(struct sim *sim, struct sim_end *end, enum down_reason why, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, SIM_DOWN, 0);
    if (!ev)
        return;
    ev->at.end = end;
    ev->why = (uint8_t)why;
    sim_push(sim, at, ev);
}

static void reset_peer(struct sim *sim, struct sim_end *end)
{
    end->told = wire_signal(sim, end, SIM_RST, sim->now);
}

/* SYN or SYN-ACK again. */
static void repeat(struct sim *sim, struct sim_end *end, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, SIM_CONNECT, 0);
    if (!ev)
        return;
    ev->at.end = end;
    end->timed = true;
    sim_push(sim, at > sim->now ? at : sim->now, ev);
}

/* The last SYN brought nothing: the next one, or none. */
static void dial_again(struct sim *sim, struct sim_end *end)
{
    if (!end->timed)
        repeat(sim, end, sim_conn_of(end)->syn_at + tcp_syn_wait(end->syns++));
}

/* The last SYN-ACK was lost: another one, or none. */
static void answer_again(struct sim *sim, struct sim_end *end)
{
    if (!end->timed && end->syns < TCP_SYN_ACKS)
        repeat(sim, end, sim->now + tcp_syn_wait(end->syns++));
}

static void dial(struct sim *sim, struct sim_end *end, ns_t at)
{
    sim_conn_of(end)->syn_at = at;
    if (!wire_signal(sim, end, SIM_SYN, at))
        dial_again(sim, end);
}

static struct link_path path_between(const struct sim *sim, const struct sim_node *from,
                                     const struct sim_node *to)
{
    struct link_path path = link_path(sim->spec->regions, &from->host, &to->host);
    faults_mend(&sim->faults, from->id, to->id, &path);
    return path;
}

/* From that end to its peer. */
static bool make_flow(struct sim *sim, struct sim_end *end, uint64_t k)
{
    const struct sim_node *from = end->node, *to = sim_peer(end)->node;
    struct link_path path = path_between(sim, from, to);
    path.rtt = path.delay + path_between(sim, to, from).delay;
    end->flow = (struct tcp_flow){.path = paths_like(&sim->paths, &path),
                                  .dice = dice_name(sim->seed, "link", from->id, to->id, k),
                                  .from = from->id,
                                  .to = to->id};
    end->stages = to->host.access->down_bps > 0;
    return end->flow.path;
}

/* Numbers of one direction, dialled by either side, must differ. */
static bool make_flows(struct sim *sim, struct sim_end *end)
{
    uint64_t k = links_number(sim, end->node, sim_peer(end)->node);
    return make_flow(sim, end, 2 * k) && make_flow(sim, sim_peer(end), 2 * k + 1);
}

int stream_open(struct sim *sim, struct sim_node *n, enum link_kind kind, struct addr to,
                link_t *out)
{
    ns_t at = n->env.now + n->env.spent;
    uint16_t port;
    struct sim_node *target = translate_target(sim, NAT_TCP, &to, at, &port);
    struct sim_conn *c;
    struct sim_end *end;
    enum drop drop = DROP_COUNT;
    if (to.port == 0)
        return ERR_INVALID;
    c = links_new(sim, kind);
    if (!c)
        return ERR_LIMIT;
    end = &c->end[0];
    end->node = n;
    if (links_take(sim, n, end) != OK) {
        links_forget(sim, c);
        return ERR_LIMIT;
    }
    *out = end->link;
    c->number = ++sim->streams;
    metrics_count(sim->metrics, COUNT_LINKS, 1);
    end->state = END_CONNECTING;
    end->port = links_port(n);
    end->seen = wire_is_below(end) ? 0 : end->port; /* until it is mapped */
    sim_peer(end)->node = target;
    sim_peer(end)->port = port;
    sim_peer(end)->seen = to.port;
    c->to = to;
    nat_own_address(&sim->nat, &c->to);
    if (!target) {
        watch_drop(sim, n, NULL, TCP_SYN_BYTES, DROP_NO_ROUTE);
        down(sim, end, DOWN_UNREACHABLE, at);
        return OK;
    }
    if (!make_flows(sim, end)) {
        sim->broken = ERR_NOMEM;
        return OK;
    }
    if (wire_is_below(end))
        drop = translate_dial(sim, end, at);
    if (drop == DROP_NAT_PORT_LIMIT || drop == DROP_NAT_FULL) {
        watch_drop(sim, n, target, TCP_SYN_BYTES, drop);
        down(sim, end, DOWN_NAT, at);
    } else {
        if (sim->wants)
            watch_dial(sim, end);
        dial(sim, end, at);
    }
    return OK;
}

static void on_syn(struct sim *sim, const struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    bool heard;
    if (sim->wants &&
        end->state == END_NONE) /* also one that comes too late, or to a closed port */
        watch_come(sim, ev);
    if (sim_peer(end)->state != END_CONNECTING)
        return;
    if (end->state == END_NONE && listens(end->node, end->port, end->kind) &&
        links_take(sim, end->node, end) == OK)
        end->state = END_HALF;
    if (end->state == END_HALF) {
        heard = wire_signal(sim, end, SIM_SYN_ACK, sim->now);
    } else {
        watch_drop(sim, sim_peer(end)->node, end->node, TCP_SYN_BYTES, DROP_REFUSED);
        heard = wire_signal(sim, end, SIM_REFUSAL, sim->now);
    }
    if (!heard)
        dial_again(sim, sim_peer(end));
    if (!heard && end->state == END_HALF)
        answer_again(sim, end);
}

/* It is time for the next SYN or SYN-ACK. */
static void on_time(struct sim *sim, struct sim_end *end)
{
    end->timed = false;
    if (end->state == END_CONNECTING && end->syns == TCP_SYNS)
        down(sim, end, DOWN_TIMEOUT, sim->now);
    else if (end->state == END_CONNECTING)
        dial(sim, end, sim->now);
    else if (end->state == END_HALF && !wire_signal(sim, end, SIM_SYN_ACK, sim->now))
        answer_again(sim, end);
    else if (end->state == END_CLOSED && sim_peer(end)->state == END_HALF)
        reset_peer(sim, end); /* in answer to its SYN-ACK, which it repeats */
}

void stream_lost(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    if (ev->kind == SIM_RST)
        sim_peer(end)->told = false;
    else if (ev->kind == SIM_SYN)
        end = sim_peer(end);
    if (ev->kind == SIM_SYN_ACK && sim_peer(end)->state == END_HALF)
        answer_again(sim, sim_peer(end));
    if (ev->kind != SIM_RST && end->state == END_CONNECTING)
        dial_again(sim, end);
}

/* ---- sending -------------------------------------------------------------------------- */

static void room_at(struct sim *sim, struct sim_end *end, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, SIM_ROOM, 0);
    if (!ev)
        return;
    ev->at.end = end;
    end->room = true;
    sim_push(sim, at, ev);
}

/* The fault plan's word on this send: OK if there is none. */
static int planted(struct sim *sim, struct sim_end *end, size_t len, ns_t at)
{
    if (++sim->sends == sim->plan->refuse_send) {
        sim->result->faults_fired++;
        end->blocked = true;
        room_at(sim, end, at);
        return ERR_AGAIN;
    }
    if (++sim->messages == sim->plan->lose_message) {
        sim->result->faults_fired++;
        watch_drop(sim, end->node, sim_peer(end)->node, (uint32_t)len, DROP_FAULT);
        return ERR_FAULT;
    }
    return OK;
}

int stream_send(struct sim *sim, struct sim_end *end, const void *data, size_t len)
{
    ns_t at = end->node->env.now + end->node->env.spent;
    struct sim_event *ev;
    if (end->state != END_OPEN)
        return ERR_CLOSED;
    if (len > LINK_MESSAGE_MAX)
        return ERR_TOO_BIG;
    if (len == 0)
        return ERR_INVALID;
    if (end->unread && end->unread + len > sim->tuning.window)
        end->blocked = true;
    if (end->blocked)
        return ERR_AGAIN;
    if (sim->plan) {
        int rc = planted(sim, end, len, at);
        if (rc != OK)
            return rc == ERR_FAULT ? OK : rc;
    }
    end->unread += (uint32_t)len;
    if (end->dead) {
        watch_drop(sim, end->node, sim_peer(end)->node, (uint32_t)len, DROP_LINK_CLOSED);
        return OK;
    }
    ev = sim_event_new(sim, SIM_DATA, len + sim->tail);
    if (!ev)
        return ERR_AGAIN;
    memcpy(ev->data, data, len);
    if (sim->wants) {
        ev->len = (uint32_t)len;
        memcpy(ev->data + len, &sim->truth, sim->tail);
        watch_send(sim, end, len);
    }
    wire_deliver(sim, end, ev, at, wire_payload(end, (uint32_t)len));
    return OK;
}

void stream_handed_more(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end, *from = sim_peer(end);
    if (ev->why)
        tcp_bulk_handed(&from->flow, wire_payload(end, ev->len), sim->now);
    if (from->blocked && !from->room && from->state == END_OPEN &&
        from->unread <= sim->tuning.window / 2)
        room_at(sim, from, sim->now + (wire_is_below(end) ? end->flow.path->delay : 0));
}

/* ---- ending --------------------------------------------------------------------------- */

void stream_close(struct sim *sim, struct sim_end *end)
{
    ns_t at = end->node->env.now + end->node->env.spent;
    struct sim_event *ev;
    if (end->state == END_OPEN && !end->dead && (ev = sim_event_new(sim, SIM_FIN, 0))) {
        wire_deliver(sim, end, ev, at, 0);
        end->told = !end->dead;
    }
    links_release(sim, end);
}

void stream_reset(struct sim *sim, struct sim_end *end)
{
    if (end->state == END_OPEN || end->state == END_HALF) {
        reset_peer(sim, end);
        end->mute = !end->told;
        wire_stop(sim, end);
    }
    links_release(sim, end);
}

/* ---- what comes in -------------------------------------------------------------------- */

static void on_syn_ack(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    struct sim_event *ack;
    if (end->state == END_OPEN) { /* a second one: its host may have missed the acknowledgement */
        wire_count(end->node, TCP_HEADERS, 1);
        sim_event_free(sim, ev);
        return;
    }
    if (end->state != END_CONNECTING) {
        reset_peer(sim, end);
        sim_event_free(sim, ev);
        return;
    }
    end->state = END_OPEN;
    wire_keep_alive(sim, end);
    ack = sim_event_new(sim, SIM_ACK, 0);
    if (ack)
        wire_deliver(sim, end, ack, sim->now, 0);
    ev->kind = SIM_UP;
    life_offer(sim, ev);
}

static void on_ack(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    if (end->state != END_HALF) {
        if (!end->told)
            reset_peer(sim, end);
        sim_event_free(sim, ev);
        return;
    }
    end->state = END_OPEN;
    wire_keep_alive(sim, end);
    ev->kind = SIM_UP;
    life_offer(sim, ev);
}

static void on_data(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    uint32_t acks;
    if (sim->wants)
        watch_come(sim, ev);
    if (sim->tap && wire_is_below(end) && !ev->why)
        tap_arrival(sim, end, ev);
    if (end->state != END_OPEN || sim_peer(end)->mute) {
        watch_drop(sim, sim_peer(end)->node, end->node, ev->len, DROP_LINK_CLOSED);
        if (end->state == END_CLOSED && !end->told)
            reset_peer(sim, end);
        sim_event_free(sim, ev);
        return;
    }
    if (wire_is_below(end) && !ev->why) {
        acks = (tcp_segments(wire_payload(end, ev->len)) + 1) / 2;
        wire_count(end->node, acks * TCP_HEADERS, acks);
    }
    if (ev->why)
        tcp_bulk_waits(&sim_peer(end)->flow, wire_payload(end, ev->len));
    life_offer(sim, ev);
}

/* The other side has closed, or is gone; the node hears of it behind the data. */
static void on_end(struct sim *sim, struct sim_event *ev, enum down_reason why)
{
    struct sim_end *end = ev->at.end;
    if (ev->kind == SIM_FIN && wire_is_below(end) && end->state == END_OPEN) {
        if (sim->tap && !ev->why)
            tap_arrival(sim, end, ev);
        wire_count(end->node, 2 * TCP_HEADERS, 2); /* its ACK, then its own FIN */
        wire_count(sim_peer(end)->node, TCP_HEADERS, 1);
    }
    if (end->state == END_HALF)
        links_release(sim, end);
    if (end->state != END_OPEN && end->state != END_CONNECTING) {
        sim_event_free(sim, ev);
        return;
    }
    if (ev->kind != SIM_GIVE_UP)
        end->told = true;
    if (ev->kind != SIM_FIN) {
        end->state = END_DYING;
        wire_stop(sim, end);
    }
    ev->kind = SIM_DOWN;
    ev->why = (uint8_t)why;
    life_offer(sim, ev);
}

void stream_event(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    if (ev->kind == SIM_DATA) {
        on_data(sim, ev);
        return;
    }
    switch (ev->kind) {
    case SIM_SYN_ACK:
        on_syn_ack(sim, ev);
        return;
    case SIM_SEGMENTS:
    case SIM_ACKED:
    case SIM_BULK:
        wire_bulk(sim, ev);
        break;
    case SIM_ACK:
        on_ack(sim, ev);
        return;
    case SIM_REFUSAL:
        on_end(sim, ev, DOWN_REFUSED);
        return;
    case SIM_FIN:
        on_end(sim, ev, DOWN_CLOSED);
        return;
    case SIM_RST:
        on_end(sim, ev, DOWN_RESET);
        return;
    case SIM_GIVE_UP:
        on_end(sim, ev, DOWN_TIMEOUT);
        return;
    case SIM_KEEPALIVE:
        wire_probe(sim, ev);
        return;
    case SIM_SYN:
        on_syn(sim, ev);
        break;
    case SIM_CONNECT:
        on_time(sim, end);
        break;
    default:
        life_offer(sim, ev); /* ROOM and DOWN by its own host */
        return;
    }
    sim_event_free(sim, ev);
}
