/* The packets that a mix holds, and the strategies that say when they leave.
 *
 * A strategy is either continuous (`hold`: each packet has its own time to leave) or works in
 * batches (`batch`: how many leave now, drawn uniformly from all that are held):
 *
 *   poisson    each waits its own exponential time, drawn by its sender (Danezis, "The traffic
 *              analysis of continuous-time mixes", 2004; Loopix)
 *   threshold  all leave when `threshold` are there (Chaum 1981)
 *   timed      all leave every `interval`
 *   pool       every `interval` all but `keep` leave (Serjantov and Danezis 2002)
 *   fifo       each leaves at once: no mixing, the baseline
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_POOL_H
#define PARTYLINE_TRANSPORTS_MIX_POOL_H

#include "transports/mix.h"

struct mix_strategy {
    const char *name;
    /* How long this packet waits; NULL: it works in batches. */
    ns_t (*hold)(const struct mix_opts *, uint64_t delay);
    /* How many of the `held` leave now; tick: an interval has passed. */
    uint32_t (*batch)(const struct mix_opts *, uint32_t held, bool tick);
    bool ticks; /* batch is asked every `interval`, too */
};
/* As the option `strategy` numbers them. */
extern const struct mix_strategy *const mix_strategies[];
extern const char *const mix_strategy_names[];

struct mix_held {
    ns_t due;
    uint64_t order;
    uint8_t *frame; /* owned */
    party_t next;
    struct packet_truth truth;
};

struct mix_pool {
    const struct mix_opts *opts;
    const struct mix_strategy *strategy;
    const struct env *env; /* whose packets' truth is kept; NULL: it is not */
    struct mix_held *list; /* continuous: a heap by (due, order) */
    uint32_t n, cap, leaving;
    uint64_t order;
};

void mix_pool_init(struct mix_pool *, const struct mix_opts *);
void mix_pool_free(struct mix_pool *);
/* Takes the frame over. ERR_LIMIT: `held` are there already; ERR_NOMEM: not taken. */
int mix_pool_add(struct mix_pool *, ns_t now, uint64_t delay, party_t next, uint8_t *frame);
/* An interval has passed. */
void mix_pool_tick(struct mix_pool *);
/* The next packet that leaves now, handed over; false: none. */
bool mix_pool_take(struct mix_pool *, ns_t now, struct prng *, struct mix_held *out);
/* When a continuous pool's next packet leaves; NS_NEVER: none. */
ns_t mix_pool_due(const struct mix_pool *);

#endif
