/* What a stream sends. Messages of one turn of the loop leave together: they are gathered in a
 * batch for each link, and the batches are written before the loop waits again. */
#include "engine/worlds/uv/inner.h"

#include "engine/base/bytes.h"

enum { BATCH_FIRST = 2048, BATCH_MAX = 65536 };

/* Messages with their frames. */
struct uvbatch {
    uv_write_t request;
    struct uvlink *link;
    struct uvlink *next; /* of those with a batch */
    size_t len, cap;
    uint8_t bytes[];
};

size_t uvwrite_waiting(const struct uvlink *l)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&l->tcp) +
           (l->batch ? l->batch->len : 0);
}

static void on_written(uv_write_t *request, int status)
{
    struct uvbatch *b = request->data;
    struct uvlink *l = b->link;
    free(b);
    if (l->ended || l->state == LINK_CLOSING)
        return;
    if (status < 0) {
        uvstream_down(l, uvstream_reason(status));
    } else if (l->blocked && uvwrite_waiting(l) <= UVNODE_WINDOW / 2) {
        struct event ev = {.kind = EV_ROOM,
                           .link_kind = l->kind,
                           .link = l->id,
                           .tag = l->tag,
                           .local = l->local,
                           .peer = l->peer};
        l->blocked = false;
        uvnode_give(l->node, &ev);
    }
}

static struct uvbatch *take(struct uvlink *l)
{
    struct uvlink **at = &l->node->batches;
    struct uvbatch *b = l->batch;
    while (*at != l)
        at = &(*at)->batch->next;
    *at = b->next;
    l->batch = NULL;
    return b;
}

void uvwrite_forget(struct uvlink *l)
{
    if (l->batch)
        free(take(l));
}

void uvwrite_flush(struct uvlink *l)
{
    struct uvbatch *b = l->batch ? take(l) : NULL;
    uv_buf_t buf;
    int rc;
    if (!b)
        return;
    b->request.data = b;
    buf = uv_buf_init((char *)b->bytes, (unsigned)b->len);
    rc = uv_write(&b->request, (uv_stream_t *)&l->tcp, &buf, 1, on_written);
    if (rc == 0)
        return;
    free(b);
    if (l->state == LINK_OPEN)
        uvnode_later(l->node, EV_DOWN, l->id, uvstream_reason(rc));
}

static void on_turn(uv_prepare_t *turn)
{
    struct uvnode *n = turn->data;
    while (n->batches)
        uvwrite_flush(n->batches);
}

void uvwrite_init(struct uvnode *n)
{
    uv_prepare_init(n->setup.loop, &n->turn);
    n->turn.data = n;
    uv_prepare_start(&n->turn, on_turn);
    uv_unref((uv_handle_t *)&n->turn);
}

/* Room for n more bytes in the link's batch. */
static bool room(struct uvlink *l, size_t n)
{
    struct uvbatch *b = l->batch;
    size_t cap = b ? b->cap : BATCH_FIRST;
    if (b && b->len + n > BATCH_MAX) {
        uvwrite_flush(l);
        b = NULL;
        cap = BATCH_FIRST;
    }
    while (cap < (b ? b->len : 0) + n)
        cap *= 2;
    if (b && cap == b->cap)
        return true;
    b = realloc(b, sizeof *b + cap);
    if (!b)
        return false;
    if (!l->batch) {
        *b = (struct uvbatch){.link = l, .next = l->node->batches};
        l->node->batches = l;
    }
    b->cap = cap;
    l->batch = b;
    return true;
}

int uvstream_send(struct uvlink *l, const void *data, size_t len)
{
    size_t head = l->kind == LINK_MESSAGE ? LINK_FRAME : 0, waits;
    struct uvbatch *b;
    if (l->state != LINK_OPEN || l->ended)
        return ERR_CLOSED;
    if (len > LINK_MESSAGE_MAX)
        return ERR_TOO_BIG;
    if (len == 0)
        return ERR_INVALID;
    waits = uvwrite_waiting(l);
    if (waits && waits + len > UVNODE_WINDOW)
        l->blocked = true;
    if (l->blocked)
        return ERR_AGAIN;
    if (!room(l, head + len)) {
        l->blocked = waits > 0;
        return l->blocked ? ERR_AGAIN : ERR_CLOSED;
    }
    b = l->batch;
    if (head)
        put_le32(b->bytes + b->len, (uint32_t)len);
    memcpy(b->bytes + b->len + head, data, len);
    b->len += head + len;
    uvsight_out(l->node, &l->local, &l->peer, len, (uint32_t)(head + len));
    return OK;
}
