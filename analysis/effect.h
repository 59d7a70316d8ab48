/* The statistics of `compare`: paired effects, their interval, and many of them at once.
 *
 * Pairs are trials of one seed in both runs. The effect is the mean of b - a over pairs, printed
 * as a share of the mean of a.
 *
 * Interval: 95 %, bootstrap over pairs (5,000 resamples, fewer for thousands of pairs; a fixed
 * stream of dice), on each side the farther of two ends.
 *   - The *expanded* percentile method: the quantiles of the resampled means are taken at
 *     Phi(-sqrt(n / (n - 1)) t(0.975; n - 1)) instead of 2.5 %, because plain percentile intervals
 *     of few pairs are too short (at n = 5 they cover about 82 %). It suits symmetrical
 *     differences; of skewed ones it misses the long side (20 pairs, exponential: 91.6 %).
 *   - The *studentised* one (bootstrap t), which follows skewness (there 94 %), but covers less
 *     with heavy symmetrical tails; cut at 3 times Student's t.
 * Both together cover 93 % to 97 % from 5 pairs on for all of these (tests/unit/test_effect.c) at
 * 4 % more width for 20 normal differences. Very skewed ones (lognormal, sigma 1) still are covered
 * too seldom: 92 % to 93 % at 20 pairs. What happens in one trial of ten or less needs more trials.
 * Source: T. Hesterberg, What Teachers Should Know about the Bootstrap, The American
 * Statistician 69 (2015), sections 5.4 and 5.5; P. Hall, The Bootstrap and Edgeworth Expansion
 * (1992).
 *
 * p: of Student's paired t test, two-sided. Over all effects of a comparison p is corrected by
 * Holm's step-down method, so that the chance of any false alarm stays below 5 %.
 * Source: S. Holm, Scandinavian Journal of Statistics 6 (1979).
 *
 * Under EFFECT_PAIRS_MIN pairs there is neither interval nor p.
 *
 * Only + - * / on doubles, built with -ffp-contract=off: the same figures on every machine.
 */
#ifndef PARTYLINE_ANALYSIS_EFFECT_H
#define PARTYLINE_ANALYSIS_EFFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EFFECT_PAIRS_MIN = 5, EFFECT_LEVEL_PPM = 950000 };

struct effect {
    size_t pairs;
    double a, b;      /* means */
    double change;    /* b - a */
    double low, high; /* of the change; only if there is an interval */
    double p;         /* 1 without an interval */
    bool interval;
    bool same;    /* every pair is equal */
    double noise; /* half the difference of the change between two halves of the pairs, the larger
                     of first against second and odd against even: what two equal runs may differ
                     by; 0 under EFFECT_PAIRS_MIN pairs */
};

/* n pairs, none of them absent. `which` names the stream of dice. OK or ERR_NOMEM. */
int effect_of(const double *a, const double *b, size_t n, uint64_t which, struct effect *out);

/* change as a share of a, in ppm, rounded to the nearest; false if a is 0. */
bool effect_ppm(const struct effect *, double change, int64_t *ppm);

/* Holm's adjusted p values: adjusted[i] <= level means significant at that family-wise level. */
int effect_holm(const double *p, size_t n, double *adjusted);

/* P(|T| > t) for Student's t with nu degrees of freedom, t >= 0. Error below 1e-12. */
double effect_t_tails(double t, unsigned nu);
/* P(Z < z) for a standard normal Z. Error below 1e-12. */
double effect_normal(double z);
/* The root of x >= 0, to the last bit or one beside it. */
double effect_root(double x);

#endif
