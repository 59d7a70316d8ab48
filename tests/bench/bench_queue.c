/* How fast the pending event set is. Hold model: take the first, put one in again that is a
 * random time later. Rows for 16 to 1,000,000 pending events, whose increments are exponential,
 * and for 100,000 with other distributions, of which the slowest is hold_worst_100000. In CPU
 * time, so that neighbours cost less: the median of the runs, the slowest and the fastest.
 *
 * usage: bench_queue [--runs N] [--json FILE]
 * The file gets a line of JSON appended for each row, in holds per second. */
#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/worlds/sim/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Increments are drawn before the clock runs. A prime number of them, so that no event meets the
 * same ones again and again. */
enum { TABLE = 65521, MOST_RUNS = 99, WORST_PENDING = 100000 };

static const int64_t mean = 50000000; /* ns */

static uint32_t exponential(struct dice *d)
{
    int64_t x = dice_exp(d, mean);
    return x > UINT32_MAX ? UINT32_MAX : (uint32_t)x;
}
static uint32_t uniform(struct dice *d)
{
    return (uint32_t)dice_below(d, 2 * (uint64_t)mean);
}
static uint32_t bimodal(struct dice *d)
{
    uint64_t near = (uint64_t)mean / 10, far = 9 * (uint64_t)mean;
    return (uint32_t)(dice_chance(d, 900000) ? dice_below(d, near) : far + dice_below(d, near));
}
static uint32_t near_constant(struct dice *d)
{
    return (uint32_t)((uint64_t)mean + dice_below(d, (uint64_t)mean / 100));
}
static uint32_t ties(struct dice *d)
{
    (void)d;
    return (uint32_t)mean;
}
/* Every power of two up to 2^31 as likely as every other. */
static uint32_t heavy_tail(struct dice *d)
{
    uint64_t power = UINT64_C(1) << dice_below(d, 31);
    return (uint32_t)(power + dice_below(d, power));
}
/* Three latencies, and often none. */
static uint32_t few_values(struct dice *d)
{
    static const uint32_t values[] = {0, 0, 500000, 20000000, 150000000};
    return values[dice_below(d, 5)];
}
/* Most happens within a microsecond, at a few of the pending events. */
static uint32_t hot(struct dice *d)
{
    return dice_chance(d, 990000) ? (uint32_t)dice_below(d, 1000) : exponential(d);
}

static const struct {
    const char *name;
    uint32_t (*draw)(struct dice *);
} distributions[] = {{"exponential", exponential}, {"uniform", uniform},
                     {"bimodal", bimodal},         {"near-constant", near_constant},
                     {"all ties", ties},           {"heavy tail", heavy_tail},
                     {"few values", few_values},   {"hot spot", hot}};

enum { DISTRIBUTIONS = sizeof distributions / sizeof distributions[0] };

struct row {
    uint64_t median, low, high; /* holds per second */
};

static uint32_t increments[TABLE];

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_queue: %s\n", what);
    exit(1);
}

/* Seconds for so many holds, and what the loop itself needs if there is no queue. */
static double hold(struct queue *q, size_t holds, size_t *at)
{
    double began = seconds();
    uint64_t now;
    size_t i = *at;
    for (size_t k = 0; k < holds; k++) {
        void *what = queue_pop(q, &now);
        if (queue_push(q, now + increments[i], what) != OK)
            die("out of memory");
        i = i + 1 < TABLE ? i + 1 : 0;
    }
    *at = i;
    return seconds() - began;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static struct row measure(size_t pending, unsigned distribution, int runs)
{
    struct dice d = dice_name(1, "hold", pending, distribution, 0);
    size_t holds = pending > 500000 ? 4 * pending : 2000000, at = 0;
    uint64_t rates[MOST_RUNS];
    for (size_t i = 0; i < TABLE; i++)
        increments[i] = distributions[distribution].draw(&d);
    for (int run = 0; run < runs; run++) {
        struct queue q = {0};
        for (size_t i = 0; i < pending; i++)
            if (queue_push(&q, distributions[distribution].draw(&d), &q) != OK)
                die("out of memory");
        (void)hold(&q, 3 * pending, &at);
        rates[run] = (uint64_t)((double)holds / hold(&q, holds, &at));
        queue_free(&q);
    }
    qsort(rates, (size_t)runs, sizeof rates[0], by_value);
    return (struct row){rates[runs / 2], rates[0], rates[runs - 1]};
}

static void print(const char *name, const char *distribution, const struct row *r)
{
    printf("%-18s %-14s %8.1f %8.1f %8.1f\n", name, distribution, (double)r->median * 1e-6,
           (double)r->low * 1e-6, (double)r->high * 1e-6);
    fflush(stdout);
}

static void write_json(FILE *f, const char *name, const struct row *r)
{
    if (f)
        fprintf(f,
                "{\"name\": \"%s\", \"unit\": \"per_second\", \"value\": %" PRIu64
                ", \"low\": %" PRIu64 ", \"high\": %" PRIu64 "}\n",
                name, r->median, r->low, r->high);
}

static void bench(FILE *json, int runs)
{
    static const size_t sizes[] = {16, 1000, 100000, 1000000};
    struct row worst = {.median = UINT64_MAX};
    const char *slowest = "";
    printf("%-18s %-14s %8s %8s %8s   M holds per second\n", "row", "increments", "median", "low",
           "high");
    for (unsigned i = 0; i < 4; i++) {
        struct row r = measure(sizes[i], 0, runs);
        char name[32];
        snprintf(name, sizeof name, "hold_%zu", sizes[i]);
        print(name, distributions[0].name, &r);
        write_json(json, name, &r);
        if (sizes[i] == WORST_PENDING) {
            worst = r;
            slowest = distributions[0].name;
        }
    }
    for (unsigned i = 1; i < DISTRIBUTIONS; i++) {
        struct row r = measure(WORST_PENDING, i, runs);
        print("  100000 pending", distributions[i].name, &r);
        if (r.median < worst.median) {
            worst = r;
            slowest = distributions[i].name;
        }
    }
    print("hold_worst_100000", slowest, &worst);
    write_json(json, "hold_worst_100000", &worst);
}

int main(int argc, char **argv)
{
    FILE *json = NULL;
    int runs = 5;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--runs") == 0)
            runs = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--json") == 0)
            json = fopen(argv[i + 1], "a");
        else
            die("usage: bench_queue [--runs N] [--json FILE]");
        if (strcmp(argv[i], "--json") == 0 && !json)
            die("the file can't be opened");
    }
    if (runs < 1 || runs > MOST_RUNS)
        die("from 1 to 99 runs");
    bench(json, runs);
    if (json && fclose(json) != 0)
        die("the file can't be written");
    return 0;
}
