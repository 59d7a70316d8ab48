/* An observer is an adversary: it gets sightings and nothing else.
 *
 * Truth (who an address belongs to, what a packet was) is handed over by the world at the
 * end, in score(), for judging alone.
 */
#ifndef PARTYLINE_OBSERVER_H
#define PARTYLINE_OBSERVER_H

#include "engine/base/err.h"
#include "engine/base/opt.h"
#include "engine/env.h"
#include "engine/roster.h"

/* What a node sees at its own end of a link. */
struct sighting {
    party_t at;                /* the node that sees it */
    ns_t when;                 /* by the observer's clock */
    const struct shown *shown; /* what the node now knows (env_ops.show), lent; NULL: a packet */
    struct addr peer;          /* the address seen, or shown */
    uint32_t bytes;
};

/* One row of exposure.csv: `who` learned fact `what` about `whom` (and `other`, of a pair;
 * PARTY_NONE elsewhere). */
struct exposure {
    const char *observer, *what;
    party_t who, whom, other;
    uint8_t level; /* 1: the address was seen; 2: and tied to the identity */
    ns_t first;
};

/* Truth, for scoring: which party or service an address belongs to, PARTY_NONE if nobody's. */
struct truth {
    const struct roster *roster;
    party_t (*owner)(const void *world, const struct addr *);
    const void *world;
};

struct observer {
    const char *name, *help;
    const struct opt *opts;
    size_t opts_size;
    size_t size;
    int (*init)(void *self, const void *opts, uint32_t n_nodes);
    void (*see)(void *self, const struct sighting *);
    /* Calls row() for every exposure, in a fixed order. */
    void (*score)(void *self, const struct truth *, void (*row)(void *, const struct exposure *),
                  void *ctx);
    void (*free)(void *self);
};

#endif
