/* What the observers of a trial of processes make of what its nodes wrote down (run/replay.h).
 */
#ifndef PARTYLINE_RUN_LOCAL_REPLAY_H
#define PARTYLINE_RUN_LOCAL_REPLAY_H

#include "engine/run/replay.h"

#include <jansson.h>
#include <limits.h>

/* Where a node's file of that name is. */
typedef void local_path(const void *ctx, party_t, const char *name, char path[PATH_MAX]);

/* Who is in it, and at which address as nodes know it (one a node, into addresses as well). hosts:
 * the hosts file's. OK or ERR_NOMEM; free with observe_people_free either way. */
int local_people(const struct roster *, const json_t *hosts, struct observe_people *,
                 struct addr *addresses);

/* Plays the nodes' recordings, in all their lives, and adds to the result: findings, and what lines
 * gave away. OK, or an error with a sentence. */
int local_replay(const struct replay_setup *, local_path *, const void *ctx, struct trial_result *,
                 struct err *);
/* The same where nobody sees lines. */
int local_replay_nodes(const struct trial_spec *, uint64_t seed, const json_t *hosts, ns_t ended,
                       const struct trace *, local_path *, const void *ctx, struct trial_result *,
                       struct err *);

#endif
