/* What lies between two hosts: last miles, the way between regions, and what they do to packets.
 *
 * Pure functions over state that the caller keeps, and ns_t: no world's types in here, so that
 * every world that imitates a network uses the same model.
 *
 * One way from a to b takes
 *     rtt(region a, region b) / 2 (rounded down)  +  latency of a's last mile  +  latency of b's
 *   + jitter: a draw with a's mean and shape and one with b's, once a train
 *   + serialisation at a's uplink and at b's downlink, and waiting for what is before it there.
 * The loss of a path is that of both last miles together: 1 - (1 - loss a)(1 - loss b), in
 * bursts as long as the longer ones of the two (loss.h).
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

#include "engine/worlds/link/loss.h"
#include "engine/world.h"

/* A host's last mile in motion. */
struct link_host {
    const struct access *access;
    uint32_t region;
    ns_t up_free, down_free; /* when its bottlenecks have served what came so far */
};

/* As a path's loss.ppm: no packet gets through, as its destination has another address now. */
#define LINK_SEVERED UINT32_MAX

/* One direction between two hosts. */
struct link_path {
    ns_t delay; /* without jitter and serialisation */
    ns_t jitter_from, jitter_to;
    int64_t rate_bps; /* a bottleneck between the last miles; 0: none */
    ns_t rtt;         /* there and back; streams alone */
    struct loss_rates loss;
    uint8_t shape_from, shape_to; /* enum jitter_shape */
};

struct link_train {
    ns_t first, last;           /* when its first and its last packet are there as a whole */
    uint32_t bytes, head, tail; /* of all its packets, the first one, the last one */
};

#define LINK_BIT_NS UINT64_C(8000000000) /* bits a byte, nanoseconds a second */

/* Time that a bottleneck of this rate needs, rounded up; bps 0: none. */
ns_t link_time_long(uint64_t bytes, int64_t bps);
static inline ns_t link_time(uint64_t bytes, int64_t bps)
{
    if (bps <= 0)
        return 0;
    if (bytes < 1 << 30 && bps < INT64_C(1) << 62)
        return (ns_t)((bytes * LINK_BIT_NS + (uint64_t)bps - 1) / (uint64_t)bps);
    return link_time_long(bytes, bps);
}
/* Bytes that still wait at a bottleneck that is free again at `free`. */
uint64_t link_backlog(ns_t now, ns_t free, int64_t bps);
/* Does a packet of this size, at a bottleneck at this time, find no place in its queue
 * (drop-tail: what waits there, this packet included, is more than queue_bytes)? */
static inline bool link_full(ns_t now, ns_t free, int64_t bps, int64_t queue_bytes, uint32_t bytes)
{
    if (queue_bytes <= 0)
        return false;
    return (free > now ? link_backlog(now, free, bps) : 0) + bytes > (uint64_t)queue_bytes;
}
/* Takes a train through a bottleneck; `free` is its state. bps 0: does nothing. */
static inline void link_pass(struct link_train *t, int64_t bps, ns_t *free)
{
    ns_t start, last;
    if (bps <= 0)
        return;
    start = t->first > *free ? t->first : *free;
    last = start + link_time(t->bytes, bps);
    if (t->last > t->first) {
        ns_t tail = t->last + link_time(t->tail, bps);
        last = tail > last ? tail : last;
    }
    t->first = t->head == t->bytes ? last : start + link_time(t->head, bps);
    t->last = last;
    *free = last;
}

struct link_path link_path(const struct regions *, const struct link_host *from,
                           const struct link_host *to);
/* One draw of the path's jitter; none is made from a stream for a mean of 0. */
ns_t link_jitter(const struct link_path *, struct dice *);

#endif
