/* How many must collude: from who learned what (exposure.h) to the smallest coalitions, M1 of
 * METRICS.md. Members are parties and services; ISPs are none.
 *
 * An address of party i: someone other than i who has it at level 2. A pair of i and j: members
 * who have the addresses of both at level 2 (a party has its own), one of whom knows that these
 * two talk: because it is one of them, or its role has declared so (SHOWN_PAIR); or, of two who
 * each have one of the two as their client, by timing, which is taken to succeed. {i, j} alone is
 * no coalition. An input: someone whose role can read it (SHOWN_INPUT); what several could put
 * together out of shares is the protocol's threshold and not counted here. 0: no coalition.
 */
#ifndef PARTYLINE_OBSERVERS_COALITION_H
#define PARTYLINE_OBSERVERS_COALITION_H

#include "engine/observer.h"

enum { COALITION_PARTIES_MAX = 256, COALITION_EXHAUSTIVE = 10000 };

struct coalition {
    uint32_t n_nodes, n_parties;
    uint8_t *knows; /* [who * n_parties + whom]: level of the address */
    uint8_t *pair;  /* [who * n_parties^2 + a * n_parties + b]: 1; NULL: nobody declared any */
    uint8_t *input; /* [whom]: someone can read it */
};

/* From settled rows. OK or ERR_NOMEM. */
int coalition_make(struct coalition *, const struct exposure *rows, size_t n, uint32_t n_nodes,
                   uint32_t n_parties);
void coalition_free(struct coalition *);

/* The smallest coalition: 0, 1 or 2. */
unsigned coalition_address(const struct coalition *, party_t whom);
unsigned coalition_pair(const struct coalition *, party_t a, party_t b);
unsigned coalition_input(const struct coalition *, party_t whom);

/* The most parties whose address k members together have at level 2, members not counted.
 * *exhaustive: all coalitions were tried; else the greedy one, which is a lower bound. */
uint32_t coalition_best(const struct coalition *, uint32_t k, bool *exhaustive);

#endif
