/* A program: a dataflow of gates, made by a small builder.
 *
 * Every call adds a gate and returns its wire, to be used by later gates. A wire carries
 * one field element: a secret, of which every party holds a Shamir share, or a public
 * value, which every party knows (a constant, or what was opened). Operations on public
 * values, and products of a secret with a public value, cost no communication.
 *
 * ready is the number of communication rounds that must be over before a gate's value is
 * there: one more than its operands' for gates that communicate (inputs, random elements,
 * multiplications, openings), the largest of its operands' for local ones. Gates are thus
 * placed as early as they can be, and independent gates share a round. Outputs alone are
 * opened together, in the last round. Inputs and random elements are ready after the first
 * round; whatever else communicates has a secret operand, so it is after two or more.
 *
 * Errors stick: after one, `code` is not OK, further calls do nothing and return 0.
 * Operands are wires of the same program (asserted).
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_PROGRAM_H
#define PARTYLINE_PROTOCOLS_SHAMIR_PROGRAM_H

#include "engine/env.h"
#include "engine/protocols/shamir/field.h"

typedef uint32_t wire_t;

#define WIRE_NONE UINT32_MAX

enum { PROGRAM_GATES_MAX = 1 << 23 };

enum op {
    /* These communicate. */
    OP_INPUT,  /* party a's input element b */
    OP_RANDOM, /* a uniform element that nobody knows */
    OP_MUL,    /* a * b */
    OP_INNER,  /* the sum of the b pairs' products from pair a on: one resharing */
    OP_OPEN,   /* a, made public */
    /* These are local. */
    OP_CONSTANT,     /* k */
    OP_ADD,          /* a + b */
    OP_SUB,          /* a - b */
    OP_SCALE,        /* k * a */
    OP_ADD_CONSTANT, /* a + k */
    OP_SCALE_PUBLIC, /* a * b, b public */
    OP_BIT,          /* bit k of a, a public */
    OP_INV_SQRT      /* 1 / sqrt(a), a public: fails unless a is a square other than 0 */
};

struct gate {
    uint8_t op; /* enum op */
    bool is_public;
    uint32_t ready;
    uint32_t a, b; /* wires, unless the op says otherwise */
    uint64_t k;    /* a field element, or a bit's number */
};

struct pair {
    uint32_t a, b;
};

struct program {
    const struct field *field;
    struct gate *gates;
    struct pair *pairs;
    wire_t *outputs;
    uint32_t n_gates, n_pairs, n_outputs;
    size_t gates_cap, pairs_cap, outputs_cap;
    int code; /* OK, ERR_NOMEM, or ERR_LIMIT: more than PROGRAM_GATES_MAX */
};

void program_init(struct program *, const struct field *);
void program_free(struct program *);

/* Inputs are declared party by party, and each party's from index 0 up (asserted). */
wire_t program_input(struct program *, party_t, uint32_t index);
wire_t program_random(struct program *);
wire_t program_mul(struct program *, wire_t a, wire_t b);
/* The sum of a[i] * b[i], i < n: one resharing, whatever n > 0. */
wire_t program_inner(struct program *, const wire_t *a, const wire_t *b, uint32_t n);
wire_t program_open(struct program *, wire_t);

wire_t program_constant(struct program *, uint64_t k);
wire_t program_add(struct program *, wire_t a, wire_t b);
wire_t program_sub(struct program *, wire_t a, wire_t b);
wire_t program_scale(struct program *, wire_t a, uint64_t k);
wire_t program_add_constant(struct program *, wire_t a, uint64_t k);
wire_t program_bit(struct program *, wire_t a, unsigned bit);
wire_t program_inv_sqrt(struct program *, wire_t a);

/* The next element of the result. */
void program_output(struct program *, wire_t);

static inline bool program_communicates(const struct gate *g)
{
    return g->op <= OP_OPEN;
}

/* The wires that a gate reads: how many, and the i-th. */
uint32_t program_n_operands(const struct gate *g);
wire_t program_operand(const struct program *, const struct gate *g, uint32_t i);

#endif
