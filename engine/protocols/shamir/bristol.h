/* Boolean circuits in the Bristol Fashion format
 * (https://homes.esat.kuleuven.be/~nsmart/MPC/), read, ordered by rounds, evaluated.
 *
 * The format, line by line (blank lines anywhere, line ends LF or CRLF):
 *     <gates> <wires>
 *     <number of input values> <bits of each>
 *     <number of output values> <bits of each>
 *     2 1 a b out XOR          2 1 a b out AND
 *     1 1 a out INV (or NOT)   1 1 a out EQW (a copy)   1 1 0|1 out EQ (a constant)
 *     2n n a1..an b1..bn out1..outn MAND   (n independent ANDs)
 * The first wires are the inputs, value after value, the last wires are the outputs. Every
 * other wire is assigned by exactly one gate, before it is used. Within a value the first
 * wire is the least significant bit.
 *
 * Rounds. XOR, INV, EQW and EQ are local; each AND needs its inputs' messages. An AND is of
 * level k if the longest chain of ANDs before it has k; a local gate is of level k if its
 * value is known as soon as the ANDs of levels below k are. So a circuit runs in and_depth
 * rounds: for each level, its local gates, then all its ANDs at once; the last level has
 * local gates only. Gates are stored in that order; among equals, in the file's.
 */
#ifndef PARTYLINE_SHAMIR_BRISTOL_H
#define PARTYLINE_SHAMIR_BRISTOL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

enum { BRISTOL_MAX = 1 << 24 }; /* wires at most, and gates at most */

enum bristol_op {
    BRISTOL_XOR, /* out = a ^ b */
    BRISTOL_AND, /* out = a & b */
    BRISTOL_INV, /* out = !a */
    BRISTOL_EQW, /* out = a */
    BRISTOL_EQ   /* out = the number a itself, 0 or 1 */
};

struct bristol_gate {
    uint32_t a, b, out; /* b is 0 where the op has no second operand */
    uint8_t op;         /* enum bristol_op */
};

/* gates[local] .. gates[ands - 1] are local, gates[ands] .. gates[end - 1] are ANDs. */
struct bristol_level {
    uint32_t local, ands, end;
};

struct bristol {
    uint32_t n_inputs, n_outputs;       /* values */
    uint32_t *input_bits, *output_bits; /* of each value */
    uint32_t in_bits, out_bits;         /* of all: the first and the last wires */
    uint32_t n_wires;
    uint32_t n_gates; /* each AND of a MAND counts */
    uint32_t n_and, and_depth;
    struct bristol_gate *gates;   /* n_gates, level after level */
    struct bristol_level *levels; /* and_depth + 1 */
};

/* Reads a whole file of len bytes. name stands in messages: "NAME:LINE:COLUMN: what is wrong,
 * what was expected", or "NAME:LINE: ..." where no column says more. ERR_FORMAT: malformed;
 * ERR_TRUNCATED: ends too early; ERR_LIMIT: above BRISTOL_MAX, or sizes that a file of this
 * length can't fill (nothing is allocated for them); ERR_NOMEM. After an error *c is empty. */
int bristol_parse(struct bristol *c, const char *text, size_t len, const char *name, struct err *e);

void bristol_free(struct bristol *c);

/* For bristol_parse: sorts the gates into the order of rounds and fills c->levels. level: of each
 * wire, the ANDs on the longest path to it. OK or ERR_NOMEM. */
int bristol_order(struct bristol *c, const uint32_t *level);

/* In the clear, a byte a bit (0 or 1): in_bits[c->in_bits] to out_bits[c->out_bits].
 * OK or ERR_NOMEM (a byte a wire, freed again). */
int bristol_eval(const struct bristol *c, const uint8_t *in_bits, uint8_t *out_bits);

#endif
