/* The observers of one trial: hands each sighting to those who have tapped its place, each claim
 * to its judge together with the truth, and gathers what they report. Used by every world, and by
 * `partyline observe` on a recording or a pcap.
 *
 *     sights_init -> sights_see ... -> sights_end -> sights_free
 *
 * An adversary is one state of an observer with the places it has tapped (struct stake). An entry
 * of the scenario's `observers` is one adversary or many: see engine/run/places.h.
 */
#ifndef PARTYLINE_SIGHTS_H
#define PARTYLINE_SIGHTS_H

#include "engine/sights_found.h"

/* One adversary. */
struct stake {
    const struct place *places;
    size_t n_places; /* 0: everything, each place for itself */
    const char *at;  /* in words: "isp_alice + isp_bob" */
};

/* An entry of `observers`. All lent for the trial. */
struct observer_spec {
    const struct observer *ops;
    const void *opts;
    const struct stake *stakes;
    size_t n_stakes;          /* 0: one, with no places: "every node" */
    const char *const *named; /* its places, as written; NULL: not given */
    size_t n_named;
    bool nowhere;       /* its places are not in this cell: it does not take part */
    uint32_t coalition; /* each stake is a coalition of so many; 0: they are as they were named */
    uint32_t draws;     /* of them so many were drawn at random; 0: they are all there are */
    const char *with;   /* each has tapped this besides, as written; NULL: nothing */
    bool by_worst;      /* of the coalitions the one is wanted in which `worst` is worst, ... */
    enum privacy worst;
    const struct place *pool; /* ... put together greedily from these; NULL: of its stakes */
    uint32_t n_pool;
    const struct place *base; /* of `with` */
    uint32_t n_base;
};

struct sights_setup {
    const struct observer_spec *observers;
    size_t n_observers;
    const struct roster *roster;
    party_t (*owner)(const void *world, const struct addr *); /* for judging */
    const void *world;
    uint64_t seed;
    /* Writes down all sightings of these kinds, whoever sees them; NULL: nobody does. And when all
     * are there, for judging them later. */
    void (*record)(void *ctx, const struct sighting *, const struct packet_truth *);
    void (*recorded)(void *ctx, const struct truth *, ns_t now);
    void *record_ctx;
    unsigned record_wants; /* WANT_ bits */
};

struct sights;

/* OK (*out NULL if nobody looks on), or an error with a sentence. */
int sights_new(struct sights **out, const struct sights_setup *, struct err *);
/* What anyone wants: WANT_ bits. 0 for NULL. */
unsigned sights_wants(const struct sights *);
/* truth: NULL if it is unknown. */
void sights_see(struct sights *, const struct sighting *, const struct packet_truth *truth);
/* The trial is over. OK or ERR_NOMEM. */
int sights_end(struct sights *, ns_t now, struct sights_found *);
void sights_free(struct sights *);

#endif
