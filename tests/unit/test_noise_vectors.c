/* links: engine/base/err.c engine/base/prng.c engine/crypto/noise.c */
/* Noise: published vectors byte for byte, and low-order points. */
#include "tests/unit/data.h"
#include "tests/unit/noise_pair.h"

/* ---- vectors ---- */

static struct noise vector_side(const json_t *v, enum noise_pattern pattern, bool initiator)
{
    static const char *const fields[2][4] = {
        {"resp_prologue", "resp_static", "resp_remote_static", "resp_ephemeral"},
        {"init_prologue", "init_static", "init_remote_static", "init_ephemeral"}};
    const char *const *f = fields[initiator];
    uint8_t prologue[CAP], s[32], rs[32], e[32];
    struct noise n;
    long prologue_len = data_hex(v, f[0], prologue, sizeof prologue);
    bool has_s = data_hex(v, f[1], s, 32) == 32, has_rs = data_hex(v, f[2], rs, 32) == 32;
    assert_true(prologue_len >= 0);
    assert_ok(noise_init(&n, pattern, initiator, prologue, (size_t)prologue_len, has_s ? s : NULL,
                         has_rs ? rs : NULL));
    assert_int_equal(data_hex(v, f[3], e, 32), 32);
    noise_set_ephemeral(&n, e);
    return n;
}

static void run_vector(const json_t *v, enum noise_pattern pattern)
{
    struct noise side[2] = {vector_side(v, pattern, true), vector_side(v, pattern, false)};
    struct noise_cipher send[2], recv[2];
    uint8_t want_hash[64], hash[2][64];
    bool split = false;
    size_t i, transport = 0;
    json_t *m;
    json_array_foreach(json_object_get(v, "messages"), i, m)
    {
        uint8_t said[CAP], wire[CAP], out[CAP], back[CAP];
        size_t len, from = i % 2, to = 1 - from;
        size_t payload_len = (size_t)data_hex(m, "payload", said, CAP);
        size_t wire_len = (size_t)data_hex(m, "ciphertext", wire, CAP);
        assert_true(payload_len < CAP && wire_len < CAP);
        if (!noise_done(&side[from])) {
            assert_int_equal(payload_len + noise_overhead(&side[from]), wire_len);
            assert_ok(noise_write(&side[from], NULL, said, payload_len, out, CAP, &len));
            assert_int_equal(len, wire_len);
            assert_memory_equal(out, wire, wire_len);
            assert_ok(noise_read(&side[to], wire, wire_len, back, CAP, &len));
            assert_int_equal(len, payload_len);
        } else {
            for (int k = 0; k < 2 && !split; k++)
                assert_ok(noise_split(&side[k], &send[k], &recv[k], hash[k]));
            split = true;
            assert_int_equal(payload_len + NOISE_TAG, wire_len);
            assert_ok(noise_seal(&send[from], NULL, 0, said, payload_len, out));
            assert_memory_equal(out, wire, wire_len);
            assert_ok(noise_open(&recv[to], NULL, 0, wire, wire_len, back));
            transport++;
        }
        assert_memory_equal(back, said, payload_len);
    }
    assert_true(split && transport >= 2);
    assert_memory_equal(hash[0], hash[1], 64);
    if (data_hex(v, "handshake_hash", want_hash, 64) == 64)
        assert_memory_equal(hash[0], want_hash, 64);
}

/* Runs every vector of a known pattern; counts[pattern] says how many there were. */
static int run_file(const char *name, int counts[NOISE_PATTERNS], int *hashes)
{
    json_t *j = data_json(name), *v;
    size_t i;
    if (!j)
        return 0;
    json_array_foreach(json_object_get(j, "vectors"), i, v)
    {
        const char *protocol = json_string_value(json_object_get(v, "protocol_name"));
        assert_non_null(protocol);
        for (int p = 0; p < NOISE_PATTERNS; p++) {
            if (strcmp(protocol, noise_name((enum noise_pattern)p)) != 0)
                continue;
            run_vector(v, (enum noise_pattern)p);
            counts[p]++;
            *hashes += json_object_get(v, "handshake_hash") != NULL;
        }
    }
    json_decref(j);
    return 1;
}

static void test_vectors(void **state)
{
    int counts[NOISE_PATTERNS] = {0}, hashes = 0, total = 0;
    (void)state;
    if (!run_file("noise/snow_25519_chachapoly.json", counts, &hashes) ||
        !run_file("noise/cacophony_25519_chachapoly.json", counts, &hashes))
        skip();
    for (int p = 0; p < NOISE_PATTERNS; p++) {
        print_message("%s: %d vectors\n", noise_name((enum noise_pattern)p), counts[p]);
        assert_int_equal(counts[p], 2);
        total += counts[p];
    }
    print_message("%d vectors, %d of them with a handshake hash\n", total, hashes);
    assert_int_equal(hashes, NOISE_PATTERNS);
}

/* ---- low-order points: the all-zero result ---- */

static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void test_low_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof low_order / sizeof low_order[0]; i++) {
        struct pair pair = pair_of(NOISE_NN), before;
        uint8_t point[32], wire[CAP];
        size_t len;
        assert_int_equal(sodium_hex2bin(point, 32, low_order[i], 64, NULL, NULL, NULL), 0);
        /* as the initiator's ephemeral: met when NN's responder writes */
        assert_ok(hear(&pair, 1, point, 32));
        before = pair;
        assert_int_equal(noise_write(&pair.side[1], &pair.rng, NULL, 0, wire, CAP, &len), ERR_AUTH);
        assert_int_equal(len, 0);
        assert_memory_equal(&pair.side[1], &before.side[1], sizeof(struct noise));
        /* as the static key that an initiator presumes */
        assert_ok(noise_init(&pair.side[0], NOISE_IK, true, NULL, 0, init_secret, point));
        assert_int_equal(noise_write(&pair.side[0], &pair.rng, NULL, 0, wire, CAP, &len), ERR_AUTH);
    }
}

/* Wycheproof's X25519: a handshake refuses a public key exactly when the result is zero. */
static void test_wycheproof_low_order(void **state)
{
    json_t *j = data_json("wycheproof/x25519_test.json"), *group, *t;
    size_t g, i, refused = 0, accepted = 0;
    (void)state;
    if (!j)
        skip();
    json_array_foreach(json_object_get(j, "testGroups"), g, group)
    {
        json_array_foreach(json_object_get(group, "tests"), i, t)
        {
            uint8_t public[32], private[32], shared[32], wire[CAP];
            struct pair pair = pair_of(NOISE_NN);
            size_t len;
            assert_int_equal(data_hex(t, "public", public, 32), 32);
            assert_int_equal(data_hex(t, "private", private, 32), 32);
            assert_int_equal(data_hex(t, "shared", shared, 32), 32);
            bool zero = sodium_is_zero(shared, 32);
            noise_set_ephemeral(&pair.side[1], private);
            assert_ok(hear(&pair, 1, public, 32));
            assert_int_equal(noise_write(&pair.side[1], NULL, NULL, 0, wire, CAP, &len),
                             zero ? ERR_AUTH : ERR_OK);
            zero ? refused++ : accepted++;
        }
    }
    json_decref(j);
    print_message("%zu refused, %zu accepted\n", refused, accepted);
    assert_true(refused >= 10 && accepted >= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_low_order),
        cmocka_unit_test(test_wycheproof_low_order),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
