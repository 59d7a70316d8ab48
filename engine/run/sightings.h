/* Recordings of sightings (engine/observers/record.h) on disk: `run --sightings` writes
 * sightings/<cell>-<trial>.sights, at most RECORD_SIGHTINGS of them a trial. */
#ifndef PARTYLINE_RUN_SIGHTINGS_H
#define PARTYLINE_RUN_SIGHTINGS_H

#include "engine/world.h"

struct sightings;

/* Sets what `to` needs to have them recorded. OK, or an error with a sentence. */
int sightings_begin(struct sightings **, const char *path, const struct trial_spec *,
                    struct trace *to, uint64_t limit, struct err *);
/* OK, or ERR_IO, ERR_NOMEM: the file is not whole, and removed. Frees. */
int sightings_close(struct sightings *, struct err *);

#endif
