/* What a node of the mix network knows of it: who is in it, whose keys are good, and so which
 * routes there are. Pure: no links, no clock.
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_NET_H
#define PARTYLINE_TRANSPORTS_MIX_NET_H

#include "engine/metrics.h"
#include "transports/mix.h"

struct mix_net {
    struct transport_setup setup;
    const struct mix_opts *opts;
    struct sphinx_params params;
    bool open;         /* no keys: packets lie open (mix.h) */
    party_t directory; /* PARTY_NONE: none */
    party_t *nodes;    /* mixes, then providers, each in the roster's order */
    uint32_t n_mixes, n_providers;
    party_t *users; /* services that are clients, too: role `user` */
    uint32_t n_users;
    uint32_t *index;     /* by service, in the roster's order: its place in nodes, or UINT32_MAX */
    uint8_t (*keys)[32]; /* of nodes, in this epoch */
    bool *there;         /* ... and whether it has one */
    uint32_t epoch, version;
};

/* OK, ERR_NOMEM, or ERR_INVALID with a sentence. */
int mix_net_init(struct mix_net *, const struct transport_setup *, struct err *);
void mix_net_free(struct mix_net *);

static inline size_t mix_frame_size(const struct mix_net *n)
{
    return MIX_HEAD + sphinx_packet(&n->params);
}
/* Bytes for a datagram in a packet. */
static inline size_t mix_room(const struct mix_net *n)
{
    return n->params.payload - SPHINX_BODY_HEAD - MIX_PAYLOAD_HEAD;
}

/* Its index among nodes, or UINT32_MAX: neither mix nor provider. */
uint32_t mix_net_index(const struct mix_net *, party_t);
/* Clients have numbers: parties and the protocol's services their ids, users those after.
 * UINT32_MAX: he is none. */
uint32_t mix_net_client(const struct mix_net *, party_t);
party_t mix_net_client_id(const struct mix_net *, uint32_t number);
static inline uint32_t mix_net_clients(const struct mix_net *n)
{
    return roster_clients(n->setup.roster) + n->n_users;
}
/* The provider of a client; PARTY_NONE without providers. */
party_t mix_net_provider(const struct mix_net *, party_t);

/* A route to a party: mixes, its provider, itself. Returns how many; 0: there is none now (a
 * layer without a mix that has a key). */
unsigned mix_net_route(const struct mix_net *, party_t to, struct prng *,
                       party_t route[SPHINX_HOPS_MAX]);

/* The public key of a hop; NULL: unknown. Not for open networks. */
const uint8_t *mix_net_key(const struct mix_net *, party_t);

/* Counts a drop. */
void mix_drop(const struct mix_net *, enum drop);
void mix_arm(const struct mix_net *, uint32_t timer, ns_t at);
/* A wait before dialing for the fails-th time: exponential back-off, from the upper half. */
ns_t mix_backoff(const struct mix_net *, unsigned fails);

#endif
