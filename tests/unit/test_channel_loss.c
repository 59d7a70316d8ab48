/* links: engine/channel/channel.c engine/channel/frame.c engine/channel/handshake.c
 * engine/channel/hello.c engine/channel/plain.c engine/channel/pool.c engine/channel/backlog.c
 * engine/channel/sealed.c engine/channel/shake.c engine/crypto/identity.c engine/crypto/noise.c
 * engine/base/err.c engine/base/prng.c */
/* Messages on a network that loses them. */
#include "tests/unit/channel_pair.h"

/* ---- loss ---- */

static void test_lose_the_nth(void **state)
{
    uint64_t n = 1, most = 0;
    (void)state;
    for (;; n++) {
        struct pair p;
        pair_init(&p, 100 + n, CHANNEL_NOISE);
        p.hook = pair_lose_nth;
        p.hook_n = n;
        pair_exchange(&p, 3);
        pair_connect(&p);
        for (int round = 0; round < 4; round++) {
            pair_run(&p, 40 * NS_MS);
            pair_exchange(&p, 10);
        }
        pair_run(&p, 30 * NS_S);
        assert_true(pair_is_up(&p));
        assert_true(pair_complete(&p));
        assert_int_equal(p.side[0].n_states + p.side[1].n_states, 2);
        most = p.frames;
        pair_free(&p);
        if (n > most)
            break;
    }
    assert_true(n > 80);
}

static bool lose_some(struct pair *p, int from, uint64_t n, struct piece *f)
{
    struct dice d = dice_name(p->seed, "lose", (uint64_t)from, n, 0);
    (void)f;
    return !dice_chance(&d, 200000);
}

static void test_heavy_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct pair p;
        pair_init(&p, seed, CHANNEL_NOISE);
        p.hook = lose_some;
        pair_connect(&p);
        for (int i = 0; i < 10; i++) {
            pair_exchange(&p, 10);
            pair_run(&p, 100 * NS_MS);
        }
        pair_run(&p, 600 * NS_S);
        assert_true(pair_complete(&p));
        assert_true(pair_drops(&p, 0, DROP_CHANNEL_GAP) > 0);
        pair_free(&p);
    }
}

/* One question a gap: what follows the missing frame does not ask again, but the next gap does; and
 * what got through in between was a reason for neither to slow down. */
static void test_one_question_a_gap(void **state)
{
    struct pair p;
    uint64_t frames;
    (void)state;
    pair_ready(&p, 12, CHANNEL_NOISE);
    frames = p.frames;
    p.hook = pair_lose_nth;
    p.hook_n = frames + 1;
    p.side[0].to_send = 20;
    pair_send(&p.side[0]);
    pair_run(&p, 500 * NS_MS);
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_GAP), 19);
    assert_int_equal(p.side[0].metrics->counts[COUNT_RESENT], 20);
    assert_int_equal(p.frames - frames, 20 + 1 + 20);
    assert_int_equal(p.side[1].got, 20);
    p.side[1].to_send = 1; /* and says so */
    pair_send(&p.side[1]);
    pair_run(&p, 100 * NS_MS);
    assert_true(channel_idle(p.side[0].channel));
    p.hook_n = p.frames + 1;
    p.side[0].to_send = 40;
    pair_send(&p.side[0]);
    pair_run(&p, 200 * NS_MS);
    assert_int_equal(p.side[1].got, 40);
    assert_false(p.side[0].channel->limited);
    pair_free(&p);
}

static bool lose_it_again(struct pair *p, int from, uint64_t n, struct piece *f)
{
    (void)from, (void)f;
    return n != p->hook_n && n != p->hook_n + 21;
}

/* Lost once more after a question: fewer at a time, and with each acknowledgement more again. */
static void test_fewer_at_a_time(void **state)
{
    struct pair p;
    struct channel *c;
    uint32_t limit;
    (void)state;
    pair_ready(&p, 13, CHANNEL_NOISE);
    c = p.side[0].channel;
    p.hook = lose_it_again;
    p.hook_n = p.frames + 1;
    p.side[0].to_send = 20;
    pair_send(&p.side[0]);
    pair_run(&p, 3 * NS_S);
    assert_int_equal(p.side[1].got, 20);
    pair_run(&p, 3 * NS_S);
    assert_true(c->limited && channel_idle(c));
    p.side[0].to_send = 25;
    pair_send(&p.side[0]);
    pair_run(&p, 100 * NS_MS);
    assert_int_equal(c->sent, 5);
    limit = c->limit;
    p.side[1].to_send = 1; /* a message acknowledges as well */
    pair_send(&p.side[1]);
    pair_run(&p, 100 * NS_MS);
    assert_true(channel_idle(c));
    assert_int_equal(c->limit, 2 * limit);
    p.side[0].to_send = 1000;
    pair_send(&p.side[0]);
    assert_int_equal(c->sent, c->limit);
    pair_run(&p, 10 * NS_S);
    assert_true(pair_complete(&p));
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lose_the_nth),
        cmocka_unit_test(test_heavy_loss),
        cmocka_unit_test(test_one_question_a_gap),
        cmocka_unit_test(test_fewer_at_a_time),
    };
    return PAIR_RUN_TWICE(tests);
}
