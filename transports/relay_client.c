#include "transports/relay_client_inner.h"

#include <stdlib.h>

enum { TIMER_STAGE, TIMER_ALIVE, PATIENCE = 3 /* keep-alives */ };

static void arm(struct relay_client *c, unsigned timer, ns_t at)
{
    c->setup.env->ops->arm(c->setup.env, c->setup.timer_base + timer, at);
}

/* ---- finding a home ------------------------------------------------------------------- */

static void stage(struct relay_client *c, enum relay_client_stage next, ns_t wait)
{
    c->stage = (uint8_t)next;
    c->at = c->setup.env->now + wait;
    if (next != RELAY_CLIENT_OPEN)
        arm(c, TIMER_STAGE, c->at);
}

static void dial_later(struct relay_client *c)
{
    ns_t wait = relay_backoff(relay_client_opts(c), &c->setup.env->rng, c->fails);
    c->fails++;
    stage(c, RELAY_CLIENT_IDLE, wait);
}

static bool dial_one(struct relay_client *c, struct relay_choice *r)
{
    struct env *env = c->setup.env;
    struct addr to = c->setup.roster->entries[r->id].addr;
    to.port = RELAY_PORT;
    return env->ops->open(env, LINK_MESSAGE, to, &r->link) == OK;
}

static void dial(struct relay_client *c)
{
    uint32_t one = c->fails, any = 0;
    if (relay_client_opts(c)->home == RELAY_HOME_HASH)
        one += (uint32_t)((c->setup.self * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    one %= c->n_relays;
    for (uint32_t i = 0; i < c->n_relays; i++)
        if (i == one || relay_client_opts(c)->home == RELAY_HOME_NEAREST)
            any += dial_one(c, &c->relays[i]);
    if (any)
        stage(c, RELAY_CLIENT_DIALING, relay_client_opts(c)->connect_limit);
    else
        dial_later(c);
}

/* Of the links being dialled, only `keep` (0: none) stays. True if any was there. */
static bool hang_up(struct relay_client *c, link_t keep)
{
    struct env *env = c->setup.env;
    bool any = false;
    for (uint32_t i = 0; i < c->n_relays; i++) {
        link_t link = c->relays[i].link;
        any |= link != 0;
        c->relays[i].link = 0;
        if (link && link != keep)
            env->ops->close(env, link);
    }
    return any;
}

/* The link to the home, or to all that were dialled, is gone or is to go. */
static void lose(struct relay_client *c, bool close, enum down_reason why)
{
    struct env *env = c->setup.env;
    if (c->stage == RELAY_CLIENT_OPEN && env->now - c->at >= relay_client_opts(c)->backoff_max)
        c->fails = 0;
    hang_up(c, 0);
    if (close && c->home.link)
        env->ops->close(env, c->home.link);
    noiselink_wipe(&c->home);
    c->full = c->pong = false;
    c->watched = c->n_blocked = 0;
    dial_later(c);
    for (uint32_t i = 0; i < c->setup.n_peers; i++) {
        bool was_up = c->peers[i].up;
        c->peers[i] = (struct relay_peer){0};
        if (was_up)
            c->setup.up->peer_down(c->setup.node, c->setup.peers[i], why);
    }
}

/* ---- events --------------------------------------------------------------------------- */

static void opened(struct relay_client *c)
{
    stage(c, RELAY_CLIENT_OPEN, 0);
    c->heard = c->said = c->setup.env->now;
    c->alive_at = c->setup.env->now + relay_client_opts(c)->keepalive;
    arm(c, TIMER_ALIVE, c->alive_at);
    relay_client_settle(c);
}

static void on_up(struct relay_client *c, link_t link)
{
    uint32_t i = 0;
    while (i < c->n_relays && c->relays[i].link != link)
        i++;
    if (c->stage != RELAY_CLIENT_DIALING || i == c->n_relays)
        return;
    hang_up(c, link);
    stage(c, RELAY_CLIENT_SHAKING, relay_client_opts(c)->connect_limit);
    if (noiselink_dial(&c->home, &c->self, link, c->relays[i].id, ++c->dials,
                       &c->relays[i].trusted) != OK) {
        relay_client_drop(c, DROP_TRANSPORT_AUTH);
        lose(c, true, DOWN_LOCAL);
    } else if (c->home.stage == NOISELINK_OPEN) {
        opened(c);
    }
}

static void on_data(struct relay_client *c, const struct event *ev)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    const uint8_t *plain;
    size_t len;
    int rc;
    if (!c->home.link || ev->link != c->home.link)
        return;
    rc = noiselink_read(&c->home, &c->self, ev->data, ev->len, buf, &plain, &len);
    if (rc != OK) {
        relay_client_drop(c, rc == ERR_FORMAT ? DROP_TRANSPORT_FORMAT : DROP_TRANSPORT_AUTH);
        lose(c, true, DOWN_LOCAL);
        return;
    }
    c->heard = c->setup.env->now;
    if (len)
        relay_client_frame(c, plain, len);
    else if (c->stage == RELAY_CLIENT_SHAKING && c->home.stage == NOISELINK_OPEN)
        opened(c);
}

static void on_down(struct relay_client *c, const struct event *ev)
{
    bool waiting = false;
    if (c->home.link && ev->link == c->home.link) {
        lose(c, false, ev->why);
        return;
    }
    if (c->stage != RELAY_CLIENT_DIALING)
        return;
    for (uint32_t i = 0; i < c->n_relays; i++) {
        if (c->relays[i].link == ev->link)
            c->relays[i].link = 0;
        waiting |= c->relays[i].link != 0;
    }
    if (!waiting)
        dial_later(c);
}

static void on_alive(struct relay_client *c)
{
    ns_t now = c->setup.env->now, keepalive = relay_client_opts(c)->keepalive;
    if (c->stage != RELAY_CLIENT_OPEN || now < c->alive_at)
        return;
    if (now - c->heard >= PATIENCE * keepalive) {
        lose(c, true, DOWN_TIMEOUT);
        return;
    }
    if (now - c->said >= keepalive || now - c->heard >= keepalive)
        relay_client_put(c, RELAY_PING);
    c->alive_at = now + keepalive;
    arm(c, TIMER_ALIVE, c->alive_at);
}

static void on_timer(struct relay_client *c, unsigned timer)
{
    if (timer == TIMER_ALIVE)
        on_alive(c);
    else if (c->setup.env->now < c->at || c->stage == RELAY_CLIENT_OPEN)
        return;
    else if (c->stage == RELAY_CLIENT_IDLE)
        dial(c);
    else
        lose(c, true, DOWN_TIMEOUT);
}

void relay_client_event(void *self, const struct event *ev)
{
    struct relay_client *c = self;
    switch (ev->kind) {
    case EV_START:
        dial(c);
        break;
    case EV_TIMER:
        on_timer(c, ev->timer - c->setup.timer_base);
        break;
    case EV_UP:
        on_up(c, ev->link);
        break;
    case EV_DATA:
        on_data(c, ev);
        break;
    case EV_ROOM:
        if (c->home.link && ev->link == c->home.link)
            relay_client_room(c);
        break;
    case EV_DOWN:
        on_down(c, ev);
        break;
    case EV_GO:
        break;
    }
}

int relay_client_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct relay_client *c = self;
    uint32_t n = 0;
    c->setup = *setup;
    c->self = (struct noiselink_self){.env = setup->env,
                                      .roster = setup->roster,
                                      .identity = setup->identity,
                                      .self = setup->self,
                                      .context = RELAY_CONTEXT};
    for (party_t i = roster_clients(setup->roster); i < setup->roster->n; i++)
        c->n_relays += relay_is(setup->roster, i);
    if (c->n_relays == 0)
        return err_set(e, ERR_INVALID, "the transport relay needs a service of role relay");
    c->relays = calloc(c->n_relays, sizeof *c->relays);
    c->peers = calloc(setup->n_peers ? setup->n_peers : 1, sizeof *c->peers);
    if (!c->relays || !c->peers)
        return err_set(e, ERR_NOMEM, "no memory for %u peers", setup->n_peers);
    for (party_t i = roster_clients(setup->roster); i < setup->roster->n; i++)
        if (relay_is(setup->roster, i))
            c->relays[n++].id = i;
    return OK;
}

void relay_client_free(void *self)
{
    struct relay_client *c = self;
    noiselink_wipe(&c->home);
    free(c->relays);
    free(c->peers);
}
