/* links: engine/channel/channel.c engine/channel/frame.c engine/channel/handshake.c
 * engine/channel/hello.c engine/channel/plain.c engine/channel/pool.c engine/channel/backlog.c
 * engine/channel/sealed.c engine/channel/shake.c engine/crypto/identity.c engine/crypto/noise.c
 * engine/base/err.c engine/base/prng.c */
#include "tests/unit/channel_pair.h"

/* What an attack may leave behind: a count, and nothing else. */
struct view {
    uint64_t got, emits, drops;
    unsigned states, failures;
    enum channel_state state;
    bool shake;
    uint8_t recv_key[NOISE_KEY];
    uint64_t expected, base, recv_nonce;
};

static struct view view(const struct pair *p, int side)
{
    const struct side *s = &p->side[side];
    const struct channel *c = s->channel;
    struct view v;
    memset(&v, 0, sizeof v);
    v.got = s->got;
    v.emits = s->emits;
    v.drops = pair_all_drops(p, side);
    v.states = s->n_states;
    v.failures = s->failures;
    v.state = channel_state(c);
    v.shake = c->shake != NULL;
    v.expected = c->expected;
    v.base = c->base;
    v.recv_nonce = c->session.recv_nonce;
    memcpy(v.recv_key, session_recv_key(&c->session, false), NOISE_KEY);
    return v;
}

/* The frame changes nothing but one drop, of this name; DROP_COUNT: of any. */
static void refuse(struct pair *p, int side, enum drop why, const uint8_t *data, size_t len)
{
    struct view before = view(p, side), after;
    uint64_t count = why == DROP_COUNT ? 0 : pair_drops(p, side, why);
    pair_hand(p, side, data, len);
    after = view(p, side);
    if (why != DROP_COUNT)
        assert_int_equal(pair_drops(p, side, why), count + 1);
    assert_int_equal(after.drops, before.drops + 1);
    before.drops++;
    assert_memory_equal(&after, &before, sizeof after);
}

/* The frame that `from` just emitted, taken off the pipe. */
static struct piece *catch_frame(struct pair *p, int from)
{
    struct piece *f = p->side[from].first;
    assert_non_null(f);
    assert_null(f->next);
    p->side[from].first = p->side[from].last = NULL;
    return f;
}

static size_t big_enough(int side, uint64_t number)
{
    (void)side, (void)number;
    return 300;
}

static struct piece *catch_message(struct pair *p, int from)
{
    p->side[from].to_send++;
    pair_send(&p->side[from]);
    return catch_frame(p, from);
}

/* Every bit flipped, one at a time, and every length below the whole: refused. */
static void batter(struct pair *p, int to, struct piece *f)
{
    bool sealed = f->data[0] == FRAME_KIND_SEALED;
    for (size_t i = 0; i < f->len; i++)
        for (int bit = 0; bit < (i < 100 ? 8 : 1); bit++) {
            bool read_otherwise = i == 0 || (sealed && i < FRAME_CLEAR); /* kind, nonce */
            f->data[i] ^= (uint8_t)(1 << bit);
            refuse(p, to, read_otherwise ? DROP_COUNT : DROP_CHANNEL_AUTH, f->data, f->len);
            f->data[i] ^= (uint8_t)(1 << bit);
        }
    for (size_t len = 0; len < f->len; len++)
        refuse(p, to, sealed && len >= FRAME_CONTROL ? DROP_CHANNEL_AUTH : DROP_CHANNEL_FORMAT,
               f->data, len);
}

static void test_altered_handshake(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 1, CHANNEL_NOISE);
    pair_connect(&p);
    for (int step = 0; step < 3; step++) { /* the third: the initiator's first transport frame */
        struct piece *f = catch_frame(&p, step % 2);
        assert_int_equal(channel_state(p.side[1].channel), CHANNEL_SHAKING);
        batter(&p, 1 - step % 2, f);
        pair_hand(&p, 1 - step % 2, f->data, f->len);
        free(f);
    }
    assert_true(pair_is_up(&p));
    pair_free(&p);
}

static void test_altered_message(void **state)
{
    (void)state;
    for (int from = 0; from < 2; from++) {
        struct pair p;
        struct piece *f;
        pair_ready(&p, 2, CHANNEL_NOISE);
        p.side[from].size = big_enough;
        f = catch_message(&p, from);
        batter(&p, 1 - from, f);
        pair_hand(&p, 1 - from, f->data, f->len);
        assert_int_equal(p.side[1 - from].got, 1);
        free(f);
        pair_free(&p);
    }
}

/* A frame that was lengthened, or that is longer than any. */
static void test_lengthened(void **state)
{
    static uint8_t longest[LINK_MESSAGE_MAX + 100];
    struct pair p;
    struct piece *f;
    (void)state;
    pair_ready(&p, 3, CHANNEL_NOISE);
    f = catch_message(&p, 0);
    memcpy(longest, f->data, f->len);
    for (size_t more = 1; more < 40; more++)
        refuse(&p, 1, DROP_CHANNEL_AUTH, longest, f->len + more);
    refuse(&p, 1, DROP_CHANNEL_AUTH, longest, LINK_MESSAGE_MAX);
    refuse(&p, 1, DROP_CHANNEL_FORMAT, longest, LINK_MESSAGE_MAX + 1);
    pair_hand(&p, 1, f->data, f->len);
    assert_int_equal(p.side[1].got, 1);
    free(f);
    pair_free(&p);
}

/* Every recorded frame again, to whom it was for and back to whom it came from. */
static void test_replay(void **state)
{
    struct pair p;
    unsigned frames = 0;
    (void)state;
    pair_init(&p, 4, CHANNEL_NOISE);
    p.record = true;
    pair_connect(&p);
    pair_exchange(&p, 20);
    pair_run(&p, 10 * NS_S);
    assert_true(pair_complete(&p));
    p.record = false;
    for (int from = 0; from < 2; from++)
        for (const struct piece *f = p.recorded[from]; f; f = f->next, frames++) {
            struct view v = view(&p, from);
            refuse(&p, 1 - from, DROP_CHANNEL_REPLAY, f->data, f->len);
            if (f->data[0] == FRAME_KIND_SEALED) /* reflected */
                refuse(&p, from,
                       frame_nonce(f->data) < v.recv_nonce ? DROP_CHANNEL_REPLAY
                                                           : DROP_CHANNEL_AUTH,
                       f->data, f->len);
        }
    assert_true(frames > 42);
    /* a handshake of one's own is nobody's */
    refuse(&p, 0, DROP_CHANNEL_AUTH, p.recorded[0]->data, p.recorded[0]->len);
    refuse(&p, 1, DROP_CHANNEL_STATE, p.recorded[1]->data, p.recorded[1]->len);
    pair_exchange(&p, 20);
    pair_run(&p, 10 * NS_S);
    assert_true(pair_complete(&p));
    pair_free(&p);
}

/* Message 1 again before the answer was used: the same answer, for nothing. */
static void test_repeated_question(void **state)
{
    static const ns_t x25519[COST_COUNT] = {[COST_X25519] = 1};
    struct pair p;
    struct piece *question, *answer;
    (void)state;
    pair_init(&p, 15, CHANNEL_NOISE);
    p.side[1].env.costs = x25519;
    pair_connect(&p);
    question = catch_frame(&p, 0);
    pair_hand(&p, 1, question->data, question->len);
    answer = catch_frame(&p, 1);
    for (int i = 0; i < 5; i++) {
        struct piece *again;
        pair_hand(&p, 1, question->data, question->len);
        again = catch_frame(&p, 1);
        assert_int_equal(again->len, answer->len);
        assert_memory_equal(again->data, answer->data, answer->len);
        free(again);
    }
    assert_int_equal(p.side[1].env.spent, 5);
    free(question);
    free(answer);
    pair_free(&p);
}

/* Handshakes and frames of earlier sessions: a live session is not touched by them. */
static void test_replay_of_earlier_sessions(void **state)
{
    struct pair p;
    struct view before;
    uint64_t emits;
    (void)state;
    pair_init(&p, 5, CHANNEL_NOISE);
    p.record = true;
    for (int i = 0; i < 3; i++) {
        pair_connect(&p);
        pair_exchange(&p, 5);
        pair_run(&p, 10 * NS_S);
        assert_true(pair_complete(&p));
        pair_break(&p);
    }
    p.record = false;
    pair_connect(&p);
    pair_run(&p, 10 * NS_S);
    for (int from = 0; from < 2; from++)
        for (const struct piece *f = p.recorded[from]; f; f = f->next)
            if (f->data[0] != FRAME_KIND_1)
                pair_hand(&p, 1 - from, f->data, f->len);
    assert_int_equal(p.side[0].got, 15);
    assert_int_equal(p.side[1].got, 15);
    before = view(&p, 1);
    emits = p.side[1].emits;
    for (int round = 0; round < 20; round++)
        for (const struct piece *f = p.recorded[0]; f; f = f->next)
            if (f->data[0] == FRAME_KIND_1)
                pair_hand(&p, 1, f->data, f->len);
    struct view after = view(&p, 1);
    assert_int_equal(after.state, CHANNEL_UP);
    assert_int_equal(after.states, before.states);
    assert_memory_equal(after.recv_key, before.recv_key, NOISE_KEY);
    assert_int_equal(p.side[1].emits - emits, 60); /* an answer each, as small as the question */
    /* the answers are nobody's business, and the session goes on, with no timer for the rest */
    pair_run(&p, 100 * NS_S);
    pair_exchange(&p, 20);
    pair_run(&p, 10 * NS_S);
    assert_true(pair_complete(&p));
    assert_int_equal(p.side[0].metrics->counts[COUNT_HANDSHAKES], 4);
    assert_int_equal(p.side[1].metrics->counts[COUNT_HANDSHAKES], 0);
    pair_free(&p);
}

/* An old first message that comes before the genuine one delays nothing. */
static void test_replay_into_a_handshake(void **state)
{
    struct pair p;
    (void)state;
    for (int first = 0; first < 2; first++) {
        pair_init(&p, 6, CHANNEL_NOISE);
        p.record = true;
        pair_connect(&p);
        pair_run(&p, 10 * NS_S);
        pair_break(&p);
        p.record = false;
        p.up = true;
        channel_transport_up(p.side[1].channel, false);
        if (first)
            pair_hand(&p, 1, p.recorded[0]->data, p.recorded[0]->len);
        channel_transport_up(p.side[0].channel, true);
        pair_run(&p, 15 * NS_MS);
        if (!first) /* in between: the genuine session is pushed aside, and found again */
            pair_hand(&p, 1, p.recorded[0]->data, p.recorded[0]->len);
        pair_exchange(&p, 3);
        pair_run(&p, first ? NS_S / 2 : 30 * NS_S);
        assert_true(pair_is_up(&p));
        assert_int_equal(p.side[0].got, 3);
        assert_int_equal(p.side[1].got, 3);
        pair_free(&p);
    }
}

/* A life that is over does not come back. */
static void test_replay_of_an_earlier_incarnation(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 7, CHANNEL_NOISE);
    p.record = true;
    pair_connect(&p);
    pair_run(&p, NS_S);
    p.record = false;
    pair_break(&p);
    pair_restart(&p.side[0], true);
    pair_connect(&p);
    pair_run(&p, NS_S);
    refuse(&p, 1, DROP_CHANNEL_REPLAY, p.recorded[0]->data, p.recorded[0]->len);
    pair_free(&p);
}

/* ---- nonces ---- */

/* The ephemeral keys of all lives differ, and with them all keys (that no key seals twice
 * under one nonce, every test here checks with every frame). */
static void test_ephemeral_keys_differ(void **state)
{
    enum { LIVES = 12 };
    struct pair p;
    uint8_t seen[200][NOISE_KEY];
    unsigned n = 0;
    (void)state;
    pair_init(&p, 13, CHANNEL_NOISE);
    p.record = true;
    for (int life = 0; life < LIVES; life++) {
        pair_connect(&p);
        pair_run(&p, NS_S / 2);
        pair_exchange(&p, 3);
        pair_run(&p, NS_S / 2);
        pair_break(&p);
        for (int i = 0; i < 2; i++) /* no key outlives its session */
            assert_true(sodium_is_zero((const uint8_t *)&p.side[i].channel->session,
                                       sizeof p.side[i].channel->session));
        if (life % 2) {
            struct side *s = &p.side[life / 2 % 2];
            pair_restart(s, true);
            s->sent = s->to_send = s->got = 0;
            s->first_number = p.side[1 - s->id].sent;
            p.side[1 - s->id].got = p.side[1 - s->id].first_number = 0;
        }
    }
    for (int from = 0; from < 2; from++)
        for (const struct piece *f = p.recorded[from]; f; f = f->next) {
            if (f->data[0] == FRAME_KIND_SEALED)
                continue;
            for (unsigned i = 0; i < n; i++)
                assert_memory_not_equal(seen[i], f->data + 1, NOISE_KEY);
            memcpy(seen[n++], f->data + 1, NOISE_KEY);
        }
    assert_int_equal(n, 2 * LIVES);
    pair_free(&p);
}

/* ---- reordering ---- */

static bool overtake(struct pair *p, int from, uint64_t n, struct piece *f)
{
    struct side *s = &p->side[from];
    struct dice d = dice_name(p->seed, "overtake", (uint64_t)from, n, 0);
    struct piece *copy;
    if (f->data[0] != FRAME_KIND_SEALED || !s->first || !dice_chance(&d, 100000))
        return true;
    copy = pair_piece(f->data, f->len);
    copy->at = s->first->at;
    copy->next = s->first;
    s->first = copy;                /* past all that are on their way */
    return dice_chance(&d, 500000); /* and, now and then, also at its place */
}

static void test_reordered_and_doubled(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct pair p;
        uint64_t gaps, replays;
        pair_init(&p, seed, CHANNEL_NOISE);
        p.hook = overtake;
        pair_connect(&p);
        for (int i = 0; i < 20; i++) {
            pair_exchange(&p, 10);
            pair_run(&p, 50 * NS_MS);
        }
        pair_run(&p, 100 * NS_S);
        assert_true(pair_complete(&p));
        gaps = pair_drops(&p, 0, DROP_CHANNEL_GAP) + pair_drops(&p, 1, DROP_CHANNEL_GAP);
        replays = pair_drops(&p, 0, DROP_CHANNEL_REPLAY) + pair_drops(&p, 1, DROP_CHANNEL_REPLAY);
        assert_true(gaps > 0 && replays > 0);
        p.hook = NULL;
        pair_exchange(&p, 200);
        pair_run(&p, 10 * NS_S);
        assert_true(!p.side[0].channel->limited || p.side[0].channel->limit >= 32);
        assert_int_equal(gaps + replays, pair_all_drops(&p, 0) + pair_all_drops(&p, 1));
        pair_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_altered_handshake),
        cmocka_unit_test(test_altered_message),
        cmocka_unit_test(test_lengthened),
    };
    const struct CMUnitTest again[] = {
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_repeated_question),
        cmocka_unit_test(test_replay_of_earlier_sessions),
        cmocka_unit_test(test_replay_into_a_handshake),
        cmocka_unit_test(test_replay_of_an_earlier_incarnation),
        cmocka_unit_test(test_ephemeral_keys_differ),
        cmocka_unit_test(test_reordered_and_doubled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) || PAIR_RUN_TWICE(again);
}
