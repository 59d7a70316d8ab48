/* A protocol is what the parties compute: an explicit state machine per party.
 *
 * It sees parties and messages; no network, and no clock but party_now(). Its only inputs
 * are (message, now, dice), so a replay is byte-identical. A message carries a label;
 * delivery is by label, never by arrival order. Between two parties messages arrive in
 * the order they were sent, each exactly once, or the peer is reported lost.
 *
 * Life of a party: init, then start (at the start barrier if `barrier`, else at node
 * start), then recv, peer, room, timer in any order, until it calls party_result or
 * party_fail. After that it may still be called and may still send (a server goes on
 * serving), but its result stands.
 *
 * plan() runs once per cell, before any trial: it turns options, the roster's roles and
 * the public shape of the inputs into whatever all parties share (a compiled program), and
 * refuses what cannot work with a sentence. verify() is the protocol's oracle: it
 * recomputes the result in the clear from all inputs and compares, in every trial.
 */
#ifndef PARTYLINE_PROTOCOL_H
#define PARTYLINE_PROTOCOL_H

#include "engine/base/err.h"
#include "engine/base/opt.h"
#include "engine/env.h"
#include "engine/metrics.h"
#include "engine/roster.h"

/* Which message of the protocol this is. What the two numbers mean is the protocol's. */
struct label {
    uint32_t round, instance;
};

/* One party's input: the scalars of `input:` in the scenario, as written. */
struct input {
    const char *const *values; /* NULL where it is another's and unknown here */
    uint32_t n;                /* known of every party: shapes are public */
};

enum peer_state {
    PEER_UP,        /* a channel to it is up (again) */
    PEER_DOWN,      /* its channel is interrupted; what was sent will arrive if it returns */
    PEER_RESTARTED, /* it is up again without its memory: what it had not handled is lost */
    PEER_LOST       /* it is given up: nothing sent to it will arrive, unless PEER_UP follows,
                       which takes this back */
};

#define PARTY_LINGER (10 * NS_S)

struct identity; /* engine/crypto/identity.h */
struct gateway;  /* engine/gateway.h */
struct party;    /* opaque: the node, seen from its protocol */

party_t party_self(const struct party *);
uint32_t party_count(const struct party *); /* parties in the roster */
const struct roster *party_roster(const struct party *);
ns_t party_now(const struct party *);
struct prng *party_rng(struct party *);
struct store *party_store(struct party *);
/* The incarnation of this party: above 0 after a restart. */
uint32_t party_incarnation(const struct party *);
/* Takes the whole message or nothing. OK; ERR_AGAIN: wait for room(to); ERR_CLOSED: lost. */
int party_send(struct party *, party_t to, struct label, const void *data, size_t len);
/* timer is the protocol's own number, below 2^24; a timer armed never disarms. */
void party_arm(struct party *, unsigned timer, ns_t at);
/* A sequential round of the protocol began at `began` and ends now. */
void party_round(struct party *, ns_t began);
/* This party's result, as text or bytes: it is done. Only the first call counts. */
void party_result(struct party *, const void *data, size_t len);
/* This party gives up, for a reason that names who and what. Only the first call counts. */
void party_fail(struct party *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* This party has a result and goes: its node ends with this event. Who wants to be sure that its
 * peers need nothing more lingers before (PARTY_LINGER). */
void party_leave(struct party *);
void party_sample(struct party *, enum metric, int64_t value);
void party_drop(struct party *, enum drop);
void party_charge(struct party *, enum env_cost, uint64_t n);
/* Declares a fact that this party now knows, once a fact: for the observers. */
void party_disclose(struct party *, const struct shown *);
/* Declares what this party now has in its store (struct retained): for the observers. */
void party_keep(struct party *, const struct retained *);
/* This party's own identity, with its secrets; NULL with `channel: none`. */
const struct identity *party_identity(const struct party *);

struct protocol_role {
    const char *name, *help;
    uint32_t min, max; /* how many parties of this role; max 0: no limit */
    bool serves;       /* it only answers others: its completion says nothing and is not measured */
};

struct protocol_shape {
    const void *opts;
    const struct roster *roster;
    const struct input *inputs; /* n_parties of them */
};

/* What one party ended with, for verify(). */
struct outcome {
    bool done;
    const uint8_t *result;
    size_t len;
    const char *failure; /* NULL unless party_fail was called */
};

struct protocol {
    const char *name, *help;
    const struct protocol_role *roles; /* the first is the default; ends with a NULL name */
    const struct opt *opts;
    size_t opts_size;
    bool barrier;
    size_t size; /* bytes of a party's state, zeroed before init */

    /* OK with *plan (may be NULL), or a sentence in err: an invalid scenario. */
    int (*plan)(const struct protocol_shape *, void **plan, struct err *);
    void (*free_plan)(void *plan);
    /* Do these two roles talk? Only such pairs are connected. NULL: all do. */
    bool (*pairs)(const void *opts, const char *role_a, const char *role_b);
    /* One sentence on the party's own input, if it is invalid. NULL: inputs are ignored. */
    int (*check_input)(const void *plan, party_t who, const struct input *, struct err *);

    int (*init)(void *self, struct party *, const void *plan, const struct input *own,
                struct err *);
    void (*start)(void *self, struct party *);
    void (*recv)(void *self, struct party *, party_t from, struct label, const uint8_t *data,
                 size_t len);
    void (*peer)(void *self, struct party *, party_t peer, enum peer_state);
    void (*room)(void *self, struct party *, party_t peer);
    void (*timer)(void *self, struct party *, unsigned timer);
    /* A hint: something will come from that peer, or go to it. Fetches what that touches into a
     * cache (engine/base/fetch.h), in two steps (0, 1) with other things between. May be NULL. */
    void (*expect)(const void *self, party_t peer, unsigned step);
    /* For an unfinished party: whom it waits for, and for what ("round 3 (multiply) from
     * carol"). Writes a NUL-terminated text. */
    void (*waiting)(const void *self, const struct party *, char *buf, size_t cap);
    /* Wipes secrets and frees. */
    void (*free)(void *self);

    /* OK if every party that is done got what it must get, else ERR_WRONG and a sentence. */
    int (*verify)(const struct protocol_shape *, const void *plan, const struct outcome *,
                  struct err *);
    /* The result for a person: text, at most cap bytes with the NUL. NULL: hex. */
    void (*print)(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap);

    /* How people who run no node take part, in real worlds. NULL: they can't. */
    const struct gateway *gateway;
};

#endif
