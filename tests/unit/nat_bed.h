/* For tests of the NAT model: hosts with public and private addresses, one call a packet. */
#ifndef PARTYLINE_TESTS_NAT_BED_H
#define PARTYLINE_TESTS_NAT_BED_H

#include "engine/worlds/link/nat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BED = 8 };

static struct bed {
    struct host_spec hosts[BED];
    struct nat_spec specs[BED];
    struct roster_entry entries[BED];
    struct nat nat;
    ns_t now;
    enum drop drop; /* of the last packet */
} bed;

/* Everybody public: 198.51.100.1, .2 ... */
static inline void bed_clear(void)
{
    memset(&bed, 0, sizeof bed);
    for (unsigned i = 0; i < BED; i++)
        bed.entries[i].addr =
            (struct addr){.ip = {[10] = 0xff, 0xff, 198, 51, 100, (uint8_t)(i + 1)}};
}

static inline void bed_start(void)
{
    assert_int_equal(nat_init(&bed.nat, bed.hosts, bed.entries, BED, 7), OK);
}

/* Host 0 alone behind a box of that kind; its parameters may be changed before bed_start. */
static inline struct nat_spec *bed_box(unsigned host, enum nat_kind kind, const char *name)
{
    bed.hosts[host].nat = kind;
    bed.hosts[host].nat_box = name;
    bed.specs[host] = *nat_preset(kind);
    bed.hosts[host].nat_spec = &bed.specs[host];
    return &bed.specs[host];
}

static inline void bed_end(void)
{
    nat_free(&bed.nat);
}

static inline struct addr at(unsigned host, uint16_t port)
{
    struct addr a = bed.entries[host].addr;
    a.port = port;
    return a;
}

/* Leaves `host`; the address that the destination will see. */
static inline struct addr out(enum nat_protocol protocol, enum nat_flag flag, unsigned host,
                              uint16_t port, struct addr to)
{
    struct nat_packet p = {.protocol = protocol, .flag = flag, .from = at(host, port), .to = to};
    bed.drop = nat_send(&bed.nat, host, &p, bed.now);
    return p.from;
}

/* Comes to `to`: the host that gets it, *port there; NAT_NONE_SUCH with bed.drop. */
static inline uint32_t in(enum nat_protocol protocol, enum nat_flag flag, struct addr from,
                          struct addr to, uint16_t *port)
{
    struct nat_packet p = {.protocol = protocol, .flag = flag, .from = from, .to = to};
    uint32_t host;
    bed.drop = nat_receive(&bed.nat, &p, &host, bed.now);
    if (port)
        *port = p.to.port;
    return bed.drop == DROP_COUNT ? host : NAT_NONE_SUCH;
}

static inline struct addr udp_out(unsigned host, uint16_t port, struct addr to)
{
    return out(NAT_UDP, NAT_DATA, host, port, to);
}

static inline uint32_t udp_in(struct addr from, struct addr to)
{
    return in(NAT_UDP, NAT_DATA, from, to, NULL);
}

static inline struct addr tcp_out(enum nat_flag flag, unsigned host, uint16_t port, struct addr to)
{
    return out(NAT_TCP, flag, host, port, to);
}

static inline uint32_t tcp_in(enum nat_flag flag, struct addr from, struct addr to)
{
    return in(NAT_TCP, flag, from, to, NULL);
}

/* SYN, SYN-ACK, ACK of a connection that host 0 dials. */
static inline struct addr tcp_dial(unsigned host, uint16_t port, struct addr to)
{
    struct addr outer = tcp_out(NAT_SYN, host, port, to);
    assert_int_equal(bed.drop, DROP_COUNT);
    assert_int_equal(tcp_in(NAT_SYN, to, outer), host);
    tcp_out(NAT_DATA, host, port, to);
    assert_int_equal(bed.drop, DROP_COUNT);
    return outer;
}

#define MINUTES(n) ((n)*60 * NS_S)

#endif
