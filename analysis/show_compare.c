#include "analysis/show_compare.h"

#include "engine/run/privacy.h"
#include "engine/run/table.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TEXT = 600, ROWS_MAX = 40 };

enum format { PLAIN, MARKDOWN, XML };

/* Printable, and without what has a meaning in the format. Returns buf. */
static const char *escape(enum format f, const char *text, char *buf, size_t cap)
{
    size_t n = 0;
    for (; *text && n + 8 < cap; text++) {
        char c = *text >= 0x20 && *text < 0x7f ? *text : '?';
        const char *entity = f == PLAIN                                 ? NULL
                             : c == '<'                                 ? "&lt;"
                             : c == '>'                                 ? "&gt;"
                             : c == '&'                                 ? "&amp;"
                             : c == '"' && f == XML                     ? "&quot;"
                             : f == MARKDOWN && c == '|'                ? "&#124;"
                             : f == MARKDOWN && strchr("`*_[]\\~@#", c) ? ""
                                                                        : NULL;
        if (entity && *entity)
            n += (size_t)snprintf(buf + n, cap - n, "%s", entity);
        else if (entity)
            n += (size_t)snprintf(buf + n, cap - n, "\\%c", c);
        else
            buf[n++] = c;
    }
    buf[n] = 0;
    return buf;
}

static const char *cell_name(const struct compare *c, size_t cell, enum format f, char *buf,
                             size_t cap)
{
    const char *name = c->a->cells[cell].name;
    return escape(f, *name ? name : "(the only cell)", buf, cap);
}

/* ---- figures -------------------------------------------------------------------------- */

static const char *percent(const struct effect *x, double change, char *buf, size_t cap)
{
    int64_t ppm;
    if (!effect_ppm(x, change, &ppm))
        snprintf(buf, cap, "from 0");
    else
        snprintf(buf, cap, "%c%" PRId64 ".%02d %%", ppm < 0 ? '-' : '+',
                 (ppm < 0 ? -ppm : ppm) / 10000, (int)((ppm < 0 ? -ppm : ppm) % 10000 / 100));
    return buf;
}

static const char *figure(const struct measure *m, double v, char *buf, size_t cap)
{
    if (*m->unit && strcmp(m->unit, "packets") != 0)
        return privacy_value(m->unit, (int64_t)(v + 0.5), buf, cap);
    snprintf(buf, cap, "%" PRId64 ".%02d", (int64_t)(v + 0.005),
             (int)((int64_t)((v + 0.005) * 100.0) % 100));
    return buf;
}

struct row_text {
    char a[48], b[48], effect[48], interval[96];
};

static void describe(const struct compare_row *r, const struct measure *m, struct row_text *t)
{
    const struct effect *x = &r->effect;
    char low[40], high[40];
    figure(m, x->a, t->a, sizeof t->a);
    figure(m, x->b, t->b, sizeof t->b);
    percent(x, x->change, t->effect, sizeof t->effect);
    if (x->interval && x->a > 0.0)
        snprintf(t->interval, sizeof t->interval, "[%s, %s]", percent(x, x->low, low, sizeof low),
                 percent(x, x->high, high, sizeof high));
    else
        snprintf(t->interval, sizeof t->interval, x->interval ? "-" : "%zu pairs: none", x->pairs);
}

/* Those that count first, the larger effect first. */
static int by_weight(const void *a, const void *b)
{
    const struct compare_row *x = *(const struct compare_row *const *)a;
    const struct compare_row *y = *(const struct compare_row *const *)b;
    int64_t px = INT64_MAX, py = INT64_MAX;
    if (x->fate != y->fate)
        return x->fate < y->fate ? -1 : 1;
    if (!effect_ppm(&x->effect, x->effect.change, &px))
        px = INT64_MAX;
    if (!effect_ppm(&y->effect, y->effect.change, &py))
        py = INT64_MAX;
    px = px < 0 ? -px : px;
    py = py < 0 ? -py : py;
    return px > py ? -1 : px < py ? 1 : x < y ? -1 : x > y;
}

static const struct compare_row **order_of(const struct compare *c)
{
    const struct compare_row **order = calloc(c->n_rows + 1, sizeof *order);
    for (size_t i = 0; order && i < c->n_rows; i++)
        order[i] = &c->rows[i];
    if (order)
        qsort((void *)order, c->n_rows, sizeof *order, by_weight);
    return order;
}

static void describe_leak(const struct compare *c, const struct compare_leak *l, enum format f,
                          char *buf, size_t cap)
{
    char what[80], who[160], whom[160], other[160];
    bool pair = l->other != PARTY_NONE;
    const struct load_cell *cell = &c->a->cells[l->cell];
    escape(f, l->what, what, sizeof what);
    if (l->whom == COMPARE_SUM)
        snprintf(buf, cap, "%s: at most %" PRIu64 " in a trial were known to a %s, now %" PRIu64,
                 what, l->a, escape(f, l->kind, who, sizeof who), l->b);
    else
        snprintf(buf, cap,
                 "%s: %s learns it about %s%s%s in %" PRIu64
                 " trials (level %u), before in %" PRIu64 " (level %u)",
                 what, escape(f, load_name(cell, l->who), who, sizeof who),
                 escape(f, load_name(cell, l->whom), whom, sizeof whom), pair ? " and " : "",
                 pair ? escape(f, load_name(cell, l->other), other, sizeof other) : "", l->b,
                 l->level_b, l->a, l->level_a);
}

/* ---- text ----------------------------------------------------------------------------- */

void show_compare_line(const struct compare *c, FILE *f)
{
    char scenario[128] = "", reason[TEXT];
    if (c->a && c->a->scenario)
        snprintf(scenario, sizeof scenario, "%.64s in %.32s: ", c->a->scenario, c->a->world);
    fprintf(f, "%s%s: %s\n", scenario, c->verdict, escape(PLAIN, c->reason, reason, sizeof reason));
}

static void print_effects(const struct compare *c, FILE *f)
{
    const struct compare_row **order = order_of(c);
    size_t n = c->n_rows < ROWS_MAX ? c->n_rows : ROWS_MAX;
    char name[TEXT];
    if (!order || n == 0) {
        free((void *)order);
        return;
    }
    fprintf(f, "\n%-9s  %-26s %10s %10s  %10s  %-24s %s\n", "", "measure", "A", "B", "effect",
            "95 % interval", "cell");
    for (size_t i = 0; i < n; i++) {
        struct measure m;
        struct row_text t;
        char about[TEXT];
        compare_about(c, order[i], &m);
        describe(order[i], &m, &t);
        fprintf(f, "%-9s  %-26s %10s %10s  %10s  %-24s %s\n", compare_fate_name(order[i]->fate),
                escape(PLAIN, m.name, about, sizeof about), t.a, t.b, t.effect, t.interval,
                cell_name(c, order[i]->cell, PLAIN, name, sizeof name));
    }
    if (n < c->n_rows)
        fprintf(f, "and %zu more: see verdict.json\n", c->n_rows - n);
    free((void *)order);
}

static void print_lines(FILE *f, const char *mark, const char lines[][FIRST_DIFF_LINE], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "  %s %s\n", mark, lines[i]);
}

static void print_first(const struct compare *c, FILE *f)
{
    const struct first_diff *d = &c->first;
    char name[TEXT];
    if (!d->found)
        return;
    fprintf(f, "\nfirst difference: trial %u of cell %u, %s\n", (unsigned)d->trial,
            (unsigned)c->a->cells[d->cell].index, cell_name(c, d->cell, PLAIN, name, sizeof name));
    if (d->traced) {
        fprintf(f, "  event %lu%s:\n", d->line, d->logged ? "" : " of its recording");
        print_lines(f, " ", d->before, d->n_before);
        print_lines(f, "-", d->a, d->n_a);
        print_lines(f, "+", d->b, d->n_b);
        if (!d->n_a || !d->n_b)
            fprintf(f, "  %c (ends here)\n", d->n_a ? '+' : '-');
    } else {
        fprintf(f, "  %s\n", d->untraced);
    }
    if (d->in_event && !d->traced)
        fprintf(f, "  to see it, with the program of either run: %s\n", d->command);
}

void show_compare_text(const struct compare *c, FILE *f, bool colour)
{
    const char *tint = !colour                 ? ""
                       : c->code == EXIT_WORSE ? "\033[1;31m"
                       : c->code == EXIT_DONE  ? "\033[1;32m"
                                               : "\033[1;33m";
    char text[TEXT];
    if (c->a && c->a->scenario && c->b && c->b->scenario)
        fprintf(f,
                "A: %s (Partyline %s, digest %016" PRIx64
                ")\nB: %s (Partyline %s, digest %016" PRIx64 ")\n",
                c->a->dir, c->a->version, c->a->digest, c->b->dir, c->b->version, c->b->digest);
    for (size_t i = 0; i < c->n_leaks; i++) {
        char name[TEXT];
        describe_leak(c, &c->leaks[i], PLAIN, text, sizeof text);
        if (i < ROWS_MAX)
            fprintf(f, "%sexposed    %s; %s\n", i ? "" : "\n", text,
                    cell_name(c, c->leaks[i].cell, PLAIN, name, sizeof name));
    }
    if (c->n_leaks > ROWS_MAX)
        fprintf(f, "and %zu more: see verdict.json\n", c->n_leaks - ROWS_MAX);
    print_effects(c, f);
    print_first(c, f);
    fputc('\n', f);
    for (size_t i = 0; i < c->n_notes; i++)
        fprintf(f, "note: %s\n", escape(PLAIN, c->notes[i], text, sizeof text));
    fprintf(f, "%s%s%s: %s\n", tint, c->verdict, colour ? "\033[0m" : "",
            escape(PLAIN, c->reason, text, sizeof text));
}

/* ---- Markdown ------------------------------------------------------------------------- */

static const char *badge(const struct compare *c)
{
    return c->code == EXIT_DONE    ? ":white_check_mark:"
           : c->code == EXIT_WORSE ? ":x:"
                                   : ":warning:";
}

void show_compare_markdown(const struct compare *c, FILE *f)
{
    const struct compare_row **order = order_of(c);
    size_t n = c->n_rows < ROWS_MAX ? c->n_rows : ROWS_MAX;
    char text[TEXT], name[TEXT];
    fprintf(f, "%s **%s**%s%s: %s\n", badge(c), c->verdict, c->a && c->a->scenario ? ", " : "",
            c->a && c->a->scenario ? escape(MARKDOWN, c->a->scenario, name, sizeof name) : "",
            escape(MARKDOWN, c->reason, text, sizeof text));
    if (order && n)
        fprintf(f, "\n| | measure | A | B | effect | 95 %% interval | cell |\n"
                   "|---|---|---:|---:|---:|---|---|\n");
    for (size_t i = 0; order && i < n; i++) {
        struct measure m;
        struct row_text t;
        char about[TEXT];
        compare_about(c, order[i], &m);
        describe(order[i], &m, &t);
        fprintf(f, "| %s | `%s` | %s | %s | %s | %s | %s |\n", compare_fate_name(order[i]->fate),
                escape(PLAIN, m.name, about, sizeof about), t.a, t.b, t.effect, t.interval,
                cell_name(c, order[i]->cell, MARKDOWN, name, sizeof name));
    }
    if (c->n_rows > n)
        fprintf(f, "\nand %zu more: see `verdict.json`\n", c->n_rows - n);
    for (size_t i = 0; i < c->n_leaks && i < ROWS_MAX; i++) {
        describe_leak(c, &c->leaks[i], MARKDOWN, text, sizeof text);
        fprintf(f, "%s- **exposed**: %s (%s)\n", i ? "" : "\n", text,
                cell_name(c, c->leaks[i].cell, MARKDOWN, name, sizeof name));
    }
    for (size_t i = 0; i < c->n_notes; i++)
        fprintf(f, "%s- %s\n", i ? "" : "\n", escape(MARKDOWN, c->notes[i], text, sizeof text));
    if (c->first.found) {
        fprintf(f, "\nFirst difference: trial %u of cell %u.", (unsigned)c->first.trial,
                (unsigned)c->a->cells[c->first.cell].index);
        fprintf(f, c->first.traced ? "\n\n```diff\n" : " %s\n",
                escape(MARKDOWN, c->first.untraced, text, sizeof text));
    }
    if (c->first.found && c->first.traced) {
        print_lines(f, " ", c->first.before, c->first.n_before);
        print_lines(f, "-", c->first.a, c->first.n_a);
        print_lines(f, "+", c->first.b, c->first.n_b);
        fprintf(f, "```\n");
    }
    free((void *)order);
}

/* ---- JUnit ---------------------------------------------------------------------------- */

static void print_cell_case(const struct compare *c, size_t cell, const char *scenario, FILE *f)
{
    char name[TEXT], text[TEXT];
    size_t bad = 0;
    fprintf(f, "  <testcase classname=\"partyline.%s\" name=\"%s\">", scenario,
            cell_name(c, cell, XML, name, sizeof name));
    for (size_t i = 0; i < c->n_leaks; i++)
        if (c->leaks[i].cell == cell) {
            describe_leak(c, &c->leaks[i], XML, text, sizeof text);
            fprintf(f, "%sexposed: %s\n", bad++ ? "" : "\n   <failure message=\"worse\">", text);
        }
    for (size_t i = 0; i < c->n_rows; i++) {
        struct measure m;
        struct row_text t;
        if (c->rows[i].cell != cell || c->rows[i].fate != FATE_WORSE)
            continue;
        compare_about(c, &c->rows[i], &m);
        describe(&c->rows[i], &m, &t);
        fprintf(f, "%s%s: %s, was %s: %s %s\n", bad++ ? "" : "\n   <failure message=\"worse\">",
                m.name, t.b, t.a, t.effect, t.interval);
    }
    fprintf(f, "%s</testcase>\n", bad ? "   </failure>\n  " : "");
}

static bool cell_is_worse(const struct compare *c, size_t cell)
{
    for (size_t i = 0; i < c->n_leaks; i++)
        if (c->leaks[i].cell == cell)
            return true;
    for (size_t i = 0; i < c->n_rows; i++)
        if (c->rows[i].cell == cell && c->rows[i].fate == FATE_WORSE)
            return true;
    return false;
}

void show_compare_junit(const struct compare *c, FILE *f)
{
    bool known = c->a && c->a->scenario && c->code != EXIT_NOT_COMPARABLE;
    size_t cells = known ? c->a->n_cells : 0, failures = c->code != EXIT_DONE;
    char scenario[TEXT] = "compare", text[TEXT];
    if (c->a && c->a->scenario)
        escape(XML, c->a->scenario, scenario, sizeof scenario);
    for (size_t i = 0; i < cells; i++)
        failures += cell_is_worse(c, i);
    escape(XML, c->reason, text, sizeof text);
    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"partyline compare %s\" tests=\"%zu\" failures=\"%zu\">\n",
            scenario, cells + 1, failures);
    fprintf(f, "  <testcase classname=\"partyline.%s\" name=\"verdict\">", scenario);
    if (c->code != EXIT_DONE)
        fprintf(f, "\n   <failure message=\"%s\">%s</failure>\n  ", c->verdict, text);
    fprintf(f, "</testcase>\n");
    for (size_t i = 0; i < cells; i++)
        print_cell_case(c, i, scenario, f);
    fprintf(f, "</testsuite>\n");
}
