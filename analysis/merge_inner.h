/* Between the files of merge.h. */
#ifndef PARTYLINE_ANALYSIS_MERGE_INNER_H
#define PARTYLINE_ANALYSIS_MERGE_INNER_H

#include "analysis/load.h"
#include "analysis/series.h"
#include "engine/run/scenario.h"

struct origin { /* of a trial */
    size_t part, cell;
    uint32_t trial;
    uint64_t seed;
};

struct joined {                  /* a cell */
    const struct load_run *part; /* the first that has it */
    const struct load_cell *from;
    size_t at; /* in the part's manifest */
    struct origin *trials;
    uint32_t n;
    struct cell cell;
    struct cell_axis axes[SERIES_AXES_MAX];
    struct cell_expect *expects;
};

struct merge {
    struct load_run *parts;
    size_t n_parts;
    const char *out;
    const char *axes[SERIES_AXES_MAX];
    size_t n_axes;
    struct joined *cells;
    size_t n_cells;
    struct arena arena;
};

/* What a part's manifest says of its cell. */
static inline const json_t *merge_entry(const struct load_run *r, size_t cell)
{
    return json_array_get(json_object_get(r->manifest, "cells"), cell);
}

/* merge_join.c: fills cells with the trials of all parts. ERR_MISMATCH with a sentence: they can't
 * be joined; ERR_NOMEM. */
int merge_join(struct merge *, struct err *);

#endif
