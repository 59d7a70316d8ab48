/* links: engine/base/opt.c engine/base/err.c engine/base/arena.c */
#include "engine/base/arena.h"
#include "engine/base/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void quantities(void **state)
{
    static const struct {
        enum opt_type type;
        const char *text;
        int64_t value;
        const char *print; /* NULL: as text */
    } good[] = {
        {OPT_INT, "0", 0, NULL},
        {OPT_INT, "-12", -12, NULL},
        {OPT_INT, "9223372036854775807", INT64_MAX, NULL},
        {OPT_BOOL, "true", 1, NULL},
        {OPT_BOOL, "false", 0, NULL},
        {OPT_DURATION, "0", 0, "0s"},
        {OPT_DURATION, "0ms", 0, "0s"},
        {OPT_DURATION, "0.000", 0, "0s"},
        {OPT_DURATION, "1ns", 1, NULL},
        {OPT_DURATION, "20ms", 20 * NS_MS, NULL},
        {OPT_DURATION, "2.5ms", 2500000, NULL},
        {OPT_DURATION, "1500us", 1500000, "1.5ms"},
        {OPT_DURATION, "1.234567890s", 1234567890, "1234567.89us"},
        {OPT_DURATION, "90s", 90 * NS_S, NULL},
        {OPT_DURATION, "60s", 60 * NS_S, "1min"},
        {OPT_DURATION, "1.5h", 5400 * NS_S, "90min"},
        {OPT_DURATION, "2d", 172800 * NS_S, NULL},
        {OPT_DURATION, "106751d", 106751 * (86400 * NS_S), NULL},
        {OPT_BYTES, "64KiB", 65536, NULL},
        {OPT_BYTES, "1500B", 1500, NULL},
        {OPT_BYTES, "1.5KB", 1500, "1500B"},
        {OPT_BYTES, "64000B", 64000, "64KB"},
        {OPT_BYTES, "3GiB", 3221225472, NULL},
        {OPT_BYTES, "0.5KiB", 512, "512B"},
        {OPT_RATE, "100Mbit", 100000000, NULL},
        {OPT_RATE, "2.5Gbit", 2500000000, NULL},
        {OPT_RATE, "1bit", 1, NULL},
        {OPT_RATIO, "1.5%", 15000, NULL},
        {OPT_RATIO, "100%", 1000000, NULL},
        {OPT_RATIO, "0.0001%", 1, NULL},
        {OPT_RATIO, "0.2%", 2000, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t v = -1;
        char text[64];
        assert_int_equal(opt_parse(good[i].type, good[i].text, &v, NULL), OK);
        assert_int_equal(v, good[i].value);
        assert_string_equal(opt_print_value(good[i].type, v, text, sizeof text),
                            good[i].print ? good[i].print : good[i].text);
    }
}

static void bad_quantities(void **state)
{
    static const struct {
        enum opt_type type;
        const char *text, *words;
    } bad[] = {
        {OPT_INT, "", "whole number"},
        {OPT_INT, "1.5", "whole number"},
        {OPT_INT, "12x", "whole number"},
        {OPT_INT, "010", "whole number"},
        {OPT_INT, "+5", "whole number"},
        {OPT_INT, "0x10", "whole number"},
        {OPT_INT, " 5", "whole number"},
        {OPT_INT, "9223372036854775808", "too big"},
        {OPT_INT, "99999999999999999999999", "too big"},
        {OPT_BOOL, "yes", "true or false"},
        {OPT_BOOL, "True", "true or false"},
        {OPT_BOOL, "1", "true or false"},
        {OPT_DURATION, "20", "unit is missing"},
        {OPT_DURATION, "20 ms", "20ms"},
        {OPT_DURATION, "-5ms", "a duration"},
        {OPT_DURATION, "ms", "a duration"},
        {OPT_DURATION, ".5ms", "a duration"},
        {OPT_DURATION, "5.ms", "a duration"},
        {OPT_DURATION, "05ms", "a duration"},
        {OPT_DURATION, "5MS", "a duration"},
        {OPT_DURATION, "5m", "a duration"},
        {OPT_DURATION, "1e3ms", "a duration"},
        {OPT_DURATION, "0.5ns", "too fine"},
        {OPT_DURATION, "1.0000000001s", "too fine"},
        {OPT_DURATION, "106752d", "too big"},
        {OPT_DURATION, "99999999999999999999s", "too big"},
        {OPT_DURATION, "0.0000000000000000001s", "a duration"},
        {OPT_BYTES, "1.5B", "too fine"},
        {OPT_BYTES, "5kb", "a size"},
        {OPT_BYTES, "5", "unit is missing"},
        {OPT_RATE, "5Mbit/s", "a rate"},
        {OPT_RATE, "5MB", "a rate"},
        {OPT_RATIO, "0.2", "unit is missing"},
        {OPT_RATIO, "0.00001%", "too fine"},
        {OPT_RATIO, "5%%", "a ratio"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 77;
        struct err e = {OK, ""};
        assert_int_equal(opt_parse(bad[i].type, bad[i].text, &v, &e), ERR_INVALID);
        if (!strstr(e.text, bad[i].words))
            fail_msg("%s: \"%s\" lacks \"%s\"", bad[i].text, e.text, bad[i].words);
    }
}

/* What is printed reads back as the same value, whatever the value. */
static void print_reads_back(void **state)
{
    static const enum opt_type types[] = {OPT_INT, OPT_DURATION, OPT_BYTES, OPT_RATE, OPT_RATIO};
    uint64_t x = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        char text[64];
        int64_t back, value = (int64_t)(x >> 1 >> (i % 63));
        if (i % 5 == 0)
            value -= value % 1000000; /* round figures */
        enum opt_type type = types[i % 5];
        opt_print_value(type, value, text, sizeof text);
        assert_int_equal(opt_parse(type, text, &back, NULL), OK);
        assert_int_equal(back, value);
    }
}

static const char *const colours[] = {"red", "green", NULL};

struct things {
    int64_t count, wait, loss, colour, on, free;
    const char *text;
    struct opt_file file;
};

static const struct opt table[] = {
    {"count", OPT_INT, offsetof(struct things, count), "3", 1, 9, NULL, "Some."},
    {"wait", OPT_DURATION, offsetof(struct things, wait), "20ms", 0, 0, NULL, "A time."},
    {"loss", OPT_RATIO, offsetof(struct things, loss), NULL, 0, 0, NULL, "A ratio."},
    {"colour", OPT_CHOICE, offsetof(struct things, colour), "green", 0, 0, colours, "One."},
    {"on", OPT_BOOL, offsetof(struct things, on), "true", 0, 0, NULL, "A switch."},
    {"free", OPT_INT, offsetof(struct things, free), NULL, 0, 0, NULL, "Any."},
    {"text", OPT_TEXT, offsetof(struct things, text), "hello", 0, 0, NULL, "Words."},
    {"file", OPT_FILE, offsetof(struct things, file), NULL, 0, 0, NULL, "A file."},
    {.name = NULL},
};

static const char *printed(const struct things *t, const char *name)
{
    static char text[64];
    return opt_print(opt_find(table, name), t, text, sizeof text);
}

static void defaults(void **state)
{
    struct things t;
    (void)state;
    memset(&t, 0xa5, sizeof t);
    opt_defaults(table, &t);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.wait, 20 * NS_MS);
    assert_int_equal(t.loss, 0);
    assert_int_equal(t.colour, 1);
    assert_int_equal(t.on, 1);
    assert_int_equal(t.free, 0);
    assert_string_equal(t.text, "hello");
    assert_null(t.file.path);
    assert_string_equal(printed(&t, "count"), "3");
    assert_string_equal(printed(&t, "wait"), "20ms");
    assert_string_equal(printed(&t, "loss"), "0%");
    assert_string_equal(printed(&t, "colour"), "green");
    assert_string_equal(printed(&t, "on"), "true");
    assert_string_equal(printed(&t, "text"), "hello");
    assert_string_equal(printed(&t, "file"), "");
    assert_null(opt_find(table, "cuont"));
    opt_defaults(NULL, NULL);
}

static int set(struct things *t, const char *name, const char *text, struct err *e)
{
    return opt_set(opt_find(table, name), t, text, e);
}

static void setting(void **state)
{
    struct things t;
    struct err e;
    (void)state;
    opt_defaults(table, &t);
    assert_int_equal(set(&t, "count", "9", &e), OK);
    assert_int_equal(set(&t, "count", "10", &e), ERR_INVALID);
    assert_string_equal(e.text, "expected at most 9");
    assert_int_equal(set(&t, "count", "0", &e), ERR_INVALID);
    assert_string_equal(e.text, "expected at least 1");
    assert_int_equal(t.count, 9);
    assert_int_equal(set(&t, "loss", "100.0001%", &e), ERR_INVALID);
    assert_string_equal(e.text, "expected at most 100%");
    assert_int_equal(set(&t, "colour", "red", &e), OK);
    assert_int_equal(t.colour, 0);
    assert_int_equal(set(&t, "colour", "blue", &e), ERR_INVALID);
    assert_string_equal(e.text, "expected one of red, green");
    assert_int_equal(set(&t, "free", "-5", &e), OK);
    assert_int_equal(t.free, -5);
    assert_int_equal(set(&t, "on", "false", &e), OK);
    assert_int_equal(t.on, 0);
    assert_int_equal(set(&t, "text", "", &e), OK);
    assert_string_equal(t.text, "");
    assert_int_equal(set(&t, "file", "x", &e), ERR_UNSUPPORTED);
}

static void arena(void **state)
{
    struct arena a;
    jmp_buf landing;
    (void)state;
    arena_init(&a, 1 << 20);
    char *first = arena_text(&a, "first", 5);
    for (int i = 0; i < 1000; i++) {
        unsigned char *p = arena_alloc(&a, (size_t)i);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (int j = 0; j < i; j++)
            assert_int_equal(p[j], 0);
        memset(p, 0xff, (size_t)i);
    }
    assert_string_equal(first, "first");
    assert_string_equal(arena_printf(&a, "%d and %s", 12, first), "12 and first");
    assert_null(arena_alloc(&a, 1 << 20));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_array(&a, SIZE_MAX / 2, 4));
    assert_non_null(arena_alloc(&a, 100)); /* a refusal changes nothing */
    assert_true(a.used <= a.cap);
    if (setjmp(landing) == 0) {
        a.landing = &landing;
        arena_alloc(&a, 1 << 20);
        fail_msg("it came back");
    }
    arena_free(&a);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 1 << 19));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities),       cmocka_unit_test(bad_quantities),
        cmocka_unit_test(print_reads_back), cmocka_unit_test(defaults),
        cmocka_unit_test(setting),          cmocka_unit_test(arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
