/* Transport `turn`: each party relays through a TURN server (RFC 8656), and over the
 * datagrams that it carries run reliable sessions (reliable.h), one a pair.
 *
 * A party allocates on one server (option `server`), and through its own relayed port tells
 * the matchmaker that it is there (matchmaker.h). So what the matchmaker observes, and tells
 * the peers, is the relayed address; with `relayed: both` no party's own address is in any
 * message but those to its own TURN server. Who has a peer's relayed address binds a channel
 * to it, and both say hello.
 *
 * With `relayed: one` only the higher id of a pair is reached through its relayed port. The
 * lower one sends to that from its own UDP port, whose address, as the TURN server maps it, it
 * has published as its blob, told to higher ids alone; so the higher one of a pair and the
 * matchmaker learn it. From a symmetric NAT it comes from another port: its first hello is then
 * known by its ip, unless another such peer has the same.
 *
 * When the allocation is lost (the server restarted, or our address changed), another one is
 * made with back-off, `round_robin` on the next server, and peers are told; sessions live on
 * through that, as long as it takes less than their patience (reliable.h, silence).
 *
 * User names are "expiry:NAME", NAME being 16 hexadecimal digits drawn for each life, or with
 * `username: name` the party's own name. Who its client is a server learns in any case: it reads
 * what is said to the matchmaker, and by the matchmaker (matchmaker.h).
 */
#ifndef PARTYLINE_TRANSPORTS_TURN_H
#define PARTYLINE_TRANSPORTS_TURN_H

#include "transports/matchmaker.h"
#include "transports/reliable.h"
#include "transports/turn_client.h"
#include "transports/turn_server.h"

enum {
    TURN_SERVERS = 8, /* that one party compares at most */
    TURN_TIMER_MATCH = TURN_SERVERS,
    TURN_TIMER_RETRY,
    TURN_TIMER_PEERS,    /* and one a peer from here on */
    TURN_DATAGRAM = 1400 /* of a session; 52 bytes for an indication fit a path of 1500 with IPv6 */
};

enum turn_over { TURN_OVER_UDP, TURN_OVER_TCP };
enum turn_relayed { TURN_RELAYED_BOTH, TURN_RELAYED_ONE };
enum turn_choice { TURN_ROUND_ROBIN, TURN_NEAREST };
enum turn_data { TURN_DATA_CHANNEL, TURN_DATA_INDICATION };
enum turn_naming { TURN_PSEUDONYM, TURN_NAME };

struct turn_opts {
    int64_t over, relayed, server, data, username;
    int64_t lifetime, expires;
    int64_t backoff_min, backoff_max;
    struct turn_server_limits limits;
};
extern const struct opt turn_opts[];

struct turn;

/* A server that is tried, or used. */
struct turn_try {
    struct turn_client client;
    struct turn *owner;
};

struct turn_route {
    struct reliable session;
    struct turn *owner;
    link_t link;          /* relayed: one, and this side is not: our own port's link to the peer */
    struct addr to, told; /* told: by the matchmaker; it may have moved since */
    bool known;           /* `to` is */
};

struct turn {
    struct transport_setup setup;
    struct turn_try *tries;
    uint32_t n_tries, active; /* active: the one that counts */
    bool chosen;              /* of several, one was the first to answer */
    uint32_t attempt;         /* how often servers were lost */
    uint8_t fails;            /* allocations in a row that led to nothing */
    ns_t retry_at;
    struct match_client match;
    struct turn_route *routes; /* as setup.peers */
    char username[STUN_TEXT], password[STUN_PASSWORD];
};

/* Services of role turn. */
uint32_t turn_servers(const struct roster *);
/* As struct transport_role's, of the client. */
int turn_init(void *self, const struct transport_setup *, struct err *);
int turn_send(void *self, party_t to, const void *data, size_t len);
void turn_event(void *self, const struct event *);
void turn_free(void *self);

#endif
