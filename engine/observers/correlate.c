#include "engine/observers/correlate.h"

#include "engine/base/prng.h"
#include "engine/observers/bits.h"
#include "engine/observers/chance.h"

#include <stdlib.h>

bool flow_add(struct flow *f, ns_t when)
{
    f->packets++;
    if (f->n == FLOW_PACKETS)
        return false;
    if (f->n == f->cap) {
        uint32_t more = f->cap ? 2 * f->cap : 16;
        ns_t *times = realloc(f->times, more * sizeof *times);
        if (!times)
            return false;
        f->times = times;
        f->cap = more;
    }
    f->times[f->n++] = when;
    return true;
}

void flow_free(struct flow *f)
{
    free(f->times);
    *f = (struct flow){0};
}

/* ---- count vectors ---------------------------------------------------------------------- */

/* A count vector without its zeros. */
struct counts {
    uint32_t n;
    double sum, squares;
    struct {
        int64_t bin;
        double count;
    } at[FLOW_PACKETS];
};

static void count(const struct flow *f, const struct correlate_window *w, struct counts *c)
{
    c->n = 0;
    c->sum = c->squares = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        int64_t bin = (f->times[i] - w->from) / w->bin;
        if (f->times[i] < w->from || f->times[i] >= w->until)
            continue;
        if (c->n && c->at[c->n - 1].bin == bin) {
            c->at[c->n - 1].count += 1;
        } else {
            c->at[c->n].bin = bin;
            c->at[c->n++].count = 1;
        }
        c->sum += 1;
    }
    for (uint32_t i = 0; i < c->n; i++)
        c->squares += c->at[i].count * c->at[i].count;
}

/* cross[lag] = sum over bins of a(bin) b(bin + lag), from the bins that are not empty. */
static void cross_sums(const struct counts *a, const struct counts *b, int64_t lags, double *cross)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        while (first < b->n && b->at[first].bin < a->at[i].bin)
            first++;
        for (uint32_t j = first; j < b->n && b->at[j].bin - a->at[i].bin < lags; j++)
            cross[b->at[j].bin - a->at[i].bin] += a->at[i].count * b->at[j].count;
    }
}

double correlate_counts(const struct flow *a, const struct flow *b,
                        const struct correlate_window *w)
{
    double bins = (double)((w->until - w->from + w->bin - 1) / w->bin), scale, best = -1;
    int64_t lags = w->max_lag / w->bin + 1;
    struct counts *c = malloc(2 * sizeof *c);
    double *cross = calloc((size_t)lags, sizeof *cross);
    if (c && cross && w->until > w->from) {
        count(a, w, &c[0]);
        count(b, w, &c[1]);
        cross_sums(&c[0], &c[1], lags, cross);
        scale = (c[0].squares - c[0].sum * c[0].sum / bins) *
                (c[1].squares - c[1].sum * c[1].sum / bins);
        for (int64_t lag = 0; lag < lags; lag++)
            if (cross[lag] - c[0].sum * c[1].sum / bins > best * bits_sqrt(scale))
                best = scale > 0 ? (cross[lag] - c[0].sum * c[1].sum / bins) / bits_sqrt(scale) : 0;
        best = scale > 0 ? best : 0;
    } else {
        best = 0;
    }
    free(c);
    free(cross);
    return best;
}

/* ---- the path's law ---------------------------------------------------------------------- */

double correlate_density(const struct correlate_path *p, ns_t delay)
{
    double x = (double)(delay - p->base) / (double)p->mean, ln;
    if (p->stages == 0) { /* an error of the clock or the queue: Laplace's law */
        ln = -(x < 0 ? -x : x) - 0.6931471805599453;
    } else {
        if (x < 0 || (x <= 0 && p->stages > 1))
            return CORRELATE_FLOOR;
        ln = -x - chance_ln_factorial(p->stages - 1);
        if (p->stages > 1)
            ln += (double)(p->stages - 1) * det_log(x);
    }
    return ln > CORRELATE_FLOOR ? ln : CORRELATE_FLOOR;
}

double correlate_matched(const struct flow *a, const struct flow *b, const struct correlate_path *p)
{
    uint32_t n = a->n < b->n ? a->n : b->n, most = a->n < b->n ? b->n : a->n;
    double sum = 0;
    for (uint32_t k = 0; k < n; k++)
        sum += correlate_density(p, b->times[k] - a->times[k]);
    sum += (double)(most - n) * CORRELATE_FLOOR; /* packets that have no partner */
    return most ? sum / (double)most : CORRELATE_FLOOR;
}
