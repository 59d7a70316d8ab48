/* The ways to the peers of `turn`: a session each, and where it goes. turn.c has the allocation,
 * and the role's life; nobody else includes this. */
#ifndef PARTYLINE_TRANSPORTS_TURN_ROUTES_H
#define PARTYLINE_TRANSPORTS_TURN_ROUTES_H

#include "engine/metrics.h"
#include "transports/turn.h"

static inline const struct turn_opts *turn_opts_of(const struct turn *t)
{
    return t->setup.opts;
}
static inline struct turn_client *turn_client_of(const struct turn *t)
{
    return &t->tries[t->active].client;
}
/* The client's number for the matchmaker, behind those of the peers. */
static inline uint32_t turn_match_peer(const struct turn *t)
{
    return t->setup.n_peers;
}
static inline void turn_drop(struct turn *t, enum drop why)
{
    metrics_drop(t->setup.env->metrics, why);
}
static inline void turn_arm(struct turn *t, uint32_t timer, ns_t at)
{
    t->setup.env->ops->arm(t->setup.env, t->setup.timer_base + timer, at);
}

/* OK or ERR_NOMEM. */
int turn_routes_init(struct turn *, struct err *);
void turn_routes_free(struct turn *);
/* A channel to it, or a permission, is there; or is not to be had. */
void turn_route_bound(struct turn *, uint32_t peer);
void turn_route_refused(struct turn *, uint32_t peer);
/* There is an allocation: says where we are to those who reach us there, and binds who is known. */
void turn_routes_allocated(struct turn *, const struct addr *mapped);
/* Something came through the relayed port; peer: PARTY_NONE from who is not bound. */
void turn_route_input(struct turn *, uint32_t peer, const struct addr *from, const uint8_t *data,
                      size_t len);
/* A peer's timer. */
void turn_route_tick(struct turn *, uint32_t peer);
/* An event of one of our own port's links. */
void turn_route_event(struct turn *, const struct event *);

/* What the transport wants of the matchmaker. */
extern const struct match_ops turn_match_ops;

#endif
