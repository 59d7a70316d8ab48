/* What `compare` compares: one value a trial for each of these.
 *
 *     METRIC.mean                      sum of the trial's samples / their number
 *     METRIC.p50, .p90, .p99           the trial's quantile, where at least 10 samples lie beyond
 *     counts.NAME, drops.NAME          the trial's sum
 *     protocol_rounds, completed, wrong
 *     privacy.METRIC.OBSERVER@PLACE    what an adversary found: not among the numbers below
 *
 * Values are doubles (a mean need not be whole) and never negative; MEASURE_ABSENT stands for
 * what was not measured.
 */
#ifndef PARTYLINE_ANALYSIS_MEASURE_H
#define PARTYLINE_ANALYSIS_MEASURE_H

#include "engine/run/privacy.h"
#include "engine/run/trial.h"

enum {
    MEASURE_STATS = 4, /* mean and three quantiles */
    MEASURE_COUNTS = METRIC_COUNT * MEASURE_STATS,
    MEASURE_DROPS = MEASURE_COUNTS + COUNT_COUNT,
    MEASURE_ROUNDS = MEASURE_DROPS + DROP_COUNT,
    MEASURE_COMPLETED,
    MEASURE_WRONG,
    MEASURE_COUNT
};

enum { MEASURE_ABSENT = -1 };

/* Which way is worse. */
enum measure_sense { MEASURE_NEUTRAL, MEASURE_MORE_IS_WORSE, MEASURE_LESS_IS_WORSE };

struct measure {
    char name[256];
    const char *unit; /* ns, bytes, ppm, packets, or "" for a number */
    enum measure_sense sense;
    uint32_t threshold_ppm; /* the smallest effect that counts, unless told otherwise: 1 % of what
                               is measured, 0 for what is counted */
};

void measure_about(unsigned which, struct measure *out);

/* A figure of an adversary: what it gains is worse, and so is what hides less. */
void measure_privacy(const struct privacy_sum *, struct measure *out);
/* "privacy.METRIC.OBSERVER@PLACE", with a variant " counts 50ms" behind. Returns buf. */
const char *measure_privacy_name(const struct privacy_sum *, char *buf, size_t cap);

void measure_values(const struct trial_record *, double values[MEASURE_COUNT]);

/* Does a name that a person wrote mean this one? Its full name, or what stands before its dot:
 * "completion", "counts", "drops". */
bool measure_matches(const struct measure *, const char *name);

#endif
