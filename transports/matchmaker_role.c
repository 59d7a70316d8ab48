/* The matchmaker as a role: its links, the strangers on them, its life. */
#include "transports/matchmaker_inner.h"

#include <sodium.h>
#include <stdlib.h>

#define HELLO_LIMIT (10 * NS_S)

const struct accept matchmaker_accepts[] = {
    {MATCH_PORT, LINK_DATAGRAM}, {MATCH_PORT, LINK_MESSAGE}, {0}};

bool match_adopt(struct matchmaker *m, party_t id, const struct match_route *from)
{
    uint32_t where = map_get(&m->links, from->link, MATCH_NOBODY);
    struct match_entry *e = m->entries[id];
    struct env *env = m->setup.env;
    if (e->stream && e->link && e->link != from->link) {
        map_remove(&m->links, e->link);
        env->ops->close(env, e->link);
    }
    e->link = 0;
    if (!from->stream)
        return true;
    if (where & MATCH_STRANGER)
        strangers_remove(&m->strangers, where & ~MATCH_STRANGER);
    else if (where != id && m->entries[where])
        m->entries[where]->link = 0;
    return map_put(&m->links, from->link, id) == OK;
}

/* ---- streams ---------------------------------------------------------------------------- */

static void stranger_gone(struct matchmaker *m, uint32_t s)
{
    map_remove(&m->links, m->strangers.slots[s].link);
    strangers_remove(&m->strangers, s);
}

static void stranger_close(struct matchmaker *m, uint32_t s)
{
    struct env *env = m->setup.env;
    link_t link = m->strangers.slots[s].link;
    stranger_gone(m, s);
    env->ops->close(env, link);
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
    } else if (map_put(&m->links, ev->link, MATCH_STRANGER | s) != OK) {
        stranger_close(m, s);
    } else if (!m->watched) {
        watch(m);
    }
}

static void on_timer(struct matchmaker *m)
{
    while (m->strangers.n && m->strangers.slots[m->strangers.oldest].until <= m->setup.env->now)
        stranger_close(m, m->strangers.oldest);
    watch(m);
}

static void on_down(struct matchmaker *m, link_t link)
{
    uint32_t where = map_get(&m->links, link, MATCH_NOBODY);
    if (where == MATCH_NOBODY)
        return;
    if (where & MATCH_STRANGER) {
        stranger_gone(m, where & ~MATCH_STRANGER);
        return;
    }
    map_remove(&m->links, link);
    if (m->entries[where]->stream && m->entries[where]->link == link)
        m->entries[where]->link = 0;
}

static void on_data(struct matchmaker *m, const struct event *ev)
{
    struct match_route from = {ev->link, ev->link_kind == LINK_MESSAGE, ev->peer};
    uint32_t where;
    if (from.stream) {
        where = map_get(&m->links, ev->link, MATCH_NOBODY);
        if (where == MATCH_NOBODY)
            return;
        from.addr = where & MATCH_STRANGER ? m->strangers.slots[where & ~MATCH_STRANGER].addr
                                           : m->entries[where]->seen;
    }
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
            on_down(m, ev->link);
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
    map_free(&m->links);
    sodium_memzero(m->key, sizeof m->key);
}
