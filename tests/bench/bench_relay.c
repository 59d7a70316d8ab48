/* How fast the simulator relays: parties pass messages around a ring, each over the relay or the
 * TURN server, with all layers but the protocol as in a scenario. Prints messages a second, one
 * relayed message being two on the wire, or with TURN three datagrams and its acknowledgements.
 *
 * usage: bench_relay [PARTIES [MESSAGES]] */
#include "tests/conformance/bed.h"

#include <inttypes.h>
#include <time.h>

extern const struct transport transport_relay, transport_turn;
extern const struct world world_sim;

enum { IN_FLIGHT = 8, BYTES = 64 };

static uint32_t n_parties;
static uint64_t wanted, passed;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ring_make(void *self, struct party *p, const void *plan, const struct input *own,
                     struct err *e)
{
    (void)self, (void)p, (void)plan, (void)own, (void)e;
    return OK;
}

static void pass_on(struct party *p, const uint8_t *data, size_t len)
{
    party_send(p, (party_self(p) + 1) % n_parties, (struct label){0}, data, len);
}

static void ring_start(void *self, struct party *p)
{
    static const uint8_t zeros[BYTES];
    (void)self;
    for (int i = 0; i < IN_FLIGHT; i++)
        pass_on(p, zeros, sizeof zeros);
}

static void ring_recv(void *self, struct party *p, party_t from, struct label label,
                      const uint8_t *data, size_t len)
{
    (void)self, (void)from, (void)label;
    if (++passed < wanted)
        pass_on(p, data, len);
    else
        party_result(p, "", 0);
}

static int ring_verify(const struct protocol_shape *shape, const void *plan,
                       const struct outcome *outcomes, struct err *e)
{
    (void)shape, (void)plan, (void)outcomes, (void)e;
    return OK;
}

static const struct protocol_role roles[] = {{.name = "peer"}, {0}};
static const struct protocol protocol_ring = {.name = "ring",
                                              .help = "messages around a ring",
                                              .roles = roles,
                                              .barrier = true,
                                              .size = 1,
                                              .init = ring_make,
                                              .start = ring_start,
                                              .recv = ring_recv,
                                              .verify = ring_verify};

static void bench(const char *what, const struct transport *transport, uint32_t servers,
                  enum channel_mode channel, bool modelled)
{
    struct trial_result r = {0};
    struct err e = {0};
    struct bed b;
    double took;
    if (!bed_make(&b, transport, &protocol_ring, n_parties))
        exit(1);
    for (uint32_t i = 1; i < servers; i++)
        bed_more_services(&b, transport);
    b.spec.channel = channel;
    b.spec.modelled = modelled;
    b.spec.limit = 1000000 * NS_S;
    if (!bed_people(&b))
        exit(1);
    passed = 0;
    took = seconds();
    if (world_sim.run(&b.spec, 1, NULL, NULL, &r, &e) != OK) {
        fprintf(stderr, "bench_relay: %s\n", e.text);
        exit(1);
    }
    took = seconds() - took;
    printf("%-36s %6.1f ns a message, %5.2f million a second, digest %016" PRIx64 "\n", what,
           took * 1e9 / (double)passed, (double)passed / took * 1e-6, r.digest);
    trial_result_free(&r, n_parties);
    bed_free(&b);
}

int main(int argc, char **argv)
{
    n_parties = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 50;
    wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000;
    if (n_parties < 2 || n_parties > BED_NODES - 4) {
        fprintf(stderr, "bench_relay: 2 to %d parties\n", BED_NODES - 4);
        return 2;
    }
    printf("%" PRIu32 " parties, %d messages of %d bytes each on their way:\n", n_parties,
           IN_FLIGHT, BYTES);
    bench("one relay, channel none", &transport_relay, 1, CHANNEL_NONE, false);
    bench("one relay, noise, modelled crypto", &transport_relay, 1, CHANNEL_NOISE, true);
    wanted /= 4;
    bench("two relays, channel none", &transport_relay, 2, CHANNEL_NONE, false);
    bench("one relay, noise, real crypto", &transport_relay, 1, CHANNEL_NOISE, false);
    bench("one TURN server, channel none", &transport_turn, 1, CHANNEL_NONE, false);
    bench("one TURN server, noise, modelled", &transport_turn, 1, CHANNEL_NOISE, true);
    bench("two TURN servers, noise, modelled", &transport_turn, 2, CHANNEL_NOISE, true);
    return 0;
}
