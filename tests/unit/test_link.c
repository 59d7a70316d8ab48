/* links: engine/worlds/link/access.c engine/worlds/link/link.c engine/worlds/link/faults.c
 * engine/worlds/link/tcp.c engine/worlds/link/udp.c engine/worlds/link/nat.c
 * engine/base/prng.c engine/base/map.c */
#include "engine/worlds/link/access.h"
#include "engine/worlds/link/nat.h"
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
    assert_int_equal(p.loss_ppm, 600000);
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
         .rate_bps = -1},
        {.kind = ACT_LINK,
         .at = 120,
         .until = NS_NEVER,
         .a = 3,
         .b = 0,
         .loss_ppm = -1,
         .latency = 9,
         .rate_bps = 0},
    };
    struct faults f;
    struct link_path base = {.delay = 1, .loss_ppm = 2, .rate_bps = 3}, p;
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
    assert_int_equal(p.loss_ppm, 7);
    assert_int_equal(p.delay, 1);
    p = base;
    faults_bend(&f, 0, 3, 130, &p);
    assert_true(p.loss_ppm == 7 && p.delay == 9 && p.rate_bps == 0);
    p = base;
    faults_bend(&f, 0, 3, INT64_MAX - 1, &p);
    assert_true(p.loss_ppm == 2 && p.delay == 9);
    p = base;
    faults_bend(&f, 0, 2, 130, &p);
    assert_memory_equal(&p, &base, sizeof p);
    faults_free(&f);
    assert_int_equal(faults_init(&f, list, 1), OK);
    assert_false(faults_cut(&f, 0, 2, 150));
    faults_free(&f);
}

/* ---- TCP ------------------------------------------------------------------------------ */

static struct tcp_flow flow(ns_t delay)
{
    return (struct tcp_flow){
        .path = {.delay = delay}, .rtt = 2 * delay, .to = 1, .dice = dice_name(1, "link", 0, 1, 0)};
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

static void latency_is_path_plus_serialisation(void **state)
{
    struct access a = {.up_bps = 8000000};
    struct link_host host = {.access = &a};
    struct tcp_flow f = flow(10 * NS_MS);
    struct tcp_sent s;
    (void)state;
    tcp_send(&f, &no_faults, &host, 1000, 100, &s);
    assert_int_equal(s.train.last, 1000 + 152000 + 10 * NS_MS);
    assert_true(s.bytes == 152 && s.packets == 1 && !s.lost && !s.cut && !s.resent);
    /* Behind it at the uplink. */
    tcp_send(&f, &no_faults, &host, 1000, 2000, &s);
    assert_int_equal(s.train.first, 1000 + 152000 + 1500000 + 10 * NS_MS);
    assert_int_equal(s.train.last, 1000 + 152000 + 2104000 + 10 * NS_MS);
    assert_true(s.bytes == 2104 && s.packets == 2);
}

static void a_slower_path_is_a_bottleneck(void **state)
{
    struct access a = {.up_bps = 80000000};
    struct link_host host = {.access = &a};
    struct tcp_flow f = flow(NS_MS);
    struct tcp_sent s;
    (void)state;
    f.path.rate_bps = 8000000;
    tcp_send(&f, &no_faults, &host, 0, 48, &s);
    assert_int_equal(s.train.last, 10000 + 100000 + NS_MS);
    tcp_send(&f, &no_faults, &host, 0, 48, &s);
    assert_int_equal(s.train.last, 10000 + 200000 + NS_MS);
    assert_int_equal(host.up_free, 20000);
}

static void streams_keep_their_order(void **state)
{
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct tcp_flow f = flow(NS_MS);
    struct tcp_sent s;
    ns_t last = 0;
    bool early = false;
    (void)state;
    f.path.jitter_from = 5 * NS_MS;
    f.path.loss_ppm = 20000;
    for (int i = 0; i < 20000; i++) {
        ns_t at = i * 100 * NS_US;
        tcp_send(&f, &no_faults, &host, at, (uint32_t)(i % 3000), &s);
        assert_true(s.train.first >= last && s.train.last >= s.train.first);
        assert_true(s.train.last >= at + NS_MS);
        early |= s.train.last == last;
        last = s.train.last;
    }
    assert_true(early);
}

static void a_lost_segment_comes_one_rto_later(void **state)
{
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct tcp_sent s;
    unsigned once = 0, twice = 0;
    (void)state;
    for (uint64_t k = 0; k < 20000; k++) {
        struct tcp_flow f = flow(10 * NS_MS);
        ns_t extra;
        f.dice = dice_name(3, "link", 0, 1, k);
        f.path.loss_ppm = 100000;
        tcp_send(&f, &no_faults, &host, 0, 500, &s);
        assert_int_equal(s.lost, s.resent);
        assert_int_equal(s.packets, 1 + s.resent);
        assert_int_equal(s.bytes, 552 * s.packets);
        extra = s.train.last - 10 * NS_MS;
        /* 200, 600, 1400 ms ...: the timeout doubles. */
        assert_int_equal(extra, ((INT64_C(1) << s.lost) - 1) * 200 * NS_MS);
        once += s.lost >= 1;
        twice += s.lost >= 2;
    }
    /* 10 %: 2000 +- 42; 1 %: 200 +- 14. Within 4.5 sigma. */
    assert_in_range(once, 1810, 2190);
    assert_in_range(twice, 137, 263);
}

static void followers_make_it_one_round_trip(void **state)
{
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct tcp_sent s;
    unsigned fast = 0, slow = 0, lost = 0;
    (void)state;
    for (uint64_t k = 0; k < 20000; k++) {
        struct tcp_flow f = flow(150 * NS_MS); /* RTO: 2 RTT, 600 ms */
        f.dice = dice_name(4, "link", 0, 1, k);
        f.path.loss_ppm = 10000;
        tcp_send(&f, &no_faults, &host, 0, 10 * 1448, &s);
        lost += s.lost;
        if (s.lost != 1)
            continue;
        assert_int_equal(s.packets, 11);
        if (s.train.last == 450 * NS_MS)
            fast++;
        else if (s.train.last == 750 * NS_MS)
            slow++;
        else
            fail();
    }
    /* Segments 0..6 of 10 have three behind them. */
    assert_in_range(lost, 1800, 2250);
    assert_in_range(fast * 10 / (fast + slow), 6, 7);
}

static void no_loss_no_draw(void **state)
{
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct tcp_flow f = flow(NS_MS);
    struct tcp_sent s;
    (void)state;
    tcp_send(&f, &no_faults, &host, 0, 60000, &s);
    assert_int_equal(tcp_signal(&f, &no_faults, &host, 0, 60, &s), DROP_COUNT);
    assert_int_equal(s.train.last, NS_MS);
    assert_int_equal(f.dice.n, 0);
}

static void what_a_partition_holds_comes_after_it(void **state)
{
    const uint8_t side[2] = {1, 2};
    const struct action cut = {
        .kind = ACT_PARTITION, .at = 1000 * NS_MS, .until = 3000 * NS_MS, .side = side};
    struct access a = {.up_bps = 8000000};
    struct link_host host = {.access = &a};
    struct tcp_flow f = flow(10 * NS_MS);
    struct faults faults;
    struct tcp_sent s;
    (void)state;
    assert_int_equal(faults_init(&faults, &cut, 1), OK);
    tcp_send(&f, &faults, &host, 999 * NS_MS, 48, &s);
    assert_int_equal(s.train.last, 1009 * NS_MS + 100 * NS_US);
    /* Sent at 1 s; repeated at 1.2, 1.6, 2.4, 4.0 s: the last one gets through. */
    tcp_send(&f, &faults, &host, 1000 * NS_MS, 48, &s);
    assert_int_equal(s.train.last, 4010 * NS_MS + 100 * NS_US);
    assert_true(s.cut == 4 && s.resent == 4 && s.packets == 5);
    /* Sent meanwhile, and after the end: behind it, at the uplink's rate, with no drop. */
    tcp_send(&f, &faults, &host, 2000 * NS_MS, 48, &s);
    assert_int_equal(s.train.last, 4010 * NS_MS + 200 * NS_US);
    assert_true(s.cut == 0 && s.packets == 1);
    tcp_send(&f, &faults, &host, 3500 * NS_MS, 48, &s);
    assert_int_equal(s.train.last, 4010 * NS_MS + 300 * NS_US);
    /* The uplink is free for others meanwhile. */
    assert_true(host.up_free <= 999 * NS_MS + 100 * NS_US);
    tcp_send(&f, &faults, &host, 5000 * NS_MS, 48, &s);
    assert_int_equal(s.train.last, 5010 * NS_MS + 100 * NS_US);
    assert_int_equal(tcp_signal(&f, &faults, &host, 2000 * NS_MS, 60, &s), DROP_PARTITION);
    faults_free(&faults);
}

static void for_good_it_is_given_up_after_15_minutes(void **state)
{
    const uint8_t side[2] = {1, 2};
    const struct action cut = {.kind = ACT_PARTITION, .until = NS_NEVER, .side = side};
    const struct action black = {.kind = ACT_LINK,
                                 .until = NS_NEVER,
                                 .a = 0,
                                 .b = 1,
                                 .loss_ppm = 1000000,
                                 .latency = -1,
                                 .rate_bps = -1};
    struct access a = {0};
    struct link_host host = {.access = &a};
    struct tcp_flow f = flow(10 * NS_MS);
    struct faults faults;
    struct tcp_sent s;
    (void)state;
    assert_int_equal(faults_init(&faults, &cut, 1), OK);
    tcp_send(&f, &faults, &host, NS_S, 48, &s);
    assert_int_equal(s.gives_up, NS_S + 900 * NS_S);
    assert_in_range(s.cut, 10, 20);
    faults_free(&faults);
    f = flow(10 * NS_MS);
    assert_int_equal(faults_init(&faults, &black, 1), OK);
    tcp_send(&f, &faults, &host, NS_S, 48, &s);
    assert_int_equal(s.gives_up, NS_S + 900 * NS_S);
    assert_in_range(s.lost, 10, 20);
    assert_int_equal(tcp_signal(&f, &faults, &host, 0, 60, &s), DROP_LOSS);
    faults_free(&faults);
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
    struct link_path p = {.delay = NS_MS, .jitter_from = NS_MS, .loss_ppm = 50000};
    struct dice d = dice_name(1, "datagram", 0, 1, 0);
    struct link_train t;
    unsigned lost = 0, overtaken = 0;
    ns_t last = 0;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        enum drop drop = udp_send(&p, &no_faults, 0, 1, &host, i * 100 * NS_US, 100, &d, &t);
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
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 1473, &d, &t), DROP_MTU);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 1472, &d, &t), DROP_COUNT);
    assert_int_equal(t.last, 1500 * 1000 + NS_MS);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 1472, &d, &t), DROP_COUNT);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 0, 0, &d, &t), DROP_QUEUE);
    assert_int_equal(udp_send(&p, &no_faults, 0, 1, &host, 1500 * NS_US, 1472, &d, &t), DROP_COUNT);
    assert_int_equal(t.last, 4500 * 1000 + NS_MS);
    assert_int_equal(udp_receive(&host, &t), DROP_COUNT);
    assert_int_equal(t.last, 4500 * 1000 + NS_MS + 15 * NS_MS);
    t.first = t.last = 5500 * 1000;
    assert_int_equal(udp_receive(&host, &t), DROP_COUNT);
    t.first = t.last = 5500 * 1000;
    assert_int_equal(udp_receive(&host, &t), DROP_QUEUE);
}

/* ---- NAT ------------------------------------------------------------------------------ */

static void boxes_are_shared_by_name(void **state)
{
    const struct host_spec hosts[] = {
        {.nat = NAT_SYMMETRIC, .nat_box = "office"},
        {.nat = NAT_NONE},
        {.nat = NAT_PORT_RESTRICTED},
        {.nat = NAT_FULL_CONE, .nat_box = "office"},
        {.nat = NAT_OPEN, .nat_box = "office"},
        {.nat = NAT_CGNAT, .nat_box = "isp"},
    };
    struct nat nat;
    uint8_t ip[16];
    uint16_t a, b, c;
    (void)state;
    assert_int_equal(nat_init(&nat, hosts, 6), OK);
    assert_int_equal(nat.n_boxes, 3);
    assert_int_equal(nat_public(&nat, 0), 0);
    assert_int_equal(nat_public(&nat, 3), 0);
    assert_int_equal(nat_public(&nat, 1), 1);
    assert_int_equal(nat_public(&nat, 4), 4);
    assert_true(nat_inside(&nat, 5) && !nat_inside(&nat, 4) && !nat_inside(&nat, 1));
    nat_private(3, ip);
    assert_true(ip[10] == 0xff && ip[12] == 10 && ip[15] == 4);
    assert_int_equal(nat_map(&nat, 1, 777, &a), OK);
    assert_int_equal(a, 777);
    assert_int_equal(nat_map(&nat, 0, 777, &a), OK);
    assert_int_equal(nat_map(&nat, 3, 777, &b), OK);
    assert_int_not_equal(a, b);
    assert_int_equal(nat_owner(&nat, 0, a), 0);
    assert_int_equal(nat_owner(&nat, 0, b), 3);
    assert_int_equal(nat_owner(&nat, 0, 9), PARTY_NONE);
    assert_int_equal(nat_owner(&nat, 3, 9), 3);
    assert_int_equal(nat_owner(&nat, 2, 9), 2);
    assert_int_equal(nat_owner(&nat, 1, 9), 1);
    nat_release(&nat, 3, b);
    assert_int_equal(nat_owner(&nat, 0, b), 3);
    assert_int_equal(nat_map(&nat, 3, 1, &c), OK);
    assert_true(c != a);
    nat_free(&nat);
}

static void a_box_runs_out_of_ports(void **state)
{
    const struct host_spec hosts[] = {{.nat = NAT_SYMMETRIC}};
    struct nat nat;
    uint16_t port;
    static bool used[65536];
    (void)state;
    assert_int_equal(nat_init(&nat, hosts, 1), OK);
    for (int i = 0; i < NAT_PORTS; i++) {
        assert_int_equal(nat_map(&nat, 0, 1, &port), OK);
        assert_true(port >= NAT_PORT_MIN && !used[port]);
        used[port] = true;
    }
    assert_int_equal(nat_map(&nat, 0, 1, &port), ERR_LIMIT);
    nat_release(&nat, 0, 4321);
    nat_release(&nat, 0, 4321);
    assert_int_equal(nat_map(&nat, 0, 1, &port), OK);
    assert_int_equal(port, 4321);
    assert_int_equal(nat_map(&nat, 0, 1, &port), ERR_LIMIT);
    nat_free(&nat);
}

static void without_nat_there_is_nothing(void **state)
{
    const struct host_spec hosts[] = {{.nat = NAT_NONE}, {.nat = NAT_OPEN}};
    struct nat nat;
    (void)state;
    assert_int_equal(nat_init(&nat, hosts, 2), OK);
    assert_null(nat.box);
    assert_false(nat_inside(&nat, 1));
    assert_int_equal(nat_public(&nat, 1), 1);
    nat_release(&nat, 1, 5);
    nat_free(&nat);
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
        cmocka_unit_test(streams_keep_their_order),
        cmocka_unit_test(a_lost_segment_comes_one_rto_later),
        cmocka_unit_test(followers_make_it_one_round_trip),
        cmocka_unit_test(no_loss_no_draw),
        cmocka_unit_test(what_a_partition_holds_comes_after_it),
        cmocka_unit_test(for_good_it_is_given_up_after_15_minutes),
        cmocka_unit_test(a_dialler_waits_127_seconds),
        cmocka_unit_test(datagrams_are_lost_late_and_reordered),
        cmocka_unit_test(datagrams_have_an_mtu_and_a_queue),
        cmocka_unit_test(boxes_are_shared_by_name),
        cmocka_unit_test(a_box_runs_out_of_ports),
        cmocka_unit_test(without_nat_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
