/* Overrides and axes: from one tree to a tree for each cell. */
#include "engine/run/resolve.h"
#include "engine/run/suggest.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_DEPTH = 16, SHOWN = 200 };

static const char parties_count[] = "parties.count";

/* ---- replacing one key ----------------------------------------------------------------- */

/* The first name of what is left of c's path; *rest is what follows it. Below `matrix` all
 * the rest is one name: that of an axis. */
static const char *first_name(struct arena *a, const struct change *c, const char *path,
                              const char **rest)
{
    bool axis = path == c->path + 7 && strncmp(c->path, "matrix.", 7) == 0;
    size_t len = axis ? strlen(path) : strcspn(path, ".");
    *rest = path + len + (path[len] == '.');
    return arena_text(a, path, len);
}

static struct yaml_node *new_node(struct loading *l, enum yaml_kind kind,
                                  const struct yaml_node *at)
{
    struct yaml_node *node = arena_alloc(l->arena, sizeof *node);
    *node = (struct yaml_node){
        .kind = kind, .line = at->line, .column = at->column, .source = at->source, .weight = 1};
    return node;
}

/* A copy of a list or map, with room for one item more. */
static struct yaml_node *copy_of(struct loading *l, const struct yaml_node *node)
{
    struct yaml_node *copy = new_node(l, node->kind, node);
    copy->items = arena_array(l->arena, node->n + 1, sizeof *copy->items);
    if (node->n)
        memcpy(copy->items, node->items, node->n * sizeof *copy->items);
    copy->n = node->n;
    copy->refused = node->refused;
    return copy;
}

static void weigh(struct yaml_node *node)
{
    node->weight = 1;
    for (uint32_t i = 0; i < node->n; i++)
        node->weight += node->items[i].value->weight + (node->items[i].key ? 1 : 0);
}

/* The index of the entry of that name; n if there is none. */
static uint32_t entry_of(const struct yaml_node *list, const char *name)
{
    uint32_t i = 0;
    for (; i < list->n; i++) {
        const struct yaml_node *its = yaml_get(list->items[i].value, "name");
        if (its && its->kind == YAML_TEXT && strcmp(its->text, name) == 0)
            break;
    }
    return i;
}

static void say_no_entry(struct loading *l, const struct change *c, const struct yaml_node *list,
                         const char *name)
{
    char shown[128], near[128];
    struct suggest s = suggest_for(name);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct yaml_node *its = yaml_get(list->items[i].value, "name");
        if (its && its->kind == YAML_TEXT)
            suggest_offer(&s, its->text);
    }
    yaml_say(l->diags, c->at, "%s: there is no entry of the name %s%s", c->path,
             diag_quote(name, shown, sizeof shown), suggest_text(&s, near, sizeof near));
}

/* node with the value at the path below it; node itself is left as it is. */
static struct yaml_node *put(struct loading *l, const struct change *c, struct yaml_node *node,
                             const char *path, struct yaml_node *value)
{
    if (*path == '\0')
        return value;
    const char *rest, *name = first_name(l->arena, c, path, &rest);
    uint32_t i = 0;
    struct yaml_node *copy;
    if (node && node->kind == YAML_LIST) {
        i = entry_of(node, name);
        if (i == node->n) {
            say_no_entry(l, c, node, name);
            return node;
        }
        copy = copy_of(l, node);
    } else if (node && node->kind == YAML_MAP) {
        copy = copy_of(l, node);
        while (i < copy->n && strcmp(copy->items[i].key->text, name) != 0)
            i++;
    } else { /* a bare name becomes {name: ...} */
        copy = copy_of(l, new_node(l, YAML_MAP, node ? node : c->at));
        if (node) {
            struct yaml_node *key = new_node(l, YAML_TEXT, node);
            key->text = "name";
            copy->items = arena_array(l->arena, 2, sizeof *copy->items);
            copy->items[copy->n++] = (struct yaml_item){key, node};
            i = strcmp(name, "name") == 0 ? 0 : 1;
        }
    }
    if (i == copy->n) {
        struct yaml_node *key = new_node(l, YAML_TEXT, c->at);
        key->text = name;
        copy->items[copy->n++] = (struct yaml_item){key, NULL};
    }
    copy->items[i].value = put(l, c, copy->items[i].value, rest, value);
    weigh(copy);
    return copy;
}

static void apply(struct loading *l, struct tree *t, const struct change *c,
                  struct yaml_node *value)
{
    if (strcmp(c->path, parties_count) == 0)
        t->first_parties = value;
    else
        t->root = put(l, c, t->root, c->path, value);
}

struct yaml_node *matrix_at(const struct tree *t, const char *path)
{
    struct yaml_node *node = t->root;
    if (strcmp(path, parties_count) == 0)
        return t->first_parties;
    while (node && *path) {
        char name[256];
        size_t len = strcspn(path, ".");
        if (len >= sizeof name)
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        path += len + (path[len] == '.');
        if (node->kind == YAML_LIST) {
            uint32_t i = entry_of(node, name);
            node = i < node->n ? node->items[i].value : NULL;
        } else if (node->kind == YAML_MAP) {
            node = yaml_get(node, name);
        } else if (strcmp(name, "name") != 0) {
            node = NULL;
        }
    }
    return node;
}

/* ---- reading overrides and axes ---------------------------------------------------------- */

static unsigned depth_of(const char *path)
{
    unsigned depth = 1;
    for (; *path; path++)
        depth += *path == '.';
    return depth;
}

static bool good_path(struct loading *l, const struct yaml_node *at, const char *path)
{
    size_t len = strlen(path);
    if (!len || path[0] == '.' || path[len - 1] == '.' || strstr(path, "..") ||
        depth_of(path) > PATH_DEPTH) {
        yaml_say(l->diags, at,
                 "this is no path: expected keys joined by dots, such as "
                 "protocol.threshold");
        return false;
    }
    return true;
}

/* Reads the value in its place behind "path=", so that findings show what was typed. */
static bool read_set(struct loading *l, const struct scenario_set *set, struct change *c)
{
    size_t skip = strlen(set->path) + 1, len = strlen(set->value);
    struct source *from = arena_alloc(l->arena, sizeof *from);
    char *text = arena_alloc(l->arena, skip + len + 1);
    memset(text, ' ', skip);
    memcpy(text + skip, set->value, len);
    *from = (struct source){"--set", text, skip + len, l->n_sources++};
    struct yaml_node here = {.line = 1, .column = 1, .source = from, .text = set->path};
    struct yaml_node *value = yaml_read(l->arena, from, l->diags);
    memcpy(text, set->path, skip - 1);
    text[skip - 1] = '=';
    struct yaml_node *at = new_node(l, YAML_TEXT, &here);
    at->text = set->path;
    *c = (struct change){.path = set->path, .at = at, .depth = depth_of(set->path), .n = 1};
    c->values = arena_alloc(l->arena, sizeof *c->values);
    c->values[0] = value;
    return good_path(l, at, set->path) && value;
}

static bool may_vary(struct loading *l, const struct yaml_node *key)
{
    static const char *const fixed[] = {"schema", "name", "about", "templates", "matrix", "expect"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        size_t len = strlen(fixed[i]);
        if (strncmp(key->text, fixed[i], len) == 0 &&
            (key->text[len] == '\0' || key->text[len] == '.')) {
            yaml_say(l->diags, key, "\"%s\" can't be an axis: it is the same for all cells",
                     fixed[i]);
            return false;
        }
    }
    return good_path(l, key, key->text);
}

static bool read_axis(struct loading *l, const struct yaml_item *it, struct change *c)
{
    if (it->key->refused || !may_vary(l, it->key) || it->value->kind != YAML_LIST)
        return false;
    if (it->value->n == 0) {
        yaml_say(l->diags, it->value, "the axis %s has no value", it->key->text);
        return false;
    }
    *c = (struct change){.path = it->key->text,
                         .at = it->key,
                         .depth = depth_of(it->key->text),
                         .n = it->value->n,
                         .written = it->value};
    c->values = arena_array(l->arena, c->n, sizeof *c->values);
    for (size_t i = 0; i < c->n; i++)
        c->values[i] = it->value->items[i].value;
    return true;
}

/* An override of an axis' own key takes the place of its values. */
static void override_axes(struct loading *l)
{
    size_t kept = l->n_axes;
    for (size_t i = l->n_axes; i < l->n_changes; i++) {
        struct change *set = &l->changes[i], *axis = NULL;
        for (size_t j = 0; j < l->n_axes; j++)
            if (strcmp(l->changes[j].path, set->path) == 0)
                axis = &l->changes[j];
        if (axis) {
            axis->values = set->values;
            axis->n = 1;
        } else {
            l->changes[kept++] = *set;
        }
    }
    l->n_changes = kept;
}

static void sort_changes(struct loading *l)
{
    size_t n = 0;
    l->order = arena_array(l->arena, l->n_changes, sizeof *l->order);
    for (unsigned depth = 1; depth <= PATH_DEPTH; depth++)
        for (size_t i = 0; i < l->n_changes; i++)
            if (l->changes[i].depth == depth)
                l->order[n++] = &l->changes[i];
}

bool matrix_read(struct loading *l, struct yaml_node *root)
{
    struct change *sets = arena_array(l->arena, l->n_sets, sizeof *sets);
    bool good = true;
    l->base.root = root;
    for (size_t i = 0; i < l->n_sets; i++)
        good &= read_set(l, &l->sets[i], &sets[i]);
    if (!good)
        return false;
    for (size_t i = 0; i < l->n_sets; i++)
        apply(l, &l->base, &sets[i], sets[i].values[0]);
    const struct yaml_node *matrix = yaml_get(l->base.root, "matrix");
    size_t n = matrix && matrix->kind == YAML_MAP ? matrix->n : 0;
    l->changes = arena_array(l->arena, n + l->n_sets, sizeof *l->changes);
    for (size_t i = 0; i < n; i++)
        l->n_axes += read_axis(l, &matrix->items[i], &l->changes[l->n_axes]);
    if (l->n_sets)
        memcpy(l->changes + l->n_axes, sets, l->n_sets * sizeof *sets);
    l->n_changes = l->n_axes + l->n_sets;
    override_axes(l);
    sort_changes(l);
    return true;
}

/* ---- cells ------------------------------------------------------------------------------- */

/* A map goes by its name where no other value of the axis has the same. */
static const char *short_name(const struct change *c, size_t i)
{
    const struct yaml_node *name = yaml_get(c->values[i], "name");
    if (!name || name->kind != YAML_TEXT)
        return NULL;
    for (size_t j = 0; j < c->n; j++) {
        const struct yaml_node *other =
            c->values[j]->kind == YAML_TEXT ? c->values[j] : yaml_get(c->values[j], "name");
        if (j != i && other && other->kind == YAML_TEXT && strcmp(other->text, name->text) == 0)
            return NULL;
    }
    return name->text;
}

static void show_values(struct loading *l, struct change *c)
{
    char line[SHOWN];
    struct names names = names_in(&l->scratch);
    c->shown = arena_array(l->arena, c->n, sizeof *c->shown);
    for (size_t i = 0; i < c->n; i++) {
        const char *text = short_name(c, i);
        if (!text)
            text = yaml_line(c->values[i], line, sizeof line);
        c->shown[i] = arena_text(l->arena, text, strlen(text));
        uint32_t same = names_add(&names, c->shown[i], (uint32_t)i);
        if (same == NAMES_NONE)
            continue;
        if (yaml_equal(c->values[same], c->values[i]))
            yaml_say(l->diags, c->values[i], "%s is twice in the axis %s", c->shown[i], c->path);
        else
            c->shown[i] = arena_printf(l->arena, "%s #%zu", c->shown[i], i + 1);
    }
}

bool matrix_axes(struct loading *l)
{
    struct scenario *s = l->s;
    struct scenario_axis *axes = arena_array(l->arena, l->n_axes, sizeof *axes);
    s->axes = axes;
    s->n_axes = l->n_axes;
    s->n_cells = 1;
    for (size_t i = l->n_axes; i-- > 0;) {
        struct change *c = &l->changes[i];
        show_values(l, c);
        axes[i] = (struct scenario_axis){c->path, c->shown, c->n};
        c->stride = s->n_cells;
        if (c->n > SCENARIO_MAX_CELLS / s->n_cells) {
            yaml_say(l->diags, c->at, "more than %d cells", SCENARIO_MAX_CELLS);
            s->n_cells = 1;
            return false;
        }
        s->n_cells *= c->n;
    }
    return true;
}

size_t matrix_choice(const struct change *c, size_t cell)
{
    return c->stride ? cell / c->stride % c->n : 0;
}

struct tree matrix_tree(struct loading *l, size_t cell)
{
    struct tree t = l->base;
    for (size_t i = 0; i < l->n_changes; i++) {
        const struct change *c = l->order[i];
        apply(l, &t, c, c->values[matrix_choice(c, cell)]);
    }
    return t;
}
