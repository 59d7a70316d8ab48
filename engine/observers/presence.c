#include "engine/observers/presence.h"

#include "engine/base/prng.h"
#include "engine/observers/chance.h"

#define LN2 0.6931471805599453

static void advance(struct presence *p, uint64_t to, void (*done)(void *, uint64_t, uint32_t),
                    void *ctx)
{
    for (; p->index < to; p->index++) {
        done(ctx, p->index, p->count);
        p->count = 0;
    }
}

void presence_see(struct presence *p, ns_t when, void (*done)(void *, uint64_t, uint32_t),
                  void *ctx)
{
    advance(p, (uint64_t)(when / p->window), done, ctx);
    p->count++;
}

void presence_end(struct presence *p, ns_t until, void (*done)(void *, uint64_t, uint32_t),
                  void *ctx)
{
    advance(p, (uint64_t)(until / p->window), done, ctx);
}

double presence_llr(uint32_t count, double idle, double active)
{
    return (double)count * (det_log(active) - det_log(idle)) - (active - idle);
}

double presence_prior_bits(uint64_t clients, uint64_t parties)
{
    if (parties > clients)
        return 0;
    return (chance_ln_factorial(clients) - chance_ln_factorial(parties) -
            chance_ln_factorial(clients - parties)) /
           LN2;
}
