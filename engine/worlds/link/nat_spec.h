/* What a NAT does, as parameters: RFC 4787's words, and the usual names for their combinations.
 *
 * Presets (struct nat_spec of a host's own box). None alters ports that are free, save symmetric.
 *
 *   name             mapping  filtering  ports       hairpin  UDP    TCP idle  TCP transitory
 *   open, none       no NAT at all: a public address
 *   full_cone        EIM      EIF        preserving  yes      5 min  2 h 4 min 4 min
 *   restricted_cone  EIM      ADF        preserving  yes      the same
 *   port_restricted  EIM      APDF       preserving  yes      the same
 *   symmetric        APDM     APDF       random      no       the same
 *   cgnat            a port_restricted box of its own, behind a carrier's
 *   udp_blocked      as port_restricted for TCP; a firewall lets no datagram in or out
 *   the carrier's    EIM      EIF        random      yes      2 min; 1024 ports a subscriber
 *
 * EIM, ADM, APDM: endpoint-independent, address-dependent, address-and-port-dependent mapping
 * (RFC 4787, 4.1); EIF, ADF, APDF: the same of filtering (5). The cones are RFC 3489's names.
 * The first three follow RFC 4787 and 5382 (REQ-8, REQ-9 and the time-outs that they
 * recommend); symmetric does not: that is its point. The carrier's is RFC 6888's: REQ-4 (a limit
 * a subscriber), REQ-7 (EIF recommended), with the shortest time-out that RFC 4787 REQ-5 allows.
 *
 * nat: population is the distribution that hole punching met in the field: 20 % public, 8 %
 * full_cone, 56 % port_restricted, 8 % symmetric and 8 % symmetric behind a carrier's. Of the
 * pairs that are both behind NATs, 68 % can punch; measured were 70 % +- 7.1 % (Seemann, Inden,
 * Vyzovitis: Decentralized Hole Punching, DINPS 2022).
 */
#ifndef PARTYLINE_WORLDS_LINK_NAT_SPEC_H
#define PARTYLINE_WORLDS_LINK_NAT_SPEC_H

#include "engine/world.h"

enum nat_rule { NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT };
/* A preserving box takes the inner port's number, or else the next one that is free. */
enum nat_ports { NAT_PRESERVING, NAT_SEQUENTIAL, NAT_RANDOM };

/* Both protocols' packets to this port of the box go to that port of the host. */
struct nat_forward {
    uint16_t outer, inner;
};

/* A box, as seen from a host behind it. All who share a box give it the same parameters but
 * the forwarded ports, which are each host's own. */
struct nat_spec {
    enum nat_rule mapping, filtering;
    enum nat_ports ports;
    bool parity;          /* an even port is mapped to an even one (RFC 4787, REQ-4) */
    bool hairpin;         /* from inside to its own outer address, and back in */
    bool udp_blocked;     /* a firewall drops every datagram, both ways */
    bool inbound_refresh; /* packets from outside keep a UDP mapping, too (REQ-6 a) */
    ns_t udp_timeout;
    ns_t tcp_timeout;            /* of established connections */
    ns_t tcp_transitory_timeout; /* of those that are being opened, or are over */
    uint32_t port_limit;         /* ports that one subscriber may use at a time; 0: none */
    const struct nat_forward *forwards;
    uint32_t n_forwards;
    const struct nat_spec *outer; /* the box that this one is behind; NULL: none */
    const char *outer_box;        /* its name, for those who share it; NULL: this one's own */
};

/* The box of a host of that kind; NULL for those that have none. Constant. */
const struct nat_spec *nat_preset(enum nat_kind);
/* The carrier's box of the preset cgnat. */
const struct nat_spec *nat_carrier(void);
/* Do they describe the same box, and the same one behind it? Forwarded ports aside. */
bool nat_spec_equal(const struct nat_spec *, const struct nat_spec *);

/* Names as a scenario writes them; each ends with NULL. */
extern const char *const nat_kinds[];
extern const char *const nat_rules[];
extern const char *const nat_port_rules[];

/* A share of nat: population, in ppm; all add up to 1000000. */
struct nat_share {
    enum nat_kind kind;
    const struct nat_spec *spec; /* NULL: the preset of that kind */
    int64_t ppm;
};
enum { NAT_POPULATION = 5 };
extern const struct nat_share nat_population[NAT_POPULATION];

#endif
