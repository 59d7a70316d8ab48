#include "analysis/measure.h"

#include <stdio.h>
#include <string.h>

enum { ONE_PERCENT = 10000 };

static const struct {
    const char *name;
    uint32_t ppm;
} stats[MEASURE_STATS] = {{"mean", 0}, {"p50", HIST_P50}, {"p90", HIST_P90}, {"p99", HIST_P99}};

static void about_metric(unsigned which, struct measure *out)
{
    const struct metric_info *m = &metric_infos[which / MEASURE_STATS];
    enum metric id = (enum metric)(which / MEASURE_STATS);
    snprintf(out->name, sizeof out->name, "%s.%s", m->name, stats[which % MEASURE_STATS].name);
    out->unit = m->unit;
    out->sense = id == METRIC_SUCCESS || id == METRIC_GOODPUT ? MEASURE_LESS_IS_WORSE
                                                              : MEASURE_MORE_IS_WORSE;
    out->threshold_ppm = id == METRIC_SUCCESS ? 0 : ONE_PERCENT;
}

void measure_about(unsigned which, struct measure *out)
{
    *out = (struct measure){.unit = "", .sense = MEASURE_MORE_IS_WORSE};
    if (which < MEASURE_COUNTS) {
        about_metric(which, out);
    } else if (which < MEASURE_DROPS) {
        enum count id = (enum count)(which - MEASURE_COUNTS);
        snprintf(out->name, sizeof out->name, "counts.%s", count_infos[id].name);
        if (id == COUNT_DELIVERED || id == COUNT_EVENTS)
            out->sense = MEASURE_NEUTRAL;
    } else if (which < MEASURE_ROUNDS) {
        snprintf(out->name, sizeof out->name, "drops.%s", drop_infos[which - MEASURE_DROPS].name);
    } else {
        snprintf(out->name, sizeof out->name, "%s",
                 which == MEASURE_ROUNDS      ? "protocol_rounds"
                 : which == MEASURE_COMPLETED ? "completed"
                                              : "wrong");
        if (which == MEASURE_COMPLETED)
            out->sense = MEASURE_LESS_IS_WORSE;
    }
}

const char *measure_privacy_name(const struct privacy_sum *s, char *buf, size_t cap)
{
    snprintf(buf, cap, "privacy.%s.%s@%s%s%s", privacy_infos[s->key.what].name, s->key.observer,
             s->key.at, *s->key.about ? " " : "", s->key.about);
    for (char *c = buf; (c = strpbrk(c, "`|<>&\"'\r\n")); c++)
        *c = '?'; /* a name is a word here, whoever wrote the file that it came from */
    return buf;
}

static enum measure_sense sense_of(enum privacy what)
{
    switch (privacy_sense(what)) {
    case PRIVACY_MORE_IS_WORSE:
        return MEASURE_MORE_IS_WORSE;
    case PRIVACY_LESS_IS_WORSE:
        return MEASURE_LESS_IS_WORSE;
    default:
        return MEASURE_NEUTRAL;
    }
}

void measure_privacy(const struct privacy_sum *s, struct measure *out)
{
    *out = (struct measure){.unit = privacy_infos[s->key.what].unit,
                            .sense = sense_of(s->key.what),
                            .threshold_ppm = ONE_PERCENT};
    measure_privacy_name(s, out->name, sizeof out->name);
}

static double stat_of(const struct hist *h, unsigned stat)
{
    if (hist_count(h) == 0)
        return MEASURE_ABSENT;
    if (stat == 0)
        return (double)hist_sum(h) / (double)hist_count(h);
    return hist_quantile_allowed(h, stats[stat].ppm) ? (double)hist_quantile(h, stats[stat].ppm)
                                                     : MEASURE_ABSENT;
}

void measure_values(const struct trial_record *r, double values[MEASURE_COUNT])
{
    for (unsigned i = 0; i < MEASURE_COUNTS; i++)
        values[i] = stat_of(&r->metrics.hist[i / MEASURE_STATS], i % MEASURE_STATS);
    for (unsigned i = 0; i < COUNT_COUNT; i++)
        values[MEASURE_COUNTS + i] = (double)r->metrics.counts[i];
    for (unsigned i = 0; i < DROP_COUNT; i++)
        values[MEASURE_DROPS + i] = (double)r->metrics.drops[i];
    values[MEASURE_ROUNDS] = (double)r->metrics.protocol_rounds;
    values[MEASURE_COMPLETED] = r->status == TRIAL_COMPLETED;
    values[MEASURE_WRONG] = r->status == TRIAL_WRONG;
}

bool measure_matches(const struct measure *m, const char *name)
{
    size_t n = strlen(name);
    return strncmp(m->name, name, n) == 0 &&
           (m->name[n] == 0 || m->name[n] == '.' || m->name[n] == '@');
}
