#include "engine/cmd/cmd.h"

#include "engine/run/lab_state.h"
#include "engine/run/trial.h"

#include <stdlib.h>

static const struct cmd_option options[] = {
    {"--cell", "N", "which cell of the scenario (default 0; see partyline run --dry-run)"},
    {"--seed", "N", "instead of the scenario's seed"},
    {"--set", "KEY.PATH=VALUE", "overrides a key of the scenario; repeatable"},
    {"--init", "PROGRAM", "what each host runs as process 1 (default: one that waits)"},
    {"--pcap", "FILE", "up: every packet at both its ends, as seen by the global adversary"},
    {"--all", NULL, "down: every lab of this machine"},
    {"--json", NULL, "status: as JSON"},
    {"--help", NULL, "this text"},
    {0},
};

static int complain(const struct err *e)
{
    fprintf(stderr, "partyline lab: %s\n", e->text);
    return e->code == ERR_INVALID ? EXIT_USAGE : EXIT_LACKING;
}

/* ---- up -------------------------------------------------------------------------------- */

static void refused(void *ctx, int line, const char *text)
{
    const struct scenario *s = ctx;
    if (line)
        fprintf(stderr, "%s:%d: the world lab can't honour this: %s\n", s->file, line, text);
    else
        fprintf(stderr, "%s: the world lab can't honour this: %s\n", s->file, text);
}

static int bring_up(const struct cmd_args *args, const struct scenario *s)
{
    const char *cell = cmd_given(args, "--cell");
    char *end = NULL;
    unsigned long which = cell ? strtoul(cell, &end, 10) : 0;
    struct lab_options o = {.init = cmd_given(args, "--init"), .pcap = cmd_given(args, "--pcap")};
    struct lab lab;
    struct err e = {0};
    int rc;
    if (cell && (*cell < '0' || *cell > '9' || *end || which >= s->n_cells)) {
        fprintf(stderr, "partyline lab: --cell %s: expected a number below %zu\n", cell,
                s->n_cells);
        return EXIT_USAGE;
    }
    if (lab_check(&s->cells[which].spec, refused, (void *)(uintptr_t)s) != OK)
        return EXIT_SCENARIO;
    o.seed = trial_seed(s->cells[which].seed, 0);
    rc = lab_plan(&lab, &s->cells[which].spec, &e);
    if (rc == OK)
        rc = lab_up(&lab, &o, &e);
    if (rc == OK && (rc = lab_state_write(&lab, &o, &e)) != OK)
        lab_down(lab.id, NULL);
    if (rc == OK)
        printf("%s\n", lab.id);
    lab_free(&lab);
    return rc == OK ? EXIT_DONE : complain(&e);
}

/* ---- down and status --------------------------------------------------------------------- */

/* A number, or the name of a scenario, or its file's. */
static bool is_of(const char *id, const char *what)
{
    const char *base = strrchr(what, '/');
    json_t *state;
    const char *name;
    size_t len;
    bool same;
    if (strcmp(id, what) == 0)
        return true;
    if (lab_state_read(id, &state, NULL) != OK)
        return false;
    name = json_string_value(json_object_get(state, "scenario"));
    base = base ? base + 1 : what;
    len = strlen(base);
    if (len > 5 && strcmp(base + len - 5, ".yaml") == 0)
        len -= 5;
    same = name && strlen(name) == len && strncmp(name, base, len) == 0;
    json_decref(state);
    return same;
}

static void print_status(const char *id, json_t *list)
{
    struct err e = {0};
    json_t *state, *host;
    size_t i;
    if (lab_state_read(id, &state, &e) != OK) {
        if (!list)
            printf("%s  not whole%s\n", id, lab_orphaned(id) ? ", its maker is gone" : "");
        return;
    }
    if (list) {
        json_array_append_new(list, state);
        return;
    }
    printf("%s  %s%s\n", id, json_string_value(json_object_get(state, "scenario")),
           lab_orphaned(id) ? ", its maker is gone" : "");
    json_array_foreach(json_object_get(state, "hosts"), i, host)
        printf("  %-16s %-16s %-16s %-16s %s\n", json_string_value(json_object_get(host, "name")),
               json_string_value(json_object_get(host, "address")),
               json_string_value(json_object_get(host, "region")),
               json_string_value(json_object_get(host, "nat")),
               json_string_value(json_object_get(host, "netns")));
    json_decref(state);
}

static int each(const struct cmd_args *args, bool down)
{
    const char *what = args->n_files > 1 ? args->files[1] : NULL;
    json_t *list = !down && cmd_given(args, "--json") ? json_array() : NULL;
    char(*ids)[LAB_ID + 1];
    struct err e = {0};
    size_t n, found = 0;
    int code = EXIT_DONE;
    if (lab_list(&ids, &n, &e) != OK)
        return complain(&e);
    for (size_t i = 0; i < n; i++) {
        if (what && !is_of(ids[i], what))
            continue;
        found++;
        if (!down)
            print_status(ids[i], list);
        else if (lab_down(ids[i], &e) != OK)
            code = (complain(&e), EXIT_LEFT_BEHIND);
    }
    free(ids);
    if (list) {
        json_dumpf(list, stdout, JSON_SORT_KEYS | JSON_INDENT(1));
        putchar('\n');
        json_decref(list);
    } else if (!found) {
        fprintf(stderr, "partyline lab: there is no lab%s%s\n", what ? " of " : "",
                what ? what : "");
        return what ? EXIT_USAGE : EXIT_DONE;
    }
    return code;
}

static int run(const struct cmd_args *args)
{
    const char *verb = args->n_files ? args->files[0] : "";
    struct scenario *s = NULL;
    int code;
    if (strcmp(verb, "up") == 0 && args->n_files == 2) {
        code = cmd_load(args, args->files[1], &s);
        if (code == EXIT_DONE)
            code = bring_up(args, s);
        scenario_free(s);
        return code;
    }
    if (strcmp(verb, "status") == 0 && args->n_files <= 2)
        return each(args, false);
    if (strcmp(verb, "down") == 0 && (args->n_files == 2) != (cmd_given(args, "--all") != NULL))
        return each(args, true);
    fprintf(stderr, "partyline lab: usage: partyline lab %s\n", cmd_lab.usage);
    return EXIT_USAGE;
}

const struct cmd cmd_lab = {
    .name = "lab",
    .usage = "up SCENARIO | status [LAB] | down LAB | down --all",
    .help =
        "The hosts of a scenario as namespaces of this machine (root), with their NATs and the\n"
        "internet between them: makes them and prints the lab's number, shows them, takes them\n"
        "away. LAB is a lab's number or its scenario.",
    .options = options,
    .run = run,
};
