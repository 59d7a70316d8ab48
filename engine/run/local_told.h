/* What a node's process is told: which node of which trial it is, by whose identity, and where the
 * others are. Of inputs it knows its own alone.
 */
#ifndef PARTYLINE_RUN_LOCAL_TOLD_H
#define PARTYLINE_RUN_LOCAL_TOLD_H

#include "engine/run/local_hosts.h"
#include "engine/run/local_node.h"
#include "engine/run/scenario.h"

/* Points into itself: stays where it is. */
struct local_told {
    struct scenario *scenario;
    struct trial_spec spec; /* of the one cell, with what follows in it */
    struct roster roster;
    struct input *inputs;
    struct local_hosts hosts;
    struct identity identity; /* own; none with `channel: none` */
    party_t self;
};

/* Zeroed, then this. An exit_code (run/run.h), after saying on stderr what is wrong. */
int local_told_read(struct local_told *, const struct local_node_args *);
/* After a failure as well; wipes the identity. */
void local_told_free(struct local_told *);

#endif
