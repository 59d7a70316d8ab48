/* The identities of a cell's nodes, in simulated worlds: derived from the scenario's seed and
 * each node's name, so that all trials and cells meet the same people.
 */
#ifndef PARTYLINE_RUN_PEOPLE_H
#define PARTYLINE_RUN_PEOPLE_H

#include "engine/crypto/identity.h"
#include "engine/world.h"

struct people {
    struct roster roster; /* the cell's, with identities */
    struct identity *identities;
    struct identity_public *publics;
    const struct identity **secrets;
};

/* Points spec->roster and spec->secrets at new people; nothing for channel: none.
 * OK or ERR_NOMEM. */
int people_make(struct people *, struct trial_spec *spec, uint64_t seed);
/* Wipes and frees; the spec's roster is gone with it. */
void people_free(struct people *);

#endif
