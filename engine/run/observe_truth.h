/* What the packets of a pcap truly are, for judging alone: found by where their bytes are on their
 * TCP connection, from what the nodes at its two ends wrote down (uvnode_watch).
 *
 * A connection is known by its two addresses, and if they are used again, as their k-th. A segment
 * is what the message of its first byte is. Datagrams have no such place: theirs is unknown, and
 * so is that of connections whose ports a NAT has changed.
 */
#ifndef PARTYLINE_RUN_OBSERVE_TRUTH_H
#define PARTYLINE_RUN_OBSERVE_TRUTH_H

#include "engine/observer.h"

struct observe_truth;

/* NULL: no memory. */
struct observe_truth *observe_truth_new(uint32_t nodes);
void observe_truth_free(struct observe_truth *);

/* What a node saw of a packet that came to it or leaves it, in the order of time over all nodes,
 * with what it says of its truth and its bytes on the stream. Returns what it truly is, with the
 * node's numbers replaced (TRUTH_UNKNOWN: nobody knows). */
struct packet_truth observe_truth_note(struct observe_truth *, const struct sighting *,
                                       const struct packet_truth *, uint32_t on_stream);

struct observe_segment {
    uint32_t seq, ack, payload;
    bool syn, acks;
};
/* A TCP packet of the capture, each of a connection's in its order. NULL: unknown, or none. */
const struct packet_truth *observe_truth_of(struct observe_truth *, const struct addr *from,
                                            const struct addr *to, const struct observe_segment *);

/* OK, or ERR_NOMEM if memory was out in any call. */
int observe_truth_broken(const struct observe_truth *);

#endif
