/* Plugins that do nothing, for tests of scenarios: transports direct, null and relay (with a
 * server), protocols shamir and ping, observers exposure and timing. */
#ifndef PARTYLINE_TESTS_SCENARIO_PLUGINS_H
#define PARTYLINE_TESTS_SCENARIO_PLUGINS_H

#include "engine/plugins.h"

#include <stdlib.h>
#include <string.h>

struct fake_direct {
    int64_t redial;
};
struct fake_relay {
    int64_t mailbox, size;
};
struct fake_shamir {
    int64_t program, threshold;
    struct opt_file circuit;
    const char *note;
};
struct fake_ping {
    int64_t size, rate, open;
};

static const char *const fake_programs[] = {"sum", "maximum", "circuit", NULL};

static const struct opt direct_opts[] = {{"redial", OPT_DURATION,
                                          offsetof(struct fake_direct, redial), "1s", 1, INT64_MAX,
                                          NULL, "Wait before dialling again."},
                                         {.name = NULL}};
static const struct opt relay_opts[] = {
    {"mailbox", OPT_INT, offsetof(struct fake_relay, mailbox), "16", 1, 100, NULL,
     "Messages kept."},
    {"size", OPT_BYTES, offsetof(struct fake_relay, size), "64KiB", 0, 0, NULL, "Their size."},
    {.name = NULL}};
static const struct opt shamir_opts[] = {
    {"program", OPT_CHOICE, offsetof(struct fake_shamir, program), "sum", 0, 0, fake_programs,
     "What to compute."},
    {"threshold", OPT_INT, offsetof(struct fake_shamir, threshold), "1", 1, 1000, NULL,
     "How many may collude."},
    {"circuit", OPT_FILE, offsetof(struct fake_shamir, circuit), NULL, 0, 0, NULL, "A circuit."},
    {"note", OPT_TEXT, offsetof(struct fake_shamir, note), NULL, 0, 0, NULL, "Anything."},
    {.name = NULL}};
static const struct opt ping_opts[] = {
    {"size", OPT_BYTES, offsetof(struct fake_ping, size), "64B", 1, 1 << 20, NULL, "Of a ping."},
    {"rate", OPT_RATE, offsetof(struct fake_ping, rate), "1Mbit", 0, 0, NULL, "Of pings."},
    {"open", OPT_BOOL, offsetof(struct fake_ping, open), "true", 0, 0, NULL, "Open loop."},
    {.name = NULL}};

static const struct transport_role client_only[] = {{.size = 1}, {.size = 0}};
static const struct accept relay_accepts[] = {{7000, LINK_MESSAGE}, {0, LINK_MESSAGE}};
static const struct transport_role relay_roles[] = {
    {.size = 1}, {.name = "relay", .accepts = relay_accepts, .size = 1}, {.size = 0}};
static const struct transport fake_transport_direct = {.name = "direct",
                                                       .help = "Dials.",
                                                       .roles = client_only,
                                                       .opts = direct_opts,
                                                       .opts_size = sizeof(struct fake_direct)};
static const struct transport fake_transport_null = {
    .name = "null", .help = "Hands over.", .roles = client_only};
static const struct transport fake_transport_relay = {.name = "relay",
                                                      .help = "Through a server.",
                                                      .roles = relay_roles,
                                                      .opts = relay_opts,
                                                      .opts_size = sizeof(struct fake_relay)};

static int fake_plan(const struct protocol_shape *s, void **plan, struct err *e)
{
    const struct fake_shamir *o = s->opts;
    if (2 * o->threshold > (int64_t)s->roster->n_parties - 1)
        return err_set(e, ERR_INVALID, "threshold %d needs %d parties", (int)o->threshold,
                       (int)(2 * o->threshold + 1));
    *plan = calloc(1, 1);
    return *plan ? OK : err_set(e, ERR_NOMEM, "out of memory");
}

static int fake_input(const void *plan, party_t who, const struct input *in, struct err *e)
{
    (void)plan;
    (void)who;
    if (in->n != 1 || !*in->values[0] ||
        strspn(in->values[0], "0123456789") != strlen(in->values[0]))
        return err_set(e, ERR_INVALID, "expected one whole number");
    return OK;
}

static const struct protocol_role shamir_roles[] = {
    {.name = "party", .help = "Computes.", .min = 2}, {.name = NULL}};
static const struct protocol_role ping_roles[] = {
    {.name = "client", .help = "Asks.", .min = 1},
    {.name = "server", .help = "Answers.", .min = 1, .max = 1},
    {.name = NULL}};
static const struct protocol fake_protocol_shamir = {.name = "shamir",
                                                     .help = "Computes.",
                                                     .roles = shamir_roles,
                                                     .opts = shamir_opts,
                                                     .opts_size = sizeof(struct fake_shamir),
                                                     .plan = fake_plan,
                                                     .free_plan = free,
                                                     .check_input = fake_input};
static const struct protocol fake_protocol_ping = {.name = "ping",
                                                   .help = "Pings.",
                                                   .roles = ping_roles,
                                                   .opts = ping_opts,
                                                   .opts_size = sizeof(struct fake_ping)};

struct fake_timing {
    int64_t window;
};
static const struct opt timing_opts[] = {{"window", OPT_DURATION,
                                          offsetof(struct fake_timing, window), "10ms", 1,
                                          INT64_MAX, NULL, "Of a match."},
                                         {.name = NULL}};
static const struct observer fake_exposure = {.name = "exposure", .help = "Addresses."};
static const struct observer fake_timing = {.name = "timing",
                                            .help = "Times.",
                                            .opts = timing_opts,
                                            .opts_size = sizeof(struct fake_timing)};

const struct transport *const plugin_transports[] = {&fake_transport_direct, &fake_transport_null,
                                                     &fake_transport_relay, NULL};
const struct protocol *const plugin_protocols[] = {&fake_protocol_shamir, &fake_protocol_ping,
                                                   NULL};
const struct observer *const plugin_observers[] = {&fake_exposure, &fake_timing, NULL};
const struct world *const plugin_worlds[] = {NULL};

#define FIND(kind)                                                                                 \
    const struct kind *plugin_##kind(const char *name)                                             \
    {                                                                                              \
        for (size_t i = 0; plugin_##kind##s[i]; i++)                                               \
            if (strcmp(plugin_##kind##s[i]->name, name) == 0)                                      \
                return plugin_##kind##s[i];                                                        \
        return NULL;                                                                               \
    }
FIND(transport)
FIND(protocol)
FIND(observer)
FIND(world)
#undef FIND

#endif
