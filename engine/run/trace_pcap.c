#include "engine/run/trace_pcap.h"

#include "engine/base/bytes.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ETHERNET = 14,
    IPV6 = 40,
    TCP = 20,
    UDP = 8,
    HEADERS_MAX = ETHERNET + IPV6 + TCP + 20,
    PAYLOAD_MAX = 2048, /* of a segment or datagram */
    SCALE = 7,
    MSS_OPTION = 1460, /* timestamps take 12 of them */
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10
};
static const size_t kept_max = (size_t)1 << 30;

struct kept {
    struct trace_packet packet; /* data NULL */
    uint64_t order;
    size_t at; /* of its payload in `bytes` */
    bool shown;
};

/* What one side of a connection knows, in the order of time. */
struct side {
    uint64_t left;    /* bytes of payload that it has sent */
    uint64_t arrived; /* bytes that it has */
    uint32_t echo;    /* the timestamp to return */
    bool syn, fin;    /* sent */
};

struct trace_pcap {
    struct kept *list;
    size_t n, cap;
    uint8_t *bytes;
    size_t len, bytes_cap;
    uint64_t streams;
    struct side *sides; /* two a connection: the dialler's, the other's */
    int broken;
};

struct trace_pcap *trace_pcap_new(void)
{
    return calloc(1, sizeof(struct trace_pcap));
}

void trace_pcap_free(struct trace_pcap *t)
{
    if (!t)
        return;
    free(t->list);
    free(t->bytes);
    free(t->sides);
    free(t);
}

/* Room for `more` items; the array, or NULL and broken. */
static void *grow(struct trace_pcap *t, void *array, size_t n, size_t more, size_t *cap,
                  size_t size)
{
    size_t want = *cap ? *cap : 256;
    void *bigger;
    if (n + more <= *cap)
        return array;
    while (want < n + more)
        want *= 2;
    bigger = realloc(array, want * size);
    if (!bigger) {
        t->broken = ERR_NOMEM;
        return NULL;
    }
    *cap = want;
    return bigger;
}

void trace_pcap_add(struct trace_pcap *t, const struct trace_packet *p, bool shown)
{
    size_t len = shown ? p->len : 0;
    void *list, *bytes;
    assert(p->len <= PAYLOAD_MAX);
    if (t->broken)
        return;
    if (t->len + len + (t->n + 1) * sizeof *t->list > kept_max) {
        t->broken = ERR_LIMIT;
        return;
    }
    if (!(list = grow(t, t->list, t->n, 1, &t->cap, sizeof *t->list)))
        return;
    t->list = list;
    if (len && !(bytes = grow(t, t->bytes, t->len, len, &t->bytes_cap, 1)))
        return;
    if (len) {
        t->bytes = bytes;
        memcpy(t->bytes + t->len, p->data + p->part, len);
    }
    t->list[t->n] = (struct kept){.packet = *p, .order = t->n, .at = t->len, .shown = shown};
    t->list[t->n++].packet.data = NULL;
    t->len += len;
    if (p->stream > t->streams)
        t->streams = p->stream;
}

/* ---- headers -------------------------------------------------------------------------- */

static uint8_t *be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static uint8_t *be32(uint8_t *p, uint32_t v)
{
    return be16(be16(p, v >> 16), v & 0xffff);
}

static uint8_t *put_mac(uint8_t *p, party_t node)
{
    *p++ = 0x02; /* locally administered */
    *p++ = 0;
    return be32(p, node + 1);
}

static uint8_t *put_ethernet(uint8_t *p, const struct trace_packet *k)
{
    return be16(put_mac(put_mac(p, k->receiver), k->sender), 0x86dd);
}

static uint8_t *put_ipv6(uint8_t *p, const struct trace_packet *k, uint32_t next, size_t len)
{
    p = be16(be32(p, 0x60000000), (uint32_t)len);
    *p++ = (uint8_t)next;
    *p++ = 64;
    memcpy(p, k->from.ip, 16);
    memcpy(p + 16, k->to.ip, 16);
    return p + 32;
}

static uint64_t add_up(const uint8_t *p, size_t len, uint64_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint64_t)p[i] << 8 | p[i + 1];
    return len % 2 ? sum + ((uint64_t)p[len - 1] << 8) : sum;
}

/* Of what is behind an IPv6 header, with the pseudo-header of RFC 8200, 8.1. */
static uint32_t checksum(const uint8_t *ip, size_t len)
{
    uint64_t sum = add_up(ip + 8, 32, (uint64_t)len + ip[6]);
    sum = add_up(ip + IPV6, len, sum);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)(~sum & 0xffff);
}

static uint32_t stamp(ns_t at)
{
    return (uint32_t)(at / NS_MS) + 1;
}

/* A direction's first sequence number: any will do, as long as it is always the same. */
static uint32_t first_number(const struct trace_packet *k, bool of_peer)
{
    uint64_t x = (k->stream << 1 | (uint64_t)(k->answers != of_peer)) * 0x9e3779b97f4a7c15u;
    return (uint32_t)((x ^ x >> 29) * 0xbf58476d1ce4e5b9u >> 32);
}

static uint8_t *put_stamps(uint8_t *p, uint32_t now, uint32_t echo)
{
    *p++ = 8;
    *p++ = 10;
    return be32(be32(p, now), echo);
}

static uint8_t *put_options(uint8_t *p, const struct trace_packet *k, uint32_t echo)
{
    if (k->kind == PACKET_RST)
        return p;
    if (k->kind != PACKET_SYN && k->kind != PACKET_SYN_ACK)
        return put_stamps(be16(p, 0x0101), stamp(k->at), echo);
    p = be16(be16(p, 0x0204), MSS_OPTION);
    p = put_stamps(be16(p, 0x0402), stamp(k->at), echo);
    *p++ = 1;
    *p++ = 3;
    *p++ = 3;
    *p++ = SCALE;
    return p;
}

/* ---- TCP ------------------------------------------------------------------------------ */

/* Takes note of a packet when its time has come. False: there is nothing to be seen of it. */
static bool pass(struct trace_pcap *t, const struct trace_packet *k)
{
    struct side *me = &t->sides[2 * k->stream + k->answers],
                *peer = &t->sides[2 * k->stream + !k->answers];
    switch (k->kind) {
    case PACKET_SYN:
    case PACKET_SYN_ACK:
        peer->echo = stamp(k->at);
        me->syn = true;
        return true;
    case PACKET_FIN:
        me->fin = true;
        return true;
    case PACKET_ACK:
        if (k->sent < 0)
            return true;
        if (k->arrived <= me->arrived)
            return false;
        me->arrived = k->arrived;
        me->echo = stamp(k->sent);
        return true;
    case PACKET_DATA:
        if (k->offset + k->len > me->left)
            me->left = k->offset + k->len;
        return true;
    default:
        return true;
    }
}

static size_t put_tcp(uint8_t *p, const struct trace_packet *k, const struct side *me)
{
    static const uint8_t flags_of[] = {
        [PACKET_SYN] = SYN,        [PACKET_SYN_ACK] = SYN | ACK, [PACKET_ACK] = ACK,
        [PACKET_DATA] = PSH | ACK, [PACKET_FIN] = FIN | ACK,     [PACKET_RST] = RST | ACK};
    uint8_t *head = p;
    bool syn = k->kind == PACKET_SYN || k->kind == PACKET_SYN_ACK;
    bool numbered = k->kind == PACKET_DATA || k->kind == PACKET_FIN;
    bool refusal = k->kind == PACKET_RST && !me->syn;
    uint32_t seq = first_number(k, false), ack = first_number(k, true);
    if (refusal)
        seq = 0;
    else if (!syn)
        seq += 1 + (uint32_t)(numbered ? k->offset : me->left) + (!numbered && me->fin);
    ack = k->kind == PACKET_SYN ? 0 : ack + 1 + (uint32_t)me->arrived;
    p = be16(be16(p, k->from.port), k->to.port);
    p = be32(be32(p, seq), ack) + 2; /* flags follow */
    p = be32(be16(p, k->kind == PACKET_RST ? 0 : 65535), 0);
    p = put_options(p, k, k->kind == PACKET_SYN ? 0 : me->echo);
    be16(head + 12, (uint32_t)(p - head) << 10 | flags_of[k->kind]);
    return (size_t)(p - head);
}

static size_t put_udp(uint8_t *p, const struct trace_packet *k)
{
    be32(be16(be16(p, k->from.port), k->to.port), (UDP + k->len) << 16);
    return UDP;
}

/* ---- the file ------------------------------------------------------------------------- */

static void write_packet(const struct trace_pcap *t, const struct kept *k, FILE *f)
{
    const struct trace_packet *p = &k->packet;
    uint8_t head[16], frame[HEADERS_MAX + PAYLOAD_MAX], *ip, *above;
    bool udp = p->kind == PACKET_DATAGRAM;
    size_t len;
    uint32_t sum;
    ip = put_ethernet(frame, p);
    above = ip + IPV6;
    len = udp ? put_udp(above, p) : put_tcp(above, p, &t->sides[2 * p->stream + p->answers]);
    if (p->len)
        memcpy(above + len, t->bytes + k->at, p->len);
    len += p->len;
    put_ipv6(ip, p, udp ? 17 : 6, len);
    sum = checksum(ip, len);
    be16(above + (udp ? 6 : 16), udp && !sum ? 0xffff : sum);
    len += ETHERNET + IPV6;
    put_le32(head, (uint32_t)(p->at / NS_S));
    put_le32(head + 4, (uint32_t)(p->at % NS_S));
    put_le32(head + 8, (uint32_t)len);
    put_le32(head + 12, (uint32_t)len);
    fwrite(head, 1, sizeof head, f);
    fwrite(frame, 1, len, f);
}

static int by_time(const void *x, const void *y)
{
    const struct kept *a = x, *b = y;
    if (a->packet.at != b->packet.at)
        return a->packet.at < b->packet.at ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

int trace_pcap_write(struct trace_pcap *t, FILE *f, uint64_t *packets, struct err *e)
{
    uint8_t head[24] = {0};
    *packets = 0;
    if (t->broken == ERR_LIMIT)
        return err_set(e, ERR_LIMIT, "more than 1 GiB of packets; name a shorter time");
    t->sides = calloc(2 * (t->streams + 1), sizeof *t->sides);
    if (t->broken || !t->sides)
        return err_set(e, ERR_NOMEM, "no memory for so many packets");
    if (t->n)
        qsort(t->list, t->n, sizeof *t->list, by_time);
    put_le32(head, 0xa1b23c4d);
    put_le16(head + 4, 2);
    put_le16(head + 6, 4);
    put_le32(head + 16, 262144);
    put_le32(head + 20, 1); /* Ethernet */
    fwrite(head, 1, sizeof head, f);
    for (size_t i = 0; i < t->n; i++) {
        const struct kept *k = &t->list[i];
        bool seen = k->packet.kind == PACKET_DATAGRAM || pass(t, &k->packet);
        if (!seen || !k->shown)
            continue;
        write_packet(t, k, f);
        ++*packets;
    }
    return ferror(f) ? err_set(e, ERR_IO, "can't be written") : OK;
}
