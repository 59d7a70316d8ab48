/* links: engine/base/err.c engine/base/hist.c engine/base/prng.c engine/observers/assign.c
 * engine/observers/bits.c engine/observers/bounds.c engine/observers/chance.c
 * engine/observers/challenge.c engine/observers/flights.c engine/observers/unlink.c */
/* M4's two challenge senders and M14's bounds, against closed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/observers/challenge.h"
#include "engine/observers/flights.h"
#include "tests/unit/analytic.h"

static struct challenge *begin(uint64_t seed)
{
    struct challenge *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->dice = dice_name(seed, "challenge", 0, 0, 0);
    return c;
}

static void end(struct challenge *c)
{
    challenge_free(c);
    free(c);
}

/* Randomised response with flip p: the posterior is 1 - p for one of the two, who is the true one
 * as often. adv = 1 - 2p, eps = ln((1-p)/p), delta(eps) = max(0, 1 - p - e^eps p). */
static void test_randomised_response(void **state)
{
    (void)state;
    for (uint32_t ppm = 100000; ppm <= 400000; ppm += 100000) {
        const double p = ppm / 1e6, n = 40000, factor = 1.5;
        double e = (1 - p) / p, error;
        struct dice flips = dice_name(4, "flip", ppm, 0, 0);
        struct challenge *c = begin(ppm);
        struct unlink_advantage a;
        for (int i = 0; i < (int)n; i++) {
            bool flipped = dice_chance(&flips, ppm);
            challenge_add(c, flipped ? p : 1 - p, flipped ? 1 - p : p);
        }
        error = bits_sqrt(p * (1 - p) * 8 / n); /* n/4 positives and as many negatives are judged */
        a = challenge_advantage(c, 1);
        assert_near(a.advantage, 1 - 2 * p, 3 * error);
        assert_true(a.low < a.advantage && a.low > a.advantage - 8 * error);
        assert_near(challenge_advantage(c, factor).advantage,
                    1 - p - factor * p > 0 ? 1 - p - factor * p : 0, 3 * factor * error);
        assert_near(challenge_advantage(c, 1.05 * e).advantage, 0, 0.002); /* beyond eps: nothing */
        assert_near((double)c->epsilon_milli / n / 1000, det_log(e), 5e-4);
        end(c);
    }
}

/* Who is certain is right: 1. Who knows nothing: 0, and no threshold is found that gains. */
static void test_ends(void **state)
{
    struct challenge *sure = begin(1), *blind = begin(2), *wrong = begin(3), *few = begin(4);
    (void)state;
    for (int i = 0; i < 2000; i++) {
        challenge_add(sure, 1, 0);
        challenge_add(blind, 0.01, 0.01);
        challenge_add(wrong, 0, 1); /* it errs each time, and says so to its cost */
    }
    challenge_add(few, 1, 0);
    assert_true(challenge_advantage(sure, 1).advantage == 1);
    assert_true(challenge_advantage(sure, 100).advantage == 1);
    assert_true(challenge_advantage(sure, 1).low > 0.98);
    assert_int_equal(sure->epsilon_milli, 2000 * CHALLENGE_EPSILON * 1000);
    assert_near(challenge_advantage(blind, 1).advantage, 0, 1e-12);
    assert_int_equal(blind->epsilon_milli, 0);
    assert_near(challenge_advantage(wrong, 1).advantage, 0, 1e-12);
    assert_true(challenge_advantage(few, 1).advantage == 0); /* too few to say anything */
    end(sure);
    end(blind);
    end(wrong);
    end(few);
}

/* A threshold that is judged where it was chosen would find something in noise. */
static void test_noise_is_no_advantage(void **state)
{
    struct dice d = dice_name(5, "noise", 0, 0, 0);
    struct batches all = {.size = 1};
    (void)state;
    for (uint64_t round = 0; round < 400; round++) {
        struct challenge *c = begin(round + 10);
        for (int i = 0; i < 200; i++) {
            double x = (double)dice_below(&d, 1000) / 1000;
            challenge_add(c, x, 1 - x);
        }
        batches_add(&all, challenge_advantage(c, 1).advantage);
        end(c);
    }
    assert_near(batches_mean(&all), 0, 3 * batches_error(&all));
    assert_true(batches_error(&all) < 0.01);
}

/* `users` send one packet a second in turns, each `rounds` seconds on its way, and `cover` packets
 * of each in a round. */
static struct flights_figures network(uint64_t users, uint32_t rounds, uint32_t cover)
{
    struct flights f = {0};
    struct flights_figures out;
    struct packet_truth p = {.kind = TRUTH_REAL};
    for (uint64_t t = 0; t < 1000; t++) {
        p = (struct packet_truth){
            .kind = TRUTH_REAL, .from = (party_t)(t % users), .serial = t + 1};
        flights_sent(&f, &p, (ns_t)t * NS_S);
        for (uint64_t k = 0; k < cover * users; k++)
            flights_sent(&f, &(struct packet_truth){.kind = TRUTH_COVER_LOOP, .from = 1}, 0);
        if (t >= rounds) {
            p.from = (party_t)((t - rounds) % users);
            p.serial = t - rounds + 1;
            flights_came(&f, &p, (ns_t)t * NS_S);
            flights_came(&f, &p, (ns_t)t * NS_S); /* once is enough */
        }
    }
    assert_int_equal(f.arrived, 1000 - rounds);
    assert_true(flights_judge(&f, users, &out));
    assert_near(out.rounds, rounds, 1e-9);
    assert_near(out.noise, cover, 1e-9);
    assert_false(flights_judge(&f, 1, &out));
    flights_free(&f);
    assert_false(flights_judge(&f, users, &out));
    return out;
}

/* METRICS.md, M14: N=100, l=3, beta=0: .9697; unsynchronised, p=.1: l=3 .229, l=6 .0314. */
static void test_bounds(void **state)
{
    (void)state;
    assert_near(network(100, 3, 0).synchronised, 1 - 3.0 / 99, 1e-9);
    assert_near(network(10, 3, 0).unsynchronised, 0.229, 1e-9);
    assert_near(network(10, 6, 0).unsynchronised, 0.0314, 5e-5);
    assert_near(network(10, 7, 0).unsynchronised, 0, 1e-9);
    assert_near(network(10, 3, 1).unsynchronised, 0, 1e-9); /* everybody sends in each round */
    assert_near(network(100, 3, 1).synchronised, 0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_randomised_response),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_noise_is_no_advantage),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
