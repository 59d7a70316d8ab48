#include "transports/mix_lies.h"

#include <string.h>

const char *const mix_lie_names[] = {"no", "drop", "tag", "delay", "isolate", NULL};

party_t mix_lies_target(const struct mix_opts *o, const struct roster *r)
{
    if (!o->lie_to)
        return 0;
    for (party_t id = 0; id < roster_clients(r); id++)
        if (strcmp(r->entries[id].name, o->lie_to) == 0)
            return id;
    return PARTY_NONE;
}

void mix_lies_init(struct mix_lies *l, struct mix_net *net, uint32_t timer)
{
    *l = (struct mix_lies){.net = net, .timer = timer};
    if (net->opts->lies != MIX_HONEST)
        l->target = mix_lies_target(net->opts, net->setup.roster);
}

void mix_lies_free(struct mix_lies *l)
{
    mix_queue_free(&l->held);
}

static bool chance(const struct mix_lies *l)
{
    return prng_below(&l->net->setup.env->rng, 1000000) < (uint64_t)l->net->opts->lie_rate;
}

/* In the second half of the period, unless it is to leave now. */
static bool hold(struct mix_lies *l, const uint8_t *frame)
{
    ns_t now = l->net->setup.env->now, half = l->net->opts->lie_period / 2;
    if (now / half % 2 == 0 ||
        mix_queue_add(&l->held, l->net->setup.env, frame, mix_frame_size(l->net), MIX_QUEUE) != OK)
        return false;
    if (!l->armed)
        mix_arm(l->net, l->timer, (now / half + 1) * half);
    l->armed = true;
    return true;
}

bool mix_lies_pass(struct mix_lies *l, party_t from, uint8_t *frame)
{
    switch ((enum mix_lie)l->net->opts->lies) {
    case MIX_HONEST:
        break;
    case MIX_LIE_DROP:
        if (from == l->target && chance(l)) {
            mix_drop(l->net, DROP_FAULT);
            return false;
        }
        break;
    case MIX_LIE_TAG:
        if (from == l->target && chance(l))
            frame[MIX_HEAD + sphinx_header(&l->net->params)] ^= 1;
        break;
    case MIX_LIE_DELAY:
        return from != l->target || !hold(l, frame);
    case MIX_LIE_ISOLATE:
        return from == l->target || !hold(l, frame);
    }
    return true;
}

bool mix_lies_take(struct mix_lies *l, struct mix_waiting *out)
{
    l->armed = false;
    if (l->held.n == 0)
        return false;
    *out = mix_queue_pop(&l->held);
    return true;
}
