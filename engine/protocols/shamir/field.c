#include "engine/protocols/shamir/field.h"

#include "engine/base/bytes.h"
#include "engine/base/prng.h"
#include "engine/crypto/field61.h"
#include "engine/crypto/gf256.h"
#include "engine/crypto/shamir.h"

static uint64_t p61_add(uint64_t a, uint64_t b)
{
    return f61_add(a, b);
}

static uint64_t p61_sub(uint64_t a, uint64_t b)
{
    return f61_sub(a, b);
}

static uint64_t p61_mul(uint64_t a, uint64_t b)
{
    return f61_mul(a, b);
}

static void p61_share(const void *secret, size_t count, uint32_t t, uint32_t n, struct prng *rng,
                      void *shares)
{
    shamir61_share(secret, count, t, n, rng, shares);
}

static void p61_to_wire(void *v, size_t count)
{
    uint64_t *element = v;
    for (size_t i = 0; i < count; i++) {
        uint64_t e = element[i];
        put_le64((uint8_t *)(element + i), e);
    }
}

static bool p61_valid(const uint8_t *wire, size_t count)
{
    bool valid = true;
    for (size_t i = 0; i < count; i++)
        valid &= f61_valid(get_le64(wire + 8 * i));
    return valid;
}

static void p61_absorb(void *acc, uint64_t c, const uint8_t *wire, size_t count)
{
    uint64_t *sum = acc;
    for (size_t i = 0; i < count; i++)
        sum[i] = f61_add(sum[i], f61_mul(c, get_le64(wire + 8 * i)));
}

static uint64_t gf256_xor(uint64_t a, uint64_t b)
{
    return a ^ b;
}

static uint64_t gf256_times(uint64_t a, uint64_t b)
{
    return gf256_mul((uint8_t)a, (uint8_t)b);
}

static uint64_t gf256_random(struct prng *rng)
{
    uint8_t element;
    prng_bytes(rng, &element, 1);
    return element;
}

static void gf256_share(const void *secret, size_t count, uint32_t t, uint32_t n, struct prng *rng,
                        void *shares)
{
    shamir256_share(secret, count, t, n, rng, shares);
}

static void gf256_lagrange(const uint32_t *points, size_t k, uint64_t *coef)
{
    uint8_t point[SHAMIR256_MAX] = {0}, c[SHAMIR256_MAX];
    for (size_t i = 0; i < k; i++)
        point[i] = (uint8_t)points[i];
    shamir256_lagrange(point, k, c);
    for (size_t i = 0; i < k; i++)
        coef[i] = c[i];
}

static void gf256_to_wire(void *v, size_t count)
{
    (void)v;
    (void)count;
}

static bool gf256_valid(const uint8_t *wire, size_t count)
{
    (void)wire;
    (void)count;
    return true;
}

static void gf256_absorb(void *acc, uint64_t c, const uint8_t *wire, size_t count)
{
    gf256_muladd_const(acc, (uint8_t)c, wire, count);
}

const struct field field_p61 = {
    .name = "2^61 - 1",
    .size = 8,
    .max_parties = UINT32_MAX,
    .add = p61_add,
    .sub = p61_sub,
    .mul = p61_mul,
    .random = f61_random,
    .share = p61_share,
    .lagrange = shamir61_lagrange,
    .to_wire = p61_to_wire,
    .valid = p61_valid,
    .absorb = p61_absorb,
};

const struct field field_gf256 = {
    .name = "GF(2^8)",
    .size = 1,
    .max_parties = SHAMIR256_MAX,
    .add = gf256_xor,
    .sub = gf256_xor,
    .mul = gf256_times,
    .random = gf256_random,
    .share = gf256_share,
    .lagrange = gf256_lagrange,
    .to_wire = gf256_to_wire,
    .valid = gf256_valid,
    .absorb = gf256_absorb,
};
