/* links: engine/base/err.c engine/base/prng.c engine/crypto/lioness.c engine/crypto/sphinx.c
 * transports/mix_pool.c transports/mix_tags.c */
/* What a mix holds: strategies, the pool's law (METRICS.md, 2.2), Erlang ways, replay tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/bytes.h"
#include "tests/unit/mix_law.h"
#include "transports/mix_pool.h"
#include "transports/mix_tags.h"

enum { POISSON, THRESHOLD, TIMED, POOL, FIFO };

static struct prng rng;

static int start(void **state)
{
    (void)state;
    prng_name(&rng, 1, "test", 0, "pool");
    return 0;
}

static uint8_t *packet(uint8_t name)
{
    uint8_t *p = malloc(1);
    assert_non_null(p);
    *p = name;
    return p;
}

static unsigned drain(struct mix_pool *p, ns_t now)
{
    struct mix_held h;
    unsigned n = 0;
    for (; mix_pool_take(p, now, &rng, &h); n++)
        free(h.frame);
    return n;
}

static void add(struct mix_pool *p, ns_t now)
{
    assert_int_equal(mix_pool_add(p, now, prng_u64(&rng), 1, packet(0)), OK);
}

/* The number held is Poisson(lambda / mu): mean and variance both rho = 10, and what an arrival
 * finds is above m with the Poisson law's probability. */
static void poisson_pool(void **state)
{
    struct mix_opts o = {.strategy = POISSON, .mean_delay = 10 * NS_MS, .held = 100000};
    struct mix_pool p;
    ns_t now = 0;
    double sum = 0, squares = 0, above = 0;
    enum { N = 200000, WARM = 1000 };
    (void)state;
    mix_pool_init(&p, &o);
    for (int i = 0; i < N + WARM; i++) {
        now += sphinx_delay(prng_u64(&rng), NS_MS); /* lambda = 1000/s, mu = 100/s */
        drain(&p, now);
        if (i >= WARM) {
            sum += p.n;
            squares += (double)p.n * p.n;
            above += p.n > 15;
        }
        add(&p, now);
    }
    assert_true(sum / N > 9.7 && sum / N < 10.3); /* 20,000 pool lives: se 0.045 and more */
    assert_true(squares / N - sum / N * sum / N > 9.3 && squares / N - sum / N * sum / N < 10.7);
    assert_true(above / N > 0.042 && above / N < 0.056); /* 1 - F(15; 10) = 0.0487 */
    mix_pool_free(&p);
}

/* All leave in the order of their times, none before. */
static void poisson_order(void **state)
{
    struct mix_opts o = {.strategy = POISSON, .mean_delay = NS_S, .held = 1000};
    struct mix_pool p;
    struct mix_held h;
    ns_t last = 0;
    (void)state;
    mix_pool_init(&p, &o);
    for (int i = 0; i < 1000; i++)
        add(&p, 0);
    assert_int_equal(mix_pool_add(&p, 0, 1, 1, (uint8_t *)&h), ERR_LIMIT);
    for (int i = 0; i < 1000; i++) {
        ns_t due = mix_pool_due(&p);
        assert_true(due >= last && !mix_pool_take(&p, due - 1, &rng, &h));
        assert_true(mix_pool_take(&p, due, &rng, &h));
        assert_true(h.due == due);
        free(h.frame);
        last = due;
    }
    assert_true(mix_pool_due(&p) == NS_NEVER);
    mix_pool_free(&p);
}

static void batches(void **state)
{
    struct mix_opts o = {.strategy = THRESHOLD, .threshold = 3, .keep = 2, .held = 100};
    struct mix_pool p;
    (void)state;
    mix_pool_init(&p, &o);
    for (int i = 0; i < 7; i++) {
        add(&p, i);
        assert_int_equal(drain(&p, i), i % 3 == 2 ? 3 : 0);
    }
    mix_pool_free(&p);
    o.strategy = TIMED;
    mix_pool_init(&p, &o);
    for (int i = 0; i < 5; i++)
        add(&p, i);
    assert_int_equal(drain(&p, 5), 0);
    mix_pool_tick(&p);
    assert_int_equal(drain(&p, 5), 5);
    mix_pool_tick(&p);
    assert_int_equal(drain(&p, 5), 0);
    mix_pool_free(&p);
    o.strategy = POOL;
    mix_pool_init(&p, &o);
    for (int i = 0; i < 5; i++)
        add(&p, i);
    mix_pool_tick(&p);
    assert_int_equal(drain(&p, 5), 3);
    mix_pool_tick(&p);
    assert_int_equal(drain(&p, 5), 0);
    mix_pool_free(&p);
}

/* A batch leaves in any order: of three packets, the first one is first a third of the time. */
static void batch_order(void **state)
{
    struct mix_opts o = {.strategy = THRESHOLD, .threshold = 3, .held = 100};
    struct mix_pool p;
    unsigned first = 0;
    (void)state;
    mix_pool_init(&p, &o);
    for (int i = 0; i < 3000; i++) {
        for (uint8_t k = 0; k < 3; k++)
            assert_int_equal(mix_pool_add(&p, i, 0, 1, packet(k)), OK);
        for (int k = 0; k < 3; k++) {
            struct mix_held h;
            assert_true(mix_pool_take(&p, i, &rng, &h));
            first += k == 0 && *h.frame == 0;
            free(h.frame);
        }
    }
    assert_in_range(first, 880, 1120); /* 1000, sd 26 */
    mix_pool_free(&p);
}

static void fifo(void **state)
{
    struct mix_opts o = {.strategy = FIFO, .held = 100};
    struct mix_pool p;
    struct mix_held h;
    (void)state;
    mix_pool_init(&p, &o);
    for (uint8_t k = 0; k < 50; k++)
        assert_int_equal(mix_pool_add(&p, 7, prng_u64(&rng), 1, packet(k)), OK);
    for (uint8_t k = 0; k < 50; k++) {
        assert_true(mix_pool_take(&p, 7, &rng, &h));
        assert_int_equal(*h.frame, k);
        free(h.frame);
    }
    mix_pool_free(&p);
}

/* ---- the law of a way ------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;
    return (x > y) - (x < y);
}

/* Sums of L delays: the quantiles of METRICS.md 2.2 within their confidence, Kolmogorov-Smirnov
 * at 1 %, and Loopix Fig. 10: four delays of 0.5 s have mean 2.0 s and deviation 1.0 s. */
static void erlang_ways(void **state)
{
    static const double quantiles[][3] = {
        {2.6741, 6.2958, 8.4059}, {3.6721, 7.7537, 10.0451}, {4.6709, 9.1535, 11.6046}};
    enum { N = 20000 };
    static ns_t way[N];
    (void)state;
    for (unsigned l = 3; l <= 5; l++) {
        double worst = 0, sum = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            way[i] = 0;
            for (unsigned k = 0; k < l; k++)
                way[i] += sphinx_delay(prng_u64(&rng), 500 * NS_MS);
            sum += (double)way[i] * 1e-9;
            squares += (double)way[i] * 1e-9 * (double)way[i] * 1e-9;
        }
        qsort(way, N, sizeof *way, by_value);
        for (int i = 0; i < N; i++) {
            double f = erlang(l, (double)way[i] / 5e8), d = f - (double)i / N;
            worst = d > worst ? d : -d > worst ? -d : worst;
        }
        assert_true(worst < 1.63 / 141.4); /* sqrt(20000) */
        for (int q = 0; q < 3; q++) {
            static const double at[] = {0.5, 0.95, 0.99};
            double x = (double)way[(int)(at[q] * N)] / 5e8, want = quantiles[l - 3][q];
            assert_true(x > want * 0.95 && x < want * 1.05);
        }
        if (l == 4) {
            double mean = sum / N, var = squares / N - mean * mean;
            assert_true(mean > 1.97 && mean < 2.03 && var > 0.94 && var < 1.06);
        }
    }
}

/* ---- replay tags ------------------------------------------------------------------------ */

static void tag_of(uint8_t tag[16], uint64_t i)
{
    put_le64(tag, i * UINT64_C(0x9e3779b97f4a7c15));
    put_le64(tag + 8, i);
}

static void tags(void **state)
{
    struct mix_tags t;
    uint8_t tag[16];
    (void)state;
    mix_tags_init(&t, 1000);
    for (uint64_t i = 0; i < 10000; i++) {
        tag_of(tag, i); /* i = 0 is all zero */
        assert_int_equal(mix_tags_add(&t, tag), OK);
        assert_int_equal(mix_tags_add(&t, tag), ERR_REPLAY);
        if (i >= 1000) { /* remembered for at least 1000 others */
            tag_of(tag, i - 999);
            assert_int_equal(mix_tags_add(&t, tag), ERR_REPLAY);
        }
        assert_true(t.half[0].n + t.half[1].n <= 2000);
        assert_true(t.half[0].cap <= 4096 && t.half[1].cap <= 4096);
    }
    tag_of(tag, 1); /* forgotten, in the end */
    assert_int_equal(mix_tags_add(&t, tag), OK);
    mix_tags_free(&t);
}

int main(void)
{
    const struct CMUnitTest list[] = {
        cmocka_unit_test(poisson_pool), cmocka_unit_test(poisson_order),
        cmocka_unit_test(batches),      cmocka_unit_test(batch_order),
        cmocka_unit_test(fifo),         cmocka_unit_test(erlang_ways),
        cmocka_unit_test(tags),
    };
    return cmocka_run_group_tests(list, start, NULL);
}
