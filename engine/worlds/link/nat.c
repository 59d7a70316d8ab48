#include "engine/worlds/link/nat.h"

/* ---- packets -------------------------------------------------------------------------- */

/* The mapping that an outbound packet is of; made if need be. */
static enum drop mapping_for(struct nat *nat, struct nat_mapping *key, const struct nat_packet *p,
                             uint32_t host, ns_t now, uint32_t *out)
{
    const struct nat_box *box = &nat->boxes[key->box];
    enum drop drop;
    *out = box->forwards ? nat_find_inner(nat, key, now) : NAT_NONE_SUCH;
    if (*out != NAT_NONE_SUCH && nat->table.mappings[*out].forward)
        return DROP_COUNT;
    if (box->spec->mapping != NAT_ENDPOINT_INDEPENDENT)
        memcpy(key->remote.ip, p->to.ip, 16);
    if (box->spec->mapping == NAT_ADDRESS_AND_PORT_DEPENDENT)
        key->remote.port = p->to.port;
    *out = nat_find_inner(nat, key, now);
    if (*out != NAT_NONE_SUCH)
        return DROP_COUNT;
    if (p->protocol == NAT_TCP && p->flag != NAT_SYN)
        return DROP_NAT_NO_MAPPING;
    drop = nat_port_take(nat, key, now, &key->outer_port);
    if (drop != DROP_COUNT)
        return drop;
    *out = nat_add_mapping(nat, key, now);
    if (*out == NAT_NONE_SUCH || nat_note_user(nat, key->box, key->outer_port, host) != OK)
        return DROP_NAT_FULL;
    return DROP_COUNT;
}

/* Through one box, outward. */
static enum drop translate(struct nat *nat, uint32_t box, uint32_t inside, uint32_t host,
                           struct nat_packet *p, ns_t now)
{
    const struct nat_box *b = &nat->boxes[box];
    struct nat_mapping key = {.inner_port = p->from.port,
                              .protocol = (uint8_t)p->protocol,
                              .box = box,
                              .inside = inside,
                              .expires = now};
    uint32_t m;
    enum drop drop;
    if (b->spec->udp_blocked && p->protocol == NAT_UDP)
        return DROP_UDP_BLOCKED;
    drop = mapping_for(nat, &key, p, host, now, &m);
    if (drop == DROP_COUNT)
        drop = nat_pass_out(nat, m, p->flag, &p->to, now);
    if (drop != DROP_COUNT)
        return drop;
    p->from = b->address;
    p->from.port = nat->table.mappings[m].outer_port;
    return DROP_COUNT;
}

enum drop nat_send(struct nat *nat, uint32_t host, struct nat_packet *p, ns_t now)
{
    uint32_t inside = host, realm, target, neighbour;
    bool local, lost;
    if (nat->n_boxes == 0)
        return DROP_COUNT;
    realm = nat->insides[host].box;
    neighbour = nat_private_of(nat, p->to.ip, &local);
    if (local) {
        nat_private(host, p->from.ip);
        return neighbour != NAT_NONE_SUCH && realm == nat->insides[neighbour].box &&
                       realm != NAT_NONE_SUCH
                   ? DROP_COUNT
                   : DROP_NO_ROUTE;
    }
    target = nat_box_at(nat, p->to.ip, &lost);
    nat_own_address(nat, &p->to);
    if (target != NAT_NONE_SUCH && realm != NAT_NONE_SUCH && nat->boxes[target].outer == realm) {
        nat_private(host, p->from.ip); /* to a home on the carrier's own network */
        return DROP_COUNT;
    }
    while (realm != NAT_NONE_SUCH) {
        uint32_t outward = nat->boxes[realm].outer;
        enum drop drop = translate(nat, realm, inside, host, p, now);
        if (drop != DROP_COUNT)
            return drop;
        if (target == realm && !nat->boxes[realm].spec->hairpin)
            return DROP_NAT_HAIRPIN;
        inside = nat->n_hosts + realm;
        realm = outward;
        if (target != NAT_NONE_SUCH && nat->boxes[target].outer == realm)
            return DROP_COUNT;
    }
    return lost || (target != NAT_NONE_SUCH && nat->boxes[target].outer != NAT_NONE_SUCH)
               ? DROP_NO_ROUTE
               : DROP_COUNT;
}

enum drop nat_receive(struct nat *nat, struct nat_packet *p, uint32_t *host, ns_t now)
{
    bool local, lost;
    uint32_t box, inside;
    *host = NAT_NONE_SUCH;
    if (nat->n_boxes == 0)
        return DROP_COUNT;
    *host = nat_private_of(nat, p->to.ip, &local);
    if (local)
        return *host == NAT_NONE_SUCH ? DROP_NO_ROUTE : DROP_COUNT;
    box = nat_box_at(nat, p->to.ip, &lost);
    if (box == NAT_NONE_SUCH)
        return lost ? DROP_NO_ROUTE : DROP_COUNT;
    for (;;) {
        uint32_t m;
        enum drop drop;
        if (nat->boxes[box].spec->udp_blocked && p->protocol == NAT_UDP)
            return DROP_UDP_BLOCKED;
        m = nat_find_outer(nat, box, p->protocol, p->to.port, now);
        if (m == NAT_NONE_SUCH)
            return DROP_NAT_NO_MAPPING;
        drop = nat_pass_in(nat, m, p->flag, &p->from, now);
        if (drop != DROP_COUNT)
            return drop;
        inside = nat->table.mappings[m].inside;
        p->to.port = nat->table.mappings[m].inner_port;
        if (inside < nat->n_hosts)
            break;
        box = inside - nat->n_hosts;
    }
    nat_private(inside, p->to.ip);
    *host = inside;
    return DROP_COUNT;
}

void nat_own_address(const struct nat *nat, struct addr *a)
{
    bool lost;
    uint32_t box = nat->n_boxes ? nat_box_at(nat, a->ip, &lost) : NAT_NONE_SUCH;
    if (box != NAT_NONE_SUCH)
        memcpy(a->ip, nat->boxes[box].address.ip, 16);
}

uint32_t nat_locate(struct nat *nat, enum nat_protocol protocol, const struct addr *to, ns_t now,
                    uint16_t *port)
{
    bool local, lost;
    uint32_t box, host, published;
    *port = to->port;
    if (nat->n_boxes == 0)
        return NAT_NONE_SUCH;
    host = nat_private_of(nat, to->ip, &local);
    box = local ? NAT_NONE_SUCH : nat_box_at(nat, to->ip, &lost);
    published = box != NAT_NONE_SUCH ? nat_address_find(nat, to->ip)->host : NAT_NONE_SUCH;
    while (box != NAT_NONE_SUCH) {
        uint32_t m = nat_find_outer(nat, box, protocol, *port, now), inside;
        if (m == NAT_NONE_SUCH)
            return published != NAT_NONE_SUCH ? published : nat->boxes[box].first;
        inside = nat->table.mappings[m].inside;
        *port = nat->table.mappings[m].inner_port;
        box = inside < nat->n_hosts ? NAT_NONE_SUCH : inside - nat->n_hosts;
        host = inside;
    }
    return host;
}
