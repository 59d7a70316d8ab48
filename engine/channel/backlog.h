/* A queue of records in one piece of memory: what a channel keeps until it is acknowledged
 * (or, with channel: none, until the transport takes it).
 *
 * A record is one fragment of a message: at most BACKLOG_RECORD_MAX bytes and a flag byte
 * that the queue does not interpret. Records are pushed at the back, popped at the front,
 * and read at any place in between: `at` is a distance from the front in bytes, 0 for the
 * oldest record, and grows by backlog_size() from record to record.
 *
 * Memory is what the first record takes; at its end, the records move to its beginning if they
 * fill less than half of it, else it doubles, to 2 GiB at most. It is given back when the queue
 * runs empty. It comes from the slab that each call that may need it names (NULL: malloc), always
 * the same one. It holds plaintext: whatever is given back is wiped first.
 */
#ifndef PARTYLINE_CHANNEL_BACKLOG_H
#define PARTYLINE_CHANNEL_BACKLOG_H

#include "engine/base/bytes.h"
#include "engine/base/slab.h"

#include <stddef.h>
#include <stdint.h>

enum { BACKLOG_RECORD_MAX = (1 << 24) - 1, BACKLOG_HEADER = 4 };

struct backlog {
    uint8_t *buf;
    uint32_t cap, front; /* bytes; where the oldest record begins */
    uint32_t used;       /* bytes of all records, their headers included */
    uint32_t count;      /* records */
};

struct record {
    uint8_t flags;
    size_t len;
    const uint8_t *data; /* lent, until the queue changes */
};

/* Makes room for `bytes` more (BACKLOG_HEADER and the data of each record). OK, ERR_NOMEM. */
int backlog_grow(struct backlog *q, size_t bytes, struct slab *);
static inline int backlog_reserve(struct backlog *q, size_t bytes, struct slab *slab)
{
    return (size_t)q->front + q->used + bytes <= q->cap ? 0 : backlog_grow(q, bytes, slab);
}
/* Appends a record of `len` bytes, which the caller writes; the room is reserved. */
static inline uint8_t *backlog_push(struct backlog *q, uint8_t flags, size_t len)
{
    uint8_t *out = q->buf + q->front + q->used;
    put_le32(out, (uint32_t)len | (uint32_t)flags << 24);
    q->used += (uint32_t)(BACKLOG_HEADER + len);
    q->count++;
    return out + BACKLOG_HEADER;
}

static inline struct record backlog_peek(const struct backlog *q, size_t at)
{
    const uint8_t *p = q->buf + q->front + at;
    uint32_t word = get_le32(p);
    return (struct record){.flags = (uint8_t)(word >> 24),
                           .len = word & BACKLOG_RECORD_MAX,
                           .data = p + BACKLOG_HEADER};
}
/* Bytes that a record takes. */
static inline size_t backlog_size(struct record r)
{
    return BACKLOG_HEADER + r.len;
}

/* Empties the queue, wipes and gives back its memory. It can be used again. */
void backlog_clear(struct backlog *q, struct slab *);
/* Removes the oldest record. Returns the bytes that it took. */
static inline size_t backlog_pop(struct backlog *q, struct slab *slab)
{
    size_t size = q->used;
    if (q->count == 1) {
        backlog_clear(q, slab);
        return size;
    }
    size = backlog_size(backlog_peek(q, 0));
    q->front += (uint32_t)size;
    q->used -= (uint32_t)size;
    q->count--;
    return size;
}

#endif
