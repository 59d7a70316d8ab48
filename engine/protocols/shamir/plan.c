#include "engine/protocols/shamir/plan.h"

#include <stdlib.h>
#include <string.h>

#include "engine/protocols/shamir/compile.h"
#include "engine/protocols/shamir/programs.h"

const struct definition *const programs[] = {&sums_sum,           &sums_mean_stddev, &order_maximum,
                                             &order_auction,      &sums_vote,        &order_sort,
                                             &sums_inner_product, &circuit_circuit,  NULL};

const char *const plan_choices[] = {
    "auto", "sum",  "mean_stddev",   "maximum", "second_price_auction",
    "vote", "sort", "inner_product", "circuit", NULL};

/* auto: the circuit if there is one, else the sum. */
static int choose_program(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    bool circuit = o->circuit.path != NULL;
    p->program = o->program ? programs[o->program - 1] : circuit ? &circuit_circuit : &sums_sum;
    if (circuit && p->program != &circuit_circuit)
        return err_set(e, ERR_INVALID,
                       "program %s takes no circuit: leave out `program` or `circuit`",
                       p->program->name);
    return OK;
}

static int choose_threshold(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    uint32_t m = p->parties, most = m ? (m - 1) / 2 : 0;
    if (m < 3)
        return err_set(e, ERR_INVALID,
                       "shamir needs at least 3 parties, here %s %u: the threshold is at most "
                       "(n - 1) / 2, and with less than 1 every share is the secret itself",
                       m == 1 ? "is" : "are", m);
    if (m > p->program->field->max_parties)
        return err_set(e, ERR_INVALID, "over %s there are at most %u parties, here are %u",
                       p->program->field->name, p->program->field->max_parties, m);
    if (o->threshold > most)
        return err_set(
            e, ERR_INVALID,
            "threshold %lld needs n >= 2 x %lld + 1 = %lld parties to multiply: with the "
            "%u here it is at most (%u - 1) / 2 = %u",
            (long long)o->threshold, (long long)o->threshold, (long long)o->threshold * 2 + 1, m, m,
            most);
    if (o->threshold == 0)
        return err_set(
            e, ERR_INVALID,
            "threshold 0 hides nothing, every share is the secret itself: expected 1 to %u", most);
    p->threshold = o->threshold < 0 ? most : (uint32_t)o->threshold;
    return OK;
}

static int take_shape(struct plan *p, const struct protocol_shape *shape, struct err *e)
{
    uint64_t values = 0;
    for (uint32_t i = shape->roster->n_parties; i < shape->roster->n; i++)
        if (strcmp(shape->roster->entries[i].role, "party") == 0)
            return err_set(e, ERR_INVALID, "%s: a service cannot take part in shamir",
                           shape->roster->entries[i].name);
    p->given = calloc(p->parties + (size_t)1, sizeof *p->given);
    if (!p->given)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    for (party_t who = 0; who < p->parties; who++)
        values += p->given[who] = shape->inputs[who].n;
    if (values > PROGRAM_GATES_MAX)
        return err_set(e, ERR_LIMIT, "%llu inputs are too many: at most %u",
                       (unsigned long long)values, (unsigned)PROGRAM_GATES_MAX);
    p->values = (uint32_t)values;
    return OK;
}

static int check_sizes(const struct plan *p, struct err *e)
{
    const struct schedule *s = &p->schedule;
    uint64_t most = 0;
    for (uint32_t r = 0; r < s->rounds; r++)
        for (int k = 0; k < 2; k++)
            if (s->round[r].batch[k].n > most)
                most = s->round[r].batch[k].n;
    if (most * s->field->size > PLAN_MESSAGE_MAX)
        return err_set(e, ERR_LIMIT,
                       "program %s is too wide for these inputs: up to %llu elements of %u bytes "
                       "in a message, which holds %u bytes",
                       p->program->name, (unsigned long long)most, s->field->size,
                       (unsigned)PLAN_MESSAGE_MAX);
    return OK;
}

static int compile(struct plan *p, struct err *e)
{
    struct program program;
    int rc;
    program_init(&program, p->program->field);
    p->program->build(p, &program);
    rc = compile_program(&p->schedule, &program, p->parties, p->threshold);
    program_free(&program);
    if (rc)
        return err_set(e, rc, "program %s with these inputs: %s (at most %u gates)",
                       p->program->name, err_name(rc), (unsigned)PROGRAM_GATES_MAX);
    if (p->schedule.rounds == 0)
        return err_set(e, ERR_INVALID, "program %s has no input to compute with", p->program->name);
    p->result_len = p->program->result_len(p, p->schedule.n_outputs);
    return check_sizes(p, e);
}

int plan_new(const struct protocol_shape *shape, void **out, struct err *e)
{
    const struct shamir_opts *o = shape->opts;
    struct plan *p = calloc(1, sizeof *p);
    int rc;
    *out = NULL;
    if (!p)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    p->roster = shape->roster;
    p->parties = shape->roster->n_parties;
    rc = choose_program(p, o, e);
    if (rc == OK)
        rc = choose_threshold(p, o, e);
    if (rc == OK)
        rc = take_shape(p, shape, e);
    if (rc == OK)
        rc = p->program->admit(p, o, e);
    if (rc == OK)
        rc = compile(p, e);
    if (rc)
        plan_free(p);
    else
        *out = p;
    return rc;
}

void plan_free(void *plan)
{
    struct plan *p = plan;
    if (!p)
        return;
    schedule_free(&p->schedule);
    bristol_free(&p->circuit);
    free(p->given);
    free(p);
}

int plan_check_input(const void *plan, party_t who, const struct input *in, struct err *e)
{
    const struct plan *p = plan;
    size_t n = p->schedule.input[who].n;
    uint64_t *elements;
    int rc;
    if (in->n != p->given[who] || (in->n && !in->values))
        return err_set(e, ERR_INVALID, "%s has %u inputs, the program was made for %u",
                       plan_name(p, who), in->n, p->given[who]);
    elements = calloc(n + 1, sizeof *elements);
    if (!elements)
        return err_set(e, ERR_NOMEM, "no memory to check inputs");
    rc = p->program->encode(p, who, in, elements, e);
    free(elements);
    return rc;
}

void plan_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap)
{
    const struct plan *p = plan;
    if (cap)
        buf[0] = 0;
    if (len == p->result_len)
        p->program->print(p, result, buf, cap);
}

int plan_verify(const struct protocol_shape *shape, const void *plan, const struct outcome *outcome,
                struct err *e)
{
    const struct plan *p = plan;
    char got[120], want[120];
    uint8_t *expected;
    int rc = OK;
    for (party_t who = 0; who < p->parties; who++)
        if (shape->inputs[who].n && !shape->inputs[who].values)
            return err_set(e, ERR_ABSENT, "the input of %s is not known here", plan_name(p, who));
    expected = calloc(p->result_len + 1, 1);
    if (!expected)
        return err_set(e, ERR_NOMEM, "no memory to verify");
    rc = p->program->expect(p, shape->inputs, expected, e);
    for (party_t who = 0; rc == OK && who < p->parties; who++) {
        const struct outcome *o = &outcome[who];
        if (!o->done || o->failure ||
            (o->len == p->result_len && memcmp(o->result, expected, o->len) == 0))
            continue;
        plan_print(p, expected, p->result_len, want, sizeof want);
        plan_print(p, o->result, o->len, got, sizeof got);
        rc = err_set(e, ERR_WRONG, "%s got %s, expected %s", plan_name(p, who), got, want);
    }
    free(expected);
    return rc;
}
