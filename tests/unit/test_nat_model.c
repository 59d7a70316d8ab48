/* links: every .c of engine/worlds/link, engine/base/map.c engine/base/prng.c */
/* The NAT model against one without hashes, pools or laziness: random datagrams, and each
 * answer compared. */
#include "tests/unit/nat_bed.h"

enum { INSIDE = 4, REMOTES = 2, PORTS = 6, FIRST = 5, SENT = 4096, STEPS = 60000 };

/* An outbound datagram that was translated. */
struct sent {
    unsigned host;
    uint16_t port;
    struct addr to, outer;
    ns_t when;
};

static struct sent sent[SENT];
static size_t n_sent;

static bool same_for(enum nat_rule rule, const struct addr *a, const struct addr *b)
{
    return rule == NAT_ENDPOINT_INDEPENDENT ||
           (memcmp(a->ip, b->ip, 16) == 0 && (rule == NAT_ADDRESS_DEPENDENT || a->port == b->port));
}

static bool lives(const struct sent *s, ns_t timeout)
{
    return bed.now < s->when + timeout;
}

/* The newest that was sent by the same mapping; NULL: none that is still in force. */
static const struct sent *mapped(unsigned host, uint16_t port, const struct addr *to)
{
    const struct nat_spec *spec = &bed.specs[host];
    for (size_t i = n_sent; i-- > 0 && lives(&sent[i], spec->udp_timeout);)
        if (sent[i].host == host && sent[i].port == port &&
            same_for(spec->mapping, &sent[i].to, to))
            return &sent[i];
    return NULL;
}

static void forget_old(void)
{
    size_t kept = 0;
    if (n_sent < SENT)
        return;
    for (size_t i = SENT / 2; i < SENT; i++)
        sent[kept++] = sent[i];
    n_sent = kept;
    assert_false(lives(&sent[0], 10 * NS_S));
}

static struct addr remote(struct dice *d)
{
    return at(FIRST + (unsigned)dice_below(d, REMOTES), (uint16_t)(80 + dice_below(d, 3)));
}

static void send_one(struct dice *d)
{
    unsigned host = (unsigned)dice_below(d, INSIDE);
    uint16_t port = (uint16_t)(5000 + dice_below(d, PORTS));
    struct addr to = remote(d);
    const struct sent *before = mapped(host, port, &to);
    struct addr outer = udp_out(host, port, to);
    assert_int_equal(bed.drop, DROP_COUNT);
    if (before) {
        assert_true(addr_equal(&outer, &before->outer));
    } else {
        for (size_t i = n_sent; i-- > 0 && lives(&sent[i], 5 * NS_S);)
            assert_false(addr_equal(&outer, &sent[i].outer)); /* nobody else has it */
    }
    forget_old();
    sent[n_sent++] = (struct sent){host, port, to, outer, bed.now};
}

static void receive_one(struct dice *d)
{
    const struct sent *target = &sent[n_sent - 1 - dice_below(d, n_sent < 60 ? n_sent : 60)];
    const struct nat_spec *spec = &bed.specs[target->host];
    struct addr from = remote(d), outer = target->outer;
    enum drop expected = DROP_NAT_NO_MAPPING;
    unsigned owner = NAT_NONE_SUCH;
    uint16_t inner = 0, port;
    for (size_t i = n_sent; i-- > 0 && lives(&sent[i], spec->udp_timeout);) {
        if (!addr_equal(&sent[i].outer, &outer))
            continue;
        if (expected == DROP_NAT_NO_MAPPING)
            expected = DROP_NAT_FILTERED;
        if (same_for(spec->filtering, &sent[i].to, &from)) {
            expected = DROP_COUNT;
            owner = sent[i].host;
            inner = sent[i].port;
            break;
        }
    }
    assert_int_equal(in(NAT_UDP, NAT_DATA, from, outer, &port), owner);
    assert_int_equal(bed.drop, expected);
    if (expected == DROP_COUNT)
        assert_int_equal(port, inner);
}

static void every_pair_of_rules_is_as_without_hashes(void **state)
{
    (void)state;
    for (int rules = 0; rules < 9; rules++) {
        struct dice d = dice_name(3, "test", (uint64_t)rules, 0, 0);
        bed_clear();
        n_sent = 0;
        for (unsigned i = 0; i < INSIDE; i++) {
            struct nat_spec *s = bed_box(i, NAT_FULL_CONE, i % 2 ? "odd" : "even");
            s->mapping = (enum nat_rule)(rules / 3);
            s->filtering = (enum nat_rule)(rules % 3);
            s->ports = (enum nat_ports)(rules % 3);
            s->udp_timeout = i % 2 ? 5 * NS_S : 10 * NS_S;
        }
        bed_start();
        send_one(&d);
        for (int k = 0; k < STEPS / 9; k++) {
            bed.now += dice_exp(&d, 200 * NS_MS);
            if (dice_below(&d, 2))
                send_one(&d);
            else
                receive_one(&d);
        }
        assert_in_range(bed.nat.table.cap_mappings, 1, 512);
        bed_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_rules_is_as_without_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
