#include "engine/cmd/cmd.h"

static const struct cmd_option check_options[] = {
    {"--world", "W", "check also what this world can honour (default sim)"},
    {"--set", "KEY.PATH=VALUE", "overrides a key of the scenario; repeatable"},
    {"--help", NULL, "this text"},
    {0},
};

static int check_file(const struct cmd_args *args, const struct world *world, const char *file)
{
    struct run_options opts = {.world = world};
    struct scenario *s = NULL;
    struct diag_list diags;
    struct err e = {0};
    struct run r;
    int code = cmd_load(args, file, &s);
    if (code != EXIT_DONE)
        return code;
    diag_init(&diags);
    if (run_init(&r, s, &opts, &diags, &e) != OK) {
        diag_print(&diags, stderr);
        fprintf(stderr, "partyline: %s: %s\n", file, e.text);
        code = EXIT_SCENARIO;
    } else {
        printf("%s: valid: %zu cells, %u trials in world %s\n", file, r.n_cells,
               (unsigned)r.n_trials, world->name);
    }
    run_free(&r);
    diag_free(&diags);
    scenario_free(s);
    return code;
}

static int check(const struct cmd_args *args)
{
    const struct world *world = cmd_world(args);
    int worst = EXIT_DONE;
    if (!world)
        return EXIT_USAGE;
    if (args->n_files == 0) {
        fprintf(stderr, "partyline check: which scenario?\n");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < args->n_files; i++) {
        int code = check_file(args, world, args->files[i]);
        worst = worst == EXIT_DONE ? code : worst;
    }
    return worst;
}

const struct cmd cmd_check = {
    .name = "check",
    .usage = "FILE... [options]",
    .help = "Validates scenarios, also against what a world can honour; reports all errors.",
    .options = check_options,
    .run = check,
};

static const struct cmd_option show_options[] = {
    {"--json", NULL, "as JSON"},
    {"--set", "KEY.PATH=VALUE", "overrides a key of the scenario; repeatable"},
    {"--seed", "N", "instead of the scenario's seed"},
    {"--repeat", "N", "trials per cell, instead of the scenario's"},
    {"--help", NULL, "this text"},
    {0},
};

static int show(const struct cmd_args *args)
{
    struct scenario *s = NULL;
    int code;
    if (args->n_files != 1) {
        fprintf(stderr, "partyline show: expected one scenario\n");
        return EXIT_USAGE;
    }
    code = cmd_load(args, args->files[0], &s);
    if (code == EXIT_DONE)
        scenario_show(s, stdout, cmd_given(args, "--json") != NULL);
    scenario_free(s);
    return code;
}

const struct cmd cmd_show = {
    .name = "show",
    .usage = "FILE [options]",
    .help = "Prints the resolved scenario: every default, every cell.",
    .options = show_options,
    .run = show,
};
