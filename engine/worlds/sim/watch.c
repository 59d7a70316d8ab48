#include "engine/worlds/sim/inner.h"

static party_t owner(const void *world, const struct addr *a)
{
    const struct sim_node *n = translate_owner(world, a);
    return n ? n->id : PARTY_NONE;
}

int watch_init(struct sim *sim)
{
    struct lookout *l = &sim->lookout;
    int rc;
    *l = (struct lookout){.spec = sim->spec,
                          .result = sim->result,
                          .trace = sim->trace,
                          .nat = &sim->nat,
                          .truth = &sim->truth};
    rc = lookout_init(l, owner, sim, sim->seed, sim->recorder, sim->err);
    sim->wants = l->wants;
    sim->tail = sim->wants & WANT_TRUTH ? sizeof sim->truth : 0;
    for (uint32_t i = 0; sim->tail && i < sim->n_nodes; i++)
        sim->nodes[i].env.truth = &sim->truth;
    sim->watching = sim->trace || sim->wants || sim->spec->n_actions;
    return rc;
}

void watch_free(struct sim *sim)
{
    lookout_free(&sim->lookout);
}

int watch_score(struct sim *sim)
{
    return lookout_score(&sim->lookout, sim->now);
}

static party_t id_of(const struct sim_node *n)
{
    return n ? n->id : PARTY_NONE;
}

static const struct sim_node *peer_of(const struct sim *sim, const struct sim_event *why,
                                      const struct event *ev)
{
    if (why->kind == SIM_FOUND)
        return &sim->nodes[datagram_sender(why)];
    return why->at.end->kind == LINK_DATAGRAM ? translate_owner(sim, &ev->peer)
                                              : sim_peer(why->at.end)->node;
}

party_t watch_peer(const struct sim *sim, const struct sim_event *why, const struct event *ev)
{
    return id_of(ev->kind >= EV_UP ? peer_of(sim, why, ev) : NULL);
}

/* ---- what happens --------------------------------------------------------------------- */

void watch_drop(struct sim *sim, const struct sim_node *from, const struct sim_node *to,
                uint32_t bytes, enum drop drop)
{
    lookout_drop(&sim->lookout, sim->now, id_of(from), id_of(to), bytes, drop);
}

void watch_world(struct sim *sim, const struct sim_node *n, const char *what)
{
    lookout_world(&sim->lookout, sim->now, id_of(n), what);
}

void watch_fault_over(struct sim *sim, const struct action *a)
{
    lookout_fault_over(&sim->lookout, sim->now, a);
}

void watch_crash(struct sim *sim, const struct sim_node *n, const struct action *a)
{
    lookout_crash(&sim->lookout, sim->now, n->id, a);
}

void watch_restart(struct sim *sim, const struct sim_node *n)
{
    lookout_restart(&sim->lookout, sim->now, n->id);
}

/* ---- what nodes get ------------------------------------------------------------------- */

/* Behind the data of what is on its way there is its truth. */
static void hold_truth(struct sim *sim, const struct sim_event *ev)
{
    const uint8_t *data = NULL;
    if (ev && ev->kind == SIM_DATA)
        data = ev->data;
    else if (ev && (ev->kind == SIM_DATAGRAM || ev->kind == SIM_FOUND))
        data = datagram_data(ev);
    if (data && sim->tail)
        memcpy(&sim->truth, data + ev->len, sizeof sim->truth);
    else
        lookout_hold(&sim->lookout, NULL);
}

static void see_event(struct sim *sim, const struct sim_node *n, const struct sim_event *why,
                      const struct event *ev)
{
    const struct sim_node *peer;
    struct sighting s;
    if (ev->kind != EV_UP && ev->kind != EV_DATA)
        return;
    peer = peer_of(sim, why, ev);
    if (ev->kind == EV_DATA && peer && sim->lookout.n_awaited)
        lookout_progress(&sim->lookout, sim->now, n->id, peer->id);
    if (!(sim->wants & WANT_NODE_IN) || ev->link_kind == LINK_HANDOVER || !peer)
        return;
    s = lookout_message(sim->now, n->id, false, ev->link_kind == LINK_DATAGRAM, ev->len);
    s.opens = ev->kind == EV_UP;
    s.from = s.datagram ? ev->peer : links_seen(sim, sim_peer(why->at.end));
    s.to = links_local(why->at.end);
    lookout_see(&sim->lookout, &s);
}

/* A party stamps what it sends by itself; a service sends on what came. */
void watch_event(struct sim *sim, const struct sim_node *n, const struct sim_event *why,
                 const struct event *ev)
{
    if (sim->trace)
        lookout_event(&sim->lookout, sim->now, n->id, ev, watch_peer(sim, why, ev),
                      why ? why->sent : 0);
    if (sim->tail)
        hold_truth(sim, why);
    see_event(sim, n, why, ev);
    if (sim->tail && n->id < sim->n_parties)
        lookout_hold(&sim->lookout, NULL);
}

void watch_show(struct sim *sim, const struct sim_node *n, const struct shown *shown)
{
    lookout_show(&sim->lookout, sim->now, n->id, shown);
}

void watch_keep(struct sim *sim, const struct sim_node *n, const struct retained *kept)
{
    lookout_keep(&sim->lookout, sim->now, n->id, kept);
}

/* ---- packets on their way ------------------------------------------------------------- */

static struct sighting of_stream(const struct sim *sim, const struct sim_end *from, ns_t when,
                                 uint32_t len)
{
    struct sighting s = lookout_segments(when, len ? wire_payload(from, len) : 0);
    s.from = links_seen(sim, from);
    s.to = links_seen(sim, sim_peer(from));
    return s;
}

static bool on_wire(const struct sim *sim, const struct sim_end *end)
{
    return sim->wants & WANT_WIRE && wire_is_below(end) && !end->neighbours;
}

static ns_t leaves(const struct sim_node *n)
{
    return n->env.now + n->env.spent;
}

void watch_dial(struct sim *sim, const struct sim_end *end)
{
    struct sighting s;
    lookout_hold(&sim->lookout, NULL);
    if (!on_wire(sim, end))
        return;
    s = of_stream(sim, end, leaves(end->node), 0);
    lookout_line(&sim->lookout, &s, end->node->id, true);
}

void watch_send(struct sim *sim, const struct sim_end *end, size_t len)
{
    const struct sim_node *n = end->node;
    if (sim->wants & WANT_NODE_OUT && wire_is_below(end)) {
        struct sighting s = lookout_message(leaves(n), n->id, true, false, len);
        s.from = links_local(end);
        s.to = links_seen(sim, sim_peer(end));
        lookout_see(&sim->lookout, &s);
    }
    if (sim->wants & WANT_LINE && on_wire(sim, end)) {
        struct sighting s = of_stream(sim, end, leaves(n), (uint32_t)len);
        lookout_line(&sim->lookout, &s, n->id, true);
    }
}

void watch_come(struct sim *sim, const struct sim_event *ev)
{
    const struct sim_end *end = ev->at.end;
    struct sighting s;
    if (!on_wire(sim, end) || (ev->kind == SIM_DATA && !(sim->wants & (WANT_LINE | WANT_BORDER))))
        return;
    hold_truth(sim, ev);
    s = of_stream(sim, sim_peer(end), sim->now, ev->kind == SIM_DATA ? ev->len : 0);
    lookout_arrival(&sim->lookout, &s, sim_peer(end)->node->id, end->node->id);
}

void watch_send_to(struct sim *sim, const struct sim_end *end, const struct addr *seen,
                   const struct addr *to, const struct sim_node *target, size_t len)
{
    const struct sim_node *n = end->node;
    if (sim->wants & WANT_NODE_OUT) {
        struct sighting s = lookout_message(leaves(n), n->id, true, true, len);
        s.from = links_local(end);
        s.to = *to;
        lookout_see(&sim->lookout, &s);
    }
    if (sim->wants & WANT_WIRE && !(target && lookout_indoors(&sim->lookout, n->id, target->id))) {
        struct sighting s = lookout_datagram(leaves(n), (uint32_t)len);
        s.from = *seen;
        s.to = *to;
        lookout_line(&sim->lookout, &s, n->id, true);
    }
}

void watch_come_from(struct sim *sim, const struct sim_event *ev, const struct sim_node *from,
                     const struct sim_node *to, const struct addr *seen, const struct addr *at)
{
    struct sighting s;
    if (!(sim->wants & WANT_WIRE) || lookout_indoors(&sim->lookout, from->id, to->id))
        return;
    hold_truth(sim, ev);
    s = lookout_datagram(sim->now, ev->len);
    s.from = *seen;
    s.to = *at;
    lookout_arrival(&sim->lookout, &s, from->id, to->id);
}
