/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* NATs in the simulator: datagrams and streams through them, drops by name. */
#include "engine/worlds/link/nat.h"
#include "tests/unit/sim_fake.h"

#define ONE_WAY (20 * NS_MS)

static const struct accept datagrams[] = {
    {PORT, LINK_DATAGRAM}, {PORT, LINK_MESSAGE}, {0, LINK_MESSAGE}};

static uint64_t drops(enum drop d)
{
    return fake.result.metrics.drops[d];
}

/* ---- streams ------------------------------------------------------------------------------- */

static void dial_third(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self < 2)
        fake_open(n, 2, LINK_MESSAGE);
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_MESSAGE); /* its neighbour's public address */
}

static void a_box_shows_its_own_address(void **state)
{
    const struct entry *e, *f;
    (void)state;
    for (int hairpin = 0; hairpin < 2; hairpin++) {
        fake_world(3, dial_third);
        fake.hosts[0].nat = fake.hosts[1].nat = hairpin ? NAT_FULL_CONE : NAT_SYMMETRIC;
        fake.hosts[0].nat_box = fake.hosts[1].nat_box = "office";
        fake_run();
        e = fake_find(2, EV_UP, 0);
        f = fake_find(2, EV_UP, 1);
        assert_memory_equal(e->peer.ip, fake.addrs[0].ip, 16);
        assert_memory_equal(f->peer.ip, fake.addrs[0].ip, 16);
        assert_int_not_equal(e->peer.port, f->peer.port);
        e = fake_find(1, EV_UP, 0);
        assert_true(e->local.ip[12] == 10 && e->local.ip[15] == 2);
        assert_int_equal(fake_find(0, EV_DOWN, 0)->why, DOWN_TIMEOUT);
        assert_int_equal(drops(DROP_NAT_NO_MAPPING), hairpin ? 7 : 0);
        assert_int_equal(drops(DROP_NAT_HAIRPIN), hairpin ? 0 : 7);
        fake_clear();
    }
}

static void a_forwarded_port_is_reached(void **state)
{
    static const struct nat_forward forwards[] = {{PORT, PORT}};
    struct nat_spec spec = *nat_preset(NAT_PORT_RESTRICTED);
    (void)state;
    spec.forwards = forwards;
    spec.n_forwards = 1;
    for (int neighbour = 0; neighbour < 2; neighbour++) {
        fake_world(3, dial_and_greet);
        fake.hosts[1].nat = fake.hosts[2].nat = NAT_PORT_RESTRICTED;
        fake.hosts[1].nat_box = fake.hosts[2].nat_box = "home";
        fake.hosts[1].nat_spec = &spec;
        if (neighbour) { /* comes back in, by the box's own address */
            fake.hosts[0].nat = NAT_PORT_RESTRICTED;
            fake.hosts[0].nat_box = "home";
        }
        fake_run();
        assert_event(0, EV_DATA, 0, 4 * ONE_WAY);
        assert_event(1, EV_DATA, 0, 3 * ONE_WAY);
        assert_memory_equal(fake_find(0, EV_UP, 0)->peer.ip, fake.addrs[neighbour ? 0 : 1].ip, 16);
        assert_memory_equal(fake_find(1, EV_UP, 0)->peer.ip, fake.addrs[0].ip, 16);
        fake_clear();
    }
}

/* alice greets bob at 1 s, and again after an hour. */
static void greet_late(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_MESSAGE);
    if (ev->kind == EV_UP && n->self == 0) {
        assert_int_equal(fake_send(n, ev->link, 'a', 10), OK);
        n->env->ops->arm(n->env, 1, 1000 * NS_S);
    }
    if (ev->kind == EV_TIMER)
        assert_int_equal(fake_send(n, 1, 'b', 10), OK);
}

static void an_idle_connection_is_forgotten(void **state)
{
    struct nat_spec spec = *nat_preset(NAT_FULL_CONE);
    (void)state;
    for (int i = 0; i < 2; i++) {
        spec.tcp_timeout = i ? 999 * NS_S : 1001 * NS_S;
        fake_world(2, greet_late);
        fake.hosts[0].nat = NAT_FULL_CONE;
        fake.hosts[0].nat_spec = &spec;
        fake_run();
        assert_int_equal(fake_count(1, EV_DATA), i ? 1 : 2);
        assert_int_equal(drops(DROP_NAT_NO_MAPPING), i ? 1 : 0);
        assert_int_equal(fake_count(0, EV_DOWN), i);
        if (i)
            assert_int_equal(fake_find(0, EV_DOWN, 0)->why, DOWN_TIMEOUT);
        fake_clear();
    }
}

static void dial_often(struct node *n, const struct event *ev)
{
    for (int i = 0; ev->kind == EV_START && n->self == 0 && i < 10; i++)
        fake_open(n, 1, LINK_MESSAGE);
}

static void a_subscriber_at_its_limit_dials_in_vain(void **state)
{
    struct nat_spec spec = *nat_preset(NAT_SYMMETRIC);
    (void)state;
    spec.port_limit = 4;
    fake_world(2, dial_often);
    fake.hosts[0].nat = NAT_SYMMETRIC;
    fake.hosts[0].nat_spec = &spec;
    fake_run();
    assert_int_equal(fake_count(0, EV_UP), 4);
    assert_int_equal(fake_count(0, EV_DOWN), 6);
    assert_int_equal(fake_find(0, EV_DOWN, 5)->why, DOWN_NAT);
    assert_int_equal(drops(DROP_NAT_PORT_LIMIT), 6);
    fake_clear();
}

/* ---- datagrams ----------------------------------------------------------------------------- */

static struct addr seen[2]; /* of alice and bob, by carol */

/* Alice and bob tell carol their addresses, and at 1 s, 2 s, ... each sends to the other's. */
static void punch(struct node *n, const struct event *ev)
{
    struct env *env = n->env;
    if (ev->kind == EV_UP && n->self < 2) {
        assert_int_equal(env->ops->send_to(env, ev->link, fake.addrs[2], "x", 1), OK);
        env->ops->arm(env, 1, NS_S);
    }
    if (ev->kind == EV_DATA && n->self == 2) {
        seen[ev->data[0] == 'x' && memcmp(ev->peer.ip, fake.addrs[0].ip, 16) != 0] = ev->peer;
        assert_int_equal(env->ops->send_to(env, ev->link, ev->peer, "y", 1), OK);
    }
    if (ev->kind == EV_TIMER && ev->timer < 4) {
        struct addr to = seen[1 - n->self];
        assert_int_equal(env->ops->send_to(env, 1, to, "p", 1), to.port ? OK : ERR_INVALID);
        env->ops->arm(env, ev->timer + 1, env->now + NS_S);
    }
}

static void punch_world(enum nat_kind alice, enum nat_kind bob)
{
    memset(seen, 0, sizeof seen);
    fake_world(3, punch);
    fake.hosts[0].nat = alice;
    fake.hosts[1].nat = bob;
    for (int i = 0; i < 3; i++)
        fake.accepts[i] = datagrams;
    fake_run();
}

static void holes_are_punched(void **state)
{
    const struct entry *e;
    (void)state;
    punch_world(NAT_PORT_RESTRICTED, NAT_CGNAT);
    assert_int_equal(fake_count(2, EV_DATA), 2);
    assert_memory_equal(seen[0].ip, fake.addrs[0].ip, 16);
    assert_int_equal(fake_count(0, EV_DATA), 1 + 3); /* carol's, and bob's: all passed each other */
    assert_int_equal(fake_count(1, EV_DATA), 1 + 3);
    e = fake_find(0, EV_DATA, 1);
    assert_true(addr_equal(&e->peer, &seen[1]));
    assert_event(0, EV_DATA, 1, NS_S + ONE_WAY);
    fake_clear();
    punch_world(NAT_SYMMETRIC, NAT_PORT_RESTRICTED);
    assert_int_equal(fake_count(0, EV_DATA), 1);
    assert_int_equal(fake_count(1, EV_DATA), 1);
    assert_int_equal(drops(DROP_NAT_FILTERED), 6);
    fake_clear();
    punch_world(NAT_UDP_BLOCKED, NAT_NONE);
    assert_int_equal(fake_count(2, EV_DATA), 1);
    assert_int_equal(drops(DROP_UDP_BLOCKED), 4);
    fake_clear();
}

static void nothing_is_silent(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_non_null(out);
    memset(seen, 0, sizeof seen);
    fake_world(3, punch);
    fake.hosts[0].nat = NAT_SYMMETRIC;
    fake.hosts[1].nat = NAT_SYMMETRIC;
    for (int i = 0; i < 3; i++)
        fake.accepts[i] = datagrams;
    fake.trace.out = out;
    fake_run();
    fclose(out);
    assert_non_null(strstr(text, "alice lost bob 1 nat_filtered\n"));
    assert_non_null(strstr(text, "bob lost alice 1 nat_filtered\n"));
    assert_non_null(strstr(text, "carol data 1 alice 1 "));
    free(text);
    fake_clear();
}

static void no_world_refuses_a_nat(void **state)
{
    (void)state;
    fake_world(3, NULL);
    fake.hosts[1].nat = NAT_SYMMETRIC;
    fake.accepts[1] = datagrams;
    assert_int_equal(world_sim.check(&fake.spec, NULL, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_shows_its_own_address),
        cmocka_unit_test(a_forwarded_port_is_reached),
        cmocka_unit_test(an_idle_connection_is_forgotten),
        cmocka_unit_test(a_subscriber_at_its_limit_dials_in_vain),
        cmocka_unit_test(holes_are_punched),
        cmocka_unit_test(nothing_is_silent),
        cmocka_unit_test(no_world_refuses_a_nat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
