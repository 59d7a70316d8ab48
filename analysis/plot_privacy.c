/* Latency against privacy: a point a cell. */
#include "analysis/plot.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct hist *completion_of(const struct series *x)
{
    return &x->cell->tally.metrics.hist[METRIC_COMPLETION];
}

static void write_points(FILE *f, const struct plot *x, struct plot_unit u)
{
    fprintf(f, "# completion: median, low, high; addresses of parties learned by anybody\n");
    for (size_t i = 0; i < x->n_shown; i++) {
        const struct tally *t = &x->shown[i]->cell->tally;
        int64_t mid = hist_quantile(completion_of(x->shown[i]), HIST_P50);
        struct interval v = {.low = mid, .mid = mid, .high = mid};
        if (!tally_interval(t, METRIC_COMPLETION, &v))
            fprintf(f, "# fewer than 6 trials\n");
        plot_value(f, v.mid, u);
        fputc(' ', f);
        plot_value(f, v.low, u);
        fputc(' ', f);
        plot_value(f, v.high, u);
        fprintf(f, " %" PRId64 "\n\n\n", series_facts(x->shown[i]));
    }
}

static int points_script(struct plot *x, struct plot_unit u, int64_t max, struct err *e)
{
    static const unsigned shapes[PLOT_CURVES] = {7, 5, 9, 11, 13, 15};
    size_t len;
    FILE *f = open_memstream(&x->settings, &len);
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory");
    fprintf(f,
            "set xlabel 'completion, median [%s]'\nset ylabel 'facts exposed'\n"
            "set xrange [0:*]\nset yrange [0:%" PRId64 "]\nset offsets graph 0, graph 0.06, 0, 0\n",
            u.name, max + max / 6 + 1);
    fclose(f);
    f = open_memstream(&x->command, &len);
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory");
    fprintf(f, "plot");
    for (size_t i = 0; i < x->n_shown; i++) {
        fprintf(f,
                "%s '%s.dat' index %zu using 2:4:($3-$2):(0) with vectors nohead lw 2 lc rgb '%s' "
                "notitle, \\\n     '' index %zu using 1:4 with points pt %u ps 0.9 lc rgb '%s' "
                "title ",
                i ? ", \\\n    " : "", x->name, i, plot_colour(i), i, shapes[plot_shape(i)],
                plot_colour(i));
        plot_quote(f, x->shown[i]->label, 84);
    }
    fclose(f);
    return OK;
}

int plot_privacy(const struct series_set *s, struct plots *p, struct err *e)
{
    int64_t most = 0, slowest = 0;
    struct plot *x;
    FILE *f;
    int rc;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += series_facts(&s->list[i]) >= 0 && hist_count(completion_of(&s->list[i]));
    if (n == 0)
        return OK;
    x = plots_add(p, PLOT_SCATTER, "latency_privacy");
    if (x)
        x->shown = calloc(n, sizeof *x->shown);
    if (!x || !x->shown)
        return err_set(e, ERR_NOMEM, "no memory");
    for (size_t i = 0; i < s->n && x->n_shown < PLOT_POINTS; i++) {
        int64_t a = series_facts(&s->list[i]);
        const struct hist *h = completion_of(&s->list[i]);
        if (a < 0 || hist_count(h) == 0)
            continue;
        x->shown[x->n_shown++] = &s->list[i];
        most = a > most ? a : most;
        slowest = hist_quantile(h, HIST_P50) > slowest ? hist_quantile(h, HIST_P50) : slowest;
    }
    snprintf(x->title, sizeof x->title, "latency against privacy");
    snprintf(
        x->caption, sizeof x->caption,
        "Left is faster, low is more private. Facts: that a node knows a party's network address, "
        "that it takes part, who talks to whom, or an input; of all nodes together, the most "
        "in one trial. Bars: 95 %% interval over trials.%s",
        n > x->n_shown ? " Only the first 36 cells." : "");
    f = plot_data(p, x, e);
    if (!f)
        return ERR_IO;
    write_points(f, x, plot_unit_of(slowest));
    rc = plot_data_end(f, x, e);
    return rc == OK ? points_script(x, plot_unit_of(slowest), most, e) : rc;
}
