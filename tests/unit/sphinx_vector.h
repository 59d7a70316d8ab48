/* The Sphinx profile of the published vectors (go-sphinxmixcrypto), for tests alone: it is
 * linkable. The header's keystream and the LIONESS key are the same ChaCha20 bytes. */
#ifndef PARTYLINE_TESTS_SPHINX_VECTOR_H
#define PARTYLINE_TESTS_SPHINX_VECTOR_H

#include "engine/crypto/sphinx.h"

#include <sodium.h>
#include <string.h>

static inline void vector_hash(uint8_t *out, size_t len, uint8_t prefix, const uint8_t *a,
                               size_t a_len, const uint8_t *b, size_t b_len)
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, len);
    crypto_generichash_update(&h, &prefix, 1);
    crypto_generichash_update(&h, a, a_len);
    crypto_generichash_update(&h, b, b_len);
    crypto_generichash_final(&h, out, len);
}

static inline void vector_derive(struct sphinx_keys *k, const uint8_t alpha[SPHINX_ALPHA],
                                 const uint8_t secret[32])
{
    vector_hash(k->stream, 32, 0x22, secret, 32, NULL, 0);
    vector_hash(k->mac, 16, 0x33, secret, 32, NULL, 0);
    lioness_key(k->wide, k->stream);
    vector_hash(k->blind, 32, 0x11, alpha, SPHINX_ALPHA, secret, 32);
    vector_hash(k->tag, 32, 0x55, secret, 31, NULL, 0); /* upstream drops the last byte */
    k->delay = 0;
}

static const struct sphinx_profile sphinx_vector = {
    .derive = vector_derive, .mac_key = 16, .mac_alpha = false, .any_alpha = true};

#endif
