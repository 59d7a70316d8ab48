/* links: every .c of engine/worlds/link, engine/base/map.c engine/base/prng.c */
/* RFC 5382 and 7857, requirement by requirement; link/nat.h lists those that this model has
 * nothing of. */
#include "tests/unit/nat_bed.h"

static void begin(enum nat_kind kind)
{
    bed_clear();
    bed_box(0, kind, NULL);
    bed_start();
}

/* Is a connection that was idle for so long still there? */
static bool outlives(ns_t idle, struct addr outer, struct addr peer)
{
    bed.now += idle;
    return tcp_in(NAT_DATA, peer, outer) == 0;
}

static void test_rfc5382_req1(void **state)
{
    (void)state;
    begin(NAT_PORT_RESTRICTED);
    struct addr a = tcp_dial(0, 5000, at(5, 80)), b = tcp_dial(0, 5000, at(6, 81));
    assert_true(addr_equal(&a, &b));
    bed_end();
    begin(NAT_SYMMETRIC);
    a = tcp_dial(0, 5000, at(5, 80));
    b = tcp_dial(0, 5000, at(5, 81));
    assert_false(addr_equal(&a, &b));
    bed_end();
}

/* Valid sequences of packets pass, in both directions, to the end; simultaneous open, too, as
 * far as it is the boxes' business. */
static void test_rfc5382_req2(void **state)
{
    (void)state;
    begin(NAT_PORT_RESTRICTED);
    struct addr a = tcp_dial(0, 5000, at(5, 80));
    for (int k = 0; k < 5; k++) {
        tcp_out(NAT_DATA, 0, 5000, at(5, 80));
        assert_int_equal(bed.drop, DROP_COUNT);
        assert_int_equal(tcp_in(NAT_DATA, at(5, 80), a), 0);
    }
    tcp_out(NAT_FIN, 0, 5000, at(5, 80));
    assert_int_equal(tcp_in(NAT_DATA, at(5, 80), a), 0);
    assert_int_equal(tcp_in(NAT_FIN, at(5, 80), a), 0);
    tcp_out(NAT_DATA, 0, 5000, at(5, 80));
    assert_int_equal(bed.drop, DROP_COUNT);
    struct addr b = tcp_out(NAT_SYN, 0, 5001, at(5, 80));
    assert_int_equal(tcp_in(NAT_SYN, at(5, 80), b), 0); /* crosses ours */
    tcp_out(NAT_SYN, 0, 5001, at(5, 80));
    assert_true(outlives(MINUTES(100), b, at(5, 80)));
    bed_end();
}

static void test_rfc5382_req3(void **state)
{
    static const enum nat_kind kinds[] = {NAT_FULL_CONE, NAT_RESTRICTED_CONE, NAT_PORT_RESTRICTED};
    (void)state;
    for (int i = 0; i < 3; i++) {
        begin(kinds[i]);
        struct addr a = tcp_dial(0, 5000, at(5, 80));
        assert_int_equal(tcp_in(NAT_SYN, at(5, 81), a), i <= 1 ? 0 : NAT_NONE_SUCH);
        assert_int_equal(tcp_in(NAT_SYN, at(6, 80), a), i == 0 ? 0 : NAT_NONE_SUCH);
        assert_int_equal(tcp_in(NAT_DATA, at(6, 99), a), NAT_NONE_SUCH);
        assert_int_equal(bed.drop, DROP_NAT_FILTERED);
        bed_end();
    }
}

/* An unsolicited SYN is dropped without an answer, and a SYN of ours that follows passes. */
static void test_rfc5382_req4(void **state)
{
    (void)state;
    begin(NAT_PORT_RESTRICTED);
    assert_int_equal(tcp_in(NAT_SYN, at(5, 80), at(0, 5000)), NAT_NONE_SUCH);
    assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
    assert_int_equal(bed.nat.table.live_mappings, 0);
    bed.now = 5 * NS_S;
    assert_int_equal(tcp_out(NAT_SYN, 0, 5000, at(5, 80)).port, 5000);
    assert_int_equal(tcp_in(NAT_SYN, at(5, 80), at(0, 5000)), 0);
    bed_end();
}

/* Established: 2 hours 4 minutes. Partially open, closing: 4 minutes. */
static void test_rfc5382_req5(void **state)
{
    (void)state;
    begin(NAT_PORT_RESTRICTED);
    struct addr a = tcp_dial(0, 5000, at(5, 80));
    assert_true(outlives(MINUTES(124) - 1, a, at(5, 80)));
    assert_true(outlives(MINUTES(124) - 1, a, at(5, 80)));
    assert_false(outlives(MINUTES(124), a, at(5, 80)));
    assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
    tcp_out(NAT_DATA, 0, 5000, at(5, 80)); /* no SYN: makes none */
    assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
    a = tcp_out(NAT_SYN, 0, 5001, at(5, 80));
    bed.now += MINUTES(4) - 1;
    assert_int_equal(tcp_in(NAT_SYN, at(5, 80), a), 0);
    a = tcp_out(NAT_SYN, 0, 5002, at(5, 80));
    assert_false(outlives(MINUTES(4), a, at(5, 80)));
    a = tcp_dial(0, 5003, at(5, 80));
    tcp_out(NAT_FIN, 0, 5003, at(5, 80));
    assert_true(outlives(MINUTES(4) - 1, a, at(5, 80)));
    assert_false(outlives(1, a, at(5, 80))); /* what passed did not keep it */
    bed_end();
}

static void test_rfc5382_req7(void **state)
{
    (void)state;
    bed_clear();
    bed_box(0, NAT_FULL_CONE, "office");
    bed_box(1, NAT_FULL_CONE, "office");
    bed_start();
    struct addr a = tcp_dial(0, 5000, at(5, 80)), b = tcp_dial(1, 5000, at(5, 80));
    struct addr c = udp_out(1, 5000, at(5, 80)); /* nor across protocols: ports have one owner */
    assert_true(a.port != b.port && a.port != c.port);
    bed_end();
}

static void test_rfc5382_req8(void **state)
{
    static const struct nat_forward forwards[] = {{443, 443}};
    (void)state;
    bed_clear();
    bed_box(0, NAT_PORT_RESTRICTED, "office");
    struct nat_spec *s = bed_box(1, NAT_PORT_RESTRICTED, "office");
    s->forwards = forwards;
    s->n_forwards = 1;
    bed_start();
    struct addr a = tcp_out(NAT_SYN, 0, 5000, at(0, 443));
    assert_int_equal(bed.drop, DROP_COUNT);
    assert_memory_equal(a.ip, bed.entries[0].addr.ip, 16); /* external source address */
    assert_int_equal(tcp_in(NAT_SYN, a, at(0, 443)), 1);
    struct addr b = tcp_out(NAT_SYN, 1, 443, a);
    assert_int_equal(b.port, 443);
    assert_int_equal(tcp_in(NAT_SYN, b, a), 0);
    bed_end();
}

/* The transitory time-out may be set, and is 4 minutes unless it is. */
static void test_rfc7857_section_2_1(void **state)
{
    (void)state;
    bed_clear();
    bed_box(0, NAT_PORT_RESTRICTED, NULL)->tcp_transitory_timeout = 30 * NS_S;
    bed_start();
    struct addr a = tcp_out(NAT_SYN, 0, 5002, at(5, 80));
    assert_false(outlives(30 * NS_S, a, at(5, 80)));
    bed_end();
    assert_true(nat_preset(NAT_PORT_RESTRICTED)->tcp_transitory_timeout == MINUTES(4));
}

/* A RST passes; the session stays for 4 minutes, and longer if packets follow. */
static void test_rfc7857_section_2_2(void **state)
{
    (void)state;
    begin(NAT_PORT_RESTRICTED);
    struct addr a = tcp_dial(0, 5000, at(5, 80)), b = tcp_dial(0, 5001, at(5, 80));
    assert_int_equal(tcp_in(NAT_RST, at(5, 80), a), 0);
    assert_int_equal(tcp_in(NAT_RST, at(5, 80), b), 0);
    tcp_out(NAT_DATA, 0, 5001, at(5, 80)); /* the RST was forged */
    bed.now = MINUTES(4);
    assert_int_equal(tcp_in(NAT_DATA, at(5, 80), a), NAT_NONE_SUCH);
    assert_int_equal(tcp_in(NAT_DATA, at(5, 80), b), 0);
    bed_end();
}

/* Mappings of UDP and TCP know nothing of each other, and neither do filters. */
static void test_rfc7857_sections_5_and_6(void **state)
{
    (void)state;
    begin(NAT_FULL_CONE);
    struct addr a = udp_out(0, 5000, at(5, 80));
    assert_int_equal(tcp_in(NAT_SYN, at(5, 80), a), NAT_NONE_SUCH);
    assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
    tcp_dial(0, 5001, at(5, 80));
    assert_int_equal(udp_in(at(5, 80), at(0, 5001)), NAT_NONE_SUCH);
    bed_end();
}

/* With endpoint-independent filtering strangers don't keep a mapping alive, unless it says so. */
static void test_rfc7857_section_7(void **state)
{
    (void)state;
    begin(NAT_FULL_CONE);
    struct addr a = udp_out(0, 5000, at(5, 80));
    bed.now = MINUTES(4);
    assert_int_equal(udp_in(at(6, 1), a), 0);
    bed.now = MINUTES(5);
    assert_int_equal(udp_in(at(6, 1), a), NAT_NONE_SUCH);
    bed_end();
}

/* A RST that answers an inbound packet keeps nothing alive. */
static void test_rfc7857_section_8(void **state)
{
    (void)state;
    begin(NAT_FULL_CONE);
    struct addr a = tcp_out(NAT_SYN, 0, 5000, at(5, 80));
    bed.now = MINUTES(3);
    tcp_out(NAT_RST, 0, 5000, at(5, 80));
    bed.now = MINUTES(4);
    assert_int_equal(tcp_in(NAT_DATA, at(5, 80), a), NAT_NONE_SUCH);
    bed_end();
}

/* Parity may be off; ports may be random. */
static void test_rfc7857_sections_9_and_10(void **state)
{
    unsigned odd = 0, kept = 0;
    (void)state;
    begin(NAT_SYMMETRIC);
    for (uint16_t k = 0; k < 200; k++) {
        uint16_t port = tcp_dial(0, 5000, at(5, (uint16_t)(80 + k))).port;
        odd += port % 2;
        kept += port >= 5000 && port < 5200;
    }
    assert_in_range(odd, 60, 140);
    assert_in_range(kept, 0, 20);
    bed_end();
}

/* Strangers who dial a forwarded port cost a bounded number of sessions. */
static void a_stranger_fills_no_memory(void **state)
{
    static const struct nat_forward forwards[] = {{443, 443}};
    unsigned full = 0;
    (void)state;
    bed_clear();
    struct nat_spec *s = bed_box(0, NAT_PORT_RESTRICTED, NULL);
    s->forwards = forwards;
    s->n_forwards = 1;
    bed_start();
    for (uint32_t k = 0; k < 3 * NAT_SESSIONS; k++) {
        struct addr stranger = at(5, (uint16_t)k);
        memcpy(stranger.ip + 4, &k, sizeof k);
        tcp_in(NAT_SYN, stranger, at(0, 443));
        full += bed.drop == DROP_NAT_FULL;
    }
    assert_int_equal(full, 2 * NAT_SESSIONS);
    bed.now = MINUTES(5);
    assert_int_equal(tcp_in(NAT_SYN, at(5, 80), at(0, 443)), 0); /* in place of an old one */
    bed_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc5382_req1),
        cmocka_unit_test(test_rfc5382_req2),
        cmocka_unit_test(test_rfc5382_req3),
        cmocka_unit_test(test_rfc5382_req4),
        cmocka_unit_test(test_rfc5382_req5),
        cmocka_unit_test(test_rfc5382_req7),
        cmocka_unit_test(test_rfc5382_req8),
        cmocka_unit_test(test_rfc7857_section_2_1),
        cmocka_unit_test(test_rfc7857_section_2_2),
        cmocka_unit_test(test_rfc7857_sections_5_and_6),
        cmocka_unit_test(test_rfc7857_section_7),
        cmocka_unit_test(test_rfc7857_section_8),
        cmocka_unit_test(test_rfc7857_sections_9_and_10),
        cmocka_unit_test(a_stranger_fills_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
