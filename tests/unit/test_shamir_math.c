/* links: engine/base/err.c engine/base/prng.c engine/crypto/field61.c engine/crypto/gf256.c
   engine/crypto/shamir.c */
/* Sharing over both fields: who can reconstruct, who learns nothing, and GRR's reduction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/crypto/field61.h"
#include "engine/crypto/gf256.h"
#include "engine/crypto/shamir.h"

enum { COUNT = 70, N_MAX = 7 }; /* 70: one whole block and a part of one */

/* Copies the shares of the parties in mask to the front; returns how many. */
static size_t pick61(const uint64_t *shares, unsigned mask, size_t count, uint32_t *points,
                     uint64_t *picked)
{
    size_t k = 0;
    for (unsigned p = 0; p < N_MAX; p++) {
        if (!(mask >> p & 1))
            continue;
        points[k] = p + 1;
        memcpy(picked + k++ * count, shares + p * count, count * sizeof *shares);
    }
    return k;
}

static size_t pick256(const uint8_t *shares, unsigned mask, size_t count, uint8_t *points,
                      uint8_t *picked)
{
    size_t k = 0;
    for (unsigned p = 0; p < N_MAX; p++) {
        if (!(mask >> p & 1))
            continue;
        points[k] = (uint8_t)(p + 1);
        memcpy(picked + k++ * count, shares + p * count, count);
    }
    return k;
}

static void open61(const uint64_t *shares, unsigned mask, size_t count, uint64_t *out)
{
    uint32_t points[N_MAX];
    uint64_t coef[N_MAX], picked[N_MAX * COUNT];
    size_t k = pick61(shares, mask, count, points, picked);
    shamir61_lagrange(points, k, coef);
    shamir61_recombine(coef, k, picked, count, out);
}

static void open256(const uint8_t *shares, unsigned mask, size_t count, uint8_t *out)
{
    uint8_t points[N_MAX], coef[N_MAX], picked[N_MAX * COUNT];
    size_t k = pick256(shares, mask, count, points, picked);
    shamir256_lagrange(points, k, coef);
    shamir256_recombine(coef, k, picked, count, out);
}

/* More than t parties find every secret, fewer find hardly any. */
static void subsets61(unsigned n, unsigned t, struct prng *rng)
{
    uint64_t secret[COUNT], shares[N_MAX * COUNT], out[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        secret[i] = i < 3 ? (uint64_t[]){0, 1, F61_P - 1}[i] : f61_random(rng);
    shamir61_share(secret, COUNT, t, n, rng, shares);
    for (unsigned mask = 1; mask < 1u << n; mask++) {
        size_t right = 0;
        open61(shares, mask, COUNT, out);
        for (size_t i = 0; i < COUNT; i++)
            right += out[i] == secret[i];
        assert_int_equal(right, (unsigned)__builtin_popcount(mask) > t ? COUNT : 0);
    }
}

static void subsets256(unsigned n, unsigned t, struct prng *rng)
{
    uint8_t secret[COUNT], shares[N_MAX * COUNT], out[COUNT];
    prng_bytes(rng, secret, sizeof secret);
    shamir256_share(secret, COUNT, t, n, rng, shares);
    for (unsigned mask = 1; mask < 1u << n; mask++) {
        size_t right = 0;
        open256(shares, mask, COUNT, out);
        for (size_t i = 0; i < COUNT; i++)
            right += out[i] == secret[i];
        if ((unsigned)__builtin_popcount(mask) > t)
            assert_int_equal(right, COUNT);
        else
            assert_in_range(right, 0, 6); /* 1 in 256 by chance */
    }
}

static void every_big_enough_subset_opens(void **state)
{
    (void)state;
    struct prng rng;
    prng_name(&rng, 1, "test", 0, "shamir");
    for (unsigned n = 1; n <= N_MAX; n++)
        for (unsigned t = 0; t < n; t++) {
            subsets61(n, t, &rng);
            subsets256(n, t, &rng);
        }
}

/* Threshold 1 over GF(2^8), exactly: over all 256 coefficients, which are read back from
 * two shares, each party's share takes each value once, whatever the secret. */
static void one_share_says_nothing_exactly(void **state)
{
    (void)state;
    enum { TRIES = 8192 };
    static uint8_t secret[TRIES], shares[3 * TRIES];
    struct prng rng;
    prng_name(&rng, 2, "test", 0, "shamir");
    for (unsigned s = 0; s < 256; s += 51) {
        uint8_t of[256][3] = {{0}};
        int seen[256] = {0}, taken[3][256] = {{0}}, n_seen = 0;
        memset(secret, (int)s, sizeof secret);
        shamir256_share(secret, TRIES, 1, 3, &rng, shares);
        for (size_t i = 0; i < TRIES; i++) {
            uint8_t c = (uint8_t)(shares[i] ^ s); /* at point 1: secret + c */
            for (size_t p = 0; p < 3; p++) {
                uint8_t share = shares[p * TRIES + i];
                assert_int_equal(share, s ^ gf256_mul(c, (uint8_t)(p + 1)));
                of[c][p] = share;
            }
            n_seen += !seen[c];
            seen[c] = 1;
        }
        assert_int_equal(n_seen, 256);
        for (unsigned c = 0; c < 256; c++)
            for (int p = 0; p < 3; p++)
                assert_int_equal(taken[p][of[c][p]]++, 0);
    }
}

/* Threshold 2: the joint distribution of two parties' shares is flat for any secret. */
static void two_shares_say_nothing(void **state)
{
    (void)state;
    enum { TRIES = 1 << 19, CELLS = 1 << 12 };
    uint8_t *secret = malloc(TRIES), *shares = malloc(4 * (size_t)TRIES);
    static unsigned cell[CELLS];
    struct prng rng;
    assert_true(secret && shares);
    prng_name(&rng, 3, "test", 0, "shamir");
    for (int s = 0; s < 256; s += 255) {
        const double expected = (double)TRIES / CELLS;
        double chi2 = 0;
        memset(secret, s, TRIES);
        memset(cell, 0, sizeof cell);
        shamir256_share(secret, TRIES, 2, 4, &rng, shares);
        for (size_t i = 0; i < TRIES; i++) /* six bits of party 1's, six of party 3's */
            cell[(shares[TRIES + i] & 63) << 6 | shares[3 * (size_t)TRIES + i] >> 2]++;
        for (size_t i = 0; i < CELLS; i++)
            chi2 += (cell[i] - expected) * (cell[i] - expected) / expected;
        assert_true(chi2 > 4095 - 5 * 91 && chi2 < 4095 + 5 * 91); /* sigma: sqrt(2 * 4095) */
    }
    free(secret);
    free(shares);
}

static void one_share_of_61_says_nothing(void **state)
{
    (void)state;
    enum { TRIES = 1 << 16, CELLS = 256 };
    uint64_t *secret = calloc(TRIES, sizeof *secret);
    uint64_t *shares = calloc(3 * (size_t)TRIES, sizeof *shares);
    struct prng rng;
    assert_true(secret && shares);
    prng_name(&rng, 4, "test", 0, "shamir");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < TRIES; i++)
            secret[i] = round ? F61_P - 1 : 0;
        shamir61_share(secret, TRIES, 1, 3, &rng, shares);
        for (size_t p = 0; p < 3; p++) {
            unsigned cell[CELLS] = {0};
            double chi2 = 0;
            for (size_t i = 0; i < TRIES; i++)
                cell[shares[p * TRIES + i] >> 53]++;
            for (size_t i = 0; i < CELLS; i++)
                chi2 += (cell[i] - 256.0) * (cell[i] - 256.0) / 256.0;
            assert_true(chi2 > 255 - 5 * 23 && chi2 < 255 + 5 * 23);
        }
    }
    free(secret);
    free(shares);
}

/* Products lie on degree 2t: 2t + 1 parties open them, 2t don't. Reshared and recombined
 * (GRR) they are of degree t again. */
static void product_and_reduction_61(void **state)
{
    (void)state;
    enum { N = 7, T = 3 };
    uint64_t a[COUNT], b[COUNT], sa[N * COUNT], sb[N * COUNT], product[N * COUNT], out[COUNT];
    uint64_t sub[N * COUNT], fresh[N * COUNT] = {0}, coef[2 * T + 1];
    uint32_t points[2 * T + 1];
    struct prng rng;
    prng_name(&rng, 5, "test", 0, "shamir");
    for (size_t i = 0; i < COUNT; i++) {
        a[i] = f61_random(&rng);
        b[i] = f61_random(&rng);
    }
    shamir61_share(a, COUNT, T, N, &rng, sa);
    shamir61_share(b, COUNT, T, N, &rng, sb);
    for (size_t i = 0; i < N * COUNT; i++)
        product[i] = f61_mul(sa[i], sb[i]);
    open61(product, (1u << N) - 1, COUNT, out);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(out[i], f61_mul(a[i], b[i]));
    open61(product, (1u << N) - 2, COUNT, out);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_not_equal(out[i], f61_mul(a[i], b[i]));

    for (uint32_t j = 0; j < 2 * T + 1; j++)
        points[j] = j + 1;
    shamir61_lagrange(points, 2 * T + 1, coef);
    for (size_t j = 0; j < 2 * T + 1; j++) {
        shamir61_share(product + j * COUNT, COUNT, T, N, &rng, sub);
        for (size_t p = 0; p < N; p++)
            f61_muladd_const(fresh + p * COUNT, coef[j], sub + p * COUNT, COUNT);
    }
    for (unsigned mask = 1; mask < 1u << N; mask++) {
        if (__builtin_popcount(mask) != T + 1)
            continue;
        open61(fresh, mask, COUNT, out);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(out[i], f61_mul(a[i], b[i]));
    }
}

static void product_and_reduction_256(void **state)
{
    (void)state;
    enum { N = 5, T = 2 };
    uint8_t a[COUNT], b[COUNT], sa[N * COUNT], sb[N * COUNT], product[N * COUNT], out[COUNT];
    uint8_t right[COUNT], sub[N * COUNT], fresh[N * COUNT] = {0}, coef[2 * T + 1];
    const uint8_t points[2 * T + 1] = {1, 2, 3, 4, 5};
    struct prng rng;
    prng_name(&rng, 6, "test", 0, "shamir");
    prng_bytes(&rng, a, sizeof a);
    prng_bytes(&rng, b, sizeof b);
    gf256_mul_vec(right, a, b, COUNT);
    shamir256_share(a, COUNT, T, N, &rng, sa);
    shamir256_share(b, COUNT, T, N, &rng, sb);
    gf256_mul_vec(product, sa, sb, sizeof product);
    open256(product, (1u << N) - 1, COUNT, out);
    assert_memory_equal(out, right, COUNT);
    open256(product, (1u << N) - 2, COUNT, out);
    assert_memory_not_equal(out, right, COUNT);

    shamir256_lagrange(points, 2 * T + 1, coef);
    for (size_t j = 0; j < 2 * T + 1; j++) {
        shamir256_share(product + j * COUNT, COUNT, T, N, &rng, sub);
        for (size_t p = 0; p < N; p++)
            gf256_muladd_const(fresh + p * COUNT, coef[j], sub + p * COUNT, COUNT);
    }
    for (unsigned mask = 1; mask < 1u << N; mask++) {
        if (__builtin_popcount(mask) != T + 1)
            continue;
        open256(fresh, mask, COUNT, out);
        assert_memory_equal(out, right, COUNT);
    }
}

static void lagrange_by_hand(void **state)
{
    (void)state;
    uint64_t coef[3];
    uint8_t one[255], all[255];
    shamir61_lagrange((const uint32_t[]){1, 2, 3}, 3, coef); /* 3, -3, 1 */
    assert_int_equal(coef[0], 3);
    assert_int_equal(coef[1], F61_P - 3);
    assert_int_equal(coef[2], 1);
    shamir61_lagrange((const uint32_t[]){9}, 1, coef);
    assert_int_equal(coef[0], 1);
    /* Over all 255 points f sums up to f(0), if its degree is below 255. */
    for (unsigned i = 0; i < 255; i++)
        all[i] = (uint8_t)(i + 1);
    shamir256_lagrange(all, 255, one);
    for (unsigned i = 0; i < 255; i++)
        assert_int_equal(one[i], 1);
}

/* n = 255 over GF(2^8), a thousand parties over 2^61 - 1, thresholds (n - 1) / 2. */
static void many_parties(void **state)
{
    (void)state;
    enum { N = 1001, T = 500 };
    uint64_t secret = 123456789, *shares = malloc(N * sizeof *shares), out;
    uint64_t *coef = malloc((T + 1) * sizeof *coef);
    uint32_t points[T + 1];
    uint8_t few = 0x5a, byte[255], bytecoef[128], bytepoints[128], fewout;
    struct prng rng;
    assert_true(shares && coef);
    prng_name(&rng, 7, "test", 0, "shamir");
    shamir61_share(&secret, 1, T, N, &rng, shares);
    for (uint32_t j = 0; j <= T; j++)
        points[j] = j + N - T;
    shamir61_lagrange(points, T + 1, coef);
    shamir61_recombine(coef, T + 1, shares + N - T - 1, 1, &out);
    assert_int_equal(out, secret);
    shamir256_share(&few, 1, 127, 255, &rng, byte);
    for (unsigned j = 0; j < 128; j++)
        bytepoints[j] = (uint8_t)(j + 128);
    shamir256_lagrange(bytepoints, 128, bytecoef);
    shamir256_recombine(bytecoef, 128, byte + 127, 1, &fewout);
    assert_int_equal(fewout, few);
    free(shares);
    free(coef);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_big_enough_subset_opens),
        cmocka_unit_test(one_share_says_nothing_exactly),
        cmocka_unit_test(two_shares_say_nothing),
        cmocka_unit_test(one_share_of_61_says_nothing),
        cmocka_unit_test(product_and_reduction_61),
        cmocka_unit_test(product_and_reduction_256),
        cmocka_unit_test(lagrange_by_hand),
        cmocka_unit_test(many_parties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
