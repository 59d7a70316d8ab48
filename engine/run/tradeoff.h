/* Latency and bytes against privacy: a line a cell, so that transports stand beside each other.
 *
 *   cost (METRICS.md, M13)   completion; what it is above `transport: direct` in the same trial
 *                            (equal seeds, all other axes alike); bytes that parties send / useful
 *                            bytes; the share of packets delivered that is cover
 *   privacy (M3, M4, M5)     of observer `entropy`, at the place that guesses best: how sure it is
 *                            of a packet's sender, how often it is right, bits, and the bits of the
 *                            worst-off packets (p5 over packets); who sends to whom
 *
 * A value is the median over trials, with its interval at 95 % where there are 6 trials or more.
 */
#ifndef PARTYLINE_RUN_TRADEOFF_H
#define PARTYLINE_RUN_TRADEOFF_H

#include "engine/run/tally.h"

enum { TRADEOFF_COLUMNS = 10, TRADEOFF_TEXT = 96, TRADEOFF_WHY = 160 };

struct tradeoff_cell {
    const char *name; /* "transport=relay/parties.count=3" */
    const struct tally *tally;
};

/* A median over trials: nothing measured if n is 0. */
struct tradeoff_value {
    struct interval i;
    bool interval; /* of 95 % or more */
    size_t n;      /* trials */
};

struct tradeoff {
    struct tradeoff_value completion, added, overhead;
    /* Of one adversary; NULL: not measured. */
    const struct privacy_sum *guess, *right, *entropy, *linking, *cover, *headroom;
    char text[TRADEOFF_COLUMNS][TRADEOFF_TEXT]; /* as a table shows it; 0 is left free for a name */
    char stated[TRADEOFF_TEXT * 3];             /* observer, place, prior, population, window, n */
    char why[TRADEOFF_WHY];                     /* why a figure is missing, "" */
};

extern const char *const tradeoff_titles[TRADEOFF_COLUMNS];

/* rows: n of them. True if there is anything to show: an adversary guessed in some cell. */
bool tradeoff_make(const struct tradeoff_cell *, size_t n, struct tradeoff *rows);

/* The table, and beneath it what it rests on. */
void tradeoff_print(const struct tradeoff_cell *, const struct tradeoff *, size_t n, FILE *,
                    bool colour);

#endif
