/* The prime field of p = 2^61 - 1 (a Mersenne prime), for secret-shared integers.
 *
 * An element is a uint64_t in its canonical form 0 .. p - 1. Every function here takes and
 * returns canonical elements, except f61_reduce(), which makes them; what comes from a wire
 * is checked with f61_valid() first. All run in constant time: masks instead of branches,
 * no table, and exponents that are public. Only f61_random()'s number of draws varies, and
 * that tells nothing of the element it ends with.
 *
 * Signed integers stand for their residue: v >= 0 for v, v < 0 for p + v. The range is
 * -F61_SIGNED_MAX .. F61_SIGNED_MAX = (p - 1) / 2, which is 2^60 - 1: it is for the program
 * to see that its values stay inside.
 */
#ifndef PARTYLINE_CRYPTO_FIELD61_H
#define PARTYLINE_CRYPTO_FIELD61_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng;

__extension__ typedef unsigned __int128 u128;

enum { F61_BITS = 61, F61_BYTES = 8 };

#define F61_P ((UINT64_C(1) << F61_BITS) - 1)
#define F61_SIGNED_MAX ((INT64_C(1) << (F61_BITS - 1)) - 1)

/* Is it canonical? For foreign numbers. */
static inline bool f61_valid(uint64_t a)
{
    return a < F61_P;
}

/* The canonical form of a number up to 2p - 1. */
static inline uint64_t f61_once(uint64_t a)
{
    uint64_t d = a - F61_P;
    return d + (F61_P & (0 - (d >> 63)));
}

/* The canonical form of any 64-bit number. */
static inline uint64_t f61_reduce(uint64_t a)
{
    return f61_once((a & F61_P) + (a >> F61_BITS));
}

/* The canonical form of any 128-bit number: of a sum of up to 32 products, say. */
static inline uint64_t f61_reduce128(u128 a)
{
    u128 folded = (a & F61_P) + (a >> F61_BITS); /* below 2^68 */
    return f61_once((uint64_t)(folded & F61_P) + (uint64_t)(folded >> F61_BITS));
}

static inline uint64_t f61_add(uint64_t a, uint64_t b)
{
    return f61_once(a + b);
}

static inline uint64_t f61_sub(uint64_t a, uint64_t b)
{
    uint64_t d = a - b;
    return d + (F61_P & (0 - (d >> 63)));
}

static inline uint64_t f61_neg(uint64_t a)
{
    return f61_sub(0, a);
}

static inline uint64_t f61_mul(uint64_t a, uint64_t b)
{
    u128 t = (u128)a * b; /* at most (p - 1)^2, so low + high <= 2p - 3 */
    return f61_once((uint64_t)(t & F61_P) + (uint64_t)(t >> F61_BITS));
}

/* The residue of v, -F61_SIGNED_MAX <= v <= F61_SIGNED_MAX. */
static inline uint64_t f61_from_signed(int64_t v)
{
    uint64_t u = (uint64_t)v;
    return u + (F61_P & (0 - (u >> 63)));
}

static inline int64_t f61_to_signed(uint64_t a)
{
    uint64_t negative = ((uint64_t)F61_SIGNED_MAX - a) >> 63;
    return (int64_t)(a - (F61_P & (0 - negative)));
}

/* a^e; e is public. 0^0 is 1. */
uint64_t f61_pow(uint64_t a, uint64_t e);

/* 1/a by Fermat; 0 for 0. */
uint64_t f61_inv(uint64_t a);

/* The root of a that is itself a square, by a^((p+1)/4) as p = 3 mod 4. If a has no root,
 * what is returned is the root of -a: square it to know. */
uint64_t f61_sqrt(uint64_t a);

/* out[i] = 1/in[i] (0 for 0) with one inversion for all: Montgomery's trick. For public
 * values: it branches on zeros. in and out don't overlap. */
void f61_inv_batch(uint64_t *out, const uint64_t *in, size_t n);

/* acc[i] += c * a[i]: linear combinations of share vectors. */
void f61_muladd_const(uint64_t *acc, uint64_t c, const uint64_t *a, size_t n);

/* The sum of a[i] * b[i]. */
uint64_t f61_dot(const uint64_t *a, const uint64_t *b, size_t n);

/* A uniform element, by rejection: 61 bits of the stream's next 64, again if they are p. */
uint64_t f61_random(struct prng *);

#endif
