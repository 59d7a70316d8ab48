/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* TCP where something is missing: a full downlink, a SYN-ACK, an acknowledgement, small segments.
 */
#include "tests/unit/sim_fake.h"

#include "engine/worlds/link/tcp.h"

#define ONE_WAY (20 * NS_MS)
#define RTT (40 * NS_MS)

enum { SENDERS = 6, EACH = 4, PIECE = 6000 };

static struct tcp_spec spec;

/* ---- a full downlink ------------------------------------------------------------------ */

/* Everybody but bob sends him four messages, 12 ms apart: calm ones, at the same moments. */
static void crowd(struct node *n, const struct event *ev)
{
    if (n->self != 1 && ev->kind == EV_START)
        fake_open(n, 1, LINK_MESSAGE);
    if (n->self != 1 && ev->kind == EV_UP)
        for (unsigned i = 0; i < EACH; i++)
            n->env->ops->arm(n->env, i, NS_S + i * 12 * NS_MS);
    if (n->self != 1 && ev->kind == EV_TIMER)
        assert_int_equal(fake_send(n, 1, (uint8_t)(n->self * 16 + ev->timer), PIECE), OK);
}

static void a_full_downlink_ends_calm(void **state)
{
    static const struct tcp_spec *const specs[] = {&tcp_linux, &tcp_ns3};
    (void)state;
    for (int like = 0; like < 2; like++) {
        unsigned next[SENDERS + 1] = {0};
        ns_t last = 0;
        fake_world(SENDERS, crowd);
        fake.spec.tcp = specs[like];
        fake.spec.limit = 60 * NS_S;
        fake.hosts[1].access = (struct access){.down_bps = 20000000, .queue_bytes = 20000};
        fake_run();
        assert_int_equal(fake_count(1, EV_DATA), EACH * (SENDERS - 1));
        for (unsigned i = 0; i < EACH * (SENDERS - 1); i++) {
            const struct entry *e = fake_find(1, EV_DATA, i);
            assert_int_equal(e->first % 16, next[e->first / 16]++);
            last = e->time;
        }
        /* The queue takes three messages and some segments of the others: what was dropped is
         * repeated, nothing more than once or twice, within a second and not one timeout each. */
        assert_true(fake.result.metrics.drops[DROP_QUEUE] >= 5);
        assert_int_equal(fake.result.metrics.drops[DROP_LOSS], 0);
        assert_in_range(fake.result.metrics.counts[COUNT_RETRANSMITS],
                        fake.result.metrics.drops[DROP_QUEUE],
                        fake.result.metrics.drops[DROP_QUEUE] * 3);
        assert_in_range(last, NS_S + 50 * NS_MS, 2 * NS_S);
        fake_clear();
    }
}

/* ---- one direction is cut ------------------------------------------------------------- */

static void dial(struct node *n, const struct event *ev)
{
    if (n->self == 0 && ev->kind == EV_START)
        fake_open(n, 1, LINK_MESSAGE);
}

/* The SYN-ACK of 20 ms and the SYN of 1 s are lost: the server's own repetition opens. */
static void a_syn_ack_is_repeated_by_its_host(void **state)
{
    const uint8_t back[2] = {2, 1}, there[2] = {1, 2};
    const struct action cuts[] = {
        {.kind = ACT_PARTITION, .one_way = true, .until = 30 * NS_MS, .side = back},
        {.kind = ACT_PARTITION,
         .one_way = true,
         .at = 900 * NS_MS,
         .until = 1010 * NS_MS,
         .side = there}};
    (void)state;
    fake_world(2, dial);
    fake.spec.actions = cuts;
    fake.spec.n_actions = 2;
    fake.spec.limit = 200 * NS_S;
    fake_run();
    assert_event(0, EV_UP, 0, ONE_WAY + NS_S + ONE_WAY);
    assert_event(1, EV_UP, 0, ONE_WAY + NS_S + 2 * ONE_WAY);
    assert_int_equal(fake_count(0, EV_UP), 1);
    assert_int_equal(fake_count(0, EV_DOWN), 0);
    assert_int_equal(fake.result.metrics.drops[DROP_PARTITION], 2);
    fake_clear();
}

/* Nobody answers: the dialler gives up after 127 s, however often the server has repeated. */
static void who_hears_nothing_gives_up(void **state)
{
    const uint8_t back[2] = {2, 1};
    const struct action cut = {
        .kind = ACT_PARTITION, .one_way = true, .until = 1000 * NS_S, .side = back};
    (void)state;
    fake_world(2, dial);
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake.spec.limit = 300 * NS_S;
    fake_run();
    assert_event(0, EV_DOWN, 0, 127 * NS_S);
    assert_int_equal(fake_find(0, EV_DOWN, 0)->why, DOWN_TIMEOUT);
    assert_int_equal(fake_count(1, EV_UP), 0);
    assert_int_equal(fake.result.metrics.drops[DROP_PARTITION], TCP_SYNS + TCP_SYN_ACKS);
    fake_clear();
}

static bool answers;

static void upload(struct node *n, const struct event *ev)
{
    if (n->self == 0 && ev->kind == EV_START)
        fake_open(n, 1, LINK_BYTES);
    if (n->self == 0 && ev->kind == EV_UP)
        assert_int_equal(fake_send(n, 1, 1, 65536), OK);
    if (n->self == 1 && ev->kind == EV_DATA && answers)
        n->env->ops->arm(n->env, 1, n->env->now + 10 * NS_MS);
    if (n->self == 1 && ev->kind == EV_TIMER)
        assert_int_equal(fake_send(n, 1, 2, 10), OK);
}

/* 64 KiB are there after 3 1/2 round trips; the acknowledgements of their end are lost. Data that
 * go back 10 ms later say it again: nothing is repeated; without them, the end is. */
static void a_lost_acknowledgement_is_said_again(void **state)
{
    const uint8_t back[2] = {2, 1};
    const struct action cut = {.kind = ACT_PARTITION,
                               .one_way = true,
                               .at = 3 * RTT + ONE_WAY - NS_MS,
                               .until = 3 * RTT + ONE_WAY + NS_MS,
                               .side = back};
    (void)state;
    for (int i = 0; i < 2; i++) {
        answers = i == 0;
        fake_world(2, upload);
        fake.spec.actions = &cut;
        fake.spec.n_actions = 1;
        fake.spec.limit = 10 * NS_S;
        fake_run();
        assert_event(1, EV_DATA, 0, 3 * RTT + ONE_WAY);
        assert_true(fake.result.metrics.drops[DROP_PARTITION] > 3);
        assert_int_equal(fake.result.metrics.counts[COUNT_RETRANSMITS] > 0, !answers);
        fake_clear();
    }
}

/* ---- small segments ------------------------------------------------------------------- */

static void trickle(struct node *n, const struct event *ev)
{
    if (n->self == 0 && ev->kind == EV_START)
        fake_open(n, 1, LINK_MESSAGE);
    if (n->self == 0 && ev->kind == EV_UP)
        for (unsigned i = 0; i < 5; i++)
            n->env->ops->arm(n->env, i, 2 * NS_S + i * 30 * NS_MS);
    if (n->self == 0 && ev->kind == EV_TIMER)
        assert_int_equal(fake_send(n, 1, (uint8_t)ev->timer, 10), OK);
}

/* Five segments of 14 bytes are lost; after the first one's timeout all of them are one segment. */
static void lost_segments_are_repeated_as_one(void **state)
{
    const uint8_t side[2] = {1, 2};
    const struct action cut = {
        .kind = ACT_PARTITION, .at = 1900 * NS_MS, .until = 2150 * NS_MS, .side = side};
    ns_t there;
    (void)state;
    fake_world(2, trickle);
    spec = tcp_ns3; /* which does not probe */
    fake.spec.tcp = &spec;
    fake.spec.actions = &cut;
    fake.spec.n_actions = 1;
    fake.spec.limit = 10 * NS_S;
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 5);
    there = fake_find(1, EV_DATA, 0)->time;
    assert_in_range(there, 2200 * NS_MS + ONE_WAY, 2200 * NS_MS + ONE_WAY + 10);
    for (unsigned i = 0; i < 5; i++) {
        assert_event(1, EV_DATA, i, there);
        assert_int_equal(fake_find(1, EV_DATA, i)->first, i);
    }
    assert_int_equal(fake.result.metrics.drops[DROP_PARTITION], 5);
    assert_int_equal(fake.result.metrics.counts[COUNT_RETRANSMITS], 1);
    fake_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_downlink_ends_calm),
        cmocka_unit_test(a_syn_ack_is_repeated_by_its_host),
        cmocka_unit_test(who_hears_nothing_gives_up),
        cmocka_unit_test(a_lost_acknowledgement_is_said_again),
        cmocka_unit_test(lost_segments_are_repeated_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
