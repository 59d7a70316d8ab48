/* One direction of a TCP connection, at the level of messages.
 *
 * The calm case. A small message on a connection that has room is one train of segments
 * (link.h): tcp_send says when it arrives, and nothing else happens. It is taken if
 *   - what was sent in this round trip and the one before, and this message, is no more than half
 *     of the window: then the window is not in use and, as in Linux, does not grow by it, so that
 *     its acknowledgements need not be known;
 *   - the uplink's queue has room for it, no partition is in the way and none of its segments is
 *     lost.
 * Otherwise tcp_send refuses, and the flow is simulated by trains of segments (tcp_bulk.h) with
 * each acknowledgement an event, until all is acknowledged: bulk.
 *
 * What is modelled, in bulk: a stream of bytes, coalesced into segments of 1448 where they wait;
 * initial window 10 (RFC 6928); slow start, CUBIC, HyStart (cubic.h); restart after idle (RFC
 * 2861); limited transmit, SACK with unlimited blocks; loss found by three segments above it (RFC
 * 6675) or, as Linux, by one and a quarter of the smallest round trip (RACK, RFC 8985), which also
 * finds a repetition that is lost; proportional rate reduction (RFC 6937); tail loss probes (RFC
 * 8985; not like ns-3); RTO (RFC 6298; Linux bounds its variance from below by min_rto, ns-3 the
 * whole) with backoff up to 120 s and slow start from one segment; acknowledgements for every
 * second segment, for a first one after delayed_ack (40 ms; ns-3: 200 ms), at once for the first 16
 * segments of a flow (Linux), for what is out of order or fills a gap, and along with data that go
 * back; their loss; the receiver's window, against what its node has not been handed yet; drop-tail
 * queues at both last miles. What is not: Linux' autotuning of the receive window (it is there in
 * full at once: 6 MiB), pacing, ECN, F-RTO and undoing, MTU discovery, DSACK, at most three SACK
 * blocks, RTT from timestamps of repeated segments; the load that acknowledgements put on a
 * bottleneck (they wait behind data there, and take their own time, but leave no trace in the
 * queue). A lost acknowledgement is said again by data that go back. If what was sent in calm meets
 * a full queue at the receiver's downlink, it and all that is under way behind it are in bulk from
 * then on, as if they had been sent so. In the calm case acknowledgements are counted as bytes on
 * the wire alone.
 *
 * ike ns-3 (tcp.like: ns3; tcp_like_ns3.c), where it is not like Linux: what a node writes in one
 * instant leaves together; only messages of one or two segments on a path without loss are calm,
 * as everything else grows the window; it is of bytes, not segments, and grows by whole segments
 * of acknowledged bytes; every timeout reduces ssthresh; round trips are measured in milliseconds,
 * from the timestamp that comes back (RFC 7323), and HyStart sees the smoothed one; the first
 * segment of a direction is acknowledged at once; a retransmission does not restart the timer, nor
 * do a recovery's later partial acknowledgements, nor one that brings new SACK blocks outside of a
 * recovery; what three segments above it tell to be lost is repeated in any phase, but a recovery,
 * and with it the reduction, begins with the third duplicate only; a partial acknowledgement sends
 * a segment whatever the window; a recovery with nothing else to send repeats what is in doubt; a
 * repetition is in flight until it is acknowledged in order, beside the first copy, if that is not
 * lost; the count towards CUBIC's next step outlives reductions; a timeout makes CUBIC forget its
 * maximum; RTO up to 60 s. docs/fidelity.md has the comparison.
 *
 * Bytes: the headers of every segment (IPv4 20, TCP 20, timestamps 12, so 1448 bytes of payload in
 * a segment of 1500). IPv6's 20 more bytes are not counted.
 *
 * Handshake. A SYN that is lost, or whose answer is, is repeated after 1, 2, 4, ... 64 s: seven
 * in all, and after 127 s the dialler gives up (Linux's tcp_syn_retries = 6). A SYN-ACK that is
 * lost is repeated by its own host as well, as late, five times (tcp_synack_retries).
 *
 * Giving up. A connection on which nothing is acknowledged for 15 minutes while something should be
 * (about Linux's 15 repetitions) is given up.
 *
 * Sources, besides the RFCs: the defaults of Linux 6.1 (tcp(7), ip-sysctl) and of ns-3.37's
 * documentation of TcpSocketBase and TcpCubic.
 */
#ifndef PARTYLINE_WORLDS_LINK_TCP_H
#define PARTYLINE_WORLDS_LINK_TCP_H

#include "engine/worlds/link/faults.h"

enum {
    TCP_HEADERS = 52,
    TCP_MSS = 1448,
    TCP_SYN_BYTES = 60, /* SYN and SYN-ACK carry 20 bytes of options */
    TCP_RST_BYTES = 40,
    TCP_SYNS = 7,
    TCP_SYN_ACKS = 5
};

#define TCP_RTO_MAX (120 * NS_S)
#define TCP_RTO_MAX_NS3 (60 * NS_S)
#define TCP_GIVE_UP (900 * NS_S)

extern const struct tcp_spec tcp_linux, tcp_ns3;

struct tcp_bulk;

/* The first 64 bytes are what a message touches. */
struct tcp_flow {
    struct tcp_bulk *bulk;        /* NULL: never was in need of one */
    const struct link_path *path; /* without faults; lent */
    ns_t arrival;                 /* of what was sent last: nothing that follows comes earlier */
    struct dice dice;             /* this direction's own */
    uint16_t recent, before;      /* segments sent in this round trip, and the one before */
    uint32_t round : 24;          /* when it began, in 2^20 ns */
    uint32_t rounds : 8;          /* so far, at most 255 */
    struct loss loss;
    ns_t rate_free;    /* from here on what faults and bulk need: the path's own bottleneck */
    uint32_t from, to; /* the two nodes */
    uint32_t unpaid;   /* like ns-3: bytes sent in calm, by which the window has grown */
};

/* Segments that a payload needs; an empty one (ACK, FIN) is one segment. */
static inline uint32_t tcp_segments(uint32_t payload)
{
    return payload <= TCP_MSS ? 1 : (payload + TCP_MSS - 1) / TCP_MSS;
}
/* The same payload as a train, without its times. */
static inline struct link_train tcp_train(uint32_t payload)
{
    uint32_t n = tcp_segments(payload);
    return (struct link_train){
        .bytes = payload + n * TCP_HEADERS,
        .head = n > 1 ? TCP_MSS + TCP_HEADERS : payload + TCP_HEADERS,
        .tail = payload - (n - 1) * TCP_MSS + TCP_HEADERS,
    };
}

/* A payload, at most 2^30 bytes, handed to TCP at `at`, which never goes back for a host. True:
 * *train is it as it comes to the receiver's downlink. False: it needs tcp_bulk_write. */
bool tcp_send(struct tcp_flow *, const struct tcp_spec *, const struct faults *,
              struct link_host *from, ns_t at, uint32_t payload, struct link_train *);

/* One packet that is not repeated by itself: SYN, SYN-ACK, RST. DROP_COUNT if it gets through
 * (*train is set), else what became of it. */
enum drop tcp_signal(struct tcp_flow *, const struct faults *, struct link_host *from, ns_t at,
                     uint32_t bytes, struct link_train *);

/* The retransmission timeout of these estimates (RFC 6298, 2.3). */
ns_t tcp_rto(const struct tcp_spec *, ns_t srtt, ns_t rttvar);

/* From the n-th SYN (0 is the first) to the next one, or to giving up. */
static inline ns_t tcp_syn_wait(unsigned n)
{
    return NS_S << n;
}

#endif
