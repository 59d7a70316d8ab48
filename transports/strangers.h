/* Inbound links that have not yet said whose they are, by age.
 *
 * Who accepts links keeps each here until its first frame names a party, closes those that
 * are overdue (`until`; the oldest is due first, if all get the same time), and closes the
 * oldest when there are too many. Adding and removing take the same time however many
 * there are; memory is for twice the most there were.
 */
#ifndef PARTYLINE_TRANSPORTS_STRANGERS_H
#define PARTYLINE_TRANSPORTS_STRANGERS_H

#include "engine/env.h"

#define STRANGERS_NONE UINT32_MAX

struct stranger {
    ns_t until;
    link_t link;
    uint32_t older, newer; /* slots, or STRANGERS_NONE */
    uint32_t mark;         /* its user's own; 0 at first */
    struct addr addr;
};

struct strangers {
    struct stranger *slots;
    uint32_t n, cap;
    uint32_t oldest, newest, unused;
};

/* Empty, without memory. */
void strangers_init(struct strangers *);
void strangers_free(struct strangers *);
/* Its slot, below 2^31, which stays its own until it is removed; or STRANGERS_NONE: no memory. */
uint32_t strangers_add(struct strangers *, link_t, struct addr, ns_t until);
void strangers_remove(struct strangers *, uint32_t slot);

#endif
