/* What a TURN client hears. */
#include "transports/turn_client_inner.h"

#include <string.h>

#define BINDING_LIFE (240 * NS_S)
#define REFRESH_BEFORE (60 * NS_S)

static uint32_t peer_at(const struct turn_client *c, const struct addr *from)
{
    for (uint32_t i = 0; i < c->setup.n_peers; i++)
        if (c->peers[i].wanted && addr_equal(&c->peers[i].addr, from))
            return i;
    return PARTY_NONE;
}

static uint32_t peer_on(const struct turn_client *c, uint16_t channel)
{
    uint32_t i = map_get(&c->by_channel, channel, PARTY_NONE);
    if (i != PARTY_NONE && c->peers[i].wanted && c->peers[i].channel == channel)
        return i;
    for (i = 0; i < c->setup.n_peers; i++)
        if (c->peers[i].wanted && c->peers[i].channel == channel)
            return i;
    return PARTY_NONE;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static bool copy_text(char out[STUN_TEXT], const char *text)
{
    size_t n = text ? strlen(text) : STUN_TEXT;
    if (n >= STUN_TEXT)
        return false;
    memcpy(out, text, n + 1);
    return true;
}

static void challenged(struct turn_client *c, const struct stun_packet *m)
{
    uint32_t life = c->life;
    if (!copy_text(c->realm, m->realm) || !copy_text(c->nonce, m->nonce)) {
        turn_client_lose(c, 401, DOWN_LOCAL);
        return;
    }
    if (c->setup.ops->challenged)
        c->setup.ops->challenged(c->setup.ctx);
    if (c->life != life)
        return;
    stun_key(c->key, c->setup.username, c->realm, c->setup.password);
    c->has_key = true;
    turn_client_allocate(c);
}

static void redirected(struct turn_client *c, const struct stun_packet *m)
{
    uint8_t hops = c->hops;
    if (!(m->has & STUN_HAS_ALTERNATE) || hops == TURN_CLIENT_HOPS ||
        addr_equal(&c->server, &m->alternate)) {
        turn_client_lose(c, 300, DOWN_REFUSED);
        return;
    }
    turn_client_reset(c);
    c->server = m->alternate;
    c->hops = (uint8_t)(hops + 1);
    turn_client_connect(c);
}

static void main_failed(struct turn_client *c, const struct stun_packet *m)
{
    uint16_t name = c->main.name;
    bool bye = c->main.bye;
    if (m->code == 401 && !c->main.signed_) {
        challenged(c, m);
    } else if (m->code == 300 && name == STUN_ALLOCATE) {
        redirected(c, m);
    } else if (m->code == 437 && name == STUN_ALLOCATE && !c->cleared) {
        c->cleared = true;
        turn_client_refresh(c, true);
    } else if (bye && c->state == TURN_CLIENT_ALLOCATING) {
        turn_client_allocate(c);
    } else {
        turn_client_lose(c, bye ? 0 : m->code, bye ? DOWN_LOCAL : DOWN_REFUSED);
    }
}

static void set_lifetime(struct turn_client *c, const struct stun_packet *m)
{
    ns_t life = (m->has & STUN_HAS_LIFETIME ? m->lifetime : TURN_LIFETIME) * NS_S;
    c->lifetime = m->lifetime;
    c->refresh =
        c->setup.env->now + (life > 2 * REFRESH_BEFORE ? life - REFRESH_BEFORE : life / 2 + 1);
    turn_client_arm(c, c->refresh);
}

static void main_done(struct turn_client *c, const struct stun_packet *m)
{
    uint16_t name = c->main.name;
    bool bye = c->main.bye;
    turn_request_forget(&c->main);
    if (name == STUN_REFRESH && bye) {
        if (c->state == TURN_CLIENT_ALLOCATING)
            turn_client_allocate(c);
        else
            turn_client_lose(c, 0, DOWN_LOCAL);
    } else if (name == STUN_REFRESH) {
        set_lifetime(c, m);
    } else if (!(m->has & STUN_HAS_RELAYED) || !(m->has & STUN_HAS_MAPPED)) {
        turn_client_drop(c, DROP_TRANSPORT_FORMAT);
        turn_client_lose(c, 0, DOWN_REFUSED);
    } else {
        c->state = TURN_CLIENT_UP;
        c->relayed = m->relayed;
        c->mapped = m->mapped;
        set_lifetime(c, m);
        c->setup.ops->up(c->setup.ctx, &c->relayed, &c->mapped);
    }
}

static void peer_answered(struct turn_client *c, uint32_t i, const struct stun_packet *m)
{
    struct turn_peer *p = &c->peers[i];
    bool was_bound = p->bound;
    turn_request_forget(&p->request);
    if (m->kind == STUN_SUCCESS) {
        p->bound = true;
        p->refresh = c->setup.env->now + BINDING_LIFE;
        turn_client_arm(c, p->refresh);
        if (!was_bound)
            c->setup.ops->bound(c->setup.ctx, i);
    } else if (m->code == 400 || m->code == 401 || m->code == 437 || m->code == 441) {
        turn_client_lose(c, m->code, DOWN_REFUSED);
    } else {
        turn_client_unbind(c, i);
        c->setup.ops->refused(c->setup.ctx, i, m->code);
    }
}

/* May this answer stand without a signature? */
static bool unsigned_ok(const struct turn_request *r, const struct stun_packet *m)
{
    if (!r->signed_)
        return true;
    return m->kind == STUN_ERROR &&
           (m->code == 400 || m->code == 401 || m->code == 437 || m->code == 438 || m->code == 441);
}

static struct turn_request *request_of(struct turn_client *c, const struct stun_packet *m,
                                       uint32_t *peer)
{
    if (c->main.bytes && memcmp(c->main.tid, m->tid, STUN_TID) == 0)
        return &c->main;
    for (*peer = 0; *peer < c->setup.n_peers; ++*peer)
        if (c->peers[*peer].request.bytes &&
            memcmp(c->peers[*peer].request.tid, m->tid, STUN_TID) == 0)
            return &c->peers[*peer].request;
    return NULL;
}

static void answered(struct turn_client *c, const struct stun_packet *m)
{
    uint32_t peer = 0;
    struct turn_request *r = request_of(c, m, &peer);
    bool good = r && r->name == m->name && (m->kind == STUN_SUCCESS || m->code >= 300);
    if (!good || (!unsigned_ok(r, m) && !stun_signed_with(m, c->key))) {
        if (r) /* else it is an answer to an earlier sending */
            turn_client_drop(c, DROP_TRANSPORT_STRANGER);
        return;
    }
    if (m->kind == STUN_ERROR && m->code == 438 && r->stale < TURN_CLIENT_RETRIES &&
        copy_text(c->nonce, m->nonce)) {
        r->stale++;
        turn_client_again(c, r);
    } else if (r != &c->main) {
        peer_answered(c, peer, m);
    } else if (m->kind == STUN_SUCCESS) {
        main_done(c, m);
    } else {
        main_failed(c, m);
    }
}

static void indicated(struct turn_client *c, const struct stun_packet *m)
{
    uint32_t peer;
    if (m->name != STUN_DATA || m->n_peers != 1 || (!m->data && !(m->has & STUN_HAS_ICMP))) {
        turn_client_drop(c, DROP_TRANSPORT_FORMAT);
        return;
    }
    peer = peer_at(c, &m->peers[0]);
    if (m->data)
        c->setup.ops->data(c->setup.ctx, peer, &m->peers[0], m->data, m->len);
    else if (peer != PARTY_NONE && c->setup.ops->icmp)
        c->setup.ops->icmp(c->setup.ctx, peer, m->icmp_type, m->icmp_code);
}

void turn_client_message(struct turn_client *c, const uint8_t *data, size_t len)
{
    struct stun_packet m;
    const uint8_t *body;
    size_t body_len;
    uint16_t channel = turn_channel_read(data, len, &body, &body_len);
    uint32_t peer;
    if (channel) {
        peer = peer_on(c, channel);
        if (peer == PARTY_NONE) {
            turn_client_drop(c, DROP_TRANSPORT_STRANGER);
            return;
        }
        c->asked = NS_NEVER;
        c->setup.ops->data(c->setup.ctx, peer, &c->peers[peer].addr, body, body_len);
        return;
    }
    if (stun_read(&m, data, len) != OK) {
        turn_client_drop(c, DROP_TRANSPORT_FORMAT);
        return;
    }
    c->asked = NS_NEVER;
    if (m.n_unknown) /* required, and not understood: of no use (RFC 8489, 6.3) */
        turn_client_drop(c, DROP_TRANSPORT_FORMAT);
    else if (m.kind == STUN_SUCCESS || m.kind == STUN_ERROR)
        answered(c, &m);
    else if (m.kind == STUN_INDICATION && c->state == TURN_CLIENT_UP)
        indicated(c, &m);
    else
        turn_client_drop(c, DROP_TRANSPORT_FORMAT);
    stun_drop(&m);
}
