#include "engine/worlds/link/faults.h"

#include <stdlib.h>

static bool lasts(const struct action *a)
{
    return a->kind == ACT_PARTITION || a->kind == ACT_LINK || a->kind == ACT_FLAP;
}

int faults_init(struct faults *f, const struct action *actions, size_t n)
{
    *f = (struct faults){.begin = NS_NEVER};
    for (size_t i = 0; i < n; i++)
        f->n += lasts(&actions[i]);
    if (f->n == 0)
        return OK;
    f->list = malloc(f->n * sizeof *f->list);
    if (!f->list) {
        f->n = 0;
        return ERR_NOMEM;
    }
    f->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct action *a = &actions[i];
        if (!lasts(a))
            continue;
        f->list[f->n++] = a;
        f->begin = a->at < f->begin ? a->at : f->begin;
        f->end = a->until > f->end ? a->until : f->end;
    }
    return OK;
}

void faults_fix(struct faults *f, const struct action *links, size_t n)
{
    f->fixed = links;
    f->n_fixed = n;
}

void faults_free(struct faults *f)
{
    free(f->list);
    *f = (struct faults){0};
}

static bool holds(const struct action *a, ns_t t)
{
    return a->at <= t && t < a->until;
}

/* On the way from a to b. */
static bool separates(const struct action *p, uint32_t a, uint32_t b)
{
    if (p->one_way)
        return p->side[a] == 1 && p->side[b] == 2;
    return p->side[a] && p->side[b] && p->side[a] != p->side[b];
}

static bool between(const struct action *x, uint32_t a, uint32_t b)
{
    return (x->a == a && x->b == b) || (!x->one_way && x->a == b && x->b == a);
}

bool faults_touch(const struct action *a, uint32_t x, uint32_t y)
{
    if (a->kind == ACT_PARTITION)
        return separates(a, x, y) || separates(a, y, x);
    return lasts(a) && (between(a, x, y) || between(a, y, x));
}

static bool is_down(const struct action *a, ns_t t)
{
    return (t - a->at) % (a->up + a->down) >= a->up;
}

bool faults_cut(const struct faults *f, uint32_t a, uint32_t b, ns_t t)
{
    if (t < f->begin || t >= f->end)
        return false;
    for (size_t i = 0; i < f->n; i++) {
        const struct action *x = f->list[i];
        if (!holds(x, t))
            continue;
        if (x->kind == ACT_PARTITION && separates(x, a, b))
            return true;
        if (x->kind == ACT_FLAP && between(x, a, b) && is_down(x, t))
            return true;
    }
    return false;
}

static void change(const struct action *x, struct link_path *path)
{
    if (x->loss_ppm >= 0 && path->loss.ppm != LINK_SEVERED)
        path->loss.ppm = (uint32_t)x->loss_ppm;
    if (x->burst >= 0)
        path->loss.burst = (uint16_t)x->burst;
    if (x->latency >= 0)
        path->delay = x->latency;
    if (x->rate_bps >= 0)
        path->rate_bps = x->rate_bps;
    if (x->jitter >= 0) {
        path->jitter_from = x->jitter;
        path->jitter_to = 0;
    }
}

void faults_bend(const struct faults *f, uint32_t a, uint32_t b, ns_t t, struct link_path *path)
{
    if (t < f->begin || t >= f->end)
        return;
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i]->kind == ACT_LINK && holds(f->list[i], t) && between(f->list[i], a, b))
            change(f->list[i], path);
}

void faults_mend(const struct faults *f, uint32_t a, uint32_t b, struct link_path *path)
{
    for (size_t i = 0; i < f->n_fixed; i++)
        if (between(&f->fixed[i], a, b))
            change(&f->fixed[i], path);
}
