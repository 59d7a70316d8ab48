/* The observers of a trial in a real world. Each node writes down what it sees itself (a recording
 * of run/sightings.h, by uvnode_watch); when the trial is over all of it, and what a capture has
 * seen on the lines, is played to the observers in the order of time. So they see what they see in
 * a simulator, places of several nodes included, and truth is known: what a service sends on is
 * what came to it.
 */
#ifndef PARTYLINE_RUN_REPLAY_H
#define PARTYLINE_RUN_REPLAY_H

#include "engine/run/observe.h"
#include "engine/run/sightings.h"

struct replay_setup {
    const struct trial_spec *spec;
    uint64_t seed;
    const struct observe_people *people; /* its roster is the trial's, in the same order */
    const struct addr *outside;          /* of each node: its address as lines have it */
    ns_t ended;                          /* 0: when the last of it was written down */
    const char *pcap;                    /* what passed the lines; NULL: nobody knows */
    const struct trace *trace; /* takes down all sightings; NULL, or one that does not: nobody */
    struct sightings *truth;   /* takes down what each message on a stream is; NULL: nobody */
};

/* What a world says to whom it matters, if it has no capture. */
#define REPLAY_NO_LINES "nobody sees lines: what ISPs and the like learn is missing, or 0"

struct replay;

/* OK or ERR_NOMEM. All in setup outlives it. */
int replay_new(struct replay **, const struct replay_setup *);
void replay_free(struct replay *);
/* What a node wrote down, in one of its lives. ERR_ABSENT: there is no such file; ERR_FORMAT: not
 * a recording. One that ends in the middle counts as far as it goes: its node was killed. */
int replay_add(struct replay *, party_t node, const char *path, struct err *);
/* Once. OK, or an error with a sentence. */
int replay_play(struct replay *, struct sights_found *, struct err *);

/* Is there anybody to play it to, besides observer `exposure`, which every node runs by itself?
 * WANT_ bits. */
unsigned replay_wants(const struct trial_spec *, const struct trace *);

#endif
