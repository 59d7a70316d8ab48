/* Latency and bytes against privacy, over the cells of a set: see engine/run/tradeoff.h. Cells are
 * compared with the direct links of their own run. */
#ifndef PARTYLINE_ANALYSIS_TRADEOFFS_H
#define PARTYLINE_ANALYSIS_TRADEOFFS_H

#include "analysis/series.h"
#include "engine/run/tradeoff.h"

/* One a series, to be freed; NULL: no adversary guessed anywhere, or no memory. */
struct tradeoff *tradeoffs_of(const struct series_set *);

#endif
