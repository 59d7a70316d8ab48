#include "transports/mix_pool.h"

#include <assert.h>
#include <stdlib.h>

/* ---- strategies ------------------------------------------------------------------------- */

static ns_t hold_poisson(const struct mix_opts *o, uint64_t delay)
{
    return sphinx_delay(delay, o->mean_delay);
}

static ns_t hold_fifo(const struct mix_opts *o, uint64_t delay)
{
    (void)o, (void)delay;
    return 0;
}

static uint32_t batch_threshold(const struct mix_opts *o, uint32_t held, bool tick)
{
    (void)tick;
    return held >= o->threshold ? held : 0;
}

static uint32_t batch_timed(const struct mix_opts *o, uint32_t held, bool tick)
{
    (void)o;
    return tick ? held : 0;
}

static uint32_t batch_pool(const struct mix_opts *o, uint32_t held, bool tick)
{
    return tick && held > o->keep ? held - (uint32_t)o->keep : 0;
}

static const struct mix_strategy poisson = {"poisson", hold_poisson, NULL, false},
                                 threshold = {"threshold", NULL, batch_threshold, false},
                                 timed = {"timed", NULL, batch_timed, true},
                                 pool = {"pool", NULL, batch_pool, true},
                                 fifo = {"fifo", hold_fifo, NULL, false};

const struct mix_strategy *const mix_strategies[] = {&poisson, &threshold, &timed,
                                                     &pool,    &fifo,      NULL};
const char *const mix_strategy_names[] = {"poisson", "threshold", "timed", "pool", "fifo", NULL};

/* ---- the heap --------------------------------------------------------------------------- */

static bool before(const struct mix_held *a, const struct mix_held *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void sift_up(struct mix_held *h, uint32_t i)
{
    struct mix_held x = h[i];
    for (; i > 0 && before(&x, &h[(i - 1) / 2]); i = (i - 1) / 2)
        h[i] = h[(i - 1) / 2];
    h[i] = x;
}

static void sift_down(struct mix_held *h, uint32_t n)
{
    struct mix_held x = h[0];
    uint32_t i = 0, child;
    while ((child = 2 * i + 1) < n) {
        child += child + 1 < n && before(&h[child + 1], &h[child]);
        if (!before(&h[child], &x))
            break;
        h[i] = h[child];
        i = child;
    }
    h[i] = x;
}

/* ---- the pool --------------------------------------------------------------------------- */

void mix_pool_init(struct mix_pool *p, const struct mix_opts *o)
{
    *p = (struct mix_pool){.opts = o, .strategy = mix_strategies[o->strategy]};
}

void mix_pool_free(struct mix_pool *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        free(p->list[i].frame);
    free(p->list);
    p->list = NULL;
    p->n = p->cap = 0;
}

static bool grow(struct mix_pool *p)
{
    uint32_t cap = p->cap ? 2 * p->cap : 16;
    struct mix_held *list = realloc(p->list, cap * sizeof *list);
    if (!list)
        return false;
    p->list = list;
    p->cap = cap;
    return true;
}

int mix_pool_add(struct mix_pool *p, ns_t now, uint64_t delay, party_t next, uint8_t *frame)
{
    const struct mix_strategy *s = p->strategy;
    if (p->n >= p->opts->held)
        return ERR_LIMIT;
    if (p->n == p->cap && !grow(p))
        return ERR_NOMEM;
    p->list[p->n++] = (struct mix_held){.due = s->hold ? now + s->hold(p->opts, delay) : NS_NEVER,
                                        .order = p->order++,
                                        .frame = frame,
                                        .next = next,
                                        .truth = mix_truth(p->env)};
    if (s->hold)
        sift_up(p->list, p->n - 1);
    else if (p->leaving == 0)
        p->leaving = s->batch(p->opts, p->n, false);
    return OK;
}

void mix_pool_tick(struct mix_pool *p)
{
    if (p->strategy->batch)
        p->leaving = p->strategy->batch(p->opts, p->n, true);
}

bool mix_pool_take(struct mix_pool *p, ns_t now, struct prng *rng, struct mix_held *out)
{
    uint32_t i;
    if (p->strategy->hold) {
        if (p->n == 0 || p->list[0].due > now)
            return false;
        *out = p->list[0];
        p->list[0] = p->list[--p->n];
        if (p->n)
            sift_down(p->list, p->n);
        return true;
    }
    if (p->leaving == 0)
        return false;
    assert(p->leaving <= p->n);
    i = (uint32_t)prng_below(rng, p->n);
    *out = p->list[i];
    p->list[i] = p->list[--p->n];
    p->leaving--;
    return true;
}

ns_t mix_pool_due(const struct mix_pool *p)
{
    return p->strategy->hold && p->n ? p->list[0].due : NS_NEVER;
}
