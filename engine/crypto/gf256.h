/* The field GF(2^8) of AES, modulo x^8 + x^4 + x^3 + x + 1 (0x11b; FIPS 197, section 4),
 * for secret-shared bits and bytes.
 *
 * An element is a byte; addition is XOR. Everything runs in constant time in its elements:
 * shifts and masks, no table. Factors named c are public (Lagrange coefficients, party
 * points) and may be branched on. Vectors work eight elements at a time in a 64-bit word.
 */
#ifndef PARTYLINE_CRYPTO_GF256_H
#define PARTYLINE_CRYPTO_GF256_H

#include <stddef.h>
#include <stdint.h>

static inline uint8_t gf256_mul(uint8_t a, uint8_t b)
{
    unsigned x = a, y = b, r = 0;
    for (unsigned i = 0; i < 8; i++) {
        r ^= x & (0u - (y >> i & 1u));
        x = (x << 1) ^ (0x11bu & (0u - (x >> 7)));
    }
    return (uint8_t)r;
}

/* 1/a = a^254; 0 for 0. */
uint8_t gf256_inv(uint8_t a);

/* acc[i] += a[i]. */
void gf256_add_vec(uint8_t *acc, const uint8_t *a, size_t n);

/* out[i] = a[i] * b[i]; out may be a or b. */
void gf256_mul_vec(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n);

/* a[i] *= c, c public. */
void gf256_scale_const(uint8_t *a, uint8_t c, size_t n);

/* acc[i] += c * a[i], c public; acc and a are the same or don't overlap. */
void gf256_muladd_const(uint8_t *acc, uint8_t c, const uint8_t *a, size_t n);

#endif
