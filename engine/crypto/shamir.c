#include "engine/crypto/shamir.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "engine/base/prng.h"
#include "engine/crypto/field61.h"
#include "engine/crypto/gf256.h"

enum { BLOCK = 64 }; /* secrets whose coefficients of one degree are in memory at once */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Horner's rule at all points together, from the highest degree down: the coefficients of
 * one degree are needed only for one step. */
static void share61(const uint64_t *secret, size_t m, size_t stride, uint32_t t, uint32_t n,
                    struct prng *rng, uint64_t *shares)
{
    uint64_t c[BLOCK];
    for (uint32_t p = 0; p < n; p++)
        memset(shares + p * stride, 0, m * sizeof *shares);
    for (uint32_t degree = t; degree > 0; degree--) {
        for (size_t i = 0; i < m; i++)
            c[i] = f61_random(rng);
        for (uint32_t p = 0; p < n; p++) {
            uint64_t *s = shares + p * stride;
            for (size_t i = 0; i < m; i++)
                s[i] = f61_mul(f61_add(s[i], c[i]), (uint64_t)p + 1);
        }
    }
    for (uint32_t p = 0; p < n; p++)
        for (size_t i = 0; i < m; i++)
            shares[p * stride + i] = f61_add(shares[p * stride + i], secret[i]);
    sodium_memzero(c, sizeof c);
}

void shamir61_share(const uint64_t *secret, size_t count, uint32_t t, uint32_t n, struct prng *rng,
                    uint64_t *shares)
{
    assert(t < n);
    for (size_t at = 0; at < count; at += BLOCK)
        share61(secret + at, least(BLOCK, count - at), count, t, n, rng, shares + at);
}

void shamir61_lagrange(const uint32_t *points, size_t k, uint64_t *coef)
{
    for (size_t j = 0; j < k; j++) {
        uint64_t above = 1, below = 1;
        for (size_t m = 0; m < k; m++) {
            if (m == j)
                continue;
            above = f61_mul(above, points[m]);
            below = f61_mul(below, f61_sub(points[m], points[j]));
        }
        assert(points[j] != 0 && below != 0);
        coef[j] = f61_mul(above, f61_inv(below));
    }
}

void shamir61_recombine(const uint64_t *coef, size_t k, const uint64_t *shares, size_t count,
                        uint64_t *secret)
{
    memset(secret, 0, count * sizeof *secret);
    for (size_t j = 0; j < k; j++)
        f61_muladd_const(secret, coef[j], shares + j * count, count);
}

static void share256(const uint8_t *secret, size_t m, size_t stride, uint32_t t, uint32_t n,
                     struct prng *rng, uint8_t *shares)
{
    uint8_t c[BLOCK];
    for (uint32_t p = 0; p < n; p++)
        memset(shares + p * stride, 0, m);
    for (uint32_t degree = t; degree > 0; degree--) {
        prng_bytes(rng, c, m);
        for (uint32_t p = 0; p < n; p++) {
            gf256_add_vec(shares + p * stride, c, m);
            gf256_scale_const(shares + p * stride, (uint8_t)(p + 1), m);
        }
    }
    for (uint32_t p = 0; p < n; p++)
        gf256_add_vec(shares + p * stride, secret, m);
    sodium_memzero(c, sizeof c);
}

void shamir256_share(const uint8_t *secret, size_t count, uint32_t t, uint32_t n, struct prng *rng,
                     uint8_t *shares)
{
    assert(t < n && n <= SHAMIR256_MAX);
    for (size_t at = 0; at < count; at += BLOCK)
        share256(secret + at, least(BLOCK, count - at), count, t, n, rng, shares + at);
}

void shamir256_lagrange(const uint8_t *points, size_t k, uint8_t *coef)
{
    for (size_t j = 0; j < k; j++) {
        uint8_t above = 1, below = 1;
        for (size_t m = 0; m < k; m++) {
            if (m == j)
                continue;
            above = gf256_mul(above, points[m]);
            below = gf256_mul(below, points[m] ^ points[j]);
        }
        assert(points[j] != 0 && below != 0);
        coef[j] = gf256_mul(above, gf256_inv(below));
    }
}

void shamir256_recombine(const uint8_t *coef, size_t k, const uint8_t *shares, size_t count,
                         uint8_t *secret)
{
    memset(secret, 0, count);
    for (size_t j = 0; j < k; j++)
        gf256_muladd_const(secret, coef[j], shares + j * count, count);
}
