#include "engine/worlds/link/tcp.h"

#include "engine/worlds/link/tcp_bulk.h"

const struct tcp_spec tcp_linux = {.delayed_ack = 40 * NS_MS,
                                   .min_rto = 200 * NS_MS,
                                   .receive_window = 6 << 20,
                                   .initial_window = 10,
                                   .hystart = true};

const struct tcp_spec tcp_ns3 = {.delayed_ack = 200 * NS_MS,
                                 .min_rto = 200 * NS_MS,
                                 .receive_window = 6 << 20,
                                 .initial_window = 10,
                                 .hystart = true,
                                 .like_ns3 = true};

enum { CALM_NS3 = 2 }; /* segments: each acknowledgement of more counts in ns-3 */

ns_t tcp_rto(const struct tcp_spec *s, ns_t srtt, ns_t rttvar)
{
    ns_t var = 4 * rttvar > NS_MS ? 4 * rttvar : NS_MS, rto;
    if (!s->like_ns3)
        return srtt + (var > s->min_rto ? var : s->min_rto);
    rto = srtt + var;
    return rto > s->min_rto ? rto : s->min_rto;
}

/* Segments that may still be on their way, and those that the window leaves in calm. */
static bool has_room(struct tcp_flow *f, const struct tcp_spec *spec, ns_t at, uint32_t n)
{
    enum { SHIFT = 20, MASK = (1 << 24) - 1 };
    uint32_t now = (uint32_t)(at >> SHIFT) & MASK, age = (now - f->round) & MASK;
    uint32_t trip =
        (uint32_t)((2 * f->path->delay + 4 * (f->path->jitter_from + f->path->jitter_to)) >>
                   SHIFT) +
        1;
    uint32_t room = (uint32_t)spec->initial_window / 2;
    if (age >= trip) {
        f->before = age < 2 * trip ? f->recent : 0;
        f->recent = 0;
        f->round = now & MASK;
        f->rounds = (uint8_t)(f->rounds + (f->rounds < UINT8_MAX));
    }
    if (f->bulk)
        room = tcp_bulk_room(f, at);
    else if (spec->like_ns3)
        room = (uint32_t)spec->initial_window + f->unpaid / TCP_MSS;
    if ((uint32_t)f->before + f->recent + n > room || f->recent + n > UINT16_MAX)
        return false;
    return true;
}

bool tcp_send(struct tcp_flow *f, const struct tcp_spec *spec, const struct faults *faults,
              struct link_host *from, ns_t at, uint32_t payload, struct link_train *train)
{
    const struct link_path *path = f->path;
    struct link_path bent;
    const struct access *a = from->access;
    uint32_t n = tcp_segments(payload);
    ns_t way;
    if (!has_room(f, spec, at, n) || (spec->like_ns3 && (n > CALM_NS3 || path->loss.ppm)))
        return false;
    *train = tcp_train(payload);
    if (link_full(at, from->up_free, a->up_bps, a->queue_bytes, train->bytes))
        return false;
    if (faults->n) {
        if (faults_cut(faults, f->from, f->to, at))
            return false;
        bent = *f->path;
        faults_bend(faults, f->from, f->to, at, &bent);
        path = &bent;
    }
    if (path->loss.ppm) {
        if (loss_passes(&f->loss, &path->loss, &f->dice) < n)
            return false;
        loss_pass(&f->loss, n);
    }
    f->recent = (uint16_t)(f->recent + n);
    if (spec->like_ns3)
        f->unpaid += payload;
    train->first = train->last = at;
    link_pass(train, a->up_bps, &from->up_free);
    link_pass(train, path->rate_bps, &f->rate_free);
    way = path->delay + link_jitter(path, &f->dice);
    train->first += way;
    train->last += way;
    if (f->bulk && f->bulk->got != f->bulk->end && train->first <= f->arrival)
        train->first = f->arrival + 1; /* what is handed over of a run has a later event */
    if (train->first < f->arrival)
        train->first = f->arrival;
    if (train->last < train->first)
        train->last = train->first;
    f->arrival = train->last;
    return true;
}

enum drop tcp_signal(struct tcp_flow *f, const struct faults *faults, struct link_host *from,
                     ns_t at, uint32_t bytes, struct link_train *train)
{
    struct link_path path = *f->path;
    const struct access *a = from->access;
    ns_t way;
    *train =
        (struct link_train){.first = at, .last = at, .bytes = bytes, .head = bytes, .tail = bytes};
    if (link_full(at, from->up_free, a->up_bps, a->queue_bytes, bytes))
        return DROP_QUEUE;
    link_pass(train, a->up_bps, &from->up_free);
    if (faults->n) {
        faults_bend(faults, f->from, f->to, at, &path);
        if (faults_cut(faults, f->from, f->to, at))
            return DROP_PARTITION;
    }
    link_pass(train, path.rate_bps, &f->rate_free);
    way = path.delay + link_jitter(&path, &f->dice);
    train->first += way;
    train->last += way;
    if (path.loss.ppm == LINK_SEVERED)
        return DROP_NO_ROUTE;
    return loss_hits(&f->loss, &path.loss, &f->dice) ? DROP_LOSS : DROP_COUNT;
}
