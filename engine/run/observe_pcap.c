/* Packets of a pcap as sightings of access lines. Link types: Ethernet (with VLAN tags), Linux
 * cooked (SLL, SLL2), raw IP, BSD loopback. A fragment but the first, and what is not TCP or UDP,
 * is no sighting; nor is a TCP segment without payload, but the first SYN. */
#include "engine/run/observe.h"

#include "engine/base/bytes.h"
#include "engine/run/observe_truth.h"

#include <pcap/pcap.h>

enum { ETHERNET = 14, ETHERTYPE_V4 = 0x0800, ETHERTYPE_V6 = 0x86dd, ETHERTYPE_VLAN = 0x8100 };
/* Which end of its way a packet was caught at. */
enum caught { CAUGHT_SOMEWHERE, CAUGHT_OUT, CAUGHT_IN };
enum { TCP = 6, UDP = 17, EXTENSIONS_MAX = 8, SECONDS_MAX = 2000000000 };

struct packet {
    struct addr from, to;
    uint32_t bytes; /* from the IP header on */
    bool tcp, opens;
    struct observe_segment segment; /* of a datagram: its payload alone */
};

static uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

/* ---- one packet ------------------------------------------------------------------------- */

static bool read_ports(const uint8_t *p, size_t len, uint8_t protocol, uint32_t rest,
                       struct packet *out)
{
    uint32_t header = 8;
    if (protocol == TCP ? len < 14 : len < 8)
        return false;
    out->from.port = get_be16(p);
    out->to.port = get_be16(p + 2);
    out->tcp = protocol == TCP;
    if (out->tcp) {
        header = (uint32_t)(p[12] >> 4) * 4;
        out->segment = (struct observe_segment){.seq = get_be32(p + 4),
                                                .ack = get_be32(p + 8),
                                                .syn = p[13] & 0x02,
                                                .acks = p[13] & 0x10};
        out->opens = out->segment.syn && !out->segment.acks;
    }
    if (header < 8 || header > rest)
        return false;
    out->segment.payload = rest - header;
    return true;
}

static bool read_v4(const uint8_t *p, size_t len, struct packet *out)
{
    uint32_t header, total;
    if (len < 20 || p[0] >> 4 != 4)
        return false;
    header = (uint32_t)(p[0] & 15) * 4;
    total = get_be16(p + 2);
    if (header < 20 || total < header || len < header || (get_be16(p + 6) & 0x1fff))
        return false;
    out->bytes = total;
    for (int i = 0; i < 2; i++) {
        struct addr *a = i ? &out->to : &out->from;
        *a = (struct addr){.ip = {[10] = 0xff, [11] = 0xff}};
        memcpy(a->ip + 12, p + 12 + 4 * i, 4);
    }
    return (p[9] == TCP || p[9] == UDP) &&
           read_ports(p + header, len - header, p[9], total - header, out);
}

static bool read_v6(const uint8_t *p, size_t len, struct packet *out)
{
    uint32_t payload, at = 40;
    uint8_t next;
    if (len < 40 || p[0] >> 4 != 6)
        return false;
    payload = get_be16(p + 4);
    next = p[6];
    out->bytes = 40 + payload;
    *out = (struct packet){.bytes = out->bytes};
    memcpy(out->from.ip, p + 8, 16);
    memcpy(out->to.ip, p + 24, 16);
    for (int i = 0; i < EXTENSIONS_MAX && (next == 0 || next == 43 || next == 60); i++) {
        if (len < at + 8)
            return false;
        next = p[at];
        at += 8 + (uint32_t)p[at + 1] * 8;
        if (at > len)
            return false;
    }
    return (next == TCP || next == UDP) && at <= out->bytes &&
           read_ports(p + at, len - at, next, out->bytes - at, out);
}

/* Bytes before the IP header by link type; -1: no IP in it, -2: unknown link type. */
static int before_ip(int link, const uint8_t *p, size_t len)
{
    size_t at = ETHERNET;
    uint16_t type;
    switch (link) {
    case DLT_EN10MB:
        if (len < at)
            return -1;
        type = get_be16(p + 12);
        for (int i = 0; i < 2 && (type == ETHERTYPE_VLAN || type == 0x88a8) && len >= at + 4; i++) {
            type = get_be16(p + at + 2);
            at += 4;
        }
        return type == ETHERTYPE_V4 || type == ETHERTYPE_V6 ? (int)at : -1;
    case DLT_LINUX_SLL:
        return len >= 16 ? 16 : -1;
    case DLT_LINUX_SLL2:
        return len >= 20 ? 20 : -1;
    case DLT_NULL:
    case DLT_LOOP:
        return len >= 4 ? 4 : -1;
    case DLT_RAW:
    case 101: /* LINKTYPE_RAW */
    case 228: /* LINKTYPE_IPV4 */
    case 229: /* LINKTYPE_IPV6 */
        return 0;
    default:
        return -2;
    }
}

/* Linux cooked: type 4 is what the capturing host sends, others what it gets. */
static enum caught caught_at(int link, const uint8_t *p)
{
    if (link == DLT_LINUX_SLL2)
        return p[10] == 4 ? CAUGHT_OUT : CAUGHT_IN;
    if (link == DLT_LINUX_SLL)
        return get_be16(p) == 4 ? CAUGHT_OUT : CAUGHT_IN;
    return CAUGHT_SOMEWHERE;
}

/* ---- the file --------------------------------------------------------------------------- */

bool observe_is_pcap(const uint8_t *head, size_t len)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a};
    for (size_t i = 0; len >= 4 && i < sizeof magics / sizeof *magics; i++)
        if (get_le32(head) == magics[i])
            return true;
    return false;
}

static void tell(const struct observe_capture *c, const struct packet *p, enum caught caught,
                 ns_t when)
{
    struct sighting s = {.when = when,
                         .beyond = PARTY_NONE,
                         .point = SIGHT_LINE,
                         .opens = p->opens,
                         .datagram = !p->tcp,
                         .bytes = p->bytes,
                         .packets = 1,
                         .from = p->from,
                         .to = p->to};
    party_t from = observe_owner(c->people, &p->from), to = observe_owner(c->people, &p->to);
    const struct packet_truth *truth =
        p->tcp && c->truth ? observe_truth_of(c->truth, &p->from, &p->to, &p->segment) : NULL;
    if (p->tcp && !p->opens && p->segment.payload == 0)
        return;
    if (from != PARTY_NONE && caught != CAUGHT_IN) {
        s.at = from;
        s.out = true;
        c->see(c->ctx, &s, truth);
    }
    if (to != PARTY_NONE && to != from && caught != CAUGHT_OUT) {
        s.at = to;
        s.out = false;
        c->see(c->ctx, &s, truth);
    }
}

static int read_all(pcap_t *pcap, const struct observe_capture *c, ns_t *ended, struct err *e)
{
    const struct observe_people *people = c->people;
    const char *name = c->name;
    struct pcap_pkthdr *head;
    const u_char *data;
    const ns_t until = people->ended ? people->ended : NS_NEVER;
    ns_t first = people->began, last = 0;
    uint64_t n = 0;
    int got, link = pcap_datalink(pcap);
    if (before_ip(link, NULL, 0) == -2)
        return err_set(e, ERR_UNSUPPORTED,
                       "%s: link type %d: expected Ethernet, Linux cooked, raw IP or BSD loopback",
                       name, link);
    while ((got = pcap_next_ex(pcap, &head, &data)) == 1) {
        struct packet p = {0};
        int skip = before_ip(link, data, head->caplen);
        ns_t when;
        if (head->ts.tv_sec < 0 || head->ts.tv_sec > SECONDS_MAX || head->ts.tv_usec < 0 ||
            head->ts.tv_usec >= NS_S)
            return err_set(e, ERR_FORMAT, "%s: packet %llu has a time out of range", name,
                           (unsigned long long)n + 1);
        when = (ns_t)head->ts.tv_sec * NS_S + (ns_t)head->ts.tv_usec;
        if (n++ == 0 && !people->began)
            first = when;
        if (when > until || (people->began && when < first))
            continue;
        when = when < first ? 0 : when - first;
        last = when > last ? when : last;
        if (c->reach)
            c->reach(c->ctx, when);
        if (skip < 0 || (size_t)skip > head->caplen)
            continue;
        if (read_v4(data + skip, head->caplen - (size_t)skip, &p) ||
            read_v6(data + skip, head->caplen - (size_t)skip, &p))
            tell(c, &p, caught_at(link, data), when);
    }
    if (got == PCAP_ERROR)
        return err_set(e, ERR_FORMAT, "%s: after %llu packets: %s", name, (unsigned long long)n,
                       pcap_geterr(pcap));
    *ended = until != NS_NEVER && until > first ? until - first : last;
    return OK;
}

int observe_pcap(FILE *f, const struct observe_capture *c, ns_t *ended, struct err *e)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
    int rc;
    if (!pcap) {
        fclose(f);
        return err_set(e, ERR_FORMAT, "%s: %s", c->name, why);
    }
    rc = read_all(pcap, c, ended, e);
    pcap_close(pcap);
    return rc;
}
