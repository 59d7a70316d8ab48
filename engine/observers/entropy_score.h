/* What observer `entropy` claims, and how it is judged. */
#ifndef PARTYLINE_OBSERVERS_ENTROPY_SCORE_H
#define PARTYLINE_OBSERVERS_ENTROPY_SCORE_H

#include "engine/observer.h"
#include "engine/observers/challenge.h"
#include "engine/observers/flights.h"
#include "engine/observers/guess.h"
#include "engine/observers/unlink.h"

struct entropy_opts {
    int64_t settle;
};

enum entropy_claim {
    ENTROPY_MESSAGE, /* a packet leaves a mix: figure is M2's entropy, more entropy_message */
    ENTROPY_PARTY,   /* a packet comes to who sends, too: candidates are M3's belief */
    ENTROPY_SENT     /* somebody sends a packet; figure: how many people do */
};

struct entropy_message {
    double guess, collision, guesswork;
};

struct entropy_score {
    struct hist message, party, truth; /* millibits, millibits, ppm */
    struct guess *guesses;             /* of messages, of parties */
    uint64_t collision_ppm, degree_ppm, right_ppm;
    uint64_t packets, cover; /* that came to senders; of these cover */
    uint64_t judged, traced; /* real ones; of these those whose sender was certain */
    uint32_t people;         /* among whom one hid */
    ns_t first_traced;
    double *sorted;
    struct challenge *challenge;
    struct flights flights;
    uint64_t senders;
    struct unlink links; /* of senders by their place in a belief, if they are not too many */
    bool *linked;
};

int entropy_score_init(void *score, const struct observer_setup *);
void entropy_judge(void *score, const struct claim *, const struct truth *);
void entropy_report(void *score, const struct truth *, const struct report *);
void entropy_score_free(void *score);

#endif
