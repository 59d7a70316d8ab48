/* One cell: from its tree to its trial_spec. */
#include "engine/run/places.h"
#include "engine/run/resolve.h"
#include "engine/run/schema.h"

#include "engine/plugins.h"

#include <string.h>
#include <xxhash.h>

/* ---- options ------------------------------------------------------------------------------- */

static void set_option(struct loading *l, const struct opt *o, void *opts,
                       const struct yaml_node *value, bool *good)
{
    if (value->kind != YAML_TEXT || value->refused)
        return; /* has its finding */
    if (o->type != OPT_FILE) {
        opt_set(o, opts, value->text, NULL);
        return;
    }
    const struct opt_file *file = loading_file(l, value, value->text);
    if (file)
        *(struct opt_file *)((char *)opts + o->offset) = *file;
    else
        *good = false;
}

void *cell_options(struct loading *l, const struct opt *table, size_t size,
                   const struct yaml_node *from, bool *good)
{
    void *opts = arena_alloc(l->arena, size);
    opt_defaults(table, opts);
    for (uint32_t i = 0; from && from->kind == YAML_MAP && i < from->n; i++) {
        const struct opt *o = opt_find(table, from->items[i].key->text);
        if (o)
            set_option(l, o, opts, from->items[i].value, good);
    }
    return opts;
}

/* One option as name=value; a file with the hash of its content. NULL: it is not given. */
static const char *option_text(struct loading *l, const struct opt *o, const void *opts)
{
    char value[1024];
    const struct opt_file *file = (const void *)((const char *)opts + o->offset);
    if (o->type == OPT_FILE)
        return file->path ? arena_printf(l->arena, "%s=%s(%016llx)", o->name, file->path,
                                         (unsigned long long)XXH3_64bits(file->data, file->len))
                          : NULL;
    opt_print(o, opts, value, sizeof value);
    return *value ? arena_printf(l->arena, "%s=%s", o->name, value) : NULL;
}

const char *cell_program(struct loading *l, const struct protocol *p, const void *opts,
                         uint32_t n_parties)
{
    const char *text = p->name;
    for (const struct opt *o = p->opts; o && o->name; o++) {
        const char *one = option_text(l, o, opts);
        if (one)
            text = arena_printf(l->arena, "%s %s", text, one);
    }
    return arena_printf(l->arena, "%s parties=%u", text, (unsigned)n_parties);
}

/* ---- transport and protocol ------------------------------------------------------------------ */

static const char *plugin_name(const struct yaml_node *node)
{
    const struct yaml_node *name = node && node->kind == YAML_MAP ? yaml_get(node, "name") : node;
    return name && name->kind == YAML_TEXT ? name->text : "";
}

static void resolve_plugins(struct resolving *r, bool checked)
{
    struct trial_spec *spec = &r->cell->spec;
    struct yaml_node *t = yaml_get(r->tree.root, "transport");
    struct yaml_node *p = yaml_get(r->tree.root, "protocol");
    spec->transport = plugin_transport(plugin_name(t));
    spec->protocol = plugin_protocol(plugin_name(p));
    r->transport_good =
        spec->transport && (checked || schema_check_at("transport", t, r->l->diags));
    r->protocol_good = spec->protocol && (checked || schema_check_at("protocol", p, r->l->diags));
    if (spec->transport)
        spec->transport_opts = cell_options(r->l, spec->transport->opts, spec->transport->opts_size,
                                            t, &r->transport_good);
    if (spec->protocol)
        spec->protocol_opts = cell_options(r->l, spec->protocol->opts, spec->protocol->opts_size, p,
                                           &r->protocol_good);
}

/* What a party with options of its own believes, or NULL after a finding. */
static const char *own_program(struct resolving *r, const struct yaml_node *own)
{
    const struct protocol *p = r->cell->spec.protocol;
    static const struct opt none[] = {{.name = NULL}};
    const struct opt *table = p->opts ? p->opts : none;
    bool good = own->kind == YAML_MAP && !own->refused;
    for (uint32_t i = 0; good && i < own->n; i++) {
        const struct yaml_item *it = &own->items[i];
        const struct opt *o = opt_find(table, it->key->text);
        if (!o)
            schema_unknown_option(table, it->key, p->name, r->l->diags);
        good = o && schema_check_option(o, it->value, r->l->diags);
    }
    if (!good)
        return NULL;
    const void *common = r->cell->spec.protocol_opts;
    void *opts = arena_alloc(r->l->arena, p->opts_size);
    memcpy(opts, common, p->opts_size);
    for (uint32_t i = 0; i < own->n; i++)
        set_option(r->l, opt_find(table, own->items[i].key->text), opts, own->items[i].value,
                   &good);
    return good ? cell_program(r->l, p, opts, r->roster->n_parties) : NULL;
}

static void resolve_programs(struct resolving *r)
{
    struct trial_spec *spec = &r->cell->spec;
    uint32_t n = r->roster->n_parties;
    const char **programs = arena_array(r->l->arena, n, sizeof *programs);
    spec->programs = programs;
    if (!spec->protocol)
        return;
    const char *common = cell_program(r->l, spec->protocol, spec->protocol_opts, n);
    spec->service_program = common;
    for (size_t i = 0; i < r->n_groups; i++) {
        const struct group *g = &r->groups[i];
        const struct yaml_node *own = g->service ? NULL : yaml_get(g->node, "protocol");
        const char *text = own ? own_program(r, own) : common;
        for (uint32_t j = 0; !g->service && j < g->present; j++)
            programs[g->id + j] = text;
    }
}

static void check_inputs(struct resolving *r)
{
    const struct trial_spec *spec = &r->cell->spec;
    struct err e;
    for (size_t i = 0; i < r->n_groups; i++) {
        const struct group *g = &r->groups[i];
        const struct yaml_node *at = yaml_get(g->node, "input");
        for (uint32_t j = 0; !g->service && j < g->present; j++) {
            if (spec->protocol->check_input(spec->plan, g->id + j, &spec->inputs[g->id + j], &e) ==
                OK)
                continue;
            RESOLVE_SAY(r, at ? at : g->node, "the input of %s: %s", g->name, e.text);
            break;
        }
    }
}

static void resolve_plan(struct resolving *r)
{
    struct trial_spec *spec = &r->cell->spec;
    if (!r->hosts_good || !r->protocol_good)
        return;
    struct protocol_shape shape = {spec->protocol_opts, spec->roster, spec->inputs};
    struct err e = {OK, ""};
    if (spec->protocol->plan && spec->protocol->plan(&shape, &spec->plan, &e) != OK) {
        RESOLVE_SAY(r, yaml_get(r->tree.root, "protocol"), "%s: %s", spec->protocol->name, e.text);
        return;
    }
    if (spec->protocol->check_input)
        check_inputs(r);
}

static void check_transport(struct resolving *r)
{
    struct trial_spec *spec = &r->cell->spec;
    const struct transport *t = spec->transport;
    struct err e = {OK, ""};
    if (!t || !t->check || !r->hosts_good || r->l->diags->said != r->l->said_before)
        return;
    int64_t *up_bps = arena_array(&r->l->scratch, spec->roster->n, sizeof *up_bps);
    for (uint32_t i = 0; i < spec->roster->n; i++)
        up_bps[i] = spec->hosts[i].access.up_bps;
    struct transport_shape shape = {.opts = spec->transport_opts,
                                    .roster = spec->roster,
                                    .up_bps = up_bps,
                                    .modelled = spec->modelled,
                                    .channel_none = spec->channel == CHANNEL_NONE};
    if (t->check(&shape, &e) != OK)
        RESOLVE_SAY(r, yaml_get(r->tree.root, "transport"), "%s: %s", t->name, e.text);
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

/* The key's own map, that of a named table, or NULL: nothing costs anything. */
static const struct yaml_node *compute_table(struct resolving *r)
{
    bool fresh;
    const struct yaml_node *node = yaml_get(r->tree.root, "compute");
    if (!node || node->kind != YAML_TEXT || node->refused || strcmp(node->text, "none") == 0)
        return node;
    struct yaml_node *table = loading_table(r->l, node, SCENARIO_COMPUTE, node->text);
    if (!table)
        return NULL;
    loading_memo(r->l, "compute", table, 0, NULL, &fresh);
    if (fresh)
        schema_check_at("compute", table, r->l->diags);
    return table;
}

static void resolve_compute(struct resolving *r)
{
    static const char *const rows[] = {
#define X(id, text) "compute." text,
        ENV_COSTS(X)
#undef X
    };
    const struct yaml_node *node = compute_table(r);
    if (!node || node->kind != YAML_MAP)
        return;
    ns_t *costs = arena_array(r->l->arena, COST_COUNT, sizeof *costs);
    for (int i = 0; i < COST_COUNT; i++)
        costs[i] = schema_value(rows[i], yaml_get(node, strchr(rows[i], '.') + 1));
    r->cell->spec.costs = costs;
}

static bool enabled(const struct yaml_node *node)
{
    return schema_value("observers[].enabled", yaml_get(node, "enabled")) != 0;
}

static void resolve_observers(struct resolving *r)
{
    static const char standard[] = "exposure";
    const struct yaml_node *list = yaml_get(r->tree.root, "observers");
    uint32_t n = list && list->kind == YAML_LIST ? list->n : 0;
    struct observer_spec *out = arena_array(r->l->arena, n + 1, sizeof *out);
    const struct observer *o = plugin_observer(standard);
    struct trial_spec *spec = &r->cell->spec;
    bool good = true, named = false;
    spec->observers = out;
    for (uint32_t i = 0; i < n; i++)
        named |= strcmp(plugin_name(list->items[i].value), standard) == 0;
    if (!named && o)
        out[spec->n_observers++] = (struct observer_spec){
            .ops = o, .opts = cell_options(r->l, o->opts, o->opts_size, NULL, &good)};
    for (uint32_t i = 0; i < n; i++) {
        const struct yaml_node *node = list->items[i].value;
        o = plugin_observer(plugin_name(node));
        if (o && enabled(node))
            out[spec->n_observers++] = (struct observer_spec){
                .ops = o, .opts = cell_options(r->l, o->opts, o->opts_size, node, &good)};
        if (o && enabled(node) && r->hosts_good && r->regions_good)
            places_resolve(r, node, &out[spec->n_observers - 1]);
    }
}

static void resolve_axes(struct resolving *r)
{
    const struct loading *l = r->l;
    struct cell_axis *axes = arena_array(l->arena, l->n_axes, sizeof *axes);
    for (size_t i = 0; i < l->n_axes; i++) {
        const struct change *c = &l->changes[i];
        axes[i] = (struct cell_axis){c->path, c->shown[matrix_choice(c, r->cell->index)]};
    }
    r->cell->axes = axes;
    r->cell->n_axes = l->n_axes;
}

static void resolve_scalars(struct resolving *r)
{
    const struct yaml_node *root = r->tree.root;
    struct trial_spec *spec = &r->cell->spec;
    r->cell->seed = (uint64_t)schema_value("seed", yaml_get(root, "seed"));
    r->cell->repeat = (uint32_t)schema_value("repeat", yaml_get(root, "repeat"));
    spec->limit = schema_value("limit", yaml_get(root, "limit"));
    spec->channel =
        schema_value("channel", yaml_get(root, "channel")) ? CHANNEL_NONE : CHANNEL_NOISE;
    spec->modelled = schema_value("crypto", yaml_get(root, "crypto")) != 0;
    spec->scenario = r->l->s->name;
    spec->cell = r->cell;
}

void cell_resolve(struct loading *l, struct cell *cell)
{
    struct resolving r = {.l = l, .cell = cell, .tree = matrix_tree(l, cell->index)};
    bool checked = schema_check(r.tree.root, l->diags);
    if (r.tree.root->kind != YAML_MAP)
        return;
    resolve_axes(&r);
    resolve_scalars(&r);
    resolve_plugins(&r, checked);
    regions_resolve(&r);
    hosts_resolve(&r);
    resolve_programs(&r);
    resolve_plan(&r);
    check_transport(&r);
    resolve_compute(&r);
    resolve_observers(&r);
    events_resolve(&r);
    when_resolve(&r);
    if (l->diags->said == l->said_before)
        show_cell(&r);
}
