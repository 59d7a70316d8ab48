/* The store contract (engine/store.h) in memory, for simulated nodes: it outlives its node, so
 * what put() or insert() accepted is there after a crash and a restart.
 *
 * All stores of a trial share one count of operations (get, put, insert, remove alike; the
 * first is 1). Of these, one can be made to fail with ERR_IO and without effect, and one can be
 * made to kill its node: just before it has its effect, or just after. A node dies in the
 * middle of its event; from then on its store refuses everything with ERR_IO, until it is
 * revived for the node's next life.
 */
#ifndef PARTYLINE_WORLDS_SIM_STORE_H
#define PARTYLINE_WORLDS_SIM_STORE_H

#include "engine/store.h"

#include <stdbool.h>

enum { SIM_STORE_BYTES_MAX = 1 << 28 }; /* keys and values of one store: else ERR_LIMIT */

struct sim_store;

struct store_fate {
    uint64_t operations;                  /* so far */
    uint64_t fail, die_before, die_after; /* which operation; 0: none */
    uint64_t fired;
    void (*died)(struct sim_store *); /* the store's node is to die; may be NULL */
};

struct sim_store_entry;

struct sim_store {
    struct store base;
    struct store_fate *fate; /* NULL: nothing ever fails */
    struct sim_store_entry **buckets;
    uint32_t n, n_buckets;
    uint32_t bytes; /* of all keys and values */
    bool dead;
};

/* An empty store owns no memory but the struct. */
void sim_store_init(struct sim_store *, struct store_fate *);
void sim_store_revive(struct sim_store *);
void sim_store_free(struct sim_store *);

#endif
