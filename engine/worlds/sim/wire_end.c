/* Connections that end without a word from the peer: given up, dead by keep-alive (RFC 9293,
 * 3.8.4; Linux' tcp_keepalive_intvl and tcp_keepalive_probes), or of an address that is gone. */
#include "engine/worlds/sim/inner.h"

#define PROBE_AGAIN (75 * NS_S)

enum { PROBES = 9 };

void wire_give_up(struct sim *sim, struct sim_end *end, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, SIM_GIVE_UP, 0);
    if (!ev)
        return;
    ev->at.end = end;
    sim_push(sim, at, ev);
    end->dead = true;
}

/* ---- keep-alive ------------------------------------------------------------------------ */

/* One packet from that end to the other. */
static bool cross(struct sim *sim, struct sim_end *from)
{
    struct link_train train;
    enum drop drop =
        tcp_signal(&from->flow, &sim->faults, &from->node->host, sim->now, TCP_HEADERS, &train);
    wire_count(from->node, TCP_HEADERS, 1);
    if (drop == DROP_COUNT && sim->nat.n_boxes)
        drop = translate_stream(sim, from, NAT_DATA, sim->now);
    if (drop == DROP_COUNT)
        return true;
    watch_drop(sim, from->node, sim_peer(from)->node, TCP_HEADERS, drop);
    return false;
}

void wire_keep_alive(struct sim *sim, struct sim_end *end)
{
    struct sim_event *ev;
    if (!sim->tcp.spec->keepalive || !wire_is_below(end))
        return;
    ev = sim_event_new(sim, SIM_KEEPALIVE, 0);
    if (!ev)
        return;
    ev->at.end = end;
    ev->sent = sim->now;
    sim_push(sim, sim->now + sim->tcp.spec->keepalive, ev);
}

/* When this host last heard of the other, as far as it is known. */
static ns_t heard(const struct sim *sim, const struct sim_event *ev)
{
    const struct sim_end *end = ev->at.end;
    ns_t data = sim_peer(end)->flow.arrival,
         ack = end->flow.arrival + sim_peer(end)->flow.path->delay;
    ns_t last = data > ack ? data : ack;
    if (tcp_bulk_busy(&end->flow))
        last = sim->now; /* the retransmission timer's business */
    return last > ev->sent ? last : ev->sent;
}

void wire_probe(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    ns_t idle = sim->tcp.spec->keepalive, at = heard(sim, ev) + idle;
    if (end->state != END_OPEN || end->dead) {
        sim_event_free(sim, ev);
        return;
    }
    if (at > sim->now) {
        ev->len = 0;
    } else if (ev->len == PROBES) {
        end->dead = true;
        ev->kind = SIM_GIVE_UP;
        stream_event(sim, ev);
        return;
    } else if (end->severed) {
        wire_come_back(sim, end, sim->now, 0);
        sim_event_free(sim, ev);
        return;
    } else if (cross(sim, end) && cross(sim, sim_peer(end))) {
        ev->len = 0;
        ev->sent = sim->now;
        at = sim->now + idle;
        if (sim_peer(end)->mute || sim_peer(end)->state != END_OPEN) {
            ev->kind = SIM_RST; /* that connection is not known there any more */
            at = sim->now + end->flow.path->rtt;
        }
    } else {
        ev->len++;
        at = sim->now + PROBE_AGAIN;
    }
    sim_push(sim, at, ev);
    links_unref(sim, end); /* sim_push has taken one more */
}

/* ---- another address ------------------------------------------------------------------ */

void wire_come_back(struct sim *sim, struct sim_end *end, ns_t at, uint32_t payload)
{
    struct sim_event *ev = sim_event_new(sim, SIM_RST, 0);
    end->severed = false;
    end->dead = true;
    watch_drop(sim, end->node, sim_peer(end)->node, payload + TCP_HEADERS, DROP_REFUSED);
    if (!ev)
        return;
    ev->at.end = end;
    sim_push(sim, at + end->flow.path->rtt, ev);
}

/* Nothing gets through from one end to the other, nor its acknowledgements' way. */
static void cut(struct sim *sim, struct sim_end *from, struct sim_end *to)
{
    struct link_path path = *from->flow.path;
    const struct link_path *severed;
    path.loss.ppm = LINK_SEVERED;
    severed = paths_like(&sim->paths, &path);
    if (!severed) {
        sim->broken = ERR_NOMEM;
        return;
    }
    from->flow.path = severed;
    if (to->flow.bulk)
        to->flow.bulk->back = severed;
}

void wire_sever(struct sim *sim, struct sim_node *n)
{
    for (uint32_t i = 0; i < n->n_slots; i++) {
        struct sim_end *end = n->slots[i].end;
        if (!end || end->kind == LINK_DATAGRAM || !wire_is_below(end) || end->state != END_OPEN)
            continue;
        end->severed = true;
        cut(sim, end, sim_peer(end));
        cut(sim, sim_peer(end), end);
        if (tcp_bulk_busy(&end->flow))
            wire_come_back(sim, end, sim->now, 0);
    }
}
