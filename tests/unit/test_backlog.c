/* links: engine/channel/backlog.c engine/base/slab.c engine/base/pages.c engine/base/prng.c: what a
 * channel keeps, beside a list that forgets nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/channel/backlog.h"

enum { RECORDS = 4000 };

static uint8_t byte(uint64_t number, size_t i)
{
    return (uint8_t)(number * 31 + i);
}

static void push(struct backlog *q, struct slab *slab, uint64_t number, size_t len)
{
    uint8_t *out;
    assert_int_equal(backlog_reserve(q, BACKLOG_HEADER + len, slab), ERR_OK);
    out = backlog_push(q, (uint8_t)(number % 3), len);
    for (size_t i = 0; i < len; i++)
        out[i] = byte(number, i);
}

static void look(const struct backlog *q, size_t at, uint64_t number, size_t len)
{
    struct record r = backlog_peek(q, at);
    assert_int_equal(r.len, len);
    assert_int_equal(r.flags, number % 3);
    assert_int_equal(backlog_size(r), BACKLOG_HEADER + len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(r.data[i], byte(number, i));
}

/* Records come and go in bursts; all that are in it are there, in order, at every step. */
static void everything_stays(void **state)
{
    struct slab memory = {0};
    (void)state;
    for (int with = 0; with < 2; with++) {
        struct slab *slab = with ? &memory : NULL;
        struct backlog q = {0};
        struct dice d = dice_name(1, "backlog", (uint64_t)with, 0, 0);
        size_t lens[RECORDS], bytes = 0, most = 0;
        uint64_t first = 0, next = 0;
        while (next < RECORDS || first < next) {
            bool more = dice_below(&d, 1000) < (next % 500 < 250 ? 700U : 300U);
            size_t at = 0;
            if (next < RECORDS && more) {
                lens[next] = (size_t)dice_below(&d, next % 100 ? 200 : 5000);
                push(&q, slab, next, lens[next]);
                bytes += BACKLOG_HEADER + lens[next++];
            } else if (first < next) {
                bytes -= BACKLOG_HEADER + lens[first];
                assert_int_equal(backlog_pop(&q, slab), BACKLOG_HEADER + lens[first++]);
            }
            assert_int_equal(q.count, next - first);
            assert_int_equal(q.used, bytes);
            most = most > bytes ? most : bytes;
            assert_true(q.cap <= 4 * most);
            assert_int_equal(q.count == 0, q.cap == 0);
            for (uint64_t i = first; i < next; at += BACKLOG_HEADER + lens[i++])
                if (i < first + 3 || i + 3 > next)
                    look(&q, at, i, lens[i]);
        }
        assert_null(q.buf);
    }
    slab_free(&memory);
}

/* One message takes what it needs, and its memory is the next one's. */
static void small_and_at_once(void **state)
{
    struct slab slab = {0};
    struct backlog q = {0};
    uint8_t *before;
    (void)state;
    push(&q, &slab, 1, 80);
    before = q.buf;
    assert_int_equal(q.cap, 96);
    assert_int_equal(backlog_pop(&q, &slab), 84);
    assert_int_equal(q.cap, 0);
    push(&q, &slab, 2, 92);
    assert_ptr_equal(q.buf, before);
    assert_int_equal(q.cap, 96);
    push(&q, &slab, 3, 0);
    assert_int_equal(q.cap, 192);
    look(&q, 0, 2, 92);
    look(&q, 96, 3, 0);
    backlog_clear(&q, &slab);
    slab_free(&slab);
}

/* Two at a time for ever take no more than two. */
static void two_at_a_time(void **state)
{
    struct slab slab = {0};
    struct backlog q = {0};
    (void)state;
    push(&q, &slab, 0, 80);
    for (uint64_t i = 1; i < 100; i++) {
        push(&q, &slab, i, 80);
        assert_int_equal(q.cap, 192);
        look(&q, 0, i - 1, 80);
        look(&q, 84, i, 80);
        backlog_pop(&q, &slab);
    }
    backlog_clear(&q, &slab);
    slab_free(&slab);
}

/* Nothing of a message is left where it was: not when the queue runs empty, nor when it moves. The
 * slab writes into the first bytes of what it gets back. */
static void wiped(void **state)
{
    static const size_t lens[] = {80, 700, 1000, 3000};
    struct slab slab = {0};
    (void)state;
    for (size_t k = 0; k < sizeof lens / sizeof lens[0]; k++) {
        struct backlog q = {0};
        const uint8_t *first, *second;
        size_t first_cap, second_cap;
        push(&q, &slab, 7, lens[k]);
        first = q.buf;
        first_cap = q.cap;
        push(&q, &slab, 8, lens[k] / 3);
        second = q.buf;
        second_cap = q.cap;
        assert_ptr_not_equal(first, second);
        backlog_pop(&q, &slab);
        backlog_pop(&q, &slab);
        for (size_t i = sizeof(struct slab_piece); i < first_cap; i++)
            assert_int_equal(first[i], 0);
        for (size_t i = sizeof(struct slab_piece); second_cap <= SLAB_MAX && i < second_cap; i++)
            assert_int_equal(second[i], 0);
    }
    slab_free(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_stays),
        cmocka_unit_test(small_and_at_once),
        cmocka_unit_test(two_at_a_time),
        cmocka_unit_test(wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
