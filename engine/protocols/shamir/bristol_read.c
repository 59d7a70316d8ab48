/* Reads a circuit's file. */
#include "engine/protocols/shamir/bristol.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GATE_BYTES = 8,     /* no gate's line is shorter: "1 1 0 3 EQ" */
    WIRE_BYTES = 2,     /* a digit and a blank, wherever a wire is named */
    ASSIGN_BYTES = 6,   /* three of them for each gate of a MAND */
    UNNAMED_MAX = 65536 /* inputs that no gate names: any file may have this many */
};
static const uint32_t UNASSIGNED = UINT32_MAX;

struct word {
    const char *at;
    size_t len; /* 0 at the end of the line */
};

struct parser {
    const char *at, *end, *line_start, *name;
    size_t len;
    unsigned line;
    struct err *e;
    struct bristol *c;
    uint32_t n_lines;    /* of gates, as the header says */
    uint32_t room;       /* gates, with MANDs unfolded: one for each wire that is no input */
    unsigned sizes_line; /* where gates and wires are counted */
    uint32_t *level;     /* by wire: ANDs on the longest path to it */
};

static int complain(const struct parser *p, int code, const char *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* at NULL: the line as a whole. */
static int complain(const struct parser *p, int code, const char *at, const char *format, ...)
{
    char text[ERR_TEXT];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (!at)
        return err_set(p->e, code, "%.200s:%u: %s", p->name, p->line, text);
    return err_set(p->e, code, "%.200s:%u:%zu: %s", p->name, p->line,
                   (size_t)(at - p->line_start) + 1, text);
}

/* A word for a message: quoted, short, without control characters. */
struct quoted {
    char text[40];
};
static struct quoted quote(struct word w)
{
    enum { SHOWN = 24 };
    struct quoted q = {"the end of the line"};
    if (w.len == 0)
        return q;
    size_t n = w.len < SHOWN ? w.len : SHOWN, at = 0;
    q.text[at++] = '\'';
    for (size_t i = 0; i < n; i++)
        q.text[at++] = w.at[i] > ' ' && w.at[i] <= '~' ? w.at[i] : '?';
    snprintf(q.text + at, sizeof q.text - at, "%s'", w.len > SHOWN ? "..." : "");
    return q;
}

static bool line_ends(const struct parser *p)
{
    return p->at == p->end || *p->at == '\n' ||
           (*p->at == '\r' && (p->at + 1 == p->end || p->at[1] == '\n'));
}

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

static struct word next_word(struct parser *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
    struct word w = {.at = p->at, .len = 0};
    while (!line_ends(p) && !is_blank(*p->at))
        p->at++;
    w.len = (size_t)(p->at - w.at);
    return w;
}

/* To the start of the next line with a word on it; false at the end of the file. */
static bool next_line(struct parser *p)
{
    for (;;) {
        while (p->at < p->end && is_blank(*p->at))
            p->at++;
        if (!line_ends(p))
            return true;
        p->at += p->at < p->end && *p->at == '\r';
        if (p->at == p->end)
            return false;
        p->line_start = ++p->at;
        p->line++;
    }
}

/* The rest of the line must be empty. */
static int line_done(struct parser *p, const char *after)
{
    struct word w = next_word(p);
    if (w.len)
        return complain(p, ERR_FORMAT, w.at, "expected the end of the line after %s, found %s",
                        after, quote(w).text);
    return OK;
}

/* A decimal number from min to max. */
static int number_of(const struct parser *p, struct word w, const char *what, uint32_t min,
                     uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    bool digits = w.len > 0;
    for (size_t i = 0; i < w.len && digits; i++) {
        digits = w.at[i] >= '0' && w.at[i] <= '9';
        if (v <= max)
            v = v * 10 + (uint64_t)(w.at[i] - '0');
    }
    if (!digits)
        return complain(p, ERR_FORMAT, w.at, "expected %s, a number, found %s", what,
                        quote(w).text);
    if (v < min || v > max)
        return complain(p, v > max && max >= BRISTOL_MAX ? ERR_LIMIT : ERR_FORMAT, w.at,
                        "expected %s, from %u to %u, found %s", what, min, max, quote(w).text);
    *out = (uint32_t)v;
    return OK;
}

static int number(struct parser *p, const char *what, uint32_t min, uint32_t max, uint32_t *out)
{
    return number_of(p, next_word(p), what, min, max, out);
}

static int header_line(struct parser *p, const char *what)
{
    if (next_line(p))
        return OK;
    return complain(p, ERR_TRUNCATED, NULL, "expected %s, found the end of the file", what);
}

static int sizes(struct parser *p)
{
    int rc = header_line(p, "the numbers of gates and wires");
    if (!rc)
        rc = number(p, "the number of gates", 0, BRISTOL_MAX, &p->n_lines);
    if (!rc)
        rc = number(p, "the number of wires", 1, BRISTOL_MAX, &p->c->n_wires);
    if (!rc)
        rc = line_done(p, "the numbers of gates and wires");
    if (rc)
        return rc;
    p->sizes_line = p->line;
    if (p->n_lines > p->len / GATE_BYTES || p->c->n_wires > p->len / WIRE_BYTES + UNNAMED_MAX)
        return complain(p, ERR_LIMIT, NULL,
                        "a file of %zu bytes is too short for %u gates and %u wires", p->len,
                        p->n_lines, p->c->n_wires);
    return OK;
}

/* One line: how many values, then the bits of each. */
static int values(struct parser *p, const char *line_name, const char *count_name,
                  const char *bits_name, uint32_t *n, uint32_t **bits, uint32_t *total)
{
    uint32_t most =
        p->len / WIRE_BYTES < BRISTOL_MAX ? (uint32_t)(p->len / WIRE_BYTES) : BRISTOL_MAX;
    int rc = header_line(p, line_name);
    if (!rc)
        rc = number(p, count_name, 1, most, n);
    if (rc)
        return rc;
    *bits = calloc(*n, sizeof **bits);
    if (!*bits)
        return complain(p, ERR_NOMEM, NULL, "out of memory for %u values", *n);
    for (uint32_t i = 0; i < *n; i++) {
        struct word w = next_word(p);
        rc = number_of(p, w, bits_name, 1, BRISTOL_MAX, &(*bits)[i]);
        if (rc)
            return rc;
        if ((*bits)[i] > p->c->n_wires - *total)
            return complain(p, ERR_FORMAT, w.at, "more bits than the circuit's %u wires",
                            p->c->n_wires);
        *total += (*bits)[i];
    }
    return line_done(p, line_name);
}

/* Blames the header's first line, where the number of wires stands. */
static int wrong_sizes(struct parser *p)
{
    const struct bristol *c = p->c;
    p->line = p->sizes_line;
    if (p->room > p->len / ASSIGN_BYTES)
        return complain(p, ERR_LIMIT, NULL, "a file of %zu bytes is too short to assign %u wires",
                        p->len, p->room);
    if (p->room < p->n_lines)
        return complain(p, ERR_FORMAT, NULL,
                        "%u gates and %u input bits make at least %u wires, found %u", p->n_lines,
                        c->in_bits, p->n_lines + c->in_bits, c->n_wires);
    return complain(p, ERR_FORMAT, NULL,
                    "%u input bits and the gates' outputs make %u wires, found %u", c->in_bits,
                    c->in_bits + c->n_gates, c->n_wires);
}

static int header(struct parser *p)
{
    struct bristol *c = p->c;
    int rc = sizes(p);
    if (!rc)
        rc = values(p, "the line of input values", "the number of input values",
                    "the bits of an input value", &c->n_inputs, &c->input_bits, &c->in_bits);
    if (!rc)
        rc = values(p, "the line of output values", "the number of output values",
                    "the bits of an output value", &c->n_outputs, &c->output_bits, &c->out_bits);
    if (rc)
        return rc;
    p->room = c->n_wires - c->in_bits;
    return p->room < p->n_lines || p->room > p->len / ASSIGN_BYTES ? wrong_sizes(p) : OK;
}

static int read_wire(struct parser *p, const char *what, uint32_t *wire)
{
    struct word w = next_word(p);
    int rc = number_of(p, w, what, 0, p->c->n_wires - 1, wire);
    if (!rc && p->level[*wire] == UNASSIGNED)
        rc = complain(p, ERR_FORMAT, w.at, "wire %u is used before any gate assigns it", *wire);
    return rc;
}

static int assign_wire(struct parser *p, struct bristol_gate *g)
{
    struct word w = next_word(p);
    uint32_t level = g->op == BRISTOL_EQ ? 0 : p->level[g->a];
    int rc = number_of(p, w, "an output wire", 0, p->c->n_wires - 1, &g->out);
    if (rc)
        return rc;
    if (p->level[g->out] != UNASSIGNED)
        return complain(p, ERR_FORMAT, w.at,
                        g->out < p->c->in_bits ? "wire %u is an input, no gate can assign it"
                                               : "wire %u is assigned twice",
                        g->out);
    if (g->op == BRISTOL_XOR || g->op == BRISTOL_AND)
        level = level > p->level[g->b] ? level : p->level[g->b];
    if (g->op == BRISTOL_AND) {
        level++;
        p->c->n_and++;
    }
    if (level > p->c->and_depth)
        p->c->and_depth = level;
    p->level[g->out] = level;
    return OK;
}

struct op {
    const char *name;
    enum bristol_op op;
    uint32_t operands;
    bool many;
};
static const struct op ops[] = {
    {"XOR", BRISTOL_XOR, 2, false}, {"AND", BRISTOL_AND, 2, false}, {"INV", BRISTOL_INV, 1, false},
    {"NOT", BRISTOL_INV, 1, false}, {"EQW", BRISTOL_EQW, 1, false}, {"EQ", BRISTOL_EQ, 1, false},
    {"MAND", BRISTOL_AND, 2, true},
};

/* The line's last word names the gate; the parser stays where it is. */
static int find_op(const struct parser *p, const struct op **op)
{
    struct parser ahead = *p;
    struct word last = {.at = p->at, .len = 0}, w;
    while ((w = next_word(&ahead)).len)
        last = w;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        *op = &ops[i];
        if (strlen(ops[i].name) == last.len && memcmp(ops[i].name, last.at, last.len) == 0)
            return OK;
    }
    return complain(p, ERR_FORMAT, last.at,
                    "expected a gate that ends with XOR, AND, INV, EQW, EQ or MAND, found %s",
                    quote(last).text);
}

/* How many wires go in and out; *n is how many gates the line stands for. */
static int gate_shape(struct parser *p, const struct op *op, uint32_t *n)
{
    struct word in = next_word(p), out = next_word(p);
    uint32_t n_in, n_out, most = op->many ? BRISTOL_MAX : 1;
    int rc = number_of(p, in, "a gate's number of inputs", 1, 2 * BRISTOL_MAX, &n_in);
    if (!rc)
        rc = number_of(p, out, "a gate's number of outputs", 1, most, &n_out);
    if (rc)
        return rc;
    if (n_in != op->operands * n_out)
        return complain(p, ERR_FORMAT, in.at, "%s with %u outputs has %u inputs, found %u",
                        op->name, n_out, op->operands * n_out, n_in);
    if (n_out > p->room - p->c->n_gates)
        return complain(p, ERR_FORMAT, out.at, "more outputs than the circuit's %u wires leave",
                        p->c->n_wires);
    *n = n_out;
    return OK;
}

static int gate_line(struct parser *p)
{
    struct bristol_gate *g = p->c->gates + p->c->n_gates;
    const struct op *op = NULL;
    uint32_t n = 0;
    int rc = find_op(p, &op);
    if (!rc)
        rc = gate_shape(p, op, &n);
    for (uint32_t i = 0; i < n && !rc; i++) {
        g[i].op = (uint8_t)op->op;
        rc = op->op == BRISTOL_EQ ? number(p, "the constant", 0, 1, &g[i].a)
                                  : read_wire(p, "an input wire", &g[i].a);
    }
    for (uint32_t i = 0; op && op->operands == 2 && i < n && !rc; i++)
        rc = read_wire(p, "an input wire", &g[i].b);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = assign_wire(p, &g[i]);
    if (rc)
        return rc;
    struct word w = next_word(p);
    if (w.len != strlen(op->name) || memcmp(w.at, op->name, w.len) != 0)
        return complain(p, ERR_FORMAT, w.at, "expected %s after the gate's wires, found %s",
                        op->name, quote(w).text);
    p->c->n_gates += n;
    return line_done(p, "the gate");
}

static int gates(struct parser *p)
{
    for (uint32_t i = 0; i < p->n_lines; i++) {
        if (!next_line(p))
            return complain(p, ERR_TRUNCATED, NULL, "the file ends after %u of %u gates", i,
                            p->n_lines);
        int rc = gate_line(p);
        if (rc)
            return rc;
    }
    if (next_line(p)) {
        struct word w = next_word(p);
        return complain(p, ERR_FORMAT, w.at,
                        "expected the end of the file after %u gates, found %s", p->n_lines,
                        quote(w).text);
    }
    return p->c->n_gates < p->room ? wrong_sizes(p) : OK;
}

static int circuit(struct parser *p)
{
    struct bristol *c = p->c;
    int rc = header(p);
    if (rc)
        return rc;
    c->gates = calloc((size_t)p->room + 1, sizeof *c->gates);
    p->level = malloc(c->n_wires * sizeof *p->level);
    if (!c->gates || !p->level)
        return complain(p, ERR_NOMEM, NULL, "out of memory for %u wires", c->n_wires);
    for (uint32_t w = 0; w < c->n_wires; w++)
        p->level[w] = w < c->in_bits ? 0 : UNASSIGNED;
    rc = gates(p);
    if (!rc && bristol_order(c, p->level) != OK)
        rc = complain(p, ERR_NOMEM, NULL, "out of memory for %u gates", c->n_gates);
    return rc;
}

int bristol_parse(struct bristol *c, const char *text, size_t len, const char *name, struct err *e)
{
    struct parser p = {.at = text,
                       .end = text + len,
                       .line_start = text,
                       .name = name,
                       .len = len,
                       .line = 1,
                       .e = e,
                       .c = c};
    *c = (struct bristol){0};
    int rc = circuit(&p);
    free(p.level);
    if (rc)
        bristol_free(c);
    return rc;
}
