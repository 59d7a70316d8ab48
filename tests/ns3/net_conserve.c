/* No packet of ns-3 dies in silence: what hosts have sent, until nothing is left to happen, is what
 * came to hosts and what was lost by a name, packet by packet: over lines that lose, with short
 * queues, to ports where nobody listens, over a core that loses as well. */
#include "engine/worlds/ns3/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after those: */
#include <cmocka.h>

#define MS INT64_C(1000000)

enum { HOSTS = 4, PORT = 7, CLOSED = 8, BYTES = 300000, DATAGRAMS = 200 };

static struct count {
    uint64_t sent, came, core, named[NET_NO_ROUTE + 1], unsent, repeated, up, down, notes;
} count;
static struct net_socket *dialled[HOSTS + 1];
static struct net_port *ports[HOSTS];
static size_t left[HOSTS + 1];
static uint32_t shouts[HOSTS];

static int64_t core(void *ctx, struct net_packet *p)
{
    (void)ctx;
    if (p->to >= HOSTS || count.sent % 50 == 0) {
        count.core++;
        return -1;
    }
    return net_now() + 10 * MS;
}

static uint32_t arrives(void *ctx, struct net_packet *p)
{
    (void)ctx;
    if (count.sent % 97 == 0) {
        count.core++;
        return NET_NOBODY;
    }
    return p->to;
}

static void sent(void *ctx, uint32_t host, uint32_t bytes)
{
    (void)ctx;
    (void)host;
    assert_in_range(bytes, 20, 1500);
    count.sent++;
}

static void came(void *ctx, const struct net_packet *p)
{
    (void)ctx;
    assert_true(p->to < HOSTS && p->from < HOSTS);
    count.came++;
}

static void lost(void *ctx, const struct net_packet *p, enum net_loss why)
{
    (void)ctx;
    if (p->host == NET_NOBODY)
        count.named[why]++;
    else
        count.unsent++;
    assert_true(p->host == NET_NOBODY || (why == NET_QUEUE_FULL && p->host == p->from));
}

static void repeated(void *ctx)
{
    (void)ctx;
    count.repeated++;
}

static void accepted(void *ctx, uint32_t host, uint16_t port, struct net_socket *s, uint32_t peer,
                     uint16_t peer_port)
{
    (void)ctx;
    (void)peer;
    (void)peer_port;
    assert_true(host == 1 && port == PORT);
    net_socket_user(s, s);
}

static void push(void *arg)
{
    static const uint8_t data[4096];
    size_t i = (size_t)((struct net_socket **)arg - dialled);
    while (left[i] && net_room(dialled[i]) >= sizeof data) {
        size_t some = left[i] < sizeof data ? left[i] : sizeof data;
        net_send(dialled[i], data, some);
        left[i] -= some;
    }
    if (left[i])
        net_at(net_now() + 100 * MS, push, arg);
    else
        net_close(dialled[i]);
}

static void drain(void *s)
{
    uint8_t buf[4096];
    while (net_read(s, buf, sizeof buf))
        ;
}

static void happened(void *ctx, void *user, enum net_event what)
{
    bool own =
        (struct net_socket **)user >= dialled && (struct net_socket **)user < dialled + HOSTS + 1;
    (void)ctx;
    if (what == NET_UP) {
        count.up++;
        net_at(net_now(), push, user);
    } else if (what == NET_READABLE && !own) {
        net_at(net_now(), drain, user);
    } else if (what == NET_REFUSAL || what == NET_TIMEOUT) {
        count.down++;
    } else if (what == NET_FINISHED && !own) {
        net_close(user);
    }
}

static void datagram(void *ctx, void *user, struct net_port *p, uint32_t from, uint16_t from_port,
                     const uint8_t *data, size_t len, const struct net_note *note)
{
    (void)ctx, (void)user, (void)p, (void)from, (void)from_port, (void)data;
    assert_int_equal(note->words[0], len); /* what went along with it */
    count.notes++;
}

/* One datagram a millisecond. */
static void shout(void *arg)
{
    static const uint8_t data[1200];
    uint32_t host = (uint32_t)((struct net_port **)arg - ports), i = shouts[host]++;
    const struct net_note note = {{1 + i * 6 % sizeof data}};
    net_send_to(ports[host], (host + 1 + i % 3) % (HOSTS + 1), i % 5 ? PORT : CLOSED, data,
                note.words[0], &note);
    if (shouts[host] < DATAGRAMS)
        net_at(net_now() + MS, shout, arg);
}

static void run(const struct net_line *line, uint64_t seed)
{
    static const struct net_calls calls = {.core = core,
                                           .arrives = arrives,
                                           .sent = sent,
                                           .came = came,
                                           .lost = lost,
                                           .repeated = repeated,
                                           .accepted = accepted,
                                           .happened = happened,
                                           .datagram = datagram};
    static const struct net_tcp tcp = {.min_rto = 200 * MS,
                                       .delayed_ack = 40 * MS,
                                       .initial_window = 10,
                                       .receive_window = 1 << 20,
                                       .hystart = true};
    struct net_line lines[HOSTS];
    for (int i = 0; i < HOSTS; i++)
        lines[i] = *line;
    memset(&count, 0, sizeof count);
    memset(shouts, 0, sizeof shouts);
    net_new(&calls, NULL, &tcp, lines, HOSTS, seed);
    net_listen(1, PORT, true);
    for (uint32_t i = 0; i <= HOSTS; i++) { /* the last one: to nobody */
        left[i] = BYTES;
        dialled[i] = i == 1 ? NULL
                            : net_dial(i % HOSTS, i < HOSTS ? 1 : HOSTS + 3, i == 3 ? CLOSED : PORT,
                                       &dialled[i]);
    }
    for (uint32_t i = 0; i < HOSTS; i++) {
        ports[i] = net_bind(i, PORT, &ports[i]);
        assert_non_null(ports[i]);
        net_at(MS, shout, &ports[i]);
    }
    net_run();
    net_free();
}

static void every_packet_is_counted(void **state)
{
    static const struct net_line lines[] = {
        {.down_bps = 2000000, .latency = MS, .loss_ppm = 30000, .queue_bytes = 16384},
        {.up_bps = 2000000, .latency = MS, .loss_ppm = 30000, .queue_bytes = 16384},
        {.up_bps = 8000000, .down_bps = 1000000, .latency = 40 * MS, .queue_bytes = 30000}};
    (void)state;
    for (size_t i = 0; i < 9; i++) {
        const struct net_line *line = &lines[i / 3];
        run(line, i);
        assert_int_equal(count.sent, count.came + count.core + count.named[NET_LOST] +
                                         count.named[NET_QUEUE_FULL] + count.named[NET_NO_ROUTE]);
        assert_true(count.repeated > 0 && count.core > 0 && count.named[NET_REFUSED] > 0);
        assert_int_equal(count.named[NET_LOST] > 0, line->loss_ppm > 0);
        assert_int_equal(count.named[NET_QUEUE_FULL] > 0, line->down_bps > 0);
        assert_true(count.unsent > 0 || line->up_bps != 2000000);
        assert_int_equal(count.up, 2);
        assert_true(count.notes > 0);
        assert_in_range(count.down, 2, 4); /* a closed port, nobody, and who was given up */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packet_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
