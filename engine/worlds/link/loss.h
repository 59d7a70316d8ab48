/* Which packets of a path are lost: alone, or in bursts (Gilbert 1960, Elliott 1963).
 *
 * Independent losses: each packet with the rate p. Bursts: the path is in a good state, which
 * loses nothing, or in a bad one, which loses each packet with the rate h (100 % unless given).
 * A bad state lasts for `burst` packets on average (geometric), a good one for so many that the
 * overall rate is p: of all packets p / h meet the bad state. p >= h: it is always bad. The state
 * changes with packets, not with time: an idle path keeps it.
 *
 * A stream of packets needs a draw a loss, not one a packet: what is drawn is how many packets
 * get through before the next lost one. When the rate changes, the rest is drawn anew.
 */
#ifndef PARTYLINE_WORLDS_LINK_LOSS_H
#define PARTYLINE_WORLDS_LINK_LOSS_H

#include "engine/base/prng.h"

#include <stdbool.h>

struct loss {
    uint32_t ppm;   /* for which `passes` was drawn */
    uint32_t bad;   /* ppm within bursts; 0: 1000000 */
    uint32_t burst; /* likewise */
    bool drawn, begun, in_burst;
    uint64_t passes; /* packets until the next lost one */
};

/* Packets that get through before the next lost one, at these rates. ppm > 0. */
uint64_t loss_passes(struct loss *, uint32_t ppm, uint32_t burst, struct dice *);
/* So many packets went through: at most what loss_passes said. */
static inline void loss_pass(struct loss *l, uint64_t n)
{
    l->passes -= n;
}
/* The lost one; loss_passes was 0. */
static inline void loss_take(struct loss *l)
{
    l->drawn = false;
}
/* One packet: is it lost? */
bool loss_hits(struct loss *, uint32_t ppm, uint32_t burst, struct dice *);

#endif
