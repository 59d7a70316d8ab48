/* Network address translation for streams.
 *
 * A host whose nat is anything but `none` or `open` is behind a box and has a private address
 * (10.0.0.0/8). The box shows the public address of its first host's roster entry, and every
 * outbound connection has a mapped port on it until the connection ends. A box lets nothing in
 * that it has no mapping for, and a listening port has none, so whoever dials such a host gets
 * no answer, from outside and from behind the same box alike (no hairpinning). For streams
 * that is all that the kinds differ in: nothing. `open` changes nothing at all.
 *
 * Not modelled here: datagrams (mapping, filtering, time-outs and port prediction, RFC 4787),
 * simultaneous open, and private addresses as destinations; a world says so in its check().
 */
#ifndef PARTYLINE_WORLDS_LINK_NAT_H
#define PARTYLINE_WORLDS_LINK_NAT_H

#include "engine/base/map.h"
#include "engine/world.h"

enum { NAT_PORT_MIN = 1024, NAT_PORTS = 65536 - NAT_PORT_MIN };

#define NAT_NO_BOX UINT32_MAX

struct nat_box {
    uint32_t first;   /* the host whose published address is the box's */
    uint32_t hosts;   /* behind it */
    uint32_t live;    /* mappings in use */
    uint16_t next;    /* where the search for a free port begins */
    struct map ports; /* port -> 1 + (host << 1 | in use); the last user stays known */
};

struct nat {
    uint32_t *box; /* of each host, or NAT_NO_BOX; NULL: nobody is behind one */
    struct nat_box *boxes;
    uint32_t n_boxes;
};

static inline bool nat_translates(enum nat_kind kind)
{
    return kind != NAT_NONE && kind != NAT_OPEN;
}

/* OK or ERR_NOMEM. */
int nat_init(struct nat *, const struct host_spec *hosts, uint32_t n);
void nat_free(struct nat *);

/* The host whose roster entry carries the public address of this host: itself, or its box's. */
uint32_t nat_public(const struct nat *, uint32_t host);
static inline bool nat_inside(const struct nat *n, uint32_t host)
{
    return n->box && n->box[host] != NAT_NO_BOX;
}
/* The private address of a host behind a box. */
void nat_private(uint32_t host, uint8_t ip[16]);

/* The public port of a new connection of this host; `port` itself without a box. ERR_LIMIT:
 * the box has none left. */
int nat_map(struct nat *, uint32_t host, uint16_t port, uint16_t *mapped);
/* That connection is over. */
void nat_release(struct nat *, uint32_t host, uint16_t mapped);

/* Whose the address is that host's roster entry carries, at this port: the host's own, but on
 * the public address of a box that several share, that of the port's user, or last user;
 * PARTY_NONE if it had none. */
uint32_t nat_owner(const struct nat *, uint32_t host, uint16_t port);

#endif
