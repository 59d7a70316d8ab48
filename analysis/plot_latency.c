#include "analysis/plot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is worth a look, in this order. */
static const enum metric metrics[] = {METRIC_COMPLETION, METRIC_RTT,    METRIC_ROUND,
                                      METRIC_MESSAGE,    METRIC_SETUP,  METRIC_RECOVERY,
                                      METRIC_PACKET,     METRIC_COMPUTE};

enum { BEYOND = 10, TOLD_FROM = 2 * BEYOND, CURVE_POINTS = 600 };

struct group { /* series that have enough of a metric, and their ranges */
    const struct series **list;
    size_t n;
    int64_t min, max;
    uint64_t samples;
    bool parts; /* drawn in several plots */
};

static bool logarithmic(const struct group *g)
{
    return g->min > 0 && g->max / g->min >= 20;
}

static const struct hist *hist_of(const struct series *x, enum metric m)
{
    return &x->cell->tally.metrics.hist[m];
}

/* ---- data ----------------------------------------------------------------------------- */

/* Points are left out where a curve has more of them than a picture can show. */
static bool dense(uint64_t before, uint64_t now, uint64_t all)
{
    return now < all && now * CURVE_POINTS / all == before * CURVE_POINTS / all &&
           now + all / 100 < all;
}

/* x = 1 / (1 - percentile), y = the quantile; up to where 10 samples lie beyond. */
static void percentiles_data(FILE *f, const struct hist *h, struct plot_unit u)
{
    unsigned cursor = 0;
    int64_t value;
    uint64_t n, sum = 0, kept = 0, all = hist_count(h);
    fprintf(f, "1 ");
    plot_value(f, hist_min(h), u);
    fputc('\n', f);
    while (hist_next(h, &cursor, &value, &n)) {
        bool last = sum + n + BEYOND >= all;
        int64_t high = hist_slot_high(hist_slot(value));
        sum = last ? all - BEYOND : sum + n;
        if (!last && dense(kept, sum, all))
            continue;
        kept = sum;
        fprintf(f, "%.6f ", (double)all / (double)(all - sum));
        plot_value(f, high < hist_max(h) ? high : hist_max(h), u);
        fputc('\n', f);
        if (last)
            break;
    }
}

static void cdf_data(FILE *f, const struct hist *h, struct plot_unit u)
{
    unsigned cursor = 0;
    int64_t value;
    uint64_t n, sum = 0, kept = 0, all = hist_count(h);
    plot_value(f, hist_min(h), u);
    fprintf(f, " 0\n");
    while (hist_next(h, &cursor, &value, &n)) {
        int64_t high = hist_slot_high(hist_slot(value));
        sum += n;
        if (dense(kept, sum, all))
            continue;
        kept = sum;
        plot_value(f, high < hist_max(h) ? high : hist_max(h), u);
        fprintf(f, " %.6f\n", (double)sum / (double)all);
    }
}

/* The median over trials and its interval, as a point with bars. */
static void median_data(FILE *f, const struct series *x, enum metric m, struct plot_unit u)
{
    struct interval i;
    if (!tally_interval(&x->cell->tally, m, &i)) {
        fprintf(f, "NaN NaN NaN # fewer than 6 trials\n");
        return;
    }
    plot_value(f, i.mid, u);
    fputc(' ', f);
    plot_value(f, i.low, u);
    fputc(' ', f);
    plot_value(f, i.high, u);
    fputc('\n', f);
}

static void write_data(FILE *f, const struct plot *x, enum metric m, struct plot_unit u)
{
    bool cdf = x->kind == PLOT_CDF;
    for (size_t i = 0; i < x->n_shown; i++) {
        fprintf(f, "# index %zu: %s\n", i,
                cdf ? "value, share of samples at most this" : "1/(1-percentile), value");
        if (cdf)
            cdf_data(f, hist_of(x->shown[i], m), u);
        else
            percentiles_data(f, hist_of(x->shown[i], m), u);
        fprintf(f, "\n\n");
    }
    for (size_t i = 0; i < x->n_shown; i++) {
        fprintf(f, "# index %zu: median of the trials' medians, low, high\n", i + x->n_shown);
        median_data(f, x->shown[i], m, u);
        fprintf(f, "\n\n");
    }
}

/* ---- script --------------------------------------------------------------------------- */

static void dash_type(FILE *f, size_t i)
{
    if (*plot_dashes(i))
        fprintf(f, " dt (%s)", plot_dashes(i));
    else
        fprintf(f, " dt solid");
}

/* The same axes in all parts of a group. */
static void write_range(FILE *f, char axis, const struct group *g, struct plot_unit u)
{
    bool log = logarithmic(g);
    if (log)
        fprintf(f, "set logscale %c\n", axis);
    if (!g->parts) {
        if (!log)
            fprintf(f, "set %crange [0:*]\n", axis);
        return;
    }
    fprintf(f, "set %crange [", axis);
    plot_value(f, log ? g->min - g->min / 10 : 0, u);
    fputc(':', f);
    plot_value(f, g->max + g->max / 20, u);
    fprintf(f, "]\n");
}

static void write_settings(FILE *f, const struct plot *x, const struct group *g)
{
    struct plot_unit u = plot_unit_of(g->max);
    double top = g->samples > 10 * BEYOND ? (double)g->samples / BEYOND : 10.0;
    if (x->kind == PLOT_CDF) {
        fprintf(f,
                "set xlabel 'at most [%s]'\nset ylabel 'share of samples'\nset yrange [0:1]\n"
                "set ytics ('0' 0, '25%%%%' 0.25, '50%%%%' 0.5, '75%%%%' 0.75, '100%%%%' 1)\n",
                u.name);
        write_range(f, 'x', g, u);
        return;
    }
    fprintf(f,
            "set xlabel 'percentile (1/(1-p), log scale)'\nset ylabel '[%s]'\nset logscale x\n"
            "set xrange [1:%.0f]\nset xtics ('0%%%%' 1, '50%%%%' 2, '75%%%%' 4, '90%%%%' 10, "
            "'99%%%%' 100, "
            "'99.9%%%%' 1000, '99.99%%%%' 10000, '99.999%%%%' 100000)\n",
            u.name, top);
    write_range(f, 'y', g, u);
}

static void write_command(FILE *f, const struct plot *x)
{
    bool cdf = x->kind == PLOT_CDF;
    fprintf(f, "plot");
    for (size_t i = 0; i < x->n_shown; i++) {
        fprintf(f, "%s '%s.dat' index %zu using 1:2 with %s lw 2 lc rgb '%s'",
                i ? ", \\\n    " : "", x->name, i, cdf ? "steps" : "fsteps", plot_colour(i));
        dash_type(f, i);
        fprintf(f, " title ");
        plot_quote(f, x->shown[i]->label, 84);
    }
    for (size_t i = 0; i < x->n_shown; i++) {
        fprintf(
            f,
            ", \\\n     '%s.dat' index %zu using %s with vectors nohead lw 5 lc rgb '%s' notitle",
            x->name, i + x->n_shown, cdf ? "2:(0.5):($3-$2):(0)" : "(2):2:(0):($3-$2)",
            plot_colour(i));
        fprintf(
            f, ", \\\n     '%s.dat' index %zu using %s with points pt 7 ps 0.5 lc rgb '%s' notitle",
            x->name, i + x->n_shown, cdf ? "1:(0.5)" : "(2):1", plot_colour(i));
    }
}

static int write_plot(struct plots *p, struct plot *x, enum metric m, const struct group *g,
                      struct err *e)
{
    size_t len;
    FILE *f = plot_data(p, x, e);
    int rc;
    if (!f)
        return ERR_IO;
    write_data(f, x, m, plot_unit_of(g->max));
    rc = plot_data_end(f, x, e);
    f = open_memstream(&x->settings, &len);
    if (f) {
        write_settings(f, x, g);
        fclose(f);
    }
    f = open_memstream(&x->command, &len);
    if (f) {
        write_command(f, x);
        fclose(f);
    }
    return rc == OK && (!x->settings || !x->command) ? err_set(e, ERR_NOMEM, "no memory") : rc;
}

/* ---- which plots ---------------------------------------------------------------------- */

static void gather(const struct series_set *s, enum metric m, uint64_t least, struct group *g)
{
    g->n = 0;
    g->min = INT64_MAX;
    g->max = 0;
    g->samples = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct hist *h = hist_of(&s->list[i], m);
        if (hist_count(h) < least)
            continue;
        g->list[g->n++] = &s->list[i];
        if (hist_min(h) < g->min)
            g->min = hist_min(h);
        if (hist_max(h) > g->max)
            g->max = hist_max(h);
        if (hist_count(h) > g->samples)
            g->samples = hist_count(h);
    }
    if (g->max == 0)
        g->n = 0;
}

/* How many from the first on go into one plot: whole blocks with equal values of the first axis,
 * as far as they fit. */
static size_t block(const struct series_set *s, const struct series **list, size_t n)
{
    size_t take = 0;
    while (take < n) {
        const char *value = s->n_axes ? series_axis(list[take], s->axes[0]) : "";
        size_t k = take;
        while (s->n_axes > 1 && k < n && strcmp(series_axis(list[k], s->axes[0]), value) == 0)
            k++;
        k += k == take;
        if (k > PLOT_CURVES)
            return take ? take : PLOT_CURVES;
        take = k;
    }
    return take;
}

static int plot_part(struct plots *p, enum plot_kind kind, enum metric m, const struct group *g,
                     size_t from, size_t n, unsigned number, struct err *e)
{
    char name[64], part[24] = "";
    struct plot *x;
    if (g->parts)
        snprintf(part, sizeof part, "_%u", number);
    snprintf(name, sizeof name, "%s_%s%s", metric_infos[m].name,
             kind == PLOT_CDF ? "cdf" : "percentiles", part);
    x = plots_add(p, kind, name);
    if (x)
        x->shown = calloc(n + 1, sizeof *x->shown);
    if (!x || !x->shown)
        return err_set(e, ERR_NOMEM, "no memory");
    memcpy(x->shown, g->list + from, n * sizeof *x->shown);
    x->n_shown = n;
    if (g->parts)
        snprintf(part, sizeof part, ", part %u", number);
    snprintf(x->title, sizeof x->title, "%s: %s%s", metric_infos[m].name,
             kind == PLOT_CDF ? "cumulative distribution" : "percentiles", part);
    snprintf(x->caption, sizeof x->caption,
             kind == PLOT_CDF
                 ? "One sample is %s: %s. Dot and bar: median over trials, its 95 %% interval "
                   "(6 trials or more)."
                 : "One sample is %s: %s. A curve ends where fewer than 10 samples lie beyond. Dot "
                   "and bar at 50 %%: median over trials, its 95 %% interval (6 trials or more).",
             metric_infos[m].sample, metric_infos[m].about);
    return write_plot(p, x, m, g, e);
}

static int plot_group(const struct series_set *s, struct plots *p, enum plot_kind kind,
                      enum metric m, struct group *g, struct err *e)
{
    unsigned number = 0;
    int rc = OK;
    g->parts = block(s, g->list, g->n) < g->n;
    for (size_t from = 0; rc == OK && from < g->n;) {
        size_t n = block(s, g->list + from, g->n - from);
        rc = plot_part(p, kind, m, g, from, n, ++number, e);
        from += n;
    }
    return rc;
}

int plot_latency(const struct series_set *s, struct plots *p, struct err *e)
{
    struct group g = {.list = calloc(s->n + 1, sizeof *g.list)};
    int rc = g.list ? OK : err_set(e, ERR_NOMEM, "no memory");
    for (size_t i = 0; rc == OK && i < sizeof metrics / sizeof *metrics; i++) {
        gather(s, metrics[i], TOLD_FROM, &g);
        rc = plot_group(s, p, PLOT_PERCENTILES, metrics[i], &g, e);
        gather(s, metrics[i], 2, &g);
        if (rc == OK)
            rc = plot_group(s, p, PLOT_CDF, metrics[i], &g, e);
    }
    free(g.list);
    return rc;
}
