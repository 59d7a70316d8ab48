#include "engine/protocols/shamir/gadget.h"

#include <assert.h>

#include "engine/base/err.h"
#include "engine/crypto/field61.h"

enum { PAIRS = F61_BITS / 2, LEAVES = PAIRS + 2 }; /* 30 pairs, the 61st bit, the sign */

static const uint64_t MINUS_ONE = F61_P - 1, HALF = (F61_P + 1) / 2;

/* Random bits, the number they make, and the products of neighbours. */
struct mask {
    wire_t bit[F61_BITS], both[PAIRS], number;
};

/* What is known of some bits of two numbers: less, or equal so far. */
struct leaf {
    wire_t less, equal;
};

wire_t gadget_random_bit(struct program *p)
{
    wire_t r = program_random(p);
    wire_t square = program_open(p, program_mul(p, r, r));
    wire_t sign = program_mul(p, r, program_inv_sqrt(p, square));
    return program_scale(p, program_add_constant(p, sign, 1), HALF);
}

static void make_mask(struct program *p, struct mask *m)
{
    assert(p->field == &field_p61);
    for (unsigned i = 0; i < F61_BITS; i++)
        m->bit[i] = gadget_random_bit(p);
    for (unsigned i = 0; i < PAIRS; i++)
        m->both[i] = program_mul(p, m->bit[2 * i + 1], m->bit[2 * i]);
    m->number = m->bit[F61_BITS - 1];
    for (unsigned i = F61_BITS - 1; i-- > 0;)
        m->number = program_add(p, program_scale(p, m->number, 2), m->bit[i]);
}

/* 1 - w */
static wire_t inverse(struct program *p, wire_t w)
{
    return program_add_constant(p, program_scale(p, w, MINUS_ONE), 1);
}

/* A public bit c against a secret bit r: flip = 1 - 2c, so that c ^ r = c + flip r. */
struct facing {
    wire_t c, flip, differ;
};

static struct facing face(struct program *p, wire_t c, wire_t r)
{
    struct facing f = {.c = c};
    f.flip = program_add_constant(p, program_scale(p, c, F61_P - 2), 1);
    f.differ = program_add(p, c, program_mul(p, f.flip, r));
    return f;
}

/* c < r on one bit: c is 0 and they differ. */
static struct leaf bit_leaf(struct program *p, const struct facing *f)
{
    return (struct leaf){.less = program_mul(p, inverse(p, f->c), f->differ),
                         .equal = inverse(p, f->differ)};
}

/* On two bits, high and low; `both` is the product of the secret ones. Both differ, as a
 * linear form: (h ^ H)(l ^ L) = l (h ^ H) + (1 - 2l)(h L + (1 - 2h) H L). */
static struct leaf pair_leaf(struct program *p, const struct facing *h, const struct facing *l,
                             wire_t low, wire_t both)
{
    wire_t mixed = program_add(p, program_mul(p, h->c, low), program_mul(p, h->flip, both));
    wire_t differ2 =
        program_add(p, program_mul(p, l->c, h->differ), program_mul(p, l->flip, mixed));
    wire_t either = program_sub(p, program_add(p, h->differ, l->differ), differ2);
    wire_t low_only = program_sub(p, l->differ, differ2);
    return (struct leaf){.less = program_add(p, program_mul(p, inverse(p, h->c), h->differ),
                                             program_mul(p, inverse(p, l->c), low_only)),
                         .equal = inverse(p, either)};
}

/* The leaves of c against m's bits, the highest first; facing[0] is that of bit 0. */
static void make_leaves(struct program *p, const struct mask *m, wire_t c, struct leaf *leaf,
                        struct facing *facing)
{
    for (unsigned i = 0; i < F61_BITS; i++)
        facing[i] = face(p, program_bit(p, c, i), m->bit[i]);
    *leaf++ = bit_leaf(p, &facing[F61_BITS - 1]);
    for (unsigned i = PAIRS; i-- > 0;)
        *leaf++ = pair_leaf(p, &facing[2 * i + 1], &facing[2 * i], m->bit[2 * i], m->both[i]);
}

/* WIRE_NONE: less is 0; or equal is not needed, as nothing lies below. */
static struct leaf combine(struct program *p, struct leaf high, struct leaf low)
{
    struct leaf r = {.less = program_mul(p, high.equal, low.less), .equal = WIRE_NONE};
    if (high.less != WIRE_NONE)
        r.less = program_add(p, high.less, r.less);
    if (low.equal != WIRE_NONE)
        r.equal = program_mul(p, high.equal, low.equal);
    return r;
}

wire_t gadget_less_than(struct program *p, wire_t a, wire_t b)
{
    struct mask m;
    struct leaf leaf[LEAVES];
    struct facing facing[F61_BITS];
    if (p->code)
        return 0;
    make_mask(p, &m);
    wire_t x = program_scale(p, program_sub(p, a, b), 2);
    wire_t c = program_open(p, program_add(p, x, m.number));
    make_leaves(p, &m, c, leaf + 1, facing);
    wire_t s = facing[0].differ;
    leaf[0].less = WIRE_NONE;
    leaf[0].equal = program_add_constant(p, program_scale(p, s, F61_P - 2), 1);
    leaf[LEAVES - 1].equal = WIRE_NONE;
    for (unsigned n = LEAVES; n > 1; n /= 2)
        for (unsigned i = 0; i < n / 2; i++)
            leaf[i] = combine(p, leaf[2 * i], leaf[2 * i + 1]);
    return program_add(p, s, leaf[0].less);
}

wire_t gadget_equal(struct program *p, wire_t a, wire_t b)
{
    struct mask m;
    struct leaf leaf[LEAVES];
    struct facing facing[F61_BITS];
    unsigned n = LEAVES - 1;
    if (p->code)
        return 0;
    make_mask(p, &m);
    wire_t c = program_open(p, program_add(p, program_sub(p, a, b), m.number));
    make_leaves(p, &m, c, leaf, facing);
    for (; n > 1; n = (n + 1) / 2) {
        for (unsigned i = 0; i < n / 2; i++)
            leaf[i].equal = program_mul(p, leaf[2 * i].equal, leaf[2 * i + 1].equal);
        if (n % 2)
            leaf[n / 2].equal = leaf[n - 1].equal;
    }
    return leaf[0].equal;
}

wire_t gadget_select(struct program *p, wire_t s, wire_t a, wire_t b)
{
    return program_add(p, b, program_mul(p, s, program_sub(p, a, b)));
}
