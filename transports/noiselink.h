/* A link to a service with a known key: one LINK_MESSAGE stream under Noise_IK, on which the
 * dialler then proves its identity. The dialler's network sees neither identity nor content,
 * only the service's address, sizes and times.
 *
 * The stream's messages, in order (integers little-endian):
 *
 *   hello, the dialler's: NOISELINK_HELLO = 113 bytes. Noise_IK, message 1; its payload:
 *      0   1  NOISELINK_VERSION
 *      1   4  who dials     \ indexes into the roster
 *      5   4  who is wanted /
 *      9   8  session: (incarnation + 1) << 32 | number of the dial, from 1
 *   answer, the service's: NOISELINK_ANSWER = 48 bytes. Noise_IK, message 2, empty payload.
 *   proof, the dialler's: NOISELINK_PROOF = 80 bytes, sealed: the Ed25519 signature of the
 *      service's whole public identity || handshake hash, under `context` (identity.h).
 *   then messages of both sides, sealed: NOISE_TAG bytes more than they are. The nonce is
 *      implicit: the stream has an order, and what is cut out, doubled, moved or altered ends it.
 *
 * Why nobody else can be believed: message 1 can be replayed and its index claimed by anybody,
 * so the service answers only if the static key that is proven in it is the roster's for that
 * index, and counts the link as open only at the proof. That names the Ed25519 identity of the
 * same roster entry and this very session with this very service: forwarded to another service,
 * or replayed, it fails. So an index is as good as the identity once a link is open. The roster's
 * X25519 key of the service is believed only if its Ed25519 key has signed it.
 *
 * With `channel: none` there are no identities (self.identity is NULL): the hello is its payload
 * alone, NOISELINK_PLAIN = 17 bytes, there is neither answer nor proof, and what it claims is
 * believed. With a modelled identity everything has its size and its cost, and no signature is
 * checked.
 *
 * Costs charged: dialler 5 X25519, 4 AEAD, 1 signature, and once a service 1 verification (the
 * caller keeps `trusted`); service 5 X25519, 4 AEAD, 1 verification; then 1 AEAD, and AEAD_KIB,
 * for each message.
 *
 * Setup, on a path of round trip r from the first SYN: the dialler may send at 2 r, the service
 * at 2.5 r; plain: 1 r and 1.5 r.
 */
#ifndef PARTYLINE_TRANSPORTS_NOISELINK_H
#define PARTYLINE_TRANSPORTS_NOISELINK_H

#include "engine/base/err.h"
#include "engine/crypto/identity.h"
#include "engine/crypto/noise.h"
#include "engine/env.h"
#include "engine/roster.h"

enum {
    NOISELINK_VERSION = 1,
    NOISELINK_PLAIN = 17,
    NOISELINK_HELLO = 96 + NOISELINK_PLAIN,
    NOISELINK_ANSWER = 48,
    NOISELINK_PROOF = IDENTITY_SIGNATURE + NOISE_TAG,
    NOISELINK_MAX = NOISE_MESSAGE_MAX - NOISE_TAG /* bytes of a message, in every mode */
};

/* What a node's links share; lent. */
struct noiselink_self {
    struct env *env;
    const struct roster *roster;
    const struct identity *identity; /* NULL: plain */
    party_t self;
    const char *context; /* names the use; prologue of the handshake, context of the proof */
};

enum noiselink_stage {
    NOISELINK_ACCEPTED, /* nothing has come yet */
    NOISELINK_SHAKING,  /* the dialler waits for the answer */
    NOISELINK_PROVING,  /* the service waits for the proof */
    NOISELINK_OPEN
};

struct noiselink_shake;

struct noiselink {
    link_t link;
    party_t peer;     /* dialled; or claimed, and proven when open */
    uint64_t session; /* the dialler's; above 0 */
    uint8_t stage;    /* enum noiselink_stage */
    struct noise_cipher send, recv;
    struct noiselink_shake *shake; /* NULL once all of the handshake is sent */
};

/* The link is up: sends the hello. *trusted: the service's identity is verified, kept by the
 * caller for each service. OK; ERR_AUTH: the roster's entry of the service is worth nothing;
 * ERR_NOMEM; ERR_CLOSED. In case of an error the caller closes the link. */
int noiselink_dial(struct noiselink *, const struct noiselink_self *, link_t, party_t service,
                   uint32_t number, bool *trusted);
/* A link that came in. */
void noiselink_accept(struct noiselink *, link_t);

/* A message came: foreign bytes. OK with *plain_len > 0: `plain` is a message, in `buf` or in
 * `data` itself; OK with 0: the handshake went on, look at `stage`. ERR_FORMAT, ERR_AUTH (keys,
 * proof or tag), ERR_NOMEM, ERR_CLOSED: the caller closes the link and counts the drop. */
int noiselink_read(struct noiselink *, const struct noiselink_self *, const uint8_t *data,
                   size_t len, uint8_t buf[LINK_MESSAGE_MAX], const uint8_t **plain,
                   size_t *plain_len);

/* Seals `len` bytes (1 to NOISELINK_MAX) in place and sends them; buf has NOISE_TAG bytes more
 * and is worthless afterwards. OK; ERR_AGAIN: nothing was taken, wait for EV_ROOM and
 * noiselink_room; ERR_STATE: not open; ERR_CLOSED. */
int noiselink_send(struct noiselink *, const struct noiselink_self *, uint8_t *buf, size_t len);
/* EV_ROOM: sends what is left of the handshake. ERR_AGAIN: once more. */
int noiselink_room(struct noiselink *, const struct noiselink_self *);

/* Wipes and frees; does not close the link. */
void noiselink_wipe(struct noiselink *);

#endif
