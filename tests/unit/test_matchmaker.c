/* links: transports/matchmaker.c transports/matchmaker_role.c
 * transports/matchmaker_client.c transports/matchmaker_shows.c transports/strangers.c
 * engine/crypto/identity.c engine/base/err.c engine/base/prng.c
 * engine/metrics.c engine/base/hist.c */
/* Clients meet. */
#include "tests/unit/matchmaker_net.h"

static void test_meet(void **state)
{
    (void)state;
    meet(true);
    unmake();
    meet(false);
    unmake();
}

static void test_again(void **state)
{
    (void)state;
    meet(true);
    w.cut = true; /* asks go unanswered, and go on with back-off */
    pass(30 * NS_S);
    w.cut = false;
    pass(10 * NS_S);
    assert_non_null(strstr(w.clients[0].log, "blob1@1001 "));
    match_want(&w.clients[0].match, 0, false);
    match_want(&w.clients[1].match, 0, false);
    pass(200 * NS_S); /* registered all the time */
    w.clients[0].log[0] = w.clients[1].log[0] = 0;
    w.clients[1].at = address(1, 2001); /* readdressed: seen at the next keep-alive */
    pass(20 * NS_S);
    expect_log(1, "me1@2001 peer0@1000 ");
    match_want(&w.clients[0].match, 0, true);
    pass(NS_S);
    assert_non_null(strstr(w.clients[0].log, "blob1@2001 "));
    unmake();
}

/* The matchmaker restarts and knows nobody. */
static void test_restart(void **state)
{
    struct err e;
    (void)state;
    meet(true);
    matchmaker_free(&w.server);
    memset(&w.server, 0, sizeof w.server);
    assert_int_equal(matchmaker_init(&w.server, &w.setup, &e), OK);
    w.clients[0].log[0] = 0;
    pass(40 * NS_S);
    assert_non_null(strstr(w.clients[0].log, "blob1@1001 "));
    unmake();
}

static void test_streams(void **state)
{
    (void)state;
    make(true);
    w.streams = true;
    for (int i = 0; i < N; i++) {
        stream(EV_UP, 100 + (link_t)i, w.clients[i].at);
        match_want(&w.clients[i].match, 0, true);
        match_want(&w.clients[i].match, 1, true);
        match_open(&w.clients[i].match);
        carry();
    }
    expect_log(0, "me0@1000 peer1@1001 peer2@1002 ");
    expect_log(2, "me2@1002 peer0@1000 peer1@1001 ");
    assert_int_equal(w.server.strangers.n, 0);
    stream(EV_DOWN, 101, address(0, 0));
    match_closed(&w.clients[1].match);
    pass(20 * NS_S); /* nothing is sent where nobody is */
    /* Strangers that say nothing are bounded, the oldest one goes. */
    for (link_t k = 1; k <= 200; k++)
        stream(EV_UP, 1000 + k, address(0, 0));
    assert_int_equal(w.server.strangers.n, MATCH_STRANGERS + N);
    w.env.now += 11 * NS_S;
    struct event timer = {.kind = EV_TIMER};
    matchmaker_event(&w.server, &timer);
    assert_int_equal(w.server.strangers.n, 0);
    assert_int_equal(w.closed, 200);
    unmake();
}

/* A blob that is an address shows it, and nothing is shown of what is cut off. */
static void test_shows(void **state)
{
    uint8_t blob[MATCH_ADDR], seen[MATCH_MESSAGE];
    struct addr own = address(10, 77), from = address(0, 1000);
    size_t len;
    (void)state;
    make(true);
    memcpy(blob, own.ip, sizeof own.ip);
    put_le16(blob + sizeof own.ip, own.port);
    match_publish(&w.clients[0].match, blob, sizeof blob, false);
    match_want(&w.clients[0].match, 1, true); /* 2 */
    match_open(&w.clients[0].match);
    carry();
    assert_string_equal(w.shown, "addr0@1000 member0 addr0@77 pair0-2 ");
    blob[0] = 1;
    match_publish(&w.clients[0].match, blob, sizeof blob, false);
    assert_int_equal(w.n, 1);
    len = w.wire[0].len;
    memcpy(seen, w.wire[0].bytes, len);
    assert_int_equal(seen[0], MATCH_REGISTER);
    for (size_t n = len;; n--) {
        w.shown[0] = 0;
        match_shows(&w.env, &w.roster, &from, seen, n);
        assert_string_equal(w.shown, n == len  ? "addr0@1000 member0 addr0@77 pair0-2 "
                                     : n >= 41 ? "addr0@1000 member0 addr0@77 "
                                     : n >= 6  ? "addr0@1000 member0 "
                                               : "");
        if (n == 0)
            break;
    }
    put_le32(seen + len - 4, N); /* nobody */
    w.shown[0] = 0;
    match_shows(&w.env, &w.roster, &from, seen, len);
    assert_null(strstr(w.shown, "pair"));
    seen[1]++;
    w.shown[0] = 0;
    match_shows(&w.env, &w.roster, &from, seen, len);
    assert_string_equal(w.shown, "");
    unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meet),    cmocka_unit_test(test_again),
        cmocka_unit_test(test_restart), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
