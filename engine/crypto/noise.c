#include "engine/crypto/noise.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "engine/base/bytes.h"
#include "engine/base/err.h"

enum token { END, E, S, EE, ES, SE, SS };

enum { MESSAGES = 4, TOKENS = 6, BLOCK = 128 }; /* the first two with an END each */

struct pattern {
    const char *name;
    bool known[2]; /* pre-messages: the initiator's, the responder's static key */
    uint8_t message[MESSAGES][TOKENS];
};

#define NAME(pattern) "Noise_" pattern "_25519_ChaChaPoly_BLAKE2b"

static const struct pattern patterns[NOISE_PATTERNS] = {
    [NOISE_NN] = {NAME("NN"), {0, 0}, {{E}, {E, EE}}},
    [NOISE_NK] = {NAME("NK"), {0, 1}, {{E, ES}, {E, EE}}},
    [NOISE_NX] = {NAME("NX"), {0, 0}, {{E}, {E, EE, S, ES}}},
    [NOISE_XN] = {NAME("XN"), {0, 0}, {{E}, {E, EE}, {S, SE}}},
    [NOISE_XK] = {NAME("XK"), {0, 1}, {{E, ES}, {E, EE}, {S, SE}}},
    [NOISE_XX] = {NAME("XX"), {0, 0}, {{E}, {E, EE, S, ES}, {S, SE}}},
    [NOISE_KK] = {NAME("KK"), {1, 1}, {{E, ES, SS}, {E, EE, SE}}},
    [NOISE_IK] = {NAME("IK"), {0, 1}, {{E, ES, S, SS}, {E, EE, SE}}},
    [NOISE_IX] = {NAME("IX"), {0, 0}, {{E, S}, {E, EE, SE, S, ES}}},
};

const char *noise_name(enum noise_pattern pattern)
{
    return patterns[pattern].name;
}

/* ---- ciphers (Noise 5.1, 12.3) ---- */

static int sealable(uint64_t nonce, size_t len)
{
    if (len > NOISE_MESSAGE_MAX - NOISE_TAG)
        return ERR_TOO_BIG;
    return nonce == UINT64_MAX ? ERR_LIMIT : ERR_OK;
}

static int openable(uint64_t nonce, size_t len)
{
    return len < NOISE_TAG ? ERR_TRUNCATED : sealable(nonce, len - NOISE_TAG);
}

int noise_key_seal(const uint8_t key[NOISE_KEY], uint64_t nonce, const void *ad, size_t ad_len,
                   const uint8_t *plain, size_t len, uint8_t *out)
{
    uint8_t npub[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0};
    int code = sealable(nonce, len);
    if (code)
        return code;
    put_le64(npub + 4, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, ad, ad_len, NULL, npub, key);
    return ERR_OK;
}

int noise_key_open(const uint8_t key[NOISE_KEY], uint64_t nonce, const void *ad, size_t ad_len,
                   const uint8_t *sealed, size_t len, uint8_t *out)
{
    uint8_t npub[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0};
    int code = openable(nonce, len);
    if (code)
        return code;
    put_le64(npub + 4, nonce);
    return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len, ad, ad_len, npub,
                                                     key)
               ? ERR_AUTH
               : ERR_OK;
}

int noise_seal_at(const struct noise_cipher *c, uint64_t nonce, const void *ad, size_t ad_len,
                  const uint8_t *plain, size_t len, uint8_t *out)
{
    int code;
    if (!c->modelled)
        return noise_key_seal(c->key, nonce, ad, ad_len, plain, len, out);
    code = sealable(nonce, len);
    if (code)
        return code;
    if (len && out != plain)
        memmove(out, plain, len);
    noise_modelled_mark(c->key, nonce, len, out + len);
    return ERR_OK;
}

int noise_open_at(const struct noise_cipher *c, uint64_t nonce, const void *ad, size_t ad_len,
                  const uint8_t *sealed, size_t len, uint8_t *out)
{
    int code;
    if (!c->modelled)
        return noise_key_open(c->key, nonce, ad, ad_len, sealed, len, out);
    code = openable(nonce, len);
    if (code)
        return code;
    if (!noise_modelled_opens(c->key, nonce, sealed, len))
        return ERR_AUTH;
    if (len > NOISE_TAG)
        memmove(out, sealed, len - NOISE_TAG);
    return ERR_OK;
}

int noise_seal(struct noise_cipher *c, const void *ad, size_t ad_len, const uint8_t *plain,
               size_t len, uint8_t *out)
{
    int code = noise_seal_at(c, c->nonce, ad, ad_len, plain, len, out);
    if (!code)
        c->nonce++;
    return code;
}

int noise_open(struct noise_cipher *c, const void *ad, size_t ad_len, const uint8_t *sealed,
               size_t len, uint8_t *out)
{
    int code = noise_open_at(c, c->nonce, ad, ad_len, sealed, len, out);
    if (!code)
        c->nonce++;
    return code;
}

void noise_cipher_wipe(struct noise_cipher *c)
{
    sodium_memzero(c, sizeof *c);
}

/* ---- the symmetric state (Noise 5.2, 4.3) ---- */

/* HMAC of RFC 2104 over a || b, with a key of one hash; BLAKE2b's own keyed mode is not this. */
static void hmac(uint8_t out[NOISE_HASH], const uint8_t key[NOISE_HASH], const uint8_t *a,
                 size_t a_len, const uint8_t *b, size_t b_len)
{
    uint8_t pad[BLOCK], inner[NOISE_HASH];
    crypto_generichash_state h;
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] = (uint8_t)((i < NOISE_HASH ? key[i] : 0) ^ 0x36);
    crypto_generichash_init(&h, NULL, 0, NOISE_HASH);
    crypto_generichash_update(&h, pad, BLOCK);
    crypto_generichash_update(&h, a, a_len);
    crypto_generichash_update(&h, b, b_len);
    crypto_generichash_final(&h, inner, NOISE_HASH);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    crypto_generichash_init(&h, NULL, 0, NOISE_HASH);
    crypto_generichash_update(&h, pad, BLOCK);
    crypto_generichash_update(&h, inner, NOISE_HASH);
    crypto_generichash_final(&h, out, NOISE_HASH);
    sodium_memzero(pad, sizeof pad);
    sodium_memzero(inner, sizeof inner);
    sodium_memzero(&h, sizeof h);
}

/* out1 may be chaining_key itself. */
static void hkdf(const uint8_t chaining_key[NOISE_HASH], const uint8_t *input, size_t len,
                 uint8_t out1[NOISE_HASH], uint8_t out2[NOISE_HASH])
{
    uint8_t temp[NOISE_HASH];
    hmac(temp, chaining_key, input, len, NULL, 0);
    hmac(out1, temp, (const uint8_t[]){1}, 1, NULL, 0);
    hmac(out2, temp, out1, NOISE_HASH, (const uint8_t[]){2}, 1);
    sodium_memzero(temp, sizeof temp);
}

/* Modelled: enough of the transcript to tell sessions apart. */
static void fold(struct noise *n, const uint8_t *data, size_t len)
{
    uint64_t h = get_le64(n->hash) + len;
    for (size_t i = 0; i + 8 <= len && i < NOISE_KEY; i += 8) {
        h = (h ^ get_le64(data + i)) * 0xbf58476d1ce4e5b9U;
        h ^= h >> 29;
    }
    put_le64(n->hash, h);
    put_le64(n->hash + 8, ~h * 0x94d049bb133111ebU);
}

static void mix_hash(struct noise *n, const void *data, size_t len)
{
    crypto_generichash_state h;
    if (n->modelled) {
        fold(n, data, len);
        return;
    }
    crypto_generichash_init(&h, NULL, 0, NOISE_HASH);
    crypto_generichash_update(&h, n->hash, NOISE_HASH);
    crypto_generichash_update(&h, data, len);
    crypto_generichash_final(&h, n->hash, NOISE_HASH);
}

static void mix_key(struct noise *n, const uint8_t *input)
{
    uint8_t key[NOISE_HASH];
    if (n->modelled)
        memcpy(key, n->hash, NOISE_HASH);
    else
        hkdf(n->chaining_key, input, NOISE_KEY, n->chaining_key, key);
    memcpy(n->cipher.key, key, NOISE_KEY);
    n->cipher.modelled = n->modelled;
    n->cipher.nonce = 0;
    n->keyed = true;
    sodium_memzero(key, sizeof key);
}

static size_t tag_len(const struct noise *n)
{
    return n->keyed ? NOISE_TAG : 0;
}

/* out takes len + tag_len(n) bytes. */
static int encrypt_and_hash(struct noise *n, const uint8_t *plain, size_t len, uint8_t *out)
{
    int code = ERR_OK;
    if (n->keyed)
        code = noise_seal(&n->cipher, n->hash, NOISE_HASH, plain, len, out);
    else if (len)
        memcpy(out, plain, len);
    if (!code)
        mix_hash(n, out, len + tag_len(n));
    return code;
}

/* out takes len - tag_len(n) bytes. */
static int decrypt_and_hash(struct noise *n, const uint8_t *in, size_t len, uint8_t *out)
{
    int code = ERR_OK;
    if (n->keyed)
        code = noise_open(&n->cipher, n->hash, NOISE_HASH, in, len, out);
    else if (len)
        memcpy(out, in, len);
    if (!code)
        mix_hash(n, in, len);
    return code;
}

/* ---- the handshake state (Noise 5.3) ---- */

static bool transmits(const struct pattern *p, bool initiator)
{
    for (int m = initiator ? 0 : 1; m < MESSAGES; m += 2)
        if (memchr(p->message[m], S, TOKENS))
            return true;
    return false;
}

static void public_of(const struct noise *n, uint8_t out[NOISE_KEY],
                      const uint8_t secret[NOISE_KEY])
{
    if (n->modelled)
        memcpy(out, secret, NOISE_KEY);
    else
        crypto_scalarmult_base(out, secret);
}

static int init(struct noise *n, bool modelled, enum noise_pattern pattern, bool initiator,
                const void *prologue, size_t prologue_len, const uint8_t *s_secret,
                const uint8_t *rs_public)
{
    assert(pattern < NOISE_PATTERNS);
    const struct pattern *p = &patterns[pattern];
    bool needs_s = p->known[initiator ? 0 : 1] || transmits(p, initiator);
    bool needs_rs = p->known[initiator ? 1 : 0];
    memset(n, 0, sizeof *n);
    if (needs_s != (s_secret != NULL) || needs_rs != (rs_public != NULL))
        return ERR_INVALID;
    n->pattern = (uint8_t)pattern;
    n->initiator = initiator;
    n->modelled = modelled;
    if (s_secret) {
        memcpy(n->s_secret, s_secret, NOISE_KEY);
        public_of(n, n->s_public, s_secret);
    }
    if (rs_public) {
        memcpy(n->rs, rs_public, NOISE_KEY);
        n->has_rs = true;
    }
    memcpy(n->hash, p->name, strlen(p->name)); /* shorter than a hash: padded with zeros */
    memcpy(n->chaining_key, n->hash, NOISE_HASH);
    mix_hash(n, prologue, prologue_len);
    if (p->known[0])
        mix_hash(n, initiator ? n->s_public : n->rs, NOISE_KEY);
    if (p->known[1])
        mix_hash(n, initiator ? n->rs : n->s_public, NOISE_KEY);
    return ERR_OK;
}

int noise_init(struct noise *n, enum noise_pattern pattern, bool initiator, const void *prologue,
               size_t prologue_len, const uint8_t *s_secret, const uint8_t *rs_public)
{
    return init(n, false, pattern, initiator, prologue, prologue_len, s_secret, rs_public);
}

int noise_init_modelled(struct noise *n, enum noise_pattern pattern, bool initiator,
                        const void *prologue, size_t prologue_len, const uint8_t *s_secret,
                        const uint8_t *rs_public)
{
    return init(n, true, pattern, initiator, prologue, prologue_len, s_secret, rs_public);
}

void noise_set_ephemeral(struct noise *n, const uint8_t secret[NOISE_KEY])
{
    memcpy(n->e_secret, secret, NOISE_KEY);
    public_of(n, n->e_public, secret);
    n->has_e = true;
}

static const uint8_t *next_tokens(const struct noise *n)
{
    return patterns[n->pattern].message[n->step];
}

bool noise_done(const struct noise *n)
{
    return *next_tokens(n) == END;
}

static bool our_turn(const struct noise *n)
{
    return n->initiator == (n->step % 2 == 0);
}

size_t noise_overhead(const struct noise *n)
{
    size_t sum = 0, tag = tag_len(n);
    if (noise_done(n))
        return 0;
    for (const uint8_t *t = next_tokens(n); *t != END; t++) {
        if (*t == E)
            sum += NOISE_KEY;
        else if (*t == S)
            sum += NOISE_KEY + tag;
        else
            tag = NOISE_TAG;
    }
    return sum + tag;
}

/* Mixes in a Diffie-Hellman result; the token's first letter is the initiator's key. */
static int mix_dh(struct noise *n, enum token t)
{
    bool our_e = t == EE || t == (n->initiator ? ES : SE);
    bool their_e = t == EE || t == (n->initiator ? SE : ES);
    uint8_t shared[NOISE_KEY];
    int code = ERR_AUTH;
    if (n->modelled) {
        mix_key(n, NULL);
        return ERR_OK;
    }
    if (!crypto_scalarmult(shared, our_e ? n->e_secret : n->s_secret, their_e ? n->re : n->rs)) {
        mix_key(n, shared);
        code = ERR_OK;
    }
    sodium_memzero(shared, sizeof shared);
    return code;
}

static int write_token(struct noise *n, enum token t, struct prng *rng, uint8_t **at)
{
    int code = ERR_OK;
    if (t == E) {
        if (!n->has_e) {
            uint8_t secret[NOISE_KEY];
            assert(rng);
            prng_bytes(rng, secret, sizeof secret);
            noise_set_ephemeral(n, secret);
            sodium_memzero(secret, sizeof secret);
        }
        memcpy(*at, n->e_public, NOISE_KEY);
        mix_hash(n, *at, NOISE_KEY);
        *at += NOISE_KEY;
    } else if (t == S) {
        code = encrypt_and_hash(n, n->s_public, NOISE_KEY, *at);
        *at += NOISE_KEY + tag_len(n);
    } else {
        code = mix_dh(n, t);
    }
    return code;
}

static int read_token(struct noise *n, enum token t, const uint8_t **at)
{
    int code = ERR_OK;
    if (t == E) {
        memcpy(n->re, *at, NOISE_KEY);
        mix_hash(n, *at, NOISE_KEY);
        *at += NOISE_KEY;
    } else if (t == S) {
        size_t len = NOISE_KEY + tag_len(n);
        code = decrypt_and_hash(n, *at, len, n->rs);
        n->has_rs = true;
        *at += len;
    } else {
        code = mix_dh(n, t);
    }
    return code;
}

/* Adopts the state after a message, or, if that failed, keeps the one before it. */
static int finish(struct noise *n, struct noise *next, int code)
{
    if (!code) {
        next->step++;
        *n = *next;
    }
    noise_wipe(next);
    return code;
}

int noise_write(struct noise *n, struct prng *rng, const uint8_t *payload, size_t payload_len,
                uint8_t *out, size_t cap, size_t *len)
{
    size_t overhead = noise_overhead(n);
    *len = 0;
    if (noise_done(n) || !our_turn(n))
        return ERR_STATE;
    if (payload_len > NOISE_MESSAGE_MAX - overhead || overhead + payload_len > cap)
        return ERR_TOO_BIG;
    struct noise next = *n;
    uint8_t *at = out;
    int code = ERR_OK;
    for (const uint8_t *t = next_tokens(n); !code && *t != END; t++)
        code = write_token(&next, *t, rng, &at);
    if (!code)
        code = encrypt_and_hash(&next, payload, payload_len, at);
    if (!code)
        *len = overhead + payload_len;
    return finish(n, &next, code);
}

int noise_read(struct noise *n, const uint8_t *message, size_t message_len, uint8_t *out,
               size_t cap, size_t *len)
{
    size_t overhead = noise_overhead(n);
    *len = 0;
    if (noise_done(n) || our_turn(n))
        return ERR_STATE;
    if (message_len < overhead)
        return ERR_TRUNCATED;
    if (message_len > NOISE_MESSAGE_MAX || message_len - overhead > cap)
        return ERR_TOO_BIG;
    struct noise next = *n;
    const uint8_t *at = message;
    int code = ERR_OK;
    for (const uint8_t *t = next_tokens(n); !code && *t != END; t++)
        code = read_token(&next, *t, &at);
    if (!code)
        code = decrypt_and_hash(&next, at, (size_t)(message + message_len - at), out);
    if (!code)
        *len = message_len - overhead;
    return finish(n, &next, code);
}

int noise_split(struct noise *n, struct noise_cipher *send, struct noise_cipher *recv,
                uint8_t handshake_hash[NOISE_HASH])
{
    uint8_t key1[NOISE_HASH], key2[NOISE_HASH];
    if (!noise_done(n) || n->split)
        return ERR_STATE;
    if (n->modelled) {
        memcpy(key1, n->hash, NOISE_HASH);
        memcpy(key2, n->hash, NOISE_HASH);
        key2[0] ^= 1;
    } else {
        hkdf(n->chaining_key, NULL, 0, key1, key2);
    }
    memcpy(send->key, n->initiator ? key1 : key2, NOISE_KEY);
    memcpy(recv->key, n->initiator ? key2 : key1, NOISE_KEY);
    send->nonce = recv->nonce = 0;
    send->modelled = recv->modelled = n->modelled;
    if (handshake_hash)
        memcpy(handshake_hash, n->hash, NOISE_HASH);
    n->split = true;
    sodium_memzero(n->chaining_key, sizeof n->chaining_key);
    sodium_memzero(n->e_secret, sizeof n->e_secret);
    noise_cipher_wipe(&n->cipher);
    sodium_memzero(key1, sizeof key1);
    sodium_memzero(key2, sizeof key2);
    return ERR_OK;
}

const uint8_t *noise_remote_static(const struct noise *n)
{
    return n->has_rs ? n->rs : NULL;
}

void noise_wipe(struct noise *n)
{
    sodium_memzero(n, sizeof *n);
}
