/* links: engine/run/hlog.c engine/base/hist.c engine/base/err.c engine/base/prng.c
 *
 * With PARTYLINE_HLOG_OUT=FILE in the environment, leaves the sample log there, and what a
 * reader of it must find in FILE.json (tests/interop/hlog).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <zlib.h>

#include "engine/base/prng.h"
#include "engine/run/hlog.h"

#define LEGEND                                                                                     \
    "#[Histogram log format version 1.3]\n"                                                        \
    "#[StartTime: 0.000 (seconds since epoch), Thu Jan 01 00:00:00 UTC 1970]\n"                    \
    "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"

/* ---- files ---- */

static char *text_of(FILE *f, size_t *len)
{
    long end = ftell(f);
    assert_true(end >= 0);
    char *text = malloc((size_t)end + 1);
    assert_non_null(text);
    rewind(f);
    *len = fread(text, 1, (size_t)end, f);
    assert_int_equal(*len, end);
    text[*len] = 0;
    fclose(f);
    return text;
}

static FILE *scratch(void)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    return f;
}

static int read_one(const char *text, size_t len, struct hlog_entry *out, struct err *e)
{
    struct hlog_reader r;
    hlog_open(&r, text, len);
    return hlog_read(&r, out, e);
}

/* ---- sample histograms: every kind of run and count that the encoding knows ---- */

enum { SAMPLES = 6 };
static const char *const sample_tags[SAMPLES] = {"direct/round", "direct;noise/completion",
                                                 "empty/round",  "zeros/wire_bytes",
                                                 "large/setup",  ""};

static void fill_sample(int which, struct hist *h)
{
    struct dice d = dice_name(1, "test hlog", (uint64_t)which, 0, 0);
    hist_init(h);
    if (which == 0) {
        for (int i = 0; i < 20000; i++)
            hist_add(h, 40000000 + dice_exp(&d, 15000000));
    } else if (which == 1) {
        for (int i = 0; i < 30; i++)
            hist_add(h, (int64_t)dice_below(&d, 3000));
    } else if (which == 3) {
        hist_add_n(h, 0, 7);
        hist_add(h, 2); /* a single zero between */
        hist_add(h, 5);
    } else if (which == 4) { /* as far as readers with 53-bit integers can follow */
        for (unsigned bits = 0; bits < 51; bits++)
            hist_add_n(h, (INT64_C(1) << bits) + (int64_t)dice_below(&d, UINT64_C(1) << bits),
                       UINT64_C(1) << (bits % 45));
    } else if (which == 5) {
        hist_add(h, 1234567);
    }
}

static char *sample_log(size_t *len)
{
    FILE *f = scratch();
    assert_non_null(f);
    assert_int_equal(hlog_write_header(f, "Partyline"), ERR_OK);
    for (int i = 0; i < SAMPLES; i++) {
        struct hist h;
        fill_sample(i, &h);
        assert_int_equal(hlog_write(f, sample_tags[i], 0, (i + 1) * NS_S, &h), ERR_OK);
        hist_free(&h);
    }
    return text_of(f, len);
}

static void expect_json(FILE *f, const struct hist *h)
{
    static const struct {
        const char *name;
        uint32_t ppm;
    } quantiles[] = {{"p50", HIST_P50}, {"p90", HIST_P90}, {"p99", HIST_P99}, {"p999", HIST_P999}};
    unsigned cursor = 0;
    int64_t value;
    uint64_t count;
    const char *comma = "";
    fprintf(f, "{\"count\": %" PRIu64 ", \"min\": %" PRId64 ", \"max\": %" PRId64, hist_count(h),
            hist_min(h), hist_max(h));
    for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++)
        fprintf(f, ", \"%s\": %" PRId64, quantiles[q].name, hist_quantile(h, quantiles[q].ppm));
    fprintf(f, ", \"buckets\": [");
    for (; hist_next(h, &cursor, &value, &count); comma = ", ")
        fprintf(f, "%s[%" PRId64 ", %" PRIu64 "]", comma, value, count);
    fprintf(f, "]}");
}

static void leaves_a_sample_for_other_readers(void **state)
{
    const char *path = getenv("PARTYLINE_HLOG_OUT");
    char json[4096];
    size_t len;
    (void)state;
    if (!path) {
        print_message("SKIP: PARTYLINE_HLOG_OUT is not set\n");
        skip();
    }
    assert_true(snprintf(json, sizeof json, "%s.json", path) < (int)sizeof json);
    char *text = sample_log(&len);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    free(text);
    f = fopen(json, "wb");
    assert_non_null(f);
    for (int i = 0; i < SAMPLES; i++) {
        struct hist h;
        fill_sample(i, &h);
        fprintf(f, "%s\"%s\": ", i ? ",\n " : "{", sample_tags[i]);
        expect_json(f, &h);
        hist_free(&h);
    }
    fprintf(f, "}\n");
    assert_int_equal(fclose(f), 0);
}

/* ---- writing and reading back ---- */

static void text_is_as_the_tools_write_it(void **state)
{
    size_t len;
    FILE *f = scratch();
    struct hist h = {0};
    (void)state;
    hist_add(&h, 3141500);
    assert_int_equal(hlog_write_header(f, "a\nb\r"), ERR_OK);
    assert_int_equal(hlog_write(f, "cell/round", 1499999, 12500 * NS_MS, &h), ERR_OK);
    assert_int_equal(hlog_write(f, NULL, 1500000, 0, &h), ERR_OK);
    char *text = text_of(f, &len);
    const char *want = "#[a b ]\n" LEGEND "Tag=cell/round,0.001,12.500,3.142,HISTFAAAA";
    assert_int_equal(strncmp(text, want, strlen(want)), 0);
    const char *second = strchr(text + strlen(want), '\n') + 1;
    want = "0.002,0.000,3.142,HISTFAAAA";
    assert_int_equal(strncmp(second, want, strlen(want)), 0);
    assert_int_equal(text[len - 1], '\n');
    free(text);
    hist_free(&h);
}

/* What every encoding begins with; bytes 4 to 7 are the payload's length. */
static const char HEAD[] = "\x1c\x84\x93\x13\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\1"
                           "\x3f\xff\xff\xff\xff\xff\xff\xff\x3f\xf0\0\0\0\0\0\0";

/* The log keeps to HdrHistogram's habits: one zero is 0, more are a run, empty is one zero. */
static void bytes_are_as_the_tools_write_them(void **state)
{
    static const struct {
        int64_t values[3];
        const char *payload;
        size_t len;
    } known[] = {{{-1, -1, -1}, "\x00", 1},
                 {{0, 0, 1}, "\x04\x02", 2},
                 {{1, 3, 3}, "\x00\x02\x00\x04", 4},
                 {{2, 2, 2}, "\x03\x06", 2},
                 {{2048, 2048, 4096}, "\xff\x1f\x04\xfd\x0f\x02", 6}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t packed[200], plain[200];
        uLongf plain_len = sizeof plain;
        size_t len, packed_len;
        struct hist h = {0};
        FILE *f = scratch();
        assert_non_null(f);
        for (int k = 0; k < 3; k++)
            hist_add(&h, known[i].values[k]);
        assert_int_equal(hlog_write(f, NULL, 0, 0, &h), ERR_OK);
        char *text = text_of(f, &len), *last = strrchr(text, ',') + 1;
        assert_int_equal(sodium_base642bin(packed, sizeof packed, last, strlen(last), "\n",
                                           &packed_len, NULL, sodium_base64_VARIANT_ORIGINAL),
                         0);
        assert_memory_equal(packed, "\x1c\x84\x93\x14\0\0\0", 7);
        assert_int_equal(packed[7], packed_len - 8);
        assert_int_equal(uncompress(plain, &plain_len, packed + 8, packed_len - 8), Z_OK);
        assert_int_equal(plain_len, 40 + known[i].len);
        assert_int_equal(plain[7], known[i].len);
        plain[7] = 0;
        assert_memory_equal(plain, HEAD, 40);
        assert_memory_equal(plain + 40, known[i].payload, known[i].len);
        free(text);
        hist_free(&h);
    }
}

static void reads_back_what_it_wrote(void **state)
{
    size_t len;
    struct hlog_reader r;
    struct hlog_entry got;
    struct err e = {0};
    char *text = sample_log(&len);
    (void)state;
    hlog_open(&r, text, len);
    for (int i = 0; i < SAMPLES; i++) {
        struct hist h;
        fill_sample(i, &h);
        assert_int_equal(hlog_read(&r, &got, &e), ERR_OK);
        assert_string_equal(got.tag, sample_tags[i]);
        assert_int_equal(got.start, 0);
        assert_int_equal(got.length, (i + 1) * NS_S);
        assert_true(hist_equal_counts(&got.hist, &h));
        if (hist_count(&h)) {
            assert_int_equal(hist_min(&got.hist), hist_slot_low(hist_slot(hist_min(&h))));
            assert_int_equal(hist_max(&got.hist), hist_slot_high(hist_slot(hist_max(&h))));
            uint64_t a = hist_sum(&h), b = hist_sum(&got.hist);
            assert_true(a > b ? a - b <= a / 1024 : b - a <= a / 1024);
            assert_int_equal(hist_restore(&got.hist, hist_min(&h), hist_max(&h), a), ERR_OK);
        }
        assert_true(hist_equal(&got.hist, &h));
        hist_free(&got.hist);
        hist_free(&h);
    }
    assert_int_equal(hlog_read(&r, &got, &e), ERR_ABSENT);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_ABSENT);
    free(text);
}

static void full_range_and_largest_counts(void **state)
{
    struct dice d = dice_name(9, "test hlog", 0, 0, 0);
    struct hist h = {0};
    struct hlog_entry got;
    size_t len;
    FILE *f = scratch();
    (void)state;
    for (unsigned s = 0; s < HIST_SLOTS; s++) /* no two neighbours alike: the worst to compress */
        hist_add_n(&h, hist_slot_low(s), dice_u64(&d) >> (20 + dice_below(&d, 40)));
    hist_add_n(&h, HIST_MAX, INT64_MAX - hist_count(&h));
    assert_int_equal(hlog_write(f, "", 0, 0, &h), ERR_OK);
    char *text = text_of(f, &len);
    assert_int_equal(read_one(text, len, &got, NULL), ERR_OK);
    assert_int_equal(hist_count(&got.hist), INT64_MAX);
    assert_true(hist_equal_counts(&got.hist, &h));
    hist_free(&got.hist);
    hist_free(&h);
    free(text);
}

/* Written by HdrHistogram 2.1.11 (Java): 0, 3 times 1, 2048, 2049, 4100, 100 times 12345678,
 * 5 * 10^9 times 1000000007; an empty one over another range; one with two digits. */
static void reads_what_hdrhistogram_wrote(void **state)
{
    static const char text[] = LEGEND
        "Tag=java/round,0.000,12.500,1000.342,"
        "HISTFAAAADN42pNpmSzMwMAgwgABzFCa0f4/BNh/gAgwsf2WZ/nPz3RwO+MJxrlpDSfWL1AFAKQAEf0=\r\n"
        "\n"
        "0.000,0.001,0.000,HISTFAAAAB942pNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwSI\n"
        "Tag=two,0.000,0.001,0.000,HISTFAAAACF42pNpmSzMwMDAxAABMJoRRFybvITB/gNEgJMJAFonBJM=";
    struct hist h = {0};
    struct hlog_reader r;
    struct hlog_entry got;
    struct err e = {0};
    (void)state;
    hist_add(&h, 0);
    hist_add_n(&h, 1, 3);
    hist_add(&h, 2048);
    hist_add(&h, 2049);
    hist_add(&h, 4100);
    hist_add_n(&h, 12345678, 100);
    hist_add_n(&h, 1000000007, UINT64_C(5000000000));
    hlog_open(&r, text, sizeof text - 1);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_OK);
    assert_string_equal(got.tag, "java/round");
    assert_int_equal(got.length, 12500 * NS_MS);
    assert_true(hist_equal_counts(&got.hist, &h));
    assert_int_equal(hist_max(&got.hist), 1000341503);
    assert_int_equal(hist_quantile(&got.hist, HIST_P50), 1000341503);
    hist_free(&got.hist);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_OK);
    assert_string_equal(got.tag, "");
    assert_int_equal(hist_count(&got.hist), 0);
    hist_free(&got.hist);
    assert_int_equal(hlog_read(&r, &got, &e), ERR_UNSUPPORTED);
    assert_int_equal(e.code, ERR_UNSUPPORTED);
    assert_string_equal(e.text, "line 7: the histogram: not supported here");
    assert_int_equal(hlog_read(&r, &got, &e), ERR_ABSENT);
    hist_free(&h);
}

static void tags(void **state)
{
    char out[HLOG_TAG + 1], name[HLOG_TAG + 8];
    struct hist h = {0};
    FILE *f = scratch();
    (void)state;
    assert_int_equal(hlog_tag(out, "direct, noise\tx\n", "round"), ERR_OK);
    assert_string_equal(out, "direct;_noise_x_/round");
    assert_int_equal(hlog_tag(out, "", "wire_bytes"), ERR_OK);
    assert_string_equal(out, "wire_bytes");
    assert_int_equal(hlog_tag(out, "caf\xc3\xa9", "rtt"), ERR_OK);
    assert_string_equal(out, "caf\xc3\xa9/rtt");
    memset(name, 'a', sizeof name);
    name[HLOG_TAG - 2] = 0;
    assert_int_equal(hlog_tag(out, name, "r"), ERR_OK);
    assert_int_equal(strlen(out), HLOG_TAG);
    assert_int_equal(hlog_tag(out, name, "rr"), ERR_TOO_BIG);
    assert_string_equal(out, "");
    assert_int_equal(hlog_write(f, "a,b", 0, 0, &h), ERR_INVALID);
    assert_int_equal(hlog_write(f, "a b", 0, 0, &h), ERR_INVALID);
    assert_int_equal(hlog_write(f, "a\nb", 0, 0, &h), ERR_INVALID);
    name[HLOG_TAG - 2] = 'a';
    name[HLOG_TAG + 1] = 0;
    assert_int_equal(hlog_write(f, name, 0, 0, &h), ERR_INVALID);
    assert_int_equal(ftell(f), 0);
    fclose(f);
}

static void a_full_disk_is_an_error(void **state)
{
    FILE *f = fopen("/dev/full", "w");
    struct hist h = {0};
    (void)state;
    if (!f) {
        print_message("SKIP: no /dev/full\n");
        skip();
    }
    setvbuf(f, NULL, _IONBF, 0);
    assert_int_equal(hlog_write(f, "a", 0, 0, &h), ERR_IO);
    assert_int_equal(hlog_write_header(f, NULL), ERR_IO);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_a_sample_for_other_readers),
        cmocka_unit_test(text_is_as_the_tools_write_it),
        cmocka_unit_test(bytes_are_as_the_tools_write_them),
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(full_range_and_largest_counts),
        cmocka_unit_test(reads_what_hdrhistogram_wrote),
        cmocka_unit_test(tags),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
