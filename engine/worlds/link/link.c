#include "engine/worlds/link/link.h"

__extension__ typedef unsigned __int128 u128;

static const uint64_t BIT_NS = UINT64_C(8000000000); /* bits a byte, nanoseconds a second */

ns_t link_time(uint64_t bytes, int64_t bps)
{
    if (bps <= 0)
        return 0;
    if (bytes < 1 << 30 && bps < INT64_C(1) << 62)
        return (ns_t)((bytes * BIT_NS + (uint64_t)bps - 1) / (uint64_t)bps);
    return (ns_t)(((u128)bytes * BIT_NS + (uint64_t)bps - 1) / (uint64_t)bps);
}

uint64_t link_backlog(ns_t now, ns_t free, int64_t bps)
{
    if (free <= now || bps <= 0)
        return 0;
    return (uint64_t)((u128)(uint64_t)(free - now) * (uint64_t)bps / BIT_NS);
}

bool link_full(ns_t now, ns_t free, int64_t bps, int64_t queue_bytes, uint32_t bytes)
{
    return queue_bytes > 0 && link_backlog(now, free, bps) + bytes > (uint64_t)queue_bytes;
}

void link_pass(struct link_train *t, int64_t bps, ns_t *free)
{
    ns_t start, last;
    if (bps <= 0)
        return;
    start = t->first > *free ? t->first : *free;
    last = start + link_time(t->bytes, bps);
    if (t->last > t->first) {
        ns_t tail = t->last + link_time(t->tail, bps);
        last = tail > last ? tail : last;
    }
    t->first = t->head == t->bytes ? last : start + link_time(t->head, bps);
    t->last = last;
    *free = last;
}

struct link_path link_path(const struct regions *r, const struct link_host *from,
                           const struct link_host *to)
{
    const struct access *a = from->access, *b = to->access;
    size_t way = (size_t)from->region * r->n + to->region;
    return (struct link_path){
        .delay = r->rtt[way] / 2 + a->latency + b->latency,
        .jitter_from = a->jitter,
        .jitter_to = b->jitter,
        .loss_ppm = (uint32_t)(a->loss_ppm + b->loss_ppm - a->loss_ppm * b->loss_ppm / 1000000),
        .burst = (uint16_t)(a->burst > b->burst ? a->burst : b->burst),
        .shape_from = (uint8_t)a->jitter_shape,
        .shape_to = (uint8_t)b->jitter_shape,
    };
}

uint32_t link_bad(const struct link_host *from, const struct link_host *to)
{
    const struct access *a = from->access, *b = to->access;
    return (uint32_t)(a->burst >= b->burst ? a->bad_ppm : b->bad_ppm);
}

/* The mean of exp(Z) is exp(1 / 2). */
static ns_t draw(ns_t mean, uint8_t shape, struct dice *d)
{
    if (shape == JITTER_LOGNORMAL)
        return (ns_t)((double)mean * det_exp(dice_normal(d) - 0.5) + 0.5);
    return dice_exp(d, mean);
}

ns_t link_jitter(const struct link_path *p, struct dice *d)
{
    ns_t sum = 0;
    if (p->jitter_from)
        sum += draw(p->jitter_from, p->shape_from, d);
    if (p->jitter_to)
        sum += draw(p->jitter_to, p->shape_to, d);
    return sum;
}
