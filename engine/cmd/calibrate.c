#include "engine/cmd/cmd.h"

#include "engine/run/calibrate.h"
#include "engine/run/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const struct cmd_option options[] = {
    {"--out", "FILE", "instead of scenarios/compute/calibrated.yaml of the program; - is stdout"},
    {"--help", NULL, "this text"},
    {0},
};

/* "model name" of x86's /proc/cpuinfo; elsewhere only the architecture is known. */
static void print_machine(FILE *f)
{
    char line[256] = "";
    struct utsname u;
    FILE *cpu = fopen("/proc/cpuinfo", "r");
    while (cpu && fgets(line, sizeof line, cpu) && strncmp(line, "model name", 10) != 0)
        line[0] = 0;
    if (cpu)
        fclose(cpu);
    char *name = strchr(line, ':');
    if (name)
        name[strcspn(name, "\n")] = 0;
    fprintf(f, "# Measured by `partyline calibrate`: CPU time of one thread, medians.\n# %s%s\n",
            uname(&u) == 0 ? u.machine : "", name ? name : "");
}

static void print_table(FILE *f, const ns_t *costs)
{
    static const char *const names[] = {
#define X(id, text) text,
        ENV_COSTS(X)
#undef X
    };
    print_machine(f);
    for (int i = 0; i < COST_COUNT; i++)
        fprintf(f, "%s: %" PRId64 "ns\n", names[i], costs[i]);
}

static int save(const char *path, const ns_t *costs, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc;
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory");
    print_table(f, costs);
    rc = fclose(f) == 0 ? files_write(path, text, len, e) : err_set(e, ERR_NOMEM, "no memory");
    free(text);
    return rc;
}

static int run_calibrate(const struct cmd_args *args)
{
    const char *out = cmd_given(args, "--out");
    char path[4096];
    ns_t costs[COST_COUNT];
    struct err e = {0};
    if (args->n_files) {
        fprintf(stderr, "partyline calibrate: expected no file; --out names one\n");
        return EXIT_USAGE;
    }
    if (calibrate(costs, &e) != OK) {
        fprintf(stderr, "partyline calibrate: %s\n", e.text);
        return EXIT_BUG;
    }
    print_table(stdout, costs);
    if (out && strcmp(out, "-") == 0)
        return EXIT_DONE;
    if (!out) {
        snprintf(path, sizeof path, "%s/compute", scenario_data_dir());
        if (files_make_dir(path, &e) != OK) {
            fprintf(stderr, "partyline calibrate: %s\n", e.text);
            return EXIT_LACKING;
        }
        snprintf(path, sizeof path, "%s/compute/calibrated.yaml", scenario_data_dir());
        out = path;
    }
    if (save(out, costs, &e) != OK) {
        fprintf(stderr, "partyline calibrate: %s\n", e.text);
        return EXIT_LACKING;
    }
    fprintf(stderr, "partyline calibrate: written to %s\n", out);
    return EXIT_DONE;
}

const struct cmd cmd_calibrate = {
    .name = "calibrate",
    .usage = "[--out FILE]",
    .help = "Measures what operations cost on this machine: a table for `compute: calibrated`.",
    .options = options,
    .run = run_calibrate,
};
