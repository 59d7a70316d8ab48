/* When a mix network may be judged (METRICS.md, 3.7): an empty pool at the start deflates entropy.
 *
 * Packets are judged from `settle` after the first one on, which should be ten times as long as a
 * packet is in the network's pools together, or more. What comes before still moves the pools. A
 * network without pools has nothing to settle. The end of a trial needs no such rule: an observer
 * judges a packet by what has happened until then, and a pool that drains hides as little as it
 * seems to.
 */
#ifndef PARTYLINE_OBSERVERS_BURNIN_H
#define PARTYLINE_OBSERVERS_BURNIN_H

#include "engine/base/ns.h"

#include <stdbool.h>

struct burnin {
    ns_t first; /* packet's time; below 0: none came */
    ns_t settle;
};

static inline struct burnin burnin_of(ns_t settle)
{
    return (struct burnin){.first = -1, .settle = settle};
}
/* A packet passes. */
static inline void burnin_see(struct burnin *b, ns_t when)
{
    if (b->first < 0)
        b->first = when;
}
static inline bool burnin_judges(const struct burnin *b, ns_t when)
{
    return b->first >= 0 && when - b->first >= b->settle;
}

#endif
