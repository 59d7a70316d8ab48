/* links: engine/base/err.c engine/base/prng.c engine/observers/bits.c engine/observers/bounds.c
 * engine/observers/intersect.c engine/observers/leak.c
 * engine/observers/sda.c */
/* M7, M8, M9, M12, M13, M14 against METRICS.md 2.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/observers/bounds.h"
#include "engine/observers/intersect.h"
#include "engine/observers/leak.h"
#include "engine/observers/sda.h"
#include "tests/unit/analytic.h"

/* ---- M7 ----------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
    struct leak same = {0}, own = {0}, bucket = {0}, count = {0}, none = {0};
    struct leak_figures f;
    (void)state;
    assert_int_equal(leak_judge(&none, &f), ERR_ABSENT);
    for (uint32_t i = 0; i < 8000; i++) {
        uint32_t c = i % 8;
        leak_add(&same, c, 512, 1);
        leak_add(&own, c, 100 + 10 * c, 1);
        leak_add(&bucket, c, c / 4 ? 1024 : 512, 1);
        leak_add(&count, c, 512, 1 + c / 2); /* a constant size, and a number that tells */
    }
    assert_int_equal(leak_judge(&same, &f), OK); /* constant padding */
    assert_near(f.corrected, 0, 1e-12);
    assert_near(f.max_leakage, 0, 1e-12);
    assert_int_equal(leak_judge(&own, &f), OK); /* identity: H(C) */
    assert_near(f.plug_in, 3, 1e-12);
    assert_near(f.bias, 49 / (16000 * 0.6931471805599453), 1e-9);
    assert_near(f.corrected, 3 - f.bias, 1e-12);
    assert_near(f.max_leakage, 3, 1e-12);
    assert_int_equal(leak_judge(&bucket, &f), OK); /* H(bucket(C)) */
    assert_near(f.plug_in, 1, 1e-12);
    assert_near(f.max_leakage, 1, 1e-12);
    assert_int_equal(leak_judge(&count, &f), OK);
    assert_near(f.plug_in, 2, 1e-12);
    assert_int_equal(f.observations, 4);
    leak_free(&same);
    leak_free(&own);
    leak_free(&bucket);
    leak_free(&count);
}

/* Sizes that say nothing: the plug-in is above 0 by its bias, the corrected one is not. */
static void test_size_bias(void **state)
{
    struct dice d = dice_name(1, "bias", 0, 0, 0);
    struct batches plug = {.size = 5}, left = {.size = 5};
    struct leak_figures f;
    (void)state;
    for (int round = 0; round < 100; round++) {
        struct leak l = {0};
        for (int i = 0; i < 2000; i++)
            leak_add(&l, (uint32_t)dice_below(&d, 6), (uint32_t)dice_below(&d, 11), 1);
        assert_int_equal(leak_judge(&l, &f), OK);
        assert_true(f.corrected >= 0 && f.corrected <= f.class_entropy);
        batches_add(&plug, f.plug_in);
        batches_add(&left, f.plug_in - f.bias);
        leak_free(&l);
    }
    assert_true(batches_mean(&plug) > 3 * batches_error(&plug));
    assert_near(batches_mean(&left), 0, 3 * batches_error(&left));
}

static void test_size_limit(void **state)
{
    struct leak l = {0};
    (void)state;
    for (uint32_t i = LEAK_CELLS + 100; i > 0; i--) /* downwards would be the slow way */
        leak_add(&l, 0, LEAK_CELLS + 100 - i, 0);
    assert_int_equal(l.n, LEAK_CELLS);
    assert_int_equal(l.lost, 100);
    assert_int_equal(l.samples, LEAK_CELLS);
    leak_free(&l);
}

/* ---- M8 ----------------------------------------------------------------------------------- */

static void test_intersection_law(void **state)
{
    json_t *all = analytic_load(), *row;
    size_t i;
    (void)state;
    assert_near(intersect_rounds(10, 0.5), 4.5813, 5e-5);
    assert_near(intersect_rounds(100, 0.9), 49.640, 5e-4);
    assert_near(intersect_left(101, 0.5, 2), 26, 1e-12);
    assert_near(intersect_done(3, 0.5, 1), 0.25, 1e-12);
    assert_true(intersect_done(10, 1, 1000) == 0); /* cover by everyone: never */
    if (!all)
        skip();
    json_array_foreach(json_object_get(all, "intersection_E_rounds"), i, row) assert_near(
        intersect_rounds((uint32_t)analytic_number(row, "N"), analytic_number(row, "p")),
        analytic_number(row, "ET"), 1e-5);
    assert_int_equal(i, 9);
    json_decref(all);
}

static void test_intersection(void **state)
{
    static const struct {
        uint32_t s, ppm;
    } cases[] = {{10, 500000}, {100, 500000}, {10, 900000}, {100, 900000}};
    (void)state;
    for (size_t c = 0; c < 4; c++) {
        struct dice d = dice_name(1, "online", c, 0, 0);
        struct batches rounds = {.size = 50}, after3 = {.size = 50};
        uint32_t s = cases[c].s, target = s / 2;
        for (int run = 0; run < 1500; run++) {
            struct intersect x;
            assert_int_equal(intersect_init(&x, s), OK);
            while (x.alone == 0) {
                uint64_t online[2] = {0, 0};
                for (uint32_t i = 0; i < s; i++)
                    if (i == target || dice_chance(&d, cases[c].ppm))
                        online[i / 64] |= UINT64_C(1) << i % 64;
                intersect_round(&x, online);
                if (x.rounds == 3)
                    batches_add(&after3, x.left);
            }
            assert_true(intersect_has(&x, target));
            assert_int_equal(x.left, 1);
            batches_add(&rounds, x.alone);
            intersect_free(&x);
        }
        assert_near(batches_mean(&rounds), intersect_rounds(s, cases[c].ppm / 1e6),
                    3 * batches_error(&rounds));
        if (s == 100)
            assert_near(batches_mean(&after3), intersect_left(s, cases[c].ppm / 1e6, 3),
                        3 * batches_error(&after3));
    }
}

static void test_intersection_edges(void **state)
{
    struct intersect x;
    uint64_t all[2] = {UINT64_MAX, UINT64_MAX};
    (void)state;
    assert_int_equal(intersect_init(&x, 0), ERR_INVALID);
    assert_int_equal(intersect_init(&x, 70), OK);
    assert_int_equal(intersect_round(&x, all), 70); /* no bit beyond the last */
    assert_false(intersect_has(&x, 70));
    assert_int_equal(x.alone, 0);
    intersect_free(&x);
}

/* ---- M9 ----------------------------------------------------------------------------------- */

static uint32_t friends;
static bool is_friend(const void *ctx, uint32_t i)
{
    (void)ctx;
    return i < friends;
}

/* A round with the target: one message to one of m peers, b - 1 to anybody; as many without. */
static void disclose(uint32_t n, uint32_t b, uint32_t m, int t, uint64_t seed,
                     struct sda_figures *f)
{
    struct dice d = dice_name(seed, "disclosure", n, b, m);
    struct sda s;
    double *v = malloc(n * sizeof *v);
    assert_non_null(v);
    assert_int_equal(sda_init(&s, n), OK);
    for (int round = 0; round < t; round++) {
        sda_message(&s, true, (uint32_t)dice_below(&d, m));
        for (uint32_t k = 1; k < b; k++)
            sda_message(&s, true, (uint32_t)dice_below(&d, n));
        sda_round(&s, true);
        for (uint32_t k = 0; k < 20 * b; k++) /* a background that is well known */
            sda_message(&s, false, (uint32_t)dice_below(&d, n));
        sda_round(&s, false);
    }
    sda_message(&s, true, n); /* nobody */
    sda_estimate(&s, 1, v);
    friends = m;
    *f = sda_judge(v, n, is_friend, NULL);
    sda_free(&s);
    free(v);
}

static void test_disclosure(void **state)
{
    static const struct {
        uint32_t n, b, m;
        int t2, t3;
    } cases[] = {{100, 10, 2, 13, 28}, {1000, 50, 5, 47, 104}, {20, 5, 3, 42, 95}};
    (void)state;
    for (size_t c = 0; c < 3; c++) {
        struct batches two = {.size = 20}, three = {.size = 20};
        unsigned top2 = 0, top3 = 0;
        assert_near(sda_bound(cases[c].n, cases[c].b, cases[c].m, 2), cases[c].t2, 1);
        assert_near(sda_bound(cases[c].n, cases[c].b, cases[c].m, 3), cases[c].t3, 1);
        for (uint64_t run = 0; run < (cases[c].n == 1000 ? 40U : 400U); run++) {
            struct sda_figures f;
            disclose(cases[c].n, cases[c].b, cases[c].m, cases[c].t2, run, &f);
            batches_add(&two, f.auc);
            top2 += f.all_on_top;
            disclose(cases[c].n, cases[c].b, cases[c].m, cases[c].t3, run + 1000, &f);
            batches_add(&three, f.auc);
            top3 += f.all_on_top;
        }
        assert_near(batches_mean(&two), 0.9969, 3 * batches_error(&two) + 0.0015);
        assert_true(batches_mean(&three) > 0.9999 - 3 * batches_error(&three));
        assert_true(top3 > top2);
    }
}

static void test_disclosure_edges(void **state)
{
    struct sda s;
    double v[3] = {1, 1, 1};
    (void)state;
    assert_int_equal(sda_init(&s, 0), ERR_INVALID);
    assert_int_equal(sda_init(&s, 3), OK);
    sda_estimate(&s, 1, v);
    assert_true(v[0] == 0 && v[2] == 0);
    friends = 1;
    assert_true(sda_judge(v, 3, is_friend, NULL).auc == 0.5); /* nothing seen, nothing known */
    assert_false(sda_judge(v, 3, is_friend, NULL).all_on_top);
    sda_free(&s);
}

/* ---- M12, M13, M14 ------------------------------------------------------------------------ */

static void test_bounds(void **state)
{
    const double fifth[3] = {0.2, 0.2, 0.2}, one[2] = {1, 0.5};
    double path = bounds_path(fifth, 3);
    (void)state;
    assert_near(path, 0.008, 1e-15);
    assert_near(bounds_session(path, 10), 0.077, 5e-4);
    assert_near(bounds_session(path, 100), 0.552, 5e-4);
    assert_near(bounds_session(path, 1000), 0.9997, 5e-5);
    assert_near(bounds_session(path, 1), path, 1e-15); /* a circuit */
    assert_true(bounds_session(path, 0) == 0);
    assert_near(bounds_path(one, 2), 0.5, 1e-15);
    assert_near(bounds_first(path, 2), 250, 1e-9);
    assert_true(bounds_first(0, 2) == 0);
    assert_near(bounds_overhead(300, 100), 3, 1e-15);
    assert_near(bounds_synchronised(100, 3, 0), 0.9697, 5e-5);
    assert_near(bounds_synchronised(100, 3, 0.1), 0.6667, 5e-5);
    assert_near(bounds_synchronised(1000, 10, 0.05), 0.4895, 5e-5);
    assert_near(bounds_synchronised(2, 10, 1), 0, 1e-15);
    assert_near(bounds_unsynchronised(0.1, 3), 0.229, 5e-4);
    assert_near(bounds_unsynchronised(0.1, 6), 0.0314, 5e-5);
    assert_true(bounds_unsynchronised(1, 3) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_size_bias),
        cmocka_unit_test(test_size_limit),   cmocka_unit_test(test_intersection_law),
        cmocka_unit_test(test_intersection), cmocka_unit_test(test_intersection_edges),
        cmocka_unit_test(test_disclosure),   cmocka_unit_test(test_disclosure_edges),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
