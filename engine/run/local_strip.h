/* A cell as a scenario of its own for one node: without matrix, network, events and expectations,
 * and without the inputs of others: as many values as there were, each 0. All nodes' have the
 * same digest (run/scenario.h).
 */
#ifndef PARTYLINE_RUN_LOCAL_STRIP_H
#define PARTYLINE_RUN_LOCAL_STRIP_H

#include "engine/run/scenario.h"

/* Writes DIR/NAME.yaml for a node (JSON, which is YAML), and beside it files that options name. */
int local_strip(const struct cell *, party_t node, const char *dir, struct err *);

#endif
