/* links: libpartyline */
/* Whole mix networks in the simulator: the metric `packet` against its law, bytes by hand,
 * crashes, epochs, cover; and what cannot work is refused with its arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/run/people.h"
#include "engine/run/scenario.h"
#include "engine/worlds/sim/sim.h"
#include "tests/unit/mix_law.h"
#include "transports/mix_net.h"

/* `more` and `services` are lines of YAML. */
static struct scenario *load(const char *transport, const char *services, const char *more,
                             char *why, size_t cap)
{
    struct diag_list diags;
    struct scenario *s = NULL;
    char text[2048];
    FILE *f = why ? fmemopen(why, cap, "w") : stderr;
    snprintf(text, sizeof text,
             "schema: 1\nname: test\nlimit: 600s\nregions: {here: {here: 2ms}}\n"
             "services:\n%s%s"
             "transport: {name: mix, %s}\n",
             services, more, transport);
    diag_init(&diags);
    if (scenario_load_text("test", text, strlen(text), NULL, NULL, 0, &s, &diags) != OK)
        diag_print(&diags, f);
    diag_free(&diags);
    if (why)
        fclose(f);
    return s;
}

#define PING(count)                                                                                \
    "parties:\n  - {name: a, region: here, role: client}\n"                                        \
    "  - {name: b, region: here, role: server}\n"                                                  \
    "protocol: {name: ping, size: 64B, interval: 20ms, count: " #count "}\n"
#define SUM                                                                                        \
    "parties:\n  - {name: a, region: here, input: 1}\n  - {name: b, region: here, input: 2}\n"     \
    "  - {name: c, region: here, input: 3}\nprotocol: {name: shamir, threshold: 1, program: "      \
    "maximum}\n"
#define SIX                                                                                        \
    "  - {name: mix, role: mix, count: 6, region: here}\n"                                         \
    "  - {name: provider, role: provider, count: 2, region: here}\n"
#define DIRECTORY "  - {name: directory, role: directory, region: here}\n"

static void run(struct scenario *s, struct trial_result *r, uint64_t seed)
{
    struct err e = {0};
    struct people people;
    struct trial_spec spec;
    assert_non_null(s);
    spec = s->cells[0].spec;
    assert_int_equal(people_make(&people, &spec, 1), OK);
    assert_int_equal(world_sim.run(&spec, seed, NULL, NULL, r, &e), OK);
    assert_false(r->timed_out);
    for (uint32_t i = 0; i < spec.roster->n_parties; i++)
        assert_true(r->outcomes[i].done);
    people_free(&people);
}

static void finish(struct scenario *s, struct trial_result *r)
{
    trial_result_free(r, s->cells[0].spec.roster->n_parties);
    scenario_free(s);
}

/* Kolmogorov-Smirnov at 1 %, with the histogram's resolution on top: the metric `packet` is
 * Erlang(l) of mean delays on top of the path. */
static void is_erlang(const struct hist *h, unsigned l, ns_t path, ns_t mean)
{
    double root = 1, n = (double)hist_count(h), worst = 0;
    for (int k = 0; k < 60; k++)
        root = (root + n / root) / 2;
    for (uint32_t ppm = 5000; ppm < 1000000; ppm += 5000) {
        double f = erlang(l, (double)(hist_quantile(h, ppm) - path) / (double)mean) - ppm * 1e-6;
        worst = f > worst ? f : -f > worst ? -f : worst;
    }
    print_message("KS %.4f of %.0f packets, limit %.4f\n", worst, n, 1.63 / root + 0.005);
    assert_true(worst < 1.63 / root + 0.005);
}

/* Six links of 1 ms and three exponential delays: Erlang(3), in units of 20 ms 2.6741, 6.2958,
 * 8.4059 at p50, p95, p99 (METRICS.md, 2.2); some 8,000 packets. */
static void packet_is_erlang(void **state)
{
    struct trial_result r = {0};
    struct scenario *s = load("mean_delay: 20ms", SIX, PING(4000) "crypto: modelled\n", NULL, 0);
    const struct hist *h = &r.metrics.hist[METRIC_PACKET];
    static const double want[] = {2.6741, 6.2958, 8.4059};
    static const uint32_t at[] = {500000, 950000, 990000};
    (void)state;
    run(s, &r, 1);
    assert_true(hist_count(h) > 8000);
    assert_true(hist_min(h) >= 6 * NS_MS);
    for (int i = 0; i < 3; i++) {
        double x = (double)(hist_quantile(h, at[i]) - 6 * NS_MS) / (20.0 * NS_MS);
        assert_true(x > want[i] * 0.94 && x < want[i] * 1.06);
    }
    is_erlang(h, 3, 6 * NS_MS, 20 * NS_MS);
    finish(s, &r);
}

/* Loopix, Fig. 10: four delays of 0.5 s: mean 2.0 s, standard deviation 1.0 s. */
static void loopix_latency(void **state)
{
    struct trial_result r = {0};
    struct scenario *s = load("mean_delay: 500ms, layers: 4, max_hops: 6", SIX,
                              PING(1500) "crypto: modelled\n", NULL, 0);
    const struct hist *h = &r.metrics.hist[METRIC_PACKET];
    double mean, squares = 0;
    (void)state;
    run(s, &r, 1);
    mean = (double)hist_sum(h) / (double)hist_count(h) * 1e-9 - 0.007;
    for (uint32_t i = 0; i < 1000; i++) {
        double x = (double)hist_quantile(h, 1000 * i + 500) * 1e-9 - 0.007 - mean;
        squares += x * x / 1000;
    }
    print_message("mean %.3f s, variance %.3f\n", mean, squares);
    assert_true(mean > 1.9 && mean < 2.1);
    assert_true(squares > 0.88 && squares < 1.12);
    is_erlang(h, 4, 7 * NS_MS, 500 * NS_MS);
    finish(s, &r);
}

/* fifo delays nothing: six milliseconds, always. */
static void fifo_is_the_path(void **state)
{
    struct trial_result r = {0};
    struct scenario *s = load("strategy: fifo", SIX, PING(100) "crypto: modelled\n", NULL, 0);
    (void)state;
    run(s, &r, 1);
    assert_int_equal(hist_min(&r.metrics.hist[METRIC_PACKET]), 6 * NS_MS);
    finish(s, &r);
}

/* The size of a packet by hand: 32 + (2 5 + 1) 16 + 16 + 2048, and the frame's 9. */
static void bytes_by_hand(void **state)
{
    struct mix_net n = {.params = {&sphinx_network, 5, 2048}};
    (void)state;
    assert_int_equal(mix_frame_size(&n), 9 + 32 + 176 + 16 + 2048);
    assert_int_equal(mix_room(&n), 2048 - 16 - 2 - 13);
}

/* ---- faults ----------------------------------------------------------------------------- */

static void survives(const char *transport, const char *services, const char *events,
                     struct trial_result *r, struct scenario **s)
{
    char more[1024];
    snprintf(more, sizeof more, SUM "%s", events);
    *r = (struct trial_result){0};
    *s = load(transport, services, more, NULL, 0);
    run(*s, r, 1);
}

/* For good: the directory leaves it out. */
static void mix_crashes(void **state)
{
    struct trial_result r;
    struct scenario *s;
    (void)state;
    survives("mean_delay: 20ms", SIX DIRECTORY, "events: [{at: 500ms, crash: mix_2}]\n", &r, &s);
    assert_true(r.metrics.drops[DROP_REFUSED] > 0);
    finish(s, &r);
}

static void provider_crashes(void **state)
{
    struct trial_result r;
    struct scenario *s;
    (void)state;
    survives("mean_delay: 20ms", SIX,
             "events: [{at: 500ms, crash: provider_1}, {at: 2s, restart: provider_1}]\n", &r, &s);
    finish(s, &r);
}

static void epochs_change(void **state)
{
    struct trial_result r;
    struct scenario *s;
    (void)state;
    survives("mean_delay: 20ms, epoch: 400ms", SIX DIRECTORY, "", &r, &s);
    assert_true(r.ended > 1200 * NS_MS); /* three of them at least */
    assert_int_equal(r.metrics.drops[DROP_MIX_DOCUMENT], 0);
    finish(s, &r);
}

static void directory_crashes(void **state)
{
    struct trial_result r;
    struct scenario *s;
    (void)state;
    survives("mean_delay: 20ms, epoch: 1s", SIX DIRECTORY,
             "events: [{at: 600ms, crash: directory}, {at: 1500ms, restart: directory}]\n", &r, &s);
    finish(s, &r);
}

/* With real packets: a mix that comes back with new keys refuses those for its old ones. */
static void mix_restarts_with_new_keys(void **state)
{
    struct trial_result r;
    struct scenario *s;
    (void)state;
    survives("mean_delay: 20ms", SIX DIRECTORY,
             "events: [{at: 500ms, crash: mix_2}, {at: 600ms, restart: mix_2}]\n", &r, &s);
    finish(s, &r);
}

/* Clients dial out, so any NAT will do. */
static void every_nat(void **state)
{
    static const char *const nats[] = {
        "open",      "full_cone", "restricted_cone", "port_restricted",
        "symmetric", "cgnat",     "udp_blocked"};
    (void)state;
    for (size_t i = 0; i < sizeof nats / sizeof nats[0]; i++) {
        struct trial_result r = {0};
        struct scenario *s;
        char parties[600];
        snprintf(parties, sizeof parties,
                 "crypto: modelled\nprotocol: {name: shamir, threshold: 1, program: maximum}\n"
                 "parties:\n  - {name: a, region: here, nat: %s, input: 1}\n"
                 "  - {name: b, region: here, nat: %s, input: 2}\n"
                 "  - {name: c, region: here, input: 3}\n",
                 nats[i], nats[i]);
        s = load("mean_delay: 10ms", SIX, parties, NULL, 0);
        run(s, &r, 1);
        finish(s, &r);
    }
}

/* A provider learns who its own clients are and where; nobody learns a pair, nobody else
 * anything. */
static void exposures(void **state)
{
    struct trial_result r;
    struct scenario *s;
    const struct roster *roster;
    unsigned members = 0, addresses = 0;
    (void)state;
    survives("mean_delay: 10ms", SIX, "crypto: modelled\n", &r, &s);
    roster = s->cells[0].spec.roster;
    for (size_t i = 0; i < r.n_exposures; i++) {
        const struct exposure *x = &r.exposures[i];
        const char *role;
        if (x->whom >= roster->n_parties || x->who >= roster->n)
            continue; /* where the services are is public; an ISP knows its own customers */
        role = roster->entries[x->who].role;
        assert_string_equal(role, "provider");
        assert_int_equal(x->whom % 2, x->who - roster->n_parties - 6);
        assert_int_equal(x->other, PARTY_NONE);
        members += strcmp(x->what, "party_member") == 0;
        addresses += strcmp(x->what, "party_address") == 0;
    }
    assert_int_equal(members, 3);
    assert_int_equal(addresses, 3);
    finish(s, &r);
}

static void every_strategy(void **state)
{
    static const char *const with[] = {"strategy: threshold, threshold: 2",
                                       "strategy: timed, interval: 20ms",
                                       "strategy: pool, interval: 20ms, keep: 1",
                                       "topology: cascade",
                                       "topology: free_route",
                                       "poll: 50ms"};
    (void)state;
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        struct trial_result r;
        struct scenario *s;
        survives(with[i], SIX, "crypto: modelled\n", &r, &s);
        finish(s, &r);
    }
}

/* Cover goes out whether there is something to say or not. */
static void cover(void **state)
{
    struct trial_result r;
    struct scenario *s;
    uint64_t packets;
    (void)state;
    survives("mean_delay: 10ms, payload_every: 10ms, loop_every: 50ms, drop_every: 50ms, "
             "mix_loop_every: 20ms",
             SIX, "crypto: modelled\n", &r, &s);
    packets = hist_count(&r.metrics.hist[METRIC_PACKET]);
    assert_true(packets > (uint64_t)(r.ended / NS_MS) * 3 / 10); /* 0.14 a ms and client */
    finish(s, &r);
}

static void saturation(void **state)
{
    struct trial_result r;
    struct scenario *s;
    (void)state;
    survives("mean_delay: 10ms, payload_every: 1ms", SIX, "crypto: modelled\n", &r, &s);
    assert_int_equal(r.metrics.counts[COUNT_SATURATED], 0);
    finish(s, &r);
}

/* ---- refusals --------------------------------------------------------------------------- */

static void refused(const char *transport, const char *services, const char *more, const char *why)
{
    char text[2048] = "", at[20];
    unsigned line = 6; /* schema .. services */
    for (int k = 0; k < 2; k++)
        for (const char *c = k ? more : services; *c; c++)
            line += *c == '\n';
    snprintf(at, sizeof at, "test:%u:", line);
    assert_null(load(transport, services, more, text, sizeof text));
    if (strncmp(text, at, strlen(at)) != 0 || !strstr(text, why))
        print_message("expected %s %s: %s\n", at, why, text);
    assert_memory_equal(text, at, strlen(at));
    assert_non_null(strstr(text, why));
}

static void cannot_work(void **state)
{
    const char *two = "  - {name: mix, role: mix, count: 2, region: here}\n"
                      "  - {name: provider, role: provider, region: here}\n";
    (void)state;
    refused("layers: 3", two, SUM, "2 mixes for 3 layers");
    refused("layers: 3", two, SUM, "layer 3 has none");
    refused("layers: 4", SIX, SUM, "4 + 2 = 6");
    refused("layers: 3", "  - {name: mix, role: mix, count: 3, region: here}\n", SUM,
            "no provider");
    refused("layers: 3", SIX "  - {name: d, role: directory, count: 2, region: here}\n", SUM,
            "more than one directory");
    refused("topology: free_route", two, SUM, "needs 3 different mixes: there are 2");
    refused("strategy: timed, interval: 1s, epoch: 2s", SIX DIRECTORY, SUM,
            "3 mixes of 1000 ms each are 3000 ms, an epoch is 2000 ms");
    refused("mean_delay: 1s, epoch: 2s", SIX DIRECTORY, SUM, "an epoch is 2000 ms");
    /* 100 packets a second, 4 + 9 + 224 + 2048 bytes each */
    refused("payload_every: 10ms", SIX,
            "parties: [{name: a, region: here, access: {up: 1Mbit, down: 1Mbit}}]\n"
            "protocol: idle\n",
            "100.000 packets a second, 2285 bytes each, are 1828000 bit/s; it has 1000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_is_erlang),
        cmocka_unit_test(loopix_latency),
        cmocka_unit_test(fifo_is_the_path),
        cmocka_unit_test(bytes_by_hand),
        cmocka_unit_test(mix_crashes),
        cmocka_unit_test(provider_crashes),
        cmocka_unit_test(epochs_change),
        cmocka_unit_test(directory_crashes),
        cmocka_unit_test(mix_restarts_with_new_keys),
        cmocka_unit_test(every_nat),
        cmocka_unit_test(exposures),
        cmocka_unit_test(every_strategy),
        cmocka_unit_test(cover),
        cmocka_unit_test(saturation),
        cmocka_unit_test(cannot_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
