/* M4, relationship unlinkability: who talks to whom.
 *
 * R[i][j] is the adversary's weight for "i sends to j" in a session: the sum of M3's beliefs of
 * what was delivered to j, each row of j made to sum to 1. Prior: every sender alike.
 * Figures: linking probability, the share of receivers whose heaviest sender is a true one
 * (ties share), range [0, 1]: 1/S for uniform beliefs, 1 for a relay's operator; assignment
 * accuracy, the share that the heaviest one-to-one assignment (assign.h) has right.
 *
 * Two challenge senders: epsilon = |ln (p0/p1)| in nats (Loopix, section 4.3). A paired
 * experiment with a secret bit: adv = max over thresholds of TPR - FPR, range [0, 1], and
 * delta(eps) = max (TPR - e^eps FPR): a lower bound by Clopper-Pearson on both rates at the
 * threshold, which is to be chosen on other samples than those it is judged on.
 */
#ifndef PARTYLINE_OBSERVERS_UNLINK_H
#define PARTYLINE_OBSERVERS_UNLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unlink {
    uint32_t n;     /* senders, and receivers */
    double *weight; /* n x n: of receiver j from sender i at j * n + i; owned */
};

/* OK, ERR_INVALID (n of 0 or above ASSIGN_MOST), ERR_NOMEM. */
int unlink_init(struct unlink *, uint32_t n);
void unlink_free(struct unlink *);
/* A packet was delivered to j; belief has one weight for each of the n senders (or more: the
 * rest is nobody's). */
void unlink_add(struct unlink *, uint32_t j, const double *belief);

struct unlink_figures {
    double linking, assignment;
    uint32_t judged; /* receivers that had a true sender and got something */
};
/* `linked` says whether i truly sends to j. */
int unlink_judge(const struct unlink *, bool (*linked)(const void *ctx, uint32_t i, uint32_t j),
                 const void *ctx, struct unlink_figures *);

/* Both probabilities > 0. */
double unlink_epsilon(double p0, double p1);

/* TPR = hits / positives and FPR = alarms / negatives at one threshold. */
struct unlink_test {
    uint64_t positives, hits, negatives, alarms;
};
struct unlink_advantage {
    double advantage, low; /* low: at the level, by Clopper-Pearson on each rate */
};
/* TPR - factor FPR; factor 1: the advantage, e^eps: delta(eps). */
struct unlink_advantage unlink_advantage(const struct unlink_test *, double factor, double level);

#endif
