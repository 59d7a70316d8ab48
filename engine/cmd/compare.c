#include "engine/cmd/cmd.h"

#include "analysis/benchmark.h"
#include "analysis/show_compare.h"
#include "engine/base/opt.h"
#include "engine/run/files.h"
#include "engine/run/suggest.h"

#include <stdlib.h>

static const struct cmd_option options[] = {
    {"--threshold", "MEASURE=RATIO", "the smallest effect that counts (completion=2%); repeatable"},
    {"--again", "RUN", "real worlds: another run of what A is, to measure the noise; repeatable"},
    {"--json", NULL, "print what verdict.json gets"},
    {"--markdown", NULL, "print a Markdown table, for a pull request"},
    {"--junit", "FILE", "write a JUnit report as well"},
    {"--benchmark", "FILE", "write B's figures as well, for github-action-benchmark"},
    {"--bencher", "FILE", "the same for Bencher"},
    {"--quiet", NULL, "print the verdict alone, in one line"},
    {"--help", NULL, "this text"},
    {0},
};

enum { AGAIN_MAX = 16 };

static bool known_measure(const char *name)
{
    struct suggest near = suggest_for(name);
    struct measure all[MEASURE_COUNT];
    char hint[96];
    for (unsigned i = 0; i < METRIC_COUNT; i++)
        suggest_offer(&near, metric_infos[i].name);
    for (unsigned i = 0; i < MEASURE_COUNT; i++) {
        measure_about(i, &all[i]);
        if (measure_matches(&all[i], name))
            return true;
        suggest_offer(&near, all[i].name);
    }
    for (unsigned i = 0; i < PRIVACY_COUNT; i++) {
        char full[64];
        size_t n = (size_t)snprintf(full, sizeof full, "privacy.%s", privacy_infos[i].name);
        if (strcmp(name, "privacy") == 0 ||
            (strncmp(name, full, n) == 0 && (name[n] == 0 || name[n] == '.')))
            return true;
    }
    fprintf(stderr, "partyline compare: there is no measure %s%s\n", name,
            suggest_text(&near, hint, sizeof hint));
    return false;
}

/* The texts of the thresholds live in copies. */
static int read_thresholds(const struct cmd_args *args, struct compare_threshold *out,
                           char *copies[], size_t *n)
{
    struct scenario_set set;
    size_t cursor = 0;
    const char *value;
    struct err e = {0};
    while ((value = cmd_next(args, "--threshold", &cursor))) {
        copies[*n] = strdup(value);
        if (!copies[*n])
            abort();
        if (cmd_split("--threshold", copies[(*n)++], &set) != OK || !known_measure(set.path))
            return ERR_INVALID;
        out[*n - 1].name = set.path;
        if (opt_parse(OPT_RATIO, set.value, &out[*n - 1].ppm, &e) != OK) {
            fprintf(stderr, "partyline compare: --threshold %s=%s: %s\n", set.path, set.value,
                    e.text);
            return ERR_INVALID;
        }
    }
    return OK;
}

static int write_junit(const struct compare *c, const char *path, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc;
    if (!f)
        return err_set(e, ERR_NOMEM, "%s: no memory", path);
    show_compare_junit(c, f);
    rc = fclose(f) == 0 ? files_write(path, text, len, e) : err_set(e, ERR_NOMEM, "no memory");
    free(text);
    return rc;
}

/* The files that other programs read. */
static int write_exports(const struct cmd_args *args, const struct compare *c, struct err *e)
{
    static const struct {
        const char *option;
        json_t *(*make)(const struct load_run *);
    } exports[] = {{"--benchmark", benchmark_github}, {"--bencher", benchmark_bencher}};
    const char *path = cmd_given(args, "--junit");
    int rc = path ? write_junit(c, path, e) : OK;
    for (size_t i = 0; rc == OK && i < sizeof exports / sizeof *exports; i++) {
        path = cmd_given(args, exports[i].option);
        if (!path)
            continue;
        if (c->code == EXIT_NOT_COMPARABLE)
            return OK; /* there may be no figures */
        json_t *o = exports[i].make(c->b);
        rc = files_write_json(path, o, e);
        json_decref(o);
    }
    return rc;
}

static void print(const struct cmd_args *args, const struct compare *c)
{
    if (cmd_given(args, "--json")) {
        json_t *o = compare_json(c);
        json_dumpf(o, stdout, JSON_SORT_KEYS | JSON_INDENT(1));
        putchar('\n');
        json_decref(o);
    } else if (cmd_given(args, "--markdown")) {
        show_compare_markdown(c, stdout);
    } else if (cmd_given(args, "--quiet")) {
        show_compare_line(c, stdout);
    } else {
        show_compare_text(c, stdout, cmd_colour(stdout));
    }
}

/* The runs are foreign: whatever is wrong with one of them makes it not comparable. */
struct runs {
    struct load_run a, b, again[AGAIN_MAX];
    size_t n_again;
};

static bool load_again(const struct cmd_args *args, struct runs *r, struct err *e)
{
    struct compare match = {0};
    size_t cursor = 0;
    const char *path;
    bool good = true;
    while (good && (path = cmd_next(args, "--again", &cursor))) {
        struct load_run *x = &r->again[r->n_again];
        if (r->n_again == AGAIN_MAX) {
            err_set(e, ERR_LIMIT, "--again: more than %d runs", AGAIN_MAX);
            return false;
        }
        r->n_again++;
        struct load_run a = {0}; /* matched afresh: the trials that count are chosen by A and B */
        good = load_open(path, x, e) == OK && load_open(r->a.dir, &a, e) == OK;
        if (good && !compare_match(&a, x, &match)) {
            err_set(e, ERR_MISMATCH, "--again %s: %s", path, match.reason);
            good = false;
        }
        good = good && load_trials(x, e) == OK;
        compare_free(&match);
        load_close(&a);
    }
    return good;
}

static int decide(const struct cmd_args *args, struct runs *r, struct compare *c)
{
    struct compare_threshold thresholds[CMD_SETS_MAX];
    struct compare_options opts = {.thresholds = thresholds, .again = r->again};
    char *copies[CMD_SETS_MAX];
    struct err e = {0};
    size_t n = 0;
    int rc = read_thresholds(args, thresholds, copies, &n);
    opts.n_thresholds = n;
    if (rc == OK) {
        int of_a = load_open(args->files[0], &r->a, &e);
        int of_b = load_open(args->files[1], &r->b, of_a == OK ? &e : NULL);
        c->a = &r->a;
        c->b = &r->b;
        if (of_a != OK || of_b != OK)
            compare_refuse(c, e.text);
        else if (compare_match(&r->a, &r->b, c) &&
                 (load_trials(&r->a, &e) != OK || load_trials(&r->b, &e) != OK ||
                  !load_again(args, r, &e)))
            compare_refuse(c, e.text);
        opts.n_again = r->n_again;
        if (!c->verdict)
            rc = compare_decide(c, &opts);
    }
    while (n)
        free(copies[--n]);
    return rc;
}

static int compare(const struct cmd_args *args)
{
    struct runs *r;
    struct compare c = {0};
    struct err e = {0};
    int code, rc;
    if (args->n_files != 2) {
        fprintf(stderr, "partyline compare: expected two runs; usage: partyline compare %s\n",
                cmd_compare.usage);
        return EXIT_USAGE;
    }
    r = calloc(1, sizeof *r);
    if (!r)
        abort();
    rc = decide(args, r, &c);
    code = rc == ERR_INVALID ? EXIT_USAGE : rc == OK ? c.code : EXIT_BUG;
    if (rc == OK && r->b.verdict)
        rc = compare_save(&c, &e);
    if (rc == OK)
        rc = write_exports(args, &c, &e);
    if (rc == OK || e.text[0])
        print(args, &c);
    if (rc != OK && rc != ERR_INVALID) {
        fprintf(stderr, "partyline compare: %s\n", e.text[0] ? e.text : err_name(rc));
        code = e.text[0] ? EXIT_LACKING : EXIT_BUG;
    }
    compare_free(&c);
    load_close(&r->a);
    load_close(&r->b);
    while (r->n_again)
        load_close(&r->again[--r->n_again]);
    free(r);
    return code;
}

const struct cmd cmd_compare = {
    .name = "compare",
    .usage = "A B [options]",
    .help = "Compares run B with run A: equal or better (0), worse (30), differs (31), not "
            "comparable (32), inconclusive (33).",
    .options = options,
    .run = compare,
};
