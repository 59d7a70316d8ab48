#include "engine/cmd/cmd.h"

#include "engine/run/outputs.h"
#include "engine/run/table.h"

#include <stdlib.h>

static const struct cmd_option options[] = {
    {"--world", "W", "the world to run in (default sim; see partyline list worlds)"},
    {"--inventory", "FILE", "where the hosts are, for the world hosts: an inventory of Ansible"},
    {"--seed", "N", "instead of the scenario's seed"},
    {"--repeat", "N", "trials per cell, instead of the scenario's"},
    {"-j", "N", "worker processes (default: one a core); the output does not depend on it"},
    {"--set", "KEY.PATH=VALUE", "overrides a key of the scenario; repeatable"},
    {"--only", "AXIS=VALUE", "only the cells with this value of an axis; repeatable"},
    {"--out", "DIR", "the results folder (default results/SCENARIO/WORLD-ID)"},
    {"--resume", NULL, "keep finished trials of this very run and do the others"},
    {"--trace", NULL, "keep a recording of every trial in traces/: a line an event"},
    {"--sightings", NULL, "keep what there was to see in sightings/, for partyline observe"},
    {"--dry-run", NULL, "say what would be run"},
    {"--json", NULL, "print summary.json instead of the table"},
    {"--quiet", NULL, "no progress bar, no table"},
    {"--help", NULL, "this text"},
    {0},
};

static void print_plan(const struct run *r)
{
    char name[512];
    for (size_t i = 0; i < r->n_cells; i++)
        printf("cell %u: %u trials%s%s\n", (unsigned)r->cells[i].cell->index,
               (unsigned)r->cells[i].cell->repeat, r->scenario->n_axes ? ": " : "",
               outputs_cell_name(r->cells[i].cell, name, sizeof name));
    printf("%u trials in world %s into %s\n", (unsigned)r->n_trials, r->opts.world->name, r->dir);
}

static int run_scenario(const struct cmd_args *args, const struct run_options *opts,
                        const struct scenario *s)
{
    struct diag_list diags;
    struct err e = {0};
    struct run r;
    int code, rc;
    diag_init(&diags);
    rc = run_init(&r, s, opts, &diags, &e);
    if (rc != OK) {
        diag_print(&diags, stderr);
        fprintf(stderr, "partyline: %s: %s\n", s->file, e.text);
        code = rc == ERR_INVALID ? EXIT_SCENARIO : rc == ERR_ABSENT ? EXIT_USAGE : EXIT_LACKING;
    } else if (cmd_given(args, "--dry-run")) {
        print_plan(&r);
        code = EXIT_DONE;
    } else {
        code = run_all(&r);
        if (code == EXIT_DONE || code == EXIT_TRIAL_FAILED || code == EXIT_UNMET ||
            (r.wall_s > 0 && (code == EXIT_LEFT_BEHIND || code == EXIT_POOR))) {
            if (cmd_given(args, "--json")) {
                json_t *o = outputs_summary(&r);
                json_dumpf(o, stdout, JSON_SORT_KEYS | JSON_INDENT(1));
                putchar('\n');
                json_decref(o);
            } else if (!opts->quiet) {
                table_print(&r, stdout, cmd_colour(stdout));
            }
        }
        if (code == EXIT_TRIAL_FAILED || code == EXIT_UNMET)
            fprintf(stderr, "partyline: %s: %s\n", s->file,
                    code == EXIT_UNMET ? "an expectation is unmet" : "a trial failed");
    }
    diag_free(&diags);
    run_free(&r);
    return code;
}

static int run_file(const struct cmd_args *args, struct run_options *opts, const char *file)
{
    struct scenario *s = NULL;
    int code = cmd_load(args, file, &s);
    if (code != EXIT_DONE)
        return code;
    code = run_scenario(args, opts, s);
    scenario_free(s);
    return code;
}

static int parse_jobs(const char *text, unsigned *jobs)
{
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;
    if (text && (*text < '0' || *text > '9' || *end || n < 1 || n > 256)) {
        fprintf(stderr, "partyline run: -j %s: expected a number from 1 to 256\n", text);
        return ERR_INVALID;
    }
    *jobs = (unsigned)n;
    return OK;
}

/* What of the command line makes the run what it is, but the scenario. */
static size_t find_words(const struct cmd_args *args, const char *words[2 * CMD_SETS_MAX])
{
    static const char *const kept[] = {"--world",  "--inventory", "--seed",
                                       "--repeat", "--set",       "--only"};
    size_t n = 0;
    for (size_t i = 0; i < args->n_given; i++)
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            if (strcmp(args->given[i].option->name, kept[k]) == 0) {
                words[n++] = kept[k];
                words[n++] = args->given[i].value;
            }
    return n;
}

static int run(const struct cmd_args *args)
{
    const char *words[2 * CMD_SETS_MAX];
    struct run_options opts = {
        .world = cmd_world(args),
        .out = cmd_given(args, "--out"),
        .inventory = cmd_given(args, "--inventory"),
        .resume = cmd_given(args, "--resume") != NULL,
        .quiet = cmd_given(args, "--quiet") != NULL,
        .trace = cmd_given(args, "--trace") != NULL,
        .sightings = cmd_given(args, "--sightings") != NULL,
    };
    struct scenario_set only[CMD_SETS_MAX];
    char *copies[CMD_SETS_MAX];
    size_t cursor = 0, n = 0;
    const char *value;
    int worst = EXIT_DONE;
    if (!opts.world || parse_jobs(cmd_given(args, "-j"), &opts.jobs) != OK)
        return EXIT_USAGE;
    if (args->n_files == 0) {
        fprintf(stderr, "partyline run: which scenario? usage: partyline run %s\n", cmd_run.usage);
        return EXIT_USAGE;
    }
    if (opts.out && args->n_files > 1) {
        fprintf(stderr, "partyline run: --out takes one scenario, not %zu\n", args->n_files);
        return EXIT_USAGE;
    }
    while (worst == EXIT_DONE && (value = cmd_next(args, "--only", &cursor))) {
        copies[n] = strdup(value);
        if (!copies[n])
            abort();
        if (cmd_split("--only", copies[n], &only[n]) != OK)
            worst = EXIT_USAGE;
        n++;
    }
    opts.only = only;
    opts.n_only = n;
    opts.words = words;
    opts.n_words = find_words(args, words);
    for (size_t i = 0; worst != EXIT_USAGE && worst != EXIT_INTERRUPTED && i < args->n_files; i++) {
        int code = run_file(args, &opts, args->files[i]);
        if (worst == EXIT_DONE || (code != EXIT_DONE && code < worst))
            worst = code;
    }
    while (n)
        free(copies[--n]);
    return worst;
}

const struct cmd cmd_run = {
    .name = "run",
    .usage = "FILE... [options]",
    .help = "Runs all trials of a scenario and prints the table.",
    .options = options,
    .run = run,
};
