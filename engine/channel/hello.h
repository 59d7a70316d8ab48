/* What the two sides of a channel tell each other inside the handshake, encrypted.
 *
 * HELLO_LEN bytes, always, little-endian:
 *     0  128  identity (identity.h)
 *   128    4  incarnation
 *   132    1  1: it knows the other side, 0: the next 12 bytes are zero
 *   133    4  the other side's incarnation, as it knows it
 *   137    8  the next number that it expects from that incarnation
 *   145    8  scenario digest
 *   153   16  program digest: BLAKE2b-128 of the whole program in words
 *   169    1  length of the following
 *   170  200  the program in words, cut to CHANNEL_PROGRAM_MAX bytes; then zeros
 */
#ifndef PARTYLINE_CHANNEL_HELLO_H
#define PARTYLINE_CHANNEL_HELLO_H

#include "engine/channel/channel.h"

enum { HELLO_LEN = 370, HELLO_PROGRAM_DIGEST = 16 };

struct hello {
    struct identity_public identity;
    uint32_t incarnation, peer_incarnation;
    bool knows_peer;
    uint64_t expected, scenario_digest;
    uint8_t program_digest[HELLO_PROGRAM_DIGEST];
    uint8_t program_len;
    char program[CHANNEL_PROGRAM_MAX];
};

/* Sets program, its length and digest; NULL is the empty program. */
void hello_set_program(struct hello *h, const char *program);

void hello_encode(const struct hello *h, uint8_t out[HELLO_LEN]);
/* OK; ERR_FORMAT: another length, or a field out of its range. Believes nothing else. */
int hello_decode(struct hello *h, const uint8_t *in, size_t len);

/* ERR_MISMATCH and a sentence for a person if the two sides do not compute the same:
 * "bob computes `A`, we compute `B`". The words of the peer, whose name is given, are
 * foreign: what is not printable ASCII in them becomes a question mark. Else OK. */
int hello_compare(const struct hello *ours, const struct hello *theirs, const char *name, char *why,
                  size_t cap);

#endif
