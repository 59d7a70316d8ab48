/* Loading: files, the sequence of steps, ownership. */
#include "engine/run/scenario.h"

#include "engine/run/files.h"
#include "engine/run/resolve.h"
#include "engine/run/schema.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { OPTION_FILE_MAX = 64 << 20 };

static const size_t ARENA_MAX = (size_t)8 << 30;
static const char *data_dir = "scenarios";

void scenario_set_data_dir(const char *dir)
{
    data_dir = dir;
}

const char *scenario_data_dir(void)
{
    return data_dir;
}

/* ---- the files of a scenario that has a path ---------------------------------------------------
 */

static const char *path_of(const char *scenario, enum scenario_file kind, const char *path,
                           struct arena *a)
{
    const char *slash = strrchr(scenario, '/');
    if (kind != SCENARIO_FILE)
        return arena_printf(a, "%s/%s/%s.yaml", data_dir,
                            kind == SCENARIO_REGIONS ? "regions" : "compute", path);
    if (*path == '/' || !slash)
        return arena_text(a, path, strlen(path));
    return arena_printf(a, "%.*s/%s", (int)(slash - scenario), scenario, path);
}

static int read_beside(void *ctx, enum scenario_file kind, const char *path, struct arena *a,
                       const char **name, const char **data, size_t *len, struct err *e)
{
    char *read;
    *name = path_of(ctx, kind, path, a);
    int rc = files_read(*name, OPTION_FILE_MAX, &read, len, e);
    if (rc != OK)
        return rc;
    jmp_buf *landing = a->landing; /* read must be freed */
    a->landing = NULL;
    *data = arena_text(a, read, *len);
    a->landing = landing;
    free(read);
    return *data ? OK : err_set(e, ERR_NOMEM, "%s: out of memory", *name);
}

/* ---- read once, used by all cells
 * ------------------------------------------------------------------ */

struct memo *loading_memo(struct loading *l, const char *kind, const void *node, uint32_t n,
                          const char *path, bool *fresh)
{
    for (struct memo *m = l->memos; m; m = m->next)
        if (m->node == node && m->n == n && strcmp(m->kind, kind) == 0 &&
            (path == m->path || (path && m->path && strcmp(path, m->path) == 0))) {
            *fresh = false;
            return m;
        }
    struct memo *m = arena_alloc(l->arena, sizeof *m);
    *m = (struct memo){.kind = kind, .node = node, .n = n, .path = path, .next = l->memos};
    l->memos = m;
    *fresh = true;
    return m;
}

static bool read_file(struct loading *l, enum scenario_file kind, const struct yaml_node *at,
                      const char *path, struct source *out)
{
    struct err e;
    if (!l->reader) {
        yaml_say(l->diags, at, "files cannot be read here");
        return false;
    }
    if (l->reader->read(l->reader->ctx, kind, path, l->arena, &out->name, &out->text, &out->len,
                        &e) == OK)
        return true;
    yaml_say(l->diags, at, "%s%s", e.text,
             kind == SCENARIO_COMPUTE && strcmp(path, "calibrated") == 0
                 ? ": `partyline calibrate` measures this machine and writes it"
                 : "");
    return false;
}

const struct opt_file *loading_file(struct loading *l, const struct yaml_node *at, const char *path)
{
    bool fresh;
    struct source from;
    struct memo *m = loading_memo(l, "file", NULL, 0, path, &fresh);
    if (fresh && read_file(l, SCENARIO_FILE, at, path, &from)) {
        struct opt_file *file = arena_alloc(l->arena, sizeof *file);
        *file = (struct opt_file){path, (const uint8_t *)from.text, from.len};
        m->made = file;
    }
    return m->made;
}

static struct yaml_node *read_table(struct loading *l, const struct yaml_node *at,
                                    enum scenario_file kind, const char *name)
{
    struct source *from = arena_alloc(l->arena, sizeof *from);
    if (!hosts_good_name(name)) {
        yaml_say(l->diags, at, "%s",
                 kind == SCENARIO_REGIONS
                     ? "regions is no map and no name of a table such as aws"
                     : "compute is no map and no name of a table such as laptop");
        return NULL;
    }
    if (!read_file(l, kind, at, name, from))
        return NULL;
    from->order = l->n_sources++;
    struct yaml_node *table = yaml_read(l->arena, from, l->diags);
    if (table && table->kind == YAML_MAP)
        return table;
    if (table)
        yaml_say(l->diags, table, "expected a map of %s",
                 kind == SCENARIO_REGIONS ? "regions" : "operations and durations");
    return NULL;
}

struct yaml_node *loading_table(struct loading *l, const struct yaml_node *at,
                                enum scenario_file kind, const char *name)
{
    struct found {
        struct yaml_node *table;
    } * found;
    bool fresh;
    struct memo *m = loading_memo(l, "table", NULL, (uint32_t)kind, name, &fresh);
    if (fresh) {
        found = arena_alloc(l->arena, sizeof *found);
        found->table = read_table(l, at, kind, name);
        m->made = found;
    }
    return ((const struct found *)m->made)->table;
}

/* ---- steps
 * --------------------------------------------------------------------------------------------- */

static const char *text_at(const struct yaml_node *root, const char *key, const char *otherwise)
{
    const struct yaml_node *node = yaml_get(root, key);
    return node && node->kind == YAML_TEXT ? node->text : otherwise;
}

static void read_head(struct loading *l)
{
    struct scenario *s = l->s;
    const struct yaml_node *root = l->base.root, *name = yaml_get(root, "name");
    char shown[128];
    s->name = text_at(root, "name", "");
    s->about = text_at(root, "about", "");
    s->schema = schema_value("schema", yaml_get(root, "schema"));
    s->seed = (uint64_t)schema_value("seed", yaml_get(root, "seed"));
    s->repeat = (uint32_t)schema_value("repeat", yaml_get(root, "repeat"));
    s->limit = schema_value("limit", yaml_get(root, "limit"));
    if (name && name->kind == YAML_TEXT && !name->refused && !hosts_good_name(name->text))
        yaml_say(l->diags, name,
                 "%s is no name for a scenario: expected letters, digits, _ and -, a letter first",
                 diag_quote(s->name, shown, sizeof shown));
}

static void digest_scenario(struct scenario *s)
{
    XXH3_state_t *h = XXH3_createState();
    if (!h)
        return;
    XXH3_64bits_reset(h);
    XXH3_64bits_update(h, s->name, strlen(s->name) + 1);
    for (size_t i = 0; i < s->n_cells; i++) {
        const struct cell *c = &s->cells[i];
        char hex[32];
        for (size_t j = 0; j < c->n_axes; j++) {
            XXH3_64bits_update(h, c->axes[j].name, strlen(c->axes[j].name) + 1);
            XXH3_64bits_update(h, c->axes[j].value, strlen(c->axes[j].value) + 1);
        }
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)c->spec.scenario_digest);
        XXH3_64bits_update(h, hex, strlen(hex));
    }
    s->digest = XXH3_64bits_digest(h);
    XXH3_freeState(h);
}

static void resolve_cells(struct loading *l)
{
    struct scenario *s = l->s;
    uint64_t nodes = 0;
    s->cells = arena_array(l->arena, s->n_cells, sizeof *s->cells);
    for (size_t i = 0; i < s->n_cells; i++) {
        s->cells[i].index = (uint32_t)i;
        cell_resolve(l, &s->cells[i]);
        arena_free(&l->scratch);
        const struct roster *roster = s->cells[i].spec.roster;
        nodes += roster ? roster->n : 0;
        if (nodes > 4 * (uint64_t)SCENARIO_MAX_NODES) {
            yaml_say(l->diags, l->base.root, "more than %d nodes in all cells together",
                     4 * SCENARIO_MAX_NODES);
            return;
        }
    }
}

static void load(struct loading *l)
{
    struct yaml_node *root = yaml_read(l->arena, l->s->source, l->diags);
    if (!root)
        return;
    if (root->kind != YAML_MAP) {
        schema_check(root, l->diags);
        return;
    }
    if (!matrix_read(l, root))
        return;
    read_head(l);
    matrix_axes(l);
    arena_free(&l->scratch);
    when_read(l);
    resolve_cells(l);
    if (l->diags->said == l->said_before)
        digest_scenario(l->s);
}

/* Runs out of memory here, in one place. */
static bool load_within(struct loading *l)
{
    jmp_buf landing;
    if (setjmp(landing))
        return false;
    l->arena->landing = l->scratch.landing = &landing;
    load(l);
    return true;
}

static int finish(struct loading *l, bool fits, struct scenario **out)
{
    const struct source *from = l->s->source;
    int rc = !fits ? ERR_NOMEM : l->diags->said == l->said_before ? OK : ERR_INVALID;
    if (!fits)
        diag_add(l->diags, from, 0, 0, "out of memory");
    l->arena->landing = NULL;
    arena_free(&l->scratch);
    if (rc == OK)
        *out = l->s;
    else
        scenario_free(l->s);
    return rc;
}

int scenario_load_text(const char *name, const char *text, size_t len,
                       const struct scenario_reader *reader, const struct scenario_set *sets,
                       size_t n_sets, struct scenario **out, struct diag_list *diags)
{
    struct scenario *s = calloc(1, sizeof *s);
    struct source *from = NULL, given = {name, NULL, 0, 0};
    *out = NULL;
    if (s) {
        arena_init(&s->arena, ARENA_MAX);
        from = arena_alloc(&s->arena, sizeof *from);
        s->file = arena_text(&s->arena, name, strlen(name));
        char *copy = arena_text(&s->arena, text, len);
        if (from && copy)
            *from = (struct source){s->file, copy, len, 0};
        s->source = copy && s->file ? from : NULL;
    }
    if (!s || !s->source) {
        scenario_free(s);
        diag_add(diags, &given, 0, 0, "out of memory");
        return ERR_NOMEM;
    }
    struct loading l = {.s = s,
                        .arena = &s->arena,
                        .diags = diags,
                        .said_before = diags->said,
                        .reader = reader,
                        .sets = sets,
                        .n_sets = n_sets,
                        .n_sources = 1};
    arena_init(&l.scratch, ARENA_MAX);
    return finish(&l, load_within(&l), out);
}

int scenario_load(const char *path, const struct scenario_set *sets, size_t n_sets,
                  struct scenario **out, struct diag_list *diags)
{
    struct scenario_reader reader = {read_beside, (void *)(uintptr_t)path};
    struct source from = {path, NULL, 0, 0};
    struct err e;
    char *text;
    size_t len;
    *out = NULL;
    int rc = files_read(path, YAML_MAX_BYTES, &text, &len, &e);
    if (rc != OK) {
        size_t skip = strlen(path); /* a finding begins with it anyway */
        bool twice = strncmp(e.text, path, skip) == 0 && strncmp(e.text + skip, ": ", 2) == 0;
        diag_add(diags, &from, 0, 0, "%s", twice ? e.text + skip + 2 : e.text);
        return rc == ERR_NOMEM ? rc : ERR_IO;
    }
    rc = scenario_load_text(path, text, len, &reader, sets, n_sets, out, diags);
    free(text);
    return rc;
}

void scenario_free(struct scenario *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->cells && i < s->n_cells; i++) {
        struct cell *c = &s->cells[i];
        const struct protocol *p = c->spec.protocol;
        if (c->spec.plan && p && p->free_plan)
            p->free_plan(c->spec.plan);
        json_decref(c->json);
    }
    arena_free(&s->arena);
    free(s);
}
