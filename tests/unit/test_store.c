/* links: engine/worlds/sim/store.c engine/base/prng.c */
#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/worlds/sim/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int put(struct sim_store *s, const char *key, const char *value)
{
    return s->base.ops->put(&s->base, key, strlen(key), value, strlen(value));
}

static int insert(struct sim_store *s, const char *key, const char *value)
{
    return s->base.ops->insert(&s->base, key, strlen(key), value, strlen(value));
}

static int erase(struct sim_store *s, const char *key)
{
    return s->base.ops->remove(&s->base, key, strlen(key));
}

/* The value as a text, or "" with *rc. */
static const char *get(struct sim_store *s, const char *key, int *rc)
{
    static char buf[64];
    size_t len = 0;
    memset(buf, 0, sizeof buf);
    *rc = s->base.ops->get(&s->base, key, strlen(key), buf, sizeof buf - 1, &len);
    return buf;
}

static void assert_value(struct sim_store *s, const char *key, const char *value)
{
    int rc;
    assert_string_equal(get(s, key, &rc), value);
    assert_int_equal(rc, OK);
}

static void assert_absent(struct sim_store *s, const char *key)
{
    int rc;
    get(s, key, &rc);
    assert_int_equal(rc, ERR_ABSENT);
}

static void what_is_put_is_there(void **state)
{
    struct sim_store s;
    (void)state;
    sim_store_init(&s, NULL);
    assert_absent(&s, "a");
    assert_int_equal(erase(&s, "a"), OK);
    assert_int_equal(put(&s, "a", "1"), OK);
    assert_int_equal(put(&s, "a", "22"), OK);
    assert_value(&s, "a", "22");
    assert_int_equal(insert(&s, "a", "3"), ERR_EXISTS);
    assert_value(&s, "a", "22");
    assert_int_equal(insert(&s, "b", "4"), OK);
    assert_int_equal(erase(&s, "a"), OK);
    assert_absent(&s, "a");
    assert_value(&s, "b", "4");
    assert_int_equal(insert(&s, "a", "5"), OK);
    assert_int_equal(put(&s, "empty", ""), OK);
    assert_value(&s, "empty", "");
    sim_store_free(&s);
    assert_absent(&s, "b");
}

static void a_short_buffer_gets_the_length(void **state)
{
    struct sim_store s;
    char buf[3] = {0};
    size_t len = 0;
    (void)state;
    sim_store_init(&s, NULL);
    assert_int_equal(put(&s, "k", "abcdef"), OK);
    assert_int_equal(s.base.ops->get(&s.base, "k", 1, buf, 2, &len), OK);
    assert_int_equal(len, 6);
    assert_memory_equal(buf, "ab", 3);
    assert_int_equal(s.base.ops->get(&s.base, "k", 1, NULL, 0, &len), OK);
    sim_store_free(&s);
}

static void limits(void **state)
{
    struct sim_store s;
    char *big = calloc(1, STORE_VALUE_MAX + 1);
    char key[STORE_KEY_MAX + 1];
    unsigned n = 0;
    (void)state;
    memset(key, 'k', sizeof key);
    sim_store_init(&s, NULL);
    assert_int_equal(s.base.ops->put(&s.base, key, STORE_KEY_MAX, big, STORE_VALUE_MAX), OK);
    assert_int_equal(s.base.ops->put(&s.base, key, STORE_KEY_MAX + 1, big, 1), ERR_TOO_BIG);
    assert_int_equal(s.base.ops->put(&s.base, key, 1, big, STORE_VALUE_MAX + 1), ERR_TOO_BIG);
    assert_int_equal(s.base.ops->put(&s.base, key, 0, big, 1), ERR_INVALID);
    while (s.base.ops->put(&s.base, &n, sizeof n, big, STORE_VALUE_MAX) == OK)
        n++;
    assert_int_equal(n, (SIM_STORE_BYTES_MAX - STORE_KEY_MAX - STORE_VALUE_MAX) /
                            (STORE_VALUE_MAX + (int)sizeof n));
    assert_int_equal(s.base.ops->put(&s.base, &n, sizeof n, big, STORE_VALUE_MAX), ERR_LIMIT);
    n = 0;
    assert_int_equal(s.base.ops->put(&s.base, &n, sizeof n, big, STORE_VALUE_MAX), OK);
    sim_store_free(&s);
    free(big);
}

/* Against an array of what should be there. */
static void many_keys(void **state)
{
    enum { KEYS = 700 };
    struct sim_store s;
    int model[KEYS] = {0};
    struct dice d = dice_name(1, "store", 0, 0, 0);
    (void)state;
    sim_store_init(&s, NULL);
    for (int i = 1; i < 60000; i++) {
        unsigned k = (unsigned)dice_below(&d, KEYS);
        char key[24], value[24];
        snprintf(key, sizeof key, "key %u", k);
        snprintf(value, sizeof value, "%d", i);
        switch (dice_below(&d, 4)) {
        case 0:
            assert_int_equal(put(&s, key, value), OK);
            model[k] = i;
            break;
        case 1:
            assert_int_equal(insert(&s, key, value), model[k] ? ERR_EXISTS : OK);
            model[k] = model[k] ? model[k] : i;
            break;
        case 2:
            assert_int_equal(erase(&s, key), OK);
            model[k] = 0;
            break;
        default:
            snprintf(value, sizeof value, "%d", model[k]);
            if (model[k])
                assert_value(&s, key, value);
            else
                assert_absent(&s, key);
        }
    }
    sim_store_free(&s);
    assert_int_equal(s.bytes, 0);
    assert_int_equal(s.n, 0);
}

static void the_nth_operation_fails_without_effect(void **state)
{
    struct store_fate fate = {.fail = 3};
    struct sim_store a, b;
    (void)state;
    sim_store_init(&a, &fate);
    sim_store_init(&b, &fate);
    assert_int_equal(put(&a, "k", "1"), OK);
    assert_int_equal(put(&b, "k", "1"), OK);
    assert_int_equal(put(&a, "k", "2"), ERR_IO);
    assert_value(&a, "k", "1");
    assert_int_equal(put(&a, "k", "2"), OK);
    assert_value(&a, "k", "2");
    assert_int_equal(fate.fired, 1);
    assert_int_equal(fate.operations, 6);
    sim_store_free(&a);
    sim_store_free(&b);
}

static int deaths;

static void died(struct sim_store *s)
{
    assert_true(s->dead);
    deaths++;
}

static void death_before_and_after(void **state)
{
    struct store_fate fate = {.die_before = 2, .died = died};
    struct sim_store s;
    (void)state;
    deaths = 0;
    sim_store_init(&s, &fate);
    assert_int_equal(insert(&s, "nonce", "a"), OK);
    assert_int_equal(insert(&s, "vote", "b"), ERR_IO);
    assert_int_equal(deaths, 1);
    assert_int_equal(put(&s, "vote", "c"), ERR_IO);
    assert_int_equal(fate.operations, 2);
    sim_store_revive(&s);
    assert_value(&s, "nonce", "a");
    assert_absent(&s, "vote");
    fate.die_before = 0;
    fate.die_after = fate.operations + 1;
    assert_int_equal(insert(&s, "vote", "d"), ERR_IO);
    assert_int_equal(deaths, 2);
    sim_store_revive(&s);
    assert_value(&s, "vote", "d");
    assert_int_equal(fate.fired, 2);
    sim_store_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_there),
        cmocka_unit_test(a_short_buffer_gets_the_length),
        cmocka_unit_test(limits),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(the_nth_operation_fails_without_effect),
        cmocka_unit_test(death_before_and_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
