/* The table beneath the latencies: what each observer found. */
#include "engine/run/privacy_table.h"

#include "engine/run/outputs.h"
#include "engine/run/tradeoff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 60, LINES_BESIDE = 20, CELL_MAX = 200, TEXT_MAX = 224, COLUMNS = 7 };

struct line {
    char text[COLUMNS][TEXT_MAX];
};

static void fill(struct line *line, const struct run_cell *c, const struct privacy_sum *s)
{
    const struct privacy_info *info = &privacy_infos[s->key.what];
    const struct hist *h = s->key.hist;
    char *worst = line->text[5], *stated = line->text[6];
    size_t len = 0;
    char low[48], high[48];
    outputs_cell_name(c->cell, line->text[0], CELL_MAX);
    snprintf(line->text[1], TEXT_MAX, "%s", s->key.observer);
    snprintf(line->text[2], TEXT_MAX, "%s", s->key.at);
    snprintf(line->text[3], TEXT_MAX, "%s%s%s", info->name, *s->key.about ? " " : "", s->key.about);
    privacy_quantity(s, line->text[4], TEXT_MAX);
    snprintf(worst, TEXT_MAX, "-");
    if (h && hist_quantile_allowed(h, 50000) && hist_quantile_allowed(h, 950000))
        snprintf(worst, TEXT_MAX, "%s, %s",
                 privacy_value(info->unit, hist_quantile(h, 50000), low, sizeof low),
                 privacy_value(info->unit, hist_quantile(h, 950000), high, sizeof high));
    len += (size_t)snprintf(stated + len, TEXT_MAX - len, "n %" PRIu64, s->key.n);
    if (s->key.population && len < TEXT_MAX)
        len += (size_t)snprintf(stated + len, TEXT_MAX - len, ", of %" PRIu64, s->key.population);
    if (*s->key.prior && len < TEXT_MAX)
        len += (size_t)snprintf(stated + len, TEXT_MAX - len, ", prior %s", s->key.prior);
    if (s->key.window && len < TEXT_MAX)
        len += (size_t)snprintf(stated + len, TEXT_MAX - len, ", window %s",
                                privacy_value("ns", s->key.window, low, sizeof low));
    if (privacy_sum_message_level(s) && len < TEXT_MAX)
        snprintf(stated + len, TEXT_MAX - len, ", message-level");
}

static void print(const struct line *lines, size_t n, FILE *out, bool colour)
{
    size_t width[COLUMNS] = {0};
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < COLUMNS; c++)
            if (strlen(lines[i].text[c]) > width[c])
                width[c] = strlen(lines[i].text[c]);
    for (size_t i = 0; i < n; i++) {
        if (colour && i == 0)
            fputs("\033[1m", out);
        for (int c = 0; c < COLUMNS; c++) {
            if (c == 0 && width[c] == 0)
                continue;
            fprintf(out, "%-*s%s", c + 1 < COLUMNS ? (int)width[c] : 0, lines[i].text[c],
                    c + 1 < COLUMNS ? "  " : "");
        }
        fputs(colour && i == 0 ? "\033[0m\n" : "\n", out);
    }
}

/* Did it have something to print? */
static bool print_tradeoff(const struct run *r, FILE *out, bool colour)
{
    bool some;
    struct tradeoff_cell *cells = calloc(r->n_cells + 1, sizeof *cells);
    struct tradeoff *rows = calloc(r->n_cells + 1, sizeof *rows);
    char(*names)[CELL_MAX] = calloc(r->n_cells + 1, sizeof *names);
    for (size_t i = 0; cells && names && i < r->n_cells; i++)
        cells[i] = (struct tradeoff_cell){
            outputs_cell_name(r->cells[i].cell, names[i], sizeof names[i]), &r->cells[i].tally};
    some = cells && rows && names && tradeoff_make(cells, r->n_cells, rows);
    if (some)
        tradeoff_print(cells, rows, r->n_cells, out, colour);
    free(cells);
    free(rows);
    free(names);
    return some;
}

void privacy_table_print(const struct run *r, FILE *out, bool colour)
{
    static const char *const titles[COLUMNS] = {"",       "observer", "at",    "metric",
                                                "median", "p5, p95",  "stated"};
    struct line *lines;
    size_t n = 0, all = 0;
    for (size_t i = 0; i < r->n_cells; i++)
        all += r->cells[i].tally.privacy.n;
    lines = all ? calloc((all < LINES_MAX ? all : LINES_MAX) + 1, sizeof *lines) : NULL;
    if (!lines)
        return;
    if (print_tradeoff(r, out, colour) && all > LINES_BESIDE) {
        fprintf(out, "%zu figures of observers: partyline report, or summary.json\n\n", all);
        free(lines);
        return;
    }
    for (int c = 0; c < COLUMNS; c++)
        snprintf(lines[n].text[c], TEXT_MAX, "%s", titles[c]);
    n++;
    for (size_t i = 0; i < r->n_cells; i++)
        for (size_t j = 0; j < r->cells[i].tally.privacy.n && n <= LINES_MAX; j++)
            fill(&lines[n++], &r->cells[i], &r->cells[i].tally.privacy.sums[j]);
    print(lines, n, out, colour);
    if (all > LINES_MAX)
        fprintf(out, "%zu more in summary.json\n", all - LINES_MAX);
    fputc('\n', out);
    free(lines);
}
