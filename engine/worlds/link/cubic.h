/* How much may be on its way: slow start, CUBIC, HyStart. In segments and integers.
 *
 * Slow start: the window grows by what is acknowledged (appropriate byte counting, RFC 3465
 * without its limit, as Linux and ns-3 do), up to ssthresh.
 * Congestion avoidance: CUBIC (RFC 9438). After a reduction at a window W_max,
 *     W(t) = C (t - K)^3 + W_max,  K = cbrt((W_max - cwnd) / C),  C = 0.4, beta = 0.7,
 * t from the first acknowledgement after it plus the smallest round trip so far; fast
 * convergence (section 4.7); a step of one segment every cwnd / (W(t) - cwnd) acknowledged ones, at
 * most one for every second of them. Unless like ns-3, which has no such thing, no less than the
 * Reno-friendly estimate of section 4.3.
 * HyStart (Ha and Rhee, 2011) ends slow start from 16 segments on: by a train of acknowledgements,
 * each at most 2 ms behind the one before, that is longer than half the smallest round trip (ns-3:
 * all of it), or if the least of a round's first 8 round trips exceeds the smallest one by an
 * eighth of it, at least 4 and at most 16 ms (ns-3: by itself, at least 4 ms and at most 1 s).
 */
#ifndef PARTYLINE_WORLDS_LINK_CUBIC_H
#define PARTYLINE_WORLDS_LINK_CUBIC_H

#include "engine/base/ns.h"

#include <stdbool.h>
#include <stdint.h>

#define CUBIC_NO_LIMIT UINT32_MAX

struct cubic {
    uint32_t cwnd, ssthresh;
    uint32_t acked; /* segments towards the next step */
    uint32_t w_max, origin;
    uint32_t reno, reno_acked;
    ns_t epoch;    /* -1: begins with the next acknowledgement */
    ns_t k, least; /* K; the smallest round trip, 0: none known */
    bool like_ns3, hystart, found;
    ns_t round_began, last_ack, round_least;
    uint64_t round_ends; /* byte whose acknowledgement ends it */
    uint32_t samples;
};

void cubic_init(struct cubic *, uint32_t initial_window, bool hystart, bool like_ns3);
/* A round trip was measured while everything up to byte `una` was acknowledged and bytes to `nxt`
 * were sent. */
void cubic_sample(struct cubic *, ns_t now, ns_t rtt, uint64_t una, uint64_t nxt);
/* New data were acknowledged outside of recovery, while the window was in use. */
void cubic_grow(struct cubic *, ns_t now, uint32_t segments);
/* A loss: ssthresh, and the epoch ends. The window itself is the caller's to set. */
void cubic_reduce(struct cubic *);
/* Like ns-3, after a timeout: as if nothing had been seen yet, but for ssthresh. */
void cubic_forget(struct cubic *);
/* After so long without sending: the window halves for every rto of it, not below `restart` (RFC
 * 2861), and the idle time does not count. */
void cubic_rest(struct cubic *, ns_t idle, ns_t rto, uint32_t restart);

/* W(t) of an origin and K, in segments rounded down, t in nanoseconds; not below 0. */
uint32_t cubic_window(uint32_t origin, ns_t k, ns_t t);
/* cbrt((w_max - cwnd) / C) in nanoseconds, rounded down to a microsecond; 0 if cwnd is above. */
ns_t cubic_k(uint32_t w_max, uint32_t cwnd);

#endif
