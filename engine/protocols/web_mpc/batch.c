#include "engine/protocols/web_mpc/batch.h"

#include "engine/crypto/field61.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int batch_init(struct batch *b, const struct plan *p)
{
    size_t chunk = (size_t)p->opts->chunk;
    *b = (struct batch){.plan = p};
    b->entries = calloc(chunk, sizeof *b->entries);
    b->linear = calloc(chunk * 2 * p->cells, sizeof *b->linear);
    b->share = calloc(p->len, sizeof *b->share);
    if (b->entries && b->linear && b->share)
        return OK;
    batch_free(b);
    return ERR_NOMEM;
}

void batch_free(struct batch *b)
{
    size_t chunk = b->plan ? (size_t)b->plan->opts->chunk : 0;
    if (b->entries)
        sodium_memzero(b->entries, chunk * sizeof *b->entries);
    if (b->linear)
        sodium_memzero(b->linear, chunk * 2 * b->plan->cells * sizeof *b->linear);
    if (b->share)
        sodium_memzero(b->share, b->plan->len * sizeof *b->share);
    free(b->entries);
    free(b->linear);
    free(b->share);
    *b = (struct batch){0};
}

void batch_add(struct batch *b, const struct snip_query *q, uint32_t id, uint32_t counter,
               uint32_t cohort, bool good)
{
    const struct plan *p = b->plan;
    uint64_t *linear = b->linear + (size_t)b->n * 2 * p->cells;
    struct batch_entry *e = &b->entries[b->n++];
    *e = (struct batch_entry){.id = id, .counter = counter, .cohort = cohort, .good = good};
    memset(linear, 0, 2 * (size_t)p->cells * sizeof *linear);
    if (!good)
        return;
    e->half = snip_open(q, b->share);
    for (uint32_t cell = 0; cell < p->cells; cell++) {
        linear[cell] = snip_value(&p->snip, b->share, cell);
        linear[p->cells + cell] = b->share[snip_square(&p->snip, cell)];
    }
}

static uint64_t join(uint64_t ours, uint64_t theirs, bool server)
{
    return server ? snip_join(ours, theirs) : snip_join(theirs, ours);
}

void batch_sigma(struct batch_entry *e, uint64_t their_d, uint64_t their_e, bool server)
{
    e->good = e->good && f61_valid(their_d) && f61_valid(their_e);
    if (e->good)
        e->sigma = snip_sigma(&e->half, join(e->half.d, their_d, server),
                              join(e->half.e, their_e, server));
}

void batch_judge(struct batch_entry *e, uint64_t their_sigma, bool server)
{
    e->valid = e->good && f61_valid(their_sigma) && join(e->sigma, their_sigma, server) == 0;
}

void batch_count(const struct batch *b, struct totals *t)
{
    size_t width = 2 * (size_t)b->plan->cells;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct batch_entry *e = &b->entries[i];
        if (!e->valid)
            continue;
        t->cohorts.members[e->cohort]++;
        f61_muladd_const(t->sums + e->cohort * width, 1, b->linear + i * width, width);
    }
}

int totals_init(struct totals *t, const struct plan *p)
{
    t->sums = calloc((size_t)p->cohorts * 2 * p->cells, sizeof *t->sums);
    if (!t->sums)
        return ERR_NOMEM;
    totals_reset(t, p);
    return OK;
}

void totals_reset(struct totals *t, const struct plan *p)
{
    t->cohorts = (struct cohorts_of){.n = p->cohorts, .least = (uint32_t)p->opts->min_cohort};
    memset(t->sums, 0, (size_t)p->cohorts * 2 * p->cells * sizeof *t->sums);
}

void totals_free(struct totals *t, const struct plan *p)
{
    if (t->sums)
        sodium_memzero(t->sums, (size_t)p->cohorts * 2 * p->cells * sizeof *t->sums);
    free(t->sums);
    t->sums = NULL;
}

uint64_t totals_sum(const struct totals *t, const struct plan *p, uint32_t query, uint32_t k)
{
    uint64_t sum = 0;
    for (uint32_t c = 0; c < p->cohorts; c++)
        if (query >> c & 1)
            sum = f61_add(sum, t->sums[(size_t)c * 2 * p->cells + k]);
    return sum;
}
