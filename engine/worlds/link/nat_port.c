/* Which outer port a new mapping gets: RFC 4787, 4.2 (REQ-3, REQ-4), RFC 6888 REQ-4. */
#include "engine/worlds/link/nat.h"

enum { PORT_MIN = 1, PORT_MIDDLE = 1024, PORT_MAX = 65535 };

/* The ports that may be taken: first, first + step, ... , n of them (REQ-3 a and b: privileged
 * ones to privileged ones; REQ-4: parity). */
struct ports {
    uint32_t first, step, n;
};

static struct ports ports_for(const struct nat_spec *spec, uint16_t inner)
{
    uint32_t low = inner < PORT_MIDDLE ? PORT_MIN : PORT_MIDDLE;
    uint32_t high = inner < PORT_MIDDLE ? PORT_MIDDLE - 1 : PORT_MAX;
    struct ports p = {.first = low, .step = 1};
    if (spec->parity) {
        p.first += (low ^ inner) & 1;
        p.step = 2;
    }
    p.n = (high - p.first) / p.step + 1;
    return p;
}

/* Where the search begins. */
static uint32_t start_of(struct nat_box *box, const struct ports *p, uint16_t inner)
{
    switch (box->spec->ports) {
    case NAT_PRESERVING:
        return inner < p->first ? 0 : (inner - p->first) / p->step % p->n;
    case NAT_SEQUENTIAL:
        return box->next_port <= p->first
                   ? 0
                   : (box->next_port - p->first + p->step - 1) / p->step % p->n;
    case NAT_RANDOM:
        break;
    }
    return (uint32_t)dice_below(&box->dice, p->n);
}

/* The mapping that keeps this port from m, or NAT_NONE_SUCH: one of the same protocol, or of
 * another inside. */
static uint32_t taken_by(struct nat *nat, const struct nat_mapping *m, uint16_t port, ns_t now)
{
    enum nat_protocol mine = (enum nat_protocol)m->protocol;
    uint32_t i = nat_find_outer(nat, m->box, mine, port, now);
    if (i != NAT_NONE_SUCH)
        return i;
    i = nat_find_outer(nat, m->box, mine == NAT_UDP ? NAT_TCP : NAT_UDP, port, now);
    return i != NAT_NONE_SUCH && nat->table.mappings[i].inside != m->inside ? i : NAT_NONE_SUCH;
}

bool nat_port_free(struct nat *nat, const struct nat_mapping *m, uint16_t port, ns_t now)
{
    return taken_by(nat, m, port, now) == NAT_NONE_SUCH;
}

/* Does this subscriber use all ports that it may? Forgets those that it no longer uses. */
static bool at_limit(struct nat *nat, struct nat_inside *inside, uint32_t limit, ns_t now)
{
    uint32_t i = inside->mappings;
    if (!limit || inside->n < limit)
        return false;
    if (now < inside->look_at)
        return true;
    inside->look_at = NS_NEVER;
    while (i != NAT_NONE_SUCH) {
        const struct nat_mapping *m = &nat->table.mappings[i];
        uint32_t next = m->next;
        if (!m->forward && m->expires <= now)
            nat_remove_mapping(nat, i);
        else if (m->expires < inside->look_at)
            inside->look_at = m->expires;
        i = next;
    }
    return inside->n >= limit;
}

enum drop nat_port_take(struct nat *nat, const struct nat_mapping *m, ns_t now, uint16_t *port)
{
    struct nat_box *box = &nat->boxes[m->box];
    struct ports p = ports_for(box->spec, m->inner_port);
    struct nat_full *full = &box->full;
    ns_t until = NS_NEVER;
    uint32_t start;
    if (at_limit(nat, &nat->insides[m->inside], box->spec->port_limit, now))
        return DROP_NAT_PORT_LIMIT;
    if (now < full->until && full->inside == m->inside && full->first == p.first &&
        full->protocol == m->protocol)
        return DROP_NAT_FULL;
    start = start_of(box, &p, m->inner_port);
    for (uint32_t k = 0; k < p.n; k++) {
        uint32_t at = p.first + (start + k) % p.n * p.step;
        uint32_t other = taken_by(nat, m, (uint16_t)at, now);
        if (other == NAT_NONE_SUCH) {
            box->next_port = at + 1;
            *port = (uint16_t)at;
            return DROP_COUNT;
        }
        if (nat->table.mappings[other].expires < until)
            until = nat->table.mappings[other].expires;
    }
    *full = (struct nat_full){until, m->inside, p.first, m->protocol};
    return DROP_NAT_FULL;
}
