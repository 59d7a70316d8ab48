/* All trials of one cell, added up: what summary.json, the table and `expect` read.
 *
 * Trials are added in the order of their number, whatever order they ran in. Histograms
 * merge; quantiles are of the merged samples, intervals are over the trials' own medians.
 */
#ifndef PARTYLINE_RUN_TALLY_H
#define PARTYLINE_RUN_TALLY_H

#include "engine/run/interval.h"
#include "engine/run/privacy.h"
#include "engine/run/trial.h"

#include <xxhash.h>

/* The largest number of exposures in one trial, by fact and by the kind of node that learned
 * it: "party", or a service's role. */
struct exposure_sum {
    char what[32], kind[32];
    uint64_t most;
};

/* Those that are told, by name. */
enum { TALLY_QUANTILES = 4 };
extern const struct tally_quantile {
    const char *name;
    uint32_t ppm;
} tally_quantiles[TALLY_QUANTILES];

struct tally {
    const struct trial_spec *spec;
    uint32_t trials, completed, wrong, unfinished;
    struct metrics metrics;
    int64_t *medians[METRIC_COUNT]; /* one a trial that has the metric */
    uint32_t n_medians[METRIC_COUNT];
    int64_t *completions; /* of trial k its median, -1: none completed; to pair cells by seed */
    int64_t *overheads; /* M13: of trial k, parties' wire bytes / useful bytes, 1/1000; -1: none */
    uint32_t room;      /* of both */
    struct exposure_row *rows; /* sorted; first: the earliest of all trials, level: the highest */
    uint32_t *row_trials;      /* in how many trials each row was seen */
    size_t n_rows;
    struct exposure_sum *sums; /* in order of what, kind; services that learned nothing too */
    size_t n_sums;
    struct privacy_sums privacy;
    char *invalid; /* why the first void trial is void; NULL: none is */
    XXH3_state_t *digest;
    char *result; /* the first trial's, if all trials that have one agree; else NULL */
    bool results_vary;
    char *why; /* the first failed trial's reason */
    uint32_t why_trial;
};

/* OK or ERR_NOMEM. */
int tally_init(struct tally *, const struct trial_spec *, uint32_t trials);
void tally_free(struct tally *);
int tally_add(struct tally *, const struct trial_record *);

uint64_t tally_digest(const struct tally *);

/* The interval of a metric over trials, at 95 %; false where there are too few trials. */
bool tally_interval(const struct tally *, enum metric, struct interval *);

/* A value by its path in the summary ("completed" in ppm of the trials, "completion.p50",
 * "exposures.party_address.party", "drops.loss", "counts.messages", "protocol_rounds" ...).
 * ctx is a struct tally. OK, or ERR_ABSENT: not measured. */
int tally_lookup(void *ctx, const char *path, int64_t *value);
/* Why a quantile was not measured, "it takes 20 samples, and there are 5", in buf; NULL: the path
 * names none, and there is no more to say. */
const char *tally_absence(const struct tally *, const char *path, char *buf, size_t cap);

/* The cell's object in summary.json, without axes and expect. */
json_t *tally_json(const struct tally *);

/* The order of its rows: by observer, fact, who, whom, other. */
int tally_row_order(const struct exposure_row *, const struct exposure_row *);

#endif
