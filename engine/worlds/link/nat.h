/* Network address translation: RFC 4787 (UDP), 5382 (TCP), 7857 (what they got wrong).
 *
 * A host whose nat is anything but `none` or `open` is behind a box, alone or with others, and
 * has a private address (10.0.0.0/8, a different one for every host). A box may be behind a
 * second one, a carrier's: then its outer address is in 100.64.0.0/10. A box nearest to the
 * internet shows the published address of its first host; the published addresses of all others
 * behind it lead to it as well. Hosts behind the same box reach each other's private addresses
 * without it. There is no other private destination, and no NAT where a host has a public
 * address, as IPv6 hosts have: `none` is what they take.
 *
 * nat_send takes a packet from its host outward, through as many boxes as lie before its
 * destination; nat_receive takes it from there inward. A packet to the outer address of a box on
 * its way is turned around there (hairpinning), with its source translated. The two may happen
 * at different times; `now` may go back a little (a node's own computing time), which changes
 * nothing but by how much a mapping outlives its time-out.
 *
 * UDP. An outbound datagram makes or refreshes a mapping, and a session for what the filter has
 * to know; both end udp_timeout after they were last refreshed.
 *
 * TCP. A session is of two endpoints. Opening: a SYN has passed; open: an answer, too; over: FIN
 * or RST. Only a SYN makes a mapping; whatever else has none is dropped, in silence. An inbound
 * SYN needs a forwarded port or a filter that lets it in. FIN ends both directions, as this
 * engine's links do (no half-closed connections).
 *
 * A number of an outer port is in use by one host at a time, in both protocols, so that an
 * address that was seen belongs to somebody (nat_owner).
 *
 * Memory: mappings and sessions in use, and at most twice as many that have expired: each new one
 * looks at two old ones. No packet looks at more than the mapping and the session that it is of;
 * only a new mapping looks for a free port. What a stranger can make a box keep is bounded by
 * NAT_SESSIONS a mapping.
 *
 * Tests name the requirements they hold this to. Those without one, as nothing in this model
 * corresponds to them: RFC 4787 REQ-2 (a box has one address: paired by construction), REQ-7 (a
 * conflict of inner and outer networks), REQ-10 (application gateways), REQ-12 (ICMP), REQ-13 and
 * REQ-14 (fragments: datagrams above the MTU are dropped before); RFC 5382 REQ-2's simultaneous
 * open (two SYNs that cross pass the boxes, but a host of this engine that dials accepts no SYN
 * on that port), REQ-6 (gateways), REQ-9 and REQ-10 (ICMP), and that a box answers a SYN it held
 * back for 6 s with an ICMP error (REQ-4 a: it never does); RFC 7857 3 (ports are not
 * overlapped), 4 (pooling), 11 (IP identification), 12 and 13 (ICMP).
 */
#ifndef PARTYLINE_WORLDS_LINK_NAT_H
#define PARTYLINE_WORLDS_LINK_NAT_H

#include "engine/base/map.h"
#include "engine/worlds/link/nat_spec.h"
#include "engine/worlds/link/nat_table.h"

enum { NAT_SESSIONS = 65536 };

/* The last search for a port that found none: none is free before, for the same. */
struct nat_full {
    ns_t until;
    uint32_t inside, first;
    uint8_t protocol;
};

struct nat_box {
    const struct nat_spec *spec;
    struct addr address; /* outer; its port is 0 */
    uint32_t outer;      /* the box that it is behind, or NAT_NONE_SUCH */
    uint32_t first;      /* of the hosts behind it, directly or not */
    uint32_t hosts;      /* so many */
    uint32_t epoch;      /* how often its address has changed */
    uint32_t next_port;  /* sequential allocation begins here */
    bool forwards;       /* some port is forwarded */
    struct nat_full full;
    struct dice dice;
    struct map users; /* of a shared one: epoch and port -> the host that had it last */
};

/* What a box translates for: a host, or (from n_hosts on) a box behind it. */
struct nat_inside {
    uint32_t box;      /* NAT_NONE_SUCH: it is public */
    uint32_t mappings; /* the first of its list */
    uint32_t n;        /* in the list, expired ones that were not found yet among them */
    ns_t look_at;      /* at its limit: none of them expires before */
};

/* An address in use, or that was. */
struct nat_address {
    uint8_t ip[16];
    uint32_t box, host; /* host: whose published address it is, or NAT_NONE_SUCH */
    uint32_t epoch;     /* of the box when it was its address */
    uint32_t next;      /* of the same hash */
};

struct nat {
    uint32_t n_hosts, n_boxes; /* n_boxes 0: nobody is behind one, and nothing is allocated */
    struct nat_inside *insides;
    struct nat_box *boxes;
    struct nat_address *addresses;
    uint32_t n_addresses, cap_addresses;
    struct map by_address;
    struct nat_table table;
    uint64_t seed;
};

struct nat_packet {
    enum nat_protocol protocol;
    enum nat_flag flag;
    struct addr from, to; /* as they are where it is now */
};

static inline bool nat_translates(enum nat_kind kind)
{
    return kind != NAT_NONE && kind != NAT_OPEN;
}

/* Hosts and their roster entries are lent and outlive it. OK or ERR_NOMEM. */
int nat_init(struct nat *, const struct host_spec *hosts, const struct roster_entry *entries,
             uint32_t n, uint64_t seed);
void nat_free(struct nat *);

static inline bool nat_inside(const struct nat *n, uint32_t host)
{
    return n->n_boxes && n->insides[host].box != NAT_NONE_SUCH;
}
/* The private address of a host behind a box. */
void nat_private(uint32_t host, uint8_t ip[16]);
/* The box nearest to the internet that this host is behind, or NAT_NONE_SUCH. */
uint32_t nat_outermost(const struct nat *, uint32_t host);

/* A packet leaves a host: p->from has its inner port and gets its outer address and port, as the
 * receiver (or its boxes) will see them. For a host without a box, and if nobody is behind one,
 * p->from is left as it is. p->to becomes a box's own address. DROP_COUNT: it is on its way. */
enum drop nat_send(struct nat *, uint32_t host, struct nat_packet *p, ns_t now);

/* A packet comes to p->to: if that is an address of a box (or private), *host and p->to become
 * the host behind it and its port; else *host is NAT_NONE_SUCH. DROP_COUNT: it gets in. */
enum drop nat_receive(struct nat *, struct nat_packet *p, uint32_t *host, ns_t now);

/* If that is the published address of a host behind a box, it becomes the box's own. */
void nat_own_address(const struct nat *, struct addr *);

/* Where a packet to that address would go, filters aside, and *port there: a host; without a
 * mapping the one it is published for, or the box's first. NAT_NONE_SUCH: not an address of this
 * module's. */
uint32_t nat_locate(struct nat *, enum nat_protocol, const struct addr *to, ns_t now,
                    uint16_t *port);

/* The box nearest to the internet that this host is behind gets a new public address; all that
 * it had mapped is lost, forwarded ports aside. ERR_UNSUPPORTED: the host is behind none.
 * ERR_NOMEM. */
int nat_readdress(struct nat *, uint32_t host);

/* True if it is or was an address of a box or behind one; *owner is whose: of a box with several
 * hosts, that of the port's user, or last user; PARTY_NONE if it had none. A published address
 * that is not its box's first host's belongs to whom it was published for. */
bool nat_owner(const struct nat *, const struct addr *, party_t *owner);

#endif
