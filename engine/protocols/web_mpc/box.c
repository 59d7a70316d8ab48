#include "engine/protocols/web_mpc/box.h"

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <sodium.h>
#include <string.h>

static const char context[] = "partyline web_mpc key";

/* ---- boxes ------------------------------------------------------------------------------ */

void keypair_from(struct keypair *pair, const uint8_t secret[BOX_KEY])
{
    memcpy(pair->secret, secret, BOX_KEY);
    crypto_scalarmult_base(pair->public_key, pair->secret);
}

void keypair_make(struct keypair *pair, struct prng *rng)
{
    uint8_t secret[BOX_KEY];
    prng_bytes(rng, secret, sizeof secret);
    keypair_from(pair, secret);
    sodium_memzero(secret, sizeof secret);
}

enum { BOUND = 2 * BOX_ID + 16 + BOX_HASH };

static void bound(const struct binding *b, uint8_t out[BOUND])
{
    struct writer w = writer_of(out, BOUND);
    write_bytes(&w, b->session, BOX_ID);
    write_bytes(&w, b->token, BOX_ID);
    write_u32(&w, b->id);
    write_u32(&w, b->counter);
    write_u32(&w, b->cohort);
    write_u32(&w, b->cells);
    write_bytes(&w, b->share, BOX_HASH);
}

static int box_key(const uint8_t secret[BOX_KEY], const uint8_t theirs[BOX_KEY],
                   const uint8_t ephemeral[BOX_KEY], const uint8_t to[BOX_KEY],
                   uint8_t key[BOX_KEY])
{
    uint8_t all[3 * BOX_KEY];
    int rc = crypto_scalarmult(all, secret, theirs) ? ERR_AUTH : OK;
    memcpy(all + BOX_KEY, ephemeral, BOX_KEY);
    memcpy(all + 2 * BOX_KEY, to, BOX_KEY);
    crypto_generichash(key, BOX_KEY, all, sizeof all, NULL, 0);
    sodium_memzero(all, sizeof all);
    return rc;
}

static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

int box_seal(const uint8_t to[BOX_KEY], const struct binding *b, const uint8_t seed[BOX_SEED],
             struct prng *rng, uint8_t box[BOX_LEN])
{
    struct keypair once;
    uint8_t key[BOX_KEY], ad[BOUND];
    int rc;
    keypair_make(&once, rng);
    rc = box_key(once.secret, to, once.public_key, to, key);
    bound(b, ad);
    memcpy(box, once.public_key, BOX_KEY);
    crypto_aead_chacha20poly1305_ietf_encrypt(box + BOX_KEY, NULL, seed, BOX_SEED, ad, sizeof ad,
                                              NULL, zero_nonce, key);
    sodium_memzero(&once, sizeof once);
    sodium_memzero(key, sizeof key);
    return rc;
}

int box_open(const struct keypair *own, const struct binding *b, const uint8_t box[BOX_LEN],
             uint8_t seed[BOX_SEED])
{
    uint8_t key[BOX_KEY], ad[BOUND];
    int rc = box_key(own->secret, box, box, own->public_key, key);
    bound(b, ad);
    if (rc == OK && crypto_aead_chacha20poly1305_ietf_decrypt(seed, NULL, NULL, box + BOX_KEY,
                                                              BOX_SEED + BOX_TAG, ad, sizeof ad,
                                                              zero_nonce, key))
        rc = ERR_AUTH;
    sodium_memzero(key, sizeof key);
    return rc;
}

/* ---- at rest ---------------------------------------------------------------------------- */

enum { REST_AD = 8 + BOX_HASH };

static void rest_ad(uint32_t id, uint32_t counter, const uint8_t box[BOX_LEN], uint8_t out[REST_AD])
{
    put_le32(out, id);
    put_le32(out + 4, counter);
    box_hash(box, BOX_LEN, out + 8);
}

void box_rest(const uint8_t key[BOX_KEY], uint32_t id, uint32_t counter, const uint8_t box[BOX_LEN],
              const uint8_t *share, size_t len, struct prng *rng, uint8_t *out)
{
    uint8_t ad[REST_AD];
    rest_ad(id, counter, box, ad);
    prng_bytes(rng, out, BOX_NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + BOX_NONCE, NULL, share, len, ad, sizeof ad,
                                               NULL, out, key);
}

int box_unrest(const uint8_t key[BOX_KEY], uint32_t id, uint32_t counter,
               const uint8_t box[BOX_LEN], const uint8_t *in, size_t len, uint8_t *share)
{
    uint8_t ad[REST_AD];
    rest_ad(id, counter, box, ad);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(share, NULL, NULL, in + BOX_NONCE,
                                                      len + BOX_TAG, ad, sizeof ad, in, key)
               ? ERR_AUTH
               : OK;
}

void box_rest_key(const struct identity *own, const char *text, uint8_t key[BOX_KEY])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, BOX_KEY);
    crypto_generichash_update(&h, (const uint8_t *)"web_mpc at rest", 15);
    if (own)
        crypto_generichash_update(&h, own->x25519_secret, sizeof own->x25519_secret);
    else
        crypto_generichash_update(&h, (const uint8_t *)text, strlen(text));
    crypto_generichash_final(&h, key, BOX_KEY);
    sodium_memzero(&h, sizeof h);
}

/* ---- hashes and signatures ---------------------------------------------------------------- */

void box_hash(const void *data, size_t len, uint8_t hash[BOX_HASH])
{
    crypto_generichash(hash, BOX_HASH, data, len, NULL, 0);
}

void box_name(const char *what, const char *text, uint32_t n, uint8_t id[BOX_ID])
{
    crypto_generichash_state h;
    uint8_t number[4];
    put_le32(number, n);
    crypto_generichash_init(&h, NULL, 0, BOX_ID);
    crypto_generichash_update(&h, (const uint8_t *)what, strlen(what) + 1);
    crypto_generichash_update(&h, number, sizeof number);
    crypto_generichash_update(&h, (const uint8_t *)text, strlen(text));
    crypto_generichash_final(&h, id, BOX_ID);
}

static void signed_part(const uint8_t session[BOX_ID], const uint8_t key[BOX_KEY],
                        uint8_t out[BOX_ID + BOX_KEY])
{
    memcpy(out, session, BOX_ID);
    memcpy(out + BOX_ID, key, BOX_KEY);
}

static void modelled_mark(const struct identity_public *who, const uint8_t *message, size_t len,
                          uint8_t signature[BOX_SIGNATURE])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, BOX_SIGNATURE);
    crypto_generichash_update(&h, who->ed25519, sizeof who->ed25519);
    crypto_generichash_update(&h, message, len);
    crypto_generichash_final(&h, signature, BOX_SIGNATURE);
}

void box_sign(const struct identity *own, const uint8_t session[BOX_ID], const uint8_t key[BOX_KEY],
              uint8_t signature[BOX_SIGNATURE])
{
    uint8_t message[BOX_ID + BOX_KEY];
    signed_part(session, key, message);
    if (own->modelled)
        modelled_mark(&own->pub, message, sizeof message, signature);
    else
        identity_sign(own, context, message, sizeof message, signature);
}

int box_check(const struct identity_public *who, bool modelled, const uint8_t session[BOX_ID],
              const uint8_t key[BOX_KEY], const uint8_t signature[BOX_SIGNATURE])
{
    uint8_t message[BOX_ID + BOX_KEY], mark[BOX_SIGNATURE];
    signed_part(session, key, message);
    if (!modelled)
        return identity_check(who, context, message, sizeof message, signature);
    modelled_mark(who, message, sizeof message, mark);
    return sodium_memcmp(mark, signature, sizeof mark) ? ERR_AUTH : OK;
}

int box_password(const char *password, size_t len, const uint8_t salt[BOX_SALT],
                 uint8_t hash[BOX_HASH])
{
    return crypto_pwhash(hash, BOX_HASH, password, len, salt, crypto_pwhash_OPSLIMIT_MIN,
                         (size_t)BOX_PASSWORD_KIB << 10, crypto_pwhash_ALG_ARGON2ID13)
               ? ERR_NOMEM
               : OK;
}
