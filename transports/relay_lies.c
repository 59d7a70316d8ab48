/* What a relay does that lies (option `lies`): to messages of its own clients, before they are on
 * their way. Without it nothing here draws from the dice. */
#include "transports/relay_server.h"

#include <stdlib.h>

enum { ALL = 1000000 };

void relay_lies_free(struct relay_server *s)
{
    free(s->late.data);
    s->late = (struct relay_late){0};
}

/* Not passed on, but its sender is to believe so. */
static void swallow(struct relay_server *s, struct relay_flow *f, size_t len)
{
    relay_drop(s, DROP_FAULT);
    relay_flow_owe(s, f, len + RELAY_COST);
}

/* Keeps it until the pair's next message has passed. */
static bool put_off(struct relay_server *s, const struct relay_flow *f, uint64_t session,
                    const uint8_t *data, size_t len)
{
    uint8_t *copy = s->late.data ? NULL : malloc(len);
    if (!copy)
        return false;
    memcpy(copy, data, len);
    s->late = (struct relay_late){
        .from = f->from, .to = f->to, .session = session, .data = copy, .len = len};
    return true;
}

static void let_go(struct relay_server *s, struct relay_flow *f, uint64_t session)
{
    struct relay_late *late = &s->late;
    if (late->session == session)
        relay_flow_take(s, f, session, late->data, late->len);
    else
        swallow(s, f, late->len);
    relay_lies_free(s);
}

/* Another one that the receiver waits for; NULL: there is none. */
static struct relay_flow *other_sender(struct relay_server *s, const struct relay_flow *f)
{
    struct relay_ring *all = &s->stations[f->to].to;
    for (struct relay_ring *r = all->next; r != all; r = r->next) {
        struct relay_flow *other = RING_OF(r, relay_flow, of_to);
        if (other->from != f->from && other->watched && relay_present(s, other->from))
            return other;
    }
    return NULL;
}

static void alter(struct relay_server *s, struct relay_flow *f, uint64_t session,
                  const uint8_t *data, size_t len)
{
    uint8_t copy[RELAY_MESSAGE_MAX];
    memcpy(copy, data, len);
    copy[len - 1] ^= 1;
    relay_flow_take(s, f, session, copy, len);
}

/* False: this one goes as it is. */
static bool lie(struct relay_server *s, struct relay_flow *f, uint64_t session, const uint8_t *data,
                size_t len)
{
    struct relay_flow *other;
    switch ((enum relay_lie)relay_opts_of(s)->lies) {
    case RELAY_DROPS:
        swallow(s, f, len);
        return true;
    case RELAY_DUPLICATES:
        relay_flow_take(s, f, session, data, len);
        return false;
    case RELAY_REORDERS:
        return put_off(s, f, session, data, len);
    case RELAY_SWAPS:
        other = other_sender(s, f);
        if (!other)
            return false;
        relay_flow_take(s, other, relay_present(s, other->from), data, len);
        relay_flow_owe(s, f, len + RELAY_COST);
        return true;
    case RELAY_ALTERS:
        alter(s, f, session, data, len);
        return true;
    case RELAY_HONEST:
        break;
    }
    return false;
}

void relay_lies_take(struct relay_server *s, struct relay_flow *f, uint64_t session,
                     const uint8_t *data, size_t len)
{
    const struct relay_opts *o = relay_opts_of(s);
    bool follows = s->late.data && s->late.from == f->from && s->late.to == f->to;
    if (o->lies != RELAY_HONEST && !follows &&
        prng_below(&s->setup.env->rng, ALL) < (uint64_t)o->lie_rate &&
        lie(s, f, session, data, len))
        return;
    relay_flow_take(s, f, session, data, len);
    if (follows)
        let_go(s, f, session);
}
