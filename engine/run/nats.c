/* `nat:` of an entry: a kind, a map of a box, or shares of kinds in a crowd. */
#include "engine/run/resolve.h"
#include "engine/run/schema.h"

#include "engine/node.h"
#include "engine/worlds/link/nat.h"

#include <string.h>

#define NATS_SAY(r, node, ...) ((r)->hosts_good = false, RESOLVE_SAY((r), (node), __VA_ARGS__))

enum { POPULATION = NAT_UDP_BLOCKED + 1 }; /* behind the kinds, in the choices of `nat` */

static const struct nat_spec *spec_of(enum nat_kind kind, const struct nat_spec *own)
{
    return own ? own : nat_preset(kind);
}

/* ---- shares of a crowd ------------------------------------------------------------------ */

/* Exactly so many of each, in an order drawn from the seed. */
static void draw(struct resolving *r, struct group *g, const struct nat_share *shares, uint32_t n)
{
    struct place_share *parts = arena_array(&r->l->scratch, n, sizeof *parts);
    const struct nat_share **out = arena_array(r->l->arena, g->count, sizeof *out);
    struct dice dice = dice_name(r->cell->seed, "nat", g->index, 0, 0);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        parts[i].ppm = shares[i].ppm;
    place_apportion(parts, n, g->count);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < parts[i].n; k++)
            out[at++] = &shares[i];
    for (uint32_t i = g->count; i > 1; i--) {
        uint32_t k = (uint32_t)dice_below(&dice, i);
        const struct nat_share *kept = out[i - 1];
        out[i - 1] = out[k];
        out[k] = kept;
    }
    g->nats = out;
}

static const struct yaml_item *first_share(const struct yaml_node *map)
{
    for (size_t k = 0; nat_kinds[k]; k++)
        if (yaml_item(map, nat_kinds[k]))
            return yaml_item(map, nat_kinds[k]);
    return NULL;
}

#define X(name) RESOLVE_ROW(g, "nat." name)
int64_t nats_share(const struct group *g, size_t kind, const struct yaml_node *map)
{
    const char *const paths[] = {
        X("none"),      X("open"),  X("full_cone"),  X("restricted_cone"), X("port_restricted"),
        X("symmetric"), X("cgnat"), X("udp_blocked")};
    const struct yaml_node *node = yaml_get(map, nat_kinds[kind]);
    return node ? schema_value(paths[kind], node) : 0;
}
#undef X

static bool for_crowd(struct resolving *r, const struct group *g, const struct yaml_node *node)
{
    if (!g->crowd)
        NATS_SAY(r, node, "shares of NATs are for a crowd: expected one kind, or a count");
    return g->crowd;
}

static void read_shares(struct resolving *r, struct group *g, struct yaml_node *map)
{
    struct nat_share *shares = arena_array(r->l->arena, POPULATION, sizeof *shares);
    int64_t sum = 0;
    uint32_t n = 0, given = 0;
    char text[32];
    for (size_t k = 0; nat_kinds[k]; k++) {
        int64_t ppm = nats_share(g, k, map);
        given += yaml_get(map, nat_kinds[k]) != NULL;
        sum += ppm;
        if (ppm)
            shares[n++] = (struct nat_share){(enum nat_kind)k, NULL, ppm};
    }
    if (given != map->n) {
        NATS_SAY(r, map, "this is both shares of kinds and one NAT: expected one of them");
    } else if (for_crowd(r, g, map) && schema_check_at(RESOLVE_ROW(g, "nat"), map, r->l->diags)) {
        if (sum == 1000000)
            draw(r, g, shares, n);
        else
            NATS_SAY(r, map, "the shares add up to %s: expected 100%%",
                     opt_print_value(OPT_RATIO, sum, text, sizeof text));
    }
}

/* ---- a box ------------------------------------------------------------------------------ */

static const char *const own_keys[] = {
    "mapping",         "filtering",   "ports",       "parity",
    "hairpin",         "udp_timeout", "tcp_timeout", "tcp_transitory_timeout",
    "inbound_refresh", "port_limit",  NULL};

static bool has_own(const struct yaml_node *map)
{
    for (size_t i = 0; own_keys[i]; i++)
        if (yaml_get(map, own_keys[i]))
            return true;
    return false;
}

#define ROW(key) (outer ? RESOLVE_ROW(g, "nat.behind." key) : RESOLVE_ROW(g, "nat." key))
#define READ(key, type)                                                                            \
    if (yaml_get(map, #key))                                                                       \
    spec->key = (type)schema_value(ROW(#key), yaml_get(map, #key))

static void read_own(const struct group *g, const struct yaml_node *map, bool outer,
                     struct nat_spec *spec)
{
    READ(mapping, enum nat_rule);
    READ(filtering, enum nat_rule);
    READ(ports, enum nat_ports);
    READ(parity, bool);
    READ(hairpin, bool);
    READ(inbound_refresh, bool);
    READ(udp_timeout, ns_t);
    READ(tcp_timeout, ns_t);
    READ(tcp_transitory_timeout, ns_t);
    READ(port_limit, uint32_t);
}

static const char *name_at(const struct yaml_node *map)
{
    const struct yaml_node *box = yaml_get(map, "box");
    return box && box->kind == YAML_TEXT && !box->refused ? box->text : NULL;
}

static void read_forwards(struct resolving *r, const struct group *g, const struct yaml_node *map,
                          struct nat_spec *spec)
{
    struct yaml_node *list = yaml_get(map, "forward");
    uint32_t n = list && list->kind == YAML_LIST ? list->n : 0;
    struct nat_forward *out = arena_array(r->l->arena, n, sizeof *out);
    if (n && !schema_check_at(RESOLVE_ROW(g, "nat.forward"), list, r->l->diags))
        return;
    for (uint32_t i = 0; i < n; i++) {
        const struct yaml_node *at = list->items[i].value, *to = yaml_get(at, "to");
        const struct yaml_node *port = at->kind == YAML_MAP ? yaml_get(at, "port") : at;
        out[i].outer = (uint16_t)schema_value(RESOLVE_ROW(g, "nat.forward[]"), port);
        out[i].inner =
            to ? (uint16_t)schema_value(RESOLVE_ROW(g, "nat.forward[].to"), to) : out[i].outer;
        for (uint32_t k = 0; k < i; k++)
            if (out[k].outer == out[i].outer)
                NATS_SAY(r, at, "port %u is forwarded twice", (unsigned)out[i].outer);
    }
    spec->forwards = out;
    spec->n_forwards = n;
}

/* The second NAT, if there is one. */
static void read_behind(struct resolving *r, const struct group *g, const struct yaml_node *map,
                        struct nat_spec *spec)
{
    const struct yaml_node *behind = yaml_get(map, "behind");
    struct nat_spec *outer;
    if (!behind)
        return;
    outer = arena_alloc(r->l->arena, sizeof *outer);
    *outer = *nat_carrier();
    read_own(g, behind, true, outer);
    spec->outer = outer;
    spec->outer_box = name_at(behind);
}

/* What can't be together. */
static void contradictions(struct resolving *r, const struct group *g, const struct yaml_node *map)
{
    const struct yaml_item *forward = yaml_item(map, "forward"), *behind = yaml_item(map, "behind");
    bool none = !nat_translates(g->nat), blocked = g->nat == NAT_UDP_BLOCKED;
    for (uint32_t i = 0; i < map->n; i++) {
        const struct yaml_node *key = map->items[i].key;
        bool plain = strcmp(key->text, "kind") == 0 || strcmp(key->text, "box") == 0;
        bool udp =
            strcmp(key->text, "udp_timeout") == 0 || strcmp(key->text, "inbound_refresh") == 0;
        if (none && !plain && schema_child(schema_find(RESOLVE_ROW(g, "nat")), key->text))
            NATS_SAY(r, key, "%s of a host whose NAT is %s: it has a public address", key->text,
                     nat_kinds[g->nat]);
        else if (blocked && udp)
            NATS_SAY(r, key, "%s of a NAT that blocks UDP", key->text);
    }
    if (behind && g->nat == NAT_CGNAT)
        NATS_SAY(r, behind->key, "cgnat is behind a carrier's NAT already: expected another kind");
    if (forward && (behind || g->nat == NAT_CGNAT))
        NATS_SAY(r, forward->key,
                 "a port that is forwarded behind a second NAT is reached by nobody: expected "
                 "forward or a second NAT");
    if (forward && g->count > 1)
        NATS_SAY(r, forward->key, "one port can't be forwarded to %u hosts", (unsigned)g->count);
}

/* With the first entry that named the same box. */
static void compare(struct resolving *r, const struct group *g, const struct yaml_node *at,
                    const struct group *first)
{
    const struct nat_spec *a = spec_of(g->nat, g->nat_spec);
    const struct nat_spec *b = spec_of(first->nat, first->nat_spec);
    if (first->nat != g->nat)
        NATS_SAY(r, at, "the NAT %s has another kind in line %d", at->text, first->node->line);
    else if (!nat_spec_equal(a, b))
        NATS_SAY(r, at, "the NAT %s is described otherwise in line %d", at->text,
                 first->node->line);
    for (uint32_t i = 0; a && i < a->n_forwards; i++)
        for (const struct group *other = first; b && other < g; other++) {
            const struct nat_spec *its = spec_of(other->nat, other->nat_spec);
            for (uint32_t k = 0; other->nat_named && strcmp(other->nat_named, at->text) == 0 &&
                                 its && k < its->n_forwards;
                 k++)
                if (its->forwards[k].outer == a->forwards[i].outer)
                    NATS_SAY(r, at, "the NAT %s forwards port %u to another host, too, in line %d",
                             at->text, (unsigned)a->forwards[i].outer, other->node->line);
        }
}

static void share_box(struct resolving *r, const struct group *g, const struct yaml_node *at,
                      bool carrier)
{
    struct names *mine = carrier ? &r->carriers : &r->boxes;
    uint32_t which = (uint32_t)(g - r->groups), first;
    first = names_find(carrier ? &r->boxes : &r->carriers, at->text);
    if (first != NAMES_NONE)
        NATS_SAY(r, at, "the NAT %s is %s in line %d", at->text,
                 carrier ? "a host's" : "the one behind which others are",
                 r->groups[first].node->line);
    first = names_add(mine, at->text, which);
    if (first == NAMES_NONE)
        return;
    if (!carrier) {
        compare(r, g, at, &r->groups[first]);
    } else {
        const struct nat_spec *a = spec_of(g->nat, g->nat_spec);
        const struct nat_spec *b = spec_of(r->groups[first].nat, r->groups[first].nat_spec);
        if (a && b && !nat_spec_equal(a->outer, b->outer))
            NATS_SAY(r, at, "the NAT %s is described otherwise in line %d", at->text,
                     r->groups[first].node->line);
    }
}

static void read_spec(struct resolving *r, struct group *g, const struct yaml_node *map)
{
    const struct nat_spec *preset = nat_preset(g->nat);
    struct nat_spec *spec;
    if (!preset || !(has_own(map) || yaml_get(map, "behind") || yaml_get(map, "forward")))
        return;
    spec = arena_alloc(r->l->arena, sizeof *spec);
    *spec = *preset;
    g->nat_spec = spec;
    if (g->nat == NAT_CGNAT) {
        struct nat_spec *outer = arena_alloc(r->l->arena, sizeof *outer);
        *outer = *nat_carrier();
        read_own(g, map, false, outer);
        spec->outer = outer;
        spec->outer_box = g->nat_box;
        g->nat_box = NULL;
        return;
    }
    read_own(g, map, false, spec);
    read_forwards(r, g, map, spec);
    read_behind(r, g, map, spec);
}

/* {box: office} alone: as the first entry that named it says. */
static bool inherits(struct resolving *r, struct group *g, const struct yaml_node *map)
{
    uint32_t first = g->nat_named && map->n == 1 ? names_find(&r->boxes, g->nat_named) : NAMES_NONE;
    const struct group *from = first == NAMES_NONE ? NULL : &r->groups[first];
    struct nat_spec *spec;
    if (!from)
        return false;
    g->nat = from->nat;
    g->nat_spec = from->nat_spec;
    if (from->nat_spec && from->nat_spec->n_forwards) {
        spec = arena_alloc(r->l->arena, sizeof *spec);
        *spec = *from->nat_spec;
        spec->n_forwards = 0;
        g->nat_spec = spec;
    }
    return true;
}

static void read_box(struct resolving *r, struct group *g, const struct yaml_node *map)
{
    const struct yaml_node *kind = yaml_get(map, "kind"), *behind = yaml_get(map, "behind");
    g->nat_box = g->nat_named = name_at(map);
    if (map->n == 0)
        NATS_SAY(r, map, "this says nothing: expected the kind of a NAT, or shares of kinds");
    if (inherits(r, g, map))
        return;
    g->nat = NAT_PORT_RESTRICTED;
    if (kind)
        g->nat = (enum nat_kind)schema_value(RESOLVE_ROW(g, "nat.kind"), kind);
    contradictions(r, g, map);
    read_spec(r, g, map);
    if (g->nat_named)
        share_box(r, g, yaml_get(map, "box"), g->nat == NAT_CGNAT);
    if (name_at(behind))
        share_box(r, g, yaml_get(behind, "box"), true);
}

void nats_resolve(struct resolving *r, struct group *g)
{
    struct yaml_node *node = yaml_get(g->node, "nat");
    int64_t kind;
    g->nat = NAT_NONE;
    if (!node || node->refused)
        return;
    if (node->kind == YAML_TEXT) {
        kind = schema_value(RESOLVE_ROW(g, "nat"), node);
        if (kind != POPULATION)
            g->nat = (enum nat_kind)kind;
        else if (for_crowd(r, g, node))
            draw(r, g, nat_population, NAT_POPULATION);
    } else if (node->kind == YAML_MAP) {
        if (first_share(node))
            read_shares(r, g, node);
        else
            read_box(r, g, node);
    }
}

/* ---- who must be reachable ---------------------------------------------------------------- */

static bool reachable(const struct nat_spec *spec, const struct accept *a)
{
    if (spec->udp_blocked && a->kind == LINK_DATAGRAM)
        return false;
    for (uint32_t i = 0; i < spec->n_forwards; i++)
        if (spec->forwards[i].outer == a->port && spec->forwards[i].inner == a->port)
            return true;
    return false;
}

static void check_group(struct resolving *r, const struct group *g)
{
    for (uint32_t i = 0; i < g->present; i++) {
        const struct host_spec *h = &r->hosts[g->id + i];
        const struct accept *a = node_accepts(&r->cell->spec, g->id + i);
        for (; nat_translates(h->nat) && a && a->port; a++)
            if (!reachable(spec_of(h->nat, h->nat_spec), a)) {
                NATS_SAY(r, yaml_get(g->node, "nat"),
                         "%s must be reachable at port %u, and its NAT lets nobody in: expected "
                         "none, or forward: [%u]",
                         g->name, (unsigned)a->port, (unsigned)a->port);
                return;
            }
    }
}

void nats_check(struct resolving *r)
{
    for (size_t i = 0; i < r->n_groups; i++)
        if (r->groups[i].service && yaml_get(r->groups[i].node, "nat"))
            check_group(r, &r->groups[i]);
}
