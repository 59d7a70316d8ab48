/* Between the files that make up turn_client.h; nobody else includes this. turn_client.c is the
 * client's life and peers, turn_client_ask.c what it asks for, turn_client_answer.c what it hears.
 */
#ifndef PARTYLINE_TRANSPORTS_TURN_CLIENT_INNER_H
#define PARTYLINE_TRANSPORTS_TURN_CLIENT_INNER_H

#include "engine/metrics.h"
#include "transports/turn_client.h"

enum { TURN_CLIENT_SENDS = 7, TURN_CLIENT_LAST_WAIT = 16 /* TURN_CLIENT_RTO */ };

static inline void turn_client_drop(struct turn_client *c, enum drop why)
{
    metrics_drop(c->setup.env->metrics, why);
}

/* When something is due, or NS_NEVER. */
ns_t turn_client_due(const struct turn_client *);
void turn_client_arm(struct turn_client *, ns_t at);

void turn_request_send(struct turn_client *, struct turn_request *);
void turn_request_forget(struct turn_request *);
void turn_client_allocate(struct turn_client *);
void turn_client_refresh(struct turn_client *, bool bye);
/* For a peer's channel, or its permission. */
void turn_client_ask(struct turn_client *, uint32_t peer);
/* The request that was answered by 401 or 438, again. */
void turn_client_again(struct turn_client *, struct turn_request *);

/* down() soon: it comes from within an event, the timer's; */
void turn_client_give_up(struct turn_client *);
/* or now. */
void turn_client_lose(struct turn_client *, uint16_t code, enum down_reason why);
/* Idle, its link closed. */
void turn_client_reset(struct turn_client *);
/* To c->server. */
void turn_client_connect(struct turn_client *);

/* One message of the server's. */
void turn_client_message(struct turn_client *, const uint8_t *data, size_t len);

#endif
