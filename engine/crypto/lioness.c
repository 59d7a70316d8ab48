#include "engine/crypto/lioness.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { LEFT = 32, HASH_KEY = 64, K1 = 0, K2 = 32, K3 = 96, K4 = 128 };

static const uint8_t no_nonce[crypto_stream_chacha20_NONCEBYTES];

static void stream(const uint8_t *k, uint8_t *block, size_t len)
{
    uint8_t key[LEFT];
    for (size_t i = 0; i < LEFT; i++)
        key[i] = block[i] ^ k[i];
    crypto_stream_chacha20_xor(block + LEFT, block + LEFT, len - LEFT, no_nonce, key);
    sodium_memzero(key, sizeof key);
}

static void hash(const uint8_t *k, uint8_t *block, size_t len)
{
    uint8_t sum[LEFT];
    crypto_generichash_blake2b(sum, sizeof sum, block + LEFT, len - LEFT, k, HASH_KEY);
    for (size_t i = 0; i < LEFT; i++)
        block[i] ^= sum[i];
    sodium_memzero(sum, sizeof sum);
}

void lioness_encrypt(const uint8_t key[LIONESS_KEY], uint8_t *block, size_t len)
{
    assert(len >= LIONESS_MIN);
    stream(key + K1, block, len);
    hash(key + K2, block, len);
    stream(key + K3, block, len);
    hash(key + K4, block, len);
}

void lioness_decrypt(const uint8_t key[LIONESS_KEY], uint8_t *block, size_t len)
{
    assert(len >= LIONESS_MIN);
    hash(key + K4, block, len);
    stream(key + K3, block, len);
    hash(key + K2, block, len);
    stream(key + K1, block, len);
}

void lioness_key(uint8_t key[LIONESS_KEY], const uint8_t seed[32])
{
    crypto_stream_chacha20(key, LIONESS_KEY, no_nonce, seed);
}
