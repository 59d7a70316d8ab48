#include "engine/channel/inside.h"

/* Here `expected` is the next number of the peer's link-up, and `sent` of ours. */

void plain_up(struct channel *c)
{
    c->link_up.own++;
    c->sent = 0;
    channel_report(c, PEER_UP);
}

/* What was cut in the middle is lost: the rest of it, here or at the other side. */
void plain_down(struct channel *c)
{
    bool cut = c->parted;
    pool_forget_part(c);
    while (c->queue.count && !(backlog_peek(&c->queue, 0).flags & FRAME_FIRST)) {
        pool_pop(c);
        cut = true;
    }
    if (cut)
        channel_report(c, PEER_LOST);
}

static size_t begin(const struct channel *c, uint8_t *out, uint8_t flags)
{
    struct frame_plain f = {.flags = flags,
                            .incarnation = (uint8_t)c->node->env->incarnation,
                            .link_up = c->link_up.own,
                            .number = c->sent};
    frame_plain_put(out, &f);
    return FRAME_PLAIN_HEADER;
}

int plain_send(struct channel *c, const void *head, size_t head_len, const void *body,
               size_t body_len)
{
    enum { SMALL = 2048 };
    uint8_t buf[FRAME_PLAIN_HEADER + SMALL];
    size_t at, len = FRAME_PLAIN_HEADER + head_len + body_len;
    if (head_len > SMALL || body_len > SMALL - head_len || len > c->node->max_frame ||
        !c->transport_up || c->blocked || c->queue.count)
        return channel_queue(c, head, head_len, body, body_len);
    at = begin(c, buf, FRAME_FIRST);
    if (head_len)
        memcpy(buf + at, head, head_len);
    if (body_len)
        memcpy(buf + at + head_len, body, body_len);
    if (!channel_emit(c, buf, len))
        return channel_queue(c, head, head_len, body, body_len);
    c->sent++;
    return ERR_OK;
}

static void put_record(struct channel *c)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    struct record r = backlog_peek(&c->queue, 0);
    size_t at = begin(c, buf, r.flags);
    memcpy(buf + at, r.data, r.len);
    if (channel_emit(c, buf, at + r.len)) {
        c->sent++;
        pool_pop(c);
    }
}

void plain_flush(struct channel *c)
{
    while (c->transport_up && !c->blocked && c->queue.count)
        put_record(c);
}

/* Whose life and link-up this is. False: of an earlier link-up. */
static bool place(struct channel *c, const struct frame_plain *f)
{
    bool restarted = c->met && f->incarnation != (uint8_t)c->peer_incarnation;
    if (c->met && !restarted && f->link_up == c->link_up.peer)
        return true;
    if (c->met && !restarted && (int8_t)(f->link_up - c->link_up.peer) < 0)
        return false;
    c->met = true;
    c->peer_incarnation = f->incarnation;
    c->link_up.peer = f->link_up;
    c->expected = 0;
    if (restarted) {
        pool_forget_part(c);
        channel_report(c, PEER_RESTARTED);
    } else if (c->parted) {
        pool_forget_part(c);
        channel_report(c, PEER_LOST);
    }
    return true;
}

/* In order as it came; what is missing stays missing. False: seen before. */
static bool number(struct channel *c, const struct frame_plain *f)
{
    int32_t ahead = (int32_t)(f->number - (uint32_t)c->expected);
    if (ahead < 0)
        return false;
    c->expected = f->number + UINT32_C(1);
    if (ahead > 0) {
        pool_forget_part(c);
        channel_report(c, PEER_LOST);
    }
    return true;
}

static void join(struct channel *c, const struct frame_plain *f, const uint8_t *data, size_t len)
{
    if (pool_join(c, data, len)) {
        channel_drop(c, DROP_CHANNEL_LIMIT);
        pool_forget_part(c);
        channel_report(c, PEER_LOST);
    } else if (!(f->flags & FRAME_MORE)) {
        pool_deliver(c);
    }
}

void plain_receive(struct channel *c, const uint8_t *frame, size_t len)
{
    struct frame_plain f;
    bool first;
    if (frame_plain_parse(&f, frame, len)) {
        channel_drop(c, DROP_CHANNEL_FORMAT);
        return;
    }
    if (!place(c, &f) || !number(c, &f)) {
        channel_drop(c, DROP_CHANNEL_REPLAY);
        return;
    }
    first = f.flags & FRAME_FIRST;
    frame += FRAME_PLAIN_HEADER;
    len -= FRAME_PLAIN_HEADER;
    if (first == c->parted) {
        channel_drop(c, DROP_CHANNEL_GAP); /* a beginning, or an end, is missing */
        pool_forget_part(c);
    } else if (f.flags == FRAME_FIRST) {
        c->node->up->deliver(c->node->node, c->peer, frame, len);
    } else {
        join(c, &f, frame, len);
    }
}
