#include "engine/observers/belief.h"

#include "engine/base/err.h"
#include "engine/observers/bits.h"

#include <stdlib.h>
#include <string.h>

void belief_certain(const struct belief_shape *s, double *b, uint32_t who)
{
    memset(b, 0, s->width * sizeof *b);
    b[who < s->width ? who : s->width - 1] = 1;
}

static double people(const struct belief_shape *s)
{
    return s->others ? (double)(s->width - 1) + (double)s->others : (double)s->width;
}

void belief_uniform(const struct belief_shape *s, double *b)
{
    for (uint32_t i = 0; i < s->width; i++)
        b[i] = 1 / people(s);
    if (s->others)
        b[s->width - 1] *= (double)s->others;
}

int belief_pool_init(struct belief_pool *p, const struct belief_shape *s)
{
    p->inside = 0;
    p->mean = calloc(s->width, sizeof *p->mean);
    return p->mean ? OK : ERR_NOMEM;
}

void belief_pool_free(struct belief_pool *p)
{
    free(p->mean);
    *p = (struct belief_pool){0};
}

void belief_pool_arrive(struct belief_pool *p, const struct belief_shape *s, const double *b)
{
    double n = (double)p->inside, all = n + 1;
    for (uint32_t i = 0; i < s->width; i++)
        p->mean[i] = (n * p->mean[i] + b[i]) / all;
    p->inside++;
}

bool belief_pool_leave(struct belief_pool *p, const struct belief_shape *s, double *b)
{
    if (p->inside == 0) {
        belief_uniform(s, b);
        return false;
    }
    memcpy(b, p->mean, s->width * sizeof *b);
    p->inside--;
    return true;
}

void belief_fifo_free(struct belief_fifo *f)
{
    free(f->ring);
    *f = (struct belief_fifo){0};
}

static bool grow(struct belief_fifo *f, uint32_t width)
{
    uint32_t more = f->cap ? 2 * f->cap : 4;
    double *ring;
    if (f->n < f->cap)
        return true;
    ring = more <= BELIEF_FIFO ? malloc((size_t)more * width * sizeof *ring) : NULL;
    if (!ring)
        return false;
    for (uint32_t i = 0; i < f->n; i++)
        memcpy(ring + (size_t)i * width, f->ring + (size_t)((f->head + i) % f->cap) * width,
               width * sizeof *ring);
    free(f->ring);
    f->ring = ring;
    f->head = 0;
    f->cap = more;
    return true;
}

void belief_fifo_arrive(struct belief_fifo *f, const struct belief_shape *s, const double *b)
{
    if (!grow(f, s->width)) {
        f->lost++;
        return;
    }
    memcpy(f->ring + (size_t)((f->head + f->n) % f->cap) * s->width, b, s->width * sizeof *b);
    f->n++;
}

bool belief_fifo_leave(struct belief_fifo *f, const struct belief_shape *s, double *b)
{
    if (f->n == 0) {
        f->lost++;
        belief_uniform(s, b);
        return false;
    }
    memcpy(b, f->ring + (size_t)f->head * s->width, s->width * sizeof *b);
    f->head = (f->head + 1) % f->cap;
    f->n--;
    return true;
}

struct belief_figures belief_judge(const struct belief_shape *s, const double *b, uint32_t truth)
{
    struct belief_figures f = {.entropy = bits_entropy(b, s->width)};
    double log_people = bits_log2(people(s));
    for (uint32_t i = 0; i < s->width; i++) {
        double one = s->others && i == s->width - 1 ? b[i] / (double)s->others : b[i];
        f.guess = one > f.guess ? one : f.guess;
        if (i == truth)
            f.truth = one;
    }
    if (s->others)
        f.entropy += b[s->width - 1] * bits_log2((double)s->others);
    f.min_entropy = f.guess > 0 && f.guess < 1 ? -bits_log2(f.guess) : 0;
    f.degree = log_people > 0 ? f.entropy / log_people : 1;
    return f;
}
