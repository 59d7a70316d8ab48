/* links: engine/base/err.c engine/base/prng.c engine/protocols/shamir/bristol.c
 * engine/protocols/shamir/bristol_read.c */
/* The published circuits give the right answers at the published sizes; what is malformed is
 * refused at its line. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/protocols/shamir/bristol.h"
#include "tests/unit/data.h"

static char *slurp(const char *name, size_t *len)
{
    char path[64];
    snprintf(path, sizeof path, "bristol/%s", name);
    return data_text(path, len);
}

static void load(struct bristol *c, const char *name)
{
    struct err e = {0};
    size_t len = 0;
    char *text = slurp(name, &len);
    if (!text)
        skip();
    if (bristol_parse(c, text, len, name, &e) != OK)
        fail_msg("%s", e.text);
    free(text);
}

static void put_bits(uint8_t *bits, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bits[i] = (uint8_t)(v >> i & 1);
}

static uint64_t get_bits(const uint8_t *bits, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)bits[i] << i;
    return v;
}

/* A string of n bytes as one big-endian integer: its last byte has the lowest wires. */
static void put_string(uint8_t *bits, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_bits(bits + 8 * i, bytes[n - 1 - i], 8);
}

static void get_string(const uint8_t *bits, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[n - 1 - i] = (uint8_t)get_bits(bits + 8 * i, 8);
}

/* What every user of the order relies on. */
static void check_order(const struct bristol *c)
{
    uint32_t *level = malloc(c->n_wires * sizeof *level), at = 0, ands = 0;
    assert_non_null(level);
    for (uint32_t w = 0; w < c->n_wires; w++)
        level[w] = w < c->in_bits ? 0 : UINT32_MAX;
    for (uint32_t k = 0; k <= c->and_depth; k++) {
        struct bristol_level l = c->levels[k];
        assert_int_equal(l.local, at);
        assert_true(l.local <= l.ands && l.ands <= l.end);
        assert_true(k == c->and_depth ? l.ands == l.end : l.ands < l.end);
        for (; at < l.end; at++) {
            const struct bristol_gate *g = &c->gates[at];
            uint32_t a = g->op == BRISTOL_EQ ? 0 : level[g->a], b = level[g->b];
            b = g->op == BRISTOL_XOR || g->op == BRISTOL_AND ? b : 0;
            assert_int_equal(a > b ? a : b, k); /* no gate could have come a level before */
            assert_int_equal(level[g->out], UINT32_MAX);
            assert_int_equal(g->op == BRISTOL_AND, at >= l.ands);
            ands += g->op == BRISTOL_AND;
            level[g->out] = k + (g->op == BRISTOL_AND);
        }
    }
    assert_int_equal(at, c->n_gates);
    assert_int_equal(ands, c->n_and);
    free(level);
}

static uint64_t high_word(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    return (uint64_t)((u128)a * b >> 64);
}
static uint64_t plus(uint64_t a, uint64_t b)
{
    return a + b;
}
static uint64_t minus(uint64_t a, uint64_t b)
{
    return a - b;
}
static uint64_t times(uint64_t a, uint64_t b)
{
    return a * b;
}
static uint64_t negated(uint64_t a, uint64_t b)
{
    (void)b;
    return 0 - a;
}
static uint64_t is_zero(uint64_t a, uint64_t b)
{
    (void)b;
    return a == 0;
}
static uint64_t quotient(uint64_t a, uint64_t b)
{
    return a / b;
}

/* Sizes and depths as ../shared/data/SOURCES.md has them. */
static const struct published {
    const char *name;
    uint32_t n_and, depth, n_in, out_bits;
    uint64_t (*first)(uint64_t, uint64_t), (*second)(uint64_t, uint64_t);
} published[] = {
    {"adder64.txt", 63, 63, 2, 64, plus, NULL},
    {"sub64.txt", 63, 63, 2, 64, minus, NULL},
    {"neg64.txt", 62, 62, 1, 64, negated, NULL},
    {"zero_equal.txt", 63, 6, 1, 1, is_zero, NULL},
    {"mult64.txt", 4033, 63, 2, 64, times, NULL},
    {"mult2_64.txt", 8128, 127, 2, 128, high_word, times},
    {"udivide64.txt", 4094, 4094, 2, 64, quotient, NULL},
};

static void published_arithmetic(void **state)
{
    (void)state;
    static const uint64_t edges[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, 7};
    struct prng rng;
    prng_name(&rng, 1, "test", 0, "bristol");
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct published *p = &published[i];
        struct bristol c;
        load(&c, p->name);
        check_order(&c);
        assert_int_equal(c.n_and, p->n_and);
        assert_int_equal(c.and_depth, p->depth);
        assert_int_equal(c.n_inputs, p->n_in);
        assert_int_equal(c.in_bits, 64 * p->n_in);
        assert_int_equal(c.out_bits, p->out_bits);
        for (size_t k = 0; k < 25 + 20; k++) {
            uint8_t in[128], out[128];
            uint64_t a = k < 25 ? edges[k / 5] : prng_u64(&rng);
            uint64_t b = k < 25 ? edges[k % 5] : prng_u64(&rng) >> (k % 60);
            size_t word = p->out_bits < 64 ? p->out_bits : 64;
            if (p->first == quotient && (b == 0 || b >> 63))
                continue; /* this file is right only for divisors from 1 to 2^63 - 1 */
            put_bits(in, a, 64);
            put_bits(in + 64, b, 64);
            assert_int_equal(bristol_eval(&c, in, out), OK);
            if (get_bits(out, word) != p->first(a, b) ||
                (p->second && get_bits(out + 64, word) != p->second(a, b)))
                fail_msg("%s is wrong for %" PRIu64 ", %" PRIu64, p->name, a, b);
        }
        bristol_free(&c);
    }
}

/* FIPS 197, C.1. */
static void aes_128(void **state)
{
    (void)state;
    static const uint8_t right[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                      0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
    uint8_t key[16], plain[16], cipher[16], in[256], out[128];
    struct bristol c;
    load(&c, "aes_128.txt");
    check_order(&c);
    assert_int_equal(c.n_and, 6400);
    assert_int_equal(c.and_depth, 60);
    for (int i = 0; i < 16; i++) {
        key[i] = (uint8_t)i;
        plain[i] = (uint8_t)(17 * i);
    }
    put_string(in, key, 16);
    put_string(in + 128, plain, 16);
    assert_int_equal(bristol_eval(&c, in, out), OK);
    get_string(out, cipher, 16);
    assert_memory_equal(cipher, right, 16);
    bristol_free(&c);
}

/* FIPS 180-4: the digest of "abc" is one compression of the padded block. */
static void sha256_abc(void **state)
{
    (void)state;
    static const uint8_t right[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                      0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                      0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                      0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t block[64] = {'a', 'b', 'c', 0x80, [63] = 24}, chain[32], digest[32];
    uint8_t in[768], out[256];
    struct bristol c;
    load(&c, "sha256.txt.gz");
    check_order(&c);
    assert_int_equal(c.n_and, 22573);
    assert_int_equal(c.and_depth, 1607);
    for (int i = 0; i < 32; i++)
        chain[i] = (uint8_t)(initial[i / 4] >> (24 - 8 * (i % 4)));
    put_string(in, block, 64);
    put_string(in + 512, chain, 32);
    assert_int_equal(bristol_eval(&c, in, out), OK);
    get_string(out, digest, 32);
    assert_memory_equal(digest, right, 32);
    bristol_free(&c);
}

static int parse(struct bristol *c, const char *text, struct err *e)
{
    return bristol_parse(c, text, strlen(text), "x.txt", e);
}

/* Every gate there is, CRLF, blank lines, tabs, no newline at the end. */
static void every_gate(void **state)
{
    (void)state;
    static const char text[] = "\r\n8 15\r\n2 2 2\r\n2  4\t2 \r\n\r\n"
                               "1 1 1 4 EQ\r\n"
                               "4 2 0 1 2 3 5 6 MAND\r\n"
                               "2 1 4 5 7 XOR\r\n"
                               "1 1 0 8 NOT\r\n\r\n"
                               "1 1 3 9 EQW\r\n"
                               "6 3 0 1 2 8 9 7 10 11 12 MAND\r\n"
                               "1 1 0 13 EQ\r\n"
                               "1 1 12 14 INV";
    struct bristol c;
    struct err e = {0};
    if (parse(&c, text, &e) != OK)
        fail_msg("%s", e.text);
    check_order(&c);
    assert_int_equal(c.n_gates, 11);
    assert_int_equal(c.n_and, 5);
    assert_int_equal(c.and_depth, 2);
    assert_int_equal(c.n_outputs, 2);
    assert_int_equal(c.output_bits[1], 2);
    for (unsigned v = 0; v < 16; v++) {
        uint8_t in[4], out[6];
        put_bits(in, v, 4);
        uint8_t w5 = in[0] & in[2], w7 = 1 ^ w5, w12 = in[2] & w7;
        assert_int_equal(bristol_eval(&c, in, out), OK);
        assert_int_equal(out[0], in[3]);
        assert_int_equal(out[1], in[0] & !in[0]);
        assert_int_equal(out[2], in[1] & in[3]);
        assert_int_equal(out[3], w12);
        assert_int_equal(out[4], 0);
        assert_int_equal(out[5], !w12);
    }
    bristol_free(&c);
}

/* No gates at all: the outputs are the last inputs. */
static void identity(void **state)
{
    (void)state;
    struct bristol c;
    struct err e = {0};
    uint8_t in[3] = {1, 0, 1}, out[2];
    assert_int_equal(parse(&c, "0 3\n1 3\n1 2\n", &e), OK);
    check_order(&c);
    assert_int_equal(bristol_eval(&c, in, out), OK);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[1], 1);
    bristol_free(&c);
}

#define HEAD "2 4\n1 2\n1 1\n\n" /* gates stand on lines 5 and 6 */

static const struct bad {
    const char *text, *where, *what;
    int code;
} bad[] = {
    {"", "x.txt:1: ", "the end of the file", ERR_TRUNCATED},
    {"\n\n \n", "x.txt:4: ", "the end of the file", ERR_TRUNCATED},
    {"two 4\n", "x.txt:1:1: ", "expected the number of gates, a number, found 'two'", ERR_FORMAT},
    {"2\n1 2\n", "x.txt:1:2: ", "wires, a number, found the end of the line", ERR_FORMAT},
    {"2 4 5\n", "x.txt:1:5: ", "expected the end of the line", ERR_FORMAT},
    {"2 -4\n", "x.txt:1:3: ", "found '-4'", ERR_FORMAT},
    {"2 0\n", "x.txt:1:3: ", "from 1 to 16777216, found '0'", ERR_FORMAT},
    {"2 16777217\n", "x.txt:1:3: ", "from 1 to 16777216", ERR_LIMIT},
    {"2 99999999999999999999999999\n", "x.txt:1:3: ", "'999999999999999999999999...'", ERR_LIMIT},
    {"16777216 16777216\n1 1\n", "x.txt:1: ", "a file of 22 bytes is too short", ERR_LIMIT},
    {"1 16777216\n1 16777215\n1 1\n1 1 0 16777215 INV\n", "x.txt:1: ", "too short", ERR_LIMIT},
    {"1 60001\n1 1\n1 1\n1 1 0 1 INV\n", "x.txt:1: ", "too short to assign 60000", ERR_LIMIT},
    {"1 \xff\x1b[31m\n", "x.txt:1:3: ", "found '??[31m'", ERR_FORMAT},
    {"0 4\n", "x.txt:2: ", "the line of input values, found the end", ERR_TRUNCATED},
    {"0 4\n0\n1 1\n", "x.txt:2:1: ", "input values, from 1", ERR_FORMAT},
    {"0 4\n1\n1 1\n", "x.txt:2:2: ", "found the end of the line", ERR_FORMAT},
    {"0 4\n2 2\n1 1\n", "x.txt:2:4: ", "bits of an input value, a number", ERR_FORMAT},
    {"0 4\n2 2 0\n1 1\n", "x.txt:2:5: ", "from 1", ERR_FORMAT},
    {"0 4\n2 2 3\n1 1\n", "x.txt:2:5: ", "more bits than the circuit's 4 wires", ERR_FORMAT},
    {"0 4\n1 2 2\n1 1\n", "x.txt:2:5: ", "expected the end of the line", ERR_FORMAT},
    {"0 4\n4000000000 1\n", "x.txt:2:1: ", "from 1 to 8, found '4000000000'", ERR_FORMAT},
    {"0 4\n1 2\n1 5\n", "x.txt:3:3: ", "more bits than", ERR_FORMAT},
    {"2 3\n1 2\n1 1\n\n2 1 0 1 2 XOR\n", "x.txt:1: ", "at least 4 wires, found 3", ERR_FORMAT},
    {"1 4\n1 2\n1 1\n\n2 1 0 1 2 XOR\n", "x.txt:1: ", "make 3 wires, found 4", ERR_FORMAT},
    {HEAD "2 1 0 1 2 XOR\n", "x.txt:6: ", "the file ends after 1 of 2 gates", ERR_TRUNCATED},
    {HEAD "2 1 0 1 2 XOR\n2 1 0 1 3 OR\n", "x.txt:6:11: ", "found 'OR'", ERR_FORMAT},
    {HEAD "2 1 0 1 2 xor\n", "x.txt:5:11: ", "found 'xor'", ERR_FORMAT},
    {HEAD "2 1 0 1 2\n", "x.txt:5:9: ", "found '2'", ERR_FORMAT},
    {HEAD "1 1 0 1 2 XOR\n", "x.txt:5:1: ", "XOR with 1 outputs has 2 inputs, found 1", ERR_FORMAT},
    {HEAD "2 1 0 2 INV\n", "x.txt:5:1: ", "INV with 1 outputs has 1 inputs", ERR_FORMAT},
    {HEAD "2 2 0 1 2 3 XOR\n", "x.txt:5:3: ", "number of outputs, from 1 to 1", ERR_FORMAT},
    {HEAD "3 2 0 1 0 2 3 MAND\n", "x.txt:5:1: ", "has 4 inputs, found 3", ERR_FORMAT},
    {HEAD "6 3 0 1 0 1 0 1 2 3 4 MAND\n", "x.txt:5:3: ", "wires leave", ERR_FORMAT},
    {HEAD "0 0 MAND\n", "x.txt:5:1: ", "number of inputs, from 1", ERR_FORMAT},
    {HEAD "2 1 0 1 XOR\n", "x.txt:5:9: ", "expected an output wire, a number, found 'XOR'",
     ERR_FORMAT},
    {HEAD "2 1 0 1 2 3 XOR\n", "x.txt:5:11: ", "expected XOR after the gate's wires, found '3'",
     ERR_FORMAT},
    {HEAD "2 1 0 4 2 XOR\n", "x.txt:5:7: ", "input wire, from 0 to 3, found '4'", ERR_FORMAT},
    {HEAD "2 1 0 1 4 XOR\n", "x.txt:5:9: ", "output wire, from 0 to 3", ERR_FORMAT},
    {HEAD "2 1 0 3 2 XOR\n", "x.txt:5:7: ", "wire 3 is used before any gate", ERR_FORMAT},
    {HEAD "2 1 0 2 2 XOR\n", "x.txt:5:7: ", "wire 2 is used before", ERR_FORMAT},
    {HEAD "2 1 0 1 1 XOR\n", "x.txt:5:9: ", "wire 1 is an input", ERR_FORMAT},
    {HEAD "2 1 0 1 2 XOR\r\n1 1 0 2 INV\r\n", "x.txt:6:7: ", "wire 2 is assigned twice",
     ERR_FORMAT},
    {HEAD "4 2 0 1 1 2 2 3 MAND\n", "x.txt:5:11: ", "wire 2 is used before", ERR_FORMAT},
    {HEAD "4 2 0 1 1 0 2 2 MAND\n", "x.txt:5:15: ", "wire 2 is assigned twice", ERR_FORMAT},
    {HEAD "1 1 2 3 EQ\n", "x.txt:5:5: ", "the constant, from 0 to 1, found '2'", ERR_FORMAT},
    {HEAD "1 1 3 2 EQW\n", "x.txt:5:5: ", "wire 3 is used before", ERR_FORMAT},
    {HEAD "2 1 0 1 2 XOR XOR\n", "x.txt:5:15: ", "expected the end of the line", ERR_FORMAT},
    {HEAD "2 1 0 1 2 XOR\n1 1 2 3 INV\n\n1 1 0 4 INV\n",
     "x.txt:8:1: ", "expected the end of the file after 2 gates, found '1'", ERR_FORMAT},
    {HEAD "2 1 0 1 2 XOR\n1 1 2 3 INV\n# end\n", "x.txt:7:1: ", "found '#'", ERR_FORMAT},
    {HEAD "2 1 0 1\r2 XOR\n", "x.txt:5:7: ", "found '1?2'", ERR_FORMAT},
};

static void malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bristol c;
        struct err e = {0};
        int code = parse(&c, bad[i].text, &e);
        if (code != bad[i].code || strncmp(e.text, bad[i].where, strlen(bad[i].where)) != 0 ||
            !strstr(e.text, bad[i].what))
            fail_msg("%s\nsays %d \"%s\",\nwanted %d \"%s... %s\"", bad[i].text, code, e.text,
                     bad[i].code, bad[i].where, bad[i].what);
        assert_null(c.gates);
        assert_null(c.levels);
        assert_int_equal(parse(&c, bad[i].text, NULL), code);
    }
}

/* A published file cut anywhere is refused, and a NUL in it is no end. */
static void cut_short(void **state)
{
    (void)state;
    size_t len = 0;
    char *text = slurp("neg64.txt", &len);
    struct bristol c;
    struct err e;
    if (!text)
        skip();
    while (text[len - 1] == '\n')
        len--;
    assert_int_equal(bristol_parse(&c, text, len, "neg64.txt", &e), OK);
    bristol_free(&c);
    for (size_t n = 0; n < len; n++) {
        char *exact = malloc(n + 1); /* so that a sanitiser sees a byte too many */
        assert_non_null(exact);
        memcpy(exact, text, n);
        assert_int_not_equal(bristol_parse(&c, exact, n, "neg64.txt", &e), OK);
        free(exact);
    }
    text[20] = '\0';
    assert_int_equal(bristol_parse(&c, text, len, "neg64.txt", &e), ERR_FORMAT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_arithmetic),
        cmocka_unit_test(aes_128),
        cmocka_unit_test(sha256_abc),
        cmocka_unit_test(every_gate),
        cmocka_unit_test(identity),
        cmocka_unit_test(malformed),
        cmocka_unit_test(cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
