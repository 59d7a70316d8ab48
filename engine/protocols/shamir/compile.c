#include "engine/protocols/shamir/compile.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/err.h"

enum { CLASSES = 3 }; /* of gates that are ready together: two batches, then local ones */

/* Gates in the order in which they are done, and for each where and how long it lives. */
struct compiler {
    struct program *p;
    struct schedule *s;
    uint32_t *start; /* [ready * CLASSES + class], and one more: parts of `order` */
    uint32_t *order; /* gates */
    uint32_t *last;  /* of each gate: the last place in `order` to read it; NEVER; FOREVER */
    uint32_t *slot;  /* of each gate */
    uint32_t *spare; /* a stack of free slots */
    uint32_t n_spare;
};

static const uint32_t NEVER = UINT32_MAX, FOREVER = UINT32_MAX - 1;

static void *array(size_t n, size_t size)
{
    return calloc(n ? n : 1, size);
}

static unsigned class_of(const struct gate *g)
{
    if (!program_communicates(g))
        return 2;
    return g->op == OP_RANDOM || g->op == OP_OPEN;
}

/* Outputs are opened together, after all that they need. */
static int open_outputs(struct program *p)
{
    uint32_t ready = 0, before = p->n_gates;
    for (uint32_t i = 0; i < p->n_outputs; i++)
        if (p->gates[p->outputs[i]].ready > ready)
            ready = p->gates[p->outputs[i]].ready;
    for (uint32_t i = 0; i < p->n_outputs && p->code == OK; i++)
        p->outputs[i] = program_open(p, p->outputs[i]);
    for (uint32_t g = before; g < p->n_gates; g++)
        p->gates[g].ready = ready + 1;
    return p->code;
}

static int make_order(struct compiler *c)
{
    const struct program *p = c->p;
    uint32_t parts, rounds = 0, at = 0;
    for (uint32_t g = 0; g < p->n_gates; g++)
        rounds = p->gates[g].ready > rounds ? p->gates[g].ready : rounds;
    c->s->rounds = rounds;
    parts = (rounds + 1) * CLASSES;
    c->start = array((size_t)parts + 1, sizeof *c->start);
    c->order = array(p->n_gates, sizeof *c->order);
    if (!c->start || !c->order)
        return ERR_NOMEM;
    for (uint32_t g = 0; g < p->n_gates; g++)
        c->start[p->gates[g].ready * CLASSES + class_of(&p->gates[g])]++;
    for (uint32_t i = 0; i <= parts; i++) {
        uint32_t n = c->start[i];
        c->start[i] = at;
        at += n;
    }
    for (uint32_t g = 0; g < p->n_gates; g++)
        c->order[c->start[p->gates[g].ready * CLASSES + class_of(&p->gates[g])]++] = g;
    for (uint32_t i = parts; i > 0; i--) /* each start has moved to the next one's place */
        c->start[i] = c->start[i - 1];
    c->start[0] = 0;
    return OK;
}

/* Backwards: who reads a gate last. A local gate that nobody reads has no slot. */
static int find_lifetimes(struct compiler *c)
{
    const struct program *p = c->p;
    c->last = array(p->n_gates, sizeof *c->last);
    if (!c->last)
        return ERR_NOMEM;
    for (uint32_t g = 0; g < p->n_gates; g++)
        c->last[g] = NEVER;
    for (uint32_t i = 0; i < p->n_outputs; i++)
        c->last[p->outputs[i]] = FOREVER;
    for (uint32_t i = p->n_gates; i-- > 0;) {
        const struct gate *g = &p->gates[c->order[i]];
        if (c->last[c->order[i]] == NEVER && !program_communicates(g))
            continue;
        for (uint32_t k = 0; k < program_n_operands(g); k++) {
            wire_t w = program_operand(p, g, k);
            if (c->last[w] == NEVER)
                c->last[w] = i;
        }
    }
    return OK;
}

static void release_operands(struct compiler *c, const struct gate *g, uint32_t at)
{
    for (uint32_t k = 0; k < program_n_operands(g); k++) {
        wire_t w = program_operand(c->p, g, k);
        if (c->last[w] == at && !program_communicates(&c->p->gates[w])) {
            c->spare[c->n_spare++] = c->slot[w];
            c->last[w] = FOREVER;
        }
    }
}

static struct step translate(struct compiler *c, const struct gate *g, uint32_t slot)
{
    struct step step = {.op = g->op, .slot = slot, .a = g->a, .b = g->b, .k = g->k};
    if (g->op == OP_INNER) {
        for (uint32_t i = g->a; i < g->a + g->b; i++) {
            c->s->pairs[i].a = c->slot[c->s->pairs[i].a];
            c->s->pairs[i].b = c->slot[c->s->pairs[i].b];
        }
    } else if (g->op != OP_INPUT) {
        uint32_t n = program_n_operands(g);
        step.a = n > 0 ? c->slot[g->a] : 0;
        step.b = n > 1 ? c->slot[g->b] : 0;
    }
    return step;
}

/* Slots and steps of all gates, in their order. */
static void place(struct compiler *c, uint32_t n_exchange)
{
    struct schedule *s = c->s;
    uint32_t exchange = 0, local = 0;
    s->slots = n_exchange;
    for (uint32_t i = 0; i < c->p->n_gates; i++) {
        uint32_t id = c->order[i];
        const struct gate *g = &c->p->gates[id];
        bool communicates = program_communicates(g);
        if (i == c->start[g->ready * CLASSES + 2])
            (g->ready ? &s->round[g->ready - 1].local : &s->before)->first = local;
        if (!communicates && c->last[id] == NEVER)
            continue;
        release_operands(c, g, i);
        if (communicates) {
            c->slot[id] = exchange;
            s->exchange[exchange] = translate(c, g, exchange);
            exchange++;
        } else {
            c->slot[id] = c->n_spare ? c->spare[--c->n_spare] : s->slots++;
            s->local[local++] = translate(c, g, c->slot[id]);
            (g->ready ? &s->round[g->ready - 1].local : &s->before)->n++;
        }
    }
    assert(exchange == n_exchange);
}

static int make_steps(struct compiler *c)
{
    struct schedule *s = c->s;
    struct program *p = c->p;
    uint32_t n_exchange = 0;
    s->round = array(s->rounds, sizeof *s->round);
    if (!s->round)
        return ERR_NOMEM;
    for (uint32_t r = 0; r < s->rounds; r++) {
        const uint32_t *start = c->start + (r + 1) * CLASSES;
        for (int k = 0; k < 2; k++) {
            s->round[r].batch[k] = (struct range){n_exchange, start[k + 1] - start[k]};
            n_exchange += s->round[r].batch[k].n;
        }
    }
    s->exchange = array(n_exchange, sizeof *s->exchange);
    s->local = array(p->n_gates - n_exchange, sizeof *s->local);
    s->output = array(p->n_outputs, sizeof *s->output);
    c->slot = array(p->n_gates, sizeof *c->slot);
    c->spare = array(p->n_gates, sizeof *c->spare);
    if (!s->exchange || !s->local || !s->output || !c->slot || !c->spare)
        return ERR_NOMEM;
    s->pairs = p->pairs;
    place(c, n_exchange);
    p->pairs = NULL;
    s->n_outputs = p->n_outputs;
    for (uint32_t i = 0; i < p->n_outputs; i++)
        s->output[i] = c->slot[p->outputs[i]];
    return OK;
}

static int make_inputs(struct schedule *s)
{
    struct range all = s->rounds ? s->round[0].batch[0] : (struct range){0};
    party_t last = 0;
    s->input = array(s->parties, sizeof *s->input);
    if (!s->input)
        return ERR_NOMEM;
    for (uint32_t i = all.first; i < all.first + all.n; i++) {
        struct range *of = &s->input[s->exchange[i].a];
        assert(s->exchange[i].a < s->parties && s->exchange[i].a >= last);
        assert(s->exchange[i].b == of->n);
        last = s->exchange[i].a;
        if (of->n++ == 0)
            of->first = i;
    }
    return OK;
}

static int make_coefficients(struct schedule *s)
{
    uint32_t m = s->parties, t = s->threshold;
    uint32_t *points = array(2 * (size_t)t + 1, sizeof *points);
    s->reshare_coef = array(2 * (size_t)t + 1, sizeof *s->reshare_coef);
    s->open_coef = array((size_t)m * (t + 1), sizeof *s->open_coef);
    if (!points || !s->reshare_coef || !s->open_coef) {
        free(points);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i <= 2 * t; i++)
        points[i] = i + 1;
    s->field->lagrange(points, 2 * (size_t)t + 1, s->reshare_coef);
    for (uint32_t who = 0; who < m; who++) {
        for (uint32_t k = 0; k <= t; k++)
            points[k] = (who + m - k) % m + 1;
        s->field->lagrange(points, (size_t)t + 1, s->open_coef + (size_t)who * (t + 1));
    }
    free(points);
    return OK;
}

int compile_program(struct schedule *s, struct program *p, uint32_t m, uint32_t t)
{
    struct compiler c = {.p = p, .s = s};
    int rc;
    assert(t >= 1 && 2 * t + 1 <= m && m <= p->field->max_parties);
    *s = (struct schedule){.field = p->field, .parties = m, .threshold = t};
    rc = p->code ? p->code : open_outputs(p);
    if (rc == OK)
        rc = make_order(&c);
    if (rc == OK)
        rc = find_lifetimes(&c);
    if (rc == OK)
        rc = make_steps(&c);
    if (rc == OK)
        rc = make_inputs(s);
    if (rc == OK)
        rc = make_coefficients(s);
    free(c.start);
    free(c.order);
    free(c.last);
    free(c.slot);
    free(c.spare);
    if (rc)
        schedule_free(s);
    return rc;
}
