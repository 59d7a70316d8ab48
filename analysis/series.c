#include "analysis/series.h"

#include "analysis/effect.h"
#include "engine/run/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGEST_MAX = 64 << 20 };

/* ---- the order of axes ---------------------------------------------------------------- */

/* JSON sorts the axes; `digest` names the first cell in the order of the matrix. */
static size_t axes_by_name(const struct load_cell *c, const char *name, const char *out[])
{
    const char *key;
    json_t *value;
    size_t n = 0, found = 1;
    while (*name && found && n < SERIES_AXES_MAX) {
        found = 0;
        json_object_foreach((json_t *)(uintptr_t)c->axes, key, value)
        {
            const char *text = json_string_value(value);
            size_t a = strlen(key), b = strlen(text);
            if (strncmp(name, key, a) != 0 || name[a] != '=' ||
                strncmp(name + a + 1, text, b) != 0 || (name[a + 1 + b] && name[a + 1 + b] != '/'))
                continue;
            out[n++] = key;
            found = a + 1 + b;
            name += found + (name[found] == '/');
            break;
        }
    }
    return n;
}

size_t series_axes(const struct load_run *r, const char *out[SERIES_AXES_MAX])
{
    char path[PATH_MAX + 16], *text = NULL, *name;
    const char *key;
    json_t *value;
    size_t len, n = 0;
    snprintf(path, sizeof path, "%s/digest", r->dir);
    if (files_read(path, DIGEST_MAX, &text, &len, NULL) == OK) {
        text[strcspn(text, "\n")] = 0;
        name = strchr(text, ' ');
        name = name ? strchr(name + 1, ' ') : NULL;
        n = name ? axes_by_name(&r->cells[0], name + 1, out) : 0;
        free(text);
    }
    if (n == json_object_size(r->cells[0].axes))
        return n;
    n = 0;
    json_object_foreach((json_t *)(uintptr_t)r->cells[0].axes, key, value) if (n < SERIES_AXES_MAX)
        out[n++] = key;
    return n;
}

/* ---- opening -------------------------------------------------------------------------- */

/* What tells this run from the others: the world, and more where that is not enough. */
static void name_runs(struct series_set *s)
{
    for (size_t i = 0; i < s->n_runs; i++) {
        const struct load_run *r = &s->runs[i];
        bool scenarios = false, same_world = false, same_seed = false;
        size_t len = 0, cap = sizeof s->names[i];
        for (size_t j = 0; j < s->n_runs; j++) {
            const struct load_run *o = &s->runs[j];
            scenarios |= strcmp(o->scenario, r->scenario) != 0;
            if (j == i || strcmp(o->world, r->world) != 0 || strcmp(o->scenario, r->scenario) != 0)
                continue;
            same_world = true;
            same_seed |= o->seed == r->seed;
        }
        if (scenarios)
            len += (size_t)snprintf(s->names[i], cap, "%.40s ", r->scenario);
        len += (size_t)snprintf(s->names[i] + len, cap - len, "%.16s", r->world);
        if (same_world)
            len += (size_t)snprintf(s->names[i] + len, cap - len, " seed %" PRId64, r->seed);
        if (same_seed)
            snprintf(s->names[i] + len, cap - len, " %.8s", r->id);
    }
}

static void label(const struct series_set *s, struct series *x)
{
    size_t len = 0, cap = sizeof x->label;
    x->label[0] = 0;
    for (size_t a = 0; a < s->n_axes && len < cap; a++) {
        const char *value = series_axis(x, s->axes[a]);
        bool bare = strspn(value, "0123456789.%") != strlen(value); /* "3" alone tells nothing */
        if (*value)
            len += (size_t)snprintf(x->label + len, cap - len, "%s%s%s%s", len ? ", " : "",
                                    bare ? "" : s->axes[a], bare ? "" : " ", value);
    }
    if (s->n_runs > 1 && len < cap)
        snprintf(x->label + len, cap - len, "%s%s", len ? ", " : "", s->names[x->run - s->runs]);
    else if (len == 0)
        snprintf(x->label, cap, "%s", x->run->scenario);
}

static bool listed(const struct series_set *s, const struct load_cell *c)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].cell == c)
            return true;
    return false;
}

static void take(struct series_set *s, struct load_run *r, size_t cell)
{
    struct series *x = &s->list[s->n++];
    x->run = r;
    x->cell = &r->cells[cell];
    x->summary = json_array_get(json_object_get(r->summary, "cells"), cell);
    label(s, x);
}

/* Every cell of the first run, each followed by its namesakes in the others; then the rest. */
static int order(struct series_set *s, struct err *e)
{
    size_t all = 0;
    for (size_t r = 0; r < s->n_runs; r++)
        all += s->runs[r].n_cells;
    s->list = calloc(all + 1, sizeof *s->list);
    if (!s->list)
        return err_set(e, ERR_NOMEM, "no memory for %zu cells", all);
    for (size_t r = 0; r < s->n_runs; r++)
        for (size_t i = 0; i < s->runs[r].n_cells; i++) {
            if (s->n_runs > 1 && listed(s, &s->runs[r].cells[i]))
                continue;
            take(s, &s->runs[r], i);
            for (size_t o = r + 1; o < s->n_runs; o++)
                for (size_t k = 0; k < s->runs[o].n_cells; k++)
                    if (strcmp(s->runs[o].cells[k].name, s->runs[r].cells[i].name) == 0 &&
                        !listed(s, &s->runs[o].cells[k]))
                        take(s, &s->runs[o], k);
        }
    return OK;
}

/* Those of the first run, then what others have beyond them. */
static void collect_axes(struct series_set *s)
{
    const char *axes[SERIES_AXES_MAX];
    s->n_axes = series_axes(&s->runs[0], s->axes);
    for (size_t r = 1; r < s->n_runs; r++) {
        size_t n = series_axes(&s->runs[r], axes);
        for (size_t i = 0; i < n; i++) {
            size_t k = 0;
            while (k < s->n_axes && strcmp(s->axes[k], axes[i]) != 0)
                k++;
            if (k == s->n_axes && k < SERIES_AXES_MAX)
                s->axes[s->n_axes++] = axes[i];
        }
    }
}

int series_open(const char *const *dirs, size_t n, struct series_set *s, struct err *e)
{
    int rc = OK;
    *s = (struct series_set){0};
    s->runs = calloc(n + 1, sizeof *s->runs);
    s->names = calloc(n + 1, sizeof *s->names);
    if (!s->runs || !s->names)
        rc = err_set(e, ERR_NOMEM, "no memory for %zu runs", n);
    while (rc == OK && s->n_runs < n) {
        rc = load_open(dirs[s->n_runs], &s->runs[s->n_runs], e);
        if (rc == OK)
            rc = load_trials(&s->runs[s->n_runs++], e);
    }
    if (rc == OK) {
        name_runs(s);
        collect_axes(s);
        rc = order(s, e);
    }
    if (rc != OK)
        series_close(s);
    return rc;
}

void series_close(struct series_set *s)
{
    for (size_t i = 0; i < s->n_runs; i++)
        load_close(&s->runs[i]);
    free(s->runs);
    free(s->names);
    free(s->list);
    *s = (struct series_set){0};
}

const char *series_axis(const struct series *x, const char *axis)
{
    const char *text = json_string_value(json_object_get(x->cell->axes, axis));
    return text ? text : "";
}

/* ---- figures -------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

bool series_measure(const struct series *x, unsigned measure, struct figure *out)
{
    int64_t *sorted = calloc(x->cell->n + 1, sizeof *sorted);
    struct interval i;
    struct measure about;
    size_t n = 0;
    bool good;
    measure_about(measure, &about);
    *out = (struct figure){.unit = about.unit, .stat = "trial_median"};
    snprintf(out->metric, sizeof out->metric, "%s", about.name);
    for (uint32_t k = 0; sorted && k < x->cell->n; k++) {
        double v = x->cell->trials[k].values[measure];
        if (v >= 0.0)
            sorted[n++] = v < 9e18 ? (int64_t)(v + 0.5) : INT64_MAX;
    }
    if (sorted)
        qsort(sorted, n, sizeof *sorted, by_value);
    good = n && interval_of(sorted, n, INTERVAL_MEDIAN, INTERVAL_LEVEL, &i) == OK;
    free(sorted);
    if (!good)
        return false;
    out->samples = n;
    out->value = i.mid;
    out->interval = i.level_ppm >= INTERVAL_LEVEL;
    out->low = i.low;
    out->high = i.high;
    return true;
}

void series_share(uint32_t part, uint32_t all, int64_t *ppm, int64_t *low, int64_t *high)
{
    const double z = 1.959963984540054;
    double n = all, p = all ? part / n : 0.0, middle, half;
    *ppm = all ? (int64_t)part * 1000000 / all : 0;
    *low = 0;
    *high = 1000000;
    if (!all)
        return;
    middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    half = z * effect_root(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
    if (part)
        *low = (int64_t)((middle - half) * 1e6);
    if (part < all)
        *high = (int64_t)((middle + half) * 1e6 + 0.999999);
}

int64_t series_facts(const struct series *x)
{
    int64_t all = -1;
    for (size_t i = 0; i < x->cell->tally.n_sums; i++)
        all = (all < 0 ? 0 : all) + (int64_t)x->cell->tally.sums[i].most;
    return all;
}

static const struct {
    const char *name;
    uint32_t ppm;
} quantiles[] = {
    {"p01", 10000},  {"p05", 50000},   {"p10", 100000},   {"p25", 250000},
    {"p50", 500000}, {"p75", 750000},  {"p90", 900000},   {"p95", 950000},
    {"p99", 990000}, {"p999", 999000}, {"p9999", 999900},
};

static void metric_figures(const struct series *x, enum metric m, series_each *each, void *ctx)
{
    const struct hist *h = &x->cell->tally.metrics.hist[m];
    struct interval i;
    struct figure f = {.unit = metric_infos[m].unit, .samples = hist_count(h)};
    if (hist_count(h) == 0)
        return;
    snprintf(f.metric, sizeof f.metric, "%s", metric_infos[m].name);
    f.stat = "min";
    f.value = hist_min(h);
    each(ctx, &f);
    for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++)
        if (hist_quantile_allowed(h, quantiles[q].ppm)) {
            f.stat = quantiles[q].name;
            f.value = hist_quantile(h, quantiles[q].ppm);
            each(ctx, &f);
        }
    f.stat = "max";
    f.value = hist_max(h);
    each(ctx, &f);
    if (tally_interval(&x->cell->tally, m, &i)) {
        f.stat = "trial_median";
        f.samples = x->cell->tally.n_medians[m];
        f.interval = true;
        f.value = i.mid;
        f.low = i.low;
        f.high = i.high;
        each(ctx, &f);
    }
}

static void sum_figures(const struct series *x, unsigned measure, uint64_t sum, series_each *each,
                        void *ctx)
{
    struct figure f;
    if (!series_measure(x, measure, &f))
        return;
    each(ctx, &f);
    f.stat = "sum";
    f.value = (int64_t)sum;
    f.interval = false;
    f.low = f.high = 0;
    each(ctx, &f);
}

static void privacy_figures(const struct series *x, series_each *each, void *ctx)
{
    static const char *const names[] = {"p01", "p05", "p50", "p95", "p99"};
    static const uint32_t ppm[] = {10000, 50000, 500000, 950000, 990000};
    for (size_t i = 0; i < x->cell->tally.privacy.n; i++) {
        const struct privacy_sum *s = &x->cell->tally.privacy.sums[i];
        const struct privacy_info *info = &privacy_infos[s->key.what];
        struct interval over;
        struct figure f = {.unit = info->unit, .stat = "trial_median", .samples = s->key.n};
        measure_privacy_name(s, f.metric, sizeof f.metric);
        f.interval = privacy_interval(s, &over);
        f.value = over.mid;
        f.low = f.interval ? over.low : 0;
        f.high = f.interval ? over.high : 0;
        each(ctx, &f);
        f.interval = false;
        f.low = f.high = 0;
        for (size_t q = 0; s->key.hist && q < sizeof ppm / sizeof *ppm; q++)
            if (hist_quantile_allowed(s->key.hist, ppm[q])) {
                f.stat = names[q];
                f.value = hist_quantile(s->key.hist, ppm[q]);
                each(ctx, &f);
            }
    }
}

void series_figures(const struct series *x, series_each *each, void *ctx)
{
    const struct tally *t = &x->cell->tally;
    struct figure share = {.metric = "completed",
                           .unit = "ppm",
                           .stat = "share",
                           .samples = t->trials,
                           .interval = t->trials > 0};
    series_share(t->completed, t->trials, &share.value, &share.low, &share.high);
    each(ctx, &share);
    for (int m = 0; m < METRIC_COUNT; m++)
        metric_figures(x, (enum metric)m, each, ctx);
    for (unsigned i = 0; i < COUNT_COUNT; i++)
        sum_figures(x, MEASURE_COUNTS + i, t->metrics.counts[i], each, ctx);
    for (unsigned i = 0; i < DROP_COUNT; i++)
        if (t->metrics.drops[i])
            sum_figures(x, MEASURE_DROPS + i, t->metrics.drops[i], each, ctx);
    for (size_t i = 0; i < t->n_sums; i++) {
        struct figure f = {.unit = "", .stat = "most", .samples = t->trials};
        snprintf(f.metric, sizeof f.metric, "exposures.%s.%s", t->sums[i].what, t->sums[i].kind);
        f.value = (int64_t)t->sums[i].most;
        each(ctx, &f);
    }
    if (t->metrics.protocol_rounds) {
        struct figure f = {.metric = "protocol_rounds",
                           .unit = "",
                           .stat = "most",
                           .samples = t->trials,
                           .value = (int64_t)t->metrics.protocol_rounds};
        each(ctx, &f);
    }
    privacy_figures(x, each, ctx);
}
