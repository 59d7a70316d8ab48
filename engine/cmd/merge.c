#include "engine/cmd/cmd.h"

#include "analysis/merge.h"

static const struct cmd_option options[] = {
    {"--help", NULL, "this text"},
    {0},
};

static int merge(const struct cmd_args *args)
{
    struct err e = {0};
    int rc, verdict = EXIT_BUG;
    if (args->n_files < 2) {
        fprintf(stderr, "partyline merge: usage: partyline merge %s\n", cmd_merge.usage);
        return EXIT_USAGE;
    }
    rc = merge_runs(args->files + 1, args->n_files - 1, args->files[0], &verdict, &e);
    if (rc == OK) {
        printf("%s\n", args->files[0]);
        return verdict;
    }
    fprintf(stderr, "partyline merge: %s\n", e.text);
    return rc == ERR_EXISTS ? EXIT_USAGE : cmd_results_code(rc);
}

const struct cmd cmd_merge = {
    .name = "merge",
    .usage = "OUT DIR...",
    .help = "Joins runs of one scenario, world and version that have other cells or other trials.",
    .options = options,
    .run = merge,
};
