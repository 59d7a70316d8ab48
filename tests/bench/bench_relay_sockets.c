/* How much a relay forwards for a second of its CPU, over real sockets on loopback: the node of a
 * real run, alone in its process; the parties are all in this one and pass messages around a ring.
 * Counted is its process's CPU time, user and system, while messages go round, so what else the
 * machine does matters little. A forwarded message is one that comes from a client and leaves
 * to another. Under Noise the relay opens and seals each one. With one message a party on its way
 * the relay gets and sends each by itself, with eight those of a link travel together.
 *
 * usage: bench_relay_sockets [--json FILE] [PARTIES [SECONDS]] */
#include "tests/bench/ring.h"
#include "tests/unit/uv_bed.h"

#include <sodium.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const struct transport transport_relay;

struct measure {
    struct uv_bed *uv;
    clockid_t clock; /* the relay's CPU */
    double cpu, cpu_after;
    uint64_t passed, passed_after;
    ns_t from, until; /* from 0: not all messages go round yet */
    ns_t length;
};

static double read_clock(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void on_tick(uv_timer_t *tick)
{
    struct measure *m = tick->data;
    ns_t now = uv_bed_now(m->uv);
    if (!m->from && ring_passed >= ring_parties * 200) {
        m->from = now;
        m->cpu = read_clock(m->clock);
        m->passed = ring_passed;
    } else if ((m->from && now - m->from >= m->length) || now >= m->until) {
        m->cpu_after = read_clock(m->clock);
        m->passed_after = ring_passed;
        uv_stop(&m->uv->loop);
    }
}

static void serve(struct uv_bed *uv, uint32_t relay)
{
    uv_loop_init(&uv->loop);
    if (uv_bed_start(uv, relay) == OK)
        uv_run(&uv->loop, UV_RUN_DEFAULT);
    fprintf(stderr, "bench_relay_sockets: %s\n", uv->err.text);
    _exit(1);
}

static int prepare(struct uv_bed *uv, struct bed *b, struct trial_result *r)
{
    uint32_t n = b->roster.n;
    int rc = local_ports_take(&uv->ports, n, &uv->err);
    uv->spec = &b->spec;
    uv->result = r;
    uv->origin = (ns_t)uv_hrtime();
    metrics_init(&r->metrics);
    signal(SIGPIPE, SIG_IGN);
    for (uint32_t i = 0; rc == OK && i < n; i++) {
        rc = uvplace_resolve("127.0.0.1", uv->ports.first[i], &uv->places[i].address, &uv->err);
        uv->places[i].bind = uv->places[i].address;
    }
    return rc == OK ? crowds_find(&uv->crowds, &b->roster) : rc;
}

static int drive(struct uv_bed *uv, struct measure *m, pid_t relay)
{
    uv_timer_t tick;
    int rc = clock_getcpuclockid(relay, &m->clock) == 0 ? OK : ERR_IO;
    uv_loop_init(&uv->loop);
    uv_timer_init(&uv->loop, &tick);
    tick.data = m;
    uv_timer_start(&tick, on_tick, 10, 10);
    m->uv = uv;
    m->until = uv_bed_now(uv) + 60 * NS_S;
    for (uint32_t i = 0; rc == OK && i < ring_parties; i++)
        rc = uv_bed_start(uv, i);
    if (rc == OK)
        uv_run(&uv->loop, UV_RUN_DEFAULT);
    for (uint32_t i = 0; i < ring_parties; i++)
        uv_bed_stop(uv, i);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&uv->loop, UV_RUN_DEFAULT);
    uv_loop_close(&uv->loop);
    return rc;
}

static void finish(struct uv_bed *uv, struct bed *b, struct trial_result *r)
{
    for (uint32_t i = 0; i < b->roster.n; i++)
        uvstore_close(uv->nodes[i].store);
    crowds_free(&uv->crowds);
    local_ports_give(&uv->ports);
    metrics_free(&r->metrics);
    bed_free(b);
}

/* Microseconds of the relay's CPU for each message; 0: it failed. */
static double bench(enum channel_mode channel, uint32_t bytes, uint32_t in_flight, ns_t length,
                    FILE *rows)
{
    static struct uv_bed uv;
    struct trial_result r = {0};
    struct measure m = {.length = length};
    const char *security = channel == CHANNEL_NOISE ? "noise" : "clear";
    struct bed b;
    double each;
    pid_t relay;
    uv = (struct uv_bed){0};
    ring_bytes = bytes;
    ring_in_flight = in_flight;
    ring_passed = 0;
    ring_wanted = UINT64_MAX;
    if (!bed_make(&b, &transport_relay, &protocol_ring, ring_parties))
        return 0;
    b.spec.channel = channel;
    if (!bed_people(&b) || prepare(&uv, &b, &r) != OK || (relay = fork()) < 0)
        return 0;
    if (relay == 0)
        serve(&uv, ring_parties);
    if (drive(&uv, &m, relay) != OK || m.passed_after <= m.passed || m.cpu_after <= m.cpu)
        fprintf(stderr, "bench_relay_sockets: nothing was relayed; %s\n", uv.err.text);
    kill(relay, SIGKILL);
    waitpid(relay, NULL, 0);
    finish(&uv, &b, &r);
    if (m.passed_after <= m.passed || m.cpu_after <= m.cpu)
        return 0;
    each = (m.cpu_after - m.cpu) * 1e6 / (double)(m.passed_after - m.passed);
    printf(
        "our relay, %s, %u on their way, %4u bytes: %6.2f us of CPU a message, %7.0f forwarded a "
        "CPU second\n",
        security, in_flight, bytes, each, 1e6 / each);
    if (rows)
        fprintf(
            rows,
            "{\"name\": \"relay_%s_%u_%u\", \"unit\": \"per_second\", \"value\": %.0f, \"low\": "
            "%.0f, \"high\": %.0f}\n",
            security, in_flight, bytes, 1e6 / each, 1e6 / each, 1e6 / each);
    return each;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {100, 1024};
    FILE *rows = NULL;
    bool good = true;
    ns_t length;
    if (argc > 2 && strcmp(argv[1], "--json") == 0) {
        rows = fopen(argv[2], "a");
        argc -= 2;
        argv += 2;
    }
    ring_parties = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20;
    length = (argc > 2 ? (ns_t)strtoul(argv[2], NULL, 10) : 3) * NS_S;
    if (ring_parties < 2 || ring_parties > BED_NODES - 4 || length < NS_S || sodium_init() < 0) {
        fprintf(stderr, "bench_relay_sockets: 2 to %d parties, 1 second and more\n", BED_NODES - 4);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (uint32_t in_flight = 1; in_flight <= 8; in_flight *= 8) {
            good &= bench(CHANNEL_NOISE, sizes[i], in_flight, length, rows) > 0;
            good &= bench(CHANNEL_NONE, sizes[i], in_flight, length, rows) > 0;
        }
    if (rows)
        fclose(rows);
    return !good;
}
