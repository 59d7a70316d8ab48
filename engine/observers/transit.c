#include "engine/observers/transit.h"

#include "engine/base/prng.h"

#include <stdlib.h>
#include <string.h>

/* The law is not known better than to so many ns; it follows the last so many packets. */
#define FINEST 20e3
#define MEMORY 64
#define DRIFT 4096 /* the least delay may grow by a mean in so many packets */
/* What came to a server within the first time is thought of before what came within the second,
 * and that before all else, which it keeps for good or for somebody who is away. */
#define PROMPT (20 * NS_US)
#define SLOW (2 * NS_MS)
#define LATER 1e-8
/* What a size is not looked at for beside the best. */
#define FAR 1e-6
#define LOST 1e-3 /* P(lost) */
/* Before there are packets to learn from: so many, of this share of the least delay. */
#define PRIOR 2
#define PRIOR_SHARE 16
/* Of ages, in the mean: how sharply the law begins, and what is as good as never. */
#define EDGE 0.05
#define YOUNGEST 1e-5
#define OLDEST 60.0

void transit_free(struct transit *t)
{
    free(t->entries);
    free(t->beliefs);
    free(t->weights);
    *t = (struct transit){0};
}

/* ---- what is inside ---------------------------------------------------------------------- */

static bool make_room(struct transit *t, size_t width)
{
    uint32_t cap = t->cap ? 2 * t->cap : 8;
    void *grown;
    if (t->head && t->head + t->n == t->cap) {
        memmove(t->entries, t->entries + t->head, t->n * sizeof *t->entries);
        memmove(t->beliefs, t->beliefs + t->head * width, t->n * width * sizeof *t->beliefs);
        t->head = 0;
    }
    if (t->head + t->n < t->cap)
        return true;
    if (cap > TRANSIT_MOST || !(grown = realloc(t->entries, cap * sizeof *t->entries)))
        return false;
    t->entries = grown;
    if (!(grown = realloc(t->weights, cap * sizeof *t->weights)))
        return false;
    t->weights = grown;
    if (!(grown = realloc(t->beliefs, cap * width * sizeof *t->beliefs)))
        return false;
    t->beliefs = grown;
    t->cap = cap;
    return true;
}

static void forget(struct transit *t, ns_t now)
{
    while (t->n && now - t->entries[t->head].when > TRANSIT_LIFETIME) {
        t->head++;
        t->n--;
    }
}

void transit_arrive(struct transit *t, const struct belief_shape *shape,
                    const struct transit_entry *in, const double *b)
{
    uint32_t at;
    forget(t, in->when);
    if (!make_room(t, shape->width))
        return;
    at = t->head + t->n++;
    t->entries[at] = *in;
    memcpy(t->beliefs + (size_t)at * shape->width, b, shape->width * sizeof *b);
}

/* Older ones move up by one. */
static void take_out(struct transit *t, size_t width, uint32_t at)
{
    uint32_t before = at - t->head;
    memmove(t->entries + t->head + 1, t->entries + t->head, before * sizeof *t->entries);
    memmove(t->beliefs + (t->head + 1) * width, t->beliefs + t->head * width,
            before * width * sizeof *t->beliefs);
    t->head++;
    t->n--;
}

/* ---- which it could be ------------------------------------------------------------------- */

static uint32_t apart(uint32_t a, uint32_t b)
{
    return a < b ? b - a : a - b;
}

/* The rate at which one of this age leaves, in 1 / mean; all alike while no law is known. It is
 * constant from the least delay on, as jitter is nearly exponential, and falls to nothing where
 * what has not left by then never will. */
static double weight_of(const struct transit *t, enum transit_kind kind, ns_t age)
{
    double n = t->learned, prior = t->least / PRIOR_SHARE + FINEST, x;
    if (kind == TRANSIT_SERVER)
        return age <= PROMPT ? 1 : age <= SLOW ? LATER : LATER * LATER;
    if (n == 0)
        return 1;
    x = ((double)age - t->least) * (n + PRIOR) / (n * t->excess + PRIOR * prior) + EDGE + 1 / n;
    x = x < YOUNGEST ? YOUNGEST : x > OLDEST ? OLDEST : x;
    return x / (EDGE + x + LOST * det_exp(x));
}

/* The mean is that of all ages that it could be; the least is surely none below it. */
static void learn(struct transit *t, const struct transit_entry *out, uint32_t best)
{
    double age = (double)(out->when - t->entries[best].when), off = age - t->least;
    t->learned += t->learned < MEMORY;
    if (t->learned == 1 || off < 0) {
        t->excess -= t->learned == 1 ? 0 : off;
        t->least = age;
        return;
    }
    age = 0;
    for (uint32_t i = t->head; i < t->head + t->n; i++)
        if (t->weights[i] > 0)
            age += t->weights[i] * (double)(out->when - t->entries[i].when);
    off = age - t->least;
    t->excess += (off - t->excess) / t->learned;
    t->least += t->excess / DRIFT;
}

static bool fits(const struct transit_entry *in, const struct transit_entry *out,
                 enum transit_kind kind)
{
    if (kind != TRANSIT_SERVER)
        return in->flow == out->flow || out->flow == TRANSIT_ANY_FLOW;
    return in->from != out->from && apart(in->bytes, out->bytes) <= TRANSIT_SLACK;
}

/* The oldest of the nearest size; UINT32_MAX: none. */
static uint32_t in_order(const struct transit *t, const struct transit_entry *out)
{
    uint32_t best = UINT32_MAX, least = UINT32_MAX;
    for (uint32_t i = t->head; least && i < t->head + t->n; i++) {
        uint32_t d = apart(t->entries[i].bytes, out->bytes);
        if (d < least && fits(&t->entries[i], out, TRANSIT_STREAM)) {
            best = i;
            least = d;
        }
    }
    return best;
}

/* Weighs every entry, 1 together; the heaviest, of equal ones the oldest. UINT32_MAX: none. */
static uint32_t weigh(struct transit *t, const struct transit_entry *out, enum transit_kind kind)
{
    double most = 0, sum = 0;
    uint32_t least = UINT32_MAX, best = UINT32_MAX, end = t->head + t->n;
    for (uint32_t i = t->head; i < end; i++) {
        const struct transit_entry *in = &t->entries[i];
        t->weights[i] = fits(in, out, kind) ? weight_of(t, kind, out->when - in->when) : 0;
        most = kind == TRANSIT_SERVER && t->weights[i] > most ? t->weights[i] : most;
    }
    for (uint32_t i = t->head; i < end; i++)
        if (t->weights[i] > 0 && t->weights[i] >= FAR * most &&
            apart(t->entries[i].bytes, out->bytes) < least)
            least = apart(t->entries[i].bytes, out->bytes);
    for (uint32_t i = t->head; i < end; i++) {
        if (apart(t->entries[i].bytes, out->bytes) != least)
            t->weights[i] = 0;
        sum += t->weights[i];
        if (t->weights[i] > 0 && (best == UINT32_MAX || t->weights[i] > t->weights[best]))
            best = i;
    }
    for (uint32_t i = t->head; sum > 0 && i < end; i++)
        t->weights[i] /= sum;
    return best;
}

/* b is the mean by weight. The heaviest is the one that leaves; in so far as it was another one,
 * that is still inside in the other's place. */
static void share_out(struct transit *t, size_t width, uint32_t best, double *b)
{
    const double *gone = t->beliefs + best * width;
    memset(b, 0, width * sizeof *b);
    for (uint32_t i = t->head; i < t->head + t->n; i++) {
        double w = t->weights[i], *own = t->beliefs + i * width;
        for (size_t k = 0; w > 0 && k < width; k++) {
            b[k] += w * own[k];
            own[k] += i == best ? 0 : w * (gone[k] - own[k]);
        }
    }
}

static uint32_t find(struct transit *t, const struct transit_entry *out, enum transit_kind kind)
{
    return kind == TRANSIT_STREAM ? in_order(t, out) : weigh(t, out, kind);
}

bool transit_leave(struct transit *t, const struct belief_shape *shape, enum transit_kind kind,
                   const struct transit_entry *out, double *b)
{
    const struct transit_entry any = {out->when, out->bytes, out->from, TRANSIT_ANY_FLOW};
    size_t width = shape->width;
    uint32_t at;
    forget(t, out->when);
    at = find(t, out, kind);
    if (at == UINT32_MAX)
        at = find(t, &any, kind);
    if (at == UINT32_MAX) {
        belief_uniform(shape, b);
        return false;
    }
    if (kind == TRANSIT_STREAM || t->weights[at] > 1 - 1e-9)
        memcpy(b, t->beliefs + at * width, width * sizeof *b);
    else
        share_out(t, width, at, b);
    if (kind == TRANSIT_DATAGRAM)
        learn(t, out, at);
    take_out(t, width, at);
    return true;
}
