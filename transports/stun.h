/* STUN messages (RFC 8489) with TURN's attributes (RFC 8656), as plain structs.
 *
 * Encoding, MESSAGE-INTEGRITY (HMAC-SHA1) and FINGERPRINT are libre's; stun.c alone knows
 * it. Encoding draws no chance, and padding bytes are zero: the same struct gives the same
 * bytes. Transaction ids come from the caller.
 *
 * A decoded message borrows from libre and is given back with stun_drop(); its texts end with
 * a NUL and may be cut at one that a stranger sent. An address of IPv4 is mapped, as in
 * struct addr.
 */
#ifndef PARTYLINE_TRANSPORTS_STUN_H
#define PARTYLINE_TRANSPORTS_STUN_H

#include "engine/base/err.h"
#include "engine/env.h"

enum {
    STUN_HEADER = 20,
    STUN_TID = 12,
    STUN_KEY = 16,         /* MD5(username ":" realm ":" password), RFC 8489 9.2.2 */
    STUN_TEXT = 128,       /* what we encode of user names, realms and nonces, at most */
    STUN_PASSWORD = 32,    /* a REST password with its NUL */
    STUN_PEERS = 16,       /* XOR-PEER-ADDRESSes of one message that are kept */
    STUN_UNKNOWN = 8,      /* attributes not understood that are kept */
    STUN_MAX = 65535 + 20, /* bytes of a message */
    STUN_CHANNEL_HEADER = 4
};

#define STUN_COOKIE 0x2112A442U

enum stun_kind { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

enum stun_name {
    STUN_BINDING = 1,
    STUN_ALLOCATE = 3,
    STUN_REFRESH = 4,
    STUN_SEND = 6,
    STUN_DATA = 7,
    STUN_CREATE_PERMISSION = 8,
    STUN_CHANNEL_BIND = 9
};

/* Which of the numbers and addresses below are there. */
enum stun_has {
    STUN_HAS_LIFETIME = 1,
    STUN_HAS_CHANNEL = 2,
    STUN_HAS_TRANSPORT = 4,
    STUN_HAS_FAMILY = 8,
    STUN_HAS_RELAYED = 16,
    STUN_HAS_MAPPED = 32,
    STUN_HAS_ALTERNATE = 64,
    STUN_HAS_INTEGRITY = 128, /* decoded only: encoding is told by the key */
    STUN_HAS_FINGERPRINT = 256,
    STUN_HAS_ICMP = 512, /* decoded only */
    STUN_HAS_EVEN_PORT = 1024,
    STUN_HAS_TOKEN = 2048,
    STUN_HAS_DONT_FRAGMENT = 4096
};

struct stun_packet {
    enum stun_kind kind;
    uint16_t name; /* the method: enum stun_name, or one that we don't know */
    uint8_t tid[STUN_TID];
    unsigned has;
    uint32_t lifetime; /* seconds */
    uint16_t channel;
    uint8_t transport, family; /* IP's protocol number; 1: IPv4, 2: IPv6 */
    bool even_port_next;       /* EVEN-PORT asks for the next one as well */
    uint8_t icmp_type;         /* of the attribute ICMP (RFC 8656 18.13) */
    uint16_t icmp_code;
    struct addr relayed, mapped, alternate;          /* XOR-RELAYED, XOR-MAPPED, ALTERNATE-SERVER */
    const char *username, *realm, *nonce, *software; /* NULL: absent */
    uint16_t code;                                   /* of an error; 0: none */
    struct addr peers[STUN_PEERS];                   /* XOR-PEER-ADDRESS */
    uint32_t n_peers;
    uint16_t unknown[STUN_UNKNOWN]; /* decoded only: required, and not understood */
    uint32_t n_unknown;
    uint16_t listed[STUN_UNKNOWN]; /* UNKNOWN-ATTRIBUTES, of an error 420 */
    uint32_t n_listed;
    const uint8_t *data; /* NULL: absent */
    size_t len;
    void *own; /* libre's; decoded messages only */
};

/* Does it look like STUN (and not like ChannelData)? First bits 00 and the cookie. */
bool stun_is(const void *data, size_t len);
/* Exactly one message. OK; ERR_FORMAT (also: a bad FINGERPRINT), ERR_TRUNCATED, ERR_NOMEM:
 * nothing is to be given back. */
int stun_read(struct stun_packet *, const void *data, size_t len);
void stun_drop(struct stun_packet *);
/* Of a decoded message: is its MESSAGE-INTEGRITY there and made with this key? */
bool stun_signed_with(const struct stun_packet *, const uint8_t key[STUN_KEY]);
/* Bytes written, or 0: no memory, or more than cap. key NULL: without MESSAGE-INTEGRITY. */
size_t stun_write(const struct stun_packet *, const uint8_t *key, void *out, size_t cap);
/* An error's words. */
const char *stun_reason(uint16_t code);

void stun_key(uint8_t key[STUN_KEY], const char *username, const char *realm, const char *password);
/* coturn's `use-auth-secret`: base64(HMAC-SHA1(secret, username)), where the user name begins
 * with when it expires: "seconds since 1970:name". */
void stun_rest_password(char password[STUN_PASSWORD], const char *secret, const char *username);

#endif
