/* links: engine/channel/channel.c engine/channel/frame.c engine/channel/handshake.c
 * engine/channel/hello.c engine/channel/plain.c engine/channel/pool.c engine/channel/backlog.c
 * engine/channel/sealed.c engine/channel/shake.c engine/crypto/identity.c engine/crypto/noise.c
 * engine/base/err.c engine/base/prng.c */
#include "tests/unit/channel_pair.h"

/* ---- the other side restarts ---- */

static void restart(bool incarnation, bool signal, int who)
{
    struct pair p;
    struct side *dead = &p.side[who], *other = &p.side[1 - who];
    pair_ready(&p, 20, CHANNEL_NOISE);
    pair_exchange(&p, 10);
    pair_run(&p, 40 * NS_MS);
    assert_int_equal(other->got, 10);
    other->to_send++;
    pair_send(other); /* in vain */
    if (signal)
        pair_break(&p);
    else
        pair_lose_pipe(&p);
    pair_restart(dead, incarnation);
    pair_forget(&p, who);
    if (signal)
        pair_connect(&p);
    else
        channel_transport_up(dead->channel, who == 0);
    pair_run(&p, 30 * NS_S);
    assert_true(pair_is_up(&p));
    assert_int_equal(other->states[other->n_states - 1], PEER_RESTARTED);
    assert_int_equal(other->n_states, signal ? 3 : 2);
    assert_int_equal(dead->n_states, 1);
    assert_int_equal(dead->states[0], PEER_UP);
    pair_exchange(&p, 50);
    pair_run(&p, 30 * NS_S);
    assert_true(pair_complete(&p));
    assert_int_equal(other->got, 50);
    assert_int_equal(dead->got, 50);
    p.hook = pair_lose_all; /* a new session in between is nobody's business */
    pair_exchange(&p, 1);
    pair_run(&p, 8 * NS_S);
    p.hook = NULL;
    pair_run(&p, 30 * NS_S);
    assert_true(pair_complete(&p));
    assert_int_equal(other->n_states, signal ? 3 : 2);
    assert_int_equal(dead->n_states, 1);
    pair_free(&p);
}

static void test_restart(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++)
        for (int signal = 0; signal < 2; signal++) {
            restart(true, signal, who);
            restart(false, signal, who); /* a life without memory that does not know it */
        }
}

/* What was sent while nothing was known of the restart does not reach the new life; what is
 * sent from within state() does. */
static void send_when_restarted(void *node, party_t peer, enum peer_state state)
{
    struct side *s = node;
    pair_state(node, peer, state);
    if (state == PEER_RESTARTED) {
        s->pair->side[peer].first_number = s->sent;
        s->to_send += 3;
        pair_send(s);
    }
}

static void test_restart_throws_away_what_waits(void **state)
{
    static struct channel_up up;
    struct pair p;
    (void)state;
    pair_ready(&p, 21, CHANNEL_NOISE);
    up = pair_up;
    up.state = send_when_restarted;
    p.side[1].node.up = &up;
    pair_break(&p);
    p.side[1].to_send = 5;
    pair_send(&p.side[1]);
    pair_restart(&p.side[0], true);
    pair_connect(&p);
    pair_run(&p, NS_S);
    assert_int_equal(p.side[0].first_number, 5);
    assert_int_equal(p.side[0].got, 3);
    pair_free(&p);
}

/* ---- the two sides differ ---- */

static void differ(int began, const char *why0, const char *why1, struct pair *p)
{
    pair_exchange(p, 2);
    p->up = true;
    channel_transport_up(p->side[0].channel, began == 0);
    channel_transport_up(p->side[1].channel, began == 1);
    pair_run(p, 60 * NS_S);
    assert_string_equal(p->side[0].why, why0);
    assert_string_equal(p->side[1].why, why1);
    for (int i = 0; i < 2; i++) {
        char text[PAIR_WHY + 10], expect[PAIR_WHY + 10];
        assert_int_equal(p->side[i].failures, 1);
        assert_int_equal(p->side[i].fail_code, ERR_MISMATCH);
        assert_int_equal(p->side[i].n_states, 0);
        assert_int_equal(p->side[i].got, 0);
        assert_int_equal(channel_state(p->side[i].channel), CHANNEL_FAILED);
        assert_int_equal(channel_send(p->side[i].channel, "x", 1, NULL, 0), ERR_CLOSED);
        assert_int_equal(p->side[i].node.pool_used, 0);
        snprintf(expect, sizeof expect, "failed: %s", p->side[i].why);
        assert_string_equal(channel_describe(p->side[i].channel, text, sizeof text), expect);
    }
}

static void test_programs_differ(void **state)
{
    (void)state;
    for (uint64_t lost = 0; lost < 5; lost++) { /* also when a frame of it gets lost */
        struct pair p;
        pair_init(&p, 30, CHANNEL_NOISE);
        p.hook = pair_lose_nth;
        p.hook_n = lost;
        p.side[1].node.program = "shamir program=maximum\n";
        differ(lost % 2, "bob computes `shamir program=maximum?`, we compute `shamir program=sum`",
               "alice computes `shamir program=sum`, we compute `shamir program=maximum?`", &p);
        pair_free(&p);
    }
}

static void test_programs_differ_beyond_the_words(void **state)
{
    struct pair p;
    char a[300], b[300], words[CHANNEL_PROGRAM_MAX + 1], why[2][400];
    (void)state;
    memset(a, 'p', sizeof a);
    a[sizeof a - 1] = '\0';
    memcpy(b, a, sizeof b);
    b[250] = 'q';
    memcpy(words, a, CHANNEL_PROGRAM_MAX);
    words[CHANNEL_PROGRAM_MAX] = '\0';
    pair_init(&p, 31, CHANNEL_NOISE);
    p.side[0].node.program = a;
    p.side[1].node.program = b;
    for (int i = 0; i < 2; i++)
        snprintf(why[i], sizeof why[i], "%s computes another program that also begins with `%s`",
                 i ? "alice" : "bob", words);
    differ(0, why[0], why[1], &p);
    pair_free(&p);
}

static void test_scenarios_differ(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 32, CHANNEL_NOISE);
    p.side[1].node.scenario_digest = UINT64_C(0x123456789abcdef0);
    differ(1, "bob runs another scenario: its digest is 123456789abcdef0, ours is 0000000000000007",
           "alice runs another scenario: its digest is 0000000000000007, ours is 123456789abcdef0",
           &p);
    pair_free(&p);
}

/* A side that has failed still tells one that comes again, and stays failed. */
static void test_failed_still_tells(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++)
        for (int fixed = 0; fixed < 2; fixed++) {
            struct pair p;
            pair_init(&p, 33, CHANNEL_NOISE);
            p.side[who].node.program = "idle";
            pair_connect(&p);
            pair_run(&p, NS_S);
            assert_int_equal(p.side[0].failures + p.side[1].failures, 2);
            pair_break(&p);
            pair_restart(&p.side[who], true);
            if (fixed)
                p.side[who].node.program = "shamir program=sum";
            pair_connect(&p);
            pair_run(&p, 100 * NS_S);
            assert_int_equal(p.side[who].failures, fixed ? 1 : 2);
            assert_int_equal(p.side[1 - who].failures, 1);
            assert_int_equal(channel_state(p.side[1 - who].channel), CHANNEL_FAILED);
            assert_int_equal(p.side[1 - who].n_states, 0);
            pair_free(&p);
        }
}

/* ---- the hello ---- */

static void test_hello(void **state)
{
    struct prng rng;
    struct identity id;
    struct hello a = {.incarnation = 0x01020304,
                      .knows_peer = true,
                      .peer_incarnation = 5,
                      .expected = UINT64_C(0x1122334455667788),
                      .scenario_digest = 99},
                 b;
    uint8_t bytes[HELLO_LEN + 1] = {0};
    (void)state;
    prng_name(&rng, 1, "alice", 0, "identity");
    identity_make(&id, &rng);
    a.identity = id.pub;
    hello_set_program(&a, "ping");
    hello_encode(&a, bytes);
    assert_int_equal(bytes[128], 4);
    assert_int_equal(bytes[132], 1);
    assert_int_equal(bytes[169], 4);
    assert_memory_equal(bytes + 170, "ping\0\0", 6);
    assert_int_equal(hello_decode(&b, bytes, HELLO_LEN), ERR_OK);
    assert_true(identity_equal(&a.identity, &b.identity));
    assert_true(b.incarnation == a.incarnation && b.knows_peer && b.peer_incarnation == 5 &&
                b.expected == a.expected && b.scenario_digest == 99 && b.program_len == 4);
    for (size_t len = 0; len < HELLO_LEN; len++)
        assert_int_equal(hello_decode(&b, bytes, len), ERR_FORMAT);
    assert_int_equal(hello_decode(&b, bytes, HELLO_LEN + 1), ERR_FORMAT);
    bytes[132] = 2;
    assert_int_equal(hello_decode(&b, bytes, HELLO_LEN), ERR_FORMAT);
    bytes[132] = 0;
    bytes[169] = CHANNEL_PROGRAM_MAX;
    assert_int_equal(hello_decode(&b, bytes, HELLO_LEN), ERR_OK);
    assert_false(b.knows_peer);
    bytes[169] = CHANNEL_PROGRAM_MAX + 1;
    assert_int_equal(hello_decode(&b, bytes, HELLO_LEN), ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_restart_throws_away_what_waits),
        cmocka_unit_test(test_programs_differ),
        cmocka_unit_test(test_programs_differ_beyond_the_words),
        cmocka_unit_test(test_scenarios_differ),
        cmocka_unit_test(test_failed_still_tells),
        cmocka_unit_test(test_hello),
    };
    return PAIR_RUN_TWICE(tests);
}
