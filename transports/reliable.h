/* Reliable, ordered messages over datagrams, between two endpoints: no I/O, no clock, no
 * chance of its own. Used by every transport whose path is datagrams.
 *
 * One struct reliable is one end. It is given datagrams (reliable_input), time (reliable_tick)
 * and messages (reliable_send) and calls back through struct reliable_ops. Within a session
 * (between up() and down()) each message arrives whole, once, in order. A session is named by
 * the two ends' tokens, fresh random numbers per life: so an end that restarted is told from
 * its predecessor, datagrams of an earlier session count for nothing, and who does not see
 * the datagrams cannot forge any. Against those who do see them, the channel above protects.
 *
 * Life: reliable_init, reliable_open(token), up(), ..., down(why). After down(DOWN_RESET), the
 * peer came with another token, up() follows at once, in a new session. After any other down()
 * the end is closed: reliable_open begins again, with a FRESH token (in down() itself, or later).
 * What was unsent or unacknowledged at a down() is forgotten. Both ends open; either may be
 * first; hellos are repeated with back-off until up() or reliable_close, for ever.
 *
 * Callbacks come from within the functions below. In deliver, up, down and room also reliable_send,
 * _open and _close of the same end are allowed; nothing else is, and in output and wake nothing.
 *
 * The mechanisms, and where they come from: messages are framed (length u32) into one stream of
 * bytes, which is cut into segments when it is sent, so small messages that wait travel together.
 * Acknowledgement is cumulative and selective (RFC 2018). Each datagram that asks for an answer
 * has a transmission number of its own, which the acknowledgement echoes: no sample of the round
 * trip is ambiguous, not even of a segment sent again (RFC 9002, 2.1), and loss is judged by the
 * order and time of transmissions (RFC 9002, 6.1): `reorder` numbers behind, or 9/8 round trips.
 * Both widen when the peer reports duplicates (a reordering path). RTO by RFC 6298, doubled each
 * time; its first expiry only probes, the second one reduces the window to one segment. Window:
 * NewReno (RFC 5681, 6582; bytes; initial_window segments), paced at 2 (slow start) or 5/4
 * windows a round trip, with bursts of up to initial_window segments.
 *
 * Wire format. Integers are little-endian; a part stands there if its flag is set.
 *
 *    0  u8   version (1) in the upper half; flags in the lower: CLOSE 1, DATA 2, ACK 4, PING 8
 *    1  u64  to: the receiver's token; 0: not known yet
 *    9  u64  from: the sender's token
 *   17  ACK:  u64 the largest transmission number received (0: none yet)
 *             u32 microseconds between its arrival and this datagram
 *             u32 segments received in vain so far (all of them there already)
 *             u64 next: every byte of the stream before this one has been received
 *             u32 window: bytes from `next` on that the receiver will take
 *             u8  n, then n times (u32 gap, u32 len): received from next + gap, len bytes; in any
 *                 order
 *       DATA, PING: u64 transmission number, from 1
 *       DATA: u64 offset in the stream, then the segment: 1 byte or more, to the datagram's end
 *
 * No flag and exactly 17 bytes is a hello; CLOSE alone and exactly 17 bytes ends the session. A
 * hello to 0 is answered with one that names both, of the same size; nothing is kept of it. Any
 * datagram that names our token proves that its sender saw it: from a token that is not the
 * peer's it begins a session. Tokens of the peer's last RELIABLE_DEAD lives are not heard again in
 * this life of ours: in the next one our token is fresh, and who names it is alive.
 *
 * Both ends' setups should agree: the first window of the peer is taken to be one's own.
 *
 * Demultiplexing: one port may serve many ends. `to` (reliable_to) names the end; where it is 0,
 * only the address can.
 */
#ifndef PARTYLINE_TRANSPORTS_RELIABLE_H
#define PARTYLINE_TRANSPORTS_RELIABLE_H

#include "engine/base/err.h"
#include "engine/env.h"

enum {
    RELIABLE_VERSION = 1,
    RELIABLE_CLOSE = 1,
    RELIABLE_DATA = 2,
    RELIABLE_ACK = 4,
    RELIABLE_PING = 8,
    RELIABLE_HEADER = 17,         /* of every datagram; a hello is no more */
    RELIABLE_DATA_HEADER = 33,    /* of a datagram with a segment alone */
    RELIABLE_FRAME = 4,           /* in front of each message in the stream */
    RELIABLE_RANGES = 32,         /* at most, in one acknowledgement */
    RELIABLE_DATAGRAM_MIN = 128,  /* a path has to carry that much ... */
    RELIABLE_DATAGRAM_MAX = 9000, /* ... and more than that is not used */
    RELIABLE_SEGMENTS_MAX = 65536
};

struct reliable_ops {
    /* Send this datagram (at most datagram_max bytes, lent) to the peer; it may get lost. */
    void (*output)(void *ctx, const uint8_t *datagram, size_t len);
    /* A message of the peer, lent. */
    void (*deliver)(void *ctx, const uint8_t *message, size_t len);
    void (*up)(void *ctx);
    /* TIMEOUT: nothing heard for `silence`; CLOSED: by the peer; RESET: see above; TOO_BIG: the
     * peer began a message above message_max. */
    void (*down)(void *ctx, enum down_reason why);
    /* reliable_send refused with ERR_AGAIN and takes messages again. */
    void (*room)(void *ctx);
    /* Call reliable_tick at `at` or a little later. Earlier wishes stay good (a tick for nothing
     * does no harm), so a timer that cannot be disarmed will do. */
    void (*wake)(void *ctx, ns_t at);
};

/* Fill with reliable_defaults, then change what the path needs. All of it is copied. */
struct reliable_setup {
    const struct reliable_ops *ops;
    void *ctx;
    size_t datagram_max; /* what the path carries in one datagram, RELIABLE_DATAGRAM_MIN and more */
    size_t message_max;  /* longest message in either direction */
    size_t queue;        /* most bytes of messages kept until acknowledged, framing included;
                          * taken as they are needed. At least message_max + RELIABLE_FRAME */
    size_t window;       /* most bytes of the peer's stream kept until they are whole messages;
                          * taken as they are needed. As above */
    uint32_t segments;   /* most of them in flight, and most ranges kept of the peer's */
    uint32_t initial_window;          /* segments */
    uint32_t reorder;                 /* a segment so many transmissions behind is lost */
    ns_t disorder;                    /* and one so much later than a round trip, no sooner: for
                                       * a path that delays each datagram for itself (a mix); 0 */
    uint32_t ack_every;               /* acknowledge at the latest every so many segments ... */
    ns_t ack_delay;                   /* ... or after this; at once what came out of order */
    ns_t rto_first, rto_min, rto_max; /* hellos wait rto_first, doubled up to rto_max */
    ns_t ping_every; /* after so long without a datagram sent that asks for an answer; 0: never */
    ns_t silence;    /* a peer that owes an answer and is silent for so long is given up */
    bool pace;       /* false: the whole window at once */
};

/* datagram_max 1200, message_max LINK_MESSAGE_MAX, queue and window 1 MiB, segments 4096,
 * initial_window 10, reorder 3, ack_every 2, ack_delay 5 ms, rto_first 1 s, rto_min 50 ms,
 * rto_max 10 s, ping_every 15 s (NAT mappings live 30 s), silence 30 s, pace. */
void reliable_defaults(struct reliable_setup *, const struct reliable_ops *, void *ctx);

struct reliable_counts {
    uint64_t sent, received;  /* datagrams */
    uint64_t segments;        /* sent for the first time */
    uint64_t resent;          /* and again */
    uint64_t lost;            /* judged lost by order or time; the rest of resent: by RTO */
    uint64_t timeouts;        /* RTO expiries */
    uint64_t duplicates;      /* segments received in vain */
    uint64_t foreign, format; /* datagrams dropped: wrong token; malformed */
    uint64_t beyond;          /* segments dropped: outside the window, or too many ranges */
};

struct reliable_segment;
struct reliable_range;

enum reliable_state { RELIABLE_CLOSED, RELIABLE_HELLOING, RELIABLE_UP };

enum { RELIABLE_DEAD = 4 }; /* tokens of the peer's earlier lives that are remembered */

/* A stretch of a stream: bytes start .. start+len of data are base .. base+len of the stream. */
struct reliable_stretch {
    uint8_t *data;
    size_t start, len, cap;
    uint64_t base;
};

/* One end. Its members are its own; read `counts` and `state`. */
struct reliable {
    struct reliable_setup setup;
    struct reliable_counts counts;
    enum reliable_state state;
    uint64_t token, peer;
    uint64_t dead[RELIABLE_DEAD];
    uint32_t n_dead;
    bool refused;  /* a send got ERR_AGAIN */
    uint32_t life; /* counts sessions and closings: a callback may have ended this one */

    /* sending */
    struct reliable_stretch out;
    struct reliable_segment *ring; /* in flight or lost, by offset; segments (a power of two) */
    uint32_t ring_at, ring_n, ring_cap;
    uint32_t lost;         /* of them, how many wait to be sent again */
    uint64_t next_offset;  /* of the next new segment */
    uint64_t limit;        /* the peer takes bytes before this one */
    uint64_t transmission; /* the last one */
    uint64_t heard;        /* the largest that the peer has received */
    uint64_t recovery;     /* losses of transmissions up to this one are one event */
    uint64_t ping;         /* the last ping's transmission, while unanswered; else 0 */
    size_t in_flight, cwnd, ssthresh, credit;
    uint32_t reorder, peer_duplicates, backoff;
    uint64_t widened;          /* counts.lost when `reorder` was last changed */
    ns_t srtt, rttvar, latest; /* srtt 0: no sample yet */
    ns_t heard_at, asked_at; /* last word of the peer; first unanswered question since, or NEVER */
    ns_t ping_at, elicit_at; /* the last ping; the last datagram that asks for an answer */
    ns_t pace_at;            /* when what was sent so far has left at the paced rate */
    ns_t rto_from;           /* the RTO counts from here: the first question, or the last answer */
    ns_t loss_at, hello_at;

    /* receiving */
    struct reliable_stretch in; /* base: the first byte not yet delivered */
    uint64_t next;              /* the first byte not yet received */
    struct reliable_range *ranges;
    uint32_t n_ranges, ranges_cap, latest_range, unacked, duplicates;
    uint64_t largest; /* transmission number received */
    ns_t largest_at, ack_at;

    ns_t woken; /* the earliest wish that is still to come */
};

/* Zeroes and sets up; takes no memory. OK or ERR_INVALID (a limit is too small). */
int reliable_init(struct reliable *, const struct reliable_setup *, struct err *);
/* Begins a life: says hello. token: 64 random bits (0 is taken as 1). Closed ends only. */
void reliable_open(struct reliable *, ns_t now, uint64_t token);
/* OK: taken, copied. ERR_AGAIN: nothing taken, wait for room(). ERR_TOO_BIG: 0 bytes, or more than
 * message_max. ERR_CLOSED: not up. ERR_NOMEM. */
int reliable_send(struct reliable *, ns_t now, const void *message, size_t len);
/* A datagram from the peer, or from anybody. OK, or why nothing was done with it (count it as a
 * drop): ERR_AUTH: a token that is not ours or not the peer's; ERR_FORMAT; ERR_LIMIT: outside the
 * window. What is merely superfluous is OK. */
int reliable_input(struct reliable *, ns_t now, const uint8_t *datagram, size_t len);
void reliable_tick(struct reliable *, ns_t now);
/* The path has changed under the session (another address): forgets what it knew of it, asks. */
void reliable_moved(struct reliable *, ns_t now);
/* Tells the peer once, and is closed; no callback but output. */
void reliable_close(struct reliable *, ns_t now);
void reliable_free(struct reliable *);

/* The token that a datagram is for; 0: none is named, or this is no datagram of ours. */
uint64_t reliable_to(const uint8_t *datagram, size_t len);

#endif
