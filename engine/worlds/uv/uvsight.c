/* What the observers get to see at this node. */
#include "engine/worlds/uv/inner.h"

int uvsight_init(struct uvnode *n)
{
    const struct trial_spec *t = n->setup.places.trial;
    if (t->n_observers == 0)
        return OK;
    n->observers = calloc(t->n_observers, sizeof *n->observers);
    if (!n->observers)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_observers; i++) {
        const struct observer_spec *o = &t->observers[i];
        void *state = calloc(1, o->ops->size ? o->ops->size : 1);
        int rc = state ? o->ops->init(state, o->opts, t->roster->n) : ERR_NOMEM;
        if (rc != OK) {
            free(state);
            return rc;
        }
        n->observers[i] = state;
    }
    return OK;
}

void uvsight_free(struct uvnode *n)
{
    const struct trial_spec *t = n->setup.places.trial;
    for (size_t i = 0; n->observers && i < t->n_observers; i++) {
        if (n->observers[i] && t->observers[i].ops->free)
            t->observers[i].ops->free(n->observers[i]);
        free(n->observers[i]);
    }
    free(n->observers);
}

static void sight(struct uvnode *n, const struct sighting *s)
{
    const struct trial_spec *t = n->setup.places.trial;
    for (size_t i = 0; n->observers && i < t->n_observers; i++)
        t->observers[i].ops->see(n->observers[i], s);
}

/* Strangers' addresses are nobody's, and could be made up without end: they are not kept. */
void uvsight_event(struct uvnode *n, const struct event *ev)
{
    const struct uvlink *l;
    struct sighting s = {.at = n->setup.self, .when = n->env.now, .bytes = (uint32_t)ev->len};
    if (!n->observers || (ev->kind != EV_UP && ev->kind != EV_DATA))
        return;
    l = uvnode_link(n, ev->link);
    s.peer = ev->link_kind == LINK_DATAGRAM ? ev->peer : l ? l->peer : ev->peer;
    if (uvplace_owner(&n->setup.places, &s.peer) != PARTY_NONE)
        sight(n, &s);
}

void uvsight_show(struct uvnode *n, const struct shown *shown)
{
    struct sighting s = {
        .at = n->setup.self, .when = n->env.now, .shown = shown, .peer = shown->addr};
    sight(n, &s);
}

static party_t owner(const void *world, const struct addr *a)
{
    return uvplace_owner(world, a);
}

void uvnode_score(const struct uvnode *n, void (*row)(void *, const struct exposure *), void *ctx)
{
    const struct trial_spec *t = n->setup.places.trial;
    const struct truth truth = {.roster = t->roster, .owner = owner, .world = &n->setup.places};
    for (size_t i = 0; n->observers && i < t->n_observers; i++)
        t->observers[i].ops->score(n->observers[i], &truth, row, ctx);
}
