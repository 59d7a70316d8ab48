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

struct loss_rates {
    uint32_t ppm;   /* of all packets */
    uint32_t bad;   /* ppm within bursts; 0: 1000000 */
    uint16_t burst; /* packets; up to 1: each by itself */
};

struct loss {
    uint64_t passes; /* packets until the next lost one */
    uint32_t ppm;    /* for which they were drawn */
    uint16_t burst;  /* likewise */
    bool drawn, begun : 1, in_burst : 1;
};

uint64_t loss_draw(struct loss *, const struct loss_rates *, struct dice *);
/* Packets that get through before the next lost one, at these rates. ppm > 0. */
static inline uint64_t loss_passes(struct loss *l, const struct loss_rates *r, struct dice *d)
{
    return l->drawn && l->ppm == r->ppm && l->burst == r->burst ? l->passes : loss_draw(l, r, d);
}
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
bool loss_hits(struct loss *, const struct loss_rates *, struct dice *);

#endif
