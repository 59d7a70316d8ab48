#include "transports/turn_server.h"

#include "engine/metrics.h"
#include "transports/matchmaker.h"
#include "transports/turn_answer.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum { ALLOCATIONS = 1 << 16 };

const struct accept turn_server_accepts[] = {
    {TURN_PORT, LINK_DATAGRAM}, {TURN_PORT, LINK_BYTES}, {0}};

static void drop(struct turn_server *s, enum drop why)
{
    metrics_drop(s->setup.env->metrics, why);
}

/* ---- what turn_answer.c needs ------------------------------------------------------------------
 */

void turn_server_send(struct turn_server *s, const struct turn_client_id *to, bool stream,
                      const void *data, size_t len)
{
    struct env *env = s->setup.env;
    int rc = stream ? env->ops->send(env, to->link, data, len)
                    : env->ops->send_to(env, to->link, to->addr, data, len);
    if (rc == ERR_AGAIN)
        drop(s, DROP_QUEUE);
}

void turn_server_arm(struct turn_server *s, ns_t at)
{
    struct env *env = s->setup.env;
    if (s->armed > env->now && s->armed <= at)
        return;
    s->armed = at;
    env->ops->arm(env, s->setup.timer_base, at);
}

void turn_server_tag(struct turn_server *s, link_t link, uint32_t slot)
{
    s->setup.env->ops->tag(s->setup.env, link, slot + 1);
}

void turn_server_remove(struct turn_server *s, uint32_t slot)
{
    s->setup.env->ops->close(s->setup.env, s->table.slots[slot].relay);
    turn_table_remove(&s->table, slot);
}

/* ---- connections over TCP
 * ------------------------------------------------------------------------ */

static void disconnect(struct turn_server *s, uint32_t i, bool close)
{
    struct turn_connection *c = &s->connections[i];
    struct turn_client_id id = {.link = c->link, .addr = c->addr};
    uint32_t slot = turn_table_find(&s->table, &id);
    if (slot != TURN_NONE)
        turn_server_remove(s, slot);
    if (close)
        s->setup.env->ops->close(s->setup.env, c->link);
    s->n_strangers -= !c->proven;
    turn_stream_free(&c->stream);
    *c = (struct turn_connection){0};
    s->n_connections--;
}

static void oldest_stranger_goes(struct turn_server *s)
{
    uint32_t oldest = TURN_NONE;
    for (uint32_t i = 0; i < s->cap_connections; i++) {
        const struct turn_connection *c = &s->connections[i];
        if (c->link && !c->proven &&
            (oldest == TURN_NONE || c->until < s->connections[oldest].until))
            oldest = i;
    }
    disconnect(s, oldest, true);
    drop(s, DROP_TRANSPORT_STRANGER);
}

static uint32_t unused_connection(struct turn_server *s)
{
    uint32_t cap = s->cap_connections ? 2 * s->cap_connections : 8, i;
    struct turn_connection *list;
    for (i = 0; i < s->cap_connections; i++)
        if (!s->connections[i].link)
            return i;
    list = cap > TURN_SERVER_CONNECTIONS ? NULL : realloc(s->connections, cap * sizeof *list);
    if (!list)
        return TURN_NONE;
    memset(list + s->cap_connections, 0, (cap - s->cap_connections) * sizeof *list);
    s->connections = list;
    s->cap_connections = cap;
    return i;
}

static void connected(struct turn_server *s, const struct event *ev)
{
    struct env *env = s->setup.env;
    uint32_t i;
    if (s->n_strangers == TURN_SERVER_STRANGERS)
        oldest_stranger_goes(s);
    i = unused_connection(s);
    if (i == TURN_NONE) {
        env->ops->close(env, ev->link);
        drop(s, DROP_TRANSPORT_STRANGER);
        return;
    }
    turn_server_tag(s, ev->link, i);
    s->connections[i] = (struct turn_connection){
        .link = ev->link, .addr = ev->peer, .until = env->now + TURN_SERVER_PATIENCE};
    s->n_connections++;
    s->n_strangers++;
    turn_server_arm(s, s->connections[i].until);
}

/* ---- from clients
 * -------------------------------------------------------------------------------- */

/* Datagrams between a client and the matchmaker are as readable as those to us. */
static void overhear(struct turn_server *s, const struct turn_allocation *a,
                     const struct addr *peer, const uint8_t *data, size_t len)
{
    if (peer->port == MATCH_PORT && addr_equal(peer, &s->matchmaker))
        match_shows(s->setup.env, s->setup.roster, &a->client.addr, data, len);
}

static void relay_out(struct turn_server *s, struct turn_allocation *a, const struct addr *peer,
                      const uint8_t *data, size_t len)
{
    struct env *env = s->setup.env;
    overhear(s, a, peer, data, len);
    if (env->ops->send_to(env, a->relay, *peer, data, len) == ERR_AGAIN)
        drop(s, DROP_QUEUE);
}

static void on_channel_data(struct turn_server *s, struct turn_allocation *a, uint16_t channel,
                            const uint8_t *data, size_t len)
{
    ns_t now = s->setup.env->now;
    const struct turn_channel *c = a ? turn_channel_numbered(a, channel, now) : NULL;
    if (c && turn_channel_permitted(a, c, now))
        relay_out(s, a, &c->peer, data, len);
    else
        drop(s, DROP_TRANSPORT_STRANGER);
}

static void on_send(struct turn_server *s, struct turn_allocation *a, const struct stun_packet *m)
{
    if (m->n_peers != 1 || !m->data || m->n_unknown)
        drop(s, DROP_TRANSPORT_FORMAT);
    else if (!a || !turn_permitted(a, &m->peers[0], s->setup.env->now))
        drop(s, DROP_TRANSPORT_STRANGER);
    else
        relay_out(s, a, &m->peers[0], m->data, m->len);
}

static void on_message(struct turn_server *s, const struct turn_asker *who, const uint8_t *data,
                       size_t len)
{
    uint32_t slot = turn_table_find(&s->table, &who->id);
    struct turn_allocation *a = slot == TURN_NONE ? NULL : &s->table.slots[slot];
    struct stun_packet m;
    const uint8_t *body;
    size_t body_len;
    uint16_t channel = turn_channel_read(data, len, &body, &body_len);
    if (channel) {
        on_channel_data(s, a, channel, body, body_len);
        return;
    }
    if (stun_read(&m, data, len) != OK) {
        drop(s, DROP_TRANSPORT_FORMAT);
        return;
    }
    if (m.kind == STUN_REQUEST)
        turn_answer(s, who, &m);
    else if (m.kind == STUN_INDICATION && m.name == STUN_SEND)
        on_send(s, a, &m);
    else if (m.kind != STUN_INDICATION || m.name != STUN_BINDING) /* that one keeps NATs open */
        drop(s, DROP_TRANSPORT_FORMAT);
    stun_drop(&m);
}

static void on_stream(struct turn_server *s, uint32_t i, const struct event *ev)
{
    struct turn_connection *c = &s->connections[i];
    struct turn_asker who = {
        .id = {.link = c->link, .addr = c->addr}, .addr = c->addr, .stream = true, .connection = c};
    const uint8_t *message;
    size_t len;
    int rc = turn_stream_add(&c->stream, ev->data, ev->len);
    while (rc == OK) {
        rc = turn_stream_next(&c->stream, &message, &len);
        if (rc == OK)
            on_message(s, &who, message, len);
        if (c->over)
            break;
    }
    if (rc == ERR_AGAIN)
        return;
    if (!c->over)
        drop(s, DROP_TRANSPORT_FORMAT);
    disconnect(s, i, true);
}

/* ---- from peers
 * ------------------------------------------------------------------------------------ */

static void on_peer(struct turn_server *s, struct turn_allocation *a, const struct event *ev)
{
    ns_t now = s->setup.env->now;
    const struct turn_channel *c = turn_channel_to(a, &ev->peer, now);
    uint8_t out[TURN_MESSAGE_MAX];
    size_t len = 0;
    if (!a->answered ||
        !(c ? turn_channel_permitted(a, c, now) : turn_permitted(a, &ev->peer, now))) {
        drop(s, DROP_TRANSPORT_STRANGER);
        return;
    }
    overhear(s, a, &ev->peer, ev->data, ev->len);
    if (c) {
        len = turn_channel_write(c->number, ev->data, ev->len, a->stream, out);
    } else {
        struct stun_packet m = {.kind = STUN_INDICATION,
                                .name = STUN_DATA,
                                .has = STUN_HAS_FINGERPRINT,
                                .peers = {ev->peer},
                                .n_peers = 1,
                                .data = ev->data,
                                .len = ev->len};
        prng_bytes(&s->setup.env->rng, m.tid, STUN_TID);
        len = stun_write(&m, NULL, out, sizeof out);
    }
    if (len)
        turn_server_send(s, &a->client, a->stream, out, len);
    else
        drop(s, DROP_MTU);
}

/* ---- events
 * ------------------------------------------------------------------------------------------ */

static void on_timer(struct turn_server *s)
{
    ns_t now = s->setup.env->now, next = NS_NEVER;
    for (uint32_t i = 0; i < s->table.cap; i++) {
        const struct turn_allocation *a = &s->table.slots[i];
        if (a->relay && a->until <= now)
            turn_server_remove(s, i);
        else if (a->relay && a->until < next)
            next = a->until;
    }
    for (uint32_t i = 0; i < s->cap_connections; i++) {
        const struct turn_connection *c = &s->connections[i];
        if (!c->link || c->proven)
            continue;
        if (c->until <= now) {
            disconnect(s, i, true);
            drop(s, DROP_TRANSPORT_STRANGER);
        } else if (c->until < next) {
            next = c->until;
        }
    }
    if (next != NS_NEVER)
        turn_server_arm(s, next);
}

static void on_datagram_link(struct turn_server *s, const struct event *ev, uint32_t slot)
{
    struct turn_asker who = {.id = {.link = ev->link, .addr = ev->peer}, .addr = ev->peer};
    assert(slot == TURN_NONE || s->table.slots[slot].relay == ev->link);
    if (ev->kind == EV_UP && slot != TURN_NONE)
        turn_answer_allocated(s, slot, &ev->local);
    else if (ev->kind == EV_UP && ev->local.port == TURN_PORT)
        s->port = ev->link;
    else if (ev->kind == EV_DATA && slot != TURN_NONE)
        on_peer(s, &s->table.slots[slot], ev);
    else if (ev->kind == EV_DATA && ev->link == s->port)
        on_message(s, &who, ev->data, ev->len);
    else if (ev->kind == EV_DOWN && slot != TURN_NONE)
        turn_table_remove(&s->table, slot);
}

static void on_connection(struct turn_server *s, const struct event *ev, uint32_t i)
{
    if (i == TURN_NONE)
        return;
    assert(s->connections[i].link == ev->link);
    if (ev->kind == EV_DATA)
        on_stream(s, i, ev);
    else if (ev->kind == EV_DOWN)
        disconnect(s, i, false);
}

void turn_server_event(void *self, const struct event *ev)
{
    struct turn_server *s = self;
    uint32_t slot =
        ev->tag - 1; /* of a relayed port, or of a connection; TURN_NONE without a tag */
    if (ev->kind == EV_TIMER)
        on_timer(s);
    else if (ev->kind == EV_START || ev->kind == EV_GO)
        return;
    else if (ev->link_kind == LINK_DATAGRAM)
        on_datagram_link(s, ev, slot);
    else if (ev->link_kind == LINK_BYTES && ev->kind == EV_UP)
        connected(s, ev);
    else if (ev->link_kind == LINK_BYTES)
        on_connection(s, ev, slot);
}

int turn_server_init(struct turn_server *s, const struct transport_setup *setup,
                     const struct turn_server_limits *limits, struct err *e)
{
    party_t match = setup->roster ? match_find(setup->roster) : PARTY_NONE;
    (void)e;
    s->setup = *setup;
    s->limits = limits;
    s->armed = -1;
    if (match < PARTY_NONE) {
        s->matchmaker = setup->roster->entries[match].addr;
        s->matchmaker.port = MATCH_PORT;
    }
    prng_bytes(&setup->env->rng, s->nonce_key, sizeof s->nonce_key);
    turn_table_init(&s->table, ALLOCATIONS);
    return OK;
}

void turn_server_free(void *self)
{
    struct turn_server *s = self;
    for (uint32_t i = 0; i < s->cap_connections; i++)
        turn_stream_free(&s->connections[i].stream);
    free(s->connections);
    turn_table_free(&s->table);
    sodium_memzero(s->nonce_key, sizeof s->nonce_key);
}
