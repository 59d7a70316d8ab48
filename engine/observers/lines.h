/* Who is at the two ends of a packet, as far as an adversary knows: services are public, and
 * every tapped host shows its own address. Others have a number of their own, by IP address:
 * hosts behind one NAT are one.
 */
#ifndef PARTYLINE_OBSERVERS_LINES_H
#define PARTYLINE_OBSERVERS_LINES_H

#include "engine/base/map.h"
#include "engine/observer.h"

enum { LINES_STRANGERS = 65536 };

enum lines_role { LINES_SENDER, LINES_MIX, LINES_PROVIDER, LINES_RELAY, LINES_OTHER };

struct lines_entry {
    uint8_t ip[16];
    uint32_t who, next; /* next of the same hash */
};

struct lines {
    struct lines_entry *entries; /* owned */
    uint32_t n, cap, n_nodes, n_strangers;
    struct map by_hash;
};

/* OK or ERR_NOMEM. */
int lines_init(struct lines *, const struct observer_setup *);
void lines_free(struct lines *);
/* A node's id below n_nodes, or n_nodes + k for the k-th stranger; UINT32_MAX: one too many. */
uint32_t lines_who(struct lines *, const struct addr *);
/* The far end of a packet that was seen at a node or a line; learns the near end's address. */
uint32_t lines_peer(struct lines *, const struct sighting *);
/* The connection of a packet, by what is written on it at both of its ends: a hash, not 0. */
uint32_t lines_flow(const struct sighting *);
/* What a node is for: parties, a protocol's services and a crowd's users send; a transport's other
 * services are mixes, providers, relays (TURN servers as well) or neither. */
enum lines_role lines_role(const struct observer_setup *, uint32_t who);

/* Who sends, in the order of ids: place[id] is the id's number among them, UINT32_MAX for others.
 * place has n_nodes entries, who (may be NULL) as many. Returns how many. */
uint32_t lines_senders(const struct observer_setup *, uint32_t *place, uint32_t *who);
/* The node whose line is the first of the places; the first party if none is. */
uint32_t lines_target(const struct observer_setup *);

#endif
