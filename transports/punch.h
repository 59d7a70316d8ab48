/* Hole punching: the full mesh over datagrams, for hosts behind NATs. The body of `direct` with
 * `punch: udp` (RFC 5128, 3.3; the candidates are those of ICE, RFC 8445, without its order).
 *
 * All datagrams leave by one port, MESH_PORT. A matchmaker tells a party the address that the
 * internet sees of this port, and tells it to who wants that party. Then both sides say hello
 * (reliable.h) to each other's candidate addresses, at once and again with back-off, for ever:
 * the first one opens the own NAT and dies at the other's, a later one gets through. Who gets a
 * hello answers to where it came from. Candidates of a peer: the address that the matchmaker
 * saw; the same with the port that the peer itself uses (NATs that preserve ports); and, where both
 * are behind one public address, the peer's own one.
 *
 * On the wire: reliable.h's datagrams as they are, the matchmaker's messages (they begin with
 * 0x30 to 0x3f), and hellos with two numbers in front:
 *
 *   0x20 u8, from u32, to u32, then reliable.h's hello; little-endian, 26 bytes
 *
 * A hello claims to be from a party, and is heard if it comes from the ip of a candidate of that
 * party: a stranger elsewhere learns nothing and takes nobody's place; one at the same ip can take
 * it as anybody can in mesh.h, and the channel above finds it out. Anything else is known by the
 * token that it names. A datagram of a session from a new address moves the session there: a NAT
 * may have been restarted, a client readdressed.
 *
 * Keep-alive is the reliable layer's ping, every 15 s. A peer that is silent for 30 s is down, and
 * is asked for at the matchmaker anew. Everything kept is for parties that the protocol pairs
 * us with; strangers get nothing.
 */
#ifndef PARTYLINE_TRANSPORTS_PUNCH_H
#define PARTYLINE_TRANSPORTS_PUNCH_H

#include "engine/base/map.h"
#include "transports/matchmaker.h"

enum { PUNCH_HELLO = 0x20, PUNCH_HEAD = 9, PUNCH_CANDIDATES = 3 };

struct punch_peer;

/* All that a node keeps. Zeroed, then punch_init. */
struct punch {
    struct transport_setup setup;
    struct match_client match;
    struct addr server;       /* the matchmaker's */
    struct addr seen;         /* of our port, by the matchmaker */
    link_t port;              /* 0: not bound yet */
    struct punch_peer *peers; /* as setup.peers */
    struct map tokens;        /* the lower half of an end's token: 1 + its peer */
};

/* OK, ERR_ABSENT (no matchmaker), ERR_LIMIT, ERR_NOMEM. */
int punch_init(struct punch *, const struct transport_setup *, struct err *);
/* The rest of struct transport_role; self is a struct punch. */
int punch_send(void *self, party_t to, const void *data, size_t len);
void punch_event(void *self, const struct event *);
void punch_free(void *self);

#endif
