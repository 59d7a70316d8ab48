#include "transports/mesh.h"

#include "engine/base/bytes.h"
#include "engine/base/fetch.h"
#include "engine/base/slab.h"
#include "engine/metrics.h"

#include <assert.h>

#define STRANGER 0x80000000U /* marks a stranger's slot where else a peer's index is */
#define NONE STRANGERS_NONE

enum peer_stage {
    STAGE_IDLE,    /* no link; who calls, calls at `at` */
    STAGE_DIALING, /* until `at` */
    STAGE_HELLO,   /* the link is up but refused our hello or ring; until `at` */
    STAGE_RUNG,    /* it took our ring; until `at` */
    STAGE_UP       /* since `at` */
};

const char *const mesh_dial_choices[] = {"higher", "lower", NULL};

const struct opt mesh_opts[] = {MESH_OPTS, {0}};

static const struct mesh_opts *opts_of(const struct mesh *m)
{
    return m->setup.opts;
}

static bool dials(const struct mesh *m, uint32_t i)
{
    bool higher = m->setup.self > m->setup.peers[i];
    return higher == (opts_of(m)->dial == MESH_DIAL_HIGHER);
}

/* Do we dial or ring this peer? */
static bool calls(const struct mesh *m, uint32_t i)
{
    return dials(m, i) || m->peers[i].awaited;
}

/* The peer's index, or NONE. Where it most likely is, is what the caller needs next. */
static inline uint32_t index_of(const struct mesh *m, party_t id)
{
    uint32_t guess = m->setup.n_peers == 1 ? 0 : id < m->setup.self ? id : id - 1;
    return guess < m->setup.n_peers && m->peers[guess].id == id ? guess
                                                                : transport_peer(&m->setup, id);
}

static void drop(struct mesh *m, enum drop why)
{
    metrics_drop(m->setup.env->metrics, why);
}

static void arm(struct mesh *m, uint32_t timer, ns_t at)
{
    m->setup.env->ops->arm(m->setup.env, m->setup.timer_base + timer, at);
}

/* Whose link that is: its tag, less one. So 0, the tag of a link that came by itself, is NONE. */
static void tag(struct mesh *m, link_t link, uint32_t whose)
{
    m->setup.env->ops->tag(m->setup.env, link, whose + 1);
}

/* Without a network beneath, an address is only a name for a node: nothing is given away. */
static void show(struct mesh *m, uint32_t i, struct addr addr)
{
    if (m->kind != LINK_HANDOVER)
        m->setup.env->ops->show(
            m->setup.env,
            &(struct shown){.kind = SHOWN_ADDRESS, .whom = m->setup.peers[i], .addr = addr});
}

/* ---- dialing -------------------------------------------------------------------------- */

static void dial_later(struct mesh *m, uint32_t i)
{
    const struct mesh_opts *o = opts_of(m);
    struct mesh_peer *p = &m->peers[i];
    ns_t wait = o->backoff_min;
    for (unsigned k = 0; k < p->fails && wait < o->backoff_max; k++)
        wait *= 2;
    if (wait > o->backoff_max)
        wait = o->backoff_max;
    wait -= (ns_t)prng_below(&m->setup.env->rng, (uint64_t)wait / 2 + 1);
    if (p->fails < UINT8_MAX)
        p->fails++;
    p->at = m->setup.env->now + wait;
    arm(m, i, p->at);
}

static void dial(struct mesh *m, uint32_t i)
{
    struct env *env = m->setup.env;
    struct mesh_peer *p = &m->peers[i];
    struct addr to = m->setup.roster->entries[m->setup.peers[i]].addr;
    link_t link = 0;
    to.port = MESH_PORT;
    if (env->ops->open(env, m->kind, to, &link) != OK) {
        dial_later(m, i);
        return;
    }
    tag(m, link, i);
    p->link = link;
    p->stage = STAGE_DIALING;
    p->at = env->now + opts_of(m)->connect_limit;
    arm(m, i, p->at);
}

/* The peer's link is gone or is to go. */
static void lose(struct mesh *m, uint32_t i, bool close, enum down_reason why)
{
    struct env *env = m->setup.env;
    struct mesh_peer *p = &m->peers[i];
    bool was_up = p->stage == STAGE_UP;
    if (close)
        env->ops->close(env, p->link);
    p->link = 0;
    p->stage = STAGE_IDLE;
    if (was_up && env->now - p->at >= opts_of(m)->backoff_max)
        p->fails = 0;
    if (calls(m, i))
        dial_later(m, i);
    if (was_up)
        m->setup.up->peer_down(m->setup.node, m->setup.peers[i], why);
}

static void say_hello(struct mesh *m, uint32_t i)
{
    struct env *env = m->setup.env;
    struct mesh_peer *p = &m->peers[i];
    uint8_t frame[MESH_HELLO_SIZE];
    int rc;
    frame[0] = dials(m, i) ? MESH_HELLO : MESH_RING;
    frame[1] = MESH_VERSION;
    put_le32(frame + 2, m->setup.self);
    put_le32(frame + 6, m->setup.peers[i]);
    put_le32(frame + 10, env->incarnation);
    rc = env->ops->send(env, p->link, frame, sizeof frame);
    if (rc == ERR_AGAIN) {
        p->stage = STAGE_HELLO;
    } else if (rc != OK) {
        lose(m, i, true, DOWN_LOCAL);
    } else if (frame[0] == MESH_RING) {
        p->stage = STAGE_RUNG;
    } else {
        p->stage = STAGE_UP;
        p->at = env->now;
        m->setup.up->peer_up(m->setup.node, m->setup.peers[i], true);
    }
}

/* ---- being dialed ----------------------------------------------------------------------- */

static void stranger_close(struct mesh *m, uint32_t s, enum drop why)
{
    struct env *env = m->setup.env;
    env->ops->close(env, m->strangers.slots[s].link);
    strangers_remove(&m->strangers, s);
    drop(m, why);
}

static void strangers_watch(struct mesh *m)
{
    uint32_t oldest = m->strangers.oldest;
    m->watched = oldest != NONE;
    if (m->watched)
        arm(m, m->setup.n_peers, m->strangers.slots[oldest].until);
}

static void stranger_new(struct mesh *m, const struct event *ev)
{
    struct env *env = m->setup.env;
    uint32_t s;
    if (m->strangers.n == MESH_STRANGERS + m->setup.n_peers)
        stranger_close(m, m->strangers.oldest, DROP_TRANSPORT_STRANGER);
    s = strangers_add(&m->strangers, ev->link, ev->peer, env->now + MESH_HELLO_LIMIT);
    if (s == NONE) {
        env->ops->close(env, ev->link);
        drop(m, DROP_TRANSPORT_STRANGER);
        return;
    }
    tag(m, ev->link, STRANGER | s);
    if (!m->watched)
        strangers_watch(m);
}

static void strangers_expire(struct mesh *m)
{
    while (m->strangers.n && m->strangers.slots[m->strangers.oldest].until <= m->setup.env->now)
        stranger_close(m, m->strangers.oldest, DROP_TRANSPORT_STRANGER);
    strangers_watch(m);
}

/* A peer that we dial has restarted: does our link to it still live? */
static void answer_ring(struct mesh *m, uint32_t i)
{
    static const uint8_t ping[] = {MESH_PING};
    struct env *env = m->setup.env;
    if (m->peers[i].stage == STAGE_UP)
        env->ops->send(env, m->peers[i].link, ping,
                       sizeof ping); /* refused: other data will tell */
}

static void accept_peer(struct mesh *m, uint32_t i, const struct stranger *t, uint32_t incarnation)
{
    struct mesh_peer *p = &m->peers[i];
    p->awaited = false;
    if (p->stage != STAGE_IDLE)
        lose(m, i, true, incarnation == p->incarnation ? DOWN_CLOSED : DOWN_RESET);
    tag(m, t->link, i);
    *p = (struct mesh_peer){.at = m->setup.env->now,
                            .id = p->id,
                            .link = t->link,
                            .incarnation = incarnation,
                            .stage = STAGE_UP};
    show(m, i, t->addr);
    m->setup.up->peer_up(m->setup.node, m->setup.peers[i], false);
}

static void stranger_hello(struct mesh *m, uint32_t s, const uint8_t *data, size_t len)
{
    struct stranger t = m->strangers.slots[s];
    bool ring = data[0] == MESH_RING;
    uint32_t i;
    if (len != MESH_HELLO_SIZE || (!ring && data[0] != MESH_HELLO) || data[1] != MESH_VERSION) {
        stranger_close(m, s, DROP_TRANSPORT_FORMAT);
        return;
    }
    i = index_of(m, get_le32(data + 2));
    if (i == NONE || dials(m, i) != ring || get_le32(data + 6) != m->setup.self) {
        stranger_close(m, s, DROP_TRANSPORT_STRANGER);
        return;
    }
    strangers_remove(&m->strangers, s);
    if (ring) {
        m->setup.env->ops->close(m->setup.env, t.link);
        answer_ring(m, i);
    } else {
        accept_peer(m, i, &t, get_le32(data + 10));
    }
}

/* ---- events ----------------------------------------------------------------------------- */

static void on_start(struct mesh *m)
{
    for (uint32_t i = 0; i < m->setup.n_peers; i++)
        if (dials(m, i)) {
            dial(m, i);
        } else if (m->setup.env->incarnation > 0) {
            m->peers[i].awaited = true;
            m->peers[i].at = m->setup.env->now + opts_of(m)->backoff_max;
            arm(m, i, m->peers[i].at);
        }
}

static void on_timer(struct mesh *m, uint32_t timer)
{
    struct mesh_peer *p;
    if (timer == m->setup.n_peers) {
        strangers_expire(m);
        return;
    }
    assert(timer < m->setup.n_peers);
    p = &m->peers[timer];
    if (m->setup.env->now < p->at || p->stage == STAGE_UP || !calls(m, timer))
        return;
    if (p->stage == STAGE_IDLE)
        dial(m, timer);
    else
        lose(m, timer, true, DOWN_TIMEOUT);
}

static void on_data(struct mesh *m, const struct event *ev, uint32_t whose)
{
    const struct mesh_peer *p = &m->peers[whose];
    assert(p->link == ev->link);
    if (p->stage == STAGE_UP && ev->len > 1 && ev->data[0] == MESH_DATA)
        m->setup.up->deliver(m->setup.node, p->id, ev->data + 1, ev->len - 1);
    else if (ev->len != 1 || ev->data[0] != MESH_PING)
        drop(m, DROP_TRANSPORT_FORMAT);
}

static void on_room(struct mesh *m, uint32_t whose)
{
    if (m->peers[whose].stage == STAGE_HELLO)
        say_hello(m, whose);
    else if (m->peers[whose].stage == STAGE_UP)
        m->setup.up->room(m->setup.node, m->setup.peers[whose]);
}

static void on_peer(struct mesh *m, const struct event *ev, uint32_t whose)
{
    assert(m->peers[whose].link == ev->link);
    if (ev->kind == EV_UP) {
        show(m, whose, ev->peer);
        say_hello(m, whose);
    } else if (ev->kind == EV_ROOM) {
        on_room(m, whose);
    } else {
        lose(m, whose, false, ev->why);
    }
}

static void on_stranger(struct mesh *m, const struct event *ev, uint32_t s)
{
    assert(m->strangers.slots[s].link == ev->link);
    if (ev->kind == EV_DATA)
        stranger_hello(m, s, ev->data, ev->len);
    else if (ev->kind == EV_DOWN)
        strangers_remove(&m->strangers, s);
}

static __attribute__((noinline)) void on_rarer(struct mesh *m, const struct event *ev,
                                               uint32_t whose)
{
    if (whose < m->setup.n_peers)
        on_peer(m, ev, whose);
    else if (whose != NONE)
        on_stranger(m, ev, whose & ~STRANGER);
    else if (ev->kind == EV_UP && ev->link_kind == m->kind)
        stranger_new(m, ev);
    else if (ev->kind == EV_TIMER)
        on_timer(m, ev->timer - m->setup.timer_base);
    else if (ev->kind == EV_START)
        on_start(m);
}

void mesh_event(void *self, const struct event *ev)
{
    struct mesh *m = self;
    uint32_t whose = ev->tag - 1;
    if (ev->kind == EV_DATA && whose < m->setup.n_peers)
        on_data(m, ev, whose);
    else
        on_rarer(m, ev, whose);
}

void mesh_expect(const void *self, uint32_t peer)
{
    const struct mesh *m = self;
    fetch(&m->peers[peer], 1);
}

int mesh_send(void *self, party_t to, const void *data, size_t len)
{
    struct mesh *m = self;
    struct env *env = m->setup.env;
    uint32_t i = index_of(m, to);
    uint8_t frame[LINK_MESSAGE_MAX];
    if (i == NONE || m->peers[i].stage != STAGE_UP)
        return ERR_CLOSED;
    if (len == 0 || len > MESH_MESSAGE_MAX)
        return ERR_TOO_BIG;
    frame[0] = MESH_DATA;
    memcpy(frame + 1, data, len);
    return env->ops->send(env, m->peers[i].link, frame, len + 1);
}

int mesh_init(struct mesh *m, const struct transport_setup *setup, enum link_kind kind,
              struct err *e)
{
    const struct mesh_opts *o = setup->opts;
    if (o->backoff_min > o->backoff_max)
        return err_set(e, ERR_INVALID, "backoff_min is above backoff_max");
    if (setup->n_peers >= TRANSPORT_TIMERS)
        return err_set(e, ERR_LIMIT, "more than %d peers", TRANSPORT_TIMERS - 1);
    m->setup = *setup;
    m->kind = kind;
    strangers_init(&m->strangers);
    if (setup->n_peers == 0)
        return OK;
    m->peers = setup->n_peers == 1 ? &m->one
                                   : slab_lend(setup->env->slab, setup->n_peers * sizeof *m->peers);
    if (!m->peers)
        return err_set(e, ERR_NOMEM, "no memory for %u peers", setup->n_peers);
    for (uint32_t i = 0; i < setup->n_peers; i++)
        m->peers[i] = (struct mesh_peer){.id = setup->peers[i]};
    return OK;
}

void mesh_free(void *self)
{
    struct mesh *m = self;
    if (m->peers != &m->one)
        slab_back(m->setup.env->slab, m->peers, m->setup.n_peers * sizeof *m->peers);
    strangers_free(&m->strangers);
}
