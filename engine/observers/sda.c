#include "engine/observers/sda.h"

#include "engine/base/err.h"
#include "engine/observers/bits.h"

#include <stdlib.h>

int sda_init(struct sda *s, uint32_t n)
{
    *s = (struct sda){.n = n};
    if (n == 0)
        return ERR_INVALID;
    s->with = calloc(2 * (size_t)n, sizeof *s->with);
    if (!s->with)
        return ERR_NOMEM;
    s->without = s->with + n;
    return OK;
}

void sda_free(struct sda *s)
{
    free(s->with);
    *s = (struct sda){0};
}

void sda_message(struct sda *s, bool with_target, uint32_t receiver)
{
    if (receiver >= s->n)
        return;
    (with_target ? s->with : s->without)[receiver]++;
    *(with_target ? &s->sum_with : &s->sum_without) += 1;
}

void sda_round(struct sda *s, bool with_target)
{
    *(with_target ? &s->rounds_with : &s->rounds_without) += 1;
}

/* In messages a round: with target, own v + (b - own) u; u is the background's share. */
void sda_estimate(const struct sda *s, double own, double *out)
{
    double rounds = (double)s->rounds_with, b = rounds > 0 ? (double)s->sum_with / rounds : 0;
    for (uint32_t i = 0; i < s->n; i++) {
        double u = s->sum_without ? (double)s->without[i] / (double)s->sum_without : 0;
        out[i] = rounds > 0 ? ((double)s->with[i] / rounds - (b - own) * u) / own : 0;
    }
}

struct sda_figures sda_judge(const double *v, uint32_t n, bool (*peer)(const void *, uint32_t),
                             const void *ctx)
{
    struct sda_figures f = {.all_on_top = true};
    uint64_t pairs = 0, twice = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; peer(ctx, i) && j < n; j++)
            if (!peer(ctx, j)) {
                pairs++;
                twice += v[i] > v[j] ? 2 : !(v[i] < v[j]);
                f.all_on_top = f.all_on_top && v[i] > v[j];
            }
    f.auc = pairs ? (double)twice / 2 / (double)pairs : 0.5;
    f.all_on_top = f.all_on_top && pairs;
    return f;
}

double sda_bound(double receivers, double batch, double peers, double z)
{
    double noise = (receivers - 1) / (receivers * receivers) * (batch - 1);
    double both = bits_sqrt(noise + (peers - 1) / (peers * peers)) + bits_sqrt(noise);
    return peers * z * both * (peers * z * both);
}
