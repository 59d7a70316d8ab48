#include "engine/cmd/cmd.h"

#include "engine/run/schema.h"
#include "version.h"

static const struct cmd_option options[] = {
    {"--man", NULL, "a man page (troff)"},
    {"--scenario", NULL, "every key of a scenario file"},
    {"--help", NULL, "this text"},
    {0},
};

static void print_man(void)
{
    printf(".TH PARTYLINE 1 \"\" \"partyline %s\"\n.SH NAME\n"
           "partyline \\- a testbed for MPC connectivity\n.SH SYNOPSIS\n"
           ".B partyline\nCOMMAND [ARGUMENTS]\n.SH COMMANDS\n",
           PARTYLINE_VERSION);
    for (size_t i = 0; cmd_table[i]; i++) {
        const struct cmd *c = cmd_table[i];
        printf(".SS partyline %s %s\n%s\n", c->name, c->usage, c->help);
        for (const struct cmd_option *o = c->options; o && o->name; o++)
            printf(".TP\n.B %s %s\n%s\n", o->name, o->value ? o->value : "", o->help);
    }
    printf(".SH EXIT STATUS\n0 done, 1 a bug, 2 usage, 10 invalid scenario, 11 something is "
           "lacking here, 20 a trial failed, 21 an expectation unmet, 30 worse, 31 differs, 32 not "
           "comparable, "
           "33 inconclusive, 130 interrupted.\n");
}

static int help(const struct cmd_args *args)
{
    if (cmd_given(args, "--man")) {
        print_man();
        return EXIT_DONE;
    }
    if (cmd_given(args, "--scenario")) {
        schema_print_help(stdout);
        return EXIT_DONE;
    }
    printf("Partyline %s (%s): a testbed for MPC connectivity.\n\n"
           "usage: partyline COMMAND [arguments]\n\n",
           PARTYLINE_VERSION, PARTYLINE_REVISION);
    for (size_t i = 0; cmd_table[i]; i++)
        printf("  %-9s %s\n", cmd_table[i]->name, cmd_table[i]->help);
    printf("\npartyline COMMAND --help says more; partyline help --scenario explains a scenario's "
           "keys.\n");
    return EXIT_DONE;
}

const struct cmd cmd_help = {
    .name = "help",
    .usage = "[options]",
    .help = "Lists the commands; prints the man page, or the keys of a scenario.",
    .options = options,
    .run = help,
};
