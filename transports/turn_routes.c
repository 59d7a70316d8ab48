/* Sessions with the peers, and where each of them is. */
#include "transports/turn_routes.h"

#include "transports/matchmaker_inner.h"

#include <assert.h>
#include <stdlib.h>

#define NONE PARTY_NONE

/* Does this side send from its own port, or that one? */
static bool goes_directly(const struct turn *t, uint32_t i)
{
    return turn_opts_of(t)->relayed == TURN_RELAYED_ONE && t->setup.self < t->setup.peers[i];
}

static bool comes_directly(const struct turn *t, uint32_t i)
{
    return turn_opts_of(t)->relayed == TURN_RELAYED_ONE && t->setup.self > t->setup.peers[i];
}

/* ---- sessions ------------------------------------------------------------------------------ */

static uint32_t number_of(const struct turn_route *r)
{
    return (uint32_t)(r - r->owner->routes);
}

static party_t id_of(const struct turn_route *r)
{
    return r->owner->setup.peers[number_of(r)];
}

static void session_output(void *ctx, const uint8_t *datagram, size_t len)
{
    struct turn_route *r = ctx;
    struct turn *t = r->owner;
    int rc = r->link ? t->setup.env->ops->send(t->setup.env, r->link, datagram, len)
                     : turn_client_send(turn_client_of(t), number_of(r), datagram, len);
    if (rc == ERR_AGAIN)
        turn_drop(t, DROP_QUEUE);
}

static void session_deliver(void *ctx, const uint8_t *message, size_t len)
{
    struct turn_route *r = ctx;
    r->owner->setup.up->deliver(r->owner->setup.node, id_of(r), message, len);
}

static void session_up(void *ctx)
{
    struct turn_route *r = ctx;
    struct turn *t = r->owner;
    match_want(&t->match, number_of(r), false);
    t->setup.up->peer_up(t->setup.node, id_of(r), t->setup.self > id_of(r));
}

static void session_open(struct turn_route *r)
{
    struct env *env = r->owner->setup.env;
    if (r->session.state == RELIABLE_CLOSED)
        reliable_open(&r->session, env->now, prng_u64(&env->rng));
    else
        reliable_moved(&r->session, env->now);
}

static void session_down(void *ctx, enum down_reason why)
{
    struct turn_route *r = ctx;
    struct turn *t = r->owner;
    t->setup.up->peer_down(t->setup.node, id_of(r), why);
    if (why == DOWN_RESET)
        return;
    match_want(&t->match, number_of(r), true);
    session_open(r);
}

static void session_room(void *ctx)
{
    struct turn_route *r = ctx;
    r->owner->setup.up->room(r->owner->setup.node, id_of(r));
}

static void session_wake(void *ctx, ns_t at)
{
    struct turn_route *r = ctx;
    turn_arm(r->owner, TURN_TIMER_PEERS + number_of(r), at);
}

static const struct reliable_ops session_ops = {
    .output = session_output,
    .deliver = session_deliver,
    .up = session_up,
    .down = session_down,
    .room = session_room,
    .wake = session_wake,
};

static void session_input(struct turn *t, uint32_t i, const uint8_t *data, size_t len)
{
    int rc = reliable_input(&t->routes[i].session, t->setup.env->now, data, len);
    if (rc == ERR_FORMAT)
        turn_drop(t, DROP_TRANSPORT_FORMAT);
    else if (rc != OK)
        turn_drop(t, DROP_TRANSPORT_STRANGER);
}

/* ---- routes -------------------------------------------------------------------------------- */

static void show(struct turn *t, uint32_t i, const struct addr *addr)
{
    t->setup.env->ops->show(
        t->setup.env,
        &(struct shown){.kind = SHOWN_ADDRESS, .whom = t->setup.peers[i], .addr = *addr});
}

static void go(struct turn *t, uint32_t i)
{
    struct env *env = t->setup.env;
    struct turn_route *r = &t->routes[i];
    if (!r->known)
        return;
    if (!goes_directly(t, i)) {
        turn_client_bind(turn_client_of(t), i, &r->to);
        return;
    }
    if (r->link)
        env->ops->close(env, r->link);
    if (env->ops->open(env, LINK_DATAGRAM, r->to, &r->link) == OK)
        env->ops->tag(env, r->link, i + 1);
    else
        r->link = 0; /* the matchmaker tells us again */
}

/* The peer is there: by the matchmaker's word, or as what comes from it shows. */
static void set_route(struct turn *t, uint32_t i, const struct addr *to)
{
    struct turn_route *r = &t->routes[i];
    if (r->known && addr_equal(&r->to, to))
        return;
    r->known = true;
    r->to = *to;
    show(t, i, to);
    go(t, i);
}

/* Whether and where a peer is bound has changed. */
void turn_route_bound(struct turn *t, uint32_t i)
{
    session_open(&t->routes[i]);
}

void turn_route_refused(struct turn *t, uint32_t i)
{
    t->routes[i].known = false;
    t->routes[i].told = (struct addr){0};
}

void turn_routes_allocated(struct turn *t, const struct addr *mapped)
{
    uint8_t blob[MATCH_ADDR];
    if (turn_opts_of(t)->relayed == TURN_RELAYED_ONE && t->setup.n_peers &&
        goes_directly(t, t->setup.n_peers - 1)) {
        memcpy(blob, mapped->ip, sizeof mapped->ip);
        put_le16(blob + sizeof mapped->ip, mapped->port);
        match_publish(&t->match, blob, sizeof blob, true);
    }
    for (uint32_t i = 0; i < t->setup.n_peers; i++)
        if (t->routes[i].known && !goes_directly(t, i))
            go(t, i);
        else if (t->routes[i].link)
            session_open(&t->routes[i]); /* is the peer there, too, where we are now? */
}

/* ---- what comes in ------------------------------------------------------------------------- */

/* From an address that we don't know yet: whose it is, its token tells, */
static uint32_t route_of_token(const struct turn *t, const uint8_t *data, size_t len)
{
    uint64_t token = reliable_to(data, len);
    for (uint32_t i = 0; token && i < t->setup.n_peers; i++)
        if (t->routes[i].session.state != RELIABLE_CLOSED && t->routes[i].session.token == token)
            return i;
    return NONE;
}

/* or of a first hello, which has none, the ip: of one who comes by itself, from another port than
 * the one that it has told (a symmetric NAT's). */
static uint32_t route_of_ip(const struct turn *t, const struct addr *from, size_t len)
{
    uint32_t found = NONE;
    for (uint32_t i = 0; len == RELIABLE_HEADER && i < t->setup.n_peers; i++)
        if (comes_directly(t, i) && t->routes[i].told.port &&
            turn_same_ip(&t->routes[i].told, from)) {
            if (found != NONE)
                return NONE;
            found = i;
        }
    return found;
}

void turn_route_input(struct turn *t, uint32_t i, const struct addr *from, const uint8_t *data,
                      size_t len)
{
    if (i == NONE) {
        i = route_of_token(t, data, len);
        if (i == NONE && reliable_to(data, len) == 0)
            i = route_of_ip(t, from, len);
        if (i == NONE || goes_directly(t, i)) {
            turn_drop(t, DROP_TRANSPORT_STRANGER);
            return;
        }
        set_route(t, i, from);
    }
    session_input(t, i, data, len);
}

/* Two timeouts in a row on our own port: perhaps it is we who moved. */
void turn_route_tick(struct turn *t, uint32_t i)
{
    struct reliable *session = &t->routes[i].session;
    reliable_tick(session, t->setup.env->now);
    if (goes_directly(t, i) && session->state == RELIABLE_UP && session->backoff >= 2)
        match_check(&t->match);
}

void turn_route_event(struct turn *t, const struct event *ev)
{
    uint32_t i = ev->tag - 1;
    if (i == NONE)
        return;
    assert(t->routes[i].link == ev->link);
    if (ev->kind == EV_UP)
        session_open(&t->routes[i]);
    else if (ev->kind == EV_DATA)
        session_input(t, i, ev->data, ev->len);
    else if (ev->kind == EV_DOWN)
        t->routes[i].link = 0;
}

/* ---- the matchmaker ------------------------------------------------------------------------ */

static void match_send(void *ctx, const uint8_t *message, size_t len)
{
    struct turn *t = ctx;
    if (turn_client_send(turn_client_of(t), turn_match_peer(t), message, len) == ERR_AGAIN)
        turn_drop(t, DROP_QUEUE);
}

static void match_observed(void *ctx, struct addr addr)
{
    (void)ctx, (void)addr; /* our relayed address, which we know */
}

static void match_told(void *ctx, party_t peer, struct addr observed, const uint8_t *blob,
                       size_t len)
{
    struct turn *t = ctx;
    uint32_t i = transport_peer(&t->setup, peer);
    struct addr where = observed;
    if (i == NONE)
        return;
    if (comes_directly(t, i))
        where = match_blob_addr(blob, len);
    if (where.port && !addr_equal(&where, &t->routes[i].told)) {
        t->routes[i].told = where;
        set_route(t, i, &where);
    }
    if (t->routes[i].session.state == RELIABLE_UP && t->routes[i].session.asked_at == NS_NEVER)
        match_want(&t->match, i, false);
}

static void match_wake(void *ctx, ns_t at)
{
    turn_arm(ctx, TURN_TIMER_MATCH, at);
}

const struct match_ops turn_match_ops = {
    .send = match_send, .observed = match_observed, .peer = match_told, .wake = match_wake};

/* ---- making and ending ---------------------------------------------------------------------- */

int turn_routes_init(struct turn *t, struct err *e)
{
    struct reliable_setup s;
    int rc = OK;
    if (t->setup.n_peers == 0)
        return OK;
    t->routes = calloc(t->setup.n_peers, sizeof *t->routes);
    if (!t->routes)
        return err_set(e, ERR_NOMEM, "no memory for %u peers", t->setup.n_peers);
    for (uint32_t i = 0; i < t->setup.n_peers && rc == OK; i++) {
        reliable_defaults(&s, &session_ops, &t->routes[i]);
        s.rto_first = 500 * NS_MS;
        s.datagram_max = TURN_DATAGRAM;
        rc = reliable_init(&t->routes[i].session, &s, e);
        t->routes[i].owner = t;
    }
    return rc;
}

void turn_routes_free(struct turn *t)
{
    for (uint32_t i = 0; t->routes && i < t->setup.n_peers; i++)
        reliable_free(&t->routes[i].session);
    free(t->routes);
    t->routes = NULL;
}
