/* How fast the simulator relays: parties pass messages around a ring, each over the relay or the
 * TURN server, with all layers but the protocol as in a scenario. Prints messages a second, one
 * relayed message being two on the wire, or with TURN three datagrams and its acknowledgements.
 *
 * usage: bench_relay [PARTIES [MESSAGES]] */
#include "tests/bench/ring.h"

#include <inttypes.h>
#include <sodium.h>
#include <time.h>

extern const struct transport transport_relay, transport_turn;
extern const struct world world_sim;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void bench(const char *what, const struct transport *transport, uint32_t servers,
                  enum channel_mode channel, bool modelled)
{
    struct trial_result r = {0};
    struct err e = {0};
    struct bed b;
    double took;
    if (!bed_make(&b, transport, &protocol_ring, ring_parties))
        exit(1);
    for (uint32_t i = 1; i < servers; i++)
        bed_more_services(&b, transport);
    b.spec.channel = channel;
    b.spec.modelled = modelled;
    b.spec.limit = 1000000 * NS_S;
    if (!bed_people(&b))
        exit(1);
    ring_passed = 0;
    took = seconds();
    if (world_sim.run(&b.spec, 1, NULL, NULL, &r, &e) != OK) {
        fprintf(stderr, "bench_relay: %s\n", e.text);
        exit(1);
    }
    took = seconds() - took;
    printf("%-36s %6.1f ns a message, %5.2f million a second, digest %016" PRIx64 "\n", what,
           took * 1e9 / (double)ring_passed, (double)ring_passed / took * 1e-6, r.digest);
    trial_result_free(&r, ring_parties);
    bed_free(&b);
}

int main(int argc, char **argv)
{
    ring_parties = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 50;
    ring_wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000;
    if (ring_parties < 2 || ring_parties > BED_NODES - 4) {
        fprintf(stderr, "bench_relay: 2 to %d parties\n", BED_NODES - 4);
        return 2;
    }
    if (sodium_init() < 0)
        return 1;
    printf("%" PRIu32 " parties, %" PRIu32 " messages of %" PRIu32 " bytes each on their way:\n",
           ring_parties, ring_in_flight, ring_bytes);
    bench("one relay, channel none", &transport_relay, 1, CHANNEL_NONE, false);
    bench("one relay, noise, modelled crypto", &transport_relay, 1, CHANNEL_NOISE, true);
    ring_wanted /= 4;
    bench("two relays, channel none", &transport_relay, 2, CHANNEL_NONE, false);
    bench("one relay, noise, real crypto", &transport_relay, 1, CHANNEL_NOISE, false);
    bench("one TURN server, channel none", &transport_turn, 1, CHANNEL_NONE, false);
    bench("one TURN server, noise, modelled", &transport_turn, 1, CHANNEL_NOISE, true);
    bench("two TURN servers, noise, modelled", &transport_turn, 2, CHANNEL_NOISE, true);
    return 0;
}
