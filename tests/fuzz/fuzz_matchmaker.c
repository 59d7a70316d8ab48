/* A matchmaker and one client of it, fed with foreign bytes: over datagrams and streams, from any
 * address, of the right and of wrong shapes. What is kept stays bounded; who has not shown that
 * it hears at its address gets no more bytes than it sent. */
#include "engine/base/bytes.h"
#include "engine/metrics.h"
#include "transports/matchmaker.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N = 5, SERVER = 5, LINKS = 200 };

static struct metrics metrics;
static struct env env;
static struct matchmaker *server;
static struct match_client *client;
static bool live[LINKS];
static uint32_t tags[LINKS];
static uint64_t nonce; /* the last one that was given */
static size_t answered;

static void must(bool truth)
{
    if (!truth)
        abort();
}

static int on_send(struct env *e, link_t link, const void *data, size_t len)
{
    (void)e;
    must(link < LINKS && live[link] && len <= MATCH_MESSAGE);
    if (len == MATCH_GREETING && ((const uint8_t *)data)[0] == MATCH_CHALLENGE)
        nonce = get_le64((const uint8_t *)data + 2);
    return OK;
}
static int on_send_to(struct env *e, link_t port, struct addr to, const void *data, size_t len)
{
    (void)e, (void)to;
    must(port == 1 && len <= MATCH_MESSAGE);
    if (len == MATCH_GREETING && ((const uint8_t *)data)[0] == MATCH_CHALLENGE)
        nonce = get_le64((const uint8_t *)data + 2);
    answered += len;
    return OK;
}
static void on_close(struct env *e, link_t link)
{
    (void)e;
    must(link < LINKS && live[link]);
    live[link] = false;
}
static void on_tag(struct env *e, link_t link, uint32_t tag)
{
    (void)e;
    must(link < LINKS && live[link]);
    tags[link] = tag;
}
static void on_arm(struct env *e, unsigned timer, ns_t at)
{
    must(timer == 0 && at >= e->now);
}
static void on_show(struct env *e, const struct shown *s)
{
    (void)e;
    must(s->whom < N && (s->kind != SHOWN_PAIR || s->other < N));
}
static const struct env_ops ops = {.send = on_send,
                                   .send_to = on_send_to,
                                   .close = on_close,
                                   .tag = on_tag,
                                   .arm = on_arm,
                                   .show = on_show};

static void client_says(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx, (void)data;
    must(len <= MATCH_MESSAGE);
}
static void client_saw(void *ctx, struct addr seen)
{
    (void)ctx;
    match_publish(client, seen.ip, seen.port % 2 ? sizeof seen.ip : 0, false);
}
static void client_found(void *ctx, party_t peer, struct addr seen, const uint8_t *blob, size_t len)
{
    static volatile uint8_t sink;
    (void)ctx, (void)seen;
    must(peer > 0 && peer < N && len <= MATCH_BLOB_MAX);
    for (size_t i = 0; i < len; i++)
        sink = blob[i];
    (void)sink;
}
static void client_wakes(void *ctx, ns_t at)
{
    (void)ctx;
    must(at >= env.now);
}
static const struct match_ops match = {
    .send = client_says, .observed = client_saw, .peer = client_found, .wake = client_wakes};

/* A message: its kind and, for a REGISTER, the good nonce, are helped along. */
static void message(struct reader *in, uint8_t what)
{
    uint8_t copy[600] = {0};
    size_t len = read_u8(in) * 2U, n = len < in->left ? len : in->left;
    struct event ev = {.kind = EV_DATA, .link_kind = LINK_DATAGRAM, .link = 1, .data = copy};
    if (n)
        memcpy(copy, read_bytes(in, n), n);
    if (what & 64) {
        copy[0] = (uint8_t)(MATCH_KIND + 1 + copy[0] % 6);
        copy[1] = MATCH_VERSION;
        if (copy[0] == MATCH_REGISTER)
            put_le64(copy + 6, nonce);
    }
    ev.len = len;
    ev.peer.ip[0] = ev.peer.ip[15] = what >> 4 & 3;
    ev.peer.port = 9;
    if (what & 8) {
        ev.link_kind = LINK_MESSAGE;
        ev.link = 2 + what % LINKS % 64;
        ev.peer = (struct addr){0};
        if (!live[ev.link] || len == 0)
            return;
        ev.tag = tags[ev.link];
    }
    answered = 0;
    matchmaker_event(server, &ev);
    must(ev.link_kind == LINK_MESSAGE || copy[0] != MATCH_HELLO || answered <= 2 * len);
    match_input(client, copy, len);
}

static void step(struct reader *in)
{
    uint8_t what = read_u8(in);
    struct event ev = {.link_kind = LINK_MESSAGE, .link = 2 + read_u8(in) % (LINKS - 2)};
    switch (what & 7) {
    case 0:
        ev.kind = EV_UP;
        if (!live[ev.link]) {
            live[ev.link] = true;
            tags[ev.link] = 0;
            matchmaker_event(server, &ev);
        }
        break;
    case 1:
        ev.kind = EV_DOWN;
        if (live[ev.link]) {
            live[ev.link] = false;
            ev.tag = tags[ev.link];
            matchmaker_event(server, &ev);
        }
        break;
    case 2:
        env.now += what * NS_S / 8;
        ev.kind = EV_TIMER;
        matchmaker_event(server, &ev);
        match_tick(client);
        break;
    case 3:
        match_want(client, ev.link % (N - 1), what & 16);
        break;
    default:
        message(in, what);
    }
    must(server->strangers.n <= MATCH_STRANGERS + N);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const party_t peers[] = {1, 2, 3, 4};
    struct roster_entry entries[N + 1] = {[SERVER] = {.role = "matchmaker"}};
    struct roster roster = {.n = N + 1, .n_parties = N, .entries = entries};
    struct transport_setup at_server = {.env = &env, .roster = &roster, .self = SERVER};
    struct transport_setup at_client = {
        .env = &env, .roster = &roster, .peers = peers, .n_peers = 4};
    struct reader in = reader_of(data, size);
    struct err e;
    memset(&metrics, 0, sizeof metrics);
    memset(live, 0, sizeof live);
    env = (struct env){.ops = &ops, .metrics = &metrics};
    prng_name(&env.rng, 1, "m", 0, "node");
    server = calloc(1, sizeof *server);
    client = calloc(1, sizeof *client);
    must(server && client && matchmaker_init(server, &at_server, &e) == OK);
    must(match_init(client, &at_client, SERVER, &match, NULL) == OK);
    match_open(client);
    while (in.left && !in.bad)
        step(&in);
    matchmaker_free(server);
    match_free(client);
    free(server);
    free(client);
    return 0;
}
