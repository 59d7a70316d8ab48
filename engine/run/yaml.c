#include "engine/run/yaml.h"

#include "engine/run/names.h"

#include <string.h>
#include <yaml.h>

struct reading {
    struct arena *arena;
    const struct source *from;
    struct diag_list *diags;
    yaml_document_t doc;
    struct yaml_node **made; /* by index in doc; NULL: not yet */
    uint8_t *open;           /* being made: meeting it again is a cycle */
    size_t total;            /* items made, merged ones included */
    bool failed;             /* there will be no tree */
};

#define SAY(r, mark, ...)                                                                          \
    diag_add((r)->diags, (r)->from, (int)(mark).line + 1, (int)(mark).column + 1, __VA_ARGS__)

static struct yaml_node *fail(struct reading *r)
{
    r->failed = true;
    return NULL;
}

/* ---- one node after another ----------------------------------------------------------- */

static void check_text(struct reading *r, struct yaml_node *node, const yaml_node_t *in)
{
    static const char *const braces[] = {"{{", "}}", "{%", "%}", "{#", "#}"};
    char shown[128];
    size_t len = in->data.scalar.length;
    const char *why = node->quoted ? NULL : yaml_ambiguous(node->text);
    diag_quote(node->text, shown, sizeof shown);
    node->refused = true;
    if (strlen(node->text) != len) {
        SAY(r, in->start_mark, "a text with a NUL byte in it");
        return;
    }
    if (why && !*node->text) {
        SAY(r, in->start_mark, "a value is missing here");
        return;
    }
    if (why) {
        SAY(r, in->start_mark, "%s %s", shown, why);
        return;
    }
    for (size_t i = 0; i < sizeof braces / sizeof *braces; i++)
        if (strstr(node->text, braces[i])) {
            SAY(r, in->start_mark, "%s holds \"%s\", which templates of Ansible would replace",
                shown, braces[i]);
            return;
        }
    node->refused = false;
}

static void read_text(struct reading *r, struct yaml_node *node, const yaml_node_t *in)
{
    node->quoted = in->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_text(r->arena, (const char *)in->data.scalar.value, in->data.scalar.length);
    bool merge = !node->quoted && strcmp(node->text, "<<") == 0;
    if (!merge)
        check_text(r, node, in);
}

static struct yaml_node *read_node(struct reading *r, int index, int depth);

/* Bounds what merging can multiply. */
static bool count_items(struct reading *r, const struct yaml_node *at, size_t n)
{
    r->total += n;
    if (r->total <= 2 * YAML_MAX_NODES)
        return true;
    if (!r->failed)
        yaml_say(r->diags, at, "too much: more than %d values", YAML_MAX_NODES);
    r->failed = true;
    return false;
}

static void weigh(struct reading *r, struct yaml_node *node)
{
    uint64_t weight = 1;
    unsigned height = 0;
    for (uint32_t i = 0; i < node->n; i++) {
        const struct yaml_item *it = &node->items[i];
        weight += it->value->weight + (it->key ? it->key->weight : 0);
        if (it->value->height + 1u > height)
            height = it->value->height + 1u;
    }
    if (weight > YAML_MAX_NODES || height >= YAML_MAX_DEPTH) {
        if (!r->failed && height >= YAML_MAX_DEPTH)
            yaml_say(r->diags, node, "nested deeper than %d levels", YAML_MAX_DEPTH);
        else if (!r->failed)
            yaml_say(r->diags, node, "too much: more than %d values, aliases counted in full",
                     YAML_MAX_NODES);
        r->failed = true;
        weight = YAML_MAX_NODES;
        height = YAML_MAX_DEPTH;
    }
    node->weight = (uint32_t)weight;
    node->height = (uint8_t)height;
}

static void read_list(struct reading *r, struct yaml_node *node, const yaml_node_t *in, int depth)
{
    size_t n = (size_t)(in->data.sequence.items.top - in->data.sequence.items.start);
    if (!count_items(r, node, n))
        return;
    node->items = arena_array(r->arena, n, sizeof *node->items);
    for (size_t i = 0; i < n && !r->failed; i++) {
        struct yaml_node *value = read_node(r, in->data.sequence.items.start[i], depth + 1);
        if (value)
            node->items[node->n++].value = value;
    }
}

/* ---- maps ------------------------------------------------------------------------------ */

enum { FEW = 16 }; /* up to here names are compared one by one */

struct filling {
    struct yaml_node *map;
    struct names names; /* from FEW items on: key to index */
    size_t cap;
};

static uint32_t find_key(const struct filling *f, const char *key)
{
    if (f->cap > FEW)
        return names_find(&f->names, key);
    for (uint32_t i = 0; i < f->map->n; i++)
        if (strcmp(f->map->items[i].key->text, key) == 0)
            return i;
    return NAMES_NONE;
}

static void add_item(struct filling *f, struct yaml_item it)
{
    if (f->cap > FEW)
        names_add(&f->names, it.key->text, f->map->n);
    f->map->items[f->map->n++] = it;
}

static bool is_merge(const struct yaml_node *key)
{
    return !key->quoted && strcmp(key->text, "<<") == 0;
}

static void merge_map(struct filling *f, const struct yaml_node *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        if (find_key(f, from->items[i].key->text) == NAMES_NONE)
            add_item(f, from->items[i]);
}

/* How many pairs merging this value can add; also says what cannot be merged. */
static size_t mergeable(struct reading *r, struct yaml_node *value)
{
    size_t n = 0;
    if (value->kind == YAML_MAP)
        return value->n;
    bool good = value->kind == YAML_LIST;
    for (uint32_t i = 0; good && i < value->n; i++) {
        good = value->items[i].value->kind == YAML_MAP;
        n += value->items[i].value->n;
    }
    if (good)
        return n;
    yaml_say(r->diags, value, "<< takes a map, or a list of maps, such as *home or [*home, *slow]");
    value->refused = true;
    return 0;
}

static void merge_all(struct filling *f, const struct yaml_item *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *value = pairs[i].value;
        if (!is_merge(pairs[i].key) || value->refused)
            continue;
        if (value->kind == YAML_MAP)
            merge_map(f, value);
        else
            for (uint32_t j = 0; j < value->n; j++)
                merge_map(f, value->items[j].value);
    }
}

static bool new_key(struct reading *r, const struct yaml_node *key, const struct filling *f)
{
    char shown[128];
    uint32_t other = find_key(f, key->text);
    if (other == NAMES_NONE)
        return true;
    yaml_say(r->diags, key, "the key %s is there twice, first in line %d",
             diag_quote(key->text, shown, sizeof shown), f->map->items[other].key->line);
    return false;
}

static void read_map(struct reading *r, struct yaml_node *node, const yaml_node_t *in, int depth)
{
    const yaml_node_pair_t *pairs = in->data.mapping.pairs.start;
    size_t n = (size_t)(in->data.mapping.pairs.top - pairs), kept = 0, room = 0;
    if (!count_items(r, node, n))
        return;
    struct yaml_item *read = arena_array(r->arena, n, sizeof *read);
    for (size_t i = 0; i < n; i++) {
        struct yaml_item it = {read_node(r, pairs[i].key, depth + 1), NULL};
        it.value = it.key ? read_node(r, pairs[i].value, depth + 1) : NULL;
        if (!it.value)
            return;
        if (it.key->kind != YAML_TEXT) {
            yaml_say(r->diags, it.key, "a key must be a word");
            continue;
        }
        room += is_merge(it.key) ? mergeable(r, it.value) : 1;
        read[kept++] = it;
    }
    if (room > kept && !count_items(r, node, room - kept))
        return;
    struct filling f = {.map = node, .names = names_in(r->arena), .cap = room};
    node->items = arena_array(r->arena, room, sizeof *node->items);
    for (size_t i = 0; i < kept; i++)
        if (!is_merge(read[i].key) && new_key(r, read[i].key, &f))
            add_item(&f, read[i]);
    merge_all(&f, read, kept);
}

static struct yaml_node *read_node(struct reading *r, int index, int depth)
{
    const yaml_node_t *in = &r->doc.nodes.start[index - 1];
    if (r->made[index - 1])
        return r->made[index - 1];
    if (r->open[index - 1]) {
        SAY(r, in->start_mark, "an anchor that holds itself");
        return fail(r);
    }
    if (depth > YAML_MAX_DEPTH) {
        SAY(r, in->start_mark, "nested deeper than %d levels", YAML_MAX_DEPTH);
        return fail(r);
    }
    struct yaml_node *node = arena_alloc(r->arena, sizeof *node);
    *node = (struct yaml_node){.source = r->from,
                               .line = (int)in->start_mark.line + 1,
                               .column = (int)in->start_mark.column + 1};
    static const char *const tags[] = {YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG};
    node->kind = in->type == YAML_SCALAR_NODE     ? YAML_TEXT
                 : in->type == YAML_SEQUENCE_NODE ? YAML_LIST
                                                  : YAML_MAP;
    if (strcmp((const char *)in->tag, tags[node->kind]) != 0)
        SAY(r, in->start_mark, "tags are not used here");
    r->open[index - 1] = 1;
    if (node->kind == YAML_TEXT)
        read_text(r, node, in);
    else if (node->kind == YAML_LIST)
        read_list(r, node, in, depth);
    else
        read_map(r, node, in, depth);
    r->open[index - 1] = 0;
    weigh(r, node);
    r->made[index - 1] = node;
    return r->failed ? NULL : node;
}

/* ---- the document ---------------------------------------------------------------------- */

static void say_syntax(struct reading *r, const yaml_parser_t *p)
{
    int line = (int)p->problem_mark.line + 1, column = (int)p->problem_mark.column + 1;
    if (p->error == YAML_MEMORY_ERROR) {
        diag_add(r->diags, r->from, 0, 0, "out of memory");
        return;
    }
    if (p->error == YAML_READER_ERROR) { /* it knows the byte only */
        line = column = 1;
        for (size_t i = 0; i < p->problem_offset && i < r->from->len; i++) {
            column = r->from->text[i] == '\n' ? 1 : column + 1;
            line += r->from->text[i] == '\n';
        }
    }
    if (p->context && p->context_mark.line != p->problem_mark.line)
        diag_add(r->diags, r->from, line, column,
                 "this is not YAML: %s (%s that begins in line %zu)", p->problem, p->context,
                 p->context_mark.line + 1);
    else
        diag_add(r->diags, r->from, line, column, "this is not YAML: %s%s%s", p->problem,
                 p->context ? ", " : "", p->context ? p->context : "");
}

/* libyaml compares every anchor with every other: many of them would take hours. */
static bool few_anchors(struct reading *r)
{
    int n = 0;
    for (size_t i = 1; i < r->from->len; i++)
        n += r->from->text[i] == '&' && strchr(" \t\n[{,:-?", r->from->text[i - 1]);
    if (n <= YAML_MAX_ANCHORS)
        return true;
    diag_add(r->diags, r->from, 0, 0, "more than %d anchors", YAML_MAX_ANCHORS);
    return false;
}

static struct yaml_node *read_document(struct reading *r)
{
    size_t n = (size_t)(r->doc.nodes.top - r->doc.nodes.start);
    if (n == 0) {
        diag_add(r->diags, r->from, 0, 0, "there is nothing in this file");
        return NULL;
    }
    jmp_buf *outer = r->arena->landing, here;
    if (setjmp(here)) {
        yaml_document_delete(&r->doc);
        r->arena->landing = outer;
        arena_alloc(r->arena, SIZE_MAX); /* jumps on */
        return NULL;
    }
    r->arena->landing = &here;
    r->made = arena_array(r->arena, n, sizeof *r->made);
    r->open = arena_alloc(r->arena, n);
    struct yaml_node *root = read_node(r, 1, 0);
    r->arena->landing = outer;
    return root;
}

static void refuse_second(struct reading *r, yaml_parser_t *parser)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) {
        say_syntax(r, parser);
        return;
    }
    if (yaml_document_get_root_node(&second))
        SAY(r, second.start_mark, "a second document begins here: expected one only");
    yaml_document_delete(&second);
}

struct yaml_node *yaml_read(struct arena *a, const struct source *from, struct diag_list *diags)
{
    struct reading r = {.arena = a, .from = from, .diags = diags};
    struct yaml_node *root = NULL;
    yaml_parser_t parser;
    if (from->len > YAML_MAX_BYTES) {
        diag_add(diags, from, 0, 0, "the file is bigger than %d MiB", YAML_MAX_BYTES >> 20);
        return NULL;
    }
    if (!few_anchors(&r) || !yaml_parser_initialize(&parser))
        return NULL;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)from->text, from->len);
    if (yaml_parser_load(&parser, &r.doc)) {
        if (r.doc.nodes.top != r.doc.nodes.start)
            refuse_second(&r, &parser);
        yaml_parser_delete(&parser);
        root = read_document(&r);
        yaml_document_delete(&r.doc);
    } else {
        say_syntax(&r, &parser);
        yaml_parser_delete(&parser);
    }
    return root;
}
