#include "engine/worlds/ns3/inner.h"

enum { PAYLOAD_MAX = 1472 }; /* of 1500 bytes; nothing is fragmented */

static int add(struct ns3_node *n, struct net_port *port, const struct addr *to, link_t *out)
{
    struct ns3_end *end = conn_new(n, LINK_DATAGRAM);
    if (!end)
        return ERR_LIMIT;
    end->port = port;
    end->state = END_OPEN;
    end->listener = !to;
    end->local = address_of(n->w, n->id, net_port_number(port));
    if (to) {
        const struct ns3_node *peer = address_owner(n->w, to);
        end->remote = *to;
        end->to = peer ? peer->id : PARTY_NONE;
    }
    if (out)
        *out = end->link;
    event_simple(n, end, TELL_UP, 0, n->env.now + n->env.spent);
    return OK;
}

void dgram_listen(struct ns3_node *n)
{
    n->datagram_port = NULL;
    for (const struct accept *a = n->accepts; a && a->port; a++) {
        struct net_port *port = a->kind == LINK_DATAGRAM ? net_bind(n->id, a->port, n) : NULL;
        if (port && add(n, port, NULL, NULL) == OK && !n->datagram_port)
            n->datagram_port = port;
    }
}

int dgram_open(struct ns3_node *n, struct addr to, link_t *out)
{
    static const struct addr nowhere;
    struct net_port *port = NULL;
    int rc;
    if (addr_equal(&to, &nowhere)) {
        port = net_bind(n->id, 0, n);
        rc = port ? add(n, port, NULL, out) : ERR_LIMIT;
    } else {
        if (to.port == 0)
            return ERR_INVALID;
        nat_own_address(&n->w->nat, &to);
        if (!n->datagram_port)
            n->datagram_port = net_bind(n->id, 0, n);
        rc = n->datagram_port ? add(n, n->datagram_port, &to, out) : ERR_LIMIT;
    }
    if (rc == OK)
        metrics_count(n->w->metrics, COUNT_LINKS, 1);
    return rc;
}

void dgram_close(struct ns3_end *end)
{
    struct ns3_node *n = end->node;
    conn_release(end);
    for (uint32_t i = 0; i < n->n_links; i++)
        if (n->links[i]->port == end->port && n->links[i]->state != END_CLOSED)
            return;
    if (n->datagram_port == end->port)
        n->datagram_port = NULL;
    net_unbind(end->port);
}

/* From one port of a host to another of the same host: nothing of it comes to a wire. */
static int send_home(struct ns3_end *end, uint16_t to, const void *data, size_t len)
{
    struct ns3_node *n = end->node;
    struct ns3_event *e;
    for (uint32_t i = 0; i < n->n_links; i++) {
        struct ns3_end *own = n->links[i];
        if (own->kind != LINK_DATAGRAM || own->state == END_CLOSED || !own->listener ||
            net_port_number(own->port) != to)
            continue;
        e = event_new(n, TELL_DATAGRAM, len);
        if (!e)
            return OK;
        if (len)
            memcpy(e->data, data, len);
        e->peer = address_of(n->w, n->id, net_port_number(end->port));
        e->port = own->port;
        e->origin = witness_origin(n, NULL);
        event_post(e, e->origin.at);
        return OK;
    }
    witness_drop(n->w, n->id, n->id, (uint32_t)len, DROP_REFUSED);
    return OK;
}

int dgram_send(struct ns3_end *end, struct addr to, const void *data, size_t len)
{
    struct ns3_node *n = end->node;
    uint16_t port;
    const struct ns3_node *target = address_target(n->w, NAT_UDP, &to, &port);
    struct ns3_event *e;
    if (len > PAYLOAD_MAX) {
        witness_drop(n->w, n->id, target ? target->id : PARTY_NONE, (uint32_t)len, DROP_MTU);
        return ERR_TOO_BIG;
    }
    if (to.port == 0)
        return ERR_INVALID;
    if (n->w->wants)
        witness_send_to(end, &to, target, len);
    if (!target) {
        witness_drop(n->w, n->id, PARTY_NONE, (uint32_t)len, DROP_NO_ROUTE);
        return OK;
    }
    if (target == n)
        return send_home(end, port, data, len);
    e = event_new(n, DO_SEND_TO, len);
    if (!e)
        return OK;
    if (len)
        memcpy(e->data, data, len);
    e->port = end->port;
    e->number = address_number(n->w, to.ip);
    e->peer = to;
    e->origin = witness_origin(n, &to);
    conn_later(e);
    return OK;
}

void dgram_came(void *ctx, void *user, struct net_port *port, uint32_t from, uint16_t from_port,
                const uint8_t *data, size_t len, const struct net_note *note)
{
    struct ns3 *w = ctx;
    struct ns3_node *n = user;
    struct ns3_event *e;
    w->now = net_now();
    e = event_new(n, TELL_DATAGRAM, len);
    if (!e)
        return;
    if (len)
        memcpy(e->data, data, len);
    e->peer = address_of(w, from, from_port);
    memcpy(&e->origin, note, sizeof e->origin);
    e->port = port;
    event_post(e, w->now);
}

/* A link to just that peer, else the port's own, else none. */
struct ns3_end *dgram_conn(struct ns3_event *e)
{
    struct ns3_end *own = NULL;
    for (uint32_t i = 0; i < e->node->n_links; i++) {
        struct ns3_end *end = e->node->links[i];
        if (end->port != e->port || end->state == END_CLOSED)
            continue;
        if (end->listener)
            own = own ? own : end;
        else if (addr_equal(&end->remote, &e->peer))
            return end;
    }
    return own;
}
