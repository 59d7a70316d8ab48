/* The world local: every node a process of this program (`partyline node`) on loopback.
 *
 * A trial has a private folder of its own under the system's folder for temporary files, with a
 * stripped scenario and a key for each node, made for this trial and wiped after it. Nodes are
 * told apart by port (local_ports.h).
 *
 * A trial ends when all parties are done, or at the limit; then all nodes are sent SIGTERM and
 * write their results. Parties that are done before linger (local_node.h). A node that ends before
 * that is named with the last line of what it said. Events: crash is SIGKILL, restart the same
 * process again with what its store kept, pause and resume are SIGSTOP and SIGCONT.
 *
 * Not honoured: regions, access, nat, links and link events (one warning); and refused: partition,
 * flap, readdress, crypto: modelled, transports that need handover, more than LOCAL_NODES_MAX
 * nodes. Wire bytes and packets, round trips of the network and what a link model counts are not
 * measured.
 */
#ifndef PARTYLINE_RUN_LOCAL_H
#define PARTYLINE_RUN_LOCAL_H

#include "engine/run/local_node.h"
#include "engine/run/local_ports.h"

enum { LOCAL_NODES_MAX = LOCAL_PORTS_MAX };
/* local_trial.c: the processes of one trial. */
struct local_child {
    int pid; /* 0: not running */
    int status;
    bool started, ended, done, paused;
    bool crashed; /* by an event, and not restarted */
};

struct local_trial {
    const struct trial_spec *spec;
    char dir[64];
    char self[4096]; /* this program */
    struct local_child *children;
    struct local_ports ports;
    ns_t began;
    bool timed_out;
};

/* Folder, keys, scenarios, ports. OK, ERR_LIMIT (no ports), ERR_IO. */
int local_trial_prepare(struct local_trial *, const struct trial_spec *, struct err *);
/* Until all have ended. */
int local_trial_run(struct local_trial *, struct err *);
/* Wipes the keys, removes the folder. */
void local_trial_free(struct local_trial *);
/* The last line that a node said, or "". */
void local_trial_said(const struct local_trial *, party_t, char *buf, size_t cap);

extern const struct world world_local;

#endif
