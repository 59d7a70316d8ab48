/* What became of what was sent: round trips (RFC 6298), losses (RFC 9002, 6), the window
 * (RFC 5681, 6582). */
#include "transports/reliable_inner.h"

#include "engine/base/bytes.h"

enum { WIDEST = 16 /* times setup.reorder */, ATTEMPTS_MAX = 30 };

void loss_begin(struct reliable *r)
{
    r->lost = 0;
    r->heard = r->recovery = 0;
    r->in_flight = r->credit = 0;
    r->cwnd = r->setup.initial_window * r->setup.datagram_max;
    r->ssthresh = SIZE_MAX / 4;
    r->reorder = r->setup.reorder;
    r->peer_duplicates = r->backoff = 0;
    r->widened = r->counts.lost;
    r->srtt = r->rttvar = r->latest = 0;
    r->loss_at = NS_NEVER;
}

/* ---- round trips -------------------------------------------------------------------------- */

static void sample(struct reliable *r, ns_t now, ns_t sent_at, uint32_t delay_us)
{
    ns_t rtt = now - sent_at, delay = (ns_t)delay_us * NS_US, off;
    if (delay < rtt)
        rtt -= delay;
    if (rtt < 1)
        rtt = 1;
    r->latest = rtt;
    if (r->srtt == 0) {
        r->srtt = rtt;
        r->rttvar = rtt / 2;
        return;
    }
    off = r->srtt > rtt ? r->srtt - rtt : rtt - r->srtt;
    r->rttvar += (off - r->rttvar) / 4;
    r->srtt += (rtt - r->srtt) / 8;
    if (r->srtt < 1)
        r->srtt = 1;
}

static ns_t rto(const struct reliable *r)
{
    ns_t t = r->srtt ? r->srtt + 4 * r->rttvar + r->setup.ack_delay : r->setup.rto_first;
    if (t < r->setup.rto_min)
        t = r->setup.rto_min;
    for (uint32_t i = 0; i < r->backoff && t < r->setup.rto_max; i++)
        t *= 2;
    return t < r->setup.rto_max ? t : r->setup.rto_max;
}

/* Something is on its way, or waits for the peer's window (or for memory). */
ns_t loss_rto_at(const struct reliable *r)
{
    bool stuck = r->next_offset < r->out.base + r->out.len;
    ns_t from = r->rto_from == NS_NEVER ? r->elicit_at : r->rto_from;
    return r->in_flight || r->ping || stuck ? from + rto(r) : NS_NEVER;
}

/* ---- the window --------------------------------------------------------------------------- */

static void grow(struct reliable *r, size_t acked, size_t was_in_flight)
{
    size_t most = 2 * r->setup.queue + r->setup.initial_window * r->setup.datagram_max;
    if (was_in_flight + r->setup.datagram_max < r->cwnd / 2)
        return; /* not in use: no evidence that more would pass */
    if (r->cwnd < r->ssthresh) {
        r->cwnd += acked;
    } else {
        r->credit += acked;
        if (r->credit >= r->cwnd) {
            r->credit -= r->cwnd;
            r->cwnd += r->setup.datagram_max;
        }
    }
    if (r->cwnd > most)
        r->cwnd = most;
}

static void shrink(struct reliable *r)
{
    size_t least = 2 * r->setup.datagram_max;
    r->recovery = r->transmission;
    r->ssthresh = r->cwnd / 2 > least ? r->cwnd / 2 : least;
    r->cwnd = r->ssthresh;
    r->credit = 0;
}

/* ---- losses ------------------------------------------------------------------------------- */

static void lose(struct reliable *r, struct reliable_segment *s)
{
    s->lost = true;
    r->lost++;
    r->in_flight -= loss_cost(s);
}

void loss_judge(struct reliable *r, ns_t now)
{
    ns_t patience = r->srtt > r->latest ? r->srtt : r->latest;
    uint32_t wide = r->reorder / r->setup.reorder;
    bool event = false;
    if (patience == 0)
        patience = r->setup.rto_first;
    patience += patience / 8 * (ns_t)wide * (ns_t)wide;
    patience += r->setup.disorder;
    r->loss_at = NS_NEVER;
    for (uint32_t i = 0; i < r->ring_n; i++) {
        struct reliable_segment *s = loss_segment(r, i);
        ns_t due = s->sent_at + patience;
        if (s->acked || s->lost || s->transmission >= r->heard)
            continue;
        if (r->heard - s->transmission < r->reorder && due > now) {
            r->loss_at = due < r->loss_at ? due : r->loss_at;
            continue;
        }
        event |= s->transmission > r->recovery;
        r->counts.lost++;
        lose(r, s);
    }
    if (event)
        shrink(r);
}

void loss_rto(struct reliable *r, ns_t now)
{
    r->counts.timeouts++;
    r->backoff += r->backoff < ATTEMPTS_MAX;
    r->reorder = r->setup.reorder;
    r->rto_from = now;
    if (r->backoff == 1 && out_probe(r, now))
        return;
    if (r->in_flight == 0 && r->lost == 0) {
        out_ping(r, now);
        return;
    }
    for (uint32_t i = 0; i < r->ring_n; i++)
        if (!loss_segment(r, i)->acked && !loss_segment(r, i)->lost)
            lose(r, loss_segment(r, i));
    if (r->backoff <= 2)
        shrink(r);
    r->cwnd = r->setup.datagram_max;
    r->pace_at = now;
    r->loss_at = NS_NEVER;
    out_flush(r, now);
}

/* ---- acknowledgements --------------------------------------------------------------------- */

static uint64_t range_from(const struct reliable_ack *a, uint32_t i)
{
    return a->next + get_le32(a->ranges + 8 * i);
}
static uint64_t range_to(const struct reliable_ack *a, uint32_t i)
{
    return range_from(a, i) + get_le32(a->ranges + 8 * i + 4);
}

bool loss_ack_fits(const struct reliable *r, const struct reliable_ack *a)
{
    if (a->largest > r->transmission || a->next > r->next_offset)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (range_from(a, i) > r->next_offset || range_to(a, i) > r->next_offset)
            return false;
    return true;
}

struct gain {
    size_t bytes; /* newly acknowledged, of what was sent after the last loss */
    ns_t sent_at; /* of the largest transmission, if that is news; else NS_NEVER */
};

static void acked(struct reliable *r, struct reliable_segment *s, uint64_t largest, struct gain *g)
{
    if (s->acked)
        return;
    s->acked = true;
    if (s->lost)
        r->lost--;
    else
        r->in_flight -= loss_cost(s);
    s->lost = false;
    if (s->transmission > r->recovery)
        g->bytes += loss_cost(s);
    if (s->transmission == largest && largest > r->heard)
        g->sent_at = s->sent_at;
}

/* The first segment that begins at `offset` or behind it. */
static uint32_t find(const struct reliable *r, uint64_t offset)
{
    uint32_t low = 0, high = r->ring_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (loss_segment(r, mid)->offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void mark(struct reliable *r, uint64_t from, uint64_t to, uint64_t largest, struct gain *g)
{
    for (uint32_t i = find(r, from); i < r->ring_n; i++) {
        struct reliable_segment *s = loss_segment(r, i);
        if (s->offset + s->len > to)
            return;
        acked(r, s, largest, g);
    }
}

static void forget(struct reliable *r)
{
    uint64_t base;
    while (r->ring_n && loss_segment(r, 0)->acked) {
        r->ring_at = (r->ring_at + 1) & (r->ring_cap - 1);
        r->ring_n--;
    }
    base = r->ring_n ? loss_segment(r, 0)->offset : r->next_offset;
    if (base > r->out.base)
        stretch_drop(&r->out, (size_t)(base - r->out.base));
}

/* The peer had some of it already: what we took for loss was reordering. */
static void widen(struct reliable *r, uint32_t duplicates)
{
    if (duplicates == r->peer_duplicates)
        return;
    r->peer_duplicates = duplicates;
    if (r->counts.lost > r->widened && r->reorder < WIDEST * r->setup.reorder)
        r->reorder *= 2;
    r->widened = r->counts.lost;
}

void loss_ack(struct reliable *r, ns_t now, const struct reliable_ack *a)
{
    struct gain g = {0, NS_NEVER};
    size_t was = r->in_flight;
    if (a->next < r->out.base)
        return; /* an older one, overtaken */
    if (a->next + a->window > r->limit)
        r->limit = a->next + a->window;
    mark(r, r->out.base, a->next, a->largest, &g);
    for (uint32_t i = 0; i < a->n; i++)
        mark(r, range_from(a, i), range_to(a, i), a->largest, &g);
    if (r->ping && a->largest >= r->ping) {
        if (a->largest == r->ping && a->largest > r->heard)
            g.sent_at = r->ping_at;
        r->ping = 0;
    }
    if (g.sent_at != NS_NEVER)
        sample(r, now, g.sent_at, a->delay_us);
    if (a->largest > r->heard) {
        r->heard = a->largest;
        r->backoff = 0;
        r->rto_from = now;
    }
    if (r->in_flight == 0 && !r->ping)
        r->rto_from = NS_NEVER;
    forget(r);
    widen(r, a->duplicates);
    if (g.bytes)
        grow(r, g.bytes, was);
    loss_judge(r, now);
}
