/* Sending: segments are cut from the stream when they leave. */
#include "transports/reliable_inner.h"

#include "engine/base/bytes.h"

#include <assert.h>
#include <stdlib.h>

enum {
    NUMBER = 8,     /* a transmission number */
    ACK_SMALL = 61, /* an acknowledgement with few ranges travels with a segment */
    ACK_BARE = 29,
    RING_FIRST = 16
};

void out_begin(struct reliable *r, ns_t now)
{
    size_t first = r->setup.initial_window * r->setup.datagram_max;
    stretch_clear(&r->out);
    r->ring_at = r->ring_n = 0;
    r->next_offset = r->transmission = r->ping = 0;
    r->limit = r->setup.window < first ? r->setup.window : first;
    r->elicit_at = r->pace_at = now;
    r->asked_at = r->rto_from = NS_NEVER;
    r->refused = false;
    loss_begin(r);
}

static struct writer begin(const struct reliable *r, uint8_t *datagram, uint8_t flags, uint64_t to)
{
    struct writer w = writer_of(datagram, r->setup.datagram_max);
    write_u8(&w, (uint8_t)(RELIABLE_VERSION << 4 | flags));
    write_u64(&w, to);
    write_u64(&w, r->token);
    return w;
}

static void output(struct reliable *r, const struct writer *w)
{
    assert(!w->bad);
    r->counts.sent++;
    r->setup.ops->output(r->setup.ctx, w->start, w->len);
}

void out_bare(struct reliable *r, uint8_t flags, uint64_t to)
{
    uint8_t datagram[RELIABLE_HEADER];
    struct writer w = begin(r, datagram, flags, to);
    output(r, &w);
}

static void write_ack(struct reliable *r, ns_t now, struct writer *w, size_t most)
{
    size_t room = w->cap - w->len;
    w->len += in_ack(r, now, w->start + w->len, room < most ? room : most);
    r->unacked = 0;
    r->ack_at = NS_NEVER;
}

void out_ack(struct reliable *r, ns_t now)
{
    uint8_t datagram[RELIABLE_DATAGRAM_MAX];
    struct writer w = begin(r, datagram, RELIABLE_ACK, r->peer);
    write_ack(r, now, &w, SIZE_MAX);
    output(r, &w);
}

static void asked(struct reliable *r, ns_t now)
{
    r->elicit_at = now;
    if (r->asked_at == NS_NEVER)
        r->asked_at = now;
    if (r->rto_from == NS_NEVER)
        r->rto_from = now;
}

void out_ping(struct reliable *r, ns_t now)
{
    uint8_t datagram[RELIABLE_DATAGRAM_MAX];
    struct writer w = begin(r, datagram, RELIABLE_PING | RELIABLE_ACK, r->peer);
    write_ack(r, now, &w, w.cap - w.len - NUMBER);
    write_u64(&w, ++r->transmission);
    r->ping = r->transmission;
    r->ping_at = now;
    asked(r, now);
    output(r, &w);
}

/* ---- segments ----------------------------------------------------------------------------- */

static void pace(struct reliable *r, ns_t now, size_t bytes)
{
    uint64_t window = r->cwnd < r->ssthresh ? 2 * r->cwnd : r->cwnd + r->cwnd / 4;
    if (r->pace_at < now)
        r->pace_at = now;
    if (r->setup.pace)
        r->pace_at += (ns_t)((uint64_t)r->srtt / window * bytes +
                             (uint64_t)r->srtt % window * bytes / window);
}

static void emit(struct reliable *r, ns_t now, struct reliable_segment *s)
{
    uint8_t datagram[RELIABLE_DATAGRAM_MAX];
    size_t spare = r->setup.datagram_max - RELIABLE_DATA_HEADER - s->len;
    bool ack = r->unacked && spare >= ACK_BARE;
    struct writer w =
        begin(r, datagram, (uint8_t)(RELIABLE_DATA | (ack ? RELIABLE_ACK : 0)), r->peer);
    if (ack)
        write_ack(r, now, &w, spare < ACK_SMALL ? spare : ACK_SMALL);
    s->transmission = ++r->transmission;
    s->sent_at = now;
    s->lost = false;
    r->in_flight += loss_cost(s);
    write_u64(&w, s->transmission);
    write_u64(&w, s->offset);
    write_bytes(&w, r->out.data + r->out.start + (size_t)(s->offset - r->out.base), s->len);
    pace(r, now, w.len);
    asked(r, now);
    output(r, &w);
}

static bool ring_grow(struct reliable *r)
{
    uint32_t cap = r->ring_cap ? 2 * r->ring_cap : RING_FIRST;
    struct reliable_segment *ring;
    if (r->ring_n < r->ring_cap)
        return r->ring_n < r->setup.segments;
    if (r->ring_n >= r->setup.segments || !(ring = malloc(cap * sizeof *ring)))
        return false;
    for (uint32_t i = 0; i < r->ring_n; i++)
        ring[i] = *loss_segment(r, i);
    free(r->ring);
    r->ring = ring;
    r->ring_at = 0;
    r->ring_cap = cap;
    return true;
}

/* Cuts the next segment, if there is something to cut. */
static struct reliable_segment *cut(struct reliable *r)
{
    size_t most = r->setup.datagram_max - RELIABLE_DATA_HEADER - (r->unacked ? ACK_SMALL : 0);
    uint64_t end = r->out.base + r->out.len;
    struct reliable_segment *s;
    if (end > r->limit)
        end = r->limit;
    if (end <= r->next_offset || !ring_grow(r))
        return NULL;
    if (most > end - r->next_offset)
        most = (size_t)(end - r->next_offset);
    s = loss_segment(r, r->ring_n++);
    *s = (struct reliable_segment){.offset = r->next_offset, .len = (uint32_t)most};
    r->next_offset += most;
    r->counts.segments++;
    return s;
}

static struct reliable_segment *first_lost(const struct reliable *r)
{
    for (uint32_t i = 0; r->lost && i < r->ring_n; i++)
        if (loss_segment(r, i)->lost)
            return loss_segment(r, i);
    return NULL;
}

static bool wants(const struct reliable *r)
{
    uint64_t end = r->out.base + r->out.len;
    return r->lost ||
           (r->next_offset < end && r->next_offset < r->limit && r->ring_n < r->setup.segments);
}

static bool window_open(const struct reliable *r)
{
    return r->in_flight == 0 || r->in_flight + r->setup.datagram_max <= r->cwnd;
}

/* Half of the largest burst: how far the pace may be ahead of the time. */
static ns_t burst(const struct reliable *r)
{
    size_t bytes = r->setup.initial_window * r->setup.datagram_max / 2;
    return r->srtt / (ns_t)r->cwnd * (ns_t)(bytes < r->cwnd ? bytes : r->cwnd) / 2;
}

ns_t out_paced(const struct reliable *r)
{
    return wants(r) && window_open(r) ? r->pace_at : NS_NEVER;
}

void out_flush(struct reliable *r, ns_t now)
{
    while (wants(r) && window_open(r) && r->pace_at <= now + burst(r)) {
        struct reliable_segment *s = first_lost(r);
        if (s) {
            r->lost--;
            r->counts.resent++;
        } else if (!(s = cut(r))) {
            break;
        }
        emit(r, now, s);
    }
}

bool out_probe(struct reliable *r, ns_t now)
{
    for (uint32_t i = 0; i < r->ring_n; i++) {
        struct reliable_segment *s = loss_segment(r, i);
        if (s->acked || s->lost)
            continue;
        r->in_flight -= loss_cost(s);
        r->counts.resent++;
        emit(r, now, s);
        return true;
    }
    return false;
}
