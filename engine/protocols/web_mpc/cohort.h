/* Which aggregates may be published, so that no small cohort shows in them.
 *
 * Cohorts are numbered from 0, at most COHORTS_MAX; an aggregate is a set of cohorts, as bits:
 * the sum over all their members. Someone with several aggregates can take any linear
 * combination of them. A set of aggregates is safe if no combination of them, other than zero,
 * is over cohorts that together have fewer than `least` members (members > 0 in all): thus no
 * aggregate is itself too small, and none is the difference of others. Exact, by the rank of
 * the aggregates' matrix over 2^61 - 1 with and without those cohorts' columns.
 */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_COHORT_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_COHORT_H

#include <stdbool.h>
#include <stdint.h>

enum { COHORTS_MAX = 10, COHORT_QUERIES_MAX = 32 };

struct cohorts_of {
    uint32_t n, least;
    uint32_t members[COHORTS_MAX];
};

/* May the aggregate be published after those? Cohorts without members don't count. */
bool cohort_allows(const struct cohorts_of *, const uint32_t *published, uint32_t n_published,
                   uint32_t query);
uint32_t cohort_members(const struct cohorts_of *, uint32_t query);

#endif
