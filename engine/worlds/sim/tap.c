#include "engine/worlds/sim/inner.h"

#include "engine/base/bytes.h"

enum { MESSAGE_MAX = LINK_MESSAGE_MAX + LINK_FRAME };

static void tell(struct sim *sim, const struct trace_packet *p)
{
    sim->tap->packet(sim->tap->ctx, p);
}

static struct trace_packet packet_of(const struct sim *sim, const struct sim_end *from,
                                     enum packet_kind kind, ns_t at)
{
    return (struct trace_packet){.kind = kind,
                                 .at = at,
                                 .sender = from->node->id,
                                 .receiver = sim_peer(from)->node->id,
                                 .answers = from->second,
                                 .from = links_seen(sim, from),
                                 .to = links_seen(sim, sim_peer(from)),
                                 .stream = sim_conn_of(from)->number,
                                 .offset = sim_counts_of(from)->written,
                                 .arrived = sim_counts_of(from)->arrived};
}

void tap_signal(struct sim *sim, const struct sim_end *from, enum sim_kind kind, ns_t at)
{
    struct trace_packet p = packet_of(sim, from,
                                      kind == SIM_SYN       ? PACKET_SYN
                                      : kind == SIM_SYN_ACK ? PACKET_SYN_ACK
                                                            : PACKET_RST,
                                      at);
    tell(sim, &p);
}

static void tell_part(struct sim *sim, const struct sim_end *from, const struct sim_event *ev,
                      uint64_t offset, uint32_t part, uint32_t len, ns_t left)
{
    uint8_t message[MESSAGE_MAX];
    uint32_t frame = wire_payload(from, ev->len) - ev->len;
    struct trace_packet p = packet_of(sim, from, PACKET_ACK, left);
    p.sent = -1;
    p.offset = offset;
    if (ev->kind == SIM_FIN)
        p.kind = PACKET_FIN;
    if (ev->kind == SIM_DATA) {
        put_le32(message, ev->len);
        memcpy(message + frame, ev->data, ev->len);
        p.kind = PACKET_DATA;
        p.part = part;
        p.len = len;
        p.data = message;
    }
    tell(sim, &p);
}

void tap_sent(struct sim *sim, struct sim_end *from, const struct sim_event *ev, ns_t free,
              uint32_t payload)
{
    const int64_t bps = from->node->host.access->up_bps;
    const uint32_t n = tcp_segments(payload);
    const ns_t start = free > ev->sent ? free : ev->sent;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t part = i * TCP_MSS, len = i + 1 < n ? TCP_MSS : payload - part;
        uint64_t bytes = part + len + (uint64_t)(i + 1) * TCP_HEADERS;
        tell_part(sim, from, ev, sim_counts_of(from)->written + part, part, len,
                  start + link_time(bytes, bps));
    }
    sim_counts_of(from)->written += payload;
}

/* A segment that carries parts of several messages is told as so many; of what was handed over
 * already, nothing is told when it is repeated. */
void tap_segment(struct sim *sim, const struct sim_end *from, uint64_t begin, uint32_t bytes,
                 ns_t left)
{
    const struct tcp_bulk *b = from->flow.bulk;
    uint64_t at = b->parked_from, offset = sim_counts_of(from)->written;
    for (const struct sim_event *ev = b->parked; ev; ev = ev->next)
        offset -= ev->kind == SIM_DATA ? wire_payload(from, ev->len) : 0;
    for (const struct sim_event *ev = b->parked; ev && at < begin + bytes; ev = ev->next) {
        uint32_t len = ev->kind == SIM_DATA ? wire_payload(from, ev->len) : 1;
        uint64_t low = at > begin ? at : begin;
        uint64_t high = at + len < begin + bytes ? at + len : begin + bytes;
        if (low < high)
            tell_part(sim, from, ev, offset + (low - at), (uint32_t)(low - at),
                      (uint32_t)(high - low), left);
        at += len;
        offset += ev->kind == SIM_DATA ? len : 0;
    }
}

void tap_ack(struct sim *sim, const struct sim_end *from, uint64_t next, ns_t at)
{
    const struct tcp_bulk *b = sim_peer(from)->flow.bulk;
    struct trace_packet p = packet_of(sim, from, PACKET_ACK, at);
    p.arrived -= b->got - next < p.arrived ? b->got - next : p.arrived;
    p.sent = b->last_sent;
    tell(sim, &p);
}

/* As wire_count counts them: an acknowledgement for two segments. */
void tap_arrival(struct sim *sim, struct sim_end *end, const struct sim_event *ev)
{
    uint32_t left = ev->kind == SIM_FIN ? 1 : wire_payload(end, ev->len);
    if (sim_peer(end)->mute)
        return;
    while (left) {
        uint32_t some = left < 2 * TCP_MSS ? left : 2 * TCP_MSS;
        struct trace_packet p;
        sim_counts_of(end)->arrived += some;
        left -= some;
        if (end->state != END_OPEN)
            continue;
        p = packet_of(sim, end, PACKET_ACK, sim->now);
        p.sent = ev->sent;
        tell(sim, &p);
    }
}

void tap_hang_up(struct sim *sim, const struct sim_end *end)
{
    ns_t at = sim->now + end->flow.path->delay;
    struct trace_packet p = packet_of(sim, end, PACKET_FIN, sim->now);
    tell(sim, &p);
    p = packet_of(sim, sim_peer(end), PACKET_ACK, at > end->flow.arrival ? at : end->flow.arrival);
    p.arrived = sim_counts_of(end)->written + 1;
    p.sent = sim->now;
    tell(sim, &p);
}

void tap_datagram(struct sim *sim, const struct sim_end *from, const struct sim_node *to,
                  const struct addr *addr, const void *data, uint32_t len)
{
    struct trace_packet p = {.kind = PACKET_DATAGRAM,
                             .at = from->node->env.now + from->node->env.spent,
                             .sender = from->node->id,
                             .receiver = to->id,
                             .from = links_seen(sim, from),
                             .to = *addr,
                             .len = len,
                             .data = data};
    tell(sim, &p);
}
