/* `events`: crashes, restarts, partitions, changes of links. */
#include "engine/run/resolve.h"
#include "engine/run/schema.h"
#include "engine/run/suggest.h"

#include <stdlib.h>
#include <string.h>

enum found { FOUND_NODE, FOUND_CROWD, FOUND_ABSENT, FOUND_NOT };

struct event_spot { /* a crash or restart, for checking their order */
    const struct action *action;
    const struct yaml_node *at;
};

struct eventing {
    struct resolving *r;
    struct action *actions;
    size_t n;
    struct event_spot *spots;
    size_t n_spots;
    bool good;
};

#define EVENT_SAY(e, node, ...) ((e)->good = false, RESOLVE_SAY((e)->r, (node), __VA_ARGS__))

/* ---- names -------------------------------------------------------------------------------------
 */

static void say_unknown(struct eventing *e, const struct yaml_node *at)
{
    const struct resolving *r = e->r;
    char shown[128], near[128];
    struct suggest s = suggest_for(at->text);
    for (size_t i = 0; i < r->n_groups; i++)
        for (uint32_t j = 0; r->groups[i].name && j < r->groups[i].count && j < 100; j++)
            suggest_offer(&s, r->groups[i].members[j]);
    EVENT_SAY(e, at, "there is no party or service %s%s", diag_quote(at->text, shown, sizeof shown),
              suggest_text(&s, near, sizeof near));
}

/* Whom a name means. FOUND_ABSENT is a service that this cell does not start; anyone else who
 * is not there has a finding. */
static enum found find(struct eventing *e, const struct yaml_node *at, uint32_t *id)
{
    const struct resolving *r = e->r;
    if (at->kind != YAML_TEXT || at->refused) {
        e->good = false;
        return FOUND_NOT;
    }
    *id = names_find(&r->nodes, at->text);
    if (*id != NAMES_NONE)
        return FOUND_NODE;
    *id = names_find(&r->absent, at->text);
    if (*id != NAMES_NONE && r->groups[*id].service)
        return FOUND_ABSENT;
    if (*id != NAMES_NONE) {
        EVENT_SAY(e, at, "%s is not in this cell: parties.count leaves it out", at->text);
        return FOUND_NOT;
    }
    *id = names_find(&r->crowds, at->text);
    if (*id != NAMES_NONE)
        return FOUND_CROWD;
    say_unknown(e, at);
    return FOUND_NOT;
}

/* Exactly one node. */
static bool find_node(struct eventing *e, const struct yaml_node *at, uint32_t *id)
{
    enum found what = find(e, at, id);
    if (what == FOUND_CROWD)
        EVENT_SAY(e, at, "%s is a crowd: expected one of its members, such as %s_1", at->text,
                  at->text);
    return what == FOUND_NODE;
}

/* ---- partitions
 * ---------------------------------------------------------------------------------- */

static void put_side(struct eventing *e, const struct yaml_node *at, uint8_t *side, uint32_t id,
                     uint32_t n, uint8_t group)
{
    for (uint32_t i = id; i < id + n; i++) {
        if (side[i]) {
            EVENT_SAY(e, at, "%s is in this partition twice", at->text);
            return;
        }
        side[i] = group;
    }
}

static bool read_group_of(struct eventing *e, const struct yaml_node *list, uint8_t *side,
                          uint8_t group)
{
    const struct resolving *r = e->r;
    bool any = false;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct yaml_node *at = list->items[i].value;
        uint32_t id, n = 1;
        enum found what = find(e, at, &id);
        if (what == FOUND_CROWD) {
            n = r->groups[id].present;
            id = r->groups[id].id;
        }
        if (what == FOUND_CROWD || what == FOUND_NODE) {
            put_side(e, at, side, id, n, group);
            any |= n > 0;
        }
    }
    return any;
}

/* False if this cell has too few of the nodes that are named. */
static bool partition(struct eventing *e, const struct yaml_node *groups, struct action *out)
{
    uint8_t *side = arena_alloc(e->r->l->arena, e->r->roster->n);
    uint32_t peopled = 0;
    out->kind = ACT_PARTITION;
    out->side = side;
    if (groups->kind != YAML_LIST || groups->refused)
        return e->good = false;
    if (groups->n < 2 || groups->n > UINT8_MAX) {
        EVENT_SAY(e, groups, "groups in this partition: %u, expected 2 to %d", (unsigned)groups->n,
                  UINT8_MAX);
        return false;
    }
    for (uint32_t i = 0; i < groups->n; i++) {
        const struct yaml_node *list = groups->items[i].value;
        if (list->kind == YAML_LIST && list->n == 0)
            EVENT_SAY(e, list, "a group with nobody in it");
        else if (list->kind == YAML_LIST)
            peopled += read_group_of(e, list, side, (uint8_t)(i + 1));
        else
            e->good = false;
    }
    return peopled >= 2;
}

/* ---- links
 * ------------------------------------------------------------------------------------------ */

static int64_t given(const struct yaml_node *link, const char *key, const char *path)
{
    const struct yaml_node *node = yaml_get(link, key);
    return node ? schema_value(path, node) : -1;
}

/* False if a node that is named is not in this cell. */
static bool change_link(struct eventing *e, const struct yaml_node *link, struct action *out)
{
    const struct yaml_node *between = yaml_get(link, "between");
    out->kind = ACT_LINK;
    out->loss_ppm = given(link, "loss", "events[].link.loss");
    out->latency = given(link, "latency", "events[].link.latency");
    out->rate_bps = given(link, "rate", "events[].link.rate");
    if (link->kind == YAML_MAP && out->loss_ppm < 0 && out->latency < 0 && out->rate_bps < 0)
        EVENT_SAY(e, link, "this changes nothing: expected loss, latency or rate");
    if (!between || between->kind != YAML_LIST || between->refused)
        return e->good = false;
    if (between->n != 2) {
        EVENT_SAY(e, between, "between has %u of the two nodes that it needs",
                  (unsigned)between->n);
        return false;
    }
    bool a = find_node(e, between->items[0].value, &out->a);
    bool b = find_node(e, between->items[1].value, &out->b);
    if (a && b && out->a == out->b)
        EVENT_SAY(e, between, "a link between %s and itself: expected two nodes",
                  between->items[0].value->text);
    return a && b;
}

/* ---- one entry
 * --------------------------------------------------------------------------------------- */

static const char *const kinds[] = {"crash", "restart", "partition", "link"};

/* Its only kind, or NULL with a finding. */
static const struct yaml_item *kind_of(struct eventing *e, const struct yaml_node *entry,
                                       enum action_kind *kind)
{
    const struct yaml_item *found = NULL;
    for (int i = 0; i < 4; i++) {
        const struct yaml_item *it = yaml_item(entry, kinds[i]);
        if (it && found) {
            EVENT_SAY(e, it->key, "%s and %s in one event: expected one of them", found->key->text,
                      kinds[i]);
            return NULL;
        }
        if (it) {
            found = it;
            *kind = (enum action_kind)i;
        }
    }
    if (!found && entry->kind == YAML_MAP)
        EVENT_SAY(e, entry,
                  "an event without what happens: expected one of crash, restart, "
                  "partition, link");
    return found;
}

static void read_times(struct eventing *e, const struct yaml_node *entry, struct action *out)
{
    struct diag_list *diags = e->r->l->diags;
    struct yaml_node *at = yaml_get(entry, "at");
    const struct yaml_item *until = yaml_item(entry, "until");
    out->at = schema_value("events[].at", at);
    out->until = NS_NEVER;
    if (!until)
        return;
    if (out->kind == ACT_CRASH || out->kind == ACT_RESTART) {
        EVENT_SAY(e, until->key, "a %s has no end: expected no \"until\"", kinds[out->kind]);
        return;
    }
    out->until = schema_value("events[].until", until->value);
    if (at && out->until <= out->at && schema_check_at("events[].at", at, diags) &&
        schema_check_at("events[].until", until->value, diags))
        EVENT_SAY(e, until->value, "until %s is not after at %s", until->value->text, at->text);
}

static void read_event(struct eventing *e, const struct yaml_node *entry)
{
    struct action out = {.loss_ppm = -1, .latency = -1, .rate_bps = -1, .line = entry->line};
    const struct yaml_item *it = kind_of(e, entry, &out.kind);
    bool here;
    if (!it)
        return;
    if (out.kind == ACT_PARTITION)
        here = partition(e, it->value, &out);
    else if (out.kind == ACT_LINK)
        here = change_link(e, it->value, &out);
    else
        here = find_node(e, it->value, &out.node);
    read_times(e, entry, &out);
    if (!here)
        return;
    struct action *kept = &e->actions[e->n++];
    *kept = out;
    if (out.kind == ACT_CRASH || out.kind == ACT_RESTART)
        e->spots[e->n_spots++] = (struct event_spot){kept, it->value};
}

/* ---- crash and restart in turn
 * -------------------------------------------------------------------------- */

static int by_time(const void *x, const void *y)
{
    const struct action *a = ((const struct event_spot *)x)->action;
    const struct action *b = ((const struct event_spot *)y)->action;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a < b ? -1 : a > b; /* one array: as written */
}

static void check_order(struct eventing *e)
{
    uint8_t *down = arena_alloc(&e->r->l->scratch, e->r->roster->n);
    if (e->n_spots)
        qsort(e->spots, e->n_spots, sizeof *e->spots, by_time);
    for (size_t i = 0; i < e->n_spots; i++) {
        const struct action *a = e->spots[i].action;
        const struct yaml_node *at = e->spots[i].at;
        bool crash = a->kind == ACT_CRASH;
        if (crash && down[a->node])
            EVENT_SAY(e, at, "%s is down already at that time: expected a restart before",
                      at->text);
        else if (!crash && !down[a->node])
            EVENT_SAY(e, at, "%s is not down at that time: expected a crash before", at->text);
        down[a->node] = crash;
    }
}

void events_resolve(struct resolving *r)
{
    const struct yaml_node *list = yaml_get(r->tree.root, "events");
    uint32_t n = list && list->kind == YAML_LIST ? list->n : 0;
    struct eventing e = {.r = r, .good = true};
    e.actions = arena_array(r->l->arena, n, sizeof *e.actions);
    e.spots = arena_array(&r->l->scratch, n, sizeof *e.spots);
    for (uint32_t i = 0; i < n; i++)
        read_event(&e, list->items[i].value);
    check_order(&e);
    r->cell->spec.actions = e.actions;
    r->cell->spec.n_actions = e.n;
}
