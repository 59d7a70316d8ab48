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
