#include "engine/run/table.h"

#include "engine/run/outputs.h"
#include "engine/run/privacy_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 24, TEXT_MAX = 96 };

/* value / divisor with three significant digits, by integers. */
static void three_digits(int64_t value, int64_t divisor, const char *unit, char *buf, size_t cap)
{
    int64_t scale = value < divisor * 10 ? 100 : value < divisor * 100 ? 10 : 1;
    int64_t whole = value / divisor, rest = value % divisor;
    int64_t part = (rest * scale + divisor / 2) / divisor; /* divisor < 2^53 */
    if (part == scale) {
        part = 0;
        whole++;
    }
    if (scale == 1)
        snprintf(buf, cap, "%" PRId64 " %s", whole + part, unit);
    else
        snprintf(buf, cap, "%" PRId64 ".%0*d %s", whole, scale == 100 ? 2 : 1, (int)part, unit);
}

const char *table_quantity(const char *unit, int64_t v, char *buf, size_t cap)
{
    if (strcmp(unit, "ns") == 0) {
        if (v >= 3600 * NS_S * 10)
            three_digits(v, 3600 * NS_S, "h", buf, cap);
        else if (v >= NS_S)
            three_digits(v, NS_S, "s", buf, cap);
        else if (v >= NS_MS)
            three_digits(v, NS_MS, "ms", buf, cap);
        else if (v >= NS_US)
            three_digits(v, NS_US, "us", buf, cap);
        else
            snprintf(buf, cap, "%" PRId64 " ns", v);
    } else if (strcmp(unit, "bytes") == 0) {
        if (v >= 1 << 30)
            three_digits(v, 1 << 30, "GiB", buf, cap);
        else if (v >= 1 << 20)
            three_digits(v, 1 << 20, "MiB", buf, cap);
        else if (v >= 1 << 10)
            three_digits(v, 1 << 10, "KiB", buf, cap);
        else
            snprintf(buf, cap, "%" PRId64 " B", v);
    } else if (strcmp(unit, "ppm") == 0) {
        three_digits(v, 10000, "%", buf, cap);
    } else {
        snprintf(buf, cap, "%" PRId64, v);
    }
    return buf;
}

/* ---- columns -------------------------------------------------------------------------- */

struct grid {
    char *cells; /* rows of COLUMNS_MAX texts of TEXT_MAX bytes; row 0 is the head */
    size_t rows, columns;
    bool left[COLUMNS_MAX];
};

static char *at(const struct grid *g, size_t row, size_t column)
{
    return g->cells + (row * COLUMNS_MAX + column) * TEXT_MAX;
}

/* "2.31 s [2.30 s, 2.33 s]": the median over all samples, the interval over trials. */
static void print_median(const struct tally *t, enum metric which, char *buf)
{
    const struct hist *h = &t->metrics.hist[which];
    const char *unit = metric_infos[which].unit;
    char mid[24], low[24], high[24];
    struct interval i;
    if (hist_count(h) == 0) {
        snprintf(buf, TEXT_MAX, "-");
        return;
    }
    if (!tally_interval(t, which, &i)) {
        table_quantity(unit, hist_quantile(h, HIST_P50), buf, TEXT_MAX);
        return;
    }
    table_quantity(unit, i.mid, mid, sizeof mid);
    table_quantity(unit, i.low, low, sizeof low);
    table_quantity(unit, i.high, high, sizeof high);
    if (strcmp(low, mid) == 0 && strcmp(high, mid) == 0)
        snprintf(buf, TEXT_MAX, "%s", mid);
    else
        snprintf(buf, TEXT_MAX, "%s [%s, %s]", mid, low, high);
}

static void print_most(const struct tally *t, enum metric which, char *buf)
{
    const struct hist *h = &t->metrics.hist[which];
    if (hist_count(h))
        table_quantity(metric_infos[which].unit, hist_max(h), buf, TEXT_MAX);
    else
        snprintf(buf, TEXT_MAX, "-");
}

static void print_exposed(const struct tally *t, char *buf)
{
    size_t len = 0;
    buf[0] = 0;
    for (size_t i = 0; i < t->n_sums && len < TEXT_MAX; i++)
        if (strcmp(t->sums[i].what, "party_address") == 0)
            len += (size_t)snprintf(buf + len, TEXT_MAX - len, "%s%" PRIu64 " to %s",
                                    len ? ", " : "", t->sums[i].most, t->sums[i].kind);
    if (len == 0)
        snprintf(buf, TEXT_MAX, "-");
}

struct column {
    const char *title;
    bool left;
    enum metric metric;
    enum { MEDIAN, MOST, TRIALS, ROUNDS, MESSAGES, SATURATED, EXPOSED } what;
};
static const struct column columns[] = {
    {"trials", false, 0, TRIALS},
    {"completion p50", false, METRIC_COMPLETION, MEDIAN},
    {"slowest", false, METRIC_COMPLETION, MOST},
    {"setup p50", false, METRIC_SETUP, MEDIAN},
    {"rtt p50", false, METRIC_RTT, MEDIAN},
    {"round p50", false, METRIC_ROUND, MEDIAN},
    {"rounds", false, 0, ROUNDS},
    {"messages", false, 0, MESSAGES},
    {"wire bytes p50", false, METRIC_WIRE_BYTES, MEDIAN},
    {"saturated", false, 0, SATURATED}, /* cover no longer hides who has much to say */
    {"addresses exposed", true, 0, EXPOSED},
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static void print_cell(const struct run_cell *c, const struct column *col, char *buf)
{
    const struct tally *t = &c->tally;
    switch (col->what) {
    case MEDIAN:
        print_median(t, col->metric, buf);
        break;
    case MOST:
        print_most(t, col->metric, buf);
        break;
    case TRIALS:
        snprintf(buf, TEXT_MAX, "%u/%u", t->completed, t->trials);
        break;
    case ROUNDS:
        snprintf(buf, TEXT_MAX, "%" PRIu64, t->metrics.protocol_rounds);
        break;
    case MESSAGES:
        snprintf(buf, TEXT_MAX, "%" PRIu64,
                 t->trials ? t->metrics.counts[COUNT_MESSAGES] / t->trials : 0);
        break;
    case SATURATED:
        snprintf(buf, TEXT_MAX, "%" PRIu64, t->metrics.counts[COUNT_SATURATED]);
        break;
    case EXPOSED:
        print_exposed(t, buf);
        break;
    }
}

static bool has_any(const struct run *r, const struct column *col)
{
    for (size_t i = 0; i < r->n_cells; i++) {
        const struct tally *t = &r->cells[i].tally;
        if (col->what == MEDIAN || col->what == MOST ? hist_count(&t->metrics.hist[col->metric]) > 0
            : col->what == EXPOSED                   ? t->n_sums > 0
            : col->what == ROUNDS                    ? t->metrics.protocol_rounds > 0
            : col->what == SATURATED                 ? t->metrics.counts[COUNT_SATURATED] > 0
                                                     : true)
            return true;
    }
    return false;
}

static bool channel_none(const struct run *r)
{
    for (size_t i = 0; i < r->n_cells; i++)
        if (r->cells[i].cell->spec.channel == CHANNEL_NONE)
            return true;
    return false;
}

static bool crypto_modelled(const struct run *r)
{
    for (size_t i = 0; i < r->n_cells; i++)
        if (r->cells[i].cell->spec.modelled)
            return true;
    return false;
}

static const char *security_of(const struct trial_spec *t)
{
    return t->channel == CHANNEL_NONE ? "NONE" : t->modelled ? "noise, MODELLED" : "noise";
}

static void fill(struct grid *g, const struct run *r)
{
    const struct scenario *s = r->scenario;
    for (size_t a = 0; a < s->n_axes && g->columns < COLUMNS_MAX; a++, g->columns++) {
        g->left[g->columns] = true;
        snprintf(at(g, 0, g->columns), TEXT_MAX, "%s", s->axes[a].name);
        for (size_t i = 0; i < r->n_cells; i++)
            snprintf(at(g, i + 1, g->columns), TEXT_MAX, "%s", r->cells[i].cell->axes[a].value);
    }
    if ((channel_none(r) || crypto_modelled(r)) && g->columns < COLUMNS_MAX) {
        g->left[g->columns] = true;
        snprintf(at(g, 0, g->columns), TEXT_MAX, "security");
        for (size_t i = 0; i < r->n_cells; i++)
            snprintf(at(g, i + 1, g->columns), TEXT_MAX, "%s",
                     security_of(&r->cells[i].cell->spec));
        g->columns++;
    }
    for (int k = 0; k < N_COLUMNS && g->columns < COLUMNS_MAX; k++) {
        if (!has_any(r, &columns[k]))
            continue;
        g->left[g->columns] = columns[k].left;
        snprintf(at(g, 0, g->columns), TEXT_MAX, "%s", columns[k].title);
        for (size_t i = 0; i < r->n_cells; i++)
            print_cell(&r->cells[i], &columns[k], at(g, i + 1, g->columns));
        g->columns++;
    }
}

static void print_grid(const struct grid *g, FILE *out, bool colour)
{
    size_t width[COLUMNS_MAX] = {0};
    for (size_t row = 0; row < g->rows; row++)
        for (size_t c = 0; c < g->columns; c++)
            if (strlen(at(g, row, c)) > width[c])
                width[c] = strlen(at(g, row, c));
    for (size_t row = 0; row < g->rows; row++) {
        if (colour && row == 0)
            fputs("\033[1m", out);
        for (size_t c = 0; c < g->columns; c++) {
            if (g->left[c] && c + 1 == g->columns)
                fprintf(out, "%s", at(g, row, c));
            else
                fprintf(out, g->left[c] ? "%-*s" : "%*s", (int)width[c], at(g, row, c));
            fputs(c + 1 < g->columns ? "  " : "", out);
        }
        fputs(colour && row == 0 ? "\033[0m\n" : "\n", out);
    }
}

/* ---- below the table ------------------------------------------------------------------ */

/* The result that all cells have in common, or NULL. */
static const char *one_result(const struct run *r)
{
    const char *first = r->cells[0].tally.result;
    for (size_t i = 1; first && i < r->n_cells; i++)
        if (!r->cells[i].tally.result || strcmp(r->cells[i].tally.result, first) != 0)
            return NULL;
    return first;
}

static void print_words(const struct run *r, const struct run_cell *c, FILE *out)
{
    const struct tally *t = &c->tally;
    char name[256], where[280] = "", value[TEXT_MAX];
    bool drops = false;
    outputs_cell_name(c->cell, name, sizeof name);
    if (*name)
        snprintf(where, sizeof where, "%s: ", name);
    if (t->invalid)
        fprintf(out, "%sVOID, its figures of privacy are worth nothing: %s\n", where, t->invalid);
    if (t->results_vary)
        fprintf(out, "%sresults differ between trials (see trials/)\n", where);
    else if (t->result && !one_result(r))
        fprintf(out, "%sresult: %s\n", where, t->result);
    if (t->why) {
        const char *line = t->why;
        fprintf(out, "%s%s in trial %u (seed %" PRIu64 "):\n", where,
                t->wrong ? "failed" : "unfinished", (unsigned)t->why_trial, c->cell->seed);
        while (*line) {
            size_t n = strcspn(line, "\n");
            fprintf(out, "    %.*s\n", (int)n, line);
            line += n + (line[n] != 0);
        }
        if (r->opts.world->deterministic)
            fprintf(out, "    every event of it: partyline trace %s --cell %u --trial %u\n",
                    r->scenario->file, (unsigned)c->cell->index, (unsigned)t->why_trial);
    }
    for (int i = 0; i < DROP_COUNT; i++)
        if (t->metrics.drops[i]) {
            fprintf(out, "%s%s %s %" PRIu64, drops ? "" : where,
                    drops ? "," : "dropped:", drop_infos[i].name, t->metrics.drops[i]);
            drops = true;
        }
    if (drops)
        fputc('\n', out);
    for (size_t i = 0; i < c->cell->n_expects; i++) {
        const struct run_verdict *v = &c->verdicts[i];
        if (v->result.met || v->unjudged)
            continue;
        fprintf(out, "%s:%d: %sexpected %s, but %s ", r->scenario->file, v->line, where, v->text,
                v->result.term->path);
        if (v->result.absent) {
            const char *why = tally_absence(t, v->result.term->path, value, sizeof value);
            fprintf(out, "was not measured%s%s\n", why ? ": " : "", why ? why : "");
        } else {
            opt_print_value(v->result.term->unit, v->result.value, value, sizeof value);
            fprintf(out, "is %s\n", value);
        }
    }
}

void table_print(const struct run *r, FILE *out, bool colour)
{
    struct grid g = {.rows = r->n_cells + 1};
    size_t met = 0, all = 0, unjudged = 0;
    g.cells = calloc(g.rows * COLUMNS_MAX, TEXT_MAX);
    if (!g.cells)
        return;
    fprintf(out, "%s", r->scenario->name);
    if (*r->scenario->about)
        fprintf(out, ": %s", r->scenario->about);
    fprintf(out, "\nworld %s, seed %" PRIu64 "%s%s\n\n", r->opts.world->name, r->scenario->seed,
            channel_none(r) ? ", CHANNEL NONE: no encryption, no authentication" : "",
            crypto_modelled(r) ? ", CRYPTO MODELLED: sizes and costs, no contents" : "");
    fill(&g, r);
    print_grid(&g, out, colour);
    free(g.cells);
    fputc('\n', out);
    privacy_table_print(r, out, colour);
    if (one_result(r))
        fprintf(out, "result: %s\n", one_result(r));
    for (size_t i = 0; i < r->n_cells; i++) {
        print_words(r, &r->cells[i], out);
        for (size_t j = 0; j < r->cells[i].cell->n_expects; j++, all++) {
            unjudged += r->cells[i].verdicts[j].unjudged;
            met += r->cells[i].verdicts[j].result.met && !r->cells[i].verdicts[j].unjudged;
        }
    }
    fprintf(out,
            "p50 [low, high]: over the trials, at 95 %% or more; without [] they print alike, or "
            "there are fewer than 6.\n");
    if (all)
        fprintf(out, "expectations: %zu of %zu met\n", met, all - unjudged);
    if (unjudged)
        fprintf(out, "not judged in the world %s: %zu\n", r->opts.world->name, unjudged);
    fprintf(out, "results: %s\n", r->dir);
}
