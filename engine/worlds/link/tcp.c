#include "engine/worlds/link/tcp.h"

enum { FAST_RETRANSMIT = 3 };

static ns_t first_rto(const struct tcp_flow *f)
{
    return 2 * f->rtt > TCP_RTO_MIN ? 2 * f->rtt : TCP_RTO_MIN;
}

static ns_t next_rto(ns_t rto)
{
    return 2 * rto < TCP_RTO_MAX ? 2 * rto : TCP_RTO_MAX;
}

static void tell(const struct tcp_flow *f, uint32_t i, ns_t left)
{
    if (f->tap)
        f->tap->segment(f->tap, i, left);
}

static void sent_again(struct tcp_sent *out, uint32_t bytes)
{
    out->resent++;
    out->packets++;
    out->bytes += bytes;
}

struct link_train tcp_train(uint32_t payload)
{
    uint32_t n = tcp_segments(payload);
    return (struct link_train){
        .bytes = payload + n * TCP_HEADERS,
        .head = n > 1 ? TCP_MSS + TCP_HEADERS : payload + TCP_HEADERS,
        .tail = payload - (n - 1) * TCP_MSS + TCP_HEADERS,
    };
}

/* Repeats the head of a message until no partition is in the way: *t is when it leaves. */
static bool wait_out(struct tcp_flow *f, const struct faults *faults, ns_t *t, uint32_t head,
                     struct tcp_sent *out)
{
    ns_t start = *t, rto = first_rto(f);
    while (faults_cut(faults, f->from, f->to, *t)) {
        out->cut++;
        tell(f, 0, *t);
        *t += rto;
        rto = next_rto(rto);
        if (*t - start > TCP_GIVE_UP) {
            out->gives_up = start + TCP_GIVE_UP;
            return false;
        }
        sent_again(out, head);
        f->resume = *t;
    }
    return true;
}

/* When segment i, which left at `left` and was lost, gets through at last. */
static ns_t repeat(struct tcp_flow *f, const struct faults *faults, uint32_t i, ns_t left,
                   bool fast, uint32_t bytes, struct tcp_sent *out)
{
    ns_t rto = first_rto(f), wait = fast ? f->rtt : rto, t = left;
    if (!fast)
        rto = next_rto(rto);
    for (;;) {
        struct link_path path = f->path;
        t += wait;
        if (t - left > TCP_GIVE_UP) {
            out->gives_up = left + TCP_GIVE_UP;
            return t;
        }
        sent_again(out, bytes);
        tell(f, i, t);
        faults_bend(faults, f->from, f->to, t, &path);
        if (faults_cut(faults, f->from, f->to, t))
            out->cut++;
        else if (dice_chance(&f->dice, path.loss_ppm))
            out->lost++;
        else
            return t;
        wait = rto;
        rto = next_rto(rto);
    }
}

/* Draws the loss of every segment; `left` is when the first one left the uplink. */
static void lose(struct tcp_flow *f, const struct faults *faults, uint32_t loss_ppm, ns_t left,
                 ns_t way, int64_t up_bps, uint32_t n, struct tcp_sent *out)
{
    struct link_train *train = &out->train;
    for (uint32_t i = 0; i < n && !out->gives_up; i++) {
        uint32_t bytes = i + 1 < n ? train->head : train->tail;
        ns_t there, sent = left + link_time((uint64_t)i * train->head, up_bps);
        if (!dice_chance(&f->dice, loss_ppm))
            continue;
        out->lost++;
        there = way + repeat(f, faults, i, sent, n - 1 - i >= FAST_RETRANSMIT, bytes, out);
        if (there > train->last)
            train->last = there;
    }
    if (n == 1)
        train->first = train->last;
}

void tcp_send(struct tcp_flow *f, const struct faults *faults, struct link_host *from, ns_t at,
              uint32_t payload, struct tcp_sent *out)
{
    struct link_path path = f->path;
    struct link_train *train = &out->train;
    int64_t up_bps = from->access->up_bps;
    uint32_t n = tcp_segments(payload);
    ns_t t = at > f->resume ? at : f->resume, left, way;
    *out = (struct tcp_sent){.train = tcp_train(payload), .packets = n};
    out->bytes = train->bytes;
    if (faults->n) {
        if (!wait_out(f, faults, &t, train->head, out))
            return;
        faults_bend(faults, f->from, f->to, t, &path);
    }
    train->first = train->last = t;
    link_pass(train, up_bps, t > at ? &f->resume : &from->up_free);
    left = train->first;
    for (uint32_t i = 0; f->tap && i < n; i++)
        tell(f, i,
             left + link_time(i + 1 < n ? (uint64_t)i * train->head : train->bytes - train->head,
                              up_bps));
    link_pass(train, path.rate_bps, &f->rate_free);
    way = path.delay + link_jitter(&path, &f->dice);
    train->first += way;
    train->last += way;
    if (path.loss_ppm)
        lose(f, faults, path.loss_ppm, left, way, up_bps, n, out);
    if (out->gives_up)
        return;
    if (train->first < f->arrival)
        train->first = f->arrival;
    if (train->last < train->first)
        train->last = train->first;
    f->arrival = train->last;
}

enum drop tcp_signal(struct tcp_flow *f, const struct faults *faults, struct link_host *from,
                     ns_t at, uint32_t bytes, struct tcp_sent *out)
{
    struct link_path path = f->path;
    struct link_train *train = &out->train;
    ns_t way;
    *out = (struct tcp_sent){
        .train = {.first = at, .last = at, .bytes = bytes, .head = bytes, .tail = bytes},
        .bytes = bytes,
        .packets = 1};
    link_pass(train, from->access->up_bps, &from->up_free);
    if (faults->n) {
        faults_bend(faults, f->from, f->to, at, &path);
        if (faults_cut(faults, f->from, f->to, at))
            return DROP_PARTITION;
    }
    link_pass(train, path.rate_bps, &f->rate_free);
    way = path.delay + link_jitter(&path, &f->dice);
    train->first += way;
    train->last += way;
    return dice_chance(&f->dice, path.loss_ppm) ? DROP_LOSS : DROP_COUNT;
}
