#include "engine/worlds/link/loss.h"

enum { MILLION = 1000000 };

/* Trials before the first success, of probability ppm. */
static uint64_t geometric(struct dice *d, double ppm)
{
    double u = (double)((dice_u64(d) >> 11) + 1) * 0x1p-53, n;
    if (ppm >= MILLION)
        return 0;
    n = det_log(u) / det_log(1.0 - ppm / MILLION);
    return n < 1e15 ? (uint64_t)n : (uint64_t)1e15;
}

/* Of a good state and of what gets through of bad ones, until one is lost. */
static uint64_t bursty(struct loss *l, const struct loss_rates *r, struct dice *d)
{
    double bad = r->bad ? r->bad : MILLION, ppm = r->ppm, leave = (double)MILLION / r->burst;
    uint64_t n = 0;
    if (ppm >= bad)
        return geometric(d, ppm);
    if (!l->begun)
        l->in_burst = dice_chance(d, (uint32_t)(MILLION * (ppm / bad)));
    l->begun = true;
    /* From good to bad: leave * share / (1 - share), with share = ppm / bad. */
    for (;;) {
        if (!l->in_burst) {
            n += 1 + geometric(d, leave * ppm / (bad - ppm));
            l->in_burst = true;
        }
        /* In it: lost, or through; and then it may end. */
        while (l->in_burst) {
            bool lost = dice_chance(d, (uint32_t)bad);
            l->in_burst = !dice_chance(d, (uint32_t)leave);
            if (lost)
                return n;
            n++;
        }
        if (n > (UINT64_C(1) << 50))
            return n;
    }
}

uint64_t loss_draw(struct loss *l, const struct loss_rates *r, struct dice *d)
{
    l->drawn = true;
    l->ppm = r->ppm;
    l->burst = r->burst;
    l->passes = r->burst > 1 ? bursty(l, r, d) : geometric(d, r->ppm);
    return l->passes;
}

bool loss_hits(struct loss *l, const struct loss_rates *r, struct dice *d)
{
    if (r->ppm == 0)
        return false;
    if (loss_passes(l, r, d) > 0) {
        loss_pass(l, 1);
        return false;
    }
    loss_take(l);
    return true;
}
