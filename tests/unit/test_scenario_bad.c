/* links:
 * engine/run/{scenario,matrix,cell,hosts,place,regions,events,events_whom,events_check,when,show,show_print,schema,
 * schema_check,yaml,yaml_text,names,suggest,diag,expect,files}.c engine/base/{arena,opt,err,prng}.c
 * engine/worlds/link/access.c
 *
 * Bad scenarios: where the finding is, and what it says. */
#include "tests/unit/scenario_plugins.h"
#include "tests/unit/scenario_wrong.h"

static void base_is_good(void **state)
{
    const struct wrong none = {0, NULL, 0, 0, NULL, NULL};
    struct loaded l = load_good(text_of(&none));
    (void)state;
    unload(&l);
}

static void keys_and_values(void **state)
{
    static const struct wrong list[] = {
        {1, "schema: 2", 1, 9, "schema is \"2\"", "at most 1"},
        {1, "sceham: 1", 1, 1, "unknown key \"sceham\"", "did you mean \"schema\"?"},
        {1, "about: x", 1, 1, "the key \"schema\" is missing", "a whole number"},
        {4, "", 1, 1, "the key \"transport\" is missing", "the name of a transport"},
        {2, "name: 1st", 2, 7, "\"1st\" is no name", "a letter first"},
        {2, "name: a/b", 2, 7, "\"a/b\" is no name", NULL},
        {2, "name: [t]", 2, 7, "name is a list", "expected a text"},
        {11, "repeat: 0", 11, 9, "repeat is \"0\"", "at least 1"},
        {11, "repeat: 1000001", 11, 9, "repeat", "at most 1000000"},
        {11, "repeat: 5s", 11, 9, "repeat is \"5s\"", "a whole number"},
        {11, "limit: 0", 11, 8, "limit is \"0\"", "at least 1ns"},
        {11, "limit: 60", 11, 8, "the unit is missing", "a duration such as 20ms"},
        {11, "seed: -1", 11, 7, "seed", "at least 0"},
        {11, "channel: nosie", 11, 10, "channel is \"nosie\"", "did you mean \"noise\"?"},
        {11, "crypto: modeled", 11, 9, "expected one of real, modelled", NULL},
        {11, "compute: calibrated", 11, 10, "there is no such file", "partyline calibrate"},
        {11, "compute: raspberry pi", 11, 10, "no name of a table such as laptop", NULL},
        {11, "compute: odd", 1, 9, "180", NULL},
        {11, "compute: {x25519: 5us, shaer: 1us}", 11, 24, "unknown key", "\"share\""},
        {4, "transport: drect", 4, 12, "there is no transport \"drect\"", "\"direct\"?"},
        {4, "transport: {mailbox: 3}", 4, 12, "without the key \"name\"", NULL},
        {4, "transport: {name: relay, mailbx: 3}", 4, 26, "no option \"mailbx\"", "\"mailbox\"?"},
        {4, "transport: {name: relay, mailbox: 101}", 4, 35, "mailbox", "at most 100"},
        {4, "transport: {name: relay, size: 5}", 4, 32, "size", "a size such as 64KiB"},
        {4, "transport: [relay]", 4, 12, "transport is a list", "the name of a transport or a map"},
        {5, "protocol: {name: shamir, program: summ}", 5, 35, "program", "\"sum\"?"},
        {5, "protocol: {name: shamir, threshold: 2}", 5, 11, "shamir: threshold 2 needs 5", NULL},
        {5, "protocol: {name: shamir, circuit: no.txt}", 5, 35, "no.txt", "no such file"},
        {11, "observers: [exposre]", 11, 13, "no observer \"exposre\"", "\"exposure\"?"},
        {11, "observers: [{name: timing, window: 0}]", 11, 36, "window", "at least 1ns"},
        {11, "observers: [{name: exposure, enabled: maybe}]", 11, 39, "enabled", "true or false"},
        {11, "- x", 11, 1, "this is not YAML", NULL},
    };
    (void)state;
    CHECK(list);
}

static void places(void **state)
{
    static const struct wrong list[] = {
        {3, "regions: {eu: {eu: 1ms}, us: {us: 1ms}}", 3, 10, "between eu and us", NULL},
        {3, "regions: {eu: {eu: 1ms, us: 80}, us: {us: 1ms}}", 3, 29, "unit is missing", NULL},
        {3, "regions: nowhere", 3, 10, "nowhere", "no such file"},
        {3, "regions: ../x", 3, 10, "no name of a table", NULL},
        {8, "  - {name: bob, region: uss, input: 2}", 8, 25, "no region \"uss\"", "\"us\"?"},
        {8, "  - {name: bob, input: 2}", 8, 5, "\"region\" is missing", "2 regions"},
        {8, "  - {name: bob, region: {us: 50%, eu: 50%}, input: 2}", 8, 25, "for a crowd", NULL},
        {8, "  - {name: b, count: 4, region: {us: 50%, eu: 49%}, input: 2}", 8, 33, "add up to 99%",
         "100%"},
        {8, "  - {name: b, count: 4, region: {us: 50%, ue: 50%}, input: 2}", 8, 43,
         "no region \"ue\"", "\"eu\"?"},
        {8, "  - {name: b, count: 0, region: us, input: 2}", 8, 22, "count", "at least 1"},
        {8, "  - {name: b, count: 1000001, region: us, input: 2}", 8, 22, "at most 1000000", NULL},
        {8, "  - {name: alice, region: us, input: 2}", 8, 12, "alice is taken", "line 7"},
        {8, "  - {name: relay1, region: us, input: 2}", 10, 19, "relay1 is taken", "line 8"},
        {8, "  - {name: b b, region: us, input: 2}", 8, 12, "\"b b\" is no name", NULL},
        {8, "  - {nmae: bob, region: us, input: 2}", 8, 6, "unknown key \"nmae\"", "\"name\"?"},
        {8, "  - {name: bob, region: us, input: two}", 8, 36, "input of bob", "one whole number"},
        {8, "  - {name: bob, region: us}", 8, 5, "input of bob", "one whole number"},
        {8, "  - {name: bob, region: us, input: 2, role: boss}", 8, 45, "no role \"boss\"", NULL},
        {8, "  - {name: bob, region: us, input: 2, access: fiber}", 8, 47, "\"fiber\"",
         "\"fibre\"?"},
        {8, "  - {name: bob, region: us, input: 2, access: {down: 0}}", 8, 54, "down", "1bit"},
        {8, "  - {name: bob, region: us, input: 2, access: {up: -1Mbit}}", 8, 52, "up", "a rate"},
        {8, "  - {name: bob, region: us, input: 2, access: {loss: 101%}}", 8, 54, "loss", "100%"},
        {8, "  - {name: bob, region: us, input: 2, nat: symetric}", 8, 44, "nat", "\"symmetric\"?"},
        {8, "  - {name: bob, region: us, input: 2, nat: {mapping: x}}", 8, 54, "mapping", NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: {hairpn: true}}", 8, 45, "\"hairpn\"",
         "\"hairpin\"?"},
        {8, "  - {name: bob, region: us, input: 2, nat: {}}", 8, 44, "nothing", NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: population}", 8, 44, "crowd", NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: {kind: open, hairpin: true}}", 8, 57,
         "public address", NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: {kind: udp_blocked, udp_timeout: 1s}}", 8,
         64, "blocks UDP", NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: {kind: cgnat, forward: [80]}}", 8, 58,
         "second NAT", NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: {kind: cgnat, behind: cgnat}}", 8, 58,
         "already", NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: {forward: [80, 81, 80]}}", 8, 63, "port 80",
         "twice"},
        {8, "  - {name: bob, region: us, input: 2, nat: {forward: [{to: 80}]}}", 8, 55, "\"port\"",
         NULL},
        {8, "  - {name: bob, region: us, input: 2, nat: {box: a, behind: {box: a}}}", 8, 67,
         "the NAT a", NULL},
        {8, "  - {name: bob, count: 2, region: us, input: 2, nat: {symmetric: 60%, open: 30%}}", 8,
         54, "90%", "100%"},
        {8, "  - {name: bob, count: 2, region: us, input: 2, nat: {symmetric: 100%, box: a}}", 8,
         54, "expected one of them", NULL},
        {8, "  - {name: bob, region: us, input: 2, start: soon}", 8, 46, "start", "a duration"},
        {8, "  - {name: bob, region: us, input: 2, start: {uniform: 0}}", 8, 56, "uniform", "1ns"},
        {8, "  - {name: bob, region: us, input: 2, protocol: {progam: sum}}", 8, 50, "\"progam\"",
         "\"program\"?"},
        {8, "  - {name: bob, region: us, input: 2, protocol: {threshold: x}}", 8, 61, "threshold",
         "a whole number"},
        {10, "services: [{name: r, role: realy, region: eu}]", 10, 28, "a role \"realy\"",
         "\"relay\"?"},
        {10, "services: [{name: r, region: eu}]", 10, 12, "\"role\" is missing", NULL},
        {10, "services: {name: r}", 10, 11, "services is a map", "a list"},
    };
    (void)state;
    CHECK(list);
}

static void happenings(void **state)
{
    static const struct wrong list[] = {
        {11, "events: [{at: 1s, crash: bobb}]", 11, 26, "\"bobb\"", "did you mean \"bob\"?"},
        {11, "events: [{at: 1s}]", 11, 10, "without what happens", "crash, restart"},
        {11, "events: [{crash: bob}]", 11, 10, "\"at\" is missing", NULL},
        {11, "events: [{at: 1s, crash: bob, restart: bob}]", 11, 31, "crash and restart", NULL},
        {11, "events: [{at: 1s, restart: bob}]", 11, 28, "bob is not down", "a crash before"},
        {11, "events: [{at: 1s, crash: bob}, {at: 2s, crash: bob}]", 11, 48, "down already", NULL},
        {11, "events: [{at: 2s, crash: bob}, {at: 1s, restart: bob}]", 11, 50, "not down", NULL},
        {11, "events: [{at: 1s, crash: bob, until: 2s}]", 11, 31, "has no end", NULL},
        {11, "events: [{at: 2s, partition: [[alice], [bob]], until: 1s}]", 11, 55,
         "until 1s is not after at 2s", NULL},
        {11, "events: [{at: 2s, partition: [[alice], [bob]], until: 2s}]", 11, 55, "not after",
         NULL},
        {11, "events: [{at: 2s, partition: [[alice], [bob, alice]]}]", 11, 46, "alice", "twice"},
        {11, "events: [{at: 2s, partition: [[alice]]}]", 11, 30, "groups in this partition: 1",
         NULL},
        {11, "events: [{at: 2s, partition: [[alice], []]}]", 11, 40, "nobody", NULL},
        {11, "events: [{at: 2s, partition: [alice, [bob]]}]", 11, 31, "an entry of partition",
         NULL},
        {11, "events: [{at: 2s, partition: [[alice], [bbo]]}]", 11, 41, "\"bbo\"", "\"bob\"?"},
        {11, "events: [{at: 2s, link: {between: [alice, bob]}}]", 11, 25, "changes nothing", NULL},
        {11, "events: [{at: 2s, link: {between: [alice], loss: 1%}}]", 11, 35, "has 1 of", NULL},
        {11, "events: [{at: 2s, link: {between: [bob, bob], loss: 1%}}]", 11, 35, "itself", NULL},
        {11, "events: [{at: 2s, link: {between: [alice, bob], rate: 0}}]", 11, 55, "rate", "1bit"},
        {11, "events: [{at: 2s, link: {loss: 1%}}]", 11, 25, "without its ends", "between"},
        {11, "events: [{at: 2, crash: bob}]", 11, 15, "unit is missing", NULL},
    };
    (void)state;
    CHECK(list);
}

static void axes_and_expectations(void **state)
{
    static const struct wrong list[] = {
        {11, "matrix: {transport: [relay, drect]}", 11, 29, "\"drect\"", "\"direct\"?"},
        {11, "matrix: {transport: []}", 11, 21, "no value", NULL},
        {11, "matrix: {transport: relay}", 11, 21, "an entry of matrix", "a list"},
        {11, "matrix: {transport: [relay, relay]}", 11, 29, "relay is twice", NULL},
        {11, "matrix: {name: [a, b]}", 11, 10, "\"name\" can't be an axis", NULL},
        {11, "matrix: {protocol.treshold: [1]}", 11, 10, "no option \"treshold\"",
         "\"threshold\"?"},
        {11, "matrix: {protocol.threshold: [1, x]}", 11, 34, "threshold is \"x\"", NULL},
        {11, "matrix: {protocol.threshold: [1, 2]}", 5, 11, "threshold 2 needs 5", NULL},
        {11, "matrix: {parties.count: [3, 4]}", 11, 29, "there are only 3", NULL},
        {11, "matrix: {parties.count: [0, 3]}", 11, 26, "count", "at least 1"},
        {11, "matrix: {parties.dave.input: [1]}", 11, 10, "no entry of the name \"dave\"", NULL},
        {11, "matrix: {protocol..x: [1]}", 11, 10, "this is no path", NULL},
        {11, "matrix: {sed: [1]}", 11, 10, "unknown key \"sed\"", "\"seed\"?"},
        {11, "expect: [{that: completd == 100%}]", 11, 17, "completd", "\"completed\"?"},
        {11, "expect: [{that: completed == 100}]", 11, 30, "completed", "a ratio"},
        {11, "expect: [{that: 'wrong == 0 and wrnog == 0'}]", 11, 33, "wrnog", "\"wrong\"?"},
        {11, "expect: [{when: {transport: relay}}]", 11, 10, "\"that\" is missing", NULL},
        {11, "expect: [{when: {trnsport: relay}, that: wrong == 0}]", 11, 18, "\"trnsport\"",
         "\"transport\"?"},
        {11, "expect: [{when: {transport: rely}, that: wrong == 0}]\nmatrix: {transport: [relay]}",
         11, 29, "never is \"rely\"", "\"relay\"?"},
        {11, "expect: [wrong == 0]", 11, 10, "an entry of expect", "a map"},
    };
    (void)state;
    CHECK(list);
}

static void scalars(void **state)
{
    static const struct wrong list[] = {
        {11, "about: no", 11, 8, "\"no\" is a boolean for YAML 1.1", NULL},
        {11, "about: Yes", 11, 8, "boolean", NULL},
        {11, "about: off", 11, 8, "boolean", NULL},
        {11, "about: 010", 11, 8, "octal", NULL},
        {11, "about: 1:30", 11, 8, "base 60", NULL},
        {11, "about: 1_000", 11, 8, "underscores", NULL},
        {11, "about: 0o17", 11, 8, "one YAML version", NULL},
        {11, "about: 0b11", 11, 8, "one YAML version", NULL},
        {11, "about: 1e3", 11, 8, "exponent", NULL},
        {11, "about: 2026-11-21", 11, 8, "date", NULL},
        {11, "about: ~", 11, 8, "no value", NULL},
        {11, "about: null", 11, 8, "no value", NULL},
        {11, "about:", 11, 7, "a value is missing", NULL},
        {11, "about: !!int 5", 11, 8, "tags", NULL},
        {11, "about: \"x {{ y }}\"", 11, 8, "Ansible", NULL},
        {11, "about: \"{% x\"", 11, 8, "Ansible", NULL},
        {11, "about: \"a\\0b\"", 11, 8, "NUL", NULL},
        {11, "on: 1", 11, 1, "boolean", NULL},
        {11, "name: again", 11, 1, "\"name\" is there twice", "line 2"},
        {11, "templates: {a: {x: 1, x: 2}}", 11, 23, "\"x\" is there twice", NULL},
        {11, "templates: {? [a] : b}", 11, 15, "a key must be a word", NULL},
        {11, "templates: &a [*a]", 11, 12, "holds itself", NULL},
        {11, "templates: *nobody", 11, 12, "undefined alias", NULL},
        {11, "templates: {<<: 5}", 11, 17, "<< takes a map", NULL},
        {11, "---\nname: two", 11, 1, "second document", NULL},
        {11, "templates: \"open", 12, 1, "this is not YAML", NULL},
        {11, "templates: [1", 12, 1, "this is not YAML", NULL},
        {11, "\tseed: 5", 11, 1, "this is not YAML", NULL},
        {11, "about: \xff", 11, 8, "this is not YAML", NULL},
    };
    (void)state;
    CHECK(list);
}

static void all_at_once(void **state)
{
    struct loaded l = load("schema: 1\nname: t\nabuot: x\nlimit: 5\ntransport: drect\n"
                           "protocol: {name: shamir, threshold: x}\n"
                           "parties: [{name: a, input: 1, regoin: eu}, {name: a, input: no}]\n"
                           "events: [{at: 1s, crash: b}]\nexpect: [{that: foo == 1}]\n"
                           "matrix: {channel: [noise, nose], seed: [1, x, 3]}\n");
    static const int lines[] = {3, 4, 5, 6, 7, 7, 7, 8, 9, 10, 10};
    (void)state;
    diag_sort(&l.diags);
    if (l.diags.n != sizeof lines / sizeof *lines)
        diag_print(&l.diags, stderr);
    assert_int_equal(l.diags.n, sizeof lines / sizeof *lines); /* once each, for all cells */
    for (size_t i = 0; i < l.diags.n; i++)
        assert_int_equal(l.diags.items[i].line, lines[i]);
    unload(&l);
}

static void printed(void **state)
{
    struct loaded l = load("schema: 1\nname: t\ntransport: direct\nprotocol: shamir\n"
                           "parties: [{name: \"\xc3\xa4h\", input: 1}, {name: b, input: 1}]\n");
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);
    (void)state;
    diag_print(&l.diags, f);
    fclose(f);
    assert_string_equal(out,
                        "test.yaml:5:18: \"\xc3\xa4h\" is no name: expected letters, digits, _ and "
                        "-, a letter first, at most 63 of them\n"
                        "  parties: [{name: \"\xc3\xa4h\", input: 1}, {name: b, input: 1}]\n"
                        "                   ^\n");
    free(out);
    unload(&l);
}

static void overrides(void **state)
{
    static const struct {
        struct scenario_set set;
        int column;
        const char *words;
    } list[] = {
        {{"transport", "drect"}, 11, "\"drect\""},
        {{"transport.mailbox", "0"}, 19, "mailbox"},
        {{"sed", "1"}, 1, "unknown key \"sed\""},
        {{"seed", "no"}, 6, "boolean"},
        {{"parties.dave.input", "1"}, 1, "\"dave\""},
        {{"seed", "[1"}, 1, "not YAML"},
        {{"", "1"}, 1, "no path"},
        {{"parties.count", "9"}, 15, "there are only 3"},
    };
    const struct wrong none = {0, NULL, 0, 0, NULL, NULL};
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct loaded l = load_sets(text_of(&none), &list[i].set, 1);
        const struct diag *d = l.diags.items;
        if (l.diags.n != 1 || d->column != list[i].column || strcmp(d->file, "--set") != 0 ||
            !strstr(d->text, list[i].words)) {
            show_all(&l, list[i].set.path);
            fail_msg("expected column %d: %s", list[i].column, list[i].words);
        }
        unload(&l);
    }
}

static void left_out(void **state)
{
    struct loaded l = load("schema: 1\nname: t\ntransport: direct\nprotocol: ping\nparties:\n"
                           "  - {name: a, role: server}\n  - {name: b}\n  - {name: c}\n"
                           "events: [{at: 1s, crash: c}]\nmatrix: {parties.count: [3, 2]}\n");
    (void)state;
    assert_int_equal(l.diags.n, 1);
    assert_int_equal(l.diags.items[0].line, 9);
    assert_non_null(strstr(l.diags.items[0].text, "c is not in this cell"));
    unload(&l);
    l = load("schema: 1\nname: t\ntransport: direct\nprotocol: ping\n"
             "parties: [{name: a, role: server}, {name: b, role: server}]\n");
    assert_int_equal(l.diags.n, 2); /* too few clients, too many servers */
    assert_non_null(strstr(l.diags.items[0].text, "0 of role client: expected at least 1"));
    assert_non_null(strstr(l.diags.items[1].text, "2 of role server: expected at most 1"));
    unload(&l);
}

static void without_reader(void **state)
{
    const char *text =
        "schema: 1\nname: t\ntransport: direct\nprotocol: shamir\n"
        "parties: [{name: a, input: 1, region: eu}, {name: b, input: 1, region: eu}]\n";
    struct scenario *s;
    struct diag_list diags;
    (void)state;
    diag_init(&diags);
    assert_int_equal(scenario_load_text("x", text, strlen(text), NULL, NULL, 0, &s, &diags),
                     ERR_INVALID);
    assert_non_null(strstr(diags.items[0].text, "files cannot be read here"));
    assert_int_equal(scenario_load_text("x", "", 0, NULL, NULL, 0, &s, &diags), ERR_INVALID);
    assert_int_equal(scenario_load_text("x", "[1]", 3, NULL, NULL, 0, &s, &diags), ERR_INVALID);
    diag_free(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_is_good), cmocka_unit_test(keys_and_values),
        cmocka_unit_test(places),       cmocka_unit_test(happenings),
        cmocka_unit_test(scalars),      cmocka_unit_test(axes_and_expectations),
        cmocka_unit_test(all_at_once),  cmocka_unit_test(printed),
        cmocka_unit_test(overrides),    cmocka_unit_test(without_reader),
        cmocka_unit_test(left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
