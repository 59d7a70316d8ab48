/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* Streams, computing, the barrier, the end of a trial. */
#include "tests/unit/sim_fake.h"

#define ONE_WAY (20 * NS_MS)

/* ---- streams: timing ------------------------------------------------------------------ */

static void handshake_to_the_nanosecond(void **state)
{
    const struct entry *up;
    (void)state;
    fake_world(2, dial_and_greet);
    fake_run();
    assert_event(0, EV_UP, 0, 2 * ONE_WAY);
    assert_event(1, EV_UP, 0, 3 * ONE_WAY);
    assert_event(1, EV_DATA, 0, 3 * ONE_WAY);
    assert_event(0, EV_DATA, 0, 4 * ONE_WAY);
    up = fake_find(1, EV_UP, 0);
    assert_ptr_equal(up + 1, fake_find(1, EV_DATA, 0));
    assert_int_equal(up->local.port, PORT);
    assert_memory_equal(up->peer.ip, fake.addrs[0].ip, 16);
    assert_int_not_equal(up->peer.port, PORT);
    up = fake_find(0, EV_UP, 0);
    assert_true(addr_equal(&up->peer, &fake.addrs[1]));
    assert_int_equal(fake_find(1, EV_DATA, 0)->first, 'a');
    assert_int_equal(fake_find(1, EV_DATA, 0)->len, 100);
    assert_int_equal(fake.result.metrics.counts[COUNT_LINKS], 1);
    assert_int_equal(fake.result.metrics.counts[COUNT_EVENTS], fake.n);
    /* SYN, ACK, message, ACK of the answer: 60 + 52 + 156 + 52. */
    assert_int_equal(hist_max(&fake.result.metrics.hist[METRIC_WIRE_BYTES]), 60 + 52 + 156 + 52);
    assert_int_equal(hist_max(&fake.result.metrics.hist[METRIC_WIRE_PACKETS]), 4);
    fake_clear();
}

static void latency_counts_both_last_miles(void **state)
{
    /* 60 and 52 bytes at 8 Mbit/s up are 60 and 52 us; at 80 Mbit/s down 6 and 5.2 us. */
    ns_t syn = 60 * NS_US, ack = 52 * NS_US, up = 3 * NS_MS, d = ONE_WAY + up + 4 * NS_MS;
    ns_t data = 156 * NS_US + 15600, dialled = 2 * d + syn + 6 * NS_US, accepted;
    (void)state;
    fake_world(2, dial_and_greet);
    fake.hosts[0].access = (struct access){.up_bps = 8000000, .latency = up};
    fake.hosts[1].access = (struct access){.down_bps = 80000000, .latency = 4 * NS_MS};
    fake_run();
    accepted = dialled + d + ack + 5200;
    assert_event(0, EV_UP, 0, dialled);
    assert_event(1, EV_UP, 0, accepted);
    /* The message waits for the ACK at the uplink: its own time there, then at the downlink. */
    assert_event(1, EV_DATA, 0, dialled + ack + data + d);
    assert_event(0, EV_DATA, 0, accepted + d);
    fake_clear();
}

static void send_ten(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_MESSAGE);
    for (int i = 0; ev->kind == EV_UP && n->self == 0 && i < 10; i++)
        assert_int_equal(fake_send(n, ev->link, (uint8_t)i, 60000), OK);
}

static void throughput_is_the_bottlenecks(void **state)
{
    ns_t wire = (60004 + 42 * 52) * (ns_t)1000, first, last; /* at 8 Mbit/s */
    (void)state;
    for (int down = 0; down < 2; down++) {
        fake_world(2, send_ten);
        if (down)
            fake.hosts[1].access.down_bps = 8000000;
        else
            fake.hosts[0].access.up_bps = 8000000;
        fake_run();
        first = fake_find(1, EV_DATA, 0)->time;
        last = fake_find(1, EV_DATA, 9)->time;
        /* Less the headers of six segments that are spared where messages meet. */
        assert_in_range(last - first, 9 * wire - 2 * NS_MS, 9 * wire);
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(fake_find(1, EV_DATA, i)->first, i);
        fake_clear();
    }
}

/* Two senders, one near and one far, at one downlink: who comes first is served first. */
static void near_and_far(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self)
        fake_open(n, 0, LINK_MESSAGE);
    if (ev->kind == EV_START && n->self)
        n->env->ops->arm(n->env, 1, n->self == 1 ? NS_S : NS_S + 5 * NS_MS);
    if (ev->kind == EV_TIMER)
        assert_int_equal(fake_send(n, 1, (uint8_t)n->self, 48), OK);
}

static void downlink_serves_in_the_order_of_arrival(void **state)
{
    (void)state;
    fake_world(3, near_and_far);
    fake.rtts[1 * 3 + 0] = fake.rtts[0 * 3 + 1] = 400 * NS_MS;
    fake.rtts[2 * 3 + 0] = fake.rtts[0 * 3 + 2] = 2 * NS_MS;
    fake.hosts[0].access.down_bps = 8000000;
    fake_run();
    assert_int_equal(fake_find(0, EV_DATA, 0)->first, 2);
    assert_event(0, EV_DATA, 0, NS_S + 6 * NS_MS + 104 * NS_US);
    assert_event(0, EV_DATA, 1, NS_S + 200 * NS_MS + 104 * NS_US);
    fake_clear();
}

static void hand_over(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_HANDOVER);
    if (ev->kind == EV_UP)
        assert_int_equal(fake_send(n, ev->link, 1, LINK_MESSAGE_MAX), OK);
    if (ev->kind == EV_DATA && n->self == 0)
        n->env->ops->close(n->env, ev->link);
}

static void handover_takes_no_time_and_no_wire(void **state)
{
    (void)state;
    fake_world(2, hand_over);
    fake.hosts[0].nat = fake.hosts[1].nat = NAT_SYMMETRIC;
    fake_run();
    for (uint32_t i = 0; i < 2; i++) {
        assert_event(i, EV_UP, 0, 0);
        assert_event(i, EV_DATA, 0, 0);
    }
    assert_event(1, EV_DOWN, 0, 0);
    assert_int_equal(fake_find(1, EV_DOWN, 0)->why, DOWN_CLOSED);
    assert_int_equal(hist_max(&fake.result.metrics.hist[METRIC_WIRE_BYTES]), 0);
    assert_int_equal(fake.result.ended, 0);
    assert_false(fake.result.timed_out);
    assert_non_null(strstr(fake.result.why, "deadlock"));
    assert_non_null(strstr(fake.result.why, "bob waits for number 2\n"));
    fake_clear();
}

/* ---- back-pressure -------------------------------------------------------------------- */

static void window_pushes_back(void **state)
{
    (void)state;
    fake_world(2, fill);
    fake.tuning.window = 10000;
    fake_run();
    /* Ten at 1 RTT. Five handed over: room one path later; then ten again, at 2 RTT. */
    assert_event(0, EV_ROOM, 0, 4 * ONE_WAY);
    assert_int_equal(fake_find(0, EV_ROOM, 1)->time / (2 * ONE_WAY), 3);
    assert_in_range(fake_count(0, EV_ROOM), 9, 20);
    assert_int_equal(fake_count(1, EV_DATA), 100);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(fake_find(1, EV_DATA, i)->first, i);
    fake_clear();
    fake_world(2, fill);
    fake.tuning.window = 10; /* always at least one message */
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 100);
    assert_int_equal(fake_count(0, EV_ROOM), 99);
    fake_clear();
    fake_world(2, fill);
    fake_run();
    assert_int_equal(fake_count(0, EV_ROOM), 0);
    fake_clear();
}

/* A receiver that computes pushes back as well: its backlog is bounded. */
static void slow_reader(struct node *n, const struct event *ev)
{
    fill(n, ev);
    if (n->self == 1 && ev->kind == EV_DATA)
        n->env->spent += NS_MS;
}

static void a_busy_receiver_pushes_back(void **state)
{
    (void)state;
    fake_world(2, slow_reader);
    fake.tuning.window = 10000;
    fake_run();
    assert_event(1, EV_DATA, 0, 3 * ONE_WAY);
    assert_event(1, EV_DATA, 9, 3 * ONE_WAY + 9 * NS_MS);
    assert_event(0, EV_ROOM, 0, 3 * ONE_WAY + 4 * NS_MS + ONE_WAY);
    assert_int_equal(fake_count(1, EV_DATA), 100);
    fake_clear();
}

/* ---- computing ------------------------------------------------------------------------ */

static void compute(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0) {
        n->env->spent += 5 * NS_MS;
        fake_open(n, 1, LINK_MESSAGE);
        n->env->ops->arm(n->env, 1, 1 * NS_MS);
        n->env->ops->arm(n->env, 2, 2 * NS_MS);
        n->env->ops->arm(n->env, 3, 30 * NS_MS);
    }
    if (ev->kind == EV_TIMER && ev->timer == 1)
        n->env->spent += 10 * NS_MS;
    if (ev->kind == EV_UP && n->self == 0) {
        n->env->spent += 3 * NS_MS;
        assert_int_equal(fake_send(n, ev->link, 1, 1), OK);
        n->env->spent += 3 * NS_MS;
        assert_int_equal(fake_send(n, ev->link, 2, 1), OK);
        fake_done(n);
    }
}

static void what_is_spent_delays_what_follows(void **state)
{
    (void)state;
    fake_world(2, compute);
    fake_run();
    assert_event(0, EV_TIMER, 0, 5 * NS_MS);
    assert_event(0, EV_TIMER, 1, 15 * NS_MS);
    assert_event(0, EV_TIMER, 2, 30 * NS_MS);
    assert_int_equal(fake_find(0, EV_TIMER, 1)->timer, 2);
    assert_event(0, EV_UP, 0, 5 * NS_MS + 2 * ONE_WAY);
    assert_event(1, EV_DATA, 0, 5 * NS_MS + 3 * ONE_WAY + 3 * NS_MS);
    assert_event(1, EV_DATA, 1, 5 * NS_MS + 3 * ONE_WAY + 6 * NS_MS);
    assert_int_equal(hist_max(&fake.result.metrics.hist[METRIC_COMPUTE]), 21 * NS_MS);
    fake_clear();
}

static void many_timers(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START)
        for (unsigned i = 0; i < 50; i++)
            n->env->ops->arm(n->env, i, NS_MS);
    if (ev->kind == EV_TIMER)
        n->env->spent += NS_US;
    if (ev->kind == EV_TIMER && ev->timer == 49)
        n->env->ops->arm(n->env, 50, 0); /* past: now */
}

static void deferred_events_keep_their_order(void **state)
{
    (void)state;
    fake_world(2, many_timers);
    fake_run();
    for (uint32_t k = 0; k < 2; k++)
        for (unsigned i = 0; i <= 50; i++) {
            assert_event(k, EV_TIMER, i, NS_MS + (ns_t)i * NS_US);
            assert_int_equal(fake_find(k, EV_TIMER, i)->timer, i);
        }
    fake_clear();
}

/* ---- barrier, end of a trial ---------------------------------------------------------- */

static void ready_in_time(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START)
        n->env->ops->arm(n->env, 1, (4 - n->self) * NS_S);
    if (ev->kind == EV_TIMER) {
        n->env->ops->ready(n->env);
        n->env->ops->ready(n->env);
    }
    if (ev->kind == EV_GO)
        n->env->ops->arm(n->env, 2, n->env->now + n->self);
    if (ev->kind == EV_TIMER && ev->timer == 2)
        fake_done(n);
}

static void barrier_opens_for_all_at_once(void **state)
{
    const struct action again[] = {{.kind = ACT_CRASH, .at = 4 * NS_S + 1, .node = 3},
                                   {.kind = ACT_RESTART, .at = 5 * NS_S, .node = 3}};
    (void)state;
    fake_world(4, ready_in_time);
    fake_roster.n_parties = 3; /* dave is a service: asked, but not waited for */
    fake.hosts[3].start = 0;
    fake_run();
    for (uint32_t i = 0; i < 4; i++)
        assert_event(i, EV_GO, 0, 4 * NS_S);
    for (uint32_t i = 0; i < 3; i++)
        assert_ptr_equal(fake_find(i, EV_GO, 0) + 1, fake_find(i + 1, EV_GO, 0));
    assert_int_equal(fake.result.ended, 4 * NS_S + 2);
    assert_null(fake.result.why);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(fake.result.outcomes[i].done);
        assert_int_equal(fake.result.outcomes[i].result[0], i + 1);
    }
    assert_int_equal(hist_count(&fake.result.metrics.hist[METRIC_COMPLETION]), 3);
    fake_clear();
    /* Who is restarted after the release gets EV_GO at once. */
    fake_world(4, ready_in_time);
    fake.spec.actions = again;
    fake.spec.n_actions = 2;
    fake_run();
    assert_event(3, EV_GO, 1, 5 * NS_S);
    assert_int_equal(fake_find(3, EV_GO, 1)->incarnation, 1);
    assert_false(fake.result.timed_out);
    fake_clear();
}

static void tick(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START || ev->kind == EV_TIMER)
        n->env->ops->arm(n->env, 1, n->env->now + NS_S);
    if (ev->kind == EV_START)
        n->env->ops->arm(n->env, 2, NS_NEVER);
}

static void limit_ends_a_trial(void **state)
{
    (void)state;
    fake_world(2, tick);
    fake.spec.limit = 10 * NS_S;
    fake_run();
    assert_true(fake.result.timed_out);
    assert_int_equal(fake.result.ended, 10 * NS_S);
    assert_int_equal(fake_count(0, EV_TIMER), 10);
    assert_string_equal(fake.result.why, "alice waits for number 1\nbob waits for number 2\n");
    fake_clear();
}

static void a_broken_world_says_why(void **state)
{
    struct err err = {0};
    (void)state;
    fake_world(2, NULL);
    fake.spec.limit = 13;
    assert_int_equal(sim_run(&fake.spec, 1, NULL, NULL, &sim_defaults, &fake.result, &err),
                     ERR_INVALID);
    assert_string_equal(err.text, "unlucky");
    fake_world(2, NULL);
    fake_entries[1].addr = fake_entries[0].addr;
    assert_int_equal(world_sim.run(&fake.spec, 1, NULL, NULL, &fake.result, &err), ERR_INVALID);
    assert_string_equal(err.text, "alice and bob have the same address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_to_the_nanosecond),
        cmocka_unit_test(latency_counts_both_last_miles),
        cmocka_unit_test(throughput_is_the_bottlenecks),
        cmocka_unit_test(downlink_serves_in_the_order_of_arrival),
        cmocka_unit_test(handover_takes_no_time_and_no_wire),
        cmocka_unit_test(window_pushes_back),
        cmocka_unit_test(a_busy_receiver_pushes_back),
        cmocka_unit_test(what_is_spent_delays_what_follows),
        cmocka_unit_test(deferred_events_keep_their_order),
        cmocka_unit_test(barrier_opens_for_all_at_once),
        cmocka_unit_test(limit_ends_a_trial),
        cmocka_unit_test(a_broken_world_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
