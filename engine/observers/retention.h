/* M11, metadata at rest: what would a seizure of this server find?
 *
 * A server declares records of some bits that it keeps for some time. B(t) is the bits at rest at
 * t; the integral of it, in bit seconds; the largest B; how many records were written and how
 * many are there. Poisson writes of rate l, b bits each, kept for R: E[B(t)] = l b min(t, R).
 * No prior, no adversary's skill: what is there can be read. Range from 0 up.
 */
#ifndef PARTYLINE_OBSERVERS_RETENTION_H
#define PARTYLINE_OBSERVERS_RETENTION_H

#include "engine/base/ns.h"

#include <stdint.h>

enum { RETENTION_RECORDS = 1 << 20 };

struct retention_record {
    ns_t until;
    uint64_t bits;
};

struct retention {
    struct retention_record *heap; /* by until; owned */
    uint32_t n, cap;
    ns_t now;
    uint64_t bits, most, written;
    uint64_t lost;        /* records beyond the limit: they count as kept for ever */
    uint64_t bit_seconds; /* whole ones, of the integral up to now */
    uint64_t rest;        /* of it, in bit nanoseconds, below 10^9 */
};

/* A record written at `now` (times never fall) is at rest until `now + keep`; NS_NEVER: for ever.
 */
void retention_write(struct retention *, ns_t now, uint64_t bits, ns_t keep);
/* Lets time pass: what expired by then is gone. Returns B(now). */
uint64_t retention_at(struct retention *, ns_t now);
void retention_free(struct retention *);

#endif
