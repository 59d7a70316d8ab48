/* Long-term credentials with REST user names (RFC 8489, 9.2.4; coturn's use-auth-secret). Used by
 * turn_answer.c alone. */
#ifndef PARTYLINE_TRANSPORTS_TURN_AUTH_H
#define PARTYLINE_TRANSPORTS_TURN_AUTH_H

#include "transports/turn_answer.h"

/* What a request has shown of its sender. */
struct turn_proof {
    const char *user; /* its name without the time; inside of the request */
    uint8_t key[STUN_KEY];
};

/* A nonce for a client: the time in seconds, and a keyed hash of it and of the client, in hex. */
void turn_auth_nonce(const struct turn_server *, const struct turn_client_id *,
                     char out[TURN_SERVER_NONCE + 1]);
/* OK and the proof, or the error to answer with. */
uint16_t turn_auth_check(const struct turn_server *, const struct turn_asker *,
                         const struct stun_packet *, struct turn_proof *);

#endif
