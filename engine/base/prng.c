#include "engine/base/prng.h"

#include <sodium.h>
#include <string.h>

void prng_key(struct prng *p, const uint8_t key[PRNG_KEY])
{
    memcpy(p->key, key, PRNG_KEY);
    p->block = 0;
    p->left = 0;
}

void prng_name(struct prng *p, uint64_t seed, const char *who, uint32_t incarnation,
               const char *why)
{
    uint8_t key[PRNG_KEY], fixed[12];
    crypto_generichash_state h;
    for (int i = 0; i < 8; i++)
        fixed[i] = (uint8_t)(seed >> (8 * i));
    for (int i = 0; i < 4; i++)
        fixed[8 + i] = (uint8_t)(incarnation >> (8 * i));
    crypto_generichash_init(&h, (const uint8_t *)"partyline stream", 16, sizeof key);
    crypto_generichash_update(&h, fixed, sizeof fixed);
    crypto_generichash_update(&h, (const uint8_t *)who, strlen(who) + 1);
    crypto_generichash_update(&h, (const uint8_t *)why, strlen(why) + 1);
    crypto_generichash_final(&h, key, sizeof key);
    prng_key(p, key);
    sodium_memzero(key, sizeof key);
}

static void blocks(struct prng *p, uint8_t *out, size_t n)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    memset(out, 0, n * 64);
    crypto_stream_chacha20_xor_ic(out, out, n * 64, nonce, p->block, p->key);
    p->block += n;
}

void prng_bytes(struct prng *p, void *out, size_t len)
{
    uint8_t *to = out;
    while (len) {
        size_t n;
        if (p->left == 0 && len >= 64) {
            n = len / 64;
            blocks(p, to, n);
            n *= 64;
        } else {
            if (p->left == 0) {
                blocks(p, p->buf, 1);
                p->left = 64;
            }
            n = len < p->left ? len : p->left;
            memcpy(to, p->buf + 64 - p->left, n);
            sodium_memzero(p->buf + 64 - p->left, n);
            p->left = (uint8_t)(p->left - n);
        }
        to += n;
        len -= n;
    }
}

uint64_t prng_u64(struct prng *p)
{
    uint8_t b[8];
    uint64_t v = 0;
    prng_bytes(p, b, sizeof b);
    for (int i = 7; i >= 0; i--)
        v = v << 8 | b[i];
    return v;
}

uint64_t prng_below(struct prng *p, uint64_t n)
{
    uint64_t floor = (0 - n) % n, v; /* 2^64 mod n values at the bottom would be too many */
    do
        v = prng_u64(p);
    while (v < floor);
    return v % n;
}

void prng_wipe(struct prng *p)
{
    sodium_memzero(p, sizeof *p);
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static const uint64_t GOLDEN = UINT64_C(0x9e3779b97f4a7c15);

struct dice dice_name(uint64_t seed, const char *why, uint64_t a, uint64_t b, uint64_t k)
{
    uint64_t h = mix(seed + GOLDEN);
    for (; *why; why++)
        h = mix(h ^ (uint8_t)*why) + GOLDEN;
    h = mix(h ^ a) + GOLDEN;
    h = mix(h ^ b) + GOLDEN;
    return (struct dice){.key = mix(h ^ k), .n = 0};
}

double det_log(double x)
{
    /* x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh(s), s = (m-1)/(m+1) */
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> 52 & 0x7ff) - 1023;
    bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m = m * 0.5;
        e++;
    }
    double s = (m - 1.0) / (m + 1.0), q = s * s, sum = 0.0;
    for (int k = 25; k >= 1; k -= 2)
        sum = sum * q + 1.0 / (double)k;
    return 2.0 * s * sum + (double)e * 0.6931471805599453;
}

/* Two numbers that a CPU works on at a time; each is what it would be alone. */
typedef double pair __attribute__((vector_size(2 * sizeof(double))));

/* ln m for m in [1, 2), within 1.3e-10: the Chebyshev series to degree 11, in powers of m - 3/2.
 * In terms of two, so that a CPU can work on several at a time. */
static inline pair log_of_mantissas(pair m)
{
    pair t = m - 1.5, t2 = t * t, t4 = t2 * t2;
    pair a = (0.4054651082139473 + 0.666666666232864 * t) +
             (-0.22222225241827334 + 0.09876548022345195 * t) * t2;
    pair b = (-0.049381324214631615 + 0.026335928873289793 * t) +
             (-0.014655236240015834 + 0.008381528132706068 * t) * t2;
    pair c = (-0.004702811778055511 + 0.0027584217275305294 * t) +
             (-0.0023178546934890854 + 0.0014461127061180387 * t) * t2;
    return a + (b + c * t4) * t4;
}

/* r / 2^64 = m / 2^(zeros + 1), r odd. */
static double mantissa(uint64_t r, int zeros)
{
    uint64_t bits = (r << zeros << 1 >> 12) | UINT64_C(1023) << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    return m;
}

static int64_t scaled(double e, int64_t mean)
{
    return e > 0.0 ? (int64_t)(e * (double)mean + 0.5) : 0;
}

/* -ln u with u = r / 2^64. */
int64_t dice_exp(struct dice *d, int64_t mean)
{
    uint64_t r = dice_u64(d) | 1;
    int zeros = __builtin_clzll(r);
    pair log = log_of_mantissas((pair){mantissa(r, zeros), 1.0});
    return scaled((double)(zeros + 1) * 0.6931471805599453 - log[0], mean);
}

int64_t dice_exp_sum(struct dice *d, int64_t mean_a, int64_t mean_b)
{
    uint64_t a = dice_u64(d) | 1, b = dice_u64(d) | 1;
    int zeros_a = __builtin_clzll(a), zeros_b = __builtin_clzll(b);
    pair log = log_of_mantissas((pair){mantissa(a, zeros_a), mantissa(b, zeros_b)});
    pair e = (pair){(double)(zeros_a + 1), (double)(zeros_b + 1)} * 0.6931471805599453 - log;
    return scaled(e[0], mean_a) + scaled(e[1], mean_b);
}

double det_exp(double x)
{
    /* x = k ln 2 + r, |r| <= ln 2 / 2; ln 2 in two parts, the first of few bits */
    double q = x * 1.4426950408889634, r, sum = 1.0;
    int64_t k = (int64_t)(q < 0 ? q - 0.5 : q + 0.5);
    uint64_t bits = (uint64_t)(k + 1023) << 52;
    double power;
    r = (x - (double)k * 0.693147180369123816490) - (double)k * 1.90821492927058770002e-10;
    for (int i = 13; i >= 1; i--)
        sum = 1.0 + sum * r / (double)i;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

double dice_normal(struct dice *d)
{
    for (;;) {
        double u = (double)((dice_u64(d) >> 11) + 1) * 0x1p-53;
        double v = (double)(dice_u64(d) >> 11) * 0x1p-53;
        double x = 1.7155277699214135 * (v - 0.5) / u; /* sqrt(8 / e) */
        if (x * x <= -4.0 * det_log(u))
            return x;
    }
}
