/* Gates made of other gates: random bits, comparison, selection; over 2^61 - 1 only.
 *
 * Random bit, without preparation or pseudo-random shares (Damgard, Fitzi, Kiltz, Nielsen,
 * Toft, TCC 2006, section 4): r random, r^2 opened, and (r / sqrt(r^2) + 1) / 2 is a bit
 * that nobody knows. r^2 is 0 with probability 2^-61; the run then fails by name.
 * 3 rounds: random elements (together with the inputs), multiply, open. As no random bit
 * depends on anything else, all of a program's are made in its first three rounds.
 *
 * less_than (Nishide, Ohta, PKC 2007). y < 0 is the lowest bit of x = 2y mod p, as p is
 * odd. Opened is c = x + r, r made of 61 random bits; then x's lowest bit is
 * c_0 ^ r_0 ^ (c < r). For c < r each pair of bits gives (less, equal), combined by
 * (l, e) o (l', e') = (l + e l', e e') in a tree. The products r_2i r_2i+1 that the leaves
 * need are made while c is opened; the last exclusive or, s + (1 - 2s) l, is one more
 * leaf (0, 1 - 2s) above the 31 others: 32 leaves, 5 levels. So:
 *     6 rounds from operands to result (open, 5 x multiply), but not before round 9.
 * r is uniform in 0 .. 2^61 - 1, so it is p, and stands for 0, with probability 2^-61: the
 * result is right all the same, and c is within 2^-61 of uniform.
 *
 * equal: c = a - b + r is opened, and a = b iff c has r's bits: 31 leaves, 5 levels, the
 * same rounds. If r is p, with probability 2^-61, equal values are said to differ.
 *
 * One comparison takes 61 random elements, 61 multiplications and 61 openings for its
 * bits, 30 multiplications for pairs, 1 opening, and in the tree 31 + 26 multiplications
 * (30 for equal).
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_GADGET_H
#define PARTYLINE_PROTOCOLS_SHAMIR_GADGET_H

#include "engine/protocols/shamir/program.h"

enum {
    GADGET_BIT_ROUNDS = 3,     /* from nothing to random bits */
    GADGET_COMPARE_ROUNDS = 6, /* from operands and random bits to less_than or equal */
    GADGET_SELECT_ROUNDS = 1
};

/* 0 or 1, uniform, unknown to all. */
wire_t gadget_random_bit(struct program *);
/* a < b as signed numbers, 0 or 1; |a - b| <= 2^60 - 1. */
wire_t gadget_less_than(struct program *, wire_t a, wire_t b);
/* a == b, 0 or 1. */
wire_t gadget_equal(struct program *, wire_t a, wire_t b);
/* a if s is 1, b if s is 0. */
wire_t gadget_select(struct program *, wire_t s, wire_t a, wire_t b);

#endif
