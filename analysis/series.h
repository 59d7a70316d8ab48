/* What reports and exports show: the cells of one or several runs, loaded and checked, in the
 * order of showing, and every figure of a cell with its number of samples and its interval.
 */
#ifndef PARTYLINE_ANALYSIS_SERIES_H
#define PARTYLINE_ANALYSIS_SERIES_H

#include "analysis/load.h"

enum { SERIES_AXES_MAX = 16, SERIES_LABEL = 320 };

struct series {
    const struct load_run *run;
    const struct load_cell *cell;
    const json_t *summary;    /* the cell's object in summary.json */
    char label[SERIES_LABEL]; /* values of the axes and, with several runs, which run */
};

struct series_set {
    struct load_run *runs;
    size_t n_runs;
    char (*names)[96];   /* what tells the runs apart: "sim", "lab seed 2" ... */
    struct series *list; /* cells of one name next to each other */
    size_t n;
    const char *axes[SERIES_AXES_MAX]; /* in the order of the matrix; lent */
    size_t n_axes;
};

/* Loads the folders. On an error the set is empty and e has a sentence: see load.h. */
int series_open(const char *const *dirs, size_t n, struct series_set *, struct err *);
void series_close(struct series_set *);

/* A run's axes in the order of the matrix, which JSON does not keep; how many. Lent from it. */
size_t series_axes(const struct load_run *, const char *out[SERIES_AXES_MAX]);

/* The value of an axis in a cell, "" if it has none. */
const char *series_axis(const struct series *, const char *axis);

/* One figure. Quantiles only where they may be told (hist_quantile_allowed). */
struct figure {
    char metric[256]; /* "completion", "counts.messages", "drops.loss", "exposures.X.party",
                         "privacy.METRIC.OBSERVER@PLACE", with a variant " counts 50ms" behind */
    const char *unit; /* ns, bytes, ppm, packets, or "" */
    const char *stat; /* count min p01 .. p999 max; trial_median; sum; most; share */
    int64_t value;
    uint64_t samples; /* what the value is made of */
    bool interval;    /* of 95 % or more, over trials */
    int64_t low, high;
};
typedef void series_each(void *ctx, const struct figure *);
void series_figures(const struct series *, series_each *, void *ctx);

/* Median over the trials of one of measure.h's values; false if none has it. An interval
 * only if 95 % can be had. */
bool series_measure(const struct series *, unsigned measure, struct figure *);

/* The share of trials that completed, in ppm, with Wilson's 95 % interval (E. B. Wilson, JASA
 * 22 (1927)). */
void series_share(uint32_t part, uint32_t all, int64_t *ppm, int64_t *low, int64_t *high);

/* All facts about parties that anybody learned, the most in one trial; -1: nobody observed. */
int64_t series_facts(const struct series *);

#endif
