/* Who learns what about whom.
 *
 * party_address is M1 of METRICS.md, the matrix E[who][whom] in {0, 1, 2}. `who` is any party or
 * service, which sees what arrives at its own links, or the ISP of one (n_nodes + its number),
 * which sees with whom its host talks; `whom` is a party. Level 1: an address of `whom` was seen.
 * Level 2: and it was tied to the identity `whom`, by whatever protocol told so; a tie to another
 * identity than the address's owner is worth nothing. `first` is when the first address of `whom`
 * was seen.
 *
 * Other facts are declared by the node that learns them (env_ops.show): party_member (whom takes
 * part), party_pair (whom talks to other), party_input (the input of whom). One about the node
 * itself is no exposure.
 *
 * A sighting runs once a message, so the entry that a viewer used last is tried first. Kept is
 * one entry for each (viewer, address), and one more for each further identity tied to it.
 */
#ifndef PARTYLINE_OBSERVERS_EXPOSURE_H
#define PARTYLINE_OBSERVERS_EXPOSURE_H

#include "engine/base/map.h"
#include "engine/observer.h"

enum { EXPOSURE_WANTS = WANT_NODE_IN | WANT_SHOWN | WANT_LINE_OPENS };

struct exposure_entry {
    ns_t first;
    struct addr addr;
    party_t at, whom; /* whom: PARTY_NONE: not tied */
    uint32_t next;    /* of the same hash */
};

struct exposure_fact {
    ns_t first;
    enum shown_kind kind;
    party_t at, whom, other;
    uint32_t next; /* of the same hash */
};

/* The attack. */
struct exposures {
    struct observer_setup setup;
    struct exposure_fact *facts; /* by first declaration */
    uint32_t n_facts, cap_facts;
    struct map fact_by_hash;
    struct exposure_entry *entries; /* by first sighting */
    uint32_t n, cap, n_viewers;
    uint32_t *last; /* a viewer's entry used last */
    struct map by_hash;
};

/* What was judged: exposed rows; after exposure_settle each fact once, in order of fact, who, whom,
 * other. */
struct exposure_score {
    struct exposure *rows;
    uint32_t n, cap;
};

int exposure_init(void *self, const struct observer_setup *, struct err *);
void exposure_see(void *self, const struct sighting *);
void exposure_end(void *self, ns_t now);
void exposure_free(void *self);
void exposure_judge(void *score, const struct claim *, const struct truth *);
void exposure_settle(struct exposure_score *);
void exposure_score_free(void *score);

#endif
