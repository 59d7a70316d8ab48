/* Do a scenario's events agree with each other? */
#include "engine/run/events.h"

#include <stdlib.h>

static int by_time(const void *x, const void *y)
{
    const struct action *a = ((const struct event_spot *)x)->action;
    const struct action *b = ((const struct event_spot *)y)->action;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a < b ? -1 : a > b; /* one array: as written */
}

/* until: when its pause ends, -1: there is none. */
static void check_pause(struct eventing *e, const struct action *a, const struct yaml_node *at,
                        ns_t *until, bool down)
{
    bool paused = *until > a->at;
    if (down)
        EVENT_SAY(e, at, "%s is down at that time: expected a restart before", at->text);
    else if (a->kind == ACT_PAUSE && paused)
        EVENT_SAY(e, at, "%s is paused already at that time: expected a resume before", at->text);
    else if (a->kind == ACT_RESUME && !paused)
        EVENT_SAY(e, at, "%s is not paused at that time: expected a pause before", at->text);
    *until = a->kind == ACT_PAUSE ? a->until : -1;
}

static bool overlap(const struct action *a, const struct action *b)
{
    return a->at < b->until && b->at < a->until;
}

static bool same_path(const struct action *a, const struct action *b)
{
    return (a->a == b->a && a->b == b->b) ||
           (a->a == b->b && a->b == b->a && !(a->one_way && b->one_way));
}

/* Where two changes of a figure overlap, the one listed last counts; so one that is listed before
 * and lies within the other is never seen, and of two that begin together it is not clear either.
 */
static bool hidden(const struct action *first, const struct action *last)
{
#define BOTH(figure) (first->figure >= 0 && last->figure >= 0 && first->figure != last->figure)
    bool differ = BOTH(loss_ppm) || BOTH(latency) || BOTH(rate_bps) || BOTH(jitter) || BOTH(burst);
#undef BOTH
    return differ &&
           (first->at == last->at || (first->at > last->at && first->until <= last->until));
}

/* Two nodes that one puts into one group and the other into two; *node is one of them. */
static bool torn(const struct action *a, const struct action *b, uint32_t n, uint32_t *node)
{
    uint8_t other[UINT8_MAX + 1] = {0};
    if (a->one_way || b->one_way)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!a->side[i] || !b->side[i])
            continue;
        *node = i;
        if (other[a->side[i]] && other[a->side[i]] != b->side[i])
            return true;
        other[a->side[i]] = b->side[i];
    }
    return false;
}

/* a is listed after b. */
static void check_two(struct eventing *e, size_t a, size_t b)
{
    const struct action *x = &e->actions[a], *y = &e->actions[b];
    const struct roster *r = e->r->roster;
    uint32_t node;
    if (x->kind != y->kind || !overlap(x, y))
        return;
    if (x->kind == ACT_LINK && same_path(x, y) && hidden(y, x))
        EVENT_SAY(e, e->entries[a],
                  "this path is changed in line %d at the same time, to another value: expected "
                  "one of the two",
                  y->line);
    else if (x->kind == ACT_FLAP && same_path(x, y))
        EVENT_SAY(e, e->entries[a],
                  "this path flaps already, by line %d: expected until there before at here",
                  y->line);
    else if (x->kind == ACT_PARTITION && (torn(x, y, r->n, &node) || torn(y, x, r->n, &node)))
        EVENT_SAY(e, e->entries[a],
                  "another partition at the same time, in line %d, groups %s differently: expected "
                  "one partition with all groups",
                  y->line, r->entries[node].name);
}

static void check_overlaps(struct eventing *e)
{
    for (size_t i = 0; i < e->n && e->n < 1000; i++)
        for (size_t j = 0; j < i; j++)
            check_two(e, i, j);
}

static void check_order(struct eventing *e)
{
    uint8_t *down = arena_alloc(&e->r->l->scratch, e->r->roster->n);
    ns_t *still = arena_array(&e->r->l->scratch, e->r->roster->n, sizeof *still);
    for (uint32_t i = 0; i < e->r->roster->n; i++)
        still[i] = -1;
    if (e->n_spots)
        qsort(e->spots, e->n_spots, sizeof *e->spots, by_time);
    for (size_t i = 0; i < e->n_spots; i++) {
        const struct action *a = e->spots[i].action;
        const struct yaml_node *at = e->spots[i].at;
        bool crash = a->kind == ACT_CRASH;
        if (a->kind == ACT_PAUSE || a->kind == ACT_RESUME) {
            check_pause(e, a, at, &still[a->node], down[a->node]);
            continue;
        }
        if (crash)
            still[a->node] = -1;
        if (crash && down[a->node])
            EVENT_SAY(e, at, "%s is down already at that time: expected a restart before",
                      at->text);
        else if (!crash && !down[a->node])
            EVENT_SAY(e, at, "%s is not down at that time: expected a crash before", at->text);
        down[a->node] = crash;
    }
}

void events_check(struct eventing *e)
{
    check_order(e);
    check_overlaps(e);
}
