#include "engine/worlds/sim/inner.h"

void stream_reset_peer(struct sim *sim, struct sim_end *end)
{
    end->told = wire_signal(sim, end, SIM_RST, sim->now);
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
        stream_reset_peer(sim, end);
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
        stream_reset_peer(sim, end);
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
            stream_reset_peer(sim, end);
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
            stream_reset_peer(sim, end);
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
        dial_syn(sim, ev);
        break;
    case SIM_CONNECT:
        dial_time(sim, end);
        break;
    default:
        life_offer(sim, ev); /* ROOM and DOWN by its own host */
        return;
    }
    sim_event_free(sim, ev);
}
