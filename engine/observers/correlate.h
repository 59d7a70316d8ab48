/* M6, flow correlation: is the flow that enters here the one that leaves there?
 *
 * A flow is the times at which packets passed a tap, of which the first FLOW_PACKETS are kept.
 * Scores of a pair (flow a at X, flow b at Y):
 *  (i)  correlate_counts: packets in bins of 10, 50 or 200 ms; Pearson's correlation of the two
 *       count vectors over a common window, b shifted back by a lag; the largest over lags from
 *       0 to max_lag. Range [-1, 1]; 0 if either is constant.
 *  (ii) correlate_matched: the k-th packet out is the k-th packet in, and the delay between has
 *       the law of the path: mean ln f(t_out(k) - t_in(k)) over the packets matched, f being the
 *       density of `base` plus an Erlang (stages, mean of each) in units of 1/mean, and a floor for
 *       what the law cannot be (MixMatch, "simplified"). Range [CORRELATE_FLOOR, about 1].
 * Prior: a pair is judged by itself. Positives are pairs of one session, negatives all others;
 * figures by roc.h.
 */
#ifndef PARTYLINE_OBSERVERS_CORRELATE_H
#define PARTYLINE_OBSERVERS_CORRELATE_H

#include "engine/base/ns.h"

#include <stdbool.h>
#include <stdint.h>

enum { FLOW_PACKETS = 4096 };
#define CORRELATE_FLOOR (-30.0)

struct flow {
    ns_t *times; /* ascending; owned */
    uint32_t n, cap;
    uint64_t packets; /* all, also those not kept */
};

/* Times must not fall. False: not kept (the limit, or no memory). */
bool flow_add(struct flow *, ns_t);
void flow_free(struct flow *);

struct correlate_window {
    ns_t from, until; /* what lies outside is not looked at */
    ns_t bin, max_lag;
};
double correlate_counts(const struct flow *a, const struct flow *b,
                        const struct correlate_window *);

struct correlate_path {
    ns_t base, mean; /* the fixed part; each stage's mean, > 0 */
    uint32_t stages; /* 0: the fixed part alone, with an error of about `mean` */
};
double correlate_density(const struct correlate_path *, ns_t delay);
double correlate_matched(const struct flow *a, const struct flow *b, const struct correlate_path *);

#endif
