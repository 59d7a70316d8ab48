/* A world is what nodes live in: it runs one trial of one cell, and refuses what it
 * cannot honour.
 *
 * A trial_spec is a resolved cell of a scenario: constant, shared by its trials, and all
 * that a world gets to know. Everything in it is lent and outlives the trial. Nodes are
 * numbered as in the roster: parties first, then services.
 */
#ifndef PARTYLINE_WORLD_H
#define PARTYLINE_WORLD_H

#include "engine/metrics.h"
#include "engine/protocol.h"
#include "engine/roster.h"
#include "engine/sights.h"
#include "engine/transport.h"

#include <stdio.h>

enum jitter_shape {
    JITTER_EXPONENTIAL,
    JITTER_LOGNORMAL, /* sigma = 1: half of all below 0.61 of the mean, 1 % above 6.2 of it */
};

/* The last mile of a host. Zero: ideal in that respect. Source of the named profiles:
 * engine/worlds/link/access.c. */
struct access {
    int64_t up_bps, down_bps; /* bits per second; 0: no limit */
    ns_t latency;             /* one way, both directions */
    ns_t jitter;              /* mean of the extra delay of a packet */
    int64_t loss_ppm;
    int64_t queue_bytes; /* the bottleneck's buffer, drop-tail; 0: no end to it */
    int64_t burst;       /* losses come in bursts of so many packets on average, 0: alone */
    int64_t bad_ppm;     /* loss rate within a burst; 0: all of it */
    enum jitter_shape jitter_shape; /* how jitter is distributed around its mean */
};

enum nat_kind {
    NAT_NONE, /* a public address */
    NAT_OPEN,
    NAT_FULL_CONE,
    NAT_RESTRICTED_CONE,
    NAT_PORT_RESTRICTED,
    NAT_SYMMETRIC,
    NAT_CGNAT,
    NAT_UDP_BLOCKED
};

struct identity; /* engine/crypto/identity.h */
struct nat_spec; /* engine/worlds/link/nat_spec.h */

struct host_spec {
    uint32_t region;
    struct access access;
    enum nat_kind nat;
    const char *nat_box;             /* hosts that share a box; NULL: one of its own */
    const struct nat_spec *nat_spec; /* of a box that is not the kind's preset; NULL: it is */
    ns_t start;                      /* when its node starts */
    int line;                        /* where the scenario describes it */
};

/* Round trips between regions, as a full matrix: rtt[from * n + to]. */
struct regions {
    uint32_t n;
    const char *const *names;
    const ns_t *rtt;
};

enum action_kind {
    ACT_CRASH,
    ACT_RESTART,
    ACT_PARTITION,
    ACT_LINK,
    ACT_FLAP,      /* cuts the path between two nodes again and again */
    ACT_PAUSE,     /* a node's process stands still; its host's TCP goes on */
    ACT_RESUME,    /* it goes on */
    ACT_READDRESS, /* a node's host, or the NAT box it is behind, gets another public address */
};

/* An entry of `events`, or (ACT_LINK) of `links`. */
struct action {
    enum action_kind kind;
    ns_t at, until;      /* until NS_NEVER: for good */
    uint32_t node;       /* ACT_CRASH, ACT_RESTART, ACT_PAUSE, ACT_RESUME, ACT_READDRESS */
    bool one_way;        /* ACT_PARTITION: only from group 1 to group 2; ACT_LINK: from a to b */
    const uint8_t *side; /* ACT_PARTITION: a node's group, 1.. ; 0: in no group, reaches all */
    uint32_t a, b;       /* ACT_LINK, ACT_FLAP: between these two nodes, both directions */
    ns_t up, down;       /* ACT_FLAP: from `at` on up for so long, then down, then up ... */
    int64_t loss_ppm;    /* ACT_LINK: -1: as before */
    ns_t latency;        /* ACT_LINK: one way, replaces the path's; -1: as before */
    int64_t rate_bps;    /* ACT_LINK: -1: as before */
    ns_t jitter;         /* ACT_LINK: mean, replaces that of both last miles; -1: as before */
    int64_t burst;       /* ACT_LINK: as in struct access; -1: as before */
    int line;
};

/* How the hosts' TCP behaves: engine/worlds/link/tcp.h. */
struct tcp_spec {
    ns_t delayed_ack, min_rto;
    int64_t receive_window; /* bytes */
    int64_t initial_window; /* segments */
    bool hystart;
    bool like_ns3;  /* else like Linux */
    ns_t keepalive; /* a link idle for so long is probed, every 75 s; the 9th unanswered probe ends
                       it (Linux); 0: it is not */
    int like_line, keepalive_line; /* where the scenario asks for it; 0: it does not */
};

enum channel_mode { CHANNEL_NOISE, CHANNEL_NONE };

struct cell; /* engine/run/scenario.h */

struct trial_spec {
    const char *scenario;    /* its name */
    const struct cell *cell; /* which it is of, for worlds that start processes; NULL: of none */
    const struct roster *roster;
    const struct host_spec *hosts; /* one a node */
    const struct regions *regions;
    const struct transport *transport;
    const void *transport_opts;
    const struct protocol *protocol;
    const void *protocol_opts;
    void *plan;                  /* protocol->plan's */
    const struct input *inputs;  /* one a party */
    const char *service_program; /* what services with a protocol's role compute; NULL: nothing */
    const char *const *programs; /* one a party: what it believes it computes, in words; its
                                    channel compares it with the peer's */
    enum channel_mode channel;
    bool modelled;                         /* crypto: modelled */
    const struct identity *const *secrets; /* one a node, NULL where not known here; NULL with
                                              channel: none */
    const ns_t *costs;                     /* COST_COUNT, or NULL */
    const struct action *actions;
    size_t n_actions;
    const struct action *links; /* ACT_LINK for all the time; the last one of a pair counts */
    size_t n_links;
    const struct tcp_spec *tcp; /* NULL: link/tcp.h's tcp_linux */
    const struct observer_spec *observers;
    size_t n_observers;
    ns_t limit;
    uint64_t scenario_digest;
};

enum packet_kind {
    PACKET_SYN,
    PACKET_SYN_ACK,
    PACKET_ACK,
    PACKET_DATA,
    PACKET_FIN,
    PACKET_RST,
    PACKET_DATAGRAM
};

/* A packet as it leaves its sender; sent again, it is told again. Told in the order in which
 * things were decided: `at` may lie ahead of packets that are told later. */
struct trace_packet {
    enum packet_kind kind;
    ns_t at;
    party_t sender, receiver;
    struct addr from, to; /* as the internet sees them: outside of NATs */
    uint64_t stream;      /* numbers the connections from 1; 0: PACKET_DATAGRAM */
    bool answers;         /* the sender is the side that was dialled */
    uint64_t offset;      /* DATA, FIN: bytes of payload in this direction before it */
    uint64_t arrived;     /* ACK: bytes of the other direction that are there; a FIN is one */
    ns_t sent;            /* ACK: when the newest of them was given to TCP; -1: it acknowledges
                             nothing new but the handshake */
    uint32_t part;        /* DATA: bytes of its message before it */
    uint32_t len;         /* DATA, DATAGRAM: bytes of payload */
    const uint8_t *data;  /* the whole message with its frame (DATA), or the payload; lent */
};

/* What passes between the layers of a node: see struct trace. */
enum layer_step {
    LAYER_SEND,    /* the channel has taken a protocol's message for the peer, */
    LAYER_DELIVER, /* and gives it one */
    LAYER_EMIT,    /* the transport has taken a channel's frame for the peer, */
    LAYER_RECEIVE, /* and gives it one */
    LAYER_PEER     /* the channel to the peer has changed its state */
};

struct trace_layer {
    enum layer_step step;
    ns_t at; /* with what the node has computed by then */
    party_t node, peer;
    struct label label;    /* SEND, DELIVER */
    ns_t sent;             /* DELIVER: when its sender sent it, by the sender's clock */
    size_t len;            /* of the message without its header, or of the frame */
    enum peer_state state; /* PEER */
};

enum { TRACE_RECORD = 32 };

/* Who looks at a trial while it runs. Any of these may be NULL. */
struct trace {
    FILE *out; /* gets a line an event, as the world describes them */
    void (*packet)(void *ctx, const struct trace_packet *); /* sim alone calls it */
    void (*layer)(void *ctx, const struct trace_layer *);
    /* Events in the order in which nodes get them, n at a time, as the digest takes them: records
     * of TRACE_RECORD bytes, little-endian: time (8), link (4), node (4), kind (8), size (8). And
     * one peer a record, or PARTY_NONE. All lent. Deterministic worlds call it. */
    void (*events)(void *ctx, const uint8_t *records, const party_t *peers, size_t n);
    void *ctx;
    /* Sightings of the kinds in `sights` (WANT_ bits), and the end of them: as in sights_setup. */
    unsigned sights;
    void (*sighting)(void *ctx, const struct sighting *, const struct packet_truth *);
    void (*sighted)(void *ctx, const struct truth *, ns_t now);
    void *sights_ctx;
};

/* A planted fault, for tests: the n-th of its kind (1 is the first) fails. 0: none. */
struct fault_plan {
    uint64_t refuse_send;  /* env send returns ERR_AGAIN once, EV_ROOM follows */
    uint64_t lose_message; /* a message on a link vanishes */
    uint64_t fail_store;
};

struct trial_result {
    struct outcome *outcomes; /* one a party */
    struct metrics metrics;
    uint64_t digest; /* XXH3 over (time, link, kind, size) of every event */
    ns_t ended;
    bool timed_out;             /* the limit came first */
    char *why;                  /* unfinished: who waits for whom, one line a party; or NULL */
    struct exposure *exposures; /* what the observers found: struct sights_found */
    size_t n_exposures;
    struct finding_row *findings;
    size_t n_findings;
    char *invalid;         /* why the observers' figures are void; NULL: they are not */
    uint64_t faults_fired; /* of the fault_plan */
};

/* What a world is told of a run before its first trial. All lent until its end. */
struct world_run {
    const struct trial_spec *const *cells;
    size_t n_cells;
    const char *inventory; /* --inventory: the hosts file of Ansible; NULL: none */
    const char *share;     /* the folder that the program's own files are in, as ansible/ */
    const char *dir;       /* of the results */
    bool quiet;
};

/* What a world says of a run after its last trial. */
struct world_verdict {
    char poor[256];     /* why what was measured is poor; "": it is not */
    char left[256];     /* what was left behind where trials ran; "": nothing */
    struct json_t *env; /* for env.json, the caller's then; or NULL */
};

struct world {
    const char *name, *help;
    bool deterministic;
    bool handover; /* has LINK_HANDOVER */
    bool real;     /* time and network are the machine's: nothing is expected of them */
    /* A world may live in another executable of ours, because of what that is linked with: here
     * check and run are NULL then, program is its name, and lacking says what to do if it is
     * not there. */
    const char *program, *lacking;
    /* Refuses what this world cannot honour, at its line. Calls say() once a refusal.
     * Returns OK or ERR_UNSUPPORTED. */
    int (*check)(const struct trial_spec *, void (*say)(void *, int line, const char *), void *);
    /* What of this it passes over in silence, in words for one warning; NULL: nothing. The
     * function may be NULL. */
    const char *(*drops)(const struct trial_spec *);
    /* Of a world whose trials share something: begin() before a run's first trial, end() after
     * its last one or what came instead, in the process that trials are forked from, one at a
     * time. Both or neither. ERR_INVALID: what was asked for can't be; else it broke. */
    int (*begin)(const struct world_run *, struct err *);
    void (*end)(struct world_verdict *);
    /* Runs one trial. OK even if the trial failed (that is in the result); an error means
     * that this world broke. The result is freed with trial_result_free. */
    int (*run)(const struct trial_spec *, uint64_t seed, const struct fault_plan *,
               const struct trace *, struct trial_result *, struct err *);
};

void trial_result_free(struct trial_result *, uint32_t n_parties);

#endif
