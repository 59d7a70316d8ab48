/* Confidence intervals for a quantile from order statistics: no assumption on the distribution
 * beyond independent trials (with ties the coverage can only be higher).
 *
 * Of n sorted values x[1] <= ... <= x[n], the number below the population's quantile q is
 * B ~ Binomial(n, q), so [x[l], x[u]] covers it with probability P(l <= B <= u - 1). Ranks are
 * chosen with equal tails: the largest l with P(B < l) <= a/2 and the smallest u with
 * P(B >= u) <= a/2, where a is 1 - level. For the median they mirror each other, u = n + 1 - l,
 * and no narrower mirrored pair reaches the level.
 *
 * Too few values for the level (the median at 95 % needs 6): the whole range, with the level it
 * really has (n = 5: 937500 ppm; n = 1: 0), which the caller prints beside it.
 *
 * Source: W. J. Conover, Practical Nonparametric Statistics, section 3.2; H. A. David and
 * H. N. Nagaraja, Order Statistics, section 7.1.
 */
#ifndef PARTYLINE_RUN_INTERVAL_H
#define PARTYLINE_RUN_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

enum { INTERVAL_LEVEL = 950000, INTERVAL_MEDIAN = 500000 }; /* ppm */

struct interval {
    int64_t low, mid, high;
    uint32_t level_ppm;         /* of [low, high], rounded down; may be below what was wanted */
    size_t low_rank, high_rank; /* from 1 */
};

/* The ranks and the level alone, for n in 1 .. 10^9, q_ppm in 1 .. 999999, level_ppm in
 * 0 .. 999999. Time grows with the root of n. Only + - * / on doubles: the same everywhere. */
void interval_ranks(size_t n, uint32_t q_ppm, uint32_t level_ppm, struct interval *out);

/* The same with values: n of them, sorted upwards. mid is the sample quantile: x[ceil(n q)], or
 * the mean of x[n q] and x[n q + 1], rounded towards the lower, if n q is whole. So the median of
 * an even number is the mean of the two in the middle. OK; ERR_ABSENT if n is 0 (out is zeroed). */
int interval_of(const int64_t *sorted, size_t n, uint32_t q_ppm, uint32_t level_ppm,
                struct interval *out);

#endif
