/* What a Sphinx packet costs: create (5 hops) and unwrap, in microseconds, beside two bare
 * X25519, which no unwrap can do without. CPU time; the median of RUNS interleaved runs, their
 * least and greatest; the ratio is of the least, which other load disturbs least.
 *
 * usage: bench_sphinx [--json FILE] */
#include "engine/crypto/sphinx.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 15, UNWRAPS = 400, CREATES = 40, HOPS = 5 };

/* The most that an unwrap at 2 KiB may cost, in two X25519. */
#define CEILING 1.2

static uint8_t secrets[HOPS][32], publics[HOPS][32];
static struct sphinx_hop hops[HOPS];
static struct prng rng;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void die(const char *what)
{
    fprintf(stderr, "bench_sphinx: %s\n", what);
    exit(1);
}

/* Microseconds for one. */
static double two_x25519(void)
{
    uint8_t out[32], point[32];
    double began = seconds();
    memcpy(point, publics[0], 32);
    for (int i = 0; i < UNWRAPS * 2; i++) {
        if (crypto_scalarmult(out, secrets[0], point) != 0)
            die("X25519");
        memcpy(point, out, 32);
    }
    return (seconds() - began) / UNWRAPS * 1e6;
}

static double create(const struct sphinx_params *p, uint8_t *packet)
{
    struct sphinx_keys keys[HOPS];
    double began = seconds();
    for (int i = 0; i < CREATES; i++) {
        if (sphinx_make(p, hops, HOPS, (const uint8_t *)"", 1, &rng, packet, keys) != OK)
            die("create");
        sphinx_body(p, "x", 1, packet + sphinx_header(p));
        sphinx_wrap(p, keys, HOPS, packet + sphinx_header(p));
    }
    return (seconds() - began) / CREATES * 1e6;
}

static double unwrap(const struct sphinx_params *p, const uint8_t *packet, uint8_t *copy)
{
    struct sphinx_route r;
    double began = seconds();
    for (int i = 0; i < UNWRAPS; i++) {
        memcpy(copy, packet, sphinx_packet(p));
        if (sphinx_unwrap(p, secrets[0], copy, &r) != OK)
            die("unwrap");
    }
    return (seconds() - began) / UNWRAPS * 1e6;
}

static void row(FILE *json, const char *name, double *runs, double beside)
{
    qsort(runs, RUNS, sizeof *runs, compare);
    printf("%-22s %8.1f %8.1f %8.1f %8.2f\n", name, runs[RUNS / 2], runs[0], runs[RUNS - 1],
           runs[0] / beside);
    if (json)
        fprintf(json,
                "{\"name\": \"sphinx_%s\", \"unit\": \"ns\", \"value\": %.0f, \"low\": %.0f, "
                "\"high\": %.0f}\n",
                name, runs[RUNS / 2] * 1e3, runs[0] * 1e3, runs[RUNS - 1] * 1e3);
}

int main(int argc, char **argv)
{
    static const size_t payloads[] = {1024, 2048, 32768};
    static double x[RUNS], c[3][RUNS], u[3][RUNS];
    static uint8_t packet[3][SPHINX_HEADER_MAX + 32768], copy[SPHINX_HEADER_MAX + 32768];
    FILE *json = argc > 2 && strcmp(argv[1], "--json") == 0 ? fopen(argv[2], "a") : NULL;
    double bare;
    if (sodium_init() < 0)
        die("libsodium");
    prng_name(&rng, 1, "bench", 0, "sphinx");
    for (unsigned i = 0; i < HOPS; i++) {
        prng_bytes(&rng, secrets[i], 32);
        crypto_scalarmult_base(publics[i], secrets[i]);
        hops[i] = (struct sphinx_hop){.key = publics[i], .id = {0xff, (uint8_t)i}};
    }
    for (int run = 0; run < RUNS; run++) {
        x[run] = two_x25519();
        for (int i = 0; i < 3; i++) {
            struct sphinx_params p = {&sphinx_network, HOPS, payloads[i]};
            c[i][run] = create(&p, packet[i]);
            u[i][run] = unwrap(&p, packet[i], copy);
        }
    }
    printf("%-22s %8s %8s %8s %8s\n", "row (5 hops)", "us", "low", "high", "/ two");
    qsort(x, RUNS, sizeof *x, compare);
    bare = x[0];
    row(json, "two_x25519", x, bare);
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "create_%zu", payloads[i]);
        row(json, name, c[i], bare);
        snprintf(name, sizeof name, "unwrap_%zu", payloads[i]);
        row(json, name, u[i], bare);
    }
    printf("unwrap_2048 may cost %.2f of two X25519\n", CEILING);
    if (json)
        fclose(json);
    return 0;
}
