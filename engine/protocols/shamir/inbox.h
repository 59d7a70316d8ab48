/* Which messages of a schedule one party has, and which it still waits for. */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_INBOX_H
#define PARTYLINE_PROTOCOLS_SHAMIR_INBOX_H

#include "engine/protocols/shamir/schedule.h"

struct inbox {
    const struct schedule *s;
    party_t self;
    uint32_t *missing; /* messages still to come, by round */
    uint8_t *got;      /* a bit for each round, batch and sender */
};

/* OK or ERR_NOMEM; inbox_free in any case. */
int inbox_init(struct inbox *, const struct schedule *, party_t self);
void inbox_free(struct inbox *);

/* Is there such a message at all? Any numbers may be asked for. */
bool inbox_expects(const struct inbox *, uint32_t round, uint32_t kind, party_t from);
/* Has it come? Only for what is expected; so the next two. */
bool inbox_has(const struct inbox *, uint32_t round, uint32_t kind, party_t from);
void inbox_put(struct inbox *, uint32_t round, uint32_t kind, party_t from);

/* Is a message of that round still to come from that peer? */
bool inbox_awaits(const struct inbox *, uint32_t round, party_t from);
/* The same for any round from *round on; sets it to the first. */
bool inbox_needs(const struct inbox *, uint32_t *round, party_t from);

#endif
