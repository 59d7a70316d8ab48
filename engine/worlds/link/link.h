/* What lies between two hosts: last miles, the way between regions, and what they do to packets.
 *
 * Pure functions over state that the caller keeps, and ns_t: no world's types in here, so that
 * every world that imitates a network uses the same model.
 *
 * One way from a to b takes
 *     rtt(region a, region b) / 2 (rounded down)  +  latency of a's last mile  +  latency of b's
 *   + jitter: an exponential draw with a's mean and one with b's, once a train
 *   + serialisation at a's uplink and at b's downlink, and waiting for what is before it there.
 * The loss of a path is that of both last miles together: 1 - (1 - loss a)(1 - loss b).
 *
 * A message travels as a train of packets. A bottleneck serves trains in the order in which they
 * come to it and passes packets on one by one (cut-through): with R its rate, a train whose first
 * packet is there at f and whose last is there at l leaves with its last packet at
 *     max(max(f, free) + all bytes / R,  l + the last packet's bytes / R),
 * each quotient rounded up to a nanosecond. The caller brings a train to a bottleneck when its
 * first packet gets there: to the uplink when it is sent, to the downlink one path later.
 *
 * Sizes are those of IP packets: Ethernet's and PPP's framing is not counted.
 */
#ifndef PARTYLINE_WORLDS_LINK_LINK_H
#define PARTYLINE_WORLDS_LINK_LINK_H

#include "engine/base/prng.h"
#include "engine/world.h"

/* A host's last mile in motion. */
struct link_host {
    const struct access *access;
    uint32_t region;
    ns_t up_free, down_free; /* when its bottlenecks have served what came so far */
};

/* One direction between two hosts. */
struct link_path {
    ns_t delay; /* without jitter and serialisation */
    ns_t jitter_from, jitter_to;
    int64_t rate_bps; /* a bottleneck between the last miles; 0: none */
    uint32_t loss_ppm;
};

struct link_train {
    ns_t first, last;           /* when its first and its last packet are there as a whole */
    uint32_t bytes, head, tail; /* of all its packets, the first one, the last one */
};

/* Time that a bottleneck of this rate needs, rounded up; bps 0: none. */
ns_t link_time(uint64_t bytes, int64_t bps);
/* Bytes that still wait at a bottleneck that is free again at `free`. */
uint64_t link_backlog(ns_t now, ns_t free, int64_t bps);
/* Takes a train through a bottleneck; `free` is its state. bps 0: does nothing. */
void link_pass(struct link_train *, int64_t bps, ns_t *free);

struct link_path link_path(const struct regions *, const struct link_host *from,
                           const struct link_host *to);
/* One draw of the path's jitter; none is made from a stream for a mean of 0. */
ns_t link_jitter(const struct link_path *, struct dice *);

#endif
