#include "engine/worlds/link/access.h"

#include <string.h>

#define MBIT INT64_C(1000000)
#define KIB INT64_C(1024)

/* All figures are rounded. The latencies that regulators publish are round trips from the
 * subscriber to a test server of the same country; a little less than half of one is taken
 * here, as the rest of the way is the regions'. Buffers: Kreibich et al., Netalyzr (IMC
 * 2010), found 64 to 256 KB in most home uplinks. */
static const struct profile {
    const char *name, *help;
    struct access access;
} profiles[] = {
    {"ideal", "no delay, no limit, no loss", {0}},

    /* Guo et al., Pingmesh (SIGCOMM 2015): round trips of 0.2 to 0.3 ms between servers of a
     * data centre, of which this is a quarter; drop rates of 1e-5 to 1e-4. */
    {"data_centre",
     "a server: 10 Gbit/s both ways, 50 us",
     {.up_bps = 10000 * MBIT,
      .down_bps = 10000 * MBIT,
      .latency = 50 * NS_US,
      .jitter = 10 * NS_US,
      .loss_ppm = 10,
      .queue_bytes = 1024 * KIB}},

    /* FCC, Measuring Broadband America, fixed: fibre tiers are symmetric, of some hundred
     * Mbit/s, with the lowest latency and loss of all technologies. Ofcom, UK Home Broadband
     * Performance: full fibre below 10 ms round trip, with the least variation. */
    {"fibre",
     "fibre to the home: 300 Mbit/s both ways, 3 ms",
     {.up_bps = 300 * MBIT,
      .down_bps = 300 * MBIT,
      .latency = 3 * NS_MS,
      .jitter = 300 * NS_US,
      .loss_ppm = 100,
      .queue_bytes = 256 * KIB}},

    /* FCC, Measuring Broadband America, fixed: cable at 100 to 200 Mbit/s down and about a
     * tenth up, round trips around 20 ms, loss well below 0.4 %. */
    {"cable",
     "cable modem: 200 Mbit/s down, 20 Mbit/s up, 8 ms",
     {.up_bps = 20 * MBIT,
      .down_bps = 200 * MBIT,
      .latency = 8 * NS_MS,
      .jitter = 2 * NS_MS,
      .loss_ppm = 300,
      .queue_bytes = 256 * KIB}},

    /* Ofcom, UK Home Broadband Performance: ADSL2+ around 10 Mbit/s down and 1 Mbit/s up.
     * FCC, Measuring Broadband America: DSL has the longest terrestrial round trips, 25 to
     * 50 ms. */
    {"dsl",
     "ADSL2+: 10 Mbit/s down, 1 Mbit/s up, 13 ms",
     {.up_bps = 1 * MBIT,
      .down_bps = 10 * MBIT,
      .latency = 13 * NS_MS,
      .jitter = 1500 * NS_US,
      .loss_ppm = 1000,
      .queue_bytes = 128 * KIB}},

    /* Ofcom, Measuring mobile broadband performance in the UK (tests of late 2014): 4G 14.7
     * Mbit/s down, 13.6 Mbit/s up, 53 ms round trip. Loss is hidden by the radio link's own
     * retransmissions, which show as jitter, with a long tail (Huang et al.,
     * An In-depth Study of LTE, SIGCOMM 2013); figures of both are estimates. */
    {"4g",
     "LTE: 15 Mbit/s down, 13 Mbit/s up, 24 ms",
     {.up_bps = 13 * MBIT,
      .down_bps = 15 * MBIT,
      .latency = 24 * NS_MS,
      .jitter = 5 * NS_MS,
      .jitter_shape = JITTER_LOGNORMAL,
      .loss_ppm = 500,
      .queue_bytes = 256 * KIB}},

    /* The same tests: 3G 5.9 Mbit/s down, 1.6 Mbit/s up, 63.5 ms round trip. Delay varies as the
     * radio link repeats and its scheduler waits: Chan, Ramjee: TCP/IP Performance over 3G
     * Wireless Links with Rate and Delay Variation (MobiCom 2002). */
    {"3g",
     "UMTS: 6 Mbit/s down, 1.6 Mbit/s up, 30 ms",
     {.up_bps = 1600000,
      .down_bps = 6 * MBIT,
      .latency = 30 * NS_MS,
      .jitter = 10 * NS_MS,
      .jitter_shape = JITTER_LOGNORMAL,
      .loss_ppm = 1000,
      .queue_bytes = 256 * KIB}},

    /* Geostationary: up and down again is 2 x 35,786 km, 239 ms at the speed of light (ITU-T
     * G.114 plans with 260 ms). FCC, Measuring Broadband America: around 600 ms round trip
     * at 25 Mbit/s down, 3 Mbit/s up. A good and a bad state of the channel: Lutz et al., The
     * Land Mobile Satellite Communication Channel (IEEE Trans. Vehicular Technology 40, 1991); the
     * length of its bursts here is an estimate. */
    {"satellite",
     "geostationary: 25 Mbit/s down, 3 Mbit/s up, 290 ms",
     {.up_bps = 3 * MBIT,
      .down_bps = 25 * MBIT,
      .latency = 290 * NS_MS,
      .jitter = 10 * NS_MS,
      .loss_ppm = 4000,
      .burst = 4,
      .queue_bytes = 256 * KIB}},
};

enum { PROFILES = sizeof profiles / sizeof profiles[0] };

const char *const access_names[] = {"ideal", "data_centre", "fibre",     "cable", "dsl",
                                    "4g",    "3g",          "satellite", NULL};

static const struct profile *find(const char *name)
{
    for (size_t i = 0; i < PROFILES; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

const struct access *access_find(const char *name)
{
    const struct profile *p = find(name);
    return p ? &p->access : NULL;
}

const char *access_help(const char *name)
{
    const struct profile *p = find(name);
    return p ? p->help : NULL;
}
