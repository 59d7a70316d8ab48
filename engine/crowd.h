/* The roster as runs of neighbours that share a role: found once a trial, so that a node that
 * looks for its peers need not look at a million entries.
 */
#ifndef PARTYLINE_CROWD_H
#define PARTYLINE_CROWD_H

#include "engine/roster.h"

struct crowd {
    const char *role;
    party_t first;
    uint32_t n;
};

struct crowds {
    struct crowd *list; /* in the roster's order; all its entries */
    uint32_t n;
};

/* OK or ERR_NOMEM. Lends the roles' texts. */
int crowds_find(struct crowds *, const struct roster *);
void crowds_free(struct crowds *);

#endif
