#include "engine/protocols/shamir/eval.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/crypto/field61.h"

/* Bytes of a batch: dealt, secrets and then everybody's shares; opened, own shares. */
static size_t out_bytes(const struct schedule *s, uint32_t round, uint32_t kind, party_t self)
{
    size_t n = schedule_batch(s, round, kind, self).n;
    if (kind == KIND_OPEN)
        return n * s->field->size;
    return schedule_deals(s, kind, self) ? n * (s->parties + (size_t)1) * s->field->size : 0;
}

int eval_init(struct eval *e, const struct schedule *s, party_t self)
{
    *e = (struct eval){.s = s, .self = self};
    for (uint32_t r = 0; r < s->rounds; r++) {
        for (uint32_t k = 0; k < KIND_COUNT; k++) {
            size_t bytes = out_bytes(s, r, k, self);
            if (bytes > e->out_size[k % 2])
                e->out_size[k % 2] = bytes;
        }
    }
    e->slots = calloc(s->slots + (size_t)1, s->field->size);
    for (int i = 0; i < 2; i++)
        e->out[i] = calloc(e->out_size[i] + 1, 1);
    return e->slots && e->out[0] && e->out[1] ? OK : ERR_NOMEM;
}

static void wipe(void *p, size_t bytes)
{
    if (p)
        sodium_memzero(p, bytes);
    free(p);
}

void eval_free(struct eval *e)
{
    if (!e->s)
        return;
    wipe(e->slots, e->s->slots * (size_t)e->s->field->size);
    for (int i = 0; i < 2; i++)
        wipe(e->out[i], e->out_size[i]);
    *e = (struct eval){0};
}

static uint64_t inv_sqrt(struct eval *e, uint64_t square)
{
    uint64_t r = f61_inv(f61_sqrt(square));
    if (f61_mul(f61_mul(r, r), square) != 1)
        e->stuck = true;
    return r;
}

static uint64_t do_step(struct eval *e, const struct step *step, struct eval_work *work)
{
    const struct field *f = e->s->field;
    uint64_t a = field_get(f, e->slots, step->a);
    switch (step->op) {
    case OP_CONSTANT:
        return step->k;
    case OP_ADD:
        return f->add(a, field_get(f, e->slots, step->b));
    case OP_SUB:
        return f->sub(a, field_get(f, e->slots, step->b));
    case OP_SCALE:
        work->muls++;
        return f->mul(a, step->k);
    case OP_ADD_CONSTANT:
        return f->add(a, step->k);
    case OP_SCALE_PUBLIC:
        work->muls++;
        return f->mul(a, field_get(f, e->slots, step->b));
    case OP_BIT:
        return a >> step->k & 1;
    default:
        return inv_sqrt(e, a);
    }
}

void eval_local(struct eval *e, struct range steps, struct eval_work *work)
{
    for (uint32_t i = steps.first; i < steps.first + steps.n; i++) {
        const struct step *step = &e->s->local[i];
        field_put(e->s->field, e->slots, step->slot, do_step(e, step, work));
    }
}

static uint64_t product(const struct eval *e, const struct step *step, struct eval_work *work)
{
    const struct field *f = e->s->field;
    uint64_t sum = 0;
    if (step->op == OP_MUL) {
        work->muls++;
        return f->mul(field_get(f, e->slots, step->a), field_get(f, e->slots, step->b));
    }
    for (uint32_t i = step->a; i < step->a + step->b; i++)
        sum = f->add(sum, f->mul(field_get(f, e->slots, e->s->pairs[i].a),
                                 field_get(f, e->slots, e->s->pairs[i].b)));
    work->muls += step->b;
    return sum;
}

/* What is dealt, or shown: the batch's own values. */
static void gather(struct eval *e, struct range batch, uint32_t kind, const uint64_t *inputs,
                   struct prng *rng, void *out, struct eval_work *work)
{
    const struct field *f = e->s->field;
    const struct step *step = e->s->exchange + batch.first;
    for (uint32_t i = 0; i < batch.n; i++) {
        uint64_t v;
        if (kind == KIND_INPUT)
            v = inputs[i];
        else if (kind == KIND_RANDOM)
            v = f->random(rng);
        else if (kind == KIND_RESHARE)
            v = product(e, &step[i], work);
        else
            v = field_get(f, e->slots, step[i].a);
        field_put(f, out, i, v);
    }
}

void eval_begin(struct eval *e, uint32_t round, uint32_t kind, const uint64_t *inputs,
                struct prng *rng, struct eval_work *work)
{
    const struct schedule *s = e->s;
    const struct field *f = s->field;
    struct range batch = schedule_batch(s, round, kind, e->self);
    uint8_t *out = e->out[kind % 2], *shares = field_at(f, out, batch.n), *own = out;
    size_t all = batch.n;
    if (batch.n == 0 || (kind != KIND_OPEN && !schedule_deals(s, kind, e->self)))
        return;
    gather(e, batch, kind, inputs, rng, out, work);
    if (kind != KIND_OPEN) {
        f->share(out, batch.n, s->threshold, s->parties, rng, shares);
        own = field_at(f, shares, (size_t)e->self * batch.n);
        all += (size_t)s->parties * batch.n;
        work->dealt += (uint64_t)batch.n * (s->parties - 1);
    }
    f->to_wire(out, all);
    f->absorb(field_at(f, e->slots, batch.first), schedule_coef(s, kind, e->self, e->self), own,
              batch.n);
    if (kind != KIND_OPEN)
        sodium_memzero(out, batch.n * (size_t)f->size);
}

const void *eval_message(const struct eval *e, uint32_t round, uint32_t kind, party_t to,
                         size_t *len)
{
    const struct field *f = e->s->field;
    size_t n = schedule_batch(e->s, round, kind, e->self).n;
    *len = n * f->size;
    return field_at(f, e->out[kind % 2], kind == KIND_OPEN ? 0 : (to + (size_t)1) * n);
}

int eval_absorb(struct eval *e, uint32_t round, uint32_t kind, party_t from, const uint8_t *data,
                size_t len, struct eval_work *work)
{
    const struct field *f = e->s->field;
    struct range batch = schedule_batch(e->s, round, kind, from);
    if (len != batch.n * (size_t)f->size)
        return len < batch.n * (size_t)f->size ? ERR_TRUNCATED : ERR_TOO_BIG;
    if (!f->valid(data, batch.n))
        return ERR_FORMAT;
    f->absorb(field_at(f, e->slots, batch.first), schedule_coef(e->s, kind, from, e->self), data,
              batch.n);
    work->muls += batch.n;
    return OK;
}

uint64_t eval_output(const struct eval *e, uint32_t k)
{
    return field_get(e->s->field, e->slots, e->s->output[k]);
}
