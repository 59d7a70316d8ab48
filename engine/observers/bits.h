/* Information in bits, and the numbers that results are made of.
 *
 * Everything is computed with + - * / on doubles, det_log and det_exp: the same on every CPU.
 * What is stored is an integer: millibits, parts per million. 0 log 0 is 0.
 */
#ifndef PARTYLINE_OBSERVERS_BITS_H
#define PARTYLINE_OBSERVERS_BITS_H

#include <stddef.h>
#include <stdint.h>

/* Of x > 0. */
double bits_log2(double x);
/* -p log2 p - (1-p) log2 (1-p), p in [0, 1]; range [0, 1]. */
double bits_binary(double p);
/* -sum q log2 q of n weights that sum to 1; range [0, log2 n]. */
double bits_entropy(const double *q, size_t n);

/* The square root of x >= 0, within 1e-15 of it (Newton's iteration; libm is not used here). */
double bits_sqrt(double x);

/* Rounded to the nearest integer, halves upwards. */
int64_t bits_round(double x);
static inline int64_t bits_milli(double bits)
{
    return bits_round(bits * 1e3);
}
static inline int64_t bits_ppm(double ratio)
{
    return bits_round(ratio * 1e6);
}

#endif
