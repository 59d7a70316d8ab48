/* Datagrams: lost, late, out of order, dropped by full queues.
 *
 * Headers are IPv4's 20 and UDP's 8 bytes; nothing is fragmented, so 1472 bytes of payload
 * are the most. Jitter is drawn for each datagram by itself, which reorders them. A bottleneck
 * whose last mile has queue_bytes drops a datagram that finds more than that in front of it
 * (drop-tail); streams share the bottleneck, so they fill the same queue.
 *
 * Losses come in bursts as those of streams do (loss.h), but have a state of their own.
 *
 * Draws come from a stream of the caller's, one for each ordered pair of hosts.
 */
#ifndef PARTYLINE_WORLDS_LINK_UDP_H
#define PARTYLINE_WORLDS_LINK_UDP_H

#include "engine/worlds/link/faults.h"

enum {
    UDP_HEADERS = 28,
    UDP_PAYLOAD_MAX = 1472,
    UDP_PATH_QUEUE = 1000 * 1500 /* bytes, at a path's own bottleneck */
};

/* What an ordered pair of hosts has in common for its datagrams: bursts, the path's bottleneck. */
struct udp_pair {
    struct loss loss;
    ns_t rate_free;
};

/* DROP_COUNT: it gets to the receiver's downlink, *train says when. Else what became of it. The
 * pair may be NULL where a path has neither bursts nor a rate. */
enum drop udp_send(const struct link_path *, const struct faults *, uint32_t a, uint32_t b,
                   struct link_host *from, ns_t at, uint32_t payload, struct udp_pair *,
                   struct dice *, struct link_train *train);

/* At the receiver's downlink, at train->first. DROP_COUNT: it is there at train->last. */
enum drop udp_receive(struct link_host *to, struct link_train *train);

#endif
