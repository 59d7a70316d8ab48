#include "engine/cmd/cmd.h"

#include "analysis/export.h"

static const struct cmd_option options[] = {
    {"--csv", "FILE", "tidy: one row a cell, metric and statistic"},
    {"--hgrm", "FOLDER", "HdrHistogram percentile distributions, one file a cell and metric"},
    {"--sqlite", "FILE", "a database: cells, trials, metrics, exposures, expectations"},
    {"--latex", "FILE", "the table of the report"},
    {"--benchmark", "FILE", "JSON for github-action-benchmark (customSmallerIsBetter)"},
    {"--junit", "FILE", "expectations as test cases"},
    {"--help", NULL, "this text"},
    {0},
};

static const struct {
    const char *option;
    int (*write)(const struct series_set *, const char *path, struct err *);
} formats[] = {
    {"--csv", export_csv},     {"--hgrm", export_hgrm},           {"--sqlite", export_sqlite},
    {"--latex", export_latex}, {"--benchmark", export_benchmark}, {"--junit", export_junit},
};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

static int export(const struct cmd_args *args)
{
    struct series_set s;
    struct err e = {0};
    int rc, wanted = 0;
    for (int i = 0; i < N_FORMATS; i++) {
        const char *path = cmd_given(args, formats[i].option);
        wanted += path != NULL;
        if (path && !*path) {
            fprintf(stderr, "partyline export: %s needs a file\n", formats[i].option);
            return EXIT_USAGE;
        }
    }
    if (args->n_files == 0 || wanted == 0) {
        fprintf(stderr, "partyline export: %s; usage: partyline export %s\n",
                args->n_files ? "as what?" : "whose results?", cmd_export.usage);
        return EXIT_USAGE;
    }
    rc = series_open(args->files, args->n_files, &s, &e);
    for (int i = 0; rc == OK && i < N_FORMATS; i++)
        if (cmd_given(args, formats[i].option))
            rc = formats[i].write(&s, cmd_given(args, formats[i].option), &e);
    if (rc != OK)
        fprintf(stderr, "partyline export: %s\n", e.text);
    series_close(&s);
    return cmd_results_code(rc);
}

const struct cmd cmd_export = {
    .name = "export",
    .usage = "DIR... [--csv FILE] [--hgrm FOLDER] [--sqlite FILE] [--latex FILE] "
             "[--benchmark FILE] [--junit FILE]",
    .help = "Writes results in other tools' formats; - is stdout.",
    .options = options,
    .run = export,
};
