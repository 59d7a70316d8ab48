/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* How streams end, and links that are refused. */
#include "tests/unit/sim_fake.h"

#define ONE_WAY (20 * NS_MS)

/* ---- streams: ends -------------------------------------------------------------------- */

static void dial_nobody(struct node *n, const struct event *ev)
{
    struct addr a = fake.addrs[1];
    link_t link;
    if (ev->kind != EV_START || n->self)
        return;
    a.port = 444;
    assert_int_equal(n->env->ops->open(n->env, LINK_MESSAGE, a, &link), OK); /* no listener */
    a.port = 0;
    assert_int_equal(n->env->ops->open(n->env, LINK_MESSAGE, a, &link), ERR_INVALID);
    a = fake.addrs[1];
    a.ip[15] = 99;
    assert_int_equal(n->env->ops->open(n->env, LINK_MESSAGE, a, &link), OK); /* no host */
    fake_open(n, 2, LINK_MESSAGE);                                           /* behind a NAT */
    fake_open(n, 3, LINK_MESSAGE);                                           /* starts later */
    assert_int_equal(fake_send(n, link, 0, 1), ERR_CLOSED);
    assert_int_equal(fake_send(n, 77, 0, 1), ERR_CLOSED);
    assert_int_equal(fake_send(n, 0, 0, 1), ERR_CLOSED);
    n->env->ops->close(n->env, 77);
}

static void nobody_there(void **state)
{
    const struct entry *e;
    (void)state;
    fake_world(4, dial_nobody);
    fake.hosts[2].nat = NAT_FULL_CONE;
    fake.hosts[3].start = NS_S;
    fake_run();
    assert_int_equal(fake_count(0, EV_UP), 0);
    assert_int_equal(fake_count(0, EV_DOWN), 4);
    e = fake_find(0, EV_DOWN, 0);
    assert_true(e->time == 0 && e->why == DOWN_UNREACHABLE && e->link == 2);
    e = fake_find(0, EV_DOWN, 1);
    assert_true(e->time == 2 * ONE_WAY && e->why == DOWN_REFUSED && e->link == 1);
    e = fake_find(0, EV_DOWN, 2);
    assert_true(e->time == 2 * ONE_WAY && e->why == DOWN_REFUSED && e->link == 4);
    e = fake_find(0, EV_DOWN, 3);
    assert_true(e->time == 127 * NS_S && e->why == DOWN_TIMEOUT && e->link == 3);
    assert_int_equal(fake.result.metrics.drops[DROP_NO_ROUTE], 1);
    assert_int_equal(fake.result.metrics.drops[DROP_REFUSED], 2);
    assert_int_equal(fake.result.metrics.drops[DROP_NAT_NO_MAPPING], 7);
    fake_clear();
}

static void close_early(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0) {
        link_t link = fake_open(n, 1, LINK_MESSAGE);
        n->env->ops->close(n->env, link);
        n->env->ops->close(n->env, link);
        assert_int_equal(fake_send(n, link, 0, 1), ERR_CLOSED);
        fake_open(n, 1, LINK_MESSAGE);
    }
    if (ev->kind == EV_UP && n->self == 0) {
        assert_int_equal(fake_send(n, ev->link, 1, 10), OK);
        assert_int_equal(fake_send(n, ev->link, 2, 10), OK);
        n->env->ops->close(n->env, ev->link);
    }
    if (ev->kind == EV_UP && n->self == 1)
        assert_int_equal(fake_send(n, ev->link, 3, 10), OK);
    if (ev->kind == EV_DOWN)
        assert_int_equal(fake_send(n, ev->link, 0, 1), ERR_CLOSED);
}

static void after_close_there_is_silence(void **state)
{
    (void)state;
    fake_world(2, close_early);
    fake_run();
    assert_int_equal(fake_count(0, EV_UP), 1);
    assert_int_equal(fake_count(0, EV_DATA), 0);
    assert_int_equal(fake_count(0, EV_DOWN), 0);
    assert_int_equal(fake_count(1, EV_UP), 1);
    assert_int_equal(fake_count(1, EV_DATA), 2);
    assert_int_equal(fake_count(1, EV_DOWN), 1);
    assert_int_equal(fake_find(1, EV_DOWN, 0)->why, DOWN_CLOSED);
    assert_event(1, EV_DOWN, 0, 3 * ONE_WAY);
    assert_int_equal(fake.result.metrics.drops[DROP_LINK_CLOSED], 1);
    fake_clear();
}

static link_t reused[4];

static void open_and_close(struct node *n, const struct event *ev)
{
    if (n->self)
        return;
    if (ev->kind == EV_START)
        reused[0] = fake_open(n, 1, LINK_MESSAGE);
    if (ev->kind == EV_UP && fake.count < 3) {
        n->env->ops->close(n->env, ev->link);
        reused[++fake.count] = fake_open(n, 1, LINK_MESSAGE);
        assert_int_equal(fake_send(n, reused[fake.count - 1], 0, 1), ERR_CLOSED);
    }
}

static void numbers_of_closed_links_stay_dead(void **state)
{
    (void)state;
    fake_world(2, open_and_close);
    fake_run();
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(reused[i], reused[k]);
    assert_int_equal(fake_count(0, EV_UP), 4);
    fake_clear();
}

static void open_many(struct node *n, const struct event *ev)
{
    link_t link;
    if (ev->kind != EV_START || n->self)
        return;
    for (int i = 0; i < 5; i++)
        fake_open(n, 1, LINK_MESSAGE);
    assert_int_equal(n->env->ops->open(n->env, LINK_MESSAGE, fake.addrs[1], &link), ERR_LIMIT);
    n->env->ops->close(n->env, 3);
    fake_open(n, 1, LINK_MESSAGE);
}

static void links_are_limited(void **state)
{
    (void)state;
    fake_world(2, open_many);
    fake.tuning.links = 5;
    fake_run();
    assert_int_equal(fake_count(0, EV_UP), 5);
    assert_int_equal(fake_count(1, EV_UP), 5);
    fake_clear();
}

static void bad_sends(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0) {
        assert_int_equal(fake_send(n, fake_open(n, 1, LINK_MESSAGE), 0, 1), ERR_CLOSED);
        fake_open(n, 1, LINK_BYTES);
    }
    if (ev->kind == EV_UP && n->self == 0) {
        assert_int_equal(fake_send(n, ev->link, 0, 0), ERR_INVALID);
        assert_int_equal(fake_send(n, ev->link, 0, LINK_MESSAGE_MAX + 1), ERR_TOO_BIG);
        assert_int_equal(n->env->ops->send_to(n->env, ev->link, fake.addrs[1], "x", 1), ERR_CLOSED);
        assert_int_equal(fake_send(n, ev->link, 0, LINK_MESSAGE_MAX), OK);
    }
}

static void sizes_are_checked(void **state)
{
    (void)state;
    fake_world(2, bad_sends);
    fake_run();
    assert_int_equal(fake_count(1, EV_DATA), 2);
    assert_int_equal(fake_find(1, EV_DATA, 1)->len, LINK_MESSAGE_MAX);
    fake_clear();
}

/* ---- tags ----------------------------------------------------------------------------- */

/* alice gives her links 7 and 8; bob, who is busy when her messages come, counts with his. */
static void tagging(struct node *n, const struct event *ev)
{
    struct env *env = n->env;
    if (n->self == 0 && ev->kind == EV_START) {
        env->ops->tag(env, fake_open(n, 1, LINK_MESSAGE), 7);
        env->ops->tag(env, fake_open(n, 1, LINK_DATAGRAM), 8);
        env->ops->tag(env, 3, 9); /* is none yet */
    } else if (n->self == 0 && ev->kind == EV_UP && ev->tag == 7) {
        for (uint8_t i = 0; i < 3; i++)
            assert_int_equal(fake_send(n, ev->link, i, 1), OK);
        env->ops->close(env, ev->link);
        env->ops->tag(env, ev->link, 9); /* is none any more */
        fake_open(n, 1, LINK_MESSAGE);
    } else if (n->self == 0 && ev->kind == EV_UP && ev->tag == 8) {
        assert_int_equal(fake_send(n, ev->link, 'd', 1), OK);
    } else if (n->self == 1 && (ev->kind == EV_UP || ev->kind == EV_DATA)) {
        env->ops->tag(env, ev->link, ev->tag + 1);
        if (ev->link_kind == LINK_MESSAGE)
            env->spent = NS_S;
        else if (ev->kind == EV_DATA)
            assert_int_equal(env->ops->send_to(env, ev->link, ev->peer, "e", 1), OK);
    }
}

static void events_carry_their_links_tags(void **state)
{
    static const struct accept both[] = {
        {PORT, LINK_MESSAGE}, {PORT, LINK_DATAGRAM}, {0, LINK_MESSAGE}};
    link_t link = 0;
    uint32_t next = 0;
    (void)state;
    fake_world(2, tagging);
    fake.accepts[1] = both;
    fake_run();
    assert_int_equal(fake_count(0, EV_UP), 3);
    assert_int_equal(fake_find(0, EV_UP, 0)->tag, 8);
    assert_int_equal(fake_find(0, EV_DATA, 0)->tag, 8);
    assert_int_equal(fake_find(0, EV_UP, 1)->tag, 7);
    assert_int_equal(fake_find(0, EV_UP, 2)->tag, 0);
    assert_int_equal(fake_find(1, EV_UP, 0)->tag, 0); /* the port's own */
    assert_int_equal(fake_find(1, EV_DATA, 0)->tag, 1);
    link = fake_find(1, EV_UP, 1)->link;
    for (size_t i = 0; i < fake.n; i++)
        if (fake.log[i].node == 1 && fake.log[i].link == link)
            assert_int_equal(fake.log[i].tag, next++);
    assert_int_equal(next, 5); /* UP, three messages, DOWN */
    assert_int_equal(fake_find(1, EV_DOWN, 0)->tag, 4);
    fake_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(after_close_there_is_silence),
        cmocka_unit_test(numbers_of_closed_links_stay_dead),
        cmocka_unit_test(links_are_limited),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(events_carry_their_links_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
