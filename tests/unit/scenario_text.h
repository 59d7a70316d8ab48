/* Scenarios from texts, for tests. */
#ifndef PARTYLINE_TESTS_SCENARIO_TEXT_H
#define PARTYLINE_TESTS_SCENARIO_TEXT_H

#include "engine/run/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct loaded {
    struct scenario *s;
    struct diag_list diags;
    int rc;
};

/* Tables of regions from scenarios/, files of options from the few below. */
static int read_fake(void *ctx, enum scenario_file kind, const char *path, struct arena *a,
                     const char **name, const char **data, size_t *len, struct err *e)
{
    static const struct {
        enum scenario_file kind;
        const char *path, *text;
    } files[] = {
        {SCENARIO_FILE, "adder.txt", "1 2\n3\n"},
        {SCENARIO_FILE, "other.txt", "1 2\n4\n"},
        {SCENARIO_REGIONS, "two", "eu: {eu: 1ms, us: 80ms}\nus: {us: 2ms}\n"},
        {SCENARIO_REGIONS, "bad", "eu: {eu: 1ms, us: 80}\nus: {us: 2ms}\n"},
        {SCENARIO_REGIONS, "list", "[1, 2]\n"},
        {SCENARIO_COMPUTE, "slow", "x25519: 180us\naead: 2us\n"},
        {SCENARIO_COMPUTE, "odd", "x25519: 180\n"},
    };
    (void)ctx;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i].kind == kind && strcmp(files[i].path, path) == 0) {
            *len = strlen(files[i].text);
            *name = arena_text(a, path, strlen(path));
            *data = arena_text(a, files[i].text, *len);
            return OK;
        }
    return err_set(e, ERR_ABSENT, "%s: there is no such file", path);
}

static const struct scenario_reader fake_reader = {read_fake, NULL};

static struct loaded load_sets(const char *text, const struct scenario_set *sets, size_t n)
{
    struct loaded l;
    diag_init(&l.diags);
    l.rc =
        scenario_load_text("test.yaml", text, strlen(text), &fake_reader, sets, n, &l.s, &l.diags);
    assert_int_equal(l.rc == OK, l.s != NULL);
    assert_int_equal(l.rc == OK, l.diags.n == 0);
    return l;
}

static inline struct loaded load(const char *text)
{
    return load_sets(text, NULL, 0);
}

/* A scenario that has to be valid. */
static inline struct loaded load_good(const char *text)
{
    struct loaded l = load(text);
    diag_print(&l.diags, stderr);
    assert_int_equal(l.rc, OK);
    return l;
}

static inline void unload(struct loaded *l)
{
    scenario_free(l->s);
    diag_free(&l->diags);
}

#endif
