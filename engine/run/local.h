/* The world local: every node a process of this program (`partyline node`) on loopback.
 *
 * A trial has a private folder of its own under the system's folder for temporary files, and in it
 * one for each node with all that it is given and gives: a stripped scenario, a key, a hosts file,
 * its log and its results; made for this trial and wiped after it. Nodes are told apart by port
 * (local_ports.h); with coturn (coturn.h), by addresses of 127.64.0.0/10.
 *
 * A trial ends when all parties are done, or at the limit; then all nodes are sent SIGTERM and
 * write their results. Parties that are done before linger (local_node.h). A node that ends before
 * that is named with the last line of what it said. Events: crash is SIGKILL, restart the same
 * process again with what its store kept, pause and resume are SIGSTOP and SIGCONT.
 *
 * Not honoured: regions, access, nat, links and link events (one warning); and refused: partition,
 * flap, readdress, crypto: modelled, transports that need handover, more than LOCAL_NODES_MAX
 * nodes. Wire bytes and packets, round trips of the network and what a link model counts are not
 * measured. Observers get what the nodes wrote down when the trial is over (replay.h): lines are
 * seen by nobody.
 */
#ifndef PARTYLINE_RUN_LOCAL_H
#define PARTYLINE_RUN_LOCAL_H

#include "engine/run/coturn.h"
#include "engine/run/local_node.h"
#include "engine/run/local_ports.h"
#include "engine/run/local_replay.h"

#include <sys/types.h>

enum { LOCAL_NODES_MAX = LOCAL_PORTS_MAX, LOCAL_PATH = 512 };

/* local_trial.c: the processes of one trial. */
struct local_child {
    int pid; /* 0: not running */
    int status;
    bool started, ended, done, paused;
    bool crashed; /* by an event, and not restarted */
    bool early;   /* a service that ended by itself */
};

struct local_trial;

/* What worlds that start a process for each node on this machine differ in. */
struct local_where {
    const char *inside; /* where a node sees its own folder; NULL: where the runner sees it */
    /* A node's entry in the hosts file, without its identity. */
    json_t *(*host)(const struct local_trial *, party_t);
    /* As fork(), to where the node lives; *pid is 0 in the child. */
    int (*fork)(const struct local_trial *, party_t, pid_t *pid, struct err *);
};

struct local_trial {
    const struct trial_spec *spec;
    const struct local_where *where;
    void *ctx; /* where's */
    char dir[64];
    char self[4096]; /* this program */
    int program;     /* the same, open */
    struct local_child *children;
    json_t *hosts;              /* the hosts file's */
    char secret[COTURN_SECRET]; /* "": there is no coturn */
    ns_t began, ended;          /* CLOCK_MONOTONIC; ended: its nodes are told to end */
    bool timed_out;
    bool sightings; /* its nodes write down what they see; to be set before they start */
};

/* Folders, keys, scenarios. OK, ERR_IO, ERR_NOMEM. */
int local_trial_prepare(struct local_trial *, const struct trial_spec *, const struct local_where *,
                        void *ctx, struct err *);
/* Into buf, of LOCAL_PATH: "DIR/NAME" and, if what is not "", "/what". */
const char *local_trial_path(const struct local_trial *, party_t, const char *what, char *buf);
/* Every node's address, as the hosts file has it; to be freed. NULL: no memory. */
const char **local_trial_addresses(const struct local_trial *);
/* The trial's time begins: TURN servers are up, and the hosts files say when that was. */
int local_trial_begin(struct local_trial *, struct err *);
/* Until all have ended. */
int local_trial_run(struct local_trial *, struct err *);
/* What the nodes ended with. */
int local_trial_collect(const struct local_trial *, struct trial_result *, struct err *);
/* As struct local_path; ctx is the trial. */
void local_trial_file(const void *ctx, party_t, const char *name, char path[PATH_MAX]);
/* Wipes the keys, removes the folder. */
void local_trial_free(struct local_trial *);
/* The last line that a node said, or "". */
void local_trial_said(const struct local_trial *, party_t, char *buf, size_t cap);

/* What no world of processes can honour: handover, crypto: modelled, parties that believe in
 * different programs. OK or ERR_UNSUPPORTED. */
int local_check(const struct trial_spec *, void (*say)(void *, int line, const char *), void *);

extern const struct world world_local;

#endif
