/* What is pending later: buckets of a radix heap, the crowded ones split into rungs.
 *
 * With `base` a time not after any here, an item is in the bucket of the highest bit in which its
 * time differs from base, or among the ties if there is none: a monotone radix heap (Ahuja,
 * Mehlhorn, Orlin, Tarjan: Faster algorithms for the shortest path problem, JACM 37(2), 1990).
 * Everything in a bucket comes before everything in a higher one.
 *
 * When the lowest bucket in use is too big to be handed out, base becomes the start of what it
 * holds, and it is dealt out anew: not by one bit at a time, but by the highest few bits in
 * which its items differ, into as many buckets as suit their number. That is a rung. The idea is
 * that of the ladder queue (Tang, Goh, Thng: Ladder queue, ACM TOMACS 15(3), 2005), with widths
 * that are powers of two, so that the highest bit of difference alone says where an item belongs
 * (`place`). Only bits below the bucket's own get new places, and nothing else is there yet. An
 * item moves at most once for every two bits, in practice once or twice.
 *
 * Items of equal time are always in the same bucket, and every bucket hands out, and is dealt out,
 * in the order in which items came: equal times stay in it.
 */
#ifndef PARTYLINE_WORLDS_SIM_QUEUE_LADDER_H
#define PARTYLINE_WORLDS_SIM_QUEUE_LADDER_H

#include "engine/worlds/sim/queue.h"

enum { QUEUE_LADDER_BITS = 8 };

struct queue_ladder;

/* With at most 2^bits buckets on a rung (bits up to QUEUE_LADDER_BITS); NULL: no memory. */
struct queue_ladder *queue_ladder_new(unsigned bits);
void queue_ladder_free(struct queue_ladder *);
size_t queue_ladder_count(const struct queue_ladder *);

/* Makes a time before all that is here the base. n items will follow, all before what is here;
 * `differ` has the bits set in which their times differ from base. ERR_NOMEM: nothing has
 * changed; else putting them is sure to succeed. */
int queue_ladder_begin(struct queue_ladder *, uint64_t base, uint64_t differ, size_t n);

/* OK or ERR_NOMEM (nothing has changed). Not before base. */
int queue_ladder_put(struct queue_ladder *, uint64_t time, void *what);

struct queue_load {
    struct queue_item *items; /* the caller's, room for `most`, and for QUEUE_CHUNK */
    size_t most;
    uint32_t n;      /* of them now, in no order, but equal times in that of their coming */
    uint64_t edge;   /* they come before it, what remains does not; UINT64_MAX: nothing remains */
    uint64_t differ; /* the bits in which two of their times differ */
};

/* Takes the first of a ladder that is not empty: one bucket, or a few if they are small.
 * ERR_NOMEM: nothing was taken, and base may be after the last time that was. */
int queue_ladder_take(struct queue_ladder *, struct queue_load *);

#endif
