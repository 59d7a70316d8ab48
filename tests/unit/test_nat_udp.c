/* links: every .c of engine/worlds/link, engine/base/map.c engine/base/prng.c */
/* RFC 4787, requirement by requirement; link/nat.h lists those that this model has nothing of. */
#include "tests/unit/nat_bed.h"

static const enum nat_kind behave[] = {NAT_FULL_CONE, NAT_RESTRICTED_CONE, NAT_PORT_RESTRICTED,
                                       NAT_CGNAT};
enum { N_BEHAVE = 4 };

static void begin(enum nat_kind kind)
{
    bed_clear();
    bed_box(0, kind, NULL);
    bed_start();
}

/* Endpoint-independent mapping; the other two map as their rules say. */
static void test_rfc4787_req1(void **state)
{
    (void)state;
    for (int i = 0; i < N_BEHAVE; i++) {
        begin(behave[i]);
        struct addr a = udp_out(0, 5000, at(5, 80)), b = udp_out(0, 5000, at(5, 81));
        struct addr c = udp_out(0, 5000, at(6, 80)), d = udp_out(0, 5002, at(6, 80));
        assert_true(addr_equal(&a, &b) && addr_equal(&a, &c) && !addr_equal(&a, &d));
        assert_memory_equal(a.ip, bed.entries[0].addr.ip, 16);
        bed_end();
    }
    for (int rule = NAT_ADDRESS_DEPENDENT; rule <= NAT_ADDRESS_AND_PORT_DEPENDENT; rule++) {
        bed_clear();
        bed_box(0, NAT_SYMMETRIC, NULL)->mapping = (enum nat_rule)rule;
        bed_start();
        struct addr a = udp_out(0, 5000, at(5, 80)), b = udp_out(0, 5000, at(5, 81));
        struct addr c = udp_out(0, 5000, at(6, 80)), d = udp_out(0, 5000, at(5, 80));
        assert_true(addr_equal(&a, &b) == (rule == NAT_ADDRESS_DEPENDENT));
        assert_false(addr_equal(&a, &c));
        assert_true(addr_equal(&a, &d));
        bed_end();
    }
}

/* No two hosts get one port (overloading); ranges 1..1023 and 1024..65535 stay. */
static void test_rfc4787_req3(void **state)
{
    static bool used[65536];
    (void)state;
    for (int rule = NAT_PRESERVING; rule <= NAT_RANDOM; rule++) {
        bed_clear();
        for (unsigned i = 0; i < 2; i++)
            bed_box(i, NAT_FULL_CONE, "office")->ports = (enum nat_ports)rule;
        bed_start();
        memset(used, 0, sizeof used);
        for (uint16_t port = 900; port < 1100; port++)
            for (unsigned i = 0; i < 2; i++) {
                struct addr a = udp_out(i, port, at(5, 80));
                assert_int_equal(bed.drop, DROP_COUNT);
                assert_false(used[a.port]);
                used[a.port] = true;
                assert_true((a.port < 1024) == (port < 1024) && a.port > 0);
                if (rule == NAT_PRESERVING && i == 0 && port < 902)
                    assert_int_equal(a.port, port);
            }
        bed_end();
    }
}

/* Parity is preserved, for all three ways to choose a port. */
static void test_rfc4787_req4(void **state)
{
    (void)state;
    for (int rule = NAT_PRESERVING; rule <= NAT_RANDOM; rule++) {
        bed_clear();
        for (unsigned i = 0; i < 2; i++) {
            struct nat_spec *s = bed_box(i, NAT_FULL_CONE, "office");
            s->ports = (enum nat_ports)rule;
            s->parity = true;
        }
        bed_start();
        for (uint16_t port = 1000; port < 1200; port++)
            for (unsigned i = 0; i < 2; i++)
                assert_int_equal(udp_out(i, port, at(5, 80)).port % 2, port % 2);
        bed_end();
    }
}

/* A mapping lives for 2 minutes at least, 5 by default, or as it is told. */
static void test_rfc4787_req5(void **state)
{
    (void)state;
    for (int i = 0; i < N_BEHAVE; i++) {
        ns_t life = behave[i] == NAT_CGNAT ? MINUTES(2) : MINUTES(5);
        begin(behave[i]);
        struct addr a = udp_out(0, 5000, at(5, 80));
        bed.now = life - 1;
        assert_int_equal(udp_in(at(5, 80), a), 0);
        bed.now = life;
        assert_int_equal(udp_in(at(5, 80), a), NAT_NONE_SUCH);
        assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
        bed_end();
    }
    bed_clear();
    bed_box(0, NAT_PORT_RESTRICTED, NULL)->udp_timeout = NS_S;
    bed_start();
    struct addr a = udp_out(0, 5000, at(5, 80));
    bed.now = NS_S;
    assert_int_equal(udp_in(at(5, 80), a), NAT_NONE_SUCH);
    bed_end();
}

/* Outbound packets refresh, to whomever; inbound ones where it says so. */
static void test_rfc4787_req6(void **state)
{
    (void)state;
    for (int inbound = 0; inbound < 2; inbound++) {
        bed_clear();
        bed_box(0, NAT_PORT_RESTRICTED, NULL)->inbound_refresh = inbound;
        bed_start();
        struct addr a = udp_out(0, 5000, at(5, 80));
        bed.now = MINUTES(4);
        assert_int_equal(udp_out(0, 5000, at(6, 80)).port, a.port);
        bed.now = MINUTES(8);
        assert_int_equal(udp_in(at(6, 80), a), 0); /* refreshed by that */
        bed.now = MINUTES(9);
        assert_int_equal(udp_in(at(6, 80), a), inbound ? 0 : NAT_NONE_SUCH);
        bed_end();
    }
}

/* Filtering by endpoint, address, address and port. */
static void test_rfc4787_req8(void **state)
{
    static const enum nat_kind kinds[] = {NAT_FULL_CONE, NAT_RESTRICTED_CONE, NAT_PORT_RESTRICTED,
                                          NAT_SYMMETRIC};
    (void)state;
    for (int i = 0; i < 4; i++) {
        begin(kinds[i]);
        struct addr a = udp_out(0, 5000, at(5, 80));
        assert_int_equal(udp_in(at(5, 80), a), 0);
        assert_int_equal(udp_in(at(5, 81), a), i <= 1 ? 0 : NAT_NONE_SUCH);
        assert_int_equal(bed.drop, i <= 1 ? DROP_COUNT : DROP_NAT_FILTERED);
        assert_int_equal(udp_in(at(6, 80), a), i == 0 ? 0 : NAT_NONE_SUCH);
        assert_int_equal(udp_in(at(5, 80), at(0, 9)), NAT_NONE_SUCH);
        assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
        bed_end();
    }
}

/* Two hosts behind one box reach each other's outer addresses, with outer source addresses. */
static void test_rfc4787_req9(void **state)
{
    uint16_t port;
    (void)state;
    for (int hairpin = 0; hairpin < 2; hairpin++) {
        bed_clear();
        for (unsigned i = 0; i < 2; i++)
            bed_box(i, NAT_PORT_RESTRICTED, "home")->hairpin = hairpin;
        bed_start();
        struct addr a = udp_out(0, 5000, at(5, 80)), b = udp_out(1, 6000, at(5, 80));
        struct addr seen = udp_out(0, 5000, b);
        assert_int_equal(bed.drop, hairpin ? DROP_COUNT : DROP_NAT_HAIRPIN);
        if (hairpin) {
            assert_true(addr_equal(&seen, &a)); /* REQ-9 a */
            assert_int_equal(udp_in(seen, b), NAT_NONE_SUCH);
            assert_int_equal(bed.drop, DROP_NAT_FILTERED);
            udp_out(1, 6000, a);
            assert_int_equal(in(NAT_UDP, NAT_DATA, seen, b, &port), 1);
            assert_int_equal(port, 6000);
        }
        bed_end();
    }
}

/* Deterministic: behaviour does not change when a port is taken; equal seeds, equal ports. */
static void test_rfc4787_req11(void **state)
{
    uint16_t first[50];
    (void)state;
    for (int run = 0; run < 2; run++) {
        bed_clear();
        for (unsigned i = 0; i < 3; i++)
            bed_box(i, NAT_RESTRICTED_CONE, "office")->ports = NAT_RANDOM;
        bed_start();
        for (unsigned k = 0; k < 50; k++) {
            struct addr a = udp_out(k % 3, 7000, at(5, (uint16_t)(1 + k)));
            struct addr b = udp_out(k % 3, 7000, at(6, 1));
            assert_true(addr_equal(&a, &b)); /* still endpoint-independent */
            assert_int_equal(udp_in(at(5, 999), a), k % 3);
            assert_int_equal(udp_in(at(4, 999), a), NAT_NONE_SUCH);
            if (run == 0)
                first[k] = a.port;
            assert_int_equal(first[k], a.port);
        }
        bed_end();
    }
}

/* ---- what the RFC leaves to others --------------------------------------------------------- */

static void udp_is_blocked_both_ways_and_tcp_is_not(void **state)
{
    (void)state;
    begin(NAT_UDP_BLOCKED);
    udp_out(0, 5000, at(5, 80));
    assert_int_equal(bed.drop, DROP_UDP_BLOCKED);
    assert_int_equal(udp_in(at(5, 80), at(0, 5000)), NAT_NONE_SUCH);
    assert_int_equal(bed.drop, DROP_UDP_BLOCKED);
    tcp_dial(0, 5000, at(5, 80));
    bed_end();
}

static void a_forwarded_port_lets_everybody_in(void **state)
{
    static const struct nat_forward forwards[] = {{443, 8443}};
    uint16_t port;
    (void)state;
    for (int kind = NAT_FULL_CONE; kind <= NAT_SYMMETRIC; kind++) {
        bed_clear();
        bed_box(0, (enum nat_kind)kind, "home");
        struct nat_spec *s = bed_box(1, (enum nat_kind)kind, "home");
        s->forwards = forwards;
        s->n_forwards = 1;
        bed_start();
        bed.now = MINUTES(1000);
        assert_int_equal(in(NAT_UDP, NAT_DATA, at(5, 80), at(0, 443), &port), 1);
        assert_int_equal(port, 8443);
        assert_int_equal(in(NAT_UDP, NAT_DATA, at(5, 80), at(1, 443), &port), 1); /* published */
        struct addr a = udp_out(1, 8443, at(6, 9));
        assert_int_equal(a.port, 443);
        assert_memory_equal(a.ip, bed.entries[0].addr.ip, 16);
        assert_int_not_equal(udp_out(0, 443, at(6, 9)).port, 443);
        bed_end();
    }
}

static void a_subscriber_has_a_limit(void **state)
{
    (void)state;
    bed_clear();
    for (unsigned i = 0; i < 2; i++)
        bed_box(i, NAT_PORT_RESTRICTED, "office")->port_limit = 64;
    bed_start();
    for (unsigned k = 0; k < 64; k++) {
        bed.now = (ns_t)k * NS_S;
        udp_out(0, (uint16_t)(5000 + k), at(5, 80));
        assert_int_equal(bed.drop, DROP_COUNT);
    }
    udp_out(0, 6000, at(5, 80));
    assert_int_equal(bed.drop, DROP_NAT_PORT_LIMIT);
    udp_out(0, 5063, at(6, 80)); /* one that it has */
    assert_int_equal(bed.drop, DROP_COUNT);
    udp_out(1, 6000, at(5, 80)); /* the other one has its own */
    assert_int_equal(bed.drop, DROP_COUNT);
    bed.now = MINUTES(5) + NS_S;
    udp_out(0, 6000, at(5, 80)); /* two have expired */
    udp_out(0, 6001, at(5, 80));
    assert_int_equal(bed.drop, DROP_COUNT);
    udp_out(0, 6002, at(5, 80));
    assert_int_equal(bed.drop, DROP_NAT_PORT_LIMIT);
    bed_end();
}

static void a_box_runs_out_of_ports(void **state)
{
    (void)state;
    begin(NAT_SYMMETRIC);
    for (uint32_t k = 0; k < 64512; k++) {
        udp_out(0, 5000, at(5 + k % 2, (uint16_t)(1 + k / 2)));
        assert_int_equal(bed.drop, DROP_COUNT);
    }
    for (uint32_t k = 0; k < 100000; k++) { /* refused at once: no search each time */
        udp_out(0, 5000, at(4, (uint16_t)(k + 1)));
        assert_int_equal(bed.drop, DROP_NAT_FULL);
    }
    bed.now = MINUTES(6);
    udp_out(0, 5000, at(4, 1));
    assert_int_equal(bed.drop, DROP_COUNT);
    bed_end();
}

/* A symmetric box whose host talks to ever new ports: what it keeps follows what is in use. */
static void memory_follows_use(void **state)
{
    (void)state;
    begin(NAT_SYMMETRIC);
    for (uint32_t k = 0; k < 400000; k++) {
        bed.now += 100 * NS_MS; /* so 3000 within 5 minutes */
        udp_out(0, 5000, at(5 + k % 3, (uint16_t)(1 + k / 3 % 60000)));
        assert_int_equal(bed.drop, DROP_COUNT);
    }
    assert_in_range(bed.nat.table.live_mappings, 3000, 6100);
    assert_in_range(bed.nat.table.cap_mappings, 3000, 8192);
    assert_in_range(bed.nat.table.cap_sessions, 3000, 16384);
    bed_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc4787_req1),
        cmocka_unit_test(test_rfc4787_req3),
        cmocka_unit_test(test_rfc4787_req4),
        cmocka_unit_test(test_rfc4787_req5),
        cmocka_unit_test(test_rfc4787_req6),
        cmocka_unit_test(test_rfc4787_req8),
        cmocka_unit_test(test_rfc4787_req9),
        cmocka_unit_test(test_rfc4787_req11),
        cmocka_unit_test(udp_is_blocked_both_ways_and_tcp_is_not),
        cmocka_unit_test(a_forwarded_port_lets_everybody_in),
        cmocka_unit_test(a_subscriber_has_a_limit),
        cmocka_unit_test(a_box_runs_out_of_ports),
        cmocka_unit_test(memory_follows_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
