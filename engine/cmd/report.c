#include "engine/cmd/cmd.h"

#include "analysis/export.h"
#include "analysis/report.h"

static const struct cmd_option options[] = {
    {"--out", "FILE",
     "the HTML file (default: report.html in the first folder); plots go beside it"},
    {"--latex", "FILE", "the table for LaTeX, too (default: plots/table.tex)"},
    {"--help", NULL, "this text"},
    {0},
};

/* plots/ lies beside the file. */
static void beside(const char *file, const char *name, char path[PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    snprintf(path, PATH_MAX, "%.*s%s", slash ? (int)(slash - file + 1) : 0, file, name);
}

static int write_all(const struct series_set *s, const char *out, const char *latex, struct err *e)
{
    char dir[PATH_MAX], table[PATH_MAX];
    struct plots plots;
    int rc;
    beside(out, "plots", dir);
    beside(out, "plots/table.tex", table);
    rc = plots_make(s, dir, &plots, e);
    if (rc != OK)
        return rc;
    rc = export_latex(s, latex ? latex : table, e);
    if (rc == OK)
        rc = report_write(s, &plots, out, e);
    plots_free(&plots);
    return rc;
}

static int report(const struct cmd_args *args)
{
    const char *given = cmd_given(args, "--out");
    char out[PATH_MAX + 16];
    struct series_set s;
    struct err e = {0};
    int rc, code;
    if (args->n_files == 0) {
        fprintf(stderr, "partyline report: whose results? usage: partyline report %s\n",
                cmd_report.usage);
        return EXIT_USAGE;
    }
    rc = series_open(args->files, args->n_files, &s, &e);
    if (rc != OK) {
        fprintf(stderr, "partyline report: %s\n", e.text);
        return cmd_results_code(rc);
    }
    if (given)
        snprintf(out, sizeof out, "%s", given);
    else
        snprintf(out, sizeof out, "%s/report.html", s.runs[0].dir);
    rc = write_all(&s, out, cmd_given(args, "--latex"), &e);
    code = rc == OK ? EXIT_DONE : rc == ERR_ABSENT ? EXIT_LACKING : cmd_results_code(rc);
    if (rc == OK)
        printf("%s\n", out);
    else
        fprintf(stderr, "partyline report: %s\n", e.text);
    series_close(&s);
    return code;
}

const struct cmd cmd_report = {
    .name = "report",
    .usage = "DIR... [--out FILE]",
    .help = "Makes one HTML file with tables and plots of a run, or of several side by side.",
    .options = options,
    .run = report,
};
