/* links: analysis/effect.c engine/base/prng.c engine/base/err.c */
/* How often an interval holds the true change. */
#include "analysis/effect.h"
#include "engine/base/err.h"
#include "tests/unit/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TRUE_CHANGE = 3, ROUNDS = 500 };

/* Of ROUNDS data sets, the share (in ppm) whose interval holds the true change. */
static int coverage(size_t n, double (*error)(struct dice *), uint64_t name)
{
    struct dice d = dice_name(1, "coverage", n, name, 0);
    int covered = 0;
    for (uint64_t r = 0; r < ROUNDS; r++) {
        double a[64], b[64];
        struct effect x;
        for (size_t i = 0; i < n; i++) {
            a[i] = 100.0 + 20.0 * uniform(&d); /* seeds differ by more than the effect */
            b[i] = a[i] + TRUE_CHANGE + error(&d);
        }
        assert_int_equal(effect_of(a, b, n, r, &x), OK);
        covered += x.low <= TRUE_CHANGE && x.high >= TRUE_CHANGE;
    }
    return (int)((int64_t)covered * 1000000 / ROUNDS);
}

/* Often small, seldom five times as large: what losses and retransmissions look like. */
static double heavy(struct dice *d)
{
    return normal(d) * (uniform(d) < 0.1 ? 5.0 : 1.0);
}

/* The difference of two skewed samples, as two equal real runs give it. */
static double twice_skewed(struct dice *d)
{
    return det_log(uniform(d)) - det_log(uniform(d));
}

static double skewed(struct dice *d)
{
    return -det_log(uniform(d)) - 1.0;
}

static double mirrored(struct dice *d)
{
    return -skewed(d);
}

static double very_skewed(struct dice *d)
{
    return det_exp(normal(d)) - 1.6487212707;
}

/* Nominal is 95 %. Very skewed differences of few pairs are the known weakness of every
 * bootstrap. */
static void test_coverage(void **state)
{
    static const struct {
        const char *name;
        double (*error)(struct dice *);
        size_t n;
        int least, most;
    } cases[] = {
        {"normal", normal, 5, 930000, 985000},
        {"normal", normal, 10, 925000, 975000},
        {"normal", normal, 20, 925000, 975000},
        {"heavy tails", heavy, 10, 920000, 985000},
        {"heavy tails", heavy, 20, 920000, 985000},
        {"difference of exponentials", twice_skewed, 10, 920000, 985000},
        {"difference of exponentials", twice_skewed, 20, 925000, 985000},
        {"exponential", skewed, 5, 910000, 975000},
        {"exponential", skewed, 10, 920000, 975000},
        {"exponential", skewed, 20, 930000, 975000},
        {"exponential, mirrored", mirrored, 20, 930000, 975000},
        {"exponential", skewed, 40, 930000, 975000},
        {"lognormal", very_skewed, 20, 900000, 975000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int ppm = coverage(cases[i].n, cases[i].error, i);
        print_message("coverage, %s, %zu pairs: %d.%d %%\n", cases[i].name, cases[i].n, ppm / 10000,
                      ppm / 1000 % 10);
        if (ppm < cases[i].least || ppm > cases[i].most)
            fail_msg("%s, %zu pairs: %d ppm", cases[i].name, cases[i].n, ppm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
