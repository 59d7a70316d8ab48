#include "analysis/benchmark.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct figure {
    const struct load_cell *cell;
    enum metric metric;
    struct interval over;
    bool interval; /* over.low and over.high are one */
};

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* False: not measured, or not one of which less is better. */
static bool read_figure(const struct load_cell *c, enum metric which, struct figure *out)
{
    const struct tally *t = &c->tally;
    bool small = strcmp(metric_infos[which].unit, "ns") == 0 ||
                 strcmp(metric_infos[which].unit, "bytes") == 0;
    size_t n = t->n_medians[which];
    int64_t *sorted = small && n ? calloc(n, sizeof *sorted) : NULL;
    *out = (struct figure){.cell = c, .metric = which};
    if (!sorted)
        return false;
    memcpy(sorted, t->medians[which], n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    interval_of(sorted, n, INTERVAL_MEDIAN, INTERVAL_LEVEL, &out->over);
    out->interval = out->over.level_ppm >= INTERVAL_LEVEL;
    free(sorted);
    return true;
}

static void each(const struct load_run *r, json_t *to,
                 void (*add)(const struct load_run *, const struct figure *, json_t *))
{
    struct figure f;
    for (size_t i = 0; i < r->n_cells; i++)
        for (int m = 0; m < METRIC_COUNT; m++)
            if (r->cells[i].n && read_figure(&r->cells[i], (enum metric)m, &f))
                add(r, &f, to);
}

static void name_cell(const struct load_run *r, const struct load_cell *c, char *out, size_t cap)
{
    snprintf(out, cap, "%s%s%s", r->scenario, *c->name ? "/" : "", c->name);
}

static void add_github(const struct load_run *r, const struct figure *f, json_t *to)
{
    char name[LOAD_CELL_NAME + 256], cell[LOAD_CELL_NAME + 160], range[64];
    const struct metric_info *m = &metric_infos[f->metric];
    json_t *o;
    name_cell(r, f->cell, cell, sizeof cell);
    snprintf(name, sizeof name, "%s/%s", cell, m->name);
    o = json_pack("{s:s, s:s, s:I}", "name", name, "unit", m->unit, "value",
                  (json_int_t)f->over.mid);
    if (f->interval) {
        snprintf(range, sizeof range, "%" PRId64 " .. %" PRId64, f->over.low, f->over.high);
        json_object_set_new(o, "range", json_string(range));
    }
    json_array_append_new(to, o);
}

static void add_bencher(const struct load_run *r, const struct figure *f, json_t *to)
{
    char cell[LOAD_CELL_NAME + 160], measure[64];
    const struct metric_info *m = &metric_infos[f->metric];
    json_t *o = json_pack("{s:I}", "value", (json_int_t)f->over.mid), *of_cell;
    if (f->interval) {
        json_object_set_new(o, "lower_value", json_integer((json_int_t)f->over.low));
        json_object_set_new(o, "upper_value", json_integer((json_int_t)f->over.high));
    }
    name_cell(r, f->cell, cell, sizeof cell);
    snprintf(measure, sizeof measure, "%s (%s)", m->name, m->unit);
    of_cell = json_object_get(to, cell);
    if (!of_cell) {
        of_cell = json_object();
        json_object_set_new(to, cell, of_cell);
    }
    json_object_set_new(of_cell, measure, o);
}

json_t *benchmark_github(const struct load_run *r)
{
    json_t *list = json_array();
    each(r, list, add_github);
    return list;
}

json_t *benchmark_bencher(const struct load_run *r)
{
    json_t *o = json_object();
    each(r, o, add_bencher);
    return o;
}
