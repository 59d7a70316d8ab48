/* How fast a small message goes the whole way (protocol, channel, transport,
 * env, link model, histogram; digest on, exposure observer off), and what a
 * host costs that does nothing.
 *
 * Protocol ping over `direct` between N - 1 clients in two regions and a
 * server; crypto: modelled. The rows message_N: clients on fibre, the server in
 * a data centre, with their rates, queues, jitter and loss, and channels
 * (noise). Beside them at 1,000 hosts what leaves something out: channel: none,
 * ideal access lines, `null` (no network beneath); and what the simulator's
 * loop costs by itself: events that no node gets. Messages are counted once
 * every channel is up. CPU time of this process; medians of 5 runs (3 with a
 * million hosts).
 *
 * usage: bench_message [--json FILE] [--hosts N] [--runs N]
 * --hosts N: the rows of so many hosts alone; 1: memory alone.
 * The file gets a line of JSON appended for each row. */
#include "engine/protocol.h"
#include "engine/run/people.h"
#include "engine/run/scenario.h"
#include "engine/worlds/sim/queue.h"
#include "engine/worlds/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <malloc.h>

enum { RUNS = 5, EVENTS = 1000000, MANY_HOSTS = 500000, MANY_RUNS = 3 };

struct spread {
    double value, low, high; /* median, least, most */
};

static FILE *json;
static int most_runs = RUNS;

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

static struct spread spread_of(double *runs, size_t n)
{
    qsort(runs, n, sizeof *runs, compare);
    return (struct spread){runs[n / 2], runs[0], runs[n - 1]};
}

static void row(const char *name, const char *unit, struct spread s)
{
    if (json)
        fprintf(json,
                "{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.0f, \"low\": %.0f, "
                "\"high\": %.0f}\n",
                name, unit, s.value, s.low, s.high);
}

/* ---- scenarios
 * ------------------------------------------------------------------------ */

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

struct setting {
    const char *transport, *channel;
    bool lines; /* fibre and data centre */
    unsigned hosts, pings;
};

/* They come within a while, dial (the server's id is the lowest), and ping at a rate that the
 * server's line bears. At rest: they come over 20 s, for the slab keeps what was under way at the
 * busiest moment; and when the last one, 20 s behind them, has its pong and the trial is over, all
 * that the others sent is acknowledged and no timer is armed any more. */
static struct scenario *load_ping(const struct setting *o, bool rest)
{
    char text[1024];
    bool many = o->hosts > MANY_HOSTS;
    const char *last =
        rest ? "  - {name: last, region: us, role: client, access: fibre, start: 40s}\n" : "";
    snprintf(text, sizeof text,
             "schema: 1\n"
             "name: bench\n"
             "regions: {us: {us: 1ms, eu: 70ms}, eu: {eu: 1ms}}\n"
             "parties:\n"
             "  - {name: server, region: us, role: server%s}\n"
             "  - {name: client, count: %u, region: {us: 60%%, eu: 40%%}, role: "
             "client,\n"
             "     start: {uniform: %us}%s}\n%s"
             "protocol: {name: ping, size: 64B, count: %u, interval: %s}\n"
             "transport: \"%s\"\n"
             "channel: \"%s\"\n"
             "crypto: modelled\n"
             "observers: [{name: exposure, enabled: false}]\n"
             "limit: 36000s\n",
             o->lines ? ", access: data_centre" : "", o->hosts - 1,
             rest   ? 20
             : many ? 4
                    : 1,
             o->lines ? ", access: fibre" : "", last, o->pings, many ? "1s" : "40ms", o->transport,
             o->channel);
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
             "crypto: modelled\n"
             "observers: [{name: exposure, enabled: false}]\n",
             hosts);
    return load(text);
}

/* ---- messages
 * ------------------------------------------------------------------------- */

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
    if (result.timed_out || messages < result.metrics.counts[COUNT_MESSAGES] * 9 / 10) {
        fprintf(stderr, "bench_message: a trial did not finish\n");
        exit(1);
    }
    trial_result_free(&result, spec->roster->n_parties);
    return messages;
}

/* Protocol ping, but the clock is read when so many messages have come: every
 * channel is up. */
static uint64_t came, warm;
static double warm_at;

static void recv_counted(void *self, struct party *p, party_t from, struct label label,
                         const uint8_t *data, size_t len)
{
    extern const struct protocol protocol_ping;
    if (++came == warm)
        warm_at = seconds();
    protocol_ping.recv(self, p, from, label, data, len);
}

/* Messages a second. */
static struct spread messages(const struct setting *o)
{
    struct scenario *s = load_ping(o, false);
    struct protocol counted = *s->cells[0].spec.protocol;
    struct people people;
    int n = o->hosts > MANY_HOSTS && most_runs > MANY_RUNS ? MANY_RUNS : most_runs;
    double rates[RUNS], whole[RUNS];
    struct spread all, with;
    counted.recv = recv_counted;
    s->cells[0].spec.protocol = &counted;
    if (people_make(&people, &s->cells[0].spec, 1) != OK)
        exit(1);
    warm = (uint64_t)o->hosts * 2 * o->pings / 2;
    for (int i = 0; i < n; i++) {
        double began = seconds(), took;
        uint64_t messages;
        came = 0;
        messages = run(s);
        took = seconds();
        rates[i] = (double)(messages - warm) / (took - warm_at);
        whole[i] = (double)messages / (took - began);
    }
    people_free(&people);
    scenario_free(s);
    all = spread_of(rates, (size_t)n);
    with = spread_of(whole, (size_t)n);
    printf("%-6s  channel %-5s  %-11s %8u hosts %7.2f M messages/s (%.2f to "
           "%.2f, %d runs); "
           "%.2f M with making and connecting %u messages a host\n",
           o->transport, o->channel, o->lines ? "real lines" : "ideal lines", o->hosts,
           all.value * 1e-6, all.low * 1e-6, all.high * 1e-6, n, with.value * 1e-6, 2 * o->pings);
    return all;
}

/* ---- the loop by itself
 * --------------------------------------------------------------- */

/* Nanoseconds that the queue takes for an event whose handler does nothing but
 * the next. */
static void empty(unsigned pending)
{
    struct dice d = dice_name(1, "empty", pending, 0, 0);
    struct spread all;
    double runs[RUNS];
    for (int k = 0; k < RUNS; k++) {
        struct queue q = {0};
        uint64_t now = 0;
        double began;
        for (unsigned i = 0; i < pending; i++)
            queue_push(&q, (uint64_t)dice_exp(&d, 40 * NS_MS), &q);
        began = seconds();
        for (unsigned i = 0; i < EVENTS; i++) {
            void *what = queue_pop(&q, &now);
            queue_push(&q, now + 1 + (dice_u64(&d) & ((1U << 26) - 1)), what);
        }
        runs[k] = (seconds() - began) * 1e9 / EVENTS;
        queue_free(&q);
    }
    all = spread_of(runs, RUNS);
    printf("queue   %7u pending %7.1f ns an event of an empty handler (%.1f to "
           "%.1f): the loop's "
           "floor\n",
           pending, all.value, all.low, all.high);
}

/* ---- memory
 * ---------------------------------------------------------------------------
 */

/* Bytes that malloc has lent. */
static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

/* Those in use at the end of a trial, where an observer is asked for its last claims: all nodes
 * live. */
static size_t held;

static void look(void *self, ns_t now)
{
    (void)self, (void)now;
    held = in_use();
}

static int no_init(void *self, const struct observer_setup *setup, struct err *err)
{
    (void)self, (void)setup, (void)err;
    return OK;
}

static void no_see(void *self, const struct sighting *s)
{
    (void)self, (void)s;
}

/* What a trial of a scenario holds at its end, beyond the scenario's own. Frees the scenario. */
static double held_by(struct scenario *s)
{
    static const struct observer watcher = {
        .name = "bench", .size = 1, .init = no_init, .see = no_see, .end = look};
    const struct observer_spec watching = {.ops = &watcher};
    struct trial_spec *spec = &s->cells[0].spec;
    struct trial_result result;
    struct people people;
    struct err err;
    size_t before;
    if (people_make(&people, spec, 1) != OK)
        exit(1);
    before = in_use();
    spec->observers = &watching;
    spec->n_observers = 1;
    if (world_sim.run(spec, 1, NULL, NULL, &result, &err) != OK) {
        fprintf(stderr, "bench_message: %s\n", err.text);
        exit(1);
    }
    trial_result_free(&result, spec->roster->n_parties);
    people_free(&people);
    scenario_free(s);
    return (double)(held - before);
}

/* Messages of 64 bytes on their way over a path of two seconds when the trial is cut off: the
 * server dials and says hello at 4 s, which comes at 6 s. */
static struct scenario *load_flying(unsigned hosts, unsigned each)
{
    char text[512];
    snprintf(text, sizeof text,
             "schema: 1\n"
             "name: bench\n"
             "regions: {us: {us: 4s}}\n"
             "parties:\n"
             "  - {name: client, count: %u, region: us, role: client}\n"
             "  - {name: server, region: us, role: server}\n"
             "protocol: {name: ping, size: 64B, count: %u, interval: 1ms, one_way: true}\n"
             "transport: direct\n"
             "channel: none\n"
             "crypto: modelled\n"
             "observers: [{name: exposure, enabled: false}]\n"
             "limit: 7s\n",
             hosts, each);
    return load(text);
}

/* What one more idle host costs the simulator; what an open channel at rest adds to each of its two
 * ends, with the link and all that transport, channel and protocol keep of the peer; and what a
 * message on its way costs beyond the bytes that its link carries. */
static void memory(void)
{
    enum { FEW = 10000, MANY = 100000, SOME = 100000, EACH = 4, CARRIED = 64 + 16 + 8 + 1 };
    const struct setting talk = {"direct", "noise", true, 0, 1};
    double idle[RUNS], channel[RUNS], message[RUNS];
    struct spread all;
    mallopt(M_MMAP_MAX, 0); /* else what it maps by itself is not counted */
    for (int i = 0; i < RUNS; i++) {
        struct setting few = talk, many = talk;
        few.hosts = FEW;
        many.hosts = SOME;
        idle[i] = (held_by(load_idle(MANY)) - held_by(load_idle(FEW))) / (MANY - FEW);
        channel[i] =
            ((held_by(load_ping(&many, true)) - held_by(load_ping(&few, true))) / (SOME - FEW) -
             idle[i]) /
            2;
        message[i] =
            (held_by(load_flying(SOME, EACH)) - held_by(load_flying(SOME, 1))) / SOME / (EACH - 1) -
            CARRIED;
    }
    all = spread_of(idle, RUNS);
    printf("idle    %7d hosts %9.0f bytes a host beyond the scenario's own\n", MANY, all.value);
    row("idle_host_bytes", "bytes", all);
    all = spread_of(channel, RUNS);
    printf("channel %7d at rest %7.0f bytes more at each end\n", SOME, all.value);
    row("open_channel_bytes", "bytes", all);
    all = spread_of(message, RUNS);
    printf("message %7d in flight %5.0f bytes each beyond what its link carries\n", SOME * EACH,
           all.value);
    row("message_in_flight_bytes", "bytes", all);
}

/* ---- the table
 * ------------------------------------------------------------------------ */

static const struct {
    const char *name; /* of the row, if it is one */
    struct setting o;
} settings[] = {
    {NULL, {"null", "none", false, 1000, 500}},
    {NULL, {"direct", "none", false, 1000, 500}},
    {NULL, {"direct", "none", true, 1000, 500}},
    {NULL, {"direct", "noise", false, 1000, 500}},
    {"message_1000", {"direct", "noise", true, 1000, 500}},
    {"message_100000", {"direct", "noise", true, 100000, 25}},
    {"message_1000000", {"direct", "noise", true, 1000000, 4}},
};

int main(int argc, char **argv)
{
    const char *path = NULL;
    unsigned hosts = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--json") == 0)
            path = argv[i + 1];
        else if (strcmp(argv[i], "--runs") == 0)
            most_runs = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--hosts") == 0)
            hosts = (unsigned)strtoul(argv[i + 1], NULL, 10);
    if (most_runs < 1 || most_runs > RUNS)
        most_runs = RUNS;
    if (path && !(json = fopen(path, "a"))) {
        perror(path);
        return 1;
    }
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const struct setting *o = &settings[i].o;
        struct spread s;
        if (hosts && hosts != o->hosts)
            continue;
        s = messages(o);
        if (settings[i].name)
            row(settings[i].name, "per_second", s);
    }
    if (!hosts) {
        empty(2000);
        empty(200000);
        empty(2000000);
    }
    if (hosts <= 1) {
        memory();
    }
    return json ? fclose(json) != 0 : 0;
}
