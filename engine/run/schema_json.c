/* The table of keys as JSON Schema, draft 2020-12. */
#include "engine/run/schema.h"

#include <stdlib.h>
#include <string.h>

static json_t *row_json(const struct schema_row *row);

static void put(json_t *o, const char *key, json_t *value)
{
    json_object_set_new(o, key, value);
}

static json_t *pattern(const char *units)
{
    char text[160];
    snprintf(text, sizeof text, "^(0|(0|[1-9][0-9]*)(\\.[0-9]+)?(%s))$", units);
    return json_pack("{s:[{s:i}, {s:s, s:s}]}", "anyOf", "const", 0, "type", "string", "pattern",
                     text);
}

static json_t *names_json(const struct schema_row *row)
{
    json_t *list = json_array();
    for (size_t i = 0; schema_name(row, i); i++)
        json_array_append_new(list, json_string(schema_name(row, i)));
    return json_pack("{s:o}", "enum", list);
}

static json_t *integer_json(const struct opt *o)
{
    json_t *v = json_pack("{s:s}", "type", "integer");
    if (o->min || o->max) {
        put(v, "minimum", json_integer(o->min));
        put(v, "maximum", json_integer(o->max));
    }
    return v;
}

/* A scalar of an option's type. */
static json_t *option_json(const struct opt *o)
{
    json_t *list;
    switch (o->type) {
    case OPT_INT:
        return integer_json(o);
    case OPT_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case OPT_DURATION:
        return pattern("ns|us|ms|s|min|h|d");
    case OPT_BYTES:
        return pattern("B|KB|MB|GB|KiB|MiB|GiB");
    case OPT_RATE:
        return pattern("bit|Kbit|Mbit|Gbit");
    case OPT_RATIO:
        return pattern("%");
    case OPT_CHOICE:
        list = json_array();
        for (size_t i = 0; o->choices[i]; i++)
            json_array_append_new(list, json_string(o->choices[i]));
        return json_pack("{s:o}", "enum", list);
    case OPT_TEXT:
        return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
    case OPT_FILE:
        break;
    }
    return json_pack("{s:s}", "type", "string");
}

static json_t *described(json_t *v, const char *help, const char *fallback)
{
    if (help && *help)
        put(v, "description", json_string(help));
    if (fallback && *fallback)
        put(v, "default", json_string(fallback));
    return v;
}

static json_t *map_json(const struct schema_row *row)
{
    json_t *properties = json_object(), *required = json_array(), *other = json_false();
    for (const struct schema_row *r = schema_rows; r->path; r++) {
        const char *key = schema_key(row, r);
        if (!key || strcmp(key, "[]") == 0)
            continue;
        if (strcmp(key, "*") == 0)
            other = row_json(r);
        else
            put(properties, key, row_json(r));
        if (r->required)
            json_array_append_new(required, json_string(key));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", other);
}

/* {name: NAME, option: value ...}, and the row's own keys. */
static json_t *plugin_json(const struct schema_row *row, const char *name)
{
    const char *help;
    const struct opt *opts = schema_plugin(row->names, name, &help);
    json_t *properties = json_object();
    put(properties, "name", json_pack("{s:s}", "const", name));
    for (const struct opt *o = opts; o->name; o++)
        put(properties, o->name, described(option_json(o), o->help, o->fallback));
    for (const struct schema_row *r = schema_rows; r->path; r++)
        if (schema_key(row, r))
            put(properties, schema_key(row, r), row_json(r));
    return described(json_pack("{s:s, s:o, s:[s], s:b}", "type", "object", "properties", properties,
                               "required", "name", "additionalProperties", 0),
                     help, NULL);
}

static void add_plugins(json_t *forms, const struct schema_row *row)
{
    json_array_append_new(forms, names_json(row));
    for (size_t i = 0; schema_name(row, i); i++)
        json_array_append_new(forms, plugin_json(row, schema_name(row, i)));
}

static json_t *list_json(const struct schema_row *row)
{
    const struct schema_row *entry = schema_child(row, "[]");
    return json_pack("{s:s, s:o}", "type", "array", "items", entry ? row_json(entry) : json_true());
}

static json_t *row_json(const struct schema_row *row)
{
    json_t *forms = json_array();
    if (row->forms & FORM_ANY)
        json_array_append_new(forms, json_object());
    if (row->forms & FORM_TEXT)
        json_array_append_new(forms, row->names ? names_json(row) : option_json(&row->opt));
    if (row->forms & FORM_PLUGIN)
        add_plugins(forms, row);
    if (row->forms & FORM_LIST)
        json_array_append_new(forms, list_json(row));
    if (row->forms & FORM_MAP)
        json_array_append_new(forms, map_json(row));
    json_t *v = json_array_size(forms) == 1 ? json_incref(json_array_get(forms, 0))
                                            : json_pack("{s:O}", "oneOf", forms);
    json_decref(forms);
    return described(v, row->opt.help, row->opt.fallback);
}

json_t *schema_json(void)
{
    json_t *v = row_json(&schema_rows[0]);
    put(v, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    put(v, "title", json_string("A Partyline scenario"));
    return v;
}

void schema_print_json(FILE *out)
{
    json_t *v = schema_json();
    json_dumpf(v, out, JSON_SORT_KEYS | JSON_INDENT(1));
    fputc('\n', out);
    json_decref(v);
}
