/* A lab: the hosts of a trial as namespaces of one Linux machine, and the internet between them
 * as one process (wan.h).
 *
 * Every host is a network namespace and, with it, a process number 1 in mount, process, host name
 * and IPC namespaces of its own, whose root is an overlay: it sees the machine's root file system
 * (of other file systems nothing), and what it writes is gone with it. Its folder `share` is seen
 * inside as LAB_SHARE. Every NAT box is a network namespace that forwards, with nftables
 * (lab_nat.h). The WAN process has a namespace, too; it alone holds a TUN device in each
 * namespace that has a public address. So nothing that a host sends can leave the lab, and all
 * that a lab is made of is found by its number, which is in the name of every namespace and
 * control group: what is left of a lab that was killed at any point is taken away by lab_down.
 *
 * Addresses. Node i of the roster is published as 198.18.0.0 + i + 1. A host behind a box has
 * that box's network's 10.0.0.0 + i + 1, a box behind a carrier's 100.64.0.0/10; a box has the
 * published address of its first host, as in the simulator (link/nat.h).
 *
 * Names. A lab's number is LAB_ID letters and digits. Its network namespaces are pl-ID-h-HOST,
 * pl-ID-n-BOX (a number) and pl-ID-wan in /run/netns, so `ip netns exec` knows them. Its state is
 * the folder LAB_DIR/ID; engine/run/lab_state.h says what is in it.
 *
 * Root is needed (CAP_SYS_ADMIN, CAP_NET_ADMIN), /dev/net/tun, overlayfs and the commands ip and
 * nft.
 */
#ifndef PARTYLINE_WORLDS_LAB_LAB_H
#define PARTYLINE_WORLDS_LAB_LAB_H

#include "engine/base/err.h"
#include "engine/world.h"

#include <sys/types.h>

#define LAB_DIR "/run/partyline" /* PARTYLINE_LABS in the environment names another */
#define LAB_SHARE "/var/lib/partyline"
#define LAB_NONE UINT32_MAX

enum { LAB_ID = 6, LAB_PATH = 256, LAB_NODES_MAX = 200 };

struct lab_host {
    uint32_t box;                /* LAB_NONE: none, it has a public address */
    uint32_t lan;                /* its number among those nearest to the box */
    uint32_t published, address; /* IPv4, in host order; the same for one without a box */
    pid_t init;                  /* process 1, as the machine numbers it; 0: not up */
};

struct lab_box {
    const struct nat_spec *spec;
    uint32_t outer; /* the box that it is behind, or LAB_NONE */
    uint32_t lan;   /* its number there */
    uint32_t first; /* the first host behind it, directly or not */
    uint32_t address;
    uint32_t lans; /* hosts and boxes directly behind it */
};

struct lab_options {
    const char *init;          /* a program on every host as process 1; NULL: one that waits */
    const char *pcap;          /* takes every packet at both its ends (wan.h); NULL: none */
    const char *const *shares; /* one a host: what it sees as LAB_SHARE; NULL: a new folder each */
    const char *folder;        /* of its maker's, "../partyline-...": goes with the lab if the maker
                                  died; NULL: none */
    uint64_t seed;             /* of the network's chance */
    bool mine;                 /* it ends with the process that made it */
};

struct lab {
    const struct trial_spec *spec; /* lent */
    char id[LAB_ID + 1];
    char dir[LAB_PATH]; /* its folder */
    struct lab_host *hosts;
    struct lab_box *boxes;
    uint32_t n_boxes;
    pid_t wan;
    struct wan_board *board; /* what the WAN tells (wan.h) */
};

/* Names what a lab cannot imitate, as struct world's check does. */
int lab_check(const struct trial_spec *, void (*say)(void *, int line, const char *), void *);

/* Who is where; nothing is made yet. ERR_NOMEM. Free with lab_free. */
int lab_plan(struct lab *, const struct trial_spec *, struct err *);
void lab_free(struct lab *);

/* Makes it: folder, namespaces, WAN, hosts. ERR_UNSUPPORTED (what this machine lacks) or ERR_IO;
 * then nothing is left. What was left by labs whose maker has died is taken away first. */
int lab_up(struct lab *, const struct lab_options *, struct err *);

/* Takes away all of one lab, whatever is left of it: processes, namespaces, control groups, its
 * folder. OK also where there was nothing; ERR_STATE: something could not be removed. */
int lab_down(const char *id, struct err *);
/* The labs of this machine, by number; *ids is malloc'd. */
int lab_list(char (**ids)[LAB_ID + 1], size_t *n, struct err *);
/* Is the process that a lab belongs to gone? False for one that belongs to none. */
bool lab_orphaned(const char *id);

/* A process of its own for the caller in a host's namespaces: as fork(), but *pid is the child's
 * number on the machine, and the child is where process 1 of the host is. Child: returns 0. */
int lab_fork(const struct lab *, uint32_t host, pid_t *pid, struct err *);

/* The first host of the site that a host is of: the one by which the WAN knows it. */
uint32_t lab_site(const struct lab *, uint32_t host);

/* Names, into LAB_PATH bytes; the buffer is returned. */
const char *lab_root(char *);
const char *lab_netns(const char *id, const char *kind, const char *name, char *);
const char *lab_ip(uint32_t address, char text[16]);

#endif
