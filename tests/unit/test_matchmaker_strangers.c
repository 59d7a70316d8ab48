/* links: transports/matchmaker.c transports/matchmaker_role.c
 * transports/matchmaker_client.c transports/matchmaker_shows.c transports/strangers.c
 * engine/crypto/identity.c engine/base/err.c engine/base/prng.c
 * engine/metrics.c engine/base/hist.c */
/* What strangers may not do. */
#include "tests/unit/matchmaker_net.h"

static size_t greeting(uint8_t *out, party_t id)
{
    memset(out, 0, MATCH_GREETING);
    out[0] = MATCH_HELLO;
    out[1] = MATCH_VERSION;
    put_le32(out + 2, id);
    return MATCH_GREETING;
}

static void test_strangers(void **state)
{
    uint8_t out[MATCH_MESSAGE] = {0}, seen[MATCH_MESSAGE];
    struct addr evil = address(66, 6);
    size_t len = 0;
    (void)state;
    meet(true);
    /* a REGISTER of client 0, replayed and bent */
    match_publish(&w.clients[0].match, (const uint8_t *)"abc", 3, false);
    assert_int_equal(w.n, 1);
    len = w.wire[0].len;
    memcpy(seen, w.wire[0].bytes, len);
    carry();
    to_server(evil, seen, len); /* from elsewhere: the nonce holds for one address */
    assert_int_equal(w.metrics.drops[DROP_TRANSPORT_STRANGER], 1);
    put_le64(seen + 14, get_le64(seen + 14) + 1); /* serial */
    to_server(w.clients[0].at, seen, len);
    assert_int_equal(w.metrics.drops[DROP_TRANSPORT_AUTH], 1);
    put_le64(seen + 14, 0);
    to_server(w.clients[0].at, seen, len); /* an older one */
    assert_int_equal(w.metrics.drops[DROP_TRANSPORT_STRANGER], 2);
    for (size_t i = 0; i < len; i++) /* cut short */
        to_server(w.clients[0].at, seen, i);
    assert_int_equal(w.metrics.drops[DROP_TRANSPORT_FORMAT], len);
    /* wanting without having registered; more than there may be; nobody */
    out[0] = MATCH_WANT;
    out[1] = MATCH_VERSION;
    out[6] = 1;
    w.answers = 0;
    to_server(evil, out, 11);
    out[6] = MATCH_WANTS + 1;
    to_server(w.clients[0].at, out, 7 + 4 * (MATCH_WANTS + 1));
    put_le32(out + 2, 2);
    out[6] = 0;
    to_server(w.clients[2].at, out, 7);
    assert_int_equal(w.answers, 0);
    /* hellos: answered with no more bytes than they have, and nothing kept */
    w.answer_bytes = 0;
    for (party_t i = 0; i < 10000; i++)
        to_server(address(77, (uint16_t)(1 + i)), out, greeting(out, i % 5));
    assert_true(w.answer_bytes <= 10000U * MATCH_GREETING);
    assert_null(w.server.entries[2]);
    unmake();
}

static void test_client_bad(void **state)
{
    uint8_t in[300];
    struct dice d = dice_name(5, "bad", 0, 0, 0);
    (void)state;
    meet(true);
    w.clients[0].log[0] = 0;
    for (int i = 0; i < 20000; i++) {
        size_t len = dice_below(&d, 60);
        for (size_t k = 0; k < len; k++)
            in[k] = (uint8_t)dice_u64(&d);
        if (len > 1 && i % 2) {
            in[0] = (uint8_t)(MATCH_CHALLENGE + 2 * (i % 3));
            in[1] = MATCH_VERSION;
        }
        match_input(&w.clients[2].match, in, len); /* not open: nothing is heard */
        if (len < 25 && i % 6 != 1)
            match_input(&w.clients[0].match, in, len);
    }
    expect_log(0, "");
    expect_log(2, "");
    unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_client_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
