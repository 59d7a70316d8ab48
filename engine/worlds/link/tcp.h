/* One direction of a TCP connection, at the level of messages.
 *
 * What is modelled: the three-way handshake and its retries; the headers of every segment
 * (IPv4 20, TCP 20, timestamps 12, so 1448 bytes of payload in a segment of 1500); the order
 * of a stream; retransmission of lost segments; stalls and giving up under a partition;
 * delayed acknowledgements, as bytes on the wire.
 * What is not: slow start and congestion control (a message leaves at the uplink's rate at
 * once), coalescing of messages into segments (each begins one of its own), the bottlenecks'
 * load by acknowledgements. IPv6's 20 more bytes are not counted.
 *
 * Retransmission. RTO is max(200 ms, 2 RTT) and doubles up to 120 s (RFC 6298, with Linux's
 * minimum). A lost segment that at least 3 segments of the same message follow is sent again
 * one RTT after it left (three duplicate acknowledgements, RFC 5681), another one an RTO after
 * it left; a segment lost again, an RTO after that, and so on. Messages that are sent later are not
 * known yet and do not count as followers: dense streams of small messages recover faster in
 * reality. A retransmission does not wait for the uplink. What follows a lost segment waits
 * for it at the receiver.
 *
 * Partition. A segment sent while the two are separated is repeated on the same schedule; what
 * is sent meanwhile stays behind it, and all leaves at the first repetition that gets through,
 * at the uplink's rate. A connection whose segment does not get through for 15 minutes (about
 * Linux's 15 repetitions) is given up.
 *
 * Handshake. A SYN that is lost, or whose answer is, is repeated after 1, 2, 4, ... 64 s: seven
 * in all, and after 127 s the dialler gives up (Linux's tcp_syn_retries = 6).
 */
#ifndef PARTYLINE_WORLDS_LINK_TCP_H
#define PARTYLINE_WORLDS_LINK_TCP_H

#include "engine/worlds/link/faults.h"

enum {
    TCP_HEADERS = 52,
    TCP_MSS = 1448,
    TCP_SYN_BYTES = 60, /* SYN and SYN-ACK carry 20 bytes of options */
    TCP_RST_BYTES = 40,
    TCP_SYNS = 7
};

#define TCP_RTO_MIN (200 * NS_MS)
#define TCP_RTO_MAX (120 * NS_S)
#define TCP_GIVE_UP (900 * NS_S)

/* Is told of every segment when it leaves, for the first time or again: its number in the
 * message, from 0. What is lost is told as well. */
struct tcp_tap {
    void (*segment)(const struct tcp_tap *, uint32_t i, ns_t left);
};

struct tcp_flow {
    const struct tcp_tap *tap; /* NULL: none */
    struct link_path path;     /* without faults */
    struct dice dice;          /* this direction's own */
    ns_t arrival;              /* of what was sent last: nothing that follows comes earlier */
    ns_t resume;               /* what a partition held back leaves then */
    ns_t rtt;                  /* from here on: what only losses and faults need */
    ns_t rate_free;            /* the path's own bottleneck */
    uint32_t from, to;         /* the two nodes */
};

struct tcp_sent {
    struct link_train train;    /* as it comes to the receiver's downlink */
    uint32_t bytes, packets;    /* that the sender put on the wire, repetitions included */
    uint32_t lost, cut, resent; /* segments lost by loss, by a partition; sent again */
    ns_t gives_up;              /* not 0: it never arrives; the sender knows it then */
};

/* Segments that a payload needs; an empty one (ACK, FIN) is one segment. */
static inline uint32_t tcp_segments(uint32_t payload)
{
    return payload ? (payload + TCP_MSS - 1) / TCP_MSS : 1;
}
/* The same payload as a train, without its times. */
struct link_train tcp_train(uint32_t payload);

/* A payload, at most 2^30 bytes, handed to TCP at `at`, which never goes back for a host. */
void tcp_send(struct tcp_flow *, const struct faults *, struct link_host *from, ns_t at,
              uint32_t payload, struct tcp_sent *);

/* One packet that is not repeated by itself: SYN, SYN-ACK, RST. DROP_COUNT if it gets through
 * (out->train is set), else what became of it. */
enum drop tcp_signal(struct tcp_flow *, const struct faults *, struct link_host *from, ns_t at,
                     uint32_t bytes, struct tcp_sent *);

/* From the n-th SYN (0 is the first) to the next one, or to giving up. */
static inline ns_t tcp_syn_wait(unsigned n)
{
    return NS_S << n;
}

#endif
