/* The matchmaker: where parties tell each other what they cannot know without a third one: the
 * address that the internet sees, and a blob of the transport's own (addresses, mostly).
 *
 * A small protocol, the same over LINK_DATAGRAM (the observed address is then that of the port
 * that punches) and LINK_MESSAGE. Integers are little-endian; an address is ip (16), port u16;
 * every message begins with kind u8 (0x30 + below) and version u8 (1).
 *
 *   HELLO      1  id u32, 22 bytes of zero                     client -> matchmaker
 *   CHALLENGE  2  nonce u64, observed address (28 bytes)       matchmaker -> client
 *   REGISTER   3  id u32, nonce u64, serial u64, n u8, blob n, signature (64, or none), then as
 *                 in WANT: n u8, n times id u32
 *   REGISTERED 4  serial u64, observed address
 *   WANT       5  id u32, n u8, n times id u32
 *   PEERS      6  entries: id u32, serial u64, observed address, n u8, blob n
 *
 * The nonce is a keyed hash of id, observed address and time: a matchmaker keeps nothing of who
 * has not shown that it hears at its address, and answers it with no more bytes than it sent.
 * With an identity, REGISTER is signed over (the matchmaker's Ed25519 key, nonce, id, serial,
 * blob), so it holds for this matchmaker and this address alone. A higher serial replaces a
 * lower one; it begins with the incarnation, so that of a restarted client is higher.
 *
 * A blob that is not for all is told to higher ids alone (MATCH_UPWARDS): others get an entry
 * without one. A blob of MATCH_ADDR bytes is an address of its sender, ip and port.
 *
 * Who wants a peer gets its entry, if there is one, and that peer is sent the asker's entry at
 * the same time: of two who want each other, the second to ask connects both. Nothing is
 * acknowledged: a client asks again, with back-off, until it is told to stop wanting. An entry
 * lives MATCH_LIFE after its client's last HELLO or REGISTER from the registered address; clients
 * say HELLO every MATCH_KEEP, which also keeps a NAT's mapping.
 *
 * A client whose observed address changes registers anew and wants all its peers once, which tells
 * them.
 *
 * Nothing is encrypted. What the messages show is declared in the clear (match_shows) by all who
 * read them: clients, the matchmaker of those that it takes, a TURN server of those that it
 * carries. HELLO and REGISTER: SHOWN_MEMBER, and SHOWN_ADDRESS of where it came from; REGISTER and
 * WANT: SHOWN_PAIR; PEERS: SHOWN_ADDRESS of each entry; and of a blob that is an address.
 *
 * To use it in a transport: give it the role MATCHMAKER_ROLE (engine/transport.h: `wanted` starts
 * one where a scenario lists none), and each party a struct match_client.
 */
#ifndef PARTYLINE_TRANSPORTS_MATCHMAKER_H
#define PARTYLINE_TRANSPORTS_MATCHMAKER_H

#include "engine/transport.h"
#include "transports/strangers.h"

enum {
    MATCH_PORT = 7001,
    MATCH_VERSION = 1,
    MATCH_KIND = 0x30, /* the upper half of each message's first byte */
    MATCH_HELLO = 0x31,
    MATCH_CHALLENGE = 0x32,
    MATCH_REGISTER = 0x33,
    MATCH_REGISTERED = 0x34,
    MATCH_WANT = 0x35,
    MATCH_PEERS = 0x36,
    MATCH_ADDR = 18,
    MATCH_GREETING = 28, /* bytes of HELLO and CHALLENGE */
    MATCH_BLOB_MAX = 127,
    MATCH_UPWARDS = 0x80, /* in REGISTER's n: the blob is told to higher ids alone */
    MATCH_WANTS = 64,     /* in one message */
    MATCH_MESSAGE = 1200, /* no message is longer */
    MATCH_STRANGERS = 64, /* streams, beyond one a party, that have not registered */
};
#define MATCH_KEEP (15 * NS_S)
#define MATCH_LIFE (60 * NS_S)

/* Declares what a message shows to who reads it; from: where it came from, if from a client. */
void match_shows(struct env *, const struct roster *, const struct addr *from,
                 const uint8_t *message, size_t len);

/* ---- the server ------------------------------------------------------------------------- */

struct match_entry;

struct matchmaker {
    struct transport_setup setup;
    struct match_entry **entries; /* one a party, NULL until it registers */
    struct strangers strangers;
    bool watched;
    uint8_t key[32];
};

extern const struct accept matchmaker_accepts[];
int matchmaker_init(void *self, const struct transport_setup *, struct err *);
void matchmaker_event(void *self, const struct event *);
void matchmaker_free(void *self);

/* For the initialiser of a transport's roles; wanted: see engine/transport.h. */
#define MATCHMAKER_ROLE(wanted_)                                                                   \
    {                                                                                              \
        .name = "matchmaker", .accepts = matchmaker_accepts, .size = sizeof(struct matchmaker),    \
        .init = matchmaker_init, .event = matchmaker_event, .free = matchmaker_free,               \
        .wanted = wanted_,                                                                         \
    }

/* ---- the client ------------------------------------------------------------------------- */

struct match_ops {
    /* A message for the matchmaker; may get lost. */
    void (*send)(void *ctx, const uint8_t *message, size_t len);
    /* The address that the matchmaker sees, when it is new; registering follows by itself. */
    void (*observed)(void *ctx, struct addr);
    /* A wanted peer's entry: new, or again. The blob is lent; anybody may have written it. */
    void (*peer)(void *ctx, party_t peer, struct addr observed, const uint8_t *blob, size_t len);
    /* Call match_tick at `at`; earlier wishes stay good. */
    void (*wake)(void *ctx, ns_t at);
};

struct match_client {
    const struct transport_setup *setup; /* lent */
    const struct match_ops *ops;
    void *ctx;
    party_t server;
    bool *wants; /* one a peer of setup->peers */
    uint32_t n_wants;
    struct addr seen;
    uint64_t nonce;
    uint32_t changes; /* the serial's lower half */
    uint8_t blob[MATCH_BLOB_MAX];
    size_t blob_len;
    bool upwards; /* the blob is for higher ids alone */
    bool open, registered;
    bool announce; /* our address is another one: everybody is asked for, to be told of it */
    ns_t greeted_at, greet_at, want_at, woken;
    ns_t greet_wait, want_wait;
};

/* The first service of role matchmaker, or PARTY_NONE. */
party_t match_find(const struct roster *);

/* Zeroed, then this. server: match_find's. OK or ERR_NOMEM. */
int match_init(struct match_client *, const struct transport_setup *, party_t server,
               const struct match_ops *, void *ctx);
void match_free(struct match_client *);
/* The way to the matchmaker is there (a stream is up, a port is bound): register. Again after
 * match_closed, when it was lost. */
void match_open(struct match_client *);
void match_closed(struct match_client *);
/* What peers will be told, or those of higher ids alone, at most MATCH_BLOB_MAX bytes; registers
 * anew if it is another one. */
void match_publish(struct match_client *, const uint8_t *blob, size_t len, bool upwards);
/* Begin and stop asking for a peer, by its index in setup->peers. */
void match_want(struct match_client *, uint32_t peer, bool want);
/* Something is amiss on the way to a peer: has our own address changed? Says HELLO, unless it did
 * so just now. */
void match_check(struct match_client *);
/* From the matchmaker. False: malformed, or nothing of its kind (count the drop). */
bool match_input(struct match_client *, const uint8_t *message, size_t len);
void match_tick(struct match_client *);

#endif
