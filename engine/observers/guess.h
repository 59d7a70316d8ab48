/* M5, min-entropy and guessing: how often the adversary's best guesses are right.
 *
 * Of every posterior q handed in: P_guess = max q, guesswork G = sum r q_(r) (q sorted
 * downwards), top-k success = the k largest together. Kept are counts and sums, never the
 * posteriors: P_guess in a histogram of 1e-4 steps, everything else as integers of 1e-9, so
 * that adding in any order gives the same. Guessing entropy is -log2 E[P_guess] in bits, which
 * is what to quote: E[-log2 P_guess] is above it (Jensen) and overstates safety.
 * Ranges: P_guess (0, 1], G [1, n], top-k (0, 1].
 */
#ifndef PARTYLINE_OBSERVERS_GUESS_H
#define PARTYLINE_OBSERVERS_GUESS_H

#include <stddef.h>
#include <stdint.h>

enum { GUESS_STEPS = 10000, GUESS_TOP = 3 };

/* Zeroed: nothing seen. About 80 KiB. */
struct guess {
    uint64_t count;
    uint64_t steps[GUESS_STEPS + 1]; /* of P_guess, rounded to 1e-4 */
    uint64_t guess_ppb, min_milli;   /* sums: P_guess in 1e-9, -log2 of it in millibits */
    uint64_t work_milli;             /* sum of guesswork in thousandths */
    uint64_t top_ppb[GUESS_TOP];     /* sums of top-1 .. top-3 */
};

/* A posterior known by its figures alone (M2). No top-k then beyond the first. */
void guess_add(struct guess *, double p_guess, double guesswork);
/* A posterior of n weights that sum to 1, sorted here in place. */
void guess_add_posterior(struct guess *, double *q, size_t n);
void guess_merge(struct guess *, const struct guess *from);

/* Zero when nothing was seen. */
double guess_mean(const struct guess *);        /* E[P_guess] */
double guess_bits(const struct guess *);        /* -log2 E[P_guess] */
double guess_min_entropy(const struct guess *); /* E[-log2 P_guess], for comparison */
double guess_work(const struct guess *);        /* E[G] */
double guess_top(const struct guess *, int k);  /* k in 1 .. GUESS_TOP */
/* The P_guess that `ppm` parts per million of messages do not exceed: the worst-off messages are
 * at 990000 and 950000. */
double guess_quantile(const struct guess *, uint32_t ppm);

#endif
