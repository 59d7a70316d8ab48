#include "engine/crypto/field61.h"

#include "engine/base/prng.h"

uint64_t f61_pow(uint64_t a, uint64_t e)
{
    uint64_t r = 1;
    for (; e; e >>= 1) {
        if (e & 1)
            r = f61_mul(r, a);
        a = f61_mul(a, a);
    }
    return r;
}

uint64_t f61_inv(uint64_t a)
{
    return f61_pow(a, F61_P - 2);
}

uint64_t f61_sqrt(uint64_t a)
{
    return f61_pow(a, (F61_P + 1) / 4);
}

void f61_inv_batch(uint64_t *out, const uint64_t *in, size_t n)
{
    uint64_t product = 1;
    for (size_t i = 0; i < n; i++) {
        out[i] = product;
        if (in[i])
            product = f61_mul(product, in[i]);
    }
    uint64_t inverse = f61_inv(product);
    for (size_t i = n; i-- > 0;) {
        if (in[i]) {
            out[i] = f61_mul(out[i], inverse);
            inverse = f61_mul(inverse, in[i]);
        } else {
            out[i] = 0;
        }
    }
}

void f61_muladd_const(uint64_t *acc, uint64_t c, const uint64_t *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc[i] = f61_add(acc[i], f61_mul(c, a[i]));
}

uint64_t f61_dot(const uint64_t *a, const uint64_t *b, size_t n)
{
    u128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (u128)a[i] * b[i];
        if (i % 32 == 31)
            sum = f61_reduce128(sum);
    }
    return f61_reduce128(sum);
}

uint64_t f61_random(struct prng *rng)
{
    uint64_t a;
    do
        a = prng_u64(rng) & F61_P;
    while (a == F61_P);
    return a;
}
