/* Numbers for addresses, and what access routers make of them (link/nat.h). */
#include "engine/worlds/ns3/inner.h"

uint32_t address_number(struct ns3 *w, const uint8_t ip[16])
{
    const struct ns3_node *n = host_at(w, ip);
    uint32_t id;
    if (n && !nat_inside(&w->nat, n->id))
        return n->id;
    for (id = 0; w->nat.n_boxes && id < w->n_nodes; id++) {
        uint8_t own[16];
        nat_private(id, own);
        if (nat_inside(&w->nat, id) && memcmp(own, ip, sizeof own) == 0)
            return id;
    }
    for (id = 0; id < w->n_addresses; id++)
        if (memcmp(w->addresses[id], ip, sizeof *w->addresses) == 0)
            return w->n_nodes + id;
    if (w->n_addresses == w->cap_addresses) {
        uint32_t cap = w->cap_addresses ? 2 * w->cap_addresses : 16;
        void *more = realloc(w->addresses, cap * sizeof *w->addresses);
        if (!more) {
            ns3_break(w, ERR_NOMEM);
            return NET_NOBODY;
        }
        w->addresses = more;
        w->cap_addresses = cap;
    }
    memcpy(w->addresses[w->n_addresses], ip, sizeof *w->addresses);
    return w->n_nodes + w->n_addresses++;
}

struct addr address_of(const struct ns3 *w, uint32_t number, uint16_t port)
{
    struct addr a = {0};
    if (number < w->n_nodes && nat_inside(&w->nat, number))
        nat_private(number, a.ip);
    else if (number < w->n_nodes)
        a = w->spec->roster->entries[number].addr;
    else if (number - w->n_nodes < w->n_addresses)
        memcpy(a.ip, w->addresses[number - w->n_nodes], sizeof a.ip);
    a.port = port;
    return a;
}

struct ns3_node *address_target(struct ns3 *w, enum nat_protocol protocol, const struct addr *to,
                                uint16_t *port)
{
    uint32_t host = nat_locate(&w->nat, protocol, to, w->now, port);
    struct ns3_node *n;
    if (host != NAT_NONE_SUCH)
        return &w->nodes[host];
    n = host_at(w, to->ip);
    return n && !nat_inside(&w->nat, n->id) ? n : NULL;
}

struct ns3_node *address_owner(const struct ns3 *w, const struct addr *a)
{
    party_t owner;
    if (!nat_owner(&w->nat, a, &owner))
        return host_at(w, a->ip);
    return owner == PARTY_NONE ? NULL : &w->nodes[owner];
}

/* ---- another address ------------------------------------------------------------------ */

/* After its address has changed a public host is seen elsewhere by those who knew it before: in
 * 2001:db8:fffe::/48. New connections take the published address again. */
static void elsewhere(uint32_t host, uint8_t ip[16])
{
    static const uint8_t prefix[6] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xfe};
    memset(ip, 0, 16);
    memcpy(ip, prefix, sizeof prefix);
    for (int i = 0; i < 4; i++)
        ip[12 + i] = (uint8_t)(host >> (24 - 8 * i));
}

/* Is this of a connection from before the change? */
static bool severed(const struct ns3 *w, uint32_t host, const struct net_packet *p, bool leaves)
{
    const struct ns3_node *n = &w->nodes[host];
    uint16_t own = leaves ? p->from_port : p->to_port;
    struct addr peer =
        leaves ? address_of(w, p->to, p->to_port) : address_of(w, p->from, p->from_port);
    if (!n->moved || !p->tcp)
        return false;
    for (uint32_t i = 0; i < n->n_links; i++) {
        const struct ns3_end *end = n->links[i];
        if (end->severed && net_socket_port(end->socket) == own && addr_equal(&end->remote, &peer))
            return true;
    }
    return false;
}

static void sever(struct ns3 *w, struct ns3_node *n)
{
    uint8_t ip[16];
    for (uint32_t i = 0; i < n->n_links; i++) {
        struct ns3_end *end = n->links[i];
        if (end->kind != LINK_DATAGRAM && end->socket && end->state == END_OPEN)
            n->moved = end->severed = true;
    }
    if (n->moved && !nat_inside(&w->nat, n->id)) {
        elsewhere(n->id, ip);
        n->elsewhere = address_number(w, ip);
    }
}

struct ns3_node *address_moved(const struct ns3 *w, uint32_t number)
{
    for (uint32_t i = 0; number >= w->n_nodes && i < w->n_nodes; i++)
        if (w->nodes[i].elsewhere == number)
            return &w->nodes[i];
    return NULL;
}

void address_change(struct ns3 *w, struct ns3_node *n)
{
    bool boxed = nat_inside(&w->nat, n->id);
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (i == n->id || (boxed && nat_outermost(&w->nat, i) == nat_outermost(&w->nat, n->id)))
            sever(w, &w->nodes[i]);
    if (boxed && nat_readdress(&w->nat, n->id) == ERR_NOMEM)
        ns3_break(w, ERR_NOMEM);
}

/* ---- routers -------------------------------------------------------------------------- */

static enum nat_flag flag_of(const struct net_packet *p)
{
    return p->rst ? NAT_RST : p->syn ? NAT_SYN : p->fin ? NAT_FIN : NAT_DATA;
}

static struct nat_packet packet_of(const struct ns3 *w, const struct net_packet *p)
{
    return (struct nat_packet){.protocol = p->tcp ? NAT_TCP : NAT_UDP,
                               .flag = flag_of(p),
                               .from = address_of(w, p->from, p->from_port),
                               .to = address_of(w, p->to, p->to_port)};
}

static void rewrite(struct ns3 *w, struct net_packet *p, const struct nat_packet *now)
{
    p->from = address_number(w, now->from.ip);
    p->from_port = now->from.port;
    p->to = address_number(w, now->to.ip);
    p->to_port = now->to.port;
}

enum drop address_leave(struct ns3 *w, struct net_packet *p)
{
    bool lost = severed(w, p->host, p, true);
    struct nat_packet n;
    enum drop drop;
    if (lost && w->nodes[p->host].elsewhere) {
        p->from = w->nodes[p->host].elsewhere;
        return DROP_COUNT;
    }
    if (w->nat.n_boxes == 0)
        return DROP_COUNT;
    n = packet_of(w, p);
    if (lost)
        n.flag = NAT_SYN; /* a box maps a connection that it has forgotten anew */
    drop = nat_send(&w->nat, p->host, &n, w->now);
    if (drop == DROP_COUNT)
        rewrite(w, p, &n);
    return drop;
}

enum drop address_enter(struct ns3 *w, struct net_packet *p, uint32_t *host)
{
    const struct ns3_node *moved = address_moved(w, p->to);
    struct nat_packet n;
    enum drop drop;
    if (moved) {
        *host = p->to = moved->id;
        return DROP_COUNT;
    }
    *host = p->to;
    if (p->to < w->n_nodes && !nat_inside(&w->nat, p->to) && severed(w, p->to, p, false))
        return DROP_NO_ROUTE;
    if (w->nat.n_boxes == 0)
        return p->to < w->n_nodes ? DROP_COUNT : DROP_NO_ROUTE;
    n = packet_of(w, p);
    drop = nat_receive(&w->nat, &n, host, w->now);
    if (drop != DROP_COUNT)
        return drop;
    if (*host == NAT_NONE_SUCH)
        *host = p->to;
    rewrite(w, p, &n);
    return *host < w->n_nodes ? DROP_COUNT : DROP_NO_ROUTE;
}
