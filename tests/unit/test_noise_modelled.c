/* links: engine/crypto/noise.c engine/crypto/identity.c engine/base/prng.c */

/* Modelled handshakes have the sizes and the draws of real ones, and tell sessions apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/crypto/identity.h"
#include "engine/crypto/noise.h"

struct side {
    struct prng rng;
    struct identity id;
    struct noise noise;
    struct noise_cipher send, recv;
    uint8_t hash[NOISE_HASH];
};

struct pair {
    struct side side[2];
    size_t sizes[4];
};

/* A whole IK handshake with payloads of 100 bytes. */
static void shake(struct pair *p, bool modelled, uint64_t seed)
{
    uint8_t payload[100] = {1, 2, 3}, message[512], got[100];
    size_t len, got_len;
    for (int i = 0; i < 2; i++) {
        struct side *s = &p->side[i];
        prng_name(&s->rng, seed, i ? "bob" : "alice", 0, "test");
        (modelled ? identity_make_modelled : identity_make)(&s->id, &s->rng);
        assert_int_equal(s->id.modelled, modelled);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal((modelled ? noise_init_modelled : noise_init)(
                             &p->side[i].noise, NOISE_IK, i == 0, "p", 1,
                             p->side[i].id.x25519_secret, i == 0 ? p->side[1].id.pub.x25519 : NULL),
                         OK);
    for (int m = 0; m < 2; m++) {
        struct side *from = &p->side[m], *to = &p->side[1 - m];
        assert_int_equal(noise_write(&from->noise, &from->rng, payload, sizeof payload, message,
                                     sizeof message, &len),
                         OK);
        p->sizes[m] = len;
        assert_int_equal(noise_read(&to->noise, message, len, got, sizeof got, &got_len), OK);
        assert_int_equal(got_len, sizeof payload);
        assert_memory_equal(got, payload, sizeof payload);
    }
    assert_memory_equal(noise_remote_static(&p->side[1].noise), p->side[0].id.pub.x25519,
                        NOISE_KEY);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            noise_split(&p->side[i].noise, &p->side[i].send, &p->side[i].recv, p->side[i].hash),
            OK);
    assert_memory_equal(p->side[0].hash, p->side[1].hash, NOISE_HASH);
}

static void sizes_and_draws_are_the_same(void **state)
{
    struct pair real, modelled;
    (void)state;
    shake(&real, false, 7);
    shake(&modelled, true, 7);
    assert_int_equal(real.sizes[0], modelled.sizes[0]);
    assert_int_equal(real.sizes[1], modelled.sizes[1]);
    for (int i = 0; i < 2; i++)
        assert_true(prng_u64(&real.side[i].rng) == prng_u64(&modelled.side[i].rng));
}

static void messages_pass_in_order(void **state)
{
    struct pair p;
    uint8_t plain[40] = "a message", sealed[40 + NOISE_TAG], opened[40];
    (void)state;
    shake(&p, true, 7);
    for (int i = 0; i < 6; i++) {
        struct side *from = &p.side[i % 2], *to = &p.side[1 - i % 2];
        assert_int_equal(noise_seal(&from->send, NULL, 0, plain, sizeof plain, sealed), OK);
        assert_int_equal(noise_open(&to->recv, NULL, 0, sealed, sizeof sealed, opened), OK);
        assert_memory_equal(opened, plain, sizeof plain);
        assert_int_equal(noise_open(&to->recv, NULL, 0, sealed, sizeof sealed, opened), ERR_AUTH);
    }
    assert_int_equal(noise_open(&p.side[0].recv, NULL, 0, sealed, 3, opened), ERR_TRUNCATED);
}

static void other_sessions_are_refused(void **state)
{
    struct pair p, other;
    uint8_t sealed[NOISE_TAG + 4], opened[4];
    (void)state;
    shake(&p, true, 7);
    shake(&other, true, 8);
    assert_memory_not_equal(p.side[0].hash, other.side[0].hash, NOISE_HASH);
    assert_int_equal(noise_seal(&p.side[0].send, NULL, 0, (const uint8_t *)"abcd", 4, sealed), OK);
    assert_int_equal(noise_open(&other.side[1].recv, NULL, 0, sealed, sizeof sealed, opened),
                     ERR_AUTH);
    /* nor does a message come back to its sender */
    assert_int_equal(noise_open(&p.side[0].recv, NULL, 0, sealed, sizeof sealed, opened), ERR_AUTH);
    assert_int_equal(noise_open(&p.side[1].recv, NULL, 0, sealed, sizeof sealed, opened), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_draws_are_the_same),
        cmocka_unit_test(messages_pass_in_order),
        cmocka_unit_test(other_sessions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
