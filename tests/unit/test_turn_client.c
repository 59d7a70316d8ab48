/* links: transports/stun.c transports/turn_wire.c transports/turn_client.c transports/turn_table.c
 * transports/turn_answer.c transports/turn_server.c engine/base/map.c engine/base/prng.c -lre */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/turn_hub.h"
#include "transports/turn_client.h"
#include "transports/turn_server.h"

/* Our client and our server on a wire: what each sends, as words, and what the client tells. */
enum { CLIENTS = 2 };

static struct play {
    struct turn_server server, other;
    struct turn_server_limits limits;
    struct transport_setup setup[2];
    struct roster roster;
    struct roster_entry entries[2];
    struct turn_client client[CLIENTS];
    struct addr relayed[CLIENTS];
    char told[1024];
    unsigned requests, answers, lose;
} play;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    size_t len = strlen(play.told);
    va_list ap;
    va_start(ap, format);
    vsnprintf(play.told + len, sizeof play.told - len, format, ap);
    va_end(ap);
}

#define expect_told(text)                                                                          \
    do {                                                                                           \
        assert_string_equal(play.told, text);                                                      \
        play.told[0] = 0;                                                                          \
    } while (0)

static int which(void *ctx)
{
    return (int)((struct turn_client *)ctx - play.client);
}

static void on_up(void *ctx, const struct addr *relayed, const struct addr *mapped)
{
    play.relayed[which(ctx)] = *relayed;
    note("up%d@%u ", which(ctx), relayed->ip[15]);
    assert_int_equal(mapped->ip[15], 10 + which(ctx));
}

static void on_down(void *ctx, uint16_t code, enum down_reason why)
{
    note("down%d:%u:%d ", which(ctx), code, (int)why);
}

static void on_bound(void *ctx, uint32_t peer)
{
    note("bound%d:%u ", which(ctx), peer);
}

static void on_refused(void *ctx, uint32_t peer, uint16_t code)
{
    note("refused%d:%u:%u ", which(ctx), peer, code);
}

static void on_data(void *ctx, uint32_t peer, const struct addr *from, const uint8_t *data,
                    size_t len)
{
    (void)from;
    note("data%d:%d:%.*s ", which(ctx), (int)peer, (int)len, (const char *)data);
}

static const struct turn_client_ops ops = {
    .up = on_up, .down = on_down, .bound = on_bound, .refused = on_refused, .data = on_data};

static bool watch(const struct addr *from, const struct addr *to, const uint8_t *data, size_t len)
{
    (void)data, (void)len;
    play.requests += to->port == TURN_PORT;
    play.answers += from->port == TURN_PORT;
    return play.lose == 0 || play.lose-- == 0;
}

static void client_event(void *node, const struct event *ev)
{
    turn_client_event(node, ev);
}

static struct turn_client_setup setup_of(unsigned i, bool stream)
{
    static char password[STUN_PASSWORD];
    struct turn_client_setup s = {.env = &hub.nodes[2 + i].env,
                                  .server = hub.nodes[0].env.self,
                                  .stream = stream,
                                  .n_peers = 2,
                                  .username = "2147483647:alice",
                                  .password = password,
                                  .ops = &ops,
                                  .ctx = &play.client[i]};
    stun_rest_password(password, "secret", s.username);
    s.server.port = TURN_PORT;
    return s;
}

static void begin(bool stream)
{
    memset(&play, 0, sizeof play);
    hub_start(1000 * NS_S);
    hub.watch = watch;
    play.limits = (struct turn_server_limits){.realm = "realm",
                                              .secret = "secret",
                                              .alternate = "",
                                              .stale_nonce = 600 * NS_S,
                                              .max_lifetime = 3600 * NS_S,
                                              .permission_life = 300 * NS_S,
                                              .channel_life = 600 * NS_S};
    for (unsigned i = 0; i < 2; i++) {
        struct env *env = hub_add((uint8_t)(1 + i), turn_server_accepts);
        play.entries[i] = (struct roster_entry){
            .name = i ? "second" : "first", .role = "turn", .addr = env->self};
        play.roster = (struct roster){.n = 2, .entries = play.entries};
        play.setup[i] = (struct transport_setup){.env = env, .roster = &play.roster, .self = i};
    }
    turn_server_init(&play.server, &play.setup[0], &play.limits, NULL);
    turn_server_init(&play.other, &play.setup[1], &play.limits, NULL);
    hub_boot(play.setup[0].env, turn_server_event, &play.server);
    hub_boot(play.setup[1].env, turn_server_event, &play.other);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct env *env = hub_add((uint8_t)(10 + i), NULL);
        struct turn_client_setup s = setup_of(i, stream);
        assert_int_equal(turn_client_init(&play.client[i], &s, NULL), OK);
        hub_boot(env, client_event, &play.client[i]);
    }
    hub_settle();
}

static void end(void)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        turn_client_free(&play.client[i]);
    turn_server_free(&play.server);
    turn_server_free(&play.other);
    hub_end();
}

static void both_up(void)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        turn_client_open(&play.client[i]);
    hub_settle();
    expect_told("up0@1 up1@1 ");
    for (unsigned i = 0; i < CLIENTS; i++)
        turn_client_bind(&play.client[i], 0, &play.relayed[1 - i]);
    hub_settle();
    expect_told("bound0:0 bound1:0 ");
}

static void talk(void)
{
    assert_int_equal(turn_client_send(&play.client[0], 0, "ping", 4), OK);
    hub_settle();
    expect_told("data1:0:ping ");
    assert_int_equal(turn_client_send(&play.client[1], 0, "pong", 4), OK);
    hub_settle();
    expect_told("data0:0:pong ");
}

/* Two round trips to allocate, one to bind. */
static void setting_up(void **state)
{
    (void)state;
    begin(false);
    turn_client_open(&play.client[0]);
    hub_settle();
    expect_told("up0@1 ");
    assert_int_equal(play.requests, 2);
    assert_int_equal(play.answers, 2);
    turn_client_bind(&play.client[0], 1, &hub.nodes[3].env.self);
    hub_settle();
    expect_told("bound0:1 ");
    assert_int_equal(play.requests, 3);
    assert_int_equal(turn_client_send(&play.client[0], 0, "x", 1), ERR_CLOSED);
    end();
}

static void data_both_ways(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++)
        for (int indications = 0; indications < 2; indications++) {
            begin(stream);
            for (unsigned i = 0; i < CLIENTS; i++)
                play.client[i].setup.indications = indications;
            both_up();
            talk();
            turn_client_bye(&play.client[0]);
            hub_settle();
            expect_told("down0:0:8 ");
            assert_int_equal(play.server.table.n, 1);
            end();
        }
}

/* RFC 8489, 6.2.1: 0, 500, 1500, 3500, 7500, 15500, 31500 ms, and failed at 39500 ms. */
static void retransmission(void **state)
{
    static const ns_t at[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
    (void)state;
    begin(false);
    play.lose = 1000;
    turn_client_open(&play.client[0]);
    hub_settle();
    for (unsigned i = 0; i < 7; i++) {
        hub_advance(1000 * NS_S + at[i] * NS_MS - hub.now);
        assert_int_equal(play.requests, i + 1);
        hub_advance(NS_MS);
    }
    hub_advance(1000 * NS_S + 39499 * NS_MS - hub.now);
    expect_told("");
    hub_advance(NS_MS);
    expect_told("down0:0:3 ");
    assert_int_equal(play.requests, 7);
    end();
}

static void what_the_server_refuses(void **state)
{
    (void)state;
    begin(false);
    play.client[0].setup.password = "guess";
    turn_client_open(&play.client[0]);
    hub_settle();
    expect_told("down0:401:1 ");
    end();
    begin(false);
    play.limits.user_quota = 1;
    turn_client_open(&play.client[1]);
    turn_client_open(&play.client[0]);
    hub_settle();
    expect_told("down0:486:1 up1@1 "); /* a refusal waits for no port */
    end();
    begin(false);
    both_up();
    turn_client_bind(&play.client[0], 1,
                     &(struct addr){.ip = {[10] = 255, [11] = 255, 127, 0, 0, 1}, .port = 9});
    hub_settle();
    expect_told("refused0:1:403 ");
    talk();
    end();
}

static void alternate_server(void **state)
{
    (void)state;
    begin(false);
    play.limits.alternate = "second";
    turn_client_open(&play.client[0]);
    hub_settle();
    expect_told("up0@2 ");
    end();
}

/* Hours pass: nonces go stale, allocations, permissions and channels are renewed in time. */
static void staying(void **state)
{
    (void)state;
    begin(false);
    both_up();
    for (int i = 0; i < 20; i++) {
        hub_advance(300 * NS_S);
        talk();
    }
    assert_int_equal(play.server.table.n, 2);
    end();
}

/* The server forgot everything: a probe finds out when nothing comes back. */
static void restarted_server(void **state)
{
    (void)state;
    begin(false);
    both_up();
    turn_server_free(&play.server);
    memset(&play.server, 0, sizeof play.server);
    turn_server_init(&play.server, &play.setup[0], &play.limits, NULL);
    play.server.port = 1;
    turn_client_send(&play.client[0], 0, "lost", 4);
    hub_advance(TURN_CLIENT_PROBE);
    expect_told("down0:437:1 ");
    turn_client_open(&play.client[0]);
    hub_settle();
    expect_told("up0@1 ");
    end();
}

/* The client forgot: the old allocation is in its way (437) and is deleted first. */
static void restarted_client(void **state)
{
    struct turn_client_setup s;
    (void)state;
    begin(false);
    both_up();
    turn_client_close(&play.client[0]);
    turn_client_free(&play.client[0]);
    s = setup_of(0, false);
    turn_client_init(&play.client[0], &s, NULL);
    turn_client_open(&play.client[0]);
    hub_settle();
    expect_told("up0@1 ");
    assert_int_equal(play.server.table.n, 2);
    end();
}

/* A server that says 437 to all, but answers no more than so often. */
static void stubborn(void *node, const struct event *ev)
{
    unsigned *patience = node;
    struct env *env = play.setup[0].env;
    struct stun_packet m, answer = {.kind = STUN_ERROR, .code = 437};
    uint8_t out[TURN_MESSAGE_MAX];
    if (ev->kind != EV_DATA || *patience == 0)
        return;
    --*patience;
    assert_int_equal(stun_read(&m, ev->data, ev->len), OK);
    answer.name = m.name;
    memcpy(answer.tid, m.tid, STUN_TID);
    stun_drop(&m);
    hub_send_to(env, ev->link, ev->peer, out, stun_write(&answer, NULL, out, sizeof out));
}

/* What is in the way can't be deleted: the client asks once more, and no oftener. */
static void nothing_to_delete(void **state)
{
    unsigned patience = 20;
    (void)state;
    begin(false);
    play.setup[0].env->event = stubborn;
    play.setup[0].env->node = &patience;
    turn_client_open(&play.client[0]);
    hub_settle();
    expect_told("down0:437:1 ");
    assert_int_equal(play.requests, 3);
    patience = 2;
    turn_client_open(&play.client[0]);
    hub_advance(60 * NS_S);
    expect_told("down0:0:3 "); /* the third is in vain, which is no farewell */
    end();
}

/* A client that is gone leaves nothing behind; a stranger never did. */
static void expiry(void **state)
{
    static const uint8_t noise[] = {0, 3, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1,  2,
                                    3, 4, 5, 6, 7,    8,    9,    10,   11, 12};
    link_t link;
    struct addr to;
    (void)state;
    begin(true);
    both_up();
    to = play.client[0].server;
    for (int i = 0; i < 2 * TURN_SERVER_STRANGERS; i++) {
        hub_open(&hub.nodes[3].env, LINK_BYTES, to, &link);
        hub_send(&hub.nodes[3].env, link, noise, sizeof noise);
        hub_settle();
        assert_true(play.server.n_strangers <= TURN_SERVER_STRANGERS);
    }
    hub_advance(TURN_SERVER_PATIENCE);
    assert_int_equal(play.server.n_connections, 2);
    end();
    begin(false);
    both_up();
    turn_client_close(&play.client[0]);
    hub_advance(601 * NS_S);
    assert_int_equal(play.server.table.n, 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_up),        cmocka_unit_test(data_both_ways),
        cmocka_unit_test(retransmission),    cmocka_unit_test(what_the_server_refuses),
        cmocka_unit_test(alternate_server),  cmocka_unit_test(staying),
        cmocka_unit_test(restarted_server),  cmocka_unit_test(restarted_client),
        cmocka_unit_test(nothing_to_delete), cmocka_unit_test(expiry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
