/* What has changed by how much, and whether that counts. */
#include "analysis/compare.h"

#include <stdlib.h>

static double *column(const struct load_cell *c, unsigned measure, const struct load_cell *other,
                      size_t *n)
{
    double *out = calloc((size_t)c->n + 1, sizeof *out);
    *n = 0;
    for (uint32_t k = 0; out && k < c->n && k < other->n; k++)
        if (c->trials[k].values[measure] >= 0.0 && other->trials[k].values[measure] >= 0.0)
            out[(*n)++] = c->trials[k].values[measure];
    return out;
}

/* Of the trials in which both adversaries found it. */
static int pair_privacy(const struct privacy_sum *a, const struct privacy_sum *b, uint64_t which,
                        struct effect *out)
{
    size_t n = 0;
    double *x = calloc((size_t)a->n + 1, sizeof *x), *y = calloc((size_t)a->n + 1, sizeof *y);
    int rc;
    for (uint32_t i = 0, k = 0; x && y && b && i < a->n; i++) {
        while (k < b->n && b->trials[k] < a->trials[i])
            k++;
        if (k == b->n || b->trials[k] != a->trials[i])
            continue;
        x[n] = (double)a->values[i];
        y[n++] = (double)b->values[k];
    }
    rc = x && y ? effect_of(x, y, n, which, out) : ERR_NOMEM;
    free(x);
    free(y);
    return rc;
}

static int pair_up(const struct load_cell *a, const struct load_cell *b, unsigned measure,
                   uint64_t which, struct effect *out)
{
    const struct privacy_sum *s;
    size_t n;
    double *x, *y;
    int rc;
    if (measure >= MEASURE_COUNT) {
        s = &a->tally.privacy.sums[measure - MEASURE_COUNT];
        return pair_privacy(s, privacy_find(&b->tally.privacy, &s->key), which, out);
    }
    x = column(a, measure, b, &n);
    y = column(b, measure, a, &n);
    rc = x && y ? effect_of(x, y, n, which, out) : ERR_NOMEM;
    free(x);
    free(y);
    return rc;
}

void compare_about(const struct compare *c, const struct compare_row *row, struct measure *out)
{
    if (row->measure < MEASURE_COUNT)
        measure_about(row->measure, out);
    else
        measure_privacy(&c->a->cells[row->cell].tally.privacy.sums[row->measure - MEASURE_COUNT],
                        out);
}

static double size_of(double x)
{
    return x < 0.0 ? -x : x;
}

/* What two equal runs differ by. */
static int noise_of(struct compare_row *row, const struct compare *c,
                    const struct compare_options *opts)
{
    const struct load_cell *a = &c->a->cells[row->cell];
    row->noise = row->effect.noise;
    for (size_t i = 0; i < opts->n_again; i++) {
        const struct load_run *r = &opts->again[i];
        size_t at = compare_find_cell(r, a->index);
        struct effect again;
        int rc = at < r->n_cells ? pair_up(a, &r->cells[at], row->measure, 0, &again) : ERR_ABSENT;
        if (rc == ERR_NOMEM)
            return rc;
        if (rc == OK && size_of(again.change) > row->noise)
            row->noise = size_of(again.change);
    }
    return OK;
}

static int64_t threshold_of(const struct measure *m, const struct compare_options *opts)
{
    int64_t ppm = m->threshold_ppm;
    for (size_t i = 0; i < opts->n_thresholds; i++)
        if (measure_matches(m, opts->thresholds[i].name))
            ppm = opts->thresholds[i].ppm;
    return ppm;
}

static int add_row(struct compare *c, size_t cell, unsigned which,
                   const struct compare_options *opts)
{
    const struct load_cell *a = &c->a->cells[cell], *b = &c->b->cells[c->cells_b[cell]];
    struct compare_row row = {.cell = cell, .measure = which, .p = 1.0}, *more;
    struct measure about;
    uint64_t dice = which < MEASURE_COUNT ? (uint64_t)a->index * MEASURE_COUNT + which
                                          : (uint64_t)(a->index + 1) << 32 | which;
    int rc = pair_up(a, b, which, dice, &row.effect);
    if (rc != OK || row.effect.same)
        return rc;
    compare_about(c, &row, &about);
    row.threshold_ppm = threshold_of(&about, opts);
    if (!c->a->deterministic)
        rc = noise_of(&row, c, opts);
    if (rc != OK)
        return rc;
    more = realloc(c->rows, (c->n_rows + 1) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    c->rows = more;
    more[c->n_rows++] = row;
    c->n_effects += row.effect.pairs >= EFFECT_PAIRS_MIN;
    return OK;
}

static int correct(struct compare *c)
{
    double *p = calloc(c->n_rows + 1, sizeof *p), *adjusted = calloc(c->n_rows + 1, sizeof *p);
    size_t n = 0;
    int rc = p && adjusted ? OK : ERR_NOMEM;
    for (size_t i = 0; rc == OK && i < c->n_rows; i++)
        if (c->rows[i].effect.pairs >= EFFECT_PAIRS_MIN)
            p[n++] = c->rows[i].effect.p;
    if (rc == OK)
        rc = effect_holm(p, n, adjusted);
    n = 0;
    for (size_t i = 0; rc == OK && i < c->n_rows; i++)
        if (c->rows[i].effect.pairs >= EFFECT_PAIRS_MIN)
            c->rows[i].p = adjusted[n++];
    free(p);
    free(adjusted);
    return rc;
}

static enum compare_fate fate_of(const struct compare *c, const struct compare_row *r)
{
    const struct effect *x = &r->effect;
    struct measure m;
    int64_t ppm;
    bool more = x->change > 0.0;
    if (x->pairs < EFFECT_PAIRS_MIN)
        return FATE_FEW;
    if (r->p * 1e6 > COMPARE_LEVEL_PPM || (x->low <= 0.0 && x->high >= 0.0) ||
        size_of(x->change) <= r->noise)
        return FATE_SMALL;
    if (effect_ppm(x, size_of(x->change), &ppm) && ppm <= r->threshold_ppm)
        return FATE_SMALL;
    compare_about(c, r, &m);
    if (m.sense == MEASURE_NEUTRAL)
        return FATE_CHANGED;
    return more == (m.sense == MEASURE_MORE_IS_WORSE) ? FATE_WORSE : FATE_BETTER;
}

int compare_effects(struct compare *c, const struct compare_options *opts)
{
    int rc = OK;
    for (size_t i = 0; i < c->a->n_cells; i++)
        for (unsigned m = 0; rc == OK && m < MEASURE_COUNT + c->a->cells[i].tally.privacy.n; m++)
            rc = add_row(c, i, m, opts);
    if (rc == OK)
        rc = correct(c);
    for (size_t i = 0; rc == OK && i < c->n_rows; i++)
        c->rows[i].fate = fate_of(c, &c->rows[i]);
    return rc;
}
