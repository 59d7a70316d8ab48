#include "engine/worlds/sim/queue_bucket.h"

#include "engine/base/err.h"

#include <stddef.h>
#include <stdlib.h>

_Static_assert(sizeof(struct queue_chunk) == offsetof(struct queue_chunk, items[QUEUE_CHUNK]),
               "a chunk ends where its items end");

static struct queue_chunk *take_spare(struct queue_stock *s)
{
    struct queue_chunk *c = s->spare;
    s->spare = c->next;
    s->n_spare--;
    return c;
}

static void keep(struct queue_stock *s, struct queue_chunk *c)
{
    c->next = s->spare;
    s->spare = c;
    s->n_spare++;
}

int queue_stock_reserve(struct queue_stock *s, size_t n)
{
    while (s->n_spare < n) {
        struct queue_chunk *c = malloc(sizeof *c);
        if (!c)
            return ERR_NOMEM;
        keep(s, c);
    }
    return OK;
}

void queue_stock_give(struct queue_stock *s, struct queue_chunk *c)
{
    keep(s, c);
    s->n_used--;
    while (s->n_spare > s->n_used + QUEUE_CHUNKS_KEPT)
        free(take_spare(s));
}

static struct queue_chunk *last_of(const struct queue_bucket *b)
{
    return (struct queue_chunk *)(void *)((char *)b->end - sizeof(struct queue_chunk));
}

int queue_bucket_grow(struct queue_bucket *b, struct queue_stock *s)
{
    struct queue_chunk *c;
    if (!s->spare && queue_stock_reserve(s, 1) != OK)
        return ERR_NOMEM;
    c = take_spare(s);
    s->n_used++;
    c->next = NULL;
    if (b->first)
        last_of(b)->next = c;
    else
        b->first = c;
    b->n_chunks++;
    b->next = c->items;
    b->end = c->items + QUEUE_CHUNK;
    return OK;
}

uint64_t queue_bucket_differ(const struct queue_bucket *b, uint64_t highest)
{
    uint64_t first = b->first->items[0].time, differ = 0;
    for (const struct queue_chunk *c = b->first; c && !(differ & highest); c = c->next) {
        size_t n = queue_chunk_count(b, c);
        queue_chunk_prefetch(c->next);
        for (size_t i = 0; i < n; i++)
            differ |= c->items[i].time ^ first;
    }
    return differ;
}

void queue_chunks_free(struct queue_chunk *c)
{
    while (c) {
        struct queue_chunk *next = c->next;
        free(c);
        c = next;
    }
}
