#include "engine/run/local_strip.h"

#include "engine/run/files.h"

#include <limits.h>

static void put(json_t *o, const char *key, json_t *value)
{
    json_object_set_new(o, key, value);
}

static void copy(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value)
        json_object_set(to, key, value);
}

/* Its own values as they are; of others no more than how many they are. */
static json_t *input_of(const json_t *values, bool own)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(values); i++)
        json_array_append_new(list,
                              own ? json_incref(json_array_get(values, i)) : json_string("0"));
    return list;
}

static json_t *group_of(const json_t *from, bool party, bool own)
{
    json_t *o = json_object(), *input = json_object_get(from, "input");
    copy(o, from, "name");
    copy(o, from, "count");
    copy(o, from, "role");
    if (party && json_array_size(input))
        put(o, "input", input_of(input, own));
    return o;
}

static json_t *parties_of(const json_t *groups, party_t node)
{
    json_t *list = json_array();
    party_t at = 0;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *g = json_array_get(groups, i), *count = json_object_get(g, "count");
        party_t n = count ? (party_t)json_integer_value(count) : 1;
        json_array_append_new(list, group_of(g, true, node - at < n));
        at += n;
    }
    return list;
}

static json_t *services_of(const json_t *groups)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(groups); i++)
        json_array_append_new(list, group_of(json_array_get(groups, i), false, false));
    return list;
}

/* An option that is a file: its content travels along. */
static int file_option(json_t *o, const struct opt *option, const void *opts, const char *dir,
                       struct err *e)
{
    const struct opt_file *file = (const void *)((const char *)opts + option->offset);
    char path[PATH_MAX];
    if (!file->path)
        return OK;
    snprintf(path, sizeof path, "%s/%s.file", dir, option->name);
    put(o, option->name, json_string(strrchr(path, '/') + 1));
    return files_write(path, file->data, file->len, e);
}

static int plugin_of(json_t *to, const json_t *cell, const char *key, const struct opt *table,
                     const void *opts, const char *dir, struct err *e)
{
    const json_t *from = json_object_get(cell, key);
    json_t *o = json_object();
    int rc = OK;
    copy(o, from, "name");
    for (const struct opt *x = table; rc == OK && x && x->name; x++) {
        if (x->type == OPT_FILE)
            rc = file_option(o, x, opts, dir, e);
        else if (!json_is_null(json_object_get(from, x->name)))
            copy(o, from, x->name);
    }
    put(to, key, o);
    return rc;
}

int local_strip(const struct cell *c, party_t node, const char *dir, struct err *e)
{
    const struct trial_spec *t = &c->spec;
    json_t *o = json_object(), *observers = json_array();
    const json_t *named = json_object_get(c->json, "observers");
    char path[PATH_MAX];
    int rc;
    put(o, "schema", json_integer(1));
    put(o, "name", json_string(t->scenario));
    put(o, "parties", parties_of(json_object_get(c->json, "parties"), node));
    put(o, "services", services_of(json_object_get(c->json, "services")));
    copy(o, c->json, "limit");
    copy(o, c->json, "channel");
    for (size_t i = 0; i < json_array_size(named); i++)
        json_array_append(observers, json_array_get(named, i));
    put(o, "observers", observers);
    rc = plugin_of(o, c->json, "transport", t->transport->opts, t->transport_opts, dir, e);
    if (rc == OK)
        rc = plugin_of(o, c->json, "protocol", t->protocol->opts, t->protocol_opts, dir, e);
    snprintf(path, sizeof path, "%s/%s.yaml", dir, t->roster->entries[node].name);
    if (rc == OK)
        rc = files_write_json(path, o, e);
    json_decref(o);
    return rc;
}
