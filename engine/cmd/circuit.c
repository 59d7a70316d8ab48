#include "engine/cmd/cmd.h"

#include "engine/run/circuitgen.h"

#include <stdlib.h>

static const struct cmd_option options[] = {
    {"--fast", NULL, "fewer rounds, more gates (adder, subtractor, multiplier)"},
    {"--full", NULL, "all 2N bits of a product (multiplier)"},
    {"--help", NULL, "this text and the kinds of circuits"},
    {0},
};

static int circuit(const struct cmd_args *args)
{
    struct err e = {0};
    const char *words[CMD_FILES_MAX + CMD_SETS_MAX];
    size_t n = 0;
    char *text = NULL;
    size_t len = 0;
    int rc;
    if (args->n_files == 0) {
        fprintf(stderr, "partyline circuit: which kind? usage: partyline circuit %s\n",
                cmd_circuit.usage);
        return EXIT_USAGE;
    }
    for (size_t i = 1; i < args->n_files; i++)
        words[n++] = args->files[i];
    for (size_t i = 0; i < args->n_given; i++)
        words[n++] = args->given[i].option->name;
    rc = circuitgen_write(args->files[0], n, words, &text, &len, &e);
    if (rc != OK) {
        fprintf(stderr, "partyline circuit: %s\n", e.text);
        return EXIT_USAGE;
    }
    fwrite(text, 1, len, stdout);
    free(text);
    return EXIT_DONE;
}

const struct cmd cmd_circuit = {
    .name = "circuit",
    .usage = "KIND NUMBER... [--fast] [--full] > FILE",
    .help = "Writes a circuit in Bristol Fashion.",
    .options = options,
    .run = circuit,
};
