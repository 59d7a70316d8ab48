#include "engine/channel/backlog.h"

#include <sodium.h>
#include <string.h>

#include "engine/base/err.h"

static __attribute__((noinline)) void give_back_any(struct slab *slab, uint8_t *buf, size_t cap)
{
    sodium_memzero(buf, cap);
    slab_back(slab, buf, cap);
}

/* What is small is wiped here at less than the cost of a call of sodium_memzero, which ends with
 * the same word to the compiler: somebody may look at this memory. */
static void give_back(struct slab *slab, uint8_t *buf, size_t cap)
{
    if (!slab || cap > SLAB_FINE) {
        give_back_any(slab, buf, cap);
        return;
    }
    for (size_t i = 0; i < cap; i += SLAB_STEP)
        memset(buf + i, 0, SLAB_STEP);
    __asm__ __volatile__("" : : "r"(buf) : "memory");
    slab_give(slab, buf, slab_class(cap));
}

void backlog_clear(struct backlog *q, struct slab *slab)
{
    struct backlog old = *q;
    *q = (struct backlog){0};
    if (old.cap)
        give_back(slab, old.buf, old.cap);
}

static size_t rounded(size_t bytes)
{
    return (bytes + SLAB_STEP - 1) / SLAB_STEP * SLAB_STEP;
}

/* The queue in another piece of memory, or, if it had none, its first. */
static int move(struct backlog *q, size_t cap, struct slab *slab)
{
    uint8_t *buf = cap <= UINT32_MAX / 2 ? slab_lend(slab, cap) : NULL;
    if (!buf)
        return ERR_NOMEM;
    if (q->cap) {
        memcpy(buf, q->buf + q->front, q->used);
        give_back(slab, q->buf, q->cap);
    }
    q->buf = buf;
    q->cap = (uint32_t)cap;
    q->front = 0;
    return ERR_OK;
}

int backlog_grow(struct backlog *q, size_t bytes, struct slab *slab)
{
    size_t need = q->used + bytes, cap = 2 * (size_t)q->cap;
    if (q->used > q->cap / 2 || need > q->cap)
        return move(q, cap > need ? cap : rounded(need), slab);
    memmove(q->buf, q->buf + q->front, q->used);
    q->front = 0;
    return ERR_OK;
}
