/* links: engine/base/err.c engine/base/prng.c engine/observers/assign.c
 * engine/observers/belief.c engine/observers/bits.c engine/observers/chance.c
 * engine/observers/unlink.c */
/* M3 and M4: beliefs about parties against METRICS.md 2.2, and who is linked to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/observers/assign.h"
#include "engine/observers/belief.h"
#include "engine/observers/chance.h"
#include "engine/observers/unlink.h"
#include "tests/unit/analytic.h"

/* One Poisson mix, S equal senders. Which one leaves is truth's alone. */
struct crowd {
    struct batches entropy, truth;
};

static void one_mix(uint32_t s, double rho, uint64_t departures, struct crowd *c)
{
    const struct belief_shape shape = {.width = s};
    struct dice d = dice_name(5, "senders", s, (uint64_t)rho, 0);
    struct belief_pool pool;
    uint32_t who[2048], n = 0;
    uint64_t done = 0, burn = (uint64_t)(20 * rho) + 1000;
    double b[16];
    assert_int_equal(belief_pool_init(&pool, &shape), OK);
    c->entropy.size = c->truth.size = (unsigned)(departures / 32);
    while (done < departures + burn) {
        double u = (double)(dice_u64(&d) >> 11) * 0x1p-53;
        if (u * (rho + (double)n) < rho) {
            who[n] = (uint32_t)dice_below(&d, s);
            belief_certain(&shape, b, who[n++]);
            belief_pool_arrive(&pool, &shape, b);
        } else {
            uint32_t leaves = (uint32_t)dice_below(&d, n);
            struct belief_figures f;
            assert_true(belief_pool_leave(&pool, &shape, b));
            f = belief_judge(&shape, b, who[leaves]);
            who[leaves] = who[--n];
            if (done++ < burn)
                continue;
            batches_add(&c->entropy, f.entropy);
            batches_add(&c->truth, f.truth);
        }
    }
    belief_pool_free(&pool);
}

static void test_party_entropy(void **state)
{
    static const double want[3][5] = {{0.831, 1.425, 1.510, 1.570, 1.578},
                                      {1.069, 2.006, 2.170, 2.293, 2.307},
                                      {1.275, 2.657, 2.982, 3.256, 3.289}};
    static const double collision[5] = {0.44721, 0.10393, 0.05092, 0.01003391, 0.0050084};
    static const uint32_t senders[3] = {3, 5, 10};
    static const double rho[5] = {1, 5, 10, 50, 100};
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 5; k++) {
            struct crowd c = {0};
            double s = senders[i];
            one_mix(senders[i], rho[k], 150000, &c);
            /* the reference has three digits and an error of its own below 1e-3 */
            assert_near(batches_mean(&c.entropy), want[i][k],
                        3 * batches_error(&c.entropy) + 1.5e-3);
            assert_near(batches_mean(&c.truth), collision[k] + (1 - collision[k]) / s,
                        3 * batches_error(&c.truth) + 1e-5);
            assert_true(batches_error(&c.entropy) < 0.01);
        }
}

static void test_belief_pools(void **state)
{
    const struct belief_shape shape = {.width = 4, .others = 97};
    struct belief_pool p;
    struct belief_fifo f = {0};
    struct belief_figures g;
    double b[4], out[4];
    (void)state;
    assert_int_equal(belief_pool_init(&p, &shape), OK);
    assert_false(belief_pool_leave(&p, &shape, b)); /* of what never came nothing is known */
    g = belief_judge(&shape, b, 0);
    assert_near(g.degree, 1, 1e-12);
    assert_near(g.guess, 0.01, 1e-12);
    assert_near(g.truth, 0.01, 1e-12);

    for (uint32_t i = 0; i < 4; i++) { /* a batch of two parties and two others */
        belief_certain(&shape, b, i < 2 ? i : 50);
        belief_pool_arrive(&p, &shape, b);
    }
    assert_true(belief_pool_leave(&p, &shape, out));
    g = belief_judge(&shape, out, 1);
    assert_near(g.guess, 0.25, 1e-12);
    assert_near(g.truth, 0.25, 1e-12);
    assert_near(g.entropy, 1.5 + 0.5 * bits_log2(97), 1e-12);
    belief_pool_free(&p);

    for (uint32_t i = 0; i < 6; i++) { /* FIFO: identity, in order */
        belief_certain(&shape, b, i % 3);
        belief_fifo_arrive(&f, &shape, b);
    }
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(belief_fifo_leave(&f, &shape, out));
        assert_true(belief_judge(&shape, out, i % 3).truth == 1);
        assert_true(belief_judge(&shape, out, i % 3).entropy == 0);
    }
    assert_false(belief_fifo_leave(&f, &shape, out));
    assert_int_equal(f.lost, 1);
    for (uint32_t i = 0; i < BELIEF_FIFO + 5; i++)
        belief_fifo_arrive(&f, &shape, b);
    assert_int_equal(f.n, BELIEF_FIFO);
    assert_int_equal(f.lost, 6);
    belief_fifo_free(&f);
}

/* The assignment against all permutations of 6. */
static double best_of_all(const double *w, uint32_t n, uint32_t used, uint32_t row)
{
    double best = row == n ? 0 : -1e9;
    for (uint32_t j = 0; row < n && j < n; j++)
        if (!(used >> j & 1)) {
            double v = w[row * n + j] + best_of_all(w, n, used | 1U << j, row + 1);
            best = v > best ? v : best;
        }
    return best;
}

static void test_assignment(void **state)
{
    struct dice d = dice_name(2, "assign", 0, 0, 0);
    double w[36];
    uint32_t to[6];
    (void)state;
    for (int round = 0; round < 200; round++) {
        uint32_t n = 1 + (uint32_t)dice_below(&d, 6), used = 0;
        double sum = 0;
        for (uint32_t i = 0; i < n * n; i++)
            w[i] = (double)dice_below(&d, round % 2 ? 1000 : 4) - 2;
        assert_int_equal(assign_best(w, n, to), OK);
        for (uint32_t i = 0; i < n; i++) {
            sum += w[i * n + to[i]];
            used |= 1U << to[i];
        }
        assert_int_equal(used, (1U << n) - 1);
        assert_near(sum, best_of_all(w, n, 0, 0), 1e-9);
    }
    assert_int_equal(assign_best(w, 0, to), ERR_INVALID);
    assert_int_equal(assign_best(w, ASSIGN_MOST + 1, to), ERR_INVALID);
}

static const uint32_t *sender_of;
static bool linked(const void *ctx, uint32_t i, uint32_t j)
{
    (void)ctx;
    return sender_of[j] == i;
}

/* Senders 0 .. S-1 and receivers S .. 2S-1, a perfect permutation between. */
static void judge(uint32_t s, bool knows, const uint32_t *truth, struct unlink_figures *f)
{
    struct unlink u;
    double b[40] = {0};
    assert_int_equal(unlink_init(&u, 2 * s), OK);
    for (uint32_t j = s; j < 2 * s; j++) {
        for (uint32_t i = 0; i < s; i++)
            b[i] = knows ? i == truth[j] : 1.0 / s;
        unlink_add(&u, j, b);
    }
    sender_of = truth;
    assert_int_equal(unlink_judge(&u, linked, NULL, f), OK);
    unlink_free(&u);
}

static void test_linking(void **state)
{
    struct dice d = dice_name(3, "permute", 0, 0, 0);
    struct batches right = {.size = 100};
    struct unlink_figures f;
    (void)state;
    for (uint32_t s = 2; s <= 10; s += 4) {
        uint32_t truth[20];
        right = (struct batches){.size = 100};
        for (int round = 0; round < 3000; round++) {
            memset(truth, 0xff, sizeof truth);
            for (uint32_t k = 0; k < s; k++)
                truth[s + k] = k;
            for (uint32_t k = s - 1; k > 0; k--) {
                uint32_t with = (uint32_t)dice_below(&d, k + 1), was = truth[s + k];
                truth[s + k] = truth[s + with];
                truth[s + with] = was;
            }
            if (round == 0) { /* a relay's operator */
                judge(s, true, truth, &f);
                assert_int_equal(f.judged, s);
                assert_true(f.linking == 1 && f.assignment == 1);
            }
            judge(s, false, truth, &f); /* uniform: 1/S, one right pair in the mean */
            assert_near(f.linking, 1.0 / s, 1e-12);
            batches_add(&right, f.assignment * s);
        }
        assert_near(batches_mean(&right), 1, 3 * batches_error(&right));
    }
}

/* Randomised response: adv = 1 - 2p, eps = ln((1-p)/p). */
static void test_advantage(void **state)
{
    struct dice d = dice_name(4, "flip", 0, 0, 0);
    (void)state;
    for (uint32_t ppm = 100000; ppm <= 400000; ppm += 100000) {
        double p = ppm / 1e6, eps = unlink_epsilon(1 - p, p);
        struct unlink_test t = {.positives = 20000, .negatives = 20000};
        struct unlink_advantage a;
        for (int i = 0; i < 20000; i++) {
            t.hits += !dice_chance(&d, ppm);
            t.alarms += (uint64_t)dice_chance(&d, ppm);
        }
        a = unlink_advantage(&t, 1, 0.95);
        assert_near(a.advantage, 1 - 2 * p, 3 * bits_sqrt(2 * p * (1 - p) / 20000));
        assert_true(a.low < a.advantage && a.low > a.advantage - 0.02);
        assert_near(eps, (1 - p) / p > 1 ? bits_log2((1 - p) / p) * 0.6931471805599453 : 0, 1e-12);
        a = unlink_advantage(&t, (1 - p) / p, 0.95); /* delta(eps) is 0 there */
        assert_near(a.advantage, 0, 0.05);
        assert_true(a.low < 0);
    }
    assert_near(unlink_epsilon(0.2, 0.8), unlink_epsilon(0.8, 0.2), 1e-15);
}

/* Against binomial sums by hand and published values (n = 10, k = 0: 1 - 0.025^(1/10)). */
static void test_clopper_pearson(void **state)
{
    struct chance_interval i = chance_clopper_pearson(10, 0, 0.95);
    (void)state;
    assert_true(i.low == 0);
    assert_near(i.high, 0.3084971, 1e-6);
    i = chance_clopper_pearson(10, 10, 0.95);
    assert_near(i.low, 1 - 0.3084971, 1e-6);
    assert_true(i.high == 1);
    i = chance_clopper_pearson(10, 5, 0.95);
    assert_near(i.low, 0.1870860, 1e-6);
    assert_near(i.high, 0.8129140, 1e-6);
    i = chance_clopper_pearson(1000000, 500000, 0.95);
    assert_near(i.high - i.low, 2 * 1.959964 * 0.0005, 1e-5);
    assert_near(chance_at_least(4, 0.5, 2), 11.0 / 16, 1e-12);
    assert_true(chance_at_least(4, 0.5, 0) == 1 && chance_at_least(4, 0.5, 5) == 0);
    assert_near(chance_ln_factorial(20), 42.33561646075349, 1e-12);
    assert_near(chance_poisson(3, 2), 0.22404180765538775, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_party_entropy), cmocka_unit_test(test_belief_pools),
        cmocka_unit_test(test_assignment),    cmocka_unit_test(test_linking),
        cmocka_unit_test(test_advantage),     cmocka_unit_test(test_clopper_pearson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
