#include "engine/observers/bits.h"

#include "engine/base/prng.h"

#include <string.h>

#define LN2 0.6931471805599453

double bits_log2(double x)
{
    return det_log(x) / LN2;
}

static double part(double q)
{
    return q > 0 ? -q * bits_log2(q) : 0;
}

double bits_binary(double p)
{
    return part(p) + part(1 - p);
}

double bits_entropy(const double *q, size_t n)
{
    double h = 0;
    for (size_t i = 0; i < n; i++)
        h += part(q[i]);
    return h;
}

double bits_sqrt(double x)
{
    uint64_t word;
    double r;
    if (!(x > 0))
        return 0;
    memcpy(&word, &x, sizeof word);
    word = (word >> 1) + UINT64_C(0x1ff7a3bea91d9b1b); /* half the exponent: within 4 % */
    memcpy(&r, &word, sizeof r);
    for (int i = 0; i < 5; i++)
        r = 0.5 * (r + x / r);
    return r;
}

int64_t bits_round(double x)
{
    double down = (double)(int64_t)x;
    if (down > x)
        down -= 1;
    return (int64_t)down + (x - down >= 0.5);
}
