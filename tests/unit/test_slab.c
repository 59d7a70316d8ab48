/* links: engine/base/slab.c engine/base/pages.c engine/base/map.c engine/base/prng.c: memory of
 * what is many and small, or big, and the map that lives in it. */
#include "engine/base/err.h"
#include "engine/base/map.h"
#include "engine/base/pages.h"
#include "engine/base/prng.h"
#include "engine/base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- pages ------------------------------------------------------------------------------ */

static void pages_are_zeroed_and_aligned(void **state)
{
    static const size_t sizes[] = {1, 64, 100000, PAGES_BLOCK - 1, PAGES_BLOCK, 3 * PAGES_HUGE + 5};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *at = pages_take(sizes[i]);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % (sizes[i] >= PAGES_BLOCK ? PAGES_HUGE : 64), 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(at[k], 0);
        memset(at, 0xa5, sizes[i]);
        pages_give(at);
    }
    assert_null(pages_take(0));
    assert_null(pages_take(SIZE_MAX));
    assert_null(pages_take(SIZE_MAX - PAGES_HUGE));
    pages_give(NULL);
}

/* ---- slab ------------------------------------------------------------------------------- */

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

/* Many of them, so that huge blocks are in use; what is given back comes again. */
static void slab_lends_by_size(void **state)
{
    enum { N = 40000 };
    static const size_t sizes[] = {1, 32, 33, 256, 448, 1024, 1025, 2048, 2049, 4096, 4097};
    static uint64_t *lent[N];
    struct slab p = {0};
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        size_t blocks = p.n_blocks;
        for (unsigned i = 0; i < N; i++) {
            lent[i] = slab_lend(&p, sizes[i % 11] + 8);
            assert_non_null(lent[i]);
            if ((sizes[i % 11] + 8) % SLAB_LINE == 0)
                assert_int_equal((uintptr_t)lent[i] % SLAB_LINE, 0);
            *lent[i] = i;
        }
        if (round)
            assert_int_equal(p.n_blocks, blocks);
        for (unsigned i = 0; i < N; i++) {
            assert_int_equal(*lent[i], i);
            slab_back(&p, lent[i], sizes[i % 11] + 8);
        }
    }
    slab_back(&p, NULL, 100);
    slab_free(&p);
}

static void without_a_slab_malloc_lends(void **state)
{
    static const size_t sizes[] = {1, 500, 5000, PAGES_HUGE, PAGES_HUGE + 1};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        unsigned char *piece = slab_lend(NULL, sizes[i]);
        assert_non_null(piece);
        memset(piece, 1, sizes[i]);
        slab_back(NULL, piece, sizes[i]);
    }
    slab_back(NULL, NULL, 1);
}

/* ---- map -------------------------------------------------------------------------------- */

/* Against an array, from one entry to many and back. */
static void a_map_is_what_an_array_would_be(void **state)
{
    enum { KEYS = 3000, STEPS = 300000 };
    static uint32_t want[KEYS + 1]; /* 1 + value; 0: absent */
    struct dice d = dice_name(1, "map", 0, 0, 0);
    struct map m = {0};
    uint32_t n = 0;
    (void)state;
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t some = i < STEPS / 3 ? 3 : KEYS; /* few keys: no memory but the map's own */
        uint32_t key = 1 + (uint32_t)dice_below(&d, some), value = (uint32_t)dice_below(&d, 1000);
        if (dice_chance(&d, i % 20000 < 10000 ? 600000 : 300000)) {
            assert_int_equal(map_put(&m, key, value), OK);
            n += want[key] == 0;
            want[key] = 1 + value;
        } else {
            assert_int_equal(map_remove(&m, key), want[key] != 0);
            n -= want[key] != 0;
            want[key] = 0;
        }
        key = 1 + (uint32_t)dice_below(&d, some);
        assert_int_equal(map_get(&m, key, UINT32_MAX), want[key] ? want[key] - 1 : UINT32_MAX);
        assert_int_equal(m.n, n);
    }
    for (uint32_t key = 1; key <= KEYS; key++)
        assert_int_equal(map_get(&m, key, UINT32_MAX), want[key] ? want[key] - 1 : UINT32_MAX);
    assert_int_equal(map_get(&m, 0, 7), 7);
    assert_false(map_remove(&m, 0));
    map_free(&m);
    assert_int_equal(map_get(&m, 1, 7), 7);
}

static void a_map_of_one_owns_nothing(void **state)
{
    struct map m = {0};
    (void)state;
    assert_int_equal(map_put(&m, 5, 50), OK);
    assert_int_equal(map_put(&m, 5, 51), OK);
    assert_int_equal(m.cap, 0);
    assert_int_equal(map_get(&m, 5, 0), 51);
    assert_int_equal(map_get(&m, 6, 0), 0);
    assert_false(map_remove(&m, 6));
    assert_true(map_remove(&m, 5));
    assert_int_equal(map_get(&m, 5, 0), 0);
    assert_int_equal(map_put(&m, 6, 60), OK);
    assert_int_equal(map_put(&m, 7, 70), OK);
    assert_int_equal(map_get(&m, 6, 0), 60);
    assert_int_equal(map_get(&m, 7, 0), 70);
    map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_zeroed_and_aligned),
        cmocka_unit_test(slab_gives_every_size_its_own_memory),
        cmocka_unit_test(slab_lends_by_size),
        cmocka_unit_test(without_a_slab_malloc_lends),
        cmocka_unit_test(a_map_is_what_an_array_would_be),
        cmocka_unit_test(a_map_of_one_owns_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
