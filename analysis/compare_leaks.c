/* Exposures that rose. */
#include "analysis/compare.h"

#include <stdlib.h>

static int add_leak(struct compare *c, const struct compare_leak *leak)
{
    struct compare_leak *more = realloc(c->leaks, (c->n_leaks + 1) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    c->leaks = more;
    more[c->n_leaks++] = *leak;
    return OK;
}

/* Both tallies' rows are sorted: one pass. */
static int compare_rows(struct compare *c, size_t cell, const struct tally *a,
                        const struct tally *b)
{
    size_t i = 0, j = 0;
    int rc = OK;
    while (rc == OK && (i < a->n_rows || j < b->n_rows)) {
        int order = i == a->n_rows   ? 1
                    : j == b->n_rows ? -1
                                     : tally_row_order(&a->rows[i], &b->rows[j]);
        const struct exposure_row *x = order <= 0 ? &a->rows[i] : &b->rows[j];
        struct compare_leak leak = {
            .cell = cell, .who = x->who, .whom = x->whom, .other = x->other};
        memcpy(leak.observer, x->observer, sizeof leak.observer);
        memcpy(leak.what, x->what, sizeof leak.what);
        if (order <= 0) {
            leak.a = a->row_trials[i];
            leak.level_a = a->rows[i++].level;
        }
        if (order >= 0) {
            leak.b = b->row_trials[j];
            leak.level_b = b->rows[j++].level;
        }
        if (leak.level_b > leak.level_a || (leak.b && !leak.a) ||
            (c->a->deterministic && leak.b > leak.a))
            rc = add_leak(c, &leak);
        else
            c->n_less += leak.level_b < leak.level_a || leak.b < leak.a;
    }
    return rc;
}

static int compare_sums(struct compare *c, size_t cell, const struct tally *a,
                        const struct tally *b)
{
    int rc = OK;
    for (size_t j = 0; rc == OK && j < b->n_sums; j++) {
        struct compare_leak leak = {
            .cell = cell, .whom = COMPARE_SUM, .other = PARTY_NONE, .b = b->sums[j].most};
        for (size_t i = 0; i < a->n_sums; i++)
            if (strcmp(a->sums[i].what, b->sums[j].what) == 0 &&
                strcmp(a->sums[i].kind, b->sums[j].kind) == 0)
                leak.a = a->sums[i].most;
        memcpy(leak.what, b->sums[j].what, sizeof leak.what);
        memcpy(leak.kind, b->sums[j].kind, sizeof leak.kind);
        if (leak.b > leak.a)
            rc = add_leak(c, &leak);
    }
    return rc;
}

int compare_leaks(struct compare *c)
{
    int rc = OK;
    for (size_t i = 0; rc == OK && i < c->a->n_cells; i++) {
        const struct tally *a = &c->a->cells[i].tally, *b = &c->b->cells[c->cells_b[i]].tally;
        rc = compare_sums(c, i, a, b);
        if (rc == OK)
            rc = compare_rows(c, i, a, b);
    }
    return rc;
}
