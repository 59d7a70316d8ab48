/* Recordings of sightings, and maps of hosts, from strangers. The first byte chooses. */
#include "engine/observers/record.h"
#include "engine/run/observe.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_recording(const uint8_t *data, size_t size)
{
    struct record_names names;
    struct record_entry x;
    struct record r;
    struct err e;
    size_t at;
    if (record_open(&r, data, size, &e) != OK)
        return;
    at = r.names;
    for (uint32_t i = 0; i < r.n_nodes; i++)
        record_name(&r, &at, true, &names);
    for (uint32_t i = 0; i < r.n_regions; i++)
        record_name(&r, &at, false, &names);
    while (record_next(&r, &x, &e) == OK)
        if (x.sighting.visible && x.sighting.visible->kind > SHOWN_ROUTE)
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct observe_people people = {0};
    struct err e;
    if (size == 0)
        return 0;
    if (data[0] == 'P')
        read_recording(data, size);
    else if (observe_map(&people, "map", (const char *)data, size, &e) == OK)
        observe_owner(&people, &(struct addr){.port = 1});
    observe_people_free(&people);
    return 0;
}
