#include "engine/crypto/gf256.h"

#include <string.h>

#define EACH UINT64_C(0x0101010101010101) /* a one in each of eight bytes */

/* Up to eight elements in a word; which byte of it is which does not matter. */
static uint64_t load(const uint8_t *p, size_t n)
{
    uint64_t w = 0;
    if (n >= sizeof w)
        memcpy(&w, p, sizeof w);
    else
        memcpy(&w, p, n);
    return w;
}

static void store(uint8_t *p, uint64_t w, size_t n)
{
    if (n >= sizeof w)
        memcpy(p, &w, sizeof w);
    else
        memcpy(p, &w, n);
}

/* x times each element. */
static uint64_t shift(uint64_t w)
{
    uint64_t high = w >> 7 & EACH;
    return (w & EACH * 0x7f) << 1 ^ high * 0x1b;
}

static uint64_t mul_word(uint64_t a, uint64_t b)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 8; i++) {
        r ^= a & (b >> i & EACH) * 0xff;
        a = shift(a);
    }
    return r;
}

static uint64_t mul_word_const(uint64_t a, unsigned c)
{
    uint64_t r = 0;
    for (; c; c >>= 1) {
        if (c & 1)
            r ^= a;
        a = shift(a);
    }
    return r;
}

uint8_t gf256_inv(uint8_t a)
{
    uint8_t r = 1;
    for (int i = 0; i < 7; i++) { /* 254 = 2 + 4 + ... + 128 */
        a = gf256_mul(a, a);
        r = gf256_mul(r, a);
    }
    return r;
}

void gf256_add_vec(uint8_t *acc, const uint8_t *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc[i] ^= a[i];
}

void gf256_mul_vec(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        store(out + i, mul_word(load(a + i, n - i), load(b + i, n - i)), n - i);
}

void gf256_scale_const(uint8_t *a, uint8_t c, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        store(a + i, mul_word_const(load(a + i, n - i), c), n - i);
}

void gf256_muladd_const(uint8_t *acc, uint8_t c, const uint8_t *a, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t sum = load(acc + i, n - i) ^ mul_word_const(load(a + i, n - i), c);
        store(acc + i, sum, n - i);
    }
}
