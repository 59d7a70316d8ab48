/* links: transports/mesh.c transports/strangers.c transports/direct.c transports/null.c
 * engine/base/opt.c engine/base/err.c engine/base/prng.c */
/* The mesh: dialling, the hello, data, backing off. */
#include "tests/unit/mesh_bed.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
