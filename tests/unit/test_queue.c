/* links: engine/worlds/sim/queue.c engine/worlds/sim/queue_ladder.c
 *        engine/worlds/sim/queue_bucket.c engine/worlds/sim/queue_sort.c
 *        engine/base/prng.c */
#include "engine/base/prng.h"
#include "engine/worlds/sim/queue.h"
#include "engine/worlds/sim/queue_ladder.h"
#include "tests/unit/queue_increments.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a sorted list ---------------------------------------------------------------------- */

enum { REFERENCE = 4096 };

/* The first to come is the last in the array. */
struct reference {
    struct {
        uint64_t time;
        uintptr_t id;
    } items[REFERENCE];
    size_t n;
};

static void reference_push(struct reference *r, uint64_t time, uintptr_t id)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->items[middle].time > time)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(&r->items[low + 1], &r->items[low], (r->n - low) * sizeof r->items[0]);
    r->items[low].time = time;
    r->items[low].id = id;
    r->n++;
}

struct trial {
    struct queue q;
    struct dice d;
    struct reference list;
    uint64_t now;
    uintptr_t id;
    uint64_t (*increment)(struct dice *);
};

static struct trial *begin(unsigned tuning, unsigned distribution, uint64_t seed)
{
    struct trial *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->q.tuning = tunings[tuning];
    t->d = dice_name(seed, "queue", tuning, distribution, 0);
    t->increment = distributions[distribution];
    return t;
}

static uint64_t a_time(struct trial *t)
{
    uint64_t most = UINT64_MAX - 1 - t->now, step = t->increment(&t->d);
    if (t->increment == anywhere)
        return t->now + step % (most + 1);
    return t->now + (step < most ? step : most);
}

static void push(struct trial *t)
{
    uint64_t time = a_time(t);
    assert_int_equal(queue_push(&t->q, time, (void *)++t->id), 0);
    reference_push(&t->list, time, t->id);
}

static void pop(struct trial *t)
{
    void *what = queue_pop(&t->q, &t->now);
    t->list.n--;
    if ((uintptr_t)what != t->list.items[t->list.n].id || t->now != t->list.items[t->list.n].time)
        fail_msg("after %ju came %ju at %ju, not %ju at %ju", (uintmax_t)t->id,
                 (uintmax_t)(uintptr_t)what, (uintmax_t)t->now,
                 (uintmax_t)t->list.items[t->list.n].id, (uintmax_t)t->list.items[t->list.n].time);
}

static void end(struct trial *t)
{
    while (t->list.n)
        pop(t);
    assert_null(queue_pop(&t->q, &t->now));
    queue_free(&t->q);
    free(t);
}

/* As many pushes as pops, with up to `most` pending. */
static void steady(unsigned tuning, unsigned distribution, size_t most, unsigned operations)
{
    struct trial *t = begin(tuning, distribution, most);
    for (unsigned i = 0; i < operations; i++) {
        if (t->list.n == 0 || (t->list.n < most && dice_below(&t->d, 2)))
            push(t);
        else
            pop(t);
        if (queue_count(&t->q) != t->list.n)
            fail_msg("operation %u: %zu are pending, not %zu", i, queue_count(&t->q), t->list.n);
    }
    end(t);
}

static void order_is_that_of_a_sorted_list(void **state)
{
    static const size_t mosts[] = {1, 2, 5, 17, 60, 100, 1000};
    (void)state;
    for (unsigned tuning = 0; tuning < TUNINGS; tuning++)
        for (unsigned d = 0; d < DISTRIBUTIONS; d++)
            for (unsigned i = 0; i < 7; i++)
                steady(tuning, d, mosts[i], 5000);
}

/* Up to a number, down to another one or to nothing, again and again: across every switch. */
static void order_stays_when_the_structure_changes(void **state)
{
    static const size_t tops[] = {18, 70, 90, 300, 3000}, bottoms[] = {0, 1, 14, 66, 250};
    (void)state;
    for (unsigned tuning = 0; tuning < TUNINGS; tuning++)
        for (unsigned d = 0; d < DISTRIBUTIONS; d++) {
            struct trial *t = begin(tuning, d, 7);
            for (unsigned round = 0; round < 15; round++) {
                size_t top = tops[dice_below(&t->d, 5)], bottom = bottoms[dice_below(&t->d, 5)];
                uint32_t pushes = 600000 + (uint32_t)dice_below(&t->d, 400001);
                while (t->list.n < top)
                    if (t->list.n == 0 || dice_chance(&t->d, pushes))
                        push(t);
                    else
                        pop(t);
                while (t->list.n > bottom)
                    if (dice_chance(&t->d, pushes))
                        pop(t);
                    else if (t->list.n < REFERENCE)
                        push(t);
            }
            end(t);
        }
}

/* ---- structures ------------------------------------------------------------------------- */

static size_t on_ladder(const struct queue *q)
{
    return q->ladder ? queue_ladder_count(q->ladder) : 0;
}

static void structure_follows_the_number(void **state)
{
    struct dice d = dice_name(1, "structure", 0, 0, 0);
    struct queue q = {0};
    uint64_t now = 0;
    (void)state;
    for (size_t n = 1; n <= 1000; n++) {
        assert_int_equal(queue_push(&q, exponential(&d), &q), 0);
        assert_int_equal(queue_count(&q), n);
        if (n <= 16)
            assert_null(q.home);
        if (n <= 64)
            assert_null(q.ladder);
    }
    assert_true(on_ladder(&q) > 900);
    for (int i = 0; i < 10000; i++) {
        assert_ptr_equal(queue_pop(&q, &now), &q);
        assert_int_equal(queue_push(&q, now + exponential(&d), &q), 0);
    }
    assert_true(on_ladder(&q) > 800);
    while (queue_count(&q) > 16)
        assert_ptr_equal(queue_pop(&q, &now), &q);
    for (int i = 0; i < 10000; i++) {
        assert_ptr_equal(queue_pop(&q, &now), &q);
        assert_int_equal(queue_push(&q, now + exponential(&d), &q), 0);
        if (i > 100)
            assert_int_equal(on_ladder(&q), 0);
    }
    queue_free(&q);
}

/* ---- particular cases ------------------------------------------------------------------- */

static void ties_come_in_the_order_of_entry(void **state)
{
    (void)state;
    for (unsigned tuning = 0; tuning < TUNINGS; tuning++) {
        struct queue q = {.tuning = tunings[tuning]};
        uint64_t time;
        for (uintptr_t i = 1; i <= 10000; i++)
            assert_int_equal(queue_push(&q, 7, (void *)i), 0);
        for (uintptr_t i = 1; i <= 5000; i++)
            assert_ptr_equal(queue_pop(&q, &time), (void *)i);
        for (uintptr_t i = 10001; i <= 12000; i++)
            assert_int_equal(queue_push(&q, 7, (void *)i), 0);
        assert_int_equal(queue_push(&q, 8, &q), 0);
        for (uintptr_t i = 5001; i <= 12000; i++)
            assert_ptr_equal(queue_pop(&q, &time), (void *)i);
        assert_int_equal(time, 7);
        assert_ptr_equal(queue_pop(&q, &time), &q);
        assert_null(queue_pop(&q, &time));
        queue_free(&q);
    }
}

static void empty_and_extreme_times(void **state)
{
    struct queue q = {0};
    uint64_t time = 5;
    (void)state;
    for (int round = 0; round < 2; round++) {
        assert_null(queue_pop(&q, &time));
        assert_int_equal(time, 5);
        assert_int_equal(queue_push(&q, UINT64_MAX - 1, &q), 0);
        assert_int_equal(queue_push(&q, 0, &time), 0);
        assert_ptr_equal(queue_pop(&q, &time), &time);
        assert_int_equal(time, 0);
        assert_ptr_equal(queue_pop(&q, &time), &q);
        assert_true(time == UINT64_MAX - 1);
        assert_null(queue_pop(&q, &time));
        assert_int_equal(queue_count(&q), 0);
        queue_free(&q);
        time = 5;
    }
    assert_int_equal(queue_count(&q), 0);
}

/* A thousand at the very end of time, and one each at every power of two before it. */
static void order_holds_to_the_end_of_time(void **state)
{
    (void)state;
    for (unsigned tuning = 0; tuning < TUNINGS; tuning++) {
        struct queue q = {.tuning = tunings[tuning]};
        uint64_t time = 0;
        for (uintptr_t i = 1; i <= 1000; i++)
            assert_int_equal(queue_push(&q, UINT64_MAX - 1, (void *)i), 0);
        for (unsigned i = 0; i < 64; i++)
            assert_int_equal(queue_push(&q, UINT64_C(1) << i, &q), 0);
        for (unsigned i = 0; i < 64; i++) {
            assert_ptr_equal(queue_pop(&q, &time), &q);
            assert_true(time == UINT64_C(1) << i);
        }
        for (uintptr_t i = 1001; i <= 2000; i++)
            assert_int_equal(queue_push(&q, UINT64_MAX - 1, (void *)i), 0);
        for (uintptr_t i = 1; i <= 2000; i++)
            assert_ptr_equal(queue_pop(&q, &time), (void *)i);
        assert_true(time == UINT64_MAX - 1);
        assert_null(queue_pop(&q, &time));
        queue_free(&q);
    }
}

/* The signal that ends a process which puts in the time `second` after `first` was popped. */
static int signal_of(uint64_t first, uint64_t second)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct queue q = {0};
        uint64_t time;
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        signal(SIGABRT, SIG_DFL);
        if (queue_push(&q, first, &q) != 0 || queue_pop(&q, &time) != &q)
            _exit(2);
        _exit(queue_push(&q, second, &q) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void the_past_and_the_end_of_time_are_refused(void **state)
{
    (void)state;
    assert_int_equal(signal_of(100, 100), 0);
    assert_int_equal(signal_of(100, 99), SIGABRT);
    assert_int_equal(signal_of(100, UINT64_MAX - 1), 0);
    assert_int_equal(signal_of(100, UINT64_MAX), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_that_of_a_sorted_list),
        cmocka_unit_test(order_stays_when_the_structure_changes),
        cmocka_unit_test(structure_follows_the_number),
        cmocka_unit_test(ties_come_in_the_order_of_entry),
        cmocka_unit_test(empty_and_extreme_times),
        cmocka_unit_test(order_holds_to_the_end_of_time),
        cmocka_unit_test(the_past_and_the_end_of_time_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
