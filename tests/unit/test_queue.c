/* links: engine/worlds/sim/queue.c engine/worlds/sim/slab.c engine/base/prng.c */
#include "engine/base/prng.h"
#include "engine/worlds/sim/slab.h"
#include "engine/worlds/sim/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The reference: a sorted array, the first to come last in it. */
enum { REFERENCE = 4096 };

struct reference {
    uint64_t time[REFERENCE];
    uintptr_t id[REFERENCE];
    size_t n;
};

static void reference_push(struct reference *r, uint64_t time, uintptr_t id)
{
    size_t at = r->n++;
    for (; at && r->time[at - 1] <= time; at--) {
        r->time[at] = r->time[at - 1];
        r->id[at] = r->id[at - 1];
    }
    r->time[at] = time;
    r->id[at] = id;
}

static void compare(uint64_t seed, uint64_t spread, size_t most, unsigned operations)
{
    struct dice d = dice_name(seed, "queue", spread, most, 0);
    struct reference *r = calloc(1, sizeof *r);
    struct queue q = {0};
    uint64_t now = 0;
    uintptr_t id = 0;
    for (unsigned i = 0; i < operations; i++) {
        bool push = r->n == 0 || (r->n < most && dice_below(&d, 2));
        if (push) {
            uint64_t time = now + dice_below(&d, spread);
            assert_int_equal(queue_push(&q, time, (void *)++id), 0);
            reference_push(r, time, id);
        } else {
            void *what = queue_pop(&q, &now);
            r->n--;
            if ((uintptr_t)what != r->id[r->n] || now != r->time[r->n])
                fail_msg("operation %u: got %ju at %ju, not %ju at %ju", i,
                         (uintmax_t)(uintptr_t)what, (uintmax_t)now, (uintmax_t)r->id[r->n],
                         (uintmax_t)r->time[r->n]);
        }
        if (queue_count(&q) != r->n)
            fail_msg("operation %u: %zu are pending, not %zu", i, queue_count(&q), r->n);
    }
    queue_free(&q);
    free(r);
}

static void order_is_that_of_a_sorted_list(void **state)
{
    static const uint64_t spreads[] = {1, 2, 10, 1000, 1000000000};
    static const size_t mosts[] = {1, 2, 5, 60, 1000};
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < 5; k++)
            compare(i, spreads[i], mosts[k], mosts[k] == 1000 ? 150000 : 200000);
}

static void ties_come_in_the_order_of_entry(void **state)
{
    struct queue q = {0};
    uint64_t time;
    (void)state;
    for (uintptr_t i = 1; i <= 10000; i++)
        assert_int_equal(queue_push(&q, 7, (void *)i), 0);
    for (uintptr_t i = 1; i <= 5000; i++)
        assert_ptr_equal(queue_pop(&q, &time), (void *)i);
    for (uintptr_t i = 10001; i <= 12000; i++)
        assert_int_equal(queue_push(&q, 7, (void *)i), 0);
    for (uintptr_t i = 5001; i <= 12000; i++)
        assert_ptr_equal(queue_pop(&q, &time), (void *)i);
    assert_null(queue_pop(&q, &time));
    queue_free(&q);
}

static void empty_and_extreme_times(void **state)
{
    struct queue q = {0};
    uint64_t time = 5;
    (void)state;
    assert_null(queue_pop(&q, &time));
    assert_int_equal(time, 5);
    assert_int_equal(queue_push(&q, UINT64_MAX, &q), 0);
    assert_int_equal(queue_push(&q, 0, &time), 0);
    assert_ptr_equal(queue_pop(&q, &time), &time);
    assert_ptr_equal(queue_pop(&q, &time), &q);
    assert_true(time == UINT64_MAX);
    assert_null(queue_pop(&q, &time));
    assert_int_equal(queue_count(&q), 0);
    queue_free(&q);
}

static void slab_gives_every_size_its_own_memory(void **state)
{
    static const size_t sizes[] = {1, 64, 65, 128, 129, 4096, 4097, 70000};
    struct slab p = {0};
    unsigned char *piece[800];
    uint8_t size_class[800];
    void *again;
    (void)state;
    for (unsigned i = 0; i < 800; i++) {
        size_t size = sizes[i % 8];
        piece[i] = slab_take(&p, size, &size_class[i]);
        assert_non_null(piece[i]);
        assert_int_equal(size_class[i] == SLAB_BIG, size > SLAB_MAX);
        memset(piece[i], (int)(i & 255), size);
    }
    for (unsigned i = 0; i < 800; i++) {
        assert_int_equal(piece[i][0], i & 255);
        assert_int_equal(piece[i][sizes[i % 8] - 1], i & 255);
    }
    slab_give(&p, piece[1], size_class[1]);
    again = slab_take(&p, 50, &size_class[1]);
    assert_ptr_equal(again, piece[1]);
    for (unsigned i = 0; i < 800; i++)
        slab_give(&p, piece[i], size_class[i]);
    slab_free(&p);
    assert_null(p.blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_that_of_a_sorted_list),
        cmocka_unit_test(ties_come_in_the_order_of_entry),
        cmocka_unit_test(empty_and_extreme_times),
        cmocka_unit_test(slab_gives_every_size_its_own_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
