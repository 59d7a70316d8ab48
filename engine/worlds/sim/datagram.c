#include "engine/worlds/sim/inner.h"

#include "engine/node.h"

#include <stdlib.h>

/* In front of a datagram's bytes. */
struct head {
    struct addr from, to;
    uint32_t sender;
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

uint32_t datagram_sender(const struct sim_event *ev)
{
    return head_of(ev).sender;
}

const uint8_t *datagram_data(const struct sim_event *ev)
{
    return ev->data + sizeof(struct head);
}

/* ---- ports and links ------------------------------------------------------------------ */

static int add(struct sim *sim, struct sim_node *n, uint16_t port, const struct addr *to,
               link_t *out)
{
    struct sim_conn *c = links_new(sim, n, LINK_DATAGRAM);
    struct sim_event *ev;
    struct sim_end *end;
    if (!c)
        return ERR_LIMIT;
    end = &c->end[0];
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
    for (const struct accept *a = node_accepts(sim->spec, n->id); a && a->port; a++) {
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
    if (addr_equal(&to, &nowhere)) {
        rc = add(sim, n, links_port(n), NULL, out);
    } else {
        if (to.port == 0)
            return ERR_INVALID;
        nat_own_address(&sim->nat, &to);
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
    struct sim_node *n = end->node;
    struct sim_conn **at = &n->datagrams;
    bool others = false;
    while (*at != sim_conn_of(end))
        at = &(*at)->next;
    *at = sim_conn_of(end)->next;
    for (const struct sim_conn *c = n->datagrams; c; c = c->next)
        others |= c->end[0].port == end->port;
    if (!others && n->datagram_port == end->port)
        n->datagram_port = 0; /* who opens another gets a new one */
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

static enum drop send_out(struct sim *sim, struct sim_end *end, const struct addr *to, ns_t at,
                          struct head *head)
{
    struct nat_packet p = translate_packet(sim, end, NAT_UDP, to);
    enum drop drop = nat_send(&sim->nat, end->node->id, &p, at);
    *head = (struct head){.from = p.from, .to = p.to, .sender = end->node->id};
    end->seen = p.from.port;
    return drop;
}

static bool planted_loss(struct sim *sim)
{
    if (!sim->plan || ++sim->messages != sim->plan->lose_message)
        return false;
    sim->result->faults_fired++;
    return true;
}

/* What the two have in common; NULL: nothing that datagrams need, or no memory. */
static struct udp_pair *pair_of(struct sim *sim, const struct sim_node *from,
                                const struct sim_node *to, const struct link_path *path)
{
    uint32_t key = 1 + (from->id * 40503U ^ to->id), i;
    struct sim_pair *p;
    if (path->loss.burst <= 1 && !path->rate_bps && !sim->faults.n)
        return NULL;
    key += key == 0;
    i = map_get(&sim->pairs_by_nodes, key, UINT32_MAX);
    for (uint32_t k = i; k != UINT32_MAX; k = sim->pairs[k].next)
        if (sim->pairs[k].from == from->id && sim->pairs[k].to == to->id)
            return &sim->pairs[k].pair;
    if (sim->n_pairs == sim->cap_pairs) {
        uint32_t cap = sim->cap_pairs ? 2 * sim->cap_pairs : 16;
        struct sim_pair *more = realloc(sim->pairs, cap * sizeof *more);
        if (!more) {
            sim->broken = ERR_NOMEM;
            return NULL;
        }
        sim->pairs = more;
        sim->cap_pairs = cap;
    }
    p = &sim->pairs[sim->n_pairs];
    *p = (struct sim_pair){.from = from->id, .to = to->id, .next = i};
    if (map_put(&sim->pairs_by_nodes, key, sim->n_pairs++) != OK)
        sim->broken = ERR_NOMEM;
    return &p->pair;
}

int datagram_send(struct sim *sim, struct sim_end *end, struct addr to, const void *data,
                  size_t len)
{
    struct sim_node *n = end->node;
    ns_t at = n->env.now + n->env.spent;
    uint16_t port;
    struct sim_node *target = translate_target(sim, NAT_UDP, &to, at, &port);
    struct sim_event *ev;
    struct link_path path;
    struct link_train train;
    struct head head;
    struct dice dice;
    enum drop drop;
    if (len > UDP_PAYLOAD_MAX) {
        watch_drop(sim, n, target, (uint32_t)(len < UINT32_MAX ? len : UINT32_MAX), DROP_MTU);
        return ERR_TOO_BIG;
    }
    if (to.port == 0)
        return ERR_INVALID;
    wire_count(n, (uint32_t)len + UDP_HEADERS, 1);
    drop = send_out(sim, end, &to, at, &head);
    if (sim->wants)
        watch_send_to(sim, end, &head.from, &to, target, len);
    if (drop == DROP_COUNT && planted_loss(sim))
        drop = DROP_FAULT;
    if (drop == DROP_COUNT && !target)
        drop = DROP_NO_ROUTE;
    if (drop != DROP_COUNT) {
        watch_drop(sim, n, target, (uint32_t)len, drop);
        return OK;
    }
    path = link_path(sim->spec->regions, &n->host, &target->host);
    faults_mend(&sim->faults, n->id, target->id, &path);
    dice = dice_name(sim->seed, "datagram", n->id, target->id, links_number(sim, n, target));
    drop = udp_send(&path, &sim->faults, n->id, target->id, &n->host, at, (uint32_t)len,
                    pair_of(sim, n, target, &path), &dice, &train);
    if (sim->tap && drop != DROP_QUEUE)
        tap_datagram(sim, end, target, &to, data, (uint32_t)len);
    if (drop != DROP_COUNT) {
        watch_drop(sim, n, target, (uint32_t)len, drop);
        return OK;
    }
    ev = sim_event_new(sim, SIM_DATAGRAM, sizeof head + len + sim->tail);
    if (!ev)
        return OK;
    memcpy(ev->data, &head, sizeof head);
    if (len)
        memcpy(ev->data + sizeof head, data, len);
    memcpy(ev->data + sizeof head + len, &sim->truth, sim->tail);
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
    struct nat_packet p = {.protocol = NAT_UDP, .from = head->from, .to = head->to};
    struct sim_end *end;
    uint32_t host;
    enum drop drop;
    if (sim->wants && !ev->staged)
        watch_come_from(sim, ev, &sim->nodes[head->sender], n, &head->from, &head->to);
    if (ev->staged) {
        uint32_t bytes = ev->len + UDP_HEADERS;
        struct link_train train = {
            .first = sim->now, .last = sim->now, .bytes = bytes, .head = bytes, .tail = bytes};
        drop = udp_receive(&n->host, &train);
        ev->staged = false;
        if (drop == DROP_COUNT)
            sim_push(sim, train.last, ev);
        return drop;
    }
    drop = nat_receive(&sim->nat, &p, &host, sim->now);
    if (drop != DROP_COUNT)
        return drop;
    if (host != NAT_NONE_SUCH)
        n = &sim->nodes[host]; /* mapped since it was sent, or to another */
    end = find(n, p.to.port, &p.from);
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
