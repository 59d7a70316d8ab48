/* M12, M13, M14: path compromise, cost, and the anonymity trilemma's sanity line.
 *
 * M12: P(every mix of a path is corrupt) is the product of the layers' corrupt shares; of a
 * session of F packets with routes of their own, at least one: 1 - (1 - P)^F. A circuit, one
 * path for all, has F = 1. Range [0, 1]; prior: mixes are corrupt independently of the choice.
 * M13: bandwidth overhead = bytes on the wire / useful bytes, from 1 up; cover ratio = cover
 * packets / all packets, range [0, 1].
 * M14 (Das, Meiser, Mohammadi, Kate, S&P 2018): a protocol of latency l rounds and beta noise
 * messages per user and round cannot have less adversarial advantage delta than this. A measured
 * advantage below it is a mistake in the measurement; it predicts nothing.
 */
#ifndef PARTYLINE_OBSERVERS_BOUNDS_H
#define PARTYLINE_OBSERVERS_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

/* corrupt[i]: the share of layer i's mixes. */
double bounds_path(const double *corrupt, uint32_t layers);

/* How routes of so many layers are drawn from mixes 0 .. n - 1 (transports/mix.h). */
enum bounds_topology {
    BOUNDS_STRATIFIED, /* one of each layer; mix j stands in layer j mod layers */
    BOUNDS_CASCADE,    /* one of the chains of mixes that follow each other */
    BOUNDS_FREE_ROUTE  /* any different ones */
};
/* P(every mix of a route is corrupt). 0 if there are too few for a route. */
double bounds_route(const bool *corrupt, uint32_t n, uint32_t layers, enum bounds_topology);
double bounds_session(double path, uint64_t packets);
/* Time until the first compromised message is expected: gap between packets / P; 0 if P is 0. */
double bounds_first(double path, double gap);

double bounds_overhead(uint64_t wire, uint64_t useful); /* useful > 0 */

/* Synchronised users: 1 - min(1, (l + beta N l) / (N - 1)), N > 1. */
double bounds_synchronised(uint64_t users, double rounds, double noise);
/* Unsynchronised, p = p' + beta: 1 - (1/2 + min(1/2, 1 - (1 - p)^l)). */
double bounds_unsynchronised(double p, uint32_t rounds);

#endif
