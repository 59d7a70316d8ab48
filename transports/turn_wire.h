/* What a TURN client and a TURN server have in common (RFC 8656): numbers, ChannelData, and
 * the cutting of a TCP stream into messages.
 *
 * Over UDP a datagram is one STUN message or one ChannelData message. Over TCP they follow
 * each other, ChannelData padded with zeros to four bytes (12.5). The first two bits tell
 * them apart: 00 is STUN, 01 ChannelData; anything else ends the connection.
 */
#ifndef PARTYLINE_TRANSPORTS_TURN_WIRE_H
#define PARTYLINE_TRANSPORTS_TURN_WIRE_H

#include "transports/stun.h"

enum {
    TURN_PORT = 3478,
    TURN_UDP = 17, /* REQUESTED-TRANSPORT */
    TURN_TCP = 6,
    TURN_IPV4 = 1, /* REQUESTED-ADDRESS-FAMILY */
    TURN_IPV6 = 2,
    TURN_CHANNEL_FIRST = 0x4000,
    TURN_CHANNEL_LAST = 0x4FFF,
    TURN_CHANNEL_HEADER = 4,
    TURN_SEND_HEADER = 36,     /* of a Send indication to IPv4, before the padding of its data */
    TURN_MESSAGE_MAX = 2048,   /* of either kind, header and padding included */
    TURN_LIFETIME = 600,       /* seconds; the default, and the least */
    TURN_LIFETIME_MAX = 3600,  /* seconds */
    TURN_PERMISSION_LIFE = 300 /* seconds */
};

/* Bytes of a TCP stream that are not yet a whole message. Zeroed, then used. */
struct turn_stream {
    uint8_t *buf;
    size_t start, len, cap;
};

/* More bytes. OK, ERR_NOMEM. Takes memory for them and at most one message before them. */
int turn_stream_add(struct turn_stream *, const uint8_t *data, size_t len);
/* OK: one message, lent until the next call, *len without padding; ERR_AGAIN: not yet there;
 * ERR_FORMAT, ERR_TOO_BIG: the stream is of no more use. */
int turn_stream_next(struct turn_stream *, const uint8_t **message, size_t *len);
void turn_stream_free(struct turn_stream *);

/* Writes ChannelData: bytes, or 0: more than TURN_MESSAGE_MAX, which `out` has. */
size_t turn_channel_write(uint16_t channel, const void *data, size_t len, bool padded,
                          uint8_t out[TURN_MESSAGE_MAX]);
/* Its channel, and *data and *len; 0: malformed. A datagram may be longer than its data. */
uint16_t turn_channel_read(const uint8_t *message, size_t size, const uint8_t **data, size_t *len);

static inline uint8_t turn_family(const struct addr *a)
{
    static const uint8_t mapped[12] = {[10] = 255, [11] = 255};
    return memcmp(a->ip, mapped, sizeof mapped) == 0 ? TURN_IPV4 : TURN_IPV6;
}

static inline bool turn_same_ip(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

#endif
