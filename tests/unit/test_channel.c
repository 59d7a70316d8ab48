/* links: engine/channel/channel.c engine/channel/frame.c engine/channel/handshake.c
 * engine/channel/hello.c engine/channel/plain.c engine/channel/pool.c engine/channel/backlog.c
 * engine/channel/sealed.c engine/channel/shake.c engine/crypto/identity.c engine/crypto/noise.c
 * engine/base/err.c engine/base/prng.c */
#include "tests/unit/channel_pair.h"

/* ---- coming up ---- */

static void test_up(void **state)
{
    static const ns_t x25519[COST_COUNT] = {[COST_X25519] = 1};
    struct pair p;
    char text[100];
    (void)state;
    pair_init(&p, 1, CHANNEL_NOISE);
    p.side[0].env.costs = p.side[1].env.costs = x25519;
    assert_int_equal(channel_state(p.side[0].channel), CHANNEL_DOWN);
    assert_string_equal(channel_describe(p.side[0].channel, text, sizeof text), "down");
    pair_connect(&p);
    assert_string_equal(channel_describe(p.side[0].channel, text, sizeof text), "shaking hands");
    pair_run(&p, 15 * NS_MS); /* message 1 is there, message 2 is not */
    assert_int_equal(channel_state(p.side[0].channel), CHANNEL_SHAKING);
    assert_int_equal(channel_state(p.side[1].channel), CHANNEL_SHAKING);
    pair_run(&p, 10 * NS_MS); /* the initiator is up after one round trip */
    assert_int_equal(channel_state(p.side[0].channel), CHANNEL_UP);
    assert_int_equal(channel_state(p.side[1].channel), CHANNEL_SHAKING);
    pair_run(&p, 10 * NS_MS); /* the responder half a round trip later */
    assert_true(pair_is_up(&p));
    assert_int_equal(p.frames, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p.side[i].n_states, 1);
        assert_int_equal(p.side[i].states[0], PEER_UP);
        assert_int_equal(p.side[i].env.spent, 5);
        assert_int_equal(p.side[i].metrics->counts[COUNT_HANDSHAKES], i == 0);
        assert_int_equal(pair_all_drops(&p, i), 0);
    }
    pair_run(&p, 100 * NS_S); /* nobody has anything to say: one timer each, for the handshake */
    assert_int_equal(p.frames, 3);
    assert_int_equal(p.side[0].timers, 1);
    assert_int_equal(p.side[1].timers, 1);
    pair_free(&p);
}

static void test_sizes(void **state)
{
    struct pair p;
    (void)state;
    assert_true(sizeof(struct channel) <= 192);
    pair_init(&p, 1, CHANNEL_NOISE);
    p.record = true;
    pair_connect(&p);
    pair_run(&p, NS_S / 2);
    assert_int_equal(p.recorded[0]->len, FRAME_SHAKE_1);
    assert_int_equal(p.recorded[1]->len, FRAME_SHAKE_2);
    assert_int_equal(p.recorded[0]->next->len, FRAME_CONTROL);
    p.side[0].to_send = 1;
    pair_send(&p.side[0]);
    assert_int_equal(p.recorded[0]->next->next->len, FRAME_DATA_OVERHEAD + pair_small(0, 0));
    pair_free(&p);
}

static void test_early_messages_wait(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 2, CHANNEL_NOISE);
    pair_exchange(&p, 20);
    assert_false(channel_idle(p.side[0].channel));
    assert_int_equal(p.frames, 0);
    pair_connect(&p);
    pair_run(&p, NS_S / 2);
    assert_int_equal(p.side[0].got, 20);
    assert_int_equal(p.side[1].got, 20);
    pair_free(&p);
}

/* Each of the three frames lost once: a second later it is repeated, and nothing computed. */
static void test_lost_handshake(void **state)
{
    static const ns_t x25519[COST_COUNT] = {[COST_X25519] = 1};
    (void)state;
    for (uint64_t n = 1; n <= 3; n++) {
        struct pair p;
        pair_init(&p, n, CHANNEL_NOISE);
        p.side[0].env.costs = p.side[1].env.costs = x25519;
        p.hook = pair_lose_nth;
        p.hook_n = n;
        pair_connect(&p);
        pair_run(&p, NS_S - 1);
        assert_false(pair_is_up(&p));
        pair_run(&p, 30 * NS_MS + 1);
        assert_true(pair_is_up(&p));
        assert_int_equal(p.side[0].env.spent, 5);
        assert_int_equal(p.side[1].env.spent, 5);
        assert_int_equal(pair_all_drops(&p, 0) + pair_all_drops(&p, 1), 0);
        pair_free(&p);
    }
}

/* The nodes that a trial has may both think that they are first, or neither. */
static void test_who_begins(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) {
        struct pair p;
        pair_init(&p, 3, CHANNEL_NOISE);
        p.up = true;
        channel_transport_up(p.side[0].channel, both);
        channel_transport_up(p.side[1].channel, both);
        pair_exchange(&p, 3);
        pair_run(&p, 20 * NS_S);
        assert_true(pair_is_up(&p) && pair_complete(&p));
        assert_int_equal(p.side[0].metrics->counts[COUNT_HANDSHAKES] +
                             p.side[1].metrics->counts[COUNT_HANDSHAKES],
                         1);
        pair_free(&p);
    }
}

static void test_nobody_answers(void **state)
{
    static const unsigned at_s[] = {0, 1, 3, 7, 15, 23, 31}; /* 1 s, doubling to 8 s */
    struct pair p;
    (void)state;
    pair_init(&p, 4, CHANNEL_NOISE);
    p.hook = pair_lose_all;
    p.up = true;
    channel_transport_up(p.side[0].channel, true);
    for (unsigned i = 0; i < 7; i++) {
        pair_run(&p, at_s[i] * NS_S - p.now);
        assert_int_equal(p.frames, i + 1);
    }
    pair_run(&p, 8 * NS_S - 1);
    assert_int_equal(p.side[0].n_states, 0);
    pair_run(&p, 1);
    assert_int_equal(p.side[0].n_states, 1);
    assert_int_equal(p.side[0].states[0], PEER_LOST);
    assert_int_equal(channel_state(p.side[0].channel), CHANNEL_DOWN);
    pair_run(&p, 1000 * NS_S);
    assert_int_equal(p.frames, 7);
    assert_int_equal(p.side[0].n_states, 1);
    /* until the transport says otherwise */
    p.hook = NULL;
    channel_transport_up(p.side[0].channel, true);
    channel_transport_up(p.side[1].channel, false);
    pair_run(&p, NS_S);
    assert_true(pair_is_up(&p));
    assert_int_equal(p.side[0].states[1], PEER_UP);
    pair_free(&p);
}

/* ---- messages ---- */

static void test_ten_thousand_across_breaks(void **state)
{
    enum { MESSAGES = 10000 };
    struct pair p;
    struct dice d = dice_name(5, "breaks", 0, 0, 0);
    unsigned breaks = 0;
    (void)state;
    pair_init(&p, 5, CHANNEL_NOISE);
    for (int i = 0; i < 2; i++) {
        p.side[i].size = pair_odd;
        p.side[i].node.max_frame = 65536;
        p.side[i].node.pool_cap = 4 << 20;
    }
    pair_exchange(&p, MESSAGES);
    for (; !pair_complete(&p) && breaks < 2000; breaks++) {
        pair_connect(&p);
        for (uint64_t k = 1 + dice_below(&d, 3000); k && pair_step(&p, NS_NEVER - 1); k--)
            ;
        pair_break(&p);
        pair_run(&p, (ns_t)dice_below(&d, (uint64_t)(3 * NS_S)));
    }
    assert_true(pair_complete(&p));
    assert_true(breaks >= 5);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p.side[i].got, MESSAGES);
        assert_true(p.side[i].metrics->counts[COUNT_RESENT] > 0);
        assert_int_equal(pair_all_drops(&p, i), 0); /* a resumption repeats nothing in vain */
        assert_int_equal(p.side[i].failures, 0);
    }
    pair_free(&p);
}

static void test_sixteen_mib_limit(void **state)
{
    struct pair p;
    uint8_t *big = calloc(1, CHANNEL_MESSAGE_MAX + 1);
    (void)state;
    pair_ready(&p, 6, CHANNEL_NOISE);
    assert_int_equal(channel_send(p.side[0].channel, NULL, 0, big, CHANNEL_MESSAGE_MAX + 1),
                     ERR_TOO_BIG);
    assert_int_equal(channel_send(p.side[0].channel, big, 2, big, CHANNEL_MESSAGE_MAX - 1),
                     ERR_TOO_BIG);
    assert_int_equal(channel_send(p.side[0].channel, big, SIZE_MAX, big, 2), ERR_TOO_BIG);
    assert_true(channel_idle(p.side[0].channel));
    free(big);
    pair_free(&p);
}

static void test_echo_within_deliver(void **state)
{
    struct pair p;
    (void)state;
    pair_ready(&p, 7, CHANNEL_NOISE);
    p.side[1].echo = true;
    p.side[0].to_send = 500;
    pair_send(&p.side[0]);
    pair_run(&p, NS_S / 2);
    assert_int_equal(p.side[0].got, 500);
    assert_int_equal(p.side[1].got, 500);
    for (int i = 0; i < 2; i++) /* each nonce, once */
        assert_int_equal(p.side[i].channel->session.recv_nonce,
                         p.side[1 - i].channel->session.send_nonce);
    pair_free(&p);
}

static void test_acknowledgement(void **state)
{
    struct pair p;
    uint64_t frames;
    (void)state;
    pair_ready(&p, 8, CHANNEL_NOISE);
    frames = p.frames;
    p.side[0].to_send = 31;
    pair_send(&p.side[0]);
    pair_run(&p, 100 * NS_MS);
    assert_int_equal(p.frames - frames, 31); /* no frame of its own for an acknowledgement yet */
    assert_false(channel_idle(p.side[0].channel));
    p.side[0].to_send = 32;
    pair_send(&p.side[0]);
    pair_run(&p, 100 * NS_MS);
    assert_int_equal(p.frames - frames, 33); /* after 32 there is one */
    assert_true(channel_idle(p.side[0].channel));
    /* an answer carries it */
    p.side[0].to_send++;
    pair_send(&p.side[0]);
    pair_run(&p, 100 * NS_MS);
    p.side[1].to_send++;
    pair_send(&p.side[1]);
    pair_run(&p, 100 * NS_MS);
    assert_int_equal(p.frames - frames, 35);
    assert_true(channel_idle(p.side[0].channel));
    /* the answer itself stays unacknowledged: after a second, a probe and its answer */
    pair_run(&p, 60 * NS_S);
    assert_int_equal(p.frames - frames, 37);
    assert_true(pair_complete(&p));
    assert_int_equal(p.side[0].metrics->counts[COUNT_RESENT], 0);
    pair_free(&p);
}

static size_t sixty_kib(int side, uint64_t number)
{
    (void)side, (void)number;
    return 33 << 10;
}

static void test_acknowledgement_by_bytes(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 8, CHANNEL_NOISE);
    for (int i = 0; i < 2; i++) {
        p.side[i].node.max_frame = 65536;
        p.side[i].size = sixty_kib;
    }
    pair_connect(&p);
    pair_run(&p, NS_S / 2);
    p.side[0].to_send = 2;
    pair_send(&p.side[0]);
    pair_run(&p, 100 * NS_MS);
    assert_true(channel_idle(p.side[0].channel));
    pair_free(&p);
}

static void test_probes_then_lost_then_back(void **state)
{
    struct pair p;
    uint64_t frames;
    (void)state;
    pair_ready(&p, 9, CHANNEL_NOISE);
    pair_run(&p, 2 * NS_S); /* the handshake's timers are gone */
    frames = p.frames;
    p.hook = pair_lose_all;
    p.side[0].to_send = 1;
    pair_send(&p.side[0]);
    pair_run(&p, 500 * NS_S);
    /* the message; probes at 1, 3, 7, 15, 23, 31 s, from the third on with a handshake */
    assert_int_equal(p.frames - frames, 1 + 6 + 4);
    assert_int_equal(p.side[0].n_states, 2);
    assert_int_equal(p.side[0].states[1], PEER_LOST);
    assert_int_equal(channel_state(p.side[0].channel), CHANNEL_DOWN);
    /* a sign of life is enough, and the message is not lost */
    p.hook = NULL;
    p.side[1].to_send = 1;
    pair_send(&p.side[1]);
    pair_run(&p, 100 * NS_MS);
    assert_int_equal(p.side[0].n_states, 3);
    assert_int_equal(p.side[0].states[2], PEER_UP);
    pair_run(&p, 10 * NS_S);
    assert_true(pair_complete(&p));
    assert_int_equal(p.side[1].n_states, 1);
    pair_free(&p);
}

/* While the transport takes nothing, silence is nobody's fault; what waits is told. */
static void test_blocked_is_not_silent(void **state)
{
    struct pair p;
    char text[100];
    (void)state;
    pair_ready(&p, 14, CHANNEL_NOISE);
    p.hook = pair_lose_all;
    p.side[0].to_send = 2;
    pair_send(&p.side[0]);
    p.refuse_every = 1;
    p.side[0].to_send = 5;
    pair_send(&p.side[0]);
    assert_string_equal(channel_describe(p.side[0].channel, text, sizeof text),
                        "up, 2 frames unacknowledged, 3 frames not sent yet");
    p.side[0].room = NS_NEVER;
    pair_run(&p, 200 * NS_S);
    assert_int_equal(p.side[0].n_states, 1);
    assert_true(pair_is_up(&p));
    p.refuse_every = 0;
    p.hook = NULL;
    channel_room(p.side[0].channel);
    pair_run(&p, 20 * NS_S);
    assert_int_equal(p.side[1].got, 5);
    assert_true(channel_idle(p.side[0].channel));
    assert_int_equal(p.side[0].metrics->counts[COUNT_HANDSHAKES], 1);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_early_messages_wait),
        cmocka_unit_test(test_lost_handshake),
        cmocka_unit_test(test_who_begins),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_ten_thousand_across_breaks),
        cmocka_unit_test(test_sixteen_mib_limit),
        cmocka_unit_test(test_echo_within_deliver),
        cmocka_unit_test(test_acknowledgement),
        cmocka_unit_test(test_acknowledgement_by_bytes),
        cmocka_unit_test(test_probes_then_lost_then_back),
        cmocka_unit_test(test_blocked_is_not_silent),
    };
    return PAIR_RUN_TWICE(tests);
}
