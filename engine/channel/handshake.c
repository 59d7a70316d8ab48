#include "engine/channel/handshake.h"

#include <sodium.h>

static const char PROLOGUE[] = "partyline channel 1"; /* CHANNEL_WIRE_VERSION */
_Static_assert(CHANNEL_WIRE_VERSION == 1, "the prologue names the wire version");
_Static_assert(FRAME_SHAKE_1 == 1 + 2 * NOISE_KEY + 2 * NOISE_TAG + HELLO_LEN, "handshake 1");
_Static_assert(FRAME_SHAKE_2 == 1 + NOISE_KEY + NOISE_TAG + HELLO_LEN, "handshake 2");

static int begin(struct handshake *h, bool initiator, const struct identity *self,
                 const struct identity_public *peer)
{
    memset(h, 0, sizeof *h);
    h->initiator = initiator;
    return (self->modelled ? noise_init_modelled : noise_init)(
        &h->noise, NOISE_IK, initiator, PROLOGUE, sizeof PROLOGUE - 1, self->x25519_secret,
        initiator ? peer->x25519 : NULL);
}

static int write_frame(struct handshake *h, struct env *env, uint8_t kind, const struct hello *ours)
{
    uint8_t hello[HELLO_LEN];
    size_t len;
    int code;
    hello_encode(ours, hello);
    h->frame[0] = kind;
    code = noise_write(&h->noise, &env->rng, hello, sizeof hello, h->frame + 1, sizeof h->frame - 1,
                       &len);
    h->len = 1 + len;
    env_charge(env, COST_X25519, 3);
    env_charge(env, COST_AEAD, kind == FRAME_KIND_1 ? 2 : 1);
    return code;
}

static int read_frame(struct handshake *h, struct env *env, const struct identity_public *peer,
                      const uint8_t *frame, size_t frame_len, struct hello *theirs)
{
    uint8_t hello[HELLO_LEN];
    size_t len;
    int code = noise_read(&h->noise, frame + 1, frame_len - 1, hello, sizeof hello, &len);
    env_charge(env, COST_X25519, 2);
    env_charge(env, COST_AEAD, h->initiator ? 1 : 2);
    if (code)
        return code;
    code = hello_decode(theirs, hello, len);
    if (!code && (!identity_equal(&theirs->identity, peer) ||
                  sodium_memcmp(noise_remote_static(&h->noise), peer->x25519, NOISE_KEY) != 0))
        code = ERR_AUTH;
    return code;
}

static void split(struct handshake *h, const uint8_t *remote_ephemeral, struct session *out)
{
    struct noise_cipher send, recv;
    memset(out, 0, sizeof *out);
    noise_split(&h->noise, &send, &recv, NULL);
    session_set_keys(out, &send, &recv);
    memcpy(out->remote_ephemeral, remote_ephemeral, SESSION_NAME);
    out->initiator = h->initiator;
    noise_wipe(&h->noise);
    noise_cipher_wipe(&send);
    noise_cipher_wipe(&recv);
}

int handshake_start(struct handshake *h, struct env *env, const struct identity *self,
                    const struct identity_public *peer, const struct hello *ours)
{
    int code = begin(h, true, self, peer);
    return code ? code : write_frame(h, env, FRAME_KIND_1, ours);
}

int handshake_accept(struct handshake *h, struct env *env, const struct identity *self,
                     const struct identity_public *peer, const uint8_t *frame)
{
    int code = begin(h, false, self, peer);
    if (!code)
        code = read_frame(h, env, peer, frame, FRAME_SHAKE_1, &h->hello);
    memcpy(h->session.remote_ephemeral, handshake_ephemeral(frame), SESSION_NAME);
    return code;
}

int handshake_reply(struct handshake *h, struct env *env, const struct hello *ours)
{
    uint8_t ephemeral[SESSION_NAME];
    int code = write_frame(h, env, FRAME_KIND_2, ours);
    if (code)
        return code;
    memcpy(ephemeral, h->session.remote_ephemeral, SESSION_NAME);
    split(h, ephemeral, &h->session);
    return ERR_OK;
}

int handshake_finish(struct handshake *h, struct env *env, const struct identity_public *peer,
                     const uint8_t *frame, struct session *out, struct hello *theirs)
{
    int code = read_frame(h, env, peer, frame, FRAME_SHAKE_2, theirs);
    if (!code)
        split(h, handshake_ephemeral(frame), out);
    return code;
}

void handshake_wipe(struct handshake *h)
{
    sodium_memzero(h, sizeof *h);
}
