/* When a mix network may be judged (METRICS.md, 3.7): an empty pool at the start deflates
 * entropy, and so does the silence at the end.
 *
 * Packets are judged from `from` on, BURNIN_LIFETIMES mean lifetimes of what the pools hold after
 * the first packet, and up to `until`, which lies as far before the last. What falls outside
 * still moves the pools. Of a run shorter than that the middle third is judged, and `short_run`
 * says so: its figures are those of a network that never settled.
 */
#ifndef PARTYLINE_OBSERVERS_BURNIN_H
#define PARTYLINE_OBSERVERS_BURNIN_H

#include "engine/base/ns.h"

#include <stdbool.h>

enum { BURNIN_LIFETIMES = 10 };

struct burnin {
    ns_t from, until;
    bool short_run;
};

/* lifetime: the mean time that a packet is in the network's pools together. */
struct burnin burnin_of(ns_t first, ns_t last, ns_t lifetime);
static inline bool burnin_judges(const struct burnin *b, ns_t when)
{
    return when >= b->from && when < b->until;
}

#endif
