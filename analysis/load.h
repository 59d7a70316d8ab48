/* A run's folder, read back. Everything in it is foreign: half-written, edited, made by
 * another version, or not a run at all. What is accepted is a finished run whose files agree
 * with each other: summary.json, digest and exposure.csv are recomputed from trials/ and compared.
 *
 * Errors are one sentence that names the file.
 *   ERR_ABSENT       no such folder, not a run's folder, a file is missing (half-written)
 *   ERR_FORMAT       not what this version writes
 *   ERR_UNSUPPORTED  an older or newer schema
 *   ERR_MISMATCH     the files contradict each other: edited, or of different runs
 *   ERR_IO, ERR_NOMEM
 */
#ifndef PARTYLINE_ANALYSIS_LOAD_H
#define PARTYLINE_ANALYSIS_LOAD_H

#include "analysis/measure.h"
#include "engine/run/tally.h"

#include <limits.h>

enum { LOAD_SCHEMA = 1, LOAD_CELL_NAME = 512 };

struct load_trial {
    uint64_t digest;  /* of its events */
    uint64_t content; /* hash of all that its file says */
    uint64_t result;  /* hash of its result in words */
    enum trial_status status;
    double values[MEASURE_COUNT];
};

struct load_cell {
    uint32_t index;             /* in the scenario's matrix */
    char name[LOAD_CELL_NAME];  /* "transport=direct/channel=noise", "" without a matrix */
    char label[LOAD_CELL_NAME]; /* the same in the order of the scenario's matrix, from digest */
    const json_t *axes;         /* lent from the manifest */
    uint32_t n_seeds;           /* trials of the run */
    uint64_t *seeds;
    uint32_t n;                /* how many of them count, from the first on; load_open: all */
    struct load_trial *trials; /* n, from load_trials */
    struct tally tally;        /* of these n */
    struct trial_spec spec;    /* names and roles only: what the tally needs */
    struct roster roster;
    struct roster_entry *entries;
};

struct load_run {
    char dir[PATH_MAX];
    json_t *manifest, *summary, *verdict;
    const char *scenario, *world, *id, *version, *revision; /* lent from the manifest */
    int64_t seed;                                           /* the scenario's */
    uint64_t scenario_digest, digest;
    bool deterministic; /* the world is sim or ns3 */
    struct load_cell *cells;
    size_t n_cells;
};

/* Everything but the trials. path is a run's folder, or a folder that holds exactly one.
 * On an error the run is empty. */
int load_open(const char *path, struct load_run *, struct err *);
/* The trials of every cell, checked against summary.json and exposure.csv; fills the first n of
 * each cell. */
int load_trials(struct load_run *, struct err *);
void load_close(struct load_run *);

/* Node's name in a cell, "isp_NAME" for its ISP (roster.n more), "" for one that is not in it. */
const char *load_name(const struct load_cell *, party_t node);

/* A trial from the text of its file: what can be checked of it alone. */
int load_trial_text(const char *text, size_t len, struct trial_record *, struct err *);

#endif
