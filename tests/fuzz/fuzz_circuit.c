/* Any bytes as a circuit file: refused with a line number, or evaluated in its order. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/protocols/shamir/bristol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int truth)
{
    if (!truth)
        abort();
}

static void check_order(const struct bristol *c)
{
    uint8_t *known = calloc(c->n_wires, 1);
    uint32_t at = 0;
    need(known != NULL);
    memset(known, 1, c->in_bits);
    for (uint32_t k = 0; k <= c->and_depth; k++) {
        struct bristol_level l = c->levels[k];
        need(l.local == at && l.local <= l.ands && l.ands <= l.end);
        for (; at < l.end; at++) {
            const struct bristol_gate *g = &c->gates[at];
            need((g->op == BRISTOL_AND) == (at >= l.ands));
            need(g->op == BRISTOL_EQ || known[g->a]);
            need((g->op != BRISTOL_XOR && g->op != BRISTOL_AND) || known[g->b]);
            need(!known[g->out]);
            known[g->out] = at < l.ands;
        }
        for (uint32_t i = l.ands; i < l.end; i++) /* known only when the level is done */
            known[c->gates[i].out] = 1;
    }
    need(at == c->n_gates);
    need(memchr(known, 0, c->n_wires) == NULL);
    free(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bristol c;
    struct err e = {0};
    if (bristol_parse(&c, (const char *)data, size, "x", &e) != OK) {
        need(strncmp(e.text, "x:", 2) == 0 && e.text[2] >= '1' && e.text[2] <= '9');
        need(c.gates == NULL);
        return 0;
    }
    uint8_t *in = calloc(c.in_bits, 1), *out = malloc(c.out_bits);
    need(in && out);
    check_order(&c);
    need(bristol_eval(&c, in, out) == OK);
    for (uint32_t i = 0; i < c.out_bits; i++)
        need(out[i] <= 1);
    free(in);
    free(out);
    bristol_free(&c);
    return 0;
}
