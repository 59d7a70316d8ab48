/* links: engine/base/err.c engine/base/prng.c engine/crypto/lioness.c engine/crypto/sphinx.c */
/* Sphinx: the published vectors byte for byte, and the attack that wins on their profile and
 * fails on ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tests/unit/sphinx_vector.h"

enum { HOPS = 5, PAYLOAD = 1024, HEADER = 224, PACKET = HEADER + PAYLOAD };

static const struct sphinx_params vector_params = {&sphinx_vector, HOPS, PAYLOAD};
static const struct sphinx_params our_params = {&sphinx_network, HOPS, PAYLOAD};

static json_t *vectors;

static void need(const json_t *object, const char *field, const uint8_t *have, size_t len)
{
    uint8_t want[PACKET];
    assert_int_equal(data_hex(object, field, want, sizeof want), len);
    assert_memory_equal(have, want, len);
}

static int load(void **state)
{
    (void)state;
    vectors = data_json("sphinx/sphinxmixcrypto_libsodium_only_vectors.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

static const json_t *node_of(const uint8_t id[SPHINX_ID])
{
    const json_t *nodes = json_object_get(vectors, "nodes");
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        uint8_t have[SPHINX_ID];
        data_hex(json_array_get(nodes, i), "id", have, sizeof have);
        if (memcmp(have, id, SPHINX_ID) == 0)
            return json_array_get(nodes, i);
    }
    fail();
    return NULL;
}

/* The vectors' route; keys are kept in `keys`. */
static void route(struct sphinx_hop hops[HOPS], uint8_t keys[HOPS][32])
{
    const json_t *list = json_object_get(vectors, "route");
    assert_int_equal(json_array_size(list), HOPS);
    for (size_t i = 0; i < HOPS; i++) {
        const char *id = json_string_value(json_array_get(list, i));
        sodium_hex2bin(hops[i].id, SPHINX_ID, id, strlen(id), NULL, NULL, NULL);
        data_hex(node_of(hops[i].id), "public", keys[i], 32);
        hops[i].key = keys[i];
    }
}

static void split(const json_t *state, const uint8_t *packet)
{
    need(state, "alpha", packet, 32);
    need(state, "beta", packet + 32, 176);
    need(state, "gamma", packet + 208, 16);
    need(state, "delta", packet + HEADER, PAYLOAD);
}

static void body(uint8_t delta[PAYLOAD], const uint8_t *dest, size_t dest_len, const char *message)
{
    size_t len = strlen(message), pad = PAYLOAD - 16 - dest_len - len;
    memset(delta, 0, PAYLOAD);
    if (dest_len)
        memcpy(delta + 16, dest, dest_len);
    memcpy(delta + 16 + dest_len, message, len);
    delta[PAYLOAD - 2] = (uint8_t)pad;
    delta[PAYLOAD - 1] = (uint8_t)(pad >> 8);
}

/* All hops of a packet against the recorded states. */
static void walk(const json_t *states, uint8_t *packet, const json_t *last)
{
    assert_int_equal(json_array_size(states), HOPS);
    for (size_t i = 0; i < HOPS; i++) {
        const json_t *state = json_array_get(states, i);
        struct sphinx_route r;
        uint8_t id[SPHINX_ID], secret[32];
        split(state, packet);
        if (last && i == HOPS - 1)
            split(last, packet);
        data_hex(state, "node", id, sizeof id);
        data_hex(node_of(id), "private", secret, sizeof secret);
        assert_int_equal(sphinx_unwrap(&vector_params, secret, packet, &r), OK);
        need(state, "replay_tag", r.tag, SPHINX_TAG);
        if (i + 1 < HOPS) {
            data_hex(json_array_get(states, i + 1), "node", id, sizeof id);
            assert_memory_equal(r.id, id, SPHINX_ID);
        }
    }
}

static void vectors_rng(struct prng *rng)
{
    uint8_t key[PRNG_KEY];
    data_hex(vectors, "rng_key", key, sizeof key);
    prng_key(rng, key);
}

static void make_forward(uint8_t *packet)
{
    const json_t *forward = json_object_get(vectors, "forward");
    struct sphinx_hop hops[HOPS];
    struct sphinx_keys keys[HOPS];
    struct prng rng;
    uint8_t publics[HOPS][32], dest[17] = {0}, id[17] = {SPHINX_ID};
    route(hops, publics);
    vectors_rng(&rng);
    assert_int_equal(sphinx_make(&vector_params, hops, HOPS, dest, 17, &rng, packet, keys), OK);
    data_hex(forward, "destination", id + 1, SPHINX_ID);
    body(packet + HEADER, id, sizeof id,
         json_string_value(json_object_get(forward, "message_utf8")));
    sphinx_wrap(&vector_params, keys, HOPS, packet + HEADER);
}

static void forward_vector(void **state)
{
    uint8_t packet[PACKET];
    const json_t *forward = json_object_get(vectors, "forward");
    (void)state;
    if (!vectors)
        skip();
    make_forward(packet);
    walk(json_object_get(forward, "hops"), packet, json_object_get(forward, "published_final_hop"));
    assert_true(sodium_is_zero(packet + HEADER, 16));
}

static void surb_vector(void **state)
{
    const json_t *surb;
    const char *message;
    struct sphinx_hop hops[HOPS];
    struct sphinx_keys keys[HOPS];
    struct prng rng;
    uint8_t publics[HOPS][32], dest[32], reply_key[32], packet[PACKET], want[PAYLOAD];
    (void)state;
    if (!vectors)
        skip();
    surb = json_object_get(vectors, "surb");
    message = json_string_value(json_object_get(surb, "message_utf8"));
    route(hops, publics);
    vectors_rng(&rng);
    data_hex(surb, "client_id", dest, 16);
    data_hex(surb, "message_id", dest + 16, 16);
    assert_int_equal(sphinx_make(&vector_params, hops, HOPS, dest, 32, &rng, packet, keys), OK);
    prng_bytes(&rng, reply_key, sizeof reply_key);
    need(surb, "ktilde", reply_key, sizeof reply_key);
    vector_hash(reply_key, 32, 0x22, reply_key, 32, NULL, 0);
    body(packet + HEADER, NULL, 0, message);
    memcpy(want, packet + HEADER, PAYLOAD);
    sphinx_surb_seal(&vector_params, reply_key, packet + HEADER);
    walk(json_object_get(surb, "hops"), packet, json_object_get(surb, "published_final_hop"));
    sphinx_surb_open(&vector_params, reply_key, keys, HOPS, packet + HEADER);
    assert_memory_equal(packet + HEADER, want, PAYLOAD);
}

static void lioness_vector(void **state)
{
    const json_t *p;
    uint8_t secret[32], key[LIONESS_KEY], block[128];
    size_t len;
    (void)state;
    if (!vectors)
        skip();
    p = json_object_get(vectors, "primitives");
    data_hex(p, "secret", secret, sizeof secret);
    data_hex(p, "lioness_key", key, sizeof key);
    len = (size_t)data_hex(p, "lioness_block", block, sizeof block);
    lioness_encrypt(key, block, len);
    need(p, "lioness_ciphertext", block, len);
    lioness_decrypt(key, block, len);
    need(p, "lioness_block", block, len);
}

/* ---- linking -------------------------------------------------------------------------- */

/* Does `out` follow from `in`? No key is known: the keystream that beta in and out give away is
 * tried as LIONESS key. */
static bool linked(const uint8_t *in, const uint8_t *out, const uint8_t next_id[SPHINX_ID])
{
    uint8_t stream[208], delta[PAYLOAD];
    memcpy(stream, in + 32, 176);
    memset(stream + 176, 0, 32);
    for (size_t i = 0; i < 16; i++) {
        stream[i] ^= next_id[i];
        stream[16 + i] ^= out[208 + i];
    }
    for (size_t i = 0; i < 176; i++)
        stream[32 + i] ^= out[32 + i];
    memcpy(delta, in + HEADER, PAYLOAD);
    lioness_decrypt(stream, delta, PAYLOAD);
    return memcmp(delta, out + HEADER, PAYLOAD) == 0;
}

/* How many of the four adjacent pairs the attack links, over one packet's way. */
static unsigned links_of(const struct sphinx_params *p, uint8_t *packet,
                         const struct sphinx_hop *hops, uint8_t secrets[HOPS][32])
{
    unsigned n = 0;
    for (size_t i = 0; i + 1 < HOPS; i++) {
        uint8_t before[PACKET];
        struct sphinx_route r;
        memcpy(before, packet, PACKET);
        assert_int_equal(sphinx_unwrap(p, secrets[i], packet, &r), OK);
        n += linked(before, packet, hops[i + 1].id);
    }
    return n;
}

static unsigned attack(const struct sphinx_params *p)
{
    struct sphinx_hop hops[HOPS];
    struct sphinx_keys keys[HOPS];
    struct prng rng;
    uint8_t secrets[HOPS][32], publics[HOPS][32], packet[PACKET];
    prng_name(&rng, 3, "attack", 0, "sphinx");
    for (size_t i = 0; i < HOPS; i++) {
        prng_bytes(&rng, secrets[i], 32);
        crypto_scalarmult_base(publics[i], secrets[i]);
        hops[i] = (struct sphinx_hop){.key = publics[i], .id = {0xff, (uint8_t)i}};
    }
    assert_int_equal(sphinx_make(p, hops, HOPS, (const uint8_t *)"", 1, &rng, packet, keys), OK);
    sphinx_body(p, "hello", 5, packet + HEADER);
    sphinx_wrap(p, keys, HOPS, packet + HEADER);
    return links_of(p, packet, hops, secrets);
}

static void linking_attack(void **state)
{
    (void)state;
    assert_int_equal(attack(&vector_params), HOPS - 1);
    assert_int_equal(attack(&our_params), 0);
}

static void linking_the_published(void **state)
{
    static const char *const kinds[] = {"forward", "surb"};
    unsigned n = 0;
    (void)state;
    if (!vectors)
        skip();
    for (int k = 0; k < 2; k++) {
        const json_t *hops = json_object_get(json_object_get(vectors, kinds[k]), "hops");
        for (size_t i = 0; i + 1 < HOPS; i++) {
            uint8_t two[2][PACKET], id[SPHINX_ID];
            for (size_t j = 0; j < 2; j++) {
                const json_t *s = json_array_get(hops, i + j);
                data_hex(s, "alpha", two[j], 32);
                data_hex(s, "beta", two[j] + 32, 176);
                data_hex(s, "gamma", two[j] + 208, 16);
                data_hex(s, "delta", two[j] + HEADER, PAYLOAD);
            }
            data_hex(json_array_get(hops, i + 1), "node", id, sizeof id);
            n += linked(two[0], two[1], id);
        }
    }
    assert_int_equal(n, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_vector),        cmocka_unit_test(surb_vector),
        cmocka_unit_test(lioness_vector),        cmocka_unit_test(linking_attack),
        cmocka_unit_test(linking_the_published),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
