/* What the tests of the queue have in common: how much later the next event is, and where one
 * structure gives way to another. */
#ifndef PARTYLINE_TESTS_QUEUE_INCREMENTS_H
#define PARTYLINE_TESTS_QUEUE_INCREMENTS_H

#include "engine/base/prng.h"
#include "engine/worlds/sim/queue.h"

static uint64_t none(struct dice *d)
{
    (void)d;
    return 0;
}
static uint64_t zero_or_one(struct dice *d)
{
    return dice_below(d, 2);
}
static uint64_t small(struct dice *d)
{
    return dice_below(d, 10);
}
static uint64_t uniform(struct dice *d)
{
    return dice_below(d, 1000000000);
}
static uint64_t exponential(struct dice *d)
{
    return (uint64_t)dice_exp(d, 50000000);
}
static uint64_t constant(struct dice *d)
{
    (void)d;
    return 50000000;
}
static uint64_t near_constant(struct dice *d)
{
    return 50000000 + dice_below(d, 500000);
}
static uint64_t bimodal(struct dice *d)
{
    return dice_chance(d, 900000) ? dice_below(d, 3000) : 1000000000 + dice_below(d, 3000);
}
static uint64_t huge_gaps(struct dice *d)
{
    return dice_chance(d, 999000) ? dice_below(d, 64) : UINT64_C(1) << dice_below(d, 63);
}
static uint64_t powers_of_two(struct dice *d)
{
    return UINT64_C(1) << dice_below(d, 40);
}
static uint64_t heavy_tail(struct dice *d)
{
    uint64_t power = UINT64_C(1) << dice_below(d, 45);
    return power + dice_below(d, power);
}

/* Anywhere in what is left of all time. */
static uint64_t anywhere(struct dice *d)
{
    return dice_u64(d);
}

static uint64_t (*const distributions[])(struct dice *) = {
    none,          zero_or_one, small,     uniform,       exponential, constant,
    near_constant, bimodal,     huge_gaps, powers_of_two, heavy_tail,  anywhere};

enum { DISTRIBUTIONS = sizeof distributions / sizeof distributions[0] };

/* Each forces one structure, or makes the queue go from one to another all the time. */
static const struct queue_tuning tunings[] = {
    {0},                                             /* as it is */
    {.recent = 1},                                   /* all but one item in run or on the ladder */
    {.recent = 1, .flat = 1},                        /* no arrays without a ladder */
    {.recent = 1, .flat = 1, .run = 1, .bits = 2},   /* the ladder deals out until one is left */
    {.recent = 2, .flat = 1, .run = 40, .bits = 3},  /* narrow rungs, short runs */
    {.recent = 5, .flat = 20, .run = 100, .bits = 2} /* early switches */
};

enum { TUNINGS = sizeof tunings / sizeof tunings[0] };

#endif
