#include "engine/worlds/link/nat_spec.h"

#define LIFETIMES                                                                                  \
    .udp_timeout = 300 * NS_S, .tcp_timeout = 7440 * NS_S, .tcp_transitory_timeout = 240 * NS_S

#define CONE(rule)                                                                                 \
    {                                                                                              \
        .mapping = NAT_ENDPOINT_INDEPENDENT, .filtering = (rule), .ports = NAT_PRESERVING,         \
        .parity = true, .hairpin = true, LIFETIMES                                                 \
    }

#define SYMMETRIC                                                                                  \
    .mapping = NAT_ADDRESS_AND_PORT_DEPENDENT, .filtering = NAT_ADDRESS_AND_PORT_DEPENDENT,        \
    .ports = NAT_RANDOM, LIFETIMES

static const struct nat_spec carrier = {.mapping = NAT_ENDPOINT_INDEPENDENT,
                                        .filtering = NAT_ENDPOINT_INDEPENDENT,
                                        .ports = NAT_RANDOM,
                                        .hairpin = true,
                                        .udp_timeout = 120 * NS_S,
                                        .tcp_timeout = 7440 * NS_S,
                                        .tcp_transitory_timeout = 240 * NS_S,
                                        .port_limit = 1024};
static const struct nat_spec full_cone = CONE(NAT_ENDPOINT_INDEPENDENT);
static const struct nat_spec restricted_cone = CONE(NAT_ADDRESS_DEPENDENT);
static const struct nat_spec port_restricted = CONE(NAT_ADDRESS_AND_PORT_DEPENDENT);
static const struct nat_spec symmetric = {SYMMETRIC};
static const struct nat_spec symmetric_behind_carrier = {SYMMETRIC, .outer = &carrier};
static const struct nat_spec cgnat = {.filtering = NAT_ADDRESS_AND_PORT_DEPENDENT,
                                      .parity = true,
                                      .hairpin = true,
                                      LIFETIMES,
                                      .outer = &carrier};
static const struct nat_spec udp_blocked = {.filtering = NAT_ADDRESS_AND_PORT_DEPENDENT,
                                            .parity = true,
                                            .hairpin = true,
                                            .udp_blocked = true,
                                            LIFETIMES};

const char *const nat_kinds[] = {
    "none",  "open",        "full_cone", "restricted_cone", "port_restricted", "symmetric",
    "cgnat", "udp_blocked", NULL};
const char *const nat_rules[] = {"endpoint_independent", "address_dependent",
                                 "address_and_port_dependent", NULL};
const char *const nat_port_rules[] = {"preserving", "sequential", "random", NULL};

const struct nat_share nat_population[NAT_POPULATION] = {
    {NAT_NONE, NULL, 200000},
    {NAT_FULL_CONE, NULL, 80000},
    {NAT_PORT_RESTRICTED, NULL, 560000},
    {NAT_SYMMETRIC, NULL, 80000},
    {NAT_SYMMETRIC, &symmetric_behind_carrier, 80000},
};

const struct nat_spec *nat_carrier(void)
{
    return &carrier;
}

const struct nat_spec *nat_preset(enum nat_kind kind)
{
    switch (kind) {
    case NAT_NONE:
    case NAT_OPEN:
        return NULL;
    case NAT_FULL_CONE:
        return &full_cone;
    case NAT_RESTRICTED_CONE:
        return &restricted_cone;
    case NAT_PORT_RESTRICTED:
        return &port_restricted;
    case NAT_SYMMETRIC:
        return &symmetric;
    case NAT_CGNAT:
        return &cgnat;
    case NAT_UDP_BLOCKED:
        break;
    }
    return &udp_blocked;
}

static bool same_name(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool nat_spec_equal(const struct nat_spec *a, const struct nat_spec *b)
{
    if (a == b)
        return true;
    return a && b && a->mapping == b->mapping && a->filtering == b->filtering &&
           a->ports == b->ports && a->parity == b->parity && a->hairpin == b->hairpin &&
           a->udp_blocked == b->udp_blocked && a->inbound_refresh == b->inbound_refresh &&
           a->udp_timeout == b->udp_timeout && a->tcp_timeout == b->tcp_timeout &&
           a->tcp_transitory_timeout == b->tcp_transitory_timeout &&
           a->port_limit == b->port_limit && same_name(a->outer_box, b->outer_box) &&
           nat_spec_equal(a->outer, b->outer);
}
