#include "engine/run/trial.h"

#include "engine/base/prng.h"
#include "engine/run/privacy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WHY_MAX = 16384, RESULT_MAX = 512 };

static const char *const statuses[] = {"completed", "wrong", "unfinished"};

uint64_t trial_seed(uint64_t scenario_seed, uint32_t k)
{
    struct dice d = dice_name(scenario_seed, "trial", k, 0, 0);
    return dice_u64(&d);
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

/* ---- judging -------------------------------------------------------------------------- */

static char *why_unfinished(const struct trial_spec *t, const struct trial_result *r)
{
    char *buf = malloc(WHY_MAX);
    size_t len = 0;
    if (!buf)
        return NULL;
    buf[0] = 0;
    for (uint32_t i = 0; i < t->roster->n_parties && len < WHY_MAX; i++)
        if (r->outcomes[i].failure)
            len += (size_t)snprintf(buf + len, WHY_MAX - len, "%s failed: %s\n",
                                    t->roster->entries[i].name, r->outcomes[i].failure);
    if (r->timed_out && len < WHY_MAX)
        len += (size_t)snprintf(buf + len, WHY_MAX - len, "the limit of %" PRId64 " ms came\n",
                                t->limit / NS_MS);
    if (r->why && len < WHY_MAX)
        len += (size_t)snprintf(buf + len, WHY_MAX - len, "%s", r->why);
    len = strlen(buf);
    while (len && buf[len - 1] == '\n')
        buf[--len] = 0;
    return buf;
}

static void judge(const struct trial_spec *t, const struct trial_result *r,
                  struct trial_record *rec)
{
    struct protocol_shape shape = {
        .opts = t->protocol_opts, .roster = t->roster, .inputs = t->inputs};
    uint32_t n = t->roster->n_parties, done = 0;
    struct err e = {0};
    for (uint32_t i = 0; i < n; i++)
        done += r->outcomes[i].done;
    for (uint32_t i = 0; i < n && !rec->result && t->protocol->print; i++)
        if (r->outcomes[i].done && (rec->result = malloc(RESULT_MAX)))
            t->protocol->print(t->plan, r->outcomes[i].result, r->outcomes[i].len, rec->result,
                               RESULT_MAX);
    if (t->protocol->verify(&shape, t->plan, r->outcomes, &e) != OK) {
        rec->status = TRIAL_WRONG;
        rec->why = copy(e.text);
        done = 0;
    } else if (done < n) {
        rec->status = TRIAL_UNFINISHED;
        rec->why = why_unfinished(t, r);
    } else {
        rec->status = TRIAL_COMPLETED;
    }
    metrics_add(&rec->metrics, METRIC_SUCCESS, (int64_t)done * 1000000 / n);
}

int trial_add_exposure(struct trial_record *rec, const struct exposure *x)
{
    size_t n = rec->n_exposures;
    struct exposure_row *row;
    if ((n & (n - 1)) == 0) { /* full: there is room for a power of two */
        row = realloc(rec->exposures, (n ? 2 * n : 1) * sizeof *row);
        if (!row)
            return ERR_NOMEM;
        rec->exposures = row;
    }
    row = &rec->exposures[rec->n_exposures++];
    *row = (struct exposure_row){
        .who = x->who, .whom = x->whom, .other = x->other, .level = x->level, .first = x->first};
    snprintf(row->observer, sizeof row->observer, "%s", x->observer);
    snprintf(row->what, sizeof row->what, "%s", x->what);
    return OK;
}

int trial_run(const struct world *world, const struct trial_spec *t, uint32_t cell, uint32_t k,
              uint64_t scenario_seed, const struct trace *trace, struct trial_record *rec,
              struct err *e)
{
    struct trial_result r = {0};
    uint64_t seed = trial_seed(scenario_seed, k);
    int rc = world->run(t, seed, NULL, trace, &r, e);
    *rec = (struct trial_record){.cell = cell, .trial = k, .seed = seed};
    metrics_init(&rec->metrics);
    if (rc != OK)
        return rc;
    rec->digest = r.digest;
    rec->ended = r.ended;
    rc = metrics_merge(&rec->metrics, &r.metrics);
    judge(t, &r, rec);
    for (size_t i = 0; rc == OK && i < r.n_exposures; i++)
        rc = trial_add_exposure(rec, &r.exposures[i]);
    rec->findings = r.findings;
    rec->n_findings = r.n_findings;
    rec->invalid = r.invalid;
    r.findings = NULL;
    r.n_findings = 0;
    r.invalid = NULL;
    if (rc == OK)
        rc = privacy_fold(t, &rec->findings, &rec->n_findings);
    trial_result_free(&r, t->roster->n_parties);
    return rc == OK ? OK : err_set(e, rc, "%s", err_name(rc));
}

void trial_record_free(struct trial_record *rec)
{
    metrics_free(&rec->metrics);
    free(rec->why);
    free(rec->result);
    free(rec->exposures);
    privacy_rows_free(rec->findings, rec->n_findings);
    free(rec->invalid);
    *rec = (struct trial_record){0};
}

/* ---- as JSON -------------------------------------------------------------------------- */

static void set_u64(json_t *o, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%016" PRIx64, v);
    json_object_set_new(o, key, json_string(text));
}

/* No sample ever came, counted or not. */
static bool hist_empty(const struct hist *h)
{
    return hist_count(h) == 0 && h->negative == 0 && h->lost == 0;
}

json_t *trial_hist_encode(const struct hist *h)
{
    json_t *o, *buckets = json_array();
    unsigned cursor = 0;
    int64_t value;
    uint64_t count;
    while (hist_next(h, &cursor, &value, &count)) {
        json_array_append_new(buckets, json_integer(value));
        json_array_append_new(buckets, json_integer((json_int_t)count));
    }
    o = json_pack("{s:I, s:I, s:o}", "min", (json_int_t)hist_min(h), "max", (json_int_t)hist_max(h),
                  "buckets", buckets);
    set_u64(o, "sum", hist_sum(h));
    set_u64(o, "negative", h->negative);
    set_u64(o, "overflow", h->overflow);
    set_u64(o, "lost", h->lost);
    return o;
}

static json_t *named_counts(const uint64_t *values, const struct name_about *infos, size_t n)
{
    json_t *o = json_object();
    for (size_t i = 0; i < n; i++)
        if (values[i])
            json_object_set_new(o, infos[i].name, json_integer((json_int_t)values[i]));
    return o;
}

json_t *trial_encode(const struct trial_record *rec)
{
    json_t *o = json_object(), *metrics = json_object(), *exposures = json_array(), *h;
    json_object_set_new(o, "schema", json_integer(1));
    json_object_set_new(o, "cell", json_integer(rec->cell));
    json_object_set_new(o, "trial", json_integer(rec->trial));
    set_u64(o, "seed", rec->seed);
    set_u64(o, "digest", rec->digest);
    json_object_set_new(o, "ended", json_integer(rec->ended));
    json_object_set_new(o, "status", json_string(statuses[rec->status]));
    if (rec->why)
        json_object_set_new(o, "why", json_string(rec->why));
    if (rec->result)
        json_object_set_new(o, "result", json_string(rec->result));
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (hist_empty(&rec->metrics.hist[i]))
            continue;
        h = trial_hist_encode(&rec->metrics.hist[i]);
        json_object_set_new(metrics, metric_infos[i].name, h);
    }
    json_object_set_new(o, "metrics", metrics);
    json_object_set_new(o, "counts", named_counts(rec->metrics.counts, count_infos, COUNT_COUNT));
    json_object_set_new(o, "drops", named_counts(rec->metrics.drops, drop_infos, DROP_COUNT));
    json_object_set_new(o, "protocol_rounds",
                        json_integer((json_int_t)rec->metrics.protocol_rounds));
    for (size_t i = 0; i < rec->n_exposures; i++) {
        const struct exposure_row *x = &rec->exposures[i];
        json_t *row = json_pack("[s, s, I, I, i, I]", x->observer, x->what, (json_int_t)x->who,
                                (json_int_t)x->whom, (int)x->level, (json_int_t)x->first);
        if (x->other != PARTY_NONE)
            json_array_append_new(row, json_integer((json_int_t)x->other));
        json_array_append_new(exposures, row);
    }
    json_object_set_new(o, "exposures", exposures);
    if (rec->n_findings)
        json_object_set_new(o, "privacy", privacy_encode(rec->findings, rec->n_findings));
    if (rec->invalid)
        json_object_set_new(o, "invalid", json_string(rec->invalid));
    return o;
}

static int64_t get_int(const json_t *o, const char *key, bool *bad)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v)) {
        *bad = true;
        return 0;
    }
    return json_integer_value(v);
}

static uint64_t get_u64(const json_t *o, const char *key, bool *bad)
{
    const char *text = json_string_value(json_object_get(o, key));
    uint64_t v = 0;
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
        *bad = true;
        return 0;
    }
    for (; *text; text++)
        v = v << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return v;
}

void trial_hist_decode(const json_t *o, struct hist *h, bool *bad)
{
    const json_t *buckets = json_object_get(o, "buckets");
    size_t n = json_array_size(buckets);
    for (size_t i = 0; i + 1 < n; i += 2) {
        const json_t *value = json_array_get(buckets, i), *count = json_array_get(buckets, i + 1);
        if (!json_is_integer(value) || !json_is_integer(count) || json_integer_value(value) < 0 ||
            json_integer_value(count) < 1) {
            *bad = true;
            return;
        }
        hist_add_n(h, json_integer_value(value), (uint64_t)json_integer_value(count));
    }
    h->negative = get_u64(o, "negative", bad);
    h->overflow = get_u64(o, "overflow", bad);
    h->lost = get_u64(o, "lost", bad);
    if (n % 2 || (n && hist_restore(h, get_int(o, "min", bad), get_int(o, "max", bad),
                                    get_u64(o, "sum", bad)) != OK))
        *bad = true;
}

static void counts_decode(const json_t *o, uint64_t *values, const struct name_about *infos,
                          size_t n, bool *bad)
{
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(o, infos[i].name);
        if (v && (!json_is_integer(v) || json_integer_value(v) < 0))
            *bad = true;
        if (v) {
            values[i] = (uint64_t)json_integer_value(v);
            known++;
        }
    }
    if (!json_is_object(o) || known != json_object_size(o))
        *bad = true;
}

static int exposures_decode(const json_t *list, struct trial_record *rec, bool *bad)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list))
        *bad = true;
    rec->exposures = calloc(n + 1, sizeof *rec->exposures);
    if (!rec->exposures)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && !*bad; i++) {
        struct exposure_row *x = &rec->exposures[rec->n_exposures++];
        const char *observer, *what;
        json_int_t who, whom, first, other = PARTY_NONE;
        int level;
        json_t *row = json_array_get(list, i);
        if (json_unpack(row, "[s, s, I, I, i, I]", &observer, &what, &who, &whom, &level, &first) !=
                0 ||
            (json_array_size(row) > 6 &&
             json_unpack(row, "[s, s, I, I, i, I, I!]", &observer, &what, &who, &whom, &level,
                         &first, &other) != 0) ||
            strlen(observer) >= sizeof x->observer || strlen(what) >= sizeof x->what || who < 0 ||
            who >= UINT32_MAX || whom < 0 || whom >= UINT32_MAX || other < 0 ||
            other > UINT32_MAX || level < 0 || level > 2) {
            *bad = true;
            break;
        }
        memcpy(x->observer, observer, strlen(observer) + 1);
        memcpy(x->what, what, strlen(what) + 1);
        x->who = (party_t)who;
        x->whom = (party_t)whom;
        x->other = (party_t)other;
        x->level = (uint8_t)level;
        x->first = first;
    }
    return OK;
}

int trial_decode(const json_t *o, struct trial_record *rec, struct err *e)
{
    bool bad = false;
    const char *status = json_string_value(json_object_get(o, "status"));
    const json_t *metrics = json_object_get(o, "metrics");
    size_t known = 0;
    *rec = (struct trial_record){0};
    metrics_init(&rec->metrics);
    if (get_int(o, "schema", &bad) != 1)
        bad = true;
    rec->cell = (uint32_t)get_int(o, "cell", &bad);
    rec->trial = (uint32_t)get_int(o, "trial", &bad);
    rec->seed = get_u64(o, "seed", &bad);
    rec->digest = get_u64(o, "digest", &bad);
    rec->ended = get_int(o, "ended", &bad);
    rec->status = 3;
    for (unsigned i = 0; status && i < 3; i++)
        if (strcmp(status, statuses[i]) == 0)
            rec->status = i;
    rec->why = copy(json_string_value(json_object_get(o, "why")));
    rec->result = copy(json_string_value(json_object_get(o, "result")));
    for (int i = 0; i < METRIC_COUNT; i++) {
        const json_t *h = json_object_get(metrics, metric_infos[i].name);
        if (h)
            trial_hist_decode(h, &rec->metrics.hist[i], &bad);
        known += h != NULL;
    }
    counts_decode(json_object_get(o, "counts"), rec->metrics.counts, count_infos, COUNT_COUNT,
                  &bad);
    counts_decode(json_object_get(o, "drops"), rec->metrics.drops, drop_infos, DROP_COUNT, &bad);
    rec->metrics.protocol_rounds = (uint64_t)get_int(o, "protocol_rounds", &bad);
    rec->invalid = copy(json_string_value(json_object_get(o, "invalid")));
    if (exposures_decode(json_object_get(o, "exposures"), rec, &bad) != OK ||
        privacy_decode(json_object_get(o, "privacy"), &rec->findings, &rec->n_findings, &bad) !=
            OK ||
        known != json_object_size(metrics) || rec->status > TRIAL_UNFINISHED)
        bad = true;
    if (!bad)
        return OK;
    trial_record_free(rec);
    return err_set(e, ERR_FORMAT, "not a trial's file as this version writes it");
}
