/* links: all
 * M11: what servers keep, as the observer `retention` adds it up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/sights.h"

extern const struct observer observer_retention;

static party_t owner(const void *world, const struct addr *a)
{
    (void)world, (void)a;
    return PARTY_NONE;
}

static struct sights *begin(void)
{
    static const struct roster_entry who[3] = {{.name = "a", .role = "party"},
                                               {.name = "b", .role = "party"},
                                               {.name = "s", .role = "relay"}};
    static const struct roster roster = {.n = 3, .n_parties = 2, .entries = who};
    static const struct stake stake = {.at = "every node"};
    static const struct observer_spec spec = {
        .ops = &observer_retention, .stakes = &stake, .n_stakes = 1};
    const struct sights_setup setup = {
        .observers = &spec, .n_observers = 1, .roster = &roster, .owner = owner, .seed = 1};
    struct sights *s;
    struct err e;
    assert_int_equal(sights_new(&s, &setup, &e), OK);
    assert_int_equal(sights_wants(s), WANT_KEPT);
    return s;
}

static void keep(struct sights *s, ns_t when, struct retained what)
{
    sights_see(s, &(struct sighting){.when = when, .at = 2, .point = SIGHT_NODE, .kept = &what},
               NULL);
}

static int64_t value(const struct sights_found *f, enum privacy what)
{
    for (size_t i = 0; i < f->n_findings; i++)
        if (f->findings[i].what == what)
            return f->findings[i].value;
    fail_msg("%s was not found", privacy_infos[what].name);
    return -1;
}

static void finish(struct sights *s, ns_t now, struct sights_found *f)
{
    *f = (struct sights_found){0};
    assert_int_equal(sights_end(s, now, f), OK);
    sights_free(s);
}

static void test_records(void **state)
{
    const unsigned pair = KEPT_PAIR | KEPT_TIME, address = KEPT_ADDRESS | KEPT_TIME;
    struct sights_found f;
    struct sights *s = begin();
    (void)state;
    keep(s, 0, (struct retained){1, 0, 10, 0, PARTY_NONE, 5 * NS_S});
    keep(s, NS_S, (struct retained){2, pair, 7, 0, 1, NS_NEVER});
    keep(s, NS_S, (struct retained){3, address, 3, 0, PARTY_NONE, NS_S}); /* gone at once */
    keep(s, NS_S, (struct retained){4, address, 5, 0, PARTY_NONE, NS_NEVER});
    keep(s, 3 * NS_S, (struct retained){4, address, 6, 0, PARTY_NONE, NS_NEVER}); /* replaced */
    keep(s, 3 * NS_S, (struct retained){5, KEPT_SEALED, 100, 1, PARTY_NONE, NS_NEVER});
    keep(s, 4 * NS_S, (struct retained){5, 0, 0, 1, PARTY_NONE, 4 * NS_S}); /* erased */
    finish(s, 11 * NS_S, &f);
    assert_int_equal(value(&f, PRIVACY_AT_REST), 7 + 6);
    assert_int_equal(value(&f, PRIVACY_AT_REST_PEAK), 10 + 7 + 6 + 100);
    assert_int_equal(value(&f, PRIVACY_AT_REST_TIME), 10 * 5 + 7 * 10 + 5 * 2 + 6 * 8 + 100);
    assert_int_equal(value(&f, PRIVACY_SEIZED_PAIRS), 1);
    assert_int_equal(value(&f, PRIVACY_SEIZED_ADDRESSES), 1);
    sights_found_free(&f);
}

/* Poisson writes, 20 a second, 64 bits, kept for 30 s: E[B(t)] = l b min(t, R). */
static void test_poisson_writes(void **state)
{
    enum { TRIALS = 100 };
    struct dice d = dice_name(1, "writes", 0, 0, 0);
    const double expected = 20 * 64 * 30, sigma = 64 * 24.495; /* 64 sqrt(600) */
    double sum = 0;
    (void)state;
    for (int k = 0; k < TRIALS; k++) {
        struct sights *s = begin();
        struct sights_found f;
        ns_t t = 0;
        for (uint64_t n = 0; (t += dice_exp(&d, NS_S / 20)) < 50 * NS_S; n++)
            keep(s, t, (struct retained){n, 0, 64, 0, PARTY_NONE, t + 30 * NS_S});
        finish(s, 50 * NS_S, &f);
        sum += (double)value(&f, PRIVACY_AT_REST);
        sights_found_free(&f);
    }
    assert_true(sum / TRIALS > expected - 3 * sigma / 10);
    assert_true(sum / TRIALS < expected + 3 * sigma / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_poisson_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
