#include "analysis/report.h"

#include "engine/run/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum kind { TRIALS, MEDIAN, TAIL, MOST, ROUNDS, MESSAGES, EXPOSED };

/* The columns of the table that `run` prints, and the tail of completion. */
static const struct column {
    const char *title;
    enum kind kind;
    enum metric metric;
    bool left;
} columns[] = {
    {"trials", TRIALS, 0, false},
    {"completion p50", MEDIAN, METRIC_COMPLETION, false},
    {"completion p90", TAIL, METRIC_COMPLETION, false},
    {"slowest", MOST, METRIC_COMPLETION, false},
    {"setup p50", MEDIAN, METRIC_SETUP, false},
    {"rtt p50", MEDIAN, METRIC_RTT, false},
    {"round p50", MEDIAN, METRIC_ROUND, false},
    {"rounds", ROUNDS, 0, false},
    {"messages", MESSAGES, 0, false},
    {"wire bytes p50", MEDIAN, METRIC_WIRE_BYTES, false},
    {"addresses exposed", EXPOSED, 0, true},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static char *slot(const struct answer *a, size_t row, size_t column)
{
    return a->text[row * ANSWER_COLUMNS + column];
}

const char *answer_at(const struct answer *a, size_t row, size_t column)
{
    return slot(a, row, column);
}

static void print_median(const struct tally *t, enum metric which, char *buf)
{
    const struct hist *h = &t->metrics.hist[which];
    const char *unit = metric_infos[which].unit;
    char mid[32], low[32], high[32];
    struct interval i;
    if (hist_count(h) == 0)
        return;
    if (tally_interval(t, which, &i))
        snprintf(buf, ANSWER_TEXT, "%s [%s, %s]", table_quantity(unit, i.mid, mid, sizeof mid),
                 table_quantity(unit, i.low, low, sizeof low),
                 table_quantity(unit, i.high, high, sizeof high));
    else
        table_quantity(unit, hist_quantile(h, HIST_P50), buf, ANSWER_TEXT);
}

static void print_exposed(const struct tally *t, char *buf)
{
    size_t len = 0;
    for (size_t i = 0; i < t->n_sums && len < ANSWER_TEXT; i++)
        if (strcmp(t->sums[i].what, "party_address") == 0)
            len += (size_t)snprintf(buf + len, ANSWER_TEXT - len, "%s%" PRIu64 " to %s",
                                    len ? ", " : "", t->sums[i].most, t->sums[i].kind);
}

/* "-" for what was not measured. */
static void print_cell(const struct series *x, const struct column *c, char *buf)
{
    const struct tally *t = &x->cell->tally;
    const struct hist *h = &t->metrics.hist[c->metric];
    snprintf(buf, ANSWER_TEXT, "-");
    switch (c->kind) {
    case TRIALS:
        snprintf(buf, ANSWER_TEXT, "%u/%u", (unsigned)t->completed, (unsigned)t->trials);
        break;
    case MEDIAN:
        print_median(t, c->metric, buf);
        break;
    case TAIL:
        if (hist_quantile_allowed(h, HIST_P90))
            table_quantity(metric_infos[c->metric].unit, hist_quantile(h, HIST_P90), buf,
                           ANSWER_TEXT);
        break;
    case MOST:
        if (hist_count(h))
            table_quantity(metric_infos[c->metric].unit, hist_max(h), buf, ANSWER_TEXT);
        break;
    case ROUNDS:
        snprintf(buf, ANSWER_TEXT, "%" PRIu64, t->metrics.protocol_rounds);
        break;
    case MESSAGES:
        snprintf(buf, ANSWER_TEXT, "%" PRIu64,
                 t->trials ? t->metrics.counts[COUNT_MESSAGES] / t->trials : 0);
        break;
    case EXPOSED:
        if (t->n_sums)
            print_exposed(t, buf);
        break;
    }
}

static bool has_any(const struct series_set *s, const struct column *c)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct tally *t = &s->list[i].cell->tally;
        const struct hist *h = &t->metrics.hist[c->metric];
        if (c->kind == MEDIAN || c->kind == MOST ? hist_count(h) > 0
            : c->kind == TAIL                    ? hist_quantile_allowed(h, HIST_P90)
            : c->kind == EXPOSED                 ? t->n_sums > 0
            : c->kind == ROUNDS                  ? t->metrics.protocol_rounds > 0
                                                 : true)
            return true;
    }
    return false;
}

static const char *channel_of(const struct series *x)
{
    const json_t *cells = json_object_get(x->run->manifest, "cells");
    const json_t *cell = json_array_get(cells, (size_t)(x->cell - x->run->cells));
    const char *text =
        json_string_value(json_object_get(json_object_get(cell, "resolved"), "channel"));
    return text ? text : "";
}

static size_t add(struct answer *a, const char *title, bool left)
{
    a->left[a->columns] = left;
    snprintf(slot(a, 0, a->columns), ANSWER_TEXT, "%s", title);
    return a->columns++;
}

static void fill(struct answer *a, const struct series_set *s)
{
    bool bare = false;
    size_t c;
    if (s->n_runs > 1) {
        c = add(a, "run", true);
        for (size_t i = 0; i < s->n; i++)
            snprintf(slot(a, i + 1, c), ANSWER_TEXT, "%s", s->names[s->list[i].run - s->runs]);
    }
    for (size_t k = 0; k < s->n_axes; k++) {
        c = add(a, s->axes[k], true);
        for (size_t i = 0; i < s->n; i++)
            snprintf(slot(a, i + 1, c), ANSWER_TEXT, "%s", series_axis(&s->list[i], s->axes[k]));
    }
    for (size_t i = 0; i < s->n; i++)
        bare |= strcmp(channel_of(&s->list[i]), "none") == 0;
    if (bare) {
        c = add(a, "security", true);
        for (size_t i = 0; i < s->n; i++)
            snprintf(slot(a, i + 1, c), ANSWER_TEXT, "%s",
                     strcmp(channel_of(&s->list[i]), "none") == 0 ? "NONE"
                                                                  : channel_of(&s->list[i]));
    }
    for (int k = 0; k < N_COLUMNS; k++) {
        if (!has_any(s, &columns[k]))
            continue;
        c = add(a, columns[k].title, columns[k].left);
        for (size_t i = 0; i < s->n; i++)
            print_cell(&s->list[i], &columns[k], slot(a, i + 1, c));
    }
}

int answer_make(const struct series_set *s, struct answer *a, struct err *e)
{
    *a = (struct answer){.rows = s->n + 1};
    a->text = calloc(a->rows * ANSWER_COLUMNS, sizeof *a->text);
    if (!a->text)
        return err_set(e, ERR_NOMEM, "no memory for the table");
    fill(a, s);
    return OK;
}

void answer_free(struct answer *a)
{
    free(a->text);
    *a = (struct answer){0};
}

/* ---- expectations --------------------------------------------------------------------- */

int report_judge(const struct series *x, size_t i, struct judged *out, struct err *e)
{
    const json_t *o = json_array_get(json_object_get(x->summary, "expect"), i);
    struct expect_result r;
    struct expect *parsed;
    struct arena arena;
    struct err why = {0};
    size_t at;
    int rc;
    *out = (struct judged){.line = json_integer_value(json_object_get(o, "line")),
                           .text = json_string_value(json_object_get(o, "text")),
                           .met = json_is_true(json_object_get(o, "met"))};
    if (!o)
        return ERR_ABSENT;
    if (!out->text)
        return err_set(e, ERR_FORMAT, "%s/summary.json: an expectation has no text", x->run->dir);
    arena_init(&arena, 1 << 20);
    rc = expect_parse(&arena, out->text, &parsed, &at, &why);
    if (rc != OK) {
        err_set(e, ERR_FORMAT, "%s/summary.json: expect %s: %s", x->run->dir, out->text, why.text);
        rc = ERR_FORMAT;
    } else {
        r = expect_eval(parsed, tally_lookup, (void *)(uintptr_t)&x->cell->tally);
        if (r.absent)
            snprintf(out->found, sizeof out->found, "not measured");
        else
            opt_print_value(r.term->unit, r.value, out->found, sizeof out->found);
        if (r.met != out->met)
            rc = err_set(e, ERR_MISMATCH,
                         "%s: summary.json says that %s was %s; its trials say otherwise",
                         x->run->dir, out->text, out->met ? "met" : "unmet");
    }
    arena_free(&arena);
    return rc;
}
