/* The cases of the conformance suite: what each is about, and what it is made of. */
#ifndef PARTYLINE_TESTS_CASES_H
#define PARTYLINE_TESTS_CASES_H

#include "engine/world.h"
#include "tests/conformance/conform.h"

enum { MIB = 1 << 20, KEPT_MAX = CHANNEL_POOL_DEFAULT + 24 * MIB };

/* What a case is about, beyond everything arriving in order and once. */
enum trait {
    NEEDS_NETWORK = 1,    /* pointless without links that can be slow or cut */
    NEEDS_NOISE = 2,      /* only a channel that resends can */
    EXPECT_REFUSALS = 4,  /* back-pressure was felt */
    EXPECT_DOWN = 8,      /* somebody was reported down or lost, and up again */
    EXPECT_RESTART = 16,  /* the restarted party was reported, to all */
    EXPECT_DEATH = 32,    /* the last party never ends, all others do */
    TWICE = 64,           /* the same digest twice */
    SERVICES_TWICE = 128, /* two services of each role; transports without skip it */
    REAL_CRYPTO = 512,    /* even where each packet costs a millisecond of CPU time */
    SERVICE_DIES = 256    /* crash and restart happen to the first service */
};

struct test {
    const char *name;
    uint32_t parties;
    unsigned traits, seeds; /* seeds: how many, 0 is 1 */
    struct conform_plan plan;
    ns_t limit;
    struct access access; /* of every host */
    bool first;           /* what follows happens to the first party, else to the last */
    ns_t late;            /* it starts then */
    ns_t crash, restart;
    ns_t cut, heal; /* the first party is alone from .. until */
};

#define SMALL .messages = 20, .min = 0, .max = 3000
#define BIG .messages = 4, .min = 100000, .max = 16 * MIB

static const struct test tests[] = {
    {.name = "two_parties", .parties = 2, .seeds = 3, .plan = {.messages = 200, .max = 70000}},
    {.name = "three_parties", .parties = 3, .seeds = 3, .plan = {.messages = 100, .max = 70000}},
    {.name = "ten_parties",
     .parties = 10,
     .seeds = 2,
     .traits = TWICE,
     .plan = {.messages = 10, .max = 20000}},
    {.name = "fifty_parties", .parties = 50, .plan = {.messages = 3, .max = 2000}},
    {.name = "big_messages", .parties = 2, .plan = {BIG, .oversize = true}},
    {.name = "back_pressure",
     .parties = 2,
     .traits = EXPECT_REFUSALS,
     .plan = {.messages = 90, .min = MIB, .max = MIB, .one_way = true}},
    {.name = "back_pressure_slow",
     .parties = 3,
     .traits = EXPECT_REFUSALS | NEEDS_NETWORK,
     .plan = {.messages = 36, .min = MIB, .max = MIB},
     .limit = 1200 * NS_S,
     .access = {.up_bps = 20000000, .down_bps = 20000000, .queue_bytes = 65536}},
    {.name = "steady", .parties = 3, .plan = {SMALL, .every = 50 * NS_MS}},
    {.name = "late",
     .parties = 3,
     .seeds = 3,
     .traits = REAL_CRYPTO,
     .plan = {SMALL},
     .late = 5 * NS_S},
    {.name = "late_first",
     .parties = 3,
     .seeds = 3,
     .plan = {SMALL},
     .first = true,
     .late = 5 * NS_S},
    {.name = "jitter",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NETWORK,
     .plan = {SMALL, .every = 20 * NS_MS},
     .access = {.jitter = 20 * NS_MS}},
    {.name = "loss_1",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NETWORK | TWICE,
     .plan = {SMALL},
     .access = {.loss_ppm = 10000}},
    {.name = "loss_10",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NETWORK,
     .plan = {SMALL, .every = 20 * NS_MS},
     .access = {.loss_ppm = 51317}}, /* at each end: a tenth on the way */
    {.name = "loss_10_big",
     .parties = 2,
     .traits = NEEDS_NETWORK,
     .plan = {BIG},
     .limit = 60000 * NS_S,          /* a fifth lost a round: TCP gets some 50 kbit/s through */
     .access = {.loss_ppm = 51317}}, /* at each end: a tenth on the way */
    {.name = "cut_short",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NETWORK | NEEDS_NOISE,
     .plan = {SMALL, .every = 100 * NS_MS},
     .cut = NS_S,
     .heal = 3 * NS_S},
    {.name = "cut_long",
     .parties = 3,
     .traits = NEEDS_NETWORK | NEEDS_NOISE | EXPECT_DOWN,
     .plan = {.messages = 400, .max = 3000, .every = 500 * NS_MS},
     .limit = 900 * NS_S,
     .cut = 20 * NS_S,
     .heal = 140 * NS_S},
    {.name = "cut_from_start",
     .parties = 3,
     .traits = NEEDS_NETWORK,
     .plan = {SMALL},
     .limit = 200 * NS_S,
     .heal = 30 * NS_S},
    {.name = "restart",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NOISE | EXPECT_RESTART,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .crash = 2 * NS_S,
     .restart = 4 * NS_S},
    {.name = "restart_first",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NOISE | EXPECT_RESTART,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .first = true,
     .crash = 2 * NS_S,
     .restart = 4 * NS_S},
    /* The resets get lost: the old links look alive when the party comes back. */
    {.name = "restart_unseen",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NOISE | NEEDS_NETWORK | EXPECT_RESTART,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .crash = 2 * NS_S,
     .restart = 4 * NS_S,
     .cut = 1500 * NS_MS,
     .heal = 2500 * NS_MS},
    {.name = "restart_unseen_first",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NOISE | NEEDS_NETWORK | EXPECT_RESTART,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .first = true,
     .crash = 2 * NS_S,
     .restart = 4 * NS_S,
     .cut = 1500 * NS_MS,
     .heal = 2500 * NS_MS},
    /* And those who would have to dial again have nothing to send. */
    {.name = "restart_unseen_quiet",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NOISE | NEEDS_NETWORK | EXPECT_RESTART,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS, .one_way = true},
     .first = true,
     .crash = 2 * NS_S,
     .restart = 4 * NS_S,
     .cut = 1500 * NS_MS,
     .heal = 2500 * NS_MS},
    {.name = "restart_late",
     .parties = 3,
     .traits = NEEDS_NOISE | EXPECT_RESTART,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .limit = 200 * NS_S,
     .crash = 2 * NS_S,
     .restart = 60 * NS_S},
    {.name = "service_restart",
     .parties = 3,
     .seeds = 3,
     .traits = NEEDS_NOISE | SERVICE_DIES,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .crash = 2 * NS_S,
     .restart = 4 * NS_S},
    {.name = "services_two",
     .parties = 10,
     .traits = SERVICES_TWICE | TWICE,
     .plan = {.messages = 10, .max = 70000}},
    {.name = "services_two_big",
     .parties = 3,
     .traits = SERVICES_TWICE | EXPECT_REFUSALS,
     .plan = {.messages = 34, .min = MIB, .max = MIB},
     .limit = 300 * NS_S},
    {.name = "services_two_loss",
     .parties = 3,
     .seeds = 3,
     .traits = SERVICES_TWICE,
     .plan = {SMALL, .every = 20 * NS_MS},
     .access = {.loss_ppm = 51317}}, /* at each end: a tenth on the way */
    {.name = "services_two_restart",
     .parties = 4,
     .seeds = 3,
     .traits = NEEDS_NOISE | SERVICES_TWICE | SERVICE_DIES,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .crash = 2 * NS_S,
     .restart = 4 * NS_S},
    {.name = "services_two_party_restart",
     .parties = 4,
     .seeds = 3,
     .traits = NEEDS_NOISE | SERVICES_TWICE | EXPECT_RESTART,
     .plan = {.messages = 50, .max = 3000, .every = 100 * NS_MS},
     .crash = 2 * NS_S,
     .restart = 4 * NS_S},
    {.name = "death",
     .parties = 3,
     .seeds = 3,
     .traits = EXPECT_DEATH,
     .plan = {.messages = 200, .max = 70000, .every = 10 * NS_MS, .victim = true},
     .crash = NS_S},
    {.name = "death_of_a_flooded",
     .parties = 2,
     .traits = EXPECT_DEATH | NEEDS_NETWORK,
     .plan = {.messages = 200, .min = MIB, .max = MIB, .one_way = true, .victim = true},
     .crash = 300 * NS_MS},
};

#endif
