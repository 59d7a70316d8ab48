/* The programs that a scenario can name: what each takes, computes, opens and prints.
 *
 * Integer programs (over 2^61 - 1; inputs are decimal integers; outputs are signed):
 *     sum                   the sum of all values
 *     mean_stddev           S = sum x and n sum x^2 - S^2, hence mean and standard deviation
 *                           (of the whole population), over all n values
 *     inner_product         of the vectors of the two parties that have inputs
 *     vote                  a value is a candidate, 0 .. candidates - 1; the tallies. Each
 *                           vote is shared as a vector of zeros and a one
 *     maximum               one value a party: the largest and whose it is
 *     second_price_auction  one value a party: whose is the largest, and the second largest
 *     sort                  all values in ascending order
 * Among equals the party that comes first in the scenario wins. circuit: see circuit.c's
 * part below. A party without input only computes.
 *
 * Rounds, and batches of messages (schedule.h) besides the inputs'; k = ceil(log2 of the
 * values), compare = 6 rounds (gadget.h):
 *     sum, vote             2: input, open                                  1 open
 *     mean_stddev           3: input, multiply, open                        1 reshare, 1 open
 *     inner_product         3: the same                                     1 reshare, 1 open
 *     maximum               3 + 7k + 1: bits, k x (compare, select), open
 *     sort                  3 + 7s + 1 for s = the longest chain in the network, at most
 *                           k (k + 1) / 2 and equal to it for 2 .. 4 values and powers of two
 *     second_price_auction  3 + 7 + 8 (k - 1) + 1, or less where values stand alone in
 *                           their first pairing
 *     circuit               its AND depth + 2: input, one multiply a level of ANDs, open
 * Programs that compare have one batch of random elements, in round 0. maximum and sort
 * (with s for k) have 2 + 6k batches of resharings and k + 2 of openings, so with v parties
 * that have inputs a maximum takes
 *     v (m - 1) + (t + 1) (m - 1) + (2 + 6k) (2t + 1) (m - 1) + (k + 2) t m   messages.
 * In the auction the chains of first and second places drift apart: schedule_messages() counts.
 *
 * Comparison is of differences up to 2^60 - 1, so values are at most 2^59 - 1 where they
 * are compared. In other programs the limits keep every result below 2^60.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_PROGRAMS_H
#define PARTYLINE_PROTOCOLS_SHAMIR_PROGRAMS_H

#include "engine/protocols/shamir/plan.h"
#include "engine/protocols/shamir/program.h"

struct definition {
    const char *name;
    const struct field *field;
    /* Do the inputs' shapes suit it? Sets the plan's limits, candidates or circuit. */
    int (*admit)(struct plan *, const struct shamir_opts *, struct err *);
    void (*build)(const struct plan *, struct program *);
    /* Result bytes of that many opened elements. */
    size_t (*result_len)(const struct plan *, uint32_t n_outputs);
    /* A party's own input as field elements, as many as build declared for it; or a
     * sentence. */
    int (*encode)(const struct plan *, party_t, const struct input *, uint64_t *elements,
                  struct err *);
    /* What was opened, as the result's plan->result_len bytes. */
    void (*result)(const struct plan *, const uint64_t *outputs, uint8_t *bytes);
    /* The same from everybody's inputs in the clear. Or a sentence. */
    int (*expect)(const struct plan *, const struct input *, uint8_t *bytes, struct err *);
    void (*print)(const struct plan *, const uint8_t *result, char *buf, size_t cap);
    /* Integer programs: values party after party; who: whose they are. */
    void (*clear)(const struct plan *, const int64_t *values, const party_t *who, int64_t *out);
};

/* In the order of plan_choices after "auto"; NULL ends it. */
extern const struct definition *const programs[];

extern const struct definition sums_sum, sums_mean_stddev, sums_inner_product, sums_vote;
extern const struct definition order_maximum, order_auction, order_sort;
/* A Bristol Fashion circuit, over GF(2^8). Input value k is party k's (the first in the
 * scenario is 0): one decimal number (negative ones in two's complement) or, of any width,
 * one 0x... number. The result is every output value's bits, least significant byte first,
 * each value rounded up to whole bytes. */
extern const struct definition circuit_circuit;

#endif
