/* May runs be joined, and which trials have they together? */
#include "analysis/merge_inner.h"

#include <stdlib.h>
#include <string.h>

/* ---- may they be joined? -------------------------------------------------------------- */

static bool equal_without(const json_t *a, const json_t *b, const char *const *keys)
{
    json_t *x = json_copy((json_t *)(uintptr_t)a), *y = json_copy((json_t *)(uintptr_t)b);
    bool same;
    for (; *keys; keys++) {
        json_object_del(x, *keys);
        json_object_del(y, *keys);
    }
    same = json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

static int refuse(const struct load_run *a, const struct load_run *b, const char *what,
                  struct err *e)
{
    return err_set(e, ERR_MISMATCH, "%s and %s can't be merged: %s", a->dir, b->dir, what);
}

static int check_parts(const struct load_run *a, const struct load_run *b, struct err *e)
{
    static const char *const free_keys[] = {"seed", "repeat", "cells", NULL};
    if (strcmp(a->scenario, b->scenario) != 0 || a->scenario_digest != b->scenario_digest)
        return refuse(a, b, "they are of different scenarios", e);
    if (strcmp(a->world, b->world) != 0)
        return refuse(a, b, "they are of different worlds", e);
    if (strcmp(a->version, b->version) != 0 || strcmp(a->revision, b->revision) != 0)
        return refuse(a, b, "different versions of the program made them", e);
    if (!equal_without(json_object_get(a->manifest, "scenario"),
                       json_object_get(b->manifest, "scenario"), free_keys))
        return refuse(a, b, "their scenarios differ in more than seed and repeat", e);
    return OK;
}

static int check_cells(const struct joined *a, const struct load_run *b, size_t cell, struct err *e)
{
    static const char *const free_keys[] = {"seed", "repeat", NULL};
    if (!equal_without(json_object_get(merge_entry(a->part, a->at), "resolved"),
                       json_object_get(merge_entry(b, cell), "resolved"), free_keys))
        return refuse(a->part, b, "a cell differs in more than seed and repeat (inputs, say)", e);
    return OK;
}

/* A trial that is there twice: the same in both, but for its number? */
static int check_twice(const struct merge *m, const struct joined *c, const struct origin *a,
                       const struct origin *b, struct err *e)
{
    const struct load_trial *x = &m->parts[a->part].cells[a->cell].trials[a->trial];
    const struct load_trial *y = &m->parts[b->part].cells[b->cell].trials[b->trial];
    (void)c;
    for (unsigned i = 0; i < MEASURE_COUNT; i++)
        if (x->values[i] < y->values[i] || x->values[i] > y->values[i])
            return refuse(&m->parts[a->part], &m->parts[b->part],
                          "they disagree about a trial that both have", e);
    if (x->digest != y->digest || x->result != y->result || x->status != y->status)
        return refuse(&m->parts[a->part], &m->parts[b->part],
                      "they disagree about a trial that both have", e);
    return OK;
}

/* ---- which trials --------------------------------------------------------------------- */

static struct joined *find_cell(struct merge *m, uint32_t index)
{
    size_t i = 0;
    while (i < m->n_cells && m->cells[i].from->index < index)
        i++;
    if (i == m->n_cells || m->cells[i].from->index != index) {
        memmove(&m->cells[i + 1], &m->cells[i], (m->n_cells - i) * sizeof *m->cells);
        m->cells[i] = (struct joined){0};
        m->n_cells++;
    }
    return &m->cells[i];
}

static int add_trials(struct merge *m, struct joined *c, size_t part, size_t cell, struct err *e)
{
    const struct load_cell *from = &m->parts[part].cells[cell];
    struct origin *more = realloc(c->trials, (c->n + from->n_seeds) * sizeof *more);
    uint32_t before = c->n;
    if (!more)
        return err_set(e, ERR_NOMEM, "no memory for the trials");
    c->trials = more;
    for (uint32_t k = 0; k < from->n_seeds; k++) {
        struct origin s = {part, cell, k, from->seeds[k]};
        uint32_t old = 0;
        int rc;
        while (old < before && (!m->parts[part].deterministic || c->trials[old].seed != s.seed))
            old++;
        if (old == before) {
            c->trials[c->n++] = s;
            continue;
        }
        rc = check_twice(m, c, &c->trials[old], &s, e);
        if (rc != OK)
            return rc;
    }
    return c->n > SCENARIO_MAX_REPEAT ? err_set(e, ERR_MISMATCH, "too many trials in a cell") : OK;
}

int merge_join(struct merge *m, struct err *e)
{
    size_t all = 0;
    int rc = OK;
    for (size_t p = 0; p < m->n_parts; p++)
        all += m->parts[p].n_cells;
    m->cells = calloc(all + 1, sizeof *m->cells);
    if (!m->cells)
        return err_set(e, ERR_NOMEM, "no memory for the cells");
    for (size_t p = 0; rc == OK && p < m->n_parts; p++) {
        rc = p ? check_parts(&m->parts[0], &m->parts[p], e) : OK;
        for (size_t i = 0; rc == OK && i < m->parts[p].n_cells; i++) {
            struct joined *c = NULL;
            for (size_t k = 0; k < m->n_cells; k++)
                if (m->cells[k].from->index == m->parts[p].cells[i].index)
                    c = &m->cells[k];
            if (c) {
                rc = check_cells(c, &m->parts[p], i, e);
            } else {
                c = find_cell(m, m->parts[p].cells[i].index);
                c->part = &m->parts[p];
                c->from = &m->parts[p].cells[i];
                c->at = i;
            }
            if (rc == OK)
                rc = add_trials(m, c, p, i, e);
        }
    }
    return rc;
}
