/* Three clients, a matchmaker, and a wire between them that carries each message at once, by
 * turns; it can be cut. Clients are known by the address that they send from. */
#ifndef PARTYLINE_TESTS_MATCHMAKER_NET_H
#define PARTYLINE_TESTS_MATCHMAKER_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/bytes.h"
#include "engine/crypto/identity.h"
#include "engine/metrics.h"
#include "transports/matchmaker.h"

enum { N = 3, SERVER = 3, NODES = 4, WIRE = 4096, PORT = 9, LINKS = 2000 };

struct client {
    struct env env;
    struct transport_setup setup;
    struct match_client match;
    struct addr at;
    party_t peers[N - 1];
    char log[400], shown[900];
};

static struct {
    struct env env;
    struct metrics metrics;
    struct roster_entry entries[NODES];
    struct roster roster;
    struct identity_public publics[NODES];
    struct identity identities[NODES];
    struct transport_setup setup;
    struct matchmaker server;
    struct client clients[N];
    struct {
        int to; /* SERVER or a client */
        struct addr from;
        link_t link; /* to the server, over a stream */
        uint8_t bytes[MATCH_MESSAGE];
        size_t len;
    } wire[WIRE];
    size_t first, n, answers, answer_bytes;
    bool cut, streams;
    uint32_t tags[LINKS];
    unsigned closed;
    char shown[600];
} w;

static inline struct addr address(unsigned host, uint16_t port)
{
    struct addr a = {.port = port};
    a.ip[15] = (uint8_t)host;
    return a;
}

static inline void enter(int to, struct addr from, const void *bytes, size_t len)
{
    assert_in_range(len, 1, MATCH_MESSAGE);
    if (w.cut)
        return;
    assert_true(w.n < WIRE);
    w.wire[w.n].to = to;
    w.wire[w.n].from = from;
    w.wire[w.n].len = len;
    memcpy(w.wire[w.n++].bytes, bytes, len);
}

static inline int server_send_to(struct env *env, link_t port, struct addr to, const void *bytes,
                                 size_t len)
{
    (void)env;
    assert_int_equal(port, PORT);
    w.answers++;
    w.answer_bytes += len;
    for (int i = 0; i < N; i++)
        if (addr_equal(&w.clients[i].at, &to))
            enter(i, address(SERVER, MATCH_PORT), bytes, len);
    return OK;
}
static inline int server_send(struct env *env, link_t link, const void *bytes, size_t len)
{
    (void)env;
    w.answers++;
    if (link >= 100 && link < 100 + N)
        enter((int)link - 100, address(SERVER, MATCH_PORT), bytes, len);
    return OK;
}
static inline void server_close(struct env *env, link_t link)
{
    (void)env;
    (void)link;
    w.closed++;
}
static inline void server_tag(struct env *env, link_t link, uint32_t tag)
{
    (void)env;
    w.tags[link] = tag;
}
static inline void no_arm(struct env *env, unsigned timer, ns_t at)
{
    (void)env, (void)timer, (void)at;
}
/* Behind text, unless it is there: a fact counts once. */
static inline void note_shown(char *text, size_t cap, const struct shown *s)
{
    char fact[40];
    assert_true(s->in_clear);
    if (s->kind == SHOWN_PAIR)
        snprintf(fact, sizeof fact, "pair%u-%u ", s->whom, s->other);
    else if (s->kind == SHOWN_MEMBER)
        snprintf(fact, sizeof fact, "member%u ", s->whom);
    else
        snprintf(fact, sizeof fact, "addr%u@%u ", s->whom, s->addr.port);
    if (!strstr(text, fact))
        snprintf(text + strlen(text), cap - strlen(text), "%s", fact);
}
static inline void server_show(struct env *env, const struct shown *s)
{
    (void)env;
    note_shown(w.shown, sizeof w.shown, s);
}
static inline void client_show(struct env *env, const struct shown *s)
{
    struct client *c = (struct client *)env; /* its first member */
    note_shown(c->shown, sizeof c->shown, s);
}
static const struct env_ops server_ops = {.send_to = server_send_to,
                                          .send = server_send,
                                          .close = server_close,
                                          .tag = server_tag,
                                          .arm = no_arm,
                                          .show = server_show};
static const struct env_ops client_env = {.arm = no_arm, .show = client_show};

static inline void client_says(void *ctx, const uint8_t *bytes, size_t len)
{
    struct client *c = ctx;
    enter(SERVER, c->at, bytes, len);
}
static inline void client_note(struct client *c, const char *what, unsigned a, unsigned b)
{
    size_t len = strlen(c->log);
    snprintf(c->log + len, sizeof c->log - len, "%s%u@%u ", what, a, b);
}
static inline void client_saw(void *ctx, struct addr seen)
{
    client_note(ctx, "me", seen.ip[15], seen.port);
}
static inline void client_found(void *ctx, party_t peer, struct addr seen, const uint8_t *blob,
                                size_t len)
{
    assert_true(len == 0 || (len == 3 && memcmp(blob, "abc", 3) == 0));
    client_note(ctx, len ? "blob" : "peer", peer, seen.port);
}
static inline void no_wake(void *ctx, ns_t at)
{
    (void)ctx, (void)at;
}
static const struct match_ops client_ops = {
    .send = client_says, .observed = client_saw, .peer = client_found, .wake = no_wake};

static inline void make(bool secured)
{
    struct err e;
    memset(&w, 0, sizeof w);
    metrics_init(&w.metrics);
    for (uint32_t i = 0; i < NODES; i++) {
        struct prng rng;
        prng_name(&rng, 1, i == SERVER ? "m" : "c", i, "identity");
        identity_make(&w.identities[i], &rng);
        w.publics[i] = w.identities[i].pub;
        w.entries[i] =
            (struct roster_entry){.name = "x", .role = i == SERVER ? "matchmaker" : "party"};
    }
    w.roster = (struct roster){
        .n = NODES, .n_parties = N, .entries = w.entries, .identities = secured ? w.publics : NULL};
    w.env = (struct env){.ops = &server_ops, .metrics = &w.metrics};
    prng_name(&w.env.rng, 1, "m", 0, "node");
    w.setup = (struct transport_setup){.env = &w.env, .roster = &w.roster, .self = SERVER};
    assert_int_equal(match_find(&w.roster), SERVER);
    assert_int_equal(matchmaker_init(&w.server, &w.setup, &e), OK);
    for (uint32_t i = 0; i < N; i++) {
        struct client *c = &w.clients[i];
        c->env = (struct env){.ops = &client_env, .metrics = &w.metrics};
        c->at = address(i, (uint16_t)(1000 + i));
        c->env.self = address(i, (uint16_t)(500 + i)); /* behind a NAT */
        for (uint32_t k = 0, n = 0; k < N; k++)
            if (k != i)
                c->peers[n++] = k;
        c->setup = (struct transport_setup){.env = &c->env,
                                            .roster = &w.roster,
                                            .self = i,
                                            .peers = c->peers,
                                            .n_peers = N - 1,
                                            .identity = &w.identities[i]};
        assert_int_equal(match_init(&c->match, &c->setup, SERVER, &client_ops, c), OK);
    }
}

static inline void unmake(void)
{
    matchmaker_free(&w.server);
    for (int i = 0; i < N; i++)
        match_free(&w.clients[i].match);
    metrics_free(&w.metrics);
}

static inline void to_server(struct addr from, const void *bytes, size_t len)
{
    struct event ev = {.kind = EV_DATA,
                       .link_kind = w.streams ? LINK_MESSAGE : LINK_DATAGRAM,
                       .link = w.streams ? 100 + from.ip[15] : PORT,
                       .peer = from,
                       .data = bytes,
                       .len = len};
    if (w.streams)
        ev.peer = (struct addr){0}; /* as streams do */
    ev.tag = w.tags[ev.link];
    matchmaker_event(&w.server, &ev);
}

/* A stream comes or goes. */
static inline void stream(enum event_kind kind, link_t link, struct addr from)
{
    struct event ev = {
        .kind = kind, .link_kind = LINK_MESSAGE, .link = link, .tag = w.tags[link], .peer = from};
    w.tags[link] = 0;
    matchmaker_event(&w.server, &ev);
}

static inline void carry(void)
{
    for (; w.first < w.n; w.first++)
        if (w.wire[w.first].to == SERVER)
            to_server(w.wire[w.first].from, w.wire[w.first].bytes, w.wire[w.first].len);
        else
            assert_true(match_input(&w.clients[w.wire[w.first].to].match, w.wire[w.first].bytes,
                                    w.wire[w.first].len));
    w.first = w.n = 0;
}

static inline void pass(ns_t time)
{
    for (ns_t end = w.env.now + time; w.env.now < end;) {
        w.env.now += 100 * NS_MS;
        for (int i = 0; i < N; i++) {
            w.clients[i].env.now = w.env.now;
            match_tick(&w.clients[i].match);
        }
        carry();
    }
}

#define expect_log(i, text)                                                                        \
    do {                                                                                           \
        assert_string_equal(w.clients[i].log, text);                                               \
        w.clients[i].log[0] = 0;                                                                   \
    } while (0)

static inline void meet(bool secured)
{
    make(secured);
    match_publish(&w.clients[1].match, (const uint8_t *)"abc", 3, false);
    match_want(&w.clients[0].match, 0, true); /* 1 */
    match_want(&w.clients[1].match, 0, true); /* 0 */
    match_open(&w.clients[0].match);
    carry();
    expect_log(0, "me0@1000 ");
    match_open(&w.clients[1].match);
    carry();
    expect_log(0, "blob1@1001 ");
    expect_log(1, "me1@1001 peer0@1000 ");
    assert_string_equal(w.shown, "addr0@1000 member0 pair0-1 addr1@1001 member1 pair1-0 ");
    assert_string_equal(w.clients[0].shown, "addr0@500 member0 pair0-1 addr1@1001 ");
    assert_string_equal(w.clients[1].shown, "addr1@501 member1 pair1-0 addr0@1000 ");
    assert_string_equal(w.clients[2].shown, "");
    assert_int_equal(w.metrics.drops[DROP_TRANSPORT_STRANGER], 0);
    assert_int_equal(w.metrics.drops[DROP_TRANSPORT_FORMAT], 0);
}

#endif
