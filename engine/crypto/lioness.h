/* LIONESS: a wide-block cipher, one permutation over a whole packet body.
 *
 * Anderson and Biham, "Two Practical and Provably Secure Block Ciphers: BEAR and LION" (1996);
 * with ChaCha20 (64-bit nonce 0) as the stream and keyed BLAKE2b-256 as the hash:
 *
 *   L = the first 32 bytes, R = the rest
 *   R ^= ChaCha20(L ^ k1);  L ^= BLAKE2b(k2, R);  R ^= ChaCha20(L ^ k3);  L ^= BLAKE2b(k4, R)
 *
 * A change of any bit, of key or block, leaves nothing of the block recognisable in either
 * direction. It does not authenticate: the caller puts redundancy into the block.
 */
#ifndef PARTYLINE_CRYPTO_LIONESS_H
#define PARTYLINE_CRYPTO_LIONESS_H

#include <stddef.h>
#include <stdint.h>

enum {
    LIONESS_KEY = 192, /* k1 32 | k2 64 | k3 32 | k4 64 */
    LIONESS_MIN = 33   /* the least block */
};

/* In place, len >= LIONESS_MIN. */
void lioness_encrypt(const uint8_t key[LIONESS_KEY], uint8_t *block, size_t len);
void lioness_decrypt(const uint8_t key[LIONESS_KEY], uint8_t *block, size_t len);
/* A key from a 32-byte one: its ChaCha20 keystream. */
void lioness_key(uint8_t key[LIONESS_KEY], const uint8_t seed[32]);

#endif
