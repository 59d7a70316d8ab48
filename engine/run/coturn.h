/* Services of the role turn in worlds of processes: the real TURN server coturn in place of this
 * program's own, which serves the simulators.
 *
 * User names are made by whoever shares the server's secret (transports/turn.h). It is drawn for
 * each trial, given to every node with its scenario, and to coturn in a configuration of mode
 * 0600; both are wiped after the trial.
 *
 * A node that coturn runs leaves no result, so nothing that happens in it is counted. That it sees
 * the addresses of those who talk to it, they say themselves (`foreign` in the hosts file).
 */
#ifndef PARTYLINE_RUN_COTURN_H
#define PARTYLINE_RUN_COTURN_H

#include "engine/base/err.h"
#include "engine/world.h"

#include <sys/types.h>

#define COTURN_CONFIG "coturn.key"

enum { COTURN_SECRET = 33 };

/* Is this node one? And is any of the trial's? */
bool coturn_runs(const struct trial_spec *, party_t);
bool coturn_needed(const struct trial_spec *);
/* What to install, or NULL. */
const char *coturn_lacks(void);

int coturn_secret(char secret[COTURN_SECRET], struct err *);
/* Puts the secret into the scenario that local_strip wrote: DIR/NAME.yaml. */
int coturn_share(const char *dir, const char *name, const char *secret, struct err *);
/* Writes DIR/COTURN_CONFIG. ip: where it listens and relays, IPv4; addresses: every node's, for
 * the option `alternate`. */
int coturn_write(const char *dir, const struct trial_spec *, const char *ip,
                 const char *const *addresses, const char *secret, struct err *);
/* Becomes coturn, with the configuration in the working folder. */
void coturn_exec(void) __attribute__((noreturn));
/* Does the process listen at that address? As its network namespace sees it. */
bool coturn_ready(pid_t, const char *ip);

#endif
