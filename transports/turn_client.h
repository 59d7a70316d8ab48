/* A TURN client (RFC 8656): one allocation on one server, over UDP or TCP, and what it takes
 * to send through it. It speaks to the world through env alone; the same code runs in every
 * world and against coturn.
 *
 * Life: turn_client_init; turn_client_open; then up() or down(); after up() down() ends it.
 * After down() the client is idle: its link is closed, and open() begins again. Long-term
 * credentials (RFC 8489, 9.2): the first request goes without and is answered by 401 with
 * realm and nonce. A 438 brings a new nonce; after TURN_CLIENT_RETRIES of one transaction
 * it has failed. An answer to a signed request must be signed with our key, but for the errors
 * that cannot be (400, 401, 438) or are not by coturn (437, 441); others are dropped. SHA-256
 * variants of RFC 8489 are not offered: coturn does not have them.
 *
 * Requests over UDP are sent again after 500 ms, doubled, 7 times in all, and have failed
 * 8 s (16 times 500 ms) after the last; over TCP they fail after 39.5 s.
 *
 *   401 with credentials, 441   down: they are wrong
 *   300                         the same at the server named, TURN_CLIENT_HOPS times at most
 *   437 to Allocate             what an earlier life left there is deleted, once; then down
 *   437 otherwise, 400          down: the allocation is gone (coturn says 400 about a peer)
 *   403, 443 about a peer       refused()
 *   486, 508, others            down
 *
 * A relayed port of IPv6 is asked for at a server that has such an address.
 *
 * The allocation is refreshed a minute before its end, a peer's binding after four minutes of
 * five. When for TURN_CLIENT_PROBE nothing came of what was sent, a Refresh asks the server
 * whether it still knows us: a restarted one does not.
 *
 * Peers are numbered by the caller, 0 .. n_peers - 1. Binding a peer to an address makes
 * permission and channel (ChannelBind), or with `indications` the permission only
 * (CreatePermission) and data goes by Send indications. Messages are datagrams: they may get
 * lost. Callbacks come from within turn_client_event only, but for none; the client may be
 * closed in every one of them.
 */
#ifndef PARTYLINE_TRANSPORTS_TURN_CLIENT_H
#define PARTYLINE_TRANSPORTS_TURN_CLIENT_H

#include "engine/base/map.h"
#include "transports/turn_wire.h"

enum { TURN_CLIENT_RETRIES = 3, TURN_CLIENT_HOPS = 3, TURN_CLIENT_REQUEST = 640 };
#define TURN_CLIENT_PROBE (2 * NS_S)
#define TURN_CLIENT_RTO (500 * NS_MS)

struct turn_client_ops {
    /* The server lives: it has answered the first request. NULL: not wanted. */
    void (*challenged)(void *ctx);
    /* We have a relayed address; mapped is ours as the server sees it. */
    void (*up)(void *ctx, const struct addr *relayed, const struct addr *mapped);
    /* It is gone or was not to be had; code: of the server's error, or 0. */
    void (*down)(void *ctx, uint16_t code, enum down_reason why);
    void (*bound)(void *ctx, uint32_t peer);
    /* Of a binding; the peer is unbound. */
    void (*refused)(void *ctx, uint32_t peer, uint16_t code);
    /* peer: PARTY_NONE if it is bound to none; from is told for an indication or a bound peer. */
    void (*data)(void *ctx, uint32_t peer, const struct addr *from, const uint8_t *, size_t);
    /* The relayed port got an ICMP error about what went to this peer (RFC 8656, 11.5). */
    void (*icmp)(void *ctx, uint32_t peer, uint8_t type, uint16_t code);
};

struct turn_client_setup {
    struct env *env;
    struct addr server;
    bool stream;       /* TCP */
    bool indications;  /* no channels */
    bool fingerprint;  /* on requests */
    uint32_t lifetime; /* seconds to ask for; 0: the server's default */
    unsigned timer;    /* the one that it arms */
    uint32_t n_peers;
    const char *username, *password; /* below STUN_TEXT bytes; lent */
    const struct turn_client_ops *ops;
    void *ctx;
};

enum turn_client_state {
    TURN_CLIENT_IDLE,
    TURN_CLIENT_CONNECTING,
    TURN_CLIENT_ALLOCATING,
    TURN_CLIENT_UP
};

/* A request that waits for its answer; bytes NULL: none. */
struct turn_request {
    uint8_t tid[STUN_TID];
    uint8_t *bytes;
    size_t len;
    uint16_t name;
    uint8_t sends, stale;
    bool signed_;
    bool bye; /* a Refresh that deletes */
    ns_t at;  /* when to send again, or to give up */
};

struct turn_peer {
    struct addr addr;
    uint16_t channel; /* 0: none */
    bool wanted, bound;
    ns_t refresh;
    struct turn_request request;
};

struct turn_client {
    struct turn_client_setup setup;
    enum turn_client_state state;
    struct addr server; /* after 300: another */
    link_t link;
    struct turn_stream stream;
    struct turn_request main;
    struct turn_peer *peers;
    struct map by_channel; /* a peer's number, or what was it */
    struct addr relayed, mapped;
    char realm[STUN_TEXT], nonce[STUN_TEXT];
    uint8_t key[STUN_KEY];
    bool has_key, cleared; /* cleared: a 437 to Allocate has been answered */
    uint8_t hops;
    uint16_t next_channel;
    uint32_t lifetime;
    ns_t refresh, asked; /* asked: first thing sent since we heard anything, or NS_NEVER */
    ns_t armed;
    uint32_t life; /* counts openings and closings: a callback may have ended this one */
};

/* OK, ERR_INVALID (a text is too long), ERR_NOMEM. */
int turn_client_init(struct turn_client *, const struct turn_client_setup *, struct err *);
void turn_client_open(struct turn_client *);
/* Idle, without a word to the server. */
void turn_client_close(struct turn_client *);
/* Deletes the allocation (a Refresh to 0) and is idle when the server has said so: down(0, LOCAL).
 */
void turn_client_bye(struct turn_client *);
void turn_client_free(struct turn_client *);

/* Binds a peer to an address, or to another. */
void turn_client_bind(struct turn_client *, uint32_t peer, const struct addr *);
void turn_client_unbind(struct turn_client *, uint32_t peer);
/* OK; ERR_CLOSED: not bound; ERR_TOO_BIG; ERR_AGAIN: TCP is full, and this one is lost. */
int turn_client_send(struct turn_client *, uint32_t peer, const void *data, size_t len);
/* True: the event was the client's. Timers are told by number. */
bool turn_client_event(struct turn_client *, const struct event *);

#endif
