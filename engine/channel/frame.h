/* The wire layout of a channel: what one message of the transport holds.
 *
 * Integers are little-endian. The first byte is the kind. A handshake has the same size
 * whatever it says, so that the size tells nobody who computes what.
 *
 *   handshake 1, the initiator's: FRAME_SHAKE_1 = 467 bytes
 *      0    1  kind 1
 *      1   32  ephemeral key            \
 *     33   48  static key, sealed        | Noise_IK, message 1
 *     81  386  hello (hello.h), sealed  /
 *
 *   handshake 2, the responder's: FRAME_SHAKE_2 = 419 bytes
 *      0    1  kind 2
 *      1   32  ephemeral key            \ Noise_IK, message 2
 *     33  386  hello, sealed            /
 *
 *   sealed: 34 bytes and, with DATA or PROBE, 8 and the data
 *      0    1  kind 3   \ authenticated,
 *      1    8  nonce    / in the clear
 *      9    1  flags                                  \
 *     10    8  ack: the next number expected from you  |
 *     18    8  number, with DATA or PROBE alone        | sealed
 *     26    n  with DATA: a fragment of a message      |
 *      +   16  tag                                    /
 *
 *   plain, with channel: none: 8 bytes and the data
 *      0    1  kind 4
 *      1    1  flags: FIRST, MORE
 *      2    1  the sender's incarnation  \ modulo 256
 *      3    1  which link-up of its life /
 *      4    4  number, from 0 in every link-up, modulo 2^32
 *      8    n  a fragment of a message
 *
 * The nonce names a sealed frame within its session; it is never used twice, also when a
 * frame is sent again. The number names a frame with data within a pair of incarnations,
 * from 0; it stays the same when the frame is sent again.
 */
#ifndef PARTYLINE_CHANNEL_FRAME_H
#define PARTYLINE_CHANNEL_FRAME_H

#include "engine/crypto/noise.h"

enum frame_kind { FRAME_KIND_1 = 1, FRAME_KIND_2, FRAME_KIND_SEALED, FRAME_KIND_PLAIN };

enum frame_flag {
    FRAME_DATA = 1,   /* carries the frame `number` */
    FRAME_MORE = 2,   /* of a message that goes on in the next number */
    FRAME_PROBE = 4,  /* answer at once; all below `number` has been sent */
    FRAME_RESEND = 8, /* send again from `ack` on: something got lost */
    FRAME_FIRST = 16  /* plain alone: a message begins */
};

enum {
    FRAME_SHAKE_1 = 467,
    FRAME_SHAKE_2 = 419,
    FRAME_CONTROL = 34,     /* the smallest sealed frame */
    FRAME_DATA_HEADER = 26, /* before the data of a sealed frame */
    FRAME_DATA_OVERHEAD = FRAME_DATA_HEADER + NOISE_TAG,
    FRAME_PLAIN_HEADER = 8,
    FRAME_CLEAR = 9 /* kind and nonce */
};

struct frame {
    uint8_t flags;
    uint64_t ack, number;
    const uint8_t *data; /* lent */
    size_t len;
};

/* Writes kind, nonce and the fields in front of the data; returns where the data goes:
 * FRAME_DATA_HEADER with DATA, at most that without. */
size_t frame_begin(uint8_t *out, uint64_t nonce, const struct frame *f);
/* Seals the `len` bytes that frame_begin and the data take, in place, under the nonce that
 * the cipher then leaves behind. Returns the frame's length, len + NOISE_TAG. */
size_t frame_seal(struct noise_cipher *c, uint8_t *frame, size_t len);

/* The nonce of a sealed frame of at least FRAME_CLEAR bytes. */
static inline uint64_t frame_nonce(const uint8_t *frame)
{
    return get_le64(frame + 1);
}
/* Opens a sealed frame of at least FRAME_CONTROL bytes. Returns its plaintext, len - FRAME_CLEAR -
 * NOISE_TAG bytes for frame_parse, which are written to `plain`, or, under a modelled cipher, where
 * they are in the frame; NULL: it fails authentication. */
const uint8_t *frame_open(const struct noise_cipher *c, const uint8_t *frame, size_t len,
                          uint8_t *plain);
/* OK; ERR_FORMAT: flags that do not go together, too short, or too long. */
int frame_parse(struct frame *f, const uint8_t *plain, size_t len);

struct frame_plain {
    uint8_t flags, incarnation, link_up;
    uint32_t number;
};

void frame_plain_put(uint8_t out[FRAME_PLAIN_HEADER], const struct frame_plain *f);
/* OK, ERR_FORMAT. The data follows the header. */
int frame_plain_parse(struct frame_plain *f, const uint8_t *frame, size_t len);

#endif
