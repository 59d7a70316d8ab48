/* Subcommands: one table, from which parsing, --help, the man page and completions are made.
 *
 * Data goes to stdout, talk to stderr. A command returns an exit code (engine/run/run.h).
 */
#ifndef PARTYLINE_CMD_CMD_H
#define PARTYLINE_CMD_CMD_H

#include "engine/run/run.h"

struct cmd_option {
    const char *name;  /* "--seed" or "-j" */
    const char *value; /* "N": takes a value; NULL: a switch */
    const char *help;
};

enum { CMD_SETS_MAX = 64, CMD_FILES_MAX = 256 };

/* A parsed command line. Repeatable options keep all their values in order. */
struct cmd_args {
    const char *files[CMD_FILES_MAX];
    size_t n_files;
    struct {
        const struct cmd_option *option;
        const char *value;
    } given[CMD_SETS_MAX];
    size_t n_given;
};

struct cmd {
    const char *name, *usage, *help;
    const struct cmd_option *options; /* ends with a NULL name */
    int (*run)(const struct cmd_args *);
};

extern const struct cmd *const cmd_table[]; /* ends with NULL */

/* The last value given for an option ("" for a switch), or NULL. */
const char *cmd_given(const struct cmd_args *, const char *option);
/* The next value of a repeatable option; start with *cursor 0. NULL at the end. */
const char *cmd_next(const struct cmd_args *, const char *option, size_t *cursor);

/* Parses argv after the subcommand. OK, or ERR_INVALID after saying so on stderr. */
int cmd_parse(const struct cmd *, int argc, char **argv, struct cmd_args *);
void cmd_print_help(const struct cmd *, FILE *);

/* Splits key=value at the first '='. ERR_INVALID after saying so on stderr. The texts are
 * lent from `text`, which is cut in two. */
int cmd_split(const char *option, char *text, struct scenario_set *out);

/* Loads a scenario with the overrides of --set, --seed and --repeat; says on stderr what is
 * wrong. EXIT_DONE with *out, or the exit code. */
int cmd_load(const struct cmd_args *, const char *file, struct scenario **out);
/* The world of --world, default sim; NULL after saying on stderr which there are. */
const struct world *cmd_world(const struct cmd_args *);
bool cmd_colour(FILE *);
/* The exit code when what a command does with results folders ends in an error (analysis/load.h):
 * 32 for results that can't be used, 11 for a machine that lacks something, 1 for the rest. */
int cmd_results_code(int rc);

extern const struct cmd cmd_run, cmd_check, cmd_show, cmd_list, cmd_compare, cmd_bless, cmd_trace,
    cmd_circuit, cmd_help, cmd_report, cmd_export, cmd_merge, cmd_calibrate, cmd_node, cmd_keygen,
    cmd_doctor, cmd_observe, cmd_lab, cmd_inventory;

#endif
