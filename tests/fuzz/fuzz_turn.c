/* A TURN server and two clients of ours on a wire that the fuzzer holds: it changes, drops and
 * adds messages, signs some of its own as a user would, and moves time. Nothing grows beyond
 * its bounds, and when the wire is good again both clients get up. */
#include <setjmp.h>
#include <stdarg.h>

#include "engine/base/bytes.h"
#include "tests/unit/turn_hub.h"
#include "transports/turn_client.h"
#include "transports/turn_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 2, STRANGER = 3 };

static struct turn_server server;
static struct turn_client clients[CLIENTS];
static struct reader mess;
static bool kind_again;

static void must(bool good)
{
    if (!good)
        abort();
}

static void on_up(void *ctx, const struct addr *relayed, const struct addr *mapped)
{
    (void)mapped;
    turn_client_bind(ctx, 0, relayed); /* talks to itself */
}

static void on_down(void *ctx, uint16_t code, enum down_reason why)
{
    struct turn_client *c = ctx;
    (void)code, (void)why;
    must(c->state == TURN_CLIENT_IDLE);
    hub_arm(c->setup.env, 99, hub.now + NS_S);
}

static void on_bound(void *ctx, uint32_t peer)
{
    turn_client_send(ctx, peer, "hello", 5);
}

static void on_refused(void *ctx, uint32_t peer, uint16_t code)
{
    (void)ctx, (void)peer, (void)code;
}

static void on_data(void *ctx, uint32_t peer, const struct addr *from, const uint8_t *data,
                    size_t len)
{
    static uint8_t copy[TURN_MESSAGE_MAX];
    (void)ctx, (void)from;
    must((peer == 0 || peer == PARTY_NONE) && len <= sizeof copy);
    memcpy(copy, data, len);
}

static const struct turn_client_ops ops = {
    .up = on_up, .down = on_down, .bound = on_bound, .refused = on_refused, .data = on_data};

static void client_event(void *node, const struct event *ev)
{
    struct turn_client *c = node;
    if (ev->kind == EV_TIMER && ev->timer == 99 && c->state == TURN_CLIENT_IDLE)
        turn_client_open(c);
    else
        turn_client_event(c, ev);
}

/* Each datagram may be lost, as the input says. */
static bool watch(const struct addr *from, const struct addr *to, const uint8_t *data, size_t len)
{
    (void)from, (void)to, (void)data, (void)len;
    return kind_again || mess.left == 0 || read_u8(&mess) != 0xff;
}

/* Bytes of the input to one of the live links: as they are, or as a request that is signed. */
static void inject(uint8_t op)
{
    link_t link = 1 + read_u8(&mess) % 16;
    size_t len = read_u8(&mess);
    const uint8_t *body = read_bytes(&mess, len);
    uint8_t out[TURN_MESSAGE_MAX];
    struct stun_packet m;
    struct addr from = hub.nodes[STRANGER].env.self;
    if (!body || !hub.links[link - 1].used)
        return;
    from.port = (uint16_t)(1 + op);
    if (op & 1 && stun_read(&m, body, len) == OK) {
        size_t n;
        m.username = clients[0].setup.username;
        m.realm = clients[0].realm;
        m.nonce = clients[0].nonce;
        n = stun_write(&m, clients[0].key, out, sizeof out);
        stun_drop(&m);
        from = hub_local(&hub.links[clients[0].link ? clients[0].link - 1 : 0]);
        hub_push((struct hub_item){.kind = EV_DATA, .link = link, .from = from}, out, n);
    } else {
        hub_push((struct hub_item){.kind = EV_DATA, .link = link, .from = from}, body, len);
    }
    hub_settle();
}

static void boot(bool stream)
{
    static struct turn_server_limits limits;
    static struct transport_setup setup;
    static const struct roster nobody;
    static char password[STUN_PASSWORD];
    struct env *env;
    hub_start(1000 * NS_S);
    hub.watch = watch;
    limits = (struct turn_server_limits){.realm = "realm",
                                         .secret = "secret",
                                         .alternate = "",
                                         .stale_nonce = 10 * NS_S,
                                         .max_lifetime = 700 * NS_S,
                                         .permission_life = 300 * NS_S,
                                         .channel_life = 600 * NS_S,
                                         .total_quota = 4};
    env = hub_add(1, turn_server_accepts);
    setup = (struct transport_setup){.env = env, .roster = &nobody};
    memset(&server, 0, sizeof server);
    turn_server_init(&server, &setup, &limits, NULL);
    hub_boot(env, turn_server_event, &server);
    if (!password[0])
        stun_rest_password(password, "secret", "2147483647:alice");
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct turn_client_setup s = {.env = hub_add((uint8_t)(10 + i), NULL),
                                      .server = env->self,
                                      .stream = stream,
                                      .indications = i,
                                      .n_peers = 1,
                                      .username = "2147483647:alice",
                                      .password = password,
                                      .ops = &ops,
                                      .ctx = &clients[i]};
        s.server.port = TURN_PORT;
        must(turn_client_init(&clients[i], &s, NULL) == OK);
        hub_boot(s.env, client_event, &clients[i]);
        turn_client_open(&clients[i]);
    }
    hub_add(99, NULL);
    hub_settle();
}

static bool all_up(void)
{
    bool up = true;
    for (unsigned i = 0; i < CLIENTS; i++)
        up &= clients[i].state == TURN_CLIENT_UP;
    return up;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1000)
        return 0;
    mess = reader_of(data + 1, size - 1);
    kind_again = false;
    boot(data[0] & 1);
    while (mess.left && !mess.bad) {
        uint8_t op = read_u8(&mess);
        if (op < 0xc0)
            inject(op);
        else
            hub_advance((op & 0x3f) * NS_S / 4);
        must(server.table.n <= 4 && server.n_connections <= TURN_SERVER_CONNECTIONS);
        must(server.n_strangers <= TURN_SERVER_STRANGERS);
    }
    kind_again = true;
    for (int k = 0; k < 100 && !all_up(); k++) /* what a quota counts lives 700 s at most */
        hub_advance(10 * NS_S);
    must(all_up());
    for (unsigned i = 0; i < CLIENTS; i++)
        turn_client_free(&clients[i]);
    turn_server_free(&server);
    hub_end();
    return 0;
}
