/* Shamir's secret sharing (A. Shamir, How to share a secret, CACM 1979) of vectors, over
 * the prime field 2^61 - 1 (shamir61_*, field61.h) and over GF(2^8) (shamir256_*, gf256.h).
 *
 * Party p = 0 .. n - 1 holds the value at the point x = p + 1 of a random polynomial of
 * degree t whose value at 0 is the secret. Any t + 1 shares give the secret, any t tell
 * nothing. A vector of `count` secrets is shared element by element, each with a polynomial
 * of its own; shares lie party after party: shares[p * count + i] is party p's share of
 * secret i. Coefficients are drawn from rng and wiped.
 *
 * Shares are linear: sums, and products with public constants, are taken share by share.
 * The product of two shares lies on a polynomial of degree 2t. Gennaro, Rabin and Rabin
 * (PODC 1998) bring it back to t: 2t + 1 parties share their product share anew; a party's
 * new share is the linear combination of the subshares it receives with lagrange() of those
 * parties' points (f61_muladd_const, gf256_muladd_const).
 *
 * 0 <= t < n; n <= SHAMIR256_MAX over GF(2^8). Points are public, not 0, and distinct.
 */
#ifndef PARTYLINE_CRYPTO_SHAMIR_H
#define PARTYLINE_CRYPTO_SHAMIR_H

#include <stddef.h>
#include <stdint.h>

struct prng;

enum { SHAMIR256_MAX = 255 };

void shamir61_share(const uint64_t *secret, size_t count, uint32_t t, uint32_t n, struct prng *rng,
                    uint64_t *shares);

/* Coefficients at 0: the value at 0 of a polynomial of degree below k is the sum of
 * coef[j] times its value at points[j]. */
void shamir61_lagrange(const uint32_t *points, size_t k, uint64_t *coef);

/* secret[i] = sum over j of coef[j] * shares[j * count + i], j < k. */
void shamir61_recombine(const uint64_t *coef, size_t k, const uint64_t *shares, size_t count,
                        uint64_t *secret);

void shamir256_share(const uint8_t *secret, size_t count, uint32_t t, uint32_t n, struct prng *rng,
                     uint8_t *shares);
void shamir256_lagrange(const uint8_t *points, size_t k, uint8_t *coef);
void shamir256_recombine(const uint8_t *coef, size_t k, const uint8_t *shares, size_t count,
                         uint8_t *secret);

#endif
