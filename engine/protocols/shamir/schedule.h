/* A program compiled for m parties and threshold t: rounds of communication with local
 * steps between them, and who sends what to whom.
 *
 * In a round at most two kinds of message are exchanged, each one batch, one message a
 * pair, whatever the number of gates:
 *     KIND_INPUT    from every party with inputs, to all: its inputs' shares    s (m - 1)
 *     KIND_RANDOM   from parties 0 .. t, to all: shares of random elements,
 *                   whose sum over the dealers is used                  (t + 1) (m - 1)
 *     KIND_RESHARE  from parties 0 .. 2t, to all: shares of their products, recombined
 *                   at 0 (Gennaro, Rabin, Rabin, PODC 1998)            (2t + 1) (m - 1)
 *     KIND_OPEN     from every party to the t after it, in a circle: its shares;
 *                   with its own, everyone has t + 1                              t m
 * Round 0 has inputs and random elements, the others resharings and openings.
 *
 * The right-hand side gives the messages of a batch. Every party's wait for round r is for
 * at least one party whose wait for round r - 1 was as long, so with equal one-way delays d
 * all finish after exactly R d. (One exception: a single party has inputs, nothing random
 * and no multiplication follows, t = 1: the party after it finishes after R d - d.)
 *
 * Slots hold a party's shares. Everything that is received is added, times a public
 * coefficient, into a slot of its own: results of exchanges keep theirs from the beginning,
 * so a message can be taken in however early it comes, and nothing needs a queue. Results of
 * local steps share the remaining slots by lifetime.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_SCHEDULE_H
#define PARTYLINE_PROTOCOLS_SHAMIR_SCHEDULE_H

#include "engine/protocols/shamir/program.h"

enum kind { KIND_INPUT, KIND_RANDOM, KIND_RESHARE, KIND_OPEN, KIND_COUNT };

struct range {
    uint32_t first, n;
};

/* A gate with slots for wires. */
struct step {
    uint8_t op;
    uint32_t slot, a, b;
    uint64_t k;
};

struct round {
    struct range batch[2]; /* steps of `exchange`, and at the same time their slots */
    struct range local;    /* steps of `local` to do once the batches are complete */
};

struct schedule {
    const struct field *field;
    uint32_t parties, threshold;
    uint32_t rounds;
    struct round *round;
    struct range before; /* local steps before round 0 */
    struct step *exchange, *local;
    struct pair *pairs; /* of OP_INNER, in slots */
    uint32_t slots;
    uint32_t *output; /* slots */
    uint32_t n_outputs;
    struct range *input;    /* of each party: its part of round 0's first batch */
    uint64_t *reshare_coef; /* of dealer 0 .. 2t */
    uint64_t *open_coef;    /* [party * (t + 1) + k]: of the party k places before it */
};

void schedule_free(struct schedule *);

/* The steps (and slots) of a batch; an input batch is a sender's own. Any round and kind
 * may be asked for: what there is not has n = 0. */
struct range schedule_batch(const struct schedule *, uint32_t round, uint32_t kind, party_t from);
/* Does `from` send batches of this kind to `to`? */
bool schedule_sends(const struct schedule *, uint32_t kind, party_t from, party_t to);
/* And is there one in this round? */
bool schedule_message(const struct schedule *, uint32_t round, uint32_t kind, party_t from,
                      party_t to);
/* Does it deal shares of something in batches of this kind? */
bool schedule_deals(const struct schedule *, uint32_t kind, party_t who);
/* What `to` multiplies an element of `from` with, to add it to its slot. */
uint64_t schedule_coef(const struct schedule *, uint32_t kind, party_t from, party_t to);

/* All messages of a run. */
uint64_t schedule_messages(const struct schedule *);

/* The kinds of a round, in words: "input", "multiply and open". */
const char *schedule_round_name(const struct schedule *, uint32_t round);
const char *schedule_kind_name(uint32_t kind);

#endif
