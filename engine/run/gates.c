#include "engine/run/gates.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"

enum gates_op { XOR, AND, INV };
struct gates_gate {
    wire_t a, b;
    uint8_t op;
};

bool gates_start(struct gates *g, struct gates_values in, struct gates_values out)
{
    *g = (struct gates){.in = in, .out = out};
    if ((uint64_t)in.n * in.bits > GATES_MAX || (uint64_t)out.n * out.bits > GATES_MAX) {
        g->rc = ERR_LIMIT;
        return false;
    }
    g->n_in = in.n * in.bits;
    g->outputs = gates_scratch(g, (size_t)out.n * out.bits);
    return !g->rc;
}

void gates_free(struct gates *g)
{
    free(g->gate);
    free(g->outputs);
    *g = (struct gates){0};
}

wire_t *gates_scratch(struct gates *g, size_t n)
{
    wire_t *w = calloc(n, sizeof *w);
    if (!w && !g->rc)
        g->rc = ERR_NOMEM;
    return w;
}

static bool is_const(wire_t w)
{
    return w >= GATES_ZERO;
}

static void grow(struct gates *g)
{
    size_t cap = g->cap ? 2 * g->cap : 1024;
    struct gates_gate *more = g->cap < GATES_MAX ? realloc(g->gate, cap * sizeof *more) : NULL;
    if (!more) {
        g->rc = g->cap < GATES_MAX ? ERR_NOMEM : ERR_LIMIT;
        return;
    }
    g->gate = more;
    g->cap = cap;
}

static wire_t gate(struct gates *g, enum gates_op op, wire_t a, wire_t b)
{
    if (g->n == g->cap && !g->rc)
        grow(g);
    if (g->rc)
        return GATES_ZERO;
    g->gate[g->n] = (struct gates_gate){.a = a, .b = b, .op = (uint8_t)op};
    return g->n_in + (wire_t)g->n++;
}

wire_t gates_not(struct gates *g, wire_t a)
{
    if (is_const(a))
        return a ^ 1;
    if (a >= g->n_in && g->gate[a - g->n_in].op == INV)
        return g->gate[a - g->n_in].a;
    return gate(g, INV, a, 0);
}

wire_t gates_xor(struct gates *g, wire_t a, wire_t b)
{
    if (a == b)
        return GATES_ZERO;
    if (is_const(a))
        return a == GATES_ONE ? gates_not(g, b) : b;
    if (is_const(b))
        return b == GATES_ONE ? gates_not(g, a) : a;
    return gate(g, XOR, a, b);
}

wire_t gates_and(struct gates *g, wire_t a, wire_t b)
{
    if (a == b || b == GATES_ONE || a == GATES_ZERO)
        return a;
    if (a == GATES_ONE || b == GATES_ZERO)
        return b;
    return gate(g, AND, a, b);
}

/* s ? a : b */
wire_t gates_mux(struct gates *g, wire_t s, wire_t a, wire_t b)
{
    return gates_xor(g, b, gates_and(g, s, gates_xor(g, a, b)));
}

/* The number of each gate's wire in the file. */
struct numbering {
    uint32_t *wire; /* by gate */
    uint32_t n_live, n_direct, n_out, n_wires;
};
static const uint32_t DEAD = UINT32_MAX, LIVE = UINT32_MAX - 1, OUTPUT = UINT32_C(1) << 30;

static void mark_live(const struct gates *g, struct numbering *to, wire_t w)
{
    if (is_const(w) || w < g->n_in || to->wire[w - g->n_in] != DEAD)
        return;
    to->wire[w - g->n_in] = LIVE;
    to->n_live++;
}

/* Finds what the outputs need, from the last gate down; then the first output of a gate
 * becomes its wire, and all other live gates get wires of their own before the outputs. */
static void number_wires(const struct gates *g, struct numbering *to)
{
    to->n_out = g->out.n * g->out.bits;
    for (size_t i = 0; i < g->n; i++)
        to->wire[i] = DEAD;
    for (uint32_t k = 0; k < to->n_out; k++)
        mark_live(g, to, g->outputs[k]);
    for (size_t i = g->n; i-- > 0;) {
        if (to->wire[i] == DEAD)
            continue;
        mark_live(g, to, g->gate[i].a);
        if (g->gate[i].op != INV)
            mark_live(g, to, g->gate[i].b);
    }
    for (uint32_t k = 0; k < to->n_out; k++) {
        wire_t w = g->outputs[k];
        if (is_const(w) || w < g->n_in || to->wire[w - g->n_in] != LIVE)
            continue;
        to->wire[w - g->n_in] = OUTPUT + k;
        to->n_direct++;
    }
    uint32_t next = g->n_in, first_output = g->n_in + to->n_live - to->n_direct;
    to->n_wires = first_output + to->n_out;
    for (size_t i = 0; i < g->n; i++) {
        if (to->wire[i] == LIVE)
            to->wire[i] = next++;
        else if (to->wire[i] != DEAD)
            to->wire[i] += first_output - OUTPUT;
    }
}

struct text {
    char *at;
    size_t len, cap;
    int rc;
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line or a part of one, of at most 63 bytes. */
static void put(struct text *t, const char *format, ...)
{
    enum { ROOM = 64 };
    if (t->cap - t->len < ROOM && !t->rc) {
        size_t cap = t->cap ? 2 * t->cap : 4096;
        char *more = realloc(t->at, cap);
        if (!more) {
            t->rc = ERR_NOMEM;
        } else {
            t->at = more;
            t->cap = cap;
        }
    }
    if (t->rc)
        return;
    va_list ap;
    va_start(ap, format);
    t->len += (size_t)vsnprintf(t->at + t->len, ROOM, format, ap);
    va_end(ap);
}

static void put_values(struct text *t, struct gates_values v)
{
    put(t, "%" PRIu32, v.n);
    for (uint32_t i = 0; i < v.n; i++)
        put(t, " %" PRIu32, v.bits);
    put(t, "\n");
}

static uint32_t wire_of(const struct gates *g, const struct numbering *to, wire_t w)
{
    return w < g->n_in ? w : to->wire[w - g->n_in];
}

static void put_gates(struct text *t, const struct gates *g, const struct numbering *to)
{
    for (size_t i = 0; i < g->n && !t->rc; i++) {
        const struct gates_gate *from = &g->gate[i];
        uint32_t out = to->wire[i];
        if (out == DEAD)
            continue;
        if (from->op == INV)
            put(t, "1 1 %" PRIu32 " %" PRIu32 " INV\n", wire_of(g, to, from->a), out);
        else
            put(t, "2 1 %" PRIu32 " %" PRIu32 " %" PRIu32 " %s\n", wire_of(g, to, from->a),
                wire_of(g, to, from->b), out, from->op == XOR ? "XOR" : "AND");
    }
    /* Outputs that are inputs, constants, or the same as an earlier one. */
    for (uint32_t k = 0; k < to->n_out && !t->rc; k++) {
        wire_t w = g->outputs[k];
        uint32_t out = to->n_wires - to->n_out + k;
        if (is_const(w))
            put(t, "1 1 %d %" PRIu32 " EQ\n", w == GATES_ONE, out);
        else if (wire_of(g, to, w) != out)
            put(t, "1 1 %" PRIu32 " %" PRIu32 " EQW\n", wire_of(g, to, w), out);
    }
}

int gates_write(struct gates *g, char **text, size_t *len)
{
    struct numbering to = {.wire = gates_scratch(g, g->n + 1)};
    struct text t = {.rc = g->rc};
    if (!t.rc) {
        number_wires(g, &to);
        t.rc = to.n_wires > GATES_MAX ? ERR_LIMIT : OK;
    }
    put(&t, "%" PRIu32 " %" PRIu32 "\n", to.n_live + to.n_out - to.n_direct, to.n_wires);
    put_values(&t, g->in);
    put_values(&t, g->out);
    put(&t, "\n");
    put_gates(&t, g, &to);
    free(to.wire);
    if (t.rc) {
        free(t.at);
        return t.rc;
    }
    *text = t.at;
    *len = t.len;
    return OK;
}
