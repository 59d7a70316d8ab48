/* A protocol for benchmarks: every party sends ring_in_flight messages of ring_bytes to the next
 * one, and passes on what comes, for ever; each ends with an empty result once ring_wanted have
 * come. */
#ifndef PARTYLINE_TESTS_RING_H
#define PARTYLINE_TESTS_RING_H

#include "engine/party.h"
#include "tests/conformance/bed.h"

enum { RING_BYTES_MAX = 4096 };

static uint32_t ring_parties, ring_bytes = 64, ring_in_flight = 8;
static uint64_t ring_wanted, ring_passed;

static int ring_make(void *self, struct party *p, const void *plan, const struct input *own,
                     struct err *e)
{
    (void)self, (void)p, (void)plan, (void)own, (void)e;
    return OK;
}

static void ring_pass_on(struct party *p, const uint8_t *data, size_t len)
{
    party_send(p, (party_self(p) + 1) % ring_parties, (struct label){0}, data, len);
}

static void ring_start(void *self, struct party *p)
{
    static const uint8_t zeros[RING_BYTES_MAX];
    (void)self;
    for (uint32_t i = 0; i < ring_in_flight; i++)
        ring_pass_on(p, zeros, ring_bytes);
}

static void ring_recv(void *self, struct party *p, party_t from, struct label label,
                      const uint8_t *data, size_t len)
{
    (void)self, (void)from, (void)label;
    ring_pass_on(p, data, len); /* the last ones as well, so that they reach everybody */
    if (++ring_passed >= ring_wanted)
        party_result(p, "", 0);
}

static int ring_verify(const struct protocol_shape *shape, const void *plan,
                       const struct outcome *outcomes, struct err *e)
{
    (void)shape, (void)plan, (void)outcomes, (void)e;
    return OK;
}

static const struct protocol_role ring_roles[] = {{.name = "peer"}, {0}};
static const struct protocol protocol_ring = {.name = "ring",
                                              .help = "messages around a ring",
                                              .roles = ring_roles,
                                              .barrier = true,
                                              .size = 1,
                                              .init = ring_make,
                                              .start = ring_start,
                                              .recv = ring_recv,
                                              .verify = ring_verify};

#endif
