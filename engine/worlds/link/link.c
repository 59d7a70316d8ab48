#include "engine/worlds/link/link.h"

__extension__ typedef unsigned __int128 u128;

ns_t link_time_long(uint64_t bytes, int64_t bps)
{
    return (ns_t)(((u128)bytes * LINK_BIT_NS + (uint64_t)bps - 1) / (uint64_t)bps);
}

uint64_t link_backlog(ns_t now, ns_t free, int64_t bps)
{
    if (free <= now || bps <= 0)
        return 0;
    return (uint64_t)((u128)(uint64_t)(free - now) * (uint64_t)bps / LINK_BIT_NS);
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
        .loss = {.ppm = (uint32_t)(a->loss_ppm + b->loss_ppm - a->loss_ppm * b->loss_ppm / 1000000),
                 .bad = (uint32_t)(a->burst >= b->burst ? a->bad_ppm : b->bad_ppm),
                 .burst = (uint16_t)(a->burst > b->burst ? a->burst : b->burst)},
        .shape_from = (uint8_t)a->jitter_shape,
        .shape_to = (uint8_t)b->jitter_shape,
    };
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
    if (p->jitter_from && p->jitter_to && p->shape_from == JITTER_EXPONENTIAL &&
        p->shape_to == JITTER_EXPONENTIAL)
        return dice_exp_sum(d, p->jitter_from, p->jitter_to);
    if (p->jitter_from)
        sum += draw(p->jitter_from, p->shape_from, d);
    if (p->jitter_to)
        sum += draw(p->jitter_to, p->shape_to, d);
    return sum;
}
