/* The world hosts: every node a process on a machine that is reached over SSH, by the playbooks in
 * ansible/. Which machines, says an inventory of Ansible in any of its forms (--inventory); the
 * variables that are read of a host:
 *     partyline_nodes    the nodes that it runs; without it, the node of its own name
 *     partyline_address  where other nodes reach it; else ansible_host, else its name
 *     partyline_bind     what its sockets are bound to; else any address
 *     partyline_port     the first port of its first node; else 20000 or, of several at one
 *                        address, the next free one. 0: its node has the address to itself
 * A run: deploy.yml; for each trial, one at a time, run.yml and collect.yml; teardown.yml, however
 * it ended. A trial has keys, stripped scenarios and a hosts file of its own in a private folder of
 * this machine, wiped after it. DIR/hosts/CELL-TRIAL/HOST.tar.gz is what a host left.
 *
 * Clocks. Where all hosts have this machine's kernel, their clocks are one. Else nodes count from
 * the trial's beginning by their host's wall clock, and a clock's bound is what chrony tells:
 * |offset| + dispersion + half the delay, at the root. Metrics that subtract two hosts' clocks are
 * kept only if ten times the two worst bounds do not exceed the smallest sample. Poor is a run in
 * which a host tells no bound, or one beyond HOSTS_CLOCK_POOR, or in which a delay came out
 * negative.
 *
 * Not honoured: as in the world local, and events.
 */
#ifndef PARTYLINE_RUN_HOSTS_WORLD_H
#define PARTYLINE_RUN_HOSTS_WORLD_H

#include "engine/run/local_node.h"

#include <limits.h>

#define HOSTS_CLOCK_POOR (50 * NS_MS)

enum { HOSTS_NAME = 128, HOSTS_MAX = 512 };

struct hosts_machine {
    char name[HOSTS_NAME], address[HOSTS_NAME], bind[HOSTS_NAME];
    char boot[64], system[HOSTS_NAME]; /* as it told */
    char sum[65];                      /* of what it packed last */
    int32_t port;                      /* -1: none was named */
    json_t *nodes;                     /* a list of names; NULL: its own */
    ns_t clock_bound;                  /* -1: not known */
    bool systemd;                      /* is PID 1 there */
    bool turn;                         /* coturn is needed there */
    bool used;                         /* by some cell */
};

struct hosts_session {
    char dir[64]; /* private; "": none */
    char run[20]; /* drawn, so that runs can share machines */
    char inventory[PATH_MAX], results[PATH_MAX], ansible[PATH_MAX], program[PATH_MAX];
    struct hosts_machine *machines;
    size_t n_machines;
    int64_t limit_s; /* the longest of all cells */
    bool quiet, deployed;
};

/* hosts_inventory.c: fills machines. ERR_INVALID with a sentence; ERR_ABSENT: no Ansible. */
int hosts_inventory_read(struct hosts_session *, struct err *);
/* The machine that runs this node; n_machines: none. */
size_t hosts_machine_of(const struct hosts_session *, const char *node);

/* hosts_play.c: runs ansible/NAME.yml on the machines for which plan has an entry, and shows how
 * it goes. trial: "" outside of one. ERR_CLOSED: interrupted; ERR_IO: with what went wrong. */
int hosts_play(struct hosts_session *, const char *name, json_t *plan, const char *trial,
               struct err *);
/* Any program; what it prints goes into the file out. Its exit status, -1: it can't be started. */
int hosts_run_tool(const char *const *argv, const char *out);
/* From now on signals that end a run only set a mark, which hosts_play() obeys; and no more. */
void hosts_signals_catch(void);
void hosts_signals_ignore(void);
void hosts_signals_restore(void);
bool hosts_interrupted(void);
/* Takes what a host tells of itself: lines of a word and its value (host.sh tell). */
void hosts_told(struct hosts_machine *, const char *text);

/* hosts_trial.c */
int hosts_trial_run(struct hosts_session *, const struct trial_spec *, const char *trial,
                    uint64_t seed, const struct trace *, struct trial_result *, struct err *);

/* hosts_clock.c. Have the machines of these nodes this machine's clock? */
bool hosts_clock_one(const struct hosts_session *, const struct trial_spec *);
/* 0 where they have it, the sum of the two worst bounds else; -1: not known. */
ns_t hosts_clock_bound(const struct hosts_session *, const struct trial_spec *);
/* Keeps one-way delays if the clocks are good enough for the smallest of them, and writes down what
 * it came to, as DIR/hosts/TRIAL/clock.json. */
int hosts_clock_judge(const struct hosts_session *, const struct trial_spec *, const char *trial,
                      struct trial_result *, struct err *);

extern const struct world world_hosts;

#endif
