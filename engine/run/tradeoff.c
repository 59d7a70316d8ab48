#include "engine/run/tradeoff.h"

#include "engine/run/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORST_OFF = 50000 }; /* ppm */

const char *const tradeoff_titles[TRADEOFF_COLUMNS] = {
    "",         "completion", "above direct", "bytes/useful", "cover",
    "P(guess)", "right",      "H sender",     "H worst-off",  "linked"};

/* ---- cost ------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Over the trials that have a value, less that of the same trial of `base`, if there is one. */
static struct tradeoff_value over_trials(const int64_t *values, const int64_t *base, uint32_t n)
{
    int64_t *list = malloc(((size_t)n + 1) * sizeof *list);
    struct tradeoff_value v = {0};
    for (uint32_t k = 0; list && k < n; k++)
        if (values[k] >= 0 && (!base || base[k] >= 0))
            list[v.n++] = values[k] - (base ? base[k] : 0);
    if (list && v.n) {
        qsort(list, v.n, sizeof *list, by_value);
        interval_of(list, v.n, INTERVAL_MEDIAN, INTERVAL_LEVEL, &v.i);
        v.interval = v.i.level_ppm >= INTERVAL_LEVEL;
    }
    free(list);
    return v;
}

static const char component[] = "transport=";

/* Two names that differ in nothing but the transport. */
static bool beside(const char *a, const char *b)
{
    while (*a && *b) {
        size_t x = strcspn(a, "/"), y = strcspn(b, "/");
        bool skip = strncmp(a, component, sizeof component - 1) == 0 &&
                    strncmp(b, component, sizeof component - 1) == 0;
        if (!skip && (x != y || strncmp(a, b, x) != 0))
            return false;
        a += x + (a[x] == '/');
        b += y + (b[y] == '/');
    }
    return !*a && !*b;
}

static bool is_direct(const char *name)
{
    const char *at = strstr(name, "transport=direct");
    return at && (at == name || at[-1] == '/') && (at[16] == 0 || at[16] == '/');
}

static const struct tally *direct_of(const struct tradeoff_cell *cells, size_t n, size_t which)
{
    for (size_t i = 0; i < n; i++)
        if (is_direct(cells[i].name) && beside(cells[i].name, cells[which].name))
            return cells[i].tally;
    return NULL;
}

/* ---- privacy ---------------------------------------------------------------------------- */

static int64_t median_of(const struct privacy_sum *s)
{
    struct interval i;
    privacy_interval(s, &i);
    return i.mid;
}

static const struct privacy_sum *of_same(const struct tally *t, const struct privacy_sum *as,
                                         enum privacy what)
{
    for (size_t i = 0; as && i < t->privacy.n; i++) {
        const struct privacy_sum *s = &t->privacy.sums[i];
        if (s->key.what == what && s->key.entry == as->key.entry &&
            strcmp(s->key.at, as->key.at) == 0)
            return s;
    }
    return NULL;
}

static void find_figures(const struct tally *t, struct tradeoff *r)
{
    for (size_t i = 0; i < t->privacy.n; i++) {
        const struct privacy_sum *s = &t->privacy.sums[i];
        if (s->key.what == PRIVACY_PARTY_GUESS && (!r->guess || median_of(s) > median_of(r->guess)))
            r->guess = s;
    }
    r->right = of_same(t, r->guess, PRIVACY_PARTY_RIGHT);
    r->entropy = of_same(t, r->guess, PRIVACY_PARTY_ENTROPY);
    r->linking = of_same(t, r->guess, PRIVACY_LINKING);
    r->cover = of_same(t, r->guess, PRIVACY_COVER);
    r->headroom = of_same(t, r->guess, PRIVACY_HEADROOM);
}

/* ---- in words --------------------------------------------------------------------------- */

static void say_value(char *out, const struct tradeoff_value *v, const char *unit)
{
    char mid[28], low[28], high[28];
    snprintf(out, TRADEOFF_TEXT, "-");
    if (!v->n)
        return;
    table_quantity(unit, v->i.mid, mid, sizeof mid);
    table_quantity(unit, v->i.low, low, sizeof low);
    table_quantity(unit, v->i.high, high, sizeof high);
    if (v->interval && (strcmp(low, mid) != 0 || strcmp(high, mid) != 0))
        snprintf(out, TRADEOFF_TEXT, "%s [%s, %s]", mid, low, high);
    else
        snprintf(out, TRADEOFF_TEXT, "%s", mid);
}

static void say_ratio(char *out, const struct tradeoff_value *v)
{
    const struct interval *i = &v->i;
    snprintf(out, TRADEOFF_TEXT, "-");
    if (v->n && v->interval && i->low / 100 != i->high / 100)
        snprintf(out, TRADEOFF_TEXT, "%" PRId64 ".%d [%" PRId64 ".%d, %" PRId64 ".%d]",
                 i->mid / 1000, (int)(i->mid % 1000 / 100), i->low / 1000,
                 (int)(i->low % 1000 / 100), i->high / 1000, (int)(i->high % 1000 / 100));
    else if (v->n)
        snprintf(out, TRADEOFF_TEXT, "%" PRId64 ".%d", i->mid / 1000, (int)(i->mid % 1000 / 100));
}

static void say_sum(char *out, const struct privacy_sum *s)
{
    snprintf(out, TRADEOFF_TEXT, "-");
    if (s)
        privacy_quantity(s, out, TRADEOFF_TEXT);
}

static void say_worst(char *out, const struct privacy_sum *s)
{
    snprintf(out, TRADEOFF_TEXT, "-");
    if (s && s->key.hist && hist_quantile_allowed(s->key.hist, WORST_OFF))
        privacy_value("millibit", hist_quantile(s->key.hist, WORST_OFF), out, TRADEOFF_TEXT);
}

static void say_why(struct tradeoff *r, const struct tally *t, const struct tally *direct)
{
    const char *why = !t->completed           ? "no trial completed; its packets were still seen"
                      : !r->guess             ? "no observer entropy has seen a real packet come "
                                                "to a party here, so nobody guessed"
                      : direct && !r->added.n ? "no trial over direct links completed"
                      : !direct               ? "there is no such cell with transport: direct"
                                              : "";
    snprintf(r->why, sizeof r->why, "%s", why);
}

static void say(struct tradeoff *r)
{
    const struct finding_row *k = r->guess ? &r->guess->key : NULL;
    say_value(r->text[1], &r->completion, "ns");
    say_value(r->text[2], &r->added, "ns");
    say_ratio(r->text[3], &r->overhead);
    say_sum(r->text[4], r->cover);
    say_sum(r->text[5], r->guess);
    say_sum(r->text[6], r->right);
    say_sum(r->text[7], r->entropy);
    say_worst(r->text[8], r->entropy);
    say_sum(r->text[9], r->linking);
    if (k)
        snprintf(r->stated, sizeof r->stated,
                 "%s at %s, prior %s, of %" PRIu64 ", whole trial, n %" PRIu64 " packets",
                 k->observer, k->at, k->prior, k->population, k->n);
}

bool tradeoff_make(const struct tradeoff_cell *cells, size_t n, struct tradeoff *rows)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const struct tally *t = cells[i].tally, *direct = direct_of(cells, n, i);
        uint32_t both = direct && direct->room < t->room ? direct->room : t->room;
        struct tradeoff *r = &rows[i];
        *r = (struct tradeoff){0};
        r->completion = over_trials(t->completions, NULL, t->room);
        r->overhead = over_trials(t->overheads, NULL, t->room);
        if (direct)
            r->added = over_trials(t->completions, direct->completions, both);
        find_figures(t, r);
        say(r);
        say_why(r, t, direct);
        any |= r->guess != NULL;
    }
    return any;
}

/* ---- the table -------------------------------------------------------------------------- */

static void print_line(const char *name, const char (*text)[TRADEOFF_TEXT],
                       const size_t width[TRADEOFF_COLUMNS], FILE *out)
{
    if (width[0])
        fprintf(out, "%-*s  ", (int)width[0], name);
    for (int c = 1; c < TRADEOFF_COLUMNS; c++)
        fprintf(out, "%*s%s", (int)width[c], text ? text[c] : tradeoff_titles[c],
                c + 1 < TRADEOFF_COLUMNS ? "  " : "");
}

static void print_notes(const struct tradeoff_cell *cells, const struct tradeoff *rows, size_t n,
                        FILE *out)
{
    for (size_t i = 0; i < n; i++)
        if (*rows[i].stated || *rows[i].why)
            fprintf(out, "%s%s%s%s%s\n", cells[i].name, *cells[i].name ? ": " : "", rows[i].stated,
                    *rows[i].stated && *rows[i].why ? "; " : "", rows[i].why);
    for (size_t i = 0; i < n; i++)
        if (rows[i].headroom && median_of(rows[i].headroom) < 0)
            fprintf(out,
                    "%s%sthe measured advantage is below what anybody has there (M14): the attack "
                    "misses something, or too few packets were judged\n",
                    cells[i].name, *cells[i].name ? ": " : "");
    fprintf(out,
            "medians over trials [95 %%]; H worst-off: p5 over packets; where P(guess) and right "
            "differ, the model of the path is not exact\n\n");
}

void tradeoff_print(const struct tradeoff_cell *cells, const struct tradeoff *rows, size_t n,
                    FILE *out, bool colour)
{
    size_t width[TRADEOFF_COLUMNS];
    for (int c = 0; c < TRADEOFF_COLUMNS; c++)
        width[c] = strlen(tradeoff_titles[c]);
    for (size_t i = 0; i < n; i++) {
        if (strlen(cells[i].name) > width[0])
            width[0] = strlen(cells[i].name);
        for (int c = 1; c < TRADEOFF_COLUMNS; c++)
            if (strlen(rows[i].text[c]) > width[c])
                width[c] = strlen(rows[i].text[c]);
    }
    fputs(colour ? "\033[1m" : "", out);
    print_line("", NULL, width, out);
    fputs(colour ? "\033[0m\n" : "\n", out);
    for (size_t i = 0; i < n; i++) {
        print_line(cells[i].name, rows[i].text, width, out);
        fputc('\n', out);
    }
    print_notes(cells, rows, n, out);
}
