/* How fast the simulator is: the pending event set by itself (hold model: take the first, put
 * one in again), and messages through env and link model between nodes that do next to
 * nothing. Prints nanoseconds an operation, and messages a second.
 *
 * usage: bench_sim [HOSTS [MESSAGES]] */
#include "engine/node.h"
#include "engine/worlds/sim/queue.h"
#include "engine/worlds/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the queue ------------------------------------------------------------------------ */

static void hold(size_t pending, unsigned operations)
{
    enum { TABLE = 1 << 14 };
    static uint64_t steps[TABLE];
    struct dice d = dice_name(1, "hold", pending, 0, 0);
    struct queue q = {0};
    double began;
    uint64_t now = 0;
    for (unsigned i = 0; i < TABLE; i++)
        steps[i] = 1 + (uint64_t)dice_exp(&d, 50 * NS_MS);
    for (size_t i = 0; i < pending; i++)
        queue_push(&q, steps[i % TABLE], &q);
    began = seconds();
    for (unsigned i = 0; i < operations; i++) {
        void *what = queue_pop(&q, &now);
        queue_push(&q, now + steps[(i * 7919 + (now & 1023)) % TABLE], what);
    }
    printf("hold, %7zu pending: %6.1f ns\n", pending, (seconds() - began) * 1e9 / operations);
    queue_free(&q);
}

/* ---- nodes that only pass messages on ------------------------------------------------- */

enum { PORT = 1, IN_FLIGHT = 4 };

struct node {
    struct env *env;
    uint32_t self;
};

static uint32_t hosts;
static uint64_t wanted, passed;
static size_t size;
static enum link_kind kind;

static void on_event(void *node, const struct event *ev)
{
    static const uint8_t zeros[LINK_MESSAGE_MAX];
    struct node *n = node;
    struct env *env = n->env;
    link_t link;
    if (ev->kind == EV_DATA) {
        if (++passed < wanted)
            (void)env->ops->send(env, ev->link, ev->data, ev->len);
        else
            env->ops->done(env);
    } else if (ev->kind == EV_START) {
        struct addr to = {.port = PORT};
        to.ip[15] = 1;
        to.ip[0] = (uint8_t)(((n->self + 1) % hosts) >> 8);
        to.ip[1] = (uint8_t)((n->self + 1) % hosts);
        to.ip[2] = (uint8_t)(((n->self + 1) % hosts) >> 16);
        (void)env->ops->open(env, kind, to, &link);
    } else if (ev->kind == EV_UP && ev->local.port != PORT) {
        for (int i = 0; i < IN_FLIGHT; i++)
            (void)env->ops->send(env, ev->link, zeros, size);
    }
}

int node_new(struct node **out, const struct node_config *config, struct env *env, struct err *err)
{
    struct node *n = calloc(1, sizeof *n);
    (void)err;
    if (!n)
        return ERR_NOMEM;
    n->env = env;
    n->self = config->self;
    env->node = n;
    env->event = on_event;
    *out = n;
    return OK;
}
void node_free(struct node *n)
{
    free(n);
}
struct outcome node_outcome(const struct node *n)
{
    (void)n;
    return (struct outcome){0};
}
ns_t node_completion(const struct node *n)
{
    (void)n;
    return -1;
}
void node_expect(const struct node *n, uint32_t tag, unsigned step)
{
    (void)n, (void)tag, (void)step;
}
uint64_t node_useful_bytes(const struct node *n)
{
    (void)n;
    return 0;
}
void node_waiting(const struct node *n, char *buf, size_t cap)
{
    (void)n;
    snprintf(buf, cap, "-");
}
const struct accept *node_accepts(const struct trial_spec *t, uint32_t self)
{
    static const struct accept accepts[] = {
        {PORT, LINK_MESSAGE}, {PORT, LINK_HANDOVER}, {0, LINK_MESSAGE}};
    (void)t;
    (void)self;
    return accepts;
}

static void messages(const char *what, enum link_kind link_kind, size_t bytes,
                     const struct access *access)
{
    struct roster_entry *entries = calloc(hosts, sizeof *entries);
    struct host_spec *specs = calloc(hosts, sizeof *specs);
    const ns_t rtt[4] = {NS_MS, 80 * NS_MS, 80 * NS_MS, NS_MS};
    const struct regions regions = {.n = 2, .rtt = rtt};
    struct roster roster = {.n = hosts, .n_parties = 1, .entries = entries};
    struct trial_spec spec = {
        .roster = &roster, .hosts = specs, .regions = &regions, .limit = 1000000 * NS_S};
    struct trial_result result;
    struct err err;
    double took;
    if (!entries || !specs)
        exit(1);
    for (uint32_t i = 0; i < hosts; i++) {
        entries[i] = (struct roster_entry){.name = "host", .role = "party"};
        entries[i].addr.ip[0] = (uint8_t)(i >> 8);
        entries[i].addr.ip[1] = (uint8_t)i;
        entries[i].addr.ip[2] = (uint8_t)(i >> 16);
        entries[i].addr.ip[15] = 1;
        specs[i] = (struct host_spec){.region = i & 1, .access = *access};
        specs[i].access.latency += (ns_t)i * 977;
    }
    kind = link_kind;
    size = bytes;
    passed = 0;
    took = seconds();
    if (world_sim.run(&spec, 1, NULL, NULL, &result, &err) != OK) {
        fprintf(stderr, "bench_sim: %s\n", err.text);
        exit(1);
    }
    took = seconds() - took;
    printf("%-44s %6.1f ns a message, %5.2f million a second, digest %016" PRIx64 "\n", what,
           took * 1e9 / (double)passed, (double)passed / took * 1e-6, result.digest);
    trial_result_free(&result, 1);
    free(entries);
    free(specs);
}

int main(int argc, char **argv)
{
    const struct access ideal = {0}, rated = {.up_bps = 1000000000, .down_bps = 1000000000},
                        full = {.up_bps = 1000000000,
                                .down_bps = 1000000000,
                                .jitter = NS_MS,
                                .loss_ppm = 1000};
    hosts = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000;
    hold(1000, 5000000);
    hold(100000, 3000000);
    hold(1000000, 2000000);
    printf("%" PRIu32 " hosts, %d messages each on its way to its neighbour:\n", hosts, IN_FLIGHT);
    messages("handed over, 64 bytes", LINK_HANDOVER, 64, &ideal);
    messages("TCP, 64 bytes", LINK_MESSAGE, 64, &ideal);
    messages("TCP, 64 bytes, 1 Gbit/s", LINK_MESSAGE, 64, &rated);
    messages("TCP, 64 bytes, 1 Gbit/s, jitter, 0.1 % loss", LINK_MESSAGE, 64, &full);
    messages("TCP, 8 KiB, 1 Gbit/s", LINK_MESSAGE, 8192, &rated);
    return 0;
}
