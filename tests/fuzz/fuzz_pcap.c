/* A pcap from a stranger, with a map of hosts. */
#include "engine/run/observe.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *ctx, const struct sighting *s)
{
    ns_t *last = ctx;
    if (s->at > 1 || s->when < 0 || s->point != SIGHT_LINE)
        __builtin_trap();
    *last = s->when > *last ? s->when : *last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char map[] =
        "parties: {a: [10.0.0.1, '2001:db8::1'], b: [10.0.0.2, '2001:db8::2']}";
    struct observe_people people = {0};
    struct err e;
    ns_t last = 0, ended = 0;
    FILE *f;
    if (size == 0 || size > 1 << 20)
        return 0;
    f = fmemopen((void *)(uintptr_t)data, size, "rb");
    if (!f || observe_map(&people, "map", map, sizeof map - 1, &e) != OK)
        __builtin_trap();
    if (observe_pcap(f, "pcap", &people, see, &last, &ended, &e) == OK && last > ended)
        __builtin_trap();
    observe_people_free(&people);
    return 0;
}
