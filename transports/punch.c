#include "transports/punch.h"

#include "engine/base/bytes.h"
#include "engine/metrics.h"
#include "transports/matchmaker_inner.h"
#include "transports/mesh.h"
#include "transports/reliable.h"

#include <stdlib.h>

#define PUNCH_FIRST (300 * NS_MS) /* between the first two hellos */

struct punch_peer {
    struct punch *punch;
    struct reliable end;
    struct addr candidates[PUNCH_CANDIDATES];
    uint32_t n_candidates;
    struct addr path;         /* while up */
    const struct addr *reply; /* where what is being handled came from */
};

static struct env *env_of(const struct punch *p)
{
    return p->setup.env;
}

static uint32_t index_of(const struct punch_peer *peer)
{
    return (uint32_t)(peer - peer->punch->peers);
}

static party_t id_of(const struct punch_peer *peer)
{
    return peer->punch->setup.peers[index_of(peer)];
}

static void drop(struct punch *p, enum drop why)
{
    metrics_drop(env_of(p)->metrics, why);
}

static void emit(struct punch *p, const struct addr *to, const uint8_t *data, size_t len)
{
    env_of(p)->ops->send_to(env_of(p), p->port, *to, data, len);
}

/* ---- one peer's end ----------------------------------------------------------------------- */

static void forget_token(struct punch_peer *peer)
{
    uint32_t key = (uint32_t)peer->end.token;
    if (key && map_get(&peer->punch->tokens, key, 0) == 1 + index_of(peer))
        map_remove(&peer->punch->tokens, key);
}

static void begin(struct punch_peer *peer)
{
    struct punch *p = peer->punch;
    uint64_t token;
    forget_token(peer);
    do
        token = prng_u64(&env_of(p)->rng);
    while (!(uint32_t)token || map_get(&p->tokens, (uint32_t)token, 0));
    map_put(&p->tokens, (uint32_t)token, 1 + index_of(peer)); /* no memory: it will not be found */
    reliable_open(&peer->end, env_of(p)->now, token);
}

static void say_hello(struct punch_peer *peer, const uint8_t *hello)
{
    struct punch *p = peer->punch;
    uint8_t out[PUNCH_HEAD + RELIABLE_HEADER];
    out[0] = PUNCH_HELLO;
    put_le32(out + 1, p->setup.self);
    put_le32(out + 5, id_of(peer));
    memcpy(out + PUNCH_HEAD, hello, RELIABLE_HEADER);
    if (peer->reply) {
        emit(p, peer->reply, out, sizeof out);
        return;
    }
    for (uint32_t i = 0; i < peer->n_candidates; i++)
        emit(p, &peer->candidates[i], out, sizeof out);
}

static void on_output(void *ctx, const uint8_t *datagram, size_t len)
{
    struct punch_peer *peer = ctx;
    if (len == RELIABLE_HEADER && datagram[0] == RELIABLE_VERSION << 4)
        say_hello(peer, datagram);
    else
        emit(peer->punch, &peer->path, datagram, len);
}

static void on_deliver(void *ctx, const uint8_t *message, size_t len)
{
    struct punch_peer *peer = ctx;
    struct punch *p = peer->punch;
    p->setup.up->deliver(p->setup.node, id_of(peer), message, len);
}

static void on_up(void *ctx)
{
    struct punch_peer *peer = ctx;
    struct punch *p = peer->punch;
    party_t id = id_of(peer);
    peer->path = *peer->reply;
    match_want(&p->match, index_of(peer), false);
    env_of(p)->ops->show(env_of(p), &(struct shown){.kind = SHOWN_ADDRESS,
                                                    .whom = id,
                                                    .addr = peer->path,
                                                    .in_clear = true}); /* hellos name both */
    p->setup.up->peer_up(p->setup.node, id, p->setup.self > id);
}

static void on_down(void *ctx, enum down_reason why)
{
    struct punch_peer *peer = ctx;
    struct punch *p = peer->punch;
    p->setup.up->peer_down(p->setup.node, id_of(peer), why);
    if (why == DOWN_RESET)
        return;
    peer->reply = NULL;
    match_want(&p->match, index_of(peer), true);
    begin(peer);
}

static void on_room(void *ctx)
{
    struct punch_peer *peer = ctx;
    peer->punch->setup.up->room(peer->punch->setup.node, id_of(peer));
}

static void on_wake(void *ctx, ns_t at)
{
    struct punch_peer *peer = ctx;
    struct punch *p = peer->punch;
    env_of(p)->ops->arm(env_of(p), p->setup.timer_base + index_of(peer), at);
}

static const struct reliable_ops end_ops = {
    .output = on_output,
    .deliver = on_deliver,
    .up = on_up,
    .down = on_down,
    .room = on_room,
    .wake = on_wake,
};

/* ---- the matchmaker ----------------------------------------------------------------------- */

static void match_says(void *ctx, const uint8_t *message, size_t len)
{
    struct punch *p = ctx;
    emit(p, &p->server, message, len);
}

/* Others need our own address only if a NAT hides it. */
static void match_saw(void *ctx, struct addr seen)
{
    struct punch *p = ctx;
    uint8_t own[MATCH_ADDR];
    p->seen = seen;
    memcpy(own, env_of(p)->self.ip, 16);
    put_le16(own + 16, MESH_PORT);
    match_publish(&p->match, own, memcmp(own, seen.ip, 16) == 0 ? 0 : sizeof own, false);
}

static void add(struct addr list[PUNCH_CANDIDATES], uint32_t *n, struct addr a)
{
    for (uint32_t i = 0; i < *n; i++)
        if (addr_equal(&list[i], &a))
            return;
    if (a.port && *n < PUNCH_CANDIDATES)
        list[(*n)++] = a;
}

static void match_found(void *ctx, party_t id, struct addr seen, const uint8_t *blob, size_t len)
{
    struct punch *p = ctx;
    struct punch_peer *peer = &p->peers[transport_peer(&p->setup, id)];
    struct addr list[PUNCH_CANDIDATES] = {0}, own = match_blob_addr(blob, len), guess = seen;
    uint32_t n = 0;
    add(list, &n, seen);
    if (own.port) {
        guess.port = own.port;
        add(list, &n, guess);
        if (memcmp(seen.ip, p->seen.ip, sizeof seen.ip) == 0)
            add(list, &n, own);
    }
    if (n == peer->n_candidates && memcmp(list, peer->candidates, sizeof list) == 0)
        return;
    memcpy(peer->candidates, list, sizeof list);
    peer->n_candidates = n;
    if (peer->end.state != RELIABLE_UP) {
        reliable_close(&peer->end, env_of(p)->now);
        begin(peer);
    } else if (memcmp(peer->path.ip, seen.ip, sizeof seen.ip) != 0) {
        peer->path = seen; /* it has moved; if it is behind a NAT, our ping opens ours */
        reliable_moved(&peer->end, env_of(p)->now);
    }
}

static void match_wakes(void *ctx, ns_t at)
{
    struct punch *p = ctx;
    env_of(p)->ops->arm(env_of(p), p->setup.timer_base + p->setup.n_peers, at);
}

static const struct match_ops match_ops = {
    .send = match_says,
    .observed = match_saw,
    .peer = match_found,
    .wake = match_wakes,
};

/* ---- datagrams ---------------------------------------------------------------------------- */

static void take(struct punch *p, uint32_t i, const struct addr *from, const uint8_t *data,
                 size_t len, bool moves)
{
    struct punch_peer *peer = &p->peers[i];
    int rc;
    peer->reply = from;
    rc = reliable_input(&peer->end, env_of(p)->now, data, len);
    peer->reply = NULL;
    if (rc != OK)
        drop(p, rc == ERR_AUTH ? DROP_TRANSPORT_AUTH : DROP_TRANSPORT_FORMAT);
    else if (moves && peer->end.state == RELIABLE_UP && !addr_equal(from, &peer->path)) {
        peer->path = *from;
        env_of(p)->ops->show(
            env_of(p), &(struct shown){.kind = SHOWN_ADDRESS, .whom = id_of(peer), .addr = *from});
        reliable_moved(&peer->end, env_of(p)->now);
    }
}

static void on_hello(struct punch *p, const struct addr *from, const uint8_t *data, size_t len)
{
    uint32_t i;
    if (len != PUNCH_HEAD + RELIABLE_HEADER) {
        drop(p, DROP_TRANSPORT_FORMAT);
        return;
    }
    i = transport_peer(&p->setup, get_le32(data + 1));
    for (uint32_t k = 0; i != PARTY_NONE && k < p->peers[i].n_candidates; k++)
        if (memcmp(p->peers[i].candidates[k].ip, from->ip, sizeof from->ip) == 0 &&
            get_le32(data + 5) == p->setup.self) {
            take(p, i, from, data + PUNCH_HEAD, RELIABLE_HEADER, false);
            return;
        }
    drop(p, DROP_TRANSPORT_STRANGER);
}

static void on_data(struct punch *p, const struct event *ev)
{
    uint32_t i;
    if (ev->len == 0) {
        drop(p, DROP_TRANSPORT_FORMAT);
    } else if (ev->data[0] == PUNCH_HELLO) {
        on_hello(p, &ev->peer, ev->data, ev->len);
    } else if ((ev->data[0] & 0xf0) == MATCH_KIND) {
        if (!addr_equal(&ev->peer, &p->server) || !match_input(&p->match, ev->data, ev->len))
            drop(p, DROP_TRANSPORT_FORMAT);
    } else {
        i = map_get(&p->tokens, (uint32_t)reliable_to(ev->data, ev->len), 0);
        if (i)
            take(p, i - 1, &ev->peer, ev->data, ev->len, true);
        else
            drop(p, DROP_TRANSPORT_STRANGER);
    }
}

/* ---- the role ----------------------------------------------------------------------------- */

static void on_bound(struct punch *p, const struct event *ev)
{
    if (p->port || ev->local.port != MESH_PORT)
        return;
    p->port = ev->link;
    for (uint32_t i = 0; i < p->setup.n_peers; i++)
        match_want(&p->match, i, true);
    if (p->setup.n_peers)
        match_open(&p->match);
}

/* Two timeouts in a row: perhaps it is we who moved. */
static void on_timer(struct punch *p, struct reliable *end)
{
    reliable_tick(end, env_of(p)->now);
    if (end->state == RELIABLE_UP && end->backoff >= 2)
        match_check(&p->match);
}

void punch_event(void *self, const struct event *ev)
{
    struct punch *p = self;
    uint32_t timer;
    switch (ev->kind) {
    case EV_UP:
        if (ev->link_kind == LINK_DATAGRAM)
            on_bound(p, ev);
        break;
    case EV_DATA:
        if (ev->link_kind == LINK_DATAGRAM && ev->link == p->port)
            on_data(p, ev);
        break;
    case EV_TIMER:
        timer = ev->timer - p->setup.timer_base;
        if (timer < p->setup.n_peers)
            on_timer(p, &p->peers[timer].end);
        else
            match_tick(&p->match);
        break;
    case EV_START:
    case EV_GO:
    case EV_ROOM:
    case EV_DOWN:
        break;
    }
}

int punch_send(void *self, party_t to, const void *data, size_t len)
{
    struct punch *p = self;
    uint32_t i = transport_peer(&p->setup, to);
    int rc;
    if (i == PARTY_NONE)
        return ERR_CLOSED;
    if (len > MESH_MESSAGE_MAX)
        return ERR_TOO_BIG;
    rc = reliable_send(&p->peers[i].end, env_of(p)->now, data, len);
    return rc == ERR_NOMEM ? ERR_CLOSED : rc;
}

static int make_peers(struct punch *p, party_t server, struct err *e)
{
    uint32_t n = p->setup.n_peers;
    int rc = OK;
    p->peers = calloc(n ? n : 1, sizeof *p->peers);
    if (!p->peers || match_init(&p->match, &p->setup, server, &match_ops, p) != OK)
        return err_set(e, ERR_NOMEM, "no memory for %u peers", n);
    for (uint32_t i = 0; rc == OK && i < n; i++) {
        struct reliable_setup s;
        reliable_defaults(&s, &end_ops, &p->peers[i]);
        s.rto_first = PUNCH_FIRST;
        p->peers[i].punch = p;
        rc = reliable_init(&p->peers[i].end, &s, e);
    }
    return rc;
}

int punch_init(struct punch *p, const struct transport_setup *setup, struct err *e)
{
    party_t server = match_find(setup->roster);
    int rc;
    if (server == PARTY_NONE)
        return err_set(e, ERR_ABSENT, "punch: udp needs a service of role matchmaker");
    if (setup->n_peers >= TRANSPORT_TIMERS - 1)
        return err_set(e, ERR_LIMIT, "more than %d peers", TRANSPORT_TIMERS - 2);
    p->setup = *setup;
    p->server = setup->roster->entries[server].addr;
    p->server.port = MATCH_PORT;
    rc = make_peers(p, server, e);
    if (rc != OK)
        punch_free(p);
    return rc;
}

void punch_free(void *self)
{
    struct punch *p = self;
    for (uint32_t i = 0; p->peers && i < p->setup.n_peers; i++)
        reliable_free(&p->peers[i].end);
    free(p->peers);
    match_free(&p->match);
    map_free(&p->tokens);
}
