/* The program that is a Bristol Fashion circuit, over GF(2^8). */
#include <stdlib.h>
#include <string.h>

#include "engine/protocols/shamir/integers.h"

static int circuit_admit(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    const struct bristol *c = &p->circuit;
    int rc;
    if (!o->circuit.path)
        return err_set(e, ERR_INVALID, "program circuit needs the option `circuit`: a file");
    rc = bristol_parse(&p->circuit, (const char *)o->circuit.data, o->circuit.len, o->circuit.path,
                       e);
    if (rc)
        return rc;
    if (c->n_inputs > p->parties)
        return err_set(e, ERR_INVALID,
                       "circuit %.200s has %u input values, one a party: there are %u parties",
                       o->circuit.path, c->n_inputs, p->parties);
    for (party_t who = 0; who < p->parties; who++)
        if (p->given[who] != (who < c->n_inputs ? 1u : 0u))
            return err_set(e, ERR_INVALID,
                           "circuit %.200s has %u input value%s, one each of the first parties: %s "
                           "has %u input%s, not %u",
                           o->circuit.path, c->n_inputs, c->n_inputs == 1 ? "" : "s",
                           plan_name(p, who), p->given[who], p->given[who] == 1 ? "" : "s",
                           who < c->n_inputs ? 1u : 0u);
    return OK;
}

static wire_t add_gate(struct program *g, const struct bristol_gate *gate, const wire_t *wires)
{
    switch (gate->op) {
    case BRISTOL_XOR:
        return program_add(g, wires[gate->a], wires[gate->b]);
    case BRISTOL_AND:
        return program_mul(g, wires[gate->a], wires[gate->b]);
    case BRISTOL_INV:
        return program_add_constant(g, wires[gate->a], 1);
    case BRISTOL_EQ:
        return program_constant(g, gate->a);
    default:
        return wires[gate->a];
    }
}

static void circuit_build(const struct plan *p, struct program *g)
{
    const struct bristol *c = &p->circuit;
    wire_t *wires = calloc(c->n_wires + (size_t)1, sizeof *wires), n = 0;
    if (!wires) {
        g->code = ERR_NOMEM;
        return;
    }
    for (uint32_t who = 0; who < c->n_inputs; who++)
        for (uint32_t i = 0; i < c->input_bits[who]; i++)
            wires[n++] = program_input(g, who, i);
    for (uint32_t i = 0; i < c->n_gates; i++)
        wires[c->gates[i].out] = add_gate(g, &c->gates[i], wires);
    for (uint32_t i = 0; i < c->out_bits; i++)
        program_output(g, wires[c->n_wires - c->out_bits + i]);
    free(wires);
}

static uint32_t bytes_of(uint32_t bits)
{
    return bits / 8 + (bits % 8 ? 1 : 0);
}

static size_t circuit_result_len(const struct plan *p, uint32_t n_outputs)
{
    size_t len = 0;
    (void)n_outputs;
    for (uint32_t i = 0; i < p->circuit.n_outputs; i++)
        len += bytes_of(p->circuit.output_bits[i]);
    return len;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* bits[i] = bit i of a hexadecimal number; no bit may be lost. */
static int parse_hex(const char *digits, uint32_t width, uint64_t *bits)
{
    size_t n = strlen(digits);
    memset(bits, 0, width * sizeof *bits);
    for (size_t i = 0; i < n; i++) {
        int digit = hex_digit(digits[n - 1 - i]);
        if (digit < 0)
            return ERR_FORMAT;
        for (size_t k = 0; k < 4; k++) {
            if (!(digit >> k & 1))
                continue;
            if (4 * i + k >= width)
                return ERR_TOO_BIG;
            bits[4 * i + k] = 1;
        }
    }
    return n ? OK : ERR_FORMAT;
}

/* A decimal number of up to 64 bits, or negative in two's complement. */
static int parse_decimal(const char *text, uint32_t width, uint64_t *bits)
{
    bool minus = *text == '-';
    const char *at = text + (minus ? 1 : 0);
    uint64_t v = 0, limit = width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    if (*at == 0 || (*at == '0' && (at[1] || minus)))
        return ERR_FORMAT;
    if (minus)
        limit = limit / 2 + 1;
    for (; *at; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (*at < '0' || *at > '9')
            return ERR_FORMAT;
        if (v > (limit - digit) / 10 || digit > limit)
            return ERR_TOO_BIG;
        v = v * 10 + digit;
    }
    v = minus ? 0 - v : v;
    for (uint32_t i = 0; i < width; i++)
        bits[i] = i < 64 ? v >> i & 1 : minus;
    return OK;
}

static int circuit_encode(const struct plan *p, party_t who, const struct input *in,
                          uint64_t *elements, struct err *e)
{
    if (in->n == 0)
        return OK;
    const char *text = in->values[0];
    uint32_t width = p->circuit.input_bits[who];
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    int rc = hex ? parse_hex(text + 2, width, elements) : parse_decimal(text, width, elements);
    if (rc)
        return err_set(e, ERR_INVALID,
                       "%s's input '%.40s': expected a number of %u bits, decimal up to 64 bits or "
                       "0x...",
                       plan_name(p, who), text, width);
    return OK;
}

static void circuit_result(const struct plan *p, const uint64_t *outputs, uint8_t *bytes)
{
    memset(bytes, 0, p->result_len);
    for (uint32_t v = 0; v < p->circuit.n_outputs; v++) {
        uint32_t width = p->circuit.output_bits[v];
        for (uint32_t i = 0; i < width; i++)
            bytes[i / 8] = (uint8_t)(bytes[i / 8] | (*outputs++ & 1) << i % 8);
        bytes += bytes_of(width);
    }
}

static int circuit_expect(const struct plan *p, const struct input *inputs, uint8_t *bytes,
                          struct err *e)
{
    const struct bristol *c = &p->circuit;
    size_t n = (size_t)c->in_bits + c->out_bits, at = 0;
    uint64_t *element = calloc(n + 1, sizeof *element), *out = element + c->in_bits;
    uint8_t *bit = calloc(n + 1, 1);
    int rc = element && bit ? OK : err_set(e, ERR_NOMEM, "no memory to verify");
    for (party_t who = 0; rc == OK && who < c->n_inputs; who++) {
        rc = circuit_encode(p, who, &inputs[who], element + at, e);
        at += c->input_bits[who];
    }
    for (uint32_t i = 0; rc == OK && i < c->in_bits; i++)
        bit[i] = (uint8_t)element[i];
    if (rc == OK && bristol_eval(c, bit, bit + c->in_bits))
        rc = err_set(e, ERR_NOMEM, "no memory to verify");
    for (uint32_t i = 0; rc == OK && i < c->out_bits; i++)
        out[i] = bit[c->in_bits + i];
    if (rc == OK)
        circuit_result(p, out, bytes);
    free(element);
    free(bit);
    return rc;
}

static void circuit_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    integers_append(buf, cap, p->circuit.n_outputs == 1 ? "output" : "outputs");
    for (uint32_t v = 0; v < p->circuit.n_outputs; v++) {
        uint32_t n = bytes_of(p->circuit.output_bits[v]);
        uint64_t number = 0;
        integers_append(buf, cap, "%s 0x", v ? "," : "");
        for (uint32_t i = n; i-- > 0;)
            integers_append(buf, cap, "%02x", result[i]);
        for (uint32_t i = n; n <= 8 && i-- > 0;)
            number = number << 8 | result[i];
        if (n <= 8)
            integers_append(buf, cap, " (%llu)", (unsigned long long)number);
        result += n;
    }
}

const struct definition circuit_circuit = {
    .name = "circuit",
    .field = &field_gf256,
    .admit = circuit_admit,
    .build = circuit_build,
    .result_len = circuit_result_len,
    .encode = circuit_encode,
    .result = circuit_result,
    .expect = circuit_expect,
    .print = circuit_print,
};
