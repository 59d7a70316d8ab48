#include "engine/run/privacy.h"

#include "engine/run/interval.h"
#include "engine/run/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { P1 = 10000, P5 = 50000, P95 = 950000 };

/* ---- adding ---------------------------------------------------------------------------- */

static int by_key(const struct finding_row *a, const struct finding_row *b)
{
    int order;
    if (a->entry != b->entry)
        return a->entry < b->entry ? -1 : 1;
    if (a->what != b->what)
        return a->what < b->what ? -1 : 1;
    order = strcmp(a->about, b->about);
    return order ? order : strcmp(a->at, b->at);
}

static struct privacy_sum *sum_of(struct privacy_sums *p, const struct finding_row *row)
{
    size_t low = 0, high = p->n;
    struct privacy_sum *more;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = by_key(&p->sums[mid].key, row);
        if (order == 0)
            return &p->sums[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    more = realloc(p->sums, (p->n + 1) * sizeof *more);
    if (!more)
        return NULL;
    p->sums = more;
    memmove(&more[low + 1], &more[low], (p->n - low) * sizeof *more);
    p->n++;
    more[low] = (struct privacy_sum){.key = *row};
    more[low].key.n = 0;
    more[low].key.hist = NULL;
    return &more[low];
}

static int add_hist(struct privacy_sum *s, const struct hist *h)
{
    if (!s->key.hist) {
        s->key.hist = malloc(sizeof *s->key.hist);
        if (!s->key.hist)
            return ERR_NOMEM;
        hist_init(s->key.hist);
    }
    return hist_merge(s->key.hist, h);
}

static int add_row(struct privacy_sums *p, uint32_t trial, const struct finding_row *row)
{
    struct privacy_sum *s = sum_of(p, row);
    if (!s)
        return ERR_NOMEM;
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 4;
        int64_t *values = realloc(s->values, cap * sizeof *values);
        uint32_t *trials;
        if (!values)
            return ERR_NOMEM;
        s->values = values;
        trials = realloc(s->trials, cap * sizeof *trials);
        if (!trials)
            return ERR_NOMEM;
        s->trials = trials;
        s->cap = cap;
    }
    s->segments = p->segments;
    s->trials[s->n] = trial;
    s->values[s->n++] = row->value;
    s->key.n += row->n;
    return row->hist ? add_hist(s, row->hist) : OK;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int privacy_add(struct privacy_sums *p, uint32_t trial, const struct finding_row *rows, size_t n)
{
    int rc = OK;
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = add_row(p, trial, &rows[i]);
    return rc;
}

const struct privacy_sum *privacy_find(const struct privacy_sums *p, const struct finding_row *key)
{
    for (size_t i = 0; i < p->n; i++)
        if (by_key(&p->sums[i].key, key) == 0 &&
            strcmp(p->sums[i].key.observer, key->observer) == 0)
            return &p->sums[i];
    return NULL;
}

void privacy_rows_free(struct finding_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].hist) {
            hist_free(rows[i].hist);
            free(rows[i].hist);
        }
    free(rows);
}

void privacy_free(struct privacy_sums *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->sums[i].key.hist) {
            hist_free(p->sums[i].key.hist);
            free(p->sums[i].key.hist);
        }
        free(p->sums[i].values);
        free(p->sums[i].trials);
    }
    free(p->sums);
    *p = (struct privacy_sums){0};
}

/* ---- telling --------------------------------------------------------------------------- */

bool privacy_interval(const struct privacy_sum *s, struct interval *out)
{
    int64_t *sorted = malloc((s->n + 1) * sizeof *sorted);
    bool good = false;
    *out = (struct interval){0};
    if (sorted && s->n) {
        memcpy(sorted, s->values, s->n * sizeof *sorted);
        qsort(sorted, s->n, sizeof *sorted, by_value);
        good = interval_of(sorted, s->n, INTERVAL_MEDIAN, INTERVAL_LEVEL, out) == OK &&
               out->level_ppm >= INTERVAL_LEVEL;
    }
    free(sorted);
    return good;
}

static void set(json_t *o, const char *key, int64_t value)
{
    json_object_set_new(o, key, json_integer(value));
}

static void set_text(json_t *o, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(o, key, json_string(text));
}

bool privacy_message_level(enum privacy what)
{
    const char *source = privacy_infos[what].source;
    return strcmp(source, "M6") == 0 || strcmp(source, "M7") == 0 || strcmp(source, "M10") == 0;
}

bool privacy_sum_message_level(const struct privacy_sum *s)
{
    return !s->segments && privacy_message_level(s->key.what);
}

static json_t *sum_json(const struct privacy_sum *s)
{
    const struct privacy_info *info = &privacy_infos[s->key.what];
    const struct hist *h = s->key.hist;
    json_t *o = json_object();
    struct interval i;
    bool some = privacy_interval(s, &i);
    set_text(o, "observer", s->key.observer);
    set_text(o, "at", s->key.at);
    set_text(o, "metric", info->name);
    set_text(o, "about", s->key.about);
    set_text(o, "unit", info->unit);
    set_text(o, "source", info->source);
    set_text(o, "prior", s->key.prior);
    set_text(o, "level", privacy_sum_message_level(s) ? "message" : "");
    set(o, "value", i.mid);
    if (some) {
        set(o, "low", i.low);
        set(o, "high", i.high);
        set(o, "coverage_ppm", i.level_ppm);
    }
    set(o, "trials", s->n);
    set(o, "n", (int64_t)s->key.n);
    if (s->key.population)
        set(o, "population", (int64_t)s->key.population);
    if (s->key.window)
        set(o, "window_ns", s->key.window);
    if (h && hist_quantile_allowed(h, P1))
        set(o, "p1", hist_quantile(h, P1));
    if (h && hist_quantile_allowed(h, P5))
        set(o, "p5", hist_quantile(h, P5));
    if (h && hist_quantile_allowed(h, HIST_P50))
        set(o, "p50", hist_quantile(h, HIST_P50));
    if (h && hist_quantile_allowed(h, P95))
        set(o, "p95", hist_quantile(h, P95));
    return o;
}

json_t *privacy_json(const struct privacy_sums *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++)
        json_array_append_new(list, sum_json(&p->sums[i]));
    return list;
}

int privacy_lookup(const struct privacy_sums *p, const char *path, int64_t *value)
{
    int rc = ERR_ABSENT;
    for (size_t i = 0; i < p->n; i++) {
        const struct privacy_sum *s = &p->sums[i];
        const char *metric = privacy_infos[s->key.what].name;
        size_t len = strlen(metric);
        struct interval over;
        if (strncmp(path, metric, len) != 0 || path[len] != '.' ||
            strcmp(path + len + 1, s->key.observer) != 0)
            continue;
        privacy_interval(s, &over);
        if (rc != OK || over.mid > *value)
            *value = over.mid;
        rc = OK;
    }
    return rc;
}

const char *privacy_value(const char *unit, int64_t v, char *buf, size_t cap)
{
    if (strcmp(unit, "millibit") == 0)
        snprintf(buf, cap, "%s%" PRId64 ".%03d bit", v < 0 ? "-" : "", (v < 0 ? -v : v) / 1000,
                 (int)((v < 0 ? -v : v) % 1000));
    else
        table_quantity(unit, v, buf, cap);
    return buf;
}

const char *privacy_quantity(const struct privacy_sum *s, char *buf, size_t cap)
{
    const char *unit = privacy_infos[s->key.what].unit;
    char mid[32], low[32], high[32];
    struct interval i;
    bool some = privacy_interval(s, &i);
    privacy_value(unit, i.mid, mid, sizeof mid);
    if (some && i.low != i.high)
        snprintf(buf, cap, "%s [%s, %s]", mid, privacy_value(unit, i.low, low, sizeof low),
                 privacy_value(unit, i.high, high, sizeof high));
    else
        snprintf(buf, cap, "%s", mid);
    return buf;
}

/* ---- a trial's, on disk ---------------------------------------------------------------- */

json_t *privacy_encode(const struct finding_row *rows, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct finding_row *r = &rows[i];
        json_t *o = json_pack("[i, s, s, s, s, s, I, I, I, I]", (int)r->entry, r->observer, r->at,
                              privacy_infos[r->what].name, r->about, r->prior, (json_int_t)r->value,
                              (json_int_t)r->n, (json_int_t)r->population, (json_int_t)r->window);
        if (r->hist)
            json_array_append_new(o, trial_hist_encode(r->hist));
        json_array_append_new(list, o);
    }
    return list;
}

static bool take_text(const char *from, char *to, size_t cap)
{
    if (strlen(from) >= cap)
        return false;
    memcpy(to, from, strlen(from) + 1);
    return true;
}

static bool decode_row(const json_t *list, struct finding_row *row)
{
    const char *observer, *at, *metric, *about, *prior;
    json_int_t value, n, population, window;
    json_t *tail = json_array_get(list, 10);
    int entry, what = 0;
    bool bad = false;
    if (json_array_size(list) > 11 ||
        json_unpack((json_t *)(uintptr_t)list, "[i, s, s, s, s, s, I, I, I, I]", &entry, &observer,
                    &at, &metric, &about, &prior, &value, &n, &population, &window) != 0 ||
        entry < 0 || n < 0 || population < 0 || window < 0)
        return false;
    while (what < PRIVACY_COUNT && strcmp(privacy_infos[what].name, metric) != 0)
        what++;
    if (what == PRIVACY_COUNT)
        return false;
    *row = (struct finding_row){.entry = (uint32_t)entry,
                                .what = (enum privacy)what,
                                .value = value,
                                .n = (uint64_t)n,
                                .population = (uint64_t)population,
                                .window = window};
    if (tail) {
        row->hist = malloc(sizeof *row->hist);
        if (!row->hist)
            return false;
        hist_init(row->hist);
        trial_hist_decode(tail, row->hist, &bad);
    }
    return !bad && take_text(observer, row->observer, sizeof row->observer) &&
           take_text(at, row->at, sizeof row->at) &&
           take_text(about, row->about, sizeof row->about) &&
           take_text(prior, row->prior, sizeof row->prior);
}

int privacy_decode(const json_t *list, struct finding_row **out, size_t *n, bool *bad)
{
    size_t size = json_array_size(list);
    *n = 0;
    *out = calloc(size + 1, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    if (list && !json_is_array(list))
        *bad = true;
    for (size_t i = 0; i < size && !*bad; i++) {
        if (!decode_row(json_array_get(list, i), &(*out)[i]))
            *bad = true;
        *n = i + 1;
    }
    return OK;
}
