/* An observer on a recording of sightings, or on a pcap: the same attack and the same scorer as in
 * a trial. `partyline observe` is made of this.
 */
#ifndef PARTYLINE_RUN_OBSERVE_H
#define PARTYLINE_RUN_OBSERVE_H

#include "engine/sights.h"

#include <stdio.h>

/* Who is in it. Everything is the struct's own. */
struct observe_people {
    struct roster roster;
    char **names, **roles;  /* of the roster's entries, */
    struct addr *published; /* and where services are */
    char **regions;
    uint32_t n_regions;
    struct observe_owner {
        struct addr addr;
        party_t who;
        bool any_port; /* of a map: the address whatever the port */
    } * owners;        /* sorted */
    size_t n_owners, cap_owners;
    ns_t began, ended; /* of a pcap's trial, in nanoseconds since 1970; 0: its first, last packet */
};

void observe_people_free(struct observe_people *);
/* OK or ERR_NOMEM. */
int observe_add_node(struct observe_people *, const char *name, const char *role, bool party,
                     const struct addr *published);
int observe_add_region(struct observe_people *, const char *name);
int observe_add_owner(struct observe_people *, struct observe_owner);
/* Sorts the owners; then the next can be asked. */
void observe_settle(struct observe_people *);
/* As struct truth wants it; world is the struct. */
party_t observe_owner(const void *world, const struct addr *);

struct observe_setup {
    const char *file, *map; /* map: of hosts; NULL: none */
    const char *truth;      /* what the packets of a pcap are, for judging alone; NULL: unknown */
    const struct observer *observer;
    const char *const *at; /* places as in a scenario */
    size_t n_at;
    const char *const *options; /* KEY=VALUE, of the observer */
    size_t n_options;
    FILE *say; /* gets findings about places, options and the map */
};

enum { OBSERVE_FILE_MAX = 1 << 30 };

/* OK with *found; ERR_INVALID after findings on `say`; or an error with a sentence. */
int observe_file(const struct observe_setup *, struct sights_found *found,
                 struct observe_people *people, struct err *);

/* observe_map.c: reads a map of hosts:
 *     parties: {alice: 10.0.0.1, bob: [10.0.0.2, "fd00::2"]}
 *     services: {relay: 10.0.0.9, mix_1: {role: mix, address: 10.0.0.10}}
 *     began: 1790000000000000000     # optional: packets before and after are no sightings
 *     ended: 1790000001000000000
 * A service's role is its name where none is given. A host behind another one's NAT has no address
 * of its own out there: []. OK, or an error with a sentence that names the place. */
int observe_map(struct observe_people *, const char *name, const char *text, size_t len,
                struct err *);

/* observe_pcap.c: hands each packet of a host of the map to see(). The stream is closed.
 * *ended: when the trial ended, counted from its beginning, or the last packet from the first.
 * Where the capture tells what came and what went (Linux cooked), a packet is a sighting at that
 * end alone, else at both with one time. */
struct observe_truth; /* run/observe_truth.h */
struct observe_capture {
    const char *name;
    const struct observe_people *people;
    struct observe_truth *truth; /* NULL: nobody knows what packets are */
    /* The time of the next packet, before it is looked at; may be NULL. */
    void (*reach)(void *ctx, ns_t when);
    void (*see)(void *ctx, const struct sighting *, const struct packet_truth *);
    void *ctx;
};
int observe_pcap(FILE *, const struct observe_capture *, ns_t *ended, struct err *);
/* Does it begin like a pcap? */
bool observe_is_pcap(const uint8_t *head, size_t len);

#endif
