#include "transports/turn_wire.h"

#include <stdlib.h>

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

int turn_stream_add(struct turn_stream *s, const uint8_t *data, size_t len)
{
    if (s->start) {
        memmove(s->buf, s->buf + s->start, s->len);
        s->start = 0;
    }
    if (s->cap - s->len < len) {
        size_t cap = s->len + len < 256 ? 256 : s->len + len;
        uint8_t *buf = realloc(s->buf, cap);
        if (!buf)
            return ERR_NOMEM;
        s->buf = buf;
        s->cap = cap;
    }
    if (len)
        memcpy(s->buf + s->len, data, len);
    s->len += len;
    return OK;
}

int turn_stream_next(struct turn_stream *s, const uint8_t **message, size_t *len)
{
    const uint8_t *p;
    size_t size, padded;
    if (s->len < 4) {
        if (s->len == 0)
            turn_stream_free(s);
        return ERR_AGAIN;
    }
    p = s->buf + s->start;
    if (p[0] >= 0x50)
        return ERR_FORMAT;
    size = be16(p + 2) + (size_t)(p[0] < 0x40 ? STUN_HEADER : TURN_CHANNEL_HEADER);
    padded = p[0] < 0x40 ? size : (size + 3) / 4 * 4;
    if (padded > TURN_MESSAGE_MAX)
        return ERR_TOO_BIG;
    if (s->len < padded)
        return ERR_AGAIN;
    *message = p;
    *len = size;
    s->start += padded;
    s->len -= padded;
    return OK;
}

void turn_stream_free(struct turn_stream *s)
{
    free(s->buf);
    *s = (struct turn_stream){0};
}

size_t turn_channel_write(uint16_t channel, const void *data, size_t len, bool padded,
                          uint8_t out[TURN_MESSAGE_MAX])
{
    size_t size = TURN_CHANNEL_HEADER + len;
    size_t end = padded ? (size + 3) / 4 * 4 : size;
    if (len > TURN_MESSAGE_MAX - TURN_CHANNEL_HEADER)
        return 0;
    out[0] = (uint8_t)(channel >> 8);
    out[1] = (uint8_t)channel;
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
    if (len)
        memcpy(out + TURN_CHANNEL_HEADER, data, len);
    memset(out + size, 0, end - size);
    return end;
}

uint16_t turn_channel_read(const uint8_t *message, size_t size, const uint8_t **data, size_t *len)
{
    if (size < TURN_CHANNEL_HEADER || message[0] < 0x40 || message[0] > 0x4F ||
        be16(message + 2) > size - TURN_CHANNEL_HEADER)
        return 0;
    *data = message + TURN_CHANNEL_HEADER;
    *len = be16(message + 2);
    return be16(message);
}
