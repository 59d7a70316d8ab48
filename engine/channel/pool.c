#include <sodium.h>
#include <stdlib.h>

#include "engine/channel/inside.h"

/* One who owes room(), in the order in which they were refused. */
struct waiting {
    struct waiting *next;
    struct channel *channel;
    size_t wanted; /* bytes refused */
};

/* Notes that c was refused `bytes`. */
static int wait_for(struct channel *c, size_t bytes)
{
    struct channel_node *n = c->node;
    struct waiting *w = n->waiting_first;
    while (c->waiting && w->channel != c)
        w = w->next;
    if (!c->waiting) {
        w = slab_lend(n->env->slab, sizeof *w);
        if (!w)
            return ERR_NOMEM;
        *w = (struct waiting){.channel = c};
        *(n->waiting_first ? &n->waiting_last->next : &n->waiting_first) = w;
        n->waiting_last = w;
        c->waiting = true;
    }
    w->wanted = bytes;
    return ERR_AGAIN;
}

void pool_unwait(struct channel *c)
{
    struct channel_node *n = c->node;
    struct waiting *w = n->waiting_first, *before = NULL;
    if (!c->waiting)
        return;
    for (; w->channel != c; w = w->next)
        before = w;
    *(before ? &before->next : &n->waiting_first) = w->next;
    if (n->waiting_last == w)
        n->waiting_last = before;
    slab_back(n->env->slab, w, sizeof *w);
    c->waiting = false;
}

static void wake(struct channel *c)
{
    pool_unwait(c);
    c->node->up->room(c->node->node, c->peer);
}

void pool_wake(struct channel *c)
{
    struct channel_node *n = c->node;
    if (c->waiting && c->queue.count == 0)
        wake(c);
    while (n->waiting_first && pool_admits(n->waiting_first->channel, n->waiting_first->wanted))
        wake(n->waiting_first->channel);
}

/* Pushes bytes at .. at + len of head || body. */
static void push(struct channel *c, uint8_t flags, size_t at, size_t len, const uint8_t *head,
                 size_t head_len, const uint8_t *body)
{
    size_t from_head = at < head_len ? head_len - at : 0, n = from_head < len ? from_head : len;
    uint8_t *out = backlog_push(&c->queue, flags, len);
    if (n)
        memcpy(out, head + at, n);
    if (len > n)
        memcpy(out + n, body + (at + n - head_len), len - n);
}

int pool_put(struct channel *c, size_t max, const uint8_t *head, size_t head_len,
             const uint8_t *body, size_t body_len)
{
    size_t len = head_len + body_len, records = len > max ? (len + max - 1) / max : 1;
    size_t bytes = len + records * BACKLOG_HEADER;
    if (!pool_admits(c, bytes))
        return wait_for(c, bytes);
    if (backlog_reserve(&c->queue, bytes, c->node->env->slab))
        return ERR_NOMEM;
    for (size_t i = 0; i < records; i++) {
        size_t at = i * max;
        bool more = i + 1 < records;
        push(c, (uint8_t)((i ? 0 : FRAME_FIRST) | (more ? FRAME_MORE : 0)), at,
             more ? max : len - at, head, head_len, body);
    }
    c->node->pool_used += bytes;
    return ERR_OK;
}

static void free_part(struct channel *c, struct part *part)
{
    c->node->pool_used -= part->cap;
    sodium_memzero(part->data, part->len);
    free(part);
}

void pool_forget_part(struct channel *c)
{
    if (!c->parted)
        return;
    free_part(c, c->part);
    c->part = NULL;
    c->parted = false;
}

static int grow_part(struct channel *c, size_t need)
{
    struct part *old = c->parted ? c->part : NULL, *part;
    size_t cap = old ? old->cap : 0;
    if (need <= cap)
        return ERR_OK;
    cap = 2 * cap > need ? 2 * cap : need;
    if (cap > CHANNEL_MESSAGE_MAX)
        cap = CHANNEL_MESSAGE_MAX;
    part = malloc(sizeof *part + cap);
    if (!part)
        return ERR_NOMEM;
    part->cap = cap;
    part->len = old ? old->len : 0;
    if (old)
        memcpy(part->data, old->data, old->len);
    pool_forget_part(c);
    c->node->pool_used += cap;
    c->part = part;
    c->parted = true;
    return ERR_OK;
}

int pool_join(struct channel *c, const uint8_t *data, size_t len)
{
    size_t had = c->parted ? c->part->len : 0;
    if (len == 0)
        return ERR_OK;
    if (len > CHANNEL_MESSAGE_MAX - had)
        return ERR_TOO_BIG;
    if (grow_part(c, had + len))
        return ERR_NOMEM;
    memcpy(c->part->data + had, data, len);
    c->part->len += len;
    return ERR_OK;
}

void pool_deliver(struct channel *c)
{
    struct part *part = c->part;
    c->part = NULL;
    c->parted = false;
    c->node->up->deliver(c->node->node, c->peer, part->data, part->len);
    free_part(c, part);
}

void pool_clear(struct channel *c)
{
    pool_forget_part(c);
    c->node->pool_used -= c->queue.used;
    backlog_clear(&c->queue, c->node->env->slab);
}
