/* Recordings of sightings (engine/observers/record.h) on disk: `run --sightings` writes
 * sightings/<cell>-<trial>.sights, at most RECORD_SIGHTINGS of them a trial. */
#ifndef PARTYLINE_RUN_SIGHTINGS_H
#define PARTYLINE_RUN_SIGHTINGS_H

#include "engine/world.h"

struct sightings;

/* Sets what `to` needs to have them recorded. OK, or an error with a sentence. */
int sightings_begin(struct sightings **, const char *path, const struct trial_spec *,
                    struct trace *to, uint64_t limit, struct err *);

/* The same by hand: what is in it, of which kinds, and when it ended. truth, of a sighting: NULL,
 * there is none; on_stream: see record.h; truth, at the end: whose the addresses are, or NULL. */
enum { SIGHTINGS_OF_NODES = WANT_NODE_IN | WANT_NODE_OUT | WANT_SHOWN | WANT_KEPT | WANT_TRUTH };
int sightings_open(struct sightings **, const char *path, const struct trial_spec *, unsigned wants,
                   uint64_t limit, struct err *);
void sightings_take(struct sightings *, const struct sighting *, const struct packet_truth *,
                    uint32_t on_stream);
void sightings_end(struct sightings *, const struct truth *, ns_t now);

/* OK, or ERR_IO, ERR_NOMEM: the file is not whole, and removed. Frees. */
int sightings_close(struct sightings *, struct err *);

#endif
