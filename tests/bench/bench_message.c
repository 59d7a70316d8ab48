/* How fast a small message goes the whole way (protocol, channel: none, transport, env, link
 * model, histogram; digest on, exposure observer off), and what a host costs that does nothing.
 *
 * Protocol ping between N - 1 clients in two regions and a server: over `null`, without a network
 * beneath; over `direct` with ideal access lines; and with clients on fibre and the server in a
 * data centre, with their rates, jitter and loss. Beside them, what the simulator's loop costs by
 * itself: events that no node gets. CPU time of this process; medians of RUNS runs.
 *
 * usage: bench_message [--json FILE] [--hosts N] */
#include "engine/run/scenario.h"
#include "engine/worlds/sim/queue.h"
#include "engine/worlds/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <malloc.h>

enum { RUNS = 5, MESSAGES = 1000000 };

/* Millions a second at 1,000 hosts on such a core: the least that is wanted, and given figures for
 * ns-3 and SimGrid, which are not measured here. */
#define FLOOR 2.0
#define NS3 0.15
#define SIMGRID 0.26

struct spread {
    double value, low, high; /* median, least, most */
};

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

static struct spread spread_of(double *runs)
{
    qsort(runs, RUNS, sizeof *runs, compare);
    return (struct spread){runs[RUNS / 2], runs[0], runs[RUNS - 1]};
}

/* ---- scenarios ------------------------------------------------------------------------ */

static struct scenario *load(const char *text)
{
    struct diag_list diags;
    struct scenario *s = NULL;
    diag_init(&diags);
    if (scenario_load_text("bench", text, strlen(text), NULL, NULL, 0, &s, &diags) != OK) {
        diag_print(&diags, stderr);
        exit(1);
    }
    diag_free(&diags);
    return s;
}

static struct scenario *load_ping(const char *transport, bool lines, unsigned hosts, unsigned count)
{
    char text[1024];
    snprintf(text, sizeof text,
             "schema: 1\n"
             "name: bench\n"
             "regions: {us: {us: 1ms, eu: 70ms}, eu: {eu: 1ms}}\n"
             "parties:\n"
             "  - {name: client, count: %u, region: {us: 60%%, eu: 40%%}, role: client%s}\n"
             "  - {name: server, region: us, role: server%s}\n"
             "protocol: {name: ping, size: 64B, count: %u, interval: 40ms}\n"
             "transport: \"%s\"\n"
             "channel: none\n"
             "observers: [{name: exposure, enabled: false}]\n"
             "limit: 36000s\n",
             hosts - 1, lines ? ", access: fibre" : "", lines ? ", access: data_centre" : "", count,
             transport);
    return load(text);
}

static struct scenario *load_idle(unsigned hosts)
{
    char text[256];
    snprintf(text, sizeof text,
             "schema: 1\n"
             "name: bench\n"
             "regions: {us: {us: 1ms}}\n"
             "parties:\n"
             "  - {name: nobody, count: %u, region: us}\n"
             "protocol: idle\n"
             "transport: direct\n"
             "channel: none\n"
             "observers: [{name: exposure, enabled: false}]\n",
             hosts);
    return load(text);
}

/* ---- messages ------------------------------------------------------------------------- */

static uint64_t run(const struct scenario *s)
{
    const struct trial_spec *spec = &s->cells[0].spec;
    struct trial_result result;
    struct err err;
    uint64_t messages;
    if (world_sim.run(spec, 1, NULL, NULL, &result, &err) != OK) {
        fprintf(stderr, "bench_message: %s\n", err.text);
        exit(1);
    }
    messages = result.metrics.counts[COUNT_DELIVERED];
    if (result.timed_out || messages != result.metrics.counts[COUNT_MESSAGES]) {
        fprintf(stderr, "bench_message: a trial did not finish\n");
        exit(1);
    }
    trial_result_free(&result, spec->roster->n_parties);
    return messages;
}

/* Messages a second; with few to a client, what it takes to connect is in it. */
static struct spread messages(const char *transport, bool lines, unsigned hosts)
{
    unsigned pings = MESSAGES / 2 / hosts;
    struct scenario *s = load_ping(transport, lines, hosts, pings < 10 ? 10 : pings);
    struct spread all;
    double runs[RUNS];
    for (int i = 0; i < RUNS; i++) {
        double began = seconds();
        runs[i] = (double)run(s) / (seconds() - began);
    }
    scenario_free(s);
    all = spread_of(runs);
    printf("%-8s %-11s %7u hosts %8.2f M messages/s (%.2f to %.2f)  %5.2f x the floor of %.0f M  "
           "%6.1f x ns-3  %6.1f x SimGrid\n",
           transport, lines ? "real lines" : "ideal lines", hosts, all.value * 1e-6, all.low * 1e-6,
           all.high * 1e-6, all.value * 1e-6 / FLOOR, FLOOR, all.value * 1e-6 / NS3,
           all.value * 1e-6 / SIMGRID);
    return all;
}

/* ---- the loop by itself --------------------------------------------------------------- */

/* Nanoseconds that the queue takes for an event whose handler does nothing but the next. */
static struct spread empty(unsigned pending)
{
    struct dice d = dice_name(1, "empty", pending, 0, 0);
    double runs[RUNS];
    for (int k = 0; k < RUNS; k++) {
        struct queue q = {0};
        uint64_t now = 0;
        double began;
        for (unsigned i = 0; i < pending; i++)
            queue_push(&q, (uint64_t)dice_exp(&d, 40 * NS_MS), &q);
        began = seconds();
        for (unsigned i = 0; i < MESSAGES; i++) {
            void *what = queue_pop(&q, &now);
            queue_push(&q, now + 1 + (dice_u64(&d) & ((1U << 26) - 1)), what);
        }
        runs[k] = (seconds() - began) * 1e9 / MESSAGES;
        queue_free(&q);
    }
    return spread_of(runs);
}

/* ---- memory --------------------------------------------------------------------------- */

/* Bytes that the heap holds at the end of a trial of so many idle hosts, at the observer's
 * place: the only one called while all nodes live. */
static size_t held;

static void look(void *self, const struct truth *truth,
                 void (*add)(void *, const struct exposure *), void *ctx)
{
    struct mallinfo2 now = mallinfo2();
    (void)self, (void)truth, (void)add, (void)ctx;
    held = now.uordblks + now.hblkhd;
}

static int no_init(void *self, const void *opts, uint32_t n)
{
    (void)self, (void)opts, (void)n;
    return OK;
}

static void no_see(void *self, const struct sighting *s)
{
    (void)self, (void)s;
}

static double idle_bytes(unsigned hosts)
{
    static const struct observer watcher = {
        .name = "bench", .init = no_init, .see = no_see, .score = look};
    const struct observer_spec spec = {.ops = &watcher};
    struct scenario *s = load_idle(hosts);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    s->cells[0].spec.observers = &spec;
    s->cells[0].spec.n_observers = 1;
    run(s);
    scenario_free(s);
    return (double)(held - before);
}

/* What one more host costs the simulator, its entries in the scenario not counted. */
static struct spread idle_host(void)
{
    double bytes = (idle_bytes(100000) - idle_bytes(10000)) / 90000;
    printf("%-8s %7d hosts %8.0f bytes a host beyond the scenario's own\n", "idle", 100000, bytes);
    return (struct spread){bytes, bytes, bytes};
}

/* ---- the table ------------------------------------------------------------------------ */

struct row {
    const char *name, *unit;
    struct spread s;
};

static int write_rows(const char *path, const struct row *rows, size_t n)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        return 1;
    }
    fprintf(out, "{\"rows\": [");
    for (size_t i = 0; i < n; i++)
        fprintf(out,
                "%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.0f, \"low\": %.0f, "
                "\"high\": %.0f}",
                i ? "," : "", rows[i].name, rows[i].unit, rows[i].s.value, rows[i].s.low,
                rows[i].s.high);
    fprintf(out, "\n]}\n");
    return fclose(out) != 0;
}

int main(int argc, char **argv)
{
    const char *json = NULL;
    struct row rows[3];
    struct spread loop;
    unsigned hosts = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--json") == 0)
            json = argv[i + 1];
        else if (strcmp(argv[i], "--hosts") == 0)
            hosts = (unsigned)strtoul(argv[i + 1], NULL, 10);
    if (hosts) {
        messages("direct", true, hosts);
        return 0;
    }
    messages("null", false, 1000);
    messages("direct", false, 1000);
    rows[0] = (struct row){"message_1000", "per_second", messages("direct", true, 1000)};
    rows[1] = (struct row){"message_100000", "per_second", messages("direct", true, 100000)};
    rows[2] = (struct row){"idle_host_bytes", "bytes", idle_host()};
    loop = empty(2000);
    printf(
        "%-8s %7d events %7.1f ns an event of an empty handler (%.1f to %.1f): the loop's floor\n",
        "queue", 2000, loop.value, loop.low, loop.high);
    return json ? write_rows(json, rows, 3) : 0;
}
