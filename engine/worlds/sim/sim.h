/* The simulator: one thread, one total order of events (time, sequence), virtual nanoseconds.
 *
 * Everything it does follows from the trial_spec and the seed, on any machine. Nodes live on
 * the link model of engine/worlds/link; LINK_HANDOVER has no network beneath and arrives at the
 * instant at which it is sent, in a later event.
 *
 * Nodes. A node starts at its host's `start`. While it computes (env.spent) its events wait, in
 * order; its host's TCP answers meanwhile. A crash ends the process, not the host: its
 * connections are reset (an RST travels one path to each peer, and is lost where a partition
 * or the loss rate takes it), its ports refuse, its store stays. A restart is a new node with
 * the next incarnation. A crash of what is not running, and a restart of what is, do nothing.
 *
 * Streams. The dialler is up after one round trip, the acceptor half a round trip later, ahead
 * of the first data. send() refuses with ERR_AGAIN while more than a window of bytes (SIM_WINDOW,
 * but always one message) has been sent and not yet handed to the peer's node, and goes on
 * refusing until EV_ROOM: when half a window has been handed over, plus the way back of that
 * news. send() before EV_UP gives ERR_CLOSED. LINK_BYTES arrives in the pieces that were sent.
 * What arrives at an end that was closed is dropped; if the sender has not been told yet (by
 * FIN or RST), it is reset.
 *
 * Datagrams. A port that a role accepts is bound at the node's start: its own link comes up,
 * `local` says which port it is. A node's links to peers share the first such port, or else an
 * ephemeral one. Behind a NAT, datagrams are not modelled: check() refuses transports that
 * listen for them there, and open() gives ERR_UNSUPPORTED.
 *
 * Names. Streams of chance are named (seed, "link", from, to, k), k counting the connections
 * that were dialled between the two, or (seed, "datagram", from, to, k) for their k-th
 * datagram; a node's own is prng_name(seed, its name, incarnation, "node").
 *
 * Barrier. ready() counts the roster's parties; when all are ready, every node that asked gets
 * EV_GO at that instant, in the order of ids; who asks later gets it at once.
 *
 * A trial ends when every party has said done(), when the limit comes, or when nothing is left
 * to happen. A party that had its result keeps it through a later crash.
 *
 * METRIC_RECOVERY: for each crash, partition or link change that ends within the trial, the
 * time from its beginning to the first data handed over, after its end, to or from the crashed
 * node, between two nodes of different sides, or between the two ends of the link.
 *
 * Digest: XXH3 of 32 little-endian bytes for every event that a node gets: time; node << 32 |
 * link; kind; size (bytes of EV_DATA, the number of EV_TIMER, the reason of EV_DOWN, else 0).
 *
 * Trace: one line an event, columns separated by a space:
 *     TIME NODE start | go | timer NUMBER
 *     TIME NODE up LINK PEER ADDRESS        (as NODE sees the peer)
 *     TIME NODE data LINK PEER BYTES SENT   (SENT: when the peer's node sent it)
 *     TIME NODE room LINK PEER
 *     TIME NODE down LINK PEER REASON       (in words)
 * one a lost packet or message, where NODE sent it and TIME is when its fate was drawn (for a
 * repeated segment: when it was first sent)
 *     TIME NODE lost PEER BYTES DROP
 * and one a change of the world: TIME NODE crash | restart, and TIME - partition | link | heal.
 * TIME and SENT are in nanoseconds; LINK is the node's own number; PEER is a node's name, or -
 * where no node has that address.
 */
#ifndef PARTYLINE_WORLDS_SIM_SIM_H
#define PARTYLINE_WORLDS_SIM_SIM_H

#include "engine/world.h"

enum { SIM_WINDOW = 4 << 20, SIM_LINKS = (1 << 20) - 1 };

extern const struct world world_sim;

/* What tests vary. */
struct sim_tuning {
    uint32_t window;                /* bytes on their way, a direction of a stream */
    uint32_t links;                 /* open links a node, at most SIM_LINKS */
    uint64_t die_before, die_after; /* store operations that kill their node; 0: none */
};
extern const struct sim_tuning sim_defaults;

/* world_sim.run, with another tuning. */
int sim_run(const struct trial_spec *, uint64_t seed, const struct fault_plan *,
            const struct trace *, const struct sim_tuning *, struct trial_result *, struct err *);

#endif
