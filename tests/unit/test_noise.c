/* links: engine/base/err.c engine/base/prng.c engine/crypto/noise.c */
/* Noise: what every alteration, misuse and replay leads to. */
#include "tests/unit/noise_pair.h"

static const uint8_t other_secret[32] = {7, 8, 9};

/* ---- alterations of handshake messages ---- */

/* An altered message is refused at once, or (nothing is keyed yet) the next one is, or the
 * handshake hashes differ; whatever refuses is unchanged by it. */
static void alter(const struct pair *before, int step, const uint8_t *wire, size_t len, bool keyed)
{
    struct pair pair = *before;
    int code = hear(&pair, 1 - step % 2, wire, len);
    if (keyed) {
        assert_true(code == ERR_AUTH || code == ERR_TRUNCATED);
    } else if (!code) {
        code = carry_on(&pair, step + 1);
        assert_int_equal(code, ERR_AUTH);
        return;
    }
    assert_int_not_equal(code, ERR_OK);
    assert_memory_equal(&pair.side[1 - step % 2], &before->side[1 - step % 2],
                        sizeof(struct noise));
}

static void alter_message(const struct pair *before, int step, uint8_t *wire, size_t len)
{
    struct pair keyed_after = *before;
    assert_ok(hear(&keyed_after, 1 - step % 2, wire, len));
    bool keyed = keyed_after.side[1 - step % 2].keyed;
    for (size_t i = 0; i < len * 8; i++) {
        wire[i / 8] ^= (uint8_t)(1 << i % 8);
        alter(before, step, wire, len, keyed);
        wire[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t cut = 0; cut < len; cut++)
        alter(before, step, wire, cut, keyed);
    wire[len] = 0;
    alter(before, step, wire, len + 1, keyed);
}

static void test_altered_handshakes(void **state)
{
    (void)state;
    for (int p = 0; p < NOISE_PATTERNS; p++) {
        struct pair pair = pair_of((enum noise_pattern)p);
        int step = 0;
        for (; !noise_done(&pair.side[0]); step++) {
            uint8_t wire[CAP];
            size_t len = say(&pair, step % 2, wire);
            alter_message(&pair, step, wire, len);
            assert_ok(hear(&pair, 1 - step % 2, wire, len));
        }
        assert_ok(carry_on(&pair, step));
    }
}

static void test_truncated_code(void **state)
{
    struct pair pair = pair_of(NOISE_IK);
    uint8_t wire[CAP];
    size_t overhead = noise_overhead(&pair.side[1]);
    (void)state;
    assert_int_equal(overhead, 32 + 32 + 16 + 16);
    assert_int_equal(say(&pair, 0, wire), overhead + sizeof payload);
    for (size_t cut = 0; cut < overhead; cut++)
        assert_int_equal(hear(&pair, 1, wire, cut), ERR_TRUNCATED);
    for (size_t cut = overhead; cut < overhead + sizeof payload; cut++)
        assert_int_equal(hear(&pair, 1, wire, cut), ERR_AUTH);
    assert_ok(hear(&pair, 1, wire, overhead + sizeof payload));
}

static void test_wrong_static_or_prologue(void **state)
{
    struct pair pair = pair_of(NOISE_IK);
    uint8_t wire[CAP], public[32];
    (void)state;
    /* the initiator expects somebody else */
    assert_ok(start(&pair.side[0], NOISE_IK, true, init_secret, other_secret));
    assert_int_equal(carry_on(&pair, 0), ERR_AUTH);
    /* either side of KK is somebody else */
    for (int k = 0; k < 2; k++) {
        pair = pair_of(NOISE_KK);
        assert_ok(start(&pair.side[k], NOISE_KK, k == 0, other_secret,
                        k == 0 ? resp_secret : init_secret));
        assert_int_equal(carry_on(&pair, 0), ERR_AUTH);
    }
    pair = pair_of(NOISE_NN);
    assert_ok(noise_init(&pair.side[0], NOISE_NN, true, "v2", 2, NULL, NULL));
    assert_int_equal(carry_on(&pair, 0), ERR_AUTH);
    /* XX takes anyone and says who it was */
    pair = pair_of(NOISE_XX);
    assert_ok(start(&pair.side[0], NOISE_XX, true, other_secret, resp_secret));
    assert_null(noise_remote_static(&pair.side[1]));
    assert_ok(carry_on(&pair, 0));
    crypto_scalarmult_base(public, other_secret);
    assert_memory_equal(noise_remote_static(&pair.side[1]), public, 32);
    crypto_scalarmult_base(public, resp_secret);
    assert_memory_equal(noise_remote_static(&pair.side[0]), public, 32);
    /* IK's responder learns it from message 1, and not from a forged one */
    pair = pair_of(NOISE_IK);
    size_t len = say(&pair, 0, wire);
    wire[len - 1] ^= 1;
    assert_int_equal(hear(&pair, 1, wire, len), ERR_AUTH);
    assert_null(noise_remote_static(&pair.side[1]));
    wire[len - 1] ^= 1;
    assert_ok(hear(&pair, 1, wire, len));
    crypto_scalarmult_base(public, init_secret);
    assert_memory_equal(noise_remote_static(&pair.side[1]), public, 32);
}

/* ---- misuse ---- */

static void test_init_keys(void **state)
{
    struct noise n;
    uint8_t k[32] = {9};
    /* per side (initiator, responder): whether it gives s, whether rs, and whether that is right */
    static const struct {
        enum noise_pattern pattern;
        uint8_t s[2], rs[2];
    } right[] = {
        {NOISE_NN, {0, 0}, {0, 0}}, {NOISE_NK, {0, 1}, {1, 0}}, {NOISE_NX, {0, 1}, {0, 0}},
        {NOISE_XN, {1, 0}, {0, 0}}, {NOISE_XK, {1, 1}, {1, 0}}, {NOISE_XX, {1, 1}, {0, 0}},
        {NOISE_KK, {1, 1}, {1, 1}}, {NOISE_IK, {1, 1}, {1, 0}}, {NOISE_IX, {1, 1}, {0, 0}}};
    (void)state;
    assert_int_equal(sizeof right / sizeof right[0], NOISE_PATTERNS);
    for (size_t i = 0; i < NOISE_PATTERNS; i++)
        for (int side = 0; side < 2; side++)
            for (int given = 0; given < 4; given++) {
                int s = given & 1, rs = given >> 1;
                bool ok = s == right[i].s[side] && rs == right[i].rs[side];
                assert_int_equal(noise_init(&n, right[i].pattern, side == 0, NULL, 0, s ? k : NULL,
                                            rs ? k : NULL),
                                 ok ? ERR_OK : ERR_INVALID);
            }
}

static void test_turns_and_sizes(void **state)
{
    static uint8_t big[NOISE_MESSAGE_MAX + 1], out[NOISE_MESSAGE_MAX + 1];
    struct pair pair = pair_of(NOISE_XX);
    struct noise_cipher a, b;
    size_t len, longest = NOISE_MESSAGE_MAX - 32;
    (void)state;
    assert_int_equal(noise_split(&pair.side[0], &a, &b, NULL), ERR_STATE);
    assert_int_equal(noise_read(&pair.side[0], big, 100, out, CAP, &len), ERR_STATE);
    assert_int_equal(noise_write(&pair.side[1], &pair.rng, NULL, 0, out, CAP, &len), ERR_STATE);
    assert_int_equal(noise_write(&pair.side[0], &pair.rng, NULL, 0, out, 31, &len), ERR_TOO_BIG);
    assert_int_equal(noise_write(&pair.side[0], &pair.rng, big, longest + 1, out, sizeof out, &len),
                     ERR_TOO_BIG);
    assert_int_equal(noise_write(&pair.side[0], &pair.rng, big, SIZE_MAX, out, SIZE_MAX, &len),
                     ERR_TOO_BIG);
    assert_ok(noise_write(&pair.side[0], &pair.rng, big, longest, out, sizeof out, &len));
    assert_int_equal(len, NOISE_MESSAGE_MAX);
    assert_int_equal(noise_read(&pair.side[1], out, NOISE_MESSAGE_MAX + 1, big, sizeof big, &len),
                     ERR_TOO_BIG);
    assert_int_equal(noise_read(&pair.side[1], out, NOISE_MESSAGE_MAX, big, longest - 1, &len),
                     ERR_TOO_BIG);
    assert_ok(noise_read(&pair.side[1], out, NOISE_MESSAGE_MAX, big, longest, &len));
    assert_ok(carry_on(&pair, 1));
    assert_true(noise_done(&pair.side[0]));
    assert_int_equal(noise_overhead(&pair.side[0]), 0);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(noise_write(&pair.side[k], &pair.rng, NULL, 0, out, CAP, &len), ERR_STATE);
        assert_int_equal(noise_read(&pair.side[k], out, 100, big, CAP, &len), ERR_STATE);
        assert_int_equal(noise_split(&pair.side[k], &a, &b, NULL), ERR_STATE); /* a second time */
    }
}

static void test_ephemerals_come_from_the_prng(void **state)
{
    uint8_t first[CAP], again[CAP], secret[32], public[32];
    struct pair pair = pair_of(NOISE_NN);
    struct prng same = pair.rng;
    (void)state;
    prng_bytes(&same, secret, 32);
    crypto_scalarmult_base(public, secret);
    say(&pair, 0, first);
    assert_memory_equal(first, public, 32);
    pair = pair_of(NOISE_NN);
    say(&pair, 0, again);
    assert_memory_equal(first, again, 32);
}

/* ---- transport ---- */

static void session(struct noise_cipher send[2], struct noise_cipher recv[2])
{
    struct pair pair = pair_of(NOISE_IK);
    assert_ok(agree(&pair, 0, send, recv));
    assert_memory_equal(&send[0], &recv[1], sizeof send[0]);
    assert_memory_equal(&send[1], &recv[0], sizeof send[0]);
    assert_memory_not_equal(send[0].key, send[1].key, NOISE_KEY);
}

static void test_replay_and_order(void **state)
{
    struct noise_cipher send[2], recv[2], before;
    uint8_t wire[3][CAP], out[CAP];
    enum { N = sizeof payload + NOISE_TAG };
    (void)state;
    session(send, recv);
    for (int i = 0; i < 3; i++)
        assert_ok(noise_seal(&send[0], "ad", 2, payload, sizeof payload, wire[i]));
    assert_memory_not_equal(wire[0], wire[1], N);
    assert_ok(noise_open(&recv[1], "ad", 2, wire[0], N, out));
    before = recv[1];
    assert_int_equal(noise_open(&recv[1], "ad", 2, wire[0], N, out), ERR_AUTH); /* replayed */
    assert_int_equal(noise_open(&recv[1], "ad", 2, wire[2], N, out), ERR_AUTH); /* too early */
    assert_int_equal(noise_open(&recv[0], "ad", 2, wire[1], N, out), ERR_AUTH); /* reflected */
    assert_int_equal(noise_open(&recv[1], "AD", 2, wire[1], N, out), ERR_AUTH);
    assert_int_equal(noise_open(&recv[1], NULL, 0, wire[1], N, out), ERR_AUTH);
    assert_memory_equal(&recv[1], &before, sizeof before);
    for (int i = 1; i < 3; i++) {
        assert_ok(noise_open(&recv[1], "ad", 2, wire[i], N, out));
        assert_memory_equal(out, payload, sizeof payload);
    }
    assert_int_equal(recv[1].nonce, 3);
}

static void test_altered_transport(void **state)
{
    struct noise_cipher send[2], recv[2], before;
    uint8_t wire[CAP], out[CAP];
    size_t len = sizeof payload + NOISE_TAG;
    (void)state;
    session(send, recv);
    before = recv[1];
    assert_ok(noise_seal(&send[0], NULL, 0, payload, sizeof payload, wire));
    for (size_t i = 0; i < len * 8; i++) {
        wire[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(noise_open(&recv[1], NULL, 0, wire, len, out), ERR_AUTH);
        wire[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(noise_open(&recv[1], NULL, 0, wire, cut, out),
                         cut < NOISE_TAG ? ERR_TRUNCATED : ERR_AUTH);
    assert_memory_equal(&recv[1], &before, sizeof before);
    assert_ok(noise_open(&recv[1], NULL, 0, wire, len, wire)); /* in place */
    assert_memory_equal(wire, payload, sizeof payload);
}

static void test_explicit_nonces(void **state)
{
    struct noise_cipher send[2], recv[2];
    uint8_t one[CAP], two[CAP], out[CAP];
    size_t len = sizeof payload + NOISE_TAG;
    (void)state;
    session(send, recv);
    assert_ok(noise_seal_at(&send[0], 7, NULL, 0, payload, sizeof payload, one));
    assert_int_equal(send[0].nonce, 0);
    send[0].nonce = 7;
    assert_ok(noise_seal(&send[0], NULL, 0, payload, sizeof payload, two));
    assert_memory_equal(one, two, len);
    assert_int_equal(noise_open_at(&recv[1], 8, NULL, 0, one, len, out), ERR_AUTH);
    assert_int_equal(noise_open_at(&recv[1], UINT64_C(7) << 32, NULL, 0, one, len, out), ERR_AUTH);
    assert_ok(noise_open_at(&recv[1], 7, NULL, 0, one, len, out));
    assert_int_equal(recv[1].nonce, 0);
    assert_memory_equal(out, payload, sizeof payload);
}

static void test_nonce_exhaustion(void **state)
{
    struct noise_cipher send[2], recv[2];
    uint8_t wire[CAP], out[CAP];
    size_t len = sizeof payload + NOISE_TAG;
    (void)state;
    session(send, recv);
    send[0].nonce = recv[1].nonce = UINT64_MAX - 1; /* the last one */
    assert_ok(noise_seal(&send[0], NULL, 0, payload, sizeof payload, wire));
    assert_ok(noise_open(&recv[1], NULL, 0, wire, len, out));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(noise_seal(&send[0], NULL, 0, payload, sizeof payload, out), ERR_LIMIT);
        assert_int_equal(noise_open(&recv[1], NULL, 0, wire, len, out), ERR_LIMIT);
        assert_true(send[0].nonce == UINT64_MAX && recv[1].nonce == UINT64_MAX);
    }
    assert_int_equal(noise_seal_at(&send[0], UINT64_MAX, NULL, 0, payload, sizeof payload, out),
                     ERR_LIMIT);
    assert_int_equal(noise_open_at(&recv[1], UINT64_MAX, NULL, 0, wire, len, out), ERR_LIMIT);
}

static void test_transport_sizes(void **state)
{
    static uint8_t buf[NOISE_MESSAGE_MAX + 1];
    struct noise_cipher send[2], recv[2];
    size_t longest = NOISE_MESSAGE_MAX - NOISE_TAG;
    (void)state;
    session(send, recv);
    assert_int_equal(noise_seal(&send[0], NULL, 0, buf, longest + 1, buf), ERR_TOO_BIG);
    assert_ok(noise_seal(&send[0], NULL, 0, buf, longest, buf)); /* in place */
    assert_int_equal(noise_open(&recv[1], NULL, 0, buf, NOISE_MESSAGE_MAX + 1, buf), ERR_TOO_BIG);
    assert_ok(noise_open(&recv[1], NULL, 0, buf, NOISE_MESSAGE_MAX, buf));
    assert_true(sodium_is_zero(buf, longest));
    assert_ok(noise_seal(&send[0], NULL, 0, NULL, 0, buf)); /* empty */
    assert_ok(noise_open(&recv[1], NULL, 0, buf, NOISE_TAG, NULL));
}

static void test_wipe_and_size(void **state)
{
    struct pair pair = pair_of(NOISE_IK);
    struct noise_cipher c = {.key = {1}, .nonce = 2};
    (void)state;
    noise_wipe(&pair.side[0]);
    noise_cipher_wipe(&c);
    assert_true(sodium_is_zero((const uint8_t *)&pair.side[0], sizeof pair.side[0]));
    assert_true(sodium_is_zero((const uint8_t *)&c, sizeof c));
    assert_true(sizeof c == 48 && sizeof(struct noise) <= 408);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_altered_handshakes),
        cmocka_unit_test(test_truncated_code),
        cmocka_unit_test(test_wrong_static_or_prologue),
        cmocka_unit_test(test_init_keys),
        cmocka_unit_test(test_turns_and_sizes),
        cmocka_unit_test(test_ephemerals_come_from_the_prng),
        cmocka_unit_test(test_replay_and_order),
        cmocka_unit_test(test_altered_transport),
        cmocka_unit_test(test_explicit_nonces),
        cmocka_unit_test(test_nonce_exhaustion),
        cmocka_unit_test(test_transport_sizes),
        cmocka_unit_test(test_wipe_and_size),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
