/* Where nodes really are, and how that is told to them.
 *
 * Nodes know each other by the roster's addresses and by the well-known ports of their
 * transports; sockets know real ones. A node has UVPLACE_PORTS ports from its base on, at one
 * real address: what it accepts is at base + its place in the list of accepts, the rest is for
 * what it opens. So nodes can be told apart even where all have one address (loopback). A node with
 * base 0 has its address to itself: what it accepts is at its transports' own ports, and what it
 * opens comes from wherever the system likes (streams) or from UVPLACE_SOURCES on (datagrams).
 *
 * Outward, the roster's address of a node becomes its real one, an accepted port its real port;
 * any other port, and any other address, stays what it is. Inward, a real address is that of the
 * node whose range the port is in, else of the only node that has the address; what belongs to
 * nobody stays what it is.
 */
#ifndef PARTYLINE_WORLDS_UV_UVPLACE_H
#define PARTYLINE_WORLDS_UV_UVPLACE_H

#include "engine/base/err.h"
#include "engine/world.h"

#include <sys/socket.h>

enum { UVPLACE_PORTS = 64, UVPLACE_ACCEPTS = 8, UVPLACE_SOURCES = 20000 };

struct uvplace {
    struct addr address; /* the port is the base; 0: it has the address to itself */
    struct addr bind;    /* what sockets are bound to; all zero with family: any address */
    bool foreign;        /* another program serves there: it tells no observer what it sees */
};

struct uvplaces {
    const struct trial_spec *trial;
    const struct uvplace *list; /* one a node of the roster */
};

/* "192.0.2.1", "2001:db8::1" or a name, which is looked up (this may take its time). OK or
 * ERR_ABSENT with a sentence. */
int uvplace_resolve(const char *host, uint16_t port, struct addr *out, struct err *);
bool uvplace_loopback(const struct addr *);

void uvplace_sockaddr(const struct addr *, struct sockaddr_storage *);
struct addr uvplace_addr(const struct sockaddr *);

/* The node whose address in the roster this is; PARTY_NONE: nobody's. */
party_t uvplace_owner(const struct uvplaces *, const struct addr *);
struct addr uvplace_outward(const struct uvplaces *, bool datagram, struct addr);
struct addr uvplace_inward(const struct uvplaces *, bool datagram, struct addr);
/* What a node calls its own address: its published one, or behind a NAT, where it has its address
 * to itself but its sockets are bound to another one, that. */
struct addr uvplace_self(const struct uvplaces *, party_t);
/* The real port of the k-th of what a node accepts. */
uint16_t uvplace_port(const struct uvplace *, unsigned k, const struct accept *);
/* The place in the node's list of accepts; -1: it is not in it. */
int uvplace_accept(const struct uvplaces *, party_t, bool datagram, uint16_t port);

#endif
