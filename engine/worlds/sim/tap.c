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
                                 .receiver = from->peer->node->id,
                                 .answers = from == &from->conn->end[1],
                                 .from = links_seen(sim, from),
                                 .to = links_seen(sim, from->peer),
                                 .stream = from->conn->number,
                                 .offset = from->written,
                                 .arrived = from->arrived};
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

static void segment(const struct tcp_tap *tcp, uint32_t i, ns_t left)
{
    const struct tap *tap = (const struct tap *)(const void *)tcp;
    const struct sim_event *ev = tap->event;
    uint8_t message[MESSAGE_MAX];
    struct trace_packet p = packet_of(tap->sim, tap->from, PACKET_ACK, left);
    p.sent = -1;
    if (ev->kind == SIM_FIN) {
        p.kind = PACKET_FIN;
    } else if (ev->kind == SIM_DATA) {
        uint32_t frame = tap->payload - ev->len, part = i * TCP_MSS;
        put_le32(message, ev->len);
        memcpy(message + frame, ev->data, ev->len);
        p.kind = PACKET_DATA;
        p.offset += part;
        p.part = part;
        p.len = tap->payload - part < TCP_MSS ? tap->payload - part : TCP_MSS;
        p.data = message;
    }
    tell(tap->sim, &p);
}

void tap_begin(struct tap *tap, struct sim *sim, struct sim_end *from, const struct sim_event *ev,
               uint32_t payload)
{
    *tap = (struct tap){
        .tcp.segment = segment, .sim = sim, .from = from, .event = ev, .payload = payload};
    from->flow.tap = &tap->tcp;
}

void tap_end(struct tap *tap, struct sim_end *from)
{
    from->flow.tap = NULL;
    from->written += tap->payload;
}

/* As wire_count counts them: an acknowledgement for two segments. */
void tap_arrival(struct sim *sim, struct sim_end *end, const struct sim_event *ev)
{
    uint32_t left = ev->kind == SIM_FIN ? 1 : wire_payload(end, ev->len);
    if (end->peer->mute)
        return;
    while (left) {
        uint32_t some = left < 2 * TCP_MSS ? left : 2 * TCP_MSS;
        struct trace_packet p;
        end->arrived += some;
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
    ns_t at = sim->now + end->flow.path.delay;
    struct trace_packet p = packet_of(sim, end, PACKET_FIN, sim->now);
    tell(sim, &p);
    p = packet_of(sim, end->peer, PACKET_ACK, at > end->flow.arrival ? at : end->flow.arrival);
    p.arrived = end->written + 1;
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
