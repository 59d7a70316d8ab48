#include "analysis/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void note(struct compare *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct compare *c, const char *format, ...)
{
    va_list args;
    if (c->n_notes == COMPARE_NOTES)
        return;
    va_start(args, format);
    vsnprintf(c->notes[c->n_notes++], COMPARE_NOTE, format, args);
    va_end(args);
}

static void decide(struct compare *c, int code, const char *verdict, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void decide(struct compare *c, int code, const char *verdict, const char *format, ...)
{
    va_list args;
    c->code = code;
    c->verdict = verdict;
    va_start(args, format);
    vsnprintf(c->reason, sizeof c->reason, format, args);
    va_end(args);
}

void compare_refuse(struct compare *c, const char *reason)
{
    decide(c, EXIT_NOT_COMPARABLE, "not comparable", "%s", reason);
}

void compare_free(struct compare *c)
{
    free(c->cells_b);
    free(c->rows);
    free(c->leaks);
    *c = (struct compare){0};
}

/* ---- are they comparable? ------------------------------------------------------------- */

static bool refuse(struct compare *c, const char *format, const char *a, const char *b)
{
    char text[ERR_TEXT];
    snprintf(text, sizeof text, format, a, b);
    compare_refuse(c, text);
    return false;
}

size_t compare_find_cell(const struct load_run *r, uint32_t index)
{
    size_t i = 0;
    while (i < r->n_cells && r->cells[i].index != index)
        i++;
    return i;
}

static bool match_cell(struct load_cell *a, struct load_cell *b, struct compare *c)
{
    uint32_t n = a->n_seeds < b->n_seeds ? a->n_seeds : b->n_seeds;
    if (!json_equal(a->axes, b->axes))
        return refuse(c, "a cell of one index is %s in A and %s in B", a->name, b->name);
    for (uint32_t k = 0; k < n; k++)
        if (a->seeds[k] != b->seeds[k])
            return refuse(c, "other seeds: the trials can't be paired%s%s", "", "");
    a->n = b->n = n;
    c->fewest = c->fewest && c->fewest < n ? c->fewest : n;
    c->most = c->most > n ? c->most : n;
    return true;
}

static const json_t *parties_of(const struct load_run *r, size_t cell)
{
    const json_t *o = json_array_get(json_object_get(r->manifest, "cells"), cell);
    return json_object_get(json_object_get(o, "resolved"), "parties");
}

static void note_differences(struct compare *c)
{
    const struct load_run *a = c->a, *b = c->b;
    uint32_t left_a = 0, left_b = 0;
    bool inputs = false;
    for (size_t i = 0; i < a->n_cells; i++) {
        const struct load_cell *ca = &a->cells[i], *cb = &b->cells[c->cells_b[i]];
        left_a += ca->n_seeds - ca->n;
        left_b += cb->n_seeds - cb->n;
        inputs |= !json_equal(parties_of(a, i), parties_of(b, c->cells_b[i]));
    }
    if (left_a || left_b)
        note(c, "left out: %u trials of A and %u of B that the other run lacks", (unsigned)left_a,
             (unsigned)left_b);
    if (b->n_cells > a->n_cells)
        note(c, "left out: %zu cells of B that A lacks", b->n_cells - a->n_cells);
    if (inputs)
        note(c, "the parties' inputs differ");
}

bool compare_match(struct load_run *a, struct load_run *b, struct compare *c)
{
    *c = (struct compare){.a = a, .b = b};
    if (strcmp(a->scenario, b->scenario) != 0)
        return refuse(c, "other scenarios: %s and %s", a->scenario, b->scenario);
    if (a->scenario_digest != b->scenario_digest)
        return refuse(c, "other scenarios: both are called %s, but their digests differ%s",
                      a->scenario, "");
    if (strcmp(a->world, b->world) != 0)
        return refuse(c, "other worlds: %s and %s", a->world, b->world);
    c->cells_b = calloc(a->n_cells + 1, sizeof *c->cells_b);
    if (!c->cells_b)
        return refuse(c, "no memory%s%s", "", "");
    for (size_t i = 0; i < a->n_cells; i++) {
        c->cells_b[i] = compare_find_cell(b, a->cells[i].index);
        if (c->cells_b[i] == b->n_cells)
            return refuse(c, "B lacks the cell %s of A%s", a->cells[i].name, "");
    }
    for (size_t i = 0; i < b->n_cells; i++)
        b->cells[i].n = 0; /* those that A lacks */
    for (size_t i = 0; i < a->n_cells; i++)
        if (!match_cell(&a->cells[i], &b->cells[c->cells_b[i]], c))
            return false;
    note_differences(c);
    return true;
}

/* ---- the verdict ---------------------------------------------------------------------- */

/* Measured in one run and in no trial of the other. */
static bool one_sided(const struct load_cell *a, const struct load_cell *b, unsigned measure)
{
    bool in_a = false, in_b = false;
    for (uint32_t k = 0; k < a->n; k++) {
        in_a |= a->trials[k].values[measure] >= 0.0;
        in_b |= b->trials[k].values[measure] >= 0.0;
    }
    return in_a != in_b;
}

static size_t lacking(const struct load_cell *a, const struct load_cell *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->tally.privacy.n; i++)
        n += !privacy_find(&b->tally.privacy, &a->tally.privacy.sums[i].key);
    return n;
}

/* What trials of one seed have become, over all cells. */
struct fates {
    bool measured, equal;
    uint32_t pairs;
    uint32_t fewer_completed, more_completed, more_wrong; /* cells */
    uint32_t other_results;                               /* trials */
    size_t one_sided, one_sided_privacy;
};

static struct fates survey(struct compare *c)
{
    struct fates f = {.equal = true};
    for (size_t i = 0; i < c->a->n_cells; i++) {
        const struct load_cell *a = &c->a->cells[i], *b = &c->b->cells[c->cells_b[i]];
        int64_t completed = 0, wrong = 0;
        for (uint32_t k = 0; k < a->n; k++, f.pairs++) {
            const struct load_trial *x = &a->trials[k], *y = &b->trials[k];
            f.equal &= x->content == y->content;
            completed += (y->status == TRIAL_COMPLETED) - (x->status == TRIAL_COMPLETED);
            wrong += (y->status == TRIAL_WRONG) - (x->status == TRIAL_WRONG);
            f.other_results += x->status == TRIAL_COMPLETED && y->status == TRIAL_COMPLETED &&
                               x->result != y->result;
            for (unsigned m = 0; m < MEASURE_COUNTS; m++)
                f.measured |= x->values[m] >= 0.0 || y->values[m] >= 0.0;
        }
        for (unsigned m = 0; m < MEASURE_COUNTS; m++)
            f.one_sided += one_sided(a, b, m);
        f.one_sided_privacy += lacking(a, b) + lacking(b, a);
        f.fewer_completed += completed < 0;
        f.more_completed += completed > 0;
        f.more_wrong += wrong > 0;
    }
    return f;
}

static size_t count_fate(const struct compare *c, enum compare_fate fate)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_rows; i++)
        n += c->rows[i].fate == fate;
    return n;
}

static void note_fates(struct compare *c, const struct fates *f)
{
    if (f->other_results)
        note(c, "the computed result differs in %u trials", (unsigned)f->other_results);
    if (f->more_wrong)
        note(c, "more trials end in a wrong result than in A");
    if (f->fewer_completed)
        note(c, "fewer trials complete than in A, in %u cells", (unsigned)f->fewer_completed);
    if (f->one_sided_privacy)
        note(c, "%zu figures of observers were found in one of the runs alone",
             f->one_sided_privacy);
    if (f->one_sided)
        note(c, "%zu measures were measured in one of the runs alone", f->one_sided);
    if (c->fewest < EFFECT_PAIRS_MIN)
        note(c, "%u trials in a cell are too few for an interval: that takes %d",
             (unsigned)c->fewest, EFFECT_PAIRS_MIN);
    if (c->n_less)
        note(c, "%zu exposures are gone or rarer than in A", c->n_less);
    if (c->a->deterministic && strcmp(c->a->version, c->b->version) == 0 &&
        strcmp(c->a->revision, c->b->revision) == 0)
        note(c,
             "both runs say that they are by Partyline %s (%s), which gives the same bytes each "
             "time: one is of a changed program, or this is a bug",
             c->a->version, c->a->revision);
}

static void conclude(struct compare *c, const struct fates *f)
{
    bool det = c->a->deterministic, enough = det && c->fewest >= EFFECT_PAIRS_MIN;
    size_t worse = count_fate(c, FATE_WORSE), better = count_fate(c, FATE_BETTER);
    size_t changed = count_fate(c, FATE_CHANGED);
    if (c->n_leaks)
        decide(c, EXIT_WORSE, "worse", "%zu exposures are new or rose; %zu effects are worse",
               c->n_leaks, worse);
    else if (worse || f->more_wrong || (det && f->fewer_completed))
        decide(c, EXIT_WORSE, "worse", "%zu effects are worse%s%s", worse,
               f->more_wrong ? "; more wrong results" : "",
               f->fewer_completed ? "; fewer trials complete" : "");
    else if (f->other_results)
        decide(c, EXIT_DIFFERS, "differs", "the computed results differ");
    else if (better || (enough && (f->more_completed || c->n_less)))
        decide(c, EXIT_DONE, "better", "%zu effects are better%s%s, none is worse", better,
               enough && f->more_completed ? ", more trials complete" : "",
               enough && c->n_less ? ", fewer exposures" : "");
    else if (det && !enough)
        decide(c, EXIT_DIFFERS, "differs", "%zu values differ, with too few trials for an interval",
               c->n_rows);
    else if (det || changed)
        decide(c, EXIT_DIFFERS, "differs", "%zu values differ, none by an effect that counts%s",
               c->n_rows, changed ? " as better or worse" : "");
    else
        decide(c, EXIT_INCONCLUSIVE, "inconclusive",
               "no effect is beyond its threshold, its interval and the noise");
}

int compare_decide(struct compare *c, const struct compare_options *opts)
{
    struct fates f = survey(c);
    int rc;
    if (!f.measured) {
        compare_refuse(c, "nothing was measured in either run");
        return OK;
    }
    if (c->a->deterministic && f.equal) {
        decide(c, EXIT_DONE, "equal", "%u trials are equal in every event, count and exposure",
               (unsigned)f.pairs);
        return OK;
    }
    rc = compare_effects(c, opts);
    if (rc == OK)
        rc = compare_leaks(c);
    if (rc != OK)
        return rc;
    if (c->a->deterministic)
        first_diff_find(c->a, c->b, c->cells_b, &c->first);
    note_fates(c, &f);
    conclude(c, &f);
    return OK;
}
