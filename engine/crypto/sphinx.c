#include "engine/crypto/sphinx.h"

#include "engine/base/bytes.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { K = 16, STREAM_MAX = (2 * SPHINX_HOPS_MAX + 3) * K };

static const uint8_t no_nonce[crypto_stream_chacha20_NONCEBYTES];

/* ---- the network's profile -------------------------------------------------------------- */

static void subkey(uint8_t *out, size_t len, const char *what, const uint8_t secret[32],
                   const uint8_t *alpha)
{
    static const uint8_t salt[crypto_generichash_blake2b_SALTBYTES];
    uint8_t person[crypto_generichash_blake2b_PERSONALBYTES] = "sphinx ";
    memcpy(person + 7, what, strlen(what));
    crypto_generichash_blake2b_salt_personal(out, len, alpha, alpha ? SPHINX_ALPHA : 0, secret, 32,
                                             salt, person);
}

static void network_derive(struct sphinx_keys *k, const uint8_t alpha[SPHINX_ALPHA],
                           const uint8_t secret[32])
{
    uint8_t seed[32], delay[16];
    subkey(k->stream, sizeof k->stream, "header", secret, NULL);
    subkey(k->mac, sizeof k->mac, "mac", secret, NULL);
    subkey(seed, sizeof seed, "lioness", secret, NULL);
    lioness_key(k->wide, seed);
    subkey(k->blind, sizeof k->blind, "blinding", secret, alpha);
    subkey(k->tag, sizeof k->tag, "replay", secret, NULL);
    subkey(delay, sizeof delay, "delay", secret, NULL);
    k->delay = get_le64(delay);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(delay, sizeof delay);
}

const struct sphinx_profile sphinx_network = {
    .derive = network_derive,
    .mac_key = 32,
    .mac_alpha = true,
};

/* ---- what both ends do ------------------------------------------------------------------ */

/* Below 2^255 - 19, which leaves the top bit clear. */
static bool canonical(const uint8_t alpha[SPHINX_ALPHA])
{
    if (alpha[31] != 0x7f)
        return alpha[31] < 0x7f;
    for (int i = 30; i > 0; i--)
        if (alpha[i] != 0xff)
            return true;
    return alpha[0] < 0xed;
}

static void mac(const struct sphinx_params *p, const struct sphinx_keys *k, const uint8_t *header,
                uint8_t out[SPHINX_MAC])
{
    size_t skip = p->profile->mac_alpha ? 0 : SPHINX_ALPHA;
    crypto_generichash_blake2b(out, SPHINX_MAC, header + skip, SPHINX_ALPHA + sphinx_beta(p) - skip,
                               k->mac, p->profile->mac_key);
}

static void xor_bytes(uint8_t *to, const uint8_t *with, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] ^= with[i];
}

/* ---- the sender ------------------------------------------------------------------------- */

/* Every hop's keys; the first alpha goes into the header, `alphas` gets all. */
static int agree(const struct sphinx_params *p, const struct sphinx_hop *hops, unsigned n,
                 const uint8_t x[32], uint8_t alphas[][SPHINX_ALPHA], struct sphinx_keys *keys)
{
    uint8_t s[32], point[32];
    int rc = OK;
    for (unsigned i = 0; i < n && rc == OK; i++) {
        if (i == 0)
            crypto_scalarmult_base(alphas[0], x);
        else if (crypto_scalarmult(alphas[i], keys[i - 1].blind, alphas[i - 1]) != 0)
            rc = ERR_INVALID;
        if (crypto_scalarmult(s, x, hops[i].key) != 0)
            rc = ERR_INVALID;
        for (unsigned j = 0; j < i && rc == OK; j++) {
            memcpy(point, s, sizeof point);
            if (crypto_scalarmult(s, keys[j].blind, point) != 0)
                rc = ERR_INVALID;
        }
        if (rc == OK)
            p->profile->derive(&keys[i], alphas[i], s);
    }
    sodium_memzero(s, sizeof s);
    sodium_memzero(point, sizeof point);
    return rc;
}

/* What the hops before the last will have shifted in behind its block. */
static size_t filler(const struct sphinx_params *p, const struct sphinx_keys *keys, unsigned n,
                     uint8_t *out)
{
    uint8_t stream[STREAM_MAX];
    size_t all = (2 * (size_t)p->max_hops + 3) * K, len = 0;
    for (unsigned i = 1; i < n; i++) {
        memset(out + len, 0, SPHINX_BLOCK);
        len += SPHINX_BLOCK;
        crypto_stream_chacha20(stream, all, no_nonce, keys[i - 1].stream);
        xor_bytes(out, stream + all - len, len);
    }
    sodium_memzero(stream, sizeof stream);
    return len;
}

static void put_mac(const struct sphinx_params *p, const struct sphinx_keys *k, uint8_t *header,
                    const uint8_t alpha[SPHINX_ALPHA])
{
    memcpy(header, alpha, SPHINX_ALPHA);
    mac(p, k, header, header + SPHINX_ALPHA + sphinx_beta(p));
}

int sphinx_make(const struct sphinx_params *p, const struct sphinx_hop *hops, unsigned n,
                const uint8_t *dest, size_t dest_len, struct prng *rng, uint8_t *header,
                struct sphinx_keys *keys)
{
    uint8_t alphas[SPHINX_HOPS_MAX][SPHINX_ALPHA], stream[STREAM_MAX], x[32];
    uint8_t *beta = header + SPHINX_ALPHA;
    size_t len = sphinx_beta(p), own, tail;
    int rc;
    if (n == 0 || n > p->max_hops)
        return ERR_LIMIT;
    assert(dest_len >= 1 && dest_len <= SPHINX_BLOCK);
    prng_bytes(rng, x, sizeof x);
    rc = agree(p, hops, n, x, alphas, keys);
    sodium_memzero(x, sizeof x);
    if (rc != OK)
        return rc;
    tail = SPHINX_BLOCK * ((size_t)n - 1);
    own = len - tail;
    memcpy(beta, dest, dest_len);
    prng_bytes(rng, beta + dest_len, own - dest_len);
    crypto_stream_chacha20_xor(beta, beta, own, no_nonce, keys[n - 1].stream);
    filler(p, keys, n, beta + own);
    put_mac(p, &keys[n - 1], header, alphas[n - 1]);
    for (unsigned i = n - 1; i-- > 0;) {
        uint8_t gamma[SPHINX_MAC];
        memcpy(gamma, beta + len, SPHINX_MAC);
        memmove(beta + SPHINX_BLOCK, beta, len - SPHINX_BLOCK);
        memcpy(beta, hops[i + 1].id, SPHINX_ID);
        memcpy(beta + SPHINX_ID, gamma, SPHINX_MAC);
        crypto_stream_chacha20(stream, len, no_nonce, keys[i].stream);
        xor_bytes(beta, stream, len);
        put_mac(p, &keys[i], header, alphas[i]);
    }
    sodium_memzero(stream, sizeof stream);
    return OK;
}

void sphinx_wrap(const struct sphinx_params *p, const struct sphinx_keys *keys, unsigned n,
                 uint8_t *delta)
{
    while (n-- > 0)
        lioness_encrypt(keys[n].wide, delta, p->payload);
}

/* ---- a hop ------------------------------------------------------------------------------ */

static int open_header(const struct sphinx_params *p, const uint8_t secret[32],
                       const uint8_t *header, struct sphinx_keys *k, uint8_t alpha[SPHINX_ALPHA])
{
    uint8_t s[32], sum[SPHINX_MAC];
    int rc = OK;
    if (!p->profile->any_alpha && !canonical(header))
        return ERR_INVALID;
    if (crypto_scalarmult(s, secret, header) != 0)
        return ERR_INVALID;
    p->profile->derive(k, header, s);
    mac(p, k, header, sum);
    if (crypto_verify_16(sum, header + SPHINX_ALPHA + sphinx_beta(p)) != 0)
        rc = ERR_AUTH;
    else if (crypto_scalarmult(alpha, k->blind, header) != 0)
        rc = ERR_INVALID;
    sodium_memzero(s, sizeof s);
    return rc;
}

int sphinx_unwrap(const struct sphinx_params *p, const uint8_t secret[32], uint8_t *packet,
                  struct sphinx_route *route)
{
    uint8_t block[STREAM_MAX], alpha[SPHINX_ALPHA];
    size_t len = sphinx_beta(p);
    struct sphinx_keys k;
    int rc = open_header(p, secret, packet, &k, alpha);
    if (rc == OK) {
        memcpy(block, packet + SPHINX_ALPHA, len);
        memset(block + len, 0, SPHINX_BLOCK);
        crypto_stream_chacha20_xor(block, block, len + SPHINX_BLOCK, no_nonce, k.stream);
        memcpy(route->id, block, SPHINX_ID);
        memcpy(route->more, block + SPHINX_ID, SPHINX_MAC);
        memcpy(route->tag, k.tag, SPHINX_TAG);
        route->delay = k.delay;
        memcpy(packet, alpha, SPHINX_ALPHA);
        memcpy(packet + SPHINX_ALPHA, block + SPHINX_BLOCK, len);
        memcpy(packet + SPHINX_ALPHA + len, block + SPHINX_ID, SPHINX_MAC);
        lioness_decrypt(k.wide, packet + sphinx_header(p), p->payload);
    }
    sodium_memzero(&k, sizeof k);
    return rc;
}

/* ---- bodies, replies, delays ------------------------------------------------------------ */

void sphinx_body(const struct sphinx_params *p, const void *message, size_t len, uint8_t *delta)
{
    assert(len <= p->payload - SPHINX_BODY_HEAD);
    memset(delta, 0, SPHINX_ZEROS);
    put_le16(delta + SPHINX_ZEROS, (uint16_t)len);
    if (len)
        memcpy(delta + SPHINX_BODY_HEAD, message, len);
    memset(delta + SPHINX_BODY_HEAD + len, 0, p->payload - SPHINX_BODY_HEAD - len);
}

int sphinx_open(const struct sphinx_params *p, const uint8_t *delta, const uint8_t **message,
                size_t *len)
{
    size_t n = get_le16(delta + SPHINX_ZEROS), rest;
    const uint8_t *pad = delta + SPHINX_BODY_HEAD + n;
    if (!sodium_is_zero(delta, SPHINX_ZEROS) || n > p->payload - SPHINX_BODY_HEAD)
        return ERR_AUTH;
    rest = p->payload - SPHINX_BODY_HEAD - n;
    if (rest && (pad[0] != 0 || memcmp(pad, pad + 1, rest - 1) != 0))
        return ERR_AUTH; /* the sender's own doing: the zeros above have passed */
    *message = delta + SPHINX_BODY_HEAD;
    *len = n;
    return OK;
}

void sphinx_surb_seal(const struct sphinx_params *p, const uint8_t reply_key[32], uint8_t *delta)
{
    uint8_t key[LIONESS_KEY];
    lioness_key(key, reply_key);
    lioness_encrypt(key, delta, p->payload);
    sodium_memzero(key, sizeof key);
}

void sphinx_surb_open(const struct sphinx_params *p, const uint8_t reply_key[32],
                      const struct sphinx_keys *keys, unsigned n, uint8_t *delta)
{
    uint8_t key[LIONESS_KEY];
    lioness_key(key, reply_key);
    sphinx_wrap(p, keys, n, delta);
    lioness_decrypt(key, delta, p->payload);
    sodium_memzero(key, sizeof key);
}

ns_t sphinx_delay(uint64_t delay, ns_t mean)
{
    double u = ((double)(delay >> 11) + 1.0) * 0x1p-53;
    double d = -det_log(u) * (double)mean;
    return d > 0.0 ? (ns_t)(d + 0.5) : 0;
}
