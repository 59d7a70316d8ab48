/* Checks a scenario's tree against the table of keys. */
#include "engine/run/schema.h"
#include "engine/run/suggest.h"

#include <string.h>

enum { LIST_TEXT = 480 };

/* Appends ", name" as long as there is room, then ", ...". */
static void append_name(char *list, const char *name)
{
    size_t len = strlen(list);
    const char *comma = len ? ", " : "";
    if (len > 3 && strcmp(list + len - 3, "...") == 0)
        return;
    if (len + strlen(name) + 10 < LIST_TEXT)
        snprintf(list + len, LIST_TEXT - len, "%s%s", comma, name);
    else
        snprintf(list + len, LIST_TEXT - len, "%s...", comma);
}

/* How a finding calls what stands at a row: its key, or "an entry of parties". */
static const char *called(const struct schema_row *row, char *buf, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "%s", row->path);
    size_t len = strlen(path);
    bool entry = false;
    while (len > 2 && (path[len - 1] == ']' || path[len - 1] == '*')) {
        entry = true;
        len -= 2;
        path[len] = '\0';
    }
    const char *dot = strrchr(path, '.');
    snprintf(buf, cap, "%s%s", entry ? "an entry of " : "", dot ? dot + 1 : path);
    return *path ? buf : "a scenario";
}

/* "a duration such as 20ms or a map". Returns buf. */
static const char *shapes(const struct schema_row *row, char *buf, size_t cap)
{
    const char *words[3] = {NULL};
    size_t n = 0, at = 0;
    if (row->forms & (FORM_TEXT | FORM_PLUGIN))
        words[n++] = schema_expects(row);
    if (row->forms & FORM_LIST)
        words[n++] = "a list";
    if (row->forms & (FORM_MAP | FORM_PLUGIN))
        words[n++] = "a map";
    buf[0] = '\0';
    for (size_t i = 0; i < n && at < cap; i++)
        at += (size_t)snprintf(buf + at, cap - at, "%s%s", i ? " or " : "", words[i]);
    return buf;
}

static bool say_shape(const struct schema_row *row, const struct yaml_node *node,
                      struct diag_list *diags)
{
    static const char *const kinds[] = {"a single value", "a list", "a map"};
    char name[80], expects[160];
    yaml_say(diags, node, "%s is %s: expected %s", called(row, name, sizeof name),
             kinds[node->kind], shapes(row, expects, sizeof expects));
    return false;
}

/* ---- single values --------------------------------------------------------------------- */

static bool say_unknown_name(const struct schema_row *row, const struct yaml_node *node,
                             struct diag_list *diags)
{
    static const char *const kinds[] = {NULL, "transport", "protocol", "observer",
                                        "access profile"};
    char what[80], shown[128], near[128], list[LIST_TEXT] = "";
    struct suggest s = suggest_for(node->text);
    for (size_t i = 0; schema_name(row, i); i++) {
        suggest_offer(&s, schema_name(row, i));
        append_name(list, schema_name(row, i));
    }
    diag_quote(node->text, shown, sizeof shown);
    suggest_text(&s, near, sizeof near);
    if (row->names)
        yaml_say(diags, node, "there is no %s %s: expected one of %s%s", kinds[row->names], shown,
                 list, near);
    else
        yaml_say(diags, node, "%s is %s: expected one of %s%s", called(row, what, sizeof what),
                 shown, list, near);
    return false;
}

static bool check_text(const struct schema_row *row, const struct yaml_node *node,
                       struct diag_list *diags)
{
    char what[80], shown[128];
    struct err e;
    if (schema_name(row, 0) || row->names) {
        for (size_t i = 0; schema_name(row, i); i++)
            if (strcmp(schema_name(row, i), node->text) == 0)
                return true;
        return say_unknown_name(row, node, diags);
    }
    int64_t number;
    const char *text;
    struct opt o = row->opt;
    o.offset = 0;
    void *to = o.type == OPT_TEXT ? (void *)&text : &number;
    if (opt_set(&o, to, node->text, &e) == OK)
        return true;
    yaml_say(diags, node, "%s is %s: %s", called(row, what, sizeof what),
             diag_quote(node->text, shown, sizeof shown), e.text);
    return false;
}

bool schema_check_option(const struct opt *o, const struct yaml_node *node, struct diag_list *diags)
{
    struct schema_row row = {.path = o->name, .forms = FORM_TEXT, .opt = *o};
    if (node->refused)
        return false;
    if (node->kind != YAML_TEXT)
        return say_shape(&row, node, diags);
    return o->type == OPT_FILE || check_text(&row, node, diags);
}

/* ---- maps ------------------------------------------------------------------------------ */

static struct suggest nearest_key(const struct schema_row *row, const char *wrong, char *list)
{
    struct suggest s = suggest_for(wrong);
    for (const struct schema_row *r = schema_rows; r->path; r++) {
        const char *key = schema_key(row, r);
        if (key) {
            suggest_offer(&s, key);
            append_name(list, key);
        }
    }
    return s;
}

static void say_unknown_key(const struct schema_row *row, const struct yaml_node *key,
                            struct diag_list *diags)
{
    char what[80], shown[128], near[128], list[LIST_TEXT] = "";
    struct suggest s = nearest_key(row, key->text, list);
    yaml_say(diags, key, "unknown key %s in %s: expected one of %s%s",
             diag_quote(key->text, shown, sizeof shown), called(row, what, sizeof what), list,
             suggest_text(&s, near, sizeof near));
}

/* Is a missing key there under a wrong name, which has its own finding? */
static bool misspelt(const struct schema_row *row, const char *missing, const struct yaml_node *map)
{
    for (uint32_t i = 0; i < map->n; i++) {
        char list[LIST_TEXT] = "";
        if (schema_child(row, map->items[i].key->text))
            continue;
        struct suggest s = nearest_key(row, map->items[i].key->text, list);
        if (s.best && strcmp(s.best, missing) == 0)
            return true;
    }
    return false;
}

static bool check_required(const struct schema_row *row, const struct yaml_node *map,
                           struct diag_list *diags)
{
    bool good = true;
    char what[80], expects[160];
    for (const struct schema_row *r = schema_rows; r->path; r++) {
        const char *key = r->required ? schema_key(row, r) : NULL;
        if (!key || yaml_item(map, key))
            continue;
        good = false;
        if (!misspelt(row, key, map))
            yaml_say(diags, map, "the key \"%s\" is missing in %s: expected %s", key,
                     called(row, what, sizeof what), shapes(r, expects, sizeof expects));
    }
    return good;
}

static bool check(const struct schema_row *row, struct yaml_node *node, struct diag_list *diags);

static bool check_map(const struct schema_row *row, const struct yaml_node *map,
                      struct diag_list *diags)
{
    bool good = check_required(row, map, diags);
    for (uint32_t i = 0; i < map->n; i++) {
        const struct yaml_node *key = map->items[i].key;
        const struct schema_row *child = schema_child(row, key->text);
        if (!child && !key->refused)
            say_unknown_key(row, key, diags);
        good &= child && check(child, map->items[i].value, diags) && !key->refused;
    }
    return good;
}

void schema_unknown_option(const struct opt *table, const struct yaml_node *key, const char *of,
                           struct diag_list *diags)
{
    char shown[128], near[128], list[LIST_TEXT] = "";
    struct suggest s = suggest_for(key->text);
    if (key->refused)
        return;
    for (const struct opt *o = table; o->name; o++) {
        suggest_offer(&s, o->name);
        append_name(list, o->name);
    }
    yaml_say(diags, key, "%s has no option %s: expected %s%s%s", of,
             diag_quote(key->text, shown, sizeof shown), *list ? "one of " : "none", list,
             suggest_text(&s, near, sizeof near));
}

static bool check_plugin(const struct schema_row *row, const struct yaml_node *map,
                         struct diag_list *diags)
{
    char what[80];
    const char *help;
    struct yaml_node *name = yaml_get(map, "name");
    if (!name)
        yaml_say(diags, map, "%s is a map without the key \"name\": expected %s",
                 called(row, what, sizeof what), schema_expects(row));
    else if (name->kind != YAML_TEXT)
        yaml_say(diags, name, "name is not a single value: expected %s", schema_expects(row));
    if (!name || name->kind != YAML_TEXT || name->refused || !check_text(row, name, diags))
        return false;
    const struct opt *opts = schema_plugin(row->names, name->text, &help);
    bool good = true;
    for (uint32_t i = 0; i < map->n; i++) {
        const struct yaml_item *it = &map->items[i];
        const struct schema_row *own = schema_child(row, it->key->text);
        const struct opt *o = opt_find(opts, it->key->text);
        if (strcmp(it->key->text, "name") == 0)
            continue;
        if (own)
            good &= check(own, it->value, diags);
        else if (o)
            good &= schema_check_option(o, it->value, diags);
        else
            schema_unknown_option(opts, it->key, name->text, diags);
        good &= own || o;
    }
    return good;
}

/* ---- every node ------------------------------------------------------------------------ */

static bool check_anew(const struct schema_row *row, struct yaml_node *node,
                       struct diag_list *diags)
{
    if (node->refused)
        return false;
    if (row->forms & FORM_ANY)
        return true;
    if (node->kind == YAML_TEXT && row->forms & (FORM_TEXT | FORM_PLUGIN))
        return check_text(row, node, diags);
    if (node->kind == YAML_MAP && row->forms & FORM_PLUGIN)
        return check_plugin(row, node, diags);
    if (node->kind == YAML_MAP && row->forms & FORM_MAP)
        return check_map(row, node, diags);
    if (node->kind != YAML_LIST || !(row->forms & FORM_LIST))
        return say_shape(row, node, diags);
    const struct schema_row *entry = schema_child(row, "[]");
    bool good = true;
    for (uint32_t i = 0; i < node->n; i++)
        good &= check(entry, node->items[i].value, diags);
    return good;
}

static bool check(const struct schema_row *row, struct yaml_node *node, struct diag_list *diags)
{
    if (node->seen != row) {
        node->valid = check_anew(row, node, diags);
        node->seen = row;
    }
    return node->valid;
}

bool schema_check(struct yaml_node *root, struct diag_list *diags)
{
    return check(&schema_rows[0], root, diags);
}

bool schema_check_at(const char *path, struct yaml_node *node, struct diag_list *diags)
{
    return check(schema_find(path), node, diags);
}
