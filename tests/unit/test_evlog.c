/* links: engine/run/evlog.c engine/run/evlog_read.c engine/base/err.c engine/base/prng.c */
#include "engine/run/evlog.h"

#include "engine/base/bytes.h"
#include "engine/base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BLOCK = 128 };

/* Event i of an invented trial; `turn` is the first that is another one. */
static struct evlog_event event_at(uint64_t i, uint64_t turn)
{
    struct dice d = dice_name(i >= turn ? 2 : 1, "event", i, 0, 0);
    uint64_t kind = dice_below(&d, EV_DOWN + 1);
    return (struct evlog_event){
        .at = (ns_t)(i * 1000),
        .node = (party_t)dice_below(&d, 3) + (i >= turn ? 3 : 0),
        .peer = kind >= EV_UP ? (party_t)dice_below(&d, 3) : PARTY_NONE,
        .link = kind >= EV_UP ? 1 + (link_t)dice_below(&d, 5) : 0,
        .kind = (enum event_kind)kind,
        .size = kind == EV_DATA || kind == EV_TIMER ? dice_u64(&d) >> dice_below(&d, 64) : 0,
    };
}

/* The file of n such events, told in blocks as the simulator does. */
static size_t make(uint64_t n, uint64_t turn, uint64_t digest, uint8_t **out)
{
    struct evlog_writer *w = evlog_writer_new();
    uint8_t records[BLOCK * TRACE_RECORD];
    party_t peers[BLOCK];
    size_t in = 0, len;
    assert_non_null(w);
    for (uint64_t i = 0; i < n; i++) {
        struct evlog_event e = event_at(i, turn);
        uint8_t *p = records + in * TRACE_RECORD;
        put_le64(p, (uint64_t)e.at);
        put_le64(p + 8, (uint64_t)e.node << 32 | e.link);
        put_le64(p + 16, (uint64_t)e.kind);
        put_le64(p + 24, e.size);
        peers[in++] = e.peer;
        if (in == BLOCK || i + 1 == n) {
            evlog_take(w, records, peers, in);
            in = 0;
        }
    }
    assert_int_equal(evlog_taken(w), n);
    assert_int_equal(evlog_pack(w, digest, out, &len), OK);
    evlog_writer_free(w);
    return len;
}

static struct evlog log_of(uint64_t n, uint64_t turn)
{
    struct evlog log;
    struct err e = {0};
    uint8_t *file;
    size_t len = make(n, turn, n + turn, &file);
    assert_true(len <= EVLOG_FILE_MAX);
    if (evlog_read(file, len, &log, &e) != OK)
        fail_msg("%s", e.text);
    free(file);
    return log;
}

static void test_what_is_written_is_read(void **state)
{
    static const uint64_t sizes[] = {0, 1, 127, 128, 129, EVLOG_STEP, EVLOG_EVENTS, 50001};
    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct evlog log = log_of(sizes[k], UINT64_MAX);
        assert_int_equal(log.n_all, sizes[k]);
        assert_int_equal(log.n, sizes[k] < EVLOG_EVENTS ? sizes[k] : EVLOG_EVENTS);
        assert_int_equal(log.n_marks, sizes[k] / EVLOG_STEP);
        assert_int_equal(log.digest, sizes[k] + UINT64_MAX);
        for (size_t i = 0; i < log.n; i++) {
            struct evlog_event want = event_at(i, UINT64_MAX), *got = &log.events[i];
            assert_true(got->at == want.at && got->node == want.node && got->peer == want.peer &&
                        got->link == want.link && got->kind == want.kind && got->size == want.size);
        }
        for (size_t i = 0; i < log.n_marks; i++)
            assert_int_equal(log.marks[i].at, ((i + 1) * EVLOG_STEP - 1) * 1000);
        evlog_free(&log);
    }
}

static struct evlog_part part_of(uint64_t n_a, uint64_t n_b, uint64_t turn)
{
    struct evlog a = log_of(n_a, UINT64_MAX), b = log_of(n_b, turn);
    struct evlog_part p = evlog_compare(&a, &b);
    evlog_free(&a);
    evlog_free(&b);
    return p;
}

static void test_the_first_difference(void **state)
{
    struct evlog_part p;
    (void)state;
    for (uint64_t turn = 0; turn < 300; turn += 13) {
        p = part_of(1000, 1000, turn);
        assert_int_equal(p.where, EVLOG_EVENT);
        assert_int_equal(p.from, turn + 1);
    }
    assert_int_equal(part_of(1000, 1000, UINT64_MAX).where, EVLOG_EQUAL);
    p = part_of(1000, 800, UINT64_MAX); /* one just ends */
    assert_int_equal(p.where, EVLOG_EVENT);
    assert_int_equal(p.from, 801);
    p = part_of(EVLOG_EVENTS, EVLOG_EVENTS, EVLOG_EVENTS - 1);
    assert_int_equal(p.where, EVLOG_EVENT);
    assert_int_equal(p.from, EVLOG_EVENTS);
}

static void test_beyond_the_events_kept(void **state)
{
    const uint64_t marks[] = {EVLOG_EVENTS, EVLOG_EVENTS + 1, 30000, 32767, 32768, 45055};
    struct evlog_part p;
    (void)state;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        p = part_of(45056, 45056, marks[i]);
        assert_int_equal(p.where, EVLOG_RANGE);
        assert_true(p.from <= marks[i] + 1 && marks[i] + 1 <= p.until);
        assert_int_equal(p.until - p.from + 1, EVLOG_STEP);
        assert_true(p.after < (ns_t)marks[i] * 1000 && p.at_a >= (ns_t)marks[i] * 1000);
        assert_int_equal(p.at_a, p.at_b);
    }
    p = part_of(50000, 50000, 49999); /* behind the last mark */
    assert_int_equal(p.where, EVLOG_RANGE);
    assert_int_equal(p.from, 49153);
    assert_int_equal(p.until, 50000);
    assert_int_equal(p.at_a, -1);
    p = part_of(40000, 50000, UINT64_MAX); /* one just ends */
    assert_int_equal(p.where, EVLOG_RANGE);
    assert_true(p.from <= 40001 && p.until >= 40001);
}

/* A long trial has as many marks as a short one, farther apart; logs of both still compare. */
static void test_it_is_bounded(void **state)
{
    uint64_t n = (uint64_t)EVLOG_MARKS * EVLOG_STEP + 5 * EVLOG_STEP;
    struct evlog_writer *w = evlog_writer_new();
    static uint8_t records[BLOCK * TRACE_RECORD];
    static party_t peers[BLOCK];
    struct evlog log, brief;
    struct err e = {0};
    uint8_t *file;
    size_t len;
    (void)state;
    for (uint64_t i = 0; i < n; i += BLOCK)
        evlog_take(w, records, peers, BLOCK);
    assert_int_equal(evlog_pack(w, 1, &file, &len), OK);
    evlog_writer_free(w);
    assert_true(len < 64 * 1024);
    assert_int_equal(evlog_read(file, len, &log, &e), OK);
    free(file);
    assert_int_equal(log.step, 2 * EVLOG_STEP);
    assert_int_equal(log.n_marks, n / (2 * EVLOG_STEP));
    w = evlog_writer_new();
    for (uint64_t i = 0; i < 100 * EVLOG_STEP; i += BLOCK)
        evlog_take(w, records, peers, BLOCK);
    assert_int_equal(evlog_pack(w, 2, &file, &len), OK);
    evlog_writer_free(w);
    assert_int_equal(evlog_read(file, len, &brief, &e), OK);
    free(file);
    for (size_t i = 1; i < brief.n_marks; i += 2)
        assert_int_equal(brief.marks[i].hash, log.marks[i / 2].hash);
    assert_int_equal(evlog_compare(&log, &brief).from, 100 * EVLOG_STEP + 1);
    evlog_free(&log);
    evlog_free(&brief);
}

static void refused(const uint8_t *file, size_t len)
{
    struct evlog log;
    struct err e = {0};
    uint8_t *copy = malloc(len + 1); /* exactly as long: a sanitiser sees what is read beyond */
    memcpy(copy, file, len);
    if (evlog_read(copy, len, &log, &e) == OK)
        fail_msg("a damaged log of %zu bytes was read", len);
    assert_int_equal(e.code, ERR_FORMAT);
    assert_true(e.text[0] != 0);
    assert_null(log.events);
    free(copy);
}

static void test_foreign_bytes(void **state)
{
    uint8_t *file, *bad;
    size_t len = make(9000, UINT64_MAX, 5, &file);
    static const struct {
        size_t at;
        uint32_t value;
    } heads[] = {{0, 0},           {16, 8999},  {16, 5},    {20, 1},         {24, 0},
                 {24, 4095},       {24, 12288}, {28, 0},    {28, 1 << 30},   {32, 9},
                 {32, UINT32_MAX}, {36, 0},     {36, 9000}, {36, UINT32_MAX}};
    (void)state;
    bad = malloc(len + 1);
    for (size_t cut = 0; cut < len; cut += cut < 80 ? 1 : 997)
        refused(file, cut);
    memcpy(bad, file, len);
    bad[len] = 0;
    refused(bad, len + 1);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        memcpy(bad, file, len);
        put_le32(bad + heads[i].at, heads[i].value);
        refused(bad, len);
    }
    memcpy(bad, file, len);
    put_le64(bad + 40, UINT64_MAX); /* a mark before the beginning of time */
    refused(bad, len);
    memcpy(bad, file, len);
    bad[len - 1] ^= 1; /* zlib's check sum */
    refused(bad, len);
    free(bad);
    free(file);
}

static void test_in_words(void **state)
{
    static const struct roster_entry who[] = {{.name = "alice"}, {.name = "bob"}};
    const struct roster r = {.n = 2, .n_parties = 2, .entries = who};
    struct evlog_event e = {.at = 7, .node = 1, .peer = 0, .link = 3, .kind = EV_DATA, .size = 9};
    char buf[128], small[12];
    (void)state;
    assert_string_equal(evlog_print(&e, &r, buf, sizeof buf),
                        "7 bob data link 3 from alice, 9 bytes");
    assert_int_equal(strlen(evlog_print(&e, &r, small, sizeof small)), sizeof small - 1);
    e.kind = EV_TIMER;
    assert_string_equal(evlog_print(&e, &r, buf, sizeof buf), "7 bob timer 9");
    e.kind = EV_DOWN; /* a reason that there is not, of a node that there is not */
    e.size = 99;
    e.peer = 77;
    assert_string_equal(evlog_print(&e, &r, buf, sizeof buf), "7 bob down link 3 with ?: ?");
    e = (struct evlog_event){.node = 0, .peer = PARTY_NONE, .kind = EV_START};
    assert_string_equal(evlog_print(&e, &r, buf, sizeof buf), "0 alice start");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read), cmocka_unit_test(test_the_first_difference),
        cmocka_unit_test(test_beyond_the_events_kept),  cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_foreign_bytes),           cmocka_unit_test(test_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
