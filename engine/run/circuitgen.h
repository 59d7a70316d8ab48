/* Writes boolean circuits in the Bristol Fashion format: `partyline circuit KIND ...`.
 *
 * Each kind builds gates, drops those that no output needs, and numbers the wires as the
 * format wants them: inputs first, outputs last. Values are unsigned, the least significant
 * bit first. XOR, INV and copies are free in MPC; what is saved is ANDs, or with --fast
 * levels of ANDs, which are rounds:
 *   kind                ANDs                        depth
 *   adder N             N - 1                       N - 1: one AND a full adder [1]
 *   adder N --fast      about N log2 N              1 + log2 N: parallel prefix [2]
 *   subtractor          as adder                    as adder
 *   multiplier N        N (N+1)/2 + (N-1)(N-2)/2    N - 1: ripple rows
 *   multiplier --fast   a tenth more                about log1.5 N + log2 N + 2: tree [3]
 *   equal N             N - 1                       log2 N
 *   less_than N         2 N - 1 - log2 N            1 + log2 N
 *   maximum C N         C - 1 times less_than + N   log2 C times less_than + 1
 *   sort C N            less_than + N for each of about C/4 (log2 C)^2 comparators, which
 *                       stand (log2 C)^2 / 2 deep, each one less_than + 1 [4]
 * [1] Boyar, Peralta, Pochuev, On the multiplicative complexity of Boolean functions, 2000:
 *     carry = ((a ^ c) & (b ^ c)) ^ c.
 * [2] Sklansky 1960.
 * [3] Wallace 1964.
 * [4] Batcher's merge exchange for any count: Knuth, TAOCP 3, 5.2.2, algorithm M.
 */
#ifndef PARTYLINE_RUN_CIRCUITGEN_H
#define PARTYLINE_RUN_CIRCUITGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

enum { CIRCUITGEN_MAX_COUNT = 65536 };

struct gates; /* engine/run/gates.h */

/* The arguments. */
struct circuitgen {
    uint32_t count, n; /* input values, and the bits of each */
    bool fast, full;
};

struct circuitgen_kind {
    const char *name;
    const char *usage; /* its arguments: "N [--fast]" */
    const char *help;  /* inputs and outputs, one line */
    bool takes_count;  /* a COUNT of values, before the N bits of each; else there are two */
    uint32_t max_bits;
    const char *options[3]; /* ends with NULL */
    void (*build)(struct gates *, const struct circuitgen *);
};

/* All kinds, circuitgen_kinds.c; ends with a NULL name. */
const struct circuitgen_kind *circuitgen_kinds(void);

/* args: what follows the kind on the command line, options anywhere. *text is the file, len
 * bytes and a NUL, for the caller to free(). ERR_INVALID with a sentence that names the
 * argument and the usage; ERR_LIMIT above GATES_MAX wires; ERR_NOMEM. */
int circuitgen_write(const char *kind, size_t n_args, const char *const args[], char **text,
                     size_t *len, struct err *e);

#endif
