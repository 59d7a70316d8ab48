#include "engine/protocols/shamir/program.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/err.h"

void program_init(struct program *p, const struct field *field)
{
    *p = (struct program){.field = field};
}

void program_free(struct program *p)
{
    free(p->gates);
    free(p->pairs);
    free(p->outputs);
    *p = (struct program){.field = p->field, .code = ERR_STATE};
}

/* Room for `more` beyond n; the array at its new place, or NULL with p->code set. */
static void *room(struct program *p, void *array, size_t *cap, size_t n, size_t more, size_t size)
{
    size_t want = *cap ? *cap : 64;
    if (n + more > PROGRAM_GATES_MAX) {
        p->code = ERR_LIMIT;
        return NULL;
    }
    while (want < n + more)
        want *= 2;
    if (want == *cap)
        return array;
    void *larger = realloc(array, want * size);
    if (!larger) {
        p->code = ERR_NOMEM;
        return NULL;
    }
    *cap = want;
    return larger;
}

static wire_t add_gate(struct program *p, struct gate g)
{
    struct gate *gates;
    if (p->code)
        return 0;
    gates = room(p, p->gates, &p->gates_cap, p->n_gates, 1, sizeof *gates);
    if (!gates)
        return 0;
    p->gates = gates;
    g.ready = program_communicates(&g) ? 1 : 0;
    g.is_public = !program_communicates(&g);
    for (uint32_t i = 0; i < program_n_operands(&g); i++) {
        wire_t w = program_operand(p, &g, i);
        assert(w < p->n_gates);
        uint32_t ready = gates[w].ready + (program_communicates(&g) ? 1 : 0);
        g.ready = ready > g.ready ? ready : g.ready;
        g.is_public &= gates[w].is_public;
    }
    g.is_public |= g.op == OP_OPEN;
    gates[p->n_gates] = g;
    return p->n_gates++;
}

static bool is_public(const struct program *p, wire_t w)
{
    return p->code == OK && p->gates[w].is_public;
}

wire_t program_input(struct program *p, party_t party, uint32_t index)
{
    return add_gate(p, (struct gate){.op = OP_INPUT, .a = party, .b = index});
}

wire_t program_random(struct program *p)
{
    return add_gate(p, (struct gate){.op = OP_RANDOM});
}

wire_t program_mul(struct program *p, wire_t a, wire_t b)
{
    if (is_public(p, b))
        return add_gate(p, (struct gate){.op = OP_SCALE_PUBLIC, .a = a, .b = b});
    if (is_public(p, a))
        return add_gate(p, (struct gate){.op = OP_SCALE_PUBLIC, .a = b, .b = a});
    return add_gate(p, (struct gate){.op = OP_MUL, .a = a, .b = b});
}

/* Of public values alone. */
static wire_t inner_public(struct program *p, const wire_t *a, const wire_t *b, uint32_t n)
{
    wire_t sum = program_mul(p, a[0], b[0]);
    for (uint32_t i = 1; i < n; i++)
        sum = program_add(p, sum, program_mul(p, a[i], b[i]));
    return sum;
}

wire_t program_inner(struct program *p, const wire_t *a, const wire_t *b, uint32_t n)
{
    struct pair *pairs;
    bool secret = false;
    assert(n > 0);
    for (uint32_t i = 0; i < n; i++)
        secret |= !is_public(p, a[i]) || !is_public(p, b[i]);
    if (p->code || !secret)
        return p->code ? 0 : inner_public(p, a, b, n);
    pairs = room(p, p->pairs, &p->pairs_cap, p->n_pairs, n, sizeof *pairs);
    if (!pairs)
        return 0;
    p->pairs = pairs;
    for (uint32_t i = 0; i < n; i++)
        pairs[p->n_pairs + i] = (struct pair){a[i], b[i]};
    p->n_pairs += n;
    return add_gate(p, (struct gate){.op = OP_INNER, .a = p->n_pairs - n, .b = n});
}

wire_t program_open(struct program *p, wire_t a)
{
    return is_public(p, a) ? a : add_gate(p, (struct gate){.op = OP_OPEN, .a = a});
}

wire_t program_constant(struct program *p, uint64_t k)
{
    return add_gate(p, (struct gate){.op = OP_CONSTANT, .k = k});
}

wire_t program_add(struct program *p, wire_t a, wire_t b)
{
    return add_gate(p, (struct gate){.op = OP_ADD, .a = a, .b = b});
}

wire_t program_sub(struct program *p, wire_t a, wire_t b)
{
    return add_gate(p, (struct gate){.op = OP_SUB, .a = a, .b = b});
}

wire_t program_scale(struct program *p, wire_t a, uint64_t k)
{
    return add_gate(p, (struct gate){.op = OP_SCALE, .a = a, .k = k});
}

wire_t program_add_constant(struct program *p, wire_t a, uint64_t k)
{
    return add_gate(p, (struct gate){.op = OP_ADD_CONSTANT, .a = a, .k = k});
}

wire_t program_bit(struct program *p, wire_t a, unsigned bit)
{
    assert(p->code || is_public(p, a));
    return add_gate(p, (struct gate){.op = OP_BIT, .a = a, .k = bit});
}

wire_t program_inv_sqrt(struct program *p, wire_t a)
{
    assert(p->code || is_public(p, a));
    return add_gate(p, (struct gate){.op = OP_INV_SQRT, .a = a});
}

void program_output(struct program *p, wire_t w)
{
    wire_t *outputs;
    if (p->code)
        return;
    assert(w < p->n_gates);
    outputs = room(p, p->outputs, &p->outputs_cap, p->n_outputs, 1, sizeof *outputs);
    if (!outputs)
        return;
    p->outputs = outputs;
    outputs[p->n_outputs++] = w;
}

uint32_t program_n_operands(const struct gate *g)
{
    switch (g->op) {
    case OP_INPUT:
    case OP_RANDOM:
    case OP_CONSTANT:
        return 0;
    case OP_INNER:
        return 2 * g->b;
    case OP_MUL:
    case OP_ADD:
    case OP_SUB:
    case OP_SCALE_PUBLIC:
        return 2;
    default:
        return 1;
    }
}

wire_t program_operand(const struct program *p, const struct gate *g, uint32_t i)
{
    if (g->op != OP_INNER)
        return i ? g->b : g->a;
    const struct pair *pair = p->pairs + g->a + i / 2;
    return i % 2 ? pair->b : pair->a;
}
