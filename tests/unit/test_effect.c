/* links: analysis/effect.c engine/base/prng.c engine/base/err.c */
#include "analysis/effect.h"

#include "engine/base/err.h"
#include "engine/base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void near(double got, double want, double error)
{
    double off = got - want;
    if (off > error || off < -error || !(got >= 0.0 || got < 0.0))
        fail_msg("got %.15g, expected %.15g", got, want);
}

/* ---- functions with known values -------------------------------------------------------- */

static void test_roots(void **state)
{
    (void)state;
    assert_true(effect_root(0.0) < 1e-300);
    near(effect_root(4.0), 2.0, 1e-15);
    near(effect_root(2.0), 1.4142135623730951, 1e-15);
    near(effect_root(1e300) / 1e150, 1.0, 1e-15);
    near(effect_root(1e-300) / 1e-150, 1.0, 1e-15);
}

static void test_the_normal_distribution(void **state)
{
    (void)state; /* Abramowitz and Stegun, table 26.1 */
    near(effect_normal(0.0), 0.5, 1e-12);
    near(effect_normal(1.0), 0.841344746068543, 1e-12);
    near(effect_normal(-1.0), 0.158655253931457, 1e-12);
    near(effect_normal(2.0), 0.977249868051821, 1e-12);
    near(effect_normal(-3.0), 0.001349898031630, 1e-12);
    near(effect_normal(-9.0), 0.0, 1e-12);
    near(effect_normal(9.0), 1.0, 1e-12);
}

static void test_students_t(void **state)
{
    (void)state;
    near(effect_t_tails(0.0, 1), 1.0, 1e-12);
    near(effect_t_tails(1.0, 1), 0.5, 1e-12);                 /* Cauchy: 1 - 2/pi atan(t) */
    near(effect_t_tails(1.0, 2), 1.0 - 0.57735026919, 1e-10); /* 1 - t / sqrt(2 + t^2) */
    near(effect_t_tails(12.7062047364, 1), 0.05, 1e-9);       /* A & S, table 26.10 */
    near(effect_t_tails(2.7764451052, 4), 0.05, 1e-9);
    near(effect_t_tails(2.0930240544, 19), 0.05, 1e-9);
    near(effect_t_tails(2.8609346065, 19), 0.01, 1e-9);
    near(effect_t_tails(1.9842169516, 99), 0.05, 1e-9);
    near(effect_t_tails(1.9599639845, 1000000), 0.05, 1e-6);
    near(effect_t_tails(1e200, 3), 0.0, 1e-12);
}

static void test_holm(void **state)
{
    static const double p[] = {0.01, 0.04, 0.03, 0.005}; /* Holm's own kind of example */
    static const double want[] = {0.03, 0.06, 0.06, 0.02};
    double adjusted[4];
    (void)state;
    assert_int_equal(effect_holm(p, 4, adjusted), OK);
    for (int i = 0; i < 4; i++)
        near(adjusted[i], want[i], 1e-12);
    assert_int_equal(effect_holm((double[]){0.9, 0.8}, 2, adjusted), OK);
    near(adjusted[0], 1.0, 1e-12);
    near(adjusted[1], 1.0, 1e-12);
    assert_int_equal(effect_holm(NULL, 0, NULL), OK);
}

/* ---- effects ------------------------------------------------------------------------------ */

static void test_an_effect(void **state)
{
    static const double a[] = {100, 110, 90, 100, 105, 95}, b[] = {103, 114, 92, 103, 109, 97};
    struct effect x, again;
    int64_t ppm;
    (void)state;
    assert_int_equal(effect_of(a, b, 6, 7, &x), OK);
    near(x.a, 100.0, 1e-9);
    near(x.b, 103.0, 1e-9);
    near(x.change, 3.0, 1e-9);
    assert_true(x.interval && !x.same);
    assert_true(x.low > 1.8 && x.low < x.change && x.change < x.high && x.high < 4.2);
    near(x.p, 0.000434977431, 1e-10); /* t = 8.21584, 5 degrees of freedom; by Simpson's rule */
    assert_true(effect_ppm(&x, x.change, &ppm));
    assert_int_equal(ppm, 30000);
    assert_true(effect_ppm(&x, -x.change, &ppm));
    assert_int_equal(ppm, -30000);
    assert_int_equal(effect_of(a, b, 6, 7, &again), OK);
    assert_memory_equal(&x.low, &again.low, sizeof x.low); /* the same dice */
    assert_memory_equal(&x.high, &again.high, sizeof x.high);
}

static void test_few_pairs_have_no_interval(void **state)
{
    static const double a[] = {1, 2, 3, 4, 5}, b[] = {2, 4, 4, 6, 6};
    struct effect x;
    (void)state;
    for (size_t n = 0; n < EFFECT_PAIRS_MIN; n++) {
        assert_int_equal(effect_of(a, b, n, 0, &x), OK);
        assert_false(x.interval);
        near(x.p, 1.0, 0);
    }
    assert_int_equal(effect_of(a, b, EFFECT_PAIRS_MIN, 0, &x), OK);
    assert_true(x.interval);
}

static void test_equal_and_constant(void **state)
{
    static const double zero[8], one[] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct effect x;
    int64_t ppm;
    (void)state;
    assert_int_equal(effect_of(one, one, 8, 0, &x), OK);
    assert_true(x.same && x.interval);
    near(x.p, 1.0, 0);
    assert_int_equal(effect_of(zero, one, 8, 0, &x), OK);
    assert_false(x.same);
    near(x.p, 0.0, 0);
    near(x.low, 1.0, 1e-12);
    near(x.high, 1.0, 1e-12);
    assert_false(effect_ppm(&x, x.change, &ppm)); /* a share of nothing */
}

static void test_noise_sees_a_drift(void **state)
{
    double a[20], b[20];
    struct effect x;
    (void)state;
    for (int i = 0; i < 20; i++) {
        a[i] = 100.0;
        b[i] = i < 10 ? 100.0 : 110.0; /* the second half of the run was slower */
    }
    assert_int_equal(effect_of(a, b, 20, 0, &x), OK);
    near(x.change, 5.0, 1e-9);
    near(x.noise, 5.0, 1e-9);
    for (int i = 0; i < 20; i++)
        b[i] = 105.0;
    assert_int_equal(effect_of(a, b, 20, 0, &x), OK);
    near(x.noise, 0.0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_the_normal_distribution),
        cmocka_unit_test(test_students_t),
        cmocka_unit_test(test_holm),
        cmocka_unit_test(test_an_effect),
        cmocka_unit_test(test_few_pairs_have_no_interval),
        cmocka_unit_test(test_equal_and_constant),
        cmocka_unit_test(test_noise_sees_a_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
