/* The pending event set: what has yet to happen, in one total order.
 *
 * The order is (time, sequence): what was put in earlier comes first among equal times. No time
 * before the last one popped may be put in. The sequence needs no number: every part below
 * keeps the order in which equal times came.
 *
 *   recent   the latest additions, up to 16. They stay where they were put; `order` is their
 *            permutation, four bits each, so that nothing is moved and no branch is missed.
 *   run      a sorted array, what comes first. When recent is full, it is merged into run.
 *   ladder   what comes later, in buckets that nobody has sorted yet (queue_ladder.h). When run
 *            has become long, all goes there.
 *
 * Everything before `edge` is in run and recent, everything else on the ladder. When run and
 * recent are empty, the ladder's first buckets are sorted and become the next run, and edge
 * moves to their end. So some dozens of pending events live in two arrays, a million on a ladder;
 * it is begun at about 80 and left at about 30, when the last of it becomes the run.
 *
 * Memory: none beyond the struct up to 16 pending events; else chunks of 16 bytes for each, at
 * most as many spare ones, and up to about 1 MiB beside. What fewer events do not need is freed;
 * while their number stays about the same, nothing is allocated.
 */
#ifndef PARTYLINE_WORLDS_SIM_QUEUE_H
#define PARTYLINE_WORLDS_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUEUE_RECENT = 16, QUEUE_RUN = 2048 };

struct queue_item {
    uint64_t time;
    void *what;
};

/* Where one structure gives way to another. It changes the speed, never the order; tests set it
 * in a queue that is zeroed otherwise. 0 and what is above the default stand for the default. */
struct queue_tuning {
    uint32_t recent; /* so many recent ones at most; 16 */
    uint32_t flat;   /* so many that run and recent are merged, not put on the ladder; 64 */
    uint32_t run;    /* so many taken from the ladder at a time; 2048 */
    uint32_t bits;   /* a rung of the ladder has up to 2^bits buckets, at least 4; 8 */
};

struct queue {
    uint64_t now, edge;
    uint64_t runs; /* so far: when it grows, queue_ahead sees others than before */
    struct queue_item *run, *run_end; /* what is left of it, in `home` */
    uint64_t order;
    uint32_t n_recent, room; /* room for recent ones: 0 before the first push */
    uint64_t recent_time[QUEUE_RECENT];
    void *recent_what[QUEUE_RECENT];
    struct queue_item *home, *away; /* QUEUE_RUN each */
    struct queue_ladder *ladder;
    struct queue_tuning tuning;
    bool broken;
};

size_t queue_count(const struct queue *);
/* OK or ERR_NOMEM (nothing has changed). time < UINT64_MAX; `what` is the caller's, never looked
 * at. */
int queue_push(struct queue *, uint64_t time, void *what);
/* NULL when there is nothing, or when memory ran out: then `broken`, nothing is lost, and nothing
 * may be put in until a pop succeeds. */
void *queue_pop(struct queue *, uint64_t *time);
/* If nothing comes before or at that time, which is not before the last one popped, then it is
 * over, as if something put in for it had been popped; else false. It may also say false because
 * it does not know. */
static inline bool queue_advance(struct queue *q, uint64_t time)
{
    if ((q->run != q->run_end && q->run->time <= time) ||
        (q->n_recent && q->recent_time[q->order & 15] <= time) || (q->ladder && q->edge <= time))
        return false;
    q->now = time;
    return true;
}
/* What comes k after the next one as things are, for a look at it before its time: a hint. NULL if
 * that is not known yet. */
static inline const void *queue_ahead(const struct queue *q, size_t k)
{
    return (size_t)(q->run_end - q->run) > k ? q->run[k].what : NULL;
}
/* Frees; the queue is empty and usable again. A zeroed struct is an empty queue. */
void queue_free(struct queue *);

#endif
