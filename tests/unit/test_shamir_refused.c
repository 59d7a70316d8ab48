/* links: engine/base/err.c engine/base/opt.c engine/base/prng.c engine/crypto/field61.c
   engine/crypto/gf256.c engine/crypto/shamir.c engine/protocols/shamir/ (all) */
/* What cannot work is refused with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/base/bytes.h"
#include "engine/crypto/field61.h"
#include "tests/unit/shamir_run.h"

/* ---- refusals --------------------------------------------------------------------------- */

static void refused(struct run *r, const char *words)
{
    struct fake f;
    struct err e = {0};
    int rc = run_plan(r, &f, 1, &e);
    if (rc == OK)
        rc = fake_boot_all(&f, 1, &e);
    assert_int_not_equal(rc, OK);
    if (!strstr(e.text, words))
        fail_msg("'%s' is not in '%s'", words, e.text);
    fake_free(&f);
}

static void thresholds(void **state)
{
    struct run r = run_ascending("sum", 5);
    (void)state;
    r.threshold = 3;
    refused(&r, "threshold 3 needs n >= 2 x 3 + 1 = 7 parties to multiply: with the 5 here it is "
                "at most (5 - 1) / 2 = 2");
    r.threshold = 0;
    refused(&r, "threshold 0 hides nothing");
    r = run_ascending("sum", 2);
    refused(&r, "at least 3 parties, here are 2");
    r = run_ascending("sum", 1);
    refused(&r, "at least 3 parties, here is 1");
}

static void shapes(void **state)
{
    struct run r = {.program = "sum", .threshold = -1, .parties = 3};
    (void)state;
    refused(&r, "sum needs at least 1 input: there are 0");
    r = run_ascending("maximum", 3);
    run_value(&r, 2, 1);
    refused(&r, "maximum takes at most 1 input a party: carol has 2");
    r = (struct run){.program = "second_price_auction", .threshold = -1, .parties = 3};
    run_value(&r, 1, 1);
    refused(&r, "needs at least 2 inputs: there is 1");
    r = run_ascending("inner_product", 3);
    refused(&r, "vectors from two parties: 3 have inputs");
    r = (struct run){.program = "inner_product", .threshold = -1, .parties = 3};
    run_value(&r, 0, 1);
    run_value(&r, 1, 1);
    run_value(&r, 1, 1);
    refused(&r, "equal length: alice has 1, bob has 2");
}

static void values(void **state)
{
    static const char *const wrong[] = {"",
                                        "-",
                                        "abc",
                                        "1e3",
                                        " 1",
                                        "1 ",
                                        "+1",
                                        "01",
                                        "-0",
                                        "0x10",
                                        "1.5",
                                        "99999999999999999999",
                                        "576460752303423488" /* 2^59 */};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct run r = {.program = "maximum", .threshold = -1, .parties = 3};
        run_value(&r, 0, 1);
        run_text(&r, 1, wrong[i]);
        refused(&r, "bob's input '");
        refused(&r, "expected an integer from -576460752303423487 to 576460752303423487");
    }
    struct run r = {.program = "mean_stddev", .threshold = -1, .parties = 3};
    run_text(&r, 0, "536870912");
    run_text(&r, 0, "1");
    refused(&r, "from -536870911 to 536870911");
    r = run_ascending("vote", 3);
    refused(&r, "expected an integer from 0 to 1");
    r = (struct run){.program = "vote", .threshold = -1, .parties = 3};
    run_text(&r, 0, "-1");
    refused(&r, "alice's input '-1'");
}

static const char and_text[] = "2 6\n2 2 2\n1 2\n\n2 1 0 2 4 AND\n2 1 1 3 5 AND\n";

static struct run circuit_run(const char *text, uint32_t parties)
{
    return (struct run){
        .threshold = -1,
        .parties = parties,
        .circuit = {.path = "and.txt", .data = (const uint8_t *)text, .len = strlen(text)}};
}

static void circuits(void **state)
{
    static const char *const wrong[] = {"",    "4", "-3", "0x", "0x4",
                                        "0xg", "a", "1 ", "00", "18446744073709551616"};
    struct run r = circuit_run(and_text, 3);
    (void)state;
    refused(&r, "one each of the first parties: alice has 0 inputs, not 1");
    run_text(&r, 0, "1");
    run_text(&r, 1, "1");
    run_text(&r, 2, "1");
    refused(&r, "carol has 1 input, not 0");
    r.program = "sum";
    refused(&r, "sum takes no circuit");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        r = circuit_run(and_text, 3);
        run_text(&r, 0, wrong[i]);
        run_text(&r, 1, "-2"); /* fits: 10 in two's complement */
        refused(&r, "expected a number of 2 bits");
    }
    r = circuit_run("2 6\n2 2 2\n1 2\n\n2 1 0 2 4 AND\n2 1 1 3 5 NAND\n", 3);
    refused(&r, "and.txt:6");
    r = circuit_run("0 4\n4 1 1 1 1\n1 1\n", 3);
    refused(&r, "4 input values, one a party: there are 3 parties");
    r = (struct run){.program = "circuit", .threshold = -1, .parties = 3};
    refused(&r, "needs the option `circuit`");
}

static void field_is_large_enough(void **state)
{
    struct roster_entry entries[256];
    struct roster roster = {.n = 256, .n_parties = 256, .entries = entries};
    struct input inputs[256] = {{.values = (const char *const[]){"1"}, .n = 1},
                                {.values = (const char *const[]){"2"}, .n = 1}};
    struct shamir_opts opts = {.threshold = 1};
    struct protocol_shape shape = {.opts = &opts, .roster = &roster, .inputs = inputs};
    struct err e = {0};
    void *plan;
    (void)state;
    for (int i = 0; i < 256; i++)
        entries[i] = (struct roster_entry){.name = "p", .role = "party"};
    assert_int_equal(plan_new(&shape, &plan, &e), OK); /* a sum, over 2^61 - 1 */
    plan_free(plan);
    opts.circuit = (struct opt_file){"and.txt", (const uint8_t *)and_text, sizeof and_text - 1};
    assert_int_not_equal(plan_new(&shape, &plan, &e), OK);
    assert_non_null(strstr(e.text, "over GF(2^8) there are at most 255 parties, here are 256"));
    roster.n_parties = 255;
    assert_int_not_equal(plan_new(&shape, &plan, &e), OK);
    assert_non_null(strstr(e.text, "a service cannot take part"));
    roster.n = 255;
    assert_int_equal(plan_new(&shape, &plan, &e), OK);
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds),
        cmocka_unit_test(shapes),
        cmocka_unit_test(values),
        cmocka_unit_test(circuits),
        cmocka_unit_test(field_is_large_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
