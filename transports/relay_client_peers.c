/* The client's frames: what goes to the relay, and what it says of whom. */
#include "transports/relay_client_inner.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { WATCH_MAX = (NOISELINK_MAX - 1) / 4 };

/* ---- sending -------------------------------------------------------------------------- */

/* False: not taken; or the link is over, which EV_DOWN will tell. */
static bool put(struct relay_client *c, uint8_t *buf, size_t len)
{
    if (c->full)
        return false;
    c->full = noiselink_send(&c->home, &c->self, buf, len) != OK;
    if (!c->full)
        c->said = c->setup.env->now;
    return !c->full;
}

bool relay_client_put(struct relay_client *c, enum relay_frame kind)
{
    uint8_t buf[1 + NOISE_TAG] = {(uint8_t)kind};
    return put(c, buf, 1);
}

static bool watch(struct relay_client *c)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    uint32_t n = c->setup.n_peers - c->watched;
    if (n > WATCH_MAX)
        n = WATCH_MAX;
    buf[0] = RELAY_WATCH;
    for (uint32_t i = 0; i < n; i++)
        put_le32(buf + 1 + i * 4, c->setup.peers[c->watched + i]);
    if (!put(c, buf, 1 + n * 4))
        return false;
    for (uint32_t i = 0; i < n && !c->self.identity; i++) /* the link's hello has named us */
        env_show(c->setup.env, &(struct shown){.kind = SHOWN_PAIR,
                                               .whom = c->setup.self,
                                               .other = c->setup.peers[c->watched + i],
                                               .in_clear = true});
    c->watched += n;
    return true;
}

void relay_client_settle(struct relay_client *c)
{
    if (c->stage != RELAY_CLIENT_OPEN)
        return;
    while (!c->full && c->watched < c->setup.n_peers)
        watch(c);
    if (c->pong && relay_client_put(c, RELAY_PONG))
        c->pong = false;
}

int relay_client_send(void *self, party_t to, const void *data, size_t len)
{
    struct relay_client *c = self;
    uint32_t i = transport_peer(&c->setup, to);
    uint8_t buf[LINK_MESSAGE_MAX];
    struct relay_peer *p;
    int rc = ERR_AGAIN;
    if (i == PARTY_NONE || !c->peers[i].up)
        return ERR_CLOSED;
    if (len == 0 || len > RELAY_MESSAGE_MAX)
        return ERR_TOO_BIG;
    p = &c->peers[i];
    if (p->credit > 0 && !c->full) {
        buf[0] = RELAY_SEND;
        put_le32(buf + 1, to);
        memcpy(buf + RELAY_HEADER, data, len);
        rc = noiselink_send(&c->home, &c->self, buf, RELAY_HEADER + len);
        c->full = rc == ERR_AGAIN;
    }
    if (rc == OK) {
        c->said = c->setup.env->now;
        p->credit -= (int64_t)len + RELAY_COST;
    } else if (rc == ERR_AGAIN && !p->blocked) {
        p->blocked = true;
        c->n_blocked++;
    }
    return rc == OK || rc == ERR_AGAIN ? rc : ERR_CLOSED;
}

static void unblock(struct relay_client *c, uint32_t i)
{
    struct relay_peer *p = &c->peers[i];
    if (!p->blocked || p->credit <= 0 || c->full)
        return;
    p->blocked = false;
    c->n_blocked--;
    c->setup.up->room(c->setup.node, c->setup.peers[i]);
}

/* The link takes data again: in turn, so that the first peers do not have it all. */
void relay_client_room(struct relay_client *c)
{
    uint32_t n = c->setup.n_peers;
    c->full = noiselink_room(&c->home, &c->self) == ERR_AGAIN;
    relay_client_settle(c);
    for (uint32_t k = 0; k < n && c->n_blocked && !c->full; k++) {
        uint32_t i = c->turn % n;
        c->turn = i + 1;
        unblock(c, i);
    }
}

/* ---- what the relay says -------------------------------------------------------------- */

static void on_recv(struct relay_client *c, const uint8_t *frame, size_t len)
{
    uint32_t i = len > RELAY_HEADER ? transport_peer(&c->setup, get_le32(frame + 1)) : PARTY_NONE;
    if (len <= RELAY_HEADER)
        relay_client_drop(c, DROP_TRANSPORT_FORMAT);
    else if (i == PARTY_NONE || !c->peers[i].up)
        relay_client_drop(c, DROP_TRANSPORT_STRANGER);
    else
        c->setup.up->deliver(c->setup.node, c->setup.peers[i], frame + RELAY_HEADER,
                             len - RELAY_HEADER);
}

static void peer_gone(struct relay_client *c, uint32_t i)
{
    struct relay_peer *p = &c->peers[i];
    bool was_up = p->up;
    c->n_blocked -= p->blocked;
    *p = (struct relay_peer){0};
    if (was_up)
        c->setup.up->peer_down(c->setup.node, c->setup.peers[i], DOWN_CLOSED);
}

static void peer_here(struct relay_client *c, uint32_t i)
{
    peer_gone(c, i);
    c->peers[i].up = true;
    c->peers[i].credit = relay_client_opts(c)->window;
    c->setup.up->peer_up(c->setup.node, c->setup.peers[i], c->setup.self < c->setup.peers[i]);
}

static void peer_credit(struct relay_client *c, uint32_t i, uint32_t bytes)
{
    struct relay_peer *p = &c->peers[i];
    p->credit += bytes;
    if (p->credit > relay_client_opts(c)->window)
        p->credit = relay_client_opts(c)->window;
    if (p->up)
        unblock(c, i);
}

static void on_list(struct relay_client *c, const uint8_t *frame, size_t len)
{
    size_t size = frame[0] == RELAY_CREDIT ? 8 : 4;
    if (len == 1 || (len - 1) % size) {
        relay_client_drop(c, DROP_TRANSPORT_FORMAT);
        return;
    }
    for (size_t at = 1; at < len; at += size) {
        uint32_t i = transport_peer(&c->setup, get_le32(frame + at));
        if (i == PARTY_NONE)
            relay_client_drop(c, DROP_TRANSPORT_STRANGER);
        else if (frame[0] == RELAY_HERE)
            peer_here(c, i);
        else if (frame[0] == RELAY_GONE)
            peer_gone(c, i);
        else
            peer_credit(c, i, get_le32(frame + at + 4));
    }
}

void relay_client_frame(struct relay_client *c, const uint8_t *frame, size_t len)
{
    switch (frame[0]) {
    case RELAY_RECV:
        on_recv(c, frame, len);
        break;
    case RELAY_HERE:
    case RELAY_GONE:
    case RELAY_CREDIT:
        on_list(c, frame, len);
        break;
    case RELAY_PING:
        c->pong = true;
        relay_client_settle(c);
        break;
    case RELAY_PONG:
        break;
    default:
        relay_client_drop(c, DROP_TRANSPORT_FORMAT);
    }
}
