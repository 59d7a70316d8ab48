#include "engine/cmd/cmd.h"

#include "engine/run/local_hosts.h"

static const struct cmd_option options[] = {
    {"--out", "FILE", "the key file to make, readable by its owner alone"},
    {"--help", NULL, "this text"},
    {0},
};

static int run(const struct cmd_args *args)
{
    const char *path = cmd_given(args, "--out");
    char hex[LOCAL_HEX];
    struct err e;
    int rc;
    if (!path || args->n_files) {
        fprintf(stderr, "partyline keygen: usage: partyline keygen %s\n", cmd_keygen.usage);
        return EXIT_USAGE;
    }
    rc = local_key_new(path, hex, &e);
    if (rc == OK)
        puts(hex);
    else
        fprintf(stderr, "partyline keygen: %s\n", e.text);
    return rc == OK ? EXIT_DONE : rc == ERR_EXISTS ? EXIT_USAGE : EXIT_LACKING;
}

const struct cmd cmd_keygen = {
    .name = "keygen",
    .usage = "--out FILE",
    .help = "Makes an identity from the system's randomness; prints its public form, which goes\n"
            "into a hosts file.",
    .options = options,
    .run = run,
};
