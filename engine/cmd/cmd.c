#include "engine/cmd/cmd.h"

#include "engine/plugins.h"
#include "engine/run/suggest.h"

#include <stdlib.h>
#include <unistd.h>

const struct cmd *const cmd_table[] = {
    &cmd_run,     &cmd_check,   &cmd_show,      &cmd_list,  &cmd_compare,
    &cmd_bless,   &cmd_report,  &cmd_export,    &cmd_merge, &cmd_trace,
    &cmd_observe, &cmd_circuit, &cmd_calibrate, &cmd_lab,   &cmd_inventory,
    &cmd_node,    &cmd_keygen,  &cmd_doctor,    &cmd_help,  NULL,
};

const char *cmd_given(const struct cmd_args *args, const char *option)
{
    for (size_t i = args->n_given; i-- > 0;)
        if (strcmp(args->given[i].option->name, option) == 0)
            return args->given[i].value;
    return NULL;
}

const char *cmd_next(const struct cmd_args *args, const char *option, size_t *cursor)
{
    while (*cursor < args->n_given) {
        size_t i = (*cursor)++;
        if (strcmp(args->given[i].option->name, option) == 0)
            return args->given[i].value;
    }
    return NULL;
}

static const struct cmd_option *find_option(const struct cmd *c, const char *arg, size_t len)
{
    for (const struct cmd_option *o = c->options; o && o->name; o++)
        if (strlen(o->name) == len && strncmp(o->name, arg, len) == 0)
            return o;
    return NULL;
}

static int unknown_option(const struct cmd *c, const char *arg)
{
    struct suggest near = suggest_for(arg);
    char hint[96];
    for (const struct cmd_option *o = c->options; o && o->name; o++)
        suggest_offer(&near, o->name);
    fprintf(stderr, "partyline %s: unknown option %s%s; see partyline %s --help\n", c->name, arg,
            suggest_text(&near, hint, sizeof hint), c->name);
    return ERR_INVALID;
}

static int take_option(const struct cmd *c, int argc, char **argv, int *i, struct cmd_args *args)
{
    char *arg = argv[*i], *value = strchr(arg, '=');
    size_t len = value ? (size_t)(value - arg) : strlen(arg);
    const struct cmd_option *o = find_option(c, arg, len);
    if (!o && arg[1] != '-' && (o = find_option(c, arg, 2)) && o->value) {
        value = arg + 2; /* -j4 */
    } else if (!o) {
        return unknown_option(c, arg);
    } else if (value) {
        value++;
        if (!o->value) {
            fprintf(stderr, "partyline %s: %s takes no value\n", c->name, o->name);
            return ERR_INVALID;
        }
    } else if (o->value) {
        if (++*i >= argc) {
            fprintf(stderr, "partyline %s: %s needs a value: %s\n", c->name, o->name, o->value);
            return ERR_INVALID;
        }
        value = argv[*i];
    }
    if (args->n_given == CMD_SETS_MAX) {
        fprintf(stderr, "partyline %s: more than %d options\n", c->name, CMD_SETS_MAX);
        return ERR_INVALID;
    }
    args->given[args->n_given].option = o;
    args->given[args->n_given++].value = value ? value : "";
    return OK;
}

int cmd_parse(const struct cmd *c, int argc, char **argv, struct cmd_args *args)
{
    bool options = true;
    *args = (struct cmd_args){0};
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            int rc = take_option(c, argc, argv, &i, args);
            if (rc != OK)
                return rc;
        } else if (args->n_files == CMD_FILES_MAX) {
            fprintf(stderr, "partyline %s: more than %d arguments\n", c->name, CMD_FILES_MAX);
            return ERR_INVALID;
        } else {
            args->files[args->n_files++] = argv[i];
        }
    }
    return OK;
}

void cmd_print_help(const struct cmd *c, FILE *f)
{
    fprintf(f, "usage: partyline %s %s\n\n%s\n", c->name, c->usage, c->help);
    for (const struct cmd_option *o = c->options; o && o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(f, "%s  %-24s %s\n", o == c->options ? "\n" : "", left, o->help);
    }
}

int cmd_split(const char *option, char *text, struct scenario_set *out)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        fprintf(stderr, "partyline: %s %s: expected key=value\n", option, text);
        return ERR_INVALID;
    }
    *equals = 0;
    *out = (struct scenario_set){.path = text, .value = equals + 1};
    return OK;
}

static bool whole_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 20;
}

int cmd_load(const struct cmd_args *args, const char *file, struct scenario **out)
{
    static const char *const numbers[][2] = {{"--seed", "seed"}, {"--repeat", "repeat"}};
    struct scenario_set sets[CMD_SETS_MAX + 2];
    char *copies[CMD_SETS_MAX];
    struct diag_list diags;
    size_t n = 0, n_copies = 0, cursor = 0;
    const char *value;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && (value = cmd_next(args, "--set", &cursor))) {
        char *text = strdup(value);
        if (!text)
            abort();
        copies[n_copies++] = text;
        if (cmd_split("--set", text, &sets[n++]) != OK)
            code = EXIT_USAGE;
    }
    for (int i = 0; code == EXIT_DONE && i < 2; i++) {
        value = cmd_given(args, numbers[i][0]);
        if (value && !whole_number(value)) {
            fprintf(stderr, "partyline: %s %s: expected a whole number\n", numbers[i][0], value);
            code = EXIT_USAGE;
        } else if (value) {
            sets[n++] = (struct scenario_set){.path = numbers[i][1], .value = value};
        }
    }
    diag_init(&diags);
    if (code == EXIT_DONE && scenario_load(file, sets, n, out, &diags) != OK) {
        diag_print(&diags, stderr);
        code = EXIT_SCENARIO;
    }
    diag_free(&diags);
    for (size_t i = 0; i < n_copies; i++)
        free(copies[i]);
    return code;
}

const struct world *cmd_world(const struct cmd_args *args)
{
    const char *name = cmd_given(args, "--world");
    const struct world *w = plugin_world(name ? name : "sim");
    if (!w) {
        fprintf(stderr, "partyline: there is no world %s; there are:", name);
        for (size_t i = 0; plugin_worlds[i]; i++)
            fprintf(stderr, " %s", plugin_worlds[i]->name);
        fputc('\n', stderr);
    }
    return w;
}

bool cmd_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR");
    return isatty(fileno(f)) && !(no && *no);
}

int cmd_results_code(int rc)
{
    switch (rc) {
    case OK:
        return EXIT_DONE;
    case ERR_ABSENT:
    case ERR_FORMAT:
    case ERR_UNSUPPORTED:
    case ERR_MISMATCH:
    case ERR_INVALID:
    case ERR_EXISTS:
    case ERR_TOO_BIG:
    case ERR_TRUNCATED:
        return EXIT_NOT_COMPARABLE;
    case ERR_IO:
    case ERR_FAULT:
        return EXIT_LACKING;
    default:
        return EXIT_BUG;
    }
}
