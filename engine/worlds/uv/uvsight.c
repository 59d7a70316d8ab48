/* What the observers get to see at this node. */
#include "engine/worlds/uv/inner.h"

static party_t owner(const void *world, const struct addr *a)
{
    return uvplace_owner(world, a);
}

int uvsight_init(struct uvnode *n)
{
    const struct trial_spec *t = n->setup.places.trial;
    const struct sights_setup setup = {.observers = t->observers,
                                       .n_observers = t->n_observers,
                                       .roster = t->roster,
                                       .owner = owner,
                                       .world = &n->setup.places};
    return sights_new(&n->sights, &setup, NULL);
}

void uvsight_free(struct uvnode *n)
{
    sights_free(n->sights);
}

static unsigned wants(const struct uvnode *n)
{
    return sights_wants(n->sights) | (n->setup.watch ? n->setup.watch->wants : 0);
}

static void see(struct uvnode *n, const struct sighting *s, uint32_t on_stream)
{
    const struct uvnode_watch *w = n->setup.watch;
    if (n->sights)
        sights_see(n->sights, s, NULL);
    if (w)
        w->see(w->ctx, s, s->packets ? &n->truth : NULL, on_stream);
}

/* Strangers' addresses are nobody's, and could be made up without end: they are not kept. */
void uvsight_event(struct uvnode *n, const struct event *ev)
{
    const struct uvlink *l;
    struct sighting s = {.at = n->setup.self,
                         .when = n->env.now,
                         .beyond = PARTY_NONE,
                         .packets = 1,
                         .bytes = (uint32_t)ev->len};
    if (!(wants(n) & WANT_NODE_IN) || (ev->kind != EV_UP && ev->kind != EV_DATA))
        return;
    l = uvnode_link(n, ev->link);
    s.datagram = ev->link_kind == LINK_DATAGRAM;
    s.opens = ev->kind == EV_UP;
    s.from = s.datagram || !l ? ev->peer : l->peer;
    s.to = s.datagram || !l ? ev->local : l->local;
    if (uvplace_owner(&n->setup.places, &s.from) == PARTY_NONE)
        return;
    n->truth.serial = s.opens ? 0 : ++n->came;
    see(n, &s,
        s.datagram || s.opens ? 0 : s.bytes + (ev->link_kind == LINK_MESSAGE ? LINK_FRAME : 0));
    if (n->setup.self < n->setup.places.trial->roster->n_parties)
        n->truth.serial = 0; /* it stamps what it sends by itself */
}

void uvsight_out(struct uvnode *n, const struct addr *from, const struct addr *to, size_t len,
                 uint32_t on_stream)
{
    const struct sighting s = {.at = n->setup.self,
                               .when = n->env.now,
                               .beyond = PARTY_NONE,
                               .out = true,
                               .packets = 1,
                               .bytes = (uint32_t)len,
                               .datagram = on_stream == 0,
                               .from = *from,
                               .to = *to};
    if (wants(n) & WANT_NODE_OUT && uvplace_owner(&n->setup.places, to) != PARTY_NONE)
        see(n, &s, on_stream);
}

void uvsight_sent(struct uvnode *n, const struct addr *to, bool datagram, size_t len)
{
    party_t at =
        sights_wants(n->sights) & WANT_NODE_IN ? uvplace_owner(&n->setup.places, to) : PARTY_NONE;
    struct sighting s = {.at = at,
                         .when = n->env.now,
                         .beyond = PARTY_NONE,
                         .packets = 1,
                         .bytes = (uint32_t)len,
                         .datagram = datagram,
                         .opens = !datagram,
                         .to = *to};
    if (at == PARTY_NONE || !n->setup.places.list[at].foreign)
        return;
    s.from = n->setup.places.trial->roster->entries[n->setup.self].addr;
    sights_see(n->sights, &s, NULL);
}

void uvsight_show(struct uvnode *n, const struct shown *shown)
{
    const struct sighting s = {
        .at = n->setup.self, .when = n->env.now, .beyond = PARTY_NONE, .visible = shown};
    if (wants(n) & WANT_SHOWN)
        see(n, &s, 0);
}

void uvsight_keep(struct uvnode *n, const struct retained *kept)
{
    const struct sighting s = {
        .at = n->setup.self, .when = n->env.now, .beyond = PARTY_NONE, .kept = kept};
    if (wants(n) & WANT_KEPT)
        see(n, &s, 0);
}

int uvnode_score(const struct uvnode *n, struct sights_found *found)
{
    return sights_end(n->sights, n->env.now, found);
}
