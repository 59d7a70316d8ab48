#include "analysis/export.h"

#include "analysis/report.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE runs(run TEXT PRIMARY KEY, scenario TEXT, world TEXT, seed INTEGER,"
    " version TEXT, revision TEXT, scenario_digest TEXT, digest TEXT);"
    "CREATE TABLE cells(run TEXT REFERENCES runs, cell INTEGER, name TEXT, digest TEXT,"
    " trials INTEGER, completed INTEGER, wrong INTEGER, unfinished INTEGER, result TEXT, why TEXT,"
    " PRIMARY KEY(run, cell));"
    "CREATE TABLE axes(run TEXT, cell INTEGER, axis TEXT, value TEXT,"
    " FOREIGN KEY(run, cell) REFERENCES cells);"
    "CREATE TABLE trials(run TEXT, cell INTEGER, trial INTEGER, seed TEXT, status TEXT,"
    " digest TEXT, PRIMARY KEY(run, cell, trial), FOREIGN KEY(run, cell) REFERENCES cells);"
    "CREATE TABLE metrics(run TEXT, cell INTEGER, metric TEXT, unit TEXT, stat TEXT,"
    " value INTEGER, samples INTEGER, low INTEGER, high INTEGER,"
    " FOREIGN KEY(run, cell) REFERENCES cells);"
    "CREATE TABLE trial_metrics(run TEXT, cell INTEGER, trial INTEGER, metric TEXT, unit TEXT,"
    " value REAL, FOREIGN KEY(run, cell, trial) REFERENCES trials);"
    "CREATE TABLE exposures(run TEXT, cell INTEGER, observer TEXT, what TEXT, who TEXT, whom TEXT,"
    " level INTEGER, trials INTEGER, first_ns INTEGER, other TEXT,"
    " FOREIGN KEY(run, cell) REFERENCES cells);"
    "CREATE TABLE expectations(run TEXT, cell INTEGER, line INTEGER, text TEXT, met INTEGER,"
    " found TEXT, FOREIGN KEY(run, cell) REFERENCES cells);"
    "CREATE INDEX trial_metrics_by ON trial_metrics(metric, run, cell);";

struct database {
    sqlite3 *db;
    int rc; /* SQLite's first error */
};

/* One row: s a text or NULL, i an int64_t, d a double, n an absent number. The types are
 * bound in the order of the columns. */
static void insert(struct database *d, const char *table, const char *types, ...)
{
    char sql[160], *at = sql;
    sqlite3_stmt *stmt = NULL;
    va_list args;
    at += snprintf(sql, sizeof sql, "INSERT INTO %s VALUES(?", table);
    for (size_t i = 1; types[i]; i++)
        at += snprintf(at, sizeof sql - (size_t)(at - sql), ",?");
    snprintf(at, sizeof sql - (size_t)(at - sql), ")");
    if (d->rc == SQLITE_OK)
        d->rc = sqlite3_prepare_v2(d->db, sql, -1, &stmt, NULL);
    if (d->rc != SQLITE_OK)
        return;
    va_start(args, types);
    for (int i = 0; types[i]; i++) {
        if (types[i] == 's')
            sqlite3_bind_text(stmt, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
        else if (types[i] == 'i')
            sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t));
        else if (types[i] == 'd')
            sqlite3_bind_double(stmt, i + 1, va_arg(args, double));
        else
            sqlite3_bind_null(stmt, i + 1);
    }
    va_end(args);
    d->rc = sqlite3_step(stmt) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(d->db);
    sqlite3_finalize(stmt);
}

static const char *hex(uint64_t v, char buf[24])
{
    snprintf(buf, 24, "%016" PRIx64, v);
    return buf;
}

struct row {
    struct database *db;
    const struct series *x;
};

static void add_figure(void *ctx, const struct figure *v)
{
    struct row *r = ctx;
    insert(r->db, "metrics", v->interval ? "sisssiiii" : "sisssiinn", r->x->run->id,
           (int64_t)r->x->cell->index, v->metric, v->unit, v->stat, v->value, (int64_t)v->samples,
           v->low, v->high);
}

static void add_trials(struct database *d, const struct series *x)
{
    static const char *const status[] = {"completed", "wrong", "unfinished"};
    const struct load_cell *c = x->cell;
    char seed[24], digest[24];
    for (uint32_t k = 0; k < c->n; k++) {
        const struct load_trial *t = &c->trials[k];
        insert(d, "trials", "siisss", x->run->id, (int64_t)c->index, (int64_t)k,
               hex(c->seeds[k], seed), status[t->status], hex(t->digest, digest));
        for (unsigned m = 0; m < MEASURE_COUNT; m++) {
            struct measure about;
            measure_about(m, &about);
            if (t->values[m] >= 0.0)
                insert(d, "trial_metrics", "siissd", x->run->id, (int64_t)c->index, (int64_t)k,
                       about.name, about.unit, t->values[m]);
        }
    }
}

static void add_exposures(struct database *d, const struct series *x)
{
    const struct tally *t = &x->cell->tally;
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct exposure_row *r = &t->rows[i];
        insert(d, "exposures", "sissssiiis", x->run->id, (int64_t)x->cell->index, r->observer,
               r->what, load_name(x->cell, r->who), load_name(x->cell, r->whom), (int64_t)r->level,
               (int64_t)t->row_trials[i], (int64_t)r->first,
               r->other == PARTY_NONE ? NULL : load_name(x->cell, r->other));
    }
}

static int add_cell(struct database *d, const struct series *x, struct err *e)
{
    const struct tally *t = &x->cell->tally;
    const char *axis;
    char digest[24];
    struct judged j;
    json_t *value;
    int rc;
    insert(d, "cells", "sissiiiiss", x->run->id, (int64_t)x->cell->index, x->cell->name,
           hex(tally_digest(t), digest), (int64_t)t->trials, (int64_t)t->completed,
           (int64_t)t->wrong, (int64_t)t->unfinished, t->result, t->why);
    json_object_foreach((json_t *)(uintptr_t)x->cell->axes, axis, value) insert(
        d, "axes", "siss", x->run->id, (int64_t)x->cell->index, axis, json_string_value(value));
    add_trials(d, x);
    series_figures(x, add_figure, &(struct row){d, x});
    add_exposures(d, x);
    for (size_t k = 0; (rc = report_judge(x, k, &j, e)) == OK; k++)
        insert(d, "expectations", "siisis", x->run->id, (int64_t)x->cell->index, j.line, j.text,
               (int64_t)j.met, j.found);
    return rc == ERR_ABSENT ? OK : rc;
}

static int fill(struct database *d, const struct series_set *s, struct err *e)
{
    char a[24], b[24];
    int rc = OK;
    d->rc = sqlite3_exec(d->db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;", NULL,
                         NULL, NULL);
    if (d->rc == SQLITE_OK)
        d->rc = sqlite3_exec(d->db, schema, NULL, NULL, NULL);
    for (size_t i = 0; i < s->n_runs; i++) {
        const struct load_run *r = &s->runs[i];
        insert(d, "runs", "sssissss", r->id, r->scenario, r->world, r->seed, r->version,
               r->revision, hex(r->scenario_digest, a), hex(r->digest, b));
    }
    for (size_t i = 0; rc == OK && i < s->n; i++)
        rc = add_cell(d, &s->list[i], e);
    if (d->rc == SQLITE_OK)
        d->rc = sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

int export_sqlite(const struct series_set *s, const char *path, struct err *e)
{
    struct database d = {0};
    char temp[PATH_MAX];
    int rc;
    if (snprintf(temp, sizeof temp, "%s.part", path) >= (int)sizeof temp)
        return err_set(e, ERR_IO, "%s: the path is too long", path);
    unlink(temp);
    d.rc = sqlite3_open(temp, &d.db);
    rc = d.rc == SQLITE_OK ? fill(&d, s, e) : OK;
    if (rc == OK && d.rc != SQLITE_OK)
        rc = err_set(e, ERR_IO, "%s: %s", path, d.db ? sqlite3_errmsg(d.db) : "no memory");
    sqlite3_close(d.db);
    if (rc == OK && rename(temp, path) != 0)
        rc = err_set(e, ERR_IO, "%s can't be written", path);
    if (rc != OK)
        unlink(temp);
    return rc;
}
