/* Sentinels (METRICS.md, 3.4): attacks whose outcome is known, run beside every timing run with
 * the code that the run uses, on a synthetic trace.
 *
 * Must win: a direct path (a constant shift) and a FIFO mix (a jittered one that keeps order):
 * AUC 1. Must lose: the same scores with permuted labels: AUC 1/2 within SENTINEL_SIGMA standard
 * errors (exact under permutation). A run beside which one of them fails is void: its code, its
 * options or its window could not have told a leak from none.
 */
#ifndef PARTYLINE_OBSERVERS_SENTINEL_H
#define PARTYLINE_OBSERVERS_SENTINEL_H

#include "engine/observers/correlate.h"

#define SENTINEL_SIGMA 4.0

enum { SENTINEL_FLOWS = 24, SENTINEL_PACKETS = 64, SENTINEL_LENGTH = 256 };

/* The attack under test, as the run uses it, and a trace that it must be able to decide. */
struct sentinel_attack {
    double (*score)(const void *ctx, const struct flow *in, const struct flow *out);
    const void *ctx;
    double low, high; /* of scores */
    ns_t gap;         /* mean between a flow's packets; all is over within SENTINEL_LENGTH gaps */
    ns_t shift;       /* what the path takes */
    ns_t jitter;      /* what the FIFO mix adds at most */
};

struct sentinel {
    double direct, fifo, permuted; /* AUCs */
    double sigmas;                 /* permuted's distance from 1/2, in standard errors */
    const char *failed;            /* NULL: all as they must be; else which one */
};

/* The trace is one of SENTINEL_FLOWS Poisson flows and depends on the seed alone. OK or
 * ERR_NOMEM. */
int sentinel_run(uint64_t seed, const struct sentinel_attack *, struct sentinel *out);

#endif
