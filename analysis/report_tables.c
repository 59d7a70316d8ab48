#include "analysis/html.h"
#include "analysis/report.h"
#include "engine/run/expect.h"
#include "engine/run/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void open_table(FILE *f, const char *caption)
{
    html_put(f, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%\">\n<table>\n",
             caption);
}

static void close_table(FILE *f)
{
    fputs("</table>\n</div>\n", f);
}

static void number(FILE *f, const char *markup, uint64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, n);
    html_put(f, markup, text);
}

/* "12 [10, 15]": a median over trials with its interval. */
static void print_interval(const struct figure *x, char *buf, size_t cap)
{
    char mid[40], low[40], high[40];
    table_quantity(x->unit, x->value, mid, sizeof mid);
    if (x->interval)
        snprintf(buf, cap, "%s [%s, %s]", mid, table_quantity(x->unit, x->low, low, sizeof low),
                 table_quantity(x->unit, x->high, high, sizeof high));
    else
        snprintf(buf, cap, "%s (no interval: %" PRIu64 " trial%s)", mid, x->samples,
                 x->samples == 1 ? "" : "s");
}

/* ---- the answer ----------------------------------------------------------------------- */

/* What stands in brackets is set smaller, on a line of its own. */
static void print_cell(FILE *f, const char *text, bool left)
{
    const char *bracket = left ? NULL : strstr(text, " [");
    char head[ANSWER_TEXT];
    if (!bracket) {
        html_put(f, left ? "<td>%</td>" : "<td class=\"n\">%</td>", text);
        return;
    }
    snprintf(head, sizeof head, "%.*s", (int)(bracket - text), text);
    html_put(f, "<td class=\"n\">% <small>%</small></td>", head, bracket + 1);
}

void report_answer(FILE *f, const struct series_set *s, const struct answer *a)
{
    size_t met = 0, unmet = 0, trials = 0, completed = 0;
    open_table(f, "The answer");
    for (size_t row = 0; row < a->rows; row++) {
        fputs(row == 0 ? "<thead><tr>" : row == 1 ? "<tbody><tr>" : "<tr>", f);
        for (size_t c = 0; c < a->columns; c++)
            if (row == 0)
                html_put(f, a->left[c] ? "<th>%</th>" : "<th class=\"n\">%</th>",
                         answer_at(a, row, c));
            else
                print_cell(f, answer_at(a, row, c), a->left[c]);
        fputs(row == 0 ? "</tr></thead>\n" : "</tr>\n", f);
    }
    fputs("</tbody>", f);
    close_table(f);
    for (size_t i = 0; i < s->n; i++) {
        const json_t *list = json_object_get(s->list[i].summary, "expect");
        for (size_t k = 0; k < json_array_size(list); k++) {
            bool good = json_is_true(json_object_get(json_array_get(list, k), "met"));
            met += good;
            unmet += !good;
        }
        trials += s->list[i].cell->tally.trials;
        completed += s->list[i].cell->tally.completed;
    }
    fputs(
        "<p class=\"note\">Medians are of all parties in all trials, with the interval [low, "
        "high] of the trials' medians at 95&nbsp;% or more; none below 6 trials. Wire bytes are a "
        "party's, with all overheads; messages are a trial's. p90 stands only where 10 samples "
        "lie beyond it; every figure with its number of samples is <a href=\"#figures\">below"
        "</a>.</p>\n",
        f);
    number(f, "<p><b>% of ", completed);
    number(f, "% trials</b> completed with the right result", trials);
    if (met + unmet) {
        number(f, "; <b>% of ", met);
        number(f, "% expectations</b> met", met + unmet);
    }
    fputs(".</p>\n", f);
}

/* ---- expectations --------------------------------------------------------------------- */

int report_expectations(FILE *f, const struct series_set *s, struct err *e)
{
    size_t rows = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct judged j;
        int rc;
        for (size_t k = 0; (rc = report_judge(&s->list[i], k, &j, e)) == OK; k++) {
            char line[32];
            if (rows++ == 0) {
                open_table(f, "Expectations");
                fputs("<thead><tr><th>cell</th><th class=\"n\">line</th><th>expected</th><th>"
                      "judged</th><th>found</th></tr></thead>\n<tbody>",
                      f);
            }
            snprintf(line, sizeof line, "%" PRId64, j.line);
            html_put(f, "<tr><td>%</td><td class=\"n\">%</td><td><code>%</code></td>",
                     s->list[i].label, line, j.text);
            html_put(f, "<td class=\"%\">%</td><td>%</td></tr>\n", j.met ? "good" : "bad",
                     j.met ? "met" : "unmet", j.found);
        }
        if (rc != ERR_ABSENT)
            return rc;
    }
    if (rows) {
        fputs("</tbody>", f);
        close_table(f);
    } else {
        fputs("<p>The scenario expects nothing in particular.</p>\n", f);
    }
    return OK;
}

/* ---- what was lost, what failed ------------------------------------------------------- */

void report_losses(FILE *f, const struct series_set *s)
{
    size_t rows = 0;
    for (size_t i = 0; i < s->n; i++)
        for (unsigned d = 0; d < DROP_COUNT; d++) {
            uint64_t n = s->list[i].cell->tally.metrics.drops[d];
            struct figure x;
            char text[160] = "";
            if (n == 0)
                continue;
            if (rows++ == 0) {
                open_table(f, "What was lost");
                fputs("<thead><tr><th>cell</th><th>name</th><th>what it means</th>"
                      "<th class=\"n\">in all trials</th><th class=\"n\">median of a trial</th>"
                      "</tr></thead>\n<tbody>",
                      f);
            }
            html_put(f, "<tr><td>%</td><td><code>%</code></td><td>%</td>", s->list[i].label,
                     drop_infos[d].name, drop_infos[d].about);
            number(f, "<td class=\"n\">%</td>", n);
            if (series_measure(&s->list[i], MEASURE_DROPS + d, &x))
                print_interval(&x, text, sizeof text);
            html_put(f, "<td class=\"n\">%</td></tr>\n", text);
        }
    if (rows) {
        fputs("</tbody>", f);
        close_table(f);
    } else {
        fputs("<p>Nothing was lost.</p>\n", f);
    }
}

void report_failures(FILE *f, const struct series_set *s)
{
    size_t rows = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct tally *t = &s->list[i].cell->tally;
        if (t->wrong + t->unfinished == 0)
            continue;
        if (rows++ == 0) {
            open_table(f, "Trials that failed");
            fputs("<thead><tr><th>cell</th><th class=\"n\">wrong result</th><th class=\"n\">"
                  "unfinished</th><th class=\"n\">first</th><th>because</th></tr></thead>\n<tbody>",
                  f);
        }
        html_put(f, "<tr><td>%</td>", s->list[i].label);
        number(f, "<td class=\"n\">%</td>", t->wrong);
        number(f, "<td class=\"n\">%</td>", t->unfinished);
        number(f, "<td class=\"n\">trial %</td>", t->why_trial);
        html_put(f, "<td><pre>%</pre></td></tr>\n", t->why ? t->why : "no reason was given");
    }
    if (rows) {
        fputs("</tbody>", f);
        close_table(f);
    } else {
        fputs("<p>None.</p>\n", f);
    }
}

/* ---- all figures ---------------------------------------------------------------------- */

static void quantity(FILE *f, const char *unit, bool known, int64_t value)
{
    char text[48] = "-";
    if (known)
        table_quantity(unit, value, text, sizeof text);
    html_put(f, "<td class=\"n\">%</td>", text);
}

static void metric_row(FILE *f, const struct series *x, enum metric m)
{
    static const uint32_t quantiles[] = {HIST_P50, HIST_P90, HIST_P99, HIST_P999};
    const struct hist *h = &x->cell->tally.metrics.hist[m];
    const char *unit = metric_infos[m].unit;
    struct interval i;
    struct figure over = {.unit = unit, .samples = x->cell->tally.n_medians[m]};
    char text[160];
    html_put(f, "<tr><td>%</td><td><code>%</code></td>", x->label, metric_infos[m].name);
    number(f, "<td class=\"n\">%</td>", hist_count(h));
    quantity(f, unit, true, hist_min(h));
    for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++)
        quantity(f, unit, hist_quantile_allowed(h, quantiles[q]), hist_quantile(h, quantiles[q]));
    quantity(f, unit, true, hist_max(h));
    over.interval = tally_interval(&x->cell->tally, m, &i);
    if (over.interval) {
        over.value = i.mid;
        over.low = i.low;
        over.high = i.high;
    } else {
        over.value = hist_quantile(h, HIST_P50);
    }
    print_interval(&over, text, sizeof text);
    html_put(f, "<td class=\"n\">%</td>", text);
    number(f, "<td class=\"n\">%</td></tr>\n", over.samples);
}

static void count_rows(FILE *f, const struct series *x)
{
    for (unsigned i = 0; i < COUNT_COUNT; i++) {
        struct figure v;
        char text[160];
        if (!series_measure(x, MEASURE_COUNTS + i, &v))
            continue;
        print_interval(&v, text, sizeof text);
        html_put(f, "<tr><td>%</td><td><code>%</code></td><td>%</td><td class=\"n\">%</td>",
                 x->label, count_infos[i].name, count_infos[i].about, text);
        number(f, "<td class=\"n\">%</td></tr>\n", v.samples);
    }
}

static void share_row(FILE *f, const struct series *x)
{
    const struct tally *t = &x->cell->tally;
    struct figure v = {.unit = "ppm", .interval = t->trials > 0};
    char text[160];
    series_share(t->completed, t->trials, &v.value, &v.low, &v.high);
    print_interval(&v, text, sizeof text);
    html_put(f,
             "<tr><td>%</td><td><code>completed</code></td><td>share of trials (Wilson's 95 "
             "percent interval)</td><td class=\"n\">%</td>",
             x->label, text);
    number(f, "<td class=\"n\">%</td></tr>\n", t->trials);
}

void report_all_figures(FILE *f, const struct series_set *s)
{
    open_table(f, "Every figure");
    fputs("<thead><tr><th>cell</th><th>metric</th><th class=\"n\">samples</th><th class=\"n\">min"
          "</th><th class=\"n\">p50</th><th class=\"n\">p90</th><th class=\"n\">p99</th>"
          "<th class=\"n\">p99.9</th><th class=\"n\">max</th><th class=\"n\">median of trials "
          "[95&nbsp;%]</th><th class=\"n\">trials</th></tr></thead>\n<tbody>",
          f);
    for (int m = 0; m < METRIC_COUNT; m++)
        for (size_t i = 0; i < s->n; i++)
            if (hist_count(&s->list[i].cell->tally.metrics.hist[m]))
                metric_row(f, &s->list[i], (enum metric)m);
    fputs("</tbody>", f);
    close_table(f);
    open_table(f, "Counts");
    fputs("<thead><tr><th>cell</th><th>count</th><th>what is counted</th><th class=\"n\">median of "
          "trials [95&nbsp;%]</th><th class=\"n\">trials</th></tr></thead>\n<tbody>",
          f);
    for (size_t i = 0; i < s->n; i++) {
        share_row(f, &s->list[i]);
        count_rows(f, &s->list[i]);
    }
    fputs("</tbody>", f);
    close_table(f);
    fputs("<dl class=\"note\">", f);
    for (int m = 0; m < METRIC_COUNT; m++)
        for (size_t i = 0; i < s->n; i++)
            if (hist_count(&s->list[i].cell->tally.metrics.hist[m])) {
                html_put(f, "<dt><code>%</code></dt><dd>%; one sample is %</dd>\n",
                         metric_infos[m].name, metric_infos[m].about, metric_infos[m].sample);
                break;
            }
    fputs("</dl>\n", f);
}
