/* Verifying a chunk of submissions, and summing those that pass: what the server and the analyst
 * both do, each with its shares.
 */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_BATCH_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_BATCH_H

#include "engine/protocols/web_mpc/plan.h"

/* In place of a share that isn't there, because it could not be opened. */
#define NO_SHARE UINT64_MAX

struct batch_entry {
    uint32_t id, counter, cohort;
    bool good;  /* our share is there, */
    bool valid; /* and the proof holds */
    struct snip_half half;
    uint64_t sigma;
};

struct batch {
    const struct plan *plan;
    uint32_t n;
    struct batch_entry *entries; /* `chunk` of them at most */
    uint64_t *linear;            /* of each: shares of its values, then of its squares */
    uint64_t *share;             /* room for one vector; secret */
};

/* What passed: members and shares of sums, cohort by cohort. */
struct totals {
    struct cohorts_of cohorts;
    uint64_t *sums; /* [cohort * 2 cells + k] */
};

int batch_init(struct batch *, const struct plan *);
void batch_free(struct batch *);
/* Adds an entry with the share in batch->share; or without one. */
void batch_add(struct batch *, const struct snip_query *, uint32_t id, uint32_t counter,
               uint32_t cohort, bool good);
/* Our shares of d and e, then with the other's our sigma; d is NO_SHARE for what is not good. */
void batch_sigma(struct batch_entry *, uint64_t their_d, uint64_t their_e, bool server);
void batch_judge(struct batch_entry *, uint64_t their_sigma, bool server);
void batch_count(const struct batch *, struct totals *);

int totals_init(struct totals *, const struct plan *);
void totals_reset(struct totals *, const struct plan *);
void totals_free(struct totals *, const struct plan *);
/* The sum over an aggregate of its k-th value (k < cells) or square. */
uint64_t totals_sum(const struct totals *, const struct plan *, uint32_t query, uint32_t k);

#endif
