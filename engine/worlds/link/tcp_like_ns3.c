#include "engine/worlds/link/tcp_inner.h"

enum { DUPLICATES = 3 };

/* What an acknowledgement brought, in bytes. */
struct news {
    uint64_t before; /* acknowledged until now */
    uint32_t sacked, delivered;
    bool repeated; /* some of it was sent more than once */
};

/* ---- round trips ---------------------------------------------------------------------- */

/* Of the segment whose timestamp came back, if the first that is remembered is acknowledged, and
 * was sent once; a timeout makes ns-3 forget what was sent before. */
static void measure(struct tcp_bulk *b, const struct tcp_ack *ack, ns_t now)
{
    const struct tcp_run *r = b->first;
    ns_t ticks = now / NS_MS - ack->echo / NS_MS;
    while (r && r->begin < b->remembered)
        r = r->next;
    if (!r || r->again || ack->next < r->begin + (r->bytes < TCP_MSS ? r->bytes : TCP_MSS))
        return;
    if (ticks > 0) {
        tcp_estimate(b, ticks * NS_MS);
        b->backoff = 0;
    }
}

static void sample(struct tcp_bulk *b, ns_t now)
{
    cubic_sample(&b->cc, now, b->srtt, b->una, b->nxt);
}

/* ---- the scoreboard ------------------------------------------------------------------- */

/* In flight: what was sent, less what is there or lost, and again what was repeated. So a
 * repetition of what is not lost counts twice, and one that has come, until it is acknowledged. */
static void take_sacked(struct tcp_bulk *b, const struct tcp_ack *ack, struct news *n)
{
    for (struct tcp_run *r = b->first; r; r = r->next) {
        if (r->state == RUN_SACKED || !r->number || r->number > ack->number || r->begin < ack->next)
            continue;
        if (r->state == RUN_SENT)
            b->pipe -= r->bytes;
        r->state = RUN_SACKED;
        n->sacked += r->bytes;
    }
    n->delivered += n->sacked;
}

static void take_bytes(struct tcp_bulk *b, const struct tcp_run *r, uint32_t bytes, struct news *n)
{
    if (r->state == RUN_SENT)
        b->pipe -= bytes;
    if (r->repeated)
        b->pipe -= bytes;
    if (r->state == RUN_SACKED)
        return;
    n->delivered += bytes;
    n->repeated |= r->repeated;
}

static void take_in_order(struct tcp_bulk *b, struct news *n)
{
    while (b->first && b->first->begin + b->first->bytes <= b->una) {
        struct tcp_run *r = b->first;
        take_bytes(b, r, r->bytes, n);
        b->first = r->next;
        if (!b->first)
            b->last = NULL;
        tcp_run_unref(b->net, r);
    }
    if (b->first && b->first->begin < b->una) {
        struct tcp_run *r = b->first;
        uint32_t bytes = (uint32_t)(b->una - r->begin);
        take_bytes(b, r, bytes, n);
        r->begin += bytes;
        r->bytes -= bytes;
        r->segments = tcp_segments(r->bytes);
    }
}

static void lose(struct tcp_bulk *b, struct tcp_run *r)
{
    if (r->state == RUN_SENT)
        b->pipe -= r->bytes;
    r->state = RUN_LOST;
}

static void find_lost(struct tcp_bulk *b)
{
    uint32_t above = 0;
    for (const struct tcp_run *r = b->first; r; r = r->next)
        above += r->state == RUN_SACKED ? r->segments : 0;
    for (struct tcp_run *r = b->first; r && above >= DUPLICATES; r = r->next) {
        if (r->state == RUN_SACKED)
            above -= r->segments;
        else
            lose(b, r);
    }
}

/* Not the first one, which three duplicates tell. */
static bool second_is_lost(const struct tcp_bulk *b)
{
    const struct tcp_run *r = b->first;
    if (r && r->segments == 1)
        r = r->next;
    while (r && r->state == RUN_SENT)
        r = r->next;
    return r && r->state == RUN_LOST;
}

/* ---- recovery ------------------------------------------------------------------------- */

/* RFC 6937, slow start's bound only if what was repeated is acknowledged; in 32 bits, like ns-3. */
static void reduce(struct tcp_bulk *b, const struct news *n)
{
    uint32_t ssthresh = b->cc.ssthresh * TCP_MSS;
    int64_t more, limit = n->delivered;
    b->prr_delivered += n->delivered;
    if (b->pipe > ssthresh) {
        uint32_t product = b->prr_delivered * ssthresh;
        more = ((int64_t)product + b->prr_flight - 1) / b->prr_flight - b->prr_out;
    } else {
        int64_t owed = (int64_t)b->prr_delivered - b->prr_out;
        if (n->repeated)
            limit = (owed < 0 || owed > limit ? owed : limit) + TCP_MSS;
        more = ssthresh - b->pipe;
        more = limit < more ? limit : more;
    }
    if (more < (b->prr_out ? 0 : TCP_MSS))
        more = b->prr_out ? 0 : TCP_MSS;
    b->prr_window = b->pipe + (uint32_t)more;
    b->cc.cwnd = b->prr_window / TCP_MSS;
}

static void enter_recovery(struct tcp_flow *f, const struct news *n, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_run *r = b->first;
    if (r->state == RUN_SENT) {
        if (r->segments > 1 && r->gone && !tcp_run_split(b, r, 1))
            return;
        if (r->repeated)
            b->pipe -= r->bytes;
        r->repeated = false;
        lose(b, r);
    }
    b->phase = TCP_RECOVERY;
    b->recover = b->nxt;
    b->recovering = true;
    cubic_reduce(&b->cc);
    b->prr_delivered = b->prr_out = 0;
    b->prr_flight = (uint32_t)(b->nxt - b->una);
    reduce(b, n);
    tcp_send_one(f, now);
}

static void duplicate(struct tcp_flow *f, const struct news *n, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    if (b->phase == TCP_LOSS)
        return;
    if (b->phase == TCP_RECOVERY) {
        reduce(b, n);
        return;
    }
    b->dupacks++;
    if ((b->dupacks == DUPLICATES && (b->una >= b->recover || !b->recovering)) || second_is_lost(b))
        enter_recovery(f, n, now);
}

/* ---- an acknowledgement --------------------------------------------------------------- */

static void restart_timer(struct tcp_bulk *b, ns_t now)
{
    b->backoff = 0;
    b->rto_at = b->una == b->end ? 0 : now + tcp_timeout(b);
}

static void advance_in_recovery(struct tcp_flow *f, const struct news *n, uint32_t segments,
                                ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    const struct tcp_run *r = b->first;
    if (segments)
        reduce(b, n);
    if (!r || !r->repeated || r->bytes != TCP_MSS)
        tcp_send_one(f, now);
    sample(b, now);
    if (!b->partial)
        restart_timer(b, now);
    b->partial = true;
}

/* The window grows by whole segments of what is acknowledged: after a recovery, or a timeout, by
 * what lies behind it. */
static void advance_at_last(struct tcp_bulk *b, bool duplicate, uint32_t duplicates,
                            const struct news *n, uint32_t segments, ns_t now)
{
    bool recovered = b->phase == TCP_RECOVERY, disorder = false;
    if (recovered)
        segments = (uint32_t)(b->una - n->before) / TCP_MSS;
    else if (b->phase == TCP_LOSS)
        segments = (uint32_t)(b->una - b->recover) / TCP_MSS;
    else
        disorder = duplicates || duplicate;
    if (!disorder || segments >= duplicates)
        sample(b, now);
    if (b->una >= b->recover)
        b->recovering = false;
    if (disorder && duplicate)
        return;
    if (recovered) {
        b->cc.cwnd = b->cc.ssthresh;
        b->dupacks = 0;
    }
    if (b->phase != TCP_OPEN)
        b->partial = false;
    b->phase = TCP_OPEN;
    cubic_grow(&b->cc, now, segments);
    restart_timer(b, now);
}

static void advance(struct tcp_flow *f, const struct news *n, uint32_t duplicates, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    uint64_t bytes = b->una - n->before + b->odd_bytes;
    uint32_t segments = (uint32_t)(bytes / TCP_MSS);
    b->odd_bytes = (uint32_t)(bytes % TCP_MSS);
    b->waiting_since = now;
    if (!n->sacked)
        b->dupacks = 0;
    if (b->phase == TCP_RECOVERY && b->una < b->recover) {
        advance_in_recovery(f, n, segments, now);
    } else if (b->phase == TCP_LOSS && b->una < b->recover) {
        sample(b, now);
        cubic_grow(&b->cc, now, segments);
        restart_timer(b, now);
    } else {
        advance_at_last(b, n->sacked > 0, duplicates, n, segments, now);
    }
}

void tcp_acked_like_ns3(struct tcp_flow *f, const struct tcp_ack *ack, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    struct news n = {.before = b->una};
    uint32_t duplicates = b->dupacks;
    bool recovery = b->phase == TCP_RECOVERY && ack->next < b->recover;
    measure(b, ack, now);
    if (ack->gap)
        take_sacked(b, ack, &n);
    if (n.sacked)
        find_lost(b);
    if (ack->next > b->una) {
        b->una = ack->next;
        take_in_order(b, &n);
    }
    n.repeated &= recovery;
    if (n.sacked)
        duplicate(f, &n, now);
    if (b->una > n.before)
        advance(f, &n, duplicates, now);
    else if (b->una != b->nxt)
        sample(b, now);
    tcp_pump(f, now);
}

void tcp_time_out_like_ns3(struct tcp_bulk *b)
{
    for (struct tcp_run *r = b->first; r; r = r->next) {
        if (r->state == RUN_SENT)
            r->state = RUN_LOST;
        r->repeated = false;
    }
    b->pipe = 0;
    b->remembered = b->nxt;
    b->recovering = true;
    cubic_reduce(&b->cc);
    cubic_forget(&b->cc);
}
