/* `expect`: its expressions, and for which cells each is judged. */
#include "engine/run/resolve.h"
#include "engine/run/schema.h"
#include "engine/run/suggest.h"

#include <string.h>

/* ---- reading
 * --------------------------------------------------------------------------------------- */

/* The column of byte `at` of a scalar, if it stands in one line as it is read. */
static int column_of(const struct yaml_node *node, size_t at)
{
    int column = node->column + (node->quoted ? 1 : 0);
    if (strpbrk(node->text, "\n\"\\'"))
        return node->column;
    for (size_t i = 0; i < at; i++)
        column += ((unsigned char)node->text[i] & 0xc0) != 0x80;
    return column;
}

static const struct change *axis_of(const struct loading *l, const char *name)
{
    for (size_t i = 0; i < l->n_axes; i++)
        if (strcmp(l->changes[i].path, name) == 0)
            return &l->changes[i];
    return NULL;
}

static bool same_value(const struct yaml_node *want, const struct yaml_node *have);

/* A word that no value of its axis has is a mistake. */
static void check_value(struct loading *l, const struct change *axis, const struct yaml_node *want)
{
    char shown[128], near[128];
    if (!axis->written || want->refused)
        return;
    if (want->kind == YAML_LIST) {
        for (uint32_t i = 0; i < want->n; i++)
            check_value(l, axis, want->items[i].value);
        return;
    }
    struct suggest s = suggest_for(want->kind == YAML_TEXT ? want->text : "");
    for (uint32_t i = 0; i < axis->written->n; i++) {
        const struct yaml_node *have = axis->written->items[i].value;
        const struct yaml_node *name = have->kind == YAML_MAP ? yaml_get(have, "name") : have;
        if (same_value(want, have))
            return;
        if (name && name->kind == YAML_TEXT)
            suggest_offer(&s, name->text);
    }
    yaml_say(l->diags, want, "the axis %s never is %s%s", axis->path,
             want->kind == YAML_TEXT ? diag_quote(want->text, shown, sizeof shown) : "this",
             suggest_text(&s, near, sizeof near));
}

static bool is_key(const char *name)
{
    for (const struct schema_row *row = schema_rows; row->path; row++)
        if (strcmp(row->path, name) == 0 && *name)
            return true;
    return false;
}

static void check_when(struct loading *l, const struct yaml_node *when)
{
    char shown[128], near[128];
    for (uint32_t i = 0; when && when->kind == YAML_MAP && i < when->n; i++) {
        const struct yaml_item *it = &when->items[i];
        const struct change *axis = axis_of(l, it->key->text);
        if (axis)
            check_value(l, axis, it->value);
        if (axis || it->key->refused || is_key(it->key->text) ||
            matrix_at(&l->base, it->key->text) || strcmp(it->key->text, "parties.count") == 0)
            continue;
        struct suggest s = suggest_for(it->key->text);
        for (size_t j = 0; j < l->n_axes; j++)
            suggest_offer(&s, l->changes[j].path);
        for (const struct schema_row *row = schema_rows; row->path; row++)
            if (schema_key(&schema_rows[0], row))
                suggest_offer(&s, row->path);
        yaml_say(l->diags, it->key, "there is no axis and no key %s%s",
                 diag_quote(it->key->text, shown, sizeof shown),
                 suggest_text(&s, near, sizeof near));
    }
}

static void read_that(struct loading *l, const struct yaml_node *that, struct expectation *out)
{
    struct expect *x = NULL;
    struct err e;
    size_t at = 0;
    if (!that || that->kind != YAML_TEXT || that->refused)
        return;
    if (expect_parse(l->arena, that->text, &x, &at, &e) == OK)
        out->expect = (struct cell_expect){that->line, x};
    else
        diag_add(l->diags, that->source, that->line, column_of(that, at), "%s", e.text);
}

void when_read(struct loading *l)
{
    const struct yaml_node *list = yaml_get(l->base.root, "expect");
    uint32_t n = list && list->kind == YAML_LIST ? list->n : 0;
    l->expects = arena_array(l->arena, n, sizeof *l->expects);
    l->n_expects = n;
    for (uint32_t i = 0; i < n; i++) {
        const struct yaml_node *entry = list->items[i].value;
        l->expects[i].when = yaml_get(entry, "when");
        read_that(l, yaml_get(entry, "that"), &l->expects[i]);
        check_when(l, l->expects[i].when);
    }
}

/* ---- judging
 * ------------------------------------------------------------------------------------------ */

/* 1s is 1000ms. */
static bool same_text(const char *a, const char *b)
{
    static const enum opt_type types[] = {OPT_INT, OPT_DURATION, OPT_BYTES, OPT_RATE, OPT_RATIO};
    int64_t x, y;
    if (strcmp(a, b) == 0)
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (opt_parse(types[i], a, &x, NULL) == OK && opt_parse(types[i], b, &y, NULL) == OK)
            return x == y;
    return false;
}

static bool same_value(const struct yaml_node *want, const struct yaml_node *have)
{
    if (want->kind == YAML_LIST && have->kind != YAML_LIST) {
        for (uint32_t i = 0; i < want->n; i++)
            if (same_value(want->items[i].value, have))
                return true;
        return false;
    }
    if (want->kind == YAML_TEXT && have->kind == YAML_MAP)
        have = yaml_get(have, "name");
    else if (want->kind == YAML_MAP && have->kind == YAML_TEXT && want->n == 1)
        want = yaml_get(want, "name");
    if (!want || !have || want->kind != have->kind)
        return false;
    return want->kind == YAML_TEXT ? same_text(want->text, have->text) : yaml_equal(want, have);
}

static bool holds_here(const struct resolving *r, const struct yaml_item *it)
{
    char count[16];
    struct yaml_node standing = {.kind = YAML_TEXT, .weight = 1};
    const struct yaml_node *have = matrix_at(&r->tree, it->key->text);
    if (!have && strcmp(it->key->text, "parties.count") == 0) {
        snprintf(count, sizeof count, "%u", (unsigned)r->roster->n_parties);
        standing.text = count;
        have = &standing;
    } else if (!have && is_key(it->key->text)) {
        standing.text = schema_text(it->key->text, NULL);
        have = standing.text ? &standing : NULL;
    }
    return have && same_value(it->value, have);
}

void when_resolve(struct resolving *r)
{
    struct loading *l = r->l;
    struct cell_expect *out = arena_array(l->arena, l->n_expects, sizeof *out);
    r->cell->expects = out;
    for (size_t i = 0; i < l->n_expects; i++) {
        const struct yaml_node *when = l->expects[i].when;
        bool holds = l->expects[i].expect.expect != NULL;
        for (uint32_t j = 0; holds && when && when->kind == YAML_MAP && j < when->n; j++)
            holds = holds_here(r, &when->items[j]);
        if (holds)
            out[r->cell->n_expects++] = l->expects[i].expect;
    }
}
