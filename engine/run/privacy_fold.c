/* Many coalitions of one entry, as some rows over them. */
#include "engine/run/privacy.h"

#include "engine/run/interval.h"

#include <stdio.h>
#include <stdlib.h>

enum { P95 = 950000 };

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

struct fold {
    struct finding_row *rows;
    size_t n, cap;
};

static bool put(struct fold *f, const struct finding_row *row)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 32;
        struct finding_row *more = realloc(f->rows, cap * sizeof *more);
        if (!more)
            return false;
        f->rows = more;
        f->cap = cap;
    }
    f->rows[f->n++] = *row;
    return true;
}

/* The coalitions of one entry, metric and variant, n of them, as some rows. */
static bool put_coalitions(struct fold *f, const struct observer_spec *o,
                           const struct finding_row *first, int64_t *values, size_t n)
{
    struct finding_row row = *first;
    struct interval p95;
    int64_t mean = 0, rest = 0;
    const struct {
        const char *word;
        const int64_t *value;
    } rows[] = {{"lowest", &values[0]},
                {"mean", &mean},
                {"p95", o->draws ? &p95.mid : NULL},
                {"highest", &values[n - 1]}};
    qsort(values, n, sizeof *values, by_value);
    interval_of(values, n, P95, 0, &p95);
    for (size_t i = 0; i < n; i++) {
        mean += values[i] / (int64_t)n;
        rest += values[i] % (int64_t)n;
    }
    mean += rest / (int64_t)n;
    row.hist = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].value)
            continue;
        snprintf(row.at, sizeof row.at, "%s of %zu %scoalitions of %u%s%s", rows[i].word, n,
                 o->draws ? "drawn " : "", (unsigned)o->coalition, o->with ? " with " : "",
                 o->with ? o->with : "");
        row.value = *rows[i].value;
        if (!put(f, &row))
            return false;
    }
    return true;
}

static const struct observer_spec *by_worst(const struct trial_spec *t,
                                            const struct finding_row *row)
{
    const struct observer_spec *o = row->entry < t->n_observers ? &t->observers[row->entry] : NULL;
    return o && o->by_worst && o->n_stakes ? o : NULL;
}

/* Where the entry's metric is worst, the first of equal ones; NULL: no row has it. */
static const char *worst_at(enum privacy metric, uint32_t entry, const struct finding_row *rows,
                            size_t n)
{
    const bool less = privacy_sense(metric) == PRIVACY_LESS_IS_WORSE;
    const struct finding_row *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (rows[i].entry == entry && rows[i].what == metric &&
            (!best || (less ? rows[i].value < best->value : rows[i].value > best->value)))
            best = &rows[i];
    return best ? best->at : NULL;
}

/* Of an entry's rows, of which the first is here, those of the worst coalition alone stay. */
static void keep_worst(const struct observer_spec *o, struct finding_row *rows, size_t n,
                       size_t here, bool *gone, bool *settled)
{
    const uint32_t entry = rows[here].entry;
    const char *worst = worst_at(o->worst, entry, rows, n);
    char at[sizeof rows->at];
    snprintf(at, sizeof at, "%s", worst ? worst : "");
    for (size_t i = here; i < n; i++) {
        if (rows[i].entry != entry)
            continue;
        settled[i] = true;
        gone[i] = strcmp(rows[i].at, at) != 0;
        snprintf(rows[i].at, sizeof rows[i].at, "worst of %zu %scoalitions of %u%s%s by %s",
                 o->n_stakes, o->draws ? "drawn " : "", (unsigned)o->coalition,
                 o->with ? " with " : "", o->with ? o->with : "", privacy_infos[o->worst].name);
    }
}

static bool many(const struct trial_spec *t, const struct finding_row *row)
{
    return row->entry < t->n_observers && t->observers[row->entry].coalition &&
           t->observers[row->entry].n_stakes > PRIVACY_FEW;
}

int privacy_fold(const struct trial_spec *t, struct finding_row **rows, size_t *n)
{
    int64_t *values = malloc((*n + 1) * sizeof *values);
    bool *done = calloc(*n + 1, sizeof *done), *settled = calloc(*n + 1, sizeof *settled);
    bool good = values && done && settled;
    struct fold f = {0};
    for (size_t i = 0; good && i < *n; i++) {
        const struct finding_row *row = &(*rows)[i];
        const struct observer_spec *o = by_worst(t, row);
        size_t some = 0;
        if (o && !settled[i])
            keep_worst(o, *rows, *n, i, done, settled);
        if (o && done[i])
            continue;
        if (o || !many(t, row)) {
            good = put(&f, row);
            (*rows)[i].hist = good ? NULL : row->hist;
            continue;
        }
        for (size_t j = i; j < *n && !done[i]; j++)
            if ((*rows)[j].entry == row->entry && (*rows)[j].what == row->what &&
                strcmp((*rows)[j].about, row->about) == 0) {
                values[some++] = (*rows)[j].value;
                done[j] = j != i;
            }
        good = !some || put_coalitions(&f, &t->observers[row->entry], row, values, some);
    }
    free(values);
    free(done);
    free(settled);
    if (!good) {
        privacy_rows_free(f.rows, f.n);
        return ERR_NOMEM;
    }
    privacy_rows_free(*rows, *n);
    *rows = f.rows;
    *n = f.n;
    return OK;
}
