#include "engine/worlds/sim/queue.h"

#include "engine/base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 16, FIRST_CAP = 32 };

static unsigned bucket_of(const struct queue *q, uint64_t time)
{
    uint64_t differ = time ^ q->base;
    return differ ? 64 - (unsigned)__builtin_clzll(differ) : 0;
}

static int make_room(struct queue *q, struct queue_bucket *b)
{
    struct queue_item *items;
    size_t cap = b->cap ? 2 * b->cap : FIRST_CAP;
    if (b == &q->buckets[0] && q->head > b->n / 2) {
        b->n -= q->head;
        memmove(b->items, b->items + q->head, b->n * sizeof *b->items);
        q->head = 0;
        return OK;
    }
    items = realloc(b->items, cap * sizeof *items);
    if (!items)
        return ERR_NOMEM;
    b->items = items;
    b->cap = cap;
    return OK;
}

static inline int put(struct queue *q, struct queue_item item)
{
    unsigned k = bucket_of(q, item.time);
    struct queue_bucket *b = &q->buckets[k];
    if (b->n == b->cap && make_room(q, b) != OK)
        return ERR_NOMEM;
    b->items[b->n++] = item;
    if (k)
        q->used |= UINT64_C(1) << (k - 1);
    return OK;
}

int queue_push(struct queue *q, uint64_t time, void *what)
{
    assert(time >= q->now);
    if (put(q, (struct queue_item){.time = time, .what = what}) != OK)
        return ERR_NOMEM;
    q->n++;
    return OK;
}

/* The first of those with the least time. */
static size_t least_of(const struct queue_bucket *b)
{
    size_t least = 0;
    for (size_t i = 1; i < b->n; i++)
        least = b->items[i].time < b->items[least].time ? i : least;
    return least;
}

static struct queue_item take(struct queue_bucket *b, size_t i)
{
    struct queue_item item = b->items[i];
    b->n--;
    for (; i < b->n; i++)
        b->items[i] = b->items[i + 1];
    return item;
}

/* Moves the items of the lowest bucket, of which all below are empty, further down. */
static void deal_out(struct queue *q, struct queue_bucket *b)
{
    size_t n = b->n;
    q->base = b->items[least_of(b)].time;
    q->used &= q->used - 1;
    b->n = 0;
    for (size_t i = 0; i < n; i++)
        if (put(q, b->items[i]) != OK)
            q->broken = true;
}

void *queue_pop(struct queue *q, uint64_t *time)
{
    struct queue_bucket *zero = &q->buckets[0], *b;
    struct queue_item item;
    if (q->head == zero->n) {
        q->head = zero->n = 0;
        if (!q->used)
            return NULL;
        b = &q->buckets[__builtin_ctzll(q->used) + 1];
        if (b->n <= FEW) {
            item = take(b, least_of(b));
            if (b->n == 0)
                q->used &= q->used - 1;
            q->n--;
            *time = q->now = item.time;
            return item.what;
        }
        deal_out(q, b);
        if (q->broken)
            return NULL;
    }
    q->n--;
    *time = q->now = q->base;
    return zero->items[q->head++].what;
}

void queue_free(struct queue *q)
{
    for (int i = 0; i < QUEUE_BUCKETS; i++)
        free(q->buckets[i].items);
    memset(q, 0, sizeof *q);
}
