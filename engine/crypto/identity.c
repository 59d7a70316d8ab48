#include "engine/crypto/identity.h"

#include <sodium.h>
#include <string.h>

#include "engine/base/bytes.h"
#include "engine/base/err.h"

static const char STATIC_KEY[] = "partyline static key v1";
static const char SIGNATURE[] = "partyline signature v1";

enum {
    STATIC_KEY_LEN = sizeof STATIC_KEY - 1,
    SIGNATURE_LEN = sizeof SIGNATURE - 1,
    HASH = 64,
};

_Static_assert(sizeof(struct identity_public) == IDENTITY_PUBLIC, "no padding");

static void static_key_bytes(uint8_t out[STATIC_KEY_LEN + 2 * IDENTITY_KEY],
                             const struct identity_public *pub)
{
    memcpy(out, STATIC_KEY, STATIC_KEY_LEN);
    memcpy(out + STATIC_KEY_LEN, pub->ed25519, IDENTITY_KEY);
    memcpy(out + STATIC_KEY_LEN + IDENTITY_KEY, pub->x25519, IDENTITY_KEY);
}

static void message_bytes(uint8_t out[SIGNATURE_LEN + HASH], const char *context,
                          const void *message, size_t len)
{
    crypto_generichash_state h;
    size_t context_len = strlen(context);
    uint8_t prefix[8];
    put_le64(prefix, context_len);
    crypto_generichash_init(&h, NULL, 0, HASH);
    crypto_generichash_update(&h, prefix, sizeof prefix);
    crypto_generichash_update(&h, (const uint8_t *)context, context_len);
    crypto_generichash_update(&h, message, len);
    memcpy(out, SIGNATURE, SIGNATURE_LEN);
    crypto_generichash_final(&h, out + SIGNATURE_LEN, HASH);
    sodium_memzero(&h, sizeof h);
}

void identity_make(struct identity *id, struct prng *rng)
{
    uint8_t seed[crypto_sign_SEEDBYTES], bytes[STATIC_KEY_LEN + 2 * IDENTITY_KEY];
    prng_bytes(rng, seed, sizeof seed);
    prng_bytes(rng, id->x25519_secret, IDENTITY_KEY);
    crypto_sign_seed_keypair(id->pub.ed25519, id->ed25519_secret, seed);
    crypto_scalarmult_base(id->pub.x25519, id->x25519_secret);
    static_key_bytes(bytes, &id->pub);
    crypto_sign_detached(id->pub.signature, NULL, bytes, sizeof bytes, id->ed25519_secret);
    id->modelled = false;
    sodium_memzero(seed, sizeof seed);
}

void identity_make_modelled(struct identity *id, struct prng *rng)
{
    memset(id, 0, sizeof *id);
    prng_bytes(rng, id->pub.ed25519, IDENTITY_KEY);
    prng_bytes(rng, id->x25519_secret, IDENTITY_KEY);
    memcpy(id->ed25519_secret, id->pub.ed25519, IDENTITY_KEY);
    memcpy(id->pub.x25519, id->x25519_secret, IDENTITY_KEY);
    id->modelled = true;
}

int identity_verify(const struct identity_public *pub)
{
    uint8_t bytes[STATIC_KEY_LEN + 2 * IDENTITY_KEY];
    static_key_bytes(bytes, pub);
    return crypto_sign_verify_detached(pub->signature, bytes, sizeof bytes, pub->ed25519) ? ERR_AUTH
                                                                                          : ERR_OK;
}

bool identity_equal(const struct identity_public *a, const struct identity_public *b)
{
    return sodium_memcmp(a, b, sizeof *a) == 0;
}

void identity_sign(const struct identity *id, const char *context, const void *message, size_t len,
                   uint8_t signature[IDENTITY_SIGNATURE])
{
    uint8_t bytes[SIGNATURE_LEN + HASH];
    if (id->modelled) {
        memset(signature, 0, IDENTITY_SIGNATURE);
        return;
    }
    message_bytes(bytes, context, message, len);
    crypto_sign_detached(signature, NULL, bytes, sizeof bytes, id->ed25519_secret);
    sodium_memzero(bytes, sizeof bytes);
}

int identity_check(const struct identity_public *pub, const char *context, const void *message,
                   size_t len, const uint8_t signature[IDENTITY_SIGNATURE])
{
    uint8_t bytes[SIGNATURE_LEN + HASH];
    message_bytes(bytes, context, message, len);
    int bad = crypto_sign_verify_detached(signature, bytes, sizeof bytes, pub->ed25519);
    sodium_memzero(bytes, sizeof bytes);
    return bad ? ERR_AUTH : ERR_OK;
}

void identity_encode(const struct identity_public *pub, uint8_t out[IDENTITY_PUBLIC])
{
    memcpy(out, pub->ed25519, IDENTITY_KEY);
    memcpy(out + IDENTITY_KEY, pub->x25519, IDENTITY_KEY);
    memcpy(out + 2 * IDENTITY_KEY, pub->signature, IDENTITY_SIGNATURE);
}

int identity_decode(struct identity_public *pub, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    if (len < IDENTITY_PUBLIC)
        return ERR_TRUNCATED;
    if (len > IDENTITY_PUBLIC)
        return ERR_FORMAT;
    memcpy(pub->ed25519, at, IDENTITY_KEY);
    memcpy(pub->x25519, at + IDENTITY_KEY, IDENTITY_KEY);
    memcpy(pub->signature, at + 2 * IDENTITY_KEY, IDENTITY_SIGNATURE);
    return ERR_OK;
}

void identity_fingerprint(const struct identity_public *pub, char out[IDENTITY_FINGERPRINT])
{
    uint8_t form[IDENTITY_PUBLIC], hash[HASH];
    identity_encode(pub, form);
    crypto_generichash(hash, sizeof hash, form, sizeof form, NULL, 0);
    sodium_bin2hex(out, IDENTITY_FINGERPRINT, hash, (IDENTITY_FINGERPRINT - 1) / 2);
}

void identity_wipe(struct identity *id)
{
    sodium_memzero(id, sizeof *id);
}
