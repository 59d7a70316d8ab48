/* Between relay_client.c (which relay, and whether its link lives) and relay_client_peers.c (what
 * goes over the link, and whose); nobody else includes this. */
#ifndef PARTYLINE_TRANSPORTS_RELAY_CLIENT_INNER_H
#define PARTYLINE_TRANSPORTS_RELAY_CLIENT_INNER_H

#include "engine/metrics.h"
#include "transports/relay_client.h"

static inline const struct relay_opts *relay_client_opts(const struct relay_client *c)
{
    return c->setup.opts;
}
static inline void relay_client_drop(struct relay_client *c, enum drop why)
{
    metrics_drop(c->setup.env->metrics, why);
}

/* A frame that is its kind alone. False: not taken. */
bool relay_client_put(struct relay_client *, enum relay_frame);
/* Says what is owed to the relay: WATCH, PONG. */
void relay_client_settle(struct relay_client *);
/* The link takes data again. */
void relay_client_room(struct relay_client *);
/* What the relay says: 1 byte or more, foreign. */
void relay_client_frame(struct relay_client *, const uint8_t *frame, size_t len);

#endif
