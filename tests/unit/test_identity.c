/* links: engine/base/err.c engine/base/prng.c engine/crypto/identity.c */
/* Identities: what is signed, what is refused, and Wycheproof for the primitives below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/crypto/identity.h"
#include "tests/unit/data.h"

static struct identity make(uint8_t which)
{
    struct prng rng;
    struct identity id;
    uint8_t key[PRNG_KEY] = {which};
    prng_key(&rng, key);
    identity_make(&id, &rng);
    return id;
}

static void unhex(const char *text, uint8_t *out, size_t len)
{
    size_t got;
    assert_int_equal(sodium_hex2bin(out, len, text, strlen(text), NULL, &got, NULL), 0);
    assert_int_equal(got, len);
}

/* ---- making and verifying ---- */

static void test_make(void **state)
{
    struct identity a = make(1), again = make(1), b = make(2);
    struct prng rng;
    uint8_t key[PRNG_KEY] = {1}, seed[32], secret[32], public[32], ed[32], ed_secret[64];
    (void)state;
    assert_memory_equal(&a, &again, sizeof a);
    assert_int_equal(identity_verify(&a.pub), ERR_OK);
    assert_int_equal(identity_verify(&b.pub), ERR_OK);
    assert_false(identity_equal(&a.pub, &b.pub));
    prng_key(&rng, key);
    prng_bytes(&rng, seed, 32);
    prng_bytes(&rng, secret, 32);
    crypto_sign_seed_keypair(ed, ed_secret, seed);
    crypto_scalarmult_base(public, secret);
    assert_memory_equal(a.pub.ed25519, ed, 32);
    assert_memory_equal(a.ed25519_secret, ed_secret, 64);
    assert_memory_equal(a.x25519_secret, secret, 32);
    assert_memory_equal(a.pub.x25519, public, 32);
    /* the two keys have nothing to do with each other */
    assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(public, ed), 0);
    assert_memory_not_equal(a.pub.x25519, public, 32);
}

/* The documented byte string, put together by hand. */
static void test_what_is_signed(void **state)
{
    struct identity id = make(1);
    uint8_t bytes[23 + 64] = "partyline static key v1";
    (void)state;
    memcpy(bytes + 23, id.pub.ed25519, 32);
    memcpy(bytes + 55, id.pub.x25519, 32);
    assert_int_equal(
        crypto_sign_verify_detached(id.pub.signature, bytes, sizeof bytes, id.pub.ed25519), 0);
}

static void test_bit_flips(void **state)
{
    struct identity id = make(1);
    uint8_t form[IDENTITY_PUBLIC];
    (void)state;
    identity_encode(&id.pub, form);
    for (size_t bit = 0; bit < IDENTITY_PUBLIC * 8; bit++) {
        struct identity_public flipped;
        form[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(identity_decode(&flipped, form, sizeof form), ERR_OK);
        assert_int_equal(identity_verify(&flipped), ERR_AUTH);
        assert_false(identity_equal(&flipped, &id.pub));
        form[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_someone_elses_key(void **state)
{
    struct identity a = make(1), b = make(2);
    struct identity_public mixed = a.pub;
    (void)state;
    memcpy(mixed.x25519, b.pub.x25519, 32);
    assert_int_equal(identity_verify(&mixed), ERR_AUTH);
    memcpy(mixed.signature, b.pub.signature, 64);
    assert_int_equal(identity_verify(&mixed), ERR_AUTH);
    memcpy(mixed.ed25519, b.pub.ed25519, 32);
    assert_int_equal(identity_verify(&mixed), ERR_OK);
    assert_true(identity_equal(&mixed, &b.pub));
}

/* S + L is the same signature to a careless verifier. */
static void test_malleability(void **state)
{
    static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    struct identity id = make(1);
    uint8_t l[32];
    (void)state;
    unhex(order, l, 32);
    sodium_add(id.pub.signature + 32, l, 32);
    assert_int_equal(identity_verify(&id.pub), ERR_AUTH);
    sodium_sub(id.pub.signature + 32, l, 32);
    assert_int_equal(identity_verify(&id.pub), ERR_OK);
}

/* With A of small order, R = A, S = 0 satisfies the equation for 1 in 8 messages or more
 * (all of them for the neutral element): such keys belong to nobody. */
static void test_weak_keys(void **state)
{
    static const char *const weak[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", /* neutral */
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* y = p */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* y = p + 1 */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    struct identity_public pub;
    uint8_t signature[64] = {1}; /* R neutral, S = 0 */
    (void)state;
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++)
        for (uint8_t tries = 0; tries < 32; tries++) {
            memset(&pub, 0, sizeof pub);
            unhex(weak[i], pub.ed25519, 32);
            pub.x25519[0] = tries;
            pub.signature[0] = 1;
            assert_int_equal(identity_verify(&pub), ERR_AUTH);
            memcpy(pub.signature, pub.ed25519, 32);
            assert_int_equal(identity_verify(&pub), ERR_AUTH);
            assert_int_equal(identity_check(&pub, "test", &tries, 1, signature), ERR_AUTH);
        }
}

/* ---- signing ---- */

static void test_sign(void **state)
{
    struct identity a = make(1), b = make(2);
    uint8_t message[33] = "the result is 42, says party one", signature[64];
    (void)state;
    identity_sign(&a, "result", message, sizeof message, signature);
    assert_int_equal(identity_check(&a.pub, "result", message, sizeof message, signature), ERR_OK);
    assert_int_equal(identity_check(&b.pub, "result", message, sizeof message, signature),
                     ERR_AUTH);
    assert_int_equal(identity_check(&a.pub, "vote", message, sizeof message, signature), ERR_AUTH);
    assert_int_equal(identity_check(&a.pub, "result", message, 32, signature), ERR_AUTH);
    for (size_t bit = 0; bit < sizeof message * 8; bit++) {
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(identity_check(&a.pub, "result", message, sizeof message, signature),
                         ERR_AUTH);
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 512; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(identity_check(&a.pub, "result", message, sizeof message, signature),
                         ERR_AUTH);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    identity_sign(&a, "", NULL, 0, signature);
    assert_int_equal(identity_check(&a.pub, "", NULL, 0, signature), ERR_OK);
    assert_int_equal(identity_check(&a.pub, "", message, 1, signature), ERR_AUTH);
}

static void test_contexts_are_apart(void **state)
{
    struct identity id = make(1);
    struct identity_public forged = id.pub;
    uint8_t signature[64];
    (void)state;
    /* the boundary between context and message counts */
    identity_sign(&id, "ab", "c", 1, signature);
    assert_int_equal(identity_check(&id.pub, "ab", "c", 1, signature), ERR_OK);
    assert_int_equal(identity_check(&id.pub, "a", "bc", 2, signature), ERR_AUTH);
    assert_int_equal(identity_check(&id.pub, "abc", "", 0, signature), ERR_AUTH);
    /* no message is signed in a way that makes an identity, nor the reverse */
    identity_sign(&id, "partyline static key v1", &id.pub, 64, forged.signature);
    assert_int_equal(identity_verify(&forged), ERR_AUTH);
    assert_int_equal(
        identity_check(&id.pub, "partyline static key v1", &id.pub, 64, id.pub.signature),
        ERR_AUTH);
}

/* ---- forms ---- */

static void test_encode(void **state)
{
    struct identity id = make(1);
    struct identity_public back;
    uint8_t form[IDENTITY_PUBLIC + 1] = {0};
    (void)state;
    identity_encode(&id.pub, form);
    assert_memory_equal(form, id.pub.ed25519, 32);
    assert_memory_equal(form + 32, id.pub.x25519, 32);
    assert_memory_equal(form + 64, id.pub.signature, 64);
    assert_int_equal(identity_decode(&back, form, IDENTITY_PUBLIC), ERR_OK);
    assert_true(identity_equal(&back, &id.pub));
    for (size_t len = 0; len < IDENTITY_PUBLIC; len++)
        assert_int_equal(identity_decode(&back, form, len), ERR_TRUNCATED);
    assert_int_equal(identity_decode(&back, form, IDENTITY_PUBLIC + 1), ERR_FORMAT);
}

static void test_fingerprint(void **state)
{
    struct identity a = make(1), b = make(2);
    struct identity_public zero = {{0}, {0}, {0}};
    char text[IDENTITY_FINGERPRINT], other[IDENTITY_FINGERPRINT];
    (void)state;
    identity_fingerprint(&zero, text);
    assert_string_equal(text, "865939e120e68054"); /* head -c128 /dev/zero | b2sum */
    identity_fingerprint(&a.pub, text);
    assert_string_equal(text, "dcf5a6f8a4bed9e2"); /* and for ever: see identity_make */
    identity_fingerprint(&b.pub, other);
    assert_string_not_equal(text, other);
    a.pub.signature[63] ^= 1;
    identity_fingerprint(&a.pub, other);
    assert_string_not_equal(text, other);
}

static void test_wipe(void **state)
{
    struct identity id = make(1);
    (void)state;
    identity_wipe(&id);
    assert_true(sodium_is_zero((const uint8_t *)&id, sizeof id));
}

/* ---- Wycheproof ---- */

static bool is(const json_t *t, const char *result)
{
    return strcmp(json_string_value(json_object_get(t, "result")), result) == 0;
}

/* identity_check prefixes what it verifies, so the vectors go to the verifier below it. */
static void test_wycheproof_ed25519(void **state)
{
    json_t *j = data_json("wycheproof/ed25519_test.json"), *group, *t;
    size_t g, i, valid = 0, invalid = 0;
    (void)state;
    if (!j)
        skip();
    json_array_foreach(json_object_get(j, "testGroups"), g, group)
    {
        uint8_t public[32], message[1024], signature[256];
        assert_int_equal(data_hex(json_object_get(group, "publicKey"), "pk", public, 32), 32);
        json_array_foreach(json_object_get(group, "tests"), i, t)
        {
            size_t len = (size_t)data_hex(t, "msg", message, sizeof message);
            size_t signature_len = (size_t)data_hex(t, "sig", signature, sizeof signature);
            bool ok = signature_len == 64 &&
                      crypto_sign_verify_detached(signature, message, len, public) == 0;
            assert_int_equal(ok, is(t, "valid"));
            ok ? valid++ : invalid++;
        }
    }
    json_decref(j);
    print_message("%zu valid, %zu invalid\n", valid, invalid);
    assert_true(valid >= 50 && invalid >= 50);
}

static void test_wycheproof_x25519(void **state)
{
    json_t *j = data_json("wycheproof/x25519_test.json"), *group, *t;
    size_t g, i, right = 0, zero = 0;
    (void)state;
    if (!j)
        skip();
    json_array_foreach(json_object_get(j, "testGroups"), g, group)
    {
        json_array_foreach(json_object_get(group, "tests"), i, t)
        {
            uint8_t public[32], private[32], shared[32], got[32];
            assert_int_equal(data_hex(t, "public", public, 32), 32);
            assert_int_equal(data_hex(t, "private", private, 32), 32);
            assert_int_equal(data_hex(t, "shared", shared, 32), 32);
            if (crypto_scalarmult(got, private, public)) {
                assert_true(sodium_is_zero(shared, 32) && is(t, "acceptable"));
                zero++;
            } else {
                assert_memory_equal(got, shared, 32);
                assert_false(sodium_is_zero(shared, 32));
                right++;
            }
        }
    }
    json_decref(j);
    print_message("%zu right, %zu refused as all-zero\n", right, zero);
    assert_true(right >= 200 && zero >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_what_is_signed),
        cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_someone_elses_key),
        cmocka_unit_test(test_malleability),
        cmocka_unit_test(test_weak_keys),
        cmocka_unit_test(test_sign),
        cmocka_unit_test(test_contexts_are_apart),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_wycheproof_ed25519),
        cmocka_unit_test(test_wycheproof_x25519),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
