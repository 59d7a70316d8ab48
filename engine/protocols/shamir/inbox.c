#include "engine/protocols/shamir/inbox.h"

#include <stdlib.h>

#include "engine/base/err.h"

int inbox_init(struct inbox *in, const struct schedule *s, party_t self)
{
    *in = (struct inbox){.s = s, .self = self};
    in->missing = calloc(s->rounds + (size_t)1, sizeof *in->missing);
    in->got = calloc((size_t)s->rounds * 2 * s->parties / 8 + 1, 1);
    if (!in->missing || !in->got)
        return ERR_NOMEM;
    for (uint32_t r = 0; r < s->rounds; r++)
        for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
            for (party_t from = 0; from < s->parties; from++)
                in->missing[r] += inbox_expects(in, r, kind, from);
    return OK;
}

void inbox_free(struct inbox *in)
{
    free(in->missing);
    free(in->got);
    *in = (struct inbox){0};
}

static size_t bit_of(const struct inbox *in, uint32_t round, uint32_t kind, party_t from)
{
    return ((size_t)round * 2 + kind % 2) * in->s->parties + from;
}

bool inbox_expects(const struct inbox *in, uint32_t round, uint32_t kind, party_t from)
{
    return schedule_message(in->s, round, kind, from, in->self);
}

bool inbox_has(const struct inbox *in, uint32_t round, uint32_t kind, party_t from)
{
    size_t bit = bit_of(in, round, kind, from);
    return in->got[bit / 8] >> bit % 8 & 1;
}

void inbox_put(struct inbox *in, uint32_t round, uint32_t kind, party_t from)
{
    size_t bit = bit_of(in, round, kind, from);
    in->got[bit / 8] = (uint8_t)(in->got[bit / 8] | 1u << bit % 8);
    in->missing[round]--;
}

bool inbox_awaits(const struct inbox *in, uint32_t round, party_t from)
{
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
        if (inbox_expects(in, round, kind, from) && !inbox_has(in, round, kind, from))
            return true;
    return false;
}

bool inbox_needs(const struct inbox *in, uint32_t *round, party_t from)
{
    for (; *round < in->s->rounds; ++*round)
        if (inbox_awaits(in, *round, from))
            return true;
    return false;
}
