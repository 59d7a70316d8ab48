/* Parties and services: from entries of the scenario to nodes of a cell. */
#include "engine/run/resolve.h"
#include "engine/run/schema.h"

#include <string.h>

enum { NAME_MAX_LEN = 63 };

/* ---- names and numbers ------------------------------------------------------------------- */

bool hosts_good_name(const char *name)
{
    size_t len = strlen(name);
    bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
    return letter && len <= NAME_MAX_LEN &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

/* A million names are made: printf would take half a second. */
static void put_decimal(char *to, uint32_t n)
{
    char digits[sizeof "4294967295"];
    size_t k = sizeof digits - 1;
    digits[k] = 0;
    do
        digits[--k] = (char)('0' + n % 10);
    while (n /= 10);
    memcpy(to, digits + k, sizeof digits - k);
}

/* A crowd's names are made once for all cells. */
static const char *const *member_names(struct resolving *r, const struct group *g)
{
    bool fresh;
    if (!g->crowd) {
        const char **own = arena_alloc(r->l->arena, sizeof *own);
        own[0] = g->name;
        return own;
    }
    struct memo *m =
        loading_memo(r->l, "members", g->node, g->count, g->implicit ? g->name : NULL, &fresh);
    if (fresh) {
        const char **names = arena_array(r->l->arena, g->count, sizeof *names);
        size_t stem = strlen(g->name), room = stem + sizeof "_4294967295";
        char *text = arena_array(r->l->arena, g->count, room);
        for (uint32_t i = 0; i < g->count; i++, text += room) {
            memcpy(text, g->name, stem);
            text[stem] = '_';
            put_decimal(text + stem + 1, i + 1);
            names[i] = text;
        }
        m->made = names;
    }
    return m->made;
}

/* ---- groups -------------------------------------------------------------------------------- */

static void read_group(struct resolving *r, struct group *g, const struct yaml_node *node,
                       bool service)
{
    char shown[128];
    const struct yaml_node *name = yaml_get(node, "name"), *count = yaml_get(node, "count");
    *g = (struct group){.node = node, .service = service, .crowd = count != NULL};
    g->count = count ? (uint32_t)schema_value(RESOLVE_ROW(g, "count"), count) : 1;
    if (!name || name->kind != YAML_TEXT || name->refused) {
        r->hosts_good = false;
        return;
    }
    g->name = name->text;
    if (!hosts_good_name(g->name)) {
        RESOLVE_SAY(r, name,
                    "%s is no name: expected letters, digits, _ and -, a letter first, at "
                    "most %d of them",
                    diag_quote(g->name, shown, sizeof shown), NAME_MAX_LEN);
        r->hosts_good = false;
    }
}

static void read_groups(struct resolving *r)
{
    struct yaml_node *lists[] = {yaml_get(r->tree.root, "parties"),
                                 yaml_get(r->tree.root, "services")};
    const struct transport *transport = r->cell->spec.transport;
    size_t n = 0;
    uint64_t index = 0;
    for (int i = 0; i < 2; i++)
        n += lists[i] && lists[i]->kind == YAML_LIST ? lists[i]->n : 0;
    for (const struct transport_role *x = transport ? transport->roles : NULL; x && x->size; x++)
        n++; /* place for implicit ones */
    r->groups = arena_array(r->l->arena, n, sizeof *r->groups);
    for (int i = 0; i < 2; i++)
        for (uint32_t j = 0; lists[i] && lists[i]->kind == YAML_LIST && j < lists[i]->n; j++) {
            struct group *g = &r->groups[r->n_groups];
            read_group(r, g, lists[i]->items[j].value, i == 1);
            g->index = (uint32_t)index;
            index += g->count;
            if (index > SCENARIO_MAX_NODES) {
                RESOLVE_SAY(r, g->node, "more than %d parties and services", SCENARIO_MAX_NODES);
                r->hosts_good = false;
                return;
            }
            r->n_groups++;
        }
}

static bool has_service(const struct resolving *r, const char *role)
{
    for (size_t i = 0; i < r->n_groups; i++) {
        const struct yaml_node *node = yaml_get(r->groups[i].node, "role");
        if (r->groups[i].service && node && node->kind == YAML_TEXT &&
            strcmp(node->text, role) == 0)
            return true;
    }
    return false;
}

/* Services that the transport's options need and the scenario does not list: ROLE_1. */
static void add_implicit(struct resolving *r)
{
    const struct trial_spec *spec = &r->cell->spec;
    const struct group *last = r->n_groups ? &r->groups[r->n_groups - 1] : NULL;
    const struct transport_role *x = spec->transport ? spec->transport->roles : NULL;
    uint32_t index = last ? last->index + last->count : 0;
    for (; last && x && x->size; x++)
        if (x->name && x->wanted && x->wanted(spec->transport_opts) && !has_service(r, x->name))
            r->groups[r->n_groups++] = (struct group){.node = yaml_get(r->tree.root, "transport"),
                                                      .name = x->name,
                                                      .role = x->name,
                                                      .count = 1,
                                                      .index = index++,
                                                      .service = true,
                                                      .crowd = true,
                                                      .implicit = true};
}

/* How many parties this cell keeps: parties.count, or all. */
static uint32_t parties_kept(struct resolving *r)
{
    static const struct opt count = {"parties.count",    OPT_INT, 0, NULL, 1,
                                     SCENARIO_MAX_NODES, NULL,    ""};
    const struct yaml_node *node = r->tree.first_parties;
    struct opt o = count;
    int64_t keep = 0;
    uint32_t all = 0;
    for (size_t i = 0; i < r->n_groups; i++)
        all += r->groups[i].service ? 0 : r->groups[i].count;
    if (!node)
        return all;
    if (!schema_check_option(&count, node, r->l->diags)) {
        r->hosts_good = false;
        return all;
    }
    opt_set(&o, &keep, node->text, NULL);
    if (keep <= all)
        return (uint32_t)keep;
    RESOLVE_SAY(r, node, "parties.count is %s: there are only %u", node->text, (unsigned)all);
    r->hosts_good = false;
    return all;
}

/* Decides who is in the cell, and who has which number there. */
static void place_groups(struct resolving *r)
{
    uint32_t keep = parties_kept(r), id = 0, ends[3];
    for (unsigned rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < r->n_groups; i++) {
            struct group *g = &r->groups[i];
            if (roles_rank(r, g) != rank)
                continue;
            g->id = id;
            if (g->service) {
                g->present = g->implicit || roles_service(r, g) ? g->count : 0;
            } else {
                roles_party(r, g);
                g->present = g->count < keep - id ? g->count : keep - id;
            }
            id += g->present;
        }
        ends[rank] = id;
    }
    r->roster->n_parties = ends[0];
    r->roster->n_clients = ends[1];
    r->roster->n = id;
}

static void say_taken(struct resolving *r, const struct group *g, const char *name)
{
    for (const struct group *other = r->groups; other <= g; other++)
        for (uint32_t i = 0; other->name && i < other->count; i++)
            if (strcmp(other->members[i], name) == 0) {
                RESOLVE_SAY(r, yaml_get(g->node, "name"),
                            "the name %s is taken already, in line %d", name, other->node->line);
                r->hosts_good = false;
                return;
            }
}

static void name_group(struct resolving *r, struct group *g)
{
    uint32_t which = (uint32_t)(g - r->groups);
    if (!g->name)
        return;
    g->members = member_names(r, g);
    if (g->crowd)
        names_add(&r->crowds, g->name, which);
    for (uint32_t i = 0; i < g->count; i++) {
        bool here = i < g->present;
        struct names *mine = here ? &r->nodes : &r->absent, *others = here ? &r->absent : &r->nodes;
        if (names_find(others, g->members[i]) != NAMES_NONE ||
            names_add(mine, g->members[i], here ? g->id + i : which) != NAMES_NONE) {
            say_taken(r, g, g->members[i]);
            return;
        }
    }
}

/* ---- nodes --------------------------------------------------------------------------------- */

/* 2001:db8::/32 and the number behind it. */
static struct addr address_of(uint32_t index)
{
    struct addr a = {.ip = {0x20, 0x01, 0x0d, 0xb8}};
    for (int i = 0; i < 4; i++)
        a.ip[15 - i] = (uint8_t)((index + 1) >> (8 * i));
    return a;
}

static ns_t start_of(const struct resolving *r, const struct group *g, uint32_t i)
{
    if (g->start_uniform == 0)
        return g->start;
    struct dice d = dice_name(r->cell->seed, "start", g->index + i, 0, 0);
    ns_t drawn = (ns_t)dice_below(&d, (uint64_t)g->start_uniform);
    if (g->start_days > 1)
        drawn += (ns_t)dice_below(&d, (uint64_t)g->start_days) * 86400 * NS_S;
    return g->start + drawn;
}

static void fill_nodes(struct resolving *r, const struct group *g)
{
    for (uint32_t i = 0; i < g->present; i++) {
        uint32_t id = g->id + i;
        const struct nat_share *own = g->nats ? g->nats[i] : NULL;
        r->entries[id] = (struct roster_entry){.name = g->name ? g->members[i] : NULL,
                                               .role = g->role,
                                               .addr = address_of(g->index + i)};
        r->regions_used[g->regions[i]] = 1;
        r->hosts[id] = (struct host_spec){.region = g->regions[i],
                                          .access = g->access,
                                          .nat = own ? own->kind : g->nat,
                                          .nat_box = g->nat_box,
                                          .nat_spec = own ? own->spec : g->nat_spec,
                                          .start = start_of(r, g, i),
                                          .line = g->node->line};
    }
}

/* An implicit service is where the first listed one is, else where the first party is. */
static void place_implicit(struct resolving *r, struct group *g)
{
    const struct group *near = &r->groups[0];
    for (const struct group *x = r->groups; x < g; x++)
        if (x->service && x->present) {
            near = x;
            break;
        }
    g->regions = near->regions;
}

void hosts_resolve(struct resolving *r)
{
    struct arena *a = r->l->arena;
    const struct yaml_node *parties = yaml_get(r->tree.root, "parties");
    r->hosts_good = parties && parties->kind == YAML_LIST;
    r->nodes = r->absent = r->crowds = r->boxes = r->carriers = names_in(&r->l->scratch);
    r->roster = arena_alloc(a, sizeof *r->roster);
    read_groups(r);
    add_implicit(r);
    if (parties && parties->kind == YAML_LIST && parties->n == 0)
        RESOLVE_SAY(r, parties, "there are no parties: expected at least one");
    r->hosts_good &= parties && parties->n > 0;
    place_groups(r);
    r->entries = arena_array(a, r->roster->n, sizeof *r->entries);
    r->hosts = arena_array(a, r->roster->n, sizeof *r->hosts);
    r->regions_used = arena_alloc(&r->l->scratch, r->cell->spec.regions->n);
    struct input *inputs = arena_array(a, r->roster->n_parties, sizeof *inputs);
    for (size_t i = 0; i < r->n_groups; i++) {
        struct group *g = &r->groups[i];
        name_group(r, g);
        if (g->implicit)
            place_implicit(r, g);
        else
            place_resolve(r, g);
        fill_nodes(r, g);
        for (uint32_t j = 0; !g->service && j < g->present; j++)
            inputs[g->id + j] = g->input;
    }
    r->roster->entries = r->entries;
    r->cell->spec.roster = r->roster;
    r->cell->spec.hosts = r->hosts;
    r->cell->spec.inputs = inputs;
    if (r->hosts_good)
        roles_check(r);
    if (r->hosts_good && r->transport_good && r->protocol_good)
        nats_check(r);
}
