#include "engine/worlds/link/tcp_inner.h"

static ns_t earlier(ns_t a, ns_t b)
{
    return a && (!b || a < b) ? a : b;
}

void tcp_schedule(struct tcp_flow *f)
{
    struct tcp_bulk *b = f->bulk;
    ns_t due = earlier(b->rto_at, earlier(b->probe_at, earlier(b->reorder_at, b->delack_at)));
    due = earlier(b->write_at, due);
    if (b->before && b->nxt < b->end)
        due = earlier(b->before_until, due);
    if (!due || (b->wakes_at && b->wakes_at <= due))
        return;
    b->wakes_at = due;
    b->net->io->wake(f, due);
}

ns_t tcp_timeout(const struct tcp_bulk *b)
{
    ns_t rto = tcp_rto(b->net->spec, b->srtt, b->rttvar);
    ns_t most = b->net->spec->like_ns3 ? TCP_RTO_MAX_NS3 : TCP_RTO_MAX;
    for (unsigned i = 0; i < b->backoff && rto < most; i++)
        rto *= 2;
    return rto < most ? rto : most;
}

/* ---- leaving -------------------------------------------------------------------------- */

/* How many of the segments find room in the uplink's queue: what is there before them fills it. */
static uint32_t fits(const struct tcp_bulk *b, const struct tcp_run *r, ns_t now)
{
    const struct access *a = b->from->access;
    uint32_t k = r->segments;
    while (k && link_full(now, b->from->up_free, a->up_bps, a->queue_bytes, tcp_run_wire(r, k)))
        k--;
    return k;
}

struct way {
    struct link_path path;
    enum drop cut; /* DROP_COUNT: no */
    uint32_t fit, n;
    ns_t first, last; /* of the segments that fit, at the receiver's downlink */
};

/* What becomes of segment i, which is r's first, and of how many after it likewise. */
static enum drop fate(struct tcp_flow *f, const struct way *w, uint32_t i, uint32_t segments,
                      uint32_t *k)
{
    uint64_t passes;
    *k = segments;
    if (i >= w->fit)
        return DROP_QUEUE;
    if (*k > w->fit - i)
        *k = w->fit - i;
    if (w->cut != DROP_COUNT || !w->path.loss.ppm)
        return w->cut;
    passes = loss_passes(&f->loss, &w->path.loss, &f->dice);
    if (passes == 0) {
        loss_take(&f->loss);
        *k = 1;
        return DROP_LOSS;
    }
    if (*k > passes)
        *k = (uint32_t)passes;
    loss_pass(&f->loss, *k);
    return DROP_COUNT;
}

static void leave(struct tcp_flow *f, struct tcp_run *r, struct way *w, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    const struct tcp_io *io = b->net->io;
    const struct access *a = b->from->access;
    uint32_t bytes = tcp_run_wire(r, w->fit);
    struct link_train t = {.first = now, .last = now, .bytes = bytes};
    ns_t way;
    t.head = tcp_run_wire(r, 1);
    t.tail = bytes - tcp_run_wire(r, w->fit - 1);
    link_pass(&t, a->up_bps, &b->from->up_free);
    for (uint32_t i = 0; io->segment && i < w->fit; i++)
        io->segment(f, r->begin + (uint64_t)i * TCP_MSS,
                    i + 1 < r->segments ? TCP_MSS : r->bytes - i * TCP_MSS,
                    tcp_when(t.first, t.last, i, w->fit));
    link_pass(&t, w->path.rate_bps, &f->rate_free);
    way = w->path.delay + link_jitter(&w->path, &f->dice);
    w->first = t.first + way > f->arrival ? t.first + way : f->arrival;
    w->last = t.last + way > w->first ? t.last + way : w->first;
    f->arrival = w->last;
}

/* A part of what was sent has the same fate: off it goes, or not. */
static void go(struct tcp_flow *f, struct tcp_run *r, const struct way *w, uint32_t i,
               enum drop drop)
{
    const struct tcp_io *io = f->bulk->net->io;
    uint32_t k = r->segments, bytes = tcp_run_wire(r, k);
    struct link_train t = {.bytes = bytes};
    if (drop != DROP_COUNT) {
        tcp_run_gone(f->bulk, r);
        for (uint32_t j = 0; j < k; j++)
            io->drop(f, tcp_run_wire(r, j + 1) - tcp_run_wire(r, j), drop, false);
        return;
    }
    t.head = tcp_run_wire(r, 1);
    t.tail = bytes - tcp_run_wire(r, k - 1);
    t.first = tcp_when(w->first, w->last, i, w->fit);
    t.last = tcp_when(w->first, w->last, i + k - 1, w->fit);
    r->refs++;
    io->carry(f, r, &t);
}

void tcp_emit(struct tcp_flow *f, struct tcp_run *r, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_net *net = b->net;
    struct way w = {.path = *f->path, .cut = DROP_COUNT, .fit = fits(b, r, now), .n = r->segments};
    net->io->count(f, tcp_run_wire(r, r->segments), r->segments, r->again);
    b->pipe += tcp_run_weight(b, r);
    if (net->faults->n) {
        faults_bend(net->faults, f->from, f->to, now, &w.path);
        if (faults_cut(net->faults, f->from, f->to, now))
            w.cut = DROP_PARTITION;
    }
    if (w.path.loss.ppm == LINK_SEVERED)
        w.cut = DROP_NO_ROUTE;
    if (w.fit) {
        leave(f, r, &w, now);
        net->io->leaves(f, now);
    }
    for (uint32_t i = 0, k; i < w.n; i += k) {
        struct tcp_run *rest = NULL;
        enum drop drop = fate(f, &w, i, r->segments, &k);
        if (k < r->segments && !(rest = tcp_run_split(b, r, k)))
            return;
        go(f, r, &w, i, drop);
        r = rest;
    }
}

/* ---- what may be sent ----------------------------------------------------------------- */

static struct tcp_run *lost_run(const struct tcp_bulk *b)
{
    struct tcp_run *r = b->first;
    while (r && (r->state != RUN_LOST || r->repeated))
        r = r->next;
    return r;
}

/* Bytes of those from `begin` to `end` that a budget allows. ns-3 sends less than a segment only if
 * nothing follows for which there is no room (the silly window syndrome). */
static uint64_t allowed(const struct tcp_bulk *b, uint64_t begin, uint64_t end, uint32_t budget)
{
    uint64_t bytes = (uint64_t)budget * TCP_MSS;
    if (b->net->spec->like_ns3)
        bytes = b->end - begin <= budget ? budget : budget - budget % TCP_MSS;
    return end - begin < bytes ? end - begin : bytes;
}

/* As in ns-3, when a recovery finds nothing else to send: what may be lost (RFC 6675, NextSeg, 3).
 * What is under way is not taken apart. */
static struct tcp_run *doubtful_run(struct tcp_bulk *b)
{
    struct tcp_run *r = b->phase == TCP_RECOVERY && b->net->spec->like_ns3 ? b->first : NULL;
    while (r && (r->state != RUN_SENT || r->repeated || (!r->gone && r->segments > 1)))
        r = r->next;
    return r;
}

static bool send_lost(struct tcp_flow *f, struct tcp_run *r, uint32_t budget, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    uint64_t bytes;
    tcp_run_collapse(b, r);
    bytes = allowed(b, r->begin, r->begin + r->bytes, budget);
    if (bytes == 0 || (bytes < r->bytes && !tcp_run_split(b, r, (uint32_t)bytes / TCP_MSS)))
        return false;
    if (r->repeated)
        b->pipe -= r->bytes;
    if (b->net->spec->like_ns3)
        r->repeated = true;
    else
        r->state = RUN_SENT;
    r->again = true;
    r->sent = now;
    b->prr_out += tcp_run_weight(b, r);
    if (r == b->first && !b->net->spec->like_ns3)
        b->rto_at = now + tcp_timeout(b);
    tcp_emit(f, r, now);
    return true;
}

static bool send_new(struct tcp_flow *f, uint32_t budget, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    uint64_t left = b->end < b->edge ? b->end : b->edge, bytes;
    struct tcp_run *r;
    if (left <= b->nxt)
        return false;
    left -= b->nxt;
    if (left < TCP_MSS && b->edge < b->end && b->pipe)
        return false; /* silly window */
    bytes = allowed(b, b->nxt, b->nxt + left, budget);
    if (b->net->spec->like_ns3 && f->path->loss.ppm && bytes > TCP_MSS)
        bytes = TCP_MSS; /* each may have to be repeated by itself */
    if (bytes == 0 || !(r = tcp_run_new(b->net)))
        return false;
    r->begin = b->nxt;
    r->bytes = (uint32_t)bytes;
    r->segments = tcp_segments(r->bytes);
    r->sent = now;
    if (b->last)
        b->last->next = r;
    else
        b->first = r;
    b->last = r;
    if (!b->hole)
        b->hole = r;
    if (b->una == b->nxt)
        b->waiting_since = now;
    b->nxt += bytes;
    if (b->phase == TCP_RECOVERY)
        b->prr_out += tcp_run_weight(b, r);
    tcp_emit(f, r, now);
    return true;
}

void tcp_send_one(struct tcp_flow *f, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_run *r = lost_run(b);
    if (r || !send_new(f, TCP_MSS, now))
        r = r ? r : b->first;
    else
        r = NULL;
    if (r && (r->segments == 1 || r->gone)) /* what is under way is not taken apart */
        send_lost(f, r, TCP_MSS, now);
    if (!b->rto_at)
        b->rto_at = now + tcp_timeout(b);
}

/* A probe of the tail, so that its loss is noticed: two round trips after the last segment left. */
static void arm_probe(struct tcp_bulk *b, ns_t now)
{
    ns_t wait = 2 * b->srtt;
    if (b->net->spec->like_ns3 || b->phase != TCP_OPEN || b->probed || b->beyond)
        return;
    wait += b->pipe <= 1 ? 200 * NS_MS : 2 * NS_MS;
    b->probe_at = now + wait < b->rto_at ? now + wait : 0;
}

static uint32_t window(const struct tcp_bulk *b)
{
    return b->phase == TCP_RECOVERY ? b->prr_window : tcp_weight_full(b, b->cc.cwnd);
}

void tcp_pump(struct tcp_flow *f, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    bool sent = false;
    if (b->write_at && now >= b->write_at)
        b->write_at = 0;
    if (b->before && now >= b->before_until)
        b->before = 0;
    while (b->pipe + b->before < window(b) && !b->net->broken) {
        uint32_t budget = window(b) - b->pipe - b->before;
        struct tcp_run *lost = lost_run(b);
        if (!lost && send_new(f, budget, now))
            lost = NULL;
        else if ((!lost && !(lost = doubtful_run(b))) || !send_lost(f, lost, budget, now))
            break;
        sent = true;
    }
    if (sent) {
        b->last_sent = now;
        if (!b->rto_at)
            b->rto_at = now + tcp_timeout(b);
        arm_probe(b, now);
    }
    if (b->net->spec->like_ns3 && b->first && !b->rto_at)
        b->rto_at = now + tcp_timeout(b);
    if (b->pipe > b->out || b->una >= b->out_until) {
        b->out = b->pipe;
        b->out_until = b->nxt;
    }
    tcp_schedule(f);
}

/* ---- writing -------------------------------------------------------------------------- */

static void first_estimates(struct tcp_flow *f, struct tcp_bulk *b)
{
    ns_t jitter = f->path->jitter_from + f->path->jitter_to;
    b->srtt = f->path->rtt + 2 * jitter;
    b->rttvar = b->srtt / 2;
    for (uint8_t i = 0; i < f->rounds && b->rttvar > NS_US; i++)
        b->rttvar -= b->rttvar / 4;
    if (b->rttvar < jitter)
        b->rttvar = jitter;
    b->cc.least = f->path->rtt ? f->path->rtt : 1;
}

/* What the window has become since the last packet left. */
static void rest(struct tcp_flow *f, ns_t at)
{
    struct tcp_bulk *b = f->bulk;
    ns_t round = (ns_t)f->round << 20, last = b->last_sent > round ? b->last_sent : round;
    if (b->net->spec->like_ns3)
        return;
    cubic_rest(&b->cc, at - last, tcp_timeout(b), (uint32_t)b->net->spec->initial_window);
}

uint32_t tcp_bulk_room(struct tcp_flow *f, ns_t at)
{
    struct tcp_bulk *b = f->bulk;
    uint32_t room = b->net->spec->like_ns3 ? b->cc.cwnd : b->cc.cwnd / 2;
    uint32_t pipe = b->net->spec->like_ns3 ? (b->pipe + TCP_MSS - 1) / TCP_MSS : b->pipe;
    if (b->stopped)
        return 0;
    if (tcp_bulk_busy(f)) {
        /* A full downlink could still drop what is under way, and be overtaken. */
        bool sure = b->to->access->down_bps == 0 || b->to->access->queue_bytes == 0;
        bool fine = b->phase == TCP_OPEN && b->nxt == b->end && !b->missing && !b->beyond;
        return sure && fine && room > pipe ? room - pipe : 0;
    }
    rest(f, at);
    return b->net->spec->like_ns3 ? b->cc.cwnd : b->cc.cwnd / 2;
}

struct tcp_bulk *tcp_bulk_begin(struct tcp_net *net, struct tcp_flow *f, struct link_host *from,
                                struct link_host *to, const struct link_path *back,
                                struct dice dice)
{
    struct tcp_bulk *b = f->bulk;
    if (b || !(b = tcp_bulk_new(net, f)))
        return b;
    b->from = from;
    b->to = to;
    b->back = back;
    b->dice = dice;
    b->edge = (uint64_t)net->spec->receive_window;
    b->quick = f->rounds > 8 ? 0 : 16;
    if (net->spec->like_ns3)
        b->quick = f->before || f->recent || f->rounds > 1 ? 0 : 1;
    cubic_init(&b->cc, (uint32_t)net->spec->initial_window + f->unpaid / TCP_MSS,
               net->spec->hystart, net->spec->like_ns3);
    first_estimates(f, b);
    return b;
}

void tcp_bulk_write(struct tcp_flow *f, ns_t at, uint32_t payload)
{
    struct tcp_bulk *b = f->bulk;
    if (b->stopped)
        return;
    if (b->una == b->end)
        rest(f, at);
    if (f->before || f->recent) {
        b->before = tcp_weight_full(b, (uint32_t)f->before + f->recent);
        b->before_until = f->arrival + b->back->delay;
        if (at >= b->before_until)
            b->before = 0;
        f->before = f->recent = 0;
    }
    b->end += payload;
    if (b->net->spec->like_ns3 && b->end > 1) { /* but for the handshake's acknowledgement */
        b->write_at = at + 1;
        tcp_schedule(f);
        return;
    }
    tcp_pump(f, at);
}
