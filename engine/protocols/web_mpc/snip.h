/* A proof on secret-shared data, after Prio (H. Corrigan-Gibbs, D. Boneh, NSDI 2017, section
 * 4, "SNIP"), for one statement: every cell x of a table is in 0 .. max, and beside it stands
 * its square. Over 2^61 - 1, with two verifiers that hold Shamir shares (shamir.h, 2 of 2).
 *
 * A cell is given as its bits b_i: x = sum of w_i b_i. The weights are 1, 2, 4, ... and a last
 * one that makes their sum max, so that bits give every value of 0 .. max and no other. What is
 * to be shown is M = cells (bits + 1) squarings u * u = v: of each bit b * b = b, and of each
 * cell x * x = y. The prover takes the polynomial f of degree M with a random f(0) and
 * f(j) = u_j, and h = f^2, of degree 2M. What is shared is one vector of 2M + 5 elements:
 *     bits, cell after cell | squares y | f(0) | h(0) | h(M+1) .. h(2M) | a, b, ab
 * with random a, b. h(j) for j = 1 .. M is not sent: it is v_j, which is linear in the vector,
 * so h(j) = u_j^2 is the statement itself. If it is false, f^2 and h differ, and
 *     r (f(r)^2 - h(r)) = 0
 * holds for at most 2M + 1 of the more than 2^61 - 2M - 3 challenges r that may be drawn, also
 * if the prover's triple (a, b, c) is wrong (that adds a constant, chosen before r). With
 * M <= SNIP_GATES_MAX = 1023 a false table passes with a probability below 2^-49. The verifiers
 * must draw r after all vectors are fixed, and must not collude with a prover.
 *
 * Verifying: f(r) and h(r) are dot products of a vector with the same public coefficients, so
 * each verifier takes them of its share. Opened are d = f(r) - a and e = r f(r) - b, uniform to
 * who does not know a and b; then sigma = (de + db + ea + c) - r h(r), which must be 0. Thus
 * verifiers learn nothing of an honest prover but that the statement holds.
 */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_SNIP_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_SNIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng;

enum { SNIP_GATES_MAX = 1023, SNIP_SEED = 32, SNIP_BITS_MAX = 30 };

struct snip {
    uint32_t cells, bits, gates; /* gates: M */
    uint64_t weight[SNIP_BITS_MAX];
    uint64_t *inverse; /* [k]: 1/k, k = 1 .. 2M */
    uint64_t *spread;  /* [j], j <= M: 1 / product of (j - i) over 0 <= i <= M, i != j */
};

/* cells > 0, 0 < max < 2^30. OK, ERR_LIMIT: more than SNIP_GATES_MAX gates; ERR_NOMEM. */
int snip_init(struct snip *, uint32_t cells, uint64_t max);
void snip_free(struct snip *);

/* Elements of a vector: 2M + 5. */
size_t snip_len(const struct snip *);
/* Where cell's square is; the squares of all cells are next to each other. */
size_t snip_square(const struct snip *, uint32_t cell);

/* The bits and squares of values, 0 .. max each: the vector's first part. */
void snip_witness(const struct snip *, const uint64_t *values, uint64_t *vector);
/* The rest, for whatever stands in the first part. */
void snip_prove(const struct snip *, struct prng *, uint64_t *vector);
/* A cell's value from a vector, or its share from a share. */
uint64_t snip_value(const struct snip *, const uint64_t *vector, uint32_t cell);

/* A challenge: f(r) and h(r) as coefficients of a vector. */
struct snip_query {
    uint64_t r;
    size_t len;
    uint64_t *f, *h;
};

/* OK or ERR_NOMEM. */
int snip_query_init(struct snip_query *, const struct snip *, const uint8_t seed[SNIP_SEED]);
void snip_query_free(struct snip_query *);

/* What a verifier keeps of its share: shares of d, e, a, b, c and r h(r). */
struct snip_half {
    uint64_t d, e, a, b, c, rh;
};

struct snip_half snip_open(const struct snip_query *, const uint64_t *share);
/* With d and e opened: a share of sigma. */
uint64_t snip_sigma(const struct snip_half *, uint64_t d, uint64_t e);

/* 2 of 2: the analyst's share (at point 2) is drawn from a seed, which is uniform; the server's
 * (at point 1) follows. */
void snip_expand(const uint8_t seed[SNIP_SEED], uint64_t *share, size_t len);
/* vector becomes the server's share. */
void snip_split(const uint64_t *other, uint64_t *vector, size_t len);
/* The secret of the server's and the analyst's share. */
uint64_t snip_join(uint64_t server, uint64_t analyst);

#endif
