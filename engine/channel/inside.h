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

/* Sent with the next frame that the transport takes. */
enum due { DUE_SHAKE = 1, DUE_ACK = 2, DUE_RESEND = 4, DUE_PROBE = 8 };

/* A message that is not whole yet. */
struct part {
    size_t len, cap;
    uint8_t data[];
};

/* What a message touches comes first: in two cache lines, and the session's. */
struct channel {
    struct channel_node *node;
    party_t peer;
    uint32_t peer_incarnation;     /* if met */
    uint64_t sent, expected;       /* frames; expected: the next number */
    uint64_t base, high;           /* see below */
    uint8_t due;                   /* enum due */
    uint8_t tries;                 /* timers without an answer, at most 255 */
    uint8_t link_up, peer_link_up; /* mode none: how often the transport came up */
    uint8_t report;                /* enum peer_state: the latest that was reported, if any */
    uint8_t got_frames;            /* since the last acknowledgement, as got_bytes */
    bool transport_up, blocked;    /* blocked: the transport refused */
    bool armed, met, trusted;      /* met: peer_incarnation is known */
    bool lost, failed;
    bool reported, waiting; /* waiting: refused a message, owes room() */
    bool asked : 1;         /* for what is missing at `expected` */
    bool troubled : 1;      /* base was to be sent again before */

    /* Sending. The queue's records are the frames base, base + 1, ...; of them those below
     * sent are with the transport; high is one beyond the highest that ever was. */
    struct backlog queue;
    uint32_t cursor; /* where frame `sent` is in the queue */
    uint32_t limit;  /* frames that may be unacknowledged; UINT32_MAX: any */
    uint32_t got_bytes;
    uint32_t wanted;         /* waiting: bytes refused */
    ns_t deadline;           /* when the timer has something to do; at most one is armed */
    struct part *part;       /* what arrives in parts; NULL: nothing */
    struct handshake *shake; /* one under way, of either role; or NULL */

    struct session session;
    union {
        struct channel *waiting_next;
        char *why; /* failed (and no longer waiting): the sentence */
    };
};

_Static_assert(offsetof(struct channel, session) == 128, "two cache lines before the session");
_Static_assert(sizeof(struct channel) <= 256, "and two from there on");

/* channel.c */
void channel_report(struct channel *c, enum peer_state state);
void channel_fail(struct channel *c, int code, const char *why);
/* Hands a frame to the transport; false and blocked if it does not take it. */
static inline bool channel_emit(struct channel *c, const uint8_t *frame, size_t len)
{
    int code = c->node->up->emit(c->node->node, c->peer, frame, len);
    assert(code != ERR_TOO_BIG);
    c->blocked = code != ERR_OK;
    return code == ERR_OK;
}
void channel_flush(struct channel *c);

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
/* Notes that c was refused `bytes`. */
void pool_wait(struct channel *c, size_t bytes);
void pool_unwait(struct channel *c);
/* Calls room() for c and others of the node that can go on. */
void pool_wake(struct channel *c);
static inline void pool_notify(struct channel *c)
{
    if (c->waiting || c->node->waiting_first)
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
/* The first frame opened under the session that the shake keeps aside: adopts it. False if
 * the two sides turn out not to fit. */
bool shake_promote(struct channel *c);
void shake_end(struct channel *c);

/* sealed.c */
/* Sends one message of one frame at once, if nothing is before it: what pool_put and sealed_flush
 * would do. */
bool sealed_pass(struct channel *c, const void *head, size_t head_len, const void *body,
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
/* Sends one message of one frame past the queue, if that is possible. */
bool plain_pass(struct channel *c, const void *head, size_t head_len, const void *body,
                size_t body_len);

#endif
