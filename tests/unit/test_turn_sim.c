/* links: everything */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/conformance/bed.h"
#include "transports/turn.h"

/* The transport in the simulator, without jitter, to the nanosecond. Two parties, one TURN
 * server T and the matchmaker M. One way: a from party 0 to T, b from party 1, m from T to M,
 * and s from T to itself. */
enum { SIZE = 100, PARTIES = 2 };

static struct seen {
    ns_t up[PARTIES], sent, got;
    unsigned ups;
    struct {
        party_t from, to;
        uint32_t len;
        ns_t at;
    } packets[4096];
    size_t n;
} seen;

struct probe {
    bool done;
};

static int probe_init(void *self, struct party *p, const void *plan, const struct input *own,
                      struct err *e)
{
    (void)self, (void)p, (void)plan, (void)own, (void)e;
    return OK;
}

static void probe_start(void *self, struct party *p)
{
    (void)self, (void)p;
}

/* A second after both are up party 0 sends, when all is quiet. */
static void probe_peer(void *self, struct party *p, party_t peer, enum peer_state state)
{
    (void)self, (void)peer;
    assert_int_equal(state, PEER_UP);
    seen.up[party_self(p)] = party_now(p);
    seen.ups++;
    if (party_self(p) == 0)
        party_arm(p, 1, party_now(p) + NS_S);
}

static void probe_timer(void *self, struct party *p, unsigned timer)
{
    static const uint8_t message[SIZE];
    (void)self, (void)timer;
    seen.sent = party_now(p);
    assert_int_equal(party_send(p, 1, (struct label){0}, message, sizeof message), OK);
    party_result(p, "", 0);
}

static void probe_recv(void *self, struct party *p, party_t from, struct label label,
                       const uint8_t *data, size_t len)
{
    (void)self, (void)from, (void)label, (void)data;
    assert_int_equal(len, SIZE);
    seen.got = party_now(p);
    party_result(p, "", 0);
}

static int probe_verify(const struct protocol_shape *shape, const void *plan,
                        const struct outcome *outcomes, struct err *e)
{
    (void)shape, (void)plan, (void)outcomes, (void)e;
    return OK;
}

static const struct protocol_role probe_roles[] = {{.name = "peer"}, {0}};
static const struct protocol probe = {.name = "probe",
                                      .help = "one message",
                                      .roles = probe_roles,
                                      .size = sizeof(struct probe),
                                      .init = probe_init,
                                      .start = probe_start,
                                      .recv = probe_recv,
                                      .peer = probe_peer,
                                      .timer = probe_timer,
                                      .verify = probe_verify};

static void on_packet(void *ctx, const struct trace_packet *p)
{
    (void)ctx;
    if (p->kind != PACKET_DATAGRAM || seen.n == 4096)
        return;
    seen.packets[seen.n].from = p->sender;
    seen.packets[seen.n].to = p->receiver;
    seen.packets[seen.n].len = p->len;
    seen.packets[seen.n++].at = p->at;
}

/* Bytes of the first datagram from one to another that leaves at that time. */
static uint32_t bytes_at(party_t from, party_t to, ns_t at)
{
    for (size_t i = 0; i < seen.n; i++)
        if (seen.packets[i].from == from && seen.packets[i].to == to && seen.packets[i].at == at)
            return seen.packets[i].len;
    return 0;
}

static void run(enum turn_data data, bool two)
{
    struct trace trace = {.packet = on_packet};
    struct trial_result r = {0};
    struct err e = {0};
    struct turn_opts *opts;
    struct bed b;
    memset(&seen, 0, sizeof seen);
    assert_true(bed_make(&b, plugin_transport("turn"), &probe, PARTIES));
    if (two)
        bed_more_services(&b, plugin_transport("turn"));
    opts = b.transport_opts;
    opts->data = data;
    b.spec.channel = CHANNEL_NONE;
    if (plugin_world("sim")->run(&b.spec, 1, NULL, &trace, &r, &e) != OK)
        fail_msg("%s", e.text);
    assert_true(r.outcomes[0].done && r.outcomes[1].done);
    trial_result_free(&r, PARTIES);
    bed_free(&b);
}

/* Where bed_make puts them: party 0 near, party 1 far, T further, M near. */
enum { T = 2, M = 3 };
static const ns_t a = 75 * NS_MS, b = 55 * NS_MS, m = 75 * NS_MS, s = NS_MS;

static void setup(void **state)
{
    (void)state;
    run(TURN_DATA_CHANNEL, false);
    /* Allocation: two round trips, 401 first; 36 bytes without credentials. */
    assert_int_equal(bytes_at(0, T, 0), 36);
    assert_int_not_equal(bytes_at(T, 0, a), 0);
    assert_int_not_equal(bytes_at(0, T, 2 * a), 0);
    assert_int_not_equal(bytes_at(T, 0, 3 * a), 0);
    /* Permission and channel to the matchmaker: one. */
    assert_int_not_equal(bytes_at(0, T, 4 * a), 0);
    assert_int_not_equal(bytes_at(T, 0, 5 * a), 0);
    /* The matchmaker's HELLO, CHALLENGE, REGISTER, four bytes more on a channel. */
    assert_int_equal(bytes_at(0, T, 6 * a), MATCH_GREETING + TURN_CHANNEL_HEADER);
    assert_int_equal(bytes_at(T, M, 7 * a), MATCH_GREETING);
    assert_int_equal(bytes_at(M, T, 7 * a + m), MATCH_GREETING);
    assert_int_equal(bytes_at(T, 0, 7 * a + 2 * m), MATCH_GREETING + TURN_CHANNEL_HEADER);
    /* Party 0 is the later to ask: PEERS comes to it at 10 a + 4 m, to party 1 at 9 a + 4 m + b.
     * One more round trip binds the peer. */
    assert_int_not_equal(bytes_at(0, T, 10 * a + 4 * m), 0);
    assert_int_not_equal(bytes_at(1, T, 9 * a + 4 * m + b), 0);
    assert_int_equal(bytes_at(0, T, 12 * a + 4 * m), RELIABLE_HEADER + TURN_CHANNEL_HEADER);
    /* Party 0's hello goes to 1 and comes back with a proof. Party 1 was first with its own. */
    assert_int_equal(seen.up[0], 14 * a + 4 * m + 2 * s + 2 * b);
    assert_int_equal(seen.up[1], 11 * a + 4 * m + 2 * s + 5 * b);
}

static void relaying(void **state)
{
    uint32_t bare;
    (void)state;
    run(TURN_DATA_CHANNEL, false);
    assert_int_equal(seen.got - seen.sent, a + s + b);
    bare = bytes_at(T, T, seen.sent + a);
    assert_in_range(bare, SIZE, UINT32_MAX);
    assert_int_equal(bytes_at(0, T, seen.sent), bare + TURN_CHANNEL_HEADER);
    assert_int_equal(bytes_at(T, 1, seen.sent + a + s), bare + TURN_CHANNEL_HEADER);
    run(TURN_DATA_INDICATION, false);
    assert_int_equal(seen.got - seen.sent, a + s + b);
    bare = bytes_at(T, T, seen.sent + a);
    assert_int_equal(bytes_at(0, T, seen.sent), (bare + 3) / 4 * 4 + TURN_SEND_HEADER);
    /* and a FINGERPRINT, as coturn does */
    assert_int_equal(bytes_at(T, 1, seen.sent + a + s), (bare + 3) / 4 * 4 + TURN_SEND_HEADER + 8);
}

/* Party 1 has a server of its own, T2, in its region; c from T to T2, n from T2 to M. */
static void two_servers(void **state)
{
    enum { T2 = 4 };
    const ns_t b2 = NS_MS, c = 55 * NS_MS, n = 40 * NS_MS;
    uint32_t bare;
    (void)state;
    run(TURN_DATA_CHANNEL, true);
    /* Each allocates, binds and registers by itself; party 0, the later one, asks. */
    assert_int_equal(bytes_at(0, T, 6 * a), MATCH_GREETING + TURN_CHANNEL_HEADER);
    assert_int_equal(bytes_at(1, T2, 6 * b2), MATCH_GREETING + TURN_CHANNEL_HEADER);
    assert_int_equal(bytes_at(T2, M, 7 * b2), MATCH_GREETING);
    assert_int_not_equal(bytes_at(1, T2, 9 * a + 3 * m + n + b2), 0);
    assert_int_not_equal(bytes_at(0, T, 10 * a + 4 * m), 0);
    assert_int_equal(bytes_at(1, T2, 9 * a + 3 * m + n + 3 * b2),
                     RELIABLE_HEADER + TURN_CHANNEL_HEADER);
    /* Party 1's hello is too early for party 0's permission; party 0's is answered. */
    assert_int_equal(seen.up[0], 14 * a + 4 * m + 2 * c + 2 * b2);
    assert_int_equal(seen.up[1], 15 * a + 4 * m + 3 * c + 3 * b2);
    assert_int_equal(seen.got - seen.sent, a + c + b2);
    bare = bytes_at(T, T2, seen.sent + a);
    assert_in_range(bare, SIZE, UINT32_MAX);
    assert_int_equal(bytes_at(0, T, seen.sent), bare + TURN_CHANNEL_HEADER);
    assert_int_equal(bytes_at(T2, 1, seen.sent + a + c), bare + TURN_CHANNEL_HEADER);
    run(TURN_DATA_INDICATION, true);
    assert_int_equal(seen.got - seen.sent, a + c + b2);
    bare = bytes_at(T, T2, seen.sent + a);
    assert_int_equal(bytes_at(0, T, seen.sent), (bare + 3) / 4 * 4 + TURN_SEND_HEADER);
    assert_int_equal(bytes_at(T2, 1, seen.sent + a + c), (bare + 3) / 4 * 4 + TURN_SEND_HEADER + 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(setup), cmocka_unit_test(relaying),
                                       cmocka_unit_test(two_servers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
