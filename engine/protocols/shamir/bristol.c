/* A circuit that was read: ordered by rounds, evaluated. */
#include "engine/protocols/shamir/bristol.h"

#include <stdlib.h>
#include <string.h>

/* The place of a gate in the order of rounds: level by level, local before AND. */
static size_t place(const uint32_t *level, const struct bristol_gate *g)
{
    return 2 * (size_t)level[g->out] - (g->op == BRISTOL_AND);
}

/* Counting sort by place: keeps the file's order among equals. */
int bristol_order(struct bristol *c, const uint32_t *level)
{
    size_t n_levels = (size_t)c->and_depth + 1;
    uint32_t *start = calloc(2 * n_levels + 1, sizeof *start);
    struct bristol_gate *sorted = malloc(((size_t)c->n_gates + 1) * sizeof *sorted);
    c->levels = malloc(n_levels * sizeof *c->levels);
    if (!start || !sorted || !c->levels) {
        free(start);
        free(sorted);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < c->n_gates; i++)
        start[place(level, &c->gates[i]) + 1]++;
    for (size_t k = 0; k < 2 * n_levels; k++)
        start[k + 1] += start[k];
    for (size_t k = 0; k < n_levels; k++)
        c->levels[k] = (struct bristol_level){start[2 * k], start[2 * k + 1], start[2 * k + 2]};
    for (uint32_t i = 0; i < c->n_gates; i++)
        sorted[start[place(level, &c->gates[i])]++] = c->gates[i];
    free(start);
    free(c->gates);
    c->gates = sorted;
    return OK;
}

void bristol_free(struct bristol *c)
{
    free(c->input_bits);
    free(c->output_bits);
    free(c->gates);
    free(c->levels);
    *c = (struct bristol){0};
}

int bristol_eval(const struct bristol *c, const uint8_t *in_bits, uint8_t *out_bits)
{
    uint8_t *w = malloc(c->n_wires);
    if (!w)
        return ERR_NOMEM;
    memcpy(w, in_bits, c->in_bits);
    for (uint32_t i = 0; i < c->n_gates; i++) {
        const struct bristol_gate *g = &c->gates[i];
        switch ((enum bristol_op)g->op) {
        case BRISTOL_XOR:
            w[g->out] = w[g->a] ^ w[g->b];
            break;
        case BRISTOL_AND:
            w[g->out] = w[g->a] & w[g->b];
            break;
        case BRISTOL_INV:
            w[g->out] = w[g->a] ^ 1;
            break;
        case BRISTOL_EQW:
            w[g->out] = w[g->a];
            break;
        case BRISTOL_EQ:
            w[g->out] = (uint8_t)g->a;
            break;
        }
    }
    memcpy(out_bits, w + (c->n_wires - c->out_bits), c->out_bits);
    free(w);
    return OK;
}
