/* M8, the intersection attack: who was online every time it happened?
 *
 * Candidates are all S people at first; a round in which the target acted leaves those who were
 * online in it. Figures: candidates left after t rounds; rounds until one is left. Prior: every
 * candidate alike. Range 1 .. S, as the target is always online in its rounds.
 * Closed forms: S - 1 others online independently with probability p in each round. p = 1
 * (constant cover by everyone): never.
 */
#ifndef PARTYLINE_OBSERVERS_INTERSECT_H
#define PARTYLINE_OBSERVERS_INTERSECT_H

#include <stdbool.h>
#include <stdint.h>

struct intersect {
    uint64_t *alive; /* a bit a candidate; owned */
    uint32_t n, left, rounds;
    uint32_t alone; /* the round after which one was left; 0: not yet */
};

static inline uint32_t intersect_words(uint32_t n)
{
    return n / 64 + (n % 64 != 0);
}

/* OK, ERR_INVALID (n is 0), ERR_NOMEM. */
int intersect_init(struct intersect *, uint32_t n);
void intersect_free(struct intersect *);
/* A round with the target: `online` has intersect_words(n) words. Returns candidates left. */
uint32_t intersect_round(struct intersect *, const uint64_t *online);
bool intersect_has(const struct intersect *, uint32_t who);

/* E|A_t| = 1 + (S - 1) p^t. */
double intersect_left(uint32_t s, double p, uint32_t t);
/* P(T <= t) = (1 - p^t)^(S - 1). */
double intersect_done(uint32_t s, double p, uint32_t t);
/* E[T] = sum over t >= 0 of 1 - (1 - p^t)^(S - 1), p in [0, 1). */
double intersect_rounds(uint32_t s, double p);

#endif
