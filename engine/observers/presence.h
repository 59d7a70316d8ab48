/* M10, participation: does this client take part in a computation now?
 *
 * A tap counts a client's packets in windows of one length. The score of a window is its count,
 * which for Poisson traffic of known rates orders windows as the likelihood ratio does:
 * ln L = count ln(active/idle) - (active - idle). Positives: windows in which the client takes
 * part. AUC by roc.h over exact counts; with Poisson counts it is chance_poisson_auc (Skellam),
 * with constant-rate cover 1/2. Range [0, 1]. Prior for "which n of K clients": 1 / C(K, n),
 * that is log2 C(K, n) bits.
 */
#ifndef PARTYLINE_OBSERVERS_PRESENCE_H
#define PARTYLINE_OBSERVERS_PRESENCE_H

#include "engine/base/ns.h"

#include <stdint.h>

struct presence {
    ns_t window;    /* > 0 */
    uint64_t index; /* of the window being counted, from time 0 */
    uint32_t count;
};

/* A packet at `when`. Calls done for every window that ended before it, empty ones as well. */
void presence_see(struct presence *, ns_t when,
                  void (*done)(void *ctx, uint64_t window, uint32_t count), void *ctx);
/* The end: windows that ended by `until`. */
void presence_end(struct presence *, ns_t until,
                  void (*done)(void *ctx, uint64_t window, uint32_t count), void *ctx);

/* ln of the likelihood ratio of a count; both means > 0. */
double presence_llr(uint32_t count, double idle, double active);
/* log2 C(clients, parties) bits. */
double presence_prior_bits(uint64_t clients, uint64_t parties);

#endif
