/* One trial of a run, and the files that it leaves in the run's folder: trials/CELL-TRIAL.json, the
 * log of its events, and where they are wanted its trace and its sightings. The first is written
 * last: with it the trial is a finished one.
 */
#ifndef PARTYLINE_RUN_RUN_TRIAL_H
#define PARTYLINE_RUN_RUN_TRIAL_H

#include "engine/run/run.h"

enum { RUN_FILE_MAX = 256 << 20 };

/* Runs trial k of a cell and writes it down; *events: so many it had. OK or an error of the world
 * or the disk. */
int run_trial(const struct run *, const struct cell *, uint32_t k, uint64_t *events, struct err *);
/* Reads it again. ERR_ABSENT, ERR_IO, ERR_FORMAT; ERR_MISMATCH: it is another run's. */
int run_trial_load(const struct run *, const struct cell *, uint32_t k, struct trial_record *,
                   struct err *);

#endif
