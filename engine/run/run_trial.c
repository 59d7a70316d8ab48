#include "engine/run/run_trial.h"

#include "engine/observers/record.h"
#include "engine/run/evlog.h"
#include "engine/run/files.h"
#include "engine/run/sightings.h"

#include <errno.h>
#include <stdlib.h>

static void trial_path(const struct run *r, const struct cell *c, uint32_t k, char *path)
{
    if (snprintf(path, PATH_MAX, "%s/trials/%u-%u.json", r->dir, (unsigned)c->index, (unsigned)k) >=
        PATH_MAX)
        path[0] = 0;
}

int run_trial_load(const struct run *r, const struct cell *c, uint32_t k, struct trial_record *rec,
                   struct err *e)
{
    char path[PATH_MAX], *text;
    json_error_t je;
    json_t *o;
    size_t len;
    int rc;
    trial_path(r, c, k, path);
    rc = files_read(path, RUN_FILE_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    o = json_loadb(text, len, 0, &je);
    free(text);
    if (!o)
        return err_set(e, ERR_FORMAT, "%s:%d: %s", path, je.line, je.text);
    rc = trial_decode(o, rec, e);
    json_decref(o);
    if (rc == OK &&
        (rec->cell != c->index || rec->trial != k || rec->seed != trial_seed(c->seed, k))) {
        trial_record_free(rec);
        rc = err_set(e, ERR_MISMATCH, "%s: belongs to another run", path);
    }
    return rc;
}

static int open_trace(const struct run *r, const struct cell *c, uint32_t k, struct trace *to,
                      struct err *e)
{
    char path[PATH_MAX + 64];
    int rc;
    snprintf(path, sizeof path, "%s/traces", r->dir);
    rc = files_make_dir(path, e);
    if (rc != OK)
        return rc;
    snprintf(path, sizeof path, "%s/traces/%u-%u.txt", r->dir, (unsigned)c->index, (unsigned)k);
    to->out = fopen(path, "w");
    return to->out ? OK : err_set(e, ERR_IO, "%s: can't be written", path);
}

static int open_sightings(const struct run *r, const struct cell *c, uint32_t k, struct trace *to,
                          struct sightings **out, struct err *e)
{
    char path[PATH_MAX + 64];
    int rc;
    *out = NULL;
    if (!r->opts.sightings)
        return OK;
    snprintf(path, sizeof path, "%s/sightings", r->dir);
    rc = files_make_dir(path, e);
    if (rc != OK)
        return rc;
    snprintf(path, sizeof path, "%s/sightings/%u-%u.sights", r->dir, (unsigned)c->index,
             (unsigned)k);
    return sightings_begin(out, path, &c->spec, to, RECORD_SIGHTINGS, e);
}

static int close_trace(FILE *f)
{
    bool good = !ferror(f);
    return fclose(f) == 0 && good ? OK : ERR_IO;
}

/* The log of its events, before the file that makes the trial a finished one. */
static int write_log(const struct run *r, const struct cell *c, const struct trial_record *rec,
                     const struct evlog_writer *log, struct err *e)
{
    char path[PATH_MAX + 64];
    uint8_t *data;
    size_t len;
    int rc;
    if (evlog_taken(log) == 0)
        return OK; /* not a world that tells */
    if (evlog_pack(log, rec->digest, &data, &len) != OK)
        return err_set(e, ERR_NOMEM, "no memory for the log of a trial's events");
    snprintf(path, sizeof path, "%s/" EVLOG_DIR, r->dir);
    rc = files_make_dir(path, e);
    snprintf(path, sizeof path, "%s/" EVLOG_NAME, r->dir, (unsigned)c->index, (unsigned)rec->trial);
    if (rc == OK)
        rc = files_write(path, data, len, e);
    free(data);
    return rc;
}

int run_trial(const struct run *r, const struct cell *c, uint32_t k, uint64_t *events,
              struct err *e)
{
    struct trial_record rec;
    struct sightings *sightings;
    struct trace trace = {.events = evlog_take, .ctx = evlog_writer_new()};
    char path[PATH_MAX];
    int rc = !trace.ctx      ? err_set(e, ERR_NOMEM, "no memory for the log of a trial's events")
             : r->opts.trace ? open_trace(r, c, k, &trace, e)
                             : OK;
    if (rc != OK) {
        evlog_writer_free(trace.ctx);
        return rc;
    }
    rc = open_sightings(r, c, k, &trace, &sightings, e);
    if (rc == OK)
        rc = trial_run(r->opts.world, &c->spec, c->index, k, c->seed, &trace, &rec, e);
    else
        rec = (struct trial_record){0};
    if (sightings && sightings_close(sightings, rc == OK ? e : NULL) != OK && rc == OK)
        rc = ERR_IO;
    if (trace.out && close_trace(trace.out) != OK && rc == OK)
        rc = err_set(e, ERR_IO, "%s/traces: %s", r->dir, strerror(errno));
    if (rc == OK)
        rc = write_log(r, c, &rec, trace.ctx, e);
    evlog_writer_free(trace.ctx);
    if (rc == OK) {
        json_t *o = trial_encode(&rec);
        trial_path(r, c, k, path);
        *events = rec.metrics.counts[COUNT_EVENTS];
        rc = files_write_json(path, o, e);
        json_decref(o);
    }
    trial_record_free(&rec);
    return rc;
}
