/* What a TURN server keeps: allocations with their permissions and channels. Memory is
 * bounded: so many allocations, so many of each in one.
 *
 * An allocation belongs to a client: a link and, on a datagram port, the address on it.
 * Permissions and channels end by themselves: they are looked at when they are used, and the
 * dead make room for the next. Nothing else of a peer is kept.
 */
#ifndef PARTYLINE_TRANSPORTS_TURN_TABLE_H
#define PARTYLINE_TRANSPORTS_TURN_TABLE_H

#include "engine/base/map.h"
#include "transports/turn_wire.h"

#define TURN_NONE UINT32_MAX

enum { TURN_TABLE_PEERS = 1024 }; /* permissions, and channels, of one allocation */

struct turn_client_id {
    link_t link;
    struct addr addr;
};

struct turn_permission {
    struct addr ip; /* the port counts for nothing */
    ns_t until;
};

struct turn_channel {
    struct addr peer;
    uint32_t permission; /* where the peer's is, or was */
    uint16_t number;
    ns_t until;
};

struct turn_allocation {
    struct turn_client_id client;
    struct addr relayed;
    link_t relay;  /* 0: the slot is free */
    bool answered; /* the port is there, and the client knows */
    bool stream;   /* the client came over TCP */
    bool fingerprint;
    uint8_t tid[STUN_TID]; /* of the Allocate, for when it comes again */
    uint8_t key[STUN_KEY];
    char user[STUN_TEXT]; /* as it came: "expiry:name" */
    party_t whom;         /* if its user name tells; else PARTY_NONE */
    uint32_t lifetime;
    ns_t until;
    struct turn_permission *permissions;
    struct turn_channel *channels;
    uint32_t n_permissions, n_channels;
    struct map by_number, by_peer; /* where a channel is; a peer's hash may be another's as well */
    uint32_t next;                 /* of the same hash, or free */
};

struct turn_table {
    struct turn_allocation *slots;
    uint32_t n, cap, max, unused;
    struct map by_client;
};

void turn_table_init(struct turn_table *, uint32_t max);
void turn_table_free(struct turn_table *);
uint32_t turn_table_find(const struct turn_table *, const struct turn_client_id *);
/* A new slot, zeroed but for client and relay, or TURN_NONE: no room. */
uint32_t turn_table_add(struct turn_table *, const struct turn_client_id *, link_t relay);
void turn_table_remove(struct turn_table *, uint32_t slot);
/* Allocations of a user, by the name without the time. */
uint32_t turn_table_of_user(const struct turn_table *, const char *user);

static inline const char *turn_user_name(const char *user)
{
    const char *colon = strchr(user, ':');
    return colon ? colon + 1 : user;
}

bool turn_permitted(const struct turn_allocation *, const struct addr *peer, ns_t now);
/* The same for a channel's peer. */
bool turn_channel_permitted(struct turn_allocation *, const struct turn_channel *, ns_t now);
/* Makes or renews. OK, ERR_LIMIT, ERR_NOMEM. */
int turn_permit(struct turn_allocation *, const struct addr *peer, ns_t now, ns_t until);
/* The living channel of that number, or of that peer; NULL: none. */
const struct turn_channel *turn_channel_numbered(const struct turn_allocation *, uint16_t, ns_t);
const struct turn_channel *turn_channel_to(const struct turn_allocation *, const struct addr *,
                                           ns_t);
/* Makes or renews. OK; ERR_EXISTS: number or peer is bound otherwise; ERR_LIMIT, ERR_NOMEM. */
int turn_channel_bind(struct turn_allocation *, uint16_t number, const struct addr *peer, ns_t now,
                      ns_t until);

#endif
