/* A boolean circuit under construction, and its file in the Bristol Fashion format.
 *
 * Build it gate by gate, set `outputs`, write it. Constants, equal operands and double
 * negations fold while building, and writing drops gates that no output needs: builders
 * need no special cases. Wires of the file are numbered as the format wants them: inputs
 * first, outputs last.
 *
 * The first thing that goes wrong (ERR_NOMEM, ERR_LIMIT) stays in rc; building goes on
 * harmlessly without adding gates, and writing then returns rc.
 */
#ifndef PARTYLINE_RUN_GATES_H
#define PARTYLINE_RUN_GATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATES_MAX = 1 << 24 }; /* wires at most: what a reader accepts */

typedef uint32_t wire_t; /* an input, or n_in + a gate's index, or a constant */

#define GATES_ZERO ((wire_t)(UINT32_MAX - 1))
#define GATES_ONE ((wire_t)UINT32_MAX)

/* n values of the same number of bits. */
struct gates_values {
    uint32_t n, bits;
};

struct gates {
    int rc;
    struct gates_values in, out;
    wire_t n_in;     /* in.n * in.bits */
    wire_t *outputs; /* out.n * out.bits, the builder's to set */
    struct gates_gate *gate;
    size_t n, cap;
};

/* Starts a circuit; true if there is room for it. End it with gates_free in any case. */
bool gates_start(struct gates *g, struct gates_values in, struct gates_values out);
void gates_free(struct gates *g);

wire_t gates_not(struct gates *g, wire_t a);
wire_t gates_xor(struct gates *g, wire_t a, wire_t b);
wire_t gates_and(struct gates *g, wire_t a, wire_t b);
/* s ? a : b, one AND. */
wire_t gates_mux(struct gates *g, wire_t s, wire_t a, wire_t b);

/* n wires for the builder to use and free(), or NULL and rc. */
wire_t *gates_scratch(struct gates *g, size_t n);

/* *text is the file, *len bytes and a NUL, for the caller to free(). OK or g's rc. */
int gates_write(struct gates *g, char **text, size_t *len);

#endif
