/* What a large session costs, and what a second core brings: the whole program,
 * run again and again as its user would.
 *
 *   crowd_seconds, crowd_bytes   study/crowd.yaml with a million clients on one
 * core: CPU time (user and system), and the most memory that was resident; the
 * median of 3 runs, as each takes its time crowd_slope_ppm              how CPU
 * time grows with the clients: the slope of a line through 10,000, 100,000 and
 * a million, log-log, by least squares; 10^6 is linear. The medians' slope;
 * least and most of run by run parallel_efficiency_ppm      half a run's wall
 * time with -j1 over that with -j2; the median of 5, taken in turn. Work of
 * others on this machine takes from it: beside it, what the second worker costs
 * in CPU time
 *
 * usage: bench_crowd PROGRAM [--json FILE] [--quick]
 * The file gets a line of JSON appended for each row. --quick: up to 100,000
 * clients, for a look. */
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 5, LARGE_RUNS = 3, SIZES = 3, ARGS = 24 };

struct cost {
    double wall, cpu, bytes;
};

struct spread {
    double value, low, high;
};

static const char *program;
static FILE *json;
static char folder[] = "/tmp/bench_crowd.XXXXXX";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs it to its end; its words go nowhere unless it fails. */
static struct cost run(const char *const *args)
{
    double began = wall();
    struct rusage used;
    int status;
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        execv(program, (char *const *)(unsigned long)args);
        _exit(127);
    }
    if (wait4(child, &status, 0, &used) < 0)
        die("wait4");
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "bench_crowd: %s %s %s did not succeed\n", args[0], args[1], args[2]);
        exit(1);
    }
    /* Workers are children of the program: what they used is in what it used. */
    return (struct cost){wall() - began, seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
                         (double)used.ru_maxrss * 1024};
}

static void clear(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        die(command);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct spread spread_of(const double *runs, int n)
{
    double sorted[RUNS];
    memcpy(sorted, runs, (size_t)n * sizeof *runs);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    return (struct spread){sorted[n / 2], sorted[0], sorted[n - 1]};
}

static void row(const char *name, const char *unit, struct spread s)
{
    if (json)
        fprintf(json,
                "{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.0f, \"low\": %.0f, "
                "\"high\": %.0f}\n",
                name, unit, s.value, s.low, s.high);
}

/* ---- a crowd
 * -------------------------------------------------------------------------- */

static struct cost crowd(int size)
{
    char count[48], out[64];
    const char *args[ARGS] = {
        program, "run", "scenarios/study/crowd.yaml", "--quiet", "-j", "1", "--set", count,
        "--out", out};
    snprintf(count, sizeof count, "parties.count=%d", size + 1);
    snprintf(out, sizeof out, "%s/crowd", folder);
    clear();
    return run(args);
}

static double slope(const double *sizes, const double *costs, int n)
{
    double x = 0, y = 0, xx = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        double a = log(sizes[i]), b = log(costs[i]);
        x += a, y += b, xx += a * a, xy += a * b;
    }
    return (n * xy - x * y) / (n * xx - x * x);
}

static void crowds(int n)
{
    static const double sizes[SIZES] = {10000, 100000, 1000000};
    double cpu[SIZES][RUNS], bytes[RUNS], medians[SIZES], slopes[RUNS];
    struct spread s, used = {0};
    for (int i = 0; i < n; i++) {
        int runs = i + 1 < SIZES ? RUNS : LARGE_RUNS;
        for (int k = 0; k < runs; k++) {
            struct cost c = crowd((int)sizes[i]);
            cpu[i][k] = c.cpu;
            bytes[k] = c.bytes;
        }
        s = spread_of(cpu[i], runs);
        used = spread_of(bytes, runs);
        medians[i] = s.value;
        printf("crowd %8.0f parties %8.2f s of CPU time (%.2f to %.2f, %d runs) "
               "%8.1f MiB\n",
               sizes[i], s.value, s.low, s.high, runs, used.value / 1048576);
    }
    if (n == SIZES) {
        row("crowd_seconds", "seconds", s);
        row("crowd_bytes", "bytes", used);
    }
    for (int k = 0; k < LARGE_RUNS; k++) {
        double costs[SIZES];
        for (int i = 0; i < n; i++)
            costs[i] = cpu[i][k];
        slopes[k] = 1e6 * slope(sizes, costs, n);
    }
    s = spread_of(slopes, LARGE_RUNS);
    s.value = 1e6 * slope(sizes, medians, n);
    s.low = s.low < s.value ? s.low : s.value;
    s.high = s.high > s.value ? s.high : s.value;
    printf("crowd, log-log slope    %8.3f (%.3f to %.3f)\n", s.value * 1e-6, s.low * 1e-6,
           s.high * 1e-6);
    if (n == SIZES)
        row("crowd_slope_ppm", "ppm", s);
}

/* ---- two cores
 * ------------------------------------------------------------------------ */

/* Eight trials of 50,000 clients: what they share, reading the scenario above all, is a small part,
 * as in a sweep. (parties.count would have a million names read for them.) */
static struct cost trials(const char *jobs, const char *name)
{
    char out[64];
    const char *args[ARGS] = {program, "run",   "scenarios/study/crowd.yaml", "--quiet",  "-j",
                              jobs,    "--set", "parties.crowd.count=50000",  "--repeat", "8",
                              "--out", out};
    snprintf(out, sizeof out, "%s/%s", folder, name);
    return run(args);
}

static bool same(const char *what)
{
    char command[256];
    snprintf(command, sizeof command, "diff -r %s/1/%s %s/2/%s", folder, what, folder, what);
    return system(command) == 0;
}

static void parallel(void)
{
    static const char *const files[] = {"manifest.json", "summary.json", "digest",
                                        "exposure.csv",  "latency.hlog", "trials"};
    double efficiency[RUNS], cost[RUNS];
    struct spread s, c;
    for (int i = 0; i < RUNS; i++) {
        struct cost one, two;
        clear();
        if (mkdtemp(strcpy(folder, "/tmp/bench_crowd.XXXXXX")) == NULL)
            die(folder);
        one = trials("1", "1");
        two = trials("2", "2");
        efficiency[i] = 1e6 * one.wall / 2 / two.wall;
        cost[i] = two.cpu / one.cpu;
        for (size_t k = 0; k < sizeof files / sizeof files[0]; k++)
            if (!same(files[k])) {
                fprintf(stderr, "bench_crowd: -j1 and -j2 differ in %s\n", files[k]);
                exit(1);
            }
    }
    s = spread_of(efficiency, RUNS);
    c = spread_of(cost, RUNS);
    printf("two cores, efficiency   %8.3f (%.3f to %.3f), the same bytes; CPU "
           "time %.3f times that "
           "of one core; %.0f cores here\n",
           s.value * 1e-6, s.low * 1e-6, s.high * 1e-6, c.value,
           (double)sysconf(_SC_NPROCESSORS_ONLN));
    row("parallel_efficiency_ppm", "ppm", s);
}

int main(int argc, char **argv)
{
    bool quick = false;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc && !(json = fopen(argv[++i], "a")))
            die(argv[i]);
    if (argc < 2) {
        fputs("usage: bench_crowd PROGRAM [--json FILE] [--quick]\n", stderr);
        return 2;
    }
    program = argv[1];
    if (mkdtemp(folder) == NULL)
        die(folder);
    parallel();
    crowds(quick ? SIZES - 1 : SIZES);
    clear();
    return json ? fclose(json) != 0 : 0;
}
