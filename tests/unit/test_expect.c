/* links: engine/run/expect.c engine/run/suggest.c engine/base/opt.c engine/base/err.c
 * engine/base/arena.c */
#include "engine/run/expect.h"
#include "tests/unit/scenario_plugins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct expect *parse(const char *text)
{
    struct expect *x = NULL;
    struct err e = {OK, ""};
    size_t at = 0;
    if (expect_parse(&arena, text, &x, &at, &e) != OK)
        fail_msg("%s: at %zu: %s", text, at, e.text);
    return x;
}

static void paths(void **state)
{
    static const struct {
        const char *text, *path;
        enum expect_op op;
        enum opt_type unit;
        int64_t value;
    } good[] = {
        {"completed == 100%", "completed", EXPECT_EQ, OPT_RATIO, 1000000},
        {"completed==100%", "completed", EXPECT_EQ, OPT_RATIO, 1000000},
        {"wrong != 0", "wrong", EXPECT_NE, OPT_RATIO, 0},
        {"unfinished <= 0.5%", "unfinished", EXPECT_LE, OPT_RATIO, 5000},
        {"success >= 99%", "success", EXPECT_GE, OPT_RATIO, 990000},
        {"success.p50 > 99%", "metrics.success.p50", EXPECT_GT, OPT_RATIO, 990000},
        {"  completion.p50  <  2s ", "metrics.completion.p50", EXPECT_LT, OPT_DURATION, 2 * NS_S},
        {"metrics.round.max < 1ms", "metrics.round.max", EXPECT_LT, OPT_DURATION, NS_MS},
        {"round.count == 40", "metrics.round.count", EXPECT_EQ, OPT_INT, 40},
        {"wire_bytes.p999 < 64KiB", "metrics.wire_bytes.p999", EXPECT_LT, OPT_BYTES, 65536},
        {"wire_packets.min > 3", "metrics.wire_packets.min", EXPECT_GT, OPT_INT, 3},
        {"counts.messages == 120", "counts.messages", EXPECT_EQ, OPT_INT, 120},
        {"counts.message_bytes < 1MB", "counts.message_bytes", EXPECT_LT, OPT_BYTES, 1000000},
        {"drops.nat_filtered > 0", "drops.nat_filtered", EXPECT_GT, OPT_INT, 0},
        {"protocol_rounds == 7", "protocol_rounds", EXPECT_EQ, OPT_INT, 7},
        {"exposures.party_address.party == 6", "exposures.party_address.party", EXPECT_EQ, OPT_INT,
         6},
        {"exposures.party_address.relay == 0", "exposures.party_address.relay", EXPECT_EQ, OPT_INT,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct expect *x = parse(good[i].text);
        assert_int_equal(x->n, 1);
        assert_string_equal(x->text, good[i].text);
        assert_string_equal(x->terms[0].path, good[i].path);
        assert_int_equal(x->terms[0].op, good[i].op);
        assert_int_equal(x->terms[0].unit, good[i].unit);
        assert_int_equal(x->terms[0].value, good[i].value);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        size_t at;
        const char *words;
    } bad[] = {
        {"", 0, "what to compare"},
        {"== 5", 0, "what to compare"},
        {"completd == 100%", 0, "did you mean \"completed\""},
        {"completed", 9, "expected one of =="},
        {"completed = 100%", 10, "expected one of =="},
        {"completed == ", 13, "a ratio"},
        {"completed == 100", 13, "a ratio"},
        {"completed == 100 %", 13, "a ratio"},
        {"completed.p50 == 100%", 0, "completed"},
        {"completion == 5s", 0, "completion.p50"},
        {"completion.p5 == 5s", 0, "did you mean \"p50\""},
        {"completion.p50 < 5", 17, "a duration"},
        {"metrics == 5", 0, "metrics.NAME.p50"},
        {"metrics.compltion.p50 < 5s", 0, "did you mean \"completion\""},
        {"counts.message == 1", 0, "did you mean \"messages\""},
        {"counts.messages == 1s", 19, "a whole number"},
        {"counts.messages.x == 1", 0, "no count"},
        {"drops == 1", 0, "no drop"},
        {"drops.los == 1", 0, "did you mean \"loss\""},
        {"protocol_round == 7", 0, "did you mean \"protocol_rounds\""},
        {"exposures.party_address == 0", 0, "exposures.WHAT.WHO"},
        {"exposures.party_address.relai == 0", 0, "did you mean \"relay\""},
        {"a.b.c.d == 0", 0, "a.b.c.d"},
        {"wrong == 0 or wrong == 1%", 11, "\"and\""},
        {"wrong == 0 and", 14, "what to compare"},
        {"wrong == 0 and wrnog == 1%", 15, "did you mean \"wrong\""},
        {"wrong == 0, wrong == 0", 9, "a ratio"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct expect *x = NULL;
        struct err e = {OK, ""};
        size_t at = 0;
        assert_int_equal(expect_parse(&arena, bad[i].text, &x, &at, &e), ERR_INVALID);
        assert_null(x);
        if (at != bad[i].at || !strstr(e.text, bad[i].words))
            fail_msg("%s: at %zu: \"%s\", expected at %zu: \"%s\"", bad[i].text, at, e.text,
                     bad[i].at, bad[i].words);
    }
}

static void long_words(void **state)
{
    char text[4096];
    struct expect *x = NULL;
    struct err e;
    size_t at;
    (void)state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(expect_parse(&arena, text, &x, &at, &e), ERR_INVALID);
    memset(text, '9', sizeof text - 1);
    memcpy(text, "wrong == ", 9);
    assert_int_equal(expect_parse(&arena, text, &x, &at, &e), ERR_INVALID);
}

struct results {
    int64_t completed, rounds;
    int asked;
};

static int lookup(void *ctx, const char *path, int64_t *value)
{
    struct results *r = ctx;
    r->asked++;
    if (strcmp(path, "completed") == 0)
        *value = r->completed;
    else if (strcmp(path, "protocol_rounds") == 0)
        *value = r->rounds;
    else
        return ERR_ABSENT;
    return OK;
}

static void judged(void **state)
{
    static const struct {
        const char *text;
        bool met;
    } cases[] = {
        {"protocol_rounds == 7", true}, {"protocol_rounds == 8", false},
        {"protocol_rounds != 8", true}, {"protocol_rounds != 7", false},
        {"protocol_rounds < 8", true},  {"protocol_rounds < 7", false},
        {"protocol_rounds <= 7", true}, {"protocol_rounds <= 6", false},
        {"protocol_rounds > 6", true},  {"protocol_rounds > 7", false},
        {"protocol_rounds >= 7", true}, {"protocol_rounds >= 8", false},
    };
    struct results r = {.completed = 1000000, .rounds = 7};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expect_result got = expect_eval(parse(cases[i].text), lookup, &r);
        assert_int_equal(got.met, cases[i].met);
        assert_int_equal(got.value, 7);
        assert_false(got.absent);
    }
}

static void joined(void **state)
{
    struct results r = {.completed = 900000, .rounds = 7};
    const struct expect *x = parse("completed >= 90% and protocol_rounds == 7");
    (void)state;
    assert_int_equal(x->n, 2);
    struct expect_result got = expect_eval(x, lookup, &r);
    assert_true(got.met);
    assert_int_equal(got.value, 900000);
    assert_ptr_equal(got.term, &x->terms[0]);
    r.rounds = 9;
    got = expect_eval(x, lookup, &r);
    assert_false(got.met);
    assert_int_equal(got.value, 9);
    assert_ptr_equal(got.term, &x->terms[1]);
    r.completed = 0;
    r.asked = 0;
    got = expect_eval(x, lookup, &r);
    assert_ptr_equal(got.term, &x->terms[0]);
    assert_int_equal(r.asked, 1);
}

static void unmeasured(void **state)
{
    struct results r = {.completed = 900000};
    const struct expect *x = parse("completed > 1% and drops.loss == 0");
    struct expect_result got = expect_eval(x, lookup, &r);
    (void)state;
    assert_false(got.met);
    assert_true(got.absent);
    assert_int_equal(got.value, 0);
    assert_string_equal(got.term->path, "drops.loss");
}

static void completion(void **state)
{
    (void)state;
    assert_true(expect_of_completion(parse("completed == 0%")));
    assert_true(expect_of_completion(parse("drops.loss == 0 and wrong == 0")));
    assert_true(expect_of_completion(parse("success == 100%")));
    assert_false(expect_of_completion(parse("completion.p50 < 1s and counts.messages == 3")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),      cmocka_unit_test(refused), cmocka_unit_test(long_words),
        cmocka_unit_test(judged),     cmocka_unit_test(joined),  cmocka_unit_test(unmeasured),
        cmocka_unit_test(completion),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
