#include "engine/observers/flights.h"

#include "engine/observers/bounds.h"

#include <stdlib.h>

void flights_free(struct flights *f)
{
    free(f->table);
    *f = (struct flights){0};
}

static struct flight *place_of(const struct flights *f, const struct packet_truth *p)
{
    uint64_t h = (p->serial ^ (uint64_t)p->from << 40) * 0x9e3779b97f4a7c15U;
    return &f->table[(h >> 32) % FLIGHTS_MOST];
}

void flights_sent(struct flights *f, const struct packet_truth *p, ns_t when)
{
    if (p->kind == TRUTH_COVER_LOOP || p->kind == TRUTH_COVER_DROP)
        f->cover++;
    if (p->kind != TRUTH_REAL || p->serial == 0)
        return;
    if (!f->table && !(f->table = calloc(FLIGHTS_MOST, sizeof *f->table)))
        return;
    f->first = f->real++ ? f->first : when;
    f->last = when;
    *place_of(f, p) = (struct flight){p->from, p->serial, when};
}

void flights_came(struct flights *f, const struct packet_truth *p, ns_t when)
{
    struct flight *x = f->table && p->kind == TRUTH_REAL ? place_of(f, p) : NULL;
    if (!x || x->from != p->from || x->serial != p->serial || x->serial == 0)
        return;
    f->arrived++;
    f->time += when - x->sent;
    x->serial = 0;
}

bool flights_judge(const struct flights *f, uint64_t users, struct flights_figures *out)
{
    double gap, p;
    uint32_t rounds;
    if (users < 2 || f->real < 2 || f->arrived == 0 || f->last <= f->first)
        return false;
    gap = (double)(f->last - f->first) / (double)(f->real - 1);
    out->rounds = (double)f->time / (double)f->arrived / gap;
    out->noise = (double)f->cover / (double)f->real / (double)users;
    p = 1 / (double)users + out->noise;
    rounds = out->rounds < 1e6 ? (uint32_t)out->rounds : 1000000;
    rounds += rounds < out->rounds; /* more of them leave less: a bound is one for sure */
    out->synchronised = bounds_synchronised(users, out->rounds, out->noise);
    out->unsynchronised = bounds_unsynchronised(p < 1 ? p : 1, rounds);
    return true;
}
