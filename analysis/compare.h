/* Two runs side by side, and what follows from it: one verdict, one exit code.
 *
 * Only runs of one scenario (by digest), one world and one schema are comparable, trial by trial
 * of equal seeds; a cell of A must be in B. Trials that one of them lacks are left out, and said
 * so. Nothing measured is never a pass.
 *
 * A deterministic world: equal files are equal (0). Else every measure (measure.h) of every cell
 * has a paired effect (effect.h); it counts if its 95 % interval excludes zero, Holm's p over
 * all effects that are not zero in every pair is at most 5 %, and it exceeds the measure's
 * threshold. One that is worse makes the whole worse (30); else one that is better makes it
 * better (0); else the runs differ (31). Under EFFECT_PAIRS_MIN pairs nothing counts.
 * Fewer trials completed is worse, whatever the interval. What adversaries find are measures as
 * well: a guessing probability that rises is worse, and so is an entropy that falls.
 *
 * A real world: the effect must also exceed the noise, that is what two equal runs differ by:
 * the largest of what effect.h takes from the pairs themselves, and of each further run that is
 * said to be equal to A (`again`). What is neither better nor worse is inconclusive (33): no
 * measurement shows that nothing has changed.
 *
 * Any world: an exposure (observer, fact, who, about whom) that A had in no trial, or at a lower
 * level, or less of in one trial, is worse, always; so is a wrong result more than in A. In a
 * deterministic world the number of trials with it counts as well.
 */
#ifndef PARTYLINE_ANALYSIS_COMPARE_H
#define PARTYLINE_ANALYSIS_COMPARE_H

#include "analysis/effect.h"
#include "analysis/first_diff.h"
#include "analysis/load.h"
#include "engine/run/run.h"

enum { COMPARE_LEVEL_PPM = 50000, COMPARE_NOTES = 16, COMPARE_NOTE = 240 };

struct compare_threshold {
    const char *name; /* as measure_matches takes it; a later one wins */
    int64_t ppm;
};

struct compare_options {
    const struct compare_threshold *thresholds;
    size_t n_thresholds;
    const struct load_run *again; /* runs equal to a, loaded as compare_match left them */
    size_t n_again;
};

/* What becomes of one effect that is not zero. */
enum compare_fate {
    FATE_WORSE,
    FATE_BETTER,
    FATE_CHANGED, /* it counts, and neither way is worse */
    FATE_SMALL,   /* it does not count */
    FATE_FEW      /* too few pairs to say */
};

const char *compare_fate_name(enum compare_fate);

struct compare_row {
    size_t cell;      /* of a */
    unsigned measure; /* from MEASURE_COUNT on: of a's cell, one of tally.privacy.sums */
    struct effect effect;
    double p;     /* Holm's */
    double noise; /* real worlds: what it has to exceed, in the measure's unit */
    int64_t threshold_ppm;
    enum compare_fate fate;
};

/* An exposure that rose. Of one node about another; or, with whom == COMPARE_SUM, the largest
 * number of them in one trial that nodes of a kind have. */
#define COMPARE_SUM UINT32_MAX

struct compare_leak {
    size_t cell;
    char observer[32], what[32], kind[32];
    party_t who, whom, other; /* other: of a pair, else PARTY_NONE */
    uint64_t a, b;            /* trials with it; of a sum: the largest number in a trial */
    uint8_t level_a, level_b;
};

struct compare {
    const struct load_run *a, *b;
    size_t *cells_b; /* one a cell of a */
    int code;        /* exit code */
    const char *verdict;
    char reason[ERR_TEXT];
    char notes[COMPARE_NOTES][COMPARE_NOTE];
    size_t n_notes;
    uint32_t fewest, most; /* pairs in a cell */
    size_t n_effects;      /* tested: Holm's family */
    struct compare_row *rows;
    size_t n_rows;
    struct compare_leak *leaks;
    size_t n_leaks;
    size_t n_less; /* exposures of A that are gone, or fewer */
    struct first_diff first;
};

/* Are two opened runs comparable? If so, cuts every cell of both to the trials that both have
 * (n) and fills cells_b; if not, the verdict is there: EXIT_NOT_COMPARABLE with its reason.
 * b may be an `again` run as well. */
bool compare_match(struct load_run *a, struct load_run *b, struct compare *);

/* Decides, both runs being matched and loaded. OK or ERR_NOMEM. */
int compare_decide(struct compare *, const struct compare_options *);

/* Its parts. Effects: fills rows and n_effects. */
int compare_effects(struct compare *, const struct compare_options *);
size_t compare_find_cell(const struct load_run *, uint32_t index);
/* What a row is about. */
void compare_about(const struct compare *, const struct compare_row *, struct measure *);
/* Its part about exposures: fills leaks and n_less. OK or ERR_NOMEM. */
int compare_leaks(struct compare *);

/* The verdict for runs that could not even be read. */
void compare_refuse(struct compare *, const char *reason);

void compare_free(struct compare *);

/* The verdict as JSON, integers only: what goes to verdict.json under "compare". */
json_t *compare_json(const struct compare *);

/* Puts it into the verdict.json of b's folder, keeping what else is there. */
int compare_save(const struct compare *, struct err *);

#endif
