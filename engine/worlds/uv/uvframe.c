/* Messages out of a stream of bytes. */
#include "engine/worlds/uv/inner.h"

#include "engine/base/bytes.h"

bool uvframe_hand_over(struct uvlink *l, const uint8_t *data, size_t len)
{
    struct uvnode *n = l->node;
    struct event ev = {.kind = EV_DATA,
                       .link_kind = l->kind,
                       .link = l->id,
                       .tag = l->tag,
                       .local = l->local,
                       .peer = l->peer,
                       .data = data,
                       .len = len};
    uvnode_give(n, &ev);
    return !n->dead && !l->ended && l->state == LINK_OPEN;
}

/* Room grows with what has come, not with what a stranger says will come. */
static bool keep(struct uvlink *l, const uint8_t *data, size_t len)
{
    if (l->have + len > l->cap) {
        size_t cap = l->cap ? l->cap : 256;
        uint8_t *buf;
        while (cap < l->have + len)
            cap *= 2;
        buf = realloc(l->buf, cap);
        if (!buf)
            return false;
        l->buf = buf;
        l->cap = cap;
    }
    memcpy(l->buf + l->have, data, len);
    l->have += len;
    return true;
}

/* What is still missing of the message that begins there; 0: it is whole. */
static size_t missing(const uint8_t *data, size_t len, bool *bad)
{
    size_t want = LINK_FRAME;
    if (len >= LINK_FRAME) {
        uint32_t body = get_le32(data);
        *bad = body == 0 || body > LINK_MESSAGE_MAX;
        want += *bad ? 0 : body;
    }
    return want > len ? want - len : 0;
}

void uvframe_take(struct uvlink *l, const uint8_t *data, size_t len)
{
    bool bad = false;
    while (len && !bad) {
        size_t want, more;
        if (l->have == 0 && missing(data, len, &bad) == 0 && !bad) {
            size_t whole = LINK_FRAME + get_le32(data);
            if (!uvframe_hand_over(l, data + LINK_FRAME, whole - LINK_FRAME))
                return;
            data += whole;
            len -= whole;
            continue;
        }
        want = bad ? 0 : missing(l->have ? l->buf : data, l->have, &bad);
        more = want < len ? want : len;
        if (bad)
            break;
        if (!keep(l, data, more)) {
            uvstream_down(l, DOWN_LOCAL);
            return;
        }
        data += more;
        len -= more;
        if (missing(l->buf, l->have, &bad) == 0 && !bad) {
            size_t whole = l->have;
            l->have = 0;
            if (!uvframe_hand_over(l, l->buf + LINK_FRAME, whole - LINK_FRAME))
                return;
        }
    }
    if (bad) {
        metrics_drop(l->node->env.metrics, DROP_TRANSPORT_FORMAT);
        l->have = 0;
        uvstream_down(l, DOWN_TOO_BIG);
    } else if (l->have == 0) {
        free(l->buf);
        l->buf = NULL;
        l->cap = 0;
    }
}
