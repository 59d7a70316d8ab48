/* A packet of the mix network, made and unwrapped: a Sphinx packet, or one that lies open
 * (mix.h) and has the same size and life:
 *
 *   open header = hops passed u8 | hops n u8 | n times u32 id | n times u64 delay | zeros
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_PACKET_H
#define PARTYLINE_TRANSPORTS_MIX_PACKET_H

#include "transports/mix_net.h"

enum { MIX_TAG = 16 };

struct mix_hop_view {
    party_t next;         /* whom to hand the packet to; PARTY_NONE: it ends here */
    uint64_t delay;       /* for sphinx_delay */
    uint8_t tag[MIX_TAG]; /* for mix_tags */
};

/* A frame (mix_frame_size bytes) with a packet for the first of n hops around a message of at
 * most mix_room + MIX_PAYLOAD_HEAD bytes. Charges what it costs. *delay: what its mixes (all but
 * the last two hops) will add. OK; ERR_ABSENT: a hop's key is not known; ERR_INVALID: or bad. */
int mix_packet_make(const struct mix_net *, const party_t *route, unsigned n, const void *message,
                    size_t len, uint8_t *frame, ns_t *delay);
/* The frame's packet becomes the next hop's; `next` in the frame, too. OK, ERR_AUTH, ERR_FORMAT
 * (a route that leads nowhere). secret: NULL in open networks. */
int mix_packet_unwrap(const struct mix_net *, const uint8_t *secret, uint8_t *frame,
                      struct mix_hop_view *);
/* The message of a packet that ended here: lent, or ERR_AUTH. */
int mix_packet_message(const struct mix_net *, const uint8_t *frame, const uint8_t **message,
                       size_t *len);

#endif
