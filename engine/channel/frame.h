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
 *
 * struct session: what seals and opens them.
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
    FRAME_CLEAR = 9, /* kind and nonce */
    SESSION_NAME = 7
};

struct frame {
    uint8_t flags;
    uint64_t ack, number;
    const uint8_t *data; /* lent */
    size_t len;
};

/* The two ciphers that a handshake yields; all zero where there are none. What they read while
 * modelled comes first: 16 bytes of each key, side by side. */
struct session {
    uint64_t send_nonce;         /* of the next frame */
    uint64_t recv_nonce;         /* the lowest that is still accepted; 0: no frame has opened yet */
    uint8_t keys[2 * NOISE_KEY]; /* to send, to receive */
    uint8_t remote_ephemeral[SESSION_NAME]; /* its first bytes, to know it again */
    bool initiator;
};

static inline const uint8_t *session_recv_key(const struct session *s, bool modelled)
{
    return s->keys + (modelled ? NOISE_MODELLED_KEY : NOISE_KEY);
}
void session_set_keys(struct session *s, const struct noise_cipher *send,
                      const struct noise_cipher *recv);
void session_wipe(struct session *s);

/* Writes kind, nonce and the fields in front of the data; returns where the data goes:
 * FRAME_DATA_HEADER with DATA, at most that without. */
static inline size_t frame_begin(uint8_t *out, uint64_t nonce, uint8_t flags, uint64_t ack,
                                 uint64_t number)
{
    out[0] = FRAME_KIND_SEALED;
    put_le64(out + 1, nonce);
    out[9] = flags;
    put_le64(out + 10, ack);
    if (!(flags & (FRAME_DATA | FRAME_PROBE)))
        return FRAME_DATA_HEADER - 8;
    put_le64(out + 18, number);
    return FRAME_DATA_HEADER;
}
/* Seals the `len` bytes that frame_begin and the data take, in place, under send_nonce, which goes
 * on by one. Returns the frame's length, len + NOISE_TAG. */
void frame_encrypt(const struct session *s, uint64_t nonce, uint8_t *frame, size_t len);
static inline size_t frame_seal(struct session *s, bool modelled, uint8_t *frame, size_t len)
{
    uint64_t nonce = s->send_nonce++;
    if (modelled)
        noise_modelled_mark(s->keys, nonce, len - FRAME_CLEAR, frame + len);
    else
        frame_encrypt(s, nonce, frame, len);
    return len + NOISE_TAG;
}

/* The nonce of a sealed frame of at least FRAME_CLEAR bytes. */
static inline uint64_t frame_nonce(const uint8_t *frame)
{
    return get_le64(frame + 1);
}
/* Opens a sealed frame of at least FRAME_CONTROL bytes. Its plaintext, len - FRAME_CLEAR -
 * NOISE_TAG bytes, is then in `plain`, or, under a modelled cipher, where it is in the frame
 * anyway. False: it fails authentication. */
bool frame_decrypt(const struct session *s, const uint8_t *frame, size_t len, uint8_t *plain);
static inline bool frame_in_clear(const struct session *s, const uint8_t *frame, size_t len)
{
    return noise_modelled_opens(session_recv_key(s, true), frame_nonce(frame), frame + FRAME_CLEAR,
                                len - FRAME_CLEAR);
}
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
