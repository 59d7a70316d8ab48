#include "analysis/load_inner.h"

#include "engine/run/files.h"
#include "engine/run/scenario.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- pieces --------------------------------------------------------------------------- */

static int not_ours(const char *path, const char *what, struct err *e)
{
    return err_set(e, ERR_FORMAT, "%s is not a file of a run: %s", path, what);
}

bool load_read_hex(const json_t *v, uint64_t *out)
{
    const char *text = json_string_value(v);
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    for (*out = 0; *text; text++)
        *out = *out << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return true;
}

static bool read_number(const json_t *o, const char *key, int64_t low, int64_t high, int64_t *out)
{
    const json_t *v = json_object_get(o, key);
    *out = json_integer_value(v);
    return json_is_integer(v) && *out >= low && *out <= high;
}

int load_read(const struct load_run *r, const char *name, char path[PATH_MAX], char **text,
              size_t *len, struct err *e)
{
    int rc;
    if (snprintf(path, PATH_MAX, "%s/%s", r->dir, name) >= PATH_MAX)
        return err_set(e, ERR_INVALID, "%s: the path is too long", r->dir);
    rc = files_read(path, LOAD_FILE_MAX, text, len, e);
    return rc != ERR_ABSENT
               ? rc
               : err_set(e, rc, "%s is missing: that run is not finished (partyline run --resume)",
                         path);
}

static int read_json(const struct load_run *r, const char *name, json_t **out, struct err *e)
{
    char path[PATH_MAX], *text;
    json_error_t je;
    int64_t schema;
    size_t len;
    int rc;
    rc = load_read(r, name, path, &text, &len, e);
    if (rc != OK)
        return rc;
    *out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
    free(text);
    if (!*out)
        return err_set(e, ERR_FORMAT, "%s:%d: %s", path, je.line, je.text);
    if (!read_number(*out, "schema", 0, INT64_MAX, &schema))
        return not_ours(path, "it has no schema", e);
    if (schema != LOAD_SCHEMA)
        return err_set(e, ERR_UNSUPPORTED,
                       "%s has schema %lld: %s Partyline made it; this one reads schema %d", path,
                       (long long)schema, schema < LOAD_SCHEMA ? "an older" : "a newer",
                       LOAD_SCHEMA);
    return OK;
}

/* ---- which folder --------------------------------------------------------------------- */

static bool is_run(const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    return snprintf(path, sizeof path, "%s/manifest.json", dir) < (int)sizeof path &&
           stat(path, &st) == 0;
}

static int find_run(const char *path, char out[PATH_MAX], struct err *e)
{
    char sub[PATH_MAX];
    struct dirent *d;
    unsigned n = 0;
    DIR *dir;
    if (strlen(path) >= PATH_MAX)
        return err_set(e, ERR_INVALID, "the path of the folder is too long");
    memcpy(out, path, strlen(path) + 1);
    if (is_run(path))
        return OK;
    dir = opendir(path);
    if (!dir)
        return err_set(e, ERR_ABSENT, "%s is not a folder that can be read", path);
    while ((d = readdir(dir)))
        if (d->d_name[0] != '.' &&
            snprintf(sub, sizeof sub, "%s/%s", path, d->d_name) < (int)sizeof sub && is_run(sub) &&
            n++ == 0)
            memcpy(out, sub, strlen(sub) + 1);
    closedir(dir);
    if (n == 1)
        return OK;
    return n ? err_set(e, ERR_ABSENT, "%s holds %u runs: name one of them", path, n)
             : err_set(e, ERR_ABSENT, "%s holds no run: there is no manifest.json", path);
}

/* ---- the manifest --------------------------------------------------------------------- */

static uint32_t group_size(const json_t *g)
{
    int64_t n;
    if (!json_object_get(g, "count"))
        return 1;
    return read_number(g, "count", 1, SCENARIO_MAX_NODES, &n) ? (uint32_t)n : 0;
}

/* A node's name stands in memory behind this, as its ISP's does. */
#define ISP "isp_"

/* The names of a list of parties or services, behind the n that are there already. */
static bool add_nodes(struct load_cell *c, const json_t *groups, uint32_t room)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i);
        const char *name = json_string_value(json_object_get(g, "name"));
        const char *role = json_string_value(json_object_get(g, "role"));
        bool crowd = json_object_get(g, "count") != NULL;
        for (uint32_t k = 0; k < group_size(g) && c->roster.n < room; k++) {
            size_t len = strlen(ISP) + strlen(name) + 12;
            char *copy = malloc(len);
            if (!copy)
                return false;
            snprintf(copy, len, crowd ? ISP "%s_%u" : ISP "%s", name, (unsigned)k + 1);
            c->entries[c->roster.n++] =
                (struct roster_entry){.name = copy + strlen(ISP), .role = role};
        }
    }
    return true;
}

static int64_t count_nodes(const json_t *groups)
{
    int64_t n = 0;
    if (!json_is_array(groups))
        return -1;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i);
        uint32_t size = group_size(g);
        if (!size || !json_is_string(json_object_get(g, "name")) ||
            !json_is_string(json_object_get(g, "role")))
            return -1;
        n += size;
    }
    return n;
}

static const char *read_roster(struct load_cell *c, const json_t *resolved)
{
    const json_t *parties = json_object_get(resolved, "parties");
    const json_t *services = json_object_get(resolved, "services");
    int64_t n_parties = count_nodes(parties), n_services = count_nodes(services);
    if (n_parties < 1 || n_services < 0 || n_parties + n_services > SCENARIO_MAX_NODES)
        return "a cell's parties or services";
    c->entries = calloc((size_t)(n_parties + n_services), sizeof *c->entries);
    if (!c->entries || !add_nodes(c, parties, (uint32_t)n_parties))
        return "no memory for its parties";
    c->roster.n_parties = c->roster.n;
    if (!add_nodes(c, services, (uint32_t)(n_parties + n_services)))
        return "no memory for its services";
    c->roster.entries = c->entries;
    c->spec = (struct trial_spec){
        .roster = &c->roster,
        .n_observers = json_array_size(json_object_get(resolved, "observers")),
    };
    return NULL;
}

static const char *read_seeds(struct load_cell *c, const json_t *seeds)
{
    size_t n = json_array_size(seeds);
    if (n == 0 || n > SCENARIO_MAX_REPEAT)
        return "a cell's seeds";
    c->seeds = calloc(n, sizeof *c->seeds);
    if (!c->seeds)
        return "no memory for its seeds";
    for (size_t k = 0; k < n; k++)
        if (!load_read_hex(json_array_get(seeds, k), &c->seeds[k]))
            return "a cell's seeds";
    c->n_seeds = c->n = (uint32_t)n;
    return NULL;
}

static const char *read_cell(struct load_cell *c, const json_t *o)
{
    const char *key, *wrong;
    json_t *value;
    int64_t index;
    size_t len = 0;
    c->axes = json_object_get(o, "axes");
    if (!read_number(o, "index", 0, SCENARIO_MAX_CELLS, &index) || !json_is_object(c->axes))
        return "a cell's index or axes";
    c->index = (uint32_t)index;
    json_object_foreach((json_t *)(uintptr_t)c->axes, key, value)
    {
        if (!json_is_string(value))
            return "a cell's axes";
        if (len < sizeof c->name)
            len += (size_t)snprintf(c->name + len, sizeof c->name - len, "%s%s=%s", len ? "/" : "",
                                    key, json_string_value(value));
    }
    wrong = read_seeds(c, json_object_get(o, "seeds"));
    return wrong ? wrong : read_roster(c, json_object_get(o, "resolved"));
}

static const char *read_manifest(struct load_run *r)
{
    const json_t *m = r->manifest, *program = json_object_get(m, "program");
    const json_t *scenario = json_object_get(m, "scenario"), *cells = json_object_get(m, "cells");
    r->scenario = json_string_value(json_object_get(scenario, "name"));
    r->world = json_string_value(json_object_get(m, "world"));
    r->id = json_string_value(json_object_get(m, "run"));
    r->version = json_string_value(json_object_get(program, "version"));
    r->revision = json_string_value(json_object_get(program, "revision"));
    if (!r->scenario || !r->world || !r->id || !r->version || !r->revision)
        return "its scenario, world, run or program";
    if (!*r->scenario || strspn(r->scenario, "abcdefghijklmnopqrstuvwxyz0123456789_-"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(r->scenario))
        return "the scenario's name";
    if (!load_read_hex(json_object_get(m, "scenario_digest"), &r->scenario_digest) ||
        !read_number(scenario, "seed", INT64_MIN, INT64_MAX, &r->seed))
        return "the scenario's digest or seed";
    r->deterministic = strcmp(r->world, "sim") == 0 || strcmp(r->world, "ns3") == 0;
    r->cells = calloc(json_array_size(cells) + 1, sizeof *r->cells);
    if (!r->cells || json_array_size(cells) == 0)
        return "its cells";
    for (; r->n_cells < json_array_size(cells);) {
        const char *wrong = read_cell(&r->cells[r->n_cells], json_array_get(cells, r->n_cells));
        r->n_cells++;
        if (wrong)
            return wrong;
        if (r->n_cells > 1 && r->cells[r->n_cells - 1].index <= r->cells[r->n_cells - 2].index)
            return "the order of its cells";
    }
    return NULL;
}

/* ---- the other files ------------------------------------------------------------------ */

int load_mismatch(const struct load_run *r, const char *what, struct err *e)
{
    return err_set(e, ERR_MISMATCH, "%s: %s: edited, or of another run", r->dir, what);
}

static bool same_text(const json_t *o, const char *key, const char *want)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text && strcmp(text, want) == 0;
}

static int check_summary(struct load_run *r, struct err *e)
{
    const json_t *cells = json_object_get(r->summary, "cells");
    int64_t exit_code;
    if (!load_read_hex(json_object_get(r->summary, "digest"), &r->digest))
        return load_mismatch(r, "summary.json has no digest", e);
    if (!same_text(r->summary, "scenario", r->scenario) ||
        !same_text(r->summary, "world", r->world) || json_array_size(cells) != r->n_cells)
        return load_mismatch(r, "summary.json and manifest.json differ in scenario, world or cells",
                             e);
    for (size_t i = 0; i < r->n_cells; i++)
        if (!json_equal(json_object_get(json_array_get(cells, i), "axes"), r->cells[i].axes))
            return load_mismatch(r, "summary.json and manifest.json differ in a cell", e);
    if (!read_number(r->verdict, "exit", 0, 255, &exit_code))
        return load_mismatch(r, "verdict.json has no exit code", e);
    return OK;
}

/* A line for each cell, its digest, index and name, and one for all of them. */
static bool same_digests(struct load_run *r, const char *text)
{
    const json_t *cells = json_object_get(r->summary, "cells");
    char want[48];
    for (size_t i = 0; i < r->n_cells; i++) {
        struct load_cell *c = &r->cells[i];
        const char *hex = json_string_value(json_object_get(json_array_get(cells, i), "digest"));
        const char *end = strchr(text, '\n');
        int len = snprintf(want, sizeof want, "%.16s %u ", hex ? hex : "", (unsigned)c->index);
        if (!end || strncmp(text, want, (size_t)len) != 0)
            return false;
        snprintf(c->label, sizeof c->label, "%.*s", (int)(end - text) - len, text + len);
        text = end + 1;
    }
    snprintf(want, sizeof want, "%016llx all\n", (unsigned long long)r->digest);
    return strcmp(text, want) == 0;
}

static int check_digest(struct load_run *r, struct err *e)
{
    char path[PATH_MAX], *text;
    size_t len;
    int rc;
    rc = load_read(r, "digest", path, &text, &len, e);
    if (rc != OK)
        return rc;
    rc = strlen(text) == len && same_digests(r, text)
             ? OK
             : load_mismatch(r, "digest and summary.json differ", e);
    free(text);
    return rc;
}

int load_open(const char *path, struct load_run *r, struct err *e)
{
    const char *wrong;
    int rc;
    *r = (struct load_run){0};
    rc = find_run(path, r->dir, e);
    if (rc == OK)
        rc = read_json(r, "manifest.json", &r->manifest, e);
    if (rc == OK && (wrong = read_manifest(r)))
        rc = err_set(e, ERR_FORMAT, "%s/manifest.json is not as this version writes it: %s", r->dir,
                     wrong);
    if (rc == OK)
        rc = read_json(r, "summary.json", &r->summary, e);
    if (rc == OK)
        rc = read_json(r, "verdict.json", &r->verdict, e);
    if (rc == OK)
        rc = check_summary(r, e);
    if (rc == OK)
        rc = check_digest(r, e);
    if (rc != OK)
        load_close(r);
    return rc;
}

void load_close(struct load_run *r)
{
    for (size_t i = 0; i < r->n_cells; i++) {
        struct load_cell *c = &r->cells[i];
        tally_free(&c->tally);
        for (uint32_t k = 0; c->entries && k < c->roster.n; k++)
            free((char *)(uintptr_t)(c->entries[k].name - strlen(ISP)));
        free(c->entries);
        free(c->seeds);
        free(c->trials);
    }
    free(r->cells);
    json_decref(r->manifest);
    json_decref(r->summary);
    json_decref(r->verdict);
    *r = (struct load_run){0};
}

const char *load_name(const struct load_cell *c, party_t node)
{
    if (node < c->roster.n)
        return c->entries[node].name;
    return node / 2 < c->roster.n ? c->entries[node - c->roster.n].name - strlen(ISP) : "";
}
