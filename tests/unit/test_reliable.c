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

enum { MIB = 1 << 20 };

/* ---- numbered messages in both directions ------------------------------------------------- */

static struct {
    uint64_t total; /* bytes that each end sends */
    uint32_t sent[2], got[2];
    uint64_t sent_bytes[2], got_bytes[2];
    size_t most;
    bool one_way;
} flow;

static size_t flow_size(int side, uint32_t k)
{
    struct dice d = dice_name(3, "size", (uint64_t)side, k, 0);
    size_t small = 1 + (size_t)dice_below(&d, 300);
    return dice_below(&d, 4) ? small : 1 + (size_t)dice_below(&d, flow.most);
}

static void flow_fill(uint8_t *out, size_t len, int side, uint32_t k)
{
    struct dice d = dice_name(3, "body", (uint64_t)side, k, 0);
    for (size_t i = 0; i < len; i++)
        out[i] = i % 8 ? (uint8_t)(out[i - 1] * 5 + 1) : (uint8_t)dice_u64(&d);
}

static int side_of(const struct pipe_end *e)
{
    return e == &e->pipe->end[1];
}

static void flow_pump(struct pipe_end *e)
{
    static uint8_t body[LINK_MESSAGE_MAX];
    int side = side_of(e), rc = OK;
    while (flow.sent_bytes[side] < flow.total && !(flow.one_way && side)) {
        size_t len = flow_size(side, flow.sent[side]);
        flow_fill(body, len, side, flow.sent[side]);
        rc = reliable_send(&e->r, e->pipe->now, body, len);
        if (rc != OK)
            break;
        flow.sent[side]++;
        flow.sent_bytes[side] += len;
    }
    assert_true(rc == OK || rc == ERR_AGAIN);
}

static void flow_take(struct pipe_end *e, const uint8_t *data, size_t len)
{
    static uint8_t body[LINK_MESSAGE_MAX];
    int from = !side_of(e);
    assert_int_equal(len, flow_size(from, flow.got[from]));
    flow_fill(body, len, from, flow.got[from]);
    assert_memory_equal(body, data, len);
    flow.got[from]++;
    flow.got_bytes[from] += len;
}

/* The time that it took, from both up to all delivered. */
static ns_t flow_run(const struct reliable_setup *setup, struct pipe_way way, uint64_t total,
                     bool one_way, ns_t limit, struct reliable_counts counts[2])
{
    struct pipe p;
    ns_t up;
    memset(&flow, 0, sizeof flow);
    flow.total = total;
    flow.one_way = one_way;
    flow.most = 20000;
    pipe_make(&p, setup, way, 7);
    for (int i = 0; i < 2; i++) {
        p.end[i].deliver = flow_take;
        p.end[i].room = flow_pump;
        pipe_open(&p.end[i]);
    }
    while (p.now < limit && !(p.end[0].ups && p.end[1].ups) && pipe_step(&p, limit))
        ;
    assert_int_equal(p.end[0].ups + p.end[1].ups, 2);
    up = p.now;
    flow_pump(&p.end[0]);
    flow_pump(&p.end[1]);
    while ((flow.got_bytes[0] < total || (!one_way && flow.got_bytes[1] < total)) &&
           pipe_step(&p, limit))
        ;
    assert_int_equal(flow.got[0], flow.sent[0]);
    assert_int_equal(flow.got[1], flow.sent[1]);
    assert_true(flow.got_bytes[0] >= total);
    up = p.now - up;
    pipe_run(&p, p.now + 20 * NS_S); /* all is acknowledged, and nothing comes twice */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p.end[i].r.out.len, 0);
        assert_int_equal(p.end[i].r.in.len, 0);
        assert_int_equal(p.end[i].r.in_flight, 0);
        assert_int_equal(p.end[i].downs, 0);
        if (counts)
            counts[i] = p.end[i].r.counts;
    }
    pipe_free(&p);
    return up;
}

/* ---- bad paths ---------------------------------------------------------------------------- */

static void test_clean(void **state)
{
    struct reliable_counts c[2];
    (void)state;
    flow_run(NULL, (struct pipe_way){.delay = 10 * NS_MS}, 2 * MIB, false, 60 * NS_S, c);
    assert_int_equal(c[0].resent + c[1].resent + c[0].duplicates + c[1].duplicates, 0);
    assert_int_equal(c[0].beyond + c[0].foreign + c[0].format, 0);
}

static void test_loss(void **state)
{
    static const uint32_t losses[] = {10000, 50000, 100000, 200000, 300000};
    struct reliable_counts c[2];
    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        struct pipe_way way = {.loss_ppm = losses[i], .delay = 5 * NS_MS};
        ns_t t = flow_run(NULL, way, i == 2 ? 2 * MIB : MIB, i != 2, 3000 * NS_S, c);
        print_message("loss %u ppm: %lld ms, %llu segments, %llu resent, %llu RTOs\n", losses[i],
                      (long long)(t / NS_MS), (unsigned long long)c[0].segments,
                      (unsigned long long)c[0].resent, (unsigned long long)c[0].timeouts);
        assert_true(c[0].resent > 0);
        assert_true(c[0].resent < 2 * c[0].segments);
    }
}

static void test_reordered_doubled(void **state)
{
    struct reliable_counts c[2];
    (void)state;
    flow_run(NULL, (struct pipe_way){.delay = 10 * NS_MS, .jitter = 20 * NS_MS}, 3 * MIB, false,
             300 * NS_S, c);
    print_message("reordered: %llu segments, %llu resent in vain\n",
                  (unsigned long long)c[0].segments, (unsigned long long)c[1].duplicates);
    assert_true(c[1].duplicates * 10 < c[0].segments);
    flow_run(
        NULL,
        (struct pipe_way){
            .loss_ppm = 100000, .double_ppm = 300000, .delay = 10 * NS_MS, .jitter = 30 * NS_MS},
        MIB, false, 900 * NS_S, c);
    assert_true(c[1].duplicates > 0);
}

/* Through a bottleneck most of its rate is used: BDP 125 kB, queue of as much. */
static void test_throughput(void **state)
{
    struct pipe_way way = {.delay = 25 * NS_MS, .bytes_per_s = 2500000, .queue = 125000};
    struct reliable_counts c[2];
    ns_t t = flow_run(NULL, way, 8 * MIB, true, 60 * NS_S, c);
    uint64_t share = flow.got_bytes[0] * 1000 / ((uint64_t)t * 2500000 / 1000000000U);
    (void)state;
    print_message("20 Mbit/s, 50 ms: %llu permille of the rate, %llu resent of %llu\n",
                  (unsigned long long)share, (unsigned long long)c[0].resent,
                  (unsigned long long)c[0].segments);
    assert_in_range(share, 800, 1000);
}

/* Seconds of delay, wildly reordered, as a mix makes them. */
static void test_slow_path(void **state)
{
    struct reliable_setup s;
    struct reliable_counts c[2];
    (void)state;
    reliable_defaults(&s, NULL, NULL);
    s.rto_first = 8 * NS_S;
    s.rto_min = 4 * NS_S;
    s.rto_max = 30 * NS_S;
    s.silence = 300 * NS_S;
    s.reorder = 1000;
    s.initial_window = 50;
    s.ack_every = 8;
    s.ack_delay = 500 * NS_MS;
    flow_run(&s, (struct pipe_way){.loss_ppm = 10000, .delay = NS_S, .jitter = 2 * NS_S}, MIB / 2,
             false, 2000 * NS_S, c);
    assert_true(c[1].duplicates * 10 < c[0].segments);
}

/* A small message over a lossy path of 2 ms does not wait for seconds. */
static void test_latency(void **state)
{
    struct pipe_way way = {.loss_ppm = 100000, .delay = NS_MS};
    struct pipe p;
    ns_t worst = 0;
    (void)state;
    pipe_make(&p, NULL, way, 5);
    pipe_open(&p.end[0]);
    pipe_open(&p.end[1]);
    pipe_run(&p, 60 * NS_S);
    for (int i = 0; i < 200; i++) {
        ns_t at = p.now;
        uint64_t got = p.end[1].got;
        assert_int_equal(reliable_send(&p.end[0].r, p.now, "hello", 5), OK);
        while (p.end[1].got == got && pipe_step(&p, at + 10 * NS_S))
            ;
        assert_int_equal(p.end[1].got, got + 5);
        worst = p.now - at > worst ? p.now - at : worst;
        pipe_run(&p, p.now + 5 * NS_MS);
    }
    print_message("10 %% loss, 2 ms: the worst of 200 took %lld ms\n", (long long)(worst / NS_MS));
    assert_true(worst < NS_S);
    pipe_free(&p);
}

/* ---- sizes -------------------------------------------------------------------------------- */

static size_t last_len;
static void note_len(struct pipe_end *e, const uint8_t *data, size_t len)
{
    (void)e;
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data[i], 'x');
    last_len = len;
}

static void test_sizes(void **state)
{
    static uint8_t big[LINK_MESSAGE_MAX + 1];
    static const size_t sizes[] = {1, 2, 1100, 1163, 1164, 1167, 1168, 5000, LINK_MESSAGE_MAX};
    static const size_t paths[] = {RELIABLE_DATAGRAM_MIN, 500, 1200, RELIABLE_DATAGRAM_MAX};
    (void)state;
    memset(big, 'x', sizeof big);
    for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++) {
        struct reliable_setup s;
        struct pipe p;
        reliable_defaults(&s, NULL, NULL);
        s.datagram_max = paths[k];
        pipe_make(&p, &s, (struct pipe_way){.delay = NS_MS, .loss_ppm = 20000}, 1);
        p.end[1].deliver = note_len;
        pipe_open(&p.end[0]);
        assert_int_equal(reliable_send(&p.end[0].r, 0, big, 1), ERR_CLOSED);
        pipe_open(&p.end[1]);
        pipe_run(&p, 20 * NS_S);
        assert_int_equal(reliable_send(&p.end[0].r, p.now, big, 0), ERR_TOO_BIG);
        assert_int_equal(reliable_send(&p.end[0].r, p.now, big, sizeof big), ERR_TOO_BIG);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            last_len = 0;
            assert_int_equal(reliable_send(&p.end[0].r, p.now, big, sizes[i]), OK);
            pipe_run(&p, p.now + 30 * NS_S);
            assert_int_equal(last_len, sizes[i]);
        }
        pipe_free(&p);
    }
}

/* On the wire: a hello, its answer, a message of 5 bytes, its acknowledgement. */
static void test_bytes(void **state)
{
    struct pipe p;
    (void)state;
    pipe_make(&p, NULL, (struct pipe_way){.delay = NS_MS}, 1);
    pipe_open(&p.end[1]); /* its hello is not heard: nobody is there */
    pipe_run(&p, NS_MS);
    assert_int_equal(p.end[1].wire, RELIABLE_HEADER);
    assert_int_equal(p.end[0].r.counts.foreign, 1);
    pipe_open(&p.end[0]);
    pipe_run(&p, 10 * NS_MS);
    assert_int_equal(p.end[0].ups + p.end[1].ups, 2);
    assert_int_equal(p.end[0].wire, 2 * RELIABLE_HEADER); /* hello, and the proof */
    assert_int_equal(p.end[1].wire, 3 * RELIABLE_HEADER); /* and the answer, and its own proof */
    reliable_send(&p.end[0].r, p.now, "hello", 5);
    pipe_run(&p, 30 * NS_MS);
    assert_int_equal(p.end[1].got, 5);
    assert_int_equal(p.end[0].wire,
                     2 * RELIABLE_HEADER + RELIABLE_DATA_HEADER + RELIABLE_FRAME + 5);
    assert_int_equal(p.end[1].wire, 3 * RELIABLE_HEADER + RELIABLE_HEADER + 29);
    pipe_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),      cmocka_unit_test(test_loss),
        cmocka_unit_test(test_throughput), cmocka_unit_test(test_reordered_doubled),
        cmocka_unit_test(test_slow_path),  cmocka_unit_test(test_latency),
        cmocka_unit_test(test_sizes),      cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
