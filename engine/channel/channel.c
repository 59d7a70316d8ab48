#include "engine/channel/channel.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/slab.h"
#include "engine/channel/inside.h"

struct channel *channel_new(struct channel_node *n, party_t peer)
{
    struct channel *c;
    assert(n->max_frame >= CHANNEL_FRAME_MIN && peer < n->roster->n && peer != n->self);
    assert(n->mode == CHANNEL_NONE || (n->identity && n->roster->identities));
    c = slab_lend(n->env->slab, sizeof *c);
    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->node = n;
    c->peer = peer;
    c->modelled = n->identity && n->identity->modelled;
    c->report = REPORT_NONE;
    return c;
}

void channel_free(struct channel *c)
{
    struct slab *slab;
    if (!c)
        return;
    slab = c->node->env->slab;
    shake_end(c);
    pool_unwait(c);
    pool_clear(c);
    if (c->failed)
        free(c->why);
    sodium_memzero(c, sizeof *c);
    slab_back(slab, c, sizeof *c);
}

void channel_report(struct channel *c, enum peer_state state)
{
    if (c->report == state && state != PEER_RESTARTED)
        return;
    c->report = (state == PEER_RESTARTED ? PEER_UP : state) & 3;
    c->node->up->state(c->node->node, c->peer, state);
}

void channel_fail(struct channel *c, int code, const char *why)
{
    if (c->failed)
        return;
    sealed_reset(c);
    pool_unwait(c);
    c->failed = true;
    c->why = malloc(strlen(why) + 1);
    if (c->why)
        memcpy(c->why, why, strlen(why) + 1);
    c->node->up->failed(c->node->node, c->peer, code, why);
}

void channel_flush(struct channel *c)
{
    if (c->node->mode == CHANNEL_NONE)
        plain_flush(c);
    else
        sealed_flush(c);
}

void channel_transport_up(struct channel *c, bool first)
{
    if (c->transport_up)
        channel_transport_down(c);
    c->transport_up = true;
    c->lost = false;
    c->tries = 0;
    if (c->node->mode == CHANNEL_NONE) {
        plain_up(c);
    } else {
        sealed_deadline(c);
        if (first)
            shake_begin(c);
    }
    channel_flush(c);
    pool_notify(c);
}

void channel_transport_down(struct channel *c)
{
    if (!c->transport_up)
        return;
    c->transport_up = c->blocked = false;
    if (c->live)
        session_wipe(&c->session);
    c->live = false;
    shake_end(c);
    c->due = 0;
    if (c->node->mode == CHANNEL_NONE)
        plain_down(c);
    if (c->report != REPORT_NONE && c->report != PEER_LOST && !c->failed)
        channel_report(c, PEER_DOWN);
    pool_notify(c);
}

void channel_receive(struct channel *c, const uint8_t *data, size_t len)
{
    if (c->live && len && data[0] == FRAME_KIND_SEALED)
        sealed_receive(c, data, len); /* as almost always */
    else if (!c->transport_up)
        channel_drop(c, DROP_CHANNEL_STATE);
    else if (c->node->mode == CHANNEL_NONE)
        plain_receive(c, data, len);
    else if (len && data[0] == FRAME_KIND_SEALED)
        sealed_receive(c, data, len);
    else if (len && data[0] == FRAME_KIND_1)
        shake_receive_1(c, data, len);
    else if (len && data[0] == FRAME_KIND_2)
        shake_receive_2(c, data, len);
    else
        channel_drop(c, DROP_CHANNEL_FORMAT);
    if (c->due || !c->armed || c->sent != c->queue.count)
        channel_flush(c);
    pool_notify(c);
}

int channel_send(struct channel *c, const void *head, size_t head_len, const void *body,
                 size_t body_len)
{
    return c->node->mode == CHANNEL_NONE ? plain_send(c, head, head_len, body, body_len)
                                         : sealed_send(c, head, head_len, body, body_len);
}

int channel_queue(struct channel *c, const void *head, size_t head_len, const void *body,
                  size_t body_len)
{
    size_t max = c->node->max_frame < LINK_MESSAGE_MAX ? c->node->max_frame : LINK_MESSAGE_MAX;
    int code;
    if (c->failed)
        return ERR_CLOSED;
    if (head_len > CHANNEL_MESSAGE_MAX || body_len > CHANNEL_MESSAGE_MAX - head_len)
        return ERR_TOO_BIG;
    max -= c->node->mode == CHANNEL_NONE ? (size_t)FRAME_PLAIN_HEADER : (size_t)FRAME_DATA_OVERHEAD;
    code = pool_put(c, max, head, head_len, body, body_len);
    if (!code)
        channel_flush(c);
    return code;
}

void channel_room(struct channel *c)
{
    c->blocked = false;
    channel_flush(c);
    pool_notify(c);
}

void channel_timer(struct channel *c)
{
    if (!c->armed)
        return;
    c->armed = false;
    sealed_timer(c);
    channel_flush(c);
    pool_notify(c);
}

void channel_expect_kept(const struct channel *c)
{
    fetch(c->queue.buf, 2);
}

enum channel_state channel_state(const struct channel *c)
{
    if (c->failed)
        return CHANNEL_FAILED;
    if (!c->transport_up || c->lost)
        return CHANNEL_DOWN;
    return c->live || c->node->mode == CHANNEL_NONE ? CHANNEL_UP : CHANNEL_SHAKING;
}

bool channel_idle(const struct channel *c)
{
    return c->queue.count == 0;
}

const char *channel_describe(const struct channel *c, char *buf, size_t cap)
{
    static const char *const states[] = {"down", "shaking hands", "up", "failed"};
    unsigned sent = c->node->mode == CHANNEL_NONE ? 0 : c->sent, waiting = c->queue.count - sent;
    char unacknowledged[48] = "", unsent[48] = "";
    const char *why = c->failed ? c->why : NULL;
    if (sent)
        snprintf(unacknowledged, sizeof unacknowledged, ", %u frames unacknowledged", sent);
    if (waiting)
        snprintf(unsent, sizeof unsent, ", %u frames not sent yet", waiting);
    snprintf(buf, cap, "%s%s%s%s%s", c->lost ? "down, no answer" : states[channel_state(c)],
             why ? ": " : "", why ? why : "", unacknowledged, unsent);
    return buf;
}
