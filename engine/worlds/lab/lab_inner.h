/* Between the files of this folder alone. */
#ifndef PARTYLINE_WORLDS_LAB_LAB_INNER_H
#define PARTYLINE_WORLDS_LAB_LAB_INNER_H

#include "engine/worlds/lab/lab.h"
#include "engine/worlds/lab/wan.h"

/* lab_tool.c: runs a command (argv[0] is looked for in PATH and where root has its commands) with
 * this text as its input, inside a network namespace if one is named. ERR_UNSUPPORTED: there is
 * no such command; ERR_IO with the first line of what it complained of. */
int lab_tool(const char *netns, const char *const *argv, const char *input, struct err *);
/* Goes into the network namespace of that name. */
int lab_enter(const char *netns, struct err *);
/* Writes a text to a file of the kernel's; netns may be NULL. */
int lab_set(const char *netns, const char *path, const char *text, struct err *);
int lab_text(const char *path, const char *text, struct err *);
int lab_folder(const char *path, struct err *);
/* A folder with all that is in it, on its file system; *.key files are wiped before. */
void lab_remove(const char *path);

/* lab_down.c: when a process was started, in the kernel's units; 0: it is over. */
unsigned long long lab_started(pid_t);

/* lab_net.c: the namespaces; then, when the WAN has its devices, addresses, routes and rules. */
int lab_net_make(const struct lab *, struct err *);
int lab_net_join(const struct lab *, struct err *);
/* The namespace that has a host's public address: its own, or its outermost box's. */
const char *lab_net_site(const struct lab *, uint32_t host, char *buf);

/* lab_host.c: starts process 1 of every host; they are ready when this returns. */
int lab_hosts_start(struct lab *, const struct lab_options *, struct err *);

/* lab_group.c: a control group in every hierarchy for a host that brings its own init, and a
 * namespace that begins there; the caller is in it then. Removing needs all processes gone, which
 * is some time after they were killed: true if nothing is left. */
int lab_group_join(const char *id, const char *host, struct err *);
bool lab_group_remove(const char *id);

/* wan_loop.c: starts the WAN process; it is ready when this returns. */
int lab_wan_start(struct lab *, const struct lab_options *, struct err *);

/* Births: a process that outlives its maker, or must not. In the child lab_birth_adopt comes
 * first: it leaves the maker's session and files, talks to `log`, and ends with the maker if that
 * is named; it keeps nothing open but the pipe. Then it is well, or says what is not and ends. */
struct lab_birth {
    int pipe[2];
};
int lab_birth_begin(struct lab_birth *, struct err *);
int lab_birth_adopt(struct lab_birth *, pid_t maker, const char *log);
void lab_birth_good(struct lab_birth *);
void lab_birth_bad(struct lab_birth *, const struct err *) __attribute__((noreturn));
/* In the parent: what it said. */
int lab_birth_wait(struct lab_birth *, const char *who, struct err *);

#endif
