#include "engine/run/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const struct tally_quantile tally_quantiles[TALLY_QUANTILES] = {
    {"p50", HIST_P50}, {"p90", HIST_P90}, {"p99", HIST_P99}, {"p999", HIST_P999}};

/* "party", a service's role, "isp" (a party's) or "isp_ROLE" (a service's). */
static const char *kind_of(const struct trial_spec *t, party_t who, char buf[32])
{
    const struct roster *r = t->roster;
    party_t at = who < r->n ? who : who - r->n;
    bool party = at < r->n_parties;
    snprintf(buf, 32, "%s%s",
             who < r->n ? ""
             : party    ? "isp"
                        : "isp_",
             party && who >= r->n ? ""
             : party              ? "party"
                                  : r->entries[at].role);
    return buf;
}

static struct exposure_sum *sum_of(struct tally *c, const char *what, const char *kind)
{
    size_t i = 0;
    struct exposure_sum *more;
    for (; i < c->n_sums; i++) {
        int order = strcmp(c->sums[i].what, what);
        if (order == 0)
            order = strcmp(c->sums[i].kind, kind);
        if (order == 0)
            return &c->sums[i];
        if (order > 0)
            break;
    }
    more = realloc(c->sums, (c->n_sums + 1) * sizeof *more);
    if (!more)
        return NULL;
    c->sums = more;
    memmove(&more[i + 1], &more[i], (c->n_sums - i) * sizeof *more);
    c->n_sums++;
    more[i] = (struct exposure_sum){0};
    snprintf(more[i].what, sizeof more[i].what, "%s", what);
    snprintf(more[i].kind, sizeof more[i].kind, "%s", kind);
    return &more[i];
}

int tally_init(struct tally *c, const struct trial_spec *spec, uint32_t trials)
{
    char kind[32];
    *c = (struct tally){.spec = spec};
    metrics_init(&c->metrics);
    for (int i = 0; i < METRIC_COUNT; i++) {
        c->medians[i] = calloc(trials + 1, sizeof *c->medians[i]);
        if (!c->medians[i])
            return ERR_NOMEM;
    }
    c->completions = malloc((trials + 1) * sizeof *c->completions);
    c->overheads = malloc((trials + 1) * sizeof *c->overheads);
    if (!c->completions || !c->overheads)
        return ERR_NOMEM;
    for (c->room = 0; c->room < trials; c->room++)
        c->completions[c->room] = c->overheads[c->room] = -1;
    if (spec->n_observers)
        for (uint32_t i = 0; i < spec->roster->n; i += i ? 1 : spec->roster->n_parties)
            if (!sum_of(c, "party_address", kind_of(spec, i, kind)))
                return ERR_NOMEM;
    c->digest = XXH3_createState();
    return c->digest && XXH3_64bits_reset(c->digest) == XXH_OK ? OK : ERR_NOMEM;
}

void tally_free(struct tally *c)
{
    metrics_free(&c->metrics);
    for (int i = 0; i < METRIC_COUNT; i++)
        free(c->medians[i]);
    free(c->completions);
    free(c->overheads);
    free(c->rows);
    free(c->row_trials);
    free(c->sums);
    free(c->result);
    free(c->why);
    free(c->invalid);
    privacy_free(&c->privacy);
    XXH3_freeState(c->digest);
    *c = (struct tally){0};
}

int tally_row_order(const struct exposure_row *a, const struct exposure_row *b)
{
    int order = strcmp(a->observer, b->observer);
    if (order == 0)
        order = strcmp(a->what, b->what);
    if (order == 0)
        order = a->who < b->who ? -1 : a->who > b->who;
    if (order == 0)
        order = a->whom < b->whom ? -1 : a->whom > b->whom;
    if (order == 0)
        order = a->other < b->other ? -1 : a->other > b->other;
    return order;
}

static int by_row(const void *a, const void *b)
{
    return tally_row_order(a, b);
}

/* Both lists are sorted: one pass. */
static int merge_rows(struct tally *c, struct exposure_row *rows, size_t n)
{
    struct exposure_row *all = calloc(c->n_rows + n + 1, sizeof *all);
    uint32_t *trials = calloc(c->n_rows + n + 1, sizeof *trials);
    size_t i = 0, j = 0, k = 0;
    if (!all || !trials) {
        free(all);
        free(trials);
        return ERR_NOMEM;
    }
    qsort(rows, n, sizeof *rows, by_row);
    for (; i < c->n_rows || j < n; k++) {
        int order = i == c->n_rows ? 1 : j == n ? -1 : tally_row_order(&c->rows[i], &rows[j]);
        all[k] = order <= 0 ? c->rows[i] : rows[j];
        trials[k] = (order <= 0 ? c->row_trials[i] : 0) + (order >= 0);
        if (order == 0) {
            all[k].first = rows[j].first < all[k].first ? rows[j].first : all[k].first;
            all[k].level = rows[j].level > all[k].level ? rows[j].level : all[k].level;
        }
        i += order <= 0;
        j += order >= 0;
    }
    free(c->rows);
    free(c->row_trials);
    c->rows = all;
    c->row_trials = trials;
    c->n_rows = k;
    return OK;
}

static int add_exposures(struct tally *c, const struct trial_record *rec)
{
    struct exposure_row *rows = calloc(rec->n_exposures + 1, sizeof *rows);
    struct tally one = {0};
    char kind[32];
    size_t n = 0;
    int rc = rows ? OK : ERR_NOMEM;
    for (size_t i = 0; rc == OK && i < rec->n_exposures; i++) {
        const struct exposure_row *x = &rec->exposures[i];
        struct exposure_sum *s;
        if (x->who / 2 >= c->spec->roster->n)
            continue;
        rows[n++] = *x;
        s = sum_of(&one, x->what, kind_of(c->spec, x->who, kind));
        if (s)
            s->most++;
        else
            rc = ERR_NOMEM;
    }
    for (size_t i = 0; rc == OK && i < one.n_sums; i++) {
        struct exposure_sum *s = sum_of(c, one.sums[i].what, one.sums[i].kind);
        if (!s)
            rc = ERR_NOMEM;
        else if (one.sums[i].most > s->most)
            s->most = one.sums[i].most;
    }
    if (rc == OK)
        rc = merge_rows(c, rows, n);
    free(one.sums);
    free(rows);
    return rc;
}

static void add_cost(struct tally *c, const struct trial_record *rec)
{
    const struct metrics *m = &rec->metrics;
    uint64_t useful = m->counts[COUNT_MESSAGE_BYTES];
    if (rec->trial >= c->room)
        return;
    if (hist_count(&m->hist[METRIC_COMPLETION]))
        c->completions[rec->trial] = hist_quantile(&m->hist[METRIC_COMPLETION], HIST_P50);
    if (useful)
        c->overheads[rec->trial] = (int64_t)(hist_sum(&m->hist[METRIC_WIRE_BYTES]) * 1000 / useful);
}

int tally_add(struct tally *c, const struct trial_record *rec)
{
    uint8_t digest[8];
    int rc = metrics_merge(&c->metrics, &rec->metrics);
    for (int i = 0; i < 8; i++)
        digest[i] = (uint8_t)(rec->digest >> (8 * i));
    XXH3_64bits_update(c->digest, digest, sizeof digest);
    for (int i = 0; i < METRIC_COUNT; i++)
        if (hist_count(&rec->metrics.hist[i]))
            c->medians[i][c->n_medians[i]++] = hist_quantile(&rec->metrics.hist[i], HIST_P50);
    add_cost(c, rec);
    c->trials++;
    c->completed += rec->status == TRIAL_COMPLETED;
    c->wrong += rec->status == TRIAL_WRONG;
    c->unfinished += rec->status == TRIAL_UNFINISHED;
    if (rec->why && !c->why) {
        c->why = strdup(rec->why);
        c->why_trial = rec->trial;
    }
    if (rec->result && !c->result && !c->results_vary)
        c->result = strdup(rec->result);
    else if (rec->result && c->result && strcmp(rec->result, c->result) != 0) {
        free(c->result);
        c->result = NULL;
        c->results_vary = true;
    }
    if (rec->invalid && !c->invalid)
        c->invalid = strdup(rec->invalid);
    if (rc == OK)
        rc = privacy_add(&c->privacy, rec->trial, rec->findings, rec->n_findings);
    return rc == OK ? add_exposures(c, rec) : rc;
}

uint64_t tally_digest(const struct tally *c)
{
    return XXH3_64bits_digest(c->digest);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

bool tally_interval(const struct tally *c, enum metric which, struct interval *out)
{
    size_t n = c->n_medians[which];
    int64_t *sorted = calloc(n + 1, sizeof *sorted);
    bool good = sorted && n;
    if (good) {
        memcpy(sorted, c->medians[which], n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_value);
        good = interval_of(sorted, n, INTERVAL_MEDIAN, INTERVAL_LEVEL, out) == OK &&
               out->level_ppm >= INTERVAL_LEVEL;
    }
    free(sorted);
    return good;
}

/* ---- by path -------------------------------------------------------------------------- */

static bool prefix(const char **path, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*path, word, n) != 0 || (*path)[n] != '.')
        return false;
    *path += n + 1;
    return true;
}

/* The metric whose name the path begins with, and behind it the field; METRIC_COUNT: none. */
static int metric_of(const char **path)
{
    int i = 0;
    (void)prefix(path, "metrics");
    while (i < METRIC_COUNT && !prefix(path, metric_infos[i].name))
        i++;
    return i;
}

/* NULL: the field is none. */
static const struct tally_quantile *quantile_of(const char *field)
{
    for (int q = 0; q < TALLY_QUANTILES; q++)
        if (strcmp(field, tally_quantiles[q].name) == 0)
            return &tally_quantiles[q];
    return NULL;
}

static int lookup_metric(const struct tally *c, const char *path, int64_t *value)
{
    int which = metric_of(&path);
    const struct hist *h = &c->metrics.hist[which % METRIC_COUNT];
    const struct tally_quantile *q = quantile_of(path);
    if (which == METRIC_COUNT)
        return ERR_ABSENT;
    if (strcmp(path, "count") == 0)
        *value = (int64_t)hist_count(h);
    else if (hist_count(h) == 0 || (q && !hist_quantile_allowed(h, q->ppm)))
        return ERR_ABSENT;
    else if (q)
        *value = hist_quantile(h, q->ppm);
    else if (strcmp(path, "min") == 0 || strcmp(path, "max") == 0)
        *value = path[1] == 'i' ? hist_min(h) : hist_max(h);
    else
        return ERR_ABSENT;
    return OK;
}

const char *tally_absence(const struct tally *c, const char *path, char *buf, size_t cap)
{
    int which = metric_of(&path);
    const struct tally_quantile *q = quantile_of(path);
    if (which == METRIC_COUNT || !q)
        return NULL;
    snprintf(buf, cap, "it takes %" PRIu64 " samples, and there are %" PRIu64,
             hist_quantile_needs(q->ppm), (uint64_t)hist_count(&c->metrics.hist[which]));
    return buf;
}

static int lookup_named(const char *path, const uint64_t *values, const struct name_about *infos,
                        size_t n, int64_t *value)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(path, infos[i].name) == 0) {
            *value = (int64_t)values[i];
            return OK;
        }
    return ERR_ABSENT;
}

/* Facts that nobody of a kind has learned leave no sum: where the exposure observer watched, which
 * the sums of addresses show, nobody learned them. */
static bool watched(const struct tally *c, const char *path)
{
    static const char *const facts[] = {"party_member", "party_pair", "party_input"};
    for (size_t f = 0; f < sizeof facts / sizeof facts[0]; f++) {
        const char *at = path;
        for (size_t i = 0; prefix(&at, facts[f]) && i < c->n_sums; i++) {
            if (strcmp(c->sums[i].what, "party_address") == 0 && strcmp(c->sums[i].kind, at) == 0)
                return true;
            at = path;
        }
    }
    return false;
}

static int lookup_exposure(const struct tally *c, const char *path, int64_t *value)
{
    for (size_t i = 0; i < c->n_sums; i++) {
        const char *at = path;
        if (prefix(&at, c->sums[i].what) && strcmp(at, c->sums[i].kind) == 0) {
            *value = (int64_t)c->sums[i].most;
            return OK;
        }
    }
    *value = 0;
    return watched(c, path) ? OK : ERR_ABSENT;
}

int tally_lookup(void *ctx, const char *path, int64_t *value)
{
    const struct tally *c = ctx;
    const char *at = path;
    uint32_t of_trials;
    if (strcmp(path, "protocol_rounds") == 0) {
        *value = (int64_t)c->metrics.protocol_rounds;
        return OK;
    }
    if (strcmp(path, "trials") == 0) {
        *value = c->trials;
        return OK;
    }
    if (strcmp(path, "success") == 0) { /* the mean share over trials */
        const struct hist *h = &c->metrics.hist[METRIC_SUCCESS];
        *value = hist_count(h) ? (int64_t)(hist_sum(h) / hist_count(h)) : 0;
        return hist_count(h) ? OK : ERR_ABSENT;
    }
    of_trials = strcmp(path, "completed") == 0    ? c->completed
                : strcmp(path, "wrong") == 0      ? c->wrong
                : strcmp(path, "unfinished") == 0 ? c->unfinished
                                                  : UINT32_MAX;
    if (of_trials != UINT32_MAX) {
        *value = c->trials ? (int64_t)of_trials * 1000000 / c->trials : 0;
        return c->trials ? OK : ERR_ABSENT;
    }
    if (prefix(&at, "drops"))
        return lookup_named(at, c->metrics.drops, drop_infos, DROP_COUNT, value);
    if (prefix(&at, "counts"))
        return lookup_named(at, c->metrics.counts, count_infos, COUNT_COUNT, value);
    if (prefix(&at, "exposures"))
        return lookup_exposure(c, at, value);
    if (prefix(&at, "privacy"))
        return privacy_lookup(&c->privacy, at, value);
    return lookup_metric(c, path, value);
}
