#include "engine/node.h"

#include "engine/base/bytes.h"
#include "engine/base/fetch.h"
#include "engine/base/slab.h"
#include "engine/party.h"

#include <stdio.h>
#include <stdlib.h>

struct node {
    struct party p;
};

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

static const struct channel_up channel_up = {
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

static const struct transport_up transport_up = {
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

static void node_event(void *node, const struct event *ev)
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

/* ---- making and ending ---------------------------------------------------------------- */

static const struct transport_role *carrier_role(const struct trial_spec *t, uint32_t self)
{
    const char *name = t->roster->entries[self].role;
    if (self >= t->roster->n_parties)
        for (const struct transport_role *r = t->transport->roles; r->size; r++)
            if (r->name && strcmp(r->name, name) == 0)
                return r;
    return &t->transport->roles[0];
}

const struct accept *node_accepts(const struct trial_spec *t, uint32_t self)
{
    const struct transport_role *r = carrier_role(t, self);
    return r->accepts_with ? r->accepts_with(t->transport_opts) : r->accepts;
}

/* Does a node of this role talk to this one? */
static bool paired(const struct party *p, const char *mine, const char *role)
{
    return party_role(p->protocol, role) &&
           (!p->protocol->pairs || p->protocol->pairs(p->trial->protocol_opts, mine, role));
}

static bool is_foreign(const struct party *p, party_t id)
{
    return p->foreign && p->foreign->who[id];
}

/* Counts this party's peers, and notes them once there is room for them. */
static uint32_t find_peers(struct party *p, const struct crowds *crowds)
{
    const char *mine = p->trial->roster->entries[p->self].role;
    uint32_t n = 0;
    for (uint32_t i = 0; i < crowds->n; i++) {
        const struct crowd *c = &crowds->list[i];
        bool here = p->self - c->first < c->n;
        if (!paired(p, mine, c->role))
            continue;
        for (party_t id = c->first; p->peers && id - c->first < c->n; id++)
            if (id != p->self && !is_foreign(p, id)) {
                party_peer_ids(p)[n] = id;
                p->peers[n++].id = id;
            }
        n += p->peers ? 0 : c->n - here;
        for (party_t id = c->first; p->foreign && !p->peers && id - c->first < c->n; id++)
            n -= id != p->self && is_foreign(p, id);
    }
    return n;
}

/* A node is one piece of memory: itself, its plugins' states, its peers. */
static struct node *lay_out(const struct trial_spec *t, const struct node_config *config,
                            const struct env *env)
{
    enum { LINE = 64, WORD = sizeof(struct peer *) };
    struct party head = {.trial = t,
                         .self = config->self,
                         .carrier = carrier_role(t, config->self),
                         .foreign = config->foreign};
    size_t carrier, protocol, peers, end;
    struct node *n;
    if (head.carrier->send)
        head.protocol = t->protocol;
    head.n_peers = head.protocol ? find_peers(&head, config->crowds) : 0;
    carrier = (sizeof *n + 15) / 16 * 16;
    protocol = carrier + (head.carrier->size + 15) / 16 * 16;
    peers = protocol + (head.protocol ? head.protocol->size : 0) + head.n_peers * sizeof(party_t);
    peers = (peers + WORD - 1) / WORD * WORD;
    end = (peers + head.n_peers * sizeof *head.peers + LINE - 1) / LINE * LINE;
    n = end <= UINT32_MAX ? slab_lend(env->slab, end) : NULL;
    if (!n)
        return NULL;
    memset(n, 0, end);
    n->p = head;
    n->p.size = (uint32_t)end;
    n->p.carrier_state = (uint8_t *)n + carrier;
    n->p.protocol_state = (uint8_t *)n + protocol;
    if (head.n_peers) {
        n->p.peers = (void *)((uint8_t *)n + peers);
        find_peers(&n->p, config->crowds);
    }
    return n;
}

static int init_plugins(struct party *p, struct err *e)
{
    const struct trial_spec *t = p->trial;
    struct transport_setup setup = {.env = p->env,
                                    .roster = t->roster,
                                    .self = p->self,
                                    .peers = party_peer_ids(p),
                                    .n_peers = p->n_peers,
                                    .opts = t->transport_opts,
                                    .identity = p->shared.identity,
                                    .modelled = t->modelled,
                                    .shared_clock = p->shared_clock,
                                    .timer_base = TIMER_TRANSPORT,
                                    .up = &transport_up,
                                    .node = p};
    struct input none = {0};
    int rc = p->carrier->init(p->carrier_state, &setup, e);
    p->carrier_made = rc == OK;
    if (rc == OK && p->protocol) {
        rc = p->protocol->init(p->protocol_state, p, t->plan,
                               p->self < t->roster->n_parties ? &t->inputs[p->self] : &none, e);
        p->protocol_made = rc == OK;
    }
    return rc;
}

int node_new(struct node **out, const struct node_config *config, struct env *env, struct err *e)
{
    const struct trial_spec *t = config->trial;
    struct node *n = lay_out(t, config, env);
    struct party *p;
    int rc;
    if (!n)
        return err_set(e, ERR_NOMEM, "no memory for a node");
    p = &n->p;
    p->env = env;
    p->shared_clock = config->shared_clock;
    p->completion = -1;
    p->trace = config->trace;
    p->shared = (struct channel_node){
        .env = env,
        .roster = t->roster,
        .self = p->self,
        .identity = config->identity,
        .mode = t->channel,
        .scenario_digest = t->scenario_digest,
        .program = p->self < t->roster->n_parties ? t->programs[p->self]
                   : p->protocol                  ? t->service_program
                                                  : "",
        .max_frame = t->transport->max_message,
        .pool_cap = CHANNEL_POOL_DEFAULT,
        .up = &channel_up,
        .node = p,
    };
    rc = init_plugins(p, e);
    if (rc != OK) {
        node_free(n);
        return rc;
    }
    env->event = node_event;
    env->node = n;
    *out = n;
    return OK;
}

void node_free(struct node *n)
{
    struct party *p;
    if (!n)
        return;
    p = &n->p;
    for (uint32_t i = 0; i < p->n_peers; i++)
        if (p->peers[i].channel)
            channel_free(p->peers[i].channel);
    if (p->protocol_made && p->protocol->free)
        p->protocol->free(p->protocol_state);
    if (p->carrier_made && p->carrier->free)
        p->carrier->free(p->carrier_state);
    if (p->failed)
        free(p->failure);
    else
        slab_back(p->env->slab, p->result, p->result_len + 1);
    slab_back(p->env->slab, n, p->size);
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
