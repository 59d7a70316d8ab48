/* What mixes and providers do with a packet that comes. */
#ifndef PARTYLINE_TRANSPORTS_MIX_HOP_H
#define PARTYLINE_TRANSPORTS_MIX_HOP_H

#include "transports/mix_directory.h"
#include "transports/mix_packet.h"
#include "transports/mix_tags.h"

/* Unwraps the frame in place and remembers its tag. OK, or why it was refused (and counted):
 * ERR_FORMAT, ERR_ABSENT (no key of that epoch), ERR_AUTH, ERR_REPLAY, ERR_NOMEM. */
int mix_hop_open(const struct mix_net *, const struct mix_ring *, struct mix_tags *, uint8_t *frame,
                 size_t len, struct mix_hop_view *);

#endif
