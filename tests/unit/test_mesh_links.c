/* links: transports/mesh.c transports/strangers.c transports/direct.c transports/null.c
 * engine/base/opt.c engine/base/err.c engine/base/prng.c */
/* The mesh: links that end, are replaced, or are somebody else's. */
#include "tests/unit/mesh_bed.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
