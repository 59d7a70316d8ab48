/* links: engine/run/hlog.c engine/base/hist.c engine/base/err.c engine/base/prng.c
 *
 * Logs that somebody else wrote, badly: each gets its error, and nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <zlib.h>

#include "engine/base/prng.h"
#include "engine/run/hlog.h"

static int read_one(const char *text, size_t len, struct hlog_entry *out, struct err *e)
{
    struct hlog_reader r;
    hlog_open(&r, text, len);
    return hlog_read(&r, out, e);
}

static void bad_lines_are_named(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *text;
    } bad[] = {
        {"x", ERR_TRUNCATED, "line 1: the times and the maximum: ends too early"},
        {"Tag=a", ERR_TRUNCATED, "line 1: the tag: ends too early"},
        {"Tag=a,", ERR_TRUNCATED, NULL},
        {"0,0,0,", ERR_TRUNCATED, "line 1: the histogram: ends too early"},
        {"0,0,0,!", ERR_FORMAT, NULL},
        {"0,0,0,HIST", ERR_TRUNCATED, NULL},
        {"-1,0,0,HIST", ERR_FORMAT, NULL},
        {"1.,0,0,HIST", ERR_FORMAT, NULL},
        {".1,0,0,HIST", ERR_FORMAT, NULL},
        {"1.1.1,0,0,HIST", ERR_FORMAT, NULL},
        {"1e9,0,0,HIST", ERR_FORMAT, NULL},
        {",0,0,HIST", ERR_FORMAT, NULL},
        {"0,nan,0,HIST", ERR_FORMAT, NULL},
        {"0,0,x,HIST", ERR_FORMAT, NULL},
        {"9223372037,0,0,HIST", ERR_FORMAT, NULL}, /* 2^63 ns are 9223372036.85 s */
        {"99999999999999999999999999,0,0,HIST", ERR_FORMAT, NULL},
        {"0,0,99999999999999999999999999.9,HIST", ERR_TRUNCATED, NULL}, /* the maximum may be */
        {"0,0,0,HISTFAAAAB942pNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwSI,", ERR_FORMAT, NULL},
        {"0,0,0,HISTFAAAAB942pNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwS", ERR_FORMAT, NULL},
        {"0,0,0,AISTFAAAAB942pNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwSI", ERR_UNSUPPORTED, NULL},
        {"0,0,0,HISTFAAAAB142pNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwSI", ERR_FORMAT, NULL},
        {"0,0,0,HISTFAAAAB942pNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwSJ", ERR_FORMAT, NULL},
    };
    struct hlog_entry got;
    struct err e;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int code = read_one(bad[i].line, strlen(bad[i].line), &got, &e);
        assert_int_equal(code, bad[i].code);
        assert_int_equal(e.code, code);
        if (bad[i].text)
            assert_string_equal(e.text, bad[i].text);
        assert_null(got.hist.counts);
        assert_int_equal(read_one(bad[i].line, strlen(bad[i].line), &got, NULL), code);
    }
    assert_int_equal(read_one("Tag=a\0b,0,0,0,HIST", 18, &got, &e), ERR_FORMAT);
    assert_int_equal(read_one("", 0, &got, &e), ERR_ABSENT);
    assert_int_equal(read_one(NULL, 0, &got, &e), ERR_ABSENT);
    assert_int_equal(read_one("# a\n\"b\"\n\r\n\n", 11, &got, &e), ERR_ABSENT);
}

static void a_tag_has_a_longest_length(void **state)
{
    struct hlog_entry got;
    struct err e;
    (void)state;
    char tag[HLOG_TAG + 64];
    memset(tag, 'a', sizeof tag);
    memcpy(tag, "Tag=", 4);
    tag[4 + HLOG_TAG + 1] = ',';
    assert_int_equal(read_one(tag, sizeof tag, &got, &e), ERR_TOO_BIG);
    tag[4 + HLOG_TAG] = ',';
    tag[4 + HLOG_TAG + 1] = '1';
    assert_int_equal(read_one(tag, sizeof tag, &got, &e), ERR_TRUNCATED);
    assert_string_equal(e.text, "line 1: the times and the maximum: ends too early");
}

static void good_lines_behind_bad_ones_are_read(void **state)
{
    static const char text[] = "0,0,0,!!!\nTag=good,1.000000001,2.25,0,"
                               "HISTFAAAAB942pNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwSI\n0";
    struct hlog_reader r;
    struct hlog_entry got;
    struct err e;
    (void)state;
    hlog_open(&r, text, sizeof text - 1);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_FORMAT);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_OK);
    assert_string_equal(got.tag, "good");
    assert_int_equal(got.start, NS_S + 1);
    assert_int_equal(got.length, 2250 * NS_MS);
    hist_free(&got.hist);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_TRUNCATED);
    assert_int_equal(r.line, 3);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_ABSENT);
}

/* ---- below the base64 and the checksum ---- */

/* What every encoding begins with; bytes 4 to 7 are the payload's length. */
static const char HEAD[] = "\x1c\x84\x93\x13\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\1"
                           "\x3f\xff\xff\xff\xff\xff\xff\xff\x3f\xf0\0\0\0\0\0\0";

/* A line around any encoding, honest about its lengths, then `extra` bytes; what came of it. */
static int read_packed(const uint8_t *plain, size_t len, size_t extra, struct hist *h)
{
    struct hlog_entry got;
    uLongf room = compressBound(len);
    uint8_t *packed = calloc(1, 8 + room + extra);
    assert_non_null(packed);
    assert_int_equal(compress(packed + 8, &room, plain, len), Z_OK);
    size_t packed_len = room + extra;
    memcpy(packed, "\x1c\x84\x93\x14", 4);
    for (int i = 0; i < 4; i++)
        packed[4 + i] = (uint8_t)(packed_len >> (24 - 8 * i));
    size_t chars = sodium_base64_encoded_len(8 + packed_len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(6 + chars);
    assert_non_null(text);
    memcpy(text, "0,0,0,", 6);
    sodium_bin2base64(text + 6, chars, packed, 8 + packed_len, sodium_base64_VARIANT_ORIGINAL);
    int code = read_one(text, 6 + strlen(text + 6), &got, NULL);
    if (code != ERR_OK)
        assert_null(got.hist.counts);
    *h = got.hist;
    free(text);
    free(packed);
    return code;
}

static int read_payload(const void *payload, size_t len, struct hist *h)
{
    uint8_t *plain = malloc(40 + len);
    assert_non_null(plain);
    memcpy(plain, HEAD, 40);
    for (int i = 0; i < 4; i++)
        plain[4 + i] = (uint8_t)(len >> (24 - 8 * i));
    memcpy(plain + 40, payload, len);
    int code = read_packed(plain, 40 + len, 0, h);
    free(plain);
    return code;
}

static void payloads(void **state)
{
    struct hist h;
    uint8_t big[9 * 100];
    (void)state;
    assert_int_equal(read_payload("", 0, &h), ERR_OK);
    assert_int_equal(hist_count(&h), 0);
    assert_int_equal(read_payload("\x01\x00\x02", 3, &h), ERR_OK); /* 1 zero, 0, 1 */
    assert_int_equal(hist_count(&h), 1);
    assert_int_equal(hist_min(&h), 2);
    hist_free(&h);
    /* 54271 zeros (2 n - 1), then 1: the last bucket there is; one more zero is too many */
    assert_int_equal(read_payload("\xfd\xcf\x06\x02", 4, &h), ERR_OK);
    assert_int_equal(hist_max(&h), HIST_MAX);
    hist_free(&h);
    assert_int_equal(read_payload("\xff\xcf\x06", 3, &h), ERR_OK);
    assert_int_equal(read_payload("\xff\xcf\x06\x02", 4, &h), ERR_FORMAT);
    assert_int_equal(read_payload("\xff\xcf\x06\x00", 4, &h), ERR_FORMAT);
    assert_int_equal(read_payload("\x81\xd0\x06", 3, &h), ERR_FORMAT);
    assert_int_equal(read_payload("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, &h), ERR_FORMAT);
    assert_int_equal(read_payload("\x02\x80", 2, &h), ERR_TRUNCATED);
    assert_int_equal(read_payload("\x80\x80\x80\x80\x80\x80\x80\x80", 8, &h), ERR_TRUNCATED);
    /* 2^63 - 1 samples, and one more */
    assert_int_equal(read_payload("\xfe\xff\xff\xff\xff\xff\xff\xff\xff", 9, &h), ERR_OK);
    assert_int_equal(hist_count(&h), INT64_MAX);
    hist_free(&h);
    assert_int_equal(read_payload("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &h), ERR_TOO_BIG);
    memset(big, 0xfe, sizeof big);
    assert_int_equal(read_payload(big, sizeof big, &h), ERR_TOO_BIG);
}

static void headers(void **state)
{
    static const size_t checked[] = {0, 3, 8, 11, 15, 23, 32, 39};
    struct hist h;
    uint8_t plain[42];
    (void)state;
    for (size_t i = 0; i < sizeof checked / sizeof *checked; i++) {
        memcpy(plain, HEAD, 40);
        plain[checked[i]] ^= 1;
        assert_int_equal(read_packed(plain, 40, 0, &h), ERR_UNSUPPORTED);
    }
    memcpy(plain, HEAD, 40);
    for (size_t n = 0; n < 40; n++)
        assert_int_equal(read_packed(plain, n, 0, &h), ERR_TRUNCATED);
    assert_int_equal(read_packed(plain, 40, 0, &h), ERR_OK);
    assert_int_equal(read_packed(plain, 40, 1, &h), ERR_FORMAT);
    plain[7] = 1; /* claims a byte that is not there */
    assert_int_equal(read_packed(plain, 40, 0, &h), ERR_FORMAT);
    memset(plain + 40, 0, 2); /* and one too few */
    assert_int_equal(read_packed(plain, 41, 0, &h), ERR_OK);
    assert_int_equal(read_packed(plain, 42, 0, &h), ERR_FORMAT);
    plain[4] = 0xff;
    assert_int_equal(read_packed(plain, 40, 0, &h), ERR_FORMAT);
}

static void a_bomb_is_too_big(void **state)
{
    size_t len = 64 << 20;
    struct hist h;
    uint8_t *zeros = calloc(1, len);
    (void)state;
    assert_non_null(zeros);
    memcpy(zeros, HEAD, 40);
    assert_int_equal(read_packed(zeros, len, 0, &h), ERR_TOO_BIG);
    free(zeros);
    struct hlog_entry got;
    char *text = malloc(4 << 20);
    assert_non_null(text);
    memset(text, 'A', 4 << 20);
    memcpy(text, "0,0,0,", 6);
    assert_int_equal(read_one(text, 4 << 20, &got, NULL), ERR_TOO_BIG);
    free(text);
}

/* Any damage gives a code or a histogram, never a crash; truncated, it is never OK. */
static void damage(void **state)
{
    struct dice d = dice_name(11, "test hlog", 0, 0, 0);
    struct hist h;
    struct hlog_entry got;
    size_t len;
    FILE *f = tmpfile();
    unsigned refused = 0;
    (void)state;
    hist_init(&h);
    for (int i = 0; i < 30; i++)
        hist_add(&h, (int64_t)dice_below(&d, 3000));
    assert_non_null(f);
    assert_int_equal(hlog_write(f, "cell/round", 0, 5, &h), ERR_OK);
    hist_free(&h);
    len = (size_t)ftell(f);
    char *text = malloc(len), *copy = malloc(len);
    assert_true(text && copy);
    rewind(f);
    assert_int_equal(fread(text, 1, len, f), len);
    fclose(f);
    for (size_t n = 1; n < len - 1; n++) {
        memcpy(copy, text, n);
        assert_int_not_equal(read_one(copy, n, &got, NULL), ERR_OK);
    }
    for (int i = 0; i < 20000; i++) {
        memcpy(copy, text, len);
        for (uint64_t k = dice_below(&d, 4) + 1; k > 0; k--)
            copy[dice_below(&d, len)] ^= (char)(1 << dice_below(&d, 8));
        refused += read_one(copy, len, &got, NULL) != ERR_OK;
        hist_free(&got.hist);
    }
    assert_true(refused > 15000);
    free(copy);
    free(text);
}

/* The same below the checksum: damaged encodings that are packed correctly. */
static void damaged_encodings(void **state)
{
    struct dice d = dice_name(12, "test hlog", 0, 0, 0);
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t payload[64];
        struct hist h;
        size_t len = (size_t)dice_below(&d, sizeof payload);
        for (size_t k = 0; k < len; k++)
            payload[k] = (uint8_t)(dice_u64(&d) >> dice_below(&d, 8));
        int code = read_payload(payload, len, &h);
        assert_true(code == ERR_OK || code == ERR_TRUNCATED || code == ERR_FORMAT ||
                    code == ERR_TOO_BIG);
        hist_free(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(a_tag_has_a_longest_length),
        cmocka_unit_test(good_lines_behind_bad_ones_are_read),
        cmocka_unit_test(payloads),
        cmocka_unit_test(headers),
        cmocka_unit_test(a_bomb_is_too_big),
        cmocka_unit_test(damage),
        cmocka_unit_test(damaged_encodings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
