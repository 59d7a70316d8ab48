/* Mappings and sessions of all boxes: found by hash, expired lazily, in an order that depends on
 * what was asked alone. Times come from nat_filter.c, ports from nat_port.c; nat_table.c keeps.
 * Between the files nat*.c: others include nat.h.
 */
#ifndef PARTYLINE_WORLDS_LINK_NAT_TABLE_H
#define PARTYLINE_WORLDS_LINK_NAT_TABLE_H

#include "engine/base/map.h"
#include "engine/world.h"

#define NAT_NONE_SUCH UINT32_MAX

enum nat_protocol { NAT_UDP, NAT_TCP };
/* What a packet does to a TCP session; of UDP all are NAT_DATA. */
enum nat_flag { NAT_DATA, NAT_SYN, NAT_FIN, NAT_RST };
enum nat_stage { NAT_OPENING, NAT_ESTABLISHED, NAT_RESET, NAT_CLOSED };

struct nat_mapping {
    struct addr remote; /* what the mapping rule keeps of the destination */
    uint16_t inner_port, outer_port;
    uint8_t protocol;
    bool live;
    bool forward; /* never expires */
    uint32_t box, inside;
    ns_t expires;
    uint32_t next_inner, next_outer; /* of the same hash */
    uint32_t next, prev;             /* of the same inside; next: also of the free ones */
    uint32_t sessions, n_sessions;
};

struct nat_session {
    struct addr remote; /* what the filter needs of it; of TCP all */
    uint32_t mapping;
    ns_t expires;
    uint32_t next_hash;
    uint32_t next, prev; /* of the same mapping */
    uint8_t stage;       /* enum nat_stage, of TCP */
    bool inward;         /* the SYN came from outside */
    bool live;
};

struct nat_table {
    struct nat_mapping *mappings;
    struct nat_session *sessions;
    uint32_t n_mappings, cap_mappings, free_mapping, hand_mapping; /* n: used ever */
    uint32_t n_sessions, cap_sessions, free_session, hand_session;
    uint32_t live_mappings, live_sessions;
    struct map by_inner, by_outer, by_remote;
};

struct nat;
struct nat_address;

void nat_table_init(struct nat_table *);
void nat_table_free(struct nat_table *);

/* A mapping in force, or NAT_NONE_SUCH; an expired one that is found is removed. */
uint32_t nat_find_inner(struct nat *, const struct nat_mapping *key, ns_t now);
uint32_t nat_find_outer(struct nat *, uint32_t box, enum nat_protocol, uint16_t port, ns_t now);
/* NAT_NONE_SUCH: out of memory. */
uint32_t nat_add_mapping(struct nat *, const struct nat_mapping *, ns_t now);
void nat_remove_mapping(struct nat *, uint32_t mapping);

uint32_t nat_find_session(struct nat *, uint32_t mapping, const struct addr *remote, ns_t now);
/* NAT_NONE_SUCH: out of memory, or the mapping has NAT_SESSIONS. */
uint32_t nat_add_session(struct nat *, uint32_t mapping, const struct addr *remote, ns_t now);

uint32_t nat_hash_ip(const uint8_t ip[16]);

/* nat_box.c: the host whose private address that is, or NAT_NONE_SUCH; *is: it is a private one. */
uint32_t nat_private_of(const struct nat *, const uint8_t ip[16], bool *is);
/* The box that has this address now, or NAT_NONE_SUCH. *lost: one had it before. */
uint32_t nat_box_at(const struct nat *, const uint8_t ip[16], bool *lost);
/* All that is known of an address, now or before; NULL: nothing. */
const struct nat_address *nat_address_find(const struct nat *, const uint8_t ip[16]);
/* That port of a box is this host's from now on. OK or ERR_NOMEM. */
int nat_note_user(struct nat *, uint32_t box, uint16_t port, uint32_t host);

/* nat_port.c: the outer port of a new mapping, and counts it. DROP_COUNT, NAT_PORT_LIMIT or
 * NAT_FULL. */
enum drop nat_port_take(struct nat *, const struct nat_mapping *, ns_t now, uint16_t *port);
/* Is a port of a box free for this inside? */
bool nat_port_free(struct nat *, const struct nat_mapping *, uint16_t port, ns_t now);

/* nat_filter.c: an outbound packet to `to` is of that mapping; an inbound one comes from `from`. */
enum drop nat_pass_out(struct nat *, uint32_t mapping, enum nat_flag, const struct addr *to,
                       ns_t now);
enum drop nat_pass_in(struct nat *, uint32_t mapping, enum nat_flag, const struct addr *from,
                      ns_t now);

#endif
