#include "engine/run/local_told.h"

#include "engine/run/run.h"

#include <stdlib.h>

static int load(struct local_told *t, const struct local_node_args *args)
{
    const char *file = args->scenario;
    struct diag_list diags;
    int code = EXIT_DONE;
    diag_init(&diags);
    if (scenario_load(file, NULL, 0, &t->scenario, &diags) != OK) {
        diag_print(&diags, stderr);
        code = EXIT_SCENARIO;
    } else if (t->scenario->n_cells != 1) {
        fprintf(stderr, "partyline node: %s: a node takes part in one cell, this has %zu\n", file,
                t->scenario->n_cells);
        code = EXIT_SCENARIO;
    }
    diag_free(&diags);
    return code;
}

static int find_self(struct local_told *t, const struct local_node_args *args)
{
    t->spec = t->scenario->cells[0].spec;
    t->roster = *t->spec.roster;
    t->spec.roster = &t->roster;
    for (t->self = 0; t->self < t->roster.n; t->self++)
        if (strcmp(t->roster.entries[t->self].name, args->name) == 0)
            break;
    if (t->self == t->roster.n) {
        fprintf(stderr, "partyline node: %s has no node %s\n", args->scenario, args->name);
        return EXIT_USAGE;
    }
    if (t->spec.modelled || t->spec.transport->needs_handover) {
        fprintf(stderr, "partyline node: %s: %s is for simulated worlds\n", args->scenario,
                t->spec.modelled ? "crypto: modelled" : t->spec.transport->name);
        return EXIT_SCENARIO;
    }
    /* Only its own input is known here. */
    t->inputs = calloc(t->roster.n_parties + 1, sizeof *t->inputs);
    if (!t->inputs)
        return EXIT_LACKING;
    for (party_t i = 0; i < t->roster.n_parties; i++)
        t->inputs[i] = (struct input){.values = i == t->self ? t->spec.inputs[i].values : NULL,
                                      .n = t->spec.inputs[i].n};
    t->spec.inputs = t->inputs;
    return EXIT_DONE;
}

static int load_hosts(struct local_told *t, const struct local_node_args *args)
{
    struct diag_list diags;
    int code = EXIT_DONE;
    diag_init(&diags);
    if (local_hosts_read(&t->hosts, args->hosts, &t->spec, &diags) != OK) {
        diag_print(&diags, stderr);
        code = EXIT_SCENARIO;
    }
    diag_free(&diags);
    if (code == EXIT_DONE && t->hosts.through[t->self]) {
        fprintf(stderr, "partyline node: %s comes through a gateway, says %s: it has no node\n",
                args->name, args->hosts);
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE && local_hosts_publish(&t->hosts, &t->roster) != OK)
        code = EXIT_LACKING;
    return code;
}

static int load_key(struct local_told *t, const struct local_node_args *args)
{
    struct err e;
    if (t->spec.channel == CHANNEL_NONE)
        return EXIT_DONE;
    t->roster.identities = t->hosts.identities;
    if (local_key_read(args->key, &t->identity, &e) != OK) {
        fprintf(stderr, "partyline node: %s\n", e.text);
        return EXIT_SCENARIO;
    }
    if (!identity_equal(&t->identity.pub, &t->hosts.identities[t->self])) {
        fprintf(stderr, "partyline node: %s: this is not the identity that %s gives %s\n",
                args->key, args->hosts, args->name);
        return EXIT_SCENARIO;
    }
    return EXIT_DONE;
}

int local_told_read(struct local_told *t, const struct local_node_args *args)
{
    int code = load(t, args);
    if (code == EXIT_DONE)
        code = find_self(t, args);
    if (code == EXIT_DONE)
        code = load_hosts(t, args);
    if (code == EXIT_DONE)
        code = load_key(t, args);
    return code;
}

void local_told_free(struct local_told *t)
{
    identity_wipe(&t->identity);
    local_hosts_free(&t->hosts);
    free(t->inputs);
    scenario_free(t->scenario);
}
