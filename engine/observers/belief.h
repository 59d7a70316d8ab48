/* M3, party-level anonymity: who sent it, in the adversary's eyes.
 *
 * A belief is a vector of `width` weights that sum to 1: one for each named party, and, if the
 * last one is `other`, one for `others` people who are not told apart. It travels with a packet
 * and, as the mean over what is inside, with a mix's pool:
 *   a source         the sender's own vector: 1 at the sender
 *   a mix            arrival w <- (n w + b)/(n + 1); what leaves takes w, n <- n - 1
 *                    (exact where what leaves is drawn at random: see anonymity.h)
 *   a batch          the same: all that arrived since, then all that leave
 *   a corrupt mix    the packet keeps its own vector
 *   a FIFO relay or link: what leaves takes the vector of the oldest inside
 * O(width) an event; kept is one vector a pool and one for each packet on its way in a FIFO.
 *
 * Figures of a vector, the others counted as `others` equal people: H_party in bits, range
 * [0, log2 people]; H_inf = -log2 P_guess; P_guess = the largest weight of a person, range
 * [1/people, 1]; P_true = the true sender's; degree d = H / log2 people (Diaz et al., PET 2002),
 * range [0, 1], 1 for a single person's.
 *
 * Backwards (a target's weight over the outputs) the same functions give receiver anonymity.
 */
#ifndef PARTYLINE_OBSERVERS_BELIEF_H
#define PARTYLINE_OBSERVERS_BELIEF_H

#include <stdbool.h>
#include <stdint.h>

struct belief_shape {
    uint32_t width;  /* the vector's length, 1 .. BELIEF_WIDTH */
    uint32_t others; /* whom the last weight stands for together; 0: it is a named party's */
};

enum { BELIEF_WIDTH = 1025, BELIEF_FIFO = 4096 };

struct belief_pool {
    uint64_t inside;
    double *mean; /* width weights, owned */
};

/* What is on its way through a FIFO: a ring, at most BELIEF_FIFO vectors. */
struct belief_fifo {
    double *ring; /* owned */
    uint32_t head, n, cap;
    uint64_t lost; /* arrivals beyond the limit, departures of what never arrived */
};

struct belief_figures {
    double entropy, min_entropy, guess, truth, degree;
};

/* The vector of one who is certain; who >= width: the last weight. */
void belief_certain(const struct belief_shape *, double *b, uint32_t who);
/* The vector of one who knows nothing: everybody alike. */
void belief_uniform(const struct belief_shape *, double *b);

/* OK or ERR_NOMEM. Zeroed structs need no other begin. */
int belief_pool_init(struct belief_pool *, const struct belief_shape *);
void belief_pool_free(struct belief_pool *);
void belief_pool_arrive(struct belief_pool *, const struct belief_shape *, const double *b);
/* What leaves takes w. False, and the uniform vector: nothing is inside. */
bool belief_pool_leave(struct belief_pool *, const struct belief_shape *, double *b);

void belief_fifo_free(struct belief_fifo *);
void belief_fifo_arrive(struct belief_fifo *, const struct belief_shape *, const double *b);
bool belief_fifo_leave(struct belief_fifo *, const struct belief_shape *, double *b);

/* truth: the true sender's place, or UINT32_MAX: not known (P_true is 0 then). */
struct belief_figures belief_judge(const struct belief_shape *, const double *b, uint32_t truth);

#endif
