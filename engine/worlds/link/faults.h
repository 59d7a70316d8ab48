/* Partitions, flapping and changed links as functions of time.
 *
 * The entries of `events` are known before the trial, so what holds between two nodes at a
 * time t needs no state: an entry holds from `at` on and before `until`. Where several entries
 * change the same figure of a link at the same time, the last one listed counts. A flapping link is
 * up for `up` from its `at` on, then down for `down`, and so on.
 */
#ifndef PARTYLINE_WORLDS_LINK_FAULTS_H
#define PARTYLINE_WORLDS_LINK_FAULTS_H

#include "engine/worlds/link/link.h"

struct faults {
    const struct action **list; /* ACT_PARTITION, ACT_LINK and ACT_FLAP, in the order given */
    size_t n;
    ns_t begin, end;            /* nothing holds outside */
    const struct action *fixed; /* ACT_LINK for all the time */
    size_t n_fixed;
};

/* The actions are lent. OK or ERR_NOMEM. */
int faults_init(struct faults *, const struct action *actions, size_t n);
/* What holds all the time; lent. */
void faults_fix(struct faults *, const struct action *links, size_t n);
void faults_free(struct faults *);

/* Does something separate b from what a sends at t? */
bool faults_cut(const struct faults *, uint32_t a, uint32_t b, ns_t t);
/* Puts into the path from a to b what ACT_LINK entries make of it at t. */
void faults_bend(const struct faults *, uint32_t a, uint32_t b, ns_t t, struct link_path *);
/* The same, of those that hold all the time: once, when the path is made. */
void faults_mend(const struct faults *, uint32_t a, uint32_t b, struct link_path *);

/* Does this partition, flapping or change of a link concern what x and y send each other, while
 * it holds? */
bool faults_touch(const struct action *, uint32_t x, uint32_t y);

#endif
