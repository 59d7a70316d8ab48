/* The world's own structs, shared by its files alone (net.h is the way down to ns-3). */
#ifndef PARTYLINE_WORLDS_NS3_INNER_H
#define PARTYLINE_WORLDS_NS3_INNER_H

#include "engine/crowd.h"
#include "engine/worlds/link/faults.h"
#include "engine/worlds/link/loss.h"
#include "engine/worlds/link/nat.h"
#include "engine/worlds/ns3/net.h"
#include "engine/worlds/ns3/ns3.h"
#include "engine/worlds/result/lookout.h"
#include "engine/worlds/sim/store.h"

#include <stdlib.h>
#include <xxhash.h>

enum { NS3_LINKS_MAX = 1 << 20, READ_MAX = 65536 };

struct ns3;

enum ns3_kind {
    /* what a node asked for, when its computing is over */
    DO_DIAL,
    DO_SEND,
    DO_SEND_TO,
    DO_CLOSE,
    /* what awaits the node */
    TELL_GO,
    TELL_TIMER,
    TELL_UP,
    TELL_READ,     /* there is something to read */
    TELL_DATAGRAM, /* with its data */
    TELL_ROOM,
    TELL_DOWN
};

struct ns3_end;

/* Goes along with what is sent, and is no part of it. */
struct ns3_origin {
    ns_t at; /* when it was sent */
    party_t sender;
    struct addr to; /* datagrams: as its sender wrote it */
    struct packet_truth truth;
};

struct ns3_event {
    struct ns3_event *next;           /* waiting for a busy node */
    struct ns3_event *before, *after; /* among all that there are */
    struct ns3_node *node;
    struct ns3_end *end; /* NULL: none */
    enum ns3_kind kind;
    uint32_t number, life; /* number: of a timer; why, of a DOWN; net.h's, of where it goes */
    /* of a datagram: */
    struct net_port *port;
    struct addr peer;
    struct ns3_origin origin;
    size_t len;
    uint8_t data[];
};

/* Given to TCP, and not all handed over. */
struct ns3_sent {
    struct ns3_origin origin;
    uint32_t len, left;
};

enum end_state { END_CONNECTING, END_OPEN, END_CLOSED };

/* A node's end of a stream, or its datagram link. It stays until the trial's end. */
struct ns3_end {
    struct ns3_node *node;
    enum link_kind kind;
    enum end_state state;
    link_t link;
    uint32_t tag;
    struct addr local, remote; /* as the node sees them */
    struct addr seen;          /* of who dialled: its own, outside of NATs */
    uint32_t to;               /* the peer's node; PARTY_NONE: no such address */
    struct net_socket *socket; /* streams */
    struct ns3_end *peer;      /* the other end, as soon as it is there */
    uint8_t *buf;              /* read, and not yet handed over */
    size_t have, cap;
    size_t delayed;        /* bytes that will be given to TCP when the node has computed */
    struct ns3_sent *sent; /* what the peer has not been handed: n from first, a ring of cap */
    size_t sent_first, sent_n, sent_cap;
    size_t sent_came;            /* so many of them are at the peer's host, */
    uint64_t came;               /* and so many bytes with them and all before; */
    uint64_t got;                /* this end's node was given so many of the other direction */
    bool syn_left, syn_came;     /* was seen at the dialler's router; at the other host */
    bool blocked, room, reading; /* refused; EV_ROOM, TELL_READ is on its way */
    bool dialled, listener;      /* listener: a datagram port's own link */
    bool severed;                /* its host's address has changed: nobody there knows it */
    struct net_port *port;       /* datagrams: shared by all of one port */
};

struct ns3_node {
    struct ns3 *w;
    struct env env;
    uint32_t id, life;
    struct access access; /* with the losses that the core makes, not the line */
    struct link_host line;
    bool alive, ready, done, doomed, paused;
    bool moved;         /* some links are severed */
    uint32_t elsewhere; /* the number of what they see of it then; 0: it did not happen */
    ns_t busy_until;
    struct ns3_event *waiting, **waiting_tail;
    struct ns3_end **links; /* by link - 1 */
    uint32_t n_links, cap_links;
    struct net_port *datagram_port; /* where its links to peers share one */
    const struct accept *accepts;
    uint64_t wire_bytes, wire_packets, useful;
    ns_t compute;
    uint32_t incarnations;
    struct outcome kept; /* of an earlier life */
    ns_t completion;     /* of it */
    struct sim_store store;
};

static inline struct ns3_node *node_of(struct env *env)
{
    return (struct ns3_node *)(void *)((char *)env - offsetof(struct ns3_node, env));
}

/* One direction between two hosts, in the core. */
struct ns3_path {
    ns_t last;      /* when the newest TCP packet gets out of it */
    ns_t rate_free; /* a link's own bottleneck */
    uint64_t packets;
    struct loss loss;
};

struct ns3_appointment {
    const struct action *action;
    struct ns3 *w;
};

_Static_assert(sizeof(struct ns3_origin) <= sizeof(struct net_note), "it travels as one");

struct ns3 {
    const struct trial_spec *spec;
    const struct fault_plan *plan;
    struct trial_result *result;
    struct metrics *metrics;
    const struct trace *trace; /* may be NULL */
    uint64_t seed;
    ns_t now;
    struct ns3_node *nodes;
    uint32_t n_nodes, n_parties, n_ready, n_done;
    struct crowds crowds;
    struct nat nat;
    uint8_t (*addresses)[16]; /* those from number n_nodes on */
    uint32_t n_addresses, cap_addresses;
    struct ns3_path *paths; /* from * n_nodes + to */
    struct faults faults;
    struct ns3_event *events; /* all of them */
    struct store_fate fate;
    XXH3_state_t *hash;
    struct lookout lookout;
    struct packet_truth truth;         /* of the packet in hand */
    unsigned wants;                    /* what observers want to see: the lookout's */
    struct ns3_appointment *appointed; /* one an action */
    uint64_t sends, messages;
    bool go, net, watching;
    int broken;
    struct err *err;
};

/* run.c */
void ns3_break(struct ns3 *, int code);

/* event.c: what awaits its time, and its node */
struct ns3_event *event_new(struct ns3_node *, enum ns3_kind, size_t len);
/* Happens at that time, if the node is still in this life then. */
void event_post(struct ns3_event *, ns_t at);
void event_free(struct ns3_event *);
/* It does not happen any more: counted if it is a datagram. Takes it. */
void event_lost(struct ns3_event *);
/* The node's waiting events go on when it is free. */
void event_await(struct ns3_node *);
void event_simple(struct ns3_node *, struct ns3_end *, enum ns3_kind, uint32_t number, ns_t at);

/* host.c: the lives of nodes */
void host_start(struct ns3_node *);
/* By this action; NULL: by its store. */
void host_crash(struct ns3_node *, const struct action *);
void host_bury(struct ns3_node *); /* without a word */
/* The node with that address in the roster; NULL if none has. */
struct ns3_node *host_at(const struct ns3 *, const uint8_t ip[16]);
/* Gives a node an event; of what was sent, with its origin, else NULL. */
void host_give(struct ns3_node *, const struct ns3_end *, const struct ns3_origin *,
               const struct event *, uint64_t size);

/* ops.c: what nodes may ask */
extern const struct env_ops ns3_ops;

/* conn.c: streams */
/* A new link of this node; NULL: too many. */
struct ns3_end *conn_new(struct ns3_node *, enum link_kind);
void conn_release(struct ns3_end *);
void conn_begin(struct ns3_node *); /* its ports listen */
void conn_crash(struct ns3_node *);
void conn_free(struct ns3_node *);
void conn_do(struct ns3_event *);
/* The same, now or when the node has computed; takes it. */
void conn_later(struct ns3_event *);
/* A stream port of this node, and the kind of its links. */
bool conn_accepts(const struct ns3_node *, uint16_t port, enum link_kind *);
/* The end of this node that has dialled that host from this port, and has no peer yet, or NULL. */
struct ns3_end *conn_dialler(struct ns3_node *, uint32_t to, uint16_t port);
void conn_accepted(void *, uint32_t host, uint16_t port, struct net_socket *, uint32_t peer,
                   uint16_t peer_port);
void conn_happened(void *, void *end, enum net_event);

/* hand.c: a link's event for its node. False: the node is busy before all was handed over. */
bool hand_event(struct ns3_event *);

/* dgram.c */
int dgram_open(struct ns3_node *, struct addr to, link_t *out);
int dgram_send(struct ns3_end *, struct addr to, const void *, size_t);
void dgram_close(struct ns3_end *);
void dgram_listen(struct ns3_node *);
void dgram_came(void *, void *node, struct net_port *, uint32_t from, uint16_t from_port,
                const uint8_t *, size_t, const struct net_note *);
/* The link that it is for; NULL if there is none any more. */
struct ns3_end *dgram_conn(struct ns3_event *);

/* core.c: between the access lines */
int core_init(struct ns3 *);
int64_t core_pass(void *, struct net_packet *);
uint32_t core_arrives(void *, struct net_packet *);

/* address.c: net.h's numbers, and the NAT at the access routers */
/* Its number; NET_NOBODY: memory is out, and the world is broken. */
uint32_t address_number(struct ns3 *, const uint8_t ip[16]);
/* Of that number, as its own host sees it: private behind a NAT. */
struct addr address_of(const struct ns3 *, uint32_t number, uint16_t port);
/* The node that packets to there go to as things are, and the port there; NULL: none. */
struct ns3_node *address_target(struct ns3 *, enum nat_protocol, const struct addr *,
                                uint16_t *port);
/* Whose it is or was; NULL: nobody's. */
struct ns3_node *address_owner(const struct ns3 *, const struct addr *);
/* Outward, at the sender's router, and inward, at *host's. DROP_COUNT: it goes on. */
enum drop address_leave(struct ns3 *, struct net_packet *);
enum drop address_enter(struct ns3 *, struct net_packet *, uint32_t *host);
/* The host that is seen at that number since it moved; NULL: none. */
struct ns3_node *address_moved(const struct ns3 *, uint32_t number);
/* The host, or the box that it is behind, gets another public address. */
void address_change(struct ns3 *, struct ns3_node *);

/* witness.c: who looks on (result/lookout.h) */
int witness_init(struct ns3 *);
void witness_free(struct ns3 *);
int witness_score(struct ns3 *);
void witness_digest(struct ns3 *, const struct ns3_node *, const struct event *, uint64_t size);
void witness_event(struct ns3 *, const struct ns3_node *, const struct ns3_end *,
                   const struct ns3_origin *, const struct event *);
void witness_keep(struct ns3 *, const struct ns3_node *, const struct retained *);
void witness_show(struct ns3 *, const struct ns3_node *, const struct shown *);
/* from, to: nodes or PARTY_NONE */
void witness_drop(struct ns3 *, uint32_t from, uint32_t to, uint32_t bytes, enum drop);
void witness_world(struct ns3 *, const struct ns3_node *, const char *what);
void witness_crash(struct ns3 *, const struct ns3_node *, const struct action *);
void witness_restart(struct ns3 *, const struct ns3_node *);
void witness_fault_over(struct ns3 *, const struct action *);
/* What observers see of what is on its way, if w->wants. A message of a stream leaves when it is
 * sent, and comes when the last of its bytes can be read. Behind a NAT a SYN and a datagram leave
 * when the NAT has translated them (witness_router); else when they are sent. */
struct ns3_origin witness_origin(const struct ns3_node *, const struct addr *to);
void witness_dial(struct ns3_end *);
void witness_send(const struct ns3_end *, size_t len);
void witness_send_to(const struct ns3_end *, const struct addr *to, const struct ns3_node *target,
                     size_t len);
/* At the sender's router; port: its own, inside of NATs. target: NULL if there is none. */
void witness_router(struct ns3 *, const struct net_packet *, uint16_t port,
                    const struct ns3_node *target);
/* There is something to read. */
void witness_readable(struct ns3_end *);
/* A packet at a host, or that its NAT has not let in. */
void witness_packet(struct ns3_node *, const struct net_packet *);

#endif
