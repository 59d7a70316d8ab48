/* The two fields that programs are evaluated over, behind one table of functions:
 * 2^61 - 1 for integers (engine/crypto/field61.h) and GF(2^8) for the bits of circuits
 * (engine/crypto/gf256.h).
 *
 * A single element travels between functions as a uint64_t in canonical form. A vector of
 * elements has `size` bytes each: uint64_t in memory, little-endian on the wire, for
 * 2^61 - 1; a byte for GF(2^8). Constant time in the elements; coefficients are public.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_FIELD_H
#define PARTYLINE_PROTOCOLS_SHAMIR_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng;

struct field {
    const char *name;
    uint32_t size;        /* bytes of an element, in memory and on the wire */
    uint32_t max_parties; /* each needs a point of its own other than 0 */
    uint64_t (*add)(uint64_t a, uint64_t b);
    uint64_t (*sub)(uint64_t a, uint64_t b);
    uint64_t (*mul)(uint64_t a, uint64_t b);
    uint64_t (*random)(struct prng *); /* uniform */
    /* shares[p * count + i] is party p's share of secret i (engine/crypto/shamir.h). */
    void (*share)(const void *secret, size_t count, uint32_t t, uint32_t n, struct prng *,
                  void *shares);
    /* Coefficients at 0 for k distinct points. */
    void (*lagrange)(const uint32_t *points, size_t k, uint64_t *coef);
    /* In place: from memory to the wire. */
    void (*to_wire)(void *v, size_t count);
    /* Are these bytes canonical elements? */
    bool (*valid)(const uint8_t *wire, size_t count);
    /* acc[i] += c * wire[i]; wire is valid. */
    void (*absorb)(void *acc, uint64_t c, const uint8_t *wire, size_t count);
};

extern const struct field field_p61, field_gf256;

static inline uint64_t field_get(const struct field *f, const void *v, size_t i)
{
    return f->size == 1 ? ((const uint8_t *)v)[i] : ((const uint64_t *)v)[i];
}

static inline void field_put(const struct field *f, void *v, size_t i, uint64_t element)
{
    if (f->size == 1)
        ((uint8_t *)v)[i] = (uint8_t)element;
    else
        ((uint64_t *)v)[i] = element;
}

/* The i-th element of a vector. */
static inline void *field_at(const struct field *f, void *v, size_t i)
{
    return (uint8_t *)v + i * f->size;
}

#endif
