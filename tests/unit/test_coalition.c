/* links: everything but engine/main.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "engine/observers/coalition.h"
#include "engine/observers/record.h"

enum { N = 5, ROWS = 400 };

static struct exposure rows[ROWS];
static size_t n_rows;

static void address(party_t who, party_t whom, uint8_t level)
{
    rows[n_rows++] = (struct exposure){
        .what = "party_address", .who = who, .whom = whom, .other = PARTY_NONE, .level = level};
}
static void pair(party_t who, party_t a, party_t b)
{
    rows[n_rows++] =
        (struct exposure){.what = "party_pair", .who = who, .whom = a, .other = b, .level = 2};
}
static void input(party_t who, party_t whom)
{
    rows[n_rows++] = (struct exposure){
        .what = "party_input", .who = who, .whom = whom, .other = PARTY_NONE, .level = 2};
}

static struct coalition made(uint32_t services)
{
    struct coalition c;
    assert_int_equal(coalition_make(&c, rows, n_rows, N + services, N), OK);
    n_rows = 0;
    return c;
}

static void all_pairs(const struct coalition *c, unsigned expected)
{
    for (party_t a = 0; a < N; a++)
        for (party_t b = 0; b < N; b++)
            if (a != b)
                assert_int_equal(coalition_pair(c, a, b), expected);
}

/* METRICS.md, M1: direct 1, relay 1, TURN on two servers 2, mix 2. */
static void closed_forms(void **state)
{
    struct coalition c;
    bool exhaustive;
    (void)state;
    for (party_t a = 0; a < N; a++)
        for (party_t b = 0; b < N; b++)
            if (a != b)
                address(a, b, 2);
    c = made(0);
    all_pairs(&c, 1);
    assert_int_equal(coalition_best(&c, 1, &exhaustive), N - 1);
    assert_int_equal(coalition_best(&c, 2, &exhaustive), N - 2);
    assert_true(exhaustive);
    coalition_free(&c);

    for (party_t a = 0; a < N; a++) {
        address(N, a, 2);
        for (party_t b = 0; b < a; b++)
            pair(N, b, a);
    }
    c = made(1);
    all_pairs(&c, 1);
    assert_int_equal(coalition_best(&c, 1, &exhaustive), N);
    coalition_free(&c);

    for (party_t a = 0; a < N; a++) /* each server, or gateway, its own clients */
        address(N + a, a, 2);
    c = made(N);
    all_pairs(&c, 2);
    assert_int_equal(coalition_best(&c, 1, &exhaustive), 1);
    assert_int_equal(coalition_best(&c, 3, &exhaustive), 3);
    assert_int_equal(coalition_address(&c, 2), 1);
    coalition_free(&c);
}

static void what_is_no_coalition(void **state)
{
    struct coalition c;
    (void)state;
    address(1, 0, 1); /* seen, tied to nobody */
    address(99, 0, 2);
    address(2 * N, 0, 2); /* an ISP */
    input(3, 2);
    pair(4, 0, 1); /* knows that they talk, and no address */
    c = made(0);
    assert_int_equal(coalition_address(&c, 0), 0);
    assert_int_equal(coalition_pair(&c, 0, 1), 0);
    assert_int_equal(coalition_input(&c, 2), 1);
    assert_int_equal(coalition_input(&c, 3), 0);
    coalition_free(&c);
    c = made(0);
    all_pairs(&c, 0);
    coalition_free(&c);
}

static void greedy_beyond_ten_thousand(void **state)
{
    struct exposure some[60];
    struct coalition c;
    bool exhaustive;
    (void)state;
    for (unsigned i = 0; i < 60; i++)
        some[i] = (struct exposure){
            .what = "party_address", .who = 60 + i, .whom = i, .other = PARTY_NONE, .level = 2};
    assert_int_equal(coalition_make(&c, some, 60, 120, 60), OK);
    assert_int_equal(coalition_best(&c, 2, &exhaustive), 2);
    assert_true(exhaustive); /* 7140 */
    assert_int_equal(coalition_best(&c, 3, &exhaustive), 3);
    assert_false(exhaustive); /* 280840 */
    coalition_free(&c);
}

/* ---- recordings ------------------------------------------------------------------------- */

static size_t head_with_two(uint8_t *out)
{
    static const struct addr nowhere;
    size_t len = RECORD_HEAD;
    record_head(out, 0xff, 2, 1, 2);
    for (int i = 0; i < 2; i++) {
        memcpy(out + len, "\1a\1b", 4);
        len += 4 + record_address(out + len + 4, &nowhere);
    }
    memcpy(out + len, "\2eu\2us", 6);
    return len + 6;
}

static void records_come_back(void **state)
{
    const struct packet_truth truth = {TRUTH_COVER_DROP, 7, PARTY_NONE, UINT64_C(1) << 40};
    const struct shown shown = {
        .kind = SHOWN_ROUTE, .whom = PARTY_NONE, .other = 1, .addr.port = 9, .delay = -5};
    const struct retained kept = {.record = 1, .fields = KEPT_PAIR, .bits = 99, .until = NS_NEVER};
    const struct sighting in[] = {{.when = 5,
                                   .at = 1,
                                   .beyond = PARTY_NONE,
                                   .point = SIGHT_LINE,
                                   .out = true,
                                   .opens = true,
                                   .bytes = 60,
                                   .packets = 1,
                                   .from = {{1}, 2},
                                   .to = {{3}, 4}},
                                  {.when = 6, .at = 0, .beyond = 1, .point = SIGHT_BORDER},
                                  {.when = 7, .at = 1, .beyond = PARTY_NONE, .visible = &shown},
                                  {.when = 8, .at = 0, .beyond = PARTY_NONE, .kept = &kept}};
    uint8_t bytes[1024];
    size_t len = head_with_two(bytes), whole;
    struct record_entry x;
    struct record r;
    struct err e;
    (void)state;
    len += record_truth(bytes + len, &truth, 1234);
    for (int i = 0; i < 4; i++)
        len += record_sighting(bytes + len, &in[i]);
    len += record_owner(bytes + len, &in[0].from, 1);
    len += record_end(bytes + len, 1000, 4, true);
    whole = len;
    assert_int_equal(record_open(&r, bytes, len, &e), OK);
    assert_int_equal(record_next(&r, &x, &e), OK);
    assert_true(x.truth.kind == truth.kind && x.truth.from == 7 && x.truth.to == PARTY_NONE);
    assert_true(x.truth.serial == truth.serial && x.on_stream == 1234);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(record_next(&r, &x, &e), OK);
        assert_memory_equal(&x.sighting, &in[i], offsetof(struct sighting, point));
        assert_int_equal(x.sighting.bytes, in[i].bytes);
        assert_true(x.sighting.out == in[i].out && x.sighting.opens == in[i].opens);
        assert_true(addr_equal(&x.sighting.from, &in[i].from));
    }
    assert_int_equal(record_next(&r, &x, &e), OK);
    assert_true(x.sighting.visible && x.shown.delay == -5 && x.shown.addr.port == 9);
    assert_int_equal(record_next(&r, &x, &e), OK);
    assert_true(x.sighting.kept && x.retained.until == NS_NEVER && x.retained.bits == 99);
    assert_int_equal(record_next(&r, &x, &e), OK);
    assert_int_equal(x.owner, 1);
    assert_int_equal(record_next(&r, &x, &e), OK);
    assert_true(x.kind == 'E' && x.ended == 1000 && x.sightings == 4 && x.cut);
    assert_int_equal(record_next(&r, &x, &e), ERR_ABSENT);
    for (len = 0; len < whole; len++) { /* cut anywhere, it is refused */
        int rc = record_open(&r, bytes, len, &e);
        while (rc == OK)
            rc = record_next(&r, &x, &e);
        assert_int_equal(rc, ERR_FORMAT);
    }
}

static void bad_records_are_refused(void **state)
{
    struct sighting s = {.at = 2, .beyond = PARTY_NONE}; /* no such node */
    uint8_t bytes[256];
    size_t len = head_with_two(bytes), n;
    struct record_entry x;
    struct record r;
    struct err e;
    (void)state;
    n = record_sighting(bytes + len, &s);
    assert_int_equal(record_open(&r, bytes, len + n, &e), OK);
    assert_int_equal(record_next(&r, &x, &e), ERR_FORMAT);
    s = (struct sighting){.at = 1, .beyond = 2, .point = SIGHT_BORDER};
    n = record_sighting(bytes + len, &s);
    assert_int_equal(record_open(&r, bytes, len + n, &e), OK);
    assert_int_equal(record_next(&r, &x, &e), ERR_FORMAT);
    bytes[RECORD_HEAD + 1] = '\n';
    assert_int_equal(record_open(&r, bytes, len, &e), ERR_FORMAT);
    record_head(bytes, 0, UINT32_MAX, 0, 0);
    assert_int_equal(record_open(&r, bytes, len, &e), ERR_FORMAT);
    record_head(bytes, 0, 1, 2, 0);
    assert_int_equal(record_open(&r, bytes, len, &e), ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(what_is_no_coalition),
        cmocka_unit_test(greedy_beyond_ten_thousand),
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(bad_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
