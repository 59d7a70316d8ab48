/* What web_mpc seals, hashes and signs.
 *
 * The analyst's key is a pair of X25519. A share for her is a box: an ephemeral public key,
 * then the seed of her share (snip.h) under ChaCha20-Poly1305 (RFC 8439) with the key
 * BLAKE2b-256(shared secret || ephemeral || hers) and nonce 0, which is used once. The
 * associated data is the struct binding: a box opens for no other session, token, cohort,
 * number of cells, submission counter, or server's share. (A cell is bound by its place: one
 * box is for the whole table.)
 *
 * The server keeps its own shares under XChaCha20-Poly1305 with a random nonce and a key that
 * is derived from its identity and thus not in the store; the associated data is token, counter
 * and the hash of the box, so the two halves of a submission can't be mixed.
 *
 * Signing the analyst's key: with keys: out_of_band, by her identity, which the roster (known to
 * all beforehand) vouches for. With modelled identities a hash of her public form takes the
 * signature's place and size.
 *
 * Passwords: Argon2id with one pass over BOX_PASSWORD_KIB KiB. That is far below what a person's
 * password needs on a real site (RFC 9106: 64 MiB and more), so that trials stay fast.
 */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_BOX_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_BOX_H

#include "engine/crypto/identity.h"

enum {
    BOX_KEY = 32,
    BOX_HASH = 32,
    BOX_TAG = 16,
    BOX_ID = 16, /* session ids, session keys, tokens */
    BOX_SEED = 32,
    BOX_LEN = BOX_KEY + BOX_SEED + BOX_TAG,
    BOX_NONCE = 24,
    BOX_REST = BOX_NONCE + BOX_TAG, /* what a share at rest has beyond itself */
    BOX_SIGNATURE = IDENTITY_SIGNATURE,
    BOX_SALT = 16,
    BOX_PASSWORD_KIB = 64
};

struct keypair {
    uint8_t public_key[BOX_KEY], secret[BOX_KEY];
};

struct binding {
    uint8_t session[BOX_ID], token[BOX_ID];
    uint32_t id, counter, cohort, cells;
    uint8_t share[BOX_HASH]; /* of the server's share */
};

void keypair_make(struct keypair *, struct prng *);
void keypair_from(struct keypair *, const uint8_t secret[BOX_KEY]);

/* OK, or ERR_AUTH: the key is of low order. */
int box_seal(const uint8_t to[BOX_KEY], const struct binding *, const uint8_t seed[BOX_SEED],
             struct prng *, uint8_t box[BOX_LEN]);
/* OK, or ERR_AUTH: another key, another binding, or altered. */
int box_open(const struct keypair *, const struct binding *, const uint8_t box[BOX_LEN],
             uint8_t seed[BOX_SEED]);

/* len + BOX_REST bytes to out. */
void box_rest(const uint8_t key[BOX_KEY], uint32_t id, uint32_t counter, const uint8_t box[BOX_LEN],
              const uint8_t *share, size_t len, struct prng *, uint8_t *out);
/* len: of the share. OK or ERR_AUTH. */
int box_unrest(const uint8_t key[BOX_KEY], uint32_t id, uint32_t counter,
               const uint8_t box[BOX_LEN], const uint8_t *in, size_t len, uint8_t *share);
/* The server's key for that; without an identity (channel: none) from the text alone. */
void box_rest_key(const struct identity *own, const char *text, uint8_t key[BOX_KEY]);

void box_hash(const void *data, size_t len, uint8_t hash[BOX_HASH]);
/* n of a text, for session ids and keys (what: their kind) and tokens (n: whose). */
void box_name(const char *what, const char *text, uint32_t n, uint8_t id[BOX_ID]);

void box_sign(const struct identity *, const uint8_t session[BOX_ID], const uint8_t key[BOX_KEY],
              uint8_t signature[BOX_SIGNATURE]);
/* modelled: is the checker's own identity? OK or ERR_AUTH. */
int box_check(const struct identity_public *, bool modelled, const uint8_t session[BOX_ID],
              const uint8_t key[BOX_KEY], const uint8_t signature[BOX_SIGNATURE]);

/* OK or ERR_NOMEM. */
int box_password(const char *password, size_t len, const uint8_t salt[BOX_SALT],
                 uint8_t hash[BOX_HASH]);

#endif
