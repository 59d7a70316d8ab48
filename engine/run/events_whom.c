/* Whom events concern: nodes, pairs of them, the sides of a partition. */
#include "engine/run/events.h"
#include "engine/run/suggest.h"

enum found { FOUND_NODE, FOUND_CROWD, FOUND_ABSENT, FOUND_NOT };

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

bool events_find_node(struct eventing *e, const struct yaml_node *at, uint32_t *id)
{
    enum found what = find(e, at, id);
    if (what == FOUND_CROWD)
        EVENT_SAY(e, at, "%s is a crowd: expected one of its members, such as %s_1", at->text,
                  at->text);
    return what == FOUND_NODE;
}

bool events_find_two(struct eventing *e, const struct yaml_node *link, struct action *out)
{
    const struct yaml_node *between = yaml_get(link, "between");
    const struct yaml_node *from = yaml_get(link, "from"), *to = yaml_get(link, "to");
    if (link->kind != YAML_MAP || link->refused)
        return e->good = false;
    if (!from && !to && !between) {
        EVENT_SAY(e, link, "a path without its ends: expected between, or from and to");
        return false;
    }
    if (between && (from || to)) {
        EVENT_SAY(e, between, "between means both directions: expected it without from and to");
        return false;
    }
    if (from || to) {
        out->one_way = true;
        if (!from || !to) {
            EVENT_SAY(e, from ? from : to, "from and to belong together: expected both");
            return false;
        }
        bool x = events_find_node(e, from, &out->a), y = events_find_node(e, to, &out->b);
        if (x && y && out->a == out->b)
            EVENT_SAY(e, to, "a path from %s to itself: expected two nodes", to->text);
        return x && y;
    }
    if (!between || between->kind != YAML_LIST || between->refused)
        return e->good = false;
    if (between->n != 2) {
        EVENT_SAY(e, between, "between has %u of the two nodes that it needs",
                  (unsigned)between->n);
        return false;
    }
    bool a = events_find_node(e, between->items[0].value, &out->a);
    bool b = events_find_node(e, between->items[1].value, &out->b);
    if (a && b && out->a == out->b)
        EVENT_SAY(e, between, "a link between %s and itself: expected two nodes",
                  between->items[0].value->text);
    return a && b;
}

/* ---- partitions ------------------------------------------------------------------------ */

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

bool events_find_sides(struct eventing *e, const struct yaml_node *groups, struct action *out)
{
    uint8_t *side = arena_alloc(e->r->l->arena, e->r->roster->n);
    uint32_t peopled = 0;
    out->kind = ACT_PARTITION;
    out->side = side;
    if (groups->kind == YAML_MAP && !groups->refused) {
        const struct yaml_node *way[] = {yaml_get(groups, "from"), yaml_get(groups, "to")};
        out->one_way = true;
        for (uint32_t i = 0; i < 2; i++) {
            if (!way[i] || way[i]->kind != YAML_LIST || way[i]->refused)
                return e->good = false;
            if (way[i]->n == 0)
                EVENT_SAY(e, way[i], "a group with nobody in it");
            peopled += read_group_of(e, way[i], side, (uint8_t)(i + 1));
        }
        return peopled == 2;
    }
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
