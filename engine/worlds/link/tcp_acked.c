#include "engine/worlds/link/tcp_inner.h"

enum { DUPLICATES = 3 };

/* What an acknowledgement brought. */
struct news {
    uint32_t acked;     /* segments in order */
    uint32_t delivered; /* in all: as the window counts */
    ns_t newest;        /* when the last of them was sent that were sent once; or -1 */
};

/* ---- round trips ---------------------------------------------------------------------- */

void tcp_estimate(struct tcp_bulk *b, ns_t rtt)
{
    ns_t off = rtt > b->srtt ? rtt - b->srtt : b->srtt - rtt;
    b->rttvar += (off - b->rttvar) / 4;
    b->srtt += (rtt - b->srtt) / 8;
}

static void measure(struct tcp_bulk *b, const struct news *n, ns_t now)
{
    if (n->newest < 0)
        return;
    tcp_estimate(b, now - n->newest);
    cubic_sample(&b->cc, now, now - n->newest, b->una, b->nxt);
}

/* ---- what is there -------------------------------------------------------------------- */

static void gone(struct tcp_bulk *b, const struct tcp_run *r, uint32_t weight, struct news *n)
{
    if (r->state == RUN_SACKED)
        return;
    if (r->state == RUN_SENT)
        b->pipe -= weight;
    n->delivered += weight;
    if (!r->again && r->sent > n->newest)
        n->newest = r->sent;
}

/* The first part of a run is acknowledged. */
static void trim(struct tcp_bulk *b, struct tcp_run *r, struct news *n)
{
    uint32_t k = (uint32_t)((b->una - r->begin) / TCP_MSS);
    gone(b, r, tcp_weight_full(b, k), n);
    n->acked += k;
    r->begin += (uint64_t)k * TCP_MSS;
    r->bytes -= k * TCP_MSS;
    r->segments -= k;
}

static void take_in_order(struct tcp_bulk *b, struct news *n)
{
    while (b->first && b->first->begin + b->first->bytes <= b->una) {
        struct tcp_run *r = b->first;
        gone(b, r, tcp_run_weight(b, r), n);
        n->acked += r->segments;
        b->first = r->next;
        if (!b->first)
            b->last = NULL;
        tcp_run_unref(b->net, r);
    }
    if (b->first && b->first->begin < b->una)
        trim(b, b->first, n);
}

static uint32_t take_others(struct tcp_bulk *b, uint32_t number, struct news *n)
{
    uint32_t sacked = 0;
    for (struct tcp_run *r = b->first; r; r = r->next) {
        if (r->number && r->number <= number) {
            gone(b, r, tcp_run_weight(b, r), n);
            r->state = RUN_SACKED;
        }
        sacked += r->state == RUN_SACKED ? r->segments : 0;
    }
    return sacked;
}

/* ---- what is not ---------------------------------------------------------------------- */

static uint32_t mark(struct tcp_bulk *b, struct tcp_run *r)
{
    r->state = RUN_LOST;
    b->pipe -= tcp_run_weight(b, r);
    return r->segments;
}

/* Did a run behind this one, or sent after it, come? Then this one should have, within: */
static ns_t overdue(const struct tcp_bulk *b, const struct tcp_run *r)
{
    return r->sent + b->srtt + b->cc.least / 4;
}

/* Marks what is lost, of which the above is there; the number of segments. */
static uint32_t find_lost(struct tcp_bulk *b, uint32_t sacked, ns_t now)
{
    uint32_t lost = 0;
    ns_t latest = 0;
    b->reorder_at = 0;
    for (const struct tcp_run *r = b->first; r; r = r->next)
        if (r->state == RUN_SACKED && r->sent > latest)
            latest = r->sent;
    for (struct tcp_run *r = b->first; r && sacked; r = r->next) {
        if (r->state == RUN_SACKED) {
            sacked -= r->segments;
            continue;
        }
        if (r->state != RUN_SENT)
            continue;
        if (!r->again && (sacked >= DUPLICATES || (r == b->first && b->dupacks >= DUPLICATES))) {
            lost += mark(b, r);
        } else if (r->sent <= latest) {
            ns_t due = overdue(b, r);
            if (now >= due)
                lost += mark(b, r);
            else if (!b->reorder_at || due < b->reorder_at)
                b->reorder_at = due;
        }
    }
    if (b->first && b->dupacks >= DUPLICATES && b->first->state == RUN_SENT && !b->first->again)
        lost += mark(b, b->first);
    return lost;
}

static void enter_recovery(struct tcp_bulk *b)
{
    b->prr_flight = 0;
    for (const struct tcp_run *r = b->first; r; r = r->next)
        b->prr_flight += tcp_run_weight(b, r);
    b->phase = TCP_RECOVERY;
    b->recover = b->nxt;
    b->prr_delivered = b->prr_out = 0;
    b->probe_at = 0;
    cubic_reduce(&b->cc);
}

/* RFC 6937. */
static void reduce_in_proportion(struct tcp_bulk *b, uint32_t delivered)
{
    uint32_t more, limit, ssthresh = b->cc.ssthresh;
    b->prr_delivered += delivered;
    if (b->pipe > ssthresh) {
        more =
            (uint32_t)(((uint64_t)b->prr_delivered * ssthresh + b->prr_flight - 1) / b->prr_flight);
        more = more > b->prr_out ? more - b->prr_out : 0;
    } else {
        limit = b->prr_delivered > b->prr_out ? b->prr_delivered - b->prr_out : 0;
        limit = (limit > delivered ? limit : delivered) + 1;
        more = ssthresh - b->pipe < limit ? ssthresh - b->pipe : limit;
    }
    if (more == 0 && b->prr_out == 0)
        more = 1;
    b->prr_window = b->cc.cwnd = b->pipe + more;
}

/* ---- an acknowledgement --------------------------------------------------------------- */

static bool window_in_use(const struct tcp_bulk *b)
{
    return b->cc.cwnd < b->cc.ssthresh ? b->cc.cwnd < 2 * b->out : b->out >= b->cc.cwnd;
}

/* What was found lost in a phase that ends begins the next one. */
static bool has_lost(const struct tcp_bulk *b)
{
    const struct tcp_run *r = b->first;
    while (r && r->state != RUN_LOST)
        r = r->next;
    return r;
}

static void settle(struct tcp_bulk *b, struct news *n, bool lost, ns_t now)
{
    if (b->phase != TCP_OPEN && b->una >= b->recover) {
        if (b->phase == TCP_RECOVERY)
            b->cc.cwnd = b->cc.ssthresh;
        b->phase = TCP_OPEN;
        lost = has_lost(b);
    }
    if (b->phase == TCP_OPEN && lost)
        enter_recovery(b);
    if (b->phase == TCP_RECOVERY)
        reduce_in_proportion(b, n->delivered);
    else if (n->acked && window_in_use(b))
        cubic_grow(&b->cc, now, n->acked);
}

void tcp_bulk_acked(struct tcp_flow *f, const struct tcp_ack *ack, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    struct news n = {.newest = -1};
    uint32_t sacked = 0, lost = 0;
    if (b->stopped)
        return;
    if (ack->edge > b->edge)
        b->edge = ack->edge;
    if (b->net->spec->like_ns3) {
        tcp_acked_like_ns3(f, ack, now);
        return;
    }
    if (ack->next > b->una) {
        b->una = ack->next;
        b->dupacks = 0;
        b->backoff = 0;
        b->probed = false;
        b->waiting_since = now;
        take_in_order(b, &n);
        b->rto_at = b->first ? now + tcp_timeout(b) : 0;
        b->probe_at = 0;
    } else if (ack->gap) {
        b->dupacks++;
    }
    if (ack->gap || b->phase != TCP_OPEN)
        sacked = take_others(b, ack->number, &n);
    measure(b, &n, now);
    if (sacked || b->dupacks)
        lost = find_lost(b, sacked, now);
    settle(b, &n, lost > 0, now);
    tcp_pump(f, now);
}

/* ---- timers --------------------------------------------------------------------------- */

/* Not twice for the same loss. */
static bool reduces(const struct tcp_bulk *b)
{
    return b->phase == TCP_OPEN || (b->phase == TCP_LOSS && b->backoff == 0);
}

static void all_lost(struct tcp_bulk *b)
{
    for (struct tcp_run *r = b->first; r; r = r->next)
        if (r->state == RUN_SENT)
            mark(b, r);
    if (reduces(b))
        cubic_reduce(&b->cc);
    b->cc.acked = 0;
}

static void time_out(struct tcp_flow *f, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    if (now - b->waiting_since >= TCP_GIVE_UP) {
        tcp_bulk_stop(f);
        b->net->io->give_up(f);
        return;
    }
    if (b->net->spec->like_ns3)
        tcp_time_out_like_ns3(b);
    else
        all_lost(b);
    b->partial = false;
    b->phase = TCP_LOSS;
    b->recover = b->nxt;
    b->cc.cwnd = 1;
    b->dupacks = 0;
    b->before = 0;
    b->backoff++;
    b->rto_at = 0;
    b->probe_at = b->reorder_at = 0;
    tcp_pump(f, now);
    if (b->rto_at > b->waiting_since + TCP_GIVE_UP)
        b->rto_at = b->waiting_since + TCP_GIVE_UP;
}

/* The last segment again, or a new one: if it comes, what is missing before it will show. */
static void probe(struct tcp_flow *f, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_run *r = b->last;
    b->probe_at = 0;
    b->probed = true;
    if (!r || b->nxt < b->end || r->state != RUN_SENT)
        return;
    if (r->segments > 1 && !(r = tcp_run_split(b, r, r->segments - 1)))
        return;
    b->pipe -= tcp_run_weight(b, r); /* tcp_emit counts it */
    r->again = true;
    r->sent = now;
    b->rto_at = now + tcp_timeout(b);
    tcp_emit(f, r, now);
}

void tcp_bulk_wake(struct tcp_flow *f, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    if (b->wakes_at && now >= b->wakes_at)
        b->wakes_at = 0;
    if (b->stopped)
        return;
    if (b->delack_at && now >= b->delack_at)
        tcp_pay(f, now);
    if (b->probe_at && now >= b->probe_at)
        probe(f, now);
    if (b->reorder_at && now >= b->reorder_at) {
        struct news none = {.newest = -1};
        uint32_t lost = find_lost(b, take_others(b, 0, &none), now);
        settle(b, &none, lost > 0, now);
        tcp_pump(f, now);
    }
    if (b->rto_at && now >= b->rto_at)
        time_out(f, now);
    else if (b->before || (b->write_at && now >= b->write_at))
        tcp_pump(f, now);
    if (!b->stopped)
        tcp_schedule(f);
}
