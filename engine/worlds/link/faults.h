/* Partitions and changed links as functions of time.
 *
 * The entries of `events` are known before the trial, so what holds between two nodes at a
 * time t needs no state: an entry holds from `at` on and before `until`. Where several entries
 * change the same figure of a link at the same time, the last one listed counts.
 */
#ifndef PARTYLINE_WORLDS_LINK_FAULTS_H
#define PARTYLINE_WORLDS_LINK_FAULTS_H

#include "engine/worlds/link/link.h"

struct faults {
    const struct action **list; /* ACT_PARTITION and ACT_LINK, in the order given */
    size_t n;
    ns_t begin, end; /* nothing holds outside */
};

/* The actions are lent. OK or ERR_NOMEM. */
int faults_init(struct faults *, const struct action *actions, size_t n);
void faults_free(struct faults *);

/* Does a partition separate a and b at t? */
bool faults_cut(const struct faults *, uint32_t a, uint32_t b, ns_t t);
/* Puts into the path from a to b what ACT_LINK entries make of it at t. */
void faults_bend(const struct faults *, uint32_t a, uint32_t b, ns_t t, struct link_path *);

/* Does this partition separate a and b while it holds? */
bool faults_separates(const struct action *partition, uint32_t a, uint32_t b);

#endif
