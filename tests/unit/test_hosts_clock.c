/* links: cmocka */
#include "engine/run/hosts_world.h"

#include "engine/run/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"alice", "bob", "carol"};

static struct roster_entry entries[3];
static struct roster roster = {.entries = entries, .n = 3, .n_parties = 3};
static struct trial_spec spec = {.roster = &roster};
static struct hosts_machine machines[3];
static struct hosts_session session = {.machines = machines, .n_machines = 3};

static int begin(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        entries[i].name = names[i];
        machines[i] = (struct hosts_machine){.clock_bound = -1};
        strcpy(machines[i].name, names[i]);
    }
    return 0;
}

/* What chronyc -c tracking of chrony 4.3 prints: offset -2 ms, root delay 10 ms, dispersion 1 ms.
 */
#define TRACKING(offset, delay, dispersion)                                                        \
    "chrony C0A80001,192.168.0.1,3,1700000000.1," offset                                           \
    ",0.000001,0.000002,-5.1,0.001,0.02," delay "," dispersion ",64.2,Normal\n"

static void test_bound(void **state)
{
    (void)state;
    hosts_told(&machines[0], "boot abc-def\nsystem Linux 6.1 x86_64\nsystemd yes\n" TRACKING(
                                 "-0.002", "0.010", "0.001"));
    assert_string_equal(machines[0].boot, "abc-def");
    assert_string_equal(machines[0].system, "Linux 6.1 x86_64");
    assert_true(machines[0].systemd);
    assert_in_range(machines[0].clock_bound, 7999999, 8000001);
    hosts_told(&machines[0],
               TRACKING("0.0", "0.001", "0.001")); /* better later: the worst counts */
    assert_in_range(machines[0].clock_bound, 7999999, 8000001);
    hosts_told(&machines[0], TRACKING("0.010", "0.010", "0.001"));
    assert_in_range(machines[0].clock_bound, 15999999, 16000001);
}

static void test_no_bound(void **state)
{
    static const char *const bad[] = {
        "",
        "chrony ",
        "chrony 506 Cannot talk to daemon\n",
        "chrony 7F7F0101,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n",
        "chrony a,b,1,x,nan,y,z\n",
        TRACKING("nan", "0.1", "0.1"),
        TRACKING("0.1", "0.1", "inf"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hosts_told(&machines[1], bad[i]);
        assert_int_equal(machines[1].clock_bound, -1);
    }
}

static void test_two_worst(void **state)
{
    (void)state;
    assert_int_equal(hosts_clock_bound(&session, &spec), -1); /* nobody has told */
    machines[0].clock_bound = 3;
    machines[1].clock_bound = 50;
    assert_int_equal(hosts_clock_bound(&session, &spec), -1);
    machines[2].clock_bound = 40;
    assert_int_equal(hosts_clock_bound(&session, &spec), 90);
    machines[0].clock_bound = 45;
    assert_int_equal(hosts_clock_bound(&session, &spec), 95);
}

static void test_one_machine(void **state)
{
    char *boot, text[100];
    size_t len;
    (void)state;
    assert_int_equal(files_read("/proc/sys/kernel/random/boot_id", 100, &boot, &len, NULL), OK);
    snprintf(text, sizeof text, "boot %s", boot);
    free(boot);
    for (int i = 0; i < 3; i++)
        hosts_told(&machines[i], text);
    assert_int_equal(hosts_clock_bound(&session, &spec), 0);
    hosts_told(&machines[1], "boot another\n");
    assert_int_equal(hosts_clock_bound(&session, &spec), -1);
}

static void test_machine_of(void **state)
{
    (void)state;
    machines[1].nodes = json_pack("[s, s]", "relay", "carol");
    assert_int_equal(hosts_machine_of(&session, "alice"), 0);
    assert_int_equal(hosts_machine_of(&session, "relay"), 1);
    assert_int_equal(hosts_machine_of(&session, "carol"), 1); /* listed before named */
    assert_int_equal(hosts_machine_of(&session, "bob"), 3);   /* its host runs others */
    json_decref(machines[1].nodes);
    machines[1].nodes = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bound, begin),
        cmocka_unit_test_setup(test_no_bound, begin),
        cmocka_unit_test_setup(test_two_worst, begin),
        cmocka_unit_test_setup(test_one_machine, begin),
        cmocka_unit_test_setup(test_machine_of, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
