#include "analysis/export.h"

#include "analysis/html.h"
#include "analysis/report.h"
#include "engine/run/files.h"
#include "engine/run/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Fills a text and saves it. */
static int save(const struct series_set *s, const char *path,
                int (*fill)(const struct series_set *, FILE *, struct err *), struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc = f ? fill(s, f, e) : ERR_NOMEM;
    if ((!f || fclose(f) != 0) && (rc == OK || rc == ERR_NOMEM))
        rc = err_set(e, ERR_NOMEM, "%s: no memory", path);
    if (rc == OK && strcmp(path, "-") == 0)
        rc = fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0
                 ? OK
                 : err_set(e, ERR_IO, "stdout can't be written");
    else if (rc == OK)
        rc = files_write(path, text, len, e);
    free(text);
    return rc;
}

/* ---- CSV ------------------------------------------------------------------------------ */

static void csv_field(FILE *f, const char *text)
{
    if (!*text || strpbrk(text, "\",\r\n") || *text == ' ') {
        fputc('"', f);
        for (; *text; text++) {
            if (*text == '"')
                fputc('"', f);
            fputc(*text, f);
        }
        fputc('"', f);
    } else {
        fputs(text, f);
    }
    fputc(',', f);
}

struct csv {
    FILE *f;
    const struct series_set *set;
    const struct series *series;
};

static void csv_row(void *ctx, const struct figure *x)
{
    const struct csv *c = ctx;
    csv_field(c->f, c->series->run->scenario);
    csv_field(c->f, c->series->run->world);
    csv_field(c->f, c->series->run->id);
    fprintf(c->f, "%" PRId64 ",%u,", c->series->run->seed, (unsigned)c->series->cell->index);
    for (size_t i = 0; i < c->set->n_axes; i++)
        csv_field(c->f, series_axis(c->series, c->set->axes[i]));
    csv_field(c->f, x->metric);
    fprintf(c->f, "%s,%s,%" PRId64 ",%" PRIu64 ",", x->unit, x->stat, x->value, x->samples);
    if (x->interval)
        fprintf(c->f, "%" PRId64 ",%" PRId64 "\n", x->low, x->high);
    else
        fprintf(c->f, ",\n");
}

static int fill_csv(const struct series_set *s, FILE *f, struct err *e)
{
    (void)e;
    fprintf(f, "scenario,world,run,seed,cell,");
    for (size_t i = 0; i < s->n_axes; i++)
        csv_field(f, s->axes[i]);
    fprintf(f, "metric,unit,stat,value,samples,low,high\n");
    for (size_t i = 0; i < s->n; i++)
        series_figures(&s->list[i], csv_row, &(struct csv){f, s, &s->list[i]});
    return OK;
}

int export_csv(const struct series_set *s, const char *path, struct err *e)
{
    return save(s, path, fill_csv, e);
}

/* ---- LaTeX ---------------------------------------------------------------------------- */

static void latex_text(FILE *f, const char *text)
{
    while (*text) {
        size_t n = html_char(text);
        if (!n || *text == '\n')
            fputc(' ', f);
        else if (strchr("&%$#_{}", *text))
            fprintf(f, "\\%c", *text);
        else if (*text == '\\')
            fputs("\\textbackslash{}", f);
        else if (*text == '~')
            fputs("\\textasciitilde{}", f);
        else if (*text == '^')
            fputs("\\textasciicircum{}", f);
        else if (*text == '<' || *text == '>')
            fputs(*text == '<' ? "\\textless{}" : "\\textgreater{}", f);
        else if (*text == '[')
            fputs("{[}", f); /* after \\ it would be an argument */
        else
            fwrite(text, 1, n, f);
        text += n ? n : 1;
    }
}

static int fill_latex(const struct series_set *s, FILE *f, struct err *e)
{
    struct answer a;
    int rc = answer_make(s, &a, e);
    if (rc != OK)
        return rc;
    fprintf(f, "%% Made by partyline report; needs \\usepackage{booktabs}.\n\\begin{tabular}{");
    for (size_t c = 0; c < a.columns; c++)
        fputc(a.left[c] ? 'l' : 'r', f);
    fprintf(f, "}\n\\toprule\n");
    for (size_t row = 0; row < a.rows; row++) {
        for (size_t c = 0; c < a.columns; c++) {
            fputs(c ? " & " : "", f);
            latex_text(f, answer_at(&a, row, c));
        }
        fprintf(f, " \\\\\n%s", row == 0 ? "\\midrule\n" : "");
    }
    fprintf(f, "\\bottomrule\n\\end{tabular}\n");
    answer_free(&a);
    return OK;
}

int export_latex(const struct series_set *s, const char *path, struct err *e)
{
    return save(s, path, fill_latex, e);
}

/* ---- github-action-benchmark ---------------------------------------------------------- */

struct bench {
    json_t *list;
    const struct series *series;
};

static bool smaller_is_better(const struct figure *x)
{
    return strncmp(x->metric, "exposures.", 10) == 0 ||
           (strcmp(x->stat, "trial_median") == 0 &&
            (strcmp(x->unit, "ns") == 0 || strcmp(x->unit, "bytes") == 0));
}

static void bench_entry(void *ctx, const struct figure *x)
{
    struct bench *b = ctx;
    char name[SERIES_LABEL + 512], extra[64];
    json_t *o;
    if (!smaller_is_better(x))
        return;
    snprintf(name, sizeof name, "%s: %s, %s", b->series->run->scenario, b->series->label,
             x->metric);
    snprintf(extra, sizeof extra, "n = %" PRIu64, x->samples);
    o = json_pack("{s:s, s:s, s:I, s:s}", "name", name, "unit", *x->unit ? x->unit : "facts",
                  "value", (json_int_t)x->value, "extra", extra);
    if (o && x->interval) {
        char range[64];
        snprintf(range, sizeof range, "%" PRId64 " .. %" PRId64, x->low, x->high);
        json_object_set_new(o, "range", json_string(range));
    }
    if (o)
        json_array_append_new(b->list, o);
}

static int fill_benchmark(const struct series_set *s, FILE *f, struct err *e)
{
    json_t *list = json_array();
    char *text;
    for (size_t i = 0; i < s->n; i++)
        series_figures(&s->list[i], bench_entry, &(struct bench){list, &s->list[i]});
    text = json_dumps(list, JSON_SORT_KEYS | JSON_INDENT(1));
    json_decref(list);
    if (!text)
        return err_set(e, ERR_NOMEM, "no memory for the benchmark's JSON");
    fprintf(f, "%s\n", text);
    free(text);
    return OK;
}

int export_benchmark(const struct series_set *s, const char *path, struct err *e)
{
    return save(s, path, fill_benchmark, e);
}

/* ---- JUnit ---------------------------------------------------------------------------- */

static int junit_cases(const struct series *x, FILE *f, size_t *tests, size_t *failures,
                       struct err *e)
{
    struct judged j;
    int rc;
    for (size_t k = 0; (rc = report_judge(x, k, &j, e)) == OK; k++) {
        html_put(f, "  <testcase classname=\"%.%\" name=\"%: %\"", x->run->scenario, x->run->world,
                 x->label, j.text);
        if (!j.met)
            html_put(f, "><failure message=\"expected %, found %\"/></testcase>\n", j.text,
                     j.found);
        else
            fputs("/>\n", f);
        ++*tests;
        *failures += !j.met;
    }
    return rc == ERR_ABSENT ? OK : rc;
}

static void junit_verdict(const struct load_run *r, FILE *f, size_t *failures)
{
    int64_t code = json_integer_value(json_object_get(r->verdict, "exit"));
    const char *why = json_string_value(json_object_get(r->verdict, "verdict"));
    html_put(f, "  <testcase classname=\"%.%\" name=\"verdict\"", r->scenario, r->world);
    if (code == 0) {
        fputs("/>\n", f);
        return;
    }
    ++*failures;
    html_put(f, "><failure message=\"%\">", why ? why : "");
    for (size_t i = 0; i < r->n_cells; i++)
        if (r->cells[i].tally.why)
            html_put(f, "%: %\n", r->cells[i].name, r->cells[i].tally.why);
    fputs("</failure></testcase>\n", f);
}

static int fill_junit(const struct series_set *s, FILE *f, struct err *e)
{
    int rc = OK;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", f);
    for (size_t r = 0; rc == OK && r < s->n_runs; r++) {
        size_t tests = 1, failures = 0, len;
        char *cases = NULL;
        FILE *inside = open_memstream(&cases, &len);
        if (!inside)
            return err_set(e, ERR_NOMEM, "no memory for the test cases");
        for (size_t i = 0; rc == OK && i < s->n; i++)
            if (s->list[i].run == &s->runs[r])
                rc = junit_cases(&s->list[i], inside, &tests, &failures, e);
        junit_verdict(&s->runs[r], inside, &failures);
        if (fclose(inside) == 0) {
            html_put(f, " <testsuite name=\"% %\"", s->runs[r].scenario, s->runs[r].id);
            fprintf(f, " tests=\"%zu\" failures=\"%zu\">\n%s </testsuite>\n", tests, failures,
                    cases);
        }
        free(cases);
    }
    fputs("</testsuites>\n", f);
    return rc;
}

int export_junit(const struct series_set *s, const char *path, struct err *e)
{
    return save(s, path, fill_junit, e);
}
