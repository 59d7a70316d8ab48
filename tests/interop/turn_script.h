/* One list of requests to a TURN server, and what it answered, as text: run against the
 * simulated server and against coturn, which must answer the same. Included once a program.
 *
 * A wire has SCRIPT_CLIENTS clients with addresses of their own. receive() gives one message
 * of the server, or 0 if none came (within a time that is the wire's to choose).
 */
#ifndef PARTYLINE_TESTS_TURN_SCRIPT_H
#define PARTYLINE_TESTS_TURN_SCRIPT_H

#include "transports/turn_wire.h"

#include <stdarg.h>
#include <stdio.h>

enum { SCRIPT_CLIENTS = 4, SCRIPT_ATTR = 256 };

#define SCRIPT_REALM "partyline.test"
#define SCRIPT_SECRET "not-much-of-a-secret"
#define SCRIPT_USER "2147483647:alice"

struct wire {
    bool stream;
    void (*send)(struct wire *, unsigned client, const void *data, size_t len);
    size_t (*receive)(struct wire *, unsigned client, uint8_t *buf, size_t cap);
    /* A new connection or port for this client; the old one is gone. */
    void (*renew)(struct wire *, unsigned client);
    void (*wait)(struct wire *, ns_t);
};

struct script {
    struct wire *wire;
    char out[16384];
    size_t len;
    uint8_t ids;
    char nonce[SCRIPT_CLIENTS][STUN_TEXT];
    struct addr relayed[SCRIPT_CLIENTS];
    const char *user, *password; /* NULL: as the secret says */
    const char *realm;
    const uint8_t *more; /* attributes to add */
    size_t more_len;
};

static inline void script_say(struct script *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void script_say(struct script *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    s->len += (size_t)vsnprintf(s->out + s->len, sizeof s->out - s->len, format, ap);
    va_end(ap);
    if (s->len >= sizeof s->out)
        s->len = sizeof s->out - 1;
}

static inline void script_key(const struct script *s, uint8_t key[STUN_KEY])
{
    char password[STUN_PASSWORD];
    stun_rest_password(password, SCRIPT_SECRET, s->user);
    stun_key(key, s->user, s->realm, s->password ? s->password : password);
}

/* In words: what an answer says, as far as it has to be the same everywhere. */
static inline void script_tell(struct script *s, const struct stun_packet *m, bool is_signed)
{
    static const char *const kinds[] = {"request", "indication", "success", "error"};
    script_say(s, " %s", kinds[m->kind]);
    if (m->code)
        script_say(s, " %u", m->code);
    if (m->realm)
        script_say(s, " realm");
    if (m->nonce)
        script_say(s, " nonce");
    if (m->has & STUN_HAS_RELAYED)
        script_say(s, " relayed");
    if (m->has & STUN_HAS_MAPPED)
        script_say(s, " mapped");
    if (m->has & STUN_HAS_LIFETIME)
        script_say(s, " lifetime=%u", m->lifetime);
    if (m->has & STUN_HAS_ALTERNATE)
        script_say(s, " alternate");
    for (uint32_t i = 0; i < m->n_listed; i++)
        script_say(s, " unknown=%x", m->listed[i]);
    if (m->n_peers)
        script_say(s, " peer");
    if (m->data)
        script_say(s, " data=%.*s", (int)m->len, (const char *)m->data);
    if (is_signed)
        script_say(s, " signed");
    if (m->has & STUN_HAS_FINGERPRINT)
        script_say(s, " crc");
}

static inline void script_answer(struct script *s, unsigned client, const char *what,
                                 const uint8_t *tid)
{
    uint8_t buf[4096], key[STUN_KEY];
    const uint8_t *data;
    struct stun_packet m;
    size_t len = s->wire->receive(s->wire, client, buf, sizeof buf), n;
    uint16_t channel;
    script_say(s, "%s:", what);
    script_key(s, key);
    if (len == 0) {
        script_say(s, " nothing\n");
        return;
    }
    channel = turn_channel_read(buf, len, &data, &n);
    if (channel) {
        script_say(s, " channel %x data=%.*s\n", channel, (int)n, (const char *)data);
        return;
    }
    if (stun_read(&m, buf, len) != OK) {
        script_say(s, " garbage of %zu bytes\n", len);
        return;
    }
    script_tell(s, &m, stun_signed_with(&m, key));
    script_say(s, "%s\n", tid && memcmp(tid, m.tid, STUN_TID) ? " to another request" : "");
    if (m.nonce)
        snprintf(s->nonce[client], sizeof s->nonce[client], "%s", m.nonce);
    if (m.has & STUN_HAS_RELAYED)
        s->relayed[client] = m.relayed;
    stun_drop(&m);
}

/* libre's, for messages that stun_write does not write. */
void hmac_sha1(const uint8_t *, size_t, const uint8_t *, size_t, uint8_t *, size_t);

/* Appends MESSAGE-INTEGRITY. */
static inline size_t script_sign(uint8_t *buf, size_t len, const uint8_t key[STUN_KEY])
{
    static const uint8_t head[] = {0, 8, 0, 20};
    size_t body = len - STUN_HEADER + 24;
    buf[2] = (uint8_t)(body >> 8);
    buf[3] = (uint8_t)body;
    hmac_sha1(key, STUN_KEY, buf, len, buf + len + 4, 20);
    memcpy(buf + len, head, sizeof head);
    return len + 24;
}

static inline void script_ids(struct script *s, struct stun_packet *m)
{
    memset(m->tid, ++s->ids, STUN_TID);
    m->tid[0] = 'p';
}

enum { BARE, SIGNED, NO_USER, NO_REALM, NO_NONCE };

/* Writes a request into buf. */
static inline size_t script_write(struct script *s, unsigned client, struct stun_packet *m, int how,
                                  uint8_t *buf, size_t cap)
{
    uint8_t key[STUN_KEY];
    size_t len;
    script_key(s, key);
    if (how != BARE) {
        m->username = how == NO_USER ? NULL : s->user;
        m->realm = how == NO_REALM ? NULL : s->realm;
        m->nonce = how == NO_NONCE ? NULL : s->nonce[client];
    }
    if (!s->more)
        return stun_write(m, how == BARE ? NULL : key, buf, cap);
    len = stun_write(m, NULL, buf, cap - s->more_len);
    memcpy(buf + len, s->more, s->more_len);
    len += s->more_len;
    buf[2] = (uint8_t)((len - STUN_HEADER) >> 8);
    buf[3] = (uint8_t)(len - STUN_HEADER);
    return how == BARE ? len : script_sign(buf, len, key);
}

static inline void script_ask(struct script *s, unsigned client, const char *what,
                              struct stun_packet m, int how)
{
    uint8_t buf[4096];
    size_t len;
    script_ids(s, &m);
    len = script_write(s, client, &m, how, buf, sizeof buf);
    s->wire->send(s->wire, client, buf, len);
    script_answer(s, client, what, m.tid);
}

static inline struct addr script_ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
    return (struct addr){.ip = {[10] = 255, [11] = 255, [12] = a, [13] = b, [14] = c, [15] = d},
                         .port = port};
}

/* ---- the requests ------------------------------------------------------------------------------
 */

#define ALLOCATE_(...)                                                                             \
    (struct stun_packet)                                                                           \
    {                                                                                              \
        .name = STUN_ALLOCATE, __VA_ARGS__                                                         \
    }
#define GOOD_ALLOCATE ALLOCATE_(.has = STUN_HAS_TRANSPORT, .transport = 17)
#define REFRESH_(...)                                                                              \
    (struct stun_packet)                                                                           \
    {                                                                                              \
        .name = STUN_REFRESH, __VA_ARGS__                                                          \
    }
#define REFRESH_TO(seconds) REFRESH_(.has = STUN_HAS_LIFETIME, .lifetime = (seconds))
#define PERMIT(...)                                                                                \
    (struct stun_packet)                                                                           \
    {                                                                                              \
        .name = STUN_CREATE_PERMISSION, __VA_ARGS__                                                \
    }
#define BIND(...)                                                                                  \
    (struct stun_packet)                                                                           \
    {                                                                                              \
        .name = STUN_CHANNEL_BIND, __VA_ARGS__                                                     \
    }

#define CHANNEL(number, peer)                                                                      \
    BIND(.has = STUN_HAS_CHANNEL, .channel = (number), .peers = {peer}, .n_peers = 1)

static inline void script_credentials(struct script *s)
{
    static const uint8_t unknown[] = {0x7f, 0x77, 0, 4, 1, 2, 3, 4};
    static const uint8_t optional[] = {0xff, 0x77, 0, 4, 1, 2, 3, 4};
    const struct addr peer = script_ip(192, 0, 2, 1, 1000);
    script_ask(s, 0, "binding", (struct stun_packet){.name = STUN_BINDING}, BARE);
    script_ask(s, 0, "allocate without credentials", GOOD_ALLOCATE, BARE);
    s->password = "guess";
    script_ask(s, 0, "allocate with a wrong password", GOOD_ALLOCATE, SIGNED);
    s->password = NULL;
    s->user = "1:alice";
    script_ask(s, 1, "allocate without credentials, anew", GOOD_ALLOCATE, BARE);
    script_ask(s, 1, "allocate with an expired user name", GOOD_ALLOCATE, SIGNED);
    s->user = "alice";
    script_ask(s, 2, "allocate without credentials, once more", GOOD_ALLOCATE, BARE);
    script_ask(s, 2, "allocate with a user name without time", GOOD_ALLOCATE, SIGNED);
    s->user = SCRIPT_USER;
    script_ask(s, 0, "allocate without a user name", GOOD_ALLOCATE, NO_USER);
    script_ask(s, 0, "allocate without a realm", GOOD_ALLOCATE, NO_REALM);
    script_ask(s, 0, "allocate without a nonce", GOOD_ALLOCATE, NO_NONCE);
    s->realm = "elsewhere";
    script_ask(s, 3, "allocate without credentials, at last", GOOD_ALLOCATE, BARE);
    script_ask(s, 3, "allocate with a wrong realm", GOOD_ALLOCATE, SIGNED);
    s->realm = SCRIPT_REALM;
    for (unsigned i = 1; i < SCRIPT_CLIENTS; i++)
        s->wire->renew(s->wire, i);
    snprintf(s->nonce[0], sizeof s->nonce[0], "0123456789abcdef");
    script_ask(s, 0, "allocate with a wrong nonce", GOOD_ALLOCATE, SIGNED);
    script_ask(s, 0, "refresh without allocation", REFRESH_(.has = 0), SIGNED);
    script_ask(s, 0, "permission without allocation", PERMIT(.peers = {peer}, .n_peers = 1),
               SIGNED);
    script_ask(s, 0, "channel without allocation", CHANNEL(0x4000, peer), SIGNED);
    script_ask(s, 0, "allocate without transport", ALLOCATE_(.has = 0), SIGNED);
    script_ask(s, 0, "allocate TCP", ALLOCATE_(.has = STUN_HAS_TRANSPORT, .transport = 6), SIGNED);
    script_ask(s, 0, "allocate transport 99", ALLOCATE_(.has = STUN_HAS_TRANSPORT, .transport = 99),
               SIGNED);
    script_ask(s, 0, "allocate IPv6",
               ALLOCATE_(.has = STUN_HAS_TRANSPORT | STUN_HAS_FAMILY, .transport = 17, .family = 2),
               SIGNED);
    script_ask(s, 0, "allocate family 9",
               ALLOCATE_(.has = STUN_HAS_TRANSPORT | STUN_HAS_FAMILY, .transport = 17, .family = 9),
               SIGNED);
    s->more = unknown;
    s->more_len = sizeof unknown;
    script_ask(s, 0, "allocate with an attribute unknown", GOOD_ALLOCATE, SIGNED);
    script_ask(s, 0, "allocate with an attribute unknown, bare", GOOD_ALLOCATE, BARE);
    s->more = optional;
    s->more_len = sizeof optional;
    script_ask(s, 0, "binding with an optional attribute unknown",
               (struct stun_packet){.name = STUN_BINDING}, BARE);
    s->more = NULL;
    script_ask(s, 0, "method 15", (struct stun_packet){.name = 15}, SIGNED);
}

static inline void script_allocation(struct script *s)
{
    struct stun_packet m = GOOD_ALLOCATE;
    uint8_t buf[4096];
    size_t len;
    script_ids(s, &m);
    len = script_write(s, 0, &m, SIGNED, buf, sizeof buf);
    s->wire->send(s->wire, 0, buf, len);
    script_answer(s, 0, "allocate", m.tid);
    s->wire->send(s->wire, 0, buf, len);
    script_answer(s, 0, "the same allocate again", m.tid);
    script_ask(s, 0, "another allocate", GOOD_ALLOCATE, SIGNED);
    s->user = "2147483647:bob";
    script_ask(s, 0, "refresh by another user", REFRESH_(.has = 0), SIGNED);
    s->user = "2147483646:alice";
    script_ask(s, 0, "refresh by the user with another time", REFRESH_(.has = 0), SIGNED);
    s->user = SCRIPT_USER;
    script_ask(s, 0, "refresh to 1200", REFRESH_TO(1200), SIGNED);
    script_ask(s, 0, "refresh to 1", REFRESH_TO(1), SIGNED);
    script_ask(s, 0, "refresh to 99999", REFRESH_TO(99999), SIGNED);
    script_ask(s, 0, "refresh", REFRESH_(.has = 0), SIGNED);
    script_ask(s, 0, "refresh of IPv6", REFRESH_(.has = STUN_HAS_FAMILY, .family = 2), SIGNED);
    script_ask(s, 0, "refresh without credentials", REFRESH_(.has = 0), BARE);
    snprintf(s->nonce[0], sizeof s->nonce[0], "0123456789abcdef");
    script_ask(s, 0, "refresh with a stale nonce", REFRESH_(.has = 0), SIGNED);
    script_ask(s, 0, "refresh with the new nonce", REFRESH_(.has = 0), SIGNED);
}

static inline void script_peers(struct script *s)
{
    const struct addr good = script_ip(192, 0, 2, 1, 1000), other = script_ip(192, 0, 2, 2, 1000),
                      loop = script_ip(127, 0, 0, 1, 1000), zero = script_ip(0, 0, 0, 0, 1000),
                      multi = script_ip(224, 0, 0, 1, 1000),
                      v6 = {.ip = {0x20, 1, 0xd, 0xb8}, .port = 1000};
    script_ask(s, 0, "permission for nobody", PERMIT(.has = 0), SIGNED);
    script_ask(s, 0, "permission", PERMIT(.peers = {good}, .n_peers = 1), SIGNED);
    script_ask(s, 0, "permission for two", PERMIT(.peers = {good, other}, .n_peers = 2), SIGNED);
    script_ask(s, 0, "permission for loopback", PERMIT(.peers = {loop}, .n_peers = 1), SIGNED);
    script_ask(s, 0, "permission for 0.0.0.0", PERMIT(.peers = {zero}, .n_peers = 1), SIGNED);
    script_ask(s, 0, "permission for multicast", PERMIT(.peers = {multi}, .n_peers = 1), SIGNED);
    script_ask(s, 0, "permission for one and loopback", PERMIT(.peers = {good, loop}, .n_peers = 2),
               SIGNED);
    script_ask(s, 0, "permission for IPv6", PERMIT(.peers = {v6}, .n_peers = 1), SIGNED);
    script_ask(s, 0, "permission without credentials", PERMIT(.peers = {good}, .n_peers = 1), BARE);
    script_ask(s, 0, "channel without number", BIND(.peers = {good}, .n_peers = 1), SIGNED);
    script_ask(s, 0, "channel without peer", BIND(.has = STUN_HAS_CHANNEL, .channel = 0x4000),
               SIGNED);
    script_ask(s, 0, "channel 3fff", CHANNEL(0x3fff, good), SIGNED);
    script_ask(s, 0, "channel 8000", CHANNEL(0x8000, good), SIGNED);
    script_ask(s, 0, "channel 4000", CHANNEL(0x4000, good), SIGNED);
    script_ask(s, 0, "channel 4000 again", CHANNEL(0x4000, good), SIGNED);
    script_ask(s, 0, "channel 4000 for another peer", CHANNEL(0x4000, other), SIGNED);
    script_ask(s, 0, "channel 4001 for the same peer", CHANNEL(0x4001, good), SIGNED);
    script_ask(s, 0, "channel 4fff", CHANNEL(0x4fff, other), SIGNED);
    script_ask(s, 0, "channel for loopback", CHANNEL(0x4002, loop), SIGNED);
    script_ask(s, 0, "channel for IPv6", CHANNEL(0x4003, v6), SIGNED);
}

static inline void script_garbage(struct script *s)
{
    struct stun_packet m = REFRESH_(.has = STUN_HAS_FINGERPRINT);
    uint8_t buf[4096];
    char software[801];
    size_t len;
    script_ids(s, &m);
    len = script_write(s, 0, &m, SIGNED, buf, sizeof buf);
    s->wire->send(s->wire, 0, buf, len - 4);
    script_answer(s, 0, "a truncated request", NULL);
    buf[len - 1] ^= 1;
    s->wire->send(s->wire, 0, buf, len);
    script_answer(s, 0, "a wrong fingerprint", NULL);
    buf[4] ^= 1;
    s->wire->send(s->wire, 0, buf, len);
    script_answer(s, 0, "a wrong cookie", NULL);
    s->wire->send(s->wire, 0, "\x40\x00\x00\x05hello", 9);
    script_answer(s, 0, "data on a channel to nowhere", NULL);
    s->wire->send(s->wire, 0, "\x4a\x00\x00\x05hello", 9);
    script_answer(s, 0, "data on an unbound channel", NULL);
    s->wire->send(s->wire, 0, "\x40\x00\x00\x50hello", 9);
    script_answer(s, 0, "truncated data on a channel", NULL);
    s->wire->send(s->wire, 0, "\xc0\x00\x00\x00", 4);
    script_answer(s, 0, "neither STUN nor a channel", NULL);
    memset(software, 'x', sizeof software - 1);
    software[sizeof software - 1] = 0;
    m = REFRESH_(.software = software);
    script_ask(s, 0, "refresh with a long text", m, SIGNED);
    script_ask(s, 0, "refresh after all that", REFRESH_(.has = 0), SIGNED);
}

/* Where messages begin and end is for the server to find out. */
static inline void script_stream(struct script *s)
{
    struct stun_packet m = REFRESH_(.has = 0);
    uint8_t buf[4096];
    size_t len, more;
    script_ids(s, &m);
    len = script_write(s, 0, &m, SIGNED, buf, sizeof buf);
    s->wire->send(s->wire, 0, buf, 3);
    s->wire->send(s->wire, 0, buf + 3, len - 3);
    script_answer(s, 0, "a request in two pieces", m.tid);
    memcpy(buf + len, "\x4a\x00\x00\x05hello\0\0", 12);
    more = len + 12;
    script_ids(s, &m);
    more += script_write(s, 0, &m, SIGNED, buf + more, sizeof buf - more);
    s->wire->send(s->wire, 0, buf, more);
    script_answer(s, 0, "two requests in one piece, and data between them", NULL);
    script_answer(s, 0, "the second of them", m.tid);
}

/* What coturn knows of an allocation that was deleted over UDP differs from time to time: it
 * answers a later Refresh as if it were there. So nothing more is asked. */
static inline void script_end(struct script *s)
{
    script_ask(s, 0, "refresh to 0", REFRESH_TO(0), SIGNED);
    s->wire->wait(s->wire, 3 * NS_S);
}

/* The server allows one user two allocations. */
static inline void script_quota(struct script *s)
{
    static const char *const names[] = {"", "first", "second", "third"};
    char what[64];
    s->user = "2147483647:carol"; /* coturn may still count what alice has deleted over UDP */
    for (unsigned i = 1; i < SCRIPT_CLIENTS; i++) {
        snprintf(what, sizeof what, "the %s client, bare", names[i]);
        script_ask(s, i, what, GOOD_ALLOCATE, BARE);
        snprintf(what, sizeof what, "the %s client", names[i]);
        script_ask(s, i, what, GOOD_ALLOCATE, SIGNED);
    }
    script_ask(s, 1, "the first client leaves", REFRESH_TO(0), SIGNED);
    s->wire->wait(s->wire, 3 * NS_S);
    script_ask(s, 3, "the third client again", GOOD_ALLOCATE, SIGNED);
    script_ask(s, 2, "the second client leaves", REFRESH_TO(0), SIGNED);
    script_ask(s, 3, "the third client leaves", REFRESH_TO(0), SIGNED);
}

/* A server with allowed loopback peers, permissions of 2 s, channels of 4 s, nonces of 2 s and
 * allocations of 3 s at most. The first client talks to the second, relayed port to relayed port.
 */
static inline void script_data(struct script *s, unsigned from, unsigned to, const char *what,
                               bool channel)
{
    struct stun_packet m = {.kind = STUN_INDICATION,
                            .name = STUN_SEND,
                            .peers = {s->relayed[to]},
                            .n_peers = 1,
                            .data = (const uint8_t *)"hello",
                            .len = 5};
    uint8_t buf[TURN_MESSAGE_MAX];
    script_ids(s, &m);
    s->wire->send(s->wire, from, buf,
                  channel ? turn_channel_write(0x4000, "hello", 5, s->wire->stream, buf)
                          : stun_write(&m, NULL, buf, sizeof buf));
    script_answer(s, to, what, NULL);
}

static inline void script_relaying(struct script *s)
{
    for (unsigned i = 0; i < 2; i++) {
        script_ask(s, i, "bare", GOOD_ALLOCATE, BARE);
        script_ask(s, i, "allocate", GOOD_ALLOCATE, SIGNED);
    }
    script_data(s, 0, 1, "sent without any permission", false);
    script_ask(s, 0, "permission", PERMIT(.peers = {s->relayed[1]}, .n_peers = 1), SIGNED);
    script_data(s, 0, 1, "sent without permission at the peer", false);
    script_ask(s, 1, "permission", PERMIT(.peers = {s->relayed[0]}, .n_peers = 1), SIGNED);
    script_data(s, 0, 1, "sent", false);
    script_data(s, 1, 0, "sent back", false);
    script_data(s, 0, 1, "on an unbound channel", true);
    script_ask(s, 0, "channel", CHANNEL(0x4000, s->relayed[1]), SIGNED);
    script_data(s, 0, 1, "on a channel", true);
    script_data(s, 1, 0, "to a channel", false);
    script_ask(s, 1, "channel", CHANNEL(0x4000, s->relayed[0]), SIGNED);
    script_data(s, 0, 1, "from channel to channel", true);
    s->wire->wait(s->wire, 2500 * NS_MS);
    script_ask(s, 0, "after the nonce's end", PERMIT(.peers = {s->relayed[1]}, .n_peers = 1),
               SIGNED);
    s->wire->wait(s->wire, 1000 * NS_MS);
    script_ask(s, 0, "after the allocation's end, bare", REFRESH_(.has = 0), BARE);
    script_ask(s, 0, "after the allocation's end", REFRESH_(.has = 0), SIGNED);
}

static inline void script_start(struct script *s, struct wire *wire)
{
    *s = (struct script){.wire = wire, .user = SCRIPT_USER, .realm = SCRIPT_REALM};
}

static inline void script_refusals(struct script *s)
{
    script_credentials(s);
    script_allocation(s);
    script_peers(s);
    if (s->wire->stream)
        script_stream(s);
    else
        script_garbage(s);
    script_end(s);
    script_quota(s);
}

#endif
