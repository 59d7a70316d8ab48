#include "engine/worlds/sim/queue_ladder.h"

#include "engine/base/err.h"
#include "engine/worlds/sim/queue_bucket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 1 << QUEUE_LADDER_BITS,
    WORDS = SLOTS / 64,
    RUNGS = 33,   /* each but the last takes two bits or more */
    PER_SLOT = 3, /* log2 of the items for which a new rung has a slot */
    ENOUGH = 32   /* to make a run of */
};

/* Where items go whose highest bit of difference is a certain one: to a bucket of its own
 * (mask 0), or a rung, by the bits above `shift`. */
struct place {
    struct queue_bucket *slots;
    uint32_t mask;
    uint8_t shift, rung;
};

struct rung {
    struct queue_bucket *slots;
    uint64_t used[WORDS];
    unsigned shift;
};

struct queue_ladder {
    uint64_t base;
    uint64_t used; /* bit i: some bucket of a place with shift i is not empty */
    size_t n;
    struct queue_bucket ties; /* their time is base */
    struct queue_stock stock;
    unsigned bits, n_rungs; /* the rungs go down: each has a smaller shift */
    struct place place[64];
    struct queue_bucket single[64];
    struct rung rungs[RUNGS];
};

/* ---- buckets ---------------------------------------------------------------------------- */

static uint64_t low_mask(unsigned bits)
{
    return bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
}

static unsigned width_of(uint64_t differ)
{
    return differ ? 64 - (unsigned)__builtin_clzll(differ) : 0;
}

static void mark(struct queue_ladder *l, const struct place *p, const struct queue_bucket *b)
{
    size_t slot = (size_t)(b - p->slots);
    l->used |= UINT64_C(1) << p->shift;
    if (p->mask)
        l->rungs[p->rung].used[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Puts an item where a chunk is missing. p is NULL for the ties. */
static __attribute__((noinline)) int put_growing(struct queue_ladder *l, struct queue_bucket *b,
                                                 const struct place *p, struct queue_item item)
{
    bool was_empty = !b->first;
    if (queue_bucket_grow(b, &l->stock) != OK)
        return ERR_NOMEM;
    if (p && was_empty)
        mark(l, p, b);
    *b->next++ = item;
    l->n++;
    return OK;
}

static inline int put(struct queue_ladder *l, struct queue_item item)
{
    uint64_t differ = item.time ^ l->base;
    struct queue_bucket *b = &l->ties;
    const struct place *p = NULL;
    if (differ) {
        p = &l->place[63 - __builtin_clzll(differ)];
        b = p->slots + (item.time >> p->shift & p->mask);
    }
    if (b->next == b->end)
        return put_growing(l, b, p, item);
    *b->next++ = item;
    l->n++;
    return OK;
}

/* The place of the lowest bucket in use; there is one. */
static const struct place *lowest(const struct queue_ladder *l, size_t *slot)
{
    const struct place *p = &l->place[__builtin_ctzll(l->used)];
    *slot = 0;
    if (p->mask) {
        const uint64_t *used = l->rungs[p->rung].used;
        size_t i = 0;
        while (!used[i])
            i++;
        *slot = 64 * i + (size_t)__builtin_ctzll(used[i]);
    }
    return p;
}

/* The lowest bucket in use is in use no more. Its chunks are the caller's. */
static struct queue_bucket clear(struct queue_ladder *l, const struct place *p, size_t slot)
{
    struct queue_bucket was = p->slots[slot];
    uint64_t rest = 0;
    memset(&p->slots[slot], 0, sizeof was);
    if (p->mask) {
        uint64_t *used = l->rungs[p->rung].used;
        used[slot / 64] &= used[slot / 64] - 1;
        for (int i = 0; i < WORDS; i++)
            rest |= used[i];
    }
    if (!rest)
        l->used &= l->used - 1;
    return was;
}

/* ---- rungs ------------------------------------------------------------------------------ */

static unsigned rung_bits(const struct queue_ladder *l, unsigned width, size_t n)
{
    unsigned bits = 2;
    while (bits < l->bits && n >> (bits + PER_SLOT))
        bits++;
    return bits < width ? bits : width;
}

/* Lays out anew the bits below `below`, all of whose buckets are empty, for n items that differ
 * from base in `differ`. Sees to a chunk for each of the buckets they may come to, and `more`. */
static int lay_out(struct queue_ladder *l, unsigned below, uint64_t differ, size_t n, size_t more)
{
    unsigned width = width_of(differ), bits = rung_bits(l, width, n), n_rungs = l->n_rungs;
    size_t chunks = ((size_t)1 << bits) + more;
    struct rung *r;
    while (n_rungs && l->rungs[n_rungs - 1].shift < below)
        n_rungs--;
    r = &l->rungs[n_rungs];
    if (!r->slots)
        r->slots = calloc(SLOTS, sizeof *r->slots);
    if (!r->slots || queue_stock_reserve(&l->stock, n < chunks ? n : chunks) != OK)
        return ERR_NOMEM;
    r->shift = width - bits;
    for (unsigned i = 0; i < width; i++)
        l->place[i] = (struct place){.slots = r->slots,
                                     .mask = (UINT32_C(1) << bits) - 1,
                                     .shift = (uint8_t)r->shift,
                                     .rung = (uint8_t)n_rungs};
    for (unsigned i = width; i < below; i++)
        l->place[i] = (struct place){.slots = &l->single[i], .shift = (uint8_t)i};
    l->n_rungs = width ? n_rungs + 1 : n_rungs;
    return OK;
}

/* Deals the lowest bucket out to a rung of its own; if all in it is of one time, to the ties. */
static int deal_out(struct queue_ladder *l, const struct place *p, size_t slot)
{
    const struct queue_bucket *b = &p->slots[slot];
    uint64_t differ = queue_bucket_differ(b, (UINT64_C(1) << p->shift) >> 1);
    uint64_t first = b->first->items[0].time;
    size_t n = queue_bucket_count(b);
    struct queue_bucket from;
    struct queue_chunk *next;
    if (lay_out(l, p->shift, differ, n, 2) != OK)
        return ERR_NOMEM;
    from = clear(l, p, slot);
    l->base = first & ~low_mask(width_of(differ));
    if (!differ) {
        l->ties = from;
        return OK;
    }
    l->n -= n;
    for (struct queue_chunk *c = from.first; c; c = next) {
        size_t here = queue_chunk_count(&from, c);
        next = c->next;
        queue_chunk_prefetch(next);
        for (size_t i = 0; i < here; i++) {
            int rc = put(l, c->items[i]);
            assert(rc == OK);
            (void)rc;
        }
        queue_stock_give(&l->stock, c);
    }
    return OK;
}

/* ---- taking ----------------------------------------------------------------------------- */

static void take_chunk(struct queue_ladder *l, struct queue_load *load, struct queue_chunk *c,
                       size_t n)
{
    struct queue_item *to = load->items + load->n;
    uint64_t first = load->n ? load->items[0].time : c->items[0].time, differ = 0;
    queue_chunk_prefetch(c->next);
    for (size_t i = 0; i < n; i++) {
        differ |= c->items[i].time ^ first;
        to[i] = c->items[i];
    }
    load->differ |= differ;
    load->n += (uint32_t)n;
    l->n -= n;
    queue_stock_give(&l->stock, c);
}

/* True if no ties remain. */
static bool take_ties(struct queue_ladder *l, struct queue_load *load)
{
    struct queue_bucket *b = &l->ties;
    while (b->first && (load->n == 0 || load->n + QUEUE_CHUNK <= load->most)) {
        struct queue_chunk *c = b->first;
        size_t n = queue_chunk_count(b, c);
        b->first = c->next;
        b->n_chunks--;
        take_chunk(l, load, c, n);
        load->edge = l->base;
    }
    if (b->first)
        return false;
    memset(b, 0, sizeof *b);
    return true;
}

static void take_bucket(struct queue_ladder *l, struct queue_load *load, const struct place *p,
                        size_t slot)
{
    struct queue_bucket from = clear(l, p, slot);
    uint64_t end = from.first->items[0].time | low_mask(p->shift);
    for (struct queue_chunk *c = from.first, *next; c; c = next) {
        next = c->next;
        take_chunk(l, load, c, queue_chunk_count(&from, c));
    }
    load->edge = end == UINT64_MAX ? end : end + 1;
}

int queue_ladder_take(struct queue_ladder *l, struct queue_load *load)
{
    load->n = 0;
    load->differ = 0;
    while (take_ties(l, load) && load->n < ENOUGH && load->n < load->most) {
        const struct place *p;
        size_t slot;
        if (!l->used) {
            load->edge = UINT64_MAX;
            break;
        }
        p = lowest(l, &slot);
        if (load->n + queue_bucket_count(&p->slots[slot]) <= load->most)
            take_bucket(l, load, p, slot);
        else if (load->n)
            break;
        else if (deal_out(l, p, slot) != OK)
            return ERR_NOMEM;
    }
    return OK;
}

/* ---- the ladder ------------------------------------------------------------------------- */

struct queue_ladder *queue_ladder_new(unsigned bits)
{
    struct queue_ladder *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->bits = bits;
    for (unsigned i = 0; i < 64; i++)
        l->place[i] = (struct place){.slots = &l->single[i], .shift = (uint8_t)i};
    return l;
}

void queue_ladder_free(struct queue_ladder *l)
{
    queue_chunks_free(l->stock.spare);
    queue_chunks_free(l->ties.first);
    for (int i = 0; i < 64; i++)
        queue_chunks_free(l->single[i].first);
    for (int i = 0; i < RUNGS; i++) {
        if (l->rungs[i].slots)
            for (int k = 0; k < SLOTS; k++)
                queue_chunks_free(l->rungs[i].slots[k].first);
        free(l->rungs[i].slots);
    }
    free(l);
}

size_t queue_ladder_count(const struct queue_ladder *l)
{
    return l->n;
}

/* Few of the items come to a bucket above the new rung: as many as a run was made of (at most
 * ENOUGH of them), or were put in since. */
int queue_ladder_begin(struct queue_ladder *l, uint64_t base, uint64_t differ, size_t n)
{
    unsigned below = l->used ? (unsigned)__builtin_ctzll(l->used) : 64;
    assert(!l->ties.first);
    if (lay_out(l, below, differ & low_mask(below), n, n / QUEUE_CHUNK + 4 * ENOUGH) != OK)
        return ERR_NOMEM;
    l->base = base;
    return OK;
}

int queue_ladder_put(struct queue_ladder *l, uint64_t time, void *what)
{
    assert(time >= l->base);
    return put(l, (struct queue_item){time, what});
}
