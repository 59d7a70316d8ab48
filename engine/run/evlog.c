#include "engine/run/evlog.h"

#include "engine/base/bytes.h"
#include "engine/run/evlog_inner.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zlib.h>

struct evlog_writer {
    uint64_t n, hash;
    uint8_t *packed; /* EVLOG_EVENTS * EVLOG_EVENT_MAX bytes at most */
    size_t len, cap;
    party_t node; /* of the event before */
    uint64_t at;
    uint32_t step, n_marks;
    bool broken;
    struct evlog_mark marks[EVLOG_MARKS];
};

struct evlog_writer *evlog_writer_new(void)
{
    struct evlog_writer *w = calloc(1, sizeof *w);
    if (w) {
        w->step = EVLOG_STEP;
        w->node = PARTY_NONE;
    }
    return w;
}

void evlog_writer_free(struct evlog_writer *w)
{
    if (w)
        free(w->packed);
    free(w);
}

uint64_t evlog_taken(const struct evlog_writer *w)
{
    return w->n;
}

static uint8_t *put_number(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static bool make_room(struct evlog_writer *w, size_t more)
{
    size_t cap = 2 * w->cap + more;
    uint8_t *grown;
    if (w->cap - w->len >= more)
        return true;
    grown = realloc(w->packed, cap);
    if (!grown)
        return false;
    w->packed = grown;
    w->cap = cap;
    return true;
}

static void keep(struct evlog_writer *w, const uint8_t *record, party_t peer)
{
    uint64_t at = get_le64(record), size = get_le64(record + 24);
    uint32_t link = get_le32(record + 8);
    party_t node = get_le32(record + 12);
    uint8_t *p = w->packed + w->len;
    *p++ = (uint8_t)(get_le32(record + 16) | (node == w->node ? EVLOG_SAME : 0) |
                     (link ? EVLOG_LINK : 0) | (size ? EVLOG_SIZE : 0) |
                     (peer != PARTY_NONE ? EVLOG_PEER : 0));
    p = put_number(p, at - w->at);
    if (node != w->node)
        p = put_number(p, node);
    if (link)
        p = put_number(p, link);
    if (size)
        p = put_number(p, size);
    if (peer != PARTY_NONE)
        p = put_number(p, peer);
    w->len = (size_t)(p - w->packed);
    w->at = at;
    w->node = node;
}

static void mark(struct evlog_writer *w, uint64_t at)
{
    if (w->n_marks == EVLOG_MARKS) {
        for (uint32_t i = 1; i < EVLOG_MARKS; i += 2)
            w->marks[i / 2] = w->marks[i];
        w->n_marks = EVLOG_MARKS / 2;
        w->step *= 2;
    }
    if (w->n % w->step == 0)
        w->marks[w->n_marks++] = (struct evlog_mark){(ns_t)at, w->hash};
}

void evlog_take(void *ctx, const uint8_t *records, const party_t *peers, size_t n)
{
    struct evlog_writer *w = ctx;
    if (n == 0)
        return;
    if (w->n < EVLOG_EVENTS) {
        size_t some = n < EVLOG_EVENTS - w->n ? n : (size_t)(EVLOG_EVENTS - w->n);
        if (!make_room(w, some * EVLOG_EVENT_MAX)) {
            w->broken = true;
            return;
        }
        for (size_t i = 0; i < some; i++)
            keep(w, records + i * TRACE_RECORD, peers[i]);
    }
    w->hash = XXH3_64bits_withSeed(records, n * TRACE_RECORD, w->hash);
    w->n += n;
    if (w->n % EVLOG_STEP == 0)
        mark(w, get_le64(records + (n - 1) * TRACE_RECORD));
}

static int deflate_all(const struct evlog_writer *w, uint8_t *to, size_t *len)
{
    z_stream z = {.next_in = w->packed, .avail_in = (uInt)w->len, .next_out = to};
    int rc;
    z.avail_out = (uInt)*len;
    if (deflateInit(&z, Z_BEST_SPEED) != Z_OK)
        return ERR_NOMEM;
    rc = deflate(&z, Z_FINISH);
    *len = z.total_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END ? OK : ERR_NOMEM;
}

int evlog_pack(const struct evlog_writer *w, uint64_t digest, uint8_t **out, size_t *len)
{
    size_t marks = (size_t)w->n_marks * EVLOG_MARK, room = compressBound((uLong)w->len) + 64;
    uint8_t *p = w->broken ? NULL : malloc(EVLOG_HEAD + marks + room);
    if (!p)
        return ERR_NOMEM;
    memcpy(p, EVLOG_MAGIC, 8);
    put_le64(p + 8, digest);
    put_le64(p + 16, w->n);
    put_le32(p + 24, w->step);
    put_le32(p + 28, w->n_marks);
    put_le32(p + 32, (uint32_t)(w->n < EVLOG_EVENTS ? w->n : EVLOG_EVENTS));
    put_le32(p + 36, (uint32_t)w->len);
    for (uint32_t i = 0; i < w->n_marks; i++) {
        put_le64(p + EVLOG_HEAD + i * EVLOG_MARK, (uint64_t)w->marks[i].at);
        put_le64(p + EVLOG_HEAD + i * EVLOG_MARK + 8, w->marks[i].hash);
    }
    if (deflate_all(w, p + EVLOG_HEAD + marks, &room) != OK) {
        free(p);
        return ERR_NOMEM;
    }
    *out = p;
    *len = EVLOG_HEAD + marks + room;
    return OK;
}
