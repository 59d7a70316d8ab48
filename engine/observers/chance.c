#include "engine/observers/chance.h"

#include "engine/base/prng.h"

double chance_ln_factorial(uint64_t n)
{
    double x = (double)n + 1, ln_shift = 0, r;
    for (; x < 16; x += 1)
        ln_shift += det_log(x);
    r = 1 / (x * x);
    return (x - 0.5) * det_log(x) - x + 0.9189385332046727 +
           (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r / 1680))) / x - ln_shift;
}

/* e^x where it may be too small to say. */
static double power(double x)
{
    return x < -690 ? 0 : det_exp(x);
}

double chance_poisson(double mean, uint64_t k)
{
    if (!(mean > 0))
        return k == 0;
    return power((double)k * det_log(mean) - mean - chance_ln_factorial(k));
}

/* P(X = k), 0 < p < 1. */
static double binomial(uint64_t n, double p, uint64_t k)
{
    return power(chance_ln_factorial(n) - chance_ln_factorial(k) - chance_ln_factorial(n - k) +
                 (double)k * det_log(p) + (double)(n - k) * det_log(1 - p));
}

/* The sum from k away from the mean: terms fall all the way. */
static double upper(uint64_t n, double p, uint64_t k)
{
    double term = binomial(n, p, k), sum = 0;
    for (; k <= n && term > sum * 1e-17; k++) {
        sum += term;
        term *= (double)(n - k) / (double)(k + 1) * (p / (1 - p));
    }
    return sum;
}

double chance_at_least(uint64_t n, double p, uint64_t k)
{
    if (k == 0)
        return 1;
    if (k > n || !(p > 0))
        return 0;
    if (!(p < 1))
        return 1;
    if ((double)k > (double)n * p)
        return upper(n, p, k);
    return 1 - upper(n, 1 - p, n - k + 1); /* at most k - 1 successes */
}

/* The p at which `wanted` is P(X >= k), which grows with p. */
static double solve(uint64_t n, uint64_t k, double wanted)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double mid = 0.5 * (low + high);
        if (chance_at_least(n, mid, k) < wanted)
            low = mid;
        else
            high = mid;
    }
    return 0.5 * (low + high);
}

struct chance_interval chance_clopper_pearson(uint64_t n, uint64_t k, double level)
{
    double tail = 0.5 * (1 - level);
    return (struct chance_interval){.low = k ? solve(n, k, tail) : 0,
                                    .high = k < n ? solve(n, k + 1, 1 - tail) : 1};
}

double chance_poisson_auc(double idle, double active)
{
    double most = idle > active ? idle : active, below = 0, auc = 0;
    double end = most + 12 * (most > 25 ? most / 5 : 5); /* 12 deviations and more */
    for (uint64_t k = 0; (double)k < end; k++) {
        double a = chance_poisson(idle, k);
        auc += chance_poisson(active, k) * (below + 0.5 * a);
        below += a;
    }
    return auc;
}
