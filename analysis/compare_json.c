#include "analysis/compare.h"

#include "engine/run/files.h"

#include <stdio.h>

const char *compare_fate_name(enum compare_fate fate)
{
    static const char *const names[] = {"worse", "better", "changed", "too small", "too few"};
    return names[fate];
}

static void put(json_t *o, const char *key, json_t *value)
{
    json_object_set_new(o, key, value);
}

static json_t *hex(uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)v);
    return json_string(text);
}

static json_t *whole(double v)
{
    return json_integer((json_int_t)(v < 0.0 ? v - 0.5 : v + 0.5));
}

static void put_ppm(json_t *o, const char *key, const struct effect *x, double change)
{
    int64_t ppm;
    if (effect_ppm(x, change, &ppm))
        put(o, key, json_integer(ppm));
}

static json_t *row_json(const struct compare *c, const struct compare_row *r)
{
    const struct effect *x = &r->effect;
    struct measure m;
    json_t *o = json_object();
    compare_about(c, r, &m);
    put(o, "axes", json_deep_copy(c->a->cells[r->cell].axes));
    put(o, "measure", json_string(m.name));
    put(o, "unit", json_string(m.unit));
    put(o, "pairs", json_integer((json_int_t)x->pairs));
    put(o, "a", whole(x->a));
    put(o, "b", whole(x->b));
    if (!*m.unit) { /* a count's mean says little as an integer */
        put(o, "sum_a", whole(x->a * (double)x->pairs));
        put(o, "sum_b", whole(x->b * (double)x->pairs));
    }
    put_ppm(o, "effect_ppm", x, x->change);
    put(o, "threshold_ppm", json_integer(r->threshold_ppm));
    put(o, "fate", json_string(compare_fate_name(r->fate)));
    if (!x->interval)
        return o;
    put_ppm(o, "low_ppm", x, x->low);
    put_ppm(o, "high_ppm", x, x->high);
    put(o, "level_ppm", json_integer(EFFECT_LEVEL_PPM));
    put(o, "p_ppm", whole(r->p * 1e6));
    if (!c->a->deterministic)
        put_ppm(o, "noise_ppm", x, r->noise);
    return o;
}

static json_t *leak_json(const struct compare *c, const struct compare_leak *l)
{
    const struct load_cell *cell = &c->a->cells[l->cell];
    json_t *o = json_object();
    put(o, "axes", json_deep_copy(cell->axes));
    put(o, "what", json_string(l->what));
    put(o, l->whom == COMPARE_SUM ? "most_a" : "trials_a", json_integer((json_int_t)l->a));
    put(o, l->whom == COMPARE_SUM ? "most_b" : "trials_b", json_integer((json_int_t)l->b));
    if (l->whom == COMPARE_SUM) {
        put(o, "kind", json_string(l->kind));
        return o;
    }
    put(o, "observer", json_string(l->observer));
    put(o, "who", json_string(load_name(cell, l->who)));
    put(o, "whom", json_string(load_name(cell, l->whom)));
    if (l->other != PARTY_NONE)
        put(o, "other", json_string(load_name(cell, l->other)));
    put(o, "level_a", json_integer(l->level_a));
    put(o, "level_b", json_integer(l->level_b));
    return o;
}

static json_t *lines_json(const char lines[][FIRST_DIFF_LINE], unsigned n)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(list, json_string(lines[i]));
    return list;
}

static json_t *first_json(const struct compare *c)
{
    const struct first_diff *d = &c->first;
    json_t *o = json_object();
    put(o, "axes", json_deep_copy(c->a->cells[d->cell].axes));
    put(o, "cell", json_integer(c->a->cells[d->cell].index));
    put(o, "trial", json_integer(d->trial));
    put(o, "digest_a", hex(d->digest_a));
    put(o, "digest_b", hex(d->digest_b));
    put(o, "command", json_string(d->command));
    if (!d->traced) {
        put(o, "not_shown", json_string(d->untraced));
        return o;
    }
    put(o, d->logged ? "event" : "line", json_integer((json_int_t)d->line));
    put(o, "before", lines_json(d->before, d->n_before));
    put(o, "a", lines_json(d->a, d->n_a));
    put(o, "b", lines_json(d->b, d->n_b));
    return o;
}

static json_t *run_json(const struct load_run *r)
{
    return json_pack("{s:s, s:o, s:s, s:s}", "run", r->id, "digest", hex(r->digest), "version",
                     r->version, "revision", r->revision);
}

json_t *compare_json(const struct compare *c)
{
    json_t *o = json_object(), *rows = json_array(), *leaks = json_array(), *notes = json_array();
    for (size_t i = 0; i < c->n_rows; i++)
        json_array_append_new(rows, row_json(c, &c->rows[i]));
    for (size_t i = 0; i < c->n_leaks; i++)
        json_array_append_new(leaks, leak_json(c, &c->leaks[i]));
    for (size_t i = 0; i < c->n_notes; i++)
        json_array_append_new(notes, json_string(c->notes[i]));
    put(o, "schema", json_integer(LOAD_SCHEMA));
    put(o, "exit", json_integer(c->code));
    put(o, "verdict", json_string(c->verdict));
    put(o, "reason", json_string(c->reason));
    put(o, "notes", notes);
    put(o, "effects", rows);
    put(o, "effects_tested", json_integer((json_int_t)c->n_effects));
    put(o, "exposures", leaks);
    if (c->a && c->a->scenario)
        put(o, "a", run_json(c->a));
    if (c->b && c->b->scenario)
        put(o, "b", run_json(c->b));
    if (c->first.found)
        put(o, "first_difference", first_json(c));
    return o;
}

int compare_save(const struct compare *c, struct err *e)
{
    char path[PATH_MAX];
    json_t *verdict = json_copy(c->b->verdict);
    int rc;
    if (!verdict || snprintf(path, sizeof path, "%s/verdict.json", c->b->dir) >= PATH_MAX)
        return err_set(e, ERR_NOMEM, "%s: no memory for the verdict", c->b->dir);
    put(verdict, "compare", compare_json(c));
    rc = files_write_json(path, verdict, e);
    json_decref(verdict);
    return rc;
}
