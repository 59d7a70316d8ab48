#include "analysis/merge.h"

#include "analysis/merge_inner.h"
#include "engine/run/evlog.h"
#include "engine/run/files.h"
#include "engine/run/outputs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIAL_FILE_MAX = 256 << 20 };

/* ---- the joined run ------------------------------------------------------------------- */

static int copy_trial(const struct merge *m, const struct joined *c, uint32_t k,
                      struct tally *tally, struct err *e)
{
    const struct origin *s = &c->trials[k];
    const struct load_run *part = &m->parts[s->part];
    char path[PATH_MAX], *text;
    struct trial_record rec;
    json_t *o;
    size_t len;
    int rc;
    if (snprintf(path, sizeof path, "%s/trials/%u-%u.json", part->dir, (unsigned)c->from->index,
                 (unsigned)s->trial) >= (int)sizeof path)
        return err_set(e, ERR_IO, "%s: the path is too long", part->dir);
    rc = files_read(path, TRIAL_FILE_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    rc = load_trial_text(text, len, &rec, e);
    free(text);
    if (rc != OK)
        return rc;
    rec.trial = k;
    if (snprintf(path, sizeof path, "%s/trials/%u-%u.json", m->out, (unsigned)c->from->index,
                 (unsigned)k) >= (int)sizeof path)
        rc = err_set(e, ERR_IO, "%s: the path is too long", m->out);
    o = trial_encode(&rec);
    if (rc == OK)
        rc = files_write_json(path, o, e);
    json_decref(o);
    if (rc == OK && (rc = tally_add(tally, &rec)) != OK)
        err_set(e, rc, "%s: %s", path, err_name(rc));
    trial_record_free(&rec);
    return rc;
}

/* The log of its events, which knows the trial by its digest alone. */
static int copy_log(const struct merge *m, const struct joined *c, uint32_t k, struct err *e)
{
    const struct origin *s = &c->trials[k];
    char path[PATH_MAX + 64], *data;
    size_t len;
    int rc;
    snprintf(path, sizeof path, "%s/" EVLOG_NAME, m->parts[s->part].dir, (unsigned)c->from->index,
             (unsigned)s->trial);
    rc = files_read(path, EVLOG_FILE_MAX, &data, &len, e);
    if (rc != OK)
        return rc == ERR_ABSENT ? OK : rc;
    snprintf(path, sizeof path, "%s/" EVLOG_DIR, m->out);
    rc = files_make_dir(path, e);
    snprintf(path, sizeof path, "%s/" EVLOG_NAME, m->out, (unsigned)c->from->index, (unsigned)k);
    if (rc == OK)
        rc = files_write(path, data, len, e);
    free(data);
    return rc;
}

static int read_expects(struct merge *m, struct joined *c, struct err *e)
{
    const json_t *cells = json_object_get(c->part->summary, "cells");
    const json_t *list = json_object_get(json_array_get(cells, c->at), "expect");
    size_t n = json_array_size(list), at;
    c->expects = calloc(n + 1, sizeof *c->expects);
    if (!c->expects)
        return err_set(e, ERR_NOMEM, "no memory for the expectations");
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        const char *text = json_string_value(json_object_get(o, "text"));
        struct expect *x = NULL;
        struct err why = {0};
        if (!text || expect_parse(&m->arena, text, &x, &at, &why) != OK)
            return err_set(e, ERR_FORMAT, "%s/summary.json: an expectation: %.200s", c->part->dir,
                           why.text);
        c->expects[i].line = (int)json_integer_value(json_object_get(o, "line"));
        c->expects[i].expect = x;
    }
    c->cell.expects = c->expects;
    c->cell.n_expects = n;
    return OK;
}

static int fill_cell(struct merge *m, struct joined *c, struct run_cell *out, struct err *e)
{
    int rc;
    for (size_t a = 0; a < m->n_axes; a++)
        c->axes[a] = (struct cell_axis){
            m->axes[a], json_string_value(json_object_get(c->from->axes, m->axes[a]))};
    c->cell.index = c->from->index;
    c->cell.axes = c->axes;
    c->cell.n_axes = m->n_axes;
    c->cell.seed = (uint64_t)c->part->seed;
    c->cell.repeat = c->n;
    rc = read_expects(m, c, e);
    if (rc != OK)
        return rc;
    out->cell = &c->cell;
    out->verdicts = calloc(c->cell.n_expects + 1, sizeof *out->verdicts);
    if (!out->verdicts || tally_init(&out->tally, &c->from->spec, c->n) != OK)
        return err_set(e, ERR_NOMEM, "no memory for a cell");
    out->tally.privacy.segments = !m->parts[0].deterministic;
    for (uint32_t k = 0; rc == OK && k < c->n; k++)
        if ((rc = copy_trial(m, c, k, &out->tally, e)) == OK)
            rc = copy_log(m, c, k, e);
    return rc;
}

/* ---- manifest and env ----------------------------------------------------------------- */

static json_t *cells_json(const struct merge *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->n_cells; i++) {
        const struct joined *c = &m->cells[i];
        json_t *o = json_deep_copy(merge_entry(c->part, c->at)), *seeds = json_array();
        for (uint32_t k = 0; k < c->n; k++) {
            char hex[24];
            snprintf(hex, sizeof hex, "%016" PRIx64, c->trials[k].seed);
            json_array_append_new(seeds, json_string(hex));
        }
        json_object_set_new(o, "seeds", seeds);
        json_object_set_new(json_object_get(o, "resolved"), "repeat",
                            json_integer((json_int_t)c->n));
        json_array_append_new(list, o);
    }
    return list;
}

static int write_file(const struct merge *m, const char *name, json_t *o, struct err *e)
{
    char path[PATH_MAX];
    int rc = snprintf(path, sizeof path, "%s/%s", m->out, name) < (int)sizeof path
                 ? files_write_json(path, o, e)
                 : err_set(e, ERR_IO, "%s: the path is too long", m->out);
    json_decref(o);
    return rc;
}

static int write_manifest(const struct merge *m, struct err *e)
{
    json_t *o = json_copy(m->parts[0].manifest), *merged = json_array();
    char *text, id[24];
    for (size_t p = 0; p < m->n_parts; p++)
        json_array_append_new(merged, json_pack("{s:s, s:I, s:O*}", "run", m->parts[p].id, "seed",
                                                (json_int_t)m->parts[p].seed, "command",
                                                json_object_get(m->parts[p].manifest, "command")));
    json_object_set_new(o, "cells", cells_json(m));
    json_object_set_new(o, "merged", merged);
    json_object_del(o, "run");
    json_object_del(o, "command");
    text = json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT);
    snprintf(id, sizeof id, "%016" PRIx64, text ? XXH3_64bits(text, strlen(text)) : 0);
    free(text);
    json_object_set_new(o, "run", json_string(id));
    return write_file(m, "manifest.json", o, e);
}

/* What the parts say of their machines. */
static int write_env(const struct merge *m, struct err *e)
{
    json_t *list = json_array();
    for (size_t p = 0; p < m->n_parts; p++) {
        char path[PATH_MAX + 16], *text;
        size_t len;
        json_t *o = NULL;
        snprintf(path, sizeof path, "%s/env.json", m->parts[p].dir);
        if (files_read(path, TRIAL_FILE_MAX, &text, &len, NULL) == OK) {
            o = json_loadb(text, len, 0, NULL);
            free(text);
        }
        json_array_append_new(list, o ? o : json_object());
    }
    return write_file(m, "env.json", json_pack("{s:i, s:o}", "schema", 1, "merged", list), e);
}

static int write_run(struct merge *m, int *code, struct err *e)
{
    struct world world = {.name = m->parts[0].world};
    struct scenario scenario = {
        .name = m->parts[0].scenario, .seed = (uint64_t)m->parts[0].seed, .n_axes = m->n_axes};
    struct run r = {.scenario = &scenario, .opts.world = &world, .n_cells = m->n_cells};
    int rc = OK;
    snprintf(r.dir, sizeof r.dir, "%s", m->out);
    r.cells = calloc(m->n_cells + 1, sizeof *r.cells);
    if (!r.cells)
        rc = err_set(e, ERR_NOMEM, "no memory for the cells");
    for (size_t i = 0; rc == OK && i < m->n_cells; i++)
        rc = fill_cell(m, &m->cells[i], &r.cells[i], e);
    if (rc == OK) {
        *code = run_judge(&r);
        rc = outputs_write(&r, *code, e);
    }
    if (rc == OK)
        rc = write_env(m, e);
    if (rc == OK)
        rc = write_manifest(m, e); /* the last: what has none is no run */
    run_free(&r);
    return rc;
}

static int claim(const char *out, struct err *e)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/manifest.json", out) >= (int)sizeof path)
        return err_set(e, ERR_IO, "the path of the folder is too long");
    if (access(path, F_OK) == 0)
        return err_set(e, ERR_EXISTS, "%s holds a run already: name another folder", out);
    snprintf(path, sizeof path, "%s/trials", out);
    if (access(path, F_OK) == 0)
        return err_set(e, ERR_EXISTS, "%s holds trials already: name another folder", out);
    return files_make_dir(path, e);
}

int merge_runs(const char *const *dirs, size_t n, const char *out, int *code, struct err *e)
{
    struct merge m = {.out = out, .parts = calloc(n + 1, sizeof *m.parts)};
    int rc = m.parts ? OK : err_set(e, ERR_NOMEM, "no memory for %zu runs", n);
    arena_init(&m.arena, 64 << 20);
    while (rc == OK && m.n_parts < n) {
        rc = load_open(dirs[m.n_parts], &m.parts[m.n_parts], e);
        if (rc == OK)
            rc = load_trials(&m.parts[m.n_parts++], e);
    }
    if (rc == OK) {
        m.n_axes = series_axes(&m.parts[0], m.axes);
        rc = merge_join(&m, e);
    }
    if (rc == OK)
        rc = claim(out, e);
    if (rc == OK)
        rc = write_run(&m, code, e);
    for (size_t i = 0; i < m.n_cells; i++) {
        free(m.cells[i].trials);
        free(m.cells[i].expects);
    }
    for (size_t p = 0; p < m.n_parts; p++)
        load_close(&m.parts[p]);
    free(m.cells);
    free(m.parts);
    arena_free(&m.arena);
    return rc;
}
