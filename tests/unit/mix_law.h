/* The law of the sum of l exponential times. */
#ifndef PARTYLINE_TESTS_MIX_LAW_H
#define PARTYLINE_TESTS_MIX_LAW_H

/* Erlang's distribution function at x, in units of the mean of one: 1 - e^-x (1 + x + ..
 * x^(l-1)/(l-1)!), by its series, without libm. */
static inline double erlang(unsigned l, double x)
{
    double term = 1.0, sum = 0.0, e = 1.0, part = x / 1024;
    for (int k = 12; k >= 1; k--)
        e = 1.0 + e * part / k;
    for (int i = 0; i < 10; i++)
        e *= e;
    for (unsigned k = 0; k < l; k++) {
        sum += term;
        term *= x / (k + 1);
    }
    return 1.0 - sum / e;
}

#endif
