#include "engine/channel/backlog.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/slab.h"

enum { FIRST_CAP = 128, STEP = 64 };

static size_t place(const struct backlog *q, size_t at)
{
    size_t i = (size_t)q->front + at;
    return i < q->cap ? i : i - q->cap;
}

static void copy_out(const struct backlog *q, size_t at, uint8_t *out, size_t len)
{
    size_t i = place(q, at), n = q->cap - i;
    if (n >= len) {
        memcpy(out, q->buf + i, len);
        return;
    }
    memcpy(out, q->buf + i, n);
    memcpy(out + n, q->buf, len - n);
}

static void append(struct backlog *q, const uint8_t *data, size_t len)
{
    size_t i, n;
    if (len == 0)
        return;
    i = place(q, q->used);
    n = q->cap - i;
    q->used += (uint32_t)len;
    if (n >= len) {
        memcpy(q->buf + i, data, len);
        return;
    }
    memcpy(q->buf + i, data, n);
    memcpy(q->buf, data + n, len - n);
}

void backlog_release(struct backlog *q, struct slab *slab)
{
    if (q->buf)
        sodium_memzero(q->buf, q->cap);
    slab_back(slab, q->buf, q->cap);
    q->buf = NULL;
    q->cap = q->front = 0;
}

int backlog_grow(struct backlog *q, size_t bytes, struct slab *slab)
{
    size_t need = q->used + bytes, cap = q->cap ? 2 * (size_t)q->cap : FIRST_CAP;
    uint8_t *buf;
    cap = cap > need ? cap : (need + STEP - 1) / STEP * STEP;
    buf = cap <= UINT32_MAX / 2 ? slab_lend(slab, cap) : NULL;
    if (!buf)
        return ERR_NOMEM;
    if (q->used)
        copy_out(q, 0, buf, q->used);
    backlog_release(q, slab);
    q->buf = buf;
    q->cap = (uint32_t)cap;
    return ERR_OK;
}

void backlog_push(struct backlog *q, uint8_t flags, const uint8_t *a, size_t a_len,
                  const uint8_t *b, size_t b_len)
{
    uint8_t header[BACKLOG_HEADER], *out;
    size_t len = a_len + b_len;
    assert(len <= BACKLOG_RECORD_MAX);
    assert(q->used + BACKLOG_HEADER + len <= q->cap);
    out = backlog_begin(q, flags, len);
    if (!out) {
        q->count++;
        put_le32(header, (uint32_t)len | (uint32_t)flags << 24);
        append(q, header, sizeof header);
        append(q, a, a_len);
        append(q, b, b_len);
        return;
    }
    if (a_len)
        memcpy(out, a, a_len);
    if (b_len)
        memcpy(out + a_len, b, b_len);
}

struct record backlog_peek_cut(const struct backlog *q, size_t at)
{
    uint8_t header[BACKLOG_HEADER];
    size_t i = place(q, at);
    uint32_t word;
    assert(at < q->used);
    if (q->cap - i < BACKLOG_HEADER) {
        copy_out(q, at, header, sizeof header);
        word = get_le32(header);
    } else {
        word = get_le32(q->buf + i);
    }
    return (struct record){.flags = (uint8_t)(word >> 24), .len = word & BACKLOG_RECORD_MAX};
}

void backlog_copy(const struct backlog *q, size_t at, uint8_t *out)
{
    size_t len = backlog_peek(q, at).len;
    if (len)
        copy_out(q, at + BACKLOG_HEADER, out, len);
}

void backlog_clear(struct backlog *q, struct slab *slab)
{
    backlog_release(q, slab);
    q->used = 0;
    q->count = 0;
}
