/* The Noise Protocol Framework, revision 34: handshakes and transport ciphers of
 * Noise_*_25519_ChaChaPoly_BLAKE2b, as pure functions over bytes.
 *
 * A handshake is a struct noise on each side. The initiator writes the first message,
 * then the sides take turns until noise_done; noise_split then yields one cipher for
 * each direction and the handshake hash, which names this very session (channel
 * binding). Any message may carry a payload; how well it is protected depends on
 * pattern and position (Noise 7.7): what precedes the first Diffie-Hellman token
 * (message 1 of N*, X*) travels in the clear and is authenticated only by the messages
 * that follow; message 1 of IK can be replayed.
 *
 * Failure: an operation that fails changes nothing in the struct noise or struct
 * noise_cipher, so forged bytes cannot end a handshake or a session, and the genuine
 * message is still accepted afterwards. What the output buffer holds is then
 * meaningless (never unauthenticated plaintext), and *len is 0.
 *
 * Randomness: ephemeral keys are drawn from the caller's prng, 32 bytes each, when the
 * message that carries them is written. Secrets live inside the structs alone: wipe
 * them. Both structs are plain values without pointers; a copy of a cipher that goes on
 * being used beside the original repeats nonces.
 *
 * Modelled. A handshake begun with noise_init_modelled has the same messages in the same order
 * and sizes, draws the same bytes from the prng, and refuses what belongs to another session;
 * but it computes no cryptography: a public key is its secret, a sealed message its plaintext
 * with a mark of session and nonce behind it. For simulations of which the sizes and the charged
 * costs matter (`crypto: modelled`); worth nothing against anybody.
 *
 * Units: all lengths in bytes. A message, its tag included, has at most
 * NOISE_MESSAGE_MAX bytes. Input and output may not overlap, unless stated.
 */
#ifndef PARTYLINE_CRYPTO_NOISE_H
#define PARTYLINE_CRYPTO_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/bytes.h"
#include "engine/base/prng.h"

enum {
    NOISE_KEY = 32,
    NOISE_MODELLED_KEY = 16, /* as much of a key as a modelled cipher reads */
    NOISE_HASH = 64,
    NOISE_TAG = 16,
    NOISE_MESSAGE_MAX = 65535
};

/* Interactive patterns of Noise 7.5. First letter: the initiator's static key (N none, K known
 * beforehand, X transmitted, I transmitted at once). Second letter: the responder's. */
enum noise_pattern {
    NOISE_NN,
    NOISE_NK,
    NOISE_NX,
    NOISE_XN,
    NOISE_XK,
    NOISE_XX,
    NOISE_KK,
    NOISE_IK,
    NOISE_IX,
    NOISE_PATTERNS
};

/* One direction of a session: the key and the nonce of the next message. */
struct noise_cipher {
    uint8_t key[NOISE_KEY];
    uint64_t nonce;
    uint64_t modelled; /* 0 or 1; as wide as it is so that there is no padding */
};

/* A handshake under way; the fields are noise.c's own. s and e are ours, rs and re the
 * other side's. */
struct noise {
    struct noise_cipher cipher;
    uint8_t hash[NOISE_HASH], chaining_key[NOISE_HASH];
    uint8_t s_secret[NOISE_KEY], s_public[NOISE_KEY];
    uint8_t e_secret[NOISE_KEY], e_public[NOISE_KEY];
    uint8_t rs[NOISE_KEY], re[NOISE_KEY];
    uint8_t pattern;
    uint8_t step; /* messages written or read so far */
    bool initiator, keyed, has_e, has_rs, split, modelled;
};

/* "Noise_IK_25519_ChaChaPoly_BLAKE2b" and the like. */
const char *noise_name(enum noise_pattern pattern);

/* Starts a handshake. s_secret: our static X25519 key; rs_public: the other side's, if
 * the pattern presumes it known. ERR_INVALID if a key is missing that the pattern needs
 * from the start, or given that it has no use for (a key to be transmitted by the other
 * side is not given: compare noise_remote_static afterwards). Both sides must give the
 * same prologue (may be empty), else the first tag fails. All bytes are copied. */
int noise_init(struct noise *n, enum noise_pattern pattern, bool initiator, const void *prologue,
               size_t prologue_len, const uint8_t *s_secret, const uint8_t *rs_public);

int noise_init_modelled(struct noise *n, enum noise_pattern pattern, bool initiator,
                        const void *prologue, size_t prologue_len, const uint8_t *s_secret,
                        const uint8_t *rs_public);

/* For tests: the ephemeral secret that the next message with an ephemeral key uses
 * instead of a draw from the prng. */
void noise_set_ephemeral(struct noise *n, const uint8_t secret[NOISE_KEY]);

/* Bytes that the next handshake message has beyond its payload; 0 when done. */
size_t noise_overhead(const struct noise *n);

/* Writes the next handshake message, payload_len + noise_overhead(n) bytes, to out.
 * rng may be NULL if the message draws no ephemeral key. ERR_STATE: not our turn;
 * ERR_TOO_BIG: beyond cap or NOISE_MESSAGE_MAX; ERR_AUTH: the other side's public key
 * is of low order (an all-zero Diffie-Hellman result). */
int noise_write(struct noise *n, struct prng *rng, const uint8_t *payload, size_t payload_len,
                uint8_t *out, size_t cap, size_t *len);

/* Reads the next handshake message and puts its payload, message_len - noise_overhead(n)
 * bytes, into out. ERR_STATE: not the other side's turn; ERR_TRUNCATED: shorter than
 * the overhead; ERR_TOO_BIG: beyond cap or NOISE_MESSAGE_MAX; ERR_AUTH: a tag is wrong
 * (altered, cut, other keys, other prologue) or a public key is of low order. */
int noise_read(struct noise *n, const uint8_t *message, size_t message_len, uint8_t *out,
               size_t cap, size_t *len);

/* All handshake messages are written and read. */
bool noise_done(const struct noise *n);

/* Our cipher for sending, our cipher for receiving, and the handshake hash (may be
 * NULL). Works once: the symmetric secrets are then gone from n, and a second call, like
 * one before noise_done, is ERR_STATE. The other side's static key can still be asked. */
int noise_split(struct noise *n, struct noise_cipher *send, struct noise_cipher *recv,
                uint8_t handshake_hash[NOISE_HASH]);

/* The other side's static public key (32 bytes, lent), or NULL while unknown. Proven to
 * be the other side's only as far as the pattern has got: for IK's responder after
 * message 1 against all but replay, else at the end. */
const uint8_t *noise_remote_static(const struct noise *n);

void noise_wipe(struct noise *n);

/* Encrypts and authenticates len bytes, and authenticates ad: len + NOISE_TAG bytes to
 * out, which may be plain itself. The nonce advances by one. ERR_TOO_BIG: len + NOISE_TAG
 * exceeds NOISE_MESSAGE_MAX; ERR_LIMIT: all 2^64 - 1 nonces are used. */
int noise_seal(struct noise_cipher *c, const void *ad, size_t ad_len, const uint8_t *plain,
               size_t len, uint8_t *out);

/* The reverse: len - NOISE_TAG bytes to out, which may be sealed itself (then lost on
 * failure). Messages are accepted in order alone. ERR_TRUNCATED: no room for a tag;
 * ERR_AUTH: altered, replayed, out of order; ERR_TOO_BIG and ERR_LIMIT as above. */
int noise_open(struct noise_cipher *c, const void *ad, size_t ad_len, const uint8_t *sealed,
               size_t len, uint8_t *out);

/* The same under a nonce of the caller's choice, for carriers that lose or reorder: the
 * caller sees to it that no nonce seals twice and that none is accepted twice. The
 * cipher's own nonce stands still. Nonce 2^64 - 1 is ERR_LIMIT. */
int noise_seal_at(const struct noise_cipher *c, uint64_t nonce, const void *ad, size_t ad_len,
                  const uint8_t *plain, size_t len, uint8_t *out);
int noise_open_at(const struct noise_cipher *c, uint64_t nonce, const void *ad, size_t ad_len,
                  const uint8_t *sealed, size_t len, uint8_t *out);
/* The same under the bare key of a cipher that is not modelled. */
int noise_key_seal(const uint8_t key[NOISE_KEY], uint64_t nonce, const void *ad, size_t ad_len,
                   const uint8_t *plain, size_t len, uint8_t *out);
int noise_key_open(const uint8_t key[NOISE_KEY], uint64_t nonce, const void *ad, size_t ad_len,
                   const uint8_t *sealed, size_t len, uint8_t *out);
/* The tag of a message of `len` bytes under a modelled cipher. */
static inline void noise_modelled_mark(const uint8_t key[NOISE_MODELLED_KEY], uint64_t nonce,
                                       size_t len, uint8_t tag[NOISE_TAG])
{
    put_le64(tag, get_le64(key) ^ (nonce + 1) * UINT64_C(0x9e3779b97f4a7c15));
    put_le64(tag + 8, get_le64(key + 8) + len);
}
/* Would noise_open_at open it, the cipher being a modelled one? Then its plaintext is in clear
 * sight: the first len - NOISE_TAG bytes of `sealed`. */
static inline bool noise_modelled_opens(const uint8_t key[NOISE_MODELLED_KEY], uint64_t nonce,
                                        const uint8_t *sealed, size_t len)
{
    uint8_t tag[NOISE_TAG];
    if (len < NOISE_TAG || len > NOISE_MESSAGE_MAX || nonce == UINT64_MAX)
        return false;
    noise_modelled_mark(key, nonce, len - NOISE_TAG, tag);
    return memcmp(tag, sealed + len - NOISE_TAG, NOISE_TAG) == 0;
}

void noise_cipher_wipe(struct noise_cipher *c);

#endif
