#include "engine/channel/frame.h"

#include <assert.h>
#include <sodium.h>

#include "engine/base/bytes.h"
#include "engine/base/err.h"

void session_set_keys(struct session *s, const struct noise_cipher *send,
                      const struct noise_cipher *recv)
{
    size_t len = send->modelled ? NOISE_MODELLED_KEY : NOISE_KEY;
    memcpy(s->keys, send->key, len);
    memcpy(s->keys + len, recv->key, len);
}

void session_wipe(struct session *s)
{
    sodium_memzero(s, sizeof *s);
}

void frame_encrypt(const struct session *s, uint64_t nonce, uint8_t *frame, size_t len)
{
    uint8_t *inner = frame + FRAME_CLEAR;
    int code = noise_key_seal(s->keys, nonce, frame, FRAME_CLEAR, inner, len - FRAME_CLEAR, inner);
    assert(!code);
    (void)code;
}

bool frame_decrypt(const struct session *s, const uint8_t *frame, size_t len, uint8_t *plain)
{
    return !noise_key_open(session_recv_key(s, false), frame_nonce(frame), frame, FRAME_CLEAR,
                           frame + FRAME_CLEAR, len - FRAME_CLEAR, plain);
}

int frame_parse(struct frame *f, const uint8_t *plain, size_t len)
{
    struct reader r = reader_of(plain, len);
    bool data, probe;
    f->flags = read_u8(&r);
    f->ack = read_u64(&r);
    f->number = f->flags & (FRAME_DATA | FRAME_PROBE) ? read_u64(&r) : 0;
    f->data = r.at;
    f->len = r.left;
    data = f->flags & FRAME_DATA;
    probe = f->flags & FRAME_PROBE;
    if (r.bad || f->flags > (FRAME_DATA | FRAME_MORE | FRAME_PROBE | FRAME_RESEND) ||
        (data && probe) || (!data && (f->len || f->flags & FRAME_MORE)))
        return ERR_FORMAT;
    return ERR_OK;
}

void frame_plain_put(uint8_t out[FRAME_PLAIN_HEADER], const struct frame_plain *f)
{
    out[0] = FRAME_KIND_PLAIN;
    out[1] = f->flags;
    out[2] = f->incarnation;
    out[3] = f->link_up;
    put_le32(out + 4, f->number);
}

int frame_plain_parse(struct frame_plain *f, const uint8_t *frame, size_t len)
{
    if (len < FRAME_PLAIN_HEADER || frame[0] != FRAME_KIND_PLAIN ||
        (frame[1] & ~(FRAME_FIRST | FRAME_MORE)) != 0)
        return ERR_FORMAT;
    f->flags = frame[1];
    f->incarnation = frame[2];
    f->link_up = frame[3];
    f->number = get_le32(frame + 4);
    return ERR_OK;
}
