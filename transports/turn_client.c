#include "transports/turn_client_inner.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

/* ---- beginning and ending ---------------------------------------------------------------------
 */

int turn_client_init(struct turn_client *c, const struct turn_client_setup *s, struct err *e)
{
    *c = (struct turn_client){.setup = *s, .asked = NS_NEVER, .armed = -1};
    if (strlen(s->username) >= STUN_TEXT || strlen(s->password) >= STUN_TEXT)
        return err_set(e, ERR_INVALID, "a TURN user name or password of %d bytes or more",
                       STUN_TEXT);
    if (s->n_peers == 0)
        return OK;
    c->peers = calloc(s->n_peers, sizeof *c->peers);
    return c->peers ? OK : err_set(e, ERR_NOMEM, "no memory for %u peers", s->n_peers);
}

void turn_client_reset(struct turn_client *c)
{
    struct env *env = c->setup.env;
    c->life++;
    if (c->link)
        env->ops->close(env, c->link);
    c->link = 0;
    c->state = TURN_CLIENT_IDLE;
    turn_stream_free(&c->stream);
    turn_request_forget(&c->main);
    for (uint32_t i = 0; i < c->setup.n_peers; i++) {
        turn_request_forget(&c->peers[i].request);
        c->peers[i].bound = c->peers[i].wanted = false;
        c->peers[i].channel = 0;
    }
    c->has_key = c->cleared = false;
    c->asked = NS_NEVER;
}

void turn_client_lose(struct turn_client *c, uint16_t code, enum down_reason why)
{
    turn_client_reset(c);
    c->setup.ops->down(c->setup.ctx, code, why);
}

void turn_client_connect(struct turn_client *c)
{
    struct env *env = c->setup.env;
    enum link_kind kind = c->setup.stream ? LINK_BYTES : LINK_DATAGRAM;
    c->state = TURN_CLIENT_CONNECTING;
    if (env->ops->open(env, kind, c->server, &c->link) != OK) {
        c->link = 0;
        turn_client_give_up(c);
    }
}

void turn_client_open(struct turn_client *c)
{
    assert(c->state == TURN_CLIENT_IDLE);
    c->life++;
    c->server = c->setup.server;
    c->hops = 0;
    c->next_channel = TURN_CHANNEL_FIRST;
    turn_client_connect(c);
}

void turn_client_close(struct turn_client *c)
{
    turn_client_reset(c);
}

void turn_client_bye(struct turn_client *c)
{
    if (c->state == TURN_CLIENT_UP)
        turn_client_refresh(c, true);
}

void turn_client_free(struct turn_client *c)
{
    for (uint32_t i = 0; c->peers && i < c->setup.n_peers; i++)
        free(c->peers[i].request.bytes);
    free(c->peers);
    free(c->main.bytes);
    map_free(&c->by_channel);
    turn_stream_free(&c->stream);
    sodium_memzero(c->key, sizeof c->key);
    c->peers = NULL;
    c->main.bytes = NULL;
}

/* ---- peers ------------------------------------------------------------------------------------
 */

/* A channel stays with its address as long as the server remembers (RFC 8656, 12): another
 * address takes another channel. */
void turn_client_bind(struct turn_client *c, uint32_t i, const struct addr *addr)
{
    struct turn_peer *p = &c->peers[i];
    if (c->state != TURN_CLIENT_UP || (p->wanted && addr_equal(&p->addr, addr)))
        return;
    turn_request_forget(&p->request);
    p->bound = false;
    p->wanted = true;
    p->addr = *addr;
    p->channel = c->next_channel;
    map_put(&c->by_channel, p->channel, i); /* without memory it is looked for */
    c->next_channel =
        c->next_channel == TURN_CHANNEL_LAST ? TURN_CHANNEL_FIRST : c->next_channel + 1;
    turn_client_ask(c, i);
}

void turn_client_unbind(struct turn_client *c, uint32_t i)
{
    struct turn_peer *p = &c->peers[i];
    turn_request_forget(&p->request);
    p->bound = p->wanted = false;
    p->channel = 0;
}

static size_t write_indication(const struct turn_peer *p, struct prng *rng, const void *data,
                               size_t len, uint8_t out[TURN_MESSAGE_MAX])
{
    struct stun_packet m = {.kind = STUN_INDICATION,
                            .name = STUN_SEND,
                            .peers = {p->addr},
                            .n_peers = 1,
                            .data = data,
                            .len = len};
    prng_bytes(rng, m.tid, STUN_TID);
    return stun_write(&m, NULL, out, TURN_MESSAGE_MAX);
}

int turn_client_send(struct turn_client *c, uint32_t i, const void *data, size_t len)
{
    struct env *env = c->setup.env;
    const struct turn_peer *p = &c->peers[i];
    uint8_t out[TURN_MESSAGE_MAX];
    size_t n;
    if (!p->bound)
        return ERR_CLOSED;
    n = c->setup.indications ? write_indication(p, &env->rng, data, len, out)
                             : turn_channel_write(p->channel, data, len, c->setup.stream, out);
    if (n == 0)
        return ERR_TOO_BIG;
    if (c->asked == NS_NEVER) {
        c->asked = env->now;
        turn_client_arm(c, c->asked + TURN_CLIENT_PROBE); /* for the rest it is armed */
    }
    return env->ops->send(env, c->link, out, n);
}

/* ---- events -----------------------------------------------------------------------------------
 */

static void on_stream(struct turn_client *c, const struct event *ev)
{
    const uint8_t *message;
    size_t len;
    uint32_t life = c->life;
    int rc = turn_stream_add(&c->stream, ev->data, ev->len);
    while (rc == OK) {
        rc = turn_stream_next(&c->stream, &message, &len);
        if (rc == OK)
            turn_client_message(c, message, len);
        if (c->life != life)
            return;
    }
    if (rc == ERR_AGAIN)
        return;
    turn_client_drop(c, DROP_TRANSPORT_FORMAT);
    turn_client_lose(c, 0, DOWN_LOCAL);
}

/* Sends again or gives up. False: the client is down. */
static bool overdue(struct turn_client *c, struct turn_request *r)
{
    if (!c->setup.stream && r->sends < TURN_CLIENT_SENDS) {
        turn_request_send(c, r);
        return true;
    }
    turn_client_lose(c, 0, c->main.bye ? DOWN_LOCAL : DOWN_TIMEOUT);
    return false;
}

static void on_timer(struct turn_client *c)
{
    ns_t now = c->setup.env->now;
    if (c->state == TURN_CLIENT_IDLE)
        return;
    if (c->state == TURN_CLIENT_CONNECTING) {
        if (!c->link)
            turn_client_lose(c, 0, DOWN_UNREACHABLE);
        return;
    }
    if (c->main.bytes && c->main.at <= now && !overdue(c, &c->main))
        return;
    if (!c->main.bytes && c->state == TURN_CLIENT_UP &&
        (c->refresh <= now || (c->asked != NS_NEVER && c->asked + TURN_CLIENT_PROBE <= now)))
        turn_client_refresh(c, false);
    for (uint32_t i = 0; i < c->setup.n_peers; i++) {
        struct turn_peer *p = &c->peers[i];
        if (p->request.bytes && p->request.at <= now && !overdue(c, &p->request))
            return;
        if (!p->request.bytes && p->bound && p->refresh <= now)
            turn_client_ask(c, i);
    }
    turn_client_arm(c, turn_client_due(c));
}

bool turn_client_event(struct turn_client *c, const struct event *ev)
{
    if (ev->kind == EV_TIMER) {
        if (ev->timer != c->setup.timer)
            return false;
        on_timer(c);
        return true;
    }
    if (!c->link || ev->link != c->link || ev->kind == EV_START || ev->kind == EV_GO)
        return false;
    if (ev->kind == EV_UP) {
        turn_client_allocate(c);
    } else if (ev->kind == EV_DATA && c->setup.stream) {
        on_stream(c, ev);
    } else if (ev->kind == EV_DATA) {
        turn_client_message(c, ev->data, ev->len);
    } else if (ev->kind == EV_DOWN) {
        c->link = 0;
        turn_client_lose(c, 0, ev->why);
    }
    return true;
}
