/* links: engine/base/err.c engine/base/prng.c engine/protocols/shamir/bristol.c
   engine/protocols/shamir/bristol_read.c engine/run/circuitgen.c engine/run/circuitgen_kinds.c
   engine/run/gates.c */
/* Generated circuits are read back by the parser and compute what plain arithmetic does. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/protocols/shamir/bristol.h"
#include "engine/run/circuitgen.h"

enum { ARGS = 4, VALUES = 40 };
__extension__ typedef unsigned __int128 u128;

/* "sort 5 8": a kind and its arguments, as on the command line. */
static int generate(const char *line, char **text, size_t *len, struct err *e)
{
    char words[80];
    const char *word[ARGS + 1];
    size_t n = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " ")) {
        assert_true(n <= ARGS);
        word[n++] = w;
    }
    return circuitgen_write(word[0], n - 1, word + 1, text, len, e);
}

static void make(struct bristol *c, const char *line)
{
    struct err e = {0};
    char *text = NULL;
    size_t len = 0;
    if (generate(line, &text, &len, &e) != OK || bristol_parse(c, text, len, line, &e) != OK)
        fail_msg("%s: %s", line, e.text);
    assert_int_equal(strlen(text), len);
    free(text);
}

/* The outputs' values for the inputs' values. */
static void evaluate(const struct bristol *c, const uint64_t *in, u128 *out)
{
    uint8_t bits[64 * VALUES], *at = bits;
    for (uint32_t v = 0; v < c->n_inputs; v++)
        for (uint32_t i = 0; i < c->input_bits[v]; i++)
            *at++ = (uint8_t)(in[v] >> i & 1);
    assert_int_equal(bristol_eval(c, bits, bits), OK);
    at = bits;
    for (uint32_t v = 0; v < c->n_outputs; v++) {
        out[v] = 0;
        for (uint32_t i = 0; i < c->output_bits[v]; i++)
            out[v] |= (u128)*at++ << i;
    }
}

static u128 sum(uint64_t a, uint64_t b)
{
    return (u128)a + b;
}
static u128 difference(uint64_t a, uint64_t b)
{
    return (u128)a - b;
}
static u128 product(uint64_t a, uint64_t b)
{
    return (u128)a * b;
}
static u128 is_less(uint64_t a, uint64_t b)
{
    return a < b;
}
static u128 is_equal(uint64_t a, uint64_t b)
{
    return a == b;
}

static const struct binary {
    const char *kind, *options;
    u128 (*is)(uint64_t, uint64_t);
    unsigned out_bits; /* 0: N; 2: 2N */
} binary[] = {
    {"adder", "", sum, 0},
    {"adder", "--fast", sum, 0},
    {"subtractor", "", difference, 0},
    {"subtractor", "--fast", difference, 0},
    {"multiplier", "", product, 0},
    {"multiplier", "--fast", product, 0},
    {"multiplier", "--full", product, 2},
    {"multiplier", "--full --fast", product, 2},
    {"less_than", "", is_less, 1},
    {"equal", "", is_equal, 1},
};

static void check_binary(const struct binary *b, unsigned n, struct prng *rng)
{
    char line[64];
    struct bristol c;
    uint64_t mask = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
    unsigned bits = b->out_bits == 1 ? 1 : b->out_bits == 2 ? 2 * n : n;
    u128 out_mask = bits == 128 ? ~(u128)0 : ((u128)1 << bits) - 1;
    unsigned tries = n <= 4 ? 1u << (2 * n) : 40;
    snprintf(line, sizeof line, "%s %u %s", b->kind, n, b->options);
    make(&c, line);
    assert_int_equal(c.n_inputs, 2);
    assert_int_equal(c.in_bits, 2 * n);
    assert_int_equal(c.n_outputs, 1);
    assert_int_equal(c.out_bits, bits);
    for (unsigned t = 0; t < tries; t++) {
        uint64_t v[2] = {prng_u64(rng) & mask, prng_u64(rng) & mask};
        u128 out;
        if (n <= 4) { /* all there are */
            v[0] = t & mask;
            v[1] = t >> n;
        } else if (t < 6) {
            v[0] = t & 1 ? mask : v[0];
            v[1] = t & 2 ? mask : t & 4 ? v[0] : v[1];
        }
        evaluate(&c, v, &out);
        if (out != (b->is(v[0], v[1]) & out_mask))
            fail_msg("%s of %" PRIu64 " and %" PRIu64 " is wrong", line, v[0], v[1]);
    }
    bristol_free(&c);
}

static void arithmetic(void **state)
{
    (void)state;
    static const unsigned bits[] = {1, 2, 3, 4, 5, 7, 8, 16, 31, 33, 63, 64};
    struct prng rng;
    prng_name(&rng, 1, "test", 0, "circuitgen");
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        for (size_t k = 0; k < sizeof bits / sizeof *bits; k++)
            check_binary(&binary[i], bits[k], &rng);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void check_many(const struct bristol *sort, const struct bristol *maximum, uint64_t *v,
                       size_t count)
{
    u128 sorted[VALUES], largest;
    evaluate(sort, v, sorted);
    evaluate(maximum, v, &largest);
    qsort(v, count, sizeof *v, by_value);
    for (size_t i = 0; i < count; i++)
        assert_true(sorted[i] == v[i]);
    assert_true(largest == v[count - 1]);
}

static void sort_and_maximum(void **state)
{
    (void)state;
    static const unsigned bits[] = {1, 2, 8, 64};
    struct prng rng;
    prng_name(&rng, 2, "test", 0, "circuitgen");
    for (size_t k = 0; k < sizeof bits / sizeof *bits; k++)
        for (size_t count = 1; count <= (bits[k] == 1 ? 12 : 9); count++) {
            char line[64];
            struct bristol sort, maximum;
            uint64_t v[VALUES];
            snprintf(line, sizeof line, "sort %zu %u", count, bits[k]);
            make(&sort, line);
            snprintf(line, sizeof line, "maximum %zu %u", count, bits[k]);
            make(&maximum, line);
            assert_int_equal(sort.n_inputs, count);
            assert_int_equal(sort.n_outputs, count);
            assert_int_equal(maximum.n_outputs, 1);
            /* A network that sorts all zeros and ones sorts everything (Knuth 5.3.4, Z). */
            for (unsigned t = 0; t < (bits[k] == 1 ? 1u << count : 30); t++) {
                for (size_t i = 0; i < count; i++)
                    v[i] = bits[k] == 1 ? t >> i & 1 : prng_u64(&rng) >> (64 - bits[k]);
                check_many(&sort, &maximum, v, count);
            }
            bristol_free(&sort);
            bristol_free(&maximum);
        }
}

static void many_values(void **state)
{
    (void)state;
    struct bristol sort, maximum;
    struct prng rng;
    uint64_t v[VALUES];
    prng_name(&rng, 3, "test", 0, "circuitgen");
    make(&sort, "sort 37 16");
    make(&maximum, "maximum 37 16");
    for (int t = 0; t < 20; t++) {
        for (size_t i = 0; i < 37; i++)
            v[i] = prng_below(&rng, t % 2 ? 10 : 65536);
        check_many(&sort, &maximum, v, 37);
    }
    bristol_free(&sort);
    bristol_free(&maximum);
}

/* The formulas of the header, at N = 64; the first rows are those of the published files. */
static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint32_t n_and, depth;
    } right[] = {
        {"adder 64", 63, 63},
        {"subtractor 64", 63, 63},
        {"multiplier 64", 4033, 63},
        {"multiplier 64 --full", 8128, 127},
        {"equal 64", 63, 6},
        {"less_than 64", 121, 7},
        {"maximum 2 64", 121 + 64, 8},
        {"maximum 5 64", 4 * (121 + 64), 3 * 8},
        {"sort 2 64", 121 + 64, 8},
        {"sort 4 64", 5 * (121 + 64), 3 * 8},
        {"sort 16 32", 63 * (58 + 32), 10 * 7},
        {"adder 64 --fast", 373, 7},
        {"adder 1", 0, 0},
        {"less_than 1", 1, 1},
        {"sort 1 8", 0, 0},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct bristol c;
        make(&c, right[i].line);
        if (c.n_and != right[i].n_and || c.and_depth != right[i].depth)
            fail_msg("%s: %u ANDs, depth %u", right[i].line, c.n_and, c.and_depth);
        bristol_free(&c);
    }
}

static void fast_is_shallow(void **state)
{
    (void)state;
    struct bristol c;
    make(&c, "multiplier 64 --fast");
    assert_in_range(c.and_depth, 10, 20);
    assert_in_range(c.n_and, 4033, 5000);
    bristol_free(&c);
    make(&c, "multiplier 64 --full --fast");
    assert_in_range(c.and_depth, 10, 20);
    bristol_free(&c);
}

/* Each gate's result is used, inputs come first, outputs last: the text itself. */
static void text_of_a_small_one(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(generate("adder 2", &text, &len, NULL), OK);
    assert_string_equal(text, "4 8\n2 2 2\n1 2\n\n"
                              "2 1 0 2 4 AND\n"
                              "2 1 0 2 6 XOR\n"
                              "2 1 1 4 5 XOR\n"
                              "2 1 5 3 7 XOR\n");
    free(text);
    assert_int_equal(generate("maximum 1 2", &text, &len, NULL), OK);
    assert_string_equal(text, "2 4\n1 2\n1 2\n\n1 1 0 2 EQW\n1 1 1 3 EQW\n");
    free(text);
}

static void bad_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
        int code;
    } bad[] = {
        {"addder 4", "unknown kind of circuit 'addder', expected one of adder, subtractor, ",
         ERR_INVALID},
        {"adder", "expected N, found 'nothing'; usage: circuit adder N [--fast]", ERR_INVALID},
        {"adder 0", "expected N, from 1 to 65536, found '0'", ERR_INVALID},
        {"adder 65537", "from 1 to 65536, found '65537'", ERR_INVALID},
        {"adder 4294967297", "found '4294967297'", ERR_INVALID},
        {"adder 8x", "found '8x'", ERR_INVALID},
        {"adder x", "found 'x'", ERR_INVALID},
        {"adder 8 8", "expected no further argument, found '8'", ERR_INVALID},
        {"adder --full 8", "expected one of its options, found '--full'", ERR_INVALID},
        {"equal 8 --fast", "it has no options, found '--fast'", ERR_INVALID},
        {"multiplier 1025", "from 1 to 1024", ERR_INVALID},
        {"sort 4", "expected N, found 'nothing'; usage: circuit sort COUNT N", ERR_INVALID},
        {"sort", "expected COUNT, found 'nothing'", ERR_INVALID},
        {"sort -3 8", "found '-3'", ERR_INVALID},
        {"sort 0 8", "expected COUNT, from 1 to 65536, found '0'", ERR_INVALID},
        {"sort 65536 65536", "circuit sort: more than 16777216 wires", ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = NULL;
        size_t len = 0;
        struct err e = {0};
        int code = generate(bad[i].line, &text, &len, &e);
        if (code != bad[i].code || !strstr(e.text, bad[i].says))
            fail_msg("%s says %d \"%s\"", bad[i].line, code, e.text);
        assert_null(text);
        assert_int_equal(generate(bad[i].line, &text, &len, NULL), code);
    }
}

static void every_kind_is_described(void **state)
{
    (void)state;
    size_t n = 0;
    for (const struct circuitgen_kind *k = circuitgen_kinds(); k->name; k++, n++) {
        char line[64];
        struct bristol c;
        assert_true(k->help[0] && strchr(k->usage, 'N'));
        assert_int_equal(k->takes_count, strncmp(k->usage, "COUNT", 5) == 0);
        snprintf(line, sizeof line, "%s %s 3 %s", k->name, k->takes_count ? "3" : "",
                 k->options[0] ? k->options[0] : "");
        make(&c, line);
        bristol_free(&c);
    }
    assert_int_equal(n, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),      cmocka_unit_test(sort_and_maximum),
        cmocka_unit_test(many_values),     cmocka_unit_test(sizes),
        cmocka_unit_test(fast_is_shallow), cmocka_unit_test(text_of_a_small_one),
        cmocka_unit_test(bad_arguments),   cmocka_unit_test(every_kind_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
