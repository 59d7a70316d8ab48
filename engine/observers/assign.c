#include "engine/observers/assign.h"

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Places count from 1; row_of[0] is the row that looks for a column. */
struct work {
    double *row, *column, *least; /* potentials; the least reduced cost seen of a column */
    uint32_t *row_of, *before;
    bool *seen;
};

static bool setup(struct work *w, uint32_t n)
{
    w->row = calloc(3 * ((size_t)n + 1), sizeof *w->row);
    w->row_of = calloc(2 * ((size_t)n + 1), sizeof *w->row_of);
    w->seen = calloc((size_t)n + 1, sizeof *w->seen);
    if (!w->row || !w->row_of || !w->seen)
        return false;
    w->column = w->row + n + 1;
    w->least = w->column + n + 1;
    w->before = w->row_of + n + 1;
    return true;
}

/* One step of Dijkstra's kind: from column `at` on to the nearest column not seen. */
static uint32_t step(struct work *w, const double *weight, uint32_t n, uint32_t at)
{
    uint32_t row = w->row_of[at], best = 0;
    double gap = 0;
    for (uint32_t j = 1; j <= n; j++) {
        double cost;
        if (w->seen[j])
            continue;
        cost = -weight[(size_t)(row - 1) * n + j - 1] - w->row[row] - w->column[j];
        if (w->before[j] == UINT32_MAX || cost < w->least[j]) {
            w->least[j] = cost;
            w->before[j] = at;
        }
        if (best == 0 || w->least[j] < gap) {
            gap = w->least[j];
            best = j;
        }
    }
    for (uint32_t j = 0; j <= n; j++)
        if (w->seen[j]) {
            w->row[w->row_of[j]] += gap;
            w->column[j] -= gap;
        } else {
            w->least[j] -= gap;
        }
    return best;
}

static void place(struct work *w, const double *weight, uint32_t n, uint32_t row)
{
    uint32_t at = 0;
    memset(w->seen, 0, ((size_t)n + 1) * sizeof *w->seen);
    memset(w->before, 0xff, ((size_t)n + 1) * sizeof *w->before);
    w->row_of[0] = row;
    do {
        w->seen[at] = true;
        at = step(w, weight, n, at);
    } while (w->row_of[at]);
    while (at) { /* turn the way round */
        w->row_of[at] = w->row_of[w->before[at]];
        at = w->before[at];
    }
}

int assign_best(const double *weight, uint32_t n, uint32_t *to)
{
    struct work w = {0};
    int rc = n == 0 || n > ASSIGN_MOST ? ERR_INVALID : setup(&w, n) ? OK : ERR_NOMEM;
    for (uint32_t i = 1; rc == OK && i <= n; i++)
        place(&w, weight, n, i);
    for (uint32_t j = 1; rc == OK && j <= n; j++)
        to[w.row_of[j] - 1] = j - 1;
    free(w.row);
    free(w.row_of);
    free(w.seen);
    return rc;
}
