/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* A network that changes while it runs: one-way cuts, flapping, pauses, other addresses,
 * keep-alive, full downlinks, delayed acknowledgements. */
#include "engine/worlds/link/nat.h"
#include "engine/worlds/link/tcp.h"
#include "tests/unit/sim_fake.h"

#define ONE_WAY (20 * NS_MS)

static const struct accept datagrams[] = {
    {PORT, LINK_DATAGRAM}, {PORT, LINK_MESSAGE}, {0, LINK_MESSAGE}};

static uint64_t drops(enum drop d)
{
    return fake.result.metrics.drops[d];
}

static void act(const struct action *actions, size_t n)
{
    fake.spec.actions = actions;
    fake.spec.n_actions = n;
}

/* ---- cuts ------------------------------------------------------------------------------ */

/* Both send the other a datagram every 10 ms of the first second. */
static void tick(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_UP && ev->local.port == PORT)
        n->env->ops->arm(n->env, (unsigned)ev->link, 10 * NS_MS);
    if (ev->kind == EV_TIMER && n->env->now <= NS_S) {
        assert_int_equal(n->env->ops->send_to(n->env, ev->timer, fake.addrs[1 - n->self], "x", 1),
                         OK);
        n->env->ops->arm(n->env, ev->timer, n->env->now + 10 * NS_MS);
    }
}

static void tick_world(void)
{
    fake_world(2, tick);
    fake.accepts[0] = fake.accepts[1] = datagrams;
    fake.spec.limit = 2 * NS_S;
}

static void one_way_is_one_way(void **state)
{
    static const uint8_t side[2] = {1, 2};
    static const struct action cut = {.kind = ACT_PARTITION,
                                      .one_way = true,
                                      .at = 200 * NS_MS,
                                      .until = 500 * NS_MS,
                                      .side = side};
    (void)state;
    tick_world();
    act(&cut, 1);
    fake_run();
    assert_int_equal(fake_count(0, EV_DATA), 100);
    assert_int_equal(fake_count(1, EV_DATA), 70);
    assert_int_equal(drops(DROP_PARTITION), 30);
    assert_int_equal(fake_find(1, EV_DATA, 19)->time, 500 * NS_MS + ONE_WAY);
    fake_clear();
}

static void flapping_begins_up(void **state)
{
    static const struct action flap = {.kind = ACT_FLAP,
                                       .at = 100 * NS_MS,
                                       .until = 800 * NS_MS,
                                       .b = 1,
                                       .up = 200 * NS_MS,
                                       .down = 100 * NS_MS};
    (void)state;
    tick_world();
    act(&flap, 1);
    fake_run();
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(fake_count(i, EV_DATA), 80);
    assert_int_equal(drops(DROP_PARTITION), 40);
    for (size_t i = 0; i < fake.n; i++) {
        ns_t sent = fake.log[i].time - ONE_WAY;
        if (fake.log[i].kind == EV_DATA)
            assert_false((sent >= 300 * NS_MS && sent < 400 * NS_MS) ||
                         (sent >= 600 * NS_MS && sent < 700 * NS_MS));
    }
    fake_clear();
}

static void a_pause_defers_and_loses_nothing(void **state)
{
    static const struct action pauses[] = {
        {.kind = ACT_PAUSE, .at = 100 * NS_MS, .until = 300 * NS_MS, .node = 1},
        {.kind = ACT_PAUSE, .at = 600 * NS_MS, .until = NS_NEVER, .node = 1},
        {.kind = ACT_RESUME, .at = 700 * NS_MS, .until = NS_NEVER, .node = 1}};
    (void)state;
    tick_world();
    act(pauses, 3);
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 100);
    for (size_t i = 0; i < fake.n; i++) {
        ns_t t = fake.log[i].time;
        if (fake.log[i].node == 1)
            assert_false((t > 100 * NS_MS && t < 300 * NS_MS) ||
                         (t > 600 * NS_MS && t < 700 * NS_MS));
    }
    /* Its timer stood still: due every 10 ms, but for 100 to 290 and 600 to 690 ms. */
    assert_int_equal(fake_count(0, EV_DATA), 9 + 30 + 31);
    fake_clear();
}

/* ---- another address --------------------------------------------------------------------- */

/* alice dials bob, and again when that link is over; she speaks each second. */
static void speak(struct node *n, const struct event *ev)
{
    if (n->self == 1)
        return;
    if (ev->kind == EV_START || ev->kind == EV_DOWN)
        fake.count = 0, fake_open(n, 1, LINK_MESSAGE);
    if (ev->kind == EV_UP) {
        fake.count = ev->link;
        n->env->ops->arm(n->env, 1, n->env->now);
    }
    if (ev->kind == EV_TIMER && fake.count && n->env->now < 10 * NS_S) {
        assert_int_equal(fake_send(n, (link_t)fake.count, 1, 10), OK);
        n->env->ops->arm(n->env, 1, n->env->now + NS_S);
    }
}

static void streams_of_an_old_address_are_reset(void **state)
{
    static const struct action move = {
        .kind = ACT_READDRESS, .at = 2500 * NS_MS, .until = NS_NEVER, .node = 0};
    (void)state;
    for (int nat = 0; nat < 2; nat++) {
        const struct entry *down, *first, *second;
        fake_world(2, speak);
        fake.hosts[0].nat = nat ? NAT_PORT_RESTRICTED : NAT_NONE;
        act(&move, 1);
        fake_run();
        down = fake_find(0, EV_DOWN, 0);
        assert_non_null(down);
        assert_int_equal(down->why, DOWN_RESET);
        assert_true(down->time >= 3 * NS_S + 2 * ONE_WAY && down->time < 3200 * NS_MS);
        assert_null(fake_find(0, EV_DOWN, 1));
        first = fake_find(1, EV_UP, 0);
        second = fake_find(1, EV_UP, 1);
        assert_non_null(second);
        assert_true(second->time > down->time);
        if (nat)
            assert_memory_not_equal(first->peer.ip, second->peer.ip, 16);
        assert_true(fake_count(1, EV_DATA) > 9);
        assert_true(drops(DROP_REFUSED) > 0);
        fake_clear();
    }
}

/* alice shouts; bob answers to where he heard her first, always. */
static void answer_the_first(struct node *n, const struct event *ev)
{
    static struct addr first;
    if (ev->kind == EV_UP && n->self == 0)
        n->env->ops->arm(n->env, (unsigned)ev->link, NS_S);
    if (ev->kind == EV_TIMER && n->env->now < 10 * NS_S) {
        n->env->ops->send_to(n->env, ev->timer, fake.addrs[1], "x", 1);
        n->env->ops->arm(n->env, ev->timer, n->env->now + NS_S);
    }
    if (ev->kind == EV_DATA && n->self == 1) {
        if (fake.count++ == 0)
            first = ev->peer;
        n->env->ops->send_to(n->env, ev->link, first, "y", 1);
    }
}

static void datagrams_get_a_new_mapping(void **state)
{
    static const struct action move = {
        .kind = ACT_READDRESS, .at = 4500 * NS_MS, .until = NS_NEVER, .node = 0};
    (void)state;
    fake_world(2, answer_the_first);
    fake.accepts[0] = fake.accepts[1] = datagrams;
    fake.hosts[0].nat = NAT_FULL_CONE;
    act(&move, 1);
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 9);
    assert_memory_not_equal(fake_find(1, EV_DATA, 3)->peer.ip, fake_find(1, EV_DATA, 4)->peer.ip,
                            16);
    assert_int_equal(fake_count(0, EV_DATA), 4);
    assert_int_equal(drops(DROP_NO_ROUTE), 5);
    fake_clear();
}

/* ---- keep-alive --------------------------------------------------------------------------- */

static void hold(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_MESSAGE);
}

static void idle_connections_are_probed(void **state)
{
    static const uint8_t side[2] = {1, 2};
    static const struct action cut = {
        .kind = ACT_PARTITION, .at = 100 * NS_S, .until = NS_NEVER, .side = side};
    struct tcp_spec tcp = tcp_linux;
    (void)state;
    tcp.keepalive = 60 * NS_S;
    for (int dies = 0; dies < 2; dies++) {
        fake_world(2, hold);
        fake.spec.tcp = &tcp;
        if (dies)
            act(&cut, 1);
        fake_run();
        for (uint32_t i = 0; i < 2; i++) {
            const struct entry *e = fake_find(i, EV_DOWN, 0);
            if (!dies) {
                assert_null(e);
                continue;
            }
            assert_non_null(e);
            assert_int_equal(e->why, DOWN_TIMEOUT);
            /* Answered at 60 s; nine are not, from 120 s on, each for 75 s. */
            assert_true(e->time >= (120 + 9 * 75) * NS_S && e->time < (121 + 9 * 75) * NS_S);
        }
        assert_int_equal(drops(DROP_PARTITION), dies ? 18 : 0);
        fake_clear();
    }
}

static void a_probe_finds_that_the_peer_forgot(void **state)
{
    static const uint8_t side[2] = {1, 2};
    static const struct action acts[] = {
        {.kind = ACT_PARTITION, .at = 10 * NS_S, .until = 20 * NS_S, .side = side},
        {.kind = ACT_CRASH, .at = 15 * NS_S, .until = NS_NEVER, .node = 1}};
    struct tcp_spec tcp = tcp_linux;
    (void)state;
    tcp.keepalive = 60 * NS_S;
    for (int probed = 0; probed < 2; probed++) {
        fake_world(2, hold);
        fake.spec.tcp = probed ? &tcp : NULL;
        act(acts, 2);
        fake_run();
        if (!probed)
            assert_null(fake_find(0, EV_DOWN, 0));
        else
            assert_true(fake_find(0, EV_DOWN, 0)->why == DOWN_RESET &&
                        fake_find(0, EV_DOWN, 0)->time > 60 * NS_S);
        fake_clear();
    }
}

/* ---- TCP ---------------------------------------------------------------------------------- */

/* alice sends bob three segments every 50 ms, 40 times. */
static void gush(struct node *n, const struct event *ev)
{
    if (n->self)
        return;
    if (ev->kind == EV_START)
        fake_open(n, 1, LINK_MESSAGE);
    if ((ev->kind == EV_UP || ev->kind == EV_TIMER) && fake.count < 40) {
        assert_int_equal(fake_send(n, 1, (uint8_t)fake.count++, 4000), OK);
        n->env->ops->arm(n->env, 1, n->env->now + 50 * NS_MS);
    }
}

static void a_full_downlink_drops_and_all_comes(void **state)
{
    (void)state;
    fake_world(2, gush);
    fake.hosts[0].access.up_bps = 1000000000;
    fake.hosts[1].access = (struct access){.down_bps = 400000, .queue_bytes = 9000};
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 40);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(fake_find(1, EV_DATA, i)->first, i);
    assert_true(drops(DROP_QUEUE) > 0);
    assert_true(fake.result.metrics.counts[COUNT_RETRANSMITS] > 0);
    assert_true(drops(DROP_QUEUE) < 40); /* the window has shrunk */
    /* 160 KB through 50 KB/s take 3.3 s; repairs take no more than as much again. */
    assert_true(fake_find(1, EV_DATA, 39)->time > 3 * NS_S &&
                fake_find(1, EV_DATA, 39)->time < 8 * NS_S);
    fake_clear();
}

static void big(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_MESSAGE);
    if (ev->kind == EV_UP && n->self == 0)
        assert_int_equal(fake_send(n, ev->link, 1, 40 * TCP_MSS - LINK_FRAME), OK);
}

static ns_t with_delay(ns_t delay)
{
    struct tcp_spec tcp = tcp_linux;
    ns_t at;
    tcp.delayed_ack = delay;
    tcp.receive_window = TCP_MSS; /* each segment waits for the one before */
    fake_world(2, big);
    fake.spec.tcp = &tcp;
    fake_run();
    at = fake_find(1, EV_DATA, 0)->time;
    fake_clear();
    return at;
}

static void single_segments_are_acknowledged_late(void **state)
{
    ns_t at_once = with_delay(0), late = with_delay(40 * NS_MS);
    (void)state;
    /* At once for the first 16 segments, and nothing waits for the last one's. */
    assert_int_equal(late - at_once, (40 - 16 - 1) * 40 * NS_MS);
    assert_int_equal(with_delay(10 * NS_MS) - at_once, (40 - 16 - 1) * 10 * NS_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_way_is_one_way),
        cmocka_unit_test(flapping_begins_up),
        cmocka_unit_test(a_pause_defers_and_loses_nothing),
        cmocka_unit_test(streams_of_an_old_address_are_reset),
        cmocka_unit_test(datagrams_get_a_new_mapping),
        cmocka_unit_test(idle_connections_are_probed),
        cmocka_unit_test(a_probe_finds_that_the_peer_forgot),
        cmocka_unit_test(a_full_downlink_drops_and_all_comes),
        cmocka_unit_test(single_segments_are_acknowledged_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
