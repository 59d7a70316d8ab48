/* One party's shares, while a schedule is being worked off: what it computes between
 * messages, what it puts into them, and how it takes them in. Knows nothing of delivery.
 *
 * Everything here is linear but eval_begin's products of shares. Shares are wiped when
 * they are freed; all of it is constant time in them.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_EVAL_H
#define PARTYLINE_PROTOCOLS_SHAMIR_EVAL_H

#include "engine/protocols/shamir/schedule.h"

struct eval {
    const struct schedule *s;
    party_t self;
    void *slots;
    void *out[2];       /* of the two batches of the current round: what is sent */
    size_t out_size[2]; /* bytes */
    bool stuck;         /* a step could not be done: OP_INV_SQRT of 0 */
};

/* What a call computed, for charging: multiplications, elements dealt to others. */
struct eval_work {
    uint64_t muls, dealt;
};

/* OK or ERR_NOMEM; eval_free in any case. */
int eval_init(struct eval *, const struct schedule *, party_t self);
void eval_free(struct eval *);

/* Does the local steps of a range. */
void eval_local(struct eval *, struct range, struct eval_work *);

/* Prepares this party's batch of a kind and takes in its own part of it. inputs: its own
 * input elements, read for KIND_INPUT alone. */
void eval_begin(struct eval *, uint32_t round, uint32_t kind, const uint64_t *inputs, struct prng *,
                struct eval_work *);
/* The message for `to`, lent until the next eval_begin of the same or another round. */
const void *eval_message(const struct eval *, uint32_t round, uint32_t kind, party_t to,
                         size_t *len);

/* Takes a message in, at any time, once (it is added). OK; ERR_TRUNCATED or ERR_TOO_BIG:
 * not of the batch's length; ERR_FORMAT: an element outside the field. After an error
 * nothing has changed. */
int eval_absorb(struct eval *, uint32_t round, uint32_t kind, party_t from, const uint8_t *data,
                size_t len, struct eval_work *);

/* The k-th output, once all rounds are over. */
uint64_t eval_output(const struct eval *, uint32_t k);

#endif
