/* links: engine/base/err.c engine/base/prng.c engine/crypto/field61.c engine/crypto/gf256.c */
/* The two fields against plain arithmetic: u128 remainders, and GF(2^8) by its definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/crypto/field61.h"
#include "engine/crypto/gf256.h"

static const uint64_t edges[] = {0,
                                 1,
                                 2,
                                 3,
                                 (UINT64_C(1) << 32) - 1,
                                 UINT64_C(1) << 60,
                                 (UINT64_C(1) << 60) - 1,
                                 (UINT64_C(1) << 60) + 1,
                                 F61_P - 2,
                                 F61_P - 1};
enum { EDGES = sizeof edges / sizeof *edges };

static void check_pair(uint64_t a, uint64_t b)
{
    assert_int_equal(f61_add(a, b), (a + b) % F61_P);
    assert_int_equal(f61_sub(a, b), (a + F61_P - b) % F61_P);
    assert_int_equal(f61_mul(a, b), (uint64_t)((u128)a * b % F61_P));
    assert_int_equal(f61_neg(a), (F61_P - a) % F61_P);
}

static void f61_arithmetic(void **state)
{
    (void)state;
    struct prng rng;
    prng_name(&rng, 1, "test", 0, "field");
    for (size_t i = 0; i < EDGES; i++)
        for (size_t j = 0; j < EDGES; j++)
            check_pair(edges[i], edges[j]);
    for (int i = 0; i < 20000; i++)
        check_pair(prng_below(&rng, F61_P), prng_below(&rng, F61_P));
}

static void f61_reduces_any_word(void **state)
{
    (void)state;
    static const uint64_t words[] = {F61_P,         F61_P + 1,      2 * F61_P, 2 * F61_P + 1,
                                     7 * F61_P + 6, UINT64_MAX - 1, UINT64_MAX};
    struct prng rng;
    prng_name(&rng, 2, "test", 0, "field");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(f61_reduce(words[i]), words[i] % F61_P);
        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            u128 wide = (u128)words[i] << 64 | words[j];
            assert_int_equal(f61_reduce128(wide), (uint64_t)(wide % F61_P));
        }
    }
    for (int i = 0; i < 20000; i++) {
        uint64_t a = prng_u64(&rng);
        u128 wide = (u128)prng_u64(&rng) << 64 | a;
        assert_int_equal(f61_reduce(a), a % F61_P);
        assert_int_equal(f61_reduce128(wide), (uint64_t)(wide % F61_P));
    }
    assert_true(f61_valid(F61_P - 1));
    assert_false(f61_valid(F61_P));
    assert_false(f61_valid(UINT64_MAX));
}

static void f61_inverse_and_power(void **state)
{
    (void)state;
    struct prng rng;
    prng_name(&rng, 3, "test", 0, "field");
    assert_int_equal(f61_inv(0), 0);
    assert_int_equal(f61_pow(0, 0), 1);
    assert_int_equal(f61_pow(3, 5), 243);
    assert_int_equal(f61_pow(2, 61), 1);
    for (size_t i = 1; i < EDGES; i++)
        assert_int_equal(f61_mul(edges[i], f61_inv(edges[i])), 1);
    for (int i = 0; i < 500; i++) {
        uint64_t a = 1 + prng_below(&rng, F61_P - 1);
        assert_int_equal(f61_mul(a, f61_inv(a)), 1);
        assert_int_equal(f61_pow(a, F61_P - 1), 1);
    }
}

static void f61_square_root(void **state)
{
    (void)state;
    struct prng rng;
    int squares = 0;
    prng_name(&rng, 4, "test", 0, "field");
    for (int i = 0; i < 500; i++) {
        uint64_t a = 1 + prng_below(&rng, F61_P - 1), square = f61_mul(a, a);
        uint64_t root = f61_sqrt(square);
        assert_true(root == a || root == f61_neg(a));
        assert_int_equal(f61_pow(root, (F61_P - 1) / 2), 1); /* the square one of the two */
        root = f61_sqrt(a);
        uint64_t back = f61_mul(root, root);
        assert_true(back == a || back == f61_neg(a));
        squares += back == a;
    }
    assert_in_range(squares, 200, 300);
    assert_int_equal(f61_sqrt(0), 0);
}

static void f61_batch_inverse(void **state)
{
    (void)state;
    enum { N = 40 };
    uint64_t in[N], out[N];
    struct prng rng;
    prng_name(&rng, 5, "test", 0, "field");
    for (size_t n = 0; n <= N; n++) {
        for (size_t i = 0; i < n; i++)
            in[i] = i % 7 == 3 ? 0 : f61_random(&rng);
        f61_inv_batch(out, in, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[i], f61_inv(in[i]));
    }
}

static void f61_signed_numbers(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, 1000000, -1000000, F61_SIGNED_MAX, -F61_SIGNED_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint64_t a = f61_from_signed(values[i]);
        assert_true(f61_valid(a));
        assert_true(f61_to_signed(a) == values[i]);
        assert_int_equal(f61_from_signed(-values[i]), f61_neg(a));
    }
    assert_int_equal(f61_from_signed(-1), F61_P - 1);
    assert_true(f61_to_signed(f61_mul(f61_from_signed(-7), f61_from_signed(6))) == -42);
    assert_true(2 * (uint64_t)F61_SIGNED_MAX + 1 == F61_P); /* every element has one sign */
}

static void f61_vectors(void **state)
{
    (void)state;
    enum { N = 100 };
    uint64_t a[N], b[N], acc[N];
    struct prng rng;
    prng_name(&rng, 6, "test", 0, "field");
    for (size_t n = 0; n <= N; n++) {
        uint64_t dot = 0, c = n % 5 ? f61_random(&rng) : F61_P - 1;
        for (size_t i = 0; i < n; i++) {
            a[i] = n % 3 ? f61_random(&rng) : F61_P - 1; /* the largest sums, too */
            b[i] = n % 3 ? f61_random(&rng) : F61_P - 1;
            acc[i] = b[i];
            dot = f61_add(dot, f61_mul(a[i], b[i]));
        }
        assert_int_equal(f61_dot(a, b, n), dot);
        f61_muladd_const(acc, c, a, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(acc[i], f61_add(b[i], f61_mul(c, a[i])));
    }
}

static void f61_random_is_uniform(void **state)
{
    (void)state;
    enum { CELLS = 64, DRAWS = CELLS * 1000 };
    unsigned cell[CELLS] = {0};
    struct prng rng;
    double chi2 = 0;
    prng_name(&rng, 7, "test", 0, "field");
    for (int i = 0; i < DRAWS; i++) {
        uint64_t a = f61_random(&rng);
        assert_true(f61_valid(a));
        cell[a >> 55]++;
    }
    for (int i = 0; i < CELLS; i++)
        chi2 += (cell[i] - 1000.0) * (cell[i] - 1000.0) / 1000.0;
    assert_true(chi2 > 25 && chi2 < 115); /* 63 degrees of freedom: beyond either 1 in 10^4 */
}

/* A stream whose next word is all ones gives p, which is no element: it is drawn again. */
static void f61_random_rejects(void **state)
{
    (void)state;
    struct prng rng, rest;
    prng_name(&rng, 8, "test", 0, "field");
    rest = rng;
    memset(rng.buf + sizeof rng.buf - 8, 0xff, 8);
    rng.left = 8;
    assert_int_equal(f61_random(&rng), f61_random(&rest));
    assert_int_equal(rng.left, rest.left);
}

/* The definition: multiply as polynomials, then divide by 0x11b. */
static uint8_t slow_mul(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (unsigned i = 0; i < 8; i++)
        if (b >> i & 1)
            product ^= a << i;
    for (unsigned i = 14; i >= 8; i--)
        if (product >> i & 1)
            product ^= 0x11bu << (i - 8);
    return (uint8_t)product;
}

static void gf256_arithmetic(void **state)
{
    (void)state;
    assert_int_equal(gf256_mul(0x57, 0x83), 0xc1); /* FIPS 197, 4.2 */
    assert_int_equal(gf256_mul(0x57, 0x13), 0xfe); /* FIPS 197, 4.2.1 */
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            assert_int_equal(gf256_mul((uint8_t)a, (uint8_t)b), slow_mul(a, b));
    assert_int_equal(gf256_inv(0), 0);
    assert_int_equal(gf256_inv(0x53), 0xca);
    for (unsigned a = 1; a < 256; a++)
        assert_int_equal(gf256_mul((uint8_t)a, gf256_inv((uint8_t)a)), 1);
}

static void gf256_vectors(void **state)
{
    (void)state;
    enum { N = 67, GUARD = 0xa5 };
    uint8_t a[N], b[N], out[N + 2];
    struct prng rng;
    prng_name(&rng, 9, "test", 0, "field");
    for (size_t n = 0; n <= N; n++) {
        uint8_t c = (uint8_t)(n * 37);
        prng_bytes(&rng, a, n);
        prng_bytes(&rng, b, n);
        memset(out, GUARD, sizeof out);
        gf256_mul_vec(out + 1, a, b, n); /* not aligned */
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[1 + i], slow_mul(a[i], b[i]));
        gf256_add_vec(out + 1, a, n);
        gf256_muladd_const(out + 1, c, b, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[1 + i], slow_mul(a[i], b[i]) ^ a[i] ^ slow_mul(c, b[i]));
        memcpy(out + 1, a, n);
        gf256_scale_const(out + 1, c, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[1 + i], slow_mul(c, a[i]));
        memcpy(out + 1, a, n);
        gf256_mul_vec(out + 1, out + 1, out + 1, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[1 + i], slow_mul(a[i], a[i]));
        assert_int_equal(out[0], GUARD);
        assert_int_equal(out[1 + n], GUARD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f61_arithmetic),        cmocka_unit_test(f61_reduces_any_word),
        cmocka_unit_test(f61_inverse_and_power), cmocka_unit_test(f61_square_root),
        cmocka_unit_test(f61_batch_inverse),     cmocka_unit_test(f61_signed_numbers),
        cmocka_unit_test(f61_vectors),           cmocka_unit_test(f61_random_is_uniform),
        cmocka_unit_test(f61_random_rejects),    cmocka_unit_test(gf256_arithmetic),
        cmocka_unit_test(gf256_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
