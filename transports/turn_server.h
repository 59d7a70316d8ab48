/* A TURN server (RFC 8656) as a node: UDP and TCP from clients, UDP to peers.
 *
 * Its wire format, quotas, lifetimes and refusals are those of coturn 4.6 with
 *     --use-auth-secret --stale-nonce --no-multicast-peers -f
 * tests/unit/test_turn_script.c holds one list of requests and answers that both pass. It
 * differs knowingly: nonces are not kept but recognised (a keyed hash of the client's
 * address and the time), so a stranger costs no memory before he proves that he knows the
 * secret; unproven TCP connections are few and short-lived.
 *
 * A user name is "expiry:name" (seconds; compared with the world's time, which in simulated
 * worlds begins at 0) and its password stun_rest_password(). Permissions live 5 minutes,
 * channels 10, allocations what was asked for, from 10 minutes to an hour. EVEN-PORT and
 * RESERVATION-TOKEN are not offered (508). Relayed ports are of the server's own family (440).
 *
 * What it shows (env show), in the clear like all that it says: what its clients and the matchmaker
 * tell each other through it (matchmaker.h), that is who its clients are and with whom they talk;
 * and with user names that are parties' names the former as soon as one has allocated. What its
 * holder sees otherwise are addresses without names, which observers see for themselves.
 */
#ifndef PARTYLINE_TRANSPORTS_TURN_SERVER_H
#define PARTYLINE_TRANSPORTS_TURN_SERVER_H

#include "engine/transport.h"
#include "transports/turn_table.h"

enum {
    TURN_SERVER_CONNECTIONS = 4096, /* over TCP, in all */
    TURN_SERVER_STRANGERS = 64,     /* of them without an allocation */
    TURN_SERVER_NONCE = 32          /* characters */
};
#define TURN_SERVER_PATIENCE (30 * NS_S) /* with a stranger's connection */

/* What of the transport's options is the server's. */
struct turn_server_limits {
    const char *realm, *secret, *alternate;
    int64_t stale_nonce;                   /* ns */
    int64_t max_lifetime;                  /* ns */
    int64_t permission_life, channel_life; /* ns */
    int64_t user_quota, total_quota;       /* 0: none, but for the table's own limit */
    int64_t loopback_peers;
};

struct turn_connection {
    link_t link; /* 0: the slot is free */
    struct addr addr;
    bool proven; /* has (had) an allocation */
    bool over;   /* its allocation was deleted: to be closed */
    ns_t until;
    struct turn_stream stream;
};

struct turn_server {
    struct transport_setup setup;
    const struct turn_server_limits *limits;
    struct addr matchmaker; /* its clients'; port 0: none */
    link_t port;            /* the UDP port's own link */
    uint8_t nonce_key[32];
    struct turn_table table;
    struct turn_connection *connections;
    uint32_t n_connections, cap_connections, n_strangers;
    ns_t armed;
};

/* As struct transport_role's; limits outlive the server. */
int turn_server_init(struct turn_server *, const struct transport_setup *,
                     const struct turn_server_limits *, struct err *);
void turn_server_event(void *self, const struct event *);
void turn_server_free(void *self);

extern const struct accept turn_server_accepts[];

#endif
