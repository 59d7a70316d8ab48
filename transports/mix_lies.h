/* What a provider does that lies (option `lies`): an active adversary, who moves one client's
 * traffic and looks for the move elsewhere. All providers lie; only what their clients send is
 * touched, before it is on its way. The target is `lie_to`.
 *
 *   drop     a share (lie_rate) of the target's packets is lost: gaps are its mark
 *   tag      a share of them is altered in one bit of the body, in the hope to know it again
 *            further on (the tagging attack). Sphinx makes it useless: the body is garbage at the
 *            exit, and refused there (drop mix_body), so it is no more than `drop`
 *   delay    a latency watermark: in every other half of `lie_period` the target's packets are
 *            held, and leave together at its end
 *   isolate  in every other half of it all packets but the target's are held: the (n-1) attack by
 *            blocking. Complete if one provider serves everybody; else other providers' clients
 *            still cover the target (Serjantov, Dingledine and Syverson, IH 2002)
 *
 * Senders see to lost packets as ever (transports/reliable.h). What was lost on purpose is named
 * `fault`. Held are MIX_QUEUE packets at most, beyond which nothing is held back. Without the
 * option nothing here draws from the dice or arms a timer.
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_LIES_H
#define PARTYLINE_TRANSPORTS_MIX_LIES_H

#include "transports/mix_links.h"

enum mix_lie { MIX_HONEST, MIX_LIE_DROP, MIX_LIE_TAG, MIX_LIE_DELAY, MIX_LIE_ISOLATE };

struct mix_lies {
    struct mix_net *net;
    party_t target;
    uint32_t timer; /* fires when what is held is to leave */
    bool armed;
    struct mix_queue held;
};

extern const char *const mix_lie_names[];

/* The party that is meant: the first without `lie_to`, PARTY_NONE if there is none of that name. */
party_t mix_lies_target(const struct mix_opts *, const struct roster *);
void mix_lies_init(struct mix_lies *, struct mix_net *, uint32_t timer);
void mix_lies_free(struct mix_lies *);
/* A packet of the client `from`, in a copy that may be altered: true: pass it on; false: it is
 * lost or held. */
bool mix_lies_pass(struct mix_lies *, party_t from, uint8_t *frame);
/* The timer: takes what is held; false: no more. The frame is the caller's then. */
bool mix_lies_take(struct mix_lies *, struct mix_waiting *out);

#endif
