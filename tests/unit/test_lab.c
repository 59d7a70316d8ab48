/* links: engine/worlds/lab/lab_plan.c lab_nat.c lab_up.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/worlds/lab/lab.h"
#include "engine/worlds/lab/lab_nat.h"
#include "engine/worlds/link/nat_spec.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOSTS = 6 };

static const struct roster_entry entries[HOSTS] = {
    {.name = "a", .addr.ip = {1, [15] = 1}}, {.name = "b", .addr.ip = {1, [15] = 2}},
    {.name = "c", .addr.ip = {1, [15] = 3}}, {.name = "d", .addr.ip = {1, [15] = 4}},
    {.name = "e", .addr.ip = {1, [15] = 5}}, {.name = "f", .addr.ip = {1, [15] = 6}}};
static const struct roster roster = {.n = HOSTS, .n_parties = HOSTS, .entries = entries};

static struct trial_spec spec_of(const struct host_spec *hosts)
{
    return (struct trial_spec){.roster = &roster, .hosts = hosts};
}

/* ---- who is where ----------------------------------------------------------------------- */

static void addresses_are_the_simulator_s_kind(void **state)
{
    const struct host_spec hosts[HOSTS] = {
        {.nat = NAT_NONE}, {.nat = NAT_PORT_RESTRICTED, .nat_box = "flat"}, {.nat = NAT_CGNAT},
        {.nat = NAT_OPEN}, {.nat = NAT_PORT_RESTRICTED, .nat_box = "flat"}, {.nat = NAT_SYMMETRIC}};
    struct trial_spec t = spec_of(hosts);
    struct lab lab;
    struct err e;
    char text[16];
    (void)state;
    assert_int_equal(lab_plan(&lab, &t, &e), OK);
    assert_int_equal(lab.n_boxes, 4);
    for (uint32_t i = 0; i < HOSTS; i++) {
        bool public = hosts[i].nat == NAT_NONE || hosts[i].nat == NAT_OPEN;
        assert_int_equal(lab.hosts[i].published, 0xc6120001 + i);
        assert_int_equal(lab.hosts[i].box == LAB_NONE, public);
        assert_int_equal(lab.hosts[i].address, public ? 0xc6120001 + i : 0x0a000001 + i);
        assert_int_equal(lab_site(&lab, i), i == 4 ? 1 : i);
    }
    assert_int_equal(lab.hosts[1].box, lab.hosts[4].box);
    assert_int_not_equal(lab.hosts[1].lan, lab.hosts[4].lan);
    assert_int_equal(lab.boxes[lab.hosts[1].box].lans, 2);
    assert_int_equal(lab.boxes[lab.hosts[1].box].address, lab.hosts[1].published);
    uint32_t home = lab.hosts[2].box, carrier = lab.boxes[home].outer;
    assert_int_not_equal(carrier, LAB_NONE);
    assert_int_equal(lab.boxes[home].address >> 22, 0x64400000 >> 22); /* 100.64.0.0/10 */
    assert_int_equal(lab.boxes[carrier].address, lab.hosts[2].published);
    assert_ptr_equal(lab.boxes[carrier].spec, nat_carrier());
    assert_string_equal(lab_ip(lab.hosts[5].published, text), "198.18.0.6");
    lab_free(&lab);
}

/* ---- NATs ------------------------------------------------------------------------------- */

static const char *rules_of(enum nat_kind kind, const struct nat_spec *own, uint32_t outward)
{
    static char text[LAB_NAT_RULES];
    const struct host_spec hosts[HOSTS] = {{.nat = kind, .nat_spec = own}};
    struct trial_spec t = spec_of(hosts);
    struct lab lab;
    assert_int_equal(lab_plan(&lab, &t, NULL), OK);
    uint32_t box = lab.hosts[0].box;
    while (outward--)
        box = lab.boxes[box].outer;
    assert_int_equal(lab_nat_rules(&lab, box, text, sizeof text), OK);
    assert_int_equal(lab_nat_rules(&lab, box, text, 60), ERR_TOO_BIG);
    assert_int_equal(lab_nat_rules(&lab, box, text, sizeof text), OK);
    lab_free(&lab);
    return text;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in\n%s", part, text);
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" in\n%s", part, text);
}

static void presets_become_rules(void **state)
{
    static const enum nat_kind all[] = {NAT_FULL_CONE, NAT_RESTRICTED_CONE, NAT_PORT_RESTRICTED,
                                        NAT_SYMMETRIC, NAT_CGNAT,           NAT_UDP_BLOCKED};
    struct nat_spec forwarding = *nat_preset(NAT_PORT_RESTRICTED);
    const struct nat_forward list[] = {{8080, 80}};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *text = rules_of(all[i], NULL, 0);
        assert_null(lab_nat_lacks(nat_preset(all[i])));
        has(text, "masquerade");
        /* What nobody asked for is dropped, not refused. */
        has(text, "hook forward priority filter; policy drop;");
        has(text, "hook input priority filter; policy drop;");
        lacks(text, "reject");
        assert_int_equal(!strstr(text, "fully-random"), all[i] != NAT_SYMMETRIC);
        assert_int_equal(!strstr(text, "@mapped"),
                         all[i] != NAT_FULL_CONE && all[i] != NAT_RESTRICTED_CONE);
        assert_int_equal(!strstr(text, "ip saddr @met"), all[i] != NAT_RESTRICTED_CONE);
        assert_int_equal(!strstr(text, "udp drop"), all[i] != NAT_UDP_BLOCKED);
    }
    has(rules_of(NAT_CGNAT, NULL, 1), "timeout 120s"); /* the carrier's: a cone */
    has(rules_of(NAT_CGNAT, NULL, 1), "meta l4proto udp dnat to udp dport map @mapped");
    forwarding.forwards = list;
    forwarding.n_forwards = 1;
    has(rules_of(NAT_PORT_RESTRICTED, &forwarding, 0), "th dport 8080 dnat to 10.0.0.1:80");
}

struct said {
    int n, line;
    char text[256];
};

static void note(void *ctx, int line, const char *text)
{
    struct said *s = ctx;
    s->n++;
    s->line = line;
    snprintf(s->text, sizeof s->text, "%s", text);
}

static struct said refused(struct host_spec *hosts, const struct action *actions, size_t n)
{
    struct trial_spec t = spec_of(hosts);
    struct said s = {0};
    t.actions = actions;
    t.n_actions = n;
    int rc = lab_check(&t, note, &s);
    assert_int_equal(rc, s.n ? ERR_UNSUPPORTED : OK);
    return s;
}

static void what_it_can_t_do_is_refused_by_name_and_line(void **state)
{
    struct nat_spec odd = *nat_preset(NAT_PORT_RESTRICTED);
    struct host_spec hosts[HOSTS] = {{.nat = NAT_PORT_RESTRICTED, .nat_spec = &odd, .line = 12}};
    struct action readdress = {.kind = ACT_READDRESS, .line = 30};
    struct action link = {.kind = ACT_LINK, .a = 1, .b = 3, .line = 31};
    (void)state;
    assert_int_equal(refused(hosts, NULL, 0).n, 0);
    odd.mapping = NAT_ADDRESS_DEPENDENT;
    assert_int_equal(refused(hosts, NULL, 0).line, 12);
    assert_string_equal(refused(hosts, NULL, 0).text, "the NAT of a: mapping: address_dependent");
    odd.mapping = NAT_ENDPOINT_INDEPENDENT;
    odd.ports = NAT_RANDOM;
    assert_int_equal(refused(hosts, NULL, 0).line, 12);
    odd = *nat_preset(NAT_SYMMETRIC);
    odd.ports = NAT_SEQUENTIAL;
    assert_int_equal(refused(hosts, NULL, 0).line, 12);
    hosts[0] = (struct host_spec){0};
    assert_int_equal(refused(hosts, &readdress, 1).line, 30);
    /* Who shares a NAT is one to the WAN. */
    hosts[1].nat = hosts[2].nat = NAT_FULL_CONE;
    hosts[1].nat_box = hosts[2].nat_box = "flat";
    hosts[2].line = 14;
    assert_int_equal(refused(hosts, NULL, 0).n, 0);
    assert_int_equal(refused(hosts, &link, 1).line, 31);
    hosts[2].access.latency = 1;
    assert_int_equal(refused(hosts, NULL, 0).line, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_the_simulator_s_kind),
        cmocka_unit_test(presets_become_rules),
        cmocka_unit_test(what_it_can_t_do_is_refused_by_name_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
