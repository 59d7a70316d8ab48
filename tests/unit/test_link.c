/* links: every .c of engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
#include "engine/worlds/link/access.h"
#include "engine/worlds/link/tcp.h"
#include "engine/worlds/link/udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct faults no_faults = {.begin = NS_NEVER};

static void profiles_are_named_and_sane(void **state)
{
    unsigned n = 0;
    (void)state;
    for (; access_names[n]; n++) {
        const struct access *a = access_find(access_names[n]);
        assert_non_null(a);
        assert_non_null(access_help(access_names[n]));
        assert_true(a->up_bps >= 0 && a->down_bps >= a->up_bps);
        assert_true(a->latency >= 0 && a->jitter >= 0 && a->jitter <= a->latency);
        assert_true(a->loss_ppm >= 0 && a->loss_ppm <= 10000 && a->queue_bytes >= 0);
    }
    assert_int_equal(n, 8);
    assert_int_equal(access_find("ideal")->up_bps, 0);
    assert_true(access_find("satellite")->latency >= 239 * NS_MS);
    assert_null(access_find("fiber"));
    assert_null(access_find(""));
    assert_null(access_help("FIBRE"));
}

static void times_are_rounded_up_and_do_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(link_time(0, 1000), 0);
    assert_int_equal(link_time(125, 1000000), NS_MS);
    assert_int_equal(link_time(1, 8000000000), 1);
    assert_int_equal(link_time(1, 8000000001), 1);
    assert_int_equal(link_time(1, 7999999999), 2);
    assert_int_equal(link_time(1, 3), 2666666667);
    assert_int_equal(link_time(1, 0), 0);
    assert_int_equal(link_time(UINT64_C(1) << 40, 1000000000), (INT64_C(1) << 40) * 8);
    assert_int_equal(link_backlog(0, NS_S, 8000), 1000);
    assert_int_equal(link_backlog(5, 5, 8000), 0);
    assert_int_equal(link_backlog(9, 5, 8000), 0);
    assert_int_equal(link_backlog(0, 100 * NS_S, 100000000000), INT64_C(1250000000000));
}

static void bottleneck_is_a_fifo_with_cut_through(void **state)
{
    /* 8 Mbit/s: a byte takes 1000 ns. Two packets, 1500 and 500 bytes. */
    struct link_train t = {.first = 100, .last = 100, .bytes = 2000, .head = 1500, .tail = 500};
    ns_t free = 0;
    (void)state;
    link_pass(&t, 8000000, &free);
    assert_int_equal(t.first, 100 + 1500000);
    assert_int_equal(t.last, 100 + 2000000);
    assert_int_equal(free, t.last);
    /* The next bottleneck is as fast: it adds the last packet's time alone. */
    free = 0;
    link_pass(&t, 8000000, &free);
    assert_int_equal(t.last, 100 + 2000000 + 1500000);
    assert_int_equal(t.first, 100 + 3000000);
    /* Ten times as fast: it waits for the last packet. */
    t = (struct link_train){
        .first = 1500000, .last = 2000000, .bytes = 2000, .head = 1500, .tail = 500};
    free = 0;
    link_pass(&t, 80000000, &free);
    assert_int_equal(t.last, 2050000);
    /* Busy: it starts when the one before is through. */
    t = (struct link_train){.first = 10, .last = 10, .bytes = 100, .head = 100, .tail = 100};
    link_pass(&t, 8000000, &free);
    assert_int_equal(t.first, 2150000);
    assert_int_equal(t.last, 2150000);
    /* No limit: nothing changes. */
    link_pass(&t, 0, &free);
    assert_int_equal(t.last, 2150000);
}

static const ns_t rtts[4] = {1001, 80 * NS_MS, 90 * NS_MS, 2000};
static const struct regions regions = {.n = 2, .rtt = rtts};

static void path_adds_up(void **state)
{
    struct access a = {.latency = 7, .jitter = 3, .loss_ppm = 500000};
    struct access b = {.latency = 11, .jitter = 5, .loss_ppm = 200000};
    struct link_host x = {.access = &a}, y = {.access = &b, .region = 1};
    struct link_path p = link_path(&regions, &x, &y);
    (void)state;
    assert_int_equal(p.delay, 40 * NS_MS + 18);
    assert_int_equal(link_path(&regions, &y, &x).delay, 45 * NS_MS + 18);
    assert_int_equal(link_path(&regions, &x, &x).delay, 500 + 14);
    assert_int_equal(p.jitter_from, 3);
    assert_int_equal(p.jitter_to, 5);
    assert_int_equal(p.loss.ppm, 600000);
}

static void jitter_has_its_mean_and_no_draw_without_it(void **state)
{
    struct link_path p = {.jitter_from = 2 * NS_MS, .jitter_to = 3 * NS_MS}, none = {0};
    struct dice d = dice_name(1, "jitter", 0, 0, 0);
    int64_t sum = 0;
    (void)state;
    assert_int_equal(link_jitter(&none, &d), 0);
    assert_int_equal(d.n, 0);
    for (int i = 0; i < 100000; i++) {
        ns_t j = link_jitter(&p, &d);
        assert_true(j >= 0);
        sum += j;
    }
    /* Standard error: sqrt(2^2 + 3^2) ms / sqrt(1e5) = 11.4 us. */
    assert_in_range(sum / 100000, 5 * NS_MS - 46 * NS_US, 5 * NS_MS + 46 * NS_US);
}

static void faults_hold_from_at_until(void **state)
{
    const uint8_t side[4] = {1, 1, 2, 0};
    const struct action list[] = {
        {.kind = ACT_CRASH, .at = 0},
        {.kind = ACT_PARTITION, .at = 100, .until = 200, .side = side},
        {.kind = ACT_LINK,
         .at = 50,
         .until = 150,
         .a = 0,
         .b = 3,
         .loss_ppm = 7,
         .latency = -1,
         .rate_bps = -1,
         .jitter = -1,
         .burst = -1},
        {.kind = ACT_LINK,
         .at = 120,
         .until = NS_NEVER,
         .a = 3,
         .b = 0,
         .loss_ppm = -1,
         .latency = 9,
         .rate_bps = 0,
         .jitter = -1,
         .burst = -1},
    };
    struct faults f;
    struct link_path base = {.delay = 1, .loss.ppm = 2, .rate_bps = 3}, p;
    (void)state;
    assert_int_equal(faults_init(&f, list, 4), OK);
    assert_int_equal(f.n, 3);
    assert_false(faults_cut(&f, 0, 2, 99));
    assert_true(faults_cut(&f, 0, 2, 100));
    assert_true(faults_cut(&f, 2, 1, 199));
    assert_false(faults_cut(&f, 0, 2, 200));
    assert_false(faults_cut(&f, 0, 1, 150));
    assert_false(faults_cut(&f, 3, 2, 150));
    p = base;
    faults_bend(&f, 0, 3, 49, &p);
    assert_memory_equal(&p, &base, sizeof p);
    faults_bend(&f, 3, 0, 50, &p);
    assert_int_equal(p.loss.ppm, 7);
    assert_int_equal(p.delay, 1);
    p = base;
    faults_bend(&f, 0, 3, 130, &p);
    assert_true(p.loss.ppm == 7 && p.delay == 9 && p.rate_bps == 0);
    p = base;
    faults_bend(&f, 0, 3, INT64_MAX - 1, &p);
    assert_true(p.loss.ppm == 2 && p.delay == 9);
    p = base;
    faults_bend(&f, 0, 2, 130, &p);
    assert_memory_equal(&p, &base, sizeof p);
    faults_free(&f);
    assert_int_equal(faults_init(&f, list, 1), OK);
    assert_false(faults_cut(&f, 0, 2, 150));
    faults_free(&f);
}

/* ---- TCP ------------------------------------------------------------------------------ */

static struct tcp_flow flow(struct link_path *path, ns_t delay)
{
    *path = (struct link_path){.delay = delay, .rtt = 2 * delay};
    return (struct tcp_flow){.path = path, .to = 1, .dice = dice_name(1, "link", 0, 1, 0)};
}

static void segments_and_headers(void **state)
{
    struct link_train t;
    (void)state;
    assert_int_equal(tcp_segments(0), 1);
    assert_int_equal(tcp_segments(1), 1);
    assert_int_equal(tcp_segments(1448), 1);
    assert_int_equal(tcp_segments(1449), 2);
    assert_int_equal(tcp_segments(65540), 46);
    t = tcp_train(0);
    assert_true(t.bytes == 52 && t.head == 52 && t.tail == 52);
    t = tcp_train(1448);
    assert_true(t.bytes == 1500 && t.head == 1500 && t.tail == 1500);
    t = tcp_train(1449);
    assert_true(t.bytes == 1553 && t.head == 1500 && t.tail == 53);
    t = tcp_train(65540);
    assert_true(t.bytes == 65540 + 46 * 52 && t.head == 1500 && t.tail == 65540 - 45 * 1448 + 52);
}

static bool send(struct tcp_flow *f, struct link_host *host, ns_t at, uint32_t payload,
                 struct link_train *t)
{
    return tcp_send(f, &tcp_linux, &no_faults, host, at, payload, t);
}

static void latency_is_path_plus_serialisation(void **state)
{
    struct access a = {.up_bps = 8000000};
    struct link_host host = {.access = &a};
    struct link_path path;
    struct tcp_flow f = flow(&path, 10 * NS_MS);
    struct link_train t;
    (void)state;
    assert_true(send(&f, &host, 1000, 100, &t));
    assert_int_equal(t.last, 1000 + 152000 + 10 * NS_MS);
    assert_int_equal(t.bytes, 152);
    /* Behind it at the uplink. */
    assert_true(send(&f, &host, 1000, 2000, &t));
    assert_int_equal(t.first, 1000 + 152000 + 1500000 + 10 * NS_MS);
    assert_int_equal(t.last, 1000 + 152000 + 2104000 + 10 * NS_MS);
}

static void a_slower_path_is_a_bottleneck(void **state)
{
    struct access a = {.up_bps = 80000000};
    struct link_host host = {.access = &a};
    struct link_path path;
    struct tcp_flow f = flow(&path, NS_MS);
    struct link_train t;
    (void)state;
    path.rate_bps = 8000000;
    assert_true(send(&f, &host, 0, 48, &t));
    assert_int_equal(t.last, 10000 + 100000 + NS_MS);
    assert_true(send(&f, &host, 0, 48, &t));
    assert_int_equal(t.last, 10000 + 200000 + NS_MS);
    assert_int_equal(host.up_free, 20000);
}

/* Half of the initial window a round trip; the rest is for tcp_bulk. */
static void calm_has_its_limits(void **state)
{
    struct access a = {.up_bps = 8000000, .queue_bytes = 4000};
    struct link_host host = {.access = &a};
    struct link_path path;
    struct tcp_flow f = flow(&path, 10 * NS_MS);
    struct link_train t;
    (void)state;
    assert_false(send(&f, &host, 0, 6 * 1448, &t)); /* the window */
    assert_false(send(&f, &host, 0, 3 * 1448, &t)); /* the queue */
    assert_true(send(&f, &host, 0, 2 * 1448, &t));
    assert_true(send(&f, &host, 2 * NS_MS, 1448, &t));
    assert_true(send(&f, &host, 4 * NS_MS, 2 * 1448, &t));
    assert_false(send(&f, &host, 9 * NS_MS, 1, &t));
    assert_true(send(&f, &host, 100 * NS_MS, 1448, &t)); /* all acknowledged */
    f = flow(&path, 10 * NS_MS);
    path.loss.ppm = 1000000;
    assert_false(send(&f, &host, 200 * NS_MS, 1, &t));
}

static void streams_keep_their_order(void **state)
{
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct link_path path;
    struct tcp_flow f = flow(&path, NS_MS);
    struct link_train t;
    ns_t last = 0;
    bool early = false;
    (void)state;
    path.jitter_from = 5 * NS_MS;
    for (int i = 0; i < 2000; i++) {
        ns_t at = i * 20 * NS_MS;
        assert_true(send(&f, &host, at, (uint32_t)(i % 1400), &t));
        assert_true(t.first >= last && t.last >= t.first);
        assert_true(t.last >= at + NS_MS);
        early |= t.last == last;
        last = t.last;
    }
    assert_true(early);
}

static void no_loss_no_draw(void **state)
{
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct link_path path;
    struct tcp_flow f = flow(&path, NS_MS);
    struct link_train t;
    (void)state;
    assert_true(send(&f, &host, 0, 6000, &t));
    assert_int_equal(tcp_signal(&f, &no_faults, &host, 0, 60, &t), DROP_COUNT);
    assert_int_equal(t.last, NS_MS);
    assert_int_equal(f.dice.n, 0);
}

static void a_dialler_waits_127_seconds(void **state)
{
    ns_t sum = 0;
    (void)state;
    for (unsigned i = 0; i < TCP_SYNS; i++)
        sum += tcp_syn_wait(i);
    assert_int_equal(sum, 127 * NS_S);
}

/* ---- datagrams ------------------------------------------------------------------------ */

static void datagrams_are_lost_late_and_reordered(void **state)
{
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct link_path p = {.delay = NS_MS, .jitter_from = NS_MS, .loss.ppm = 50000};
    struct dice d = dice_name(1, "datagram", 0, 1, 0);
    struct link_train t;
    unsigned lost = 0, overtaken = 0;
    ns_t last = 0;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        enum drop drop = udp_send(&p, &no_faults, 0, 1, &host, i * 100 * NS_US, 100, NULL, &d, &t);
        lost += drop == DROP_LOSS;
        overtaken += t.last < last;
        last = t.last;
    }
    assert_in_range(lost, 1000 - 139, 1000 + 139); /* 4.5 sigma */
    assert_true(overtaken > 1000);
}

static void datagrams_have_an_mtu_and_a_queue(void **state)
{
    struct access a = {.up_bps = 8000000, .down_bps = 800000, .queue_bytes = 3000};
    struct link_host host = {.access = &a};
    struct link_path p = {.delay = NS_MS};
    struct dice d = dice_name(1, "datagram", 0, 1, 0);
    struct link_train t;
    (void)state;
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 1473, NULL, &d, &t), DROP_MTU);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 1472, NULL, &d, &t), DROP_COUNT);
    assert_int_equal(t.last, 1500 * 1000 + NS_MS);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 1472, NULL, &d, &t), DROP_COUNT);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 0, NULL, &d, &t), DROP_QUEUE);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 1500 * NS_US, 1472, NULL, &d, &t),
                     DROP_COUNT);
    assert_int_equal(t.last, 4500 * 1000 + NS_MS);
    assert_int_equal(udp_receive(&host, &t), DROP_COUNT);
    assert_int_equal(t.last, 4500 * 1000 + NS_MS + 15 * NS_MS);
    t.first = t.last = 5500 * 1000;
    assert_int_equal(udp_receive(&host, &t), DROP_COUNT);
    t.first = t.last = 5500 * 1000;
    assert_int_equal(udp_receive(&host, &t), DROP_QUEUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_named_and_sane),
        cmocka_unit_test(times_are_rounded_up_and_do_not_overflow),
        cmocka_unit_test(bottleneck_is_a_fifo_with_cut_through),
        cmocka_unit_test(path_adds_up),
        cmocka_unit_test(jitter_has_its_mean_and_no_draw_without_it),
        cmocka_unit_test(faults_hold_from_at_until),
        cmocka_unit_test(segments_and_headers),
        cmocka_unit_test(latency_is_path_plus_serialisation),
        cmocka_unit_test(a_slower_path_is_a_bottleneck),
        cmocka_unit_test(calm_has_its_limits),
        cmocka_unit_test(streams_keep_their_order),
        cmocka_unit_test(no_loss_no_draw),
        cmocka_unit_test(a_dialler_waits_127_seconds),
        cmocka_unit_test(datagrams_are_lost_late_and_reordered),
        cmocka_unit_test(datagrams_have_an_mtu_and_a_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
