/* Receiving: out-of-order bytes wait in a window, whole messages leave it. */
#include "transports/reliable_inner.h"

#include "engine/base/bytes.h"

#include <stdlib.h>

enum { STRETCH_KEPT = 65536, ACK_FIXED = 29, RANGE = 8 };

/* ---- stretches ---------------------------------------------------------------------------- */

int stretch_room(struct reliable_stretch *s, size_t n, size_t most)
{
    size_t need = s->len + n, cap = s->cap ? s->cap : 2048;
    uint8_t *data;
    if (s->start + need <= s->cap)
        return OK;
    if (s->len)
        memmove(s->data, s->data + s->start, s->len);
    s->start = 0;
    while (cap < 2 * need && cap < 2 * most)
        cap *= 2;
    if (cap <= s->cap)
        return OK;
    data = realloc(s->data, cap);
    if (!data)
        return need <= s->cap ? OK : ERR_NOMEM;
    s->data = data;
    s->cap = cap;
    return OK;
}

void stretch_clear(struct reliable_stretch *s)
{
    s->start = s->len = 0;
    s->base = 0;
}

void stretch_drop(struct reliable_stretch *s, size_t n)
{
    s->start += n;
    s->len -= n;
    s->base += n;
    if (s->len)
        return;
    s->start = 0;
    if (s->cap > STRETCH_KEPT) {
        free(s->data);
        s->data = NULL;
        s->cap = 0;
    }
}

/* ---- ranges ------------------------------------------------------------------------------- */

void in_begin(struct reliable *r)
{
    stretch_clear(&r->in);
    r->next = r->largest = 0;
    r->n_ranges = r->latest_range = r->unacked = r->duplicates = 0;
    r->ack_at = NS_NEVER;
}

/* The first range that ends at `offset` or behind it. */
static uint32_t range_at(const struct reliable *r, uint64_t offset)
{
    uint32_t low = 0, high = r->n_ranges;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (r->ranges[mid].to < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int ranges_grow(struct reliable *r)
{
    uint32_t cap = r->ranges_cap ? 2 * r->ranges_cap : 8;
    struct reliable_range *ranges;
    if (r->n_ranges < r->ranges_cap)
        return OK;
    if (r->n_ranges >= r->setup.segments)
        return ERR_LIMIT;
    ranges = realloc(r->ranges, cap * sizeof *ranges);
    if (!ranges)
        return ERR_NOMEM;
    r->ranges = ranges;
    r->ranges_cap = cap;
    return OK;
}

static void ranges_cut(struct reliable *r, uint32_t at, uint32_t n)
{
    r->n_ranges -= n;
    memmove(r->ranges + at, r->ranges + at + n, (r->n_ranges - at) * sizeof *r->ranges);
}

/* Adds from .. to, which lies beyond `next`. */
static int ranges_add(struct reliable *r, uint64_t from, uint64_t to)
{
    uint32_t at = range_at(r, from), end = at;
    int rc;
    if (at == r->n_ranges || r->ranges[at].from > to) {
        if ((rc = ranges_grow(r)) != OK)
            return rc;
        memmove(r->ranges + at + 1, r->ranges + at, (r->n_ranges - at) * sizeof *r->ranges);
        r->ranges[at] = (struct reliable_range){from, to};
        r->n_ranges++;
    } else {
        while (end < r->n_ranges && r->ranges[end].from <= to)
            end++;
        if (from < r->ranges[at].from)
            r->ranges[at].from = from;
        if (to < r->ranges[end - 1].to)
            to = r->ranges[end - 1].to;
        r->ranges[at].to = to;
        ranges_cut(r, at + 1, end - at - 1);
    }
    r->latest_range = at;
    return OK;
}

static bool in_vain(const struct reliable *r, uint64_t from, uint64_t to)
{
    uint32_t at;
    if (to <= r->next)
        return true;
    at = range_at(r, to);
    return at < r->n_ranges && r->ranges[at].from <= from && to <= r->ranges[at].to;
}

static int place(struct reliable *r, uint64_t from, const uint8_t *data, size_t len)
{
    size_t end = (size_t)(from - r->in.base) + len;
    if (end > r->in.len) {
        if (stretch_room(&r->in, end - r->in.len, r->setup.window) != OK)
            return ERR_NOMEM;
    }
    if (from > r->next) {
        int rc = ranges_add(r, from, from + len);
        if (rc != OK)
            return rc;
    }
    if (end > r->in.len)
        r->in.len = end;
    memcpy(r->in.data + r->in.start + (size_t)(from - r->in.base), data, len);
    return OK;
}

int in_segment(struct reliable *r, ns_t now, uint64_t offset, const uint8_t *data, size_t len)
{
    uint64_t to = offset + len, right = r->in.base + r->setup.window;
    bool disordered = r->n_ranges > 0;
    int rc;
    if (to < offset || to > right) {
        r->counts.beyond++;
        return ERR_LIMIT;
    }
    r->unacked++;
    if (in_vain(r, offset, to)) {
        r->counts.duplicates++;
        r->duplicates++;
        r->ack_at = now;
        return OK;
    }
    if (offset < r->next) {
        data += r->next - offset;
        len -= (size_t)(r->next - offset);
        offset = r->next;
    }
    if ((rc = place(r, offset, data, len)) != OK) {
        r->counts.beyond++;
        return rc;
    }
    if (offset == r->next) {
        r->next = to;
        while (r->n_ranges && r->ranges[0].from <= r->next) {
            if (r->ranges[0].to > r->next)
                r->next = r->ranges[0].to;
            ranges_cut(r, 0, 1);
        }
    }
    if (disordered || r->n_ranges || r->unacked >= r->setup.ack_every)
        r->ack_at = now;
    else if (r->ack_at > now + r->setup.ack_delay)
        r->ack_at = now + r->setup.ack_delay;
    return OK;
}

void in_note(struct reliable *r, ns_t now, uint64_t transmission)
{
    if (transmission <= r->largest)
        return;
    r->largest = transmission;
    r->largest_at = now;
}

int in_deliver(struct reliable *r)
{
    uint32_t life = r->life;
    for (;;) {
        size_t whole = (size_t)(r->next - r->in.base), len;
        const uint8_t *at;
        if (whole < RELIABLE_FRAME)
            return OK;
        at = r->in.data + r->in.start;
        len = get_le32(at);
        if (len == 0 || len > r->setup.message_max)
            return ERR_TOO_BIG;
        if (whole < RELIABLE_FRAME + len)
            return OK;
        r->setup.ops->deliver(r->setup.ctx, at + RELIABLE_FRAME, len);
        if (r->life != life)
            return ERR_CLOSED;
        stretch_drop(&r->in, RELIABLE_FRAME + len);
    }
}

/* ---- acknowledging ------------------------------------------------------------------------ */

static void write_range(const struct reliable *r, struct writer *w, uint32_t i)
{
    write_u32(w, (uint32_t)(r->ranges[i].from - r->next));
    write_u32(w, (uint32_t)(r->ranges[i].to - r->ranges[i].from));
}

size_t in_ack(const struct reliable *r, ns_t now, uint8_t *out, size_t room)
{
    struct writer w = writer_of(out, room);
    uint64_t delay = r->largest ? (uint64_t)(now - r->largest_at) / 1000 : 0;
    size_t fit = (room - ACK_FIXED) / RANGE;
    uint32_t n = r->n_ranges;
    if (n > RELIABLE_RANGES)
        n = RELIABLE_RANGES;
    if (n > fit)
        n = (uint32_t)fit;
    write_u64(&w, r->largest);
    write_u32(&w, delay < UINT32_MAX ? (uint32_t)delay : UINT32_MAX);
    write_u32(&w, r->duplicates);
    write_u64(&w, r->next);
    write_u32(&w, (uint32_t)(r->in.base + r->setup.window - r->next));
    write_u8(&w, (uint8_t)n);
    /* What the latest segment belongs to, and the lowest ones. */
    if (n && r->latest_range >= n && r->latest_range < r->n_ranges) {
        write_range(r, &w, r->latest_range);
        n--;
    }
    for (uint32_t i = 0; i < n; i++)
        write_range(r, &w, i);
    return w.len;
}
