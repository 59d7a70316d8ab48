#include "engine/node.h"

#include "engine/base/bytes.h"
#include "engine/base/fetch.h"
#include "engine/base/slab.h"
#include "engine/party.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what the channels tell ----------------------------------------------------------- */

static int channel_emit(void *node, party_t to, const void *data, size_t len)
{
    struct party *p = node;
    int rc;
    if (p->env->truth)
        env_truth(p->env, TRUTH_REAL, p->self, to, ++p->emitted);
    rc = p->carrier->send(p->carrier_state, to, data, len);
    if (rc == OK)
        party_trace(p, (struct trace_layer){LAYER_EMIT, .peer = to, .len = len});
    return rc;
}

static void channel_deliver(void *node, party_t from, const uint8_t *data, size_t len)
{
    struct party *p = node;
    struct metrics *m = p->env->metrics;
    struct label label;
    if (len < NODE_HEADER) {
        metrics_drop(m, DROP_PROTOCOL_FORMAT);
        return;
    }
    label.round = get_le32(data);
    label.instance = get_le32(data + 4);
    metrics_count(m, COUNT_DELIVERED, 1);
    if (p->shared_clock)
        metrics_add(m, METRIC_MESSAGE, p->env->now - (ns_t)get_le64(data + 8));
    env_charge(p->env, COST_MESSAGE, 1);
    party_trace(p,
                (struct trace_layer){LAYER_DELIVER, .peer = from, .label = label,
                                     .sent = (ns_t)get_le64(data + 8), .len = len - NODE_HEADER});
    p->protocol->recv(p->protocol_state, p, from, label, data + NODE_HEADER, len - NODE_HEADER);
}

static void start_protocol(struct party *p)
{
    if (p->started || p->done)
        return;
    p->started = true;
    p->began = p->env->now;
    p->protocol->start(p->protocol_state, p);
}

static void all_paired(struct party *p)
{
    metrics_add(p->env->metrics, METRIC_SETUP, p->env->now - p->start);
    if (p->protocol->barrier)
        p->env->ops->ready(p->env);
}

static void channel_state_changed(void *node, party_t id, enum peer_state state)
{
    struct party *p = node;
    struct peer *peer = party_peer(p, id);
    bool first = state == PEER_UP && !peer->ever_up;
    peer->up = state == PEER_UP || state == PEER_RESTARTED;
    party_trace(p, (struct trace_layer){LAYER_PEER, .peer = id, .state = state});
    if (first) {
        peer->ever_up = true;
        p->n_ever_up++;
    }
    if (p->protocol->peer)
        p->protocol->peer(p->protocol_state, p, id, state);
    if (first && p->n_ever_up == p->n_peers)
        all_paired(p);
}

static void channel_has_room(void *node, party_t id)
{
    struct party *p = node;
    if (p->protocol->room)
        p->protocol->room(p->protocol_state, p, id);
}

static void channel_failed(void *node, party_t id, int code, const char *why)
{
    struct party *p = node;
    party_peer(p, id)->up = false;
    party_fail(p, "the channel to %s failed (%s): %s", party_name(p, id), err_name(code), why);
}

static void channel_arm(void *node, party_t id, ns_t at)
{
    struct party *p = node;
    p->env->ops->arm(p->env, TIMER_CHANNEL + id, at);
}

const struct channel_up node_channel_up = {
    .emit = channel_emit,
    .deliver = channel_deliver,
    .state = channel_state_changed,
    .room = channel_has_room,
    .failed = channel_failed,
    .arm = channel_arm,
};

/* ---- what the transport tells --------------------------------------------------------- */

static void transport_deliver(void *node, party_t from, const uint8_t *data, size_t len)
{
    struct party *p = node;
    struct peer *peer = party_peer(p, from);
    if (peer)
        channel_expect(peer->channel);
    party_trace(p, (struct trace_layer){LAYER_RECEIVE, .peer = from, .len = len});
    if (peer && peer->channel)
        channel_receive(peer->channel, data, len);
    else
        metrics_drop(p->env->metrics, DROP_TRANSPORT_STRANGER);
}

static void transport_peer_up(void *node, party_t id, bool first)
{
    struct party *p = node;
    struct peer *peer = party_peer(p, id);
    if (!peer)
        return;
    if (party_channel(p, peer))
        channel_transport_up(peer->channel, first);
    else
        party_fail(p, "no memory for a channel to %s", party_name(p, id));
}

static void transport_peer_down(void *node, party_t id, enum down_reason why)
{
    struct peer *peer = party_peer(node, id);
    (void)why;
    if (peer && peer->channel)
        channel_transport_down(peer->channel);
}

static void transport_room(void *node, party_t id)
{
    struct peer *peer = party_peer(node, id);
    if (peer && peer->channel)
        channel_room(peer->channel);
}

const struct transport_up node_transport_up = {
    .deliver = transport_deliver,
    .peer_up = transport_peer_up,
    .peer_down = transport_peer_down,
    .room = transport_room,
};

/* ---- what the world tells ------------------------------------------------------------- */

static void on_timer(struct party *p, const struct event *ev)
{
    struct peer *peer;
    if (ev->timer >= TIMER_CHANNEL) {
        peer = party_peer(p, ev->timer - TIMER_CHANNEL);
        if (peer && peer->channel)
            channel_timer(peer->channel);
    } else if (ev->timer >= TIMER_PROTOCOL) {
        if (p->protocol->timer)
            p->protocol->timer(p->protocol_state, p, ev->timer - TIMER_PROTOCOL);
    } else {
        p->carrier->event(p->carrier_state, ev);
    }
}

void node_event(void *node, const struct event *ev)
{
    struct party *p = &((struct node *)node)->p;
    switch (ev->kind) {
    case EV_START:
        p->start = p->began = p->env->now;
        p->carrier->event(p->carrier_state, ev);
        if (!p->protocol)
            break;
        if (!p->protocol->barrier)
            start_protocol(p);
        if (p->n_peers == 0)
            all_paired(p);
        break;
    case EV_GO:
        start_protocol(p);
        break;
    case EV_TIMER:
        on_timer(p, ev);
        break;
    case EV_UP:
    case EV_DATA:
    case EV_ROOM:
    case EV_DOWN:
        p->carrier->event(p->carrier_state, ev);
        break;
    }
}

/* A tag that is a peer's index and 1 is worth a look; what else it may be does no harm. */
void node_expect(const struct node *n, uint32_t tag, unsigned step)
{
    const struct party *p = &n->p;
    uint32_t i = p->n_peers == 1 ? 0 : tag - 1;
    if (i >= p->n_peers)
        return;
    if (p->n_peers > 1 && step < 2 && p->protocol->expect)
        p->protocol->expect(p->protocol_state, party_peer_ids(p)[i], step);
    if (step == 0) {
        fetch(&p->peers[i], 1);
        if (p->carrier->expect)
            p->carrier->expect(p->carrier_state, i);
    } else if (p->peers[i].channel && step == 1) {
        channel_expect(p->peers[i].channel);
    } else if (p->peers[i].channel) {
        channel_expect_kept(p->peers[i].channel);
    }
}

void node_foreign_recv(struct node *n, party_t from, struct label label, const uint8_t *data,
                       size_t len)
{
    struct party *p = &n->p;
    metrics_count(p->env->metrics, COUNT_DELIVERED, 1);
    p->protocol->recv(p->protocol_state, p, from, label, data, len);
}

/* ---- what the world asks -------------------------------------------------------------- */

struct outcome node_outcome(const struct node *n)
{
    const struct party *p = &n->p;
    return (struct outcome){
        .done = p->done && !p->failed,
        .result = p->failed ? NULL : p->result,
        .len = p->failed ? 0 : p->result_len,
        .failure = !p->failed   ? NULL
                   : p->failure ? p->failure
                                : "out of memory",
    };
}

ns_t node_completion(const struct node *n)
{
    return n->p.completion;
}

uint64_t node_useful_bytes(const struct node *n)
{
    return n->p.useful;
}

void node_waiting(const struct node *n, char *buf, size_t cap)
{
    const struct party *p = &n->p;
    size_t len = 0;
    char text[160];
    if (cap == 0)
        return;
    buf[0] = 0;
    if (p->failed || !p->protocol) {
        snprintf(buf, cap, "%s", p->failed && p->failure ? p->failure : "");
        return;
    }
    if (p->started && p->protocol->waiting)
        p->protocol->waiting(p->protocol_state, p, buf, cap);
    else if (!p->started)
        snprintf(buf, cap, "has not started: %u of %u channels were up", p->n_ever_up, p->n_peers);
    for (uint32_t i = 0; i < p->n_peers; i++) {
        const struct peer *peer = &p->peers[i];
        len = strlen(buf);
        if (peer->up || cap - len < 64)
            continue;
        snprintf(
            buf + len, cap - len, "%schannel to %s: %s", len ? "; " : "", party_name(p, peer->id),
            peer->channel ? channel_describe(peer->channel, text, sizeof text) : "never reached");
    }
}
