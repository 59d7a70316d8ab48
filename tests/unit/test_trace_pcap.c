/* links: engine/run/trace_pcap.c engine/base/err.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/run/trace_pcap.h"

enum { FILE_HEAD = 24, HEAD = 16, IP = HEAD + 14, ABOVE = IP + 40 };

static const struct addr alice = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 40000};
static const struct addr bob = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, .port = 7000};

static struct trace_packet packet(enum packet_kind kind, ns_t at, bool answers)
{
    return (struct trace_packet){.kind = kind,
                                 .at = at,
                                 .sender = answers,
                                 .receiver = !answers,
                                 .from = answers ? bob : alice,
                                 .to = answers ? alice : bob,
                                 .stream = 1,
                                 .answers = answers,
                                 .sent = -1};
}

static struct trace_packet data(ns_t at, bool answers, uint64_t offset, const char *text)
{
    struct trace_packet p = packet(PACKET_DATA, at, answers);
    p.offset = offset;
    p.data = (const uint8_t *)text;
    p.len = (uint32_t)strlen(text);
    return p;
}

static struct trace_packet ack(ns_t at, bool answers, uint64_t arrived)
{
    struct trace_packet p = packet(PACKET_ACK, at, answers);
    p.arrived = arrived;
    p.sent = at / 2;
    return p;
}

/* The file, and where its packets begin; more than it has: NULL. */
struct capture {
    char *bytes;
    size_t len;
    uint64_t n;
};

static struct capture capture(struct trace_pcap *t)
{
    struct capture c = {0};
    struct err e;
    FILE *f = open_memstream(&c.bytes, &c.len);
    assert_non_null(f);
    assert_int_equal(trace_pcap_write(t, f, &c.n, &e), OK);
    fclose(f);
    trace_pcap_free(t);
    return c;
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static const uint8_t *nth(const struct capture *c, size_t n)
{
    const uint8_t *p = (const uint8_t *)c->bytes + FILE_HEAD;
    while (n-- && p < (const uint8_t *)c->bytes + c->len)
        p += HEAD + le32(p + 8);
    return p < (const uint8_t *)c->bytes + c->len ? p : NULL;
}

static uint32_t seq(const uint8_t *p)
{
    return be32(p + ABOVE + 4);
}

static uint32_t acked(const uint8_t *p)
{
    return be32(p + ABOVE + 8);
}

static unsigned flags(const uint8_t *p)
{
    return p[ABOVE + 13];
}

/* Over pseudo-header and segment, with the checksum in it: 0xffff (RFC 1071), bit by bit. */
static void check_sum(const uint8_t *p)
{
    uint32_t len = be16(p + IP + 4), sum = len + p[IP + 6];
    for (uint32_t i = 0; i < 32; i++)
        sum += (uint32_t)p[IP + 8 + i] << (i % 2 ? 0 : 8);
    for (uint32_t i = 0; i < len; i++)
        sum += (uint32_t)p[ABOVE + i] << (i % 2 ? 0 : 8);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    assert_int_equal(sum, 0xffff);
}

static void add(struct trace_pcap *t, struct trace_packet p)
{
    trace_pcap_add(t, &p, true);
}

/* Told in another order than that of time. */
static void a_connection_adds_up(void **state)
{
    struct trace_pcap *t = trace_pcap_new();
    struct capture c;
    const uint8_t *p;
    uint32_t a, b;
    (void)state;
    assert_non_null(t);
    add(t, packet(PACKET_SYN, 0, false));
    add(t, packet(PACKET_SYN_ACK, 10, true));
    add(t, data(30, false, 0, "hello"));
    add(t, packet(PACKET_ACK, 20, false));
    add(t, ack(40, true, 5));
    add(t, data(41, true, 0, "you"));
    add(t, ack(51, false, 3));
    add(t, packet(PACKET_FIN, 60, false));
    c = capture(t);
    assert_int_equal(c.n, 8);
    assert_memory_equal(c.bytes, "\x4d\x3c\xb2\xa1\x02\x00\x04\x00", 8);
    for (size_t i = 0; i < 8; i++)
        check_sum(nth(&c, i));
    assert_null(nth(&c, 8));
    a = seq(nth(&c, 0));
    b = seq(nth(&c, 1));
    assert_int_equal(flags(nth(&c, 0)), 0x02);
    assert_int_equal(flags(nth(&c, 1)), 0x12);
    assert_int_equal(acked(nth(&c, 1)), a + 1);
    p = nth(&c, 2); /* the handshake's last, of time 20 */
    assert_true(le32(p + 4) == 20 && seq(p) == a + 1 && acked(p) == b + 1 && flags(p) == 0x10);
    p = nth(&c, 3);
    assert_true(seq(p) == a + 1 && acked(p) == b + 1);
    assert_memory_equal(p + ABOVE + 32, "hello", 5);
    assert_memory_equal(p + IP + 8, alice.ip, 16);
    assert_true(be16(p + ABOVE) == 40000 && be16(p + ABOVE + 2) == 7000);
    assert_int_equal(acked(nth(&c, 4)), a + 6);
    assert_int_equal(acked(nth(&c, 5)), a + 6); /* data that leaves later carries it as well */
    assert_int_equal(seq(nth(&c, 6)), a + 6);
    assert_int_equal(acked(nth(&c, 6)), b + 4);
    free(c.bytes);
}

static void resets_and_refusals(void **state)
{
    struct trace_pcap *t = trace_pcap_new();
    struct trace_packet fin = packet(PACKET_FIN, 40, false);
    struct capture c;
    (void)state;
    assert_non_null(t);
    add(t, packet(PACKET_SYN, 0, false));
    add(t, packet(PACKET_RST, 10, true)); /* nobody listens */
    c = capture(t);
    check_sum(nth(&c, 1));
    assert_int_equal(flags(nth(&c, 1)), 0x14);
    assert_int_equal(seq(nth(&c, 1)), 0);
    assert_int_equal(acked(nth(&c, 1)), seq(nth(&c, 0)) + 1);
    free(c.bytes);
    t = trace_pcap_new();
    assert_non_null(t);
    add(t, packet(PACKET_SYN, 0, false));
    add(t, packet(PACKET_SYN_ACK, 10, true));
    add(t, data(30, false, 0, "bye"));
    fin.offset = 3;
    add(t, fin);
    add(t, packet(PACKET_RST, 50, false));
    c = capture(t);
    assert_int_equal(seq(nth(&c, 3)), seq(nth(&c, 2)) + 3);
    assert_int_equal(seq(nth(&c, 4)), seq(nth(&c, 3)) + 1); /* behind the FIN */
    free(c.bytes);
}

static void repeats_and_old_news(void **state)
{
    struct trace_pcap *t = trace_pcap_new();
    struct capture c;
    (void)state;
    assert_non_null(t);
    add(t, packet(PACKET_SYN, 0, false));
    add(t, packet(PACKET_SYN_ACK, 10, true));
    add(t, data(30, false, 0, "one"));
    add(t, data(31, false, 3, "two"));
    add(t, data(200, false, 0, "one"));
    add(t, ack(230, true, 6));
    add(t, ack(231, true, 6)); /* nothing new: none */
    c = capture(t);
    assert_int_equal(c.n, 6);
    assert_int_equal(seq(nth(&c, 4)), seq(nth(&c, 2)));
    assert_int_equal(acked(nth(&c, 5)), seq(nth(&c, 2)) + 6);
    free(c.bytes);
}

static void what_is_not_shown_counts(void **state)
{
    struct trace_pcap *t = trace_pcap_new();
    struct trace_packet p = packet(PACKET_SYN, 0, false);
    struct capture c;
    (void)state;
    assert_non_null(t);
    trace_pcap_add(t, &p, false);
    p = packet(PACKET_SYN_ACK, 10, true);
    trace_pcap_add(t, &p, false);
    p = data(30, false, 0, "hidden");
    trace_pcap_add(t, &p, false);
    add(t, data(40, false, 6, "shown"));
    add(t, ack(50, true, 11));
    c = capture(t);
    assert_int_equal(c.n, 2);
    assert_int_equal(acked(nth(&c, 1)), seq(nth(&c, 0)) + 5);
    free(c.bytes);
}

static void datagrams(void **state)
{
    struct trace_pcap *t = trace_pcap_new();
    struct trace_packet p = packet(PACKET_DATAGRAM, 3 * NS_S + 5, true);
    struct capture c;
    const uint8_t *d;
    (void)state;
    assert_non_null(t);
    p.stream = 0;
    p.data = (const uint8_t *)"ping!";
    p.len = 5;
    add(t, p);
    c = capture(t);
    d = nth(&c, 0);
    assert_non_null(d);
    check_sum(d);
    assert_true(le32(d) == 3 && le32(d + 4) == 5 && d[IP + 6] == 17);
    assert_true(be16(d + ABOVE) == 7000 && be16(d + ABOVE + 4) == 13);
    assert_memory_equal(d + ABOVE + 8, "ping!", 5);
    free(c.bytes);
}

/* A UDP checksum that comes out as 0 is sent as 0xffff (RFC 768). */
static void a_checksum_of_nought(void **state)
{
    (void)state;
    for (unsigned x = 0; x < 0x10000; x++) {
        struct trace_pcap *t = trace_pcap_new();
        struct trace_packet p = packet(PACKET_DATAGRAM, 0, true);
        const uint8_t bytes[2] = {(uint8_t)(x >> 8), (uint8_t)x};
        struct capture c;
        bool found;
        assert_non_null(t);
        p.stream = 0;
        p.data = bytes;
        p.len = 2;
        add(t, p);
        c = capture(t);
        assert_int_not_equal(be16(nth(&c, 0) + ABOVE + 6), 0);
        found = be16(nth(&c, 0) + ABOVE + 6) == 0xffff;
        free(c.bytes);
        if (found)
            return;
    }
    fail_msg("no payload had this checksum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_adds_up),
        cmocka_unit_test(resets_and_refusals),
        cmocka_unit_test(repeats_and_old_news),
        cmocka_unit_test(what_is_not_shown_counts),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(a_checksum_of_nought),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
