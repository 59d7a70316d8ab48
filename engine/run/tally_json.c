/* A tally as JSON: a cell of summary.json. */
#include "engine/run/tally.h"

#include <stdio.h>

static void set(json_t *o, const char *key, int64_t value)
{
    json_object_set_new(o, key, json_integer(value));
}

static json_t *metric_json(const struct tally *c, enum metric which)
{
    const struct hist *h = &c->metrics.hist[which];
    struct interval i;
    json_t *o = json_object();
    json_object_set_new(o, "unit", json_string(metric_infos[which].unit));
    set(o, "count", (int64_t)hist_count(h));
    set(o, "min", hist_min(h));
    set(o, "max", hist_max(h));
    for (int q = 0; q < TALLY_QUANTILES; q++)
        if (hist_quantile_allowed(h, tally_quantiles[q].ppm))
            set(o, tally_quantiles[q].name, hist_quantile(h, tally_quantiles[q].ppm));
    if (h->negative || h->overflow || h->lost)
        json_object_set_new(o, "not_counted",
                            json_pack("{s:I, s:I, s:I}", "negative", (json_int_t)h->negative,
                                      "overflow", (json_int_t)h->overflow, "lost",
                                      (json_int_t)h->lost));
    if (tally_interval(c, which, &i))
        json_object_set_new(o, "trials",
                            json_pack("{s:i, s:i, s:{s:I, s:I, s:I}}", "level_ppm", INTERVAL_LEVEL,
                                      "coverage_ppm", (int)i.level_ppm, "p50", "low",
                                      (json_int_t)i.low, "mid", (json_int_t)i.mid, "high",
                                      (json_int_t)i.high));
    return o;
}

json_t *tally_json(const struct tally *c)
{
    json_t *o = json_object(), *metrics = json_object(), *counts = json_object();
    json_t *drops = json_object(), *exposures = json_object();
    char digest[24];
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)tally_digest(c));
    json_object_set_new(o, "digest", json_string(digest));
    set(o, "trials", c->trials);
    set(o, "completed", c->completed);
    set(o, "wrong", c->wrong);
    set(o, "unfinished", c->unfinished);
    for (int i = 0; i < METRIC_COUNT; i++)
        if (hist_count(&c->metrics.hist[i]))
            json_object_set_new(metrics, metric_infos[i].name, metric_json(c, (enum metric)i));
    for (int i = 0; i < COUNT_COUNT; i++)
        set(counts, count_infos[i].name, (int64_t)c->metrics.counts[i]);
    set(counts, "protocol_rounds", (int64_t)c->metrics.protocol_rounds);
    for (int i = 0; i < DROP_COUNT; i++)
        if (c->metrics.drops[i])
            set(drops, drop_infos[i].name, (int64_t)c->metrics.drops[i]);
    for (size_t i = 0; i < c->n_sums; i++) {
        json_t *fact = json_object_get(exposures, c->sums[i].what);
        if (!fact) {
            fact = json_object();
            json_object_set_new(exposures, c->sums[i].what, fact);
        }
        set(fact, c->sums[i].kind, (int64_t)c->sums[i].most);
    }
    json_object_set_new(o, "metrics", metrics);
    json_object_set_new(o, "counts", counts);
    json_object_set_new(o, "drops", drops);
    json_object_set_new(o, "exposures", exposures);
    if (c->privacy.n)
        json_object_set_new(o, "privacy", privacy_json(&c->privacy));
    if (c->invalid)
        json_object_set_new(o, "invalid", json_string(c->invalid));
    if (c->result)
        json_object_set_new(o, "result", json_string(c->result));
    if (c->why)
        json_object_set_new(o, "why",
                            json_pack("{s:i, s:s}", "trial", (int)c->why_trial, "text", c->why));
    return o;
}
