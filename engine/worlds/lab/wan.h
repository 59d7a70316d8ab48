/* The internet of a lab: what the simulator's link model (engine/worlds/link) does to packets,
 * done to real ones at real times.
 *
 * A site is what has a public address: a host, or the outermost NAT box of some. The model knows
 * a site as the first host behind it: its region, last mile, and the events that name it. Every
 * IP packet passes as a datagram does in the simulator (link/udp.h): the sender's uplink, the
 * path with its delay, jitter, losses, rate and partitions, the receiver's downlink. Unlike
 * datagrams, TCP's segments between two sites keep their order, as jitter makes a queue in the
 * real internet: a segment that draws less jitter than the one before waits for it.
 *
 * wan_take and wan_due are told the time and do no I/O. wan_loop.c has the devices and the clock,
 * and counts how late packets leave: the kernel, and a busy machine, take their time.
 *
 * A pcap (lab_options.pcap) has every packet twice: where it leaves its sender's site, in front of
 * the uplink, and where it comes to its receiver's, behind the downlink; a lost one has the first
 * alone. Link type Linux cooked 2, as of `tcpdump -i any` on every site at once: interface k + 1 is
 * the site of host k, packet type 4 what it sends and 0 what it gets.
 *
 * The board is memory that the WAN shares with whoever made the lab: a file in the lab's folder,
 * LAB_BOARD. Its fields are only ever read and written by atomic operations, each by itself.
 */
#ifndef PARTYLINE_WORLDS_LAB_WAN_H
#define PARTYLINE_WORLDS_LAB_WAN_H

#include "engine/worlds/lab/lab.h"
#include "engine/worlds/link/udp.h"

#define LAB_BOARD "wan.board"
/* Of a run's packets 1 % may be later than that; else it is a poor measurement. */
#define WAN_LATE NS_MS

enum {
    WAN_PACKET = 2048,    /* the largest that is taken */
    WAN_QUEUE = 64 << 20, /* bytes on their way at a time, above that: DROP_QUEUE */
    WAN_BOARD_MAGIC = 0x70576c02,
    WAN_HOSTS = LAB_NODES_MAX
};

struct wan_board {
    uint32_t magic;
    int64_t origin; /* CLOCK_MONOTONIC when the trial's time is 0, for its events; 0: not begun */
    int64_t epoch;  /* CLOCK_MONOTONIC's 0 in nanoseconds since 1970, by which the pcap counts */
    uint64_t packets, bytes;
    uint64_t drops[DROP_COUNT];
    uint64_t sent_packets[WAN_HOSTS], sent_bytes[WAN_HOSTS]; /* by site: its first host */
    int64_t late_max;
    uint64_t late[HIST_SLOTS]; /* packets that left so much after their time: base/hist.h */
};

struct wan_packet {
    ns_t due;
    uint64_t order;
    uint32_t from, to; /* sites */
    bool arrived;      /* at the receiver's downlink, and through it */
    struct link_train train;
    uint32_t len;
    uint8_t data[];
};

struct wan {
    const struct trial_spec *spec;
    uint32_t n;
    uint32_t *lead;         /* of each host: its site */
    uint32_t first_address; /* host i has this + i */
    struct link_host *hosts;
    struct link_path *paths; /* of ordered pairs, as all that follows */
    struct udp_pair *pairs;
    struct dice *dice;
    ns_t *last; /* when the last segment of TCP gets there */
    struct faults faults;
    struct wan_packet **heap;
    size_t n_heap, cap_heap, bytes;
    uint64_t orders;
};

/* lead: one a host, lent. OK or ERR_NOMEM. */
int wan_init(struct wan *, const struct trial_spec *, uint32_t *lead, uint32_t first_address,
             uint64_t seed);
void wan_free(struct wan *);
/* Its time begins anew: what is on its way is forgotten. */
void wan_restart(struct wan *);

/* An IPv4 packet that a site sends at `now`, the trial's time. DROP_COUNT: it is on its way; else
 * what became of it. Foreign bytes. */
enum drop wan_take(struct wan *, ns_t now, uint32_t site, const uint8_t *packet, size_t len);
/* When it has something to do again; NS_NEVER. */
ns_t wan_next(const struct wan *);
/* The next packet whose time has come, which is the caller's to give to `to` and to free; NULL:
 * none. *drop: if not DROP_COUNT, a packet was lost instead: ask again. */
struct wan_packet *wan_due(struct wan *, ns_t now, enum drop *drop);

/* Maps a lab's board; NULL where there is none. */
struct wan_board *wan_board_open(const char *dir);
void wan_board_close(struct wan_board *);

#endif
