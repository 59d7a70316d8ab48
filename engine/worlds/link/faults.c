#include "engine/worlds/link/faults.h"

#include <stdlib.h>

int faults_init(struct faults *f, const struct action *actions, size_t n)
{
    *f = (struct faults){.begin = NS_NEVER};
    for (size_t i = 0; i < n; i++)
        f->n += actions[i].kind == ACT_PARTITION || actions[i].kind == ACT_LINK;
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
        if (a->kind != ACT_PARTITION && a->kind != ACT_LINK)
            continue;
        f->list[f->n++] = a;
        f->begin = a->at < f->begin ? a->at : f->begin;
        f->end = a->until > f->end ? a->until : f->end;
    }
    return OK;
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

bool faults_separates(const struct action *p, uint32_t a, uint32_t b)
{
    return p->side[a] && p->side[b] && p->side[a] != p->side[b];
}

bool faults_cut(const struct faults *f, uint32_t a, uint32_t b, ns_t t)
{
    if (t < f->begin || t >= f->end)
        return false;
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i]->kind == ACT_PARTITION && holds(f->list[i], t) &&
            faults_separates(f->list[i], a, b))
            return true;
    return false;
}

void faults_bend(const struct faults *f, uint32_t a, uint32_t b, ns_t t, struct link_path *path)
{
    if (t < f->begin || t >= f->end)
        return;
    for (size_t i = 0; i < f->n; i++) {
        const struct action *x = f->list[i];
        if (x->kind != ACT_LINK || !holds(x, t) ||
            !((x->a == a && x->b == b) || (x->a == b && x->b == a)))
            continue;
        if (x->loss_ppm >= 0)
            path->loss_ppm = (uint32_t)x->loss_ppm;
        if (x->latency >= 0)
            path->delay = x->latency;
        if (x->rate_bps >= 0)
            path->rate_bps = x->rate_bps;
    }
}
