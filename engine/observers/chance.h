/* Probabilities of counts: Poisson, Skellam, binomial, and what follows from them.
 *
 * Sums of terms from + - * /, det_log and det_exp; relative errors below 1e-9 for means and
 * numbers up to 10^7.
 */
#ifndef PARTYLINE_OBSERVERS_CHANCE_H
#define PARTYLINE_OBSERVERS_CHANCE_H

#include <stdint.h>

/* ln n!, by Stirling's series (Abramowitz and Stegun, 6.1.41). */
double chance_ln_factorial(uint64_t n);
/* P(X = k) of a Poisson variable, mean >= 0. */
double chance_poisson(double mean, uint64_t k);
/* P(X >= k) of n trials with probability p each. */
double chance_at_least(uint64_t n, double p, uint64_t k);

/* Clopper-Pearson (Biometrika, 1934): the exact interval of a probability of which k of n trials
 * came true, at the given level, such as 0.95; each tail has half of the rest. n > 0, k <= n. */
struct chance_interval {
    double low, high;
};
struct chance_interval chance_clopper_pearson(uint64_t n, uint64_t k, double level);

/* P(B > A) + P(B = A) / 2 for independent Poisson variables: how well a count tells an active
 * window (mean b) from an idle one (mean a). This is the AUC of M10, by Skellam's law.
 * Range [0, 1]; 1/2 for a = b. */
double chance_poisson_auc(double idle, double active);

#endif
