#include "engine/cmd/cmd.h"

#include "engine/cmd/complete.h"
#include "engine/run/schema.h"
#include "engine/run/suggest.h"
#include "version.h"

static const struct cmd_option options[] = {
    {"--man", NULL, "a man page (troff)"},
    {"--completions", "bash|zsh|fish", "what a shell needs to complete commands and options"},
    {"--scenario", NULL, "every key of a scenario file"},
    {"--help", NULL, "this text"},
    {0},
};

/* ---- the man page --------------------------------------------------------------------- */

/* Text as troff: no line is a request, and a hyphen can be copied into a shell. */
static void put_roff(const char *text)
{
    bool begins = true;
    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        begins = *text == '\n';
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\'')
            fputs("\\(aq", stdout);
        else
            putchar(*text);
    }
}

static void put_entry(const char *tag, const char *value, const char *text)
{
    fputs(".TP\n\\fB", stdout);
    put_roff(tag);
    fputs("\\fR", stdout);
    if (value) {
        fputs(" \\fI", stdout);
        put_roff(value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    put_roff(text);
    putchar('\n');
}

struct entry {
    const char *tag, *text;
};

static void put_section(const char *title, const char *text, const struct entry *entries)
{
    printf(".SH %s\n", title);
    if (text) {
        put_roff(text);
        putchar('\n');
    }
    for (; entries && entries->tag; entries++)
        put_entry(entries->tag, NULL, entries->text);
}

static const struct entry exit_codes[] = {
    {"0", "done, and all expectations met (a failure that the scenario expects is a success)"},
    {"1", "a bug in partyline"},
    {"2", "the command line is wrong"},
    {"10", "the scenario is invalid, or the world can't honour it"},
    {"11", "this machine lacks something: a file, a folder that can be written, room on the disk"},
    {"20", "a trial failed: wrong result, or unfinished and no expectation speaks of it"},
    {"21", "an expectation is unmet"},
    {"30", "compare: worse"},
    {"31", "compare: differs"},
    {"32", "compare and others that read results: not comparable, or not to be read"},
    {"33", "compare: inconclusive"},
    {"130", "interrupted; what was finished is kept"},
    {0},
};

static const struct entry files[] = {
    {"results/SCENARIO/WORLD-ID/", "where run puts a run unless --out names another folder:"},
    {"manifest.json", "version, scenario as resolved, cells, seeds"},
    {"summary.json", "what was measured, per cell; integers with their units"},
    {"trials/", "a file for each finished trial; what --resume keeps"},
    {"latency.hlog", "histograms in HdrHistogram's log format"},
    {"exposure.csv", "who learned what about whom, by which observer"},
    {"digest", "a hash of every event, per cell and in all"},
    {"verdict.json", "what the expectations said"},
    {"env.json", "machine, time, memory: the only one that differs from run to run"},
    {"traces/", "with run --trace: what trace prints, for each trial"},
    {"PREFIX/share/partyline/scenarios/", "scenarios that came with the program"},
    {0},
};

static const struct entry environment[] = {
    {"NO_COLOR", "if it is set and not empty, nothing is coloured (see no-color.org); what does "
                 "not go to a terminal never is"},
    {0},
};

static const struct entry examples[] = {
    {"partyline run scenarios/millionaires.yaml", "runs every cell of a scenario"},
    {"partyline run FILE --resume", "goes on with a run that was interrupted"},
    {"partyline trace FILE --from 1s --until 2s --svg trace.svg", "draws a second of a trial"},
    {"partyline trace FILE --pcap trace.pcap",
     "for Wireshark, which takes port 7000 for another protocol: -d tcp.port==7000,data"},
    {"partyline help --completions bash > /etc/bash_completion.d/partyline", "for all users"},
    {0},
};

static void put_command(const struct cmd *c)
{
    printf(".SS partyline %s ", c->name);
    put_roff(c->usage);
    putchar('\n');
    put_roff(c->help);
    putchar('\n');
    for (const struct cmd_option *o = c->options; o && o->name; o++)
        put_entry(o->name, o->value, o->help);
}

static void print_man(void)
{
    printf(".TH PARTYLINE 1 \"\" \"partyline %s\" \"User Commands\"\n.SH NAME\n"
           "partyline \\- a testbed for MPC connectivity\n.SH SYNOPSIS\n"
           ".B partyline\n\\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n",
           PARTYLINE_VERSION);
    put_section("DESCRIPTION",
                "A scenario file says who computes together, from where, behind which NAT, over "
                "which transport and watched by whom. Partyline runs it and records latency and "
                "privacy in the same table.\n"
                "Data goes to stdout, talk to stderr; a progress bar is shown only if stderr is a "
                "terminal. partyline help --scenario explains every key of a scenario.",
                NULL);
    printf(".SH COMMANDS\n");
    for (size_t i = 0; cmd_table[i]; i++)
        put_command(cmd_table[i]);
    put_section("EXIT STATUS", "Where several apply, the smallest that is not 0.", exit_codes);
    put_section("ENVIRONMENT", NULL, environment);
    put_section("FILES", NULL, files);
    put_section("EXAMPLES", NULL, examples);
}

/* ---- the command ---------------------------------------------------------------------- */

static int print_completions(const char *shell)
{
    if (complete_print(shell, stdout) == OK)
        return EXIT_DONE;
    fprintf(stderr, "partyline help: --completions %s: expected bash, zsh or fish\n", shell);
    return EXIT_USAGE;
}

static int print_help_of(const char *name)
{
    struct suggest near = suggest_for(name);
    char hint[96];
    for (size_t i = 0; cmd_table[i]; i++) {
        if (strcmp(cmd_table[i]->name, name) == 0) {
            cmd_print_help(cmd_table[i], stdout);
            return EXIT_DONE;
        }
        suggest_offer(&near, cmd_table[i]->name);
    }
    fprintf(stderr, "partyline help: there is no command %s%s\n", name,
            suggest_text(&near, hint, sizeof hint));
    return EXIT_USAGE;
}

static int help(const struct cmd_args *args)
{
    const char *shell = cmd_given(args, "--completions");
    if (args->n_files > 1 || (args->n_files && args->n_given)) {
        fprintf(stderr, "partyline help: expected one command, or one option\n");
        return EXIT_USAGE;
    }
    if (args->n_files)
        return print_help_of(args->files[0]);
    if (shell)
        return print_completions(shell);
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
    printf("\npartyline help COMMAND says more; partyline help --scenario explains a scenario's "
           "keys.\n");
    return EXIT_DONE;
}

const struct cmd cmd_help = {
    .name = "help",
    .usage = "[COMMAND] [options]",
    .help = "Lists the commands, or explains one; prints the man page, completions, or the keys of "
            "a scenario.",
    .options = options,
    .run = help,
};
