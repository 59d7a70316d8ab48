/* Results folders for tests, made without running anything: two parties, one relay, one cell,
 * trials as the test fills them. And small tools to damage them. */
#ifndef PARTYLINE_TESTS_RUN_FOLDER_H
#define PARTYLINE_TESTS_RUN_FOLDER_H

#include "analysis/load.h"
#include "engine/run/exposure_csv.h"
#include "engine/run/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct folder {
    char dir[256];
    const char *scenario, *world; /* default: test, sim */
    uint64_t scenario_digest, seed;
    int exit_code;
    uint32_t n;
    /* Fills trial k: samples, exposures (room for 8), digest, status. */
    void (*fill)(struct trial_record *, uint32_t k, void *ctx);
    void *ctx;
};

static inline void folder_write(const struct folder *f, const char *name, const char *text)
{
    char path[512];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    if (files_write(path, text, strlen(text), &e) != OK)
        fail_msg("%s", e.text);
}

static inline void folder_json(const struct folder *f, const char *name, json_t *o)
{
    char path[512];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    assert_non_null(o);
    if (files_write_json(path, o, &e) != OK)
        fail_msg("%s", e.text);
    json_decref(o);
}

static inline json_t *folder_hex(uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)v);
    return json_string(text);
}

static inline json_t *folder_manifest(const struct folder *f)
{
    json_t *seeds = json_array();
    for (uint32_t k = 0; k < f->n; k++)
        json_array_append_new(seeds, folder_hex(trial_seed(f->seed, k)));
    return json_pack("{s:i, s:{s:s, s:s}, s:s, s:s, s:o, s:{s:s, s:i, s:I}, s:[{s:i, s:{s:s}, s:o,"
                     " s:{s:[{s:s, s:s, s:i}], s:[{s:s, s:s}], s:[{s:s}]}}]}",
                     "schema", 1, "program", "version", "0.1.0", "revision", "test", "run",
                     "0123456789abcdef", "world", f->world, "scenario_digest",
                     folder_hex(f->scenario_digest), "scenario", "name", f->scenario, "repeat",
                     (int)f->n, "seed", (json_int_t)f->seed, "cells", "index", 0, "axes",
                     "transport", "direct", "seeds", seeds, "resolved", "parties", "name", "party",
                     "role", "party", "count", 2, "services", "name", "relay1", "role", "relay",
                     "observers", "name", "exposure");
}

static inline uint64_t folder_xxh3(uint64_t digest)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(digest >> (8 * i));
    return XXH3_64bits(bytes, sizeof bytes);
}

static inline void folder_trials(const struct folder *f, struct tally *t)
{
    for (uint32_t k = 0; k < f->n; k++) {
        struct trial_record rec = {.trial = k, .seed = trial_seed(f->seed, k), .digest = 100 + k};
        char name[64];
        metrics_init(&rec.metrics);
        rec.exposures = calloc(8, sizeof *rec.exposures);
        f->fill(&rec, k, f->ctx);
        snprintf(name, sizeof name, "trials/0-%u.json", (unsigned)k);
        folder_json(f, name, trial_encode(&rec));
        assert_int_equal(tally_add(t, &rec), OK);
        trial_record_free(&rec);
    }
}

static inline void folder_exposures(const struct folder *f, const struct tally *t)
{
    char *text = NULL;
    size_t len = 0;
    FILE *csv = open_memstream(&text, &len);
    assert_non_null(csv);
    exposure_csv_head(csv);
    exposure_csv_cell(csv, "transport=direct", t);
    assert_int_equal(fclose(csv), 0);
    folder_write(f, "exposure.csv", text);
    free(text);
}

/* Makes the folder f->dir, or fills it anew. */
static inline void folder_make(struct folder *f)
{
    static const struct roster_entry who[] = {
        {.name = "party_1", .role = "party"},
        {.name = "party_2", .role = "party"},
        {.name = "relay1", .role = "relay"},
    };
    static const struct roster roster = {.n = 3, .n_parties = 2, .entries = who};
    static const struct trial_spec spec = {.roster = &roster, .n_observers = 1};
    char text[128];
    struct tally t;
    json_t *cell;
    uint64_t digest;
    struct err e = {0};
    f->scenario = f->scenario ? f->scenario : "test";
    f->world = f->world ? f->world : "sim";
    snprintf(text, sizeof text, "%.100s/trials", f->dir);
    if (files_make_dir(text, &e) != OK)
        fail_msg("%s", e.text);
    assert_int_equal(tally_init(&t, &spec, f->n), OK);
    folder_trials(f, &t);
    folder_json(f, "manifest.json", folder_manifest(f));
    digest = folder_xxh3(tally_digest(&t));
    cell = tally_json(&t);
    json_object_set_new(cell, "axes", json_pack("{s:s}", "transport", "direct"));
    json_object_set_new(cell, "expect", json_array());
    folder_json(f, "summary.json",
                json_pack("{s:i, s:s, s:s, s:I, s:o, s:[o]}", "schema", 1, "scenario", f->scenario,
                          "world", f->world, "seed", (json_int_t)f->seed, "digest",
                          folder_hex(digest), "cells", cell));
    folder_json(f, "verdict.json",
                json_pack("{s:i, s:i, s:s, s:[]}", "schema", 1, "exit", f->exit_code, "verdict",
                          "met", "cells"));
    snprintf(text, sizeof text, "%016llx 0 transport=direct\n%016llx all\n",
             (unsigned long long)tally_digest(&t), (unsigned long long)digest);
    folder_write(f, "digest", text);
    folder_exposures(f, &t);
    tally_free(&t);
}

/* Replaces a key of a JSON file of the folder; value is JSON, or NULL to remove it. */
static inline void folder_edit(const struct folder *f, const char *name, const char *key,
                               const char *value)
{
    char path[512];
    json_t *o;
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    o = json_load_file(path, 0, NULL);
    assert_non_null(o);
    if (value)
        json_object_set_new(o, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(o, key);
    folder_json(f, name, o);
}

static inline void folder_remove(const struct folder *f, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    assert_int_equal(unlink(path), 0);
}

/* A scratch folder of the test's own; removed at exit by folder_clean. */
static char folder_root[64];

static inline int folder_setup(void **state)
{
    (void)state;
    snprintf(folder_root, sizeof folder_root, "%s/partyline_XXXXXX", P_tmpdir);
    return mkdtemp(folder_root) ? 0 : -1;
}

static inline int folder_clean(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder_root);
    return system(command);
}

static inline struct folder folder_new(const char *name, uint32_t n,
                                       void (*fill)(struct trial_record *, uint32_t, void *),
                                       void *ctx)
{
    struct folder f = {.n = n, .fill = fill, .ctx = ctx, .seed = 1, .scenario_digest = 77};
    snprintf(f.dir, sizeof f.dir, "%s/%s", folder_root, name);
    return f;
}

#endif
