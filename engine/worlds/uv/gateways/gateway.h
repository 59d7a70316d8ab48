/* A node's gateway: people without a node of their own take part through it (engine/gateway.h).
 *
 * It speaks for the roster's foreign parties (struct node_foreign). HTTP clients come as the party
 * of the role that their request asks for; where there are several of that role, by a keyed hash
 * of the client's address (of /64 in IPv6), so that whatever the node allows a party is allowed a
 * client. A request is one event of the node, and its answer comes within it. Mail goes out as
 * the mail role's party; what the node says to others of its own accord is kept for who asks,
 * UVGATEWAY_KEPT messages at most (the oldest goes: the node says it again in time).
 *
 * HTTP statuses beyond the protocol's: 400 malformed, 404 no such path, 405, 413, 414, 415
 * (http.h), 429 the node did not answer, 500 no memory, 503 the roster has nobody of that role. */
#ifndef PARTYLINE_WORLDS_UV_GATEWAYS_GATEWAY_H
#define PARTYLINE_WORLDS_UV_GATEWAYS_GATEWAY_H

#include "engine/worlds/uv/uvnode.h"

enum { UVGATEWAY_KEPT = 1024 };

struct uvgateway_setup {
    uv_loop_t *loop;
    const struct trial_spec *trial;
    struct addr http;             /* where it listens; port 0: nowhere */
    const char *smtp_url, *from;  /* NULL: no mail goes out */
    struct node_foreign *foreign; /* `who` is set; send and ctx are set here */
};

struct uvgateway;

/* ERR_UNSUPPORTED: the protocol has no gateway, or a foreign party has a role that can't come
 * through one; ERR_EXISTS, ERR_IO, ERR_NOMEM. Its loop must be run also after a failure. */
int uvgateway_new(struct uvgateway **, const struct uvgateway_setup *, struct err *);
/* Requests are for that node from now on; before: 503. */
void uvgateway_serve(struct uvgateway *, struct uvnode *);
void uvgateway_free(struct uvgateway *);

#endif
