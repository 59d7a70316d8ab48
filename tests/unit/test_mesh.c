/* links: transports/mesh.c transports/strangers.c transports/direct.c transports/null.c
 * engine/base/map.c engine/base/opt.c engine/base/err.c engine/base/prng.c */
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

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
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

static int play_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
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

static int play_send(struct env *env, link_t link, const void *data, size_t len)
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

static int play_send_to(struct env *env, link_t l, struct addr to, const void *data, size_t len)
{
    (void)env, (void)l, (void)to, (void)data, (void)len;
    fail();
    return ERR_UNSUPPORTED;
}

static void play_close(struct env *env, link_t link)
{
    (void)env;
    note("close%u ", link);
}

static void play_arm(struct env *env, unsigned timer, ns_t at)
{
    assert_true(at >= env->now);
    assert_true(timer >= TIMER_BASE && timer < TIMER_BASE + TRANSPORT_TIMERS);
    assert_in_range(play->n_timers, 0, 4095);
    play->timers[play->n_timers].timer = timer;
    play->timers[play->n_timers++].at = at;
}

static void play_nothing(struct env *env)
{
    (void)env;
    fail();
}

static void play_show(struct env *env, const struct shown *shown)
{
    (void)env;
    assert_int_equal(shown->kind, SHOWN_ADDRESS);
    note("show%u@%u ", shown->whom, shown->addr.ip[15]);
}

static const struct env_ops play_ops = {.open = play_open,
                                        .send = play_send,
                                        .send_to = play_send_to,
                                        .close = play_close,
                                        .arm = play_arm,
                                        .ready = play_nothing,
                                        .done = play_nothing,
                                        .show = play_show};

static void up_deliver(void *node, party_t from, const uint8_t *data, size_t len)
{
    (void)node;
    note("deliver%u:%zu=%02x ", from, len, data[0]);
}
static void up_peer_up(void *node, party_t peer, bool first)
{
    (void)node;
    note("up%u%s ", peer, first ? "!" : "");
    /* What a handshake would do at once. */
    if (first)
        assert_int_equal(mesh_send(&play->mesh, peer, "x", 1), OK);
}
static void up_peer_down(void *node, party_t peer, enum down_reason why)
{
    (void)node;
    assert_int_equal(mesh_send(&play->mesh, peer, "x", 1), ERR_CLOSED);
    note("down%u/%d ", peer, (int)why);
}
static void up_room(void *node, party_t peer)
{
    (void)node;
    note("room%u ", peer);
}
static const struct transport_up play_up = {up_deliver, up_peer_up, up_peer_down, up_room};

static struct addr addr_of(uint8_t last)
{
    return (struct addr){.ip = {[10] = 255, [11] = 255, [12] = 10, [15] = last}, .port = 40000};
}

/* A party SELF with these peers. */
static void begin(const party_t *peers, uint32_t n)
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

static void end(void)
{
    assert_string_equal(play->log, "");
    mesh_free(&play->mesh);
    free(play);
}

static void happen(enum event_kind kind, link_t link)
{
    play->event.kind = kind;
    play->event.link_kind = play->mesh.kind;
    play->event.link = link;
    mesh_event(&play->mesh, &play->event);
}
static void comes_up(link_t link, uint8_t from)
{
    play->event.peer = addr_of(from);
    happen(EV_UP, link);
}
static void comes_down(link_t link, enum down_reason why)
{
    play->event.why = why;
    happen(EV_DOWN, link);
}
static void comes(link_t link, const void *data, size_t len)
{
    uint8_t *exact = malloc(len);
    assert_non_null(exact);
    memcpy(exact, data, len);
    play->event.data = exact;
    play->event.len = len;
    happen(EV_DATA, link);
    free(exact);
}
static void comes_hello(link_t link, uint32_t claimed, uint32_t wanted, uint32_t incarnation)
{
    uint8_t hello[MESH_HELLO_SIZE] = {1, 1};
    put_le32(hello + 2, claimed);
    put_le32(hello + 6, wanted);
    put_le32(hello + 10, incarnation);
    comes(link, hello, sizeof hello);
}
/* Moves to the earliest armed timer, and fires it. */
static ns_t fire(void)
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

static void test_tables(void **state)
{
    (void)state;
    assert_string_equal(transport_direct.name, "direct");
    assert_false(transport_direct.needs_handover);
    assert_int_equal(transport_direct.roles[0].accepts[0].kind, LINK_MESSAGE);
    assert_string_equal(transport_null.name, "null");
    assert_true(transport_null.needs_handover);
    assert_int_equal(transport_null.roles[0].accepts[0].kind, LINK_HANDOVER);
    assert_int_equal(transport_direct.max_message, 65535);
    for (int i = 0; i < 2; i++) {
        const struct transport *t = i ? &transport_null : &transport_direct;
        assert_null(t->roles[0].name);
        assert_int_equal(t->roles[0].accepts[0].port, 7000);
        assert_int_equal(t->roles[0].accepts[1].port, 0);
        assert_null(i ? t->roles[1].name : t->roles[2].name);
        assert_int_equal(i ? t->roles[1].size : t->roles[2].size, 0);
    }
    assert_string_equal(transport_direct.roles[1].name, "matchmaker");
}

static void test_higher_dials(void **state)
{
    static const party_t peers[] = {2, 3, 7, 9};
    (void)state;
    begin(peers, 4);
    happen(EV_START, 0);
    expect_log("open1@2 open2@3 ");
    assert_int_equal(play->opened.port, 7000);
    end();
}

static void test_lower_dials(void **state)
{
    static const party_t peers[] = {2, 3, 7, 9};
    (void)state;
    begin(peers, 4);
    play->opts.dial = MESH_DIAL_LOWER;
    happen(EV_START, 0);
    expect_log("open1@7 open2@9 ");
    comes_up(50, 3);
    comes_hello(50, 3, SELF, 0);
    expect_log("show3@3 up3 ");
    end();
}

static void test_hello_bytes(void **state)
{
    static const party_t peers[] = {2, 7};
    static const uint8_t hello[] = {1, 1, 5, 0, 0, 0, 2, 0, 0, 0, 0x44, 0x33, 0x22, 0x11};
    (void)state;
    begin(peers, 2);
    play->env.incarnation = 0x11223344;
    happen(EV_START, 0);
    expect_log("open1@2 ");
    comes_up(1, 2);
    /* The hello, and the first data in the same event. */
    expect_log("show2@2 send1:14 up2! send1:2 ");
    assert_memory_equal(play->hello, hello, sizeof hello);
    assert_memory_equal(play->sent, "\2x", 2);
    end();
}

static void test_data(void **state)
{
    static const party_t peers[] = {2, 7};
    static uint8_t big[MESH_MESSAGE_MAX + 1];
    (void)state;
    begin(peers, 2);
    happen(EV_START, 0);
    assert_int_equal(mesh_send(&play->mesh, 2, "x", 1), ERR_CLOSED);
    assert_int_equal(mesh_send(&play->mesh, 7, "x", 1), ERR_CLOSED);
    assert_int_equal(mesh_send(&play->mesh, 3, "x", 1), ERR_CLOSED);
    assert_int_equal(mesh_send(&play->mesh, SELF, "x", 1), ERR_CLOSED);
    comes_up(1, 2);
    comes_up(10, 77);
    comes_hello(10, 7, SELF, 0);
    expect_log("open1@2 show2@2 send1:14 up2! send1:2 show7@77 up7 ");
    memset(big, 0xee, sizeof big);
    assert_int_equal(mesh_send(&play->mesh, 7, big, MESH_MESSAGE_MAX), OK);
    assert_int_equal(play->sent[0], MESH_DATA);
    assert_memory_equal(play->sent + 1, big, MESH_MESSAGE_MAX);
    assert_int_equal(mesh_send(&play->mesh, 7, big, MESH_MESSAGE_MAX + 1), ERR_TOO_BIG);
    assert_int_equal(mesh_send(&play->mesh, 7, big, 0), ERR_TOO_BIG);
    expect_log("send10:65536 ");
    comes(1, "\2abc", 4);
    comes(10, "\2d", 2);
    comes(10, play->sent, 65536);
    expect_log("deliver2:3=61 deliver7:1=64 deliver7:65535=ee ");
    play->send_rc = ERR_CLOSED;
    assert_int_equal(mesh_send(&play->mesh, 7, "x", 1), ERR_CLOSED);
    end();
}

static void test_malformed_from_proven(void **state)
{
    static const party_t peers[] = {2, 7};
    (void)state;
    begin(peers, 2);
    happen(EV_START, 0);
    comes(1, "\2early", 6); /* before the link is up */
    comes_up(1, 2);
    expect_log("open1@2 show2@2 send1:14 up2! send1:2 ");
    comes(1, "\2", 1);
    comes(1, "\1", 1);
    comes(1, "\0x", 2);
    comes(1, "\xffx", 2);
    comes(1, "\4x", 2);
    comes_hello(1, 2, SELF, 0); /* the acceptor sends none */
    comes(99, "\2x", 2);        /* a link that is none of ours */
    assert_int_equal(play->metrics.drops[DROP_TRANSPORT_FORMAT], 7);
    comes(1, "\2x", 2); /* the link lives on */
    expect_log("deliver2:1=78 ");
    end();
}

static void test_redial(void **state)
{
    static const party_t peers[] = {2, 7};
    ns_t low = 50 * NS_MS, high = 100 * NS_MS, was;
    bool varies = false;
    (void)state;
    begin(peers, 2);
    happen(EV_START, 0);
    for (int i = 0; i < 40; i++) {
        play->log[0] = 0;
        was = play->env.now;
        play->n_timers = 0; /* the limit of the dial that fails now */
        comes_down(play->next_link, DOWN_REFUSED);
        expect_log("");
        was = fire() - was;
        assert_true(was >= low && was <= high);
        varies |= was != high && was != low;
        if (high < 10 * NS_S) {
            high = 2 * high < 10 * NS_S ? 2 * high : 10 * NS_S;
            low = high / 2;
        }
    }
    assert_true(varies);
    expect_log("open41@2 ");
    end();
}

static void test_open_refused_here(void **state)
{
    static const party_t peers[] = {2};
    (void)state;
    begin(peers, 1);
    play->open_rc = ERR_LIMIT;
    happen(EV_START, 0);
    fire();
    expect_log("");
    play->open_rc = OK;
    fire();
    expect_log("open1@2 ");
    end();
}

static void test_back_off_resets(void **state)
{
    static const party_t peers[] = {2};
    ns_t was;
    (void)state;
    begin(peers, 1);
    happen(EV_START, 0);
    for (int i = 0; i < 8; i++) {
        play->n_timers = 0;
        comes_down(play->next_link, DOWN_REFUSED);
        fire();
    }
    /* A link that breaks at once starts no fast redialing. */
    comes_up(play->next_link, 2);
    was = play->env.now;
    play->n_timers = 0;
    comes_down(play->next_link, DOWN_RESET);
    assert_true(fire() - was > NS_S);
    /* One that lasted does. */
    comes_up(play->next_link, 2);
    play->env.now += 10 * NS_S;
    was = play->env.now;
    play->n_timers = 0;
    comes_down(play->next_link, DOWN_RESET);
    assert_true(fire() - was <= 100 * NS_MS);
    play->log[0] = 0;
    end();
}

static void test_connect_limit(void **state)
{
    static const party_t peers[] = {2};
    (void)state;
    begin(peers, 1);
    play->opts.connect_limit = 3 * NS_S;
    happen(EV_START, 0);
    expect_log("open1@2 ");
    assert_int_equal(fire(), 1000 + 3 * NS_S);
    expect_log("close1 ");
    fire();
    expect_log("open2@2 ");
    /* Up in time: the limit's timer still fires, and means nothing. */
    comes_up(2, 2);
    expect_log("show2@2 send2:14 up2! send2:2 ");
    fire();
    assert_int_equal(play->n_timers, 0);
    end();
}

static void test_stale_timers(void **state)
{
    static const party_t peers[] = {2};
    (void)state;
    begin(peers, 1);
    happen(EV_START, 0);
    comes_down(1, DOWN_REFUSED);
    expect_log("open1@2 ");
    fire(); /* the redial, long before the first dial's limit */
    expect_log("open2@2 ");
    fire(); /* the first dial's limit: it is over, and the second has time left */
    expect_log("");
    fire();
    expect_log("close2 ");
    end();
}

static void test_hello_without_room(void **state)
{
    static const party_t peers[] = {2};
    (void)state;
    begin(peers, 1);
    happen(EV_START, 0);
    play->send_rc = ERR_AGAIN;
    comes_up(1, 2);
    expect_log("open1@2 show2@2 ");
    assert_int_equal(mesh_send(&play->mesh, 2, "x", 1), ERR_CLOSED);
    happen(EV_ROOM, 1);
    expect_log("");
    play->send_rc = OK;
    happen(EV_ROOM, 1);
    expect_log("send1:14 up2! send1:2 ");
    happen(EV_ROOM, 1);
    expect_log("room2 ");
    comes_down(1, DOWN_RESET);
    expect_log("down2/4 ");
    fire();
    play->send_rc = ERR_CLOSED;
    comes_up(2, 2);
    expect_log("open2@2 show2@2 close2 ");
    end();
}

static void test_room(void **state)
{
    static const party_t peers[] = {2, 7};
    (void)state;
    begin(peers, 2);
    comes_up(10, 7);
    happen(EV_ROOM, 10); /* a stranger's */
    comes_hello(10, 7, SELF, 0);
    play->send_rc = ERR_AGAIN;
    assert_int_equal(mesh_send(&play->mesh, 7, "x", 1), ERR_AGAIN);
    happen(EV_ROOM, 10);
    happen(EV_ROOM, 11);
    expect_log("show7@7 up7 room7 ");
    end();
}

static void test_down(void **state)
{
    static const party_t peers[] = {2, 7};
    (void)state;
    begin(peers, 2);
    happen(EV_START, 0);
    comes_up(1, 2);
    comes_up(10, 7);
    comes_hello(10, 7, SELF, 0);
    play->log[0] = 0;
    play->n_timers = 0;
    comes_down(10, DOWN_TIMEOUT);
    expect_log("down7/3 ");
    assert_int_equal(play->n_timers, 0); /* the other side dials */
    comes_down(1, DOWN_CLOSED);
    expect_log("down2/5 ");
    assert_int_equal(play->n_timers, 1);
    comes_down(1, DOWN_CLOSED); /* nobody's link any more */
    happen(EV_ROOM, 1);
    expect_log("");
    fire();
    comes_up(2, 2);
    comes_up(11, 7);
    comes_hello(11, 7, SELF, 0);
    expect_log("open2@2 show2@2 send2:14 up2! send2:2 show7@7 up7 ");
    end();
}

static void test_replacement(void **state)
{
    static const party_t peers[] = {7, 8};
    (void)state;
    begin(peers, 2);
    comes_up(10, 7);
    comes_hello(10, 7, SELF, 0);
    comes_up(11, 7);
    comes_hello(11, 7, SELF, 0);
    expect_log("show7@7 up7 close10 down7/5 show7@7 up7 ");
    comes_up(12, 7);
    comes_hello(12, 7, SELF, 1); /* restarted */
    expect_log("close11 down7/4 show7@7 up7 ");
    comes(12, "\2x", 2);
    comes(11, "\2y", 2); /* silence after close is the world's word; if not, no harm */
    expect_log("deliver7:1=78 ");
    comes_down(11, DOWN_RESET);
    expect_log("");
    end();
}

/* Each of these hellos ends its link and touches nothing else. */
static void test_bad_hellos(void **state)
{
    static const party_t peers[] = {2, 7, 8};
    static const struct {
        const char *bytes;
        size_t len;
        enum drop drop;
    } bad[] = {
        {"\1\1\7\0\0\0\5\0\0\0\0\0\0", 13, DROP_TRANSPORT_FORMAT},
        {"\1\1\7\0\0\0\5\0\0\0\0\0\0\0\0", 15, DROP_TRANSPORT_FORMAT},
        {"\1\0\7\0\0\0\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_FORMAT},
        {"\1\2\7\0\0\0\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_FORMAT},
        {"\4\1\7\0\0\0\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_FORMAT},
        {"\2\1\7\0\0\0\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_FORMAT}, /* data before hello */
        {"\1", 1, DROP_TRANSPORT_FORMAT},
        {"\1\1\7\0\0\0\6\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_STRANGER}, /* wants another */
        {"\1\1\5\0\0\0\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_STRANGER}, /* claims to be us */
        {"\1\1\6\0\0\0\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_STRANGER}, /* not paired */
        {"\1\1\2\0\0\0\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_STRANGER}, /* we dial that one */
        {"\1\1\377\377\377\377\5\0\0\0\0\0\0\0", 14, DROP_TRANSPORT_STRANGER},
    };
    uint64_t counts[DROP_COUNT] = {0};
    (void)state;
    begin(peers, 3);
    comes_up(10, 7);
    comes_hello(10, 7, SELF, 0);
    expect_log("show7@7 up7 ");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        comes_up(20, 66);
        comes(20, bad[i].bytes, bad[i].len);
        expect_log("close20 ");
        counts[bad[i].drop]++;
        assert_memory_equal(counts, play->metrics.drops, sizeof counts);
    }
    comes(10, "\2x", 2);
    expect_log("deliver7:1=78 ");
    end();
}

/* A restarted acceptor rings those who have not dialed it; a dialer that is rung probes. */
static void test_ring(void **state)
{
    static const party_t peers[] = {2, 7, 8};
    static const uint8_t ring[] = {3, 1, 5, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0};
    (void)state;
    begin(peers, 3);
    play->env.incarnation = 1;
    happen(EV_START, 0);
    comes_up(1, 2);
    comes_up(10, 7);
    comes_hello(10, 7, SELF, 0);
    expect_log("open1@2 show2@2 send1:14 up2! send1:2 show7@7 up7 ");
    play->n_timers = 2; /* without the dial's limit: the two rings */
    play->timers[0].timer = TIMER_BASE + 1;
    play->timers[1].timer = TIMER_BASE + 2;
    assert_int_equal(fire(), 1000 + 10 * NS_S);
    fire();
    expect_log("open2@8 "); /* 7 has come */
    comes_up(2, 8);
    expect_log("show8@8 send2:14 ");
    assert_memory_equal(play->sent, ring, sizeof ring);
    assert_int_equal(mesh_send(&play->mesh, 8, "x", 1), ERR_CLOSED);
    play->n_timers = 0;
    comes_down(2, DOWN_CLOSED); /* it has understood, but does not come */
    fire();
    expect_log("open3@8 ");
    comes_up(11, 8);
    comes_hello(11, 8, SELF, 0);
    expect_log("close3 show8@8 up8 ");
    comes_down(11, DOWN_RESET);
    expect_log("down8/4 "); /* from now on an ordinary peer: it dials */
    while (play->n_timers)
        fire();
    expect_log("");
    end();
}

static void test_rung(void **state)
{
    static const party_t peers[] = {2, 7};
    uint8_t ring[MESH_HELLO_SIZE] = {3, 1, 2, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0};
    (void)state;
    begin(peers, 2);
    happen(EV_START, 0);
    comes_up(10, 2);
    comes(10, ring, sizeof ring); /* while we dial it anyway */
    expect_log("open1@2 close10 ");
    comes_up(1, 2);
    expect_log("show2@2 send1:14 up2! send1:2 ");
    comes_up(11, 2);
    comes(11, ring, sizeof ring);
    expect_log("close11 send1:1 ");
    assert_int_equal(play->sent[0], MESH_PING);
    comes(1, "\4", 1);
    comes_down(1, DOWN_RESET);
    expect_log("down2/4 ");
    assert_int_equal(play->metrics.drops[DROP_TRANSPORT_STRANGER], 0);
    put_le32(ring + 2, 7); /* who dials us has no need to ring */
    comes_up(12, 7);
    comes(12, ring, sizeof ring);
    expect_log("close12 ");
    assert_int_equal(play->metrics.drops[DROP_TRANSPORT_STRANGER], 1);
    assert_int_equal(play->metrics.drops[DROP_TRANSPORT_FORMAT], 0);
    end();
}

static void test_silent_strangers(void **state)
{
    static const party_t peers[] = {7, 8};
    (void)state;
    begin(peers, 2);
    comes_up(10, 66);
    play->env.now += 3 * NS_S;
    comes_up(11, 7);
    comes_up(12, 67);
    comes_up(13, 68);
    comes_hello(11, 7, SELF, 0);
    comes_down(13, DOWN_RESET);
    expect_log("show7@7 up7 ");
    assert_int_equal(play->n_timers, 1);
    assert_int_equal(fire(), 1000 + 10 * NS_S);
    expect_log("close10 ");
    assert_int_equal(fire(), 1000 + 13 * NS_S);
    expect_log("close12 ");
    assert_int_equal(play->n_timers, 0);
    assert_int_equal(play->metrics.drops[DROP_TRANSPORT_STRANGER], 2);
    comes_up(14, 69);
    assert_int_equal(play->n_timers, 1);
    assert_int_equal(fire(), 1000 + 23 * NS_S);
    expect_log("close14 ");
    end();
}

static void test_crowd_of_strangers(void **state)
{
    static const party_t peers[] = {7, 8};
    (void)state;
    begin(peers, 2);
    comes_up(10, 7);
    comes_hello(10, 7, SELF, 0);
    expect_log("show7@7 up7 ");
    for (link_t i = 0; i < MESH_STRANGERS + 2; i++)
        comes_up(100 + i, 66);
    expect_log("");
    comes_up(500, 8);
    expect_log("close100 "); /* the oldest makes room */
    comes_hello(500, 8, SELF, 0);
    expect_log("show8@8 up8 ");
    for (link_t i = 0; i < 5000; i++)
        comes_up(1000 + i, 66);
    play->log[0] = 0;
    assert_int_equal(play->mesh.strangers.n, MESH_STRANGERS + 2);
    assert_in_range(play->mesh.strangers.cap, MESH_STRANGERS + 2, 2 * MESH_STRANGERS);
    comes(10, "\2x", 2);
    comes(500, "\2y", 2);
    expect_log("deliver7:1=78 deliver8:1=79 ");
    end();
}

static void test_other_links(void **state)
{
    static const party_t peers[] = {7};
    (void)state;
    begin(peers, 1);
    play->event.kind = EV_UP;
    play->event.link_kind = LINK_DATAGRAM;
    play->event.link = 10;
    mesh_event(&play->mesh, &play->event);
    happen(EV_GO, 0);
    comes_hello(10, 7, SELF, 0);
    expect_log("");
    end();
}

static void test_init(void **state)
{
    static const party_t peers[] = {7};
    struct mesh m = {0};
    struct err e;
    (void)state;
    begin(peers, 1);
    play->opts.backoff_min = play->opts.backoff_max + 1;
    assert_int_equal(mesh_init(&m, &play->setup, LINK_MESSAGE, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "backoff_min"));
    opt_defaults(mesh_opts, &play->opts);
    play->setup.n_peers = TRANSPORT_TIMERS;
    assert_int_equal(mesh_init(&m, &play->setup, LINK_MESSAGE, &e), ERR_LIMIT);
    play->setup.n_peers = 0;
    assert_int_equal(mesh_init(&m, &play->setup, LINK_MESSAGE, &e), OK);
    mesh_free(&m);
    end();
}

/* Against a plain array, with the same key coming and going. */
static void test_map(void **state)
{
    enum { KEYS = 512 };
    static uint32_t model[KEYS + 1];
    struct map map = {0};
    struct dice dice = dice_name(1, "map", 0, 0, 0);
    uint32_t n = 0;
    (void)state;
    assert_int_equal(map_get(&map, 7, 3), 3);
    assert_false(map_remove(&map, 7));
    for (int i = 0; i < 200000; i++) {
        uint32_t k = 1 + (uint32_t)dice_below(&dice, KEYS), key = k * 0x10001U;
        if (dice_below(&dice, 2)) {
            n += model[k] == 0;
            model[k] = 1 + (uint32_t)dice_below(&dice, 1000);
            assert_int_equal(map_put(&map, key, model[k]), OK);
        } else {
            assert_int_equal(map_remove(&map, key), model[k] != 0);
            n -= model[k] != 0;
            model[k] = 0;
        }
        assert_int_equal(map.n, n);
        if (i % 1000 == 0)
            for (k = 1; k <= KEYS; k++)
                assert_int_equal(map_get(&map, k * 0x10001U, 0), model[k]);
    }
    assert_in_range(map.cap, n, 1024);
    map_free(&map);
    assert_int_equal(map_get(&map, 1, 9), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_higher_dials),
        cmocka_unit_test(test_lower_dials),
        cmocka_unit_test(test_hello_bytes),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_malformed_from_proven),
        cmocka_unit_test(test_redial),
        cmocka_unit_test(test_open_refused_here),
        cmocka_unit_test(test_back_off_resets),
        cmocka_unit_test(test_connect_limit),
        cmocka_unit_test(test_stale_timers),
        cmocka_unit_test(test_hello_without_room),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_down),
        cmocka_unit_test(test_replacement),
        cmocka_unit_test(test_bad_hellos),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_rung),
        cmocka_unit_test(test_silent_strangers),
        cmocka_unit_test(test_crowd_of_strangers),
        cmocka_unit_test(test_other_links),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
