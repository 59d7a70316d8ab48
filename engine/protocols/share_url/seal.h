/* The payload of a share URL: what an initiator seals to the server, and what the server signs.
 *
 * plain:   program 1 | id 16 | created u64 ns | values 16 | contact 64 (text, NULs behind it)
 * seal:    ephemeral X25519 key 32 | XChaCha20-Poly1305 of plain, with its 16 behind it
 *          key: BLAKE2b-256("partyline share_url seal v1" || DH || ephemeral || server's key)
 *          nonce: BLAKE2b-192(ephemeral || server's key), as in libsodium's sealed boxes
 *          additional data: version || tag
 * post:    version 1 | tag 32 | seal
 * payload: post | timestamp u64 ns | Ed25519 signature 64 of all before it
 *
 * The tag is BLAKE2b-256("partyline share_url used v1" || id): it can be asked about without
 * opening the seal, and says nothing about what is in it. Every byte is authenticated: opening
 * compares the tag with the id inside. All sizes are constant.
 *
 * With modelled keys (identity.h) nothing is computed: the plain bytes stand where they would be
 * sealed, and nothing is signed or checked; sizes and draws of the prng are the same.
 */
#ifndef PARTYLINE_PROTOCOLS_SHARE_URL_SEAL_H
#define PARTYLINE_PROTOCOLS_SHARE_URL_SEAL_H

#include "engine/base/ns.h"
#include "engine/crypto/identity.h"
#include "engine/protocols/share_url/deal.h"

enum {
    SEAL_VERSION = 1,
    SEAL_ID = 16,
    SEAL_TAG = 32,
    SEAL_CONTACT = 64,
    SEAL_PLAIN = 1 + SEAL_ID + 8 + DEAL_VALUES + SEAL_CONTACT,
    SEAL_LEN = 32 + SEAL_PLAIN + 16,
    POST_LEN = 1 + SEAL_TAG + SEAL_LEN,
    PAYLOAD_LEN = POST_LEN + 8 + IDENTITY_SIGNATURE
};

struct seal {
    enum deal_program program;
    uint8_t id[SEAL_ID];
    ns_t created;
    int64_t values[2];
    char contact[SEAL_CONTACT]; /* NULs behind it */
};

/* Draws 32 bytes. OK, or ERR_AUTH: the server's key is no good. */
int seal_close(uint8_t post[POST_LEN], const struct seal *, const uint8_t server[IDENTITY_KEY],
               struct prng *, bool modelled);
/* OK; ERR_AUTH; ERR_FORMAT: sealed by somebody, but not as above. Wipe *out. */
int seal_open(struct seal *out, const uint8_t post[POST_LEN], const struct identity *server);
/* The server's signature, over what was posted and the time. */
void seal_sign(uint8_t payload[PAYLOAD_LEN], const uint8_t post[POST_LEN], ns_t now,
               const struct identity *server);
/* OK or ERR_AUTH; *stamp is set when OK. */
int seal_check(const uint8_t payload[PAYLOAD_LEN], const struct identity_public *server,
               bool modelled, ns_t *stamp);
void seal_tag_of(uint8_t tag[SEAL_TAG], const uint8_t id[SEAL_ID]);
static inline const uint8_t *seal_tag(const uint8_t *post)
{
    return post + 1;
}

#endif
