#include "analysis/plot.h"

#include <stdlib.h>
#include <string.h>

/* Who learned what about whom: rows are nodes, columns are parties. */
struct heat {
    struct {
        uint8_t level;
        uint32_t trials;
    } at[PLOT_NODES][PLOT_NODES];
    party_t rows[PLOT_NODES], columns[PLOT_NODES];
    size_t n_rows, n_columns;
};

enum { HEATS_MAX = 24 };

/* The first parties, and services also where there are many parties. */
static void axes_of(const struct load_cell *c, struct heat *h)
{
    uint32_t parties = c->roster.n_parties, services = c->roster.n - parties;
    uint32_t room = services < PLOT_NODES / 2 ? PLOT_NODES - services : PLOT_NODES / 2;
    for (uint32_t i = 0; i < parties && i < PLOT_NODES; i++)
        h->columns[h->n_columns++] = i;
    for (uint32_t i = 0; i < parties && i < room; i++)
        h->rows[h->n_rows++] = i;
    for (uint32_t i = 0; i < services && h->n_rows < PLOT_NODES; i++)
        h->rows[h->n_rows++] = parties + i;
}

static size_t find(const party_t *list, size_t n, party_t who)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == who)
            return i;
    return n;
}

static void warm(struct heat *h, size_t r, party_t whom, uint8_t level, uint32_t trials)
{
    size_t c = find(h->columns, h->n_columns, whom);
    if (c == h->n_columns)
        return;
    if (level > h->at[r][c].level)
        h->at[r][c].level = level;
    if (trials > h->at[r][c].trials)
        h->at[r][c].trials = trials;
}

/* A fact about a pair is about both. */
static void heat_of(const struct series *x, const char *what, struct heat *h)
{
    const struct tally *t = &x->cell->tally;
    memset(h, 0, sizeof *h);
    axes_of(x->cell, h);
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct exposure_row *row = &t->rows[i];
        size_t r = find(h->rows, h->n_rows, row->who);
        if (strcmp(row->what, what) != 0 || r == h->n_rows)
            continue;
        warm(h, r, row->whom, row->level, t->row_trials[i]);
        warm(h, r, row->other, row->level, t->row_trials[i]);
    }
}

static bool same(const struct series *x, const struct heat *a, const struct series *y,
                 const struct heat *b)
{
    if (memcmp(a, b, sizeof *a) != 0 || x->cell->tally.trials != y->cell->tally.trials)
        return false;
    for (size_t i = 0; i < a->n_rows; i++)
        if (strcmp(load_name(x->cell, a->rows[i]), load_name(y->cell, b->rows[i])) != 0)
            return false;
    for (size_t i = 0; i < a->n_columns; i++)
        if (strcmp(load_name(x->cell, a->columns[i]), load_name(y->cell, b->columns[i])) != 0)
            return false;
    return true;
}

/* ---- data and script ------------------------------------------------------------------ */

/* Blocks: nothing learned; level 1; level 2. An empty block would not be one. */
static void write_data(FILE *f, const struct heat *h, uint32_t trials)
{
    for (uint8_t level = 0; level < 3; level++) {
        fprintf(f, "# index %u: level %u: column, row, trials\nNaN NaN \"\"\n", level, level);
        for (size_t r = 0; r < h->n_rows; r++)
            for (size_t c = 0; c < h->n_columns; c++)
                if (h->at[r][c].level == level || (level == 2 && h->at[r][c].level > 2)) {
                    bool few = h->at[r][c].trials < trials;
                    if (h->rows[r] == h->columns[c])
                        continue;
                    fprintf(f, "%zu %zu \"", c, r);
                    if (level && few)
                        fprintf(f, "%u/%u", (unsigned)h->at[r][c].trials, (unsigned)trials);
                    else if (level)
                        fprintf(f, "%s", "all");
                    fprintf(f, "\"\n");
                }
        fprintf(f, "\n\n");
    }
}

/* The label of a tic is a format. */
static void tic_name(char *out, size_t cap, const char *name)
{
    size_t n = 0;
    for (; *name && n + 3 < cap; name++) {
        if (*name == '%')
            out[n++] = '%';
        out[n++] = *name;
    }
    out[n] = 0;
}

static void write_tics(FILE *f, const char *axis, const struct series *x, const party_t *list,
                       size_t n)
{
    char name[64];
    fprintf(f, "set %stics (", axis);
    for (size_t i = 0; i < n; i++) {
        if (i)
            fprintf(f, ", ");
        tic_name(name, sizeof name, load_name(x->cell, list[i]));
        plot_quote(f, name, 16);
        fprintf(f, " %zu", i);
    }
    fprintf(f, ")%s\n", *axis == 'x' ? " rotate by 45 right scale 0" : " scale 0");
}

static int write_script(struct plot *x, const struct heat *h, struct err *e)
{
    static const char *const colours[] = {"#909090", "#e69f00", "#d55e00"};
    static const char *const about[] = {"nothing", "an address, not whose", "an address and whose"};
    bool room = h->n_columns <= 16;
    size_t len;
    FILE *f = open_memstream(&x->settings, &len);
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory");
    fprintf(f, "unset grid\nset border 0\nset xrange [-0.6:%zu.6]\nset yrange [%zu.6:-0.6]\n",
            h->n_columns - 1, h->n_rows - 1);
    fprintf(f, "set xlabel 'about whom'\nset ylabel 'who learned'\n");
    write_tics(f, "x", x->shown[0], h->columns, h->n_columns);
    write_tics(f, "y", x->shown[0], h->rows, h->n_rows);
    fclose(f);
    f = open_memstream(&x->command, &len);
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory");
    fprintf(f, "plot");
    for (unsigned i = 0; i < 3; i++)
        fprintf(f,
                "%s '%s.dat' index %u using 1:2:(0.46):(0.46) with boxxyerror fs %s lc rgb '%s' "
                "lw 0.8 title '%s'",
                i ? ", \\\n    " : "", x->name, i, i ? "solid 1 noborder" : "empty border",
                colours[i], about[i]);
    for (unsigned i = 1; room && i < 3; i++)
        fprintf(
            f,
            ", \\\n     '%s.dat' index %u using 1:2:3 with labels tc rgb '%s' font ',11' notitle",
            x->name, i, i == 1 ? "#010101" : "#ffffff");
    fclose(f);
    return OK;
}

/* ---- which plots ---------------------------------------------------------------------- */

static int plot_one(struct plots *p, const char *what, const struct heat *h,
                    const struct series **list, size_t n, unsigned number, struct err *e)
{
    const struct load_cell *c = list[0]->cell;
    bool cut = c->roster.n > h->n_rows || c->roster.n_parties > h->n_columns;
    char name[64], more[32] = "";
    struct plot *x;
    FILE *f;
    int rc;
    if (n > 1)
        snprintf(more, sizeof more, " and %zu more", n - 1);
    snprintf(name, sizeof name, "exposure_%u", number);
    x = plots_add(p, PLOT_HEAT, name);
    if (x)
        x->shown = calloc(n + 1, sizeof *x->shown);
    if (!x || !x->shown)
        return err_set(e, ERR_NOMEM, "no memory");
    memcpy(x->shown, list, n * sizeof *list);
    x->n_shown = n;
    x->height = 150 + 26 * (unsigned)h->n_rows;
    x->narrow_height = 130 + (h->n_rows > 12 ? 20 : 26) * (unsigned)h->n_rows;
    snprintf(x->title, sizeof x->title, "%s: %.110s%s", what, list[0]->label, more);
    snprintf(x->caption, sizeof x->caption,
             "Dark: the address is known and tied to the party. Light: an address was seen, but "
             "not whose. Empty: nothing. \"all\": in all %u trials, else in how many.%s",
             (unsigned)c->tally.trials,
             cut ? " Only the first nodes are drawn: exposure.csv has all." : "");
    f = plot_data(p, x, e);
    if (!f)
        return ERR_IO;
    write_data(f, h, c->tally.trials);
    rc = plot_data_end(f, x, e);
    return rc == OK ? write_script(x, h, e) : rc;
}

/* Cells with the same picture share it. */
static int plot_fact(const struct series_set *s, struct plots *p, const char *what,
                     unsigned *number, struct err *e)
{
    struct heat *heats = calloc(2, sizeof *heats);
    bool *done = calloc(s->n + 1, sizeof *done);
    const struct series **list = calloc(s->n + 1, sizeof *list);
    int rc = heats && done && list ? OK : err_set(e, ERR_NOMEM, "no memory");
    for (size_t i = 0; rc == OK && i < s->n && *number < HEATS_MAX; i++) {
        size_t n = 0;
        if (done[i] || s->list[i].cell->tally.n_sums == 0)
            continue;
        heat_of(&s->list[i], what, &heats[0]);
        for (size_t k = i; k < s->n; k++) {
            if (done[k] || s->list[k].cell->tally.n_sums == 0)
                continue;
            heat_of(&s->list[k], what, &heats[1]);
            if (!same(&s->list[i], &heats[0], &s->list[k], &heats[1]))
                continue;
            done[k] = true;
            list[n++] = &s->list[k];
        }
        rc = plot_one(p, what, &heats[0], list, n, ++*number, e);
    }
    free(list);
    free(done);
    free(heats);
    return rc;
}

int plot_exposure(const struct series_set *s, struct plots *p, struct err *e)
{
    const char *facts[16];
    size_t n = 0;
    unsigned number = 0;
    int rc = OK;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->list[i].cell->tally.n_sums; j++) {
            const char *what = s->list[i].cell->tally.sums[j].what;
            size_t k = 0;
            while (k < n && strcmp(facts[k], what) != 0)
                k++;
            if (k == n && n < sizeof facts / sizeof *facts)
                facts[n++] = what;
        }
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = plot_fact(s, p, facts[i], &number, e);
    return rc;
}
