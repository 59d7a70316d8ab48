/* links: engine/run/{scenario,matrix,cell,hosts,place,regions,events,when,show,show_print,schema,
 * schema_check,yaml,yaml_text,names,suggest,diag,expect,files}.c engine/base/{arena,opt,err,prng}.c
 * engine/worlds/link/access.c
 *
 * Good scenarios: what they are resolved to. */
#include "tests/unit/scenario_plugins.h"
#include "tests/unit/scenario_text.h"

#define HEAD "schema: 1\nname: t\ntransport: direct\nprotocol: shamir\n"
#define THREE                                                                                      \
    "parties:\n  - {name: alice, input: 1}\n  - {name: bob, input: 2}\n"                           \
    "  - {name: carol, input: 3}\n"

static const struct trial_spec *spec_of(const struct loaded *l, size_t cell)
{
    assert_true(cell < l->s->n_cells);
    return &l->s->cells[cell].spec;
}

static void smallest(void **state)
{
    struct loaded l = load_good(HEAD THREE);
    const struct trial_spec *t = spec_of(&l, 0);
    const struct cell *c = &l.s->cells[0];
    (void)state;
    assert_int_equal(l.s->n_cells, 1);
    assert_int_equal(l.s->n_axes, 0);
    assert_string_equal(l.s->about, "");
    assert_int_equal(c->seed, 1);
    assert_int_equal(c->repeat, 1);
    assert_int_equal(c->n_expects, 0);
    assert_int_equal(t->limit, 60 * NS_S);
    assert_string_equal(t->scenario, "t");
    assert_string_equal(t->transport->name, "direct");
    assert_int_equal(((const struct fake_direct *)t->transport_opts)->redial, NS_S);
    assert_int_equal(((const struct fake_shamir *)t->protocol_opts)->threshold, 1);
    assert_non_null(t->plan);
    assert_int_equal(t->channel, CHANNEL_NOISE);
    assert_null(t->costs);
    assert_int_equal(t->n_actions, 0);
    assert_int_equal(t->n_observers, 1);
    assert_string_equal(t->observers[0].ops->name, "exposure");
    assert_int_equal(t->regions->n, 1);
    assert_string_equal(t->regions->names[0], "here");
    assert_int_equal(t->regions->rtt[0], NS_MS / 2);
    assert_int_equal(t->roster->n, 3);
    assert_int_equal(t->roster->n_parties, 3);
    assert_null(t->roster->identities);
    assert_string_equal(t->roster->entries[1].name, "bob");
    assert_string_equal(t->roster->entries[1].role, "party");
    assert_int_equal(t->hosts[1].line, 7);
    assert_int_equal(t->hosts[1].nat, NAT_NONE);
    assert_int_equal(t->inputs[2].n, 1);
    assert_string_equal(t->inputs[2].values[0], "3");
    assert_string_equal(t->programs[0], "shamir program=sum threshold=1 parties=3");
    unload(&l);
}

static void hosts(void **state)
{
    struct loaded l = load_good(
        "schema: 1\nname: t\ntransport: relay\nprotocol: {name: ping, size: 1KiB}\n"
        "templates:\n  home: &home {access: fibre, nat: port_restricted}\n  late: &late {start: "
        "5s}\n"
        "regions: {eu: {eu: 1ms, us: 80ms}, us: {us: 2ms, eu: 90ms}}\n"
        "parties:\n"
        "  - {name: a, region: eu, <<: *home, input: [1, x, ''], role: server}\n"
        "  - {name: b, region: us, <<: [*late, *home], nat: {box: office, kind: symmetric}}\n"
        "  - {name: c, region: us, access: {down: 50Mbit, up: 10Mbit, latency: 8ms, jitter: 3ms, "
        "loss: 0.2%, queue: 64KiB}, nat: {box: office, kind: symmetric}}\n"
        "services:\n  - {name: r, count: 2, role: relay, region: eu}\n");
    const struct trial_spec *t = spec_of(&l, 0);
    const uint8_t third[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 3};
    (void)state;
    assert_int_equal(t->roster->n, 5);
    assert_int_equal(t->roster->n_parties, 3);
    assert_string_equal(t->roster->entries[0].role, "server");
    assert_string_equal(t->roster->entries[1].role, "client");
    assert_string_equal(t->roster->entries[4].name, "r_2");
    assert_string_equal(t->roster->entries[4].role, "relay");
    assert_memory_equal(t->roster->entries[2].addr.ip, third, 16);
    assert_int_equal(t->roster->entries[2].addr.port, 0);
    assert_int_equal(t->hosts[0].nat, NAT_PORT_RESTRICTED);
    assert_true(t->hosts[0].access.down_bps > 0);
    assert_int_equal(t->hosts[1].nat, NAT_SYMMETRIC); /* explicit keys win over merged ones */
    assert_string_equal(t->hosts[1].nat_box, "office");
    assert_int_equal(t->hosts[1].start, 5 * NS_S);
    assert_int_equal(t->hosts[1].access.down_bps, t->hosts[0].access.down_bps);
    const struct access *own = &t->hosts[2].access;
    assert_true(own->up_bps == 10000000 && own->down_bps == 50000000);
    assert_true(own->latency == 8 * NS_MS && own->jitter == 3 * NS_MS);
    assert_true(own->loss_ppm == 2000 && own->queue_bytes == 65536 && own->burst == 0);
    assert_int_equal(t->regions->rtt[0 * 2 + 1], 80 * NS_MS);
    assert_int_equal(t->regions->rtt[1 * 2 + 0], 90 * NS_MS);
    assert_int_equal(t->hosts[1].region, 1);
    assert_int_equal(t->inputs[0].n, 3);
    assert_string_equal(t->inputs[0].values[1], "x");
    assert_int_equal(t->inputs[1].n, 0);
    assert_non_null(t->inputs[1].values);
    assert_string_equal(t->programs[1], "ping size=1KiB rate=1Mbit open=true parties=3");
    unload(&l);
}

static void crowds(void **state)
{
    const char *text = HEAD "regions: {a: {a: 1ms, b: 2ms, c: 3ms}, b: {b: 1ms, c: 1ms}, "
                            "c: {c: 1ms}}\n"
                            "parties:\n  - {name: x, input: 1, region: a}\n"
                            "  - {name: m, count: 10, input: 2, start: {uniform: 10min}, "
                            "region: {a: 55%, b: 30%, c: 15%}}\n"
                            "matrix: {parties.count: [11, 5]}\n";
    struct loaded l = load_good(text), again = load_good(text);
    const struct trial_spec *all = spec_of(&l, 0), *some = spec_of(&l, 1);
    uint32_t per[3] = {0};
    (void)state;
    assert_int_equal(all->roster->n_parties, 11);
    assert_int_equal(some->roster->n_parties, 5);
    assert_string_equal(all->roster->entries[1].name, "m_1");
    assert_string_equal(all->roster->entries[10].name, "m_10");
    for (uint32_t i = 1; i <= 10; i++)
        per[all->hosts[i].region]++;
    assert_int_equal(per[0], 6); /* 5.5, 3, 1.5: the remainders are equal, the first wins */
    assert_int_equal(per[1], 3);
    assert_int_equal(per[2], 1);
    bool differ = false;
    for (uint32_t i = 0; i < 5; i++) { /* the first n are the same hosts */
        assert_memory_equal(&all->roster->entries[i].addr, &some->roster->entries[i].addr,
                            sizeof(struct addr));
        assert_int_equal(all->hosts[i].start, some->hosts[i].start);
        assert_int_equal(all->hosts[i].start, spec_of(&again, 0)->hosts[i].start);
        assert_int_equal(all->hosts[i].region, some->hosts[i].region);
        assert_in_range(all->hosts[i].start, 0, 600 * NS_S - 1);
        differ |= i > 1 && all->hosts[i].start != all->hosts[i - 1].start;
    }
    assert_true(differ);
    assert_string_equal(l.s->cells[1].axes[0].value, "5");
    assert_string_equal(some->programs[4], "shamir program=sum threshold=1 parties=5");
    unload(&l);
    unload(&again);
}

static void matrix(void **state)
{
    struct loaded l =
        load_good(HEAD THREE
                  "services: [{name: r, role: relay}]\n"
                  "matrix:\n"
                  "  transport: [direct, relay, {name: relay, mailbox: 5}]\n"
                  "  protocol.program: [sum, maximum]\n"
                  "expect:\n"
                  "  - {when: {transport: relay}, that: completed == 100%}\n"
                  "  - {when: {transport: direct, protocol.program: [maximum]}, that: wrong == 0}\n"
                  "  - {when: {transport: {name: relay, mailbox: 5}}, that: wrong == 0}\n"
                  "  - {when: {channel: noise}, that: unfinished == 0}\n");
    static const char *const axes[6][2] = {
        {"direct", "sum"},
        {"direct", "maximum"},
        {"relay", "sum"},
        {"relay", "maximum"},
        {"{name: relay, mailbox: 5}", "sum"},
        {"{name: relay, mailbox: 5}", "maximum"},
    };
    static const size_t expects[] = {1, 2, 2, 2, 3, 3};
    (void)state;
    assert_int_equal(l.s->n_cells, 6);
    assert_int_equal(l.s->n_axes, 2);
    assert_int_equal(l.s->axes[0].n, 3);
    for (size_t i = 0; i < 6; i++) {
        const struct cell *c = &l.s->cells[i];
        assert_int_equal(c->index, i);
        assert_string_equal(c->axes[0].name, "transport");
        assert_string_equal(c->axes[0].value, axes[i][0]);
        assert_string_equal(c->axes[1].value, axes[i][1]);
        assert_int_equal(c->n_expects, expects[i]);
        assert_int_equal(c->spec.roster->n, i < 2 ? 3 : 4); /* direct starts no relay */
        for (size_t j = 0; j < i; j++)
            assert_true(c->spec.scenario_digest != l.s->cells[j].spec.scenario_digest);
    }
    assert_int_equal(l.s->cells[0].expects[0].line, 17);
    assert_int_equal(((const struct fake_relay *)spec_of(&l, 3)->transport_opts)->mailbox, 16);
    assert_int_equal(((const struct fake_relay *)spec_of(&l, 5)->transport_opts)->mailbox, 5);
    assert_string_equal(spec_of(&l, 5)->programs[0],
                        "shamir program=maximum threshold=1 parties=3");
    unload(&l);
}

static void paths(void **state)
{
    struct loaded l = load_good(HEAD THREE "matrix:\n  parties.bob.nat: [open, cgnat]\n"
                                           "  transport.redial: [2s]\n  seed: [5, 6]\n"
                                           "  repeat: [3]\n  parties.alice.access.loss: [1%]\n");
    const struct cell *c = &l.s->cells[3];
    (void)state;
    assert_int_equal(l.s->n_cells, 4);
    assert_int_equal(c->spec.hosts[1].nat, NAT_CGNAT);
    assert_int_equal(l.s->cells[0].spec.hosts[1].nat, NAT_OPEN);
    assert_int_equal(c->seed, 6);
    assert_int_equal(c->repeat, 3);
    assert_int_equal(c->spec.hosts[0].access.loss_ppm, 10000);
    assert_int_equal(((const struct fake_direct *)c->spec.transport_opts)->redial, 2 * NS_S);
    unload(&l);
}

static void overrides(void **state)
{
    const struct scenario_set sets[] = {
        {"seed", "7"},
        {"protocol.program", "maximum"},
        {"transport", "relay"},
        {"parties.carol.input", "99"},
        {"matrix.protocol.threshold", "[1]"},
        {"observers", "[{name: exposure, enabled: false}, timing]"},
    };
    struct loaded l =
        load_sets(HEAD THREE "services: [{name: r, role: relay}]\n"
                             "matrix: {transport: [direct, relay]}\n"
                             "expect: [{when: {transport: direct}, that: wrong == 0}]\n",
                  sets, sizeof sets / sizeof *sets);
    const struct cell *c = &l.s->cells[0];
    (void)state;
    assert_int_equal(l.s->n_cells, 1);
    assert_int_equal(l.s->n_axes, 2);
    assert_string_equal(c->axes[0].value, "relay");
    assert_string_equal(c->axes[1].name, "protocol.threshold");
    assert_int_equal(l.s->seed, 7);
    assert_int_equal(c->seed, 7);
    assert_int_equal(c->n_expects, 0);
    assert_string_equal(c->spec.programs[0], "shamir program=maximum threshold=1 parties=3");
    assert_string_equal(c->spec.inputs[2].values[0], "99");
    assert_int_equal(c->spec.n_observers, 1);
    assert_string_equal(c->spec.observers[0].ops->name, "timing");
    unload(&l);
}

static void events(void **state)
{
    struct loaded l =
        load_good(HEAD "parties: [{name: a, input: 1}, {name: m, count: 3, input: 1}]\n"
                       "services: [{name: r, role: relay}]\n"
                       "matrix: {transport: [direct, relay]}\n"
                       "events:\n"
                       "  - {at: 4s, restart: m_2}\n"
                       "  - {at: 2s, crash: m_2}\n"
                       "  - {at: 3s, crash: r}\n"
                       "  - {at: 5s, partition: [[a, r], [m]], until: 8s}\n"
                       "  - {at: 9s, link: {between: [a, m_3], loss: 30%, latency: 0}}\n"
                       "  - {at: 0, crash: m_1}\n");
    const struct action *direct = spec_of(&l, 0)->actions, *relay = spec_of(&l, 1)->actions;
    static const uint8_t sides[] = {1, 2, 2, 2, 1};
    (void)state;
    assert_int_equal(spec_of(&l, 0)->n_actions, 5); /* no relay there, so it cannot crash */
    assert_int_equal(spec_of(&l, 1)->n_actions, 6);
    assert_int_equal(direct[0].kind, ACT_RESTART);
    assert_int_equal(direct[0].node, 2);
    assert_int_equal(direct[0].line, 9);
    assert_int_equal(direct[1].kind, ACT_CRASH);
    assert_int_equal(direct[1].at, 2 * NS_S);
    assert_int_equal(direct[2].kind, ACT_PARTITION);
    assert_int_equal(direct[2].until, 8 * NS_S);
    assert_memory_equal(direct[2].side, sides, 4);
    assert_memory_equal(relay[3].side, sides, 5);
    assert_int_equal(relay[2].node, 4);
    assert_int_equal(direct[3].kind, ACT_LINK);
    assert_int_equal(direct[3].a, 0);
    assert_int_equal(direct[3].b, 3);
    assert_int_equal(direct[3].loss_ppm, 300000);
    assert_int_equal(direct[3].latency, 0);
    assert_int_equal(direct[3].rate_bps, -1);
    assert_true(direct[3].until == NS_NEVER);
    unload(&l);
}

static void programs(void **state)
{
    struct loaded l =
        load_good(HEAD "parties:\n  - {name: a, input: 1}\n"
                       "  - {name: b, input: 1, protocol: {program: maximum}}\n"
                       "  - {name: c, input: 1, protocol: {circuit: other.txt}}\n"
                       "matrix: {protocol: [{name: shamir, circuit: adder.txt, program: circuit, "
                       "note: 'x y'}]}\ncompute: {x25519: 50us}\nchannel: none\n");
    const struct trial_spec *t = spec_of(&l, 0);
    const struct fake_shamir *o = t->protocol_opts;
    (void)state;
    assert_int_equal(o->circuit.len, 6);
    assert_memory_equal(o->circuit.data, "1 2\n3\n", 6);
    assert_non_null(strstr(t->programs[0], "program=circuit threshold=1 circuit=adder.txt("));
    assert_non_null(strstr(t->programs[0], " note=x y parties=3"));
    assert_non_null(strstr(t->programs[1], "program=maximum threshold=1 circuit=adder.txt("));
    assert_non_null(strstr(t->programs[2], "circuit=other.txt("));
    assert_int_equal(o->program, 2);
    assert_int_equal(t->costs[COST_X25519], 50 * NS_US);
    assert_int_equal(t->costs[COST_SHARE], 0);
    assert_int_equal(t->channel, CHANNEL_NONE);
    unload(&l);
}

static void cost_tables_have_names(void **state)
{
    struct loaded l = load_good(HEAD THREE "compute: slow\n");
    const struct trial_spec *t = spec_of(&l, 0);
    (void)state;
    assert_int_equal(t->costs[COST_X25519], 180 * NS_US);
    assert_int_equal(t->costs[COST_AEAD], 2 * NS_US);
    assert_int_equal(t->costs[COST_MESSAGE], 0);
    unload(&l);
    l = load_good(HEAD THREE "compute: none\n");
    assert_null(spec_of(&l, 0)->costs);
    unload(&l);
}

static uint64_t digest_with(const char *path, const char *value)
{
    const struct scenario_set set = {path, value};
    struct loaded l = load_sets(HEAD THREE, &set, 1);
    uint64_t digest = l.s ? l.s->digest : 0;
    assert_int_equal(l.rc, OK);
    unload(&l);
    return digest;
}

static void digests(void **state)
{
    uint64_t plain = digest_with("seed", "1");
    (void)state;
    assert_true(plain == digest_with("seed", "2"));
    assert_true(plain == digest_with("repeat", "20"));
    assert_true(plain == digest_with("about", "something"));
    assert_true(plain == digest_with("parties.bob.input", "77"));
    assert_true(plain == digest_with("expect", "[{that: wrong == 0}]"));
    assert_true(plain == digest_with("limit", "1min")); /* the default in other words */
    assert_true(plain != digest_with("limit", "61s"));
    assert_true(plain != digest_with("transport", "'null'"));
    assert_true(plain != digest_with("parties.bob.access", "dsl"));
    assert_true(plain != digest_with("protocol.note", "x"));
    assert_true(plain != digest_with("channel", "none"));
    assert_true(plain != digest_with("events", "[{at: 1s, crash: bob}]"));
}

static char *shown(const char *text, bool json)
{
    struct loaded l = load_good(text);
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);
    scenario_show(l.s, f, json);
    fclose(f);
    unload(&l);
    return out;
}

static void shows(void **state)
{
    const char *text = HEAD THREE "about: 'It says: hello'\n"
                                  "services: [{name: r, role: relay}]\n"
                                  "events: [{at: 1s, crash: bob}]\n"
                                  "matrix: {transport: [direct, relay]}\n";
    char *one = shown(text, false), *two = shown(text, false), *json = shown(text, true);
    (void)state;
    assert_string_equal(one, two);
    assert_non_null(strstr(one, "about: \"It says: hello\"\n"));
    assert_non_null(strstr(one, "axes: {transport: [direct, relay]}\n"));
    assert_non_null(strstr(one, "transport: {name: relay, mailbox: 16, size: 64KiB}\n"));
    assert_non_null(strstr(one, "protocol: {name: shamir, program: sum, threshold: 1}\n"));
    assert_non_null(strstr(one, "limit: 1min\n"));
    json_t *v = json_loads(json, 0, NULL);
    assert_non_null(v);
    json_t *cell = json_array_get(json_object_get(v, "cells"), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(cell, "transport"), "size")), "64KiB");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(cell, "axes"), "transport")), "relay");
    json_decref(v);
    free(one);
    free(two);
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest),
        cmocka_unit_test(hosts),
        cmocka_unit_test(crowds),
        cmocka_unit_test(matrix),
        cmocka_unit_test(paths),
        cmocka_unit_test(overrides),
        cmocka_unit_test(events),
        cmocka_unit_test(programs),
        cmocka_unit_test(cost_tables_have_names),
        cmocka_unit_test(digests),
        cmocka_unit_test(shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
