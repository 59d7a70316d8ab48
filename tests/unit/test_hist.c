/* links: engine/base/prng.c (hist.c is included here, with a realloc that can be made to fail) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int reallocs_left = -1; /* -1: no limit */

static void *meagre_realloc(void *p, size_t n)
{
    if (reallocs_left == 0)
        return NULL;
    reallocs_left -= reallocs_left > 0;
    return realloc(p, n);
}
#define realloc meagre_realloc
#include "engine/base/hist.c"
#undef realloc

#include "engine/base/prng.h"

static void slots_are_those_of_hdrhistogram(void **state)
{
    static const struct {
        int64_t value;
        unsigned slot;
    } known[] = {
        {0, 0},       {1, 1},       {1023, 1023}, {1024, 1024}, {2047, 2047},
        {2048, 2048}, {2049, 2048}, {2050, 2049}, {4095, 3071}, {4096, 3072},
        {4099, 3072}, {4100, 3073}, {8191, 4095}, {8192, 4096}, {HIST_MAX, HIST_SLOTS - 1}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(hist_slot(known[i].value), known[i].slot);
    for (unsigned s = 0; s < HIST_SLOTS; s++) {
        int64_t low = hist_slot_low(s), high = hist_slot_high(s);
        assert_int_equal(low, s ? hist_slot_high(s - 1) + 1 : 0);
        assert_int_equal(hist_slot(low), s);
        assert_int_equal(hist_slot(high), s);
        assert_true((high - low) <= low / 1024); /* below 0.1 % */
    }
}

static void empty_is_small_and_zero(void **state)
{
    struct hist h, zeroed;
    unsigned cursor = 0;
    int64_t value;
    uint64_t count;
    (void)state;
    hist_init(&h);
    memset(&zeroed, 0, sizeof zeroed);
    assert_true(sizeof h <= 300);
    assert_null(h.counts);
    assert_true(hist_equal(&h, &zeroed));
    assert_int_equal(hist_count(&h), 0);
    assert_int_equal(hist_quantile(&h, HIST_P50), 0);
    assert_int_equal(hist_quantile(&h, 0), 0);
    assert_int_equal(hist_quantile(&h, 1000000), 0);
    assert_false(hist_quantile_allowed(&h, HIST_P50));
    assert_false(hist_next(&h, &cursor, &value, &count));
    assert_int_equal(hist_merge(&h, &zeroed), ERR_OK);
    assert_null(h.counts);
    hist_free(&h);
}

static void few_values_take_few_pages(void **state)
{
    struct hist h = {0};
    (void)state;
    for (int64_t v = 0; v < 200; v++)
        hist_add(&h, v);
    assert_int_equal(h.pages, 1);
    assert_int_equal(h.room, 1);
    for (int64_t v = 0; v < 1000; v++)
        hist_add(&h, 40000000 + v * 1000); /* 40 to 41 ms */
    assert_true(h.pages <= 3);
    hist_free(&h);
    assert_null(h.counts);
    hist_add(&h, 7);
    assert_int_equal(hist_count(&h), 1);
    hist_free(&h);
}

/* Values over the whole range: any number of bits is as likely as any other. */
static int64_t any_value(struct dice *d)
{
    return (int64_t)(dice_u64(d) >> (2 + dice_below(d, 62)));
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void agrees_with_sorted_samples(void **state)
{
    enum { N = 20011 };
    static int64_t samples[N];
    static const uint32_t ppms[] = {1,        10000,    333333,    HIST_P50,
                                    HIST_P90, HIST_P99, HIST_P999, 999999};
    struct dice d = dice_name(1, "test hist", 0, 0, 0);
    struct hist h = {0};
    uint64_t sum = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        samples[i] = any_value(&d) >> 16;
        hist_add(&h, samples[i]);
        sum += (uint64_t)samples[i];
    }
    qsort(samples, N, sizeof *samples, by_value);
    assert_int_equal(hist_count(&h), N);
    assert_int_equal(hist_min(&h), samples[0]);
    assert_int_equal(hist_max(&h), samples[N - 1]);
    assert_int_equal(hist_quantile(&h, 0), samples[0]);
    assert_int_equal(hist_quantile(&h, 1000000), samples[N - 1]);
    assert_int_equal(hist_sum(&h), sum);
    for (size_t i = 0; i < sizeof ppms / sizeof *ppms; i++) {
        size_t rank = (N * (size_t)ppms[i] + 999999) / 1000000;
        int64_t exact = samples[rank - 1], told = hist_quantile(&h, ppms[i]);
        assert_int_equal(hist_slot(told), hist_slot(exact));
        assert_true(told >= exact && told - exact <= exact / 1024);
        assert_true(told == hist_slot_high(hist_slot(exact)) || told == hist_max(&h));
    }
    hist_free(&h);
}

static void quantiles_of_known_data(void **state)
{
    struct hist h = {0};
    (void)state;
    hist_add_n(&h, 1000, 10000); /* HdrHistogram's own HistogramDataAccessTest, raw */
    hist_add(&h, 100000000);
    assert_int_equal(hist_quantile(&h, 300000), 1000);
    assert_int_equal(hist_quantile(&h, HIST_P99), 1000);
    assert_int_equal(hist_quantile(&h, 999900), 1000);
    assert_int_equal(hist_quantile(&h, 999990), 100000000);
    assert_int_equal(hist_quantile(&h, 1000000), 100000000);
    hist_free(&h);
    for (int64_t v = 1; v <= 100; v++)
        hist_add(&h, v);
    assert_int_equal(hist_quantile(&h, HIST_P50), 50);
    assert_int_equal(hist_quantile(&h, 500001), 51);
    assert_int_equal(hist_quantile(&h, HIST_P90), 90);
    assert_int_equal(hist_quantile(&h, HIST_P999), 100);
    assert_int_equal(hist_quantile(&h, 1), 1);
    hist_free(&h);
    hist_add(&h, 4097); /* its bucket ends at 4099 */
    assert_int_equal(hist_quantile(&h, HIST_P50), 4097);
    hist_add(&h, 5000);
    assert_int_equal(hist_quantile(&h, HIST_P50), 4099);
    hist_free(&h);
}

static void ten_samples_beyond_or_nothing(void **state)
{
    static const struct {
        uint32_t ppm;
        uint64_t from;
    } rule[] = {
        {HIST_P50, 20}, {HIST_P90, 100}, {HIST_P99, 1000}, {HIST_P999, 10000}, {100000, 100}};
    (void)state;
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++) {
        struct hist h = {0};
        hist_add_n(&h, 5, rule[i].from - 1);
        assert_int_equal(hist_quantile_needs(rule[i].ppm), rule[i].from);
        assert_false(hist_quantile_allowed(&h, rule[i].ppm));
        hist_add(&h, 5);
        assert_true(hist_quantile_allowed(&h, rule[i].ppm));
        assert_false(hist_quantile_allowed(&h, 0));
        assert_false(hist_quantile_allowed(&h, 1000000));
        assert_false(hist_quantile_allowed(&h, 2000000));
        hist_free(&h);
    }
}

static void merge_is_exact_in_any_order(void **state)
{
    enum { PARTS = 7 };
    struct dice d = dice_name(2, "test hist", 0, 0, 0);
    struct hist whole = {0}, part[PARTS] = {{0}}, up = {0}, down = {0};
    (void)state;
    for (int i = 0; i < 50000; i++) {
        int64_t v = any_value(&d);
        v = dice_below(&d, 50) == 0 ? -v : dice_below(&d, 50) == 0 ? INT64_MAX - v / 4 : v;
        hist_add(&whole, v);
        hist_add(&part[dice_below(&d, PARTS - 1)], v); /* the last stays empty */
    }
    for (int i = 0; i < PARTS; i++) {
        assert_int_equal(hist_merge(&up, &part[i]), ERR_OK);
        assert_int_equal(hist_merge(&down, &part[PARTS - 1 - i]), ERR_OK);
    }
    assert_true(whole.negative > 0 && whole.overflow > 0);
    assert_true(hist_equal(&whole, &up));
    assert_true(hist_equal(&whole, &down));
    assert_int_equal(hist_merge(&up, &up), ERR_OK);
    assert_int_equal(hist_merge(&down, &whole), ERR_OK);
    assert_true(hist_equal(&up, &down));
    assert_false(hist_equal_counts(&up, &whole));
    for (int i = 0; i < PARTS; i++)
        hist_free(&part[i]);
    hist_free(&whole);
    hist_free(&up);
    hist_free(&down);
}

static void n_at_once_is_one_by_one(void **state)
{
    struct dice d = dice_name(4, "test hist", 0, 0, 0);
    struct hist one = {0}, many = {0};
    (void)state;
    for (int i = 0; i < 5000; i++) {
        int64_t v = (int64_t)dice_u64(&d) >> dice_below(&d, 63);
        uint64_t n = dice_below(&d, 4);
        hist_add_n(&many, v, n);
        for (uint64_t k = 0; k < n; k++)
            hist_add(&one, v);
    }
    assert_true(one.negative > 0 && one.overflow > 0);
    assert_true(hist_equal(&one, &many));
    hist_free(&one);
    hist_free(&many);
}

static void walk_gives_every_bucket_back(void **state)
{
    struct dice d = dice_name(3, "test hist", 0, 0, 0);
    struct hist h = {0}, copy = {0};
    unsigned cursor = 0;
    int64_t value, last = -1;
    uint64_t count;
    (void)state;
    for (int i = 0; i < 3000; i++)
        hist_add_n(&h, any_value(&d), 1 + dice_below(&d, 5));
    hist_add_n(&h, 0, 3);
    hist_add_n(&h, HIST_MAX, 2);
    while (hist_next(&h, &cursor, &value, &count)) {
        assert_true(value > last && count > 0);
        assert_int_equal(value, hist_slot_low(hist_slot(value)));
        hist_add_n(&copy, value, count);
        last = value;
    }
    assert_false(hist_next(&h, &cursor, &value, &count));
    assert_true(hist_equal_counts(&h, &copy));
    assert_false(hist_equal(&h, &copy));
    assert_int_equal(hist_restore(&copy, hist_min(&h), hist_max(&h), hist_sum(&h)), ERR_OK);
    assert_true(hist_equal(&h, &copy));
    hist_free(&h);
    hist_free(&copy);
}

static void restore_refuses_what_cannot_be(void **state)
{
    struct hist h = {0};
    (void)state;
    assert_int_equal(hist_restore(&h, 0, 0, 0), ERR_MISMATCH);
    hist_add(&h, 4096);
    hist_add(&h, 9000);
    assert_int_equal(hist_restore(&h, 4095, 9000, 0), ERR_MISMATCH);
    assert_int_equal(hist_restore(&h, 4100, 9000, 0), ERR_MISMATCH);
    assert_int_equal(hist_restore(&h, 4096, 9008, 0), ERR_MISMATCH);
    assert_int_equal(hist_restore(&h, -4096, 9000, 0), ERR_MISMATCH);
    assert_int_equal(hist_restore(&h, 4096, INT64_MAX, 0), ERR_MISMATCH);
    assert_int_equal(hist_min(&h), 4096);
    assert_int_equal(hist_sum(&h), 13096);
    assert_int_equal(hist_restore(&h, 4099, 9007, 13106), ERR_OK);
    assert_int_equal(hist_min(&h), 4099);
    assert_int_equal(hist_max(&h), 9007);
    hist_free(&h);
    hist_add_n(&h, 4096, 2);
    assert_int_equal(hist_restore(&h, 4098, 4097, 8195), ERR_MISMATCH);
    hist_free(&h);
}

static void negative_and_huge_are_named(void **state)
{
    struct hist h = {0};
    (void)state;
    hist_add(&h, -1);
    hist_add_n(&h, INT64_MIN, 4);
    assert_int_equal(h.negative, 5);
    assert_int_equal(hist_count(&h), 0);
    assert_null(h.counts);
    hist_add(&h, HIST_MAX);
    assert_int_equal(h.overflow, 0);
    hist_add_n(&h, HIST_MAX + 1, 2);
    hist_add(&h, INT64_MAX);
    assert_int_equal(h.overflow, 3);
    assert_int_equal(hist_count(&h), 4);
    assert_int_equal(hist_max(&h), HIST_MAX);
    assert_int_equal(hist_min(&h), HIST_MAX);
    assert_int_equal(h.negative, 5);
    hist_free(&h);
}

static void big_counts_saturate_nothing_but_the_sum(void **state)
{
    struct hist h = {0}, other = {0};
    (void)state;
    hist_add_n(&h, 3, (uint64_t)INT64_MAX - 1);
    assert_int_equal(hist_sum(&h), UINT64_MAX);
    assert_int_equal(hist_quantile(&h, HIST_P99), 3);
    assert_true(hist_quantile_allowed(&h, HIST_P999));
    hist_add(&h, 4);
    hist_add(&h, 4);
    assert_int_equal(hist_count(&h), INT64_MAX);
    assert_int_equal(h.lost, 1);
    hist_add_n(&other, 9, 5);
    assert_int_equal(hist_merge(&h, &other), ERR_LIMIT);
    assert_int_equal(h.lost, 6);
    assert_int_equal(hist_max(&h), 4);
    hist_add_n(&h, 9, UINT64_MAX);
    assert_int_equal(h.lost, UINT64_MAX);
    hist_add_n(&h, 9, 0);
    assert_int_equal(hist_count(&h), INT64_MAX);
    hist_free(&h);
    hist_free(&other);
}

static void without_memory_samples_are_lost_by_name(void **state)
{
    struct hist h = {0}, from = {0}, before = {0};
    (void)state;
    hist_add(&from, 10);
    hist_add_n(&from, 1000000, 6);
    hist_add(&from, -3);
    reallocs_left = 0;
    hist_add_n(&h, 10, 2);
    assert_int_equal(h.lost, 2);
    assert_int_equal(hist_count(&h), 0);
    assert_int_equal(hist_max(&h), 0);
    reallocs_left = 1;
    hist_add(&h, 10);
    hist_add(&h, 1000000);
    assert_int_equal(h.lost, 3);
    assert_int_equal(hist_count(&h), 1);
    assert_int_equal(hist_max(&h), 10);
    assert_int_equal(hist_merge(&h, &from), ERR_NOMEM);
    assert_int_equal(h.lost, 10);
    assert_int_equal(h.negative, 1);
    reallocs_left = -1;
    hist_add(&before, 10);
    assert_true(hist_equal_counts(&h, &before));
    assert_int_equal(hist_merge(&h, &from), ERR_OK);
    assert_int_equal(hist_count(&h), 8);
    assert_int_equal(hist_max(&h), 1000000);
    hist_free(&h);
    hist_free(&from);
    hist_free(&before);
}

static void equal_sees_every_difference(void **state)
{
    struct hist a = {0}, b = {0};
    (void)state;
    hist_add(&a, 5000);
    hist_add(&b, 5001); /* same bucket */
    assert_true(hist_equal_counts(&a, &b));
    assert_false(hist_equal(&a, &b));
    hist_free(&b);
    hist_add(&b, 6000);
    assert_false(hist_equal_counts(&a, &b));
    hist_free(&b);
    hist_add(&b, 5000);
    assert_true(hist_equal(&a, &b));
    hist_add(&b, -1);
    assert_false(hist_equal(&a, &b));
    hist_add(&a, -1);
    assert_true(hist_equal(&a, &b));
    hist_free(&a);
    hist_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_those_of_hdrhistogram),
        cmocka_unit_test(empty_is_small_and_zero),
        cmocka_unit_test(few_values_take_few_pages),
        cmocka_unit_test(agrees_with_sorted_samples),
        cmocka_unit_test(quantiles_of_known_data),
        cmocka_unit_test(ten_samples_beyond_or_nothing),
        cmocka_unit_test(merge_is_exact_in_any_order),
        cmocka_unit_test(n_at_once_is_one_by_one),
        cmocka_unit_test(walk_gives_every_bucket_back),
        cmocka_unit_test(restore_refuses_what_cannot_be),
        cmocka_unit_test(negative_and_huge_are_named),
        cmocka_unit_test(big_counts_saturate_nothing_but_the_sum),
        cmocka_unit_test(without_memory_samples_are_lost_by_name),
        cmocka_unit_test(equal_sees_every_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
