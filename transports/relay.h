/* The relay: forwards messages between identities over links that clients open, so that two
 * parties behind NATs reach each other and neither learns the other's address. What this file
 * says is shared by the client (relay_client.c) and the server (relay_server.c, relay_flow.c).
 *
 * Every client keeps one link (noiselink.h, port RELAY_PORT) to its home relay; relays keep one
 * to each other (the higher id dials). End-to-end encryption is the channel's: a relay sees who
 * sends how much to whom, when, and its own clients' addresses; no party sees another's.
 *
 * Frames, after the handshake: kind u8, then by kind (integers little-endian; ids are indexes
 * into the roster, which the link's proof has bound to identities):
 *
 *   client to relay
 *     SEND     to u32, data                    5 bytes before the data, and the seal's 16
 *     WATCH    n x id u32                      tell me when these are here: the parties I am
 *                                              paired with; a frame adds to those before
 *   relay to client
 *     RECV     from u32, data
 *     HERE     n x id u32                      reachable; or again so, and something may be lost
 *     GONE     n x id u32
 *     CREDIT   n x (to u32, bytes u32)
 *   relay to relay
 *     FORWARD  from u32, to u32, session u64, data     17 bytes before the data
 *     ARRIVED  n x (id u32, session u64)               is at the sender
 *     LEFT     n x (id u32, session u64)
 *     PASSED   n x (from u32, to u32, bytes u32)       credit
 *     LOST     from u32, to u32                        a message between them was dropped
 *   both ways
 *     PING, PONG                                       1 byte
 *
 * Sessions. A client's link has a number that grows with every dial and every restart
 * (noiselink.h). Of two claims on a party the later session counts, here and between relays, and
 * a claim that is not later is refused (transport_replay). What a party sent is told apart by it:
 * the receiver hears HERE before the first message of a session, and GONE, or HERE again, only
 * behind the last one that is delivered.
 *
 * Credit. For each peer a client may have `window` bytes with its home relay (RELAY_COST more for
 * each message) that were not passed on; CREDIT gives them back by quarters, HERE resets. So a
 * slow reader stops those who send to it, in send() with ERR_AGAIN, and nobody else. Between
 * relays PASSED does the same for each pair. A relay never keeps more than two windows for a pair
 * and `memory` in all: beyond, all that waits for the pair is dropped (relay_limit) and both hear
 * HERE again.
 *
 * Fairness. What waits for a link is served by deficit round robin (Shreedhar, Varghese 1995),
 * one queue for each sender (for each pair, between relays), a quantum of one largest frame.
 *
 * Retention. A party that has been here and left is held for `retention`: it stays HERE for the
 * others, and what they send waits for its return, up to `retention_bytes`. Then, or when that
 * is full, it is GONE. With the default of 0 an absent party is GONE at once.
 *
 * Home. `nearest` dials all relays at once and stays with the one whose TCP handshake is first
 * complete (ties: the scenario's order), which is the ping; nothing was said to the others.
 * `first` and `hash` (of the id) dial one, and the next one when that fails. A client that loses
 * its relay chooses anew, after a wait.
 *
 * Setup. With round trips r_a, r_b to the relay, both started at 0 and a < b: the relay knows
 * both at M = 2.5 max(r_a, r_b) (1.5 with channel none); a party x has peer_up at M + r_x / 2. With
 * the channel's handshake over p = (r_a + r_b) / 2: a is set up at M + r_a / 2 + 2 p, b at
 * M + r_a / 2 + 3 p.
 *
 * Lies. With the option `lies` every relay does to a share of its clients' messages (lie_rate) what
 * a malicious one could: drops them, passes them on twice or late, in another's name, or altered.
 * The channel finds each of it (drops channel_gap, channel_replay, channel_auth) and puts it right
 * by asking again; with `channel: none` nobody does. What a relay lost on purpose is named `fault`.
 *
 * Bounds on strangers. Links that have proven nothing: `strangers`, beyond which the oldest is
 * closed, RELAY_PROOF_LIMIT each; links from one address (/64 of IPv6): `per_address`; a party's
 * watch list: the roster's size; one link a party.
 */
#ifndef PARTYLINE_TRANSPORTS_RELAY_H
#define PARTYLINE_TRANSPORTS_RELAY_H

#include "engine/transport.h"
#include "transports/noiselink.h"

#define RELAY_ROLE "relay"
#define RELAY_CONTEXT "partyline relay v1"
#define RELAY_PROOF_LIMIT (10 * NS_S)

enum {
    RELAY_PORT = 7100,
    RELAY_HEADER = 5,          /* SEND, RECV */
    RELAY_FORWARD_HEADER = 17, /* FORWARD */
    RELAY_MESSAGE_MAX = NOISELINK_MAX - RELAY_FORWARD_HEADER,
    RELAY_COST = 64 /* what a message counts beyond its bytes, against windows and memory */
};

enum relay_frame {
    RELAY_SEND = 1,
    RELAY_WATCH,
    RELAY_RECV,
    RELAY_HERE,
    RELAY_GONE,
    RELAY_CREDIT,
    RELAY_FORWARD,
    RELAY_ARRIVED,
    RELAY_LEFT,
    RELAY_PASSED,
    RELAY_LOST,
    RELAY_PING,
    RELAY_PONG
};

enum relay_home { RELAY_HOME_NEAREST, RELAY_HOME_FIRST, RELAY_HOME_HASH };

enum relay_lie {
    RELAY_HONEST,
    RELAY_DROPS,
    RELAY_DUPLICATES,
    RELAY_REORDERS, /* behind the pair's next message */
    RELAY_SWAPS,    /* senders */
    RELAY_ALTERS
};

struct relay_opts {
    int64_t home; /* enum relay_home */
    int64_t retention, retention_bytes;
    int64_t window, memory;
    int64_t keepalive;
    int64_t backoff_min, backoff_max, connect_limit;
    int64_t strangers, per_address;
    int64_t lies, lie_rate; /* enum relay_lie; ppm */
};

extern const struct opt relay_options[];

/* Is this node of the roster a relay? */
bool relay_is(const struct roster *, party_t);
/* The wait before dial `fails` + 1, drawn from its upper half. */
ns_t relay_backoff(const struct relay_opts *, struct prng *, unsigned fails);

#endif
