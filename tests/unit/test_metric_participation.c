/* links: engine/base/err.c engine/base/prng.c engine/observers/bits.c engine/observers/chance.c
 * engine/observers/roc.c engine/observers/presence.c */
/* M10: participation detection against Skellam's law; and when a run may be judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/observers/burnin.h"
#include "engine/observers/chance.h"
#include "engine/observers/presence.h"
#include "engine/observers/roc.h"
#include "tests/unit/analytic.h"

static struct roc roc;

static void test_skellam(void **state)
{
    static const double want[][3] = {
        {100, 100, 0.5},      {100, 105, 0.636466}, {100, 110, 0.754856}, {100, 120, 0.911336},
        {100, 150, 0.999255}, {10, 15, 0.841332},   {1, 2, 0.711559},     {1000, 1010, 0.588247}};
    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_near(chance_poisson_auc(want[i][0], want[i][1]), want[i][2], 1e-6);
    assert_near(presence_prior_bits(20, 3), 10.15, 0.01);
    assert_near(presence_prior_bits(3, 3), 0, 1e-12);
    assert_true(presence_prior_bits(2, 3) == 0);
    assert_near(presence_llr(12, 10, 15), 12 * 0.405465108 - 5, 1e-6);
}

static void into_roc(void *ctx, uint64_t window, uint32_t count)
{
    (void)window;
    roc_add(&roc, *(bool *)ctx, count);
}

/* Windows counted at a tap, Poisson traffic: Skellam's value. Constant cover: 1/2. */
static void test_participation(void **state)
{
    static const double rates[][3] = {{10, 15, 0.841332}, {1, 2, 0.711559}, {100, 110, 0.754856}};
    struct roc_figures f;
    (void)state;
    for (int k = 0; k < 3; k++) {
        struct dice d = dice_name(3, "taps", (uint64_t)k, 0, 0);
        roc_init(&roc, 0, ROC_BINS); /* a bin a count: exact ties */
        for (int c = 0; c < 2; c++) {
            struct presence p = {.window = NS_S};
            bool active = c;
            ns_t t = 0, gap = (ns_t)(1e9 / rates[k][c]);
            while ((t += dice_exp(&d, gap)) < 8000 * NS_S)
                presence_see(&p, t, into_roc, &active);
            presence_end(&p, 8000 * NS_S, into_roc, &active);
        }
        assert_int_equal(roc.n[0], 8000);
        assert_int_equal(roc.n[1], 8000);
        assert_int_equal(roc_judge(&roc, &f), OK);
        assert_near(f.auc, rates[k][2], 3 * f.sigma);
    }
    roc_init(&roc, 0, ROC_BINS);
    for (int c = 0; c < 2; c++) {
        struct presence p = {.window = NS_S};
        bool active = c;
        for (ns_t t = 0; t < 1000 * NS_S; t += NS_S / 20)
            presence_see(&p, t, into_roc, &active);
        presence_end(&p, 1000 * NS_S, into_roc, &active);
    }
    assert_int_equal(roc_judge(&roc, &f), OK);
    assert_true(f.auc == 0.5);
}

static void test_burnin(void **state)
{
    struct burnin b = burnin_of(10 * NS_S), none = burnin_of(0);
    (void)state;
    assert_false(burnin_judges(&b, NS_S)); /* nothing has passed yet */
    burnin_see(&b, 3 * NS_S);
    burnin_see(&b, 5 * NS_S);
    assert_false(burnin_judges(&b, 13 * NS_S - 1));
    assert_true(burnin_judges(&b, 13 * NS_S));
    assert_false(burnin_judges(&none, 0));
    burnin_see(&none, 0);
    assert_true(burnin_judges(&none, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_skellam),
        cmocka_unit_test(test_participation),
        cmocka_unit_test(test_burnin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
