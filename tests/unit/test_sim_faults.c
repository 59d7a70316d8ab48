/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* Crashes, partitions, changed links, loss, planted faults. */
#include "tests/unit/sim_fake.h"

#define ONE_WAY (20 * NS_MS)

/* ---- crash, restart, partition -------------------------------------------------------- */

static void stay_connected(struct node *n, const struct event *ev)
{
    if (n->self == 0 && (ev->kind == EV_START || ev->kind == EV_DOWN))
        n->env->ops->arm(n->env, 1, n->env->now + 100 * NS_MS);
    if (n->self == 0 && ev->kind == EV_TIMER && ev->timer == 1)
        fake_open(n, 1, LINK_MESSAGE);
    if (n->self == 0 && ev->kind == EV_UP)
        n->env->ops->arm(n->env, 2 + ev->link, n->env->now);
    if (n->self == 0 && ev->kind == EV_TIMER && ev->timer >= 2 &&
        fake_send(n, ev->timer - 2, 1, 10) == OK)
        n->env->ops->arm(n->env, ev->timer, n->env->now + 100 * NS_MS);
    if (n->self == 1 && ev->kind == EV_DATA)
        assert_int_equal(fake_send(n, ev->link, 2, 10), OK);
    if (n->self == 1 && ev->kind == EV_START) {
        uint8_t lives = 0;
        size_t len;
        int rc = n->env->store->ops->get(n->env->store, "lives", 5, &lives, 1, &len);
        assert_int_equal(rc, n->env->incarnation ? OK : ERR_ABSENT);
        assert_int_equal(lives, n->env->incarnation);
        lives++;
        assert_int_equal(n->env->store->ops->put(n->env->store, "lives", 5, &lives, 1), OK);
        n->env->ops->arm(n->env, 9, n->env->now + 2500 * NS_MS);
    }
}

/* An answer of the first life is on its way then: no sign of recovery. */
#define CRASH (1970 * NS_MS)

static void crash_resets_and_restart_begins_anew(void **state)
{
    const struct action actions[] = {{.kind = ACT_CRASH, .at = CRASH, .node = 1},
                                     {.kind = ACT_CRASH, .at = 2100 * NS_MS, .node = 1},
                                     {.kind = ACT_RESTART, .at = 4 * NS_S, .node = 1},
                                     {.kind = ACT_RESTART, .at = 4100 * NS_MS, .node = 1}};
    const struct hist *recovery = &fake.result.metrics.hist[METRIC_RECOVERY];
    const struct entry *e;
    ns_t first_after = 0;
    (void)state;
    fake_world(2, stay_connected);
    fake.spec.actions = actions;
    fake.spec.n_actions = 4;
    fake.spec.limit = 8 * NS_S;
    fake_run();
    e = fake_find(0, EV_DOWN, 0);
    assert_true(e->why == DOWN_RESET && e->time == CRASH + ONE_WAY);
    e = fake_find(0, EV_DOWN, 1);
    assert_true(e->why == DOWN_REFUSED && e->time == CRASH + 3 * ONE_WAY + 100 * NS_MS);
    assert_int_equal(fake_count(1, EV_START), 2);
    assert_int_equal(fake_find(0, EV_DATA, 18)->time, CRASH + 10 * NS_MS);
    assert_event(1, EV_START, 1, 4 * NS_S);
    assert_int_equal(fake_find(1, EV_START, 1)->incarnation, 1);
    /* The timer of the first life, due at 2.5 s, never came. */
    assert_event(1, EV_TIMER, 0, 6500 * NS_MS);
    for (unsigned i = 0; (e = fake_find(1, EV_DATA, i)); i++)
        if (e->time >= 4 * NS_S && !first_after)
            first_after = e->time;
    assert_true(first_after > 0);
    assert_int_equal(hist_count(recovery), 1);
    assert_int_equal(hist_min(recovery), first_after - CRASH);
    assert_true(fake.result.metrics.drops[DROP_REFUSED] > 5);
    fake_clear();
}

static void finish_early(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->env->incarnation == 0)
        n->env->ops->arm(n->env, 1, (n->self ? 10 : 1) * NS_S);
    if (ev->kind == EV_TIMER)
        fake_done(n);
}

static void a_result_survives_a_crash(void **state)
{
    const struct action actions[] = {{.kind = ACT_CRASH, .at = 2 * NS_S, .node = 0},
                                     {.kind = ACT_RESTART, .at = 3 * NS_S, .node = 0}};
    (void)state;
    fake_world(2, finish_early);
    fake.spec.actions = actions;
    fake.spec.n_actions = 2;
    fake_run();
    assert_int_equal(fake.result.ended, 10 * NS_S);
    assert_true(fake.result.outcomes[0].done);
    assert_int_equal(fake.result.outcomes[0].result[0], 1);
    assert_int_equal(hist_count(&fake.result.metrics.hist[METRIC_COMPLETION]), 2);
    fake_clear();
    fake_world(2, NULL);
    fake.spec.actions = actions;
    fake.spec.n_actions = 1;
    fake_run();
    assert_non_null(strstr(fake.result.why, "alice crashed and is down\n"));
    fake_clear();
}

static void send_each_second(struct node *n, const struct event *ev)
{
    if (n->self == 0 && ev->kind == EV_START)
        fake_open(n, 1, LINK_MESSAGE);
    if (n->self == 0 && ((ev->kind == EV_TIMER && fake.count < 8) || ev->kind == EV_UP)) {
        assert_int_equal(fake_send(n, 1, (uint8_t)fake.count++, 10), OK);
        n->env->ops->arm(n->env, 1, fake.count * NS_S);
    }
}

static void a_partition_heals(void **state)
{
    const uint8_t side[2] = {1, 2};
    const struct action cut = {
        .kind = ACT_PARTITION, .at = 2500 * NS_MS, .until = 5500 * NS_MS, .side = side};
    /* An RTO of 240 ms, doubled each time; then a segment by itself, and two. */
    ns_t resumed = 3 * NS_S + (240 + 480 + 960 + 1920) * NS_MS + ONE_WAY;
    (void)state;
    fake_world(2, send_each_second);
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake_run();
    assert_event(1, EV_DATA, 2, 2 * NS_S + ONE_WAY);
    assert_event(1, EV_DATA, 3, resumed);
    for (unsigned i = 4; i <= 6; i++)
        assert_event(1, EV_DATA, i, resumed + 2 * ONE_WAY);
    assert_event(1, EV_DATA, 7, 7 * NS_S + ONE_WAY);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(fake_find(1, EV_DATA, i)->first, i);
    assert_int_equal(fake.result.metrics.drops[DROP_PARTITION], 4);
    assert_int_equal(fake.result.metrics.counts[COUNT_RETRANSMITS], 4);
    assert_int_equal(hist_min(&fake.result.metrics.hist[METRIC_RECOVERY]), resumed - 2500 * NS_MS);
    fake_clear();
}

static void dial_late(struct node *n, const struct event *ev)
{
    send_each_second(n, ev);
    if (n->self == 1 && ev->kind == EV_START)
        n->env->ops->arm(n->env, 1, 1000 * NS_S);
    if (n->self == 1 && ev->kind == EV_TIMER && ev->timer == 1)
        assert_int_equal(fake_send(n, 1, 9, 10), OK); /* it has not noticed */
    if (n->self == 0 && ev->kind == EV_DOWN)
        fake.count = 8;
}

static void a_partition_for_good_times_out(void **state)
{
    const uint8_t side[3] = {1, 2, 1};
    struct action cut = {
        .kind = ACT_PARTITION, .at = 1500 * NS_MS, .until = NS_NEVER, .side = side};
    (void)state;
    fake_world(2, dial_late);
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake.spec.limit = 3000 * NS_S;
    fake_run();
    assert_event(0, EV_DOWN, 0, 2 * NS_S + 900 * NS_S);
    assert_int_equal(fake_find(0, EV_DOWN, 0)->why, DOWN_TIMEOUT);
    assert_event(1, EV_DOWN, 0, 1000 * NS_S + 900 * NS_S);
    assert_int_equal(fake_count(1, EV_DATA), 2);
    fake_clear();
    /* Healed before the other side sends: it is reset. */
    cut.until = 950 * NS_S;
    fake_world(2, dial_late);
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake_run();
    assert_event(1, EV_DOWN, 0, 1000 * NS_S + 2 * ONE_WAY);
    assert_int_equal(fake_find(1, EV_DOWN, 0)->why, DOWN_RESET);
    fake_clear();
    /* Dialled during a partition: 127 s. */
    cut.at = 0;
    cut.until = NS_NEVER;
    fake_world(2, send_each_second);
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake_run();
    assert_event(0, EV_DOWN, 0, 127 * NS_S);
    fake_clear();
    cut.until = 2 * NS_S; /* the SYNs of 0 and 1 s are lost, that of 3 s is not */
    fake_world(2, send_each_second);
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake_run();
    assert_event(0, EV_UP, 0, 3 * NS_S + 2 * ONE_WAY);
    fake_clear();
}

/* Crashed behind a partition: the RST is lost, and what was held back never comes. */
static void a_crash_behind_a_partition_goes_unnoticed(void **state)
{
    const uint8_t side[2] = {1, 2};
    const struct action actions[] = {
        {.kind = ACT_PARTITION, .at = 2500 * NS_MS, .until = 50 * NS_S, .side = side},
        {.kind = ACT_CRASH, .at = 3500 * NS_MS, .node = 0}};
    (void)state;
    fake_world(2, dial_late);
    fake.spec.actions = actions;
    fake.spec.n_actions = 2;
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 3);
    assert_event(1, EV_DOWN, 0, 1000 * NS_S + 2 * ONE_WAY);
    assert_int_equal(fake_find(1, EV_DOWN, 0)->why, DOWN_RESET);
    assert_int_equal(fake.result.metrics.drops[DROP_LINK_CLOSED], 2);
    fake_clear();
}

static void a_link_changes_for_a_while(void **state)
{
    const struct action slow = {.kind = ACT_LINK,
                                .at = 2 * NS_S,
                                .until = 4 * NS_S,
                                .a = 1,
                                .b = 0,
                                .loss_ppm = -1,
                                .latency = 300 * NS_MS,
                                .rate_bps = 1000};
    ns_t serial = (10 + 4 + 52) * 8 * NS_MS;
    (void)state;
    fake_world(2, send_each_second);
    fake.spec.actions = &slow;
    fake.spec.n_actions = 1;
    fake_run();
    assert_event(1, EV_DATA, 1, 1 * NS_S + ONE_WAY);
    assert_event(1, EV_DATA, 2, 2 * NS_S + 300 * NS_MS + serial);
    assert_event(1, EV_DATA, 4, 4 * NS_S + ONE_WAY);
    fake_clear();
}

/* ---- loss ----------------------------------------------------------------------------- */

static void chatter(struct node *n, const struct event *ev)
{
    if (n->self == 0 && ev->kind == EV_START)
        fake_open(n, 1, LINK_MESSAGE);
    if (n->self == 0 && (ev->kind == EV_UP || ev->kind == EV_TIMER) && fake.count < 20000) {
        fake_send(n, 1, (uint8_t)fake.count++, 100);
        n->env->ops->arm(n->env, 1, n->env->now + 10 * NS_MS);
    }
}

static void loss_has_its_rate(void **state)
{
    (void)state;
    fake_world(2, chatter);
    fake.hosts[0].access.loss_ppm = 10000;
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 20000);
    /* 20,000 and the repetitions at 1 %: 202 +- 14, within 4.5 sigma; and of the acknowledgements
     * after each of them, until it is repaired. */
    assert_in_range(fake.result.metrics.counts[COUNT_RETRANSMITS], 138, 266);
    assert_in_range(fake.result.metrics.drops[DROP_LOSS], 138, 400);
    for (unsigned i = 0, last = 0; i < fake.n; i++)
        if (fake.log[i].node == 1 && fake.log[i].kind == EV_DATA)
            assert_int_equal(fake.log[i].first, last++ & 255);
    fake_clear();
}

/* A further message from bob does not change the fate of alice's. */
static void chatter_back(struct node *n, const struct event *ev)
{
    chatter(n, ev);
    if (n->self == 1 && ev->kind == EV_DATA)
        fake_send(n, ev->link, 0, 3000);
}

static void another_draw_changes_no_other_stream(void **state)
{
    static ns_t times[20000];
    unsigned k = 0;
    (void)state;
    for (int round = 0; round < 2; round++, k = 0) {
        fake_world(2, round ? chatter_back : chatter);
        fake.hosts[0].access = (struct access){.jitter = NS_MS};
        fake_run();
        for (size_t i = 0; i < fake.n; i++) {
            if (fake.log[i].node != 1 || fake.log[i].kind != EV_DATA)
                continue;
            if (round)
                assert_int_equal(times[k], fake.log[i].time);
            times[k++] = fake.log[i].time;
        }
        assert_int_equal(k, 20000);
        fake_clear();
    }
}

/* ---- planted faults ------------------------------------------------------------------- */

static void the_nth_send_is_refused(void **state)
{
    (void)state;
    fake_world(2, fill);
    fake.plan.refuse_send = 7;
    fake_run();
    assert_int_equal(fake.result.faults_fired, 1);
    assert_event(0, EV_ROOM, 0, 2 * ONE_WAY);
    assert_int_equal(fake_count(0, EV_ROOM), 1);
    assert_int_equal(fake_count(1, EV_DATA), 100);
    fake_clear();
}

static void the_nth_message_is_lost(void **state)
{
    (void)state;
    fake_world(2, fill);
    fake.plan.lose_message = 100;
    fake_run();
    assert_int_equal(fake.result.faults_fired, 1);
    assert_int_equal(fake_count(1, EV_DATA), 99);
    assert_int_equal(fake_find(1, EV_DATA, 98)->first, 98);
    assert_int_equal(fake.result.metrics.drops[DROP_FAULT], 1);
    fake_clear();
    fake_world(2, fill);
    fake.plan.lose_message = 101;
    fake_run();
    assert_int_equal(fake.result.faults_fired, 0);
    fake_clear();
}

static void write_ahead(struct node *n, const struct event *ev)
{
    struct store *s = n->env->store;
    uint8_t was;
    size_t len;
    if (n->self == 1 && ev->kind == EV_START)
        fake_open(n, 0, LINK_MESSAGE);
    if (n->self != 1 || ev->kind != EV_UP)
        return;
    if (s->ops->get(s, "vote", 4, &was, 1, &len) == OK)
        fake.count += 100;
    else if (s->ops->insert(s, "vote", 4, "x", 1) == OK)
        fake.count += 10;
    fake.count++;
    (void)fake_send(n, ev->link, 1, 10); /* after death: never leaves */
}

static void a_store_operation_fails_or_kills(void **state)
{
    const struct action again = {.kind = ACT_RESTART, .at = NS_S, .node = 1};
    (void)state;
    fake_world(2, write_ahead);
    fake.plan.fail_store = 2;
    fake_run();
    assert_int_equal(fake.count, 1);
    assert_int_equal(fake_count(0, EV_DATA), 1);
    assert_int_equal(fake.result.faults_fired, 1);
    fake_clear();
    for (int after = 0; after < 2; after++) {
        fake_world(2, write_ahead);
        fake.tuning.die_before = after ? 0 : 2;
        fake.tuning.die_after = after ? 2 : 0;
        fake.spec.actions = &again;
        fake.spec.n_actions = 1;
        fake_run();
        assert_int_equal(fake.result.faults_fired, 1);
        assert_int_equal(fake_find(0, EV_DOWN, 0)->why, DOWN_RESET);
        assert_int_equal(fake_count(0, EV_DATA), 1);
        assert_int_equal(fake.count, after ? 1 + 101 : 1 + 11);
        fake_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crash_resets_and_restart_begins_anew),
        cmocka_unit_test(a_result_survives_a_crash),
        cmocka_unit_test(a_partition_heals),
        cmocka_unit_test(a_partition_for_good_times_out),
        cmocka_unit_test(a_crash_behind_a_partition_goes_unnoticed),
        cmocka_unit_test(a_link_changes_for_a_while),
        cmocka_unit_test(loss_has_its_rate),
        cmocka_unit_test(another_draw_changes_no_other_stream),
        cmocka_unit_test(the_nth_send_is_refused),
        cmocka_unit_test(the_nth_message_is_lost),
        cmocka_unit_test(a_store_operation_fails_or_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
