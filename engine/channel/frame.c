#include "engine/channel/frame.h"

#include <assert.h>

#include "engine/base/bytes.h"
#include "engine/base/err.h"

static bool numbered(uint8_t flags)
{
    return (flags & (FRAME_DATA | FRAME_PROBE)) != 0;
}

size_t frame_begin(uint8_t *out, uint64_t nonce, const struct frame *f)
{
    out[0] = FRAME_KIND_SEALED;
    put_le64(out + 1, nonce);
    out[9] = f->flags;
    put_le64(out + 10, f->ack);
    if (!numbered(f->flags))
        return 18;
    put_le64(out + 18, f->number);
    return FRAME_DATA_HEADER;
}

size_t frame_seal(struct noise_cipher *c, uint8_t *frame, size_t len)
{
    uint8_t *inner = frame + FRAME_CLEAR;
    int code;
    if (c->modelled) {
        noise_modelled_mark(c, c->nonce++, len - FRAME_CLEAR, frame + len);
        return len + NOISE_TAG;
    }
    code = noise_seal(c, frame, FRAME_CLEAR, inner, len - FRAME_CLEAR, inner);
    assert(!code);
    (void)code;
    return len + NOISE_TAG;
}

const uint8_t *frame_open(const struct noise_cipher *c, const uint8_t *frame, size_t len,
                          uint8_t *plain)
{
    const uint8_t *sealed = frame + FRAME_CLEAR;
    uint64_t nonce = frame_nonce(frame);
    if (c->modelled)
        return noise_modelled_opens(c, nonce, sealed, len - FRAME_CLEAR) ? sealed : NULL;
    return noise_open_at(c, nonce, frame, FRAME_CLEAR, sealed, len - FRAME_CLEAR, plain) ? NULL
                                                                                         : plain;
}

int frame_parse(struct frame *f, const uint8_t *plain, size_t len)
{
    struct reader r = reader_of(plain, len);
    bool data, probe;
    if (len >= FRAME_DATA_HEADER - FRAME_CLEAR && (plain[0] & ~FRAME_MORE) == FRAME_DATA) {
        *f = (struct frame){.flags = plain[0],
                            .ack = get_le64(plain + 1),
                            .number = get_le64(plain + 9),
                            .data = plain + FRAME_DATA_HEADER - FRAME_CLEAR,
                            .len = len - (FRAME_DATA_HEADER - FRAME_CLEAR)};
        return ERR_OK;
    }
    f->flags = read_u8(&r);
    f->ack = read_u64(&r);
    f->number = numbered(f->flags) ? read_u64(&r) : 0;
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
