/* links: engine/run/{scenario,matrix,cell,hosts,place,nats,regions,events,when,show,show_print,
 * schema,schema_check,yaml,yaml_text,names,suggest,diag,expect,files}.c
 * engine/base/{arena,opt,err,prng}.c engine/worlds/link/{access,nat_spec}.c
 *
 * `nat:` in scenarios: what it is resolved to, and services that nobody can reach. */
#include "engine/worlds/link/nat_spec.h"
#include "tests/unit/scenario_plugins.h"
#include "tests/unit/scenario_text.h"

#define HEAD "schema: 1\nname: t\ntransport: relay\nprotocol: shamir\nparties:\n"
#define REST                                                                                       \
    "  - {name: bob, input: 2}\n  - {name: carol, input: 3}\n"                                     \
    "services: [{name: relay1, role: relay}]\n"

static const struct host_spec *hosts_of(const struct loaded *l)
{
    return l->s->cells[0].spec.hosts;
}

static void a_map_changes_its_kind(void **state)
{
    struct loaded l = load_good(
        HEAD
        "  - {name: a, input: 1, nat: {kind: full_cone, mapping: address_dependent, filtering: "
        "address_and_port_dependent, ports: sequential, parity: false, hairpin: false, "
        "inbound_refresh: true, udp_timeout: 30s, tcp_timeout: 1h, tcp_transitory_timeout: "
        "1min, port_limit: 64, forward: [80, {port: 8443, to: 443}], box: office}}\n"
        "  - {name: b, input: 1, nat: {box: office}}\n"
        "  - {name: c, input: 1, nat: {udp_timeout: 30s}}\n"
        "  - {name: d, input: 1, nat: {box: office2, kind: symmetric}}\n" REST);
    const struct host_spec *h = hosts_of(&l);
    const struct nat_spec *s = h[0].nat_spec;
    (void)state;
    assert_int_equal(h[0].nat, NAT_FULL_CONE);
    assert_string_equal(h[0].nat_box, "office");
    assert_true(s->mapping == NAT_ADDRESS_DEPENDENT && s->ports == NAT_SEQUENTIAL);
    assert_true(s->filtering == NAT_ADDRESS_AND_PORT_DEPENDENT && s->inbound_refresh);
    assert_true(!s->parity && !s->hairpin && s->port_limit == 64);
    assert_true(s->udp_timeout == 30 * NS_S && s->tcp_timeout == 3600 * NS_S);
    assert_true(s->tcp_transitory_timeout == 60 * NS_S && s->n_forwards == 2);
    assert_true(s->forwards[0].outer == 80 && s->forwards[0].inner == 80);
    assert_true(s->forwards[1].outer == 8443 && s->forwards[1].inner == 443);
    assert_true(nat_spec_equal(h[1].nat_spec, s) && h[1].nat_spec->n_forwards == 0);
    assert_string_equal(h[1].nat_box, "office");
    assert_int_equal(h[2].nat, NAT_PORT_RESTRICTED);
    assert_true(h[2].nat_spec->hairpin && h[2].nat_spec->udp_timeout == 30 * NS_S);
    assert_true(h[3].nat == NAT_SYMMETRIC && !h[3].nat_spec);
    assert_true(h[4].nat == NAT_NONE && !h[4].nat_spec && !h[4].nat_box);
    unload(&l);
}

static void a_second_box(void **state)
{
    struct loaded l = load_good(
        HEAD "  - {name: a, input: 1, nat: {kind: cgnat, box: isp, port_limit: 64}}\n"
             "  - {name: b, input: 1, nat: {kind: symmetric, box: home, behind: {box: isp2, "
             "udp_timeout: 9s}}}\n"
             "  - {name: c, input: 1, nat: {kind: full_cone, behind: cgnat}}\n"
             "  - {name: d, input: 1, nat: {box: isp3, kind: cgnat}}\n" REST);
    const struct host_spec *h = hosts_of(&l);
    (void)state;
    assert_null(h[0].nat_box);
    assert_string_equal(h[0].nat_spec->outer_box, "isp");
    assert_int_equal(h[0].nat_spec->outer->port_limit, 64);
    assert_int_equal(h[0].nat_spec->port_limit, 0);
    assert_string_equal(h[1].nat_box, "home");
    assert_string_equal(h[1].nat_spec->outer_box, "isp2");
    assert_true(h[1].nat_spec->outer->udp_timeout == 9 * NS_S);
    assert_true(nat_spec_equal(h[2].nat_spec->outer, nat_carrier()));
    assert_true(h[3].nat_spec == NULL && strcmp(h[3].nat_box, "isp3") == 0);
    unload(&l);
}

/* Shares are exact; who gets what is the seed's. */
static void a_crowd_has_shares(void **state)
{
    uint32_t counts[2][NAT_UDP_BLOCKED + 1], second[2], same = 0;
    enum nat_kind first[1000];
    (void)state;
    memset(counts, 0, sizeof counts);
    memset(second, 0, sizeof second);
    for (int seed = 0; seed < 2; seed++) {
        char text[512];
        snprintf(text, sizeof text,
                 "seed: %d\n" HEAD
                 "  - {name: crowd, count: 1000, input: 1, nat: population}\n" REST,
                 seed);
        struct loaded l = load_good(text);
        for (int i = 0; i < 1000; i++) {
            const struct host_spec *h = &hosts_of(&l)[i];
            counts[seed][h->nat]++;
            second[seed] += h->nat_spec && h->nat_spec->outer;
            if (seed == 0)
                first[i] = h->nat;
            same += seed && first[i] == h->nat;
        }
        assert_true(counts[seed][NAT_NONE] == 200 && counts[seed][NAT_FULL_CONE] == 80);
        assert_true(counts[seed][NAT_PORT_RESTRICTED] == 560 && counts[seed][NAT_SYMMETRIC] == 160);
        assert_int_equal(second[seed], 80);
        unload(&l);
    }
    assert_in_range(same, 300, 470); /* 38.6 % by chance */
    struct loaded l = load_good(
        HEAD "  - {name: crowd, count: 7, input: 1, nat: {symmetric: 40%, cgnat: 60%}}\n" REST);
    uint32_t n = 0;
    for (int i = 0; i < 7; i++)
        n += hosts_of(&l)[i].nat == NAT_SYMMETRIC;
    assert_int_equal(n, 3);
    char *shown = json_dumps(l.s->cells[0].json, JSON_COMPACT | JSON_SORT_KEYS);
    assert_non_null(strstr(shown, "\"nat\":{\"cgnat\":\"60%\",\"symmetric\":\"40%\"}"));
    free(shown);
    unload(&l);
}

/* ---- findings ------------------------------------------------------------------------------- */

static void one_finding(const char *text, int line, int column, const char *words)
{
    struct loaded l = load(text);
    const struct diag *d = l.diags.items;
    if (l.rc != ERR_INVALID || l.diags.n != 1 || d->line != line || d->column != column ||
        !strstr(d->text, words)) {
        diag_print(&l.diags, stderr);
        fail_msg("expected %d:%d: %s", line, column, words);
    }
    unload(&l);
}

#define SERVICE(nat)                                                                               \
    HEAD "  - {name: alice, input: 1, nat: symmetric}\n  - {name: bob, input: 2}\n"                \
         "  - {name: carol, input: 3}\nservices: [{name: relay1, role: relay, nat: " nat "}]\n"

static void a_service_must_be_reachable(void **state)
{
    static const char *const good[] = {SERVICE("none"), SERVICE("open"),
                                       SERVICE("{forward: [7000]}"),
                                       SERVICE("{kind: udp_blocked, forward: [7000]}")};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct loaded l = load_good(good[i]);
        unload(&l);
    }
    one_finding(SERVICE("full_cone"), 9, 45, "port 7000");
    one_finding(SERVICE("cgnat"), 9, 45, "forward: [7000]");
    one_finding(SERVICE("{forward: [7001]}"), 9, 45, "relay1 must be reachable");
    one_finding(SERVICE("{forward: [{port: 7000, to: 1}]}"), 9, 45, "relay1 must be reachable");
}

static void boxes_must_agree(void **state)
{
    (void)state;
    one_finding(HEAD "  - {name: a, input: 1, nat: {box: x, hairpin: false}}\n"
                     "  - {name: b, input: 1, nat: {box: x, kind: port_restricted}}\n" REST,
                7, 36, "otherwise in line 6");
    one_finding(HEAD "  - {name: a, input: 1, nat: {box: x, kind: cgnat, port_limit: 9}}\n"
                     "  - {name: b, input: 1, nat: {box: x, kind: cgnat}}\n" REST,
                7, 36, "otherwise in line 6");
    one_finding(HEAD "  - {name: a, input: 1, nat: {box: x, forward: [80]}}\n"
                     "  - {name: b, input: 1, nat: {box: x, forward: [80]}}\n" REST,
                7, 36, "port 80 to another host");
    one_finding(HEAD "  - {name: a, count: 2, input: 1, nat: {forward: [80]}}\n" REST, 6, 41,
                "2 hosts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_changes_its_kind), cmocka_unit_test(a_second_box),
        cmocka_unit_test(a_crowd_has_shares),     cmocka_unit_test(a_service_must_be_reachable),
        cmocka_unit_test(boxes_must_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
