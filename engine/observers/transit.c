#include "engine/observers/transit.h"

#include <stdlib.h>
#include <string.h>

void transit_free(struct transit *t)
{
    free(t->entries);
    free(t->beliefs);
    *t = (struct transit){0};
}

static bool make_room(struct transit *t, size_t width)
{
    uint32_t cap = t->cap ? 2 * t->cap : 8;
    struct transit_entry *entries;
    double *beliefs;
    if (t->head && t->head + t->n == t->cap) {
        memmove(t->entries, t->entries + t->head, t->n * sizeof *t->entries);
        memmove(t->beliefs, t->beliefs + t->head * width, t->n * width * sizeof *t->beliefs);
        t->head = 0;
    }
    if (t->head + t->n < t->cap)
        return true;
    if (cap > TRANSIT_MOST || !(entries = realloc(t->entries, cap * sizeof *entries)))
        return false;
    t->entries = entries;
    beliefs = realloc(t->beliefs, cap * width * sizeof *beliefs);
    if (!beliefs)
        return false;
    t->beliefs = beliefs;
    t->cap = cap;
    return true;
}

static void forget(struct transit *t, ns_t now)
{
    while (t->n && now - t->entries[t->head].when > TRANSIT_LIFETIME) {
        t->head++;
        t->n--;
    }
}

void transit_arrive(struct transit *t, const struct belief_shape *shape,
                    const struct transit_entry *in, const double *b)
{
    uint32_t at;
    forget(t, in->when);
    if (!make_room(t, shape->width))
        return;
    at = t->head + t->n++;
    t->entries[at] = *in;
    memcpy(t->beliefs + (size_t)at * shape->width, b, shape->width * sizeof *b);
}

static uint32_t apart(uint32_t a, uint32_t b)
{
    return a < b ? b - a : a - b;
}

static uint32_t nearest(const struct transit *t, const struct transit_entry *out, uint32_t slack)
{
    uint32_t best = UINT32_MAX, least = slack;
    for (uint32_t i = t->head; i < t->head + t->n; i++) {
        uint32_t d = apart(t->entries[i].bytes, out->bytes);
        if (d > least || (d == least && best != UINT32_MAX) || t->entries[i].from == out->from)
            continue;
        best = i;
        least = d;
        if (d == 0)
            break;
    }
    return best;
}

bool transit_leave(struct transit *t, const struct belief_shape *shape,
                   const struct transit_entry *out, uint32_t slack, double *b)
{
    size_t width = shape->width;
    uint32_t at, before;
    forget(t, out->when);
    at = nearest(t, out, slack);
    if (at == UINT32_MAX) {
        belief_uniform(shape, b);
        return false;
    }
    memcpy(b, t->beliefs + at * width, width * sizeof *b);
    before = at - t->head; /* older ones move up by one */
    memmove(t->entries + t->head + 1, t->entries + t->head, before * sizeof *t->entries);
    memmove(t->beliefs + (t->head + 1) * width, t->beliefs + t->head * width,
            before * width * sizeof *b);
    t->head++;
    t->n--;
    return true;
}
