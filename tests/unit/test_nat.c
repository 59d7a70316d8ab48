/* links: every .c of engine/worlds/link, engine/base/map.c engine/base/prng.c */
/* Boxes: who is behind which, in series, shared, with another address; and who can punch. */
#include "engine/worlds/link/nat_punch.h"
#include "tests/unit/nat_bed.h"

static void boxes_are_shared_by_name(void **state)
{
    uint8_t ip[16];
    party_t owner;
    (void)state;
    bed_clear();
    bed.hosts[0] = (struct host_spec){.nat = NAT_SYMMETRIC, .nat_box = "office"};
    bed.hosts[2] = (struct host_spec){.nat = NAT_PORT_RESTRICTED};
    bed.hosts[3] = (struct host_spec){.nat = NAT_SYMMETRIC, .nat_box = "office"};
    bed.hosts[4] = (struct host_spec){.nat = NAT_OPEN, .nat_box = "office"};
    bed.hosts[5] = (struct host_spec){.nat = NAT_CGNAT, .nat_box = "isp"};
    bed.hosts[6] = (struct host_spec){.nat = NAT_CGNAT, .nat_box = "isp"};
    bed_start();
    assert_int_equal(bed.nat.n_boxes, 5); /* office, 2's, two homes, isp */
    assert_int_equal(nat_outermost(&bed.nat, 0), nat_outermost(&bed.nat, 3));
    assert_int_equal(nat_outermost(&bed.nat, 5), nat_outermost(&bed.nat, 6));
    assert_int_not_equal(bed.nat.insides[5].box, bed.nat.insides[6].box);
    assert_true(nat_inside(&bed.nat, 5) && !nat_inside(&bed.nat, 4) && !nat_inside(&bed.nat, 1));
    nat_private(3, ip);
    assert_true(ip[10] == 0xff && ip[12] == 10 && ip[15] == 4);
    struct addr a = udp_out(0, 777, at(1, 1)), b = udp_out(3, 777, at(1, 1));
    assert_true(nat_owner(&bed.nat, &a, &owner) && owner == 0);
    assert_true(nat_owner(&bed.nat, &b, &owner) && owner == 3);
    a.port = a.port == 9 ? 10 : 9;
    assert_true(nat_owner(&bed.nat, &a, &owner) && owner == PARTY_NONE);
    a = at(3, 9);
    assert_true(nat_owner(&bed.nat, &a, &owner) && owner == 3); /* as published */
    a = at(2, 9);
    assert_true(nat_owner(&bed.nat, &a, &owner) && owner == 2);
    a = udp_out(6, 777, at(1, 1));
    assert_memory_equal(a.ip, bed.entries[5].addr.ip, 16);
    assert_true(nat_owner(&bed.nat, &a, &owner) && owner == 6);
    memcpy(a.ip, ip, 16);
    assert_true(nat_owner(&bed.nat, &a, &owner) && owner == 3);
    a = at(1, 1);
    assert_false(nat_owner(&bed.nat, &a, &owner));
    bed_end();
}

static void without_nat_there_is_nothing(void **state)
{
    (void)state;
    bed_clear();
    bed.hosts[1].nat = NAT_OPEN;
    bed_start();
    assert_null(bed.nat.insides);
    assert_false(nat_inside(&bed.nat, 1));
    struct addr from = at(1, 5), seen = udp_out(1, 5, at(0, 80));
    assert_true(addr_equal(&seen, &from));
    assert_int_equal(udp_in(from, at(0, 80)), NAT_NONE_SUCH);
    assert_int_equal(bed.drop, DROP_COUNT);
    assert_int_equal(nat_readdress(&bed.nat, 1), ERR_UNSUPPORTED);
    bed_end();
}

static void neighbours_need_no_box(void **state)
{
    struct addr a = {.port = 8}, b = {.port = 9};
    (void)state;
    bed_clear();
    bed_box(0, NAT_SYMMETRIC, "office");
    bed_box(1, NAT_SYMMETRIC, "office");
    bed_box(2, NAT_SYMMETRIC, "home");
    bed_start();
    nat_private(0, a.ip);
    nat_private(1, b.ip);
    struct addr seen = udp_out(0, 8, b);
    assert_true(addr_equal(&seen, &a));
    assert_int_equal(udp_in(seen, b), 1);
    udp_out(2, 8, b);
    assert_int_equal(bed.drop, DROP_NO_ROUTE);
    udp_out(5, 8, b);
    assert_int_equal(bed.drop, DROP_NO_ROUTE);
    assert_int_equal(bed.nat.table.live_mappings, 0);
    bed_end();
}

/* A home's NAT behind a carrier's: both must let a packet in, and each has its own time-outs. */
static void two_boxes_in_series(void **state)
{
    uint16_t port;
    (void)state;
    bed_clear();
    bed.hosts[0] = (struct host_spec){.nat = NAT_CGNAT, .nat_box = "isp"};
    bed.hosts[1] = (struct host_spec){.nat = NAT_CGNAT, .nat_box = "isp"};
    bed_start();
    struct addr a = udp_out(0, 5000, at(5, 80)), b = udp_out(1, 5000, at(5, 80));
    assert_int_equal(bed.nat.table.live_mappings, 4);
    assert_memory_equal(a.ip, bed.entries[0].addr.ip, 16);
    assert_memory_equal(b.ip, bed.entries[0].addr.ip, 16);
    assert_int_equal(in(NAT_UDP, NAT_DATA, at(5, 80), a, &port), 0);
    assert_int_equal(port, 5000);
    assert_int_equal(udp_in(at(6, 80), a), NAT_NONE_SUCH); /* the home's filter */
    assert_int_equal(bed.drop, DROP_NAT_FILTERED);
    udp_out(0, 5000, b); /* turned around at the carrier's */
    struct addr seen = udp_out(1, 5000, a);
    assert_true(addr_equal(&seen, &b));
    assert_int_equal(udp_in(seen, a), 0);
    bed.now = MINUTES(2);
    assert_int_equal(udp_in(at(5, 80), a), NAT_NONE_SUCH); /* the carrier's time-out */
    assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
    bed_end();
}

static void an_address_changes_and_mappings_are_lost(void **state)
{
    static const struct nat_forward forwards[] = {{443, 443}};
    party_t owner;
    (void)state;
    bed_clear();
    struct nat_spec *s = bed_box(0, NAT_FULL_CONE, "home");
    s->forwards = forwards;
    s->n_forwards = 1;
    bed_box(1, NAT_FULL_CONE, "home");
    bed_start();
    struct addr a = udp_out(1, 5000, at(5, 80)), t = tcp_dial(1, 5001, at(5, 80));
    assert_int_equal(nat_readdress(&bed.nat, 1), OK);
    assert_int_equal(udp_in(at(5, 80), a), NAT_NONE_SUCH);
    assert_int_equal(bed.drop, DROP_NO_ROUTE);
    tcp_out(NAT_DATA, 1, 5001, at(5, 80));
    assert_int_equal(bed.drop, DROP_NAT_NO_MAPPING);
    struct addr b = udp_out(0, 5000, at(5, 80));
    assert_memory_not_equal(a.ip, b.ip, 16);
    assert_int_equal(b.port, 5000); /* that was the other host's, at the other address */
    assert_int_equal(udp_in(at(5, 80), b), 0);
    assert_true(nat_owner(&bed.nat, &a, &owner) && owner == 1);
    assert_true(nat_owner(&bed.nat, &b, &owner) && owner == 0);
    assert_true(nat_owner(&bed.nat, &t, &owner) && owner == 1);
    b.port = 443;
    assert_int_equal(udp_in(at(5, 80), b), 0);
    assert_true(nat_owner(&bed.nat, &b, &owner) && owner == 0);
    udp_out(5, 80, at(0, 443));
    assert_int_equal(bed.drop, DROP_NO_ROUTE); /* as published before */
    bed_end();
}

/* ---- hole punching ------------------------------------------------------------------------- */

/* Who can punch: rows and columns none, open, full_cone, restricted_cone, port_restricted,
 * symmetric, cgnat, udp_blocked. */
static const char *const matrix[] = {"+++++++-", "+++++++-", "+++++++-", "+++++++-",
                                     "+++++-+-", "++++----", "+++++-+-", "--------"};

static bool expected(int a, int b)
{
    return matrix[a][b] == '+';
}

static void presets_punch_as_the_matrix_says(void **state)
{
    (void)state;
    for (int a = NAT_NONE; a <= NAT_UDP_BLOCKED; a++)
        for (int b = NAT_NONE; b <= NAT_UDP_BLOCKED; b++) {
            struct host_spec x = {.nat = (enum nat_kind)a}, y = {.nat = (enum nat_kind)b};
            assert_int_equal(expected(a, b), expected(b, a));
            if (nat_can_punch(&x, &y) != expected(a, b))
                fail_msg("%s and %s", nat_kinds[a], nat_kinds[b]);
        }
}

/* Behind the same box they need it to turn packets around; behind the same carrier, that one. */
static void neighbours_punch_by_hairpin(void **state)
{
    (void)state;
    for (int kind = NAT_FULL_CONE; kind <= NAT_CGNAT; kind++) {
        struct host_spec x = {.nat = (enum nat_kind)kind, .nat_box = "same"};
        assert_int_equal(nat_can_punch(&x, &x), kind != NAT_SYMMETRIC);
        if (kind == NAT_CGNAT)
            continue;
        struct nat_spec deaf = *nat_preset(x.nat);
        deaf.hairpin = false;
        x.nat_spec = &deaf;
        assert_false(nat_can_punch(&x, &x));
    }
    struct nat_spec outer = *nat_carrier(), inner = *nat_preset(NAT_CGNAT);
    struct host_spec x = {.nat = NAT_CGNAT, .nat_spec = &inner};
    inner.outer = &outer;
    inner.outer_box = "isp";
    assert_true(nat_can_punch(&x, &x));
    outer.hairpin = false;
    assert_false(nat_can_punch(&x, &x));
}

/* Of the population's pairs that are both behind NATs: 1 - e^2 - 2 e a, e = 0.2, a = 0.7. */
static void the_population_punches_as_measured(void **state)
{
    int64_t all = 0, good = 0, total = 0;
    (void)state;
    for (int i = 0; i < NAT_POPULATION; i++) {
        const struct nat_share *a = &nat_population[i];
        total += a->ppm;
        for (int k = 0; k < NAT_POPULATION; k++) {
            const struct nat_share *b = &nat_population[k];
            struct host_spec x = {.nat = a->kind, .nat_spec = a->spec};
            struct host_spec y = {.nat = b->kind, .nat_spec = b->spec};
            int64_t weight = a->ppm / 1000 * (b->ppm / 1000);
            if (!nat_translates(a->kind) || !nat_translates(b->kind))
                continue;
            all += weight;
            good += nat_can_punch(&x, &y) ? weight : 0;
        }
    }
    print_message("of the pairs behind NATs, %d ppm can punch\n", (int)(good * 1000000 / all));
    assert_int_equal(total, 1000000);
    assert_int_equal(good * 1000000 / all, 680000);
    assert_in_range(good * 1000 / all, 630, 770); /* published: 70 % +- 7 % */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_shared_by_name),
        cmocka_unit_test(without_nat_there_is_nothing),
        cmocka_unit_test(neighbours_need_no_box),
        cmocka_unit_test(two_boxes_in_series),
        cmocka_unit_test(an_address_changes_and_mappings_are_lost),
        cmocka_unit_test(presets_punch_as_the_matrix_says),
        cmocka_unit_test(neighbours_punch_by_hairpin),
        cmocka_unit_test(the_population_punches_as_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
