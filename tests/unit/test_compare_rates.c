/* links: analysis/compare.c analysis/compare_effects.c analysis/effect.c */
/* How often compare is wrong: false alarms between equal runs, and its power. */
#include "analysis/compare.h"
#include "tests/unit/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TRIALS = 20, PAIRS = 1000, MEASURES = 3 };

/* A run of a real world in memory: three independent metrics of 100 ms, per trial 3 % noise with
 * some outliers; seeds differ by 10 %, in the same way in every run. */
static void invent(struct load_run *r, uint64_t which, double factor)
{
    struct dice noise = dice_name(which, "noise", 0, 0, 0), seeds = dice_name(4, "seeds", 0, 0, 0);
    struct load_cell *c = calloc(1, sizeof *c);
    *r = (struct load_run){
        .scenario = "x", .world = "lab", .version = "", .revision = "", .cells = c, .n_cells = 1};
    c->n = c->n_seeds = TRIALS;
    c->trials = calloc(TRIALS, sizeof *c->trials);
    for (uint32_t k = 0; k < TRIALS; k++) {
        struct load_trial *t = &c->trials[k];
        t->content = which + k;
        for (int m = 0; m < MEASURE_COUNT; m++)
            t->values[m] = m < MEASURE_COUNTS ? MEASURE_ABSENT : 0.0;
        for (int m = 0; m < MEASURES; m++)
            t->values[m * MEASURE_STATS] =
                1e8 * factor * (1.0 + 0.1 * normal(&seeds)) *
                (1.0 + 0.03 * normal(&noise) * (uniform(&noise) < 0.05 ? 3.0 : 1.0));
    }
}

static int verdict_of(uint64_t which, double factor)
{
    static const struct compare_options none;
    struct load_run a, b;
    struct compare c = {.a = &a, .b = &b, .fewest = TRIALS, .most = TRIALS};
    int code;
    invent(&a, 2 * which, 1.0);
    invent(&b, 2 * which + 1, factor);
    c.cells_b = calloc(1, sizeof *c.cells_b);
    assert_int_equal(compare_decide(&c, &none), OK);
    code = c.code;
    compare_free(&c);
    free(a.cells[0].trials);
    free(a.cells);
    free(b.cells[0].trials);
    free(b.cells);
    return code;
}

static void test_false_alarms(void **state)
{
    int alarms = 0;
    (void)state;
    for (uint64_t i = 0; i < PAIRS; i++)
        alarms += verdict_of(i, 1.0) != EXIT_INCONCLUSIVE;
    print_message("false alarms of %d equal pairs: %d\n", PAIRS, alarms);
    assert_true(alarms <= PAIRS / 20);
    assert_true(alarms > 0); /* else the data are no test */
}

static void test_power(void **state)
{
    static const struct {
        double factor;
        int code, least;
    } cases[] = {{1.03, EXIT_WORSE, 600}, {1.05, EXIT_WORSE, 980}, {0.95, EXIT_DONE, 980}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int found = 0;
        for (uint64_t k = 0; k < 200; k++)
            found += verdict_of(5000 + k, cases[i].factor) == cases[i].code;
        found = found * 1000 / 200;
        print_message("power on a planted factor of %d %%, 3 %% noise, %d trials: %d.%d %%\n",
                      (int)(cases[i].factor * 100.0 + 0.5), TRIALS, found / 10, found % 10);
        assert_true(found >= cases[i].least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_false_alarms),
        cmocka_unit_test(test_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
