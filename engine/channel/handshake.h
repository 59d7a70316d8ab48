/* The channel's handshake, Noise_IK with a hello on each side, and the session it makes.
 *
 * The initiator: handshake_start, its frame goes out, and on the answer handshake_finish
 * gives session and hello. The responder: handshake_accept, then, if it likes the hello,
 * handshake_reply, whose frame goes out. Each frame is kept in the struct: when it seems
 * lost, the same bytes are sent again, and the other side, which tells a repetition by the
 * ephemeral key, repeats its answer without computing anything.
 *
 * Message 1 can be replayed by anyone, so a responder must not act on hello and session
 * before the first frame that opens under the session's key. The initiator can at once.
 *
 * Costs charged (ENV_COSTS): initiator 5 X25519 (e, es, ss; ee, se), responder 5 (es, ss;
 * e, ee, se); 2 AEAD for message 1 and 1 for message 2, on either side.
 */
#ifndef PARTYLINE_CHANNEL_HANDSHAKE_H
#define PARTYLINE_CHANNEL_HANDSHAKE_H

#include "engine/channel/frame.h"
#include "engine/channel/hello.h"

struct handshake {
    bool initiator;
    struct noise noise;
    struct session session; /* the responder's, after handshake_reply */
    struct hello hello;     /* the other side's, after handshake_accept */
    size_t len;
    uint8_t frame[FRAME_SHAKE_1]; /* what this side sends, len bytes */
};

/* Writes handshake 1. OK; ERR_AUTH: the peer's static key is of low order. */
int handshake_start(struct handshake *h, struct env *env, const struct identity *self,
                    const struct identity_public *peer, const struct hello *ours);
/* Reads handshake 1 of FRAME_SHAKE_1 bytes. OK; ERR_AUTH: altered, or not from the peer;
 * ERR_FORMAT. */
int handshake_accept(struct handshake *h, struct env *env, const struct identity *self,
                     const struct identity_public *peer, const uint8_t *frame);
/* Writes handshake 2. OK, ERR_AUTH. */
int handshake_reply(struct handshake *h, struct env *env, const struct hello *ours);
/* Reads handshake 2 of FRAME_SHAKE_2 bytes. OK with *out and *theirs; ERR_AUTH, ERR_FORMAT:
 * as above; after a forged frame the genuine one is still accepted. */
int handshake_finish(struct handshake *h, struct env *env, const struct identity_public *peer,
                     const uint8_t *frame, struct session *out, struct hello *theirs);

/* The ephemeral key of a handshake frame. */
static inline const uint8_t *handshake_ephemeral(const uint8_t *frame)
{
    return frame + 1;
}

void handshake_wipe(struct handshake *h);

#endif
