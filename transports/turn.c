#include "transports/turn_routes.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the TURN client ----------------------------------------------------------------------- */

static party_t server_number(const struct turn *t, uint32_t number)
{
    const struct roster *r = t->setup.roster;
    party_t i = roster_clients(r);
    for (;; i++)
        if (strcmp(r->entries[i].role, "turn") == 0 && number-- == 0)
            return i;
}

uint32_t turn_servers(const struct roster *r)
{
    uint32_t n = 0;
    for (party_t i = roster_clients(r); i < r->n; i++)
        n += strcmp(r->entries[i].role, "turn") == 0;
    return n;
}

static void open_clients(struct turn *t)
{
    const struct roster *r = t->setup.roster;
    uint32_t n = turn_servers(r);
    t->chosen = t->n_tries == 1;
    t->active = 0;
    for (uint32_t k = 0; k < t->n_tries; k++) {
        struct turn_client *c = &t->tries[k].client;
        uint32_t which =
            turn_opts_of(t)->server == TURN_NEAREST ? k : (t->setup.self + t->attempt) % n;
        c->setup.server = r->entries[server_number(t, which)].addr;
        c->setup.server.port = TURN_PORT;
        turn_client_open(c);
    }
}

/* Of several servers the first to answer is the nearest. */
static void on_challenged(void *ctx)
{
    struct turn_try *try = ctx;
    struct turn *t = try->owner;
    if (t->chosen)
        return;
    t->chosen = true;
    t->active = (uint32_t)(try - t->tries);
    for (uint32_t k = 0; k < t->n_tries; k++)
        if (k != t->active)
            turn_client_close(&t->tries[k].client);
}

static void on_allocated(void *ctx, const struct addr *relayed, const struct addr *mapped)
{
    struct turn_try *try = ctx;
    struct turn *t = try->owner;
    const struct roster *r = t->setup.roster;
    struct addr matchmaker = r->entries[match_find(r)].addr;
    (void)relayed;
    t->fails = 0;
    matchmaker.port = MATCH_PORT;
    turn_client_bind(turn_client_of(t), turn_match_peer(t), &matchmaker);
    turn_routes_allocated(t, mapped);
}

static void retry_later(struct turn *t)
{
    const struct turn_opts *o = turn_opts_of(t);
    ns_t wait = o->backoff_min;
    for (unsigned k = 0; k < t->fails && wait < o->backoff_max; k++)
        wait *= 2;
    if (wait > o->backoff_max)
        wait = o->backoff_max;
    wait -= (ns_t)prng_below(&t->setup.env->rng, (uint64_t)wait / 2 + 1);
    if (t->fails < UINT8_MAX)
        t->fails++;
    t->retry_at = t->setup.env->now + wait;
    turn_arm(t, TURN_TIMER_RETRY, t->retry_at);
}

static bool all_idle(const struct turn *t)
{
    for (uint32_t k = 0; k < t->n_tries; k++)
        if (t->tries[k].client.state != TURN_CLIENT_IDLE)
            return false;
    return true;
}

/* Peers are asked for again, so that the matchmaker tells them where we are then. */
static void on_lost(void *ctx, uint16_t code, enum down_reason why)
{
    struct turn_try *try = ctx;
    struct turn *t = try->owner;
    (void)code, (void)why;
    if (!all_idle(t))
        return;
    match_closed(&t->match);
    for (uint32_t i = 0; i < t->setup.n_peers; i++)
        match_want(&t->match, i, true);
    if (t->fails)
        t->attempt++;
    retry_later(t);
}

static void on_bound(void *ctx, uint32_t peer)
{
    struct turn *t = ((struct turn_try *)ctx)->owner;
    if (peer == turn_match_peer(t))
        match_open(&t->match);
    else
        turn_route_bound(t, peer);
}

/* A peer where none may be. If the matchmaker, then nobody will find us: as if down. */
static void on_refused(void *ctx, uint32_t peer, uint16_t code)
{
    struct turn_try *try = ctx;
    struct turn *t = try->owner;
    (void)code;
    if (peer == turn_match_peer(t)) {
        turn_client_close(&try->client);
        on_lost(ctx, code, DOWN_REFUSED);
    } else {
        turn_route_refused(t, peer);
    }
}

static void on_relayed(void *ctx, uint32_t peer, const struct addr *from, const uint8_t *data,
                       size_t len)
{
    struct turn *t = ((struct turn_try *)ctx)->owner;
    if (peer == turn_match_peer(t)) {
        if (!match_input(&t->match, data, len))
            turn_drop(t, DROP_TRANSPORT_FORMAT);
        return;
    }
    turn_route_input(t, peer, from, data, len);
}

static const struct turn_client_ops client_ops = {
    .challenged = on_challenged,
    .up = on_allocated,
    .down = on_lost,
    .bound = on_bound,
    .refused = on_refused,
    .data = on_relayed,
};

/* ---- events -------------------------------------------------------------------------------- */

static void on_timer(struct turn *t, const struct event *ev)
{
    uint32_t timer = ev->timer - t->setup.timer_base;
    if (timer < t->n_tries)
        turn_client_event(&t->tries[timer].client, ev);
    else if (timer == TURN_TIMER_MATCH)
        match_tick(&t->match);
    else if (timer == TURN_TIMER_RETRY && t->retry_at <= t->setup.env->now && all_idle(t))
        open_clients(t);
    else if (timer >= TURN_TIMER_PEERS && timer - TURN_TIMER_PEERS < t->setup.n_peers)
        turn_route_tick(t, timer - TURN_TIMER_PEERS);
}

void turn_event(void *self, const struct event *ev)
{
    struct turn *t = self;
    if (ev->kind == EV_START) {
        for (uint32_t i = 0; i < t->setup.n_peers; i++)
            match_want(&t->match, i, true);
        open_clients(t);
        return;
    }
    if (ev->kind == EV_TIMER) {
        on_timer(t, ev);
        return;
    }
    for (uint32_t k = 0; k < t->n_tries; k++)
        if (turn_client_event(&t->tries[k].client, ev))
            return;
    turn_route_event(t, ev);
}

int turn_send(void *self, party_t to, const void *data, size_t len)
{
    struct turn *t = self;
    uint32_t i = transport_peer(&t->setup, to);
    return i == PARTY_NONE ? ERR_CLOSED
                           : reliable_send(&t->routes[i].session, t->setup.env->now, data, len);
}

/* ---- making and ending --------------------------------------------------------------------- */

static void make_credentials(struct turn *t)
{
    const struct turn_opts *o = turn_opts_of(t);
    const char *name = t->setup.roster->entries[t->setup.self].name;
    uint64_t pseudonym = prng_u64(&t->setup.env->rng);
    if (o->username == TURN_NAME)
        snprintf(t->username, sizeof t->username, "%lld:%s", (long long)o->expires, name);
    else
        snprintf(t->username, sizeof t->username, "%lld:%016llx", (long long)o->expires,
                 (unsigned long long)pseudonym);
    stun_rest_password(t->password, o->limits.secret, t->username);
}

static int make_tries(struct turn *t, struct err *e)
{
    const struct turn_opts *o = turn_opts_of(t);
    uint32_t n = o->server == TURN_NEAREST ? turn_servers(t->setup.roster) : 1;
    int rc = OK;
    n = n > TURN_SERVERS ? TURN_SERVERS : n;
    t->tries = calloc(n, sizeof *t->tries);
    if (!t->tries)
        return err_set(e, ERR_NOMEM, "no memory for %u TURN clients", n);
    for (uint32_t k = 0; k < n && rc == OK; k++) {
        struct turn_client_setup s = {.env = t->setup.env,
                                      .stream = o->over == TURN_OVER_TCP,
                                      .indications = o->data == TURN_DATA_INDICATION,
                                      .lifetime = (uint32_t)(o->lifetime / NS_S),
                                      .timer = t->setup.timer_base + k,
                                      .n_peers = t->setup.n_peers + 1,
                                      .username = t->username,
                                      .password = t->password,
                                      .ops = &client_ops,
                                      .ctx = &t->tries[k]};
        t->tries[k].owner = t;
        rc = turn_client_init(&t->tries[k].client, &s, e);
        t->n_tries += rc == OK;
    }
    return rc;
}

void turn_free(void *self)
{
    struct turn *t = self;
    for (uint32_t k = 0; k < t->n_tries; k++)
        turn_client_free(&t->tries[k].client);
    turn_routes_free(t);
    match_free(&t->match);
    free(t->tries);
    sodium_memzero(t->password, sizeof t->password);
}

int turn_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct turn *t = self;
    int rc;
    t->setup = *setup;
    if (turn_servers(setup->roster) == 0 || match_find(setup->roster) == PARTY_NONE)
        return err_set(e, ERR_INVALID, "no service of role turn, or none of role matchmaker");
    if (setup->n_peers >= TRANSPORT_TIMERS - TURN_TIMER_PEERS)
        return err_set(e, ERR_LIMIT, "more than %d peers", TRANSPORT_TIMERS - TURN_TIMER_PEERS);
    make_credentials(t);
    rc = make_tries(t, e);
    if (rc == OK)
        rc = turn_routes_init(t, e);
    if (rc == OK &&
        match_init(&t->match, &t->setup, match_find(setup->roster), &turn_match_ops, t) != OK)
        rc = err_set(e, ERR_NOMEM, "no memory for %u peers", setup->n_peers);
    if (rc != OK)
        turn_free(t);
    return rc;
}
