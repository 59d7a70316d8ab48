/* STUN from strangers: what is read can be written, and then says the same; nothing is believed
 * that was not signed. */
#include "transports/turn_wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[STUN_KEY] = "no one knows it";
    static uint8_t out[1 << 17];
    struct turn_stream stream = {0};
    struct stun_packet m, back;
    const uint8_t *body;
    size_t len;
    if (turn_channel_read(data, size, &body, &len))
        must(body == data + TURN_CHANNEL_HEADER && len <= size - TURN_CHANNEL_HEADER);
    if (stun_read(&m, data, size) == OK) {
        must(!stun_signed_with(&m, key));
        must(m.n_peers <= STUN_PEERS && m.n_unknown <= STUN_UNKNOWN && m.n_listed <= STUN_UNKNOWN);
        must(!m.data || (m.len <= size));
        len = stun_write(&m, key, out, sizeof out);
        if (len && stun_read(&back, out, len) == OK) {
            must(stun_signed_with(&back, key));
            must(back.n_peers == m.n_peers && back.len == m.len && back.lifetime == m.lifetime);
            stun_drop(&back);
        }
        stun_drop(&m);
    }
    for (size_t at = 0; at < size; at += 7)
        if (turn_stream_add(&stream, data + at, size - at < 7 ? size - at : 7) == OK)
            while (turn_stream_next(&stream, &body, &len) == OK)
                must(len <= TURN_MESSAGE_MAX);
    turn_stream_free(&stream);
    return 0;
}
