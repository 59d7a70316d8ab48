/* The matchmaker as a role: its links, the strangers on them, its life. */
#include "transports/matchmaker_inner.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define HELLO_LIMIT (10 * NS_S)

const struct accept matchmaker_accepts[] = {
    {MATCH_PORT, LINK_DATAGRAM}, {MATCH_PORT, LINK_MESSAGE}, {0}};

static void tag(struct matchmaker *m, link_t link, uint32_t whose)
{
    m->setup.env->ops->tag(m->setup.env, link, whose + 1);
}

void match_adopt(struct matchmaker *m, party_t id, const struct match_route *from)
{
    struct match_entry *e = m->entries[id];
    struct env *env = m->setup.env;
    if (e->stream && e->link && e->link != from->link)
        env->ops->close(env, e->link);
    e->link = 0;
    if (!from->stream)
        return;
    if (from->whose & MATCH_STRANGER)
        strangers_remove(&m->strangers, from->whose & ~MATCH_STRANGER);
    else
        m->entries[from->whose]->link = 0;
    tag(m, from->link, id);
}

/* ---- streams ---------------------------------------------------------------------------- */

static void stranger_close(struct matchmaker *m, uint32_t s)
{
    struct env *env = m->setup.env;
    env->ops->close(env, m->strangers.slots[s].link);
    strangers_remove(&m->strangers, s);
    match_drop(m, DROP_TRANSPORT_STRANGER);
}

static void watch(struct matchmaker *m)
{
    struct env *env = m->setup.env;
    m->watched = m->strangers.n > 0;
    if (m->watched)
        env->ops->arm(env, m->setup.timer_base, m->strangers.slots[m->strangers.oldest].until);
}

static void on_up(struct matchmaker *m, const struct event *ev)
{
    struct env *env = m->setup.env;
    uint32_t s;
    if (m->strangers.n == MATCH_STRANGERS + roster_clients(m->setup.roster))
        stranger_close(m, m->strangers.oldest);
    s = strangers_add(&m->strangers, ev->link, ev->peer, env->now + HELLO_LIMIT);
    if (s == STRANGERS_NONE) {
        env->ops->close(env, ev->link);
        match_drop(m, DROP_TRANSPORT_STRANGER);
        return;
    }
    tag(m, ev->link, MATCH_STRANGER | s);
    if (!m->watched)
        watch(m);
}

static void on_timer(struct matchmaker *m)
{
    while (m->strangers.n && m->strangers.slots[m->strangers.oldest].until <= m->setup.env->now)
        stranger_close(m, m->strangers.oldest);
    watch(m);
}

static void on_down(struct matchmaker *m, link_t link, uint32_t whose)
{
    if (whose == MATCH_NOBODY)
        return;
    if (whose & MATCH_STRANGER) {
        strangers_remove(&m->strangers, whose & ~MATCH_STRANGER);
        return;
    }
    assert(m->entries[whose]->stream && m->entries[whose]->link == link);
    m->entries[whose]->link = 0;
}

static void on_data(struct matchmaker *m, const struct event *ev)
{
    struct match_route from = {.link = ev->link,
                               .stream = ev->link_kind == LINK_MESSAGE,
                               .addr = ev->peer,
                               .whose = ev->tag - 1};
    if (from.stream && from.whose == MATCH_NOBODY)
        return;
    if (from.stream)
        from.addr = from.whose & MATCH_STRANGER
                        ? m->strangers.slots[from.whose & ~MATCH_STRANGER].addr
                        : m->entries[from.whose]->seen;
    match_message(m, &from, ev->data, ev->len);
}

void matchmaker_event(void *self, const struct event *ev)
{
    struct matchmaker *m = self;
    switch (ev->kind) {
    case EV_DATA:
        on_data(m, ev);
        break;
    case EV_UP:
        if (ev->link_kind == LINK_MESSAGE)
            on_up(m, ev);
        break;
    case EV_DOWN:
        if (ev->link_kind == LINK_MESSAGE)
            on_down(m, ev->link, ev->tag - 1);
        break;
    case EV_TIMER:
        on_timer(m);
        break;
    case EV_START:
    case EV_GO:
    case EV_ROOM:
        break;
    }
}

int matchmaker_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct matchmaker *m = self;
    uint32_t n = roster_clients(setup->roster);
    m->setup = *setup;
    strangers_init(&m->strangers);
    m->entries = calloc(n ? n : 1, sizeof(struct match_entry *));
    if (!m->entries)
        return err_set(e, ERR_NOMEM, "no memory for a matchmaker of %u parties", n);
    prng_bytes(&setup->env->rng, m->key, sizeof m->key);
    return OK;
}

void matchmaker_free(void *self)
{
    struct matchmaker *m = self;
    for (uint32_t i = 0; m->entries && i < roster_clients(m->setup.roster); i++)
        free(m->entries[i]);
    free(m->entries);
    strangers_free(&m->strangers);
    sodium_memzero(m->key, sizeof m->key);
}
