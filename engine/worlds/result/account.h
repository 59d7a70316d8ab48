/* What a simulated trial's nodes end with: outcomes, the metrics of a node's whole life, and why a
 * trial is unfinished. */
#ifndef PARTYLINE_WORLDS_RESULT_ACCOUNT_H
#define PARTYLINE_WORLDS_RESULT_ACCOUNT_H

#include "engine/world.h"

struct node;

/* A node's life, as its world has counted it. */
struct account {
    struct node *node;   /* NULL: it is not alive */
    struct outcome kept; /* of an earlier life, lent; not done: it had none then */
    ns_t completion;     /* of that */
    uint64_t useful;     /* bytes, in earlier lives */
    uint64_t wire_bytes, wire_packets;
    ns_t compute;
    uint32_t incarnations; /* so often it has been started */
};

/* A trial that has ended, before its nodes are freed. */
struct accounts {
    const struct roster *roster;
    uint32_t n_done; /* parties that have said done() */
    struct account (*of)(const void *world, party_t);
    const void *world;
};

/* Outcomes of the parties (own copies), METRIC_COMPLETION, WIRE_BYTES, WIRE_PACKETS, GOODPUT and
 * COMPUTE, and `why`. The result's metrics and timed_out are there already. OK or ERR_NOMEM. */
int accounts_settle(const struct accounts *, struct trial_result *);

/* Copies what a node ended with. OK or ERR_NOMEM. */
int account_keep(struct outcome *, const struct outcome *);

#endif
