/* What a link has for its node: messages, whole, and the rest of its events. */
#include "engine/worlds/ns3/inner.h"

#include "engine/base/bytes.h"

/* The origin of what this end is being handed; it is not on its way any more. */
static struct ns3_origin arrived(struct ns3_end *end, size_t len)
{
    struct ns3_end *from = end->peer;
    struct ns3_origin origin = {.at = end->node->w->now, .sender = end->to};
    if (!from || !from->sent_n)
        return origin;
    origin = from->sent[from->sent_first].origin;
    while (len && from->sent_n) {
        struct ns3_sent *s = &from->sent[from->sent_first];
        size_t part = len < s->left ? len : s->left;
        s->left -= (uint32_t)part;
        len -= part;
        if (s->left)
            break;
        from->sent_first = (from->sent_first + 1) % from->sent_cap;
        from->sent_n--;
        from->sent_came -= from->sent_came > 0;
    }
    return origin;
}

/* The length of the first message in the buffer, with its frame; 0: it is not there yet. */
static size_t whole(const struct ns3_end *end)
{
    uint32_t len;
    if (end->kind == LINK_BYTES)
        return end->have < LINK_MESSAGE_MAX ? end->have : LINK_MESSAGE_MAX;
    if (end->have < LINK_FRAME)
        return 0;
    len = get_le32(end->buf);
    return end->have - LINK_FRAME >= len ? LINK_FRAME + len : 0;
}

static bool fill(struct ns3_end *end)
{
    size_t got;
    if (end->cap - end->have < READ_MAX) {
        size_t cap = end->have + READ_MAX + LINK_MESSAGE_MAX;
        uint8_t *buf = realloc(end->buf, cap);
        if (!buf) {
            ns3_break(end->node->w, ERR_NOMEM);
            return false;
        }
        end->buf = buf;
        end->cap = cap;
    }
    got = net_read(end->socket, end->buf + end->have, READ_MAX);
    end->have += got;
    end->got += got;
    return got > 0;
}

static bool framed_badly(const struct ns3_end *end)
{
    uint32_t len;
    if (end->kind == LINK_BYTES || end->have < LINK_FRAME)
        return false;
    len = get_le32(end->buf);
    return len == 0 || len > LINK_MESSAGE_MAX;
}

static void hand_down(struct ns3_end *end, enum down_reason why)
{
    struct event ev = {
        .kind = EV_DOWN, .link_kind = end->kind, .link = end->link, .tag = end->tag, .why = why};
    if (end->socket) {
        if (why == DOWN_TOO_BIG)
            net_reset(end->socket);
        else
            net_close(end->socket);
    }
    conn_release(end);
    host_give(end->node, end, NULL, &ev, why);
}

/* The first of the buffer; a copy, as the node may close the link, and the buffer with it. */
static void hand_message(struct ns3_end *end, size_t len)
{
    struct event ev = {.kind = EV_DATA, .link_kind = end->kind, .link = end->link, .tag = end->tag};
    size_t frame = end->kind == LINK_MESSAGE ? LINK_FRAME : 0;
    struct ns3_origin origin;
    uint8_t *copy = malloc(len);
    if (!copy) {
        ns3_break(end->node->w, ERR_NOMEM);
        return;
    }
    memcpy(copy, end->buf, len);
    end->have -= len;
    memmove(end->buf, end->buf + len, end->have);
    ev.data = copy + frame;
    ev.len = len - frame;
    origin = arrived(end, ev.len);
    host_give(end->node, end, &origin, &ev, ev.len);
    free(copy);
}

static bool hand_read(struct ns3_end *end)
{
    struct ns3_node *n = end->node;
    struct ns3 *w = n->w;
    uint32_t life = n->life;
    while (end->state == END_OPEN && n->life == life && !w->broken && w->n_done < w->n_parties) {
        size_t len = whole(end);
        if (n->busy_until > w->now || n->paused)
            return false;
        if (framed_badly(end)) {
            hand_down(end, DOWN_TOO_BIG);
        } else if (len == 0) {
            if (!fill(end))
                break;
        } else {
            hand_message(end, len);
        }
    }
    end->reading = false;
    return true;
}

bool hand_event(struct ns3_event *e)
{
    struct ns3_end *end = e->kind == TELL_DATAGRAM ? dgram_conn(e) : e->end;
    struct event ev = {0};
    uint64_t size = 0;
    if (!end || end->state == END_CLOSED) {
        if (e->kind == TELL_DATAGRAM)
            witness_drop(e->node->w, e->origin.sender, e->node->id, (uint32_t)e->len, DROP_REFUSED);
        return true;
    }
    if (e->kind == TELL_READ)
        return hand_read(end);
    if (e->kind == TELL_DOWN) {
        hand_down(end, (enum down_reason)e->number);
        return true;
    }
    ev.link = end->link;
    ev.tag = end->tag;
    ev.link_kind = end->kind;
    ev.local = end->local;
    ev.peer = end->remote;
    if (e->kind == TELL_UP) {
        ev.kind = EV_UP;
    } else if (e->kind == TELL_ROOM) {
        ev.kind = EV_ROOM;
        end->blocked = end->room = false;
    } else {
        ev.kind = EV_DATA;
        ev.data = e->data;
        ev.len = size = e->len;
        ev.peer = e->peer;
    }
    host_give(end->node, end, e->kind == TELL_DATAGRAM ? &e->origin : NULL, &ev, size);
    return true;
}
