/* What is measured, by name (METRICS.md, section 1), and where a node puts its samples.
 *
 * One struct metrics belongs to a trial (sim, ns3) or to a node's process (real worlds)
 * and is merged afterwards: histograms and sums merge without loss.
 */
#ifndef PARTYLINE_METRICS_H
#define PARTYLINE_METRICS_H

#include "engine/base/hist.h"
#include "engine/base/ns.h"

#include <stdint.h>

/* name, unit, one sample is, definition */
#define METRICS(X)                                                                                 \
    X(SETUP, "setup", "ns", "a party",                                                             \
      "node start .. channel up with every peer it is paired with")                                \
    X(PACKET, "packet", "ns", "a transport packet",                                                \
      "leaves its first node .. arrives at its last")                                              \
    X(MESSAGE, "message", "ns", "a protocol message", "send .. deliver, all waiting included")     \
    X(RTT, "rtt", "ns", "a ping", "intended time of the ping .. arrival of its pong")              \
    X(ROUND, "round", "ns", "a party's round", "a protocol round's start .. its end at a party")   \
    X(COMPLETION, "completion", "ns", "a party", "start (or the start barrier) .. result")         \
    X(RECOVERY, "recovery", "ns", "a fault", "fault .. first progress after it")                   \
    X(SUCCESS, "success", "ppm", "a trial", "share of parties that got the right result")          \
    X(WIRE_BYTES, "wire_bytes", "bytes", "a party", "bytes sent on the wire, all overheads")       \
    X(WIRE_PACKETS, "wire_packets", "packets", "a party", "packets sent on the wire")              \
    X(GOODPUT, "goodput", "ppm", "a party", "useful bytes / bytes on the wire")                    \
    X(COMPUTE, "compute", "ns", "a party", "charged computing time")                               \
    X(STORED_BYTES, "stored_bytes", "bytes", "a server's interval",                                \
      "bytes that a protocol's server keeps in its store at that time, keys included")

enum metric {
#define X(id, name, unit, sample, about) METRIC_##id,
    METRICS(X)
#undef X
        METRIC_COUNT
};

struct metric_info {
    const char *name, *unit, *sample, *about;
};
extern const struct metric_info metric_infos[METRIC_COUNT];

/* Sums over a trial. name, definition */
#define COUNTS(X)                                                                                  \
    X(MESSAGES, "messages", "protocol messages sent")                                              \
    X(MESSAGE_BYTES, "message_bytes", "their bytes, without any header")                           \
    X(DELIVERED, "delivered", "protocol messages delivered")                                       \
    X(HANDSHAKES, "handshakes", "channel handshakes completed by their initiator")                 \
    X(RESENT, "resent", "channel frames sent again")                                               \
    X(LINKS, "links", "links opened by a node")                                                    \
    X(RETRANSMITS, "retransmits", "segments that the link model sent again")                       \
    X(SATURATED, "saturated", "sends that waited because their cover traffic was full")            \
    X(EVENTS, "events", "events that the world handed to nodes")

enum count {
#define X(id, name, about) COUNT_##id,
    COUNTS(X)
#undef X
        COUNT_COUNT
};

/* Every way to lose bytes has a name. name, definition */
#define DROPS(X)                                                                                   \
    X(LOSS, "loss", "lost on the way by the link's loss rate")                                     \
    X(QUEUE, "queue", "dropped by a full queue")                                                   \
    X(PARTITION, "partition", "between the two sides of a partition")                              \
    X(REFUSED, "refused", "nobody listens at that port")                                           \
    X(HOST_DOWN, "host_down", "the host is down")                                                  \
    X(NO_ROUTE, "no_route", "no host has that address")                                            \
    X(NAT_FILTERED, "nat_filtered", "inbound, and the NAT's filter does not let that sender in")   \
    X(NAT_NO_MAPPING, "nat_no_mapping",                                                            \
      "of a port that the NAT has mapped to nobody, or no longer")                                 \
    X(NAT_PORT_LIMIT, "nat_port_limit", "outbound, and the subscriber uses all ports it may")      \
    X(NAT_FULL, "nat_full", "the NAT has no port left, or no memory for another session")          \
    X(NAT_HAIRPIN, "nat_hairpin",                                                                  \
      "to the NAT's own address from inside, which it does not turn around")                       \
    X(UDP_BLOCKED, "udp_blocked", "a datagram that a firewall lets neither in nor out")            \
    X(MTU, "mtu", "a datagram above the MTU")                                                      \
    X(LINK_CLOSED, "link_closed", "in flight when its link ended")                                 \
    X(FAULT, "fault", "lost by an injected fault")                                                 \
    X(TRANSPORT_FORMAT, "transport_format", "a transport frame that is malformed")                 \
    X(TRANSPORT_STRANGER, "transport_stranger",                                                    \
      "a transport frame of one who has no business here")                                         \
    X(TRANSPORT_AUTH, "transport_auth", "a transport frame that fails authentication")             \
    X(TRANSPORT_REPLAY, "transport_replay", "a transport link or frame of an earlier session")     \
    X(RELAY_ABSENT, "relay_absent", "relayed to a party that is at no relay")                      \
    X(RELAY_EXPIRED, "relay_expired", "kept by a relay for an absent party beyond its limits")     \
    X(RELAY_LIMIT, "relay_limit", "above a relay's limit on what waits or on links")               \
    X(MIX_AUTH, "mix_auth", "a mix packet whose header fails authentication")                      \
    X(MIX_BODY, "mix_body", "a mix packet whose body was altered, refused at its end")             \
    X(MIX_REPLAY, "mix_replay", "a mix packet that this hop has seen before")                      \
    X(MIX_EPOCH, "mix_epoch", "a mix packet for a key that this hop no longer has, or not yet")    \
    X(MIX_FULL, "mix_full", "above the limit of a mix's pool, a mailbox or a link's queue")        \
    X(MIX_ROUTE, "mix_route", "a mix packet without a route, or with one that leads nowhere")      \
    X(MIX_DOCUMENT, "mix_document", "a mix descriptor or document that is forged, stale or bad")   \
    X(CHANNEL_FORMAT, "channel_format", "a channel frame that is malformed")                       \
    X(CHANNEL_AUTH, "channel_auth", "a channel frame that fails authentication")                   \
    X(CHANNEL_REPLAY, "channel_replay", "a channel frame seen before")                             \
    X(CHANNEL_GAP, "channel_gap", "a channel frame beyond a gap (it is asked for again)")          \
    X(CHANNEL_STATE, "channel_state", "a channel frame that does not fit the channel's state")     \
    X(CHANNEL_LIMIT, "channel_limit", "a channel frame above a limit")                             \
    X(LABEL_LATE, "label_late", "a protocol message that came too late")                           \
    X(LABEL_TWICE, "label_twice", "a protocol message that came twice")                            \
    X(LABEL_EARLY, "label_early", "a protocol message too early for the bounded queue")            \
    X(LABEL_UNKNOWN, "label_unknown", "a protocol message that nobody expects")                    \
    X(PROTOCOL_FORMAT, "protocol_format", "a protocol message that is malformed")                  \
    X(PROTOCOL_AUTH, "protocol_auth", "a protocol message, or a part of one, that is forged")      \
    X(PROTOCOL_EXPIRED, "protocol_expired",                                                        \
      "a protocol message, or what is kept for a party, outside of its time")                      \
    X(PROTOCOL_LIMIT, "protocol_limit", "a protocol message above a limit")                        \
    X(UNSENT, "unsent", "a protocol message to a peer that is not connected")

enum drop {
#define X(id, name, about) DROP_##id,
    DROPS(X)
#undef X
        DROP_COUNT
};

struct name_about {
    const char *name, *about;
};
extern const struct name_about count_infos[COUNT_COUNT];
extern const struct name_about drop_infos[DROP_COUNT];

struct metrics {
    struct hist hist[METRIC_COUNT];
    uint64_t counts[COUNT_COUNT];
    uint64_t drops[DROP_COUNT];
    uint64_t protocol_rounds; /* the largest over parties */
};

void metrics_init(struct metrics *m);
void metrics_free(struct metrics *m);
/* Adds all of b to a; protocol_rounds takes the larger. OK or ERR_NOMEM. */
int metrics_merge(struct metrics *a, const struct metrics *b);

static inline void metrics_add(struct metrics *m, enum metric which, int64_t value)
{
    hist_add(&m->hist[which], value);
}
static inline void metrics_count(struct metrics *m, enum count which, uint64_t n)
{
    m->counts[which] += n;
}
static inline void metrics_drop(struct metrics *m, enum drop which)
{
    m->drops[which]++;
}

#endif
