/* A transport carries messages between identities over the links of a world.
 *
 * It knows the roster and the env, never the world. Downward it uses env->ops; upward it
 * calls the four functions of struct transport_up, and only from within event(): nothing
 * calls up before the call down has returned.
 *
 * Between peer_up(p) and peer_down(p) messages to and from p arrive whole, once and in
 * order, unless the transport's help says otherwise; what was on its way when a peer went
 * down may be lost. The channel above puts that right. A message is 1 byte to the
 * transport's max_message bytes.
 *
 * A transport dials again, with back-off, for as long as the node lives: peer_down is not
 * the end. It bounds whatever a stranger can make it keep.
 */
#ifndef PARTYLINE_TRANSPORT_H
#define PARTYLINE_TRANSPORT_H

#include "engine/base/err.h"
#include "engine/base/opt.h"
#include "engine/env.h"
#include "engine/roster.h"

struct identity; /* engine/crypto/identity.h */

struct transport_up {
    void (*deliver)(void *node, party_t from, const uint8_t *data, size_t len);
    /* first: this side begins whatever handshake follows; the two sides' values differ. */
    void (*peer_up)(void *node, party_t peer, bool first);
    void (*peer_down)(void *node, party_t peer, enum down_reason why);
    /* send() to peer refused with ERR_AGAIN and takes messages again. */
    void (*room)(void *node, party_t peer);
};

/* What a transport is given. All of it outlives the transport. What every message touches comes
 * first. */
struct transport_setup {
    struct env *env;
    const struct transport_up *up;
    void *node;
    const party_t *peers; /* the peers that the protocol pairs this party with, ascending */
    uint32_t n_peers;
    party_t self;
    unsigned timer_base; /* arm timers timer_base .. timer_base + TRANSPORT_TIMERS - 1 */
    bool modelled; /* `crypto: modelled`: sizes, flow and charges as ever, contents not computed */
    bool shared_clock; /* all nodes have one clock: `packet` may be measured across them */
    const struct roster *roster;
    const void *opts;
    const struct identity *identity; /* its own secrets; NULL with `channel: none` */
};

enum { TRANSPORT_TIMERS = 1 << 24 };

/* Where a party is among setup->peers, or PARTY_NONE. They are mostly one, or everybody else: it is
 * looked for there first. */
static inline uint32_t transport_peer(const struct transport_setup *setup, party_t id)
{
    uint32_t low = 0, high = setup->n_peers, guess = high == 1 ? 0 : id < setup->self ? id : id - 1;
    if (guess < high && setup->peers[guess] == id)
        return guess;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (setup->peers[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < setup->n_peers && setup->peers[low] == id ? low : PARTY_NONE;
}

/* A role of a transport: the client (run by every party) or a server. */
struct transport_role {
    const char *name; /* NULL for the client side that every party runs */
    const struct accept *accepts;
    /* What it accepts with these options; NULL: `accepts`, whatever they are. */
    const struct accept *(*accepts_with)(const void *opts);
    /* A server that only some options need: without them it is in no cell, and with them one is
     * started, as NAME_1, where the scenario lists none. NULL: as the scenario says. */
    bool (*wanted)(const void *opts);
    size_t size; /* bytes of its state, zeroed before init */
    int (*init)(void *self, const struct transport_setup *, struct err *);
    /* OK; ERR_AGAIN: wait for room; ERR_CLOSED: the peer is not up; ERR_TOO_BIG.
     * NULL: a server, it never sends for a node. */
    int (*send)(void *self, party_t to, const void *data, size_t len);
    void (*event)(void *self, const struct event *);
    /* A hint: a message to or from the peer with that index will come. Fetches what that touches
     * into a cache (engine/base/fetch.h). May be NULL. */
    void (*expect)(const void *self, uint32_t peer);
    /* Frees what init and the life after it took. */
    void (*free)(void *self);
};

/* A cell, as a transport judges it before any trial. */
struct transport_shape {
    const void *opts;
    const struct roster *roster;
    const int64_t *up_bps; /* of each node's access line, in bits per second; 0: no limit */
    bool modelled, channel_none;
};

struct transport {
    const char *name, *help;
    const struct transport_role *roles; /* the client first; ends with size 0 */
    const struct opt *opts;
    size_t opts_size;
    size_t max_message;
    bool needs_handover; /* only worlds with LINK_HANDOVER can run it */
    /* OK, or a sentence in err, with the arithmetic: these services and options cannot work
     * together. NULL: nothing to judge. */
    int (*check)(const struct transport_shape *, struct err *);
};

#endif
