/* The kinds of circuits. Values are arrays of wires, the least significant bit first. */
#include "engine/run/circuitgen.h"

#include <stdlib.h>
#include <string.h>

#include "engine/run/gates.h"

static wire_t full_adder(struct gates *g, wire_t a, wire_t b, wire_t c, wire_t *carry)
{
    wire_t x = gates_xor(g, a, c), y = gates_xor(g, b, c);
    *carry = gates_xor(g, gates_and(g, x, y), c);
    return gates_xor(g, x, b);
}

/* sum = a + b + c, n bits; returns the carry. sum may be a or b. */
static wire_t add_ripple(struct gates *g, wire_t *sum, const wire_t *a, const wire_t *b, wire_t c,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = full_adder(g, a[i], b[i], c, &c);
    return c;
}

/* The same in 1 + log2 n levels: make[i] and pass[i] say whether the bits up to i make a
 * carry, or pass one on; blocks of d bits learn from the block below them. */
static void add_prefix(struct gates *g, wire_t *sum, const wire_t *a, const wire_t *b, wire_t c,
                       size_t n)
{
    wire_t *make = gates_scratch(g, 3 * n);
    if (!make)
        return;
    wire_t *pass = make + n, *half = pass + n;
    for (size_t i = 0; i < n; i++) {
        make[i] = gates_and(g, a[i], b[i]);
        pass[i] = half[i] = gates_xor(g, a[i], b[i]);
    }
    make[0] = gates_xor(g, make[0], gates_and(g, pass[0], c));
    for (size_t d = 1; d < n; d *= 2)
        for (size_t i = d; i < n; i++) {
            size_t below = i / d * d - 1;
            if (i / d % 2 == 0)
                continue;
            make[i] = gates_xor(g, make[i], gates_and(g, pass[i], make[below]));
            pass[i] = gates_and(g, pass[i], pass[below]);
        }
    for (size_t i = 0; i < n; i++)
        sum[i] = gates_xor(g, half[i], i ? make[i - 1] : c);
    free(make);
}

/* Is a < b? Of two neighbouring parts the higher one decides, unless it is equal. */
static wire_t less(struct gates *g, const wire_t *a, const wire_t *b, size_t n)
{
    wire_t *lt = gates_scratch(g, 2 * n);
    if (!lt)
        return GATES_ZERO;
    wire_t *eq = lt + n, result;
    for (size_t i = 0; i < n; i++) {
        wire_t differ = gates_xor(g, a[i], b[i]);
        lt[i] =
            i ? b[i] : gates_and(g, differ, b[i]); /* above bit 0 asked only where bits differ */
        eq[i] = gates_not(g, differ);
    }
    for (size_t m = n; m > 1; m = (m + 1) / 2) {
        for (size_t i = 0; i < m / 2; i++) {
            lt[i] = gates_mux(g, eq[2 * i + 1], lt[2 * i], lt[2 * i + 1]);
            eq[i] = gates_and(g, eq[2 * i + 1], eq[2 * i]);
        }
        if (m % 2) {
            lt[m / 2] = lt[m - 1];
            eq[m / 2] = eq[m - 1];
        }
    }
    result = lt[0];
    free(lt);
    return result;
}

/* Starts a circuit; the wires of its inputs, to be freed, or NULL. */
static wire_t *start(struct gates *g, const struct circuitgen *o, uint32_t n_out, uint32_t out_bits)
{
    if (!gates_start(g, (struct gates_values){o->count, o->n},
                     (struct gates_values){n_out, out_bits}))
        return NULL;
    wire_t *v = gates_scratch(g, g->n_in);
    for (wire_t i = 0; v && i < g->n_in; i++)
        v[i] = i;
    return v;
}

static void add_or_subtract(struct gates *g, const struct circuitgen *o, bool minus)
{
    wire_t *a = start(g, o, 1, o->n), carry = minus ? GATES_ONE : GATES_ZERO;
    if (!a)
        return;
    wire_t *b = a + o->n;
    for (size_t i = 0; minus && i < o->n; i++)
        b[i] = gates_not(g, b[i]);
    if (o->fast)
        add_prefix(g, g->outputs, a, b, carry, o->n);
    else
        add_ripple(g, g->outputs, a, b, carry, o->n);
    free(a);
}

static void adder(struct gates *g, const struct circuitgen *o)
{
    add_or_subtract(g, o, false);
}

static void subtractor(struct gates *g, const struct circuitgen *o)
{
    add_or_subtract(g, o, true);
}

/* Row i is a * b[i] * 2^i, kept to width bits. */
static void product_row(struct gates *g, wire_t *row, const wire_t *ab, size_t n, size_t i,
                        size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] = k >= i && k - i < n ? gates_and(g, ab[k - i], ab[n + i]) : GATES_ZERO;
}

static void multiply_ripple(struct gates *g, const wire_t *ab, size_t n, size_t width)
{
    wire_t *row = gates_scratch(g, width), *sum = g->outputs;
    if (!row)
        return;
    product_row(g, sum, ab, n, 0, width);
    for (size_t i = 1; i < n; i++) {
        size_t m = n < width - i ? n : width - i;
        product_row(g, row, ab, n, i, width);
        wire_t carry = add_ripple(g, sum + i, sum + i, row + i, GATES_ZERO, m);
        if (i + m < width)
            sum[i + m] = carry;
    }
    free(row);
}

/* Three rows become two, all bits at once. to may start where from does, or before. */
static void carry_save(struct gates *g, wire_t *to, const wire_t *from, size_t width)
{
    wire_t carry = GATES_ZERO, next;
    for (size_t k = 0; k < width; k++) {
        to[k] = full_adder(g, from[k], from[width + k], from[2 * width + k], &next);
        to[width + k] = carry;
        carry = next;
    }
}

static void multiply_tree(struct gates *g, const wire_t *ab, size_t n, size_t width)
{
    wire_t *rows = gates_scratch(g, (n + 1) * width);
    if (!rows)
        return;
    for (size_t i = 0; i <= n; i++) /* row n, for n = 1, is empty */
        product_row(g, rows + i * width, ab, n, i < n ? i : width, width);
    for (size_t m = n; m > 2; m -= m / 3) {
        size_t triples = m / 3;
        for (size_t i = 0; i < triples; i++)
            carry_save(g, rows + 2 * i * width, rows + 3 * i * width, width);
        memmove(rows + 2 * triples * width, rows + 3 * triples * width,
                m % 3 * width * sizeof *rows);
    }
    add_prefix(g, g->outputs, rows, rows + width, GATES_ZERO, width);
    free(rows);
}

static void multiplier(struct gates *g, const struct circuitgen *o)
{
    uint32_t width = o->full ? 2 * o->n : o->n;
    wire_t *ab = start(g, o, 1, width);
    if (ab && o->fast)
        multiply_tree(g, ab, o->n, width);
    else if (ab)
        multiply_ripple(g, ab, o->n, width);
    free(ab);
}

static void less_than(struct gates *g, const struct circuitgen *o)
{
    wire_t *a = start(g, o, 1, 1);
    if (a)
        g->outputs[0] = less(g, a, a + o->n, o->n);
    free(a);
}

static void equal(struct gates *g, const struct circuitgen *o)
{
    wire_t *eq = start(g, o, 1, 1);
    if (!eq)
        return;
    for (size_t i = 0; i < o->n; i++)
        eq[i] = gates_not(g, gates_xor(g, eq[i], eq[o->n + i]));
    for (size_t m = o->n; m > 1; m = (m + 1) / 2) {
        for (size_t i = 0; i < m / 2; i++)
            eq[i] = gates_and(g, eq[2 * i], eq[2 * i + 1]);
        if (m % 2)
            eq[m / 2] = eq[m - 1];
    }
    g->outputs[0] = eq[0];
    free(eq);
}

/* A tournament. */
static void maximum(struct gates *g, const struct circuitgen *o)
{
    size_t n = o->n;
    wire_t *v = start(g, o, 1, o->n);
    if (!v)
        return;
    for (size_t m = o->count; m > 1 && !g->rc; m = (m + 1) / 2) {
        for (size_t i = 0; i < m / 2; i++) {
            const wire_t *a = v + 2 * i * n, *b = a + n;
            wire_t s = less(g, a, b, n);
            for (size_t k = 0; k < n; k++)
                v[i * n + k] = gates_mux(g, s, b[k], a[k]);
        }
        if (m % 2)
            memmove(v + m / 2 * n, v + (m - 1) * n, n * sizeof *v);
    }
    memcpy(g->outputs, v, n * sizeof *v);
    free(v);
}

/* The smaller value to a, the larger to b. */
static void compare_exchange(struct gates *g, wire_t *a, wire_t *b, size_t n)
{
    wire_t s = less(g, b, a, n);
    for (size_t k = 0; k < n; k++) {
        wire_t change = gates_and(g, s, gates_xor(g, a[k], b[k]));
        a[k] = gates_xor(g, a[k], change);
        b[k] = gates_xor(g, b[k], change);
    }
}

static void sort(struct gates *g, const struct circuitgen *o)
{
    size_t n = o->n, top = 1;
    wire_t *v = start(g, o, o->count, o->n);
    if (!v)
        return;
    while (2 * top < o->count)
        top *= 2;
    for (size_t p = o->count > 1 ? top : 0; p > 0; p /= 2) {
        size_t r = 0, d = p;
        for (size_t q = top;; q /= 2) {
            for (size_t i = 0; i + d < o->count && !g->rc; i++)
                if ((i & p) == r)
                    compare_exchange(g, v + i * n, v + (i + d) * n, n);
            if (q == p)
                break;
            d = q - p;
            r = p;
        }
    }
    memcpy(g->outputs, v, g->n_in * sizeof *v);
    free(v);
}

static const struct circuitgen_kind kinds[] = {
    {"adder",
     "N [--fast]",
     "a + b of two N-bit values, modulo 2^N; --fast: fewer rounds",
     false,
     65536,
     {"--fast"},
     adder},
    {"subtractor",
     "N [--fast]",
     "a - b of two N-bit values, modulo 2^N; --fast: fewer rounds",
     false,
     65536,
     {"--fast"},
     subtractor},
    {"multiplier",
     "N [--full] [--fast]",
     "a * b of two N-bit values: the low N bits, or with --full all 2N; --fast: fewer rounds",
     false,
     1024,
     {"--full", "--fast"},
     multiplier},
    {"less_than", "N", "1 if a < b, of two unsigned N-bit values", false, 65536, {0}, less_than},
    {"equal", "N", "1 if a = b, of two N-bit values", false, 65536, {0}, equal},
    {"maximum",
     "COUNT N",
     "the largest of COUNT unsigned N-bit values, each an input",
     true,
     65536,
     {0},
     maximum},
    {"sort",
     "COUNT N",
     "COUNT unsigned N-bit values, each an input, in ascending order",
     true,
     65536,
     {0},
     sort},
    {.name = NULL},
};

const struct circuitgen_kind *circuitgen_kinds(void)
{
    return kinds;
}
