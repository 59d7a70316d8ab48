/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* TCP in bulk: round trips of slow start, queues, losses and their repair, against what is
 * computed by hand. */
#include "tests/unit/sim_fake.h"

#include "engine/worlds/link/cubic.h"
#include "engine/worlds/link/tcp_bulk.h"

#define ONE_WAY (20 * NS_MS)
#define RTT (40 * NS_MS)

enum { PIECE = 65536 };

static unsigned pieces;
static struct tcp_spec spec;

/* alice sends so many messages of 64 KiB at once, when she is connected. */
static void upload(struct node *n, const struct event *ev)
{
    if (n->self == 0 && ev->kind == EV_START)
        fake_open(n, 1, LINK_BYTES);
    if (n->self == 0 && (ev->kind == EV_UP || ev->kind == EV_ROOM))
        while (fake.count < pieces && fake_send(n, ev->link, (uint8_t)fake.count, PIECE) == OK)
            fake.count++;
}

static ns_t last_arrival(void)
{
    return fake_find(1, EV_DATA, pieces - 1)->time - RTT;
}

static ns_t run_upload(unsigned n, const struct access *line)
{
    ns_t t;
    pieces = n;
    fake_world(2, upload);
    spec = tcp_linux;
    fake.spec.tcp = &spec;
    if (line)
        fake.hosts[0].access = *line;
    fake.spec.limit = 600 * NS_S;
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(fake_find(1, EV_DATA, i)->first, (uint8_t)i);
    t = last_arrival();
    return t;
}

static void slow_start_doubles(void **state)
{
    (void)state;
    /* 1 MiB is 725 segments: 10 + 20 + ... + 320 = 630 leave in six round trips, the others at the
     * beginning of the seventh. */
    assert_int_equal(run_upload(16, NULL), 6 * RTT + ONE_WAY);
    assert_int_equal(fake.result.metrics.counts[COUNT_RETRANSMITS], 0);
    fake_clear();
    /* 64 KiB: 46 segments, 10 + 20 + 16. */
    assert_int_equal(run_upload(1, NULL), 2 * RTT + ONE_WAY);
    fake_clear();
}

/* As in ns-3: written at once leaves together, a nanosecond later; the first segment is
 * acknowledged at once, then every second one. 46 segments: 10, 18 (9 of the 10 are acknowledged,
 * and 9 may follow), and the other 18 in the third round trip. */
static void slow_start_like_ns3(void **state)
{
    (void)state;
    pieces = 1;
    fake_world(2, upload);
    spec = tcp_ns3;
    fake.spec.tcp = &spec;
    fake.spec.limit = 600 * NS_S;
    fake_run();
    assert_int_equal(last_arrival(), 2 * RTT + ONE_WAY + 1);
    assert_int_equal(fake.result.metrics.counts[COUNT_RETRANSMITS], 0);
    fake_clear();
    /* Two at once: 91 segments, not 46 + 46. 10, 18, 36 of the first 64, then 27. */
    pieces = 2;
    fake_world(2, upload);
    fake.spec.tcp = &spec;
    fake.spec.limit = 600 * NS_S;
    fake_run();
    assert_int_equal(last_arrival(), 3 * RTT + ONE_WAY + 1);
    fake_clear();
}

static void the_receive_window_limits(void **state)
{
    ns_t t;
    (void)state;
    pieces = 16;
    fake_world(2, upload);
    spec = tcp_linux;
    spec.receive_window = 20 * TCP_MSS;
    fake.spec.tcp = &spec;
    fake.spec.limit = 600 * NS_S;
    fake_run();
    t = last_arrival();
    /* 725 segments: 10, then 20 a round trip. */
    assert_int_equal(t, 36 * RTT + ONE_WAY);
    fake_clear();
}

static void a_bottleneck_is_filled(void **state)
{
    /* 10 Mbit/s, no end to its queue: once full it never runs dry. 3 MiB and 2173 headers. */
    const struct access line = {.up_bps = 10000000};
    ns_t t = run_upload(48, &line), bytes = 48 * PIECE + 2173 * TCP_HEADERS;
    (void)state;
    assert_in_range(t, bytes * 800 + ONE_WAY, bytes * 800 + ONE_WAY + 3 * RTT);
    assert_int_equal(fake.result.metrics.counts[COUNT_RETRANSMITS], 0);
    fake_clear();
}

static void a_full_queue_drops(void **state)
{
    const struct access line = {.up_bps = 10000000, .queue_bytes = 30000};
    ns_t bytes = 48 * PIECE + 2173 * TCP_HEADERS;
    ns_t t = run_upload(48, &line);
    uint64_t drops = fake.result.metrics.drops[DROP_QUEUE];
    (void)state;
    assert_true(drops > 0);
    assert_int_equal(drops, fake.result.metrics.counts[COUNT_RETRANSMITS]);
    assert_int_equal(fake.result.metrics.drops[DROP_LOSS], 0);
    assert_in_range(t, bytes * 800, bytes * 800 * 13 / 10); /* no time-out, but for the last ones */
    fake_clear();
}

static void losses_are_repaired_and_have_their_rate(void **state)
{
    const struct access line = {.loss_ppm = 10000};
    uint64_t segments = 0, lost = 0, again = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        pieces = 32;
        fake_world(2, upload);
        fake.seed = seed;
        spec = tcp_linux;
        fake.spec.tcp = &spec;
        fake.hosts[0].access = line;
        fake.spec.limit = 600 * NS_S;
        fake_run();
        assert_int_equal(fake_count(1, EV_DATA), 32);
        segments += 1449;
        again += fake.result.metrics.counts[COUNT_RETRANSMITS];
        lost += fake.result.metrics.drops[DROP_LOSS];
        fake_clear();
    }
    /* 28,980 segments at 1 %, sent until they are there: 293 +- 17; hardly any without need. The
     * rest of what is lost are acknowledgements: half as many, and all after a gap. */
    assert_in_range(again, 215, 390);
    assert_true(lost > again * 12 / 10 && lost < 3 * again);
    (void)segments;
}

/* ---- CUBIC ---------------------------------------------------------------------------- */

static void cubic_is_that_of_the_rfc(void **state)
{
    struct cubic c;
    (void)state;
    /* W_max 100, cwnd 70: K = cbrt(30 / 0.4) = 4.217163... s. */
    assert_in_range(cubic_k(100, 70), 4217163000, 4217164000);
    assert_int_equal(cubic_k(70, 70), 0);
    assert_int_equal(cubic_k(50, 70), 0);
    /* W(K) = W_max; W(0) = 70; W(K + 5 s) = 100 + 0.4 * 125 = 150; W(K - 2 s) = 100 - 3.2. */
    assert_int_equal(cubic_window(100, 4217163000, 4217163000), 100);
    assert_in_range(cubic_window(100, 4217163000, 0), 70, 71);
    assert_int_equal(cubic_window(100, 4217163000, 9217163000), 150);
    assert_int_equal(cubic_window(100, 4217163000, 2217163000), 97);
    assert_int_equal(cubic_window(10, 100 * NS_S, 0), 0);
    cubic_init(&c, 10, false, false);
    cubic_grow(&c, 0, 10);
    assert_int_equal(c.cwnd, 20);
    c.cwnd = 100;
    cubic_reduce(&c);
    assert_true(c.ssthresh == 70 && c.w_max == 100);
    c.cwnd = 70;
    cubic_reduce(&c); /* below the last maximum: fast convergence, 0.85 of it */
    assert_true(c.ssthresh == 49 && c.w_max == 59);
    for (int like_ns3 = 0; like_ns3 < 2; like_ns3++) { /* its count outlives a reduction */
        cubic_init(&c, 10, false, like_ns3);
        c.ssthresh = c.w_max = 10;
        cubic_grow(&c, NS_S, 7);
        assert_int_equal(c.acked, 7);
        cubic_reduce(&c);
        c.cwnd = c.ssthresh;
        cubic_grow(&c, 2 * NS_S, 1);
        assert_int_equal(c.cwnd, like_ns3 ? 8 : 7);
    }
}

/* ns-3 forgets what it has seen when a timeout has come; and its slow start ends where a round's
 * least smoothed round trip is above the smallest one by that again. */
static void cubic_forgets_like_ns3(void **state)
{
    struct cubic c;
    (void)state;
    cubic_init(&c, 100, true, true);
    c.ssthresh = 200;
    for (uint32_t i = 1; i <= 9; i++)
        cubic_sample(&c, i * 3 * NS_MS, 10 * NS_MS, i, 100);
    assert_int_equal(c.ssthresh, 200);
    for (uint32_t i = 1; i <= 9; i++)
        cubic_sample(&c, NS_S + i * 3 * NS_MS, 21 * NS_MS, 100 + i, 200);
    assert_int_equal(c.ssthresh, 100);
    assert_true(c.found);
    cubic_reduce(&c);
    assert_true(c.ssthresh == 70 && c.w_max == 100);
    cubic_forget(&c);
    assert_true(c.ssthresh == 70 && c.w_max == 0 && c.least == 0 && !c.found);
}

static void cubic_grows_back(void **state)
{
    struct cubic c;
    ns_t t = 0;
    (void)state;
    cubic_init(&c, 10, false, true);
    c.least = 100 * NS_MS;
    c.cwnd = 1000;
    cubic_reduce(&c);
    c.cwnd = c.ssthresh;
    /* A round trip of 100 ms at a time: at K = cbrt(300 / 0.4) = 9.086 s it is W_max again. */
    for (; t < 9100 * NS_MS; t += 100 * NS_MS)
        for (uint32_t i = 0, n = c.cwnd; i < n; i += 2)
            cubic_grow(&c, t, 2);
    assert_in_range(c.cwnd, 985, 1001);
    for (; t < 14086 * NS_MS; t += 100 * NS_MS)
        for (uint32_t i = 0, n = c.cwnd; i < n; i += 2)
            cubic_grow(&c, t, 2);
    assert_in_range(c.cwnd, 1040, 1055); /* 1000 + 0.4 * 5^3 = 1050 */
}

/* ---- timers --------------------------------------------------------------------------- */

static void timeouts_are_those_of_rfc_6298(void **state)
{
    (void)state;
    assert_int_equal(tcp_rto(&tcp_linux, 40 * NS_MS, 0), 240 * NS_MS);
    assert_int_equal(tcp_rto(&tcp_linux, 300 * NS_MS, 150 * NS_MS), 900 * NS_MS);
    assert_int_equal(tcp_rto(&tcp_ns3, 40 * NS_MS, 10 * NS_MS), 200 * NS_MS);
    assert_int_equal(tcp_rto(&tcp_ns3, 300 * NS_MS, 150 * NS_MS), 900 * NS_MS);
}

static void one_message(struct node *n, const struct event *ev)
{
    if (n->self == 0 && ev->kind == EV_START)
        fake_open(n, 1, LINK_MESSAGE);
    if (n->self == 0 && ev->kind == EV_UP)
        n->env->ops->arm(n->env, 1, NS_S);
    if (n->self == 0 && ev->kind == EV_TIMER)
        assert_int_equal(fake_send(n, 1, 7, 10), OK);
}

/* Sent into a partition: again after an RTO, doubled each time. */
static void the_timeout_doubles(void **state)
{
    const uint8_t side[2] = {1, 2};
    const struct action cut = {
        .kind = ACT_PARTITION, .at = NS_S / 2, .until = 3 * NS_S, .side = side};
    ns_t rto = tcp_rto(&tcp_linux, RTT, RTT / 2 * 9 / 16);
    (void)state;
    fake_world(2, one_message);
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake_run();
    /* 240 ms: 1.24, 1.72, 2.68, and 4.6 s, which gets through. */
    assert_int_equal(rto, 240 * NS_MS);
    assert_event(1, EV_DATA, 0, NS_S + 15 * rto + ONE_WAY);
    assert_int_equal(fake.result.metrics.drops[DROP_PARTITION], 4);
    assert_int_equal(fake.result.metrics.counts[COUNT_RETRANSMITS], 4);
    fake_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start_doubles),
        cmocka_unit_test(slow_start_like_ns3),
        cmocka_unit_test(the_receive_window_limits),
        cmocka_unit_test(a_bottleneck_is_filled),
        cmocka_unit_test(a_full_queue_drops),
        cmocka_unit_test(losses_are_repaired_and_have_their_rate),
        cmocka_unit_test(cubic_is_that_of_the_rfc),
        cmocka_unit_test(cubic_forgets_like_ns3),
        cmocka_unit_test(cubic_grows_back),
        cmocka_unit_test(timeouts_are_those_of_rfc_6298),
        cmocka_unit_test(the_timeout_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
