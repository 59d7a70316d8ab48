#include "engine/cmd/cmd.h"

#include "engine/run/hosts_lab.h"

static const struct cmd_option options[] = {
    {"--list", NULL, "all hosts, with their variables"},
    {"--host", "NAME", "one host's variables"},
    {"--help", NULL, "this text"},
    {0},
};

static int run(const struct cmd_args *args)
{
    const char *name = cmd_given(args, "--host");
    json_t *all, *shown;
    struct err e;
    int rc;
    if (args->n_files != 1 || (!name && !cmd_given(args, "--list"))) {
        fprintf(stderr, "partyline inventory: usage: partyline inventory %s\n",
                cmd_inventory.usage);
        return EXIT_USAGE;
    }
    rc = hosts_lab_inventory(args->files[0], &all, &e);
    if (rc != OK) {
        fprintf(stderr, "partyline inventory: %s\n", e.text);
        return EXIT_LACKING;
    }
    shown = name ? json_object_get(json_object_get(json_object_get(all, "_meta"), "hostvars"), name)
                 : all;
    if (shown) {
        json_dumpf(shown, stdout, JSON_SORT_KEYS | JSON_INDENT(1));
        putchar('\n');
    } else {
        fprintf(stderr, "partyline inventory: the lab has no host %s\n", name);
    }
    json_decref(all);
    return shown ? EXIT_DONE : EXIT_USAGE;
}

const struct cmd cmd_inventory = {
    .name = "inventory",
    .usage = "--list|--host NAME SCENARIO|LAB",
    .help = "The hosts of a lab that is up (partyline lab up SCENARIO), as a dynamic inventory of\n"
            "Ansible. Starts an SSH server on each that has none.",
    .options = options,
    .run = run,
};
