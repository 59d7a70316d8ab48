#include "engine/protocols/share_url/seal.h"

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <sodium.h>

static const char context[] = "partyline share_url payload v1";
enum { HEAD = 1 + SEAL_TAG, EPHEMERAL = 32 };

void seal_tag_of(uint8_t tag[SEAL_TAG], const uint8_t id[SEAL_ID])
{
    static const char name[] = "partyline share_url used v1";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, SEAL_TAG);
    crypto_generichash_update(&h, (const uint8_t *)name, sizeof name - 1);
    crypto_generichash_update(&h, id, SEAL_ID);
    crypto_generichash_final(&h, tag, SEAL_TAG);
}

struct secrets {
    uint8_t dh[32], key[32], nonce[24];
};

static int derive(struct secrets *s, const uint8_t secret[32], const uint8_t their[32],
                  const uint8_t ephemeral[32], const uint8_t server[32])
{
    static const char name[] = "partyline share_url seal v1";
    crypto_generichash_state h;
    if (crypto_scalarmult(s->dh, secret, their) != 0)
        return ERR_AUTH;
    crypto_generichash_init(&h, NULL, 0, sizeof s->key);
    crypto_generichash_update(&h, (const uint8_t *)name, sizeof name - 1);
    crypto_generichash_update(&h, s->dh, sizeof s->dh);
    crypto_generichash_update(&h, ephemeral, 32);
    crypto_generichash_update(&h, server, 32);
    crypto_generichash_final(&h, s->key, sizeof s->key);
    crypto_generichash_init(&h, NULL, 0, sizeof s->nonce);
    crypto_generichash_update(&h, ephemeral, 32);
    crypto_generichash_update(&h, server, 32);
    crypto_generichash_final(&h, s->nonce, sizeof s->nonce);
    sodium_memzero(&h, sizeof h);
    return OK;
}

static void encode(uint8_t plain[SEAL_PLAIN], const struct seal *s)
{
    struct writer w = writer_of(plain, SEAL_PLAIN);
    uint8_t values[DEAL_VALUES];
    deal_put_values(values, s->values);
    write_u8(&w, (uint8_t)s->program);
    write_bytes(&w, s->id, sizeof s->id);
    write_u64(&w, (uint64_t)s->created);
    write_bytes(&w, values, sizeof values);
    write_bytes(&w, s->contact, sizeof s->contact);
    sodium_memzero(values, sizeof values);
}

static int decode(struct seal *s, const uint8_t plain[SEAL_PLAIN])
{
    size_t n = 0;
    s->program = (enum deal_program)plain[0];
    memcpy(s->id, plain + 1, SEAL_ID);
    s->created = (ns_t)get_le64(plain + 1 + SEAL_ID);
    deal_get_values(s->values, plain + 9 + SEAL_ID);
    memcpy(s->contact, plain + SEAL_PLAIN - SEAL_CONTACT, SEAL_CONTACT);
    while (n < SEAL_CONTACT && s->contact[n])
        n++;
    if (n == 0 || n == SEAL_CONTACT || !sodium_is_zero((uint8_t *)s->contact + n, SEAL_CONTACT - n))
        return ERR_FORMAT;
    return s->program < DEAL_PROGRAMS && s->created >= 0 && deal_valid(s->program, s->values)
               ? OK
               : ERR_FORMAT;
}

int seal_close(uint8_t post[POST_LEN], const struct seal *in, const uint8_t server[IDENTITY_KEY],
               struct prng *rng, bool modelled)
{
    uint8_t secret[32], plain[SEAL_PLAIN], *ephemeral = post + HEAD, *box = ephemeral + EPHEMERAL;
    struct secrets s;
    int rc = OK;
    post[0] = SEAL_VERSION;
    seal_tag_of(post + 1, in->id);
    prng_bytes(rng, secret, sizeof secret);
    encode(plain, in);
    if (modelled) {
        memcpy(ephemeral, secret, EPHEMERAL);
        memcpy(box, plain, SEAL_PLAIN);
        memset(box + SEAL_PLAIN, 0, 16);
    } else {
        crypto_scalarmult_base(ephemeral, secret);
        rc = derive(&s, secret, server, ephemeral, server);
        if (rc == OK)
            crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, plain, SEAL_PLAIN, post, HEAD,
                                                       NULL, s.nonce, s.key);
        sodium_memzero(&s, sizeof s);
    }
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(plain, sizeof plain);
    return rc;
}

int seal_open(struct seal *out, const uint8_t post[POST_LEN], const struct identity *server)
{
    const uint8_t *ephemeral = post + HEAD, *box = ephemeral + EPHEMERAL;
    uint8_t plain[SEAL_PLAIN], tag[SEAL_TAG];
    struct secrets s;
    int rc = post[0] == SEAL_VERSION ? OK : ERR_AUTH;
    if (rc == OK && server->modelled) {
        memcpy(plain, box, SEAL_PLAIN);
    } else if (rc == OK) {
        rc = derive(&s, server->x25519_secret, ephemeral, ephemeral, server->pub.x25519);
        if (rc == OK &&
            crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, box, SEAL_PLAIN + 16,
                                                       post, HEAD, s.nonce, s.key) != 0)
            rc = ERR_AUTH;
        sodium_memzero(&s, sizeof s);
    }
    if (rc == OK)
        rc = decode(out, plain);
    if (rc == OK) {
        seal_tag_of(tag, out->id);
        rc = sodium_memcmp(tag, seal_tag(post), sizeof tag) == 0 ? OK : ERR_AUTH;
    }
    sodium_memzero(plain, sizeof plain);
    if (rc)
        sodium_memzero(out, sizeof *out);
    return rc;
}

void seal_sign(uint8_t payload[PAYLOAD_LEN], const uint8_t post[POST_LEN], ns_t now,
               const struct identity *server)
{
    memcpy(payload, post, POST_LEN);
    put_le64(payload + POST_LEN, (uint64_t)now);
    identity_sign(server, context, payload, POST_LEN + 8, payload + POST_LEN + 8);
}

int seal_check(const uint8_t payload[PAYLOAD_LEN], const struct identity_public *server,
               bool modelled, ns_t *stamp)
{
    if (payload[0] != SEAL_VERSION)
        return ERR_AUTH;
    if (!modelled &&
        identity_check(server, context, payload, POST_LEN + 8, payload + POST_LEN + 8) != OK)
        return ERR_AUTH;
    *stamp = (ns_t)get_le64(payload + POST_LEN);
    return OK;
}
