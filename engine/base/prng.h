/* Named random streams.
 *
 * struct prng: a cryptographic stream (ChaCha20 keystream, libsodium) for nodes:
 * keys, nonces, shares. Simulated worlds key it by name, real worlds from the OS.
 * struct dice: a fast, non-cryptographic, counter-based stream (splitmix64 over a
 * key) for what the network does: jitter, loss. Never used for anything secret.
 *
 * A stream's name is (seed, who, incarnation, why). Two different names give
 * independent streams; the same name gives the same bytes on every machine, so a
 * further draw on one stream changes no other.
 */
#ifndef PARTYLINE_BASE_PRNG_H
#define PARTYLINE_BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

enum { PRNG_KEY = 32 };

struct prng {
    uint8_t key[PRNG_KEY];
    uint64_t block; /* next 64-byte block of the keystream */
    uint8_t buf[64];
    uint8_t left; /* bytes of buf not yet handed out (its last ones) */
};

/* Starts the stream of a 32-byte key. */
void prng_key(struct prng *p, const uint8_t key[PRNG_KEY]);
/* Starts the stream of a name; who and why are NUL-terminated. Simulated worlds only. */
void prng_name(struct prng *p, uint64_t seed, const char *who, uint32_t incarnation,
               const char *why);
void prng_bytes(struct prng *p, void *out, size_t len);
uint64_t prng_u64(struct prng *p);
/* Uniform in [0, n), n > 0, without bias. */
uint64_t prng_below(struct prng *p, uint64_t n);
/* Forgets key and buffer (sodium_memzero). */
void prng_wipe(struct prng *p);

struct dice {
    uint64_t key, n;
};

/* The stream named (seed, why, a, b, k). */
struct dice dice_name(uint64_t seed, const char *why, uint64_t a, uint64_t b, uint64_t k);
static inline uint64_t dice_u64(struct dice *d)
{
    uint64_t z = d->key + UINT64_C(0x9e3779b97f4a7c15) * ++d->n;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
/* Uniform in [0, n), n > 0; bias below 2^-32 for n < 2^32. */
static inline uint64_t dice_below(struct dice *d, uint64_t n)
{
    __extension__ typedef unsigned __int128 product;
    return (uint64_t)((product)dice_u64(d) * n >> 64);
}
/* True with a probability of ppm parts per million. */
static inline int dice_chance(struct dice *d, uint32_t ppm)
{
    return ppm != 0 && dice_below(d, 1000000) < ppm;
}
/* Exponential with the given mean, rounded to an integer; the same on every CPU. One draw.
 * What is drawn differs from -ln(u) mean by less than 2e-10 of the mean. */
int64_t dice_exp(struct dice *d, int64_t mean);
/* dice_exp(d, mean_a) + dice_exp(d, mean_b), which are drawn in this order; faster. */
int64_t dice_exp_sum(struct dice *d, int64_t mean_a, int64_t mean_b);

/* Natural logarithm of x > 0 from + - * / alone (libm's differs between CPUs);
 * relative error below 1e-14. Built with -ffp-contract=off. */
double det_log(double x);
/* e to the power of x for |x| < 700, likewise; relative error below 1e-14. */
double det_exp(double x);
/* Standard normal (the ratio of uniforms, Kinderman and Monahan, 1977); two draws or more. */
double dice_normal(struct dice *d);

#endif
