/* Any bytes as a log of events: refused with a sentence, or read; then its events can be printed,
 * it equals itself, and it parts from itself where an event is changed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run/evlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct roster_entry who[] = {{.name = "alice"}, {.name = "bob"}};
    const struct roster roster = {.n = 2, .n_parties = 2, .entries = who};
    struct evlog a, b;
    struct err e = {0};
    char text[40];
    if (evlog_read(data, size, &a, &e) != OK) {
        need(e.text[0] != 0 && !a.events);
        return 0;
    }
    need(a.n <= EVLOG_EVENTS && a.n <= a.n_all && a.n_marks <= EVLOG_MARKS);
    for (size_t i = 0; i < a.n; i++) {
        need(strlen(evlog_print(&a.events[i], &roster, text, sizeof text)) < sizeof text);
        need(i == 0 || a.events[i - 1].at <= a.events[i].at);
    }
    need(evlog_read(data, size, &b, &e) == OK);
    need(evlog_compare(&a, &b).where == EVLOG_EQUAL);
    if (b.n) {
        b.events[b.n / 2].link++;
        need(evlog_compare(&a, &b).where == EVLOG_EVENT);
        need(evlog_compare(&a, &b).from == b.n / 2 + 1);
    }
    evlog_free(&a);
    evlog_free(&b);
    return 0;
}
