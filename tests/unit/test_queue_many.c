/* links: engine/worlds/sim/queue.c engine/worlds/sim/queue_ladder.c
 *        engine/worlds/sim/queue_bucket.c engine/worlds/sim/queue_sort.c
 *        engine/base/prng.c */
#include "engine/base/prng.h"
#include "engine/worlds/sim/queue.h"
#include "engine/worlds/sim/queue_sort.h"
#include "tests/unit/queue_increments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- many ------------------------------------------------------------------------------- */

/* Without a list: what comes later must be later in (time, sequence), and everything must come.
 * As nothing is put in before what was popped last, that says as much. */
struct crowd {
    struct queue q;
    struct dice d;
    uint64_t *times; /* of each sequence number */
    size_t pushed, popped, most;
    uint64_t now, last;
};

static void crowd_push(struct crowd *c, uint64_t step)
{
    assert_true(c->pushed < c->most);
    c->times[c->pushed] = c->now + step;
    assert_int_equal(queue_push(&c->q, c->now + step, &c->times[c->pushed]), 0);
    c->pushed++;
}

static void crowd_pop(struct crowd *c)
{
    uint64_t *what = queue_pop(&c->q, &c->now), before = c->popped ? c->times[c->last] : 0;
    uint64_t id;
    assert_non_null(what);
    id = (uint64_t)(what - c->times);
    if (c->now != *what || c->now < before || (c->popped && c->now == before && id <= c->last))
        fail_msg("after %ju at %ju came %ju at %ju (of %ju)", (uintmax_t)c->last, (uintmax_t)before,
                 (uintmax_t)id, (uintmax_t)c->now, (uintmax_t)*what);
    c->last = id;
    c->popped++;
}

static void hundred_thousand(unsigned distribution, unsigned tuning, size_t pending, size_t holds)
{
    struct crowd *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->most = 2 * (pending + holds);
    c->times = calloc(c->most, sizeof *c->times);
    assert_non_null(c->times);
    c->q.tuning = tunings[tuning];
    c->d = dice_name(3, "crowd", distribution, tuning, pending);
    for (int round = 0; round < 2; round++) {
        while (queue_count(&c->q) < pending)
            crowd_push(c, distributions[distribution](&c->d));
        for (size_t i = 0; i < holds; i++) {
            crowd_pop(c);
            crowd_push(c, distributions[distribution](&c->d));
        }
        while (queue_count(&c->q))
            crowd_pop(c);
    }
    assert_int_equal(c->popped, c->pushed);
    queue_free(&c->q);
    free(c->times);
    free(c);
}

static void order_holds_for_a_hundred_thousand(void **state)
{
    (void)state;
    for (unsigned d = 0; d < DISTRIBUTIONS; d++)
        if (distributions[d] != huge_gaps && distributions[d] != anywhere) /* too big a sum */
            hundred_thousand(d, 0, 100000, 100000);
    hundred_thousand(4, 4, 100000, 100000);
    hundred_thousand(10, 3, 30000, 30000);
}

/* ---- sorting ---------------------------------------------------------------------------- */

static void sorting_is_stable(void **state)
{
    static struct queue_item a[QUEUE_RUN], b[QUEUE_RUN];
    static const uint32_t sizes[] = {1, 2, 3, 15, 32, 33, 100, 1000, QUEUE_RUN};
    struct dice d = dice_name(1, "sort", 0, 0, 0);
    (void)state;
    for (unsigned i = 0; i < 9; i++)
        for (unsigned k = 0; k < DISTRIBUTIONS * 8; k++) {
            struct queue_item *items = a, *other = b;
            uint64_t differ = 0, base = dice_u64(&d) >> dice_below(&d, 60) >> 1;
            for (uintptr_t n = 0; n < sizes[i]; n++) {
                items[n].time = base + (distributions[k % DISTRIBUTIONS](&d) >> 1);
                items[n].what = (void *)n;
                differ |= items[n].time ^ items[0].time;
            }
            queue_sort(&items, &other, sizes[i], differ);
            assert_true((items == a && other == b) || (items == b && other == a));
            for (uint32_t n = 1; n < sizes[i]; n++)
                assert_true(items[n - 1].time < items[n].time ||
                            (items[n - 1].time == items[n].time &&
                             (uintptr_t)items[n - 1].what < (uintptr_t)items[n].what));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_holds_for_a_hundred_thousand),
        cmocka_unit_test(sorting_is_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
