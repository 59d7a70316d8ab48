/* links: engine/channel/channel.c engine/channel/frame.c engine/channel/handshake.c
 * engine/channel/hello.c engine/channel/plain.c engine/channel/pool.c engine/channel/backlog.c
 * engine/channel/sealed.c engine/channel/shake.c engine/crypto/identity.c engine/crypto/noise.c
 * engine/base/err.c engine/base/prng.c */
/* Who may speak at all, and what a peer may not do that is who it says. */
#include "tests/unit/channel_pair.h"

/* ---- who it is ---- */

static void test_unknown_identity(void **state)
{
    struct pair p;
    struct prng rng;
    (void)state;
    for (int part = 0; part < 3; part++) {
        struct identity other;
        pair_init(&p, 8, CHANNEL_NOISE);
        prng_name(&rng, 99, "mallory", 0, "identity");
        identity_make(&other, &rng);
        if (part == 1) { /* alice's static key under another Ed25519 key */
            memcpy(other.pub.x25519, p.side[0].identity.pub.x25519, IDENTITY_KEY);
            memcpy(other.x25519_secret, p.side[0].identity.x25519_secret, IDENTITY_KEY);
        } else if (part == 2) { /* alice's identity, without her secrets */
            other.pub = p.side[0].identity.pub;
        }
        p.side[0].node.identity = &other;
        pair_connect(&p);
        pair_run(&p, 500 * NS_S);
        assert_true(pair_drops(&p, 1, DROP_CHANNEL_AUTH) >= 7);
        assert_int_equal(p.side[1].got, 0);
        assert_int_equal(p.side[1].metrics->counts[COUNT_HANDSHAKES], 0);
        assert_int_equal(p.side[0].states[0], PEER_LOST);
        assert_int_equal(p.side[1].states[0], PEER_LOST);
        assert_int_equal(p.side[0].failures + p.side[1].failures, 0);
        /* bob's own handshakes to the roster's alice mean nothing to mallory, or he cannot
         * prove to be her */
        assert_int_equal(channel_state(p.side[1].channel), CHANNEL_DOWN);
        pair_free(&p);
    }
}

static void test_unsigned_identity_in_the_roster(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, 9, CHANNEL_NOISE);
    p.identities[0].signature[3] ^= 1;
    pair_connect(&p);
    pair_run(&p, NS_S);
    assert_int_equal(p.side[1].failures, 1);
    assert_int_equal(p.side[1].fail_code, ERR_AUTH);
    assert_string_equal(p.side[1].why,
                        "the roster's identity of alice has not signed its static key");
    assert_int_equal(p.side[1].emits, 0);
    pair_free(&p);
}

static void test_low_order_static_key(void **state)
{
    static const char text[] = "partyline static key v1";
    struct pair p;
    struct identity *bob = &p.side[1].identity;
    uint8_t bytes[sizeof text - 1 + 2 * IDENTITY_KEY];
    (void)state;
    pair_init(&p, 10, CHANNEL_NOISE);
    memset(bob->pub.x25519, 0, IDENTITY_KEY);
    memcpy(bytes, text, sizeof text - 1);
    memcpy(bytes + sizeof text - 1, bob->pub.ed25519, IDENTITY_KEY);
    memcpy(bytes + sizeof text - 1 + IDENTITY_KEY, bob->pub.x25519, IDENTITY_KEY);
    crypto_sign_detached(bob->pub.signature, NULL, bytes, sizeof bytes, bob->ed25519_secret);
    p.identities[1] = bob->pub;
    pair_connect(&p);
    assert_int_equal(p.side[0].failures, 1);
    assert_string_equal(p.side[0].why, "the static key of bob is of low order");
    assert_int_equal(p.side[0].emits, 0);
    pair_free(&p);
}

/* ---- a peer that is who it is, and hostile ---- */

/* Seals what alice's channel would never say, under her session. */
static void say(struct pair *p, const uint8_t *inner, size_t len)
{
    static uint8_t frame[LINK_MESSAGE_MAX];
    struct channel *c = p->side[0].channel;
    frame[0] = FRAME_KIND_SEALED;
    for (int i = 0; i < 8; i++)
        frame[1 + i] = (uint8_t)(c->session.send_nonce >> (8 * i));
    memcpy(frame + FRAME_CLEAR, inner, len);
    pair_hand(p, 1, frame, frame_seal(&c->session, c->modelled, frame, FRAME_CLEAR + len));
}

static void test_hostile_peer(void **state)
{
    struct pair p;
    uint8_t inner[100] = {0};
    (void)state;
    pair_ready(&p, 11, CHANNEL_NOISE);
    /* flags that are none, or do not go together; fields missing; data without DATA */
    for (unsigned flags = 0; flags < 256; flags++)
        for (size_t len = 1; len < 40; len++) {
            bool data = flags & FRAME_DATA, probe = flags & FRAME_PROBE, more = flags & FRAME_MORE;
            bool good = flags < 16 && !(data && probe) && !(more && !data) &&
                        (data    ? len >= 17
                         : probe ? len == 17
                                 : len == 9);
            uint64_t before = pair_drops(&p, 1, DROP_CHANNEL_FORMAT);
            inner[0] = (uint8_t)flags;
            memset(inner + 9, 0xee, 8); /* a number far beyond: a gap, nothing is delivered */
            say(&p, inner, len);
            assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_FORMAT) - before, !good);
            pair_lose_pipe(&p);
        }
    /* an acknowledgement of what was never sent */
    memset(inner, 0, sizeof inner);
    inner[1] = 1;
    uint64_t before = pair_drops(&p, 1, DROP_CHANNEL_FORMAT);
    say(&p, inner, 9);
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_FORMAT) - before, 1);
    assert_int_equal(p.side[1].got, 0);
    assert_int_equal(channel_state(p.side[1].channel), CHANNEL_UP);
    pair_free(&p);
}

/* One that computes something else has nothing to say. */
static void test_mismatch_with_data(void **state)
{
    static const uint8_t inner[20] = {FRAME_DATA};
    struct pair p;
    (void)state;
    pair_init(&p, 16, CHANNEL_NOISE);
    p.side[0].node.program = "idle";
    pair_connect(&p);
    pair_run(&p, 25 * NS_MS);
    assert_int_equal(p.side[0].failures, 1);
    pair_lose_pipe(&p); /* her empty frame */
    say(&p, inner, sizeof inner);
    assert_int_equal(p.side[1].failures, 1);
    assert_int_equal(p.side[1].got, 0);
    say(&p, inner, sizeof inner);
    assert_int_equal(pair_drops(&p, 1, DROP_CHANNEL_STATE), 1);
    assert_int_equal(p.side[1].got, 0);
    pair_free(&p);
}

static void test_endless_message(void **state)
{
    enum { PIECE = 60000 };
    static uint8_t inner[17 + PIECE];
    struct pair p;
    uint64_t n = 0;
    (void)state;
    pair_ready(&p, 12, CHANNEL_NOISE);
    for (; p.side[1].failures == 0 && n < 1000; n++) {
        inner[0] = FRAME_DATA | FRAME_MORE;
        for (int i = 0; i < 8; i++)
            inner[9 + i] = (uint8_t)(n >> (8 * i));
        say(&p, inner, sizeof inner);
        assert_true(p.side[1].node.pool_used <= CHANNEL_MESSAGE_MAX);
        pair_lose_pipe(&p);
    }
    assert_int_equal(n, CHANNEL_MESSAGE_MAX / PIECE + 1);
    assert_string_equal(p.side[1].why, "alice sent a message above 16 MiB");
    assert_int_equal(p.side[1].fail_code, ERR_TOO_BIG);
    assert_int_equal(p.side[1].node.pool_used, 0);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_identity),
        cmocka_unit_test(test_unsigned_identity_in_the_roster),
        cmocka_unit_test(test_low_order_static_key),
    };
    const struct CMUnitTest liars[] = {
        cmocka_unit_test(test_hostile_peer),
        cmocka_unit_test(test_mismatch_with_data),
        cmocka_unit_test(test_endless_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) || PAIR_RUN_TWICE(liars);
}
