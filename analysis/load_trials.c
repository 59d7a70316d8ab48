/* The trials of a run's folder, and whether its summary follows from them. */
#include "analysis/load_inner.h"

#include "engine/run/exposure_csv.h"
#include "engine/run/files.h"

#include <stdio.h>
#include <stdlib.h>

int load_trial_text(const char *text, size_t len, struct trial_record *rec, struct err *e)
{
    json_error_t je;
    json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
    int rc;
    if (!o)
        return err_set(e, ERR_FORMAT, "line %d: %s", je.line, je.text);
    rc = trial_decode(o, rec, e);
    json_decref(o);
    return rc;
}

static bool knows_all(const struct load_cell *c, const struct trial_record *rec)
{
    for (size_t i = 0; i < rec->n_exposures; i++)
        if (rec->exposures[i].who / 2 >= c->roster.n)
            return false;
    return true;
}

static int read_trial(const struct load_run *r, const struct load_cell *c, uint32_t k,
                      struct trial_record *rec, struct err *e)
{
    char name[64], path[PATH_MAX], *text;
    struct err why = {0};
    size_t len;
    int rc;
    snprintf(name, sizeof name, "trials/%u-%u.json", (unsigned)c->index, (unsigned)k);
    rc = load_read(r, name, path, &text, &len, e);
    if (rc != OK)
        return rc;
    rc = load_trial_text(text, len, rec, &why);
    free(text);
    if (rc != OK)
        return err_set(e, rc, "%s: %s", path, why.text);
    if (rec->cell == c->index && rec->trial == k && rec->seed == c->seeds[k] && knows_all(c, rec))
        return OK;
    trial_record_free(rec);
    return err_set(e, ERR_MISMATCH, "%s: belongs to another run", path);
}

static int keep_trial(struct load_cell *c, const struct trial_record *rec)
{
    struct load_trial *t = &c->trials[rec->trial];
    json_t *o = trial_encode(rec);
    char *text = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    json_decref(o);
    if (!text)
        return ERR_NOMEM;
    t->digest = rec->digest;
    t->content = XXH3_64bits(text, strlen(text));
    t->result = rec->result ? XXH3_64bits(rec->result, strlen(rec->result)) : 0;
    t->status = rec->status;
    measure_values(rec, t->values);
    free(text);
    return tally_add(&c->tally, rec);
}

/* What both objects speak of must be equal: versions may add keys. */
static bool agrees(const json_t *ours, const json_t *theirs, const char **where)
{
    const char *key;
    json_t *value;
    if (!json_is_object(ours) || !json_is_object(theirs))
        return json_equal(ours, theirs);
    json_object_foreach((json_t *)(uintptr_t)ours, key, value)
    {
        const json_t *other = json_object_get(theirs, key);
        if (other && !agrees(value, other, where)) {
            if (!*where)
                *where = key;
            return false;
        }
    }
    return true;
}

/* A key of theirs that does not follow from the trials, or NULL. */
static const char *invented(const json_t *ours, const json_t *theirs)
{
    static const char *const sets[] = {"metrics", "drops", "exposures"};
    static const char *const texts[] = {"result", "why"};
    const char *key;
    json_t *value;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (json_object_get(theirs, texts[i]) && !json_object_get(ours, texts[i]))
            return texts[i];
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        json_object_foreach(json_object_get(theirs, sets[i]), key, value)
        {
            if (!json_object_get(json_object_get(ours, sets[i]), key))
                return key;
        }
    return NULL;
}

static int check_cell(const struct load_run *r, size_t i, const struct tally *all, struct err *e)
{
    static const char *const required[] = {"digest",     "trials",  "completed", "wrong",
                                           "unfinished", "metrics", "counts",    "exposures"};
    const json_t *theirs = json_array_get(json_object_get(r->summary, "cells"), i);
    json_t *ours = tally_json(all);
    const char *where = NULL;
    bool good = ours != NULL;
    for (size_t k = 0; k < sizeof required / sizeof *required; k++)
        if (!json_object_get(theirs, required[k])) {
            where = required[k];
            good = false;
        }
    good = good && agrees(ours, theirs, &where) && !(where = invented(ours, theirs));
    if (!good)
        err_set(e, ERR_MISMATCH,
                "%s: summary.json does not follow from trials/ (%s of cell %u): "
                "one of them was edited",
                r->dir, where ? where : "a value", (unsigned)r->cells[i].index);
    json_decref(ours);
    return good ? OK : ERR_MISMATCH;
}

static int load_cell_trials(struct load_run *r, size_t i, FILE *csv, struct err *e)
{
    struct load_cell *c = &r->cells[i];
    struct tally all = {0};
    bool part = c->n < c->n_seeds;
    int rc = tally_init(&c->tally, &c->spec, c->n);
    if (rc == OK && part)
        rc = tally_init(&all, &c->spec, c->n_seeds);
    c->tally.privacy.segments = all.privacy.segments = !r->deterministic;
    c->trials = calloc(c->n + 1, sizeof *c->trials);
    if (rc != OK || !c->trials)
        rc = err_set(e, ERR_NOMEM, "%s: no memory for its trials", r->dir);
    for (uint32_t k = 0; rc == OK && k < c->n_seeds; k++) {
        struct trial_record rec;
        rc = read_trial(r, c, k, &rec, e);
        if (rc != OK)
            break;
        if (k < c->n)
            rc = keep_trial(c, &rec);
        if (rc == OK && part)
            rc = tally_add(&all, &rec);
        if (rc != OK)
            err_set(e, rc, "%s: %s", r->dir, err_name(rc));
        trial_record_free(&rec);
    }
    if (rc == OK)
        rc = check_cell(r, i, part ? &all : &c->tally, e);
    if (rc == OK)
        exposure_csv_cell(csv, c->label, part ? &all : &c->tally);
    tally_free(&all);
    return rc;
}

/* The run's digest is that of its cells' digests, in their order. */
static int check_whole(const struct load_run *r, struct err *e)
{
    const json_t *cells = json_object_get(r->summary, "cells");
    XXH3_state_t *h = XXH3_createState();
    uint64_t digest, whole;
    if (!h)
        return err_set(e, ERR_NOMEM, "%s: no memory", r->dir);
    XXH3_64bits_reset(h);
    for (size_t i = 0; i < r->n_cells; i++) {
        uint8_t bytes[8];
        if (!load_read_hex(json_object_get(json_array_get(cells, i), "digest"), &digest))
            digest = 0;
        for (int b = 0; b < 8; b++)
            bytes[b] = (uint8_t)(digest >> (8 * b));
        XXH3_64bits_update(h, bytes, sizeof bytes);
    }
    whole = XXH3_64bits_digest(h);
    XXH3_freeState(h);
    return whole == r->digest ? OK : load_mismatch(r, "the digest is not that of its cells", e);
}

static int check_exposures(const struct load_run *r, const char *want, size_t want_len,
                           struct err *e)
{
    char path[PATH_MAX], *text;
    size_t len;
    int rc;
    rc = load_read(r, "exposure.csv", path, &text, &len, e);
    if (rc != OK)
        return rc;
    if (len != want_len || memcmp(text, want, len) != 0)
        rc = load_mismatch(r, "exposure.csv does not follow from trials/", e);
    free(text);
    return rc;
}

int load_trials(struct load_run *r, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *csv = open_memstream(&text, &len);
    int rc = csv ? OK : err_set(e, ERR_NOMEM, "%s: no memory", r->dir);
    if (csv)
        exposure_csv_head(csv);
    for (size_t i = 0; rc == OK && i < r->n_cells; i++)
        rc = load_cell_trials(r, i, csv, e);
    if (csv && fclose(csv) != 0 && rc == OK)
        rc = err_set(e, ERR_NOMEM, "%s: no memory", r->dir);
    if (rc == OK)
        rc = check_whole(r, e);
    if (rc == OK)
        rc = check_exposures(r, text, len, e);
    free(text);
    return rc;
}
