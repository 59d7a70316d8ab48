/* links: engine/base/err.c engine/base/prng.c engine/observers/anonymity.c
 * engine/observers/bits.c engine/observers/chance.c engine/observers/guess.c */
/* M2 and M5 against METRICS.md 2.2: closed forms exactly, simulated mixes within three standard
 * errors, Loopix Figure 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/observers/anonymity.h"
#include "engine/observers/guess.h"
#include "tests/unit/analytic.h"

struct means {
    struct batches entropy, guess, min_entropy, collision;
    struct guess *guesses;
    uint64_t departures;
};

/* A Poisson mix as an M/M/infinity queue: only the order of arrivals and departures matters. */
static void poisson_mix(double rho, uint64_t departures, uint64_t seed, struct means *m)
{
    struct dice d = dice_name(seed, "poisson mix", (uint64_t)(rho * 1000), 0, 0);
    struct anonymity a = {0};
    uint64_t burn = (uint64_t)(10 * rho) + 1000;
    unsigned size = (unsigned)(departures / 16); /* four lifetimes of the pool or more */
    m->entropy.size = m->guess.size = m->min_entropy.size = m->collision.size = size;
    while (m->departures < departures) {
        double u = (double)(dice_u64(&d) >> 11) * 0x1p-53;
        if (u * (rho + (double)a.inside) < rho) {
            anonymity_arrive(&a);
            continue;
        }
        if (burn) {
            burn--;
        } else {
            batches_add(&m->entropy, a.entropy);
            batches_add(&m->guess, a.guess);
            batches_add(&m->min_entropy, a.guess < 1 ? -bits_log2(a.guess) : 0);
            batches_add(&m->collision, a.collision);
            if (m->guesses)
                guess_add(m->guesses, a.guess, a.guesswork);
            m->departures++;
        }
        anonymity_leave(&a);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    assert_near(bits_sqrt(2), 1.4142135623730951, 1e-15);
    assert_near(bits_sqrt(1e-200), 1e-100, 1e-114);
    assert_near(bits_sqrt(1e300), 1e150, 1e136);
    assert_true(bits_sqrt(0) == 0);
    assert_near(bits_log2(1024), 10, 1e-13);
    assert_near(bits_binary(0.5), 1, 1e-14);
    assert_true(bits_binary(0) == 0 && bits_binary(1) == 0);
    assert_int_equal(bits_round(2.5), 3);
    assert_int_equal(bits_round(-2.5), -2);
    assert_int_equal(bits_round(-2.6), -3);
    assert_int_equal(bits_milli(1.51123), 1511);
}

/* The exact steady state against the reference, to the last digit that it has. */
static void test_poisson_exact(void **state)
{
    json_t *all = analytic_load(), *row;
    size_t i;
    (void)state;
    if (!all)
        skip();
    json_array_foreach(json_object_get(all, "poisson_mix_single"), i, row)
    {
        double rho = analytic_number(row, "rho");
        struct anonymity_mean m;
        assert_int_equal(anonymity_poisson(rho, &m), OK);
        assert_near(m.entropy, analytic_number(row, "E_shannon"), 1.5e-6);
        assert_near(m.min_entropy, analytic_number(row, "E_minentropy"), 1.5e-6);
        assert_near(m.guess, 1 / (1 + rho), 1e-12);
        assert_near(m.collision, analytic_number(row, "E_collision_prob"), 1.5e-8);
    }
    assert_int_equal(i, 14);
    json_decref(all);
}

static void test_poisson_bad(void **state)
{
    struct anonymity_mean m;
    (void)state;
    assert_int_equal(anonymity_poisson(0, &m), ERR_INVALID);
    assert_int_equal(anonymity_poisson(-1, &m), ERR_INVALID);
    assert_int_equal(anonymity_poisson(2e6, &m), ERR_INVALID);
}

/* The filter on simulated mixes; values of METRICS.md 2.2. */
static void test_poisson_simulated(void **state)
{
    static const struct {
        double rho, entropy, min_entropy, collision;
    } want[] = {{0.5, 0.86278, 0.72613, 0.64055}, {1, 1.51123, 1.16924, 0.44721},
                {2, 2.40879, 1.74357, 0.25958},   {5, 3.75485, 2.68659, 0.10393},
                {10, 4.76305, 3.51975, 0.05092},  {20, 5.76429, 4.42526, 0.02522},
                {100, 8.08654, 6.66529, 0.00501}, {1000, 11.40848, 9.96795, 0.00050}};
    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct means m = {0};
        double rho = want[i].rho;
        poisson_mix(rho, 200000, 7, &m);
        assert_near(batches_mean(&m.entropy), want[i].entropy,
                    3 * batches_error(&m.entropy) + 5e-6);
        assert_near(batches_mean(&m.guess), 1 / (1 + rho), 3 * batches_error(&m.guess));
        assert_near(batches_mean(&m.min_entropy), want[i].min_entropy,
                    3 * batches_error(&m.min_entropy) + 5e-6);
        assert_near(batches_mean(&m.collision), want[i].collision,
                    3 * batches_error(&m.collision) + 5e-6);
        assert_true(batches_error(&m.entropy) < 0.02);
    }
}

/* Loopix, Figure 4: entropy against lambda for five means. */
static void test_loopix_figure_4(void **state)
{
    static const double mus[] = {200, 20, 2, 0.2, 0.02};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (int lambda = 100; lambda <= 500; lambda += 200) {
            double rho = lambda / mus[i];
            struct means m = {0};
            struct anonymity_mean exact;
            assert_int_equal(anonymity_poisson(rho, &exact), OK);
            poisson_mix(rho, rho > 1000 ? (uint64_t)rho * 64 : 100000, 11, &m);
            assert_near(batches_mean(&m.entropy), exact.entropy,
                        3 * batches_error(&m.entropy) + 1e-6);
            if (lambda == 500 && i == 4)
                assert_near(exact.entropy, 16.052, 5e-4);
            if (lambda == 100 && i == 1)
                assert_near(exact.entropy, 3.755, 5e-4);
            if (lambda == 100 && i == 0)
                assert_near(exact.entropy, 0.863, 5e-4);
        }
}

/* Without burn-in an empty pool deflates the figure: what burnin.h is for. */
static void test_empty_start_deflates(void **state)
{
    struct anonymity a = {0};
    struct dice d = dice_name(1, "cold", 0, 0, 0);
    double sum = 0;
    int n = 0;
    (void)state;
    while (n < 20) {
        if ((double)(dice_u64(&d) >> 11) * 0x1p-53 * (100 + (double)a.inside) < 100) {
            anonymity_arrive(&a);
        } else {
            sum += a.entropy;
            anonymity_leave(&a);
            n++;
        }
    }
    assert_true(sum / n < 8.08654 - 1);
}

static void test_batches(void **state)
{
    struct anonymity a = {0};
    (void)state;
    for (int i = 0; i < 8; i++)
        anonymity_arrive(&a);
    for (int i = 0; i < 7; i++) {
        assert_near(a.entropy, 3, 1e-12); /* threshold 8: all alike until the last */
        assert_near(a.collision, 0.125, 1e-12);
        assert_near(a.guesswork, 4.5, 1e-12);
        anonymity_leave(&a);
    }
    anonymity_leave(&a);
    assert_true(a.inside == 0 && a.entropy == 0 && a.guess == 0);
    anonymity_leave(&a); /* one that never came */
    assert_true(a.inside == 0);
    assert_near(anonymity_shuffle(8, 0), 3, 1e-12);
    assert_near(anonymity_shuffle(100, 36), 6, 1e-12);
    assert_true(anonymity_shuffle(4, 4) == 0);
    anonymity_arrive(&a); /* FIFO: one inside at most */
    assert_true(a.entropy == 0 && a.guess == 1 && a.guesswork == 1);
}

static void test_timed(void **state)
{
    static const double want[][2] = {{1, 0.827245},  {2, 1.410953},  {5, 2.472932},  {10, 3.395421},
                                     {20, 4.358313}, {50, 5.658332}, {100, 6.651082}};
    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_near(anonymity_timed(want[i][0]), want[i][1], 1e-6);
}

/* The filter's own fixed point is the closed form. */
static void test_pool(void **state)
{
    static const struct {
        unsigned n, kept;
        double h;
    } want[] = {{10, 0, 3.321928},
                {10, 5, 4.699372},
                {10, 10, 5.321928},
                {10, 90, 8.011884},
                {100, 100, 8.643856}};
    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct anonymity a = {0};
        for (unsigned k = 0; k < want[i].kept; k++)
            anonymity_arrive(&a);
        for (unsigned round = 0; round < 400; round++) {
            for (unsigned k = 0; k < want[i].n; k++)
                anonymity_arrive(&a);
            if (round == 399)
                assert_near(a.entropy, want[i].h, 1e-6);
            for (unsigned k = 0; k < want[i].n; k++)
                anonymity_leave(&a);
        }
        assert_near(anonymity_pool(want[i].n, want[i].kept), want[i].h, 1e-6);
    }
}

/* M5 of a Poisson mix: the newest is the best guess, and its mean is 1/(1 + rho). */
static void test_guessing(void **state)
{
    struct guess *g = calloc(2, sizeof *g);
    struct means m = {.guesses = g};
    double q[4] = {0.1, 0.4, 0.2, 0.3}, even[4] = {0.25, 0.25, 0.25, 0.25};
    (void)state;
    poisson_mix(10, 100000, 3, &m);
    assert_near(guess_mean(g), 1.0 / 11, 3 * batches_error(&m.guess));
    assert_true(guess_bits(g) < guess_min_entropy(g)); /* Jensen */
    assert_near(guess_min_entropy(g), batches_mean(&m.min_entropy), 1e-3);
    assert_true(guess_quantile(g, 990000) > guess_quantile(g, 500000));
    assert_int_equal(g->count, 100000);

    guess_add_posterior(&g[1], q, 4);
    assert_near(guess_work(&g[1]), 2.0, 1e-9);
    assert_near(guess_top(&g[1], 1), 0.4, 1e-9);
    assert_near(guess_top(&g[1], 2), 0.7, 1e-9);
    assert_near(guess_top(&g[1], 3), 0.9, 1e-9);
    guess_add_posterior(&g[1], even, 4);
    assert_near(guess_mean(&g[1]), 0.325, 1e-9);
    assert_near(guess_work(&g[1]), 2.25, 1e-9);
    assert_near(guess_quantile(&g[1], 500000), 0.25, 1e-9);
    assert_near(guess_quantile(&g[1], 1000000), 0.4, 1e-9);
    guess_merge(&g[1], g);
    assert_int_equal(g[1].count, 100002);
    assert_near(guess_top(&g[1], 9), 0, 0);
    memset(g, 0, sizeof *g);
    assert_true(guess_mean(g) == 0 && guess_bits(g) == 0 && guess_quantile(g, 1) == 0);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_poisson_exact),
        cmocka_unit_test(test_poisson_bad),
        cmocka_unit_test(test_poisson_simulated),
        cmocka_unit_test(test_loopix_figure_4),
        cmocka_unit_test(test_empty_start_deflates),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_timed),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_guessing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
