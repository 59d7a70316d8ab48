/* Where the members of an entry are: region, last mile, NAT; also when they start and what
 * they put in. */
#include "engine/run/resolve.h"
#include "engine/run/schema.h"
#include "engine/run/suggest.h"

#include "engine/worlds/link/access.h"

#include <string.h>

/* ---- regions ----------------------------------------------------------------------------- */

/* Its index, or 0 with a finding. */
static uint32_t region_index(struct resolving *r, const struct yaml_node *at)
{
    const struct regions *reg = r->cell->spec.regions;
    char shown[128], near[128];
    if (!r->regions_good)
        return 0;
    struct suggest s = suggest_for(at->text);
    for (uint32_t i = 0; i < reg->n; i++) {
        if (strcmp(reg->names[i], at->text) == 0)
            return i;
        suggest_offer(&s, reg->names[i]);
    }
    RESOLVE_SAY(r, at, "there is no region %s: expected one of the table's %u%s",
                diag_quote(at->text, shown, sizeof shown), (unsigned)reg->n,
                suggest_text(&s, near, sizeof near));
    r->hosts_good = false;
    return 0;
}

void place_apportion(struct place_share *shares, uint32_t n, uint32_t count)
{
    uint32_t left = count;
    for (uint32_t i = 0; i < n; i++) {
        shares[i].n = (uint32_t)(shares[i].ppm * count / 1000000);
        left -= shares[i].n;
    }
    for (; left; left--) {
        struct place_share *most = NULL;
        for (uint32_t i = 0; i < n; i++) {
            int64_t rest = shares[i].ppm * count % 1000000;
            if (!shares[i].given && (!most || rest > most->ppm * count % 1000000))
                most = &shares[i];
        }
        most->n++;
        most->given = 1;
    }
    for (uint32_t i = 0; i < n; i++)
        shares[i].given = 0;
}

/* So that any first part of a crowd is spread as the whole is. */
static void interleave(struct place_share *shares, uint32_t n, uint32_t count, uint32_t *out)
{
    for (uint32_t k = 0; k < count; k++) {
        struct place_share *behind = NULL;
        int64_t most = 0;
        for (uint32_t i = 0; i < n; i++) {
            int64_t lag = (int64_t)(k + 1) * shares[i].n - (int64_t)shares[i].given * count;
            if (shares[i].given < shares[i].n && (!behind || lag > most)) {
                behind = &shares[i];
                most = lag;
            }
        }
        behind->given++;
        out[k] = behind->region;
    }
}

static void region_shares(struct resolving *r, const struct group *g, uint32_t *out)
{
    char sum_text[32];
    struct place_share *shares = arena_array(&r->l->scratch, g->region->n, sizeof *shares);
    int64_t sum = 0;
    for (uint32_t i = 0; i < g->region->n; i++) {
        shares[i].region = region_index(r, g->region->items[i].key);
        shares[i].ppm = schema_value(RESOLVE_ROW(g, "region.*"), g->region->items[i].value);
        sum += shares[i].ppm;
    }
    if (!g->crowd || sum != 1000000) {
        if (!g->crowd)
            RESOLVE_SAY(r, g->region,
                        "shares of regions are for a crowd: expected one region, or "
                        "a count");
        else if (schema_check_at(RESOLVE_ROW(g, "region"), (struct yaml_node *)g->region,
                                 r->l->diags))
            RESOLVE_SAY(r, g->region, "the shares add up to %s: expected 100%%",
                        opt_print_value(OPT_RATIO, sum, sum_text, sizeof sum_text));
        r->hosts_good = false;
        return;
    }
    place_apportion(shares, g->region->n, g->count);
    interleave(shares, g->region->n, g->count, out);
}

static void group_regions(struct resolving *r, struct group *g)
{
    const struct regions *reg = r->cell->spec.regions;
    uint32_t *out = arena_array(r->l->arena, g->count, sizeof *out), region = 0;
    g->region = yaml_get(g->node, "region");
    g->regions = out;
    if (g->region && (g->region->refused || g->region->kind == YAML_LIST))
        return;
    if (g->region && g->region->kind == YAML_MAP) {
        region_shares(r, g, out);
        return;
    }
    if (g->region) {
        region = region_index(r, g->region);
    } else if (reg->n > 1 && r->regions_good && g->node->kind == YAML_MAP) {
        RESOLVE_SAY(r, g->node,
                    "the key \"region\" is missing: expected one of the table's %u "
                    "regions, such as %s",
                    (unsigned)reg->n, reg->names[0]);
        r->hosts_good = false;
    }
    for (uint32_t i = 0; i < g->count; i++)
        out[i] = region;
}

/* ---- last mile, NAT, start, input ---------------------------------------------------------- */

static struct access access_of(const struct group *g)
{
    const struct yaml_node *node = yaml_get(g->node, "access");
    struct access a = {0};
    if (node && node->kind == YAML_TEXT) {
        const struct access *known = access_find(node->text);
        return known ? *known : a;
    }
    if (!node || node->kind != YAML_MAP)
        return a;
#define GET(key)                                                                                   \
    (yaml_get(node, key) ? schema_value(RESOLVE_ROW(g, "access." key), yaml_get(node, key)) : 0)
    a.down_bps = GET("down");
    a.up_bps = GET("up");
    a.latency = GET("latency");
    a.jitter = GET("jitter");
    a.loss_ppm = GET("loss");
    a.queue_bytes = GET("queue");
    a.burst = GET("burst");
    a.bad_ppm = GET("burst_loss");
    a.jitter_shape = (enum jitter_shape)GET("jitter_shape");
#undef GET
    return a;
}

static void group_start(struct group *g)
{
    const struct yaml_node *node = yaml_get(g->node, "start");
    const struct yaml_node *uniform = yaml_get(node, "uniform");
    if (node && node->kind == YAML_TEXT)
        g->start = schema_value(RESOLVE_ROW(g, "start"), node);
    if (uniform)
        g->start_uniform = schema_value(RESOLVE_ROW(g, "start.uniform"), uniform);
    g->start_days = 1;
    if (yaml_get(node, "after"))
        g->start = schema_value(RESOLVE_ROW(g, "start.after"), yaml_get(node, "after"));
    if (yaml_get(node, "days"))
        g->start_days = schema_value(RESOLVE_ROW(g, "start.days"), yaml_get(node, "days"));
}

static struct input input_of(struct resolving *r, const struct group *g)
{
    const struct yaml_node *node = g->service ? NULL : yaml_get(g->node, "input");
    uint32_t n = !node ? 0 : node->kind == YAML_LIST ? node->n : 1;
    const char **values = arena_array(r->l->arena, n, sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        const struct yaml_node *v = node->kind == YAML_LIST ? node->items[i].value : node;
        values[i] = v->kind == YAML_TEXT ? v->text : "";
        r->hosts_good &= v->kind == YAML_TEXT && !v->refused;
    }
    return (struct input){values, n};
}

void place_resolve(struct resolving *r, struct group *g)
{
    group_regions(r, g);
    nats_resolve(r, g);
    group_start(g);
    g->access = access_of(g);
    g->input = input_of(r, g);
}
