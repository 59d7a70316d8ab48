/* An observer is an adversary: it gets sightings and nothing else.
 *
 * It has two halves that share no memory. The **attack** (init, see, end) gets sightings from its
 * places and says what it makes of them as claims. The **scorer** (judge, report) gets each claim
 * together with the truth and keeps the score. Truth is no parameter of the attack and cannot be
 * reached from what it gets; shuffled truth leaves every claim as it was
 * (tests/unit/test_sights.c). The same attack runs on a world's taps, on a recorded file and on a
 * pcap: see engine/sights.h.
 *
 * Both halves are deterministic: no libm, no pointer order, doubles with + - * / alone. Both are
 * bounded in memory: what a stranger could make them keep has a limit.
 */
#ifndef PARTYLINE_OBSERVER_H
#define PARTYLINE_OBSERVER_H

#include "engine/base/err.h"
#include "engine/base/hist.h"
#include "engine/base/opt.h"
#include "engine/env.h"
#include "engine/privacy.h"
#include "engine/roster.h"

/* ---- what is seen ----------------------------------------------------------------------- */

/* Where something is seen. */
enum sight_point {
    SIGHT_NODE, /* a node's own view: what comes to its links and leaves on them, and what its role
                   can read. `at` is the node. */
    SIGHT_LINE, /* the access line of a host, that is its ISP: every packet between the host and
                   the internet, tapped at the host's end, outside of its NATs. `at` is the host's
                   node. */
    SIGHT_BORDER, /* what goes from region `at` to region `beyond`, tapped where it arrives */
    SIGHT_POINTS
};

/* A packet, or something that a node can read (visible), or keeps (kept). Everything is lent until
 * see() returns. In `sim` and `ns3` a message of a stream is one sighting, whatever the number of
 * its segments; TCP's packets without payload are none, but the first of a connection is one
 * (opens). In a pcap a segment is one.
 *
 * Sightings of one place come in the order of `when`. Those of different places do so as well,
 * except for what a node sends after it has computed (env_charge): that comes early by as much. */
struct sighting {
    ns_t when;        /* by one clock for all places in sim and ns3, by the node's in real worlds */
    party_t at;       /* see enum sight_point */
    party_t beyond;   /* SIGHT_BORDER */
    uint8_t point;    /* enum sight_point */
    bool out;         /* leaves the node or host (NODE, LINE) */
    bool opens;       /* NODE: a link is up; LINE, BORDER: the first packet of a connection */
    bool datagram;    /* UDP; else a stream */
    uint32_t bytes;   /* NODE: of the message; LINE, BORDER: on the wire with all headers */
    uint32_t packets; /* that these bytes are; 0: no packet, see visible and kept */
    struct addr from, to;        /* as read at that point: NATs rewrite them */
    const struct shown *visible; /* what the node now knows (env_ops.show), or, at its line, what
                                    its packets show (in_clear): about the packet that came to it
                                    last (SHOWN_ROUTE), or a lasting fact */
    const struct retained *kept; /* what the node now keeps (env_ops.keep) */
};

/* Which of them an observer wants; the world makes no others. */
enum {
    WANT_NODE_IN = 1,     /* EV_UP and EV_DATA at nodes */
    WANT_NODE_OUT = 2,    /* what nodes send */
    WANT_SHOWN = 4,       /* visible */
    WANT_KEPT = 8,        /* kept */
    WANT_LINE_OPENS = 16, /* of a stream the first packet alone, and every datagram */
    WANT_LINE = 32,       /* all packets */
    WANT_BORDER = 64,
    WANT_TRUTH = 128 /* packet truth for judge(), and SHOWN_ROUTE from the roles */
};

/* A place that an adversary has tapped; `at` PARTY_NONE: every one of that kind. */
struct place {
    uint8_t point;      /* enum sight_point */
    party_t at, beyond; /* beyond: SIGHT_BORDER, in both directions */
};

/* ---- what is made of it ----------------------------------------------------------------- */

/* Who it may be, as the attack knows them: by an identity that it could read, or by address. */
struct candidate {
    double p;
    party_t who;      /* PARTY_NONE: by address alone */
    struct addr addr; /* all zero: by identity alone */
};

/* One answer of the attack: a figure that needs no truth (entropy of a posterior), or candidates
 * that truth will judge, or both. Lent. */
struct claim {
    unsigned what; /* the observer's own enum, its two halves agree on it */
    ns_t when;
    struct addr about, other; /* the flow or session; all zero: of the sighting in hand */
    double figure;
    const struct candidate *candidates;
    size_t n;
    const void *more; /* whatever else the two halves agree on, but no pointer to state: a value
                         that the judge copies */
};

struct observer_setup {
    const void *opts;
    const struct place *places; /* of this one adversary: its view is their union */
    size_t n_places;            /* 0: every node and every line, each for itself (exposure) */
    uint32_t n_nodes, n_parties;
    const struct roster_entry *services; /* the n_nodes - n_parties of the roster: who serves, as
                                            what and where is public, so every adversary knows */
    uint64_t seed;                       /* of its dice (dice_name) */
    void (*claim)(void *ctx, const struct claim *); /* from see() and end(), any number of times */
    void *ctx;
};

/* ---- how good it is --------------------------------------------------------------------- */

/* One row of exposure.csv: `who` learned fact `what` about `whom` (and `other`, of a pair;
 * PARTY_NONE elsewhere). */
struct exposure {
    const char *observer, *what;
    party_t who, whom, other;
    uint8_t level; /* 1: the address was seen; 2: and tied to the identity */
    ns_t first;
};

/* Truth, for judging. */
struct truth {
    const struct roster *roster;
    /* Which party or service an address belongs to (or belonged), PARTY_NONE if nobody. */
    party_t (*owner)(const void *world, const struct addr *);
    const void *world;
    /* Of the sighting during which the claim was made; NULL: none, or unknown (a real world). */
    const struct packet_truth *packet;
    const struct sighting *sighting; /* that one; NULL: the claim is made at the end */
};

/* One figure of a trial, for the `privacy` section of the summary. Strings are lent. */
struct finding {
    enum privacy what;       /* privacy.h: name, unit, range, source */
    const char *about;       /* which variant: "bins=50ms", "kind=loop" ...; NULL: there is one */
    int64_t value;           /* in the metric's unit (millibits, ppm, ns, count, bytes) */
    uint64_t n;              /* how many samples are behind it */
    uint64_t population;     /* among how many the adversary had to choose; 0: does not apply */
    const char *prior;       /* "uniform", "known sessions" ...; NULL: none */
    ns_t window;             /* 0: the whole trial */
    const struct hist *hist; /* the samples' own distribution, in the same unit; NULL: none. Its
                                p1 and p5 are reported as the worst-off. Copied. */
};

struct report {
    void (*exposure)(void *ctx, const struct exposure *);
    void (*finding)(void *ctx, const struct finding *);
    /* A sentinel failed: figures of this trial are worth nothing, the run ends with 20. */
    void (*invalid)(void *ctx, const char *why);
    void *ctx;
};

struct observer {
    const char *name, *help;
    const struct opt *opts;
    size_t opts_size;
    unsigned wants;
    const char *at; /* where it sits unless the scenario says so: "global", "mix" ...; NULL: at
                       every node and every line, each for itself */
    /* The attack. States are zeroed before init. */
    size_t size;
    int (*init)(void *self, const struct observer_setup *, struct err *);
    void (*see)(void *self, const struct sighting *);
    void (*end)(void *self, ns_t now); /* the trial is over: the last claims. May be NULL. */
    void (*free)(void *self);          /* may be NULL */
    /* The scorer. */
    size_t score_size;
    int (*score_init)(void *score, const struct observer_setup *); /* its claim is not to be
                                                                      called. May be NULL. */
    void (*judge)(void *score, const struct claim *, const struct truth *);
    /* Once, after end(), in a fixed order. truth->packet and ->sighting are NULL. */
    void (*report)(void *score, const struct truth *, const struct report *);
    void (*score_free)(void *score); /* may be NULL */
};

#endif
