/* links: engine/base/prng.c
 *
 * What the queue does with memory. Its sources are included here, with an allocator that counts,
 * and that fails when it is told to. */
#include "engine/base/err.h"
#include "engine/base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    size_t bytes, calls; /* in use; so far */
    size_t fail_at;      /* the call that fails, 0: none */
    bool fail_on;        /* so do all that follow */
} heap;

union head {
    size_t size;
    max_align_t align;
};

static void *heap_malloc(size_t size)
{
    union head *h;
    heap.calls++;
    if (heap.fail_at && (heap.calls == heap.fail_at || (heap.fail_on && heap.calls > heap.fail_at)))
        return NULL;
    h = malloc(sizeof *h + size);
    assert_non_null(h);
    h->size = size;
    heap.bytes += size;
    return h + 1;
}

static void *heap_calloc(size_t n, size_t size)
{
    void *p = heap_malloc(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

static void heap_free(void *p)
{
    union head *h = p;
    if (!p)
        return;
    heap.bytes -= h[-1].size;
    free(h - 1);
}

#define malloc heap_malloc
#define calloc heap_calloc
#define free heap_free
#include "engine/worlds/sim/queue.c"
#include "engine/worlds/sim/queue_bucket.c"
#include "engine/worlds/sim/queue_ladder.c"
#include "engine/worlds/sim/queue_sort.c"
#undef malloc
#undef calloc
#undef free

enum { BESIDE = 1 << 20 };

static uint64_t increment(struct dice *d)
{
    return (uint64_t)dice_exp(d, 50000000);
}

static uint64_t heavy_tail(struct dice *d)
{
    uint64_t power = UINT64_C(1) << dice_below(d, 45);
    return power + dice_below(d, power);
}

static size_t bound(size_t pending)
{
    return 2 * pending * sizeof(struct queue_item) * 32 / 31 + BESIDE;
}

static void within(const struct queue *q)
{
    if (heap.bytes > bound(queue_count(q)))
        fail_msg("%zu bytes for %zu", heap.bytes, queue_count(q));
}

static void hold(struct queue *q, struct dice *d, uint64_t *now, size_t holds)
{
    for (size_t i = 0; i < holds; i++) {
        assert_ptr_equal(queue_pop(q, now), q);
        assert_int_equal(queue_push(q, *now + increment(d), q), OK);
        if (i % 64 == 0)
            within(q);
    }
}

static void memory_follows_what_is_pending(void **state)
{
    static const size_t sizes[] = {10, 100, 1000, 30000, 300000, 1000, 100000, 50};
    struct dice d = dice_name(1, "memory", 0, 0, 0);
    struct queue q = {0};
    uint64_t now = 0;
    (void)state;
    memset(&heap, 0, sizeof heap);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        while (queue_count(&q) < sizes[i]) {
            assert_int_equal(queue_push(&q, now + increment(&d), &q), OK);
            within(&q);
        }
        while (queue_count(&q) > sizes[i]) {
            assert_ptr_equal(queue_pop(&q, &now), &q);
            within(&q);
        }
        hold(&q, &d, &now, sizes[i] + 10000);
    }
    queue_free(&q);
    assert_int_equal(heap.bytes, 0);
}

static void few_pending_need_no_memory(void **state)
{
    struct dice d = dice_name(2, "memory", 0, 0, 0);
    struct queue q = {0};
    uint64_t now = 0;
    (void)state;
    memset(&heap, 0, sizeof heap);
    for (int i = 0; i < 15; i++)
        assert_int_equal(queue_push(&q, increment(&d), &q), OK);
    hold(&q, &d, &now, 1000);
    assert_int_equal(heap.calls, 0);
    queue_free(&q);
}

static void a_steady_number_allocates_next_to_nothing(void **state)
{
    static const size_t sizes[] = {16, 50, 100, 300, 1000, 10000, 100000};
    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct dice d = dice_name(3, "memory", sizes[i], 0, 0);
        struct queue q = {0};
        uint64_t now = 0;
        memset(&heap, 0, sizeof heap);
        while (queue_count(&q) < sizes[i])
            assert_int_equal(queue_push(&q, increment(&d), &q), OK);
        hold(&q, &d, &now, 5 * sizes[i]);
        heap.calls = 0;
        hold(&q, &d, &now, 200000);
        if (heap.calls > 200)
            fail_msg("%zu allocations with %zu pending", heap.calls, sizes[i]);
        queue_free(&q);
    }
}

/* ---- failures --------------------------------------------------------------------------- */

enum { EVENTS = 3000 };

struct witness {
    struct queue q;
    struct dice d;
    uint64_t times[EVENTS]; /* of each that is in the queue or was in it */
    size_t pushed, popped, last, refused;
    uint64_t now;
};

/* A push that fails leaves everything as it is. */
static void try_push(struct witness *w)
{
    size_t pending = queue_count(&w->q);
    uint64_t time = w->now + (dice_below(&w->d, 4) ? heavy_tail(&w->d) : 0);
    int rc = queue_push(&w->q, time, &w->times[w->pushed]);
    assert_int_equal(queue_count(&w->q), pending + (rc == OK));
    if (rc == OK) {
        w->times[w->pushed++] = time;
    } else {
        assert_int_equal(rc, ERR_NOMEM);
        w->refused++;
    }
}

/* A pop that fails says so and loses nothing. */
static bool try_pop(struct witness *w)
{
    size_t pending = queue_count(&w->q), id;
    uint64_t *what = queue_pop(&w->q, &w->now);
    if (!what) {
        assert_int_equal(queue_count(&w->q), pending);
        assert_int_equal(w->q.broken, pending > 0);
        w->refused += w->q.broken;
        return false;
    }
    id = (size_t)(what - w->times);
    assert_true(id < w->pushed && w->now == *what);
    assert_true(w->popped == 0 || w->times[w->last] < w->now ||
                (w->times[w->last] == w->now && w->last < id));
    w->last = id;
    w->popped++;
    return true;
}

/* Up to some thousand pending and down again, with failures; then without them to the end. Returns
 * how many operations failed. */
static size_t survive(size_t fail_at, bool fail_on, unsigned tuning)
{
    static const struct queue_tuning tunings[] = {{0},
                                                  {.recent = 1, .flat = 1, .run = 20, .bits = 2}};
    struct witness *w = calloc(1, sizeof *w);
    size_t refused;
    bool broken = false;
    assert_non_null(w);
    memset(&heap, 0, sizeof heap);
    heap.fail_at = fail_at;
    heap.fail_on = fail_on;
    w->d = dice_name(4, "memory", 0, 0, 0);
    w->q.tuning = tunings[tuning];
    for (size_t i = 0; i < 4 * EVENTS && !broken && w->pushed < EVENTS; i++)
        if (dice_below(&w->d, 10) < (i < EVENTS ? 7 : 4))
            try_push(w);
        else if (!try_pop(w))
            broken = w->q.broken;
    if (broken) /* once more, as it may have been the only failure */
        (void)try_pop(w);
    heap.fail_at = 0;
    while (try_pop(w))
        continue;
    assert_int_equal(w->popped, w->pushed);
    refused = w->refused;
    queue_free(&w->q);
    assert_int_equal(heap.bytes, 0);
    free(w);
    return refused;
}

/* The n-th allocation fails, for each n until there is none. */
static void failures_are_reported_and_lose_nothing(void **state)
{
    (void)state;
    for (unsigned tuning = 0; tuning < 2; tuning++)
        for (int fail_on = 0; fail_on < 2; fail_on++) {
            size_t calls, n = 1;
            assert_int_equal(survive(0, false, tuning), 0);
            calls = heap.calls;
            assert_true(calls > 20);
            for (; n <= calls; n++)
                if (survive(n, fail_on, tuning) == 0)
                    fail_msg("nobody heard of the failure of allocation %zu", n);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_follows_what_is_pending),
        cmocka_unit_test(few_pending_need_no_memory),
        cmocka_unit_test(a_steady_number_allocates_next_to_nothing),
        cmocka_unit_test(failures_are_reported_and_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
