/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* No packet dies in silence: in turmoil, what was sent is what came and what was dropped by a name.
 */
#include "engine/worlds/link/nat.h"
#include "tests/unit/sim_fake.h"

enum { NODES = 6 };

static const struct accept ports[] = {
    {PORT, LINK_DATAGRAM}, {PORT, LINK_MESSAGE}, {0, LINK_MESSAGE}};
static const uint8_t halves[NODES] = {1, 1, 1, 2, 2, 2};
static const uint8_t ends[NODES] = {1, 0, 0, 0, 0, 2};

static const struct action turmoil[] = {
    {.kind = ACT_PARTITION, .at = 3 * NS_S, .until = 5 * NS_S, .side = halves},
    {.kind = ACT_PARTITION, .one_way = true, .at = 6 * NS_S, .until = 8 * NS_S, .side = ends},
    {.kind = ACT_FLAP,
     .at = 4 * NS_S,
     .until = 20 * NS_S,
     .a = 1,
     .b = 2,
     .up = 300 * NS_MS,
     .down = 200 * NS_MS},
    {.kind = ACT_LINK,
     .at = 2 * NS_S,
     .until = 12 * NS_S,
     .a = 0,
     .b = 4,
     .loss_ppm = 200000,
     .latency = -1,
     .rate_bps = 80000,
     .jitter = 30 * NS_MS,
     .burst = 6},
    {.kind = ACT_CRASH, .at = 7 * NS_S, .node = 2},
    {.kind = ACT_RESTART, .at = 9 * NS_S, .node = 2},
    {.kind = ACT_CRASH, .at = 13 * NS_S, .node = 5},
    {.kind = ACT_PAUSE, .at = 10 * NS_S, .until = 11 * NS_S, .node = 3},
    {.kind = ACT_PAUSE, .at = 15 * NS_S, .until = NS_NEVER, .node = 1},
    {.kind = ACT_CRASH, .at = 17 * NS_S, .node = 1},
    {.kind = ACT_READDRESS, .at = 14 * NS_S, .node = 4},
};

static struct tally {
    uint64_t sent, came, too_big;
    struct prng rng;
    bool streams;
    link_t port[NODES], link[NODES];
    struct addr seen[NODES]; /* how the others see its port */
} tally;

static uint64_t dropped(void)
{
    uint64_t sum = 0;
    for (int d = 0; d < DROP_COUNT; d++)
        sum += fake.result.metrics.drops[d];
    return sum;
}

static void send_datagram(struct node *n)
{
    static const uint8_t data[2000];
    uint32_t to = (uint32_t)(prng_u64(&tally.rng) % (NODES + 1));
    size_t len = prng_u64(&tally.rng) % 1600;
    struct addr a = {.ip = {[0] = 0x20, [15] = 9}, .port = PORT}; /* nobody's */
    int rc;
    if (to < NODES)
        a = tally.seen[to].port && prng_u64(&tally.rng) % 4 ? tally.seen[to] : fake.addrs[to];
    if (prng_u64(&tally.rng) % 20 == 0)
        a.port = 9; /* where nobody listens */
    rc = n->env->ops->send_to(n->env, tally.port[n->self], a, data, len);
    tally.sent++;
    tally.too_big += rc == ERR_TOO_BIG;
    assert_true(rc == OK || rc == ERR_TOO_BIG);
}

static void shout(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START)
        n->env->ops->arm(n->env, 1, n->env->now + NS_MS);
    if (ev->kind == EV_UP)
        tally.port[n->self] = ev->link;
    if (ev->kind == EV_DATA) {
        for (uint32_t i = 0; i < NODES; i++)
            if (ev->len && memcmp(ev->peer.ip, fake.addrs[i].ip, 16) == 0)
                tally.seen[i] = ev->peer;
        tally.came++;
    }
    if (ev->kind == EV_TIMER && n->env->now < 20 * NS_S) {
        for (int i = 0; i < 3; i++)
            send_datagram(n);
        n->env->spent += (ns_t)(prng_u64(&tally.rng) % (6 * NS_MS));
        n->env->ops->arm(n->env, 1, n->env->now + 20 * NS_MS);
    }
}

static void world(void (*on)(struct node *, const struct event *))
{
    static const enum nat_kind kinds[NODES] = {NAT_NONE,  NAT_FULL_CONE,       NAT_SYMMETRIC,
                                               NAT_CGNAT, NAT_PORT_RESTRICTED, NAT_UDP_BLOCKED};
    fake_world(NODES, on);
    memset(&tally, 0, sizeof tally);
    prng_name(&tally.rng, 3, "conserve", 0, "test");
    for (uint32_t i = 0; i < NODES; i++) {
        fake.accepts[i] = ports;
        fake.hosts[i].access = (struct access){.up_bps = 2000000,
                                               .down_bps = i % 2 ? 600000 : 4000000,
                                               .queue_bytes = 16384,
                                               .loss_ppm = 10000 * i,
                                               .burst = i == 2 ? 4 : 0,
                                               .jitter = 3 * NS_MS,
                                               .latency = 5 * NS_MS};
        if (on == shout)
            fake.hosts[i].nat = kinds[i];
    }
    fake.spec.actions = turmoil;
    fake.spec.n_actions = sizeof turmoil / sizeof *turmoil;
    fake.spec.limit = 60 * NS_S;
}

static void every_datagram_is_accounted_for(void **state)
{
    static const enum drop wanted[] = {
        DROP_LOSS, DROP_QUEUE,       DROP_PARTITION,   DROP_REFUSED,        DROP_NO_ROUTE,
        DROP_MTU,  DROP_LINK_CLOSED, DROP_UDP_BLOCKED, DROP_NAT_NO_MAPPING, DROP_NAT_FILTERED};
    const uint64_t *drops = fake.result.metrics.drops;
    (void)state;
    world(shout);
    fake_run();
    assert_true(tally.came > 1000);
    assert_true(tally.sent > 10000);
    assert_int_equal(tally.sent, tally.came + dropped());
    assert_int_equal(tally.too_big, drops[DROP_MTU]);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!drops[wanted[i]])
            fail_msg("no datagram was dropped as %s", drop_infos[wanted[i]].name);
    fake_clear();
}

/* Each to each; a link that is down is opened again. */
static void converse(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START)
        n->env->ops->arm(n->env, 1, n->env->now + NS_MS);
    if (ev->kind == EV_UP)
        tally.link[n->self] = ev->link;
    if (ev->kind == EV_DOWN && tally.link[n->self] == ev->link)
        tally.link[n->self] = 0;
    tally.came += ev->kind == EV_DATA;
    if (ev->kind != EV_TIMER || n->env->now >= 20 * NS_S)
        return;
    if (tally.link[n->self] && prng_u64(&tally.rng) % 100 == 0)
        n->env->ops->close(n->env, tally.link[n->self]), tally.link[n->self] = 0;
    if (!tally.link[n->self])
        fake_open(n, (n->self + 1 + (uint32_t)(prng_u64(&tally.rng) % (NODES - 1))) % NODES,
                  LINK_MESSAGE);
    else
        tally.sent += fake_send(n, tally.link[n->self], 1, 1 + prng_u64(&tally.rng) % 3000) == OK;
    n->env->ops->arm(n->env, 1, n->env->now + 50 * NS_MS);
}

/* Segments that die are counted by name, and sent again; messages that TCP does not bring are
 * counted, too. (Those of a connection whose address has gone are refused, with their RST.) */
static void every_message_is_accounted_for(void **state)
{
    const uint64_t *drops = fake.result.metrics.drops;
    (void)state;
    world(converse);
    fake.spec.n_actions--; /* no other address */
    fake.spec.limit = 3600 * NS_S;
    fake_run();
    assert_true(tally.came > 500);
    assert_true(tally.sent > tally.came);
    assert_int_equal(tally.sent - tally.came, drops[DROP_LINK_CLOSED]);
    assert_true(drops[DROP_LOSS] > 0 && drops[DROP_PARTITION] > 0 && drops[DROP_REFUSED] > 0);
    assert_true(fake.result.metrics.counts[COUNT_RETRANSMITS] > 0);
    fake_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_datagram_is_accounted_for),
        cmocka_unit_test(every_message_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
