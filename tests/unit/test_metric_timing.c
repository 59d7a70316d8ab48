/* links: engine/base/err.c engine/base/prng.c engine/observers/bits.c engine/observers/chance.c
 * engine/observers/correlate.c engine/observers/roc.c engine/observers/sentinel.c */
/* M6: ROC figures against closed forms, flow correlation against the exact permanent and known
 * outcomes, the sentinels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/observers/roc.h"
#include "engine/observers/sentinel.h"
#include "tests/unit/analytic.h"

static struct roc roc;

/* Gaussian scores, d' apart. */
static void test_gaussian(void **state)
{
    static const double want[] = {0.5, 0.76025, 0.92135, 0.98305};
    struct roc_figures f;
    (void)state;
    for (int shift = 0; shift <= 3; shift++) {
        struct dice d = dice_name(1, "gaussian", (uint64_t)shift, 0, 0);
        roc_init(&roc, -8, 12);
        for (int i = 0; i < 40000; i++) {
            roc_add(&roc, false, dice_normal(&d));
            roc_add(&roc, true, shift + dice_normal(&d));
        }
        assert_int_equal(roc_judge(&roc, &f), OK);
        assert_near(f.auc, want[shift], 3 * f.sigma + 1e-5);
        assert_true(f.sigma < 0.003);
        assert_true(f.within < 0.001);
        if (shift == 0)
            assert_near(f.sigma, roc_sigma_null(40000, 40000), 2e-5);
        /* EER = Phi(-d'/2): .30854, .15866, .06681; TPR at 1e-2 = Phi(d' - 2.32635) */
        if (shift == 2) {
            assert_near(f.eer, 0.15866, 0.006);
            assert_near(f.tpr_2, 0.37208, 0.012);
            assert_near(f.advantage, 0.68269, 0.012);
            assert_near(f.tpr_3, 0.13786, 0.02);
        }
    }
}

static void test_roc_edges(void **state)
{
    struct roc_figures f;
    struct roc *other = malloc(sizeof *other);
    (void)state;
    roc_init(&roc, 0, 1);
    assert_int_equal(roc_judge(&roc, &f), ERR_ABSENT);
    roc_add(&roc, true, 0.5);
    assert_int_equal(roc_judge(&roc, &f), ERR_ABSENT);
    roc_add(&roc, false, 0.5); /* a tie is a half */
    assert_int_equal(roc_judge(&roc, &f), OK);
    assert_true(f.auc == 0.5 && f.within == 0.5);
    assert_true(f.tpr_2 < 0 && f.tpr_3 < 0); /* too few negatives to say */
    roc_init(&roc, 0, 1);
    for (int i = 0; i < 2000; i++) {
        roc_add(&roc, false, i % 2 ? -5 : 0.1); /* beyond the range: its end */
        roc_add(&roc, true, i % 2 ? 5 : 0.9);
    }
    assert_int_equal(roc_judge(&roc, &f), OK);
    assert_true(f.auc == 1 && f.eer == 0 && f.tpr_2 == 1 && f.tpr_3 < 0);
    assert_non_null(other);
    roc_init(other, 0, 1);
    for (int i = 0; i < 2000; i++) {
        roc_add(other, true, 0.1);
        roc_add(other, false, 0.9);
    }
    roc_merge(&roc, other);
    assert_int_equal(roc_judge(&roc, &f), OK);
    assert_near(f.auc, 0.25 + 0.25 * 0.75 + 0.5 * 0.375, 1e-12);
    free(other);
}

static void poisson_flow(struct flow *f, struct dice *d, ns_t gap, int packets)
{
    ns_t t = 0;
    for (int i = 0; i < packets; i++)
        assert_true(flow_add(f, t += dice_exp(d, gap)));
}

static void shift(struct flow *to, const struct flow *from, ns_t by)
{
    for (uint32_t i = 0; i < from->n; i++)
        assert_true(flow_add(to, from->times[i] + by));
}

/* Identical traces with a constant shift: 1. Independent ones: 1/2. */
static void test_count_vectors(void **state)
{
    static const ns_t bins[] = {10 * NS_MS, 50 * NS_MS, 200 * NS_MS};
    (void)state;
    for (int k = 0; k < 3; k++) {
        struct dice d = dice_name(9, "flows", (uint64_t)k, 0, 0);
        const struct correlate_window w = {
            .until = 130 * bins[k], .bin = bins[k], .max_lag = 8 * bins[k]};
        struct roc_figures f;
        roc_init(&roc, -1, 1.0001);
        for (int i = 0; i < 600; i++) {
            struct flow a = {0}, b = {0}, c = {0};
            poisson_flow(&a, &d, 2 * bins[k], 60);
            poisson_flow(&b, &d, 2 * bins[k], 60);
            shift(&c, &a, 3 * bins[k]);
            if (i < 100) {
                const struct correlate_window all = {
                    .until = 1000 * bins[k], .bin = bins[k], .max_lag = 8 * bins[k]};
                assert_near(correlate_counts(&a, &c, &all), 1, 1e-9);
            }
            roc_add(&roc, false, correlate_counts(&a, &b, &w));
            flow_free(&b);
            poisson_flow(&b, &d, 2 * bins[k], 60);
            roc_add(&roc, true, correlate_counts(&a, &b, &w)); /* as independent */
            flow_free(&a);
            flow_free(&b);
            flow_free(&c);
        }
        assert_int_equal(roc_judge(&roc, &f), OK);
        assert_near(f.auc, 0.5, 1.96 * roc_sigma_null(600, 600));
    }
}

static void test_flow_edges(void **state)
{
    const struct correlate_window w = {.until = NS_S, .bin = NS_MS, .max_lag = 0};
    struct flow a = {0}, b = {0};
    (void)state;
    assert_true(correlate_counts(&a, &b, &w) == 0);
    assert_true(correlate_matched(&a, &b, &(struct correlate_path){.mean = 1}) == CORRELATE_FLOOR);
    for (int i = 0; i < FLOW_PACKETS; i++)
        assert_true(flow_add(&a, i));
    assert_false(flow_add(&a, FLOW_PACKETS)); /* bounded */
    assert_int_equal(a.packets, FLOW_PACKETS + 1);
    assert_true(correlate_counts(&a, &b, &w) == 0); /* one of them is constant */
    flow_free(&a);
}

/* The sum over all matchings of the product of densities, by Ryser's formula. */
static double permanent(double f[10][10], unsigned n)
{
    double sum = 0;
    for (unsigned set = 1; set < 1U << n; set++) {
        double product = 1;
        for (unsigned i = 0; i < n; i++) {
            double row = 0;
            for (unsigned j = 0; j < n; j++)
                row += set >> j & 1 ? f[i][j] : 0;
            product *= row;
        }
        sum += (n - (unsigned)__builtin_popcount(set)) % 2 ? -product : product;
    }
    return sum;
}

static int by_time(const void *a, const void *b)
{
    const ns_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void pass(struct flow *out, const struct flow *in, struct dice *d, ns_t mean, int stages)
{
    for (uint32_t i = 0; i < in->n; i++) {
        ns_t t = in->times[i];
        for (int k = 0; k < stages; k++)
            t += dice_exp(d, mean);
        assert_true(flow_add(out, t));
    }
    qsort(out->times, out->n, sizeof *out->times, by_time);
}

static double exact(const struct flow *a, const struct flow *b, const struct correlate_path *p)
{
    double f[10][10];
    for (unsigned i = 0; i < 10; i++)
        for (unsigned j = 0; j < 10; j++) {
            double ln = correlate_density(p, b->times[j] - a->times[i]);
            f[i][j] = ln > CORRELATE_FLOOR ? det_exp(ln) : 0;
        }
    f[0][0] = permanent(f, 10);
    return f[0][0] > 1e-200 ? det_log(f[0][0]) : -460;
}

/* The order-matched score decides nearly as well as the exact likelihood of the pair, which is
 * the best there is; and it is one term of it, so never above. */
static void test_permanent(void **state)
{
    static struct roc best;
    const struct correlate_path path = {.mean = 100 * NS_MS, .stages = 3};
    struct dice d = dice_name(6, "permanent", 0, 0, 0);
    struct roc_figures matched, optimal;
    double one[10][10], ones = 1;
    (void)state;
    for (int i = 0; i < 100; i++)
        one[i / 10][i % 10] = 1;
    for (int i = 2; i <= 10; i++)
        ones *= i;
    assert_near(permanent(one, 10), ones, 1e-3);
    roc_init(&roc, CORRELATE_FLOOR, 1);
    roc_init(&best, -461, 40);
    for (int i = 0; i < 300; i++) {
        struct flow in[2] = {{0}, {0}}, out = {0};
        poisson_flow(&in[0], &d, 200 * NS_MS, 10);
        poisson_flow(&in[1], &d, 200 * NS_MS, 10);
        pass(&out, &in[0], &d, path.mean, 3);
        for (int k = 0; k < 2; k++) {
            double m = correlate_matched(&in[k], &out, &path), e = exact(&in[k], &out, &path);
            roc_add(&roc, k == 0, m);
            roc_add(&best, k == 0, e);
            if (m > CORRELATE_FLOOR / 10)
                assert_true(10 * m <= e + 1e-6);
            flow_free(&in[k]);
        }
        flow_free(&out);
    }
    assert_int_equal(roc_judge(&roc, &matched), OK);
    assert_int_equal(roc_judge(&best, &optimal), OK);
    assert_true(optimal.auc > 0.95);
    assert_true(matched.auc > optimal.auc - 0.03);
    assert_true(matched.auc < optimal.auc + 3 * optimal.sigma);
}

/* METRICS.md 3.2: 60 packets of a flow without cover, source rate mu, three hops: AUC 1. */
static void test_sixty_packets(void **state)
{
    const struct correlate_path path = {.mean = 100 * NS_MS, .stages = 3};
    struct dice d = dice_name(8, "sixty", 0, 0, 0);
    struct roc_figures f;
    (void)state;
    roc_init(&roc, CORRELATE_FLOOR, 1);
    for (int i = 0; i < 300; i++) {
        struct flow a = {0}, b = {0}, out = {0};
        poisson_flow(&a, &d, 100 * NS_MS, 60);
        poisson_flow(&b, &d, 100 * NS_MS, 60);
        pass(&out, &a, &d, path.mean, 3);
        roc_add(&roc, true, correlate_matched(&a, &out, &path));
        roc_add(&roc, false, correlate_matched(&b, &out, &path));
        flow_free(&a);
        flow_free(&b);
        flow_free(&out);
    }
    assert_int_equal(roc_judge(&roc, &f), OK);
    assert_near(f.auc, 1, 5e-4);
}

static double by_counts(const void *ctx, const struct flow *in, const struct flow *out)
{
    return correlate_counts(in, out, ctx);
}
static double by_order(const void *ctx, const struct flow *in, const struct flow *out)
{
    return correlate_matched(in, out, ctx);
}
static double blind(const void *ctx, const struct flow *in, const struct flow *out)
{
    (void)ctx, (void)in, (void)out;
    return 0;
}

static void test_sentinels(void **state)
{
    const struct correlate_window w = {
        .until = 2 * SENTINEL_LENGTH * 50 * NS_MS, .bin = 50 * NS_MS, .max_lag = NS_S};
    const struct correlate_window no_lag = {
        .until = 2 * SENTINEL_LENGTH * 50 * NS_MS, .bin = 50 * NS_MS, .max_lag = 0};
    const struct correlate_path path = {.base = 250 * NS_MS, .mean = 50 * NS_MS, .stages = 3};
    struct sentinel_attack a = {.score = by_counts,
                                .ctx = &w,
                                .low = -1,
                                .high = 1.0001,
                                .gap = 100 * NS_MS,
                                .shift = 300 * NS_MS,
                                .jitter = 25 * NS_MS};
    struct sentinel s;
    double squares = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        assert_int_equal(sentinel_run(seed, &a, &s), OK);
        assert_null(s.failed);
        squares += s.sigmas * s.sigmas;
    }
    assert_near(squares / 30, 1, 3 * bits_sqrt(2.0 / 30)); /* sigma is what it says */
    a.ctx = &no_lag; /* an attack that does not look as late as the path is long */
    assert_int_equal(sentinel_run(1, &a, &s), OK);
    assert_string_equal(s.failed, "direct");
    a.score = blind;
    assert_int_equal(sentinel_run(1, &a, &s), OK);
    assert_string_equal(s.failed, "direct");
    a = (struct sentinel_attack){.score = by_order,
                                 .ctx = &path,
                                 .low = CORRELATE_FLOOR,
                                 .high = 1,
                                 .gap = 100 * NS_MS,
                                 .shift = 300 * NS_MS,
                                 .jitter = 50 * NS_MS};
    assert_int_equal(sentinel_run(1, &a, &s), OK);
    assert_null(s.failed);
    a.jitter = 3000 * NS_MS; /* a FIFO mix that this path's law has never heard of */
    assert_int_equal(sentinel_run(1, &a, &s), OK);
    assert_string_equal(s.failed, "fifo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaussian),      cmocka_unit_test(test_roc_edges),
        cmocka_unit_test(test_count_vectors), cmocka_unit_test(test_flow_edges),
        cmocka_unit_test(test_permanent),     cmocka_unit_test(test_sixty_packets),
        cmocka_unit_test(test_sentinels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
