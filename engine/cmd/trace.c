#include "engine/cmd/cmd.h"

#include <stdlib.h>

static const struct cmd_option options[] = {
    {"--cell", "N", "which cell of the matrix (default 0; see partyline show)"},
    {"--trial", "N", "which trial of it (default 0)"},
    {"--set", "KEY.PATH=VALUE", "overrides a key of the scenario; repeatable"},
    {"--seed", "N", "instead of the scenario's seed"},
    {"--world", "W", "the world to run in (default sim)"},
    {"--help", NULL, "this text"},
    {0},
};

static uint32_t number(const struct cmd_args *args, const char *option)
{
    const char *text = cmd_given(args, option);
    char *end = NULL;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    return text && (*end || *text < '0' || *text > '9' || n >= UINT32_MAX) ? UINT32_MAX
                                                                           : (uint32_t)n;
}

static int trace_cell(const struct world *world, const struct scenario *s, struct cell *cell,
                      uint32_t trial)
{
    struct trace to = {.out = stdout};
    struct trial_record rec;
    struct people people;
    struct err e = {0};
    int code = EXIT_BUG;
    if (people_make(&people, &cell->spec, cell->seed) != OK)
        return code;
    if (trial_run(world, &cell->spec, cell->index, trial, cell->seed, &to, &rec, &e) == OK) {
        printf("# %s %s, digest %016llx\n", s->name,
               rec.status == TRIAL_COMPLETED ? "completed"
               : rec.status == TRIAL_WRONG   ? "wrong"
                                             : "unfinished",
               (unsigned long long)rec.digest);
        code = rec.status == TRIAL_COMPLETED ? EXIT_DONE : EXIT_TRIAL_FAILED;
        if (rec.why)
            fprintf(stderr, "partyline: %s\n", rec.why);
    } else {
        fprintf(stderr, "partyline: %s\n", e.text);
    }
    trial_record_free(&rec);
    people_free(&people);
    return code;
}

static int trace(const struct cmd_args *args)
{
    const struct world *world = cmd_world(args);
    uint32_t cell = number(args, "--cell"), trial = number(args, "--trial");
    struct scenario *s = NULL;
    int code;
    if (!world || args->n_files != 1) {
        fprintf(stderr, "partyline trace: expected one scenario\n");
        return EXIT_USAGE;
    }
    code = cmd_load(args, args->files[0], &s);
    if (code == EXIT_DONE && (cell >= s->n_cells || trial >= s->cells[cell].repeat)) {
        fprintf(stderr, "partyline trace: there are cells 0 to %zu, and trials 0 to %u of each\n",
                s->n_cells - 1, (unsigned)s->cells[0].repeat - 1);
        code = EXIT_USAGE;
    } else if (code == EXIT_DONE) {
        code = trace_cell(world, s, &s->cells[cell], trial);
    }
    scenario_free(s);
    return code;
}

const struct cmd cmd_trace = {
    .name = "trace",
    .usage = "FILE [options]",
    .help = "Runs one trial and prints one line per event and per lost packet.",
    .options = options,
    .run = trace,
};
