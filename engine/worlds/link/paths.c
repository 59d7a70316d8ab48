#include "engine/worlds/link/paths.h"

#include <stdlib.h>
#include <xxhash.h>

static bool same(const struct link_path *a, const struct link_path *b)
{
    return a->delay == b->delay && a->jitter_from == b->jitter_from &&
           a->jitter_to == b->jitter_to && a->rate_bps == b->rate_bps && a->rtt == b->rtt &&
           a->loss.ppm == b->loss.ppm && a->loss.bad == b->loss.bad &&
           a->loss.burst == b->loss.burst && a->shape_from == b->shape_from &&
           a->shape_to == b->shape_to;
}

/* Where it is, or where there is room for it. */
static struct link_path **place(const struct paths *p, const struct link_path *path)
{
    const ns_t times[] = {path->delay,    path->jitter_from, path->jitter_to,
                          path->rate_bps, path->rtt,         path->loss.ppm};
    uint32_t mask = p->cap - 1, i = (uint32_t)XXH3_64bits(times, sizeof times) & mask;
    while (p->slots[i] && !same(p->slots[i], path))
        i = (i + 1) & mask;
    return &p->slots[i];
}

static bool grow(struct paths *p)
{
    struct paths more = {.n = p->n, .cap = p->cap ? 2 * p->cap : 16};
    more.slots = calloc(more.cap, sizeof *more.slots);
    if (!more.slots)
        return false;
    for (uint32_t i = 0; i < p->cap; i++)
        if (p->slots[i])
            *place(&more, p->slots[i]) = p->slots[i];
    free(p->slots);
    *p = more;
    return true;
}

const struct link_path *paths_like(struct paths *p, const struct link_path *path)
{
    struct link_path **at;
    if (2 * p->n >= p->cap && !grow(p))
        return NULL;
    at = place(p, path);
    if (!*at) {
        *at = malloc(sizeof **at);
        if (!*at)
            return NULL;
        **at = *path;
        p->n++;
    }
    return *at;
}

void paths_free(struct paths *p)
{
    for (uint32_t i = 0; i < p->cap; i++)
        free(p->slots[i]);
    free(p->slots);
    *p = (struct paths){0};
}
