/* Two sides of a Noise handshake, for the tests of it. */
#ifndef NOISE_PAIR_H
#define NOISE_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "engine/base/err.h"
#include "engine/crypto/noise.h"

enum { CAP = 512 };

#define assert_ok(code) assert_int_equal(code, ERR_OK)

static const uint8_t init_secret[32] = {1, 2, 3}, resp_secret[32] = {4, 5, 6};
static const uint8_t payload[11] = "an argument";

struct pair {
    struct noise side[2]; /* initiator, responder */
    struct prng rng;
};

/* Which keys a side gives: by the letters of "Noise_XK_..." (see enum noise_pattern). */
static inline int start(struct noise *n, enum noise_pattern p, bool initiator,
                        const uint8_t *secret, const uint8_t *their_secret)
{
    const char *letters = noise_name(p) + 6;
    char ours = letters[initiator ? 0 : 1], theirs = letters[initiator ? 1 : 0];
    uint8_t rs[32];
    crypto_scalarmult_base(rs, their_secret);
    return noise_init(n, p, initiator, "v1", 2, ours == 'N' ? NULL : secret,
                      theirs == 'K' ? rs : NULL);
}

static inline struct pair pair_of(enum noise_pattern p)
{
    struct pair pair;
    uint8_t key[PRNG_KEY] = {42};
    prng_key(&pair.rng, key);
    assert_ok(start(&pair.side[0], p, true, init_secret, resp_secret));
    assert_ok(start(&pair.side[1], p, false, resp_secret, init_secret));
    return pair;
}

static inline size_t say(struct pair *pair, int from, uint8_t out[CAP])
{
    size_t len;
    assert_ok(noise_write(&pair->side[from], &pair->rng, payload, sizeof payload, out, CAP, &len));
    return len;
}

static inline int hear(struct pair *pair, int to, const uint8_t *message, size_t len)
{
    uint8_t out[CAP];
    size_t out_len = 99, overhead = noise_overhead(&pair->side[to]);
    int code = noise_read(&pair->side[to], message, len, out, CAP, &out_len);
    assert_int_equal(out_len, code ? 0 : len - overhead);
    return code;
}

/* Carries on from message number `step` to the end; the first error, or 0 if both sides
 * end with the same hash. */
static inline int agree(struct pair *pair, int step, struct noise_cipher send[2],
                        struct noise_cipher recv[2])
{
    uint8_t wire[CAP], hash[2][NOISE_HASH];
    for (; !noise_done(&pair->side[0]) || !noise_done(&pair->side[1]); step++) {
        size_t len = say(pair, step % 2, wire);
        int code = hear(pair, 1 - step % 2, wire, len);
        if (code)
            return code;
    }
    for (int k = 0; k < 2; k++)
        assert_ok(noise_split(&pair->side[k], &send[k], &recv[k], hash[k]));
    return memcmp(hash[0], hash[1], NOISE_HASH) ? ERR_MISMATCH : ERR_OK;
}

static inline int carry_on(struct pair *pair, int step)
{
    struct noise_cipher send[2], recv[2];
    return agree(pair, step, send, recv);
}

#endif
