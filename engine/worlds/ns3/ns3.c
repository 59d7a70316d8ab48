#include "engine/worlds/ns3/ns3.h"

/* Only the executable that is linked with ns-3 has these. */
int ns3_check(const struct trial_spec *, void (*say)(void *, int line, const char *), void *ctx)
    __attribute__((weak));
int ns3_run(const struct trial_spec *, uint64_t seed, const struct fault_plan *,
            const struct trace *, struct trial_result *, struct err *) __attribute__((weak));

const struct world world_ns3 = {
    .name = "ns3",
    .help =
        "packet by packet over ns-3's TCP, UDP and IP: the reference for sim, many times slower",
    .deterministic = true,
    .handover = false,
    .program = "partyline-ns3",
    .lacking = "ns-3 is needed: apt-get install libns3-dev libgsl-dev, then make ns3",
    .check = ns3_check,
    .run = ns3_run,
};
