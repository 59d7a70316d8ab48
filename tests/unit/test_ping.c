/* links: engine/base/err.c engine/base/opt.c engine/base/prng.c engine/protocols/ping.c
   engine/protocols/ping_plan.c engine/protocols/idle.c */
/* Ping: who pings whom, when, and from when a round trip counts; what restarts, losses and
 * strange messages do. Idle does nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/fake_party.h"

extern const struct protocol protocol_ping, protocol_idle;

struct ping_opts {
    int64_t size, reply, count, interval, one_way;
};
enum { PING, PONG };

/* roles: a letter a party, p c s; services: of those, how many at the end are services. */
static int make(struct fake *f, struct ping_opts *o, const char *roles, uint32_t services,
                struct err *e)
{
    uint32_t n = (uint32_t)strlen(roles);
    int rc;
    fake_init(f, &protocol_ping, n, 1);
    for (uint32_t i = 0; i < n; i++)
        f->entries[i].role = roles[i] == 'p'   ? "peer"
                             : roles[i] == 'c' ? "client"
                             : roles[i] == 's' ? "server"
                                               : "relay";
    f->roster.n_parties = n - services;
    f->opts = o;
    f->mode = FAKE_TIMED;
    f->delay = 15 * NS_MS;
    rc = fake_plan(f, e);
    for (party_t who = 0; rc == OK && who < n; who++)
        if (roles[who] != 'r')
            rc = fake_boot(f, who, 1, 0, e);
    return rc;
}

static void start(struct fake *f)
{
    for (party_t who = 0; who < f->n; who++)
        if (f->parties[who].state)
            f->protocol->start(f->parties[who].state, &f->parties[who]);
}

static void up(struct fake *f, party_t a, party_t b)
{
    fake_peer(f, a, b, PEER_UP);
    fake_peer(f, b, a, PEER_UP);
}

static void all_up(struct fake *f)
{
    for (party_t a = 0; a < f->n; a++)
        for (party_t b = 0; b < a; b++)
            if (f->protocol->pairs(f->opts, f->entries[a].role, f->entries[b].role))
                up(f, a, b);
}

static struct ping_opts defaults(void)
{
    struct ping_opts o;
    opt_defaults(protocol_ping.opts, &o);
    return o;
}

static const char *result(const struct fake *f, party_t who)
{
    return f->parties[who].result ? (const char *)f->parties[who].result : f->parties[who].failure;
}

static void pairs(void **state)
{
    static const char *const names[] = {"peer", "client", "server", "relay"};
    (void)state;
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++)
            assert_int_equal(protocol_ping.pairs(NULL, names[a], names[b]),
                             (a == 0 && b == 0) || (a == 1 && b == 2) || (a == 2 && b == 1));
    assert_false(protocol_idle.pairs(NULL, "idler", "idler"));
}

static void peers_ping_each_other(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    (void)state;
    assert_int_equal(make(&f, &o, "pprpp", 0, &e), OK);
    f.roster.n_parties = 2; /* the others are services: a relay that is none of ours, two peers */
    start(&f);
    all_up(&f);
    fake_run(&f);
    assert_int_equal(f.by_kind[PING], 4 * 3 * 10);
    assert_int_equal(f.by_kind[PONG], 4 * 3 * 10);
    assert_int_equal(f.bytes, 2 * 4 * 3 * 10 * 64);
    for (party_t who = 0; who < 5; who++)
        if (who != 2)
            assert_string_equal(result(&f, who), "pongs 30 of 30");
    assert_int_equal(f.samples[METRIC_RTT].n, 120);
    assert_int_equal(f.samples[METRIC_RTT].min, 30 * NS_MS);
    assert_int_equal(f.samples[METRIC_RTT].max, 30 * NS_MS);
    assert_int_equal(f.parties[0].completion, 9 * 100 * NS_MS + 30 * NS_MS);
    assert_int_equal(fake_verify(&f, &e), OK);
    fake_free(&f);
}

static void clients_ping_servers(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    (void)state;
    o.size = 1000;
    o.reply = 3;
    o.count = 2;
    assert_int_equal(make(&f, &o, "cscssc", 0, &e), OK);
    start(&f);
    assert_string_equal(result(&f, 1), "serving");
    assert_false(f.parties[0].done);
    f.now = 5;
    up(&f, 0, 1); /* the rest comes up later */
    f.now = 7 * NS_MS;
    up(&f, 0, 3);
    up(&f, 0, 4);
    for (party_t c = 2; c <= 5; c += 3)
        for (party_t s = 1; s <= 4; s += s == 1 ? 2 : 1)
            up(&f, c, s);
    fake_run(&f);
    assert_int_equal(f.messages, 2 * 3 * 3 * 2);
    assert_int_equal(f.bytes, 3 * 3 * 2 * 1003);
    assert_string_equal(result(&f, 0), "pongs 6 of 6");
    assert_string_equal(result(&f, 5), "pongs 6 of 6");
    assert_int_equal(fake_verify(&f, &e), OK);
    assert_int_equal(f.samples[METRIC_RTT].n, 18);
    fake_free(&f);
}

/* Without room pings are late, and the delay counts: no coordinated omission. */
static void waiting_for_room_counts(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    (void)state;
    o.count = 5;
    o.interval = 0;
    assert_int_equal(make(&f, &o, "cs", 0, &e), OK);
    f.refuse = 1;
    start(&f);
    all_up(&f);
    fake_run(&f);
    assert_string_equal(result(&f, 0), "pongs 5 of 5");
    assert_int_equal(f.samples[METRIC_RTT].min, 30 * NS_MS);
    assert_int_equal(f.samples[METRIC_RTT].max, 4 * 15 * NS_MS + 30 * NS_MS);
    fake_free(&f);
}

/* Open loop: a late answer does not hold back the next ping. */
static void open_loop(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    (void)state;
    o.count = 50;
    o.interval = NS_MS;
    assert_int_equal(make(&f, &o, "cs", 0, &e), OK);
    start(&f);
    f.now = 3;
    all_up(&f);
    fake_run(&f);
    assert_int_equal(f.parties[0].completion, 3 + 49 * NS_MS + 30 * NS_MS);
    assert_int_equal(f.samples[METRIC_RTT].max, 30 * NS_MS);
    fake_free(&f);
}

static void one_way(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    (void)state;
    o.one_way = 1;
    o.interval = 0;
    assert_int_equal(make(&f, &o, "ppp", 0, &e), OK);
    start(&f);
    all_up(&f);
    assert_false(f.parties[0].done);
    fake_run(&f);
    assert_int_equal(f.messages, 60);
    assert_string_equal(result(&f, 1), "sent 20, received 20");
    assert_int_equal(fake_verify(&f, &e), OK);
    fake_free(&f);
    assert_int_equal(make(&f, &o, "ccs", 0, &e), OK);
    start(&f);
    all_up(&f);
    assert_string_equal(result(&f, 0), "sent 10, received 0");
    assert_false(f.parties[2].done);
    fake_run(&f);
    assert_string_equal(result(&f, 2), "sent 0, received 20");
    assert_int_equal(fake_verify(&f, &e), OK);
    fake_free(&f);
}

/* The link is up again with a server that knows nothing: what it owes is asked for again. */
static void restarted_server(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct ping_opts o = defaults();
        struct fake f;
        struct err e = {0};
        o.one_way = way;
        assert_int_equal(make(&f, &o, "cs", 0, &e), OK);
        start(&f);
        all_up(&f);
        while (f.now < 300 * NS_MS)
            fake_step(&f);
        assert_true(f.in_flight > 0);
        for (int i = 0; i < 4; i++) { /* what was under way is gone */
            struct fake_message *m = f.pairs[i].head;
            if (m) {
                assert_null(m->next);
                free(m);
                f.pairs[i] = (struct fake_pair){.tail = &f.pairs[i].head};
                f.in_flight--;
            }
        }
        assert_int_equal(fake_boot(&f, 1, 1, 1, &e), OK);
        f.protocol->start(f.parties[1].state, &f.parties[1]);
        f.now = 350 * NS_MS;
        fake_peer(&f, 0, 1, PEER_DOWN);
        fake_peer(&f, 0, 1, PEER_RESTARTED);
        fake_peer(&f, 1, 0, PEER_UP);
        fake_run(&f);
        assert_string_equal(result(&f, 0), way ? "sent 10, received 0" : "pongs 10 of 10");
        assert_string_equal(result(&f, 1), way ? "sent 0, received 10" : "serving");
        for (int drop = 0; drop < DROP_COUNT; drop++)
            assert_int_equal(f.drops[drop], 0);
        if (!way)
            assert_int_equal(f.samples[METRIC_RTT].max, 80 * NS_MS); /* from 300 ms on */
        fake_free(&f);
    }
}

static void lost_peers(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    char buf[200];
    (void)state;
    assert_int_equal(make(&f, &o, "pps", 1, &e), OK);
    start(&f);
    all_up(&f);
    while (f.samples[METRIC_RTT].n < 6)
        fake_step(&f);
    f.protocol->waiting(f.parties[0].state, &f.parties[0], buf, sizeof buf);
    assert_string_equal(buf, "3 of 10 pongs from bob");
    fake_peer(&f, 2, 0, PEER_LOST); /* no business of a server's */
    assert_string_equal(result(&f, 2), "serving");
    fake_peer(&f, 0, 1, PEER_LOST);
    assert_string_equal(result(&f, 0), "bob is lost: 3 of 10 pongs");
    uint64_t before = f.by_kind[PING];
    fake_run(&f);
    assert_int_equal(f.by_kind[PING], before + 7); /* bob's; alice sends no more */
    assert_int_equal(fake_verify(&f, &e), OK);
    fake_free(&f);
}

static void strange_messages(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    uint8_t body[64] = {0};
    (void)state;
    assert_int_equal(make(&f, &o, "csp", 0, &e), OK);
    start(&f);
    fake_recv(&f, 1, 0, (struct label){0, PONG}, body, 64);          /* not asked */
    fake_recv(&f, 1, 0, (struct label){0, PING}, body, 64);          /* servers don't ask */
    fake_recv(&f, 2, 0, (struct label){0, PONG}, body, 64);          /* no partner */
    fake_recv(&f, UINT32_MAX, 0, (struct label){0, PONG}, body, 64); /* nobody */
    fake_recv(&f, 0, 1, (struct label){0, 2}, body, 64);             /* no such kind */
    fake_recv(&f, 0, 1, (struct label){10, PING}, body, 64);         /* count is 10 */
    assert_int_equal(f.drops[DROP_LABEL_UNKNOWN], 6);
    fake_recv(&f, 0, 1, (struct label){0, PING}, body, 63);
    fake_recv(&f, 0, 1, (struct label){0, PING}, body, 0);
    assert_int_equal(f.drops[DROP_PROTOCOL_FORMAT], 2);
    assert_int_equal(f.messages, 0);
    all_up(&f);
    fake_run(&f);
    fake_recv(&f, 1, 0, (struct label){9, PONG}, body, 64);
    fake_recv(&f, 0, 1, (struct label){9, PING}, body, 64);
    fake_recv(&f, 0, 1, (struct label){0, PING}, body, 64);
    assert_int_equal(f.drops[DROP_LABEL_TWICE], 3);
    assert_string_equal(result(&f, 0), "pongs 10 of 10");
    assert_string_equal(result(&f, 2), "pongs 0 of 0");
    fake_free(&f);
}

static void refusals(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    (void)state;
    assert_int_equal(make(&f, &o, "cp", 0, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "no party or service of role server"));
    fake_free(&f);
    o.count = 1000000;
    o.interval = 86400 * NS_S;
    assert_int_equal(make(&f, &o, "pp", 0, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "count x interval"));
    fake_free(&f);
}

static void wrong_results_are_seen(void **state)
{
    struct ping_opts o = defaults();
    struct fake f;
    struct err e = {0};
    (void)state;
    assert_int_equal(make(&f, &o, "pp", 0, &e), OK);
    party_result(&f.parties[0], "pongs 9 of 10", 13);
    assert_int_equal(fake_verify(&f, &e), ERR_WRONG);
    assert_string_equal(e.text, "alice got 'pongs 9 of 10', expected 'pongs 10 of 10'");
    fake_free(&f);
}

static void idle(void **state)
{
    struct fake f;
    struct err e = {0};
    char buf[20];
    (void)state;
    fake_init(&f, &protocol_idle, 3, 1);
    assert_int_equal(fake_plan(&f, &e), OK);
    assert_int_equal(fake_boot_all(&f, 1, &e), OK);
    fake_start(&f);
    fake_run(&f);
    assert_int_equal(f.messages, 0);
    assert_true(protocol_idle.size <= 8);
    assert_int_equal(fake_verify(&f, &e), OK);
    protocol_idle.print(f.plan, f.parties[1].result, f.parties[1].result_len, buf, sizeof buf);
    assert_string_equal(buf, "idle");
    f.parties[2].result[0] = 'x';
    assert_int_equal(fake_verify(&f, &e), ERR_WRONG);
    fake_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs),
        cmocka_unit_test(peers_ping_each_other),
        cmocka_unit_test(clients_ping_servers),
        cmocka_unit_test(waiting_for_room_counts),
        cmocka_unit_test(open_loop),
        cmocka_unit_test(one_way),
        cmocka_unit_test(restarted_server),
        cmocka_unit_test(lost_peers),
        cmocka_unit_test(strange_messages),
        cmocka_unit_test(refusals),
        cmocka_unit_test(wrong_results_are_seen),
        cmocka_unit_test(idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
