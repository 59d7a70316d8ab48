/* What M14 needs to know of a trial: how long packets take, and how many are sent meanwhile.
 *
 * A round is the mean time between two real packets, whoever sends them. So latency is in rounds
 * (l), noise is a user's cover packets in one (beta), and a user sends in a round with probability
 * p = (1 + cover / real) / users. From these come the bounds of bounds.h.
 */
#ifndef PARTYLINE_OBSERVERS_FLIGHTS_H
#define PARTYLINE_OBSERVERS_FLIGHTS_H

#include "engine/base/ns.h"
#include "engine/env.h"

enum { FLIGHTS_MOST = 4096 };

struct flight {
    party_t from;
    uint64_t serial;
    ns_t sent;
};

/* Zeroed: nothing sent. */
struct flights {
    struct flight *table; /* by hash; a later packet takes the place of an earlier one */
    uint64_t real, cover; /* sent */
    ns_t first, last;     /* when a real one was sent */
    uint64_t arrived;
    ns_t time; /* of those that arrived, together */
};

void flights_free(struct flights *);
/* A sender sent it, it came to its receiver. */
void flights_sent(struct flights *, const struct packet_truth *, ns_t when);
void flights_came(struct flights *, const struct packet_truth *, ns_t when);

struct flights_figures {
    double rounds, noise;                /* l and beta */
    double synchronised, unsynchronised; /* the least advantage that anyone has */
};
/* False: too little was sent to say. */
bool flights_judge(const struct flights *, uint64_t users, struct flights_figures *);

#endif
