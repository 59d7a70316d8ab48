#include "engine/worlds/link/nat_punch.h"

#include "engine/worlds/link/nat.h"

enum { A, B, THIRD, HOSTS, PORT = 4000, TARGETS = 8, ROUNDS = 4 };

struct puncher {
    struct nat nat;
    struct addr targets[2][TARGETS]; /* where each of the two sends */
    unsigned n[2];
    struct roster_entry entries[HOSTS];
};

static bool is_public(const struct puncher *p, const struct addr *a, uint32_t *host)
{
    for (uint32_t i = 0; i < HOSTS; i++)
        if (memcmp(p->entries[i].addr.ip, a->ip, 16) == 0 && !nat_inside(&p->nat, i)) {
            *host = i;
            return true;
        }
    return false;
}

/* A datagram of a host from its one port; true if it gets to the host `want`, which then knows
 * *seen. */
static bool passes(struct puncher *p, uint32_t from, const struct addr *to, uint32_t want,
                   struct addr *seen)
{
    struct nat_packet packet = {.protocol = NAT_UDP, .from = p->entries[from].addr, .to = *to};
    uint32_t host;
    packet.from.port = PORT;
    if (nat_send(&p->nat, from, &packet, 0) != DROP_COUNT)
        return false;
    *seen = packet.from;
    if (nat_receive(&p->nat, &packet, &host, 0) != DROP_COUNT)
        return false;
    return (host != NAT_NONE_SUCH || is_public(p, to, &host)) && host == want &&
           packet.to.port == PORT;
}

static void learn(struct puncher *p, unsigned who, const struct addr *target)
{
    for (unsigned i = 0; i < p->n[who]; i++)
        if (addr_equal(&p->targets[who][i], target))
            return;
    if (p->n[who] < TARGETS)
        p->targets[who][p->n[who]++] = *target;
}

/* One check of each target; true if an answer came back from it. */
static bool check(struct puncher *p, unsigned who)
{
    unsigned other = 1 - who;
    for (unsigned i = 0; i < p->n[who]; i++) {
        struct addr seen, answer;
        if (!passes(p, who, &p->targets[who][i], other, &seen))
            continue;
        learn(p, other, &seen);
        if (passes(p, other, &seen, who, &answer) && addr_equal(&answer, &p->targets[who][i]))
            return true;
    }
    return false;
}

static bool punch(struct puncher *p, unsigned first)
{
    struct addr third = p->entries[THIRD].addr, seen;
    third.port = PORT;
    for (unsigned i = 0; i < 2; i++)
        if (passes(p, i, &third, THIRD, &seen))
            learn(p, 1 - i, &seen);
    for (unsigned round = 0; round < ROUNDS; round++)
        if (check(p, first) || check(p, 1 - first))
            return true;
    return false;
}

bool nat_can_punch(const struct host_spec *a, const struct host_spec *b)
{
    bool good = true;
    for (unsigned first = 0; good && first < 2; first++) {
        const struct host_spec hosts[HOSTS] = {*a, *b, {.nat = NAT_NONE}};
        struct puncher p = {0};
        for (unsigned i = 0; i < HOSTS; i++)
            p.entries[i].addr.ip[15] = (uint8_t)(i + 1);
        good = nat_init(&p.nat, hosts, p.entries, HOSTS, 1) == OK && punch(&p, first);
        nat_free(&p.nat);
    }
    return good;
}
