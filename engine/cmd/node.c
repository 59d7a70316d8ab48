#include "engine/cmd/cmd.h"

#include "engine/run/local_node.h"

static const struct cmd_option options[] = {
    {"--scenario", "F", "the scenario, of one cell; others' inputs in it are not looked at"},
    {"--name", "N", "which node of it this is"},
    {"--hosts", "H", "where every node is, and its identity (YAML)"},
    {"--key", "K", "this node's own secret identity, as partyline keygen makes it"},
    {"--out", "DIR", "its durable state and its result go there"},
    {"--go", "FILE", "begin when this file is there, at the Unix time in nanoseconds it holds"},
    {"--sightings", NULL, "write down what it sees, for the trial's observers: DIR/sightings-LIFE"},
    {"--help", NULL, "this text"},
    {0},
};

static int run(const struct cmd_args *args)
{
    struct local_node_args node = {.scenario = cmd_given(args, "--scenario"),
                                   .name = cmd_given(args, "--name"),
                                   .hosts = cmd_given(args, "--hosts"),
                                   .key = cmd_given(args, "--key"),
                                   .out = cmd_given(args, "--out"),
                                   .sightings = cmd_given(args, "--sightings") != NULL,
                                   .go = cmd_given(args, "--go")};
    if (!node.scenario || !node.name || !node.hosts || !node.key || !node.out || args->n_files) {
        fprintf(stderr, "partyline node: usage: partyline node %s\n", cmd_node.usage);
        return EXIT_USAGE;
    }
    return local_node_run(&node);
}

const struct cmd cmd_node = {
    .name = "node",
    .usage = "--scenario F --name N --hosts H --key K --out DIR [--go FILE] [--sightings]",
    .help = "One node of a scenario as a real process, over TCP and UDP. Ends when its party is\n"
            "done and its peers need nothing more, at the scenario's limit, or by SIGINT or\n"
            "SIGTERM; its result is DIR/result.json.",
    .options = options,
    .run = run,
};
