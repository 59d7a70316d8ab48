#include "analysis/tradeoffs.h"

#include <stdlib.h>

/* Those of one run; true if somebody guessed. */
static bool of_run(const struct series_set *s, const struct load_run *r,
                   struct tradeoff_cell *cells, struct tradeoff *some, struct tradeoff *out)
{
    size_t n = 0;
    bool any;
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].run == r)
            cells[n++] = (struct tradeoff_cell){s->list[i].cell->name, &s->list[i].cell->tally};
    any = tradeoff_make(cells, n, some);
    n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].run == r)
            out[i] = some[n++];
    return any;
}

struct tradeoff *tradeoffs_of(const struct series_set *s)
{
    struct tradeoff_cell *cells = calloc(s->n + 1, sizeof *cells);
    struct tradeoff *some = calloc(s->n + 1, sizeof *some), *out = calloc(s->n + 1, sizeof *out);
    bool any = false;
    for (size_t r = 0; cells && some && out && r < s->n_runs; r++)
        any |= of_run(s, &s->runs[r], cells, some, out);
    free(cells);
    free(some);
    if (any)
        return out;
    free(out);
    return NULL;
}
