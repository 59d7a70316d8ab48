/* A party's identity: a long-lived Ed25519 key, and the static X25519 key for channels
 * that it has signed.
 *
 * The two keys are independent: an Ed25519 key is never converted to an X25519 key (A
 * and -A would map to the same one). A party is known by its whole public form, the two
 * keys and the signature; identities are compared in full.
 *
 * Signatures are Ed25519 (RFC 8032) as libsodium checks it: S must be below the group
 * order; the public key must be canonical and, like R, not of small order. Every
 * signature is domain-separated; the byte strings that are signed are
 *     "partyline static key v1" || ed25519 || x25519                 (the identity's own)
 *     "partyline signature v1" || BLAKE2b-512(u64le(context length) || context || message)
 *
 * That an X25519 key is not of low order is not checked here: the handshake that uses it
 * refuses the all-zero result (noise.h).
 */
#ifndef PARTYLINE_CRYPTO_IDENTITY_H
#define PARTYLINE_CRYPTO_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/prng.h"

enum {
    IDENTITY_KEY = 32,
    IDENTITY_SECRET = 64, /* Ed25519 seed || public key, libsodium's form */
    IDENTITY_SIGNATURE = 64,
    IDENTITY_PUBLIC = 128,    /* bytes of the encoded public form */
    IDENTITY_FINGERPRINT = 17 /* 16 hexadecimal digits and NUL */
};

struct identity_public {
    uint8_t ed25519[IDENTITY_KEY];
    uint8_t x25519[IDENTITY_KEY];
    uint8_t signature[IDENTITY_SIGNATURE];
};

/* Secret: wipe it. */
struct identity {
    struct identity_public pub;
    uint8_t ed25519_secret[IDENTITY_SECRET];
    uint8_t x25519_secret[IDENTITY_KEY];
    bool modelled; /* keys are names: publics are secrets, and nothing is signed */
};

/* A new identity from 64 bytes of the stream: the Ed25519 seed, then the X25519 secret. */
void identity_make(struct identity *id, struct prng *rng);

/* The same for `crypto: modelled`: no keys are computed, and the signature is zero. Whoever
 * deals with such identities checks no signature of theirs. */
void identity_make_modelled(struct identity *id, struct prng *rng);

/* 0 if the Ed25519 key has signed both keys, else ERR_AUTH. */
int identity_verify(const struct identity_public *pub);

/* Equal in all 128 bytes, in constant time. */
bool identity_equal(const struct identity_public *a, const struct identity_public *b);

/* Signs a message under a context: a NUL-terminated string that names what the message is
 * for, e.g. "partyline result". A signature holds for no other context. A modelled identity writes
 * zeros. */
void identity_sign(const struct identity *id, const char *context, const void *message, size_t len,
                   uint8_t signature[IDENTITY_SIGNATURE]);
/* 0, or ERR_AUTH. Says nothing about pub's X25519 key: see identity_verify. */
int identity_check(const struct identity_public *pub, const char *context, const void *message,
                   size_t len, const uint8_t signature[IDENTITY_SIGNATURE]);

/* The public form: ed25519 || x25519 || signature. Decoding takes exactly IDENTITY_PUBLIC
 * bytes (fewer: ERR_TRUNCATED, more: ERR_FORMAT) and believes nothing: what comes out is
 * compared with a known identity, or verified, before use. */
void identity_encode(const struct identity_public *pub, uint8_t out[IDENTITY_PUBLIC]);
int identity_decode(struct identity_public *pub, const void *bytes, size_t len);

/* For messages to people: the first 8 bytes of BLAKE2b-512 over the public form, in
 * hexadecimal. Too short to tell identities apart by. */
void identity_fingerprint(const struct identity_public *pub, char out[IDENTITY_FINGERPRINT]);

void identity_wipe(struct identity *id);

#endif
