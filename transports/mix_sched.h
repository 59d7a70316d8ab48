/* When a client's packets leave. Without cover: at once, and this module is not asked. With
 * cover, three independent streams (Loopix, section 4.2), each with exponential or (option
 * `constant`) equal times between two packets:
 *
 *   payload  the oldest waiting datagram, or a drop packet if none waits
 *   loop     a packet to oneself
 *   drop     a packet to somebody, who throws it away
 *
 * So what leaves tells nothing of what waits, until the queue is full: then a datagram is
 * refused, and the sender feels it (mix_sched_full).
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_SCHED_H
#define PARTYLINE_TRANSPORTS_MIX_SCHED_H

#include "transports/mix_links.h"

enum { MIX_STREAM_PAYLOAD, MIX_STREAM_LOOP, MIX_STREAM_DROP, MIX_STREAMS };
enum { MIX_SCHED_FULL = 128, MIX_SCHED_MOST = 512 }; /* datagrams */

struct mix_sched {
    ns_t every[MIX_STREAMS], next[MIX_STREAMS]; /* next: NS_NEVER: no such stream */
    bool constant;
    struct mix_queue queue; /* receiver u32, then the datagram */
};

void mix_sched_init(struct mix_sched *, const struct mix_opts *);
void mix_sched_free(struct mix_sched *);
/* Are real packets to wait for their turn? */
bool mix_sched_waits(const struct mix_sched *);
bool mix_sched_full(const struct mix_sched *);
/* Draws each stream's first time. */
void mix_sched_start(struct mix_sched *, ns_t now, struct prng *);
/* Takes a datagram; OK or ERR_LIMIT, ERR_NOMEM. */
int mix_sched_put(struct mix_sched *, party_t to, const uint8_t *datagram, size_t len);
/* When to ask next; NS_NEVER. */
ns_t mix_sched_due(const struct mix_sched *);

struct mix_emission {
    enum mix_payload kind;
    party_t to;              /* of MIX_DATA */
    uint8_t *datagram, *own; /* of MIX_DATA: at + 4 of `own`, which the taker frees */
    size_t len;
};
/* The next packet that is due by now; false: none. */
bool mix_sched_take(struct mix_sched *, ns_t now, struct prng *, struct mix_emission *);

/* The time from one packet of a stream to the next. */
ns_t mix_sched_gap(ns_t every, bool constant, struct prng *);

#endif
