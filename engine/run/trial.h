/* One finished trial: what a world reports, judged, and as a small file on disk.
 *
 * trials/<cell>-<trial>.json holds all that the summary is made of, integers only, so that
 * a run can be resumed, run on many processes, and merged without loss. A file is whole or
 * absent.
 */
#ifndef PARTYLINE_RUN_TRIAL_H
#define PARTYLINE_RUN_TRIAL_H

#include "engine/world.h"

#include <jansson.h>

enum trial_status { TRIAL_COMPLETED, TRIAL_WRONG, TRIAL_UNFINISHED };

struct exposure_row {
    char observer[32], what[32];
    party_t who, whom, other; /* other: of a pair, else PARTY_NONE */
    uint8_t level;
    ns_t first;
};

struct trial_record {
    uint32_t cell, trial;
    uint64_t seed;
    enum trial_status status;
    char *why;    /* wrong or unfinished: in words; else NULL */
    char *result; /* of the first party that has one, for a person; or NULL */
    uint64_t digest;
    ns_t ended;
    struct metrics metrics;
    struct exposure_row *exposures;
    size_t n_exposures;
    struct finding_row *findings;
    size_t n_findings;
    char *invalid; /* why its findings are void: a sentinel failed; NULL: they are not */
};

/* The seed of trial k: the same in every cell, so that cells meet the same networks. */
uint64_t trial_seed(uint64_t scenario_seed, uint32_t k);

/* Runs trial k of a cell and judges it with the protocol's oracle. An error means that the
 * world broke; a trial that failed is OK, with its status. */
int trial_run(const struct world *, const struct trial_spec *, uint32_t cell, uint32_t k,
              uint64_t scenario_seed, const struct trace *, struct trial_record *, struct err *);

/* ERR_NOMEM. */
int trial_add_exposure(struct trial_record *, const struct exposure *);

json_t *trial_encode(const struct trial_record *);
/* Foreign bytes: checked. ERR_FORMAT or ERR_MISMATCH with a sentence. */
int trial_decode(const json_t *, struct trial_record *, struct err *);

/* A histogram in such a file; *bad is set if it is not one of ours. */
json_t *trial_hist_encode(const struct hist *);
void trial_hist_decode(const json_t *, struct hist *, bool *bad);

void trial_record_free(struct trial_record *);

#endif
