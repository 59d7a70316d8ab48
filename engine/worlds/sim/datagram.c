#include "engine/worlds/sim/inner.h"

#include "engine/worlds/link/udp.h"

/* In front of a datagram's bytes. */
struct head {
    struct addr from;
    uint32_t sender;
    uint16_t port;
};

static struct head head_of(const struct sim_event *ev)
{
    struct head h;
    memcpy(&h, ev->data, sizeof h);
    return h;
}

struct addr datagram_from(const struct sim_event *ev)
{
    return head_of(ev).from;
}

const uint8_t *datagram_data(const struct sim_event *ev)
{
    return ev->data + sizeof(struct head);
}

/* ---- ports and links ------------------------------------------------------------------ */

static int add(struct sim *sim, struct sim_node *n, uint16_t port, const struct addr *to,
               link_t *out)
{
    struct sim_conn *c = links_new(sim, LINK_DATAGRAM);
    struct sim_event *ev;
    struct sim_end *end;
    if (!c)
        return ERR_LIMIT;
    end = &c->end[0];
    end->node = n;
    if (links_take(sim, n, end) != OK) {
        slab_give(&sim->slab, c, c->size_class);
        return ERR_LIMIT;
    }
    end->state = END_OPEN;
    end->port = end->seen = port;
    end->listener = to == NULL;
    if (to)
        c->to = *to;
    c->next = n->datagrams;
    n->datagrams = c;
    if (out)
        *out = end->link;
    ev = sim_event_new(sim, SIM_UP, 0);
    if (ev) {
        ev->at.end = end;
        sim_push(sim, n->env.now + n->env.spent, ev);
    }
    return OK;
}

void datagram_listen(struct sim *sim, struct sim_node *n)
{
    n->datagram_port = 0;
    for (const struct accept *a = n->accepts; a && a->port; a++) {
        if (a->kind != LINK_DATAGRAM || add(sim, n, a->port, NULL, NULL) != OK)
            continue;
        if (!n->datagram_port)
            n->datagram_port = a->port;
    }
}

int datagram_open(struct sim *sim, struct sim_node *n, struct addr to, link_t *out)
{
    static const struct addr nowhere;
    int rc;
    if (nat_inside(&sim->nat, n->id))
        return ERR_UNSUPPORTED;
    if (addr_equal(&to, &nowhere)) {
        rc = add(sim, n, links_port(n), NULL, out);
    } else {
        if (to.port == 0)
            return ERR_INVALID;
        if (!n->datagram_port)
            n->datagram_port = links_port(n);
        rc = add(sim, n, n->datagram_port, &to, out);
    }
    if (rc == OK)
        metrics_count(sim->metrics, COUNT_LINKS, 1);
    return rc;
}

void datagram_close(struct sim *sim, struct sim_end *end)
{
    struct sim_conn **at = &end->node->datagrams;
    while (*at != end->conn)
        at = &(*at)->next;
    *at = end->conn->next;
    links_release(sim, end);
}

/* A link to just that peer, else the port's own, else none. */
static struct sim_end *find(const struct sim_node *n, uint16_t port, const struct addr *from)
{
    struct sim_end *own = NULL;
    for (struct sim_conn *c = n->datagrams; c; c = c->next) {
        if (c->end[0].port != port)
            continue;
        if (c->end[0].listener)
            own = &c->end[0];
        else if (addr_equal(&c->to, from))
            return &c->end[0];
    }
    return own;
}

/* ---- on their way --------------------------------------------------------------------- */

int datagram_send(struct sim *sim, struct sim_end *end, struct addr to, const void *data,
                  size_t len)
{
    struct sim_node *n = end->node, *target = sim_node_at(sim, to.ip);
    struct head head = {.from = links_seen(sim, end), .sender = n->id, .port = to.port};
    ns_t at = n->env.now + n->env.spent;
    struct sim_event *ev;
    struct link_path path;
    struct link_train train;
    struct dice dice;
    enum drop drop;
    if (len > UDP_PAYLOAD_MAX) {
        watch_drop(sim, n, target, (uint32_t)(len < UINT32_MAX ? len : UINT32_MAX), DROP_MTU);
        return ERR_TOO_BIG;
    }
    if (to.port == 0)
        return ERR_INVALID;
    wire_count(n, (uint32_t)len + UDP_HEADERS, 1);
    if (!target) {
        watch_drop(sim, n, NULL, (uint32_t)len, DROP_NO_ROUTE);
        return OK;
    }
    path = link_path(sim->spec->regions, &n->host, &target->host);
    dice = dice_name(sim->seed, "datagram", n->id, target->id, links_number(sim, n, target));
    drop = udp_send(&path, &sim->faults, n->id, target->id, &n->host, at, (uint32_t)len, &dice,
                    &train);
    if (sim->tap && drop != DROP_QUEUE)
        tap_datagram(sim, end, target, &to, data, (uint32_t)len);
    if (drop == DROP_COUNT && nat_inside(&sim->nat, target->id))
        drop = DROP_NAT_FILTERED;
    if (drop != DROP_COUNT) {
        watch_drop(sim, n, target, (uint32_t)len, drop);
        return OK;
    }
    ev = sim_event_new(sim, SIM_DATAGRAM, sizeof head + len);
    if (!ev)
        return OK;
    memcpy(ev->data, &head, sizeof head);
    if (len)
        memcpy(ev->data + sizeof head, data, len);
    ev->len = (uint32_t)len;
    ev->sent = at;
    ev->at.node = target;
    ev->staged = target->host.access->down_bps > 0;
    sim_push(sim, train.first, ev);
    return OK;
}

static enum drop arrive(struct sim *sim, struct sim_event *ev, const struct head *head)
{
    struct sim_node *n = ev->at.node;
    struct sim_end *end;
    if (ev->staged) {
        uint32_t bytes = ev->len + UDP_HEADERS;
        struct link_train train = {
            .first = sim->now, .last = sim->now, .bytes = bytes, .head = bytes, .tail = bytes};
        enum drop drop = udp_receive(&n->host, &train);
        ev->staged = false;
        if (drop == DROP_COUNT)
            sim_push(sim, train.last, ev);
        return drop;
    }
    end = find(n, head->port, &head->from);
    if (!end)
        return DROP_REFUSED;
    ev->kind = SIM_FOUND;
    ev->at.end = end;
    end->refs++;
    life_offer(sim, ev);
    return DROP_COUNT;
}

void datagram_event(struct sim *sim, struct sim_event *ev)
{
    struct head head = head_of(ev);
    enum drop drop = arrive(sim, ev, &head);
    if (drop == DROP_COUNT)
        return;
    watch_drop(sim, &sim->nodes[head.sender], ev->at.node, ev->len, drop);
    sim_event_free(sim, ev);
}
