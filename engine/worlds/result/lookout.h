/* Who looks on while a simulated trial runs: the trace's lines, losses by name, the recovery from
 * faults, and the observers with what they see at nodes, access lines and borders. A world says
 * what happens; what observers see of it is the same in all of them, and is made here.
 *
 * Truth of packets. Who sends something has stamped *truth (env->truth points there, if any
 * observer wants it); the world carries a copy beside the packet, and says lookout_hold() before it
 * shows the packet, or hands it over. It goes to the judges of what observers claim, and to nobody
 * else.
 */
#ifndef PARTYLINE_WORLDS_RESULT_LOOKOUT_H
#define PARTYLINE_WORLDS_RESULT_LOOKOUT_H

#include "engine/world.h"
#include "engine/worlds/link/nat.h"

#include <stdio.h>

/* A fault whose recovery is awaited. */
struct awaited {
    const struct action *action;
    bool over; /* the fault; then data ends it */
};

struct lookout {
    /* The world's, lent; set before lookout_init. */
    const struct trial_spec *spec;
    struct trial_result *result; /* its metrics are there */
    FILE *trace;                 /* NULL: nobody reads it */
    const struct nat *nat;
    struct packet_truth *truth; /* of the packet in hand */
    /* Own. */
    struct sights *sights; /* NULL: nobody looks on */
    unsigned wants;        /* what they want to see: WANT_ bits */
    struct awaited *awaited;
    size_t n_awaited;
};

#define WANT_WIRE (WANT_LINE | WANT_LINE_OPENS | WANT_BORDER)

/* owner: whose an address of that world is (struct truth). recorder: who keeps sightings; NULL:
 * nobody. OK, or an error with a sentence. */
int lookout_init(struct lookout *, party_t (*owner)(const void *world, const struct addr *),
                 const void *world, uint64_t seed, const struct trace *recorder, struct err *);
void lookout_free(struct lookout *);
/* The trial is over: the result gets what the observers have found. OK or ERR_NOMEM. */
int lookout_score(struct lookout *, ns_t now);

/* ---- the trace (its columns: engine/worlds/sim/sim.h), losses, faults ------------------- */

/* A node gets an event; peer: of its link, PARTY_NONE if nobody is known; sent: of EV_DATA. */
void lookout_event(const struct lookout *, ns_t now, party_t, const struct event *, party_t peer,
                   ns_t sent);
/* Something happens to a node; PARTY_NONE: to the network. */
void lookout_world(const struct lookout *, ns_t now, party_t, const char *what);
/* Counts a loss of what `from` sent; either may be PARTY_NONE. */
void lookout_drop(const struct lookout *, ns_t now, party_t from, party_t to, uint32_t bytes,
                  enum drop);
/* A fault of the network is over: its recovery begins to count. */
void lookout_fault_over(struct lookout *, ns_t now, const struct action *);
/* The action that wanted it; NULL: none did. */
void lookout_crash(struct lookout *, ns_t now, party_t, const struct action *);
void lookout_restart(struct lookout *, ns_t now, party_t);
/* x gets data from y. */
void lookout_progress(struct lookout *, ns_t now, party_t x, party_t y);

/* ---- what observers see ----------------------------------------------------------------- */

/* What the packet in hand truly is; NULL: there is none, or it is unknown. */
static inline void lookout_hold(const struct lookout *l, const struct packet_truth *truth)
{
    *l->truth = truth ? *truth : (struct packet_truth){0};
}

static inline void lookout_see(const struct lookout *l, const struct sighting *s)
{
    sights_see(l->sights, s, l->wants & WANT_TRUTH ? l->truth : NULL);
}

void lookout_show(const struct lookout *, ns_t now, party_t, const struct shown *);
void lookout_keep(const struct lookout *, ns_t now, party_t, const struct retained *);

/* A message that comes to a node's links or leaves on them (out); it may still be told what it
 * `opens`, and where it comes from and goes to. */
struct sighting lookout_message(ns_t when, party_t, bool out, bool datagram, size_t len);

/* The same outside: a message of a stream with so many bytes of payload, its frame among them, in
 * all its segments (0: the SYN, which opens the stream), and a datagram. */
struct sighting lookout_segments(ns_t when, uint32_t payload);
struct sighting lookout_datagram(ns_t when, uint32_t len);
/* That, with its addresses, at the access line of a host, */
void lookout_line(const struct lookout *, struct sighting *, party_t, bool out);
/* and where it comes: at the border of two regions, and at the receiver's line. */
void lookout_arrival(const struct lookout *, struct sighting *, party_t from, party_t to);
/* Are both behind one NAT? What they send each other then does not come to a line. */
bool lookout_indoors(const struct lookout *, party_t, party_t);

#endif
