/* A resolved scenario for a person: JSON, or YAML's notation. */
#include "engine/run/scenario.h"
#include "engine/run/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 92 };

static json_t *hex(uint64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)v);
    return json_string(text);
}

json_t *cell_json(const struct cell *c)
{
    return json_incref(c->json);
}

json_t *scenario_json(const struct scenario *s)
{
    char limit[64];
    json_t *axes = json_object(), *cells = json_array();
    for (size_t i = 0; i < s->n_axes; i++) {
        json_t *values = json_array();
        for (size_t j = 0; j < s->axes[i].n; j++)
            json_array_append_new(values, json_string(s->axes[i].values[j]));
        json_object_set_new(axes, s->axes[i].name, values);
    }
    for (size_t i = 0; i < s->n_cells; i++)
        json_array_append_new(cells, cell_json(&s->cells[i]));
    opt_print_value(OPT_DURATION, s->limit, limit, sizeof limit);
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:s, s:o, s:o, s:o}", "schema",
                     (json_int_t)s->schema, "name", s->name, "about", s->about, "seed",
                     (json_int_t)s->seed, "repeat", (json_int_t)s->repeat, "limit", limit, "digest",
                     hex(s->digest), "axes", axes, "cells", cells);
}

/* ---- YAML's notation
 * --------------------------------------------------------------------------------- */

static void print_text(const char *text, FILE *out)
{
    json_t *quoted = yaml_plain(text) ? NULL : json_string(text);
    char *dump = quoted ? json_dumps(quoted, JSON_ENCODE_ANY) : NULL;
    fputs(dump ? dump : text, out);
    free(dump);
    json_decref(quoted);
}

/* In one line: {a: 1, b: [x, y]}. */
static void print_flow(const json_t *v, FILE *out)
{
    const char *key;
    json_t *item;
    size_t i = 0;
    if (json_is_object(v)) {
        fputc('{', out);
        json_object_foreach((json_t *)(uintptr_t)v, key, item)
        {
            if (json_is_null(item))
                continue; /* an option that is not given */
            fputs(i++ ? ", " : "", out);
            print_text(key, out);
            fputs(": ", out);
            print_flow(item, out);
        }
        fputc('}', out);
    } else if (json_is_array(v)) {
        fputc('[', out);
        for (; i < json_array_size(v); i++) {
            fputs(i ? ", " : "", out);
            print_flow(json_array_get(v, i), out);
        }
        fputc(']', out);
    } else if (json_is_string(v)) {
        print_text(json_string_value(v), out);
    } else if (json_is_integer(v)) {
        fprintf(out, "%lld", (long long)json_integer_value(v));
    } else {
        fputs(json_is_true(v) ? "true" : "false", out);
    }
}

/* How long it is in one line, at most; what is far above LINE is not counted out. */
static size_t flow_length(const json_t *v)
{
    const char *key;
    json_t *item;
    size_t n = 2;
    if (json_is_string(v))
        return json_string_length(v) + (yaml_plain(json_string_value(v)) ? 0 : 2);
    if (json_is_integer(v))
        return (size_t)snprintf(NULL, 0, "%lld", (long long)json_integer_value(v));
    if (json_is_object(v))
        json_object_foreach((json_t *)(uintptr_t)v, key, item) n +=
            n > LINE || json_is_null(item) ? 0 : strlen(key) + 4 + flow_length(item);
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v) && n <= LINE; i++)
        n += 2 + flow_length(json_array_get(v, i));
    return n + (json_is_boolean(v) ? 3 : 0);
}

static void print_block(const json_t *v, int indent, bool in_list, FILE *out);

static void print_value(const json_t *v, int indent, FILE *out)
{
    size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v);
    if (n == 0 || flow_length(v) + (size_t)indent <= LINE) {
        fputc(' ', out);
        print_flow(v, out);
        fputc('\n', out);
    } else {
        fputc('\n', out);
        print_block(v, indent, false, out);
    }
}

/* The first line of an entry of a list is indented by its dash already. */
static void print_block(const json_t *v, int indent, bool in_list, FILE *out)
{
    const char *key;
    json_t *item;
    if (json_is_object(v)) {
        json_object_foreach((json_t *)(uintptr_t)v, key, item)
        {
            if (json_is_null(item))
                continue;
            fprintf(out, "%*s", in_list ? 0 : indent, "");
            in_list = false;
            print_text(key, out);
            fputc(':', out);
            print_value(item, indent + 2, out);
        }
        return;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        item = json_array_get(v, i);
        fprintf(out, "%*s- ", indent, "");
        if (flow_length(item) + (size_t)indent <= LINE || !json_is_object(item)) {
            print_flow(item, out);
            fputc('\n', out);
        } else {
            print_block(item, indent + 2, true, out);
        }
    }
}

void scenario_show(const struct scenario *s, FILE *out, bool json)
{
    json_t *v = scenario_json(s);
    if (json) {
        json_dumpf(v, out, JSON_SORT_KEYS | JSON_INDENT(1));
        fputc('\n', out);
    } else {
        print_block(v, 0, false, out);
    }
    json_decref(v);
}
