#include "engine/observers/guess.h"

#include "engine/observers/bits.h"

#include <stdlib.h>

static void count(struct guess *g, double p, double work)
{
    int64_t step = bits_round(p * GUESS_STEPS);
    g->count++;
    g->steps[step < 0 ? 0 : step > GUESS_STEPS ? GUESS_STEPS : step]++;
    g->guess_ppb += (uint64_t)bits_round(p * 1e9);
    g->min_milli += p > 0 && p < 1 ? (uint64_t)bits_milli(-bits_log2(p)) : 0;
    g->work_milli += (uint64_t)bits_milli(work);
}

void guess_add(struct guess *g, double p_guess, double guesswork)
{
    count(g, p_guess, guesswork);
    g->top_ppb[0] += (uint64_t)bits_round(p_guess * 1e9);
}

static int falling(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

void guess_add_posterior(struct guess *g, double *q, size_t n)
{
    double work = 0, top = 0;
    if (n == 0)
        return;
    qsort(q, n, sizeof *q, falling);
    for (size_t i = 0; i < n; i++)
        work += (double)(i + 1) * q[i];
    count(g, q[0], work);
    for (size_t k = 0; k < GUESS_TOP; k++) {
        top += k < n ? q[k] : 0;
        g->top_ppb[k] += (uint64_t)bits_round(top * 1e9);
    }
}

void guess_merge(struct guess *g, const struct guess *from)
{
    g->count += from->count;
    for (int i = 0; i <= GUESS_STEPS; i++)
        g->steps[i] += from->steps[i];
    g->guess_ppb += from->guess_ppb;
    g->min_milli += from->min_milli;
    g->work_milli += from->work_milli;
    for (int k = 0; k < GUESS_TOP; k++)
        g->top_ppb[k] += from->top_ppb[k];
}

static double mean(const struct guess *g, uint64_t sum, double unit)
{
    return g->count ? (double)sum / (double)g->count / unit : 0;
}

double guess_mean(const struct guess *g)
{
    return mean(g, g->guess_ppb, 1e9);
}

double guess_bits(const struct guess *g)
{
    double p = guess_mean(g);
    return p > 0 && p < 1 ? -bits_log2(p) : 0;
}

double guess_min_entropy(const struct guess *g)
{
    return mean(g, g->min_milli, 1e3);
}

double guess_work(const struct guess *g)
{
    return mean(g, g->work_milli, 1e3);
}

double guess_top(const struct guess *g, int k)
{
    return k >= 1 && k <= GUESS_TOP ? mean(g, g->top_ppb[k - 1], 1e9) : 0;
}

double guess_quantile(const struct guess *g, uint32_t ppm)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t rank = (uint64_t)(((wide)g->count * ppm + 999999) / 1000000), below = 0;
    if (g->count == 0)
        return 0;
    for (int i = 0; i <= GUESS_STEPS; i++) {
        below += g->steps[i];
        if (below && below >= rank)
            return (double)i / GUESS_STEPS;
    }
    return 1;
}
