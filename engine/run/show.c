/* A resolved cell in words: JSON, which the digests are made from. Nothing here allocates from
 * an arena: a jump to its landing would lose what jansson holds. */
#include "engine/run/resolve.h"
#include "engine/run/schema.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static json_t *quantity(enum opt_type type, int64_t value)
{
    char text[64];
    if (type == OPT_INT)
        return json_integer(value);
    if (type == OPT_BOOL)
        return json_boolean(value != 0);
    return json_string(opt_print_value(type, value, text, sizeof text));
}

static void put(json_t *o, const char *key, json_t *value)
{
    json_object_set_new(o, key, value);
}

static void put_quantity(json_t *o, const char *key, enum opt_type type, int64_t value)
{
    put(o, key, quantity(type, value));
}

/* A name and every option. */
static json_t *plugin_json(const char *name, const struct opt *table, const void *opts)
{
    json_t *out = json_object();
    put(out, "name", json_string(name));
    for (const struct opt *o = table; o && o->name; o++) {
        const void *at = (const char *)opts + o->offset;
        const struct opt_file *file = at;
        char hash[32];
        if (o->type == OPT_TEXT) {
            const char *text = *(const char *const *)at;
            put(out, o->name, text ? json_string(text) : json_null());
        } else if (o->type == OPT_CHOICE) {
            put(out, o->name, json_string(o->choices[*(const int64_t *)at]));
        } else if (o->type == OPT_FILE && file->path) {
            snprintf(hash, sizeof hash, "%016llx",
                     (unsigned long long)XXH3_64bits(file->data, file->len));
            put(out, o->name, json_pack("{s:s, s:s}", "path", file->path, "xxh3", hash));
        } else {
            put(out, o->name,
                o->type == OPT_FILE ? json_null() : quantity(o->type, *(const int64_t *)at));
        }
    }
    return out;
}

/* ---- hosts
 * --------------------------------------------------------------------------------------- */

static json_t *access_json(const struct access *a)
{
    json_t *o = json_object();
    if (a->down_bps)
        put_quantity(o, "down", OPT_RATE, a->down_bps);
    if (a->up_bps)
        put_quantity(o, "up", OPT_RATE, a->up_bps);
    put_quantity(o, "latency", OPT_DURATION, a->latency);
    put_quantity(o, "jitter", OPT_DURATION, a->jitter);
    if (a->jitter && a->jitter_shape == JITTER_LOGNORMAL)
        put(o, "jitter_shape", json_string("lognormal"));
    put_quantity(o, "loss", OPT_RATIO, a->loss_ppm);
    if (a->burst)
        put_quantity(o, "burst", OPT_INT, a->burst);
    if (a->burst && a->bad_ppm)
        put_quantity(o, "burst_loss", OPT_RATIO, a->bad_ppm);
    put_quantity(o, "queue", OPT_BYTES, a->queue_bytes);
    return o;
}

static json_t *region_json(const struct resolving *r, const struct group *g)
{
    const struct regions *reg = r->cell->spec.regions;
    if (!g->region || g->region->kind != YAML_MAP)
        return json_string(reg->names[g->regions[0]]);
    json_t *o = json_object();
    for (uint32_t i = 0; i < g->region->n; i++)
        put_quantity(o, g->region->items[i].key->text, OPT_RATIO,
                     schema_value(RESOLVE_ROW(g, "region.*"), g->region->items[i].value));
    return o;
}

static json_t *input_json(const struct group *g)
{
    json_t *o = json_array();
    for (uint32_t i = 0; i < g->input.n; i++)
        json_array_append_new(o, json_string(g->input.values[i]));
    return o;
}

static json_t *start_json(const struct group *g)
{
    json_t *o;
    if (!g->start_uniform)
        return quantity(OPT_DURATION, g->start);
    o = json_pack("{s:o}", "uniform", quantity(OPT_DURATION, g->start_uniform));
    if (g->start)
        put(o, "after", quantity(OPT_DURATION, g->start));
    if (g->start_days > 1)
        put(o, "days", json_integer(g->start_days));
    return o;
}

static json_t *group_json(const struct resolving *r, const struct group *g)
{
    json_t *o = json_object();
    put(o, "name", json_string(g->name));
    if (g->crowd)
        put(o, "count", json_integer(g->present));
    if (g->present < g->count) /* the first of so many */
        put(o, "of", json_integer(g->count));
    put(o, "role", json_string(g->role));
    put(o, "region", region_json(r, g));
    put(o, "access", access_json(&g->access));
    put(o, "nat", nats_json(g));
    put(o, "start", start_json(g));
    if (!g->service)
        put(o, "inputs", json_integer(g->input.n));
    if (!g->service && yaml_get(g->node, "protocol"))
        put(o, "program", json_string(r->cell->spec.programs[g->id]));
    return o;
}

static json_t *groups_json(const struct resolving *r, bool services)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n_groups; i++)
        if (r->groups[i].service == services && r->groups[i].present)
            json_array_append_new(list, group_json(r, &r->groups[i]));
    return list;
}

/* The regions in use, every pair of them. */
static json_t *regions_json(const struct resolving *r)
{
    const struct regions *reg = r->cell->spec.regions;
    json_t *o = json_object();
    const uint8_t *used = r->regions_used;
    for (uint32_t i = 0; i < reg->n; i++) {
        json_t *row = used[i] ? json_object() : NULL;
        for (uint32_t j = 0; row && j < reg->n; j++)
            if (used[j])
                put_quantity(row, reg->names[j], OPT_DURATION, reg->rtt[i * reg->n + j]);
        if (row)
            put(o, reg->names[i], row);
    }
    return o;
}

/* ---- events, costs, observers
 * ---------------------------------------------------------------------- */

static json_t *sides_json(const struct resolving *r, const struct action *a)
{
    json_t *groups = json_array();
    for (uint32_t i = 0; i < r->roster->n; i++) {
        if (!a->side[i])
            continue;
        while (json_array_size(groups) < a->side[i])
            json_array_append_new(groups, json_array());
        json_array_append_new(json_array_get(groups, (size_t)a->side[i] - 1u),
                              json_string(r->entries[i].name));
    }
    if (a->one_way) {
        json_t *way = json_pack("{s:O, s:O}", "from", json_array_get(groups, 0), "to",
                                json_array_get(groups, 1));
        json_decref(groups);
        return way;
    }
    return groups;
}

static json_t *link_json(const struct resolving *r, const struct action *a)
{
    json_t *o = json_object();
    if (a->one_way) {
        put(o, "from", json_string(r->entries[a->a].name));
        put(o, "to", json_string(r->entries[a->b].name));
    } else {
        put(o, "between", json_pack("[s, s]", r->entries[a->a].name, r->entries[a->b].name));
    }
    if (a->kind == ACT_FLAP) {
        put_quantity(o, "up", OPT_DURATION, a->up);
        put_quantity(o, "down", OPT_DURATION, a->down);
        return o;
    }
    if (a->loss_ppm >= 0)
        put_quantity(o, "loss", OPT_RATIO, a->loss_ppm);
    if (a->burst >= 0)
        put_quantity(o, "burst", OPT_INT, a->burst);
    if (a->jitter >= 0)
        put_quantity(o, "jitter", OPT_DURATION, a->jitter);
    if (a->latency >= 0)
        put_quantity(o, "latency", OPT_DURATION, a->latency);
    if (a->rate_bps >= 0)
        put_quantity(o, "rate", OPT_RATE, a->rate_bps);
    return o;
}

static json_t *action_json(const struct resolving *r, const struct action *a)
{
    json_t *o = json_object();
    put_quantity(o, "at", OPT_DURATION, a->at);
    if (a->kind == ACT_PARTITION)
        put(o, "partition", sides_json(r, a));
    else if (a->kind == ACT_LINK || a->kind == ACT_FLAP)
        put(o, events_kinds[a->kind], link_json(r, a));
    else
        put(o, events_kinds[a->kind], json_string(r->entries[a->node].name));
    if (a->until != NS_NEVER)
        put_quantity(o, "until", OPT_DURATION, a->until);
    return o;
}

static json_t *tcp_json(const struct tcp_spec *t)
{
    json_t *o = json_object();
    put(o, "like", json_string(t->like_ns3 ? "ns3" : "linux"));
    put_quantity(o, "delayed_ack", OPT_DURATION, t->delayed_ack);
    put_quantity(o, "min_rto", OPT_DURATION, t->min_rto);
    put_quantity(o, "receive_window", OPT_BYTES, t->receive_window);
    put_quantity(o, "initial_window", OPT_INT, t->initial_window);
    put_quantity(o, "hystart", OPT_BOOL, t->hystart);
    if (t->keepalive)
        put_quantity(o, "keepalive", OPT_DURATION, t->keepalive);
    return o;
}

static json_t *costs_json(const struct resolving *r)
{
    static const char *const names[] = {
#define X(id, text) text,
        ENV_COSTS(X)
#undef X
    };
    if (!r->cell->spec.costs)
        return json_string("none");
    json_t *o = json_object();
    for (int i = 0; i < COST_COUNT; i++)
        put_quantity(o, names[i], OPT_DURATION, r->cell->spec.costs[i]);
    return o;
}

/* ---- the cell
 * ---------------------------------------------------------------------------------------- */

static json_t *observer_json(const struct observer_spec *spec)
{
    json_t *o = plugin_json(spec->ops->name, spec->ops->opts, spec->opts), *x;
    if (spec->named) {
        x = json_array();
        for (size_t i = 0; i < spec->n_named; i++)
            json_array_append_new(x, json_string(spec->named[i]));
        put(o, "at", x);
    }
    if (spec->coalition) {
        x = json_pack("{s:i}", "size", (int)spec->coalition);
        if (spec->draws)
            put(x, "draws", json_integer(spec->draws));
        if (spec->with)
            put(x, "with", json_string(spec->with));
        if (spec->by_worst)
            put(x, "worst", json_string(privacy_infos[spec->worst].name));
        put(o, "coalitions", x);
    }
    return o;
}

static json_t *spec_json(const struct resolving *r)
{
    const struct trial_spec *spec = &r->cell->spec;
    json_t *o = json_object(), *events = json_array(), *observers = json_array();
    for (size_t i = 0; i < spec->n_actions; i++)
        json_array_append_new(events, action_json(r, &spec->actions[i]));
    for (size_t i = 0; i < spec->n_observers; i++)
        json_array_append_new(observers, observer_json(&spec->observers[i]));
    put_quantity(o, "limit", OPT_DURATION, spec->limit);
    put(o, "regions", regions_json(r));
    put(o, "parties", groups_json(r, false));
    put(o, "services", groups_json(r, true));
    put(o, "transport",
        plugin_json(spec->transport->name, spec->transport->opts, spec->transport_opts));
    put(o, "channel", json_string(spec->channel == CHANNEL_NONE ? "none" : "noise"));
    put(o, "crypto", json_string(spec->modelled ? "modelled" : "real"));
    put(o, "compute", costs_json(r));
    put(o, "protocol",
        plugin_json(spec->protocol->name, spec->protocol->opts, spec->protocol_opts));
    put(o, "events", events);
    if (spec->n_links) {
        json_t *links = json_array();
        for (size_t i = 0; i < spec->n_links; i++)
            json_array_append_new(links, link_json(r, &spec->links[i]));
        put(o, "links", links);
    }
    if (spec->tcp)
        put(o, "tcp", tcp_json(spec->tcp));
    put(o, "observers", observers);
    return o;
}

static uint64_t digest_of(const json_t *value)
{
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT);
    uint64_t digest = text ? XXH3_64bits(text, strlen(text)) : 0;
    free(text);
    return digest;
}

static json_t *expects_json(const struct cell *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_expects; i++)
        json_array_append_new(list, json_string(c->expects[i].expect->text));
    return list;
}

/* In place of the numbers of values. */
static void put_inputs(const struct resolving *r, json_t *parties)
{
    size_t at = 0;
    for (size_t i = 0; i < r->n_groups; i++) {
        const struct group *g = &r->groups[i];
        if (g->service || !g->present)
            continue;
        json_t *o = json_array_get(parties, at++);
        json_object_del(o, "inputs");
        put(o, "input", input_json(g));
    }
}

void show_cell(struct resolving *r)
{
    struct cell *c = r->cell;
    json_t *spec = spec_json(r), *axes = json_object();
    char hex[32];
    c->spec.scenario_digest = digest_of(spec);
    put_inputs(r, json_object_get(spec, "parties"));
    for (size_t i = 0; i < c->n_axes; i++)
        put(axes, c->axes[i].name, json_string(c->axes[i].value));
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)c->spec.scenario_digest);
    c->json = json_pack("{s:i, s:o, s:s, s:I, s:I}", "cell", (int)c->index, "axes", axes, "digest",
                        hex, "seed", (json_int_t)c->seed, "repeat", (json_int_t)c->repeat);
    json_object_update(c->json, spec);
    put(c->json, "expect", expects_json(c));
    json_decref(spec);
}
