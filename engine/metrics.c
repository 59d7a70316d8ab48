#include "engine/metrics.h"

#include "engine/base/err.h"

#include <string.h>

const struct metric_info metric_infos[METRIC_COUNT] = {
#define X(id, name, unit, sample, about) [METRIC_##id] = {name, unit, sample, about},
    METRICS(X)
#undef X
};

const struct name_about count_infos[COUNT_COUNT] = {
#define X(id, name, about) [COUNT_##id] = {name, about},
    COUNTS(X)
#undef X
};

const struct name_about drop_infos[DROP_COUNT] = {
#define X(id, name, about) [DROP_##id] = {name, about},
    DROPS(X)
#undef X
};

void metrics_init(struct metrics *m)
{
    memset(m, 0, sizeof *m);
    for (int i = 0; i < METRIC_COUNT; i++)
        hist_init(&m->hist[i]);
}

void metrics_free(struct metrics *m)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        hist_free(&m->hist[i]);
}

int metrics_merge(struct metrics *a, const struct metrics *b)
{
    int rc = OK;
    for (int i = 0; i < METRIC_COUNT; i++) {
        int one = hist_merge(&a->hist[i], &b->hist[i]);
        rc = rc == OK ? one : rc;
    }
    for (int i = 0; i < COUNT_COUNT; i++)
        a->counts[i] += b->counts[i];
    for (int i = 0; i < DROP_COUNT; i++)
        a->drops[i] += b->drops[i];
    if (b->protocol_rounds > a->protocol_rounds)
        a->protocol_rounds = b->protocol_rounds;
    return rc;
}
