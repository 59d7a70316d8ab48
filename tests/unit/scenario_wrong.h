/* Scenarios with one mistake: where the finding is, and what it says. */
#ifndef PARTYLINE_TESTS_SCENARIO_WRONG_H
#define PARTYLINE_TESTS_SCENARIO_WRONG_H

#include "tests/unit/scenario_text.h"

/* Each case replaces one line of this scenario, or stands behind it (line 11). */
static const char *const base[] = {
    "schema: 1",
    "name: t",
    "regions: {eu: {eu: 1ms, us: 80ms}, us: {us: 1ms}}",
    "transport: relay",
    "protocol: {name: shamir, threshold: 1}",
    "parties:",
    "  - {name: alice, region: eu, input: 1}",
    "  - {name: bob, region: us, input: 2}",
    "  - {name: carol, region: us, input: 3}",
    "services: [{name: relay1, role: relay, region: eu}]",
};
enum { BASE = sizeof base / sizeof *base };

struct wrong {
    int replace;
    const char *text;
    int line, column;
    const char *words, *more; /* both are in the finding */
};

static char *text_of(const struct wrong *w)
{
    static char text[4096];
    size_t at = 0;
    for (int i = 1; i <= BASE + 1; i++)
        if (i == w->replace || i <= BASE)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s\n",
                                   i == w->replace ? w->text : base[i - 1]);
    return text;
}

static void show_all(struct loaded *l, const char *text)
{
    print_error("%s", text);
    diag_print(&l->diags, stderr);
}

/* There is exactly one finding, and it is this one. */
static void check_all(const struct wrong *list, size_t n)
{
    size_t missed = 0;
    for (size_t i = 0; i < n; i++) {
        const struct wrong *w = &list[i];
        const char *text = text_of(w);
        struct loaded l = load(text);
        const struct diag *d = l.diags.items;
        if (l.rc != ERR_INVALID || l.diags.n != 1 || d->line != w->line || d->column != w->column ||
            !strstr(d->text, w->words) || (w->more && !strstr(d->text, w->more))) {
            show_all(&l, text);
            print_error("expected %d:%d: %s\n", w->line, w->column, w->words);
            missed++;
        }
        unload(&l);
    }
    assert_int_equal(missed, 0);
}

#define CHECK(list) check_all(list, sizeof(list) / sizeof *(list))

#endif
