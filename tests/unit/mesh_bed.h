/* A node that is nothing but a mesh, and a world that a test plays by hand: what the mesh asks for
 * goes into a log, what happens to it is said. */
#ifndef MESH_BED_H
#define MESH_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/bytes.h"
#include "engine/metrics.h"
#include "transports/mesh.h"

extern const struct transport transport_direct, transport_null;

/* A node's world, played by the test: it writes down each call, down and up, as a word. */
enum { SELF = 5, TIMER_BASE = 1 << 24 };

struct play {
    struct env env;
    struct metrics metrics;
    struct roster_entry entries[200];
    struct roster roster;
    struct mesh_opts opts;
    struct transport_setup setup;
    struct mesh mesh;
    struct event event;
    char log[8192];
    link_t next_link;
    uint32_t tags[8192]; /* of links that are there */
    int open_rc, send_rc;
    struct {
        unsigned timer;
        ns_t at;
    } timers[4096];
    size_t n_timers;
    uint8_t sent[LINK_MESSAGE_MAX], hello[MESH_HELLO_SIZE];
    size_t sent_len;
    struct addr opened;
};

static struct play *play;

static inline void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void note(const char *format, ...)
{
    size_t len = strlen(play->log);
    va_list ap;
    va_start(ap, format);
    vsnprintf(play->log + len, sizeof play->log - len, format, ap);
    va_end(ap);
}

/* What happened since the last time, as one text. */
#define expect_log(text)                                                                           \
    do {                                                                                           \
        assert_string_equal(play->log, text);                                                      \
        play->log[0] = 0;                                                                          \
    } while (0)

static inline int play_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    (void)env;
    if (play->open_rc != OK)
        return play->open_rc;
    *out = ++play->next_link;
    play->opened = to;
    assert_int_equal(kind, play->mesh.kind);
    note("open%u@%u ", *out, to.ip[15]);
    return OK;
}

static inline int play_send(struct env *env, link_t link, const void *data, size_t len)
{
    (void)env;
    if (play->send_rc != OK)
        return play->send_rc;
    assert_in_range(len, 1, LINK_MESSAGE_MAX);
    memcpy(play->sent, data, len);
    if (play->sent[0] == MESH_HELLO && len == sizeof play->hello)
        memcpy(play->hello, data, len);
    play->sent_len = len;
    note("send%u:%zu ", link, len);
    return OK;
}

static inline int play_send_to(struct env *env, link_t l, struct addr to, const void *data,
                               size_t len)
{
    (void)env, (void)l, (void)to, (void)data, (void)len;
    fail();
    return ERR_UNSUPPORTED;
}

static inline void play_close(struct env *env, link_t link)
{
    (void)env;
    play->tags[link] = 0;
    note("close%u ", link);
}

static inline void play_tag(struct env *env, link_t link, uint32_t tag)
{
    (void)env;
    assert_in_range(link, 1, 8191);
    play->tags[link] = tag;
}

static inline void play_arm(struct env *env, unsigned timer, ns_t at)
{
    assert_true(at >= env->now);
    assert_true(timer >= TIMER_BASE && timer < TIMER_BASE + TRANSPORT_TIMERS);
    assert_in_range(play->n_timers, 0, 4095);
    play->timers[play->n_timers].timer = timer;
    play->timers[play->n_timers++].at = at;
}

static inline void play_nothing(struct env *env)
{
    (void)env;
    fail();
}

static inline void play_show(struct env *env, const struct shown *shown)
{
    (void)env;
    assert_int_equal(shown->kind, SHOWN_ADDRESS);
    note("show%u@%u ", shown->whom, shown->addr.ip[15]);
}

static const struct env_ops play_ops = {.open = play_open,
                                        .send = play_send,
                                        .send_to = play_send_to,
                                        .close = play_close,
                                        .tag = play_tag,
                                        .arm = play_arm,
                                        .ready = play_nothing,
                                        .done = play_nothing,
                                        .show = play_show};

static inline void up_deliver(void *node, party_t from, const uint8_t *data, size_t len)
{
    (void)node;
    note("deliver%u:%zu=%02x ", from, len, data[0]);
}
static inline void up_peer_up(void *node, party_t peer, bool first)
{
    (void)node;
    note("up%u%s ", peer, first ? "!" : "");
    /* What a handshake would do at once. */
    if (first)
        assert_int_equal(mesh_send(&play->mesh, peer, "x", 1), OK);
}
static inline void up_peer_down(void *node, party_t peer, enum down_reason why)
{
    (void)node;
    assert_int_equal(mesh_send(&play->mesh, peer, "x", 1), ERR_CLOSED);
    note("down%u/%d ", peer, (int)why);
}
static inline void up_room(void *node, party_t peer)
{
    (void)node;
    note("room%u ", peer);
}
static const struct transport_up play_up = {up_deliver, up_peer_up, up_peer_down, up_room};

static inline struct addr addr_of(uint8_t last)
{
    return (struct addr){.ip = {[10] = 255, [11] = 255, [12] = 10, [15] = last}, .port = 40000};
}

/* A party SELF with these peers. */
static inline void begin(const party_t *peers, uint32_t n)
{
    struct err e;
    play = calloc(1, sizeof *play);
    assert_non_null(play);
    play->env.ops = &play_ops;
    play->env.now = 1000;
    play->env.metrics = &play->metrics;
    prng_name(&play->env.rng, 1, "mesh", 0, "test");
    for (uint32_t i = 0; i < 200; i++)
        play->entries[i].addr = addr_of((uint8_t)i);
    play->roster = (struct roster){.n = 200, .n_parties = 200, .entries = play->entries};
    opt_defaults(mesh_opts, &play->opts);
    play->setup = (struct transport_setup){.env = &play->env,
                                           .roster = &play->roster,
                                           .self = SELF,
                                           .peers = peers,
                                           .n_peers = n,
                                           .opts = &play->opts,
                                           .timer_base = TIMER_BASE,
                                           .up = &play_up};
    assert_int_equal(mesh_init(&play->mesh, &play->setup, LINK_MESSAGE, &e), OK);
}

static inline void end(void)
{
    assert_string_equal(play->log, "");
    mesh_free(&play->mesh);
    free(play);
}

static inline void happen(enum event_kind kind, link_t link)
{
    play->event.kind = kind;
    play->event.link_kind = play->mesh.kind;
    play->event.link = link;
    play->event.tag = play->tags[link];
    if (kind == EV_DOWN)
        play->tags[link] = 0;
    mesh_event(&play->mesh, &play->event);
}
static inline void comes_up(link_t link, uint8_t from)
{
    play->event.peer = addr_of(from);
    happen(EV_UP, link);
}
static inline void comes_down(link_t link, enum down_reason why)
{
    play->event.why = why;
    happen(EV_DOWN, link);
}
static inline void comes(link_t link, const void *data, size_t len)
{
    uint8_t *exact = malloc(len);
    assert_non_null(exact);
    memcpy(exact, data, len);
    play->event.data = exact;
    play->event.len = len;
    happen(EV_DATA, link);
    free(exact);
}
static inline void comes_hello(link_t link, uint32_t claimed, uint32_t wanted, uint32_t incarnation)
{
    uint8_t hello[MESH_HELLO_SIZE] = {1, 1};
    put_le32(hello + 2, claimed);
    put_le32(hello + 6, wanted);
    put_le32(hello + 10, incarnation);
    comes(link, hello, sizeof hello);
}
/* Moves to the earliest armed timer, and fires it. */
static inline ns_t fire(void)
{
    size_t first = 0;
    assert_true(play->n_timers > 0);
    for (size_t i = 1; i < play->n_timers; i++)
        if (play->timers[i].at < play->timers[first].at)
            first = i;
    play->env.now = play->timers[first].at;
    play->event.timer = play->timers[first].timer;
    play->n_timers--;
    memmove(&play->timers[first], &play->timers[first + 1],
            (play->n_timers - first) * sizeof play->timers[0]);
    happen(EV_TIMER, 0);
    return play->env.now;
}

#endif
