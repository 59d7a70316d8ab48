#include "engine/run/outputs.h"

#include "engine/run/exposure_csv.h"
#include "engine/run/files.h"
#include "engine/run/hlog.h"
#include "version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { CELL_NAME_MAX = 512 };

/* clang's __VERSION__ names it, gcc's is a number. */
#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static void path_of(const struct run *r, const char *name, char path[PATH_MAX + 32])
{
    snprintf(path, PATH_MAX + 32, "%s/%s", r->dir, name);
}

static int write_json(const struct run *r, const char *name, json_t *value, struct err *e)
{
    char path[PATH_MAX + 32];
    int rc;
    path_of(r, name, path);
    rc = value ? files_write_json(path, value, e) : err_set(e, ERR_NOMEM, "%s: no memory", path);
    json_decref(value);
    return rc;
}

static json_t *hex(uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%016" PRIx64, v);
    return json_string(text);
}

static json_t *axes_json(const struct cell *c)
{
    json_t *o = json_object();
    for (size_t i = 0; i < c->n_axes; i++)
        json_object_set_new(o, c->axes[i].name, json_string(c->axes[i].value));
    return o;
}

const char *outputs_cell_name(const struct cell *c, char *buf, size_t cap)
{
    size_t len = 0;
    buf[0] = 0;
    for (size_t i = 0; i < c->n_axes && len < cap; i++)
        len += (size_t)snprintf(buf + len, cap - len, "%s%s=%s", i ? "/" : "", c->axes[i].name,
                                c->axes[i].value);
    return buf;
}

static json_t *command_json(const struct run *r)
{
    json_t *words = json_pack("[s, s]", "run", r->scenario->file);
    for (size_t i = 0; i < r->opts.n_words; i++)
        json_array_append_new(words, json_string(r->opts.words[i]));
    return words;
}

int outputs_manifest(const struct run *r, struct err *e)
{
    json_t *o = json_object(), *cells = json_array();
    for (size_t i = 0; i < r->n_cells; i++) {
        const struct cell *c = r->cells[i].cell;
        json_t *seeds = json_array();
        for (uint32_t k = 0; k < c->repeat; k++)
            json_array_append_new(seeds, hex(trial_seed(c->seed, k)));
        json_array_append_new(cells,
                              json_pack("{s:i, s:o, s:o, s:O}", "index", (int)c->index, "axes",
                                        axes_json(c), "seeds", seeds, "resolved", c->json));
    }
    json_object_set_new(o, "schema", json_integer(1));
    json_object_set_new(
        o, "program",
        json_pack("{s:s, s:s}", "version", PARTYLINE_VERSION, "revision", PARTYLINE_REVISION));
    json_object_set_new(o, "command", command_json(r));
    json_object_set_new(o, "run", json_string(r->id));
    json_object_set_new(o, "world", json_string(r->opts.world->name));
    json_object_set_new(o, "scenario", scenario_json(r->scenario));
    json_object_set_new(o, "scenario_digest", hex(r->scenario->digest));
    json_object_set_new(o, "cells", cells);
    return write_json(r, "manifest.json", o, e);
}

/* ---- summary and verdict -------------------------------------------------------------- */

static json_t *verdicts_json(const struct run_cell *c)
{
    json_t *list = json_array();
    char text[96];
    for (size_t i = 0; i < c->cell->n_expects; i++) {
        const struct run_verdict *v = &c->verdicts[i];
        json_t *o = json_pack("{s:i, s:s, s:b}", "line", v->line, "text", v->text, "met",
                              (int)v->result.met);
        if (v->unjudged)
            json_object_set_new(o, "judged", json_false());
        if (v->result.absent) {
            const char *why = tally_absence(&c->tally, v->result.term->path, text, sizeof text);
            json_object_set_new(o, "not_measured", json_true());
            if (why)
                json_object_set_new(o, "why", json_string(why));
        } else {
            json_object_set_new(o, "value", json_integer(v->result.value));
        }
        json_array_append_new(list, o);
    }
    return list;
}

json_t *outputs_summary(const struct run *r)
{
    json_t *o = json_object(), *cells = json_array();
    for (size_t i = 0; i < r->n_cells; i++) {
        json_t *c = tally_json(&r->cells[i].tally);
        json_object_set_new(c, "axes", axes_json(r->cells[i].cell));
        json_object_set_new(c, "expect", verdicts_json(&r->cells[i]));
        json_array_append_new(cells, c);
    }
    json_object_set_new(o, "schema", json_integer(1));
    json_object_set_new(o, "scenario", json_string(r->scenario->name));
    json_object_set_new(o, "world", json_string(r->opts.world->name));
    json_object_set_new(o, "seed", json_integer((json_int_t)r->scenario->seed));
    json_object_set_new(o, "digest", hex(r->digest));
    json_object_set_new(o, "cells", cells);
    return o;
}

static json_t *verdict_json(const struct run *r, int exit_code)
{
    json_t *cells = json_array();
    for (size_t i = 0; i < r->n_cells; i++) {
        const struct tally *t = &r->cells[i].tally;
        json_t *c = json_pack("{s:o, s:o, s:i, s:i}", "axes", axes_json(r->cells[i].cell), "expect",
                              verdicts_json(&r->cells[i]), "wrong", (int)t->wrong, "unfinished",
                              (int)t->unfinished);
        if (t->why)
            json_object_set_new(c, "why", json_string(t->why));
        if (t->invalid)
            json_object_set_new(c, "void", json_string(t->invalid));
        json_array_append_new(cells, c);
    }
    return json_pack("{s:i, s:i, s:s, s:o}", "schema", 1, "exit", exit_code, "verdict",
                     exit_code == EXIT_DONE           ? "met"
                     : exit_code == EXIT_TRIAL_FAILED ? "a trial failed"
                     : exit_code == EXIT_LEFT_BEHIND  ? "met, and something was left behind"
                     : exit_code == EXIT_POOR         ? "met, by a poor measurement"
                                                      : "an expectation is unmet",
                     "cells", cells);
}

static json_t *env_json(const struct run *r)
{
    struct utsname u;
    json_t *o = json_object();
    if (uname(&u) == 0)
        json_object_set_new(o, "machine",
                            json_pack("{s:s, s:s, s:s, s:I}", "kernel", u.sysname, "release",
                                      u.release, "architecture", u.machine, "cores",
                                      (json_int_t)sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(o, "schema", json_integer(1));
    json_object_set_new(o, "compiler", json_string(COMPILER));
    json_object_set_new(o, "wall_ns", json_integer((json_int_t)(r->wall_s * 1e9)));
    json_object_set_new(o, "trials_run", json_integer(r->n_redone));
    json_object_set_new(o, "events", json_integer((json_int_t)r->events));
    json_object_set_new(
        o, "events_per_second",
        json_integer(r->wall_s > 0 ? (json_int_t)((double)r->events / r->wall_s) : 0));
    json_object_set_new(o, "peak_memory_bytes", json_integer((json_int_t)r->peak_kib * 1024));
    if (r->world_env)
        json_object_update(o, r->world_env);
    return o;
}

/* ---- text files ----------------------------------------------------------------------- */

static void write_digest(const struct run *r, FILE *f)
{
    char name[CELL_NAME_MAX];
    for (size_t i = 0; i < r->n_cells; i++)
        fprintf(f, "%016" PRIx64 " %u %s\n", tally_digest(&r->cells[i].tally),
                (unsigned)r->cells[i].cell->index,
                outputs_cell_name(r->cells[i].cell, name, sizeof name));
    fprintf(f, "%016" PRIx64 " all\n", r->digest);
}

static void write_exposures(const struct run *r, FILE *f)
{
    char name[CELL_NAME_MAX];
    exposure_csv_head(f);
    for (size_t i = 0; i < r->n_cells; i++)
        exposure_csv_cell(f, outputs_cell_name(r->cells[i].cell, name, sizeof name),
                          &r->cells[i].tally);
}

static void write_histograms(const struct run *r, FILE *f)
{
    char name[CELL_NAME_MAX], tag[HLOG_TAG + 1];
    hlog_write_header(f, r->scenario->name);
    for (size_t i = 0; i < r->n_cells; i++) {
        outputs_cell_name(r->cells[i].cell, name, sizeof name);
        for (int m = 0; m < METRIC_COUNT; m++) {
            const struct hist *h = &r->cells[i].tally.metrics.hist[m];
            if (hist_count(h) == 0 || strcmp(metric_infos[m].unit, "ns") != 0)
                continue;
            if (hlog_tag(tag, name, metric_infos[m].name) != OK) { /* a very long axis value */
                snprintf(name, sizeof name, "cell_%u", (unsigned)r->cells[i].cell->index);
                hlog_tag(tag, name, metric_infos[m].name);
            }
            hlog_write(f, tag, 0, 0, h); /* a failure is the stream's, seen at its fclose */
        }
    }
}

static int write_text(const struct run *r, const char *name,
                      void (*fill)(const struct run *, FILE *), struct err *e)
{
    char path[PATH_MAX + 32], *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc;
    if (!f)
        return err_set(e, ERR_NOMEM, "%s: no memory", name);
    fill(r, f);
    path_of(r, name, path);
    rc = fclose(f) == 0 ? files_write(path, text, len, e)
                        : err_set(e, ERR_NOMEM, "%s: no memory", name);
    free(text);
    return rc;
}

int outputs_write(const struct run *r, int exit_code, struct err *e)
{
    int rc = write_json(r, "summary.json", outputs_summary(r), e);
    if (rc == OK)
        rc = write_text(r, "digest", write_digest, e);
    if (rc == OK)
        rc = write_text(r, "exposure.csv", write_exposures, e);
    if (rc == OK)
        rc = write_text(r, "latency.hlog", write_histograms, e);
    if (rc == OK)
        rc = write_json(r, "env.json", env_json(r), e);
    if (rc == OK)
        rc = write_json(r, "verdict.json", verdict_json(r, exit_code), e);
    return rc;
}
