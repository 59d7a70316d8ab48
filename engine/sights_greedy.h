/* The worst coalition of k places where all of them are too many to try: greedily the place that
 * alone is worst, then the one that is worst together with it, and so on. A lower bound of the
 * worst (engine/run/places.h says where that is wanted).
 *
 * Each step runs an adversary for every place that is left over the whole trial, so what is to be
 * seen is kept, at most GREEDY_SIGHTINGS of it, until the trial is over.
 */
#ifndef PARTYLINE_SIGHTS_GREEDY_H
#define PARTYLINE_SIGHTS_GREEDY_H

#include "engine/sights.h"

enum { GREEDY_SIGHTINGS = 1 << 18 };

struct greedy;

/* OK (*out NULL: no observer of the setup wants it) or ERR_NOMEM. */
int greedy_new(struct greedy **out, const struct sights_setup *);
unsigned greedy_wants(const struct greedy *);
void greedy_see(struct greedy *, const struct sighting *, const struct packet_truth *);
/* Adds what the coalitions that it has found say, as rows of their entries. */
int greedy_end(struct greedy *, ns_t now, void (*row)(void *ctx, struct finding_row *),
               void (*invalid)(void *ctx, const char *why), void *ctx);
void greedy_free(struct greedy *);

#endif
