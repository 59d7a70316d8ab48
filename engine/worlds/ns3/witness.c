#include "engine/worlds/ns3/inner.h"

#include "engine/base/bytes.h"
#include "engine/worlds/link/udp.h"

static party_t owner(const void *world, const struct addr *a)
{
    const struct ns3_node *n = address_owner(world, a);
    return n ? n->id : PARTY_NONE;
}

int witness_init(struct ns3 *w)
{
    const struct trace *recorder = w->trace && w->trace->sighting ? w->trace : NULL;
    int rc;
    w->lookout = (struct lookout){.spec = w->spec,
                                  .result = w->result,
                                  .trace = w->trace ? w->trace->out : NULL,
                                  .nat = &w->nat,
                                  .truth = &w->truth};
    rc = lookout_init(&w->lookout, owner, w, w->seed, recorder, w->err);
    w->wants = w->lookout.wants;
    for (uint32_t i = 0; w->wants & WANT_TRUTH && i < w->n_nodes; i++)
        w->nodes[i].env.truth = &w->truth;
    w->watching = w->lookout.trace || w->wants || w->spec->n_actions;
    return rc;
}

void witness_free(struct ns3 *w)
{
    lookout_free(&w->lookout);
}

int witness_score(struct ns3 *w)
{
    return lookout_score(&w->lookout, w->now);
}

/* ---- what happens --------------------------------------------------------------------- */

void witness_digest(struct ns3 *w, const struct ns3_node *n, const struct event *ev, uint64_t size)
{
    uint8_t record[TRACE_RECORD];
    put_le64(record, (uint64_t)w->now);
    put_le64(record + 8, (uint64_t)n->id << 32 | ev->link);
    put_le64(record + 16, (uint64_t)ev->kind);
    put_le64(record + 24, size);
    XXH3_64bits_update(w->hash, record, sizeof record);
}

void witness_drop(struct ns3 *w, uint32_t from, uint32_t to, uint32_t bytes, enum drop drop)
{
    lookout_drop(&w->lookout, w->now, from, to, bytes, drop);
}

void witness_world(struct ns3 *w, const struct ns3_node *n, const char *what)
{
    lookout_world(&w->lookout, w->now, n ? n->id : PARTY_NONE, what);
}

void witness_fault_over(struct ns3 *w, const struct action *a)
{
    lookout_fault_over(&w->lookout, w->now, a);
}

void witness_crash(struct ns3 *w, const struct ns3_node *n, const struct action *a)
{
    lookout_crash(&w->lookout, w->now, n->id, a);
}

void witness_restart(struct ns3 *w, const struct ns3_node *n)
{
    lookout_restart(&w->lookout, w->now, n->id);
}

/* ---- what nodes get and send ---------------------------------------------------------- */

/* Whose the other side is. */
static party_t peer_of(const struct ns3 *w, const struct ns3_end *end,
                       const struct ns3_origin *origin, const struct event *ev)
{
    if (ev->kind < EV_UP)
        return PARTY_NONE;
    if (end->kind != LINK_DATAGRAM)
        return end->to;
    return origin ? origin->sender : owner(w, &ev->peer);
}

static void see_event(struct ns3 *w, const struct ns3_node *n, const struct ns3_end *end,
                      const struct event *ev)
{
    struct sighting s = lookout_message(w->now, n->id, false, end->kind == LINK_DATAGRAM, ev->len);
    s.opens = ev->kind == EV_UP;
    s.from = s.datagram ? ev->peer : end->remote;
    s.to = end->local;
    lookout_see(&w->lookout, &s);
}

/* A party stamps what it sends by itself; a service sends on what came. */
void witness_event(struct ns3 *w, const struct ns3_node *n, const struct ns3_end *end,
                   const struct ns3_origin *origin, const struct event *ev)
{
    party_t peer;
    if (!w->watching)
        return;
    peer = peer_of(w, end, origin, ev);
    lookout_event(&w->lookout, w->now, n->id, ev, peer, origin ? origin->at : w->now);
    if (ev->kind == EV_DATA && peer != PARTY_NONE)
        lookout_progress(&w->lookout, w->now, n->id, peer);
    lookout_hold(&w->lookout, origin ? &origin->truth : NULL);
    if (w->wants & WANT_NODE_IN && peer != PARTY_NONE && (ev->kind == EV_UP || ev->kind == EV_DATA))
        see_event(w, n, end, ev);
    if (n->id < w->n_parties)
        lookout_hold(&w->lookout, NULL);
}

void witness_show(struct ns3 *w, const struct ns3_node *n, const struct shown *shown)
{
    lookout_show(&w->lookout, w->now, n->id, shown);
}

void witness_keep(struct ns3 *w, const struct ns3_node *n, const struct retained *kept)
{
    lookout_keep(&w->lookout, w->now, n->id, kept);
}

static ns_t leaves(const struct ns3_node *n)
{
    return n->env.now + n->env.spent;
}

struct ns3_origin witness_origin(const struct ns3_node *n, const struct addr *to)
{
    struct ns3_origin origin = {.at = leaves(n), .sender = n->id, .truth = n->w->truth};
    if (to)
        origin.to = *to;
    return origin;
}

static void see_sent(const struct ns3_end *end, const struct addr *to, size_t len)
{
    const struct ns3_node *n = end->node;
    struct sighting s = lookout_message(leaves(n), n->id, true, end->kind == LINK_DATAGRAM, len);
    s.from = end->local;
    s.to = *to;
    if (n->w->wants & WANT_NODE_OUT)
        lookout_see(&n->w->lookout, &s);
}

/* ---- streams on their way ------------------------------------------------------------- */

/* On one that was dialled by a private address, behind the same NAT, nothing comes to a line. */
static bool on_wire(const struct ns3_end *end)
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    const struct ns3 *w = end->node->w;
    const uint8_t *ip = end->remote.ip;
    return w->wants & WANT_WIRE &&
           !(w->nat.n_boxes && ip[12] == 10 && memcmp(ip, v4, sizeof v4) == 0);
}

/* What this end sends, as the internet sees it; len 0: its SYN. */
static struct sighting of_stream(const struct ns3_end *end, ns_t when, uint32_t len)
{
    struct sighting s =
        lookout_segments(when, len && end->kind == LINK_MESSAGE ? len + LINK_FRAME : len);
    s.from = end->dialled ? end->seen : end->peer ? end->peer->remote : end->local;
    s.to = end->remote;
    return s;
}

static void see_syn(struct ns3_end *end)
{
    struct ns3 *w = end->node->w;
    struct sighting s = of_stream(end, w->now, 0);
    end->syn_left = true;
    lookout_hold(&w->lookout, NULL);
    if (on_wire(end))
        lookout_line(&w->lookout, &s, end->node->id, true);
}

void witness_dial(struct ns3_end *end)
{
    end->seen = end->local;
    if (!nat_inside(&end->node->w->nat, end->node->id))
        see_syn(end);
}

void witness_send(const struct ns3_end *end, size_t len)
{
    const struct ns3_node *n = end->node;
    struct sighting s = of_stream(end, leaves(n), (uint32_t)len);
    see_sent(end, &end->remote, len);
    if (on_wire(end))
        lookout_line(&n->w->lookout, &s, n->id, true);
}

void witness_readable(struct ns3_end *end)
{
    const struct ns3 *w = end->node->w;
    struct ns3_end *from = end->peer;
    uint64_t there = end->got + net_unread(end->socket);
    if (!from || !on_wire(end) || !(w->wants & (WANT_LINE | WANT_BORDER)))
        return;
    for (; from->sent_came < from->sent_n; from->sent_came++) {
        const struct ns3_sent *sent =
            &from->sent[(from->sent_first + from->sent_came) % from->sent_cap];
        uint64_t next = from->came + sent->len + (end->kind == LINK_MESSAGE ? LINK_FRAME : 0);
        struct sighting s;
        if (next > there)
            return;
        from->came = next;
        lookout_hold(&w->lookout, &sent->origin.truth);
        s = of_stream(from, w->now, sent->len);
        lookout_arrival(&w->lookout, &s, from->node->id, end->node->id);
    }
}

static void syn_came(struct ns3_node *n, const struct net_packet *p)
{
    struct ns3 *w = n->w;
    struct addr from = address_of(w, p->from, p->from_port);
    uint16_t port;
    enum link_kind kind;
    struct ns3_node *who = address_target(w, NAT_TCP, &from, &port);
    struct ns3_end *end =
        who && conn_accepts(n, p->to_port, &kind) ? conn_dialler(who, n->id, port) : NULL;
    struct sighting s;
    if (!end || end->syn_came || !on_wire(end))
        return;
    end->syn_came = true;
    lookout_hold(&w->lookout, NULL);
    s = of_stream(end, w->now, 0);
    lookout_arrival(&w->lookout, &s, who->id, n->id);
}

/* ---- datagrams on their way ----------------------------------------------------------- */

static struct ns3_origin origin_of(const struct net_packet *p)
{
    struct ns3_origin origin;
    memcpy(&origin, &p->note, sizeof origin);
    return origin;
}

void witness_send_to(const struct ns3_end *end, const struct addr *to,
                     const struct ns3_node *target, size_t len)
{
    const struct ns3_node *n = end->node;
    struct sighting s;
    see_sent(end, to, len);
    if (!(n->w->wants & WANT_WIRE) || target == n || nat_inside(&n->w->nat, n->id))
        return;
    s = lookout_datagram(leaves(n), (uint32_t)len);
    s.from = end->local;
    s.to = *to;
    lookout_line(&n->w->lookout, &s, n->id, true);
}

/* seen: where it comes from, outside of NATs. */
static struct sighting of_datagram(const struct ns3 *w, const struct net_packet *p,
                                   const struct ns3_origin *origin)
{
    struct sighting s = lookout_datagram(w->now, p->bytes - UDP_HEADERS);
    s.from = address_of(w, p->from, p->from_port);
    s.to = origin->to;
    lookout_hold(&w->lookout, &origin->truth);
    return s;
}

static void datagram_came(struct ns3_node *n, const struct net_packet *p)
{
    const struct ns3 *w = n->w;
    const struct ns3_origin origin = origin_of(p);
    struct sighting s;
    if (lookout_indoors(&w->lookout, origin.sender, n->id))
        return;
    s = of_datagram(w, p, &origin);
    lookout_arrival(&w->lookout, &s, origin.sender, n->id);
}

void witness_packet(struct ns3_node *n, const struct net_packet *p)
{
    if (!(n->w->wants & WANT_WIRE))
        return;
    if (!p->tcp)
        datagram_came(n, p);
    else if (p->syn)
        syn_came(n, p);
}

/* ---- at a NAT ------------------------------------------------------------------------- */

void witness_router(struct ns3 *w, const struct net_packet *p, uint16_t port,
                    const struct ns3_node *target)
{
    const struct ns3_node *n = &w->nodes[p->host];
    if (!(w->wants & WANT_WIRE) || !nat_inside(&w->nat, n->id))
        return;
    if (!p->tcp && !(target && lookout_indoors(&w->lookout, n->id, target->id))) {
        const struct ns3_origin origin = origin_of(p);
        struct sighting s = of_datagram(w, p, &origin);
        lookout_line(&w->lookout, &s, n->id, true);
    }
    for (uint32_t i = 0; p->syn && i < n->n_links; i++) {
        struct ns3_end *end = n->links[i];
        if (!end->dialled || end->syn_left || !end->socket || net_socket_port(end->socket) != port)
            continue;
        end->seen = address_of(w, p->from, p->from_port);
        see_syn(end);
    }
}
