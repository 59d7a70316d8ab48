/* links: engine/channel/channel.c engine/channel/frame.c engine/channel/handshake.c
 * engine/channel/hello.c engine/channel/plain.c engine/channel/pool.c engine/channel/backlog.c
 * engine/channel/sealed.c engine/channel/shake.c engine/crypto/identity.c engine/crypto/noise.c
 * engine/base/err.c engine/base/prng.c */
#include "tests/unit/channel_pair.h"

/* ---- the pool, and a transport that refuses ---- */

static size_t big_size(int side, uint64_t number)
{
    (void)side, (void)number;
    return 100000;
}

static void test_pool(void **state)
{
    struct pair p;
    struct side *s = &p.side[0];
    (void)state;
    pair_init(&p, 40, CHANNEL_NOISE);
    s->size = big_size;
    s->node.pool_cap = 1 << 20;
    s->to_send = 100;
    pair_send(s);
    assert_int_equal(s->sent, 10); /* whole messages alone */
    assert_true(s->node.pool_used <= s->node.pool_cap);
    assert_int_equal(s->rooms, 0);
    pair_connect(&p);
    pair_run(&p, 20 * NS_S);
    assert_true(pair_complete(&p));
    assert_true(s->pool_most <= s->node.pool_cap);
    assert_true(s->rooms >= 9);
    pair_free(&p);
}

static size_t whole_size(int side, uint64_t number)
{
    (void)side, (void)number;
    return 16 << 20;
}

static void test_pool_takes_the_biggest_when_empty(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 41, CHANNEL_NOISE);
    p.side[0].size = whole_size;
    p.side[0].node.pool_cap = p.side[1].node.pool_cap = 1 << 20;
    p.side[0].to_send = 2;
    pair_send(&p.side[0]);
    assert_int_equal(p.side[0].sent, 1);
    pair_connect(&p);
    pair_run(&p, 20 * NS_S);
    assert_true(pair_complete(&p));
    assert_int_equal(p.side[0].rooms, 1);
    pair_free(&p);
}

/* Three channels of one node share a pool; the waiting ones are served in turn. */
struct crowd {
    struct channel *channel[3];
    unsigned rooms[3], emits;
    bool refuse;
};

static int crowd_emit(void *node, party_t peer, const void *data, size_t len)
{
    struct crowd *c = node;
    (void)peer, (void)data, (void)len;
    c->emits++;
    return c->refuse ? ERR_AGAIN : ERR_OK;
}

static void crowd_room(void *node, party_t peer)
{
    ((struct crowd *)node)->rooms[peer - 1]++;
}

static void crowd_state(void *node, party_t peer, enum peer_state s)
{
    (void)node, (void)peer, (void)s;
}

static void test_pool_is_shared(void **state)
{
    static const struct channel_up up = {
        .emit = crowd_emit, .state = crowd_state, .room = crowd_room};
    static const uint8_t zeros[600];
    struct roster_entry entries[4] = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
    struct roster roster = {.n = 4, .n_parties = 4, .entries = entries};
    struct env env = {.metrics = calloc(1, sizeof(struct metrics))};
    struct crowd crowd = {.refuse = true};
    struct channel_node node = {.env = &env,
                                .roster = &roster,
                                .mode = CHANNEL_NONE,
                                .max_frame = 1000,
                                .pool_cap = 2000,
                                .up = &up,
                                .node = &crowd};
    (void)state;
    for (party_t i = 0; i < 3; i++)
        crowd.channel[i] = channel_new(&node, i + 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(channel_send(crowd.channel[0], zeros, 600, NULL, 0), ERR_OK);
    assert_int_equal(channel_send(crowd.channel[0], zeros, 600, NULL, 0), ERR_AGAIN);
    assert_int_equal(channel_send(crowd.channel[1], zeros, 600, NULL, 0), ERR_OK); /* its first */
    assert_int_equal(channel_send(crowd.channel[1], zeros, 600, NULL, 0), ERR_AGAIN);
    assert_int_equal(channel_send(crowd.channel[2], zeros, 100, zeros, 100), ERR_OK);
    assert_int_equal(channel_send(crowd.channel[2], zeros, 600, NULL, 0), ERR_AGAIN);
    assert_int_equal(channel_send(crowd.channel[2], zeros, 600, NULL, 0), ERR_AGAIN);
    assert_int_equal(node.pool_used, 4 * 604 + 204);
    channel_transport_up(crowd.channel[1], true);
    assert_int_equal(crowd.rooms[0] + crowd.rooms[1] + crowd.rooms[2], 0);
    crowd.refuse = false;
    channel_room(crowd.channel[1]); /* it is empty now, but for the others the pool is full */
    assert_int_equal(crowd.rooms[1], 1);
    assert_int_equal(crowd.rooms[0] + crowd.rooms[2], 0);
    channel_transport_up(crowd.channel[0], true);
    assert_int_equal(crowd.rooms[0], 1);
    assert_int_equal(crowd.rooms[2], 1);
    assert_int_equal(channel_send(crowd.channel[2], zeros, 600, NULL, 0), ERR_OK);
    assert_int_equal(channel_send(crowd.channel[2], zeros, 600, NULL, 0), ERR_OK);
    assert_int_equal(channel_send(crowd.channel[2], zeros, 600, NULL, 0), ERR_AGAIN);
    channel_free(crowd.channel[2]); /* while it waits */
    channel_free(crowd.channel[0]);
    channel_free(crowd.channel[1]);
    assert_int_equal(node.pool_used, 0);
    assert_null(node.waiting_first);
    free(env.metrics);
}

static void test_refusing_transport(void **state)
{
    (void)state;
    for (int none = 0; none < 2; none++)
        for (unsigned every = 1; every < 12; every++) {
            struct pair p;
            pair_init(&p, every, none ? CHANNEL_NONE : CHANNEL_NOISE);
            p.side[0].size = p.side[1].size = pair_odd;
            p.refuse_every = every == 1 ? 2 : every;
            pair_connect(&p);
            pair_exchange(&p, 200);
            pair_run(&p, 100 * NS_S);
            assert_true(pair_complete(&p));
            assert_true(p.side[0].refused > 10 && p.side[1].refused > 10);
            assert_int_equal(pair_all_drops(&p, 0) + pair_all_drops(&p, 1), 0);
            pair_free(&p);
        }
}

/* ---- channel: none ---- */

static void test_none(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 50, CHANNEL_NONE);
    p.side[0].size = p.side[1].size = pair_odd;
    pair_exchange(&p, 5);
    pair_connect(&p);
    assert_true(pair_is_up(&p));
    assert_int_equal(p.side[0].states[0], PEER_UP);
    pair_exchange(&p, 2000);
    pair_run(&p, NS_S);
    assert_true(pair_complete(&p));
    assert_int_equal(p.side[0].got, 2005);
    assert_int_equal(p.side[0].arms + p.side[1].arms, 0);
    assert_int_equal(pair_all_drops(&p, 0) + pair_all_drops(&p, 1), 0);
    pair_free(&p);
}

static void test_none_loses_what_a_break_cuts(void **state)
{
    struct pair p;
    (void)state;
    pair_ready(&p, 51, CHANNEL_NONE);
    p.side[0].size = big_size;
    p.refuse_every = 7; /* six frames of 25 go out */
    p.delay = 0;
    p.side[0].to_send = 3;
    pair_send(&p.side[0]);
    pair_run(&p, NS_MS / 2);
    p.refuse_every = 0;
    pair_break(&p);
    for (int i = 0; i < 2; i++) { /* both see that something is missing */
        assert_int_equal(p.side[i].n_states, 2);
        assert_int_equal(p.side[i].states[1], PEER_LOST);
    }
    pair_connect(&p);
    assert_int_equal(p.side[1].states[2], PEER_UP);
    p.side[1].first_number = 1; /* what was whole in the queue arrives */
    pair_run(&p, NS_S);
    assert_int_equal(p.side[1].got, 2);
    assert_true(channel_idle(p.side[0].channel));
    pair_free(&p);
}

static bool double_nth(struct pair *p, int from, uint64_t n, struct piece *f)
{
    if (n == p->hook_n)
        pair_push(&p->side[from], pair_piece(f->data, f->len));
    return true;
}

static void test_none_lost_and_doubled(void **state)
{
    (void)state;
    for (int lose = 0; lose < 2; lose++) {
        struct pair p;
        pair_ready(&p, 52, CHANNEL_NONE);
        p.hook = lose ? pair_lose_nth : double_nth;
        p.hook_n = p.frames + 1;
        p.side[0].to_send = 3;
        p.side[1].first_number = (uint64_t)lose;
        pair_send(&p.side[0]);
        pair_run(&p, NS_S);
        assert_int_equal(p.side[1].got, lose ? 2 : 3);
        assert_int_equal(p.side[1].n_states, lose ? 2 : 1);
        if (lose)
            assert_int_equal(p.side[1].states[1], PEER_LOST);
        else
            assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_REPLAY), 1);
        pair_free(&p);
    }
}

static void test_none_restart(void **state)
{
    struct pair p;
    (void)state;
    pair_ready(&p, 53, CHANNEL_NONE);
    pair_exchange(&p, 4);
    pair_run(&p, NS_S);
    pair_break(&p);
    pair_restart(&p.side[0], true);
    pair_forget(&p, 0);
    pair_connect(&p);
    pair_exchange(&p, 4);
    pair_run(&p, NS_S);
    assert_true(pair_complete(&p));
    assert_int_equal(p.side[1].n_states, 4);
    assert_int_equal(p.side[1].states[1], PEER_DOWN);
    assert_int_equal(p.side[1].states[2], PEER_UP);
    assert_int_equal(p.side[1].states[3], PEER_RESTARTED);
    pair_free(&p);
}

/* Frames by hand: incarnation, link-up, flags, number, and a byte of data. */
static void by_hand(struct pair *p, uint8_t incarnation, uint8_t link_up, uint8_t flags,
                    uint32_t number, size_t len)
{
    static uint8_t frame[FRAME_PLAIN_HEADER + 60000];
    struct frame_plain f = {flags, incarnation, link_up, number};
    frame_plain_put(frame, &f);
    pair_hand(p, 1, frame, FRAME_PLAIN_HEADER + len);
}

static size_t no_size(int side, uint64_t number)
{
    (void)side, (void)number;
    return 0;
}

static void test_none_by_hand(void **state)
{
    struct pair p;
    struct side *s = &p.side[1];
    (void)state;
    pair_ready(&p, 54, CHANNEL_NONE);
    p.side[0].size = no_size;
    for (size_t len = 0; len < FRAME_PLAIN_HEADER; len++)
        pair_hand(&p, 1, "\4\0\0\0\0\0\0", len);
    by_hand(&p, 0, 1, FRAME_DATA, 0, 0); /* not a flag of these frames */
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_FORMAT), FRAME_PLAIN_HEADER + 1);
    by_hand(&p, 0, 1, 0, 0, 5); /* an end without a beginning */
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_GAP), 1);
    by_hand(&p, 0, 1, FRAME_FIRST | FRAME_MORE, 1, 5);
    by_hand(&p, 0, 1, FRAME_FIRST, 2, 5); /* a beginning without an end before */
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_GAP), 2);
    by_hand(&p, 0, 1, FRAME_FIRST, 3, 0);
    assert_int_equal(s->got, 1);
    by_hand(&p, 0, 0, FRAME_FIRST, 4, 0); /* of an earlier link-up */
    by_hand(&p, 0, 1, FRAME_FIRST, 3, 0);
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_REPLAY), 2);
    assert_int_equal(s->n_states, 1);
    by_hand(&p, 0, 1, FRAME_FIRST | FRAME_MORE, 4, 5);
    by_hand(&p, 0, 2, FRAME_FIRST, 0, 0); /* it came up anew in the middle of a message */
    assert_int_equal(s->got, 2);
    assert_int_equal(s->n_states, 2);
    assert_int_equal(s->states[1], PEER_LOST);
    by_hand(&p, 1, 1, FRAME_FIRST | FRAME_MORE, 0, 60000);
    assert_int_equal(s->states[2], PEER_RESTARTED);
    for (uint32_t i = 1; i <= CHANNEL_MESSAGE_MAX / 60000; i++)
        by_hand(&p, 1, 1, FRAME_MORE, i, 60000); /* a message without end */
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_LIMIT), 1);
    assert_int_equal(s->states[3], PEER_LOST);
    assert_int_equal(s->node.pool_used, 0);
    assert_int_equal(s->got, 2);
    pair_break(&p);
    by_hand(&p, 1, 1, FRAME_FIRST, 1000, 0);
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_STATE), 1);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_pool_takes_the_biggest_when_empty),
        cmocka_unit_test(test_pool_is_shared),
        cmocka_unit_test(test_refusing_transport),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_none_loses_what_a_break_cuts),
        cmocka_unit_test(test_none_lost_and_doubled),
        cmocka_unit_test(test_none_restart),
        cmocka_unit_test(test_none_by_hand),
    };
    return PAIR_RUN_TWICE(tests);
}
