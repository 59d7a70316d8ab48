#include "engine/cmd/cmd.h"

#include "engine/plugins.h"
#include "engine/run/places.h"
#include "engine/run/circuitgen.h"
#include "engine/run/schema.h"
#include "engine/run/suggest.h"

#include <dirent.h>
#include <stdlib.h>

static const struct cmd_option options[] = {
    {"--json", NULL, "as JSON"},
    {"--schema", NULL, "the JSON Schema of scenario files"},
    {"--markdown", NULL, "the README's reference"},
    {"--help", NULL, "this text"},
    {0},
};

/* ---- as JSON, from which the text is made --------------------------------------------- */

static const char *const type_names[] = {
    [OPT_INT] = "integer",   [OPT_BOOL] = "boolean", [OPT_DURATION] = "duration",
    [OPT_BYTES] = "size",    [OPT_RATE] = "rate",    [OPT_RATIO] = "ratio",
    [OPT_CHOICE] = "choice", [OPT_TEXT] = "text",    [OPT_FILE] = "file",
};

static json_t *options_json(const struct opt *table)
{
    json_t *list = json_array();
    for (const struct opt *o = table; o && o->name; o++) {
        json_t *x = json_pack("{s:s, s:s, s:s}", "name", o->name, "type", type_names[o->type],
                              "help", o->help);
        if (o->fallback)
            json_object_set_new(x, "default", json_string(o->fallback));
        if (o->choices) {
            json_t *choices = json_array();
            for (size_t i = 0; o->choices[i]; i++)
                json_array_append_new(choices, json_string(o->choices[i]));
            json_object_set_new(x, "choices", choices);
        }
        json_array_append_new(list, x);
    }
    return list;
}

static json_t *entry(const char *name, const char *help)
{
    return json_pack("{s:s, s:s}", "name", name, "help", help);
}

static json_t *transports(void)
{
    json_t *list = json_array();
    for (size_t i = 0; plugin_transports[i]; i++) {
        const struct transport *t = plugin_transports[i];
        json_t *x = entry(t->name, t->help), *roles = json_array();
        for (const struct transport_role *r = t->roles; r->size; r++)
            if (r->name)
                json_array_append_new(roles, json_string(r->name));
        json_object_set_new(x, "roles", roles);
        json_object_set_new(x, "options", options_json(t->opts));
        json_array_append_new(list, x);
    }
    return list;
}

static json_t *protocols(void)
{
    json_t *list = json_array();
    for (size_t i = 0; plugin_protocols[i]; i++) {
        const struct protocol *p = plugin_protocols[i];
        json_t *x = entry(p->name, p->help), *roles = json_array();
        for (const struct protocol_role *r = p->roles; r->name; r++)
            json_array_append_new(roles, entry(r->name, r->help));
        json_object_set_new(x, "roles", roles);
        json_object_set_new(x, "options", options_json(p->opts));
        json_array_append_new(list, x);
    }
    return list;
}

static json_t *observers(void)
{
    json_t *list = json_array();
    for (size_t i = 0; plugin_observers[i]; i++) {
        json_t *x = entry(plugin_observers[i]->name, plugin_observers[i]->help);
        json_object_set_new(x, "options", options_json(plugin_observers[i]->opts));
        json_object_set_new(
            x, "at",
            json_string(plugin_observers[i]->at ? plugin_observers[i]->at : "every node and host"));
        json_array_append_new(list, x);
    }
    return list;
}

/* Where an observer may sit. */
static json_t *places(void)
{
    json_t *list = json_array();
    for (const struct places_word *w = places_words; w->name; w++)
        json_array_append_new(list, entry(w->name, w->help));
    return list;
}

static json_t *worlds(void)
{
    json_t *list = json_array();
    for (size_t i = 0; plugin_worlds[i]; i++) {
        json_t *x = entry(plugin_worlds[i]->name, plugin_worlds[i]->help);
        json_object_set_new(x, "deterministic", json_boolean(plugin_worlds[i]->deterministic));
        json_array_append_new(list, x);
    }
    return list;
}

static void add_privacy(json_t *list)
{
    for (int i = 0; i < PRIVACY_COUNT; i++) {
        json_t *x = entry(privacy_infos[i].name, privacy_infos[i].about);
        json_object_set_new(x, "unit", json_string(privacy_infos[i].unit));
        json_object_set_new(x, "range", json_string(privacy_infos[i].range));
        json_object_set_new(x, "source", json_string(privacy_infos[i].source));
        json_array_append_new(list, x);
    }
}

static json_t *metrics(void)
{
    json_t *list = json_array();
    for (int i = 0; i < METRIC_COUNT; i++) {
        json_t *x = entry(metric_infos[i].name, metric_infos[i].about);
        json_object_set_new(x, "unit", json_string(metric_infos[i].unit));
        json_object_set_new(x, "sample", json_string(metric_infos[i].sample));
        json_array_append_new(list, x);
    }
    add_privacy(list);
    return list;
}

static json_t *counts(void)
{
    json_t *list = json_array();
    for (int i = 0; i < COUNT_COUNT; i++)
        json_array_append_new(list, entry(count_infos[i].name, count_infos[i].about));
    return list;
}

static json_t *drops(void)
{
    json_t *list = json_array();
    for (int i = 0; i < DROP_COUNT; i++)
        json_array_append_new(list, entry(drop_infos[i].name, drop_infos[i].about));
    return list;
}

static json_t *circuits(void)
{
    json_t *list = json_array();
    for (const struct circuitgen_kind *k = circuitgen_kinds(); k->name; k++) {
        json_t *x = entry(k->name, k->help);
        json_object_set_new(x, "usage", json_string(k->usage));
        json_array_append_new(list, x);
    }
    return list;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_scenario(const char *name)
{
    size_t n = strlen(name);
    return n > 5 && name[0] != '.' && strcmp(name + n - 5, ".yaml") == 0;
}

static void scenarios_in(const char *folder, json_t *list)
{
    char path[PATH_MAX], *names[512];
    size_t n = 0;
    DIR *dir;
    struct dirent *d;
    snprintf(path, sizeof path, "%s/%s", scenario_data_dir(), folder);
    dir = opendir(path);
    while (dir && n < 512 && (d = readdir(dir)))
        if (is_scenario(d->d_name) && (names[n] = strdup(d->d_name)))
            n++;
    if (dir)
        closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        struct scenario *s = NULL;
        struct diag_list diags;
        snprintf(path, sizeof path, "%s/%s%s%s", scenario_data_dir(), folder, *folder ? "/" : "",
                 names[i]);
        diag_init(&diags);
        if (scenario_load(path, NULL, 0, &s, &diags) == OK)
            json_array_append_new(list, entry(path, s->about));
        else
            json_array_append_new(list, entry(path, "(invalid; see partyline check)"));
        diag_free(&diags);
        scenario_free(s);
        free(names[i]);
    }
}

static json_t *scenarios(void)
{
    json_t *list = json_array();
    scenarios_in("", list);
    scenarios_in("study", list);
    scenarios_in("smoke", list);
    return list;
}

static const struct {
    const char *name;
    json_t *(*make)(void);
} kinds[] = {
    {"transports", transports}, {"protocols", protocols}, {"observers", observers},
    {"places", places},         {"worlds", worlds},       {"metrics", metrics},
    {"counts", counts},         {"drops", drops},         {"circuits", circuits},
    {"scenarios", scenarios},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- as text -------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static void print_options(const json_t *list)
{
    size_t i;
    json_t *o;
    json_array_foreach(list, i, o)
    {
        size_t k;
        json_t *choice;
        printf("      %s (%s%s%s", text_of(o, "name"), text_of(o, "type"),
               json_object_get(o, "default") ? ", default " : "", text_of(o, "default"));
        json_array_foreach(json_object_get(o, "choices"), k, choice)
            printf("%s%s", k ? " " : ": ", json_string_value(choice));
        printf("): %s\n", text_of(o, "help"));
    }
}

static void print_entries(const json_t *list)
{
    size_t i, k;
    json_t *o, *role;
    json_array_foreach(list, i, o)
    {
        const char *unit = text_of(o, "unit");
        const char *source = text_of(o, "source");
        printf("  %-18s %s%s%s%s%s%s%s%s\n", text_of(o, "name"), text_of(o, "help"),
               *unit ? " [" : "", unit, *source ? ", " : "", text_of(o, "range"),
               *source ? ", " : "", source, *unit ? "]" : "");
        if (*text_of(o, "at"))
            printf("      sits at %s, unless the scenario says where\n", text_of(o, "at"));
        if (*text_of(o, "usage"))
            printf("      partyline circuit %s\n", text_of(o, "usage"));
        json_array_foreach(json_object_get(o, "roles"), k, role)
        {
            if (json_is_string(role))
                printf("      role %s\n", json_string_value(role));
            else
                printf("      role %s: %s\n", text_of(role, "name"), text_of(role, "help"));
        }
        print_options(json_object_get(o, "options"));
    }
}

static int list_kinds(const struct cmd_args *args)
{
    const char *what = args->n_files ? args->files[0] : NULL;
    struct suggest near = suggest_for(what ? what : "");
    char hint[96];
    json_t *all = json_object(), *one;
    for (size_t i = 0; i < N_KINDS; i++) {
        suggest_offer(&near, kinds[i].name);
        if (!what || strcmp(what, kinds[i].name) == 0)
            json_object_set_new(all, kinds[i].name, kinds[i].make());
    }
    if (json_object_size(all) == 0) {
        fprintf(stderr, "partyline list: there are no %s%s\n", what,
                suggest_text(&near, hint, sizeof hint));
        json_decref(all);
        return EXIT_USAGE;
    }
    one = what ? json_object_get(all, what) : NULL;
    if (cmd_given(args, "--json")) {
        json_dumpf(one ? one : all, stdout, JSON_SORT_KEYS | JSON_INDENT(1));
        putchar('\n');
    } else if (one) {
        print_entries(one);
    } else {
        for (size_t i = 0; i < N_KINDS; i++) {
            printf("%s%s:\n", i ? "\n" : "", kinds[i].name);
            print_entries(json_object_get(all, kinds[i].name));
        }
    }
    json_decref(all);
    return EXIT_DONE;
}

/* A table of a kind's options, below the table of a scenario's keys. */
static void markdown_options(const char *title, json_t *list)
{
    size_t i, k, m;
    json_t *plugin, *o, *choice;
    printf("\n| %s | option | takes | if absent | what it means |\n|---|---|---|---|---|\n", title);
    json_array_foreach(list, i, plugin)
    {
        printf("| `%s` | | | | %s |\n", text_of(plugin, "name"), text_of(plugin, "help"));
        json_array_foreach(json_object_get(plugin, "options"), k, o)
        {
            printf("| | `%s` | %s", text_of(o, "name"), text_of(o, "type"));
            json_array_foreach(json_object_get(o, "choices"), m, choice)
                printf("%s `%s`", m ? "," : ":", json_string_value(choice));
            printf(" | %s | %s |\n", text_of(o, "default"), text_of(o, "help"));
        }
    }
    json_decref(list);
}

static void print_markdown(void)
{
    schema_print_markdown(stdout);
    markdown_options("transport", transports());
    markdown_options("protocol", protocols());
    markdown_options("observer", observers());
}

static int list(const struct cmd_args *args)
{
    if (cmd_given(args, "--schema"))
        schema_print_json(stdout);
    else if (cmd_given(args, "--markdown"))
        print_markdown();
    else
        return list_kinds(args);
    return EXIT_DONE;
}

const struct cmd cmd_list = {
    .name = "list",
    .usage =
        "[transports|protocols|observers|places|worlds|metrics|counts|drops|circuits|scenarios]",
    .help = "Lists what there is, with each one's options, defaults and help.",
    .options = options,
    .run = list,
};
