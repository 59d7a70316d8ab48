/* links: transports/reliable.c transports/reliable_in.c transports/reliable_out.c
 * transports/reliable_loss.c engine/base/err.c engine/base/prng.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "engine/base/bytes.h"
#include "engine/base/prng.h"
#include "tests/unit/reliable_pipe.h"

static const struct pipe_way way = {.delay = 10 * NS_MS};

static void make_up(struct pipe *p, const struct reliable_setup *setup)
{
    pipe_make(p, setup, way, 1);
    pipe_open(&p->end[0]);
    pipe_open(&p->end[1]);
    pipe_run(p, 100 * NS_MS);
    assert_int_equal(p->end[0].ups, 1);
    assert_int_equal(p->end[1].ups, 1);
}

/* ---- sessions ----------------------------------------------------------------------------- */

static void test_restart(void **state)
{
    struct pipe p;
    (void)state;
    make_up(&p, NULL);
    reliable_send(&p.end[0].r, p.now, "before", 6);
    pipe_run(&p, p.now + NS_S);
    for (int i = 0; i < 6; i++) { /* it dies without a word, with something on its way */
        struct reliable_setup s = p.end[1].r.setup;
        reliable_send(&p.end[1].r, p.now, "lost?", 5);
        reliable_free(&p.end[1].r);
        assert_int_equal(reliable_init(&p.end[1].r, &s, NULL), OK);
        pipe_open(&p.end[1]);
        pipe_run(&p, p.now + NS_S);
        assert_int_equal(p.end[0].downs, i + 1);
        assert_int_equal(p.end[0].why, DOWN_RESET);
        assert_int_equal(p.end[0].ups, i + 2);
        assert_int_equal(p.end[1].ups, i + 2);
        assert_int_equal(p.end[0].r.peer, p.end[1].r.token);
        reliable_send(&p.end[0].r, p.now, "again", 5);
        reliable_send(&p.end[1].r, p.now, "again", 5);
        pipe_run(&p, p.now + NS_S);
    }
    assert_int_equal(p.end[1].got, 6 + 6 * 5);
    assert_int_equal(p.end[1].downs, 0);
    pipe_free(&p);
}

static void test_close(void **state)
{
    struct pipe p;
    (void)state;
    make_up(&p, NULL);
    reliable_close(&p.end[0].r, p.now);
    assert_int_equal(p.end[0].downs, 0);
    assert_int_equal(reliable_send(&p.end[0].r, p.now, "x", 1), ERR_CLOSED);
    pipe_run(&p, p.now + NS_S);
    assert_int_equal(p.end[1].why, DOWN_CLOSED);
    assert_int_equal(p.end[1].r.state, RELIABLE_CLOSED);
    pipe_open(&p.end[0]);
    pipe_open(&p.end[1]);
    pipe_run(&p, p.now + NS_S);
    assert_int_equal(p.end[0].ups + p.end[1].ups, 4);
    pipe_free(&p);
}

/* The peer falls silent: in time both know, and go on when the path is there again. */
static void test_silence(void **state)
{
    struct pipe p;
    ns_t cut;
    (void)state;
    make_up(&p, NULL);
    p.end[0].reopen = p.end[1].reopen = true;
    pipe_run(&p, 100 * NS_S); /* idle, and alive */
    assert_int_equal(p.end[0].downs + p.end[1].downs, 0);
    assert_in_range(p.end[0].r.counts.sent, 4, 30);
    cut = p.now;
    p.way[0].loss_ppm = p.way[1].loss_ppm = 1000000;
    while (!p.end[0].downs && pipe_step(&p, cut + 200 * NS_S))
        ;
    assert_int_equal(p.end[0].why, DOWN_TIMEOUT);
    assert_in_range(p.now - cut, 20 * NS_S, 46 * NS_S);
    pipe_run(&p, cut + 100 * NS_S);
    p.way[0].loss_ppm = p.way[1].loss_ppm = 0;
    pipe_run(&p, p.now + 15 * NS_S);
    assert_int_equal(p.end[0].ups, 2);
    assert_int_equal(p.end[1].ups, 2);
    reliable_send(&p.end[0].r, p.now, "back", 4);
    pipe_run(&p, p.now + NS_S);
    assert_int_equal(p.end[1].got, 4);
    pipe_free(&p);
}

/* ---- strangers ---------------------------------------------------------------------------- */

static size_t datagram(uint8_t *out, uint8_t flags, uint64_t to, uint64_t from)
{
    out[0] = (uint8_t)(RELIABLE_VERSION << 4 | flags);
    put_le64(out + 1, to);
    put_le64(out + 9, from);
    return RELIABLE_HEADER;
}

static size_t data_at(uint8_t *out, const struct pipe_end *to, uint64_t number, uint64_t offset,
                      size_t len)
{
    datagram(out, RELIABLE_DATA, to->r.token, to->r.peer);
    put_le64(out + 17, number);
    put_le64(out + 25, offset);
    memset(out + 33, 1, len);
    return 33 + len;
}

static void test_foreign(void **state)
{
    uint8_t d[2000];
    struct pipe p;
    struct pipe_end *e = &p.end[0];
    struct dice dice = dice_name(1, "foreign", 0, 0, 0);
    (void)state;
    make_up(&p, NULL);
    for (int i = 0; i < 1000; i++) {
        size_t len = datagram(d, (uint8_t)(i & 15), dice_u64(&dice), e->r.peer) + (size_t)(i % 60);
        assert_int_not_equal(reliable_input(&e->r, p.now, d, len), OK);
    }
    assert_int_equal(e->r.counts.foreign + e->r.counts.format, 1000);
    /* a blind hello: answered with as much, nothing kept */
    assert_int_equal(reliable_input(&e->r, p.now, d, datagram(d, 0, 0, 77)), OK);
    assert_int_equal(e->r.peer, p.end[1].r.token);
    /* close and data of the right token, from another one's: only what names both counts */
    datagram(d, RELIABLE_CLOSE, e->r.token, 77);
    assert_int_equal(reliable_input(&e->r, p.now, d, RELIABLE_HEADER), ERR_AUTH);
    assert_int_equal(e->downs, 0);
    /* our own, sent back */
    datagram(d, 0, e->r.token, e->r.token);
    assert_int_equal(reliable_input(&e->r, p.now, d, RELIABLE_HEADER), ERR_AUTH);
    pipe_free(&p);
}

static void test_malformed(void **state)
{
    uint8_t d[2000] = {0};
    struct pipe p;
    struct pipe_end *e = &p.end[0];
    size_t len;
    (void)state;
    make_up(&p, NULL);
    len = data_at(d, e, 1, 0, 40);
    for (size_t n = 0; n < RELIABLE_DATA_HEADER + 1; n++)
        if (n != RELIABLE_HEADER)
            assert_int_equal(reliable_input(&e->r, p.now, d, n), ERR_FORMAT);
    d[0] = 0x20 | RELIABLE_DATA;
    assert_int_equal(reliable_input(&e->r, p.now, d, len), ERR_FORMAT);
    /* what was never sent is acknowledged */
    for (int i = 0; i < 4; i++) {
        datagram(d, RELIABLE_ACK, e->r.token, e->r.peer);
        memset(d + 17, 0, 60);
        if (i == 0)
            put_le64(d + 17, e->r.transmission + 1);
        if (i == 1)
            put_le64(d + 33, 1);
        d[45] = i == 2 ? 200 : 1;
        if (i == 3)
            put_le32(d + 50, 5);
        len = 46 + 8 * (size_t)d[45];
        assert_int_equal(reliable_input(&e->r, p.now, d, len), ERR_FORMAT);
    }
    assert_int_equal(e->downs, 0);
    /* a message above the limit ends the session, and the peer is told */
    len = data_at(d, e, 1, 0, 4);
    put_le32(d + 33, LINK_MESSAGE_MAX + 1);
    reliable_input(&e->r, p.now, d, len);
    assert_int_equal(e->why, DOWN_TOO_BIG);
    pipe_run(&p, p.now + NS_S);
    assert_int_equal(p.end[1].why, DOWN_CLOSED);
    pipe_free(&p);
}

/* A peer that knows the tokens makes us keep no more than the window and so many ranges. */
static void test_flood(void **state)
{
    uint8_t d[2000];
    struct pipe p;
    struct pipe_end *e = &p.end[0];
    struct reliable_setup s;
    struct dice dice = dice_name(2, "flood", 0, 0, 0);
    (void)state;
    reliable_defaults(&s, NULL, NULL);
    s.window = 200000;
    s.segments = 64;
    make_up(&p, &s);
    for (uint64_t i = 1; i <= 20000; i++) {
        uint64_t offset = dice_below(&dice, 8) ? 10 + dice_below(&dice, 250000) : dice_u64(&dice);
        reliable_input(&e->r, p.now, d, data_at(d, e, i, offset, 1 + dice_below(&dice, 100)));
    }
    assert_int_equal(e->got, 0);
    assert_true(e->r.counts.beyond > 1000);
    assert_true(e->r.in.cap <= 4 * s.window);
    assert_true(e->r.ranges_cap <= 2 * s.segments && e->r.n_ranges <= s.segments);
    assert_int_equal(e->r.out.cap, 0);
    pipe_free(&p);
}

/* What a node gives to a peer that takes nothing is bounded, too; and goes on afterwards. */
static void test_back_pressure(void **state)
{
    static uint8_t body[30000];
    struct reliable_setup s;
    struct pipe p;
    int n = 0;
    (void)state;
    reliable_defaults(&s, NULL, NULL);
    s.queue = 100000;
    s.silence = 1000 * NS_S;
    make_up(&p, &s);
    p.end[1].dead = true;
    while (reliable_send(&p.end[0].r, p.now, body, sizeof body) == OK)
        n++;
    assert_int_equal(n, 3);
    pipe_run(&p, p.now + 60 * NS_S);
    assert_int_equal(reliable_send(&p.end[0].r, p.now, body, sizeof body), ERR_AGAIN);
    assert_int_equal(p.end[0].rooms, 0);
    assert_true(p.end[0].r.out.cap <= 4 * s.queue);
    p.end[1].dead = false;
    pipe_run(&p, p.now + 60 * NS_S);
    assert_int_equal(p.end[0].rooms, 1);
    assert_int_equal(p.end[1].got, 3 * sizeof body);
    pipe_free(&p);
}

/* Datagrams of an earlier session come late: they change nothing in the new one. */
static void test_late(void **state)
{
    struct pipe p;
    struct reliable_setup s;
    uint8_t d[2000];
    size_t len;
    (void)state;
    make_up(&p, NULL);
    len = data_at(d, &p.end[0], 9, 0, 5);
    put_le32(d + 33, 1);
    s = p.end[1].r.setup;
    reliable_free(&p.end[1].r);
    reliable_init(&p.end[1].r, &s, NULL);
    pipe_open(&p.end[1]);
    pipe_run(&p, p.now + NS_S);
    assert_int_equal(p.end[0].ups, 2);
    assert_int_equal(reliable_input(&p.end[0].r, p.now, d, len), ERR_AUTH);
    assert_int_equal(p.end[0].got, 0);
    assert_int_equal(p.end[0].ups, 2);
    pipe_free(&p);
}

/* ---- setting up --------------------------------------------------------------------------- */

static void test_limits(void **state)
{
    struct reliable_setup good, s;
    struct reliable r;
    struct err e;
    (void)state;
    reliable_defaults(&good, &pipe_ops, NULL);
    assert_int_equal(reliable_init(&r, &good, &e), OK);
#define BAD(change)                                                                                \
    s = good;                                                                                      \
    s.change;                                                                                      \
    assert_int_equal(reliable_init(&r, &s, &e), ERR_INVALID)
    BAD(datagram_max = RELIABLE_DATAGRAM_MIN - 1);
    BAD(datagram_max = RELIABLE_DATAGRAM_MAX + 1);
    BAD(message_max = 0);
    BAD(queue = LINK_MESSAGE_MAX);
    BAD(window = LINK_MESSAGE_MAX + 3);
    BAD(window = (size_t)1 << 31);
    BAD(segments = 0);
    BAD(initial_window = 0);
    BAD(reorder = 0);
    BAD(ack_every = 0);
    BAD(rto_min = 0);
    BAD(rto_max = NS_MS);
    BAD(silence = 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),       cmocka_unit_test(test_close),
        cmocka_unit_test(test_silence),       cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_malformed),     cmocka_unit_test(test_flood),
        cmocka_unit_test(test_back_pressure), cmocka_unit_test(test_late),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
