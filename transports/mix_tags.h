/* Replay tags: a bounded, rotating set. It holds the newest `most` to 2 `most` tags: when one
 * half is full it becomes the older, and the older is forgotten. A hop's key lives three epochs
 * at most, so an older replay meets a key that is gone, if `most` fits the traffic of that time.
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_TAGS_H
#define PARTYLINE_TRANSPORTS_MIX_TAGS_H

#include <stdbool.h>
#include <stdint.h>

struct mix_tag {
    uint64_t a, b; /* both 0: empty */
};

struct mix_tags {
    struct {
        struct mix_tag *slots;
        uint32_t n, cap; /* cap: 0 or a power of two */
    } half[2];           /* the newer, the older */
    uint32_t most;
};

void mix_tags_init(struct mix_tags *, uint32_t most);
void mix_tags_free(struct mix_tags *);
/* OK: it is new, and kept; ERR_REPLAY; ERR_NOMEM. The first 16 bytes of a tag tell. */
int mix_tags_add(struct mix_tags *, const uint8_t tag[16]);

#endif
