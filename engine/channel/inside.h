/* struct channel, for the files of this folder alone.
 *
 * channel.c is the interface; pool.c keeps messages, whole and in parts, and counts their
 * bytes; shake.c makes and replaces sessions; sealed.c numbers, acknowledges and resends;
 * plain.c is channel: none. frame, hello, handshake and backlog know no channel.
 *
 * Calls upward are the last thing that happens to a state: deliver, state, room and failed
 * may come back with channel_send at any time, on this channel or another of the node.
 */
#ifndef PARTYLINE_CHANNEL_INSIDE_H
#define PARTYLINE_CHANNEL_INSIDE_H

#include "engine/channel/channel.h"
#include "engine/channel/frame.h"
#include "engine/channel/handshake.h"
#include "engine/channel/backlog.h"
#include "engine/protocol.h"

#include <assert.h>

/* To be said with the next frame that the transport takes. */
enum due { DUE_SHAKE = 1, DUE_ACK = 2, DUE_RESEND = 4, DUE_PROBE = 8 };

/* A message that is not whole yet. */
struct part {
    size_t len, cap;
    uint8_t data[];
};

/* Three cache lines. An ordinary message (in order and whole, of a session that is live, with
 * nothing to be said beside) touches two, if its cipher is modelled: what it has to know of the
 * third is among the flags. */
struct channel {
    struct channel_node *node;
    party_t peer;
    uint32_t got; /* since the last acknowledgement: bytes, and GOT_FRAME for each frame */

    /* Sending. The queue's records are the frames base, base + 1, ...; the first `sent` of them
     * are with the transport; the first `high` were so at some time. */
    struct backlog queue;
    uint64_t base;
    uint64_t expected; /* the next number of the peer's */
    uint32_t sent, high;
    uint32_t cursor;  /* where the first record that is not sent is in the queue */
    uint8_t due;      /* enum due */
    uint8_t tries;    /* timers without an answer, at most 255 */
    bool live : 1;    /* session can be used; the transport is up, too */
    bool blocked : 1; /* the transport refused */
    bool failed : 1;
    bool limited : 1;  /* see limit */
    bool lost : 1;     /* what was asked got no answer */
    bool asked : 1;    /* for what is missing at `expected` */
    bool parted : 1;   /* see part */
    bool troubled : 1; /* base was to be sent again before */
    bool transport_up : 1;
    bool armed : 1;    /* a timer, of which there is one at most */
    bool modelled : 1; /* the ciphers of all sessions */
    bool waiting : 1;  /* refused a message, owes room() */
    bool met : 1;      /* peer_incarnation is known */
    bool trusted : 1;
    unsigned report : 2; /* enum peer_state: the latest that was reported; or REPORT_NONE */
    ns_t deadline;       /* when the timer has something to do */

    union {
        struct session session;
        struct {
            uint8_t own, peer;
        } link_up; /* mode none: how often the transport came up */
    };
    struct handshake *shake; /* one under way, of either role; or NULL */
    union {
        struct part *part; /* parted: what arrives in parts */
        char *why;         /* failed: the sentence */
    };
    uint32_t peer_incarnation;
    uint32_t limit; /* limited: frames that may be unacknowledged */
};

enum { GOT_FRAME = 1 << 24, REPORT_NONE = PEER_RESTARTED /* which is reported as PEER_UP */ };

_Static_assert(offsetof(struct channel, session.keys) + (size_t)2 * NOISE_MODELLED_KEY == 128,
               "two cache lines for an ordinary message");
_Static_assert(sizeof(struct channel) == 192, "a third for what is rare, and for real ciphers");

/* channel.c */
void channel_report(struct channel *c, enum peer_state state);
void channel_fail(struct channel *c, int code, const char *why);
/* Hands a frame to the transport, which is not blocked; but is so if it does not take it: false. */
static inline bool channel_emit(struct channel *c, const uint8_t *frame, size_t len)
{
    int code = c->node->up->emit(c->node->node, c->peer, frame, len);
    if (code == ERR_OK)
        return true;
    assert(code != ERR_TOO_BIG);
    c->blocked = true;
    return false;
}
void channel_flush(struct channel *c);
/* The queue of channel_send, for what cannot go out at once. */
int channel_queue(struct channel *c, const void *head, size_t head_len, const void *body,
                  size_t body_len);

/* What sealing or opening so many bytes costs. */
static inline void channel_charge(struct channel *c, size_t len)
{
    if (!c->node->env->costs)
        return;
    env_charge(c->node->env, COST_AEAD, 1);
    env_charge(c->node->env, COST_AEAD_KIB, (len + 512) / 1024);
}
static inline void channel_drop(struct channel *c, enum drop why)
{
    metrics_drop(c->node->env->metrics, why);
}
static inline const char *channel_peer_name(const struct channel *c)
{
    return c->node->roster->entries[c->peer].name;
}

/* pool.c */
static inline bool pool_admits(const struct channel *c, size_t bytes)
{
    const struct channel_node *n = c->node;
    return c->queue.count == 0 ||
           (n->pool_used <= n->pool_cap && bytes <= n->pool_cap - n->pool_used);
}
void pool_unwait(struct channel *c);
/* Calls room() for c and others of the node that can go on. */
void pool_wake(struct channel *c);
static inline void pool_notify(struct channel *c)
{
    if (c->node->waiting_first)
        pool_wake(c);
}
/* Cuts head || body into records of at most `max` bytes. OK, ERR_AGAIN (and waits), ERR_NOMEM. */
int pool_put(struct channel *c, size_t max, const uint8_t *head, size_t head_len,
             const uint8_t *body, size_t body_len);
static inline size_t pool_pop(struct channel *c)
{
    size_t bytes = backlog_pop(&c->queue, c->node->env->slab);
    c->node->pool_used -= bytes;
    return bytes;
}
/* Appends to the message in parts. OK; ERR_TOO_BIG; ERR_NOMEM: nothing happened. */
int pool_join(struct channel *c, const uint8_t *data, size_t len);
/* Delivers the message in parts and forgets it. */
void pool_deliver(struct channel *c);
void pool_forget_part(struct channel *c);
void pool_clear(struct channel *c);

/* shake.c */
/* Begins a handshake as its initiator; one under way is given up. */
void shake_begin(struct channel *c);
void shake_receive_1(struct channel *c, const uint8_t *frame, size_t len);
void shake_receive_2(struct channel *c, const uint8_t *frame, size_t len);
/* Opens a sealed frame of at least FRAME_CONTROL bytes under the session, or under the one that the
 * shake keeps aside, which then takes its place. Its plaintext, in the frame or in buf (of len
 * bytes); or NULL, and counted. */
const uint8_t *shake_open(struct channel *c, const uint8_t *frame, size_t len, uint8_t *buf);
void shake_end(struct channel *c);

/* sealed.c */
int sealed_send(struct channel *c, const void *head, size_t head_len, const void *body,
                size_t body_len);
void sealed_receive(struct channel *c, const uint8_t *frame, size_t len);
void sealed_flush(struct channel *c);
/* All below `number` has arrived. */
void sealed_acknowledged(struct channel *c, uint64_t number);
/* The peer begins anew: nothing was sent, nothing is expected. */
void sealed_reset(struct channel *c);
/* All that is kept will be sent again. */
void sealed_rewind(struct channel *c);
void sealed_timer(struct channel *c);
void sealed_deadline(struct channel *c);

/* plain.c */
void plain_up(struct channel *c);
void plain_down(struct channel *c);
void plain_receive(struct channel *c, const uint8_t *frame, size_t len);
void plain_flush(struct channel *c);
int plain_send(struct channel *c, const void *head, size_t head_len, const void *body,
               size_t body_len);

#endif
