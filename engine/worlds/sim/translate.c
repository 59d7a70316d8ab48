/* Addresses, and the boxes between hosts. */
#include "engine/worlds/sim/inner.h"

static struct addr own_address(const struct sim *sim, const struct sim_node *n, uint16_t port)
{
    struct addr a = sim->spec->roster->entries[n->id].addr;
    a.port = port;
    return a;
}

struct sim_node *translate_target(struct sim *sim, enum nat_protocol protocol,
                                  const struct addr *to, ns_t at, uint16_t *port)
{
    uint32_t host = nat_locate(&sim->nat, protocol, to, at, port);
    struct sim_node *n = host == NAT_NONE_SUCH ? sim_node_at(sim, to->ip) : &sim->nodes[host];
    return n && host == NAT_NONE_SUCH && nat_inside(&sim->nat, n->id) ? NULL : n;
}

struct sim_node *translate_owner(const struct sim *sim, const struct addr *a)
{
    party_t owner;
    if (!nat_owner(&sim->nat, a, &owner))
        return sim_node_at(sim, a->ip);
    return owner == PARTY_NONE ? NULL : &sim->nodes[owner];
}

struct addr translate_seen(const struct sim *sim, const struct sim_end *end)
{
    struct addr a = own_address(sim, end->node, end->seen);
    uint32_t box = nat_outermost(&sim->nat, end->node->id);
    if (end->neighbours)
        nat_private(end->node->id, a.ip);
    else if (box != NAT_NONE_SUCH)
        memcpy(a.ip, sim->nat.boxes[box].address.ip, sizeof a.ip);
    return a;
}

struct nat_packet translate_packet(const struct sim *sim, const struct sim_end *from,
                                   enum nat_protocol protocol, const struct addr *to)
{
    return (struct nat_packet){
        .protocol = protocol, .from = own_address(sim, from->node, from->port), .to = *to};
}

enum drop translate_dial(struct sim *sim, struct sim_end *end, ns_t at)
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    struct nat_packet p = translate_packet(sim, end, NAT_TCP, &sim_conn_of(end)->to);
    enum drop drop;
    p.flag = NAT_SYN;
    drop = nat_send(&sim->nat, end->node->id, &p, at);
    end->seen = p.from.port;
    end->neighbours = sim_peer(end)->neighbours =
        sim->nat.n_boxes && p.to.ip[12] == 10 && memcmp(p.to.ip, v4, sizeof v4) == 0;
    return drop;
}

enum drop translate_stream(struct sim *sim, struct sim_end *from, enum nat_flag flag, ns_t at)
{
    const struct sim_end *dialler = &sim_conn_of(from)->end[0], *to = sim_peer(from);
    struct addr target = from == dialler ? sim_conn_of(from)->to : translate_seen(sim, dialler);
    struct nat_packet p;
    uint32_t host;
    enum drop drop;
    if (!nat_inside(&sim->nat, from->node->id) && !nat_inside(&sim->nat, to->node->id))
        return DROP_COUNT;
    p = translate_packet(sim, from, NAT_TCP, &target);
    p.flag = flag;
    drop = nat_send(&sim->nat, from->node->id, &p, at);
    if (drop == DROP_COUNT)
        drop = nat_receive(&sim->nat, &p, &host, at);
    if (drop == DROP_COUNT && host != NAT_NONE_SUCH &&
        (host != to->node->id || p.to.port != to->port))
        drop = DROP_NAT_NO_MAPPING;
    return drop;
}
