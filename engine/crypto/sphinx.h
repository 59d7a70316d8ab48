/* Sphinx packets (Danezis and Goldberg, "Sphinx: A Compact and Provably Secure Mix Format",
 * 2009), on X25519, ChaCha20, BLAKE2b and LIONESS: METRICS.md, section 5.
 *
 *   packet  = alpha 32 | beta (2r + 1) 16 | gamma 16 | delta `payload`
 *   block   = next hop's id 16 | next gamma 16, one a hop, in beta
 *
 * r is the most hops that a header holds. All packets of one struct sphinx_params have one
 * size, at every hop. A hop's secret is s = X25519(its secret key, alpha); everything that it
 * uses comes from s. The next alpha is X25519(blind, alpha). The sender applies the clamped
 * scalars one after the other, so a packet of n hops costs it n (n + 3) / 2 multiplications; a
 * hop does two.
 *
 * Subkeys. sphinx_network, the profile for networks, derives each (header stream, MAC,
 * LIONESS, blinding, replay tag, delay) by keyed BLAKE2b with a personalisation of its own; the
 * MAC covers alpha and beta; an alpha that is not canonical, or leads to an all-zero secret, is
 * refused. Another profile is tests/unit/sphinx_vector.h, which reproduces published vectors
 * and is linkable: it shares its header's keystream with LIONESS.
 *
 * A header altered anywhere is refused at the next hop (ERR_AUTH). A body altered anywhere is
 * garbage at the exit and refused there: it must begin with SPHINX_ZEROS zero bytes. The delay
 * comes from s as well, so a sender knows its packet's total delay and the packet has no field
 * for it.
 */
#ifndef PARTYLINE_CRYPTO_SPHINX_H
#define PARTYLINE_CRYPTO_SPHINX_H

#include "engine/base/err.h"
#include "engine/base/ns.h"
#include "engine/base/prng.h"
#include "engine/crypto/lioness.h"

#include <stdbool.h>

enum {
    SPHINX_ALPHA = 32,
    SPHINX_ID = 16,
    SPHINX_MAC = 16,
    SPHINX_BLOCK = SPHINX_ID + SPHINX_MAC,
    SPHINX_TAG = 32,
    SPHINX_HOPS_MAX = 20,
    SPHINX_ZEROS = 16,
    SPHINX_BODY_HEAD = SPHINX_ZEROS + 2, /* of a body: the zeros, and the length u16 */
    SPHINX_PAYLOAD_MIN = 128,
    SPHINX_PAYLOAD_MAX = 60000
};

/* What one hop and the sender share. Secret: wipe it. */
struct sphinx_keys {
    uint8_t stream[32];
    uint8_t mac[32];
    uint8_t wide[LIONESS_KEY];
    uint8_t blind[32];
    uint8_t tag[SPHINX_TAG];
    uint64_t delay; /* uniform: see sphinx_delay */
};

struct sphinx_profile {
    void (*derive)(struct sphinx_keys *, const uint8_t alpha[SPHINX_ALPHA],
                   const uint8_t secret[32]);
    unsigned mac_key; /* bytes of keys.mac that are used */
    bool mac_alpha;   /* the MAC covers alpha, too */
    bool any_alpha;   /* alpha need not be canonical */
};
extern const struct sphinx_profile sphinx_network;

struct sphinx_params {
    const struct sphinx_profile *profile;
    unsigned max_hops; /* 1 .. SPHINX_HOPS_MAX */
    size_t payload;    /* bytes of delta, SPHINX_PAYLOAD_MIN .. SPHINX_PAYLOAD_MAX */
};

static inline size_t sphinx_beta(const struct sphinx_params *p)
{
    return (2 * (size_t)p->max_hops + 1) * 16;
}
static inline size_t sphinx_header(const struct sphinx_params *p)
{
    return SPHINX_ALPHA + sphinx_beta(p) + SPHINX_MAC;
}
static inline size_t sphinx_packet(const struct sphinx_params *p)
{
    return sphinx_header(p) + p->payload;
}
enum { SPHINX_HEADER_MAX = SPHINX_ALPHA + (2 * SPHINX_HOPS_MAX + 1) * 16 + SPHINX_MAC };

struct sphinx_hop {
    const uint8_t *key; /* the hop's X25519 public key */
    uint8_t id[SPHINX_ID];
};

/* What a hop finds in its block. */
struct sphinx_route {
    uint8_t id[SPHINX_ID];    /* the next hop's, or the destination's first bytes at the last */
    uint8_t more[SPHINX_MAC]; /* at the last hop: the destination's next 16 bytes */
    uint8_t tag[SPHINX_TAG];  /* the packet's replay tag at this hop */
    uint64_t delay;
};

/* A header for n hops; keys[i] is what hop i will have. The first id is not written. `dest` (1
 * to 32 bytes) is what the last hop reads in sphinx_route. Draws 32 bytes and the padding from
 * rng. OK; ERR_LIMIT: too many hops; ERR_INVALID: a hop's key is worth nothing. */
int sphinx_make(const struct sphinx_params *, const struct sphinx_hop *, unsigned n,
                const uint8_t *dest, size_t dest_len, struct prng *rng, uint8_t *header,
                struct sphinx_keys *keys);
/* Encrypts a body for all n hops, in place. */
void sphinx_wrap(const struct sphinx_params *, const struct sphinx_keys *, unsigned n,
                 uint8_t *delta);
/* One hop: the packet becomes the next hop's, in place. OK; ERR_AUTH; ERR_INVALID (alpha). The
 * packet is not touched then. */
int sphinx_unwrap(const struct sphinx_params *, const uint8_t secret[32], uint8_t *packet,
                  struct sphinx_route *);

/* A body around a message of at most payload - SPHINX_BODY_HEAD bytes, and back: lent, or
 * ERR_AUTH if the body was altered. */
void sphinx_body(const struct sphinx_params *, const void *message, size_t len, uint8_t *delta);
int sphinx_open(const struct sphinx_params *, const uint8_t *delta, const uint8_t **message,
                size_t *len);

/* A reply block: a header, made by its later receiver and sent along, and a key for the one who
 * replies. The header's maker keeps the hops' keys and the reply key and opens with
 * sphinx_surb_open; hops treat a reply as any packet. */
void sphinx_surb_seal(const struct sphinx_params *, const uint8_t reply_key[32], uint8_t *delta);
void sphinx_surb_open(const struct sphinx_params *, const uint8_t reply_key[32],
                      const struct sphinx_keys *, unsigned n, uint8_t *delta);

/* -ln(u) mean, u from the hop's delay subkey: exponential, the same on every CPU. */
ns_t sphinx_delay(uint64_t delay, ns_t mean);

#endif
