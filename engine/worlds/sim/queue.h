/* The pending event set: what has yet to happen, in one total order.
 *
 * The order is (time, sequence): what was put in earlier comes first among equal times. It is a
 * monotone radix heap (Ahuja, Mehlhorn, Orlin, Tarjan: Faster algorithms for the shortest path
 * problem, JACM 37(2), 1990): no time before the last one popped may be put in (asserted).
 *
 * With `base` a time not after any that is pending, an item is in bucket 0 if its time is
 * base, else in the bucket of the highest bit in which they differ. So everything in a bucket
 * comes before everything in a higher one. When the lowest bucket in use holds few items, its
 * least is searched; when it holds many, base becomes its least time and all are dealt out anew,
 * to lower buckets. An item moves at most once for each bit, in practice a few times.
 *
 * The sequence needs no number: items of equal time are always in the same bucket (raising base
 * changes no bits above those in which that bucket differs), every bucket keeps the order in
 * which items came, and dealing out and searching respect it.
 */
#ifndef PARTYLINE_WORLDS_SIM_QUEUE_H
#define PARTYLINE_WORLDS_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUEUE_BUCKETS = 65 };

struct queue_item {
    uint64_t time;
    void *what;
};

struct queue_bucket {
    struct queue_item *items;
    size_t n, cap;
};

struct queue {
    struct queue_bucket buckets[QUEUE_BUCKETS];
    uint64_t used; /* bit i: bucket i + 1 is not empty */
    uint64_t base, now;
    size_t n, head; /* all; items of bucket 0 that are gone */
    bool broken;
};

static inline size_t queue_count(const struct queue *q)
{
    return q->n;
}

/* OK or ERR_NOMEM. `what` is the caller's, never looked at. */
int queue_push(struct queue *, uint64_t time, void *what);
/* NULL when there is nothing, or when memory ran out (`broken`: items have been lost). */
void *queue_pop(struct queue *, uint64_t *time);
/* Frees; the queue is empty and usable again. A zeroed struct is an empty queue. */
void queue_free(struct queue *);

#endif
