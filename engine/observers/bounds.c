#include "engine/observers/bounds.h"

static double power(double x, uint64_t n)
{
    double r = 1;
    for (; n; n >>= 1, x *= x)
        r *= n & 1 ? x : 1;
    return r;
}

static double at_most(double x, double most)
{
    return x < most ? x : most;
}

double bounds_path(const double *corrupt, uint32_t layers)
{
    double p = 1;
    for (uint32_t i = 0; i < layers; i++)
        p *= corrupt[i];
    return p;
}

/* The share of mixes first, first + step ... below end that are corrupt. */
static double share(const bool *corrupt, uint32_t first, uint32_t step, uint32_t end)
{
    uint32_t all = 0, bad = 0;
    for (uint32_t i = first; i < end; i += step, all++)
        bad += corrupt[i];
    return all ? (double)bad / (double)all : 0;
}

double bounds_route(const bool *corrupt, uint32_t n, uint32_t layers, enum bounds_topology topology)
{
    const uint32_t chains = layers ? n / layers : 0;
    double p = 1, bad;
    uint32_t whole = 0;
    if (chains == 0)
        return 0;
    switch (topology) {
    case BOUNDS_CASCADE:
        for (uint32_t c = 0; c < chains; c++)
            whole += share(corrupt, c * layers, 1, (c + 1) * layers) == 1;
        return (double)whole / (double)chains;
    case BOUNDS_FREE_ROUTE:
        bad = share(corrupt, 0, 1, n) * (double)n;
        for (uint32_t i = 0; i < layers; i++)
            p *= bad > i ? (bad - i) / (double)(n - i) : 0;
        return p;
    default:
        for (uint32_t i = 0; i < layers; i++)
            p *= share(corrupt, i, layers, n);
        return p;
    }
}

double bounds_session(double path, uint64_t packets)
{
    return 1 - power(1 - path, packets);
}

double bounds_first(double path, double gap)
{
    return path > 0 ? gap / path : 0;
}

double bounds_overhead(uint64_t wire, uint64_t useful)
{
    return (double)wire / (double)useful;
}

double bounds_synchronised(uint64_t users, double rounds, double noise)
{
    double n = (double)users;
    return 1 - at_most((rounds + noise * n * rounds) / (n - 1), 1);
}

double bounds_unsynchronised(double p, uint32_t rounds)
{
    return 0.5 - at_most(1 - power(1 - p, rounds), 0.5);
}
