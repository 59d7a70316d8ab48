/* links: engine/worlds/link/loss.c engine/worlds/link/link.c engine/base/prng.c */
/* Bursts of losses and the shapes of jitter, against their distributions. */
#include "engine/worlds/link/link.h"
#include "engine/worlds/link/loss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PACKETS = 2000000 };

static void independent_losses_have_their_rate(void **state)
{
    struct loss l = {0};
    struct dice d = dice_name(1, "loss", 0, 0, 0);
    unsigned lost = 0, pairs = 0;
    bool before = false;
    (void)state;
    for (int i = 0; i < PACKETS; i++) {
        bool now = loss_hits(&l, &(struct loss_rates){.ppm = 10000}, &d);
        lost += now;
        pairs += now && before;
        before = now;
    }
    assert_in_range(lost, 20000 - 633, 20000 + 633); /* 4.5 sigma of 141 */
    assert_in_range(pairs, 200 - 64, 200 + 64);
    assert_true(d.n < 2 * lost + 2); /* a draw a loss */
}

/* 1 % in bursts of 5: every one is lost in a burst, whose lengths are geometric. */
static void bursts_have_their_length(void **state)
{
    struct loss l = {0};
    struct dice d = dice_name(2, "loss", 0, 0, 0);
    unsigned lost = 0, bursts = 0, single = 0, run = 0;
    (void)state;
    for (int i = 0; i < PACKETS; i++) {
        if (loss_hits(&l, &(struct loss_rates){.ppm = 10000, .burst = 5}, &d)) {
            lost++;
            run++;
        } else if (run) {
            bursts++;
            single += run == 1;
            run = 0;
        }
    }
    /* Of n bursts, lengths with mean 5 and deviation sqrt(20): lost 20,000 +- 440. */
    assert_in_range(lost, 20000 - 2000, 20000 + 2000);
    assert_in_range(lost * 100 / bursts, 480, 520);
    assert_in_range(single * 1000 / bursts, 170, 230); /* a fifth ends at once */
}

static void in_a_burst_some_get_through(void **state)
{
    struct loss l = {0};
    struct dice d = dice_name(3, "loss", 0, 0, 0);
    unsigned lost = 0, next = 0;
    bool before = false;
    (void)state;
    for (int i = 0; i < PACKETS; i++) {
        bool now =
            loss_hits(&l, &(struct loss_rates){.ppm = 10000, .bad = 500000, .burst = 10}, &d);
        lost += now;
        next += now && before;
        before = now;
    }
    assert_in_range(lost, 18000, 22000);
    /* After a loss: still in the burst (0.9), and lost there (0.5). */
    assert_in_range(next * 1000 / lost, 430, 470);
}

static void everything_or_nothing(void **state)
{
    struct loss l = {0};
    struct dice d = dice_name(4, "loss", 0, 0, 0);
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(loss_hits(&l, &(struct loss_rates){.ppm = 1000000}, &d));
        assert_true(loss_hits(&l, &(struct loss_rates){.ppm = 1000000, .burst = 9}, &d));
        assert_false(loss_hits(&l, &(struct loss_rates){.ppm = 0, .burst = 9}, &d));
    }
}

static int compare(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;
    return (x > y) - (x < y);
}

static void jitter_has_its_quantiles(void **state)
{
    enum { N = 200000 };
    static ns_t draws[N];
    struct link_path p = {.jitter_from = 1000000};
    struct dice d = dice_name(5, "jitter", 0, 0, 0);
    (void)state;
    for (int shape = 0; shape < 2; shape++) {
        double sum = 0;
        p.shape_from = (uint8_t)shape;
        for (int i = 0; i < N; i++)
            sum += (double)(draws[i] = link_jitter(&p, &d));
        qsort(draws, N, sizeof *draws, compare);
        assert_in_range((int64_t)(sum / N), 985000, 1015000);
        /* Exponential: ln 2, ln 100; log-normal: exp(-1/2), exp(2.3263 - 1/2). */
        assert_in_range(draws[N / 2], shape ? 598000 : 685000, shape ? 615000 : 701000);
        assert_in_range(draws[N / 100 * 99], shape ? 6010000 : 4500000, shape ? 6420000 : 4710000);
    }
}

static void exp_is_exp(void **state)
{
    (void)state;
    assert_true(det_exp(0.0) == 1.0);
    for (double x = -20.0; x < 20.0; x += 0.37) {
        double off = det_log(det_exp(x)) - x;
        assert_true(off < 1e-12 && off > -1e-12);
    }
    assert_true(det_exp(1.0) > 2.718281828459 && det_exp(1.0) < 2.718281828460);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(independent_losses_have_their_rate),
        cmocka_unit_test(bursts_have_their_length),
        cmocka_unit_test(in_a_burst_some_get_through),
        cmocka_unit_test(everything_or_nothing),
        cmocka_unit_test(jitter_has_its_quantiles),
        cmocka_unit_test(exp_is_exp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
