#include "engine/worlds/ns3/inner.h"

enum { PATH_QUEUE = 1000 * 1500 }; /* bytes, at a link with a rate of its own */

/* Is the loss rate of this host's access replaced on some path? */
static bool is_replaced(const struct trial_spec *t, uint32_t id)
{
    for (size_t i = 0; i < t->n_links; i++)
        if (t->links[i].loss_ppm >= 0 && (t->links[i].a == id || t->links[i].b == id))
            return true;
    for (size_t i = 0; i < t->n_actions; i++) {
        const struct action *a = &t->actions[i];
        if (a->kind == ACT_LINK && a->loss_ppm >= 0 && (a->a == id || a->b == id))
            return true;
    }
    return false;
}

int core_init(struct ns3 *w)
{
    const struct trial_spec *t = w->spec;
    size_t n = w->n_nodes;
    int rc = nat_init(&w->nat, t->hosts, t->roster->entries, t->roster->n, w->seed);
    if (rc == OK)
        rc = faults_init(&w->faults, t->actions, t->n_actions);
    faults_fix(&w->faults, t->links, t->n_links);
    if (rc != OK)
        return rc;
    w->paths = calloc(n * n, sizeof *w->paths);
    for (uint32_t i = 0; i < w->n_nodes; i++) {
        struct ns3_node *node = &w->nodes[i];
        node->access = t->hosts[i].access;
        node->line = (struct link_host){.access = &node->access, .region = t->hosts[i].region};
        if (node->access.burst <= 1 && !is_replaced(t, i))
            node->access.loss_ppm = 0; /* the line's own business */
    }
    return w->paths ? OK : ERR_NOMEM;
}

/* Without the lines' latency, which they have themselves. */
static struct link_path way(const struct ns3 *w, const struct ns3_node *a, const struct ns3_node *b)
{
    struct link_path p = link_path(w->spec->regions, &a->line, &b->line);
    faults_mend(&w->faults, a->id, b->id, &p);
    faults_bend(&w->faults, a->id, b->id, w->now, &p);
    p.delay -= a->access.latency + b->access.latency;
    return p;
}

/* A bottleneck between the lines. False: its queue is full. */
static bool squeeze(struct ns3_path *path, const struct link_path *way, ns_t now, uint32_t bytes,
                    ns_t *out)
{
    ns_t start = path->rate_free > now ? path->rate_free : now;
    int64_t queued_bits = (start - now) / NS_US * way->rate_bps / 1000000;
    *out = now;
    if (!way->rate_bps)
        return true;
    if (queued_bits / 8 + bytes > PATH_QUEUE)
        return false;
    *out = path->rate_free =
        start + (ns_t)(((uint64_t)bytes * 8000000000U + (uint64_t)way->rate_bps - 1) /
                       (uint64_t)way->rate_bps);
    return true;
}

/* A SYN that the box has no port for: the dialler's system says so. */
static void no_port(struct ns3 *w, uint32_t host, uint16_t port)
{
    struct ns3_node *n = &w->nodes[host];
    for (uint32_t i = 0; i < n->n_links; i++) {
        struct ns3_end *end = n->links[i];
        if (end->dialled && end->state == END_CONNECTING && end->socket &&
            net_socket_port(end->socket) == port)
            event_simple(n, end, TELL_DOWN, DOWN_NAT, w->now);
    }
}

/* Through the sender's router; NULL: it is lost. */
static const struct ns3_node *leave(struct ns3 *w, struct net_packet *p)
{
    enum nat_protocol protocol = p->tcp ? NAT_TCP : NAT_UDP;
    struct addr to = address_of(w, p->to, p->to_port);
    uint16_t port;
    const struct ns3_node *target = address_target(w, protocol, &to, &port);
    uint16_t own = p->from_port;
    enum drop drop = address_leave(w, p);
    if (drop == DROP_COUNT)
        witness_router(w, p, own, target);
    if (!target)
        target = address_moved(w, p->to);
    if (drop == DROP_COUNT && !target)
        drop = DROP_NO_ROUTE;
    if (drop == DROP_COUNT)
        return target;
    witness_drop(w, p->host, target ? target->id : PARTY_NONE, p->bytes, drop);
    if (p->syn && (drop == DROP_NAT_PORT_LIMIT || drop == DROP_NAT_FULL))
        no_port(w, p->host, own);
    return NULL;
}

uint32_t core_arrives(void *ctx, struct net_packet *p)
{
    struct ns3 *w = ctx;
    struct addr to = address_of(w, p->to, p->to_port);
    struct ns3_node *owner = address_owner(w, &to);
    uint32_t host;
    enum drop drop;
    w->now = net_now();
    drop = address_enter(w, p, &host);
    if (drop == DROP_COUNT)
        return host;
    if (owner && !p->tcp)
        witness_packet(owner, p);
    witness_drop(w, p->host, owner ? owner->id : PARTY_NONE, p->bytes, drop);
    return NET_NOBODY;
}

int64_t core_pass(void *ctx, struct net_packet *p)
{
    struct ns3 *w = ctx;
    const struct ns3_node *from = &w->nodes[p->host], *to;
    struct link_path how;
    struct ns3_path *path;
    enum drop drop = DROP_COUNT;
    struct dice d;
    ns_t at;
    w->now = net_now();
    to = leave(w, p);
    if (!to)
        return -1;
    path = &w->paths[(size_t)from->id * w->n_nodes + to->id];
    how = way(w, from, to);
    d = dice_name(w->seed, "packet", from->id, to->id, path->packets++);
    if (faults_cut(&w->faults, from->id, to->id, w->now))
        drop = DROP_PARTITION;
    else if (loss_hits(&path->loss, &how.loss, &d))
        drop = DROP_LOSS;
    else if (!squeeze(path, &how, w->now, p->bytes, &at))
        drop = DROP_QUEUE;
    if (drop != DROP_COUNT) {
        witness_drop(w, from->id, to->id, p->bytes, drop);
        return -1;
    }
    at += how.delay + link_jitter(&how, &d);
    if (p->tcp) {
        at = at > path->last ? at : path->last;
        path->last = at;
    }
    return at;
}
