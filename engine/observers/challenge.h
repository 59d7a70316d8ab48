/* M4 with two challenge senders: who of the two has sent this packet?
 *
 * The experiment (sender anonymity of AnoA, Backes et al., CSF 2013; Loopix, section 4.3): a secret
 * bit b says which of two senders is the true one; the adversary, who knows the two, says which it
 * is. Each real packet that is judged is one such trial: beside its true sender stands another one,
 * drawn at random, and a fair coin decides which of them is called sender 1. Both runs, b = 0 and
 * b = 1, are the same trace with the names exchanged: the figure says what a posterior is worth,
 * and nothing of who sends how often. The score is the posterior's share of sender 1 among the two.
 *
 *   advantage     max over thresholds of TPR - FPR, range [0, 1]
 *   delta(eps)    max over thresholds of TPR - e^eps FPR: (eps, delta)-indistinguishability
 *   epsilon       |ln (p0 / p1)| of a packet in nats; 0 of both alike, at most CHALLENGE_EPSILON
 *
 * A threshold is chosen on every other packet and judged on the rest, so that it does not fit its
 * own noise; `low` is Clopper-Pearson's bound at 95 % (packets are taken as independent).
 */
#ifndef PARTYLINE_OBSERVERS_CHALLENGE_H
#define PARTYLINE_OBSERVERS_CHALLENGE_H

#include "engine/base/hist.h"
#include "engine/base/prng.h"
#include "engine/observers/unlink.h"

enum {
    CHALLENGE_BINS = 1000,
    CHALLENGE_EPSILON = 20,
    CHALLENGE_LEAST = 200 /* packets: with fewer the figures are noise */
};

/* Zeroed, but for the dice: nothing seen. */
struct challenge {
    struct dice dice;
    uint64_t n;
    uint64_t counts[2][2][CHALLENGE_BINS + 1]; /* by half, secret bit and rising score */
    struct hist epsilon;                       /* in thousandths of a nat */
    uint64_t epsilon_milli;                    /* their sum */
};

void challenge_free(struct challenge *);
/* The posterior of the true sender and of the one beside him. */
void challenge_add(struct challenge *, double p_true, double p_other);
/* factor e^eps; 1: the advantage. All zero without a packet of each kind in each half. */
struct unlink_advantage challenge_advantage(const struct challenge *, double factor);

#endif
