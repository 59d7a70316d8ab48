/* A party's side, and a user's, who has no peers: one link to its provider, one reliable session
 * with each peer, each datagram of it in a packet with a route of its own. Lost packets (a mix that
 * crashed, a mailbox lost) are sent again by the session, over other routes.
 *
 * A peer is up when its session is: it has answered through the network. */
#include "engine/base/bytes.h"
#include "transports/mix_directory.h"
#include "transports/mix_packet.h"
#include "transports/mix_pool.h"
#include "transports/mix_sched.h"
#include "transports/reliable.h"

#include <sodium.h>
#include <stdlib.h>

enum { TIMER_SCHED, TIMER_POLL, TIMER_LINKS, OUT_MOST = 128, WINDOW = 8 << 20 };

struct pair {
    struct mix_client *c;
    party_t peer;
    bool up, blocked; /* blocked: its last send was refused because the schedule was full */
    struct reliable r;
};

struct mix_client {
    struct mix_net net;
    struct mix_links links;
    struct mix_fetch fetch;
    struct mix_sched sched;
    party_t provider;
    bool said_hello, began;
    ns_t armed; /* TIMER_SCHED */
    uint64_t serial;
    struct pair *pairs;
    uint32_t n_pairs, n_blocked;
};

/* ---- packets out ------------------------------------------------------------------------ */

static const enum truth_kind kinds[] = {
    [MIX_DATA] = TRUTH_REAL, [MIX_LOOP] = TRUTH_COVER_LOOP, [MIX_DROP] = TRUTH_COVER_DROP};

static void emit(struct mix_client *c, enum mix_payload kind, party_t to, const uint8_t *datagram,
                 size_t len)
{
    struct env *env = c->net.setup.env;
    uint8_t message[SPHINX_PAYLOAD_MAX], frame[MIX_FRAME_MAX];
    party_t route[SPHINX_HOPS_MAX];
    unsigned n = mix_net_route(&c->net, to, &env->rng, route);
    ns_t delay;
    env_truth(env, kinds[kind], c->net.setup.self, to, ++c->serial);
    message[0] = (uint8_t)kind;
    put_le32(message + 1, c->net.setup.self);
    put_le64(message + 5, (uint64_t)(env->now + env->spent));
    if (len)
        memcpy(message + MIX_PAYLOAD_HEAD, datagram, len);
    if (n == 0 ||
        mix_packet_make(&c->net, route, n, message, MIX_PAYLOAD_HEAD + len, frame, &delay) != OK) {
        mix_drop(&c->net, DROP_MIX_ROUTE);
        return;
    }
    mix_links_send(&c->links, c->provider, MIX_CLIENT_PORT, frame, mix_frame_size(&c->net));
}

static void arm_sched(struct mix_client *c)
{
    ns_t due = mix_sched_due(&c->sched);
    if (due == NS_NEVER || due >= c->armed)
        return;
    c->armed = due;
    mix_arm(&c->net, TIMER_SCHED, due);
}

static void tell_room(struct mix_client *c)
{
    for (uint32_t i = 0; i < c->n_pairs && c->n_blocked && !mix_sched_full(&c->sched); i++)
        if (c->pairs[i].blocked) {
            c->pairs[i].blocked = false;
            c->n_blocked--;
            if (c->pairs[i].up)
                c->net.setup.up->room(c->net.setup.node, c->pairs[i].peer);
        }
}

static void run_sched(struct mix_client *c)
{
    struct env *env = c->net.setup.env;
    struct mix_emission e;
    c->armed = NS_NEVER;
    while (mix_sched_take(&c->sched, env->now, &env->rng, &e)) {
        if (!c->said_hello && e.kind != MIX_DATA)
            continue;
        if (e.kind == MIX_LOOP)
            e.to = c->net.setup.self;
        else if (e.kind == MIX_DROP)
            e.to = mix_net_client_id(&c->net,
                                     (uint32_t)prng_below(&env->rng, mix_net_clients(&c->net)));
        emit(c, e.kind, e.to, e.datagram, e.len);
        free(e.own);
    }
    arm_sched(c);
    if (c->n_blocked)
        tell_room(c);
}

/* ---- sessions --------------------------------------------------------------------------- */

static void on_output(void *ctx, const uint8_t *datagram, size_t len)
{
    struct pair *p = ctx;
    struct mix_client *c = p->c;
    if (!mix_sched_waits(&c->sched) &&
        mix_links_waiting(&c->links, c->provider) >= OUT_MOST) /* the session is too fast */
        mix_drop(&c->net, DROP_MIX_FULL);
    else if (!mix_sched_waits(&c->sched))
        emit(c, MIX_DATA, p->peer, datagram, len);
    else if (mix_sched_put(&c->sched, p->peer, datagram, len) != OK)
        mix_drop(&c->net, DROP_MIX_FULL);
}

static void on_deliver(void *ctx, const uint8_t *message, size_t len)
{
    struct pair *p = ctx;
    p->c->net.setup.up->deliver(p->c->net.setup.node, p->peer, message, len);
}

static void on_peer_up(void *ctx)
{
    struct pair *p = ctx;
    const struct transport_setup *s = &p->c->net.setup;
    p->up = true;
    s->up->peer_up(s->node, p->peer, s->self > p->peer);
}

static void on_peer_down(void *ctx, enum down_reason why)
{
    struct pair *p = ctx;
    const struct transport_setup *s = &p->c->net.setup;
    p->up = false;
    if (why != DOWN_RESET)
        reliable_open(&p->r, s->env->now, prng_u64(&s->env->rng));
    s->up->peer_down(s->node, p->peer, why);
}

static void on_room(void *ctx)
{
    struct pair *p = ctx;
    p->c->net.setup.up->room(p->c->net.setup.node, p->peer);
}

static void on_wake(void *ctx, ns_t at)
{
    struct pair *p = ctx;
    struct mix_client *c = p->c;
    mix_arm(&c->net, TIMER_LINKS + c->links.n + (uint32_t)(p - c->pairs), at);
}

static const struct reliable_ops session_ops = {
    .output = on_output,
    .deliver = on_deliver,
    .up = on_peer_up,
    .down = on_peer_down,
    .room = on_room,
    .wake = on_wake,
};

/* A round trip is two ways of `layers` exponential delays, or of as many batches. */
static struct reliable_setup session_setup(const struct mix_net *n, struct pair *p)
{
    struct reliable_setup s;
    const struct mix_opts *o = n->opts;
    size_t room = mix_room(n);
    ns_t way = o->layers * (mix_strategies[o->strategy]->hold ? o->mean_delay : o->interval);
    reliable_defaults(&s, &session_ops, p);
    s.datagram_max = room < RELIABLE_DATAGRAM_MAX ? room : RELIABLE_DATAGRAM_MAX;
    s.message_max = MIX_MESSAGE_MAX;
    s.queue = s.window = WINDOW;
    s.segments = 4096;
    s.initial_window = 32;
    s.reorder = s.segments; /* order says nothing here */
    s.disorder = 4 * way;
    s.ack_every = 8;
    s.ack_delay = 20 * NS_MS;
    s.rto_first = NS_S + 4 * way + 2 * (o->poll + o->payload_every);
    s.rto_min = 200 * NS_MS + 4 * way;
    s.rto_max = 10 * NS_S + 8 * way;
    s.ping_every = 60 * NS_S;
    s.silence = 60 * NS_S + 16 * way + MIX_SCHED_MOST * o->payload_every;
    s.pace = true;
    return s;
}

static struct pair *pair_of(struct mix_client *c, party_t id)
{
    uint32_t i = transport_peer(&c->net.setup, id);
    return i < c->n_pairs ? &c->pairs[i] : NULL;
}

/* The provider has us and there is a route: sessions may begin. */
static void begin(struct mix_client *c)
{
    struct env *env = c->net.setup.env;
    party_t route[SPHINX_HOPS_MAX];
    if (c->began || !c->said_hello || !mix_net_route(&c->net, c->net.setup.self, &env->rng, route))
        return;
    c->began = true;
    mix_sched_start(&c->sched, env->now, &env->rng);
    arm_sched(c);
    for (uint32_t i = 0; i < c->n_pairs; i++)
        reliable_open(&c->pairs[i].r, env->now, prng_u64(&env->rng));
}

/* ---- packets in ------------------------------------------------------------------------- */

static void on_datagram(struct mix_client *c, party_t from, const uint8_t *data, size_t len)
{
    struct pair *p = pair_of(c, from);
    int rc;
    if (!p || !c->began) {
        mix_drop(&c->net, DROP_TRANSPORT_STRANGER);
        return;
    }
    rc = reliable_input(&p->r, c->net.setup.env->now, data, len);
    if (rc != OK)
        mix_drop(&c->net, rc == ERR_FORMAT ? DROP_TRANSPORT_FORMAT : DROP_TRANSPORT_STRANGER);
}

static void on_packet(struct mix_client *c, const struct event *ev)
{
    const struct transport_setup *s = &c->net.setup;
    struct mix_hop_view v;
    const uint8_t *message;
    uint8_t frame[MIX_FRAME_MAX];
    size_t len;
    if (ev->len != mix_frame_size(&c->net) || ev->data[0] != MIX_PACKET) {
        mix_drop(&c->net, DROP_TRANSPORT_FORMAT);
        return;
    }
    memcpy(frame, ev->data, ev->len);
    if (mix_packet_unwrap(&c->net, c->net.open ? NULL : s->identity->x25519_secret, frame, &v) !=
            OK ||
        v.next != PARTY_NONE) {
        mix_drop(&c->net, DROP_MIX_AUTH);
        return;
    }
    if (mix_packet_message(&c->net, frame, &message, &len) != OK || len < MIX_PAYLOAD_HEAD) {
        mix_drop(&c->net, DROP_MIX_BODY);
        return;
    }
    if (s->shared_clock)
        metrics_add(s->env->metrics, METRIC_PACKET, s->env->now - (ns_t)get_le64(message + 5));
    if (message[0] == MIX_DATA)
        on_datagram(c, get_le32(message + 1), message + MIX_PAYLOAD_HEAD, len - MIX_PAYLOAD_HEAD);
}

static void on_challenge(struct mix_client *c, const struct event *ev)
{
    const struct transport_setup *s = &c->net.setup;
    uint8_t frame[MIX_HELLO_SIZE] = {MIX_HELLO, MIX_VERSION}, said[MIX_NONCE + 4];
    if (ev->len != 1 + MIX_NONCE) {
        mix_drop(&c->net, DROP_TRANSPORT_FORMAT);
        return;
    }
    put_le32(frame + 2, s->self);
    memcpy(said, ev->data + 1, MIX_NONCE);
    put_le32(said + MIX_NONCE, c->provider);
    env_charge(s->env, COST_ED25519_SIGN, 1);
    if (!c->net.open)
        identity_sign(s->identity, "partyline mix client", said, sizeof said, frame + 6);
    mix_links_greet(&c->links, c->provider, frame, sizeof frame);
    c->said_hello = true;
    begin(c);
}

static void on_provider(struct mix_client *c, enum mix_happened what, const struct event *ev)
{
    if (what == MIX_DOWN)
        c->said_hello = false;
    else if (what == MIX_FRAME && ev->data[0] == MIX_CHALLENGE && !c->said_hello)
        on_challenge(c, ev);
    else if (what == MIX_FRAME)
        on_packet(c, ev);
}

/* ---- events ----------------------------------------------------------------------------- */

static void on_start(struct mix_client *c)
{
    c->provider = mix_net_provider(&c->net, c->net.setup.self);
    if (c->provider == PARTY_NONE)
        return;
    mix_links_keep(&c->links, c->provider, MIX_CLIENT_PORT, true);
    mix_fetch_start(&c->fetch);
    if (c->net.opts->poll)
        mix_arm(&c->net, TIMER_POLL, c->net.setup.env->now + c->net.opts->poll);
}

static void on_timer(struct mix_client *c, uint32_t timer)
{
    static const uint8_t pull[] = {MIX_PULL};
    struct env *env = c->net.setup.env;
    uint32_t i = timer - TIMER_LINKS - c->links.n;
    if (timer == TIMER_SCHED) {
        run_sched(c);
    } else if (timer == TIMER_POLL) {
        mix_arm(&c->net, TIMER_POLL, env->now + c->net.opts->poll);
        if (c->said_hello)
            mix_links_send(&c->links, c->provider, MIX_CLIENT_PORT, pull, sizeof pull);
    } else if (i < c->n_pairs && c->began) {
        reliable_tick(&c->pairs[i].r, env->now);
    }
}

void mix_client_event(void *self, const struct event *ev)
{
    struct mix_client *c = *(struct mix_client **)self;
    enum mix_happened what;
    party_t whose;
    if (mix_links_event(&c->links, ev, &what, &whose)) {
        if (what == MIX_NOTHING)
            return;
        if (whose == c->provider)
            on_provider(c, what, ev);
        else if (mix_fetch_event(&c->fetch, what, ev))
            begin(c);
    } else if (ev->kind == EV_START) {
        on_start(c);
    } else if (ev->kind == EV_TIMER) {
        on_timer(c, ev->timer - c->net.setup.timer_base);
    }
}

int mix_client_send(void *self, party_t to, const void *data, size_t len)
{
    struct mix_client *c = *(struct mix_client **)self;
    struct pair *p = pair_of(c, to);
    if (!p || !p->up)
        return ERR_CLOSED;
    if (mix_sched_waits(&c->sched) && mix_sched_full(&c->sched)) {
        c->n_blocked += !p->blocked;
        p->blocked = true;
        metrics_count(c->net.setup.env->metrics, COUNT_SATURATED, 1);
        return ERR_AGAIN;
    }
    return reliable_send(&p->r, c->net.setup.env->now, data, len);
}

static int make_pairs(struct mix_client *c, struct err *e)
{
    const struct transport_setup *s = &c->net.setup;
    int rc = OK;
    c->pairs = calloc(s->n_peers + (size_t)1, sizeof *c->pairs);
    if (!c->pairs)
        return err_set(e, ERR_NOMEM, "no memory for %u peers", s->n_peers);
    for (; c->n_pairs < s->n_peers && rc == OK; c->n_pairs++) {
        struct pair *p = &c->pairs[c->n_pairs];
        struct reliable_setup setup = session_setup(&c->net, p);
        p->c = c;
        p->peer = s->peers[c->n_pairs];
        rc = reliable_init(&p->r, &setup, e);
    }
    return rc;
}

int mix_client_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct mix_client *c = calloc(1, sizeof *c);
    int rc;
    if (!c)
        return err_set(e, ERR_NOMEM, "no memory for a mix client");
    *(struct mix_client **)self = c;
    c->armed = NS_NEVER;
    rc = mix_net_init(&c->net, setup, e);
    if (rc == OK && mix_links_init(&c->links, &c->net, TIMER_LINKS) != OK)
        rc = err_set(e, ERR_NOMEM, "no memory for a mix client");
    if (rc == OK)
        rc = make_pairs(c, e);
    c->fetch = (struct mix_fetch){.net = &c->net, .links = &c->links};
    mix_sched_init(&c->sched, setup->opts);
    if (rc != OK)
        mix_client_free(self);
    return rc;
}

void mix_client_free(void *self)
{
    struct mix_client *c = *(struct mix_client **)self;
    if (!c)
        return;
    for (uint32_t i = 0; i < c->n_pairs; i++)
        reliable_free(&c->pairs[i].r);
    free(c->pairs);
    mix_sched_free(&c->sched);
    mix_links_free(&c->links);
    mix_net_free(&c->net);
    free(c);
    *(struct mix_client **)self = NULL;
}
