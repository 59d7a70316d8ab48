#include "engine/worlds/link/tcp_inner.h"

#include <assert.h>

/* ---- acknowledgements ----------------------------------------------------------------- */

static uint64_t edge(const struct tcp_bulk *b, uint64_t next)
{
    uint64_t window = (uint64_t)b->net->spec->receive_window;
    return next + (b->unread < window ? window - b->unread : 0);
}

static void set_owed(struct tcp_flow *f, uint32_t owed, bool missed, ns_t due)
{
    struct tcp_bulk *b = f->bulk;
    bool before = b->owed || b->missed, now = owed || missed;
    b->owed = owed;
    b->missed = missed;
    b->delack_at = owed ? due : 0;
    if (before != now)
        b->net->io->owes(f, now);
}

/* What becomes of an acknowledgement; DROP_COUNT: it gets through. */
static enum drop fate(struct tcp_flow *f, struct link_path *path, ns_t at)
{
    struct tcp_bulk *b = f->bulk;
    const struct faults *faults = b->net->faults;
    if (faults->n) {
        faults_bend(faults, f->to, f->from, at, path);
        if (faults_cut(faults, f->to, f->from, at))
            return DROP_PARTITION;
    }
    if (path->loss.ppm == LINK_SEVERED)
        return DROP_NO_ROUTE;
    return loss_hits(&b->ack_loss, &path->loss, &b->dice) ? DROP_LOSS : DROP_COUNT;
}

/* An acknowledgement of everything before `next` leaves the receiver: alone, or with data. */
static void acknowledge(struct tcp_flow *f, uint64_t next, uint32_t number, ns_t at, bool alone)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_net *net = b->net;
    struct link_path path = *b->back;
    struct tcp_ack ack = {.next = next, .number = number, .gap = b->beyond > 0, .echo = b->echo};
    enum drop drop;
    ns_t t;
    ack.edge = edge(b, next);
    b->said = next;
    if (alone)
        net->io->count_ack(f, next, at);
    drop = fate(f, &path, at);
    set_owed(f, b->owed, drop != DROP_COUNT, b->delack_at);
    if (drop != DROP_COUNT) {
        if (alone)
            net->io->drop(f, TCP_HEADERS, drop, true);
        return;
    }
    t = (at > b->to->up_free ? at : b->to->up_free) +
        link_time(TCP_HEADERS, b->to->access->up_bps) + link_time(TCP_HEADERS, path.rate_bps) +
        path.delay + link_jitter(&path, &b->dice) +
        link_time(TCP_HEADERS, b->from->access->down_bps);
    b->last_back = t > b->last_back ? t : b->last_back;
    net->io->answer(f, &ack, b->last_back);
}

static void pay(struct tcp_flow *f, ns_t at, bool alone)
{
    struct tcp_bulk *b = f->bulk;
    set_owed(f, 0, b->missed, 0);
    acknowledge(f, b->got, b->arrivals, at, alone);
}

void tcp_pay(struct tcp_flow *f, ns_t at)
{
    pay(f, at, true);
}

void tcp_bulk_piggyback(struct tcp_flow *f, ns_t now)
{
    if (f->bulk && !f->bulk->stopped && (f->bulk->owed || f->bulk->missed))
        pay(f, now, false);
}

/* In order: every second segment, or every one of the first ones. */
static void answer_run(struct tcp_flow *f, uint64_t begin, uint32_t bytes, uint32_t segments,
                       ns_t first, ns_t last)
{
    struct tcp_bulk *b = f->bulk;
    for (uint32_t i = 0; i < segments; i++) {
        ns_t at = tcp_when(first, last, i, segments);
        uint32_t there = i + 1 < segments ? (i + 1) * TCP_MSS : bytes;
        if (b->owed == 0 && b->quick == 0) {
            set_owed(f, 1, b->missed, at + b->net->spec->delayed_ack);
            continue;
        }
        b->quick -= b->quick > 0;
        set_owed(f, 0, b->missed, 0);
        acknowledge(f, begin + there, i + 1 < segments ? b->arrivals - 1 : b->arrivals, at, true);
    }
}

/* ---- arriving ------------------------------------------------------------------------- */

/* All that is there without a gap, from the hole on. */
static void advance(struct tcp_bulk *b)
{
    while (b->hole && b->hole->number) {
        b->got = b->hole->begin + b->hole->bytes;
        b->hole = b->hole->next;
    }
}

static void land(struct tcp_flow *f, struct tcp_run *r, ns_t first, ns_t last)
{
    struct tcp_bulk *b = f->bulk;
    const struct tcp_io *io = b->net->io;
    uint64_t before = b->got;
    if (r->number) { /* came twice */
        tcp_pay(f, last);
        return;
    }
    r->number = ++b->arrivals;
    b->missing -= r->gone;
    r->gone = false;
    if (r != b->hole) {
        b->beyond++;
        set_owed(f, 0, b->missed, 0);
        for (uint32_t i = 0; i < r->segments; i++)
            acknowledge(f, b->got, i + 1 < r->segments ? b->arrivals - 1 : b->arrivals,
                        tcp_when(first, last, i, r->segments), true);
        return;
    }
    if (r->begin <= b->said)
        b->echo = r->sent;
    b->hole = r->next;
    b->got = r->begin + r->bytes;
    io->reach(f, before, b->got, r->segments, first, last);
    if (b->beyond == 0) {
        answer_run(f, before, r->bytes, r->segments, first, last);
        return;
    }
    before = b->got;
    for (const struct tcp_run *x = b->hole; x && x->number; x = x->next)
        b->beyond--;
    advance(b);
    if (b->got > before)
        io->reach(f, before, b->got, 1, last, last);
    tcp_pay(f, last);
}

/* How many of the first segments find room in the downlink's queue, or (none) do not. */
static bool queued(const struct tcp_bulk *b, const struct tcp_run *r, const struct link_train *t,
                   uint32_t i, uint32_t *k)
{
    const struct access *a = b->to->access;
    bool full = false;
    ns_t free = b->to->down_free;
    if (a->queue_bytes <= 0 || a->down_bps <= 0)
        return true;
    for (uint32_t j = 0; j < *k; j++) {
        uint32_t bytes = tcp_run_wire(r, j + 1) - tcp_run_wire(r, j);
        ns_t at = tcp_when(t->first, t->last, i + j, i + *k);
        bool drop = link_full(at, free, a->down_bps, a->queue_bytes, bytes);
        if (j && drop != full) {
            *k = j;
            break;
        }
        full = drop;
        if (!drop)
            free = (at > free ? at : free) + link_time(bytes, a->down_bps);
    }
    return !full;
}

void tcp_bulk_arrive(struct tcp_flow *f, struct tcp_run *r, const struct link_train *train)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_run *rest, *whole = r;
    uint32_t n = r->segments;
    for (uint32_t i = 0, k; r && i < n && !b->stopped; i += k, r = rest) {
        struct link_train t = *train;
        uint32_t bytes;
        bool in;
        k = r->segments;
        in = queued(b, r, train, i, &k);
        rest = NULL;
        if (k < r->segments && !(rest = tcp_run_split(b, r, k)))
            break;
        bytes = tcp_run_wire(r, k);
        t.first = tcp_when(train->first, train->last, i, n);
        t.last = tcp_when(train->first, train->last, i + k - 1, n);
        t.bytes = bytes;
        t.head = tcp_run_wire(r, 1);
        t.tail = bytes - tcp_run_wire(r, k - 1);
        if (in) {
            link_pass(&t, b->to->access->down_bps, &b->to->down_free);
            land(f, r, t.first, t.last);
            continue;
        }
        tcp_run_gone(b, r);
        for (uint32_t j = 0; j < k; j++)
            b->net->io->drop(f, tcp_run_wire(r, j + 1) - tcp_run_wire(r, j), DROP_QUEUE, false);
    }
    tcp_run_unref(b->net, whole);
    tcp_schedule(f);
}

void tcp_bulk_waits(struct tcp_flow *f, uint32_t bytes)
{
    f->bulk->unread += bytes;
}

void tcp_bulk_handed(struct tcp_flow *f, uint32_t bytes, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    uint64_t half = (uint64_t)b->net->spec->receive_window / 2;
    bool shut = b->unread >= half;
    b->unread -= bytes;
    if (b->stopped || !shut || b->unread >= half)
        return;
    tcp_pay(f, now); /* a window update */
    tcp_schedule(f);
}

/* ---- from calm ------------------------------------------------------------------------ */

/* Room for so many bytes of the stream where the receiver's next one is. */
static void shift(struct tcp_bulk *b, uint32_t bytes)
{
    for (struct tcp_run *r = b->hole; r; r = r->next)
        r->begin += bytes;
    if (b->recover > b->got)
        b->recover += bytes;
    b->nxt += bytes;
    b->end += bytes;
    b->edge += bytes;
    b->out_until += bytes;
    b->parked_from += bytes;
}

static void insert(struct tcp_bulk *b, struct tcp_run *run)
{
    struct tcp_run **at = &b->first;
    while (*at != b->hole)
        at = &(*at)->next;
    run->next = b->hole;
    if (!b->hole)
        b->last = run;
    *at = b->hole = run;
}

void tcp_bulk_adopt(struct tcp_flow *f, ns_t sent, uint32_t bytes, ns_t now)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_run *run;
    ns_t due = sent + tcp_timeout(b);
    if (b->stopped || !(run = tcp_run_new(b->net)))
        return;
    if (b->una == b->end)
        b->waiting_since = now;
    run->begin = b->got;
    run->bytes = bytes;
    run->segments = tcp_segments(bytes);
    run->sent = sent;
    shift(b, bytes);
    insert(b, run);
    b->pipe += tcp_run_weight(b, run);
    b->calm = run;
    b->before = 0;
    f->before = f->recent = 0;
    if (!b->rto_at)
        b->rto_at = due > now ? due : now;
    tcp_schedule(f);
}

void tcp_bulk_absorb(struct tcp_flow *f, ns_t sent, uint32_t payload, const struct link_train *t)
{
    struct tcp_bulk *b = f->bulk;
    struct tcp_run *run = b->calm, *rest = NULL;
    assert(payload <= run->bytes);
    if (payload < run->bytes && !(rest = tcp_run_cut(b, run, payload)))
        return;
    b->calm = rest;
    run->sent = sent;
    run->refs++;
    tcp_bulk_arrive(f, run, t);
}
