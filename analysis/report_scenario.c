#include "analysis/html.h"
#include "analysis/command.h"
#include "analysis/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const json_t *resolved(const struct load_run *r, size_t cell)
{
    const json_t *cells = json_object_get(r->manifest, "cells");
    return json_object_get(json_array_get(cells, cell), "resolved");
}

/* A scalar as it is, what is none as JSON. */
static void scalar(FILE *f, const json_t *v)
{
    char *text = NULL;
    if (json_is_string(v)) {
        html_text(f, json_string_value(v));
        return;
    }
    if (v && !json_is_null(v))
        text = json_dumps(v, JSON_SORT_KEYS | JSON_ENCODE_ANY);
    html_text(f, text ? text : "");
    free(text);
}

/* A value as text for a table: a map as its name and the rest, a list as its entries. */
static void value(FILE *f, const json_t *v)
{
    const json_t *name = json_object_get(v, "name");
    const char *key;
    json_t *inner;
    bool more = false;
    if (json_is_array(v)) {
        for (size_t i = 0; i < json_array_size(v); i++) {
            fputs(i ? " " : "", f);
            scalar(f, json_array_get(v, i));
        }
        return;
    }
    if (!json_is_object(v)) {
        scalar(f, v);
        return;
    }
    scalar(f, name);
    json_object_foreach((json_t *)(uintptr_t)v, key, inner)
    {
        if (inner == name || json_is_null(inner))
            continue;
        html_put(f, more ? ", % " : name ? ": % " : "% ", key);
        scalar(f, inner);
        more = true;
    }
}

static bool any_has(const json_t *list, const char *key)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_object_get(json_array_get(list, i), key);
        if (v && !json_is_null(v) && !(json_is_array(v) && json_array_size(v) == 0))
            return true;
    }
    return false;
}

static void nodes(FILE *f, const char *title, const json_t *list)
{
    static const char *const keys[] = {"name",   "count", "role",  "region",
                                       "access", "nat",   "start", "input"};
    if (json_array_size(list) == 0)
        return;
    html_put(f,
             "<h3>%</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%\">"
             "<table>\n<thead><tr>",
             title, title);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (any_has(list, keys[k]))
            html_put(f, "<th>%</th>", keys[k]);
    fputs("</tr></thead>\n<tbody>", f);
    for (size_t i = 0; i < json_array_size(list) && i < 200; i++) {
        fputs("<tr>", f);
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            const json_t *v = json_object_get(json_array_get(list, i), keys[k]);
            if (!any_has(list, keys[k]))
                continue;
            fputs(json_is_object(v) ? "<td><small>" : "<td>", f);
            value(f, v);
            fputs(json_is_object(v) ? "</small></td>" : "</td>", f);
        }
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n", f);
    if (json_array_size(list) > 200)
        fputs("<p class=\"note\">The first 200 of them; manifest.json has all.</p>\n", f);
}

static void one_scenario(FILE *f, const struct load_run *r)
{
    static const char *const keys[] = {"protocol", "transport", "channel", "crypto",
                                       "compute",  "limit",     "repeat",  "seed"};
    const json_t *c = resolved(r, 0), *axes;
    const char *axis;
    json_t *v;
    char *text;
    fputs("<dl class=\"facts\">", f);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        html_put(f, "<dt>%</dt><dd>", keys[i]);
        value(f, json_object_get(c, keys[i]));
        fputs("</dd>\n", f);
    }
    axes = json_object_get(json_object_get(r->manifest, "scenario"), "axes");
    json_object_foreach((json_t *)(uintptr_t)axes, axis, v)
    {
        html_put(f, "<dt>axis %</dt><dd>", axis);
        for (size_t i = 0; i < json_array_size(v); i++) {
            fputs(i ? " \xc2\xb7 " : "", f);
            value(f, json_array_get(v, i));
        }
        fputs("</dd>\n", f);
    }
    fputs("</dl>\n", f);
    nodes(f, "Parties", json_object_get(c, "parties"));
    nodes(f, "Services", json_object_get(c, "services"));
    if (r->n_cells > 1)
        fputs("<p class=\"note\">As in the first cell; the axes replace what they name.</p>\n", f);
    text = json_dumps(c, JSON_SORT_KEYS | JSON_INDENT(1));
    html_put(f,
             "<details><summary>The first cell in full, every default</summary><pre>%</pre>"
             "</details>\n",
             text ? text : "");
    free(text);
}

void report_scenario(FILE *f, const struct series_set *s)
{
    for (size_t i = 0; i < s->n_runs; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= s->runs[k].scenario_digest == s->runs[i].scenario_digest;
        if (seen)
            continue;
        if (s->n_runs > 1)
            html_put(f, "<h3>%: %</h3>\n", s->names[i], s->runs[i].scenario);
        one_scenario(f, &s->runs[i]);
    }
}

/* ---- how to repeat it ----------------------------------------------------------------- */

static void command(FILE *f, char *text)
{
    html_put(f, "%\n", text ? text : "");
    free(text);
}

static void one_repeat(FILE *f, const struct load_run *r)
{
    const json_t *merged = json_object_get(r->manifest, "merged");
    fputs("<pre>", f);
    command(f, command_run(r));
    if (r->deterministic && !merged)
        command(f, command_trace(r, &r->cells[0], 0));
    fputs("</pre>\n<dl class=\"facts\">", f);
    html_put(f, "<dt>version</dt><dd>% (git revision %)</dd>\n", r->version, r->revision);
    html_put(f, "<dt>world</dt><dd>%</dd>\n<dt>run</dt><dd><code>%</code></dd>\n", r->world, r->id);
    fprintf(f,
            "<dt>scenario digest</dt><dd><code>%016" PRIx64 "</code></dd>\n"
            "<dt>digest of all events</dt><dd><code>%016" PRIx64 "</code>%s</dd>\n",
            r->scenario_digest, r->digest,
            r->deterministic ? ": whoever repeats it gets this one" : "");
    fputs("<dt>seeds</dt><dd><code>", f);
    for (uint32_t k = 0; k < r->cells[0].n_seeds && k < 20; k++)
        fprintf(f, "%s%016" PRIx64, k ? " " : "", r->cells[0].seeds[k]);
    if (r->cells[0].n_seeds > 20)
        fprintf(f, " and %u more", (unsigned)r->cells[0].n_seeds - 20);
    fputs("</code></dd>\n", f);
    if (merged) {
        fputs("<dt>merged from</dt><dd><code>", f);
        value(f, merged);
        fputs("</code></dd>\n", f);
    }
    fputs("</dl>\n", f);
}

void report_repeat(FILE *f, const struct series_set *s)
{
    for (size_t i = 0; i < s->n_runs; i++) {
        if (s->n_runs > 1)
            html_put(f, "<h3>%</h3>\n", s->names[i]);
        one_repeat(f, &s->runs[i]);
    }
    fputs("<p class=\"note\">Every plot is also in <code>plots/</code>, as SVG and PDF, with its "
          "gnuplot script and its data; the table is there for LaTeX (<code>table.tex</code>). "
          "The report of a run with <code>--trace</code> draws the course of one trial."
          "</p>\n",
          f);
}
