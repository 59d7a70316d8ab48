/* links: engine/run/interval.c engine/base/err.c engine/base/prng.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/run/interval.h"

static void known_ranks_for_the_median(void **state)
{
    static const struct {
        size_t n, low, high;
        uint32_t ppm;
    } known[] = {
        {1, 1, 1, 0},        {2, 1, 2, 500000},    {3, 1, 3, 750000},    {4, 1, 4, 875000},
        {5, 1, 5, 937500},   {6, 1, 6, 968750},    {7, 1, 7, 984375},    {8, 1, 8, 992187},
        {9, 2, 8, 960937},   {10, 2, 9, 978515},   {15, 4, 12, 964843},  {20, 6, 15, 958610},
        {25, 8, 18, 956714}, {30, 10, 21, 957226}, {50, 18, 33, 967160}, {100, 40, 61, 964799},
    };
    struct interval i;
    (void)state;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        interval_ranks(known[k].n, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i);
        assert_int_equal(i.low_rank, known[k].low);
        assert_int_equal(i.high_rank, known[k].high);
        assert_int_equal(i.level_ppm, known[k].ppm);
    }
}

static void a_level_met_exactly_counts_as_met(void **state)
{
    struct interval i;
    (void)state;
    interval_ranks(6, INTERVAL_MEDIAN, 968750, &i);
    assert_int_equal(i.low_rank, 1);
    interval_ranks(9, INTERVAL_MEDIAN, 960937, &i); /* 960937.5 */
    assert_int_equal(i.low_rank, 2);
    interval_ranks(9, INTERVAL_MEDIAN, 960938, &i);
    assert_int_equal(i.low_rank, 1);
    assert_int_equal(i.level_ppm, 996093);
}

/* The oracle: exact binomial coefficients in integers, for the median and n <= 60. */
static void agrees_with_exact_integers(void **state)
{
    static const uint32_t levels[] = {0, 500000, 900000, 950000, 990000, 999000, 999999};
    __extension__ typedef unsigned __int128 wide;
    uint64_t c[62] = {1};
    (void)state;
    for (size_t n = 1; n <= 60; n++) {
        for (size_t k = n; k > 0; k--)
            c[k] += c[k - 1];
        for (size_t v = 0; v < sizeof levels / sizeof *levels; v++) {
            wide all = (wide)1 << n, tail = 0;
            size_t low = 0;
            while (2 * (tail + c[low]) * 1000000 <= (1000000 - levels[v]) * all)
                tail += c[low++];
            if (low == 0) {
                low = 1;
                tail = 1;
            }
            struct interval i;
            interval_ranks(n, INTERVAL_MEDIAN, levels[v], &i);
            assert_int_equal(i.low_rank, low);
            assert_int_equal(i.high_rank, n + 1 - low);
            assert_int_equal(i.level_ppm, (uint64_t)((all - 2 * tail) * 1000000 / all));
        }
    }
}

static void other_quantiles(void **state)
{
    struct interval i;
    (void)state;
    /* computed in exact fractions */
    interval_ranks(100, 900000, 950000, &i);
    assert_int_equal(i.low_rank, 84);
    assert_int_equal(i.high_rank, 96);
    assert_int_equal(i.level_ppm, 955690);
    interval_ranks(1000, 990000, 950000, &i);
    assert_int_equal(i.low_rank, 983);
    assert_int_equal(i.high_rank, 997);
    assert_int_equal(i.level_ppm, 976094);
    interval_ranks(1000, 10000, 950000, &i); /* its mirror */
    assert_int_equal(i.low_rank, 4);
    assert_int_equal(i.high_rank, 18);
    assert_int_equal(i.level_ppm, 976094);
    interval_ranks(20, 900000, 950000, &i); /* too few: 1 - 0.9^20 - 0.1^20 */
    assert_int_equal(i.low_rank, 1);
    assert_int_equal(i.high_rank, 20);
    assert_int_equal(i.level_ppm, 878423);
}

static void large_n(void **state)
{
    struct interval i;
    (void)state;
    interval_ranks(1000000, INTERVAL_MEDIAN, 950000, &i);
    assert_int_equal(i.low_rank, 499020);
    assert_int_equal(i.high_rank, 500981);
    assert_int_equal(i.level_ppm, 950121);
    interval_ranks(1000000, 999000, 950000, &i);
    assert_true(i.low_rank < 999000 && i.low_rank > 998900);
    assert_true(i.high_rank > 999000 && i.high_rank < 999100);
    assert_true(i.level_ppm >= 950000 && i.level_ppm < 955000);
    interval_ranks(1000000000, INTERVAL_MEDIAN, 999999, &i);
    assert_int_equal(i.low_rank + i.high_rank, 1000000001);
    assert_true(i.level_ppm >= 999999);
}

static void values_and_the_middle(void **state)
{
    static const int64_t six[] = {-7, -4, 0, 3, 8, 100}, five[] = {1, 2, 3, 4, 5},
                         wide[] = {INT64_MIN, INT64_MIN, INT64_MAX, INT64_MAX}, below[] = {-4, -1};
    struct interval i;
    (void)state;
    assert_int_equal(interval_of(six, 6, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i), ERR_OK);
    assert_int_equal(i.low, -7);
    assert_int_equal(i.mid, 1); /* 1.5, towards the lower */
    assert_int_equal(i.high, 100);
    assert_int_equal(interval_of(six, 6, 900000, INTERVAL_LEVEL, &i), ERR_OK);
    assert_int_equal(i.mid, 100);
    assert_int_equal(interval_of(five, 5, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i), ERR_OK);
    assert_int_equal(i.mid, 3);
    assert_int_equal(i.level_ppm, 937500);
    assert_int_equal(interval_of(five, 5, 200000, INTERVAL_LEVEL, &i), ERR_OK);
    assert_int_equal(i.mid, 1);
    assert_int_equal(interval_of(five, 1, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i), ERR_OK);
    assert_int_equal(i.low, 1);
    assert_int_equal(i.mid, 1);
    assert_int_equal(i.high, 1);
    assert_int_equal(i.level_ppm, 0);
    assert_int_equal(interval_of(wide, 4, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i), ERR_OK);
    assert_int_equal(i.mid, -1);
    assert_int_equal(interval_of(below, 2, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i), ERR_OK);
    assert_int_equal(i.mid, -3); /* -2.5, towards the lower */
    assert_int_equal(interval_of(NULL, 0, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i), ERR_ABSENT);
    assert_int_equal(i.high, 0);
    assert_int_equal(i.level_ppm, 0);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Intervals of exponential samples cover the true quantile as often as they claim: the count is
 * binomial, so it must lie within four standard deviations. */
static void coverage_by_simulation(void **state)
{
    enum { RUNS = 10000, MOST = 100 };
    static const struct {
        size_t n;
        uint32_t q_ppm;
        int64_t truth; /* -ln(1 - q) times the mean of 10^9 */
    } cases[] = {{5, 500000, 693147181},   {9, 500000, 693147181},  {20, 500000, 693147181},
                 {100, 500000, 693147181}, {50, 250000, 287682072}, {100, 900000, 2302585093}};
    struct dice d = dice_name(5, "test interval", 0, 0, 0);
    int64_t x[MOST];
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct interval i = {0};
        int64_t covered = 0;
        for (int run = 0; run < RUNS; run++) {
            for (size_t k = 0; k < cases[c].n; k++)
                x[k] = dice_exp(&d, 1000000000);
            qsort(x, cases[c].n, sizeof *x, by_value);
            interval_of(x, cases[c].n, cases[c].q_ppm, INTERVAL_LEVEL, &i);
            covered += i.low <= cases[c].truth && cases[c].truth <= i.high;
        }
        /* (covered - RUNS p)^2 < 16 RUNS p (1 - p), all times 10^12 */
        int64_t p = i.level_ppm, off = covered * 1000000 - RUNS * p;
        assert_true((double)off * (double)off < 16.0 * RUNS * (double)p * (double)(1000000 - p));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_ranks_for_the_median),
        cmocka_unit_test(a_level_met_exactly_counts_as_met),
        cmocka_unit_test(agrees_with_exact_integers),
        cmocka_unit_test(other_quantiles),
        cmocka_unit_test(large_n),
        cmocka_unit_test(values_and_the_middle),
        cmocka_unit_test(coverage_by_simulation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
