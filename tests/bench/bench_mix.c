/* How fast is a mix network simulated? 10,000 clients with cover traffic through three layers of
 * ten mixes, `crypto: modelled`, as scenarios/study/mix_scale.yaml, for SECONDS of virtual time.
 * A packet crosses six links; `links` counts each crossing. CPU time of the trial.
 *
 * usage: bench_mix [--json FILE] */
#include "engine/run/people.h"
#include "engine/run/scenario.h"
#include "engine/worlds/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { CLIENTS = 10000, SECONDS = 30, LINKS = 6 };

static void die(const char *what)
{
    fprintf(stderr, "bench_mix: %s\n", what);
    exit(1);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long peak_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

static struct scenario *load(void)
{
    struct diag_list diags;
    struct scenario *s = NULL;
    char text[1024];
    snprintf(text, sizeof text,
             "schema: 1\nname: bench_mix\nlimit: 700s\ncrypto: modelled\n"
             "regions: {here: {here: 40ms}}\n"
             "parties: [{name: client, count: %d, region: here, access: fibre}]\n"
             "services:\n  - {name: mix, role: mix, count: 30, region: here}\n"
             "  - {name: provider, role: provider, count: 10, region: here}\n"
             "transport: {name: mix, mean_delay: 100ms, payload_every: 2s, loop_every: 5s, "
             "drop_every: 5s, mix_loop_every: 1s, tags: 10000}\n"
             "protocol: {name: idle, for: %ds}\n"
             "observers: [{name: exposure, enabled: false}]\n",
             CLIENTS, SECONDS);
    diag_init(&diags);
    if (scenario_load_text("bench", text, strlen(text), NULL, NULL, 0, &s, &diags) != OK)
        diag_print(&diags, stderr);
    diag_free(&diags);
    if (!s)
        die("the scenario");
    return s;
}

int main(int argc, char **argv)
{
    FILE *json = argc > 2 && strcmp(argv[1], "--json") == 0 ? fopen(argv[2], "a") : NULL;
    struct scenario *s = load();
    struct trial_spec spec = s->cells[0].spec;
    struct trial_result r = {0};
    struct people people;
    struct err e = {0};
    double began, took;
    uint64_t packets;
    if (people_make(&people, &spec, 1) != OK)
        die("no memory");
    began = seconds();
    if (world_sim.run(&spec, 1, NULL, NULL, &r, &e) != OK)
        die(e.text);
    took = seconds() - began;
    packets = hist_count(&r.metrics.hist[METRIC_PACKET]);
    printf("%d clients, %d s of cover: %" PRIu64 " packets, %" PRIu64 " links crossed\n", CLIENTS,
           SECONDS, packets, packets * LINKS);
    printf("%-22s %12.0f a second\n", "packets, end to end", (double)packets / took);
    printf("%-22s %12.0f a second\n", "packets, each link", (double)packets * LINKS / took);
    printf("%-22s %12.1f MiB\n", "peak memory", (double)peak_kib() / 1024);
    if (json) {
        fprintf(json,
                "{\"name\": \"mix_link_packet\", \"unit\": \"ns\", \"value\": %.0f, \"low\": %.0f, "
                "\"high\": %.0f}\n",
                took / (double)(packets * LINKS) * 1e9, took / (double)(packets * LINKS) * 1e9,
                took / (double)(packets * LINKS) * 1e9);
        fclose(json);
    }
    trial_result_free(&r, spec.roster->n_parties);
    people_free(&people);
    scenario_free(s);
    return 0;
}
