#include "engine/worlds/sim/queue.h"

#include "engine/base/err.h"
#include "engine/worlds/sim/queue_ladder.h"
#include "engine/worlds/sim/queue_sort.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A run is up to a SHAREth of what is on the ladder, so that few pushes come before its end. */
enum { SHARE = 8, SHORT = 64 };

static const struct queue_tuning defaults = {
    .recent = QUEUE_RECENT, .flat = 64, .run = QUEUE_RUN, .bits = QUEUE_LADDER_BITS};

size_t queue_count(const struct queue *q)
{
    return (size_t)(q->run_end - q->run) + q->n_recent +
           (q->ladder ? queue_ladder_count(q->ladder) : 0);
}

/* ---- recent ----------------------------------------------------------------------------- */

/* How many of the recent come before one that is put in now. A place that is not in use holds a
 * time that is over, so it counts as well. */
static uint32_t rank_of(const struct queue *q, uint64_t time)
{
    const uint64_t *t = q->recent_time;
    uint32_t n = 0;
    for (int i = 0; i < QUEUE_RECENT; i += 4)
        n += (uint32_t)(t[i] <= time) + (uint32_t)(t[i + 1] <= time) +
             (uint32_t)(t[i + 2] <= time) + (uint32_t)(t[i + 3] <= time);
    return n - (QUEUE_RECENT - q->n_recent);
}

static void put_recent(struct queue *q, uint64_t time, void *what)
{
    uint32_t rank = rank_of(q, time), last = q->n_recent++;
    uint64_t place = q->order >> 4 * last & 15;
    uint64_t moved = UINT64_MAX << 4 * rank & UINT64_MAX >> (60 - 4 * last);
    q->order = (q->order & ~moved) | ((q->order & moved) << 4 & moved) | place << 4 * rank;
    q->recent_time[place] = time;
    q->recent_what[place] = what;
}

static struct queue_item take_recent(struct queue *q)
{
    uint64_t place = q->order & 15;
    q->n_recent--;
    q->order = q->order >> 4 | q->order << 60;
    return (struct queue_item){q->recent_time[place], q->recent_what[place]};
}

/* ---- run -------------------------------------------------------------------------------- */

/* Of equal times, the one in run is older. */
static bool run_is_first(const struct queue *q)
{
    return q->run != q->run_end &&
           (q->n_recent == 0 || q->run->time <= q->recent_time[q->order & 15]);
}

static void merge(struct queue *q)
{
    struct queue_item *from = q->run, *end = q->run_end, *to = q->away;
    while (q->n_recent) {
        struct queue_item item = take_recent(q);
        while (from != end && from->time <= item.time)
            *to++ = *from++;
        *to++ = item;
    }
    while (from != end)
        *to++ = *from++;
    memset(q->recent_time, 0, sizeof q->recent_time);
    q->run = q->away;
    q->run_end = to;
    q->away = q->home;
    q->home = q->run;
}

/* All that comes before the edge goes to the ladder. */
static int spill(struct queue *q)
{
    size_t n = (size_t)(q->run_end - q->run) + q->n_recent;
    uint64_t differ = 0;
    for (const struct queue_item *i = q->run; i != q->run_end; i++)
        differ |= i->time ^ q->now;
    for (uint32_t i = 0; i < q->n_recent; i++)
        differ |= q->recent_time[q->order >> 4 * i & 15] ^ q->now;
    if (queue_ladder_begin(q->ladder, q->now, differ, n) != OK)
        return ERR_NOMEM;
    while (n--) {
        struct queue_item item = run_is_first(q) ? *q->run++ : take_recent(q);
        int rc = queue_ladder_put(q->ladder, item.time, item.what);
        assert(rc == OK);
        (void)rc;
    }
    memset(q->recent_time, 0, sizeof q->recent_time);
    q->edge = q->now;
    return OK;
}

static bool refill(struct queue *q)
{
    struct queue_load load = {.items = q->home};
    size_t n = q->ladder ? queue_ladder_count(q->ladder) : 0;
    if (n == 0)
        return false;
    load.most = n / SHARE > SHORT ? n / SHARE : SHORT;
    load.most = load.most < q->tuning.run ? load.most : q->tuning.run;
    q->broken = queue_ladder_take(q->ladder, &load) != OK;
    if (q->broken)
        return false;
    queue_sort(&q->home, &q->away, load.n, load.differ);
    q->runs++;
    q->run = q->home;
    q->run_end = q->home + load.n;
    q->edge = load.edge;
    return true;
}

/* ---- the queue -------------------------------------------------------------------------- */

static uint32_t choose(uint32_t wanted, uint32_t most)
{
    return wanted && wanted < most ? wanted : most;
}

static void begin(struct queue *q)
{
    struct queue_tuning *t = &q->tuning;
    *t = (struct queue_tuning){.recent = choose(t->recent, defaults.recent),
                               .flat = choose(t->flat, defaults.flat),
                               .run = choose(t->run, defaults.run),
                               .bits = choose(t->bits, defaults.bits)};
    q->edge = UINT64_MAX;
    q->order = UINT64_C(0xfedcba9876543210);
    q->room = t->recent;
}

static int make_room(struct queue *q)
{
    if (!q->home)
        q->home = malloc(QUEUE_RUN * sizeof *q->home);
    if (!q->away)
        q->away = malloc(QUEUE_RUN * sizeof *q->away);
    if (!q->home || !q->away)
        return ERR_NOMEM;
    if ((size_t)(q->run_end - q->run) + q->n_recent <= q->tuning.flat) {
        merge(q);
        return OK;
    }
    if (!q->ladder)
        q->ladder = queue_ladder_new(q->tuning.bits);
    return q->ladder ? spill(q) : ERR_NOMEM;
}

/* A push for which recent has no room. */
static __attribute__((noinline)) int push_crowded(struct queue *q, uint64_t time, void *what)
{
    if (q->room == 0)
        begin(q);
    else if (make_room(q) != OK)
        return ERR_NOMEM;
    return queue_push(q, time, what);
}

int queue_push(struct queue *q, uint64_t time, void *what)
{
    assert(time >= q->now && time < UINT64_MAX);
    if (time >= q->edge && q->ladder)
        return queue_ladder_put(q->ladder, time, what);
    if (q->n_recent == q->room)
        return push_crowded(q, time, what);
    put_recent(q, time, what);
    return OK;
}

/* A pop when run and recent are empty. */
static __attribute__((noinline)) void *pop_later(struct queue *q, uint64_t *time)
{
    return refill(q) ? queue_pop(q, time) : NULL;
}

void *queue_pop(struct queue *q, uint64_t *time)
{
    struct queue_item item;
    if (run_is_first(q))
        item = *q->run++;
    else if (q->n_recent)
        item = take_recent(q);
    else
        return pop_later(q, time);
    *time = q->now = item.time;
    return item.what;
}

void queue_free(struct queue *q)
{
    if (q->ladder)
        queue_ladder_free(q->ladder);
    free(q->home);
    free(q->away);
    memset(q, 0, sizeof *q);
}
