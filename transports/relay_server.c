#include "transports/relay_server.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "engine/base/bytes.h"

#define NONE STRANGERS_NONE

/* ---- links ---------------------------------------------------------------------------- */

static void neighbour_later(struct relay_server *s, uint32_t k)
{
    struct relay_neighbour *n = &s->neighbours[k];
    n->dialling = 0;
    n->at = s->setup.env->now + relay_backoff(relay_opts_of(s), &s->setup.env->rng, n->fails++);
    relay_arm(s, RELAY_TIMER_PEERS + k, n->at);
}

static uint32_t neighbour_of(const struct relay_server *s, party_t id)
{
    uint32_t k = 0;
    while (k < s->n_neighbours && s->neighbours[k].id != id)
        k++;
    return k;
}

/* We dial those whose ids are lower. */
static bool dials(const struct relay_server *s, party_t id)
{
    return id < s->setup.self;
}

/* A link ends; `close`: by us. */
static void end(struct relay_server *s, struct relay_out *out, bool close)
{
    party_t who = out->link.peer;
    bool mine = who < s->setup.roster->n && s->stations[who].out == out, dialled = out->dialled;
    if (close)
        s->setup.env->ops->close(s->setup.env, out->link.link);
    relay_out_free(s, out);
    if (mine && who < roster_clients(s->setup.roster))
        relay_party_left(s, who, false);
    else if (mine)
        relay_neighbour_left(s, who);
    if (dialled)
        neighbour_later(s, neighbour_of(s, who));
}

static void refuse(struct relay_server *s, struct relay_out *out, enum drop why)
{
    relay_drop(s, why);
    end(s, out, true);
}

/* ---- strangers ------------------------------------------------------------------------ */

static void watch_strangers(struct relay_server *s)
{
    uint32_t oldest = s->strangers.oldest;
    s->watched = oldest != NONE;
    if (s->watched)
        relay_arm(s, RELAY_TIMER_STRANGERS, s->strangers.slots[oldest].until);
}

static struct relay_out *oldest_stranger(const struct relay_server *s)
{
    return s->outs[s->strangers.slots[s->strangers.oldest].mark];
}

static void on_strangers(struct relay_server *s)
{
    while (s->strangers.n && s->strangers.slots[s->strangers.oldest].until <= s->setup.env->now)
        refuse(s, oldest_stranger(s), DROP_TRANSPORT_STRANGER);
    watch_strangers(s);
}

static void stranger_new(struct relay_server *s, const struct event *ev)
{
    struct env *env = s->setup.env;
    struct relay_out *out = NULL;
    bool many = relay_out_crowded(s, &ev->peer);
    if (!many && s->strangers.n >= relay_opts_of(s)->strangers)
        refuse(s, oldest_stranger(s), DROP_TRANSPORT_STRANGER);
    if (!many)
        out = relay_out_new(s, ev->link, ev->peer);
    if (!out) {
        relay_drop(s, DROP_RELAY_LIMIT);
        env->ops->close(env, ev->link);
        return;
    }
    noiselink_accept(&out->link, ev->link);
    out->stranger = strangers_add(&s->strangers, ev->link, ev->peer, env->now + RELAY_PROOF_LIMIT);
    if (out->stranger == NONE) {
        refuse(s, out, DROP_RELAY_LIMIT);
        return;
    }
    s->strangers.slots[out->stranger].mark = out->slot;
    if (!s->watched)
        watch_strangers(s);
}

static void keep_alive(struct relay_server *s, struct relay_out *out)
{
    out->alive_at = s->setup.env->now + relay_opts_of(s)->keepalive;
    relay_arm(s, RELAY_TIMER_LINKS + out->slot, out->alive_at);
}

static void relay_came(struct relay_server *s, struct relay_out *out)
{
    uint32_t k = neighbour_of(s, out->link.peer);
    struct relay_station *st = &s->stations[out->link.peer];
    out->newsy = calloc(s->setup.roster->n / 8 + 1, 1);
    if (!out->newsy) {
        refuse(s, out, DROP_RELAY_LIMIT);
        return;
    }
    s->neighbours[k].fails = 0;
    out->relay = true;
    st->out = out;
    st->session = out->link.session;
    for (party_t i = 0; i < roster_clients(s->setup.roster); i++)
        if (s->stations[i].out || s->stations[i].held)
            relay_news_one(s, out, i);
}

/* The other side of a link has an identity now. */
static void proven(struct relay_server *s, struct relay_out *out)
{
    party_t who = out->link.peer;
    struct relay_station *st = &s->stations[who];
    bool relay = relay_is(s->setup.roster, who);
    if (out->stranger != NONE)
        strangers_remove(&s->strangers, out->stranger);
    out->stranger = NONE;
    out->heard = s->setup.env->now;
    if (!out->dialled &&
        ((who >= roster_clients(s->setup.roster) && !relay) || (relay && dials(s, who)))) {
        refuse(s, out, DROP_TRANSPORT_STRANGER);
        return;
    }
    if (!out->dialled && out->link.session <= st->session) {
        refuse(s, out, DROP_TRANSPORT_REPLAY);
        return;
    }
    if (st->out)
        end(s, st->out, true);
    keep_alive(s, out);
    if (relay)
        relay_came(s, out);
    else
        relay_party_came(s, out);
}

/* ---- events --------------------------------------------------------------------------- */

static void neighbour_dial(struct relay_server *s, uint32_t k)
{
    struct relay_neighbour *n = &s->neighbours[k];
    struct env *env = s->setup.env;
    struct addr to = s->setup.roster->entries[n->id].addr;
    to.port = RELAY_PORT;
    if (env->ops->open(env, LINK_MESSAGE, to, &n->dialling) != OK) {
        neighbour_later(s, k);
        return;
    }
    n->at = env->now + relay_opts_of(s)->connect_limit;
    relay_arm(s, RELAY_TIMER_PEERS + k, n->at);
}

static void on_neighbour(struct relay_server *s, uint32_t k)
{
    struct relay_neighbour *n = &s->neighbours[k];
    struct env *env = s->setup.env;
    if (env->now < n->at || s->stations[n->id].out)
        return;
    if (!n->dialling) {
        neighbour_dial(s, k);
        return;
    }
    for (uint32_t i = 0; i < s->n_outs; i++)
        if (s->outs[i] && s->outs[i]->link.link == n->dialling) {
            end(s, s->outs[i], true);
            return;
        }
    env->ops->close(env, n->dialling);
    neighbour_later(s, k);
}

static void neighbour_up(struct relay_server *s, uint32_t k, const struct event *ev)
{
    struct relay_neighbour *n = &s->neighbours[k];
    struct relay_out *out = relay_out_new(s, ev->link, ev->peer);
    int rc = ERR_NOMEM;
    if (!out) {
        s->setup.env->ops->close(s->setup.env, ev->link);
        neighbour_later(s, k);
        return;
    }
    out->dialled = true;
    rc = noiselink_dial(&out->link, &s->self, ev->link, n->id, ++n->dials, &n->trusted);
    if (rc != OK)
        refuse(s, out, DROP_TRANSPORT_AUTH);
    else if (out->link.stage == NOISELINK_OPEN)
        proven(s, out);
}

static void on_up(struct relay_server *s, const struct event *ev)
{
    for (uint32_t k = 0; k < s->n_neighbours; k++)
        if (s->neighbours[k].dialling == ev->link) {
            neighbour_up(s, k, ev);
            return;
        }
    stranger_new(s, ev);
}

static void on_data(struct relay_server *s, struct relay_out *out, const struct event *ev)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    bool open = out->link.stage == NOISELINK_OPEN;
    const uint8_t *plain;
    size_t len;
    int rc = noiselink_read(&out->link, &s->self, ev->data, ev->len, buf, &plain, &len);
    if (rc != OK) {
        refuse(s, out, rc == ERR_FORMAT ? DROP_TRANSPORT_FORMAT : DROP_TRANSPORT_AUTH);
    } else if (len) {
        out->heard = s->setup.env->now;
        relay_on_frame(s, out, plain, len);
    } else if (!open && out->link.stage == NOISELINK_OPEN) {
        proven(s, out);
    }
}

static void on_down(struct relay_server *s, const struct event *ev, struct relay_out *out)
{
    if (out) {
        end(s, out, false);
        return;
    }
    for (uint32_t k = 0; k < s->n_neighbours; k++)
        if (s->neighbours[k].dialling == ev->link)
            neighbour_later(s, k);
}

static void on_alive(struct relay_server *s, uint32_t slot)
{
    struct relay_out *out = slot < s->n_outs ? s->outs[slot] : NULL;
    ns_t now = s->setup.env->now, keepalive = relay_opts_of(s)->keepalive;
    uint8_t ping[1 + NOISE_TAG] = {RELAY_PING};
    if (!out || now < out->alive_at || out->stranger != NONE)
        return;
    if (now - out->heard >= RELAY_PATIENCE * keepalive) {
        end(s, out, true);
        return;
    }
    if (out->dialled && !out->blocked &&
        (now - out->said >= keepalive || now - out->heard >= keepalive))
        out->blocked = noiselink_send(&out->link, &s->self, ping, 1) != OK;
    keep_alive(s, out);
}

static void on_room(struct relay_server *s, struct relay_out *out)
{
    out->blocked = noiselink_room(&out->link, &s->self) == ERR_AGAIN;
    relay_dirty(s, out);
}

static void on_timer(struct relay_server *s, uint32_t timer)
{
    if (timer >= RELAY_TIMER_LINKS)
        on_alive(s, timer - RELAY_TIMER_LINKS);
    else if (timer >= RELAY_TIMER_PEERS)
        on_neighbour(s, timer - RELAY_TIMER_PEERS);
    else if (timer == RELAY_TIMER_HELD)
        relay_held(s);
    else
        on_strangers(s);
}

void relay_server_event(void *self, const struct event *ev)
{
    struct relay_server *s = self;
    struct relay_out *out = ev->tag ? s->outs[ev->tag - 1] : NULL;
    assert(!ev->tag || (out && out->link.link == ev->link));
    if (ev->kind == EV_START) {
        for (uint32_t k = 0; k < s->n_neighbours; k++)
            if (dials(s, s->neighbours[k].id))
                neighbour_dial(s, k);
    } else if (ev->kind == EV_TIMER) {
        on_timer(s, ev->timer - s->setup.timer_base);
    } else if (ev->kind == EV_UP && ev->link_kind == LINK_MESSAGE) {
        on_up(s, ev);
    } else if (ev->kind == EV_DATA && out) {
        on_data(s, out, ev);
    } else if (ev->kind == EV_ROOM && out) {
        on_room(s, out);
    } else if (ev->kind == EV_DOWN && ev->link_kind == LINK_MESSAGE) {
        on_down(s, ev, out);
    }
    relay_pump(s);
}

/* ---- making and ending ---------------------------------------------------------------- */

int relay_server_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct relay_server *s = self;
    uint32_t n = setup->roster->n;
    s->setup = *setup;
    s->self = (struct noiselink_self){.env = setup->env,
                                      .roster = setup->roster,
                                      .identity = setup->identity,
                                      .self = setup->self,
                                      .context = RELAY_CONTEXT};
    strangers_init(&s->strangers);
    ring_init(&s->dirty);
    ring_init(&s->held);
    prng_bytes(&setup->env->rng, s->address_key, sizeof s->address_key);
    s->stations = calloc(n, sizeof *s->stations);
    s->neighbours = calloc(n - roster_clients(setup->roster), sizeof *s->neighbours);
    if (!s->stations || !s->neighbours)
        return err_set(e, ERR_NOMEM, "no memory for %u parties", n);
    for (party_t i = 0; i < n; i++) {
        s->stations[i].home = PARTY_NONE;
        ring_init(&s->stations[i].from);
        ring_init(&s->stations[i].to);
        ring_init(&s->stations[i].waiting);
        if (i != setup->self && relay_is(setup->roster, i))
            s->neighbours[s->n_neighbours++].id = i;
    }
    return s->n_neighbours < RELAY_TIMER_LINKS - RELAY_TIMER_PEERS
               ? OK
               : err_set(e, ERR_LIMIT, "more than %d relays", RELAY_TIMER_LINKS - 2);
}

void relay_server_free(void *self)
{
    struct relay_server *s = self;
    for (uint32_t i = 0; i < s->n_outs; i++)
        if (s->outs[i])
            relay_out_free(s, s->outs[i]);
    for (uint32_t b = 0; b < s->n_buckets; b++)
        for (struct relay_flow *f = s->buckets[b], *next; f; f = next) {
            next = f->chain;
            for (struct relay_kept *k = f->head, *after; k; k = after) {
                after = k->next;
                free(k);
            }
            free(f);
        }
    relay_lies_free(s);
    free(s->buckets);
    free(s->outs);
    free(s->unused_slots);
    free(s->stations);
    free(s->neighbours);
    strangers_free(&s->strangers);
    map_free(&s->addresses);
    sodium_memzero(s->address_key, sizeof s->address_key);
}
