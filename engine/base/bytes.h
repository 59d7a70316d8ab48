/* Little-endian integers in byte strings, and bounded cursors over them.
 *
 * A reader or writer that would pass its end sets `bad` and does nothing more:
 * check `bad` once, at the end. A reader lends, a writer copies.
 * Everything that Partyline puts on a wire is little-endian unless a foreign
 * format says otherwise.
 */
#ifndef PARTYLINE_BASE_BYTES_H
#define PARTYLINE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* As the machine has them; on all that are little-endian these are single instructions. */
static inline uint16_t swap_le16(uint16_t v)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap16(v);
}
static inline uint32_t swap_le32(uint32_t v)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap32(v);
}
static inline uint64_t swap_le64(uint64_t v)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap64(v);
}
static inline void put_le16(uint8_t *p, uint16_t v)
{
    v = swap_le16(v);
    memcpy(p, &v, sizeof v);
}
static inline void put_le32(uint8_t *p, uint32_t v)
{
    v = swap_le32(v);
    memcpy(p, &v, sizeof v);
}
static inline void put_le64(uint8_t *p, uint64_t v)
{
    v = swap_le64(v);
    memcpy(p, &v, sizeof v);
}
static inline uint16_t get_le16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return swap_le16(v);
}
static inline uint32_t get_le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return swap_le32(v);
}
static inline uint64_t get_le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return swap_le64(v);
}

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static inline struct reader reader_of(const void *data, size_t len)
{
    return (struct reader){.at = data, .left = len, .bad = false};
}
/* n lent bytes, or NULL and bad. */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
    const uint8_t *p = r->at;
    if (r->bad || r->left < n) {
        r->bad = true;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return p;
}
static inline uint8_t read_u8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? *p : 0;
}
static inline uint16_t read_u16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? get_le16(p) : 0;
}
static inline uint32_t read_u32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? get_le32(p) : 0;
}
static inline uint64_t read_u64(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    return p ? get_le64(p) : 0;
}

struct writer {
    uint8_t *start;
    size_t len, cap;
    bool bad;
};

static inline struct writer writer_of(void *buf, size_t cap)
{
    return (struct writer){.start = buf, .len = 0, .cap = cap, .bad = false};
}
/* Room for n bytes, taken; or NULL and bad. */
static inline uint8_t *write_room(struct writer *w, size_t n)
{
    uint8_t *p;
    if (w->bad || w->cap - w->len < n) {
        w->bad = true;
        return NULL;
    }
    p = w->start + w->len;
    w->len += n;
    return p;
}
static inline void write_bytes(struct writer *w, const void *data, size_t n)
{
    uint8_t *p = write_room(w, n);
    if (p && n)
        memcpy(p, data, n);
}
static inline void write_u8(struct writer *w, uint8_t v)
{
    write_bytes(w, &v, 1);
}
static inline void write_u16(struct writer *w, uint16_t v)
{
    uint8_t *p = write_room(w, 2);
    if (p)
        put_le16(p, v);
}
static inline void write_u32(struct writer *w, uint32_t v)
{
    uint8_t *p = write_room(w, 4);
    if (p)
        put_le32(p, v);
}
static inline void write_u64(struct writer *w, uint64_t v)
{
    uint8_t *p = write_room(w, 8);
    if (p)
        put_le64(p, v);
}

#endif
