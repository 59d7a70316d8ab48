/* links: transports/stun.c transports/turn_wire.c transports/turn_table.c transports/turn_answer.c
 * transports/turn_server.c engine/base/map.c engine/base/prng.c -lre */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/interop/turn_answers.h"
#include "tests/interop/turn_script.h"
#include "tests/unit/turn_hub.h"
#include "transports/turn_server.h"

/* The script's clients against the simulated server. */
struct desk {
    struct wire wire;
    struct env *env[SCRIPT_CLIENTS];
    link_t link[SCRIPT_CLIENTS];
    struct turn_stream stream[SCRIPT_CLIENTS];
    struct {
        uint8_t data[4096];
        size_t len;
    } box[SCRIPT_CLIENTS][8];
    uint32_t n[SCRIPT_CLIENTS];
    struct turn_server server;
    struct turn_server_limits limits;
    struct transport_setup setup;
};

static struct desk desk;

static void put(unsigned client, const uint8_t *data, size_t len)
{
    assert_in_range(desk.n[client], 0, 7);
    assert_in_range(len, 0, 4096);
    memcpy(desk.box[client][desk.n[client]].data, data, len);
    desk.box[client][desk.n[client]++].len = len;
}

static void client_event(void *node, const struct event *ev)
{
    unsigned client = (unsigned)(uintptr_t)node;
    const uint8_t *message;
    size_t len;
    if (ev->kind != EV_DATA)
        return;
    if (ev->link_kind == LINK_DATAGRAM) {
        put(client, ev->data, ev->len);
        return;
    }
    turn_stream_add(&desk.stream[client], ev->data, ev->len);
    while (turn_stream_next(&desk.stream[client], &message, &len) == OK)
        put(client, message, len);
}

static void desk_send(struct wire *w, unsigned client, const void *data, size_t len)
{
    (void)w;
    hub_send(desk.env[client], desk.link[client], data, len);
    hub_settle();
}

static size_t desk_receive(struct wire *w, unsigned client, uint8_t *buf, size_t cap)
{
    size_t len;
    (void)w, (void)cap;
    if (!desk.n[client])
        return 0;
    len = desk.box[client][0].len;
    memcpy(buf, desk.box[client][0].data, len);
    memmove(&desk.box[client][0], &desk.box[client][1], 7 * sizeof desk.box[client][0]);
    desk.n[client]--;
    return len;
}

static void desk_renew(struct wire *w, unsigned client)
{
    struct addr to = hub.nodes[0].env.self;
    to.port = TURN_PORT;
    if (desk.link[client])
        hub_close(desk.env[client], desk.link[client]);
    hub_of(desk.env[client])->shared = 0;
    turn_stream_free(&desk.stream[client]);
    hub_open(desk.env[client], w->stream ? LINK_BYTES : LINK_DATAGRAM, to, &desk.link[client]);
    hub_settle();
}

static void desk_wait(struct wire *w, ns_t time)
{
    (void)w;
    hub_advance(time);
}

static void open_desk(bool stream)
{
    static const struct roster nobody;
    struct env *env;
    memset(&desk, 0, sizeof desk);
    hub_start(1000 * NS_S);
    env = hub_add(1, turn_server_accepts);
    desk.wire = (struct wire){stream, desk_send, desk_receive, desk_renew, desk_wait};
    desk.limits = (struct turn_server_limits){.realm = SCRIPT_REALM,
                                              .secret = SCRIPT_SECRET,
                                              .alternate = "",
                                              .stale_nonce = 600 * NS_S,
                                              .max_lifetime = 3600 * NS_S,
                                              .permission_life = 300 * NS_S,
                                              .channel_life = 600 * NS_S,
                                              .user_quota = 2};
    desk.setup = (struct transport_setup){.env = env, .roster = &nobody};
    assert_int_equal(turn_server_init(&desk.server, &desk.setup, &desk.limits, NULL), OK);
    hub_boot(env, turn_server_event, &desk.server);
    for (unsigned i = 0; i < SCRIPT_CLIENTS; i++) {
        desk.env[i] = hub_add((uint8_t)(10 + i), NULL);
        hub_boot(desk.env[i], client_event, (void *)(uintptr_t)i);
        desk_renew(&desk.wire, i);
    }
}

static void close_desk(void)
{
    for (unsigned i = 0; i < SCRIPT_CLIENTS; i++)
        turn_stream_free(&desk.stream[i]);
    turn_server_free(&desk.server);
    hub_end();
}

static void answers_are_coturns(bool stream)
{
    static struct script s;
    open_desk(stream);
    script_start(&s, &desk.wire);
    script_refusals(&s);
    assert_string_equal(s.out, stream ? turn_answers_tcp : turn_answers_udp);
    close_desk();
}

static void over_udp(void **state)
{
    (void)state;
    answers_are_coturns(false);
}

static void over_tcp(void **state)
{
    (void)state;
    answers_are_coturns(true);
}

static void relaying_and_ends(void **state)
{
    static struct script s;
    (void)state;
    open_desk(false);
    desk.limits.permission_life = 2 * NS_S;
    desk.limits.channel_life = 4 * NS_S;
    desk.limits.stale_nonce = 2 * NS_S;
    desk.limits.max_lifetime = 3 * NS_S;
    desk.limits.loopback_peers = true;
    script_start(&s, &desk.wire);
    script_relaying(&s);
    assert_string_equal(s.out, turn_answers_relaying);
    close_desk();
}

/* A nonce is good from one address only. Else a user could allocate in the name of a server's own
 * address, without seeing the answer, and have datagrams go round for ever (RFC 8656's loop
 * attack). */
static void nonces_belong_to_addresses(void **state)
{
    static struct script s;
    struct stun_packet m = GOOD_ALLOCATE;
    struct addr own;
    uint8_t buf[512];
    size_t len;
    (void)state;
    open_desk(false);
    own = hub.nodes[0].env.self;
    own.port = TURN_PORT;
    script_start(&s, &desk.wire);
    script_ask(&s, 0, "for a nonce", GOOD_ALLOCATE, BARE);
    script_ids(&s, &m);
    len = script_write(&s, 0, &m, SIGNED, buf, sizeof buf);
    hub_push((struct hub_item){.kind = EV_DATA, .link = desk.server.port, .from = own}, buf, len);
    hub_settle();
    assert_int_equal(desk.server.table.n, 0);
    desk_send(&desk.wire, 0, buf, len);
    assert_int_equal(desk.server.table.n, 1);
    close_desk();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_udp),
        cmocka_unit_test(over_tcp),
        cmocka_unit_test(relaying_and_ends),
        cmocka_unit_test(nonces_belong_to_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
