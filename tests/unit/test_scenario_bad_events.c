/* links: engine/run/{scenario,matrix,cell,hosts,place,regions,events,events_whom,events_check,when,
 * show,show_print,schema,schema_check,yaml,yaml_text,names,suggest,diag,expect,files}.c
 * engine/base/{arena,opt,err,prng}.c engine/worlds/link/access.c
 *
 * Networks and events that contradict themselves: each gets one finding, at its place. */
#include "tests/unit/scenario_plugins.h"
#include "tests/unit/scenario_wrong.h"

static void impossible_figures(void **state)
{
    static const struct wrong list[] = {
        {8, "  - {name: bob, region: us, input: 2, access: {up: 0}}", 8, 52, "up", "1bit"},
        {8, "  - {name: bob, region: us, input: 2, access: {latency: -1ms}}", 8, 57, "latency",
         "a duration"},
        {8, "  - {name: bob, region: us, input: 2, access: {jitter: -1ms}}", 8, 56, "jitter", NULL},
        {8, "  - {name: bob, region: mars, input: 2}", 8, 25, "no region \"mars\"", NULL},
        {3, "regions: {eu: {eu: -1ms, us: 80ms}, us: {us: 1ms}}", 3, 20, "-1ms", NULL},
        {11, "links: [{between: [alice, bob], rate: 0}]", 11, 39, "rate", "1bit"},
        {11, "links: [{between: [alice, bob], latency: -5ms}]", 11, 42, "latency", NULL},
        {11, "links: [{between: [alice, zed], loss: 1%}]", 11, 27, "\"zed\"", NULL},
        {11, "events: [{at: -1s, crash: bob}]", 11, 15, "at", "a duration"},
        {11, "events: [{at: 1s, link: {between: [alice, bob], rate: 0}}]", 11, 55, "rate", "1bit"},
        {11, "tcp: {keepalive: 10ms}", 11, 18, "keepalive", "1s"},
    };
    (void)state;
    CHECK(list);
}

static void flapping(void **state)
{
    static const struct wrong list[] = {
        {11, "events: [{at: 1s, flap: {between: [alice, bob], up: 0, down: 1s}}]", 11, 53, "up",
         "1ns"},
        {11, "events: [{at: 1s, flap: {between: [alice, bob], up: 1s, down: 0}}]", 11, 63, "down",
         "1ns"},
        {11, "events: [{at: 1s, flap: {between: [alice, alice], up: 1s, down: 1s}}]", 11, 35,
         "alice and itself", NULL},
        {11,
         "events: [{at: 1s, flap: {between: [alice, bob], up: 1s, down: 1s}}, "
         "{at: 9s, flap: {between: [bob, alice], up: 2s, down: 1s}}]",
         11, 69, "flaps already", "line 11"},
    };
    (void)state;
    CHECK(list);
}

static void standing_still(void **state)
{
    static const struct wrong list[] = {
        {11, "events: [{at: 1s, crash: bob}, {at: 2s, pause: bob}]", 11, 48, "bob is down",
         "a restart"},
        {11, "events: [{at: 1s, pause: bob}, {at: 2s, pause: bob}]", 11, 48, "paused already",
         NULL},
        {11, "events: [{at: 1s, resume: bob}]", 11, 27, "not paused", NULL},
        {11, "events: [{at: 1s, pause: bob, until: 2s}, {at: 3s, resume: bob}]", 11, 60,
         "not paused", NULL},
        {11, "events: [{at: 1s, readdress: bob, until: 2s}]", 11, 35, "has no end", NULL},
        {11, "events: [{at: 1s, readdress: zed}]", 11, 30, "\"zed\"", NULL},
    };
    (void)state;
    CHECK(list);
}

static void partitions(void **state)
{
    static const struct wrong list[] = {
        {11, "events: [{at: 1s, partition: [[alice, bob], [bob]]}]", 11, 46, "bob", "twice"},
        {11, "events: [{at: 1s, partition: [[alice, alice], [bob]]}]", 11, 39, "alice", "twice"},
        {11, "events: [{at: 1s, partition: {from: [alice], to: [alice]}}]", 11, 51, "alice",
         "twice"},
        {11,
         "events: [{at: 1s, partition: [[alice, bob], [carol]]}, "
         "{at: 2s, partition: [[alice], [bob, carol]], until: 3s}]",
         11, 56, "another partition", "carol"},
    };
    (void)state;
    CHECK(list);
}

static void changes_of_a_path(void **state)
{
    static const struct wrong list[] = {
        {11,
         "events: [{at: 2s, until: 3s, link: {between: [alice, bob], loss: 1%}}, "
         "{at: 1s, link: {between: [alice, bob], loss: 2%}}]",
         11, 72, "changed in line 11", "one of the two"},
        {11,
         "events: [{at: 2s, link: {between: [alice, bob], rate: 1Mbit}}, "
         "{at: 2s, link: {from: bob, to: alice, rate: 2Mbit}}]",
         11, 64, "changed in line 11", NULL},
    };
    (void)state;
    CHECK(list);
}

/* What overlaps without a contradiction is let through. */
static void no_contradiction(void **state)
{
    static const char *const lines[] = {
        "events: [{at: 1s, link: {between: [alice, bob], loss: 1%}}, "
        "{at: 2s, until: 3s, link: {between: [alice, bob], loss: 2%}}]",
        "events: [{at: 1s, link: {from: alice, to: bob, loss: 1%}}, "
        "{at: 1s, link: {from: bob, to: alice, loss: 2%}}]",
        "events: [{at: 1s, partition: [[alice], [bob, carol]], until: 2s}, "
        "{at: 2s, partition: [[alice, bob], [carol]]}]",
        "events: [{at: 1s, partition: {from: [alice], to: [bob]}}, "
        "{at: 1s, partition: {from: [bob], to: [carol]}}]",
        "events: [{at: 1s, until: 4s, flap: {between: [alice, bob], up: 1s, down: 1s}}, "
        "{at: 4s, flap: {between: [alice, bob], up: 2s, down: 1s}}]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct wrong w = {11, lines[i], 0, 0, NULL, NULL};
        struct loaded l = load_good(text_of(&w));
        unload(&l);
    }
}

static void nat_on_a_service(void **state)
{
    static const struct wrong list[] = {
        {10, "services: [{name: relay1, role: relay, region: eu, nat: full_cone}]", 10, 57,
         "must be reachable", NULL},
    };
    (void)state;
    CHECK(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_figures), cmocka_unit_test(flapping),
        cmocka_unit_test(standing_still),     cmocka_unit_test(partitions),
        cmocka_unit_test(changes_of_a_path),  cmocka_unit_test(no_contradiction),
        cmocka_unit_test(nat_on_a_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
