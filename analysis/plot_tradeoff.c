/* Cost against privacy: completion against guessing, bytes against linking. */
#include "analysis/plot.h"

#include "analysis/tradeoffs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A plot's two values of a cell; false: it has not both. */
struct axes {
    const char *name, *title, *x, *y, *caption;
    bool time;
    bool (*of)(const struct tradeoff *, struct interval *x, struct interval *y);
};

static bool latency_guess(const struct tradeoff *r, struct interval *x, struct interval *y)
{
    *x = r->completion.i;
    if (r->guess)
        privacy_interval(r->guess, y);
    return r->guess && r->completion.n;
}

static bool bytes_linking(const struct tradeoff *r, struct interval *x, struct interval *y)
{
    *x = r->overhead.i;
    if (r->linking)
        privacy_interval(r->linking, y);
    return r->linking && r->overhead.n;
}

static const struct axes all[] = {
    {"latency_guessing", "completion against guessing", "completion, median",
     "probability of the best guess at a sender",
     "Left is faster, low is more private: how sure an adversary is of who sent a packet that was "
     "delivered, in the mean over packets.",
     true, latency_guess},
    {"bytes_linking", "bytes against linking", "bytes that parties send / useful bytes",
     "receivers linked to a true sender",
     "Left is cheaper, low is more private: of how many receivers the heaviest sender is one that "
     "truly sends to them. Where all talk to all, any guess is right.",
     false, bytes_linking},
};

static void write_number(FILE *f, int64_t v, int64_t unit)
{
    fprintf(f, "%" PRId64 ".%09" PRId64 " ", v / unit,
            (int64_t)((uint64_t)(v % unit) * 1000000000U / (uint64_t)unit));
}

static void write_interval(FILE *f, const struct interval *i, int64_t unit)
{
    write_number(f, i->mid, unit);
    write_number(f, i->low, unit);
    write_number(f, i->high, unit);
}

static void write_command(FILE *f, const struct plot *x)
{
    static const unsigned shapes[PLOT_CURVES] = {7, 5, 9, 11, 13, 15};
    fprintf(f, "plot");
    for (size_t i = 0; i < x->n_shown; i++) {
        fprintf(f,
                "%s '%s.dat' index %zu using 2:4:($3-$2):(0) with vectors nohead lw 2 lc rgb '%s' "
                "notitle, \\\n     '' index %zu using 1:5:(0):($6-$5) with vectors nohead lw 2 lc "
                "rgb '%s' notitle, \\\n     '' index %zu using 1:4 with points pt %u ps 0.9 lc "
                "rgb '%s' title ",
                i ? ", \\\n    " : "", x->name, i, plot_colour(i), i, plot_colour(i), i,
                shapes[plot_shape(i)], plot_colour(i));
        plot_quote(f, x->shown[i]->label, 84);
    }
}

static int write_script(struct plot *x, const struct axes *a, const char *unit, struct err *e)
{
    size_t len;
    FILE *f = open_memstream(&x->settings, &len);
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory");
    fprintf(f,
            "set xlabel '%s%s%s%s'\nset ylabel '%s [%%]'\nset xrange [0:*]\nset yrange [0:105]\n"
            "set offsets graph 0, graph 0.06, 0, 0\n",
            a->x, *unit ? " [" : "", unit, *unit ? "]" : "", a->y);
    fclose(f);
    f = open_memstream(&x->command, &len);
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory");
    write_command(f, x);
    fclose(f);
    return OK;
}

static void write_caption(struct plot *x, const struct axes *a, const struct series_set *s,
                          const struct tradeoff *rows)
{
    size_t len = (size_t)snprintf(x->caption, sizeof x->caption,
                                  "%s Bars: 95 %% interval over trials.", a->caption);
    struct interval i, j;
    size_t first = 0;
    while (first < s->n && !a->of(&rows[first], &i, &j))
        first++;
    if (first < s->n && len < sizeof x->caption)
        len += (size_t)snprintf(x->caption + len, sizeof x->caption - len, " %s: %s.",
                                s->list[first].label, rows[first].stated);
    for (size_t k = 0; k < s->n && len < sizeof x->caption; k++)
        if (!a->of(&rows[k], &i, &j))
            len +=
                (size_t)snprintf(x->caption + len, sizeof x->caption - len, " Not drawn: %s (%s).",
                                 s->list[k].label, *rows[k].why ? rows[k].why : "not measured");
}

static int plot_axes(const struct series_set *s, struct plots *p, const struct axes *a,
                     const struct tradeoff *rows, struct err *e)
{
    struct plot *x = plots_add(p, PLOT_SCATTER, a->name);
    struct plot_unit u;
    struct interval i, j;
    int64_t most = 0;
    FILE *f;
    int rc;
    if (x)
        x->shown = calloc(s->n + 1, sizeof *x->shown);
    if (!x || !x->shown)
        return err_set(e, ERR_NOMEM, "no memory");
    for (size_t k = 0; k < s->n; k++)
        if (a->of(&rows[k], &i, &j) && i.high > most)
            most = i.high;
    u = plot_unit_of(most);
    snprintf(x->title, sizeof x->title, "%s", a->title);
    write_caption(x, a, s, rows);
    f = plot_data(p, x, e);
    if (!f)
        return ERR_IO;
    fprintf(f, "# %s: median, low, high; %s [%%]: the same\n", a->x, a->y);
    for (size_t k = 0; k < s->n && x->n_shown < PLOT_POINTS; k++) {
        if (!a->of(&rows[k], &i, &j))
            continue;
        write_interval(f, &i, a->time ? u.ns : 1000);
        write_interval(f, &j, 10000);
        fprintf(f, "\n\n\n");
        x->shown[x->n_shown++] = &s->list[k];
    }
    rc = plot_data_end(f, x, e);
    return rc == OK ? write_script(x, a, a->time ? u.name : "", e) : rc;
}

int plot_tradeoff(const struct series_set *s, struct plots *p, struct err *e)
{
    struct tradeoff *rows = tradeoffs_of(s);
    struct interval x, y;
    int rc = OK;
    for (size_t i = 0; rows && rc == OK && i < sizeof all / sizeof *all; i++) {
        bool any = false;
        for (size_t k = 0; k < s->n; k++)
            any |= all[i].of(&rows[k], &x, &y);
        if (any)
            rc = plot_axes(s, p, &all[i], rows, e);
    }
    free(rows);
    return rc;
}
