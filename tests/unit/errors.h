/* Errors of measurement, as the tests of rates draw them. */
#ifndef PARTYLINE_TESTS_ERRORS_H
#define PARTYLINE_TESTS_ERRORS_H

#include "engine/base/prng.h"

static inline double uniform(struct dice *d)
{
    return ((double)(dice_u64(d) >> 11) + 0.5) / 9007199254740992.0;
}

/* Standard normal within 1 %: the sum of 12 uniform draws. */
static inline double normal(struct dice *d)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++)
        sum += uniform(d);
    return sum;
}

#endif
