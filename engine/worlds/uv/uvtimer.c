/* Timers of a node: a heap, and one timer of the loop. */
#include "engine/worlds/uv/inner.h"

static bool before(const struct uvtimer *a, const struct uvtimer *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct uvtimer *a, struct uvtimer *b)
{
    struct uvtimer t = *a;
    *a = *b;
    *b = t;
}

static void pop_timer(struct uvnode *n)
{
    size_t i = 0, child;
    n->timers[0] = n->timers[--n->n_timers];
    while ((child = 2 * i + 1) < n->n_timers) {
        if (child + 1 < n->n_timers && before(&n->timers[child + 1], &n->timers[child]))
            child++;
        if (!before(&n->timers[child], &n->timers[i]))
            break;
        swap(&n->timers[child], &n->timers[i]);
        i = child;
    }
}

static void on_clock(uv_timer_t *clock);

static void wind(struct uvnode *n)
{
    ns_t wait;
    if (n->dead || n->n_timers == 0)
        return;
    wait = n->timers[0].at - uvnode_now(n);
    uv_update_time(n->setup.loop);
    uv_timer_start(&n->clock, on_clock, wait > 0 ? (uint64_t)((wait + NS_MS - 1) / NS_MS) : 0, 0);
}

static void on_clock(uv_timer_t *clock)
{
    struct uvnode *n = clock->data;
    ns_t now = uvnode_now(n);
    while (!n->dead && n->n_timers && n->timers[0].at <= now) {
        struct event ev = {.kind = EV_TIMER, .timer = n->timers[0].number};
        pop_timer(n);
        uvnode_give(n, &ev);
    }
    wind(n);
}

void uvtimer_arm(struct uvnode *n, unsigned timer, ns_t at)
{
    size_t i;
    if (n->dead || at == NS_NEVER)
        return;
    if (n->n_timers == n->cap_timers) {
        size_t cap = n->cap_timers ? 2 * n->cap_timers : 64;
        struct uvtimer *timers = realloc(n->timers, cap * sizeof *timers);
        if (!timers)
            return;
        n->timers = timers;
        n->cap_timers = cap;
    }
    i = n->n_timers++;
    n->timers[i] = (struct uvtimer){at, n->orders++, timer};
    for (; i && before(&n->timers[i], &n->timers[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&n->timers[i], &n->timers[(i - 1) / 2]);
    if (i == 0)
        wind(n);
}
