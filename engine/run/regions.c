/* Tables of round trips between regions. */
#include "engine/run/resolve.h"
#include "engine/run/schema.h"

#include <string.h>

enum { REGIONS_MAX = 256 };

static const struct regions here = {
    .n = 1, .names = (const char *const[]){"here"}, .rtt = (const ns_t[]){NS_MS / 2}};

/* Outer names first, then those that occur only inside. */
static uint32_t list_names(struct loading *l, const struct yaml_node *table, const char **names)
{
    struct names seen = names_in(&l->scratch);
    uint32_t n = 0;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < table->n; i++) {
            const struct yaml_node *row = table->items[i].value;
            uint32_t inner = pass && row->kind == YAML_MAP ? row->n : !pass;
            for (uint32_t j = 0; j < inner; j++) {
                const char *name = pass ? row->items[j].key->text : table->items[i].key->text;
                if (names_add(&seen, name, n) != NAMES_NONE)
                    continue;
                if (n < REGIONS_MAX)
                    names[n] = name;
                n++;
            }
        }
    return n;
}

static const struct yaml_node *pair(const struct yaml_node *table, const char *a, const char *b)
{
    const struct yaml_node *there = yaml_get(yaml_get(table, a), b);
    return there ? there : yaml_get(yaml_get(table, b), a);
}

static void fill(struct loading *l, const struct yaml_node *table, const struct regions *reg,
                 ns_t *rtt)
{
    for (uint32_t i = 0; i < reg->n; i++)
        for (uint32_t j = 0; j < reg->n; j++) {
            const struct yaml_node *v = pair(table, reg->names[i], reg->names[j]);
            rtt[i * reg->n + j] = schema_value("regions.*.*", v);
            if (!v && j >= i)
                yaml_say(l->diags, table,
                         "no round trip between %s and %s: expected one for every pair",
                         reg->names[i], reg->names[j]);
        }
}

static const struct regions *read_table(struct loading *l, const struct yaml_node *table)
{
    const char *names[REGIONS_MAX];
    uint32_t n = list_names(l, table, names);
    if (n == 0 || n > REGIONS_MAX) {
        yaml_say(l->diags, table, "%u regions: expected 1 to %d", (unsigned)n, REGIONS_MAX);
        return NULL;
    }
    struct regions *reg = arena_alloc(l->arena, sizeof *reg);
    const char **kept = arena_array(l->arena, n, sizeof *kept);
    ns_t *rtt = arena_array(l->arena, (size_t)n * n, sizeof *rtt);
    memcpy(kept, names, n * sizeof *kept);
    *reg = (struct regions){n, kept, rtt};
    fill(l, table, reg, rtt);
    return reg;
}

static bool names_region(const struct tree *t, const char *list)
{
    const struct yaml_node *entries = yaml_get(t->root, list);
    for (uint32_t i = 0; entries && entries->kind == YAML_LIST && i < entries->n; i++)
        if (yaml_item(entries->items[i].value, "region"))
            return true;
    return false;
}

/* The table that a cell uses: the key's own map, a file's, or NULL without a finding: one
 * region for all. */
static struct yaml_node *table_of(struct resolving *r, bool *good)
{
    struct loading *l = r->l;
    struct yaml_node *node = yaml_get(r->tree.root, "regions");
    *good = true;
    if (!node && !names_region(&r->tree, "parties") && !names_region(&r->tree, "services"))
        return NULL;
    if (node && node->kind == YAML_MAP)
        return node;
    const char *name = schema_text("regions", node);
    *good = !(node && (node->refused || node->kind != YAML_TEXT));
    struct yaml_node *table =
        *good ? loading_table(l, node ? node : r->tree.root, SCENARIO_REGIONS, name) : NULL;
    *good = table != NULL;
    return table;
}

void regions_resolve(struct resolving *r)
{
    bool fresh, good;
    struct yaml_node *table = table_of(r, &good);
    r->cell->spec.regions = &here;
    r->regions_good = good;
    if (!table)
        return;
    struct memo *m = loading_memo(r->l, "regions", table, 0, NULL, &fresh);
    if (fresh) {
        schema_check_at("regions", table, r->l->diags);
        m->made = read_table(r->l, table);
    }
    r->regions_good = m->made != NULL;
    if (m->made)
        r->cell->spec.regions = m->made;
}
