/* The channel: an end-to-end encrypted, authenticated, reliable session between two
 * identities, above any transport.
 *
 * Pure state machine, no I/O: it is handed what the transport received and emits what the
 * transport shall send. One struct channel per pair and node; what all channels of a node
 * share is in struct channel_node. The wire layout is in frame.h and hello.h.
 *
 * channel: noise. Noise_IK_25519_ChaChaPoly_BLAKE2b (Noise rev. 34) between static X25519
 * keys that the Ed25519 identities have signed. The prologue is the wire version alone.
 * The handshake's encrypted payloads carry: the full identity, the incarnation, the
 * number of the next frame expected from the peer and in which of the peer's incarnations,
 * the scenario digest, and the program in words; they are compared after both sides have
 * them, so that a mismatch is named on both sides. IK's first message can be replayed:
 * the responder keeps the new session aside and counts the channel as up only at the
 * initiator's first transport frame, which the initiator sends at once (empty if it has
 * no data). A new handshake for a live channel replaces it only then. A static key or an
 * identity that is not the roster's is counted (channel_auth) and gets no answer.
 *
 * Frames are numbered, acknowledged (piggybacked; on their own after 32 frames or 64 KiB),
 * kept until acknowledged, and resent after a reconnection or a gap: to the protocol
 * above, messages arrive per pair in order and exactly once, or peer_lost. When something
 * stays unacknowledged for a second, the sender asks, and again after 2, 4, 8, 8 and 8 s;
 * a lost handshake is repeated in the same rhythm. From the third time on it also begins
 * a new handshake, whoever began the last: so the two sides find together again if one
 * restarted and no transport said so. After six questions without an answer the peer is
 * PEER_LOST, once, and nothing more is asked; PEER_UP follows if a frame of its comes
 * after all, or when the transport comes up again. At most one timer is armed a channel.
 *
 * A restarted peer is a new incarnation: numbering begins anew and the protocol above is
 * told PEER_RESTARTED (instead of PEER_UP). What was sent before that and is not
 * acknowledged is thrown away; what is sent afterwards, also from within state(), arrives.
 *
 * Messages to CHANNEL_MESSAGE_MAX are fragmented to the transport's max_message.
 *
 * The pool. What is kept counts against the node's pool: messages waiting or not yet
 * acknowledged, 4 bytes for each of their frames, and messages arriving in parts. Above
 * the cap, channel_send refuses. Two exceptions keep the node alive however many peers
 * are silent: a channel that keeps nothing takes one message, and what arrives is never
 * refused. So pool_used is at most the cap and, a peer, one message each way.
 *
 * channel: none. The same fragmentation and order, but no identity, no encryption, no
 * acknowledgement and no resending: the baseline that shows what security costs. It is up
 * when the transport is. What is in flight when the transport breaks is lost; where that
 * shows (a message cut in the middle, a number left out) the peer is reported PEER_LOST.
 * PEER_RESTARTED comes with the new incarnation's first message.
 */
#ifndef PARTYLINE_CHANNEL_CHANNEL_H
#define PARTYLINE_CHANNEL_CHANNEL_H

#include "engine/base/err.h"
#include "engine/base/fetch.h"
#include "engine/crypto/identity.h"
#include "engine/env.h"
#include "engine/metrics.h"
#include "engine/protocol.h"
#include "engine/roster.h"
#include "engine/world.h"

enum {
    CHANNEL_WIRE_VERSION = 1,
    CHANNEL_MESSAGE_MAX = (16 << 20) + 64, /* 16 MiB and a protocol header */
    CHANNEL_PROGRAM_MAX = 200,             /* bytes of the program in words that are told */
    CHANNEL_FRAME_MIN = 512,               /* the least max_frame; a handshake must fit */
    CHANNEL_POOL_DEFAULT = 64 << 20        /* bytes a node may keep for all its channels */
};

enum channel_state { CHANNEL_DOWN, CHANNEL_SHAKING, CHANNEL_UP, CHANNEL_FAILED };

struct channel;
struct waiting;

/* Upward and outward. Each happens inside the call of a function below that caused it;
 * channel_send itself causes emit and arm alone. From within deliver, state, room and
 * failed, channel_send may be called, on any channel of the node, and nothing else: above
 * all not channel_free. From within emit and arm, nothing. */
struct channel_up {
    /* A frame for the transport: OK; ERR_AGAIN (channel_room follows); ERR_CLOSED
     * (channel_transport_down or _up follows). */
    int (*emit)(void *node, party_t peer, const void *data, size_t len);
    /* One whole message, lent. */
    void (*deliver)(void *node, party_t peer, const uint8_t *data, size_t len);
    /* Only changes are told: PEER_DOWN and PEER_UP alternate; but PEER_RESTARTED always. */
    void (*state)(void *node, party_t peer, enum peer_state);
    /* channel_send refused with ERR_AGAIN and takes messages again. */
    void (*room)(void *node, party_t peer);
    /* For good: who and what differs ("bob computes `shamir sum`, we compute `shamir
     * maximum`"). ERR_MISMATCH; ERR_AUTH: the roster's identity of the peer is worth
     * nothing; ERR_TOO_BIG: it sent a message above the limit. Lent. */
    void (*failed)(void *node, party_t peer, int code, const char *why);
    /* Call channel_timer(peer) at this time (or later; never earlier). */
    void (*arm)(void *node, party_t peer, ns_t at);
};

/* Shared by the channels of one node. Filled by the node, zero where nothing is said;
 * lent: it outlives its channels. What every message touches comes first, in a cache line. */
struct channel_node {
    struct env *env; /* rng, now, costs, incarnation, metrics (not NULL); no links */
    const struct channel_up *up;
    void *node;
    party_t self;
    enum channel_mode mode;
    size_t max_frame; /* the transport's max_message, at least CHANNEL_FRAME_MIN */
    size_t pool_cap, pool_used;
    struct waiting *waiting_first, *waiting_last; /* who owes room(); the channels' own */
    const struct roster *roster;
    const struct identity *identity; /* NULL with mode none */
    uint64_t scenario_digest;
    const char *program; /* NULL: "" */
};

/* NULL when out of memory. */
struct channel *channel_new(struct channel_node *, party_t peer);
/* Wipes and frees; nothing is told. NULL is allowed. */
void channel_free(struct channel *);

/* The transport reaches the peer; first: this side begins the handshake. Also when the
 * transport is up already: it was down and nobody said so. */
void channel_transport_up(struct channel *, bool first);
void channel_transport_down(struct channel *);
/* A frame came. Foreign bytes: never fails, counts drops. */
void channel_receive(struct channel *, const uint8_t *data, size_t len);
/* Takes the whole message (head || body, copied) or nothing, in any state but failed: what
 * is sent before the channel is up waits. OK; ERR_AGAIN: room() follows; ERR_CLOSED: failed;
 * ERR_TOO_BIG; ERR_NOMEM. */
int channel_send(struct channel *, const void *head, size_t head_len, const void *body,
                 size_t body_len);
/* The transport takes frames again. */
void channel_room(struct channel *);
/* The time that arm() named has come. */
void channel_timer(struct channel *);

/* Something will come or go: fetches into a cache what that touches. */
static inline void channel_expect(const struct channel *c)
{
    fetch(c, 2);
}
/* The same for what it keeps until it is acknowledged, once the channel itself is there. */
void channel_expect_kept(const struct channel *);

enum channel_state channel_state(const struct channel *);
/* True when nothing waits and nothing is unacknowledged. */
bool channel_idle(const struct channel *);
/* For a person: "shaking hands", "up, 3 frames unacknowledged". Returns buf. */
const char *channel_describe(const struct channel *, char *buf, size_t cap);

#endif
