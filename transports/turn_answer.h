/* How a TURN server answers requests: authentication and the five methods. Used by
 * turn_server.c alone. */
#ifndef PARTYLINE_TRANSPORTS_TURN_ANSWER_H
#define PARTYLINE_TRANSPORTS_TURN_ANSWER_H

#include "transports/turn_server.h"

/* Who asks: his link, and how to answer him. */
struct turn_asker {
    struct turn_client_id id;
    struct addr addr;
    bool stream;
    struct turn_connection *connection; /* NULL: a datagram */
};

/* One request; answers it, now or when its port is there. */
void turn_answer(struct turn_server *, const struct turn_asker *, const struct stun_packet *);
/* The port of an allocation is there, at this address. */
void turn_answer_allocated(struct turn_server *, uint32_t slot, const struct addr *local);
/* Bytes to a client, as they are. */
void turn_server_send(struct turn_server *, const struct turn_client_id *, bool stream,
                      const void *, size_t len);
void turn_server_remove(struct turn_server *, uint32_t slot);
/* The link is that slot's, of the table or of the connections. */
void turn_server_tag(struct turn_server *, link_t, uint32_t slot);
void turn_server_arm(struct turn_server *, ns_t at);

#endif
