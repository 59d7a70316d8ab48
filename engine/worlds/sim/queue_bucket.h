/* First in, first out: a bucket is a list of chunks, all but the last of them full. Chunks come
 * from a common stock, so that what one bucket leaves, another one takes. */
#ifndef PARTYLINE_WORLDS_SIM_QUEUE_BUCKET_H
#define PARTYLINE_WORLDS_SIM_QUEUE_BUCKET_H

#include "engine/base/fetch.h"
#include "engine/worlds/sim/queue.h"

/* A chunk has 512 bytes with malloc's own. The stock keeps as many spare chunks as are in use,
 * and QUEUE_CHUNKS_KEPT more; what is beyond is freed. */
enum { QUEUE_CHUNK = 31, QUEUE_CHUNKS_KEPT = 512 };

struct queue_chunk {
    struct queue_chunk *next;
    struct queue_item items[QUEUE_CHUNK];
};

struct queue_stock {
    struct queue_chunk *spare;
    size_t n_spare, n_used;
};

/* Sees to n spare chunks: OK or ERR_NOMEM. */
int queue_stock_reserve(struct queue_stock *, size_t n);
void queue_stock_give(struct queue_stock *, struct queue_chunk *);

/* A zeroed struct is an empty bucket. */
struct queue_bucket {
    struct queue_item *next, *end; /* where the next item goes; where the last chunk ends */
    struct queue_chunk *first;
    size_t n_chunks;
};

/* Makes room for an item in a bucket whose last chunk is full, or that has none: OK or
 * ERR_NOMEM. */
int queue_bucket_grow(struct queue_bucket *, struct queue_stock *);
/* Bits in which the times differ. They differ in none above `highest`, which is a single bit or 0;
 * when that is among them, the rest is not looked for. */
uint64_t queue_bucket_differ(const struct queue_bucket *, uint64_t highest);
/* Frees a list of chunks, which may be NULL. */
void queue_chunks_free(struct queue_chunk *);

/* The number of items. */
static inline size_t queue_bucket_count(const struct queue_bucket *b)
{
    return b->n_chunks * QUEUE_CHUNK - (size_t)(b->end - b->next);
}

/* The number of items in a chunk of the bucket. */
static inline size_t queue_chunk_count(const struct queue_bucket *b, const struct queue_chunk *c)
{
    return c->next ? QUEUE_CHUNK : (size_t)(b->next - c->items);
}

/* Asks for a chunk that will be read soon, or NULL. */
static inline void queue_chunk_prefetch(const struct queue_chunk *c)
{
    if (c)
        fetch(c, (int)(sizeof *c + 63) / 64);
}

#endif
