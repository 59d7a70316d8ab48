/* Two channels and a pipe between them that a test can break, with a clock of its own.
 *
 * Side 0 (alice) and side 1 (bob) send numbered messages whose size and content follow
 * from (side, number); what is delivered is checked at once: in order, whole, once.
 * Frames take `delay`; hook() sees each on its way and can lose, alter or repeat it.
 */
#ifndef TESTS_UNIT_CHANNEL_PAIR_H
#define TESTS_UNIT_CHANNEL_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/channel/channel.h"
#include "engine/channel/inside.h"

enum { PAIR_STATES = 64, PAIR_KEYS = 512, PAIR_WHY = 600 };

struct pair;

struct piece { /* a frame on its way, or recorded */
    struct piece *next;
    ns_t at;
    size_t len;
    uint8_t data[];
};

struct side {
    struct pair *pair;
    int id;
    struct env env;
    struct metrics *metrics;
    struct channel_node node;
    struct channel *channel;
    struct identity identity;
    struct piece *first, *last; /* frames on their way from this side */
    ns_t timer, room;           /* when they are due; NS_NEVER */
    unsigned arms, timers, emits, refused;
    uint64_t to_send, sent, got; /* numbered messages */
    uint64_t first_number;       /* got counts from here in the other's numbers */
    size_t (*size)(int side, uint64_t number);
    enum peer_state states[PAIR_STATES];
    unsigned n_states, rooms, failures;
    int fail_code;
    char why[PAIR_WHY];
    size_t pool_most;
    bool echo; /* answers every message from within deliver */
    struct {
        uint8_t key[NOISE_KEY];
        uint64_t last;
    } keys[PAIR_KEYS];
    unsigned n_keys;
};

struct pair {
    struct side side[2];
    struct roster roster;
    struct roster_entry entries[2];
    struct identity_public identities[2];
    ns_t now, delay;
    bool up;
    unsigned refuse_every; /* every n-th emit is refused; 0: none */
    uint64_t frames;       /* handed to the pipe so far, from 1 */
    uint64_t seed;
    /* Frame `n` from `from`: what to do with it. NULL: it goes its way. */
    bool (*hook)(struct pair *, int from, uint64_t n, struct piece *);
    uint64_t hook_n;
    struct piece *recorded[2];
    bool record;
    struct slab slab;
};

/* ---- the numbered messages ---- */

static inline size_t pair_small(int side, uint64_t number)
{
    return (size_t)(1 + (number * 37 + (uint64_t)side * 11) % 300);
}

static inline void pair_fill(uint8_t *out, size_t len, int side, uint64_t number)
{
    uint8_t key[crypto_stream_chacha20_KEYBYTES] = {0}, nonce[crypto_stream_chacha20_NONCEBYTES];
    memcpy(key, &number, sizeof number);
    memset(nonce, side, sizeof nonce);
    crypto_stream_chacha20(out, len, nonce, key);
}

static inline void pair_send(struct side *s)
{
    while (s->sent < s->to_send) {
        size_t len = s->size(s->id, s->sent), head = len < 16 ? len / 2 : 16;
        uint8_t *data = malloc(len ? len : 1);
        int code;
        pair_fill(data, len, s->id, s->sent);
        code = channel_send(s->channel, data, head, data + head, len - head);
        free(data);
        if (s->node.pool_used > s->pool_most)
            s->pool_most = s->node.pool_used;
        if (code) {
            assert_true(code == ERR_AGAIN || code == ERR_CLOSED);
            return;
        }
        s->sent++;
    }
}

/* ---- upward ---- */

static inline void pair_note_nonce(struct side *s, const uint8_t *frame)
{
    uint64_t nonce = frame_nonce(frame);
    const uint8_t *key = s->channel->session.keys;
    for (unsigned i = 0; i < s->n_keys; i++)
        if (memcmp(s->keys[i].key, key, NOISE_KEY) == 0) {
            assert_true(nonce > s->keys[i].last);
            s->keys[i].last = nonce;
            return;
        }
    assert_true(s->n_keys < PAIR_KEYS);
    memcpy(s->keys[s->n_keys].key, key, NOISE_KEY);
    s->keys[s->n_keys++].last = nonce;
}

static inline struct piece *pair_piece(const void *data, size_t len)
{
    struct piece *p = malloc(sizeof *p + len);
    memset(p, 0, sizeof *p);
    p->len = len;
    memcpy(p->data, data, len);
    return p;
}

static inline void pair_push(struct side *s, struct piece *p)
{
    p->at = s->pair->now + s->pair->delay;
    p->next = NULL;
    if (s->last)
        s->last->next = p;
    else
        s->first = p;
    s->last = p;
}

static inline int pair_emit(void *node, party_t peer, const void *data, size_t len)
{
    struct side *s = node;
    struct pair *pair = s->pair;
    struct piece *p;
    assert_int_equal(peer, 1 - s->id);
    assert_true(len >= 1 && len <= s->node.max_frame);
    assert_int_equal(s->room, NS_NEVER);
    if (((const uint8_t *)data)[0] == FRAME_KIND_SEALED)
        pair_note_nonce(s, data);
    s->emits++;
    if (!pair->up)
        return ERR_CLOSED;
    if (pair->refuse_every && s->emits % pair->refuse_every == 0) {
        s->room = pair->now + NS_MS;
        s->refused++;
        return ERR_AGAIN;
    }
    p = pair_piece(data, len);
    if (pair->record) {
        struct piece *r = pair_piece(data, len), **end = &pair->recorded[s->id];
        while (*end)
            end = &(*end)->next;
        *end = r;
    }
    pair->frames++;
    if (!pair->hook || pair->hook(pair, s->id, pair->frames, p))
        pair_push(s, p);
    else
        free(p);
    return ERR_OK;
}

static inline void pair_deliver(void *node, party_t peer, const uint8_t *data, size_t len)
{
    struct side *s = node;
    uint64_t number = s->first_number + s->got;
    size_t want = s->pair->side[peer].size((int)peer, number);
    uint8_t *expect = malloc(want ? want : 1);
    assert_int_equal(len, want);
    pair_fill(expect, want, (int)peer, number);
    if (len)
        assert_true(memcmp(data, expect, len) == 0);
    free(expect);
    s->got++;
    if (s->node.pool_used > s->pool_most)
        s->pool_most = s->node.pool_used;
    if (s->echo) {
        s->to_send++;
        pair_send(s);
    }
}

static inline void pair_state(void *node, party_t peer, enum peer_state state)
{
    struct side *s = node;
    assert_int_equal(peer, 1 - s->id);
    assert_true(s->n_states < PAIR_STATES);
    s->states[s->n_states++] = state;
}

static inline void pair_room(void *node, party_t peer)
{
    struct side *s = node;
    (void)peer;
    s->rooms++;
    pair_send(s);
}

static inline void pair_failed(void *node, party_t peer, int code, const char *why)
{
    struct side *s = node;
    (void)peer;
    s->failures++;
    s->fail_code = code;
    snprintf(s->why, sizeof s->why, "%s", why);
}

static inline void pair_arm(void *node, party_t peer, ns_t at)
{
    struct side *s = node;
    (void)peer;
    assert_true(s->timer == NS_NEVER); /* at most one */
    assert_true(at >= s->pair->now);
    s->timer = at;
    s->arms++;
}

static const struct channel_up pair_up = {.emit = pair_emit,
                                          .deliver = pair_deliver,
                                          .state = pair_state,
                                          .room = pair_room,
                                          .failed = pair_failed,
                                          .arm = pair_arm};

/* ---- making and ending ---- */

/* The pairs to come are as the simulator has them: modelled ciphers, memory from a slab. */
static bool pair_simulated;

static inline void pair_channel(struct side *s)
{
    prng_name(&s->env.rng, s->pair->seed, s->id ? "bob" : "alice", s->env.incarnation, "channel");
    s->channel = channel_new(&s->node, (party_t)(1 - s->id));
    s->n_states = 0;
    memset(s->states, 0xee, sizeof s->states); /* none of the states */
    assert_non_null(s->channel);
}

static inline void pair_init(struct pair *p, uint64_t seed, enum channel_mode mode)
{
    memset(p, 0, sizeof *p);
    p->seed = seed;
    p->delay = 10 * NS_MS;
    p->entries[0] = (struct roster_entry){.name = "alice", .role = "party"};
    p->entries[1] = (struct roster_entry){.name = "bob", .role = "party"};
    p->roster = (struct roster){.n = 2,
                                .n_parties = 2,
                                .entries = p->entries,
                                .identities = mode == CHANNEL_NONE ? NULL : p->identities};
    for (int i = 0; i < 2; i++) {
        struct side *s = &p->side[i];
        struct prng rng;
        prng_name(&rng, seed, i ? "bob" : "alice", 0, "identity");
        (pair_simulated ? identity_make_modelled : identity_make)(&s->identity, &rng);
        p->identities[i] = s->identity.pub;
        s->pair = p;
        s->id = i;
        s->metrics = calloc(1, sizeof *s->metrics);
        s->env.metrics = s->metrics;
        s->env.slab = pair_simulated ? &p->slab : NULL;
        s->timer = s->room = NS_NEVER;
        s->size = pair_small;
        s->node = (struct channel_node){.env = &s->env,
                                        .roster = &p->roster,
                                        .self = (party_t)i,
                                        .identity = mode == CHANNEL_NONE ? NULL : &s->identity,
                                        .mode = mode,
                                        .scenario_digest = 7,
                                        .program = "shamir program=sum",
                                        .max_frame = 4096,
                                        .pool_cap = CHANNEL_POOL_DEFAULT,
                                        .up = &pair_up,
                                        .node = s};
    }
    for (int i = 0; i < 2; i++)
        pair_channel(&p->side[i]);
}

static inline void pair_lose_pipe(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &p->side[i];
        while (s->first) {
            struct piece *next = s->first->next;
            free(s->first);
            s->first = next;
        }
        s->last = NULL;
        s->room = NS_NEVER;
    }
}

static inline void pair_free(struct pair *p)
{
    pair_lose_pipe(p);
    for (int i = 0; i < 2; i++) {
        channel_free(p->side[i].channel);
        assert_int_equal(p->side[i].node.pool_used, 0);
        assert_null(p->side[i].node.waiting_first);
        free(p->side[i].metrics);
        while (p->recorded[i]) {
            struct piece *next = p->recorded[i]->next;
            free(p->recorded[i]);
            p->recorded[i] = next;
        }
    }
    slab_free(&p->slab);
}

/* Once with real ciphers, and once more. */
#define PAIR_RUN_TWICE(tests)                                                                      \
    (cmocka_run_group_tests(tests, NULL, NULL) ||                                                  \
     (pair_simulated = true, cmocka_run_group_tests_name("simulated", tests, NULL, NULL)))

static inline void pair_connect(struct pair *p)
{
    p->up = true;
    channel_transport_up(p->side[0].channel, true);
    channel_transport_up(p->side[1].channel, false);
}

static inline void pair_break(struct pair *p)
{
    p->up = false;
    pair_lose_pipe(p);
    channel_transport_down(p->side[0].channel);
    channel_transport_down(p->side[1].channel);
}

/* The side dies and comes again, without any memory, if `incarnation` as the next one. */
static inline void pair_restart(struct side *s, bool incarnation)
{
    channel_free(s->channel);
    s->timer = NS_NEVER; /* its node ignores it */
    s->env.incarnation += incarnation;
    assert_int_equal(s->node.pool_used, 0);
    if (!incarnation)
        s->pair->seed++;
    pair_channel(s);
}

/* ---- time ---- */

static inline void pair_hand(struct pair *p, int to, const void *data, size_t len)
{
    /* exactly its bytes in a block of its own, so that a tool sees reads beyond them */
    uint8_t *copy = malloc(len ? len : 1);
    if (len)
        memcpy(copy, data, len);
    channel_receive(p->side[to].channel, copy, len);
    free(copy);
}

/* The next event, if it is not after `until`. */
static inline bool pair_step(struct pair *p, ns_t until)
{
    ns_t best = NS_NEVER;
    int which = -1;
    for (int i = 0; i < 6; i++) {
        struct side *s = &p->side[i % 2];
        ns_t at = i < 2 ? (s->first ? s->first->at : NS_NEVER) : i < 4 ? s->room : s->timer;
        if (at < best) {
            best = at;
            which = i;
        }
    }
    if (which < 0 || best > until)
        return false;
    struct side *s = &p->side[which % 2];
    p->now = p->side[0].env.now = p->side[1].env.now = best > p->now ? best : p->now;
    if (which < 2) {
        struct piece *f = s->first;
        s->first = f->next;
        if (!s->first)
            s->last = NULL;
        pair_hand(p, 1 - which, f->data, f->len);
        free(f);
    } else if (which < 4) {
        s->room = NS_NEVER;
        channel_room(s->channel);
    } else {
        s->timer = NS_NEVER;
        s->timers++;
        channel_timer(s->channel);
    }
    return true;
}

static inline void pair_run(struct pair *p, ns_t span)
{
    ns_t until = p->now + span;
    while (pair_step(p, until))
        ;
    p->now = p->side[0].env.now = p->side[1].env.now = until;
}

static inline void pair_exchange(struct pair *p, uint64_t n)
{
    for (int i = 0; i < 2; i++) {
        p->side[i].to_send += n;
        pair_send(&p->side[i]);
    }
}

static inline bool pair_complete(const struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        const struct side *s = &p->side[i], *o = &p->side[1 - i];
        if (s->sent != s->to_send || s->first_number + s->got != o->sent ||
            !channel_idle(s->channel))
            return false;
    }
    return true;
}

static inline uint64_t pair_drops(const struct pair *p, int side, enum drop d)
{
    return p->side[side].metrics->drops[d];
}

static inline uint64_t pair_all_drops(const struct pair *p, int side)
{
    uint64_t sum = 0;
    for (int d = 0; d < DROP_COUNT; d++)
        sum += p->side[side].metrics->drops[d];
    return sum;
}

static inline bool pair_is_up(const struct pair *p)
{
    return channel_state(p->side[0].channel) == CHANNEL_UP &&
           channel_state(p->side[1].channel) == CHANNEL_UP;
}

/* Both up, nothing on its way, nothing counted. */
static inline void pair_ready(struct pair *p, uint64_t seed, enum channel_mode mode)
{
    pair_init(p, seed, mode);
    pair_connect(p);
    pair_run(p, NS_S / 2);
    assert_true(pair_is_up(p));
    assert_int_equal(pair_all_drops(p, 0) + pair_all_drops(p, 1), 0);
}

/* ---- what several tests use ---- */

static inline size_t pair_odd(int side, uint64_t number)
{
    struct dice d = dice_name(11, "size", (uint64_t)side, number, 0);
    if (number % 3333 == 1000)
        return CHANNEL_MESSAGE_MAX - number % 7;
    switch (dice_below(&d, 40)) {
    case 0:
        return (size_t)dice_below(&d, 200000);
    case 1:
        return 4096 - FRAME_DATA_OVERHEAD - 2 + (size_t)dice_below(&d, 5);
    case 2:
        return 0;
    default:
        return (size_t)dice_below(&d, 3000);
    }
}

static inline bool pair_lose_all(struct pair *p, int from, uint64_t n, struct piece *f)
{
    (void)p, (void)from, (void)n, (void)f;
    return false;
}

static inline bool pair_lose_nth(struct pair *p, int from, uint64_t n, struct piece *f)
{
    (void)from, (void)f;
    return n != p->hook_n;
}

static inline void pair_forget(struct pair *p, int who)
{
    struct side *dead = &p->side[who], *other = &p->side[1 - who];
    /* what the survivor had not got through is gone; both begin anew */
    dead->to_send = dead->sent = dead->got = 0;
    dead->first_number = other->sent;
    other->got = other->first_number = 0;
}

#endif
