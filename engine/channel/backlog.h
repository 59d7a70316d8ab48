/* A queue of records in one ring of bytes: what a channel keeps until it is acknowledged
 * (or, with channel: none, until the transport takes it).
 *
 * A record is one fragment of a message: at most BACKLOG_RECORD_MAX bytes and a flag byte
 * that the queue does not interpret. Records are pushed at the back, popped at the front,
 * and read at any place in between: `at` is a distance from the front in bytes, 0 for the
 * oldest record, and grows by backlog_size() from record to record.
 *
 * Memory grows by doubling, at most to 2 GiB, and is given back when the queue runs empty: it comes
 * from the slab that each call that may need it names (NULL: malloc), always the same one. It
 * holds plaintext: whatever is given back is wiped first.
 */
#ifndef PARTYLINE_CHANNEL_BACKLOG_H
#define PARTYLINE_CHANNEL_BACKLOG_H

#include "engine/base/bytes.h"

#include <stddef.h>
#include <stdint.h>

struct slab; /* engine/base/slab.h */

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
};

/* Makes room for `bytes` more (BACKLOG_HEADER and the data of each record). OK, ERR_NOMEM. */
int backlog_grow(struct backlog *q, size_t bytes, struct slab *);
static inline int backlog_reserve(struct backlog *q, size_t bytes, struct slab *slab)
{
    return q->used + bytes <= q->cap ? 0 : backlog_grow(q, bytes, slab);
}
/* Appends a || b as one record; the room is reserved. */
void backlog_push(struct backlog *q, uint8_t flags, const uint8_t *a, size_t a_len,
                  const uint8_t *b, size_t b_len);

struct record backlog_peek_cut(const struct backlog *q, size_t at);
static inline struct record backlog_peek(const struct backlog *q, size_t at)
{
    size_t i = q->front + at;
    uint32_t word;
    if (i + BACKLOG_HEADER > q->cap)
        return backlog_peek_cut(q, at);
    word = get_le32(q->buf + i);
    return (struct record){.flags = (uint8_t)(word >> 24), .len = word & BACKLOG_RECORD_MAX};
}
/* The data of the record at `at`. */
void backlog_copy(const struct backlog *q, size_t at, uint8_t *out);
/* Bytes that a record takes. */
static inline size_t backlog_size(struct record r)
{
    return BACKLOG_HEADER + r.len;
}

/* Appends a record of `len` bytes that the caller writes, where they lie in one piece: the room is
 * reserved. NULL, and nothing done: they would not, use backlog_push. */
static inline uint8_t *backlog_begin(struct backlog *q, uint8_t flags, size_t len)
{
    size_t i = (size_t)q->front + q->used;
    uint8_t *out;
    if (i >= q->cap)
        i -= q->cap;
    if (q->cap - i < BACKLOG_HEADER + len)
        return NULL;
    out = q->buf + i;
    put_le32(out, (uint32_t)len | (uint32_t)flags << 24);
    q->used += (uint32_t)(BACKLOG_HEADER + len);
    q->count++;
    return out + BACKLOG_HEADER;
}

/* Wipes and gives back the memory of a queue that is empty. */
void backlog_release(struct backlog *q, struct slab *);
/* Removes the oldest record. Returns the bytes that it took. */
static inline size_t backlog_pop(struct backlog *q, struct slab *slab)
{
    size_t size = backlog_size(backlog_peek(q, 0));
    q->used -= (uint32_t)size;
    q->count--;
    if (q->used == 0) {
        backlog_release(q, slab);
        return size;
    }
    q->front += (uint32_t)size;
    if (q->front >= q->cap)
        q->front -= q->cap;
    return size;
}
/* Empties the queue and frees its memory. It can be used again. */
void backlog_clear(struct backlog *q, struct slab *);

#endif
