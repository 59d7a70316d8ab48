#include "analysis/export.h"

#include "analysis/effect.h"
#include "engine/run/files.h"
#include "engine/run/hlog.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TICKS = 5, BUCKETS = HIST_SLOTS / 1024 - 1, SUB_BUCKETS = 2048 };

static double in_ms(double ns)
{
    return ns / 1e6;
}

/* Source: HdrHistogram's PercentileIterator: so many steps until half of the rest is passed. */
static double next_level(double level)
{
    double half = 100.0 / (100.0 - level), ticks = TICKS * 2.0;
    for (; half >= 2.0; half /= 2.0)
        ticks *= 2.0;
    return level + 100.0 / ticks;
}

static void footer(FILE *f, const struct hist *h)
{
    double n = (double)hist_count(h), mean, squares = 0.0;
    unsigned cursor = 0;
    int64_t value;
    uint64_t count;
    mean = n > 0 ? (double)hist_sum(h) / n : 0.0;
    while (hist_next(h, &cursor, &value, &count)) {
        double middle = ((double)value + (double)hist_slot_high(hist_slot(value))) / 2 - mean;
        squares += middle * middle * (double)count;
    }
    fprintf(f, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", in_ms(mean),
            in_ms(n > 0 ? effect_root(squares / n) : 0.0));
    fprintf(f, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", in_ms((double)hist_max(h)),
            hist_count(h));
    fprintf(f, "#[Buckets = %12d, SubBuckets     = %12d]\n", BUCKETS, SUB_BUCKETS);
}

void export_hgrm_text(FILE *f, const struct hist *h)
{
    uint64_t sum = 0, count, all = hist_count(h);
    unsigned cursor = 0;
    int64_t value, high = 0;
    double level = 0.0;
    fprintf(f, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    while (hist_next(h, &cursor, &value, &count)) {
        sum += count;
        high = hist_slot_high(hist_slot(value));
        while (level < 100.0 && 100.0 * (double)sum / (double)all >= level) {
            fprintf(f, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", in_ms((double)high), level / 100.0,
                    sum, 1.0 / (1.0 - level / 100.0));
            level = next_level(level);
            if (sum == all)
                break;
        }
    }
    if (all)
        fprintf(f, "%12.3f %2.12f %10" PRIu64 "\n", in_ms((double)high), 1.0, all);
    footer(f, h);
}

/* A tag as a file's name: what could mean a folder, or hide, is replaced. */
static int path_of(const struct series_set *s, const struct series *x, enum metric m,
                   const char *folder, char path[PATH_MAX])
{
    char tag[HLOG_TAG + 1], cell[SERIES_LABEL];
    snprintf(cell, sizeof cell, "%s", *x->cell->name || s->n_runs > 1 ? x->label : "");
    if (hlog_tag(tag, cell, metric_infos[m].name) != OK)
        return ERR_TOO_BIG;
    for (char *p = tag; *p; p++)
        if (*p == '/' || *p == '\\' || (*p == '.' && p == tag))
            *p = '_';
    return snprintf(path, PATH_MAX, "%s/%.180s.%u.hgrm", folder, tag, (unsigned)x->cell->index) <
                   PATH_MAX
               ? OK
               : ERR_TOO_BIG;
}

static int write_one(const char *path, const struct hist *h, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc;
    if (!f)
        return err_set(e, ERR_NOMEM, "%s: no memory", path);
    export_hgrm_text(f, h);
    rc = fclose(f) == 0 ? files_write(path, text, len, e)
                        : err_set(e, ERR_NOMEM, "%s: no memory", path);
    free(text);
    return rc;
}

int export_hgrm(const struct series_set *s, const char *folder, struct err *e)
{
    char path[PATH_MAX];
    int rc = files_make_dir(folder, e);
    for (size_t i = 0; rc == OK && i < s->n; i++)
        for (int m = 0; rc == OK && m < METRIC_COUNT; m++) {
            const struct hist *h = &s->list[i].cell->tally.metrics.hist[m];
            if (hist_count(h) == 0 || strcmp(metric_infos[m].unit, "ns") != 0)
                continue;
            rc = path_of(s, &s->list[i], (enum metric)m, folder, path) == OK
                     ? write_one(path, h, e)
                     : err_set(e, ERR_IO, "%s: the path is too long", folder);
        }
    return rc;
}
