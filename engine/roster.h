/* Who takes part in a trial: names, roles, published addresses, identities.
 *
 * The roster is what everybody knows before the trial, shared and constant. Parties come
 * first (ids 0 .. n_parties - 1), then the protocol's services, then the transport's. Secrets are
 * not in it.
 */
#ifndef PARTYLINE_ROSTER_H
#define PARTYLINE_ROSTER_H

#include "engine/env.h"

struct identity_public; /* engine/crypto/identity.h */

struct roster_entry {
    const char *name;
    const char *role; /* a role's name, of the protocol (parties) or of any plugin (services) */
    struct addr addr; /* as published; the port is each transport's own */
};

struct roster {
    uint32_t n, n_parties;
    uint32_t n_clients; /* parties and the protocol's services; 0: the parties alone */
    const struct roster_entry *entries;
    const struct identity_public *identities; /* one an entry; NULL with `channel: none` */
};

/* Those that a transport carries for: ids below this. */
static inline uint32_t roster_clients(const struct roster *r)
{
    return r->n_clients ? r->n_clients : r->n_parties;
}

#endif
