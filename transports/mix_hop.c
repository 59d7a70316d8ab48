/* A mix: it unwraps, refuses what it has seen, holds what its strategy holds, passes on. */
#include "engine/base/bytes.h"
#include "transports/mix_directory.h"
#include "transports/mix_hop.h"
#include "transports/mix_pool.h"
#include "transports/mix_sched.h"
#include "transports/mix_tags.h"

#include <stdlib.h>

enum { TIMER_LEAVE, TIMER_TICK, TIMER_LOOP, TIMER_LINKS };

struct mix_mix {
    struct mix_net net;
    struct mix_links links;
    struct mix_ring ring;
    struct mix_fetch fetch;
    struct mix_tags tags;
    struct mix_pool pool;
    ns_t armed; /* TIMER_LEAVE */
};

int mix_hop_open(const struct mix_net *net, const struct mix_ring *ring, struct mix_tags *tags,
                 uint8_t *frame, size_t len, struct mix_hop_view *v)
{
    const uint8_t *secret;
    int rc;
    if (len != mix_frame_size(net) || frame[0] != MIX_PACKET) {
        mix_drop(net, DROP_TRANSPORT_FORMAT);
        return ERR_FORMAT;
    }
    secret = mix_ring_secret(ring, net, get_le32(frame + 1));
    if (!secret) {
        mix_drop(net, DROP_MIX_EPOCH);
        return ERR_ABSENT;
    }
    rc = mix_packet_unwrap(net, secret, frame, v);
    if (rc == OK)
        rc = mix_tags_add(tags, v->tag);
    if (rc != OK)
        mix_drop(net, rc == ERR_REPLAY ? DROP_MIX_REPLAY : DROP_MIX_AUTH);
    return rc;
}

static void arm_leave(struct mix_mix *m)
{
    ns_t due = mix_pool_due(&m->pool);
    if (due == NS_NEVER || due >= m->armed)
        return;
    m->armed = due;
    mix_arm(&m->net, TIMER_LEAVE, due);
}

static void leave(struct mix_mix *m)
{
    struct env *env = m->net.setup.env;
    struct mix_held h;
    while (mix_pool_take(&m->pool, env->now, &env->rng, &h)) {
        mix_truth_again(env, &h.truth);
        mix_links_send(&m->links, h.next, MIX_PORT, h.frame, mix_frame_size(&m->net));
        free(h.frame);
    }
    arm_leave(m);
}

/* What who runs this mix can read of the packet in hand. */
static void show_route(const struct mix_mix *m, const struct mix_hop_view *v)
{
    const struct mix_strategy *s = m->pool.strategy;
    struct env *env = m->net.setup.env;
    if (env->truth)
        env_show(env, &(struct shown){.kind = SHOWN_ROUTE,
                                      .whom = PARTY_NONE,
                                      .other = v->next,
                                      .delay = s->hold ? s->hold(m->net.opts, v->delay) : 0});
}

static void on_packet(struct mix_mix *m, const struct event *ev)
{
    size_t len = mix_frame_size(&m->net);
    struct mix_hop_view v;
    uint8_t *frame;
    if (ev->len != len) {
        mix_drop(&m->net, DROP_TRANSPORT_FORMAT);
        return;
    }
    frame = malloc(len);
    if (!frame)
        return;
    memcpy(frame, ev->data, len);
    if (mix_hop_open(&m->net, &m->ring, &m->tags, frame, len, &v) != OK) {
        free(frame);
        return;
    }
    if (v.next == PARTY_NONE) { /* a loop of its own, or a sender's folly: it ends here */
        free(frame);
        return;
    }
    if (mix_net_index(&m->net, v.next) == UINT32_MAX || v.next == m->net.setup.self) {
        mix_drop(&m->net, DROP_MIX_ROUTE);
        free(frame);
        return;
    }
    show_route(m, &v);
    if (mix_pool_add(&m->pool, m->net.setup.env->now, v.delay, v.next, frame) != OK) {
        mix_drop(&m->net, DROP_MIX_FULL);
        free(frame);
        return;
    }
    leave(m);
}

/* Cover of its own: a packet like any other, over a provider back to itself. */
static void loop(struct mix_mix *m)
{
    struct env *env = m->net.setup.env;
    uint8_t payload[MIX_PAYLOAD_HEAD] = {MIX_LOOP}, *frame = malloc(mix_frame_size(&m->net));
    party_t route[SPHINX_HOPS_MAX];
    party_t by = (party_t)prng_below(&env->rng, m->net.n_providers);
    unsigned n = mix_net_route(&m->net, by, &env->rng, route);
    ns_t delay;
    put_le32(payload + 1, m->net.setup.self);
    env_truth(env, TRUTH_MIX_LOOP, m->net.setup.self, m->net.setup.self, 0);
    if (n)
        route[n - 1] = m->net.setup.self;
    if (frame && n &&
        mix_packet_make(&m->net, route, n, payload, sizeof payload, frame, &delay) == OK)
        mix_links_send(&m->links, route[0], MIX_PORT, frame, mix_frame_size(&m->net));
    free(frame);
    mix_arm(&m->net, TIMER_LOOP,
            env->now +
                mix_sched_gap(m->net.opts->mix_loop_every, m->net.opts->constant, &env->rng));
}

static void on_timer(struct mix_mix *m, unsigned timer)
{
    if (timer == TIMER_LEAVE) {
        if (m->net.setup.env->now < m->armed)
            return; /* an earlier one took its place */
        m->armed = NS_NEVER;
        leave(m);
    } else if (timer == TIMER_TICK) {
        mix_arm(&m->net, TIMER_TICK, m->net.setup.env->now + m->net.opts->interval);
        mix_pool_tick(&m->pool);
        leave(m);
    } else if (timer == TIMER_LOOP) {
        loop(m);
    }
}

void mix_hop_event(void *self, const struct event *ev)
{
    struct mix_mix *m = *(struct mix_mix **)self;
    enum mix_happened what;
    party_t whose;
    if (mix_links_event(&m->links, ev, &what, &whose)) {
        if (whose == m->net.directory && what != MIX_NOTHING)
            mix_fetch_event(&m->fetch, what, ev);
        return;
    }
    if (ev->kind == EV_START) {
        mix_fetch_start(&m->fetch);
        if (m->pool.strategy->ticks)
            mix_arm(&m->net, TIMER_TICK, m->net.setup.env->now + m->net.opts->interval);
        if (m->net.opts->mix_loop_every && m->net.n_providers)
            mix_arm(&m->net, TIMER_LOOP,
                    m->net.setup.env->now + mix_sched_gap(m->net.opts->mix_loop_every,
                                                          m->net.opts->constant,
                                                          &m->net.setup.env->rng));
    } else if (ev->kind == EV_TIMER) {
        on_timer(m, ev->timer - m->net.setup.timer_base);
    } else if (ev->kind == EV_DATA) {
        on_packet(m, ev);
    }
}

int mix_hop_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct mix_mix *m = calloc(1, sizeof *m);
    int rc;
    if (!m)
        return err_set(e, ERR_NOMEM, "no memory for a mix");
    *(struct mix_mix **)self = m;
    rc = mix_net_init(&m->net, setup, e);
    if (rc == OK && mix_links_init(&m->links, &m->net, TIMER_LINKS) != OK)
        rc = err_set(e, ERR_NOMEM, "no memory for a mix's links");
    if (rc != OK) {
        mix_hop_free(self);
        return rc;
    }
    mix_tags_init(&m->tags, (uint32_t)m->net.opts->tags);
    mix_pool_init(&m->pool, m->net.opts);
    m->pool.env = setup->env;
    m->armed = NS_NEVER;
    m->fetch = (struct mix_fetch){.net = &m->net, .links = &m->links, .ring = &m->ring};
    return OK;
}

void mix_hop_free(void *self)
{
    struct mix_mix *m = *(struct mix_mix **)self;
    if (!m)
        return;
    mix_pool_free(&m->pool);
    mix_tags_free(&m->tags);
    mix_links_free(&m->links);
    mix_ring_wipe(&m->ring);
    mix_net_free(&m->net);
    free(m);
    *(struct mix_mix **)self = NULL;
}
