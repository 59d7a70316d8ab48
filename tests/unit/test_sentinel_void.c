/* links: all but engine/observers/sentinel.c: sentinel_run() is this test's, and fails.
 * A sentinel stands beside each timing run, and what it says makes the trial void. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/observers/sentinel.h"
#include "engine/sights.h"

extern const struct observer observer_timing;

static const char *planted;
static int runs;

int sentinel_run(uint64_t seed, const struct sentinel_attack *attack, struct sentinel *out)
{
    (void)seed;
    assert_non_null(attack->score);
    *out = (struct sentinel){.failed = planted};
    runs++;
    return OK;
}

static party_t owner(const void *world, const struct addr *a)
{
    (void)world, (void)a;
    return PARTY_NONE;
}

static void watch(struct sights_found *found)
{
    static const struct roster_entry who[2] = {{.name = "a", .role = "party"},
                                               {.name = "b", .role = "party"}};
    static const struct roster roster = {.n = 2, .n_parties = 2, .entries = who};
    static const struct place all = {.point = SIGHT_LINE, .at = PARTY_NONE};
    static const struct stake stake = {.places = &all, .n_places = 1, .at = "global"};
    struct observer_spec spec = {.ops = &observer_timing, .stakes = &stake, .n_stakes = 1};
    struct sights_setup setup = {
        .observers = &spec, .n_observers = 1, .roster = &roster, .owner = owner, .seed = 1};
    struct sights *s;
    struct err e;
    void *opts = calloc(1, observer_timing.opts_size);
    assert_non_null(opts);
    opt_defaults(observer_timing.opts, opts);
    spec.opts = opts;
    assert_int_equal(sights_new(&s, &setup, &e), OK);
    assert_int_equal(sights_end(s, NS_S, found), OK);
    sights_free(s);
    free(opts);
}

static void test_void(void **state)
{
    struct sights_found found = {0};
    (void)state;
    runs = 0;
    planted = "fifo";
    watch(&found);
    assert_int_equal(runs, 1); /* nothing was seen: it still stands beside the run */
    assert_non_null(found.invalid);
    assert_string_equal(found.invalid, "timing: sentinel fifo failed");
    sights_found_free(&found);
}

static void test_good(void **state)
{
    struct sights_found found = {0};
    (void)state;
    runs = 0;
    planted = NULL;
    watch(&found);
    assert_int_equal(runs, 1);
    assert_null(found.invalid);
    sights_found_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_void), cmocka_unit_test(test_good)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
