/* A pcap from a stranger, with a map of hosts. */
#include "engine/run/observe.h"
#include "engine/run/observe_truth.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *ctx, const struct sighting *s, const struct packet_truth *truth)
{
    ns_t *last = ctx;
    (void)truth;
    if (s->at > 1 || s->when < 0 || s->point != SIGHT_LINE)
        __builtin_trap();
    *last = s->when > *last ? s->when : *last;
}

/* a has sent 100 and 200 bytes to b. */
static struct observe_truth *some_truth(void)
{
    struct observe_truth *t = observe_truth_new(2);
    struct sighting s = {.beyond = PARTY_NONE,
                         .packets = 1,
                         .opens = true,
                         .from = {{[10] = 0xff, [11] = 0xff, 10, 0, 0, 2}, 80},
                         .to = {{[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}, 1000}};
    struct addr peer = s.from;
    observe_truth_note(t, &s, NULL, 0);
    s.from = s.to;
    s.to = peer;
    s.opens = false;
    s.out = true;
    for (uint32_t i = 1; i < 3; i++)
        observe_truth_note(t, &s, &(struct packet_truth){TRUTH_REAL, 0, 1, i}, 100 * i);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char map[] =
        "parties: {a: [10.0.0.1, '2001:db8::1'], b: [10.0.0.2, '2001:db8::2']}";
    struct observe_people people = {0};
    struct err e;
    ns_t last = 0, ended = 0;
    struct observe_capture capture = {.name = "pcap", .people = &people, .see = see, .ctx = &last};
    FILE *f;
    if (size == 0 || size > 1 << 20)
        return 0;
    f = fmemopen((void *)(uintptr_t)data, size, "rb");
    capture.truth = some_truth();
    if (!f || !capture.truth || observe_map(&people, "map", map, sizeof map - 1, &e) != OK)
        __builtin_trap();
    if (observe_pcap(f, &capture, &ended, &e) == OK && last > ended)
        __builtin_trap();
    observe_truth_free(capture.truth);
    observe_people_free(&people);
    return 0;
}
