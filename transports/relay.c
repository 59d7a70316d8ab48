#include "transports/relay.h"

#include "transports/relay_client.h"
#include "transports/relay_server.h"

#include <string.h>

static const char *const home_choices[] = {"nearest", "first", "hash", NULL};

static const char *const lies[] = {"no", "drop", "duplicate", "reorder", "swap", "alter", NULL};

#define RELAY_OPT(field, kind, text, low, high, words)                                             \
    {                                                                                              \
        .name = #field, .type = kind, .offset = offsetof(struct relay_opts, field),                \
        .fallback = text, .min = low, .max = high, .help = words                                   \
    }

const struct opt relay_options[] = {
    {.name = "home",
     .type = OPT_CHOICE,
     .offset = offsetof(struct relay_opts, home),
     .fallback = "nearest",
     .choices = home_choices,
     .help = "Which relay a party stays with: the one that answers first, the scenario's first, or "
             "one by its id."},
    RELAY_OPT(retention, OPT_DURATION, "0s", 0, 365 * 86400 * NS_S,
              "How long a relay keeps messages for a party that left; 0: it is reported as gone at "
              "once."),
    RELAY_OPT(retention_bytes, OPT_BYTES, "4MiB", 1 << 10, INT64_C(1) << 31,
              "How much of them, for each party."),
    RELAY_OPT(window, OPT_BYTES, "1MiB", 1 << 17, 1 << 30,
              "What a party may send to another before the relay has passed it on."),
    RELAY_OPT(memory, OPT_BYTES, "256MiB", 1 << 20, INT64_C(1) << 40,
              "What waits at a relay at most, in all."),
    RELAY_OPT(keepalive, OPT_DURATION, "25s", 100 * NS_MS, 3600 * NS_S,
              "A link that was silent for so long is pinged; after three times that it is given "
              "up."),
    RELAY_OPT(backoff_min, OPT_DURATION, "100ms", NS_MS, 3600 * NS_S,
              "The wait before the first new dial; each further one doubles it."),
    RELAY_OPT(backoff_max, OPT_DURATION, "10s", NS_MS, 3600 * NS_S,
              "The longest wait between two dials."),
    RELAY_OPT(connect_limit, OPT_DURATION, "10s", NS_MS, 3600 * NS_S,
              "A dial or a handshake that takes longer is given up and tried again."),
    RELAY_OPT(strangers, OPT_INT, "1024", 1, 1 << 20,
              "Links to a relay that have not proven an identity yet, at most."),
    RELAY_OPT(per_address, OPT_INT, "4096", 1, 1 << 20,
              "Links to a relay from one address, at most."),
    {.name = "lies",
     .type = OPT_CHOICE,
     .offset = offsetof(struct relay_opts, lies),
     .fallback = "no",
     .choices = lies,
     .help =
         "A malicious relay drops, doubles, delays or alters messages, or swaps their senders."},
    RELAY_OPT(lie_rate, OPT_RATIO, "1%", 0, 1000000,
              "The share of messages about which a relay that lies does."),
    {0},
};

bool relay_is(const struct roster *roster, party_t who)
{
    return who < roster->n && who >= roster_clients(roster) &&
           strcmp(roster->entries[who].role, RELAY_ROLE) == 0;
}

ns_t relay_backoff(const struct relay_opts *o, struct prng *rng, unsigned fails)
{
    ns_t wait = o->backoff_min;
    for (unsigned k = 0; k < fails && wait < o->backoff_max; k++)
        wait *= 2;
    if (wait > o->backoff_max)
        wait = o->backoff_max;
    return wait - (ns_t)prng_below(rng, (uint64_t)wait / 2 + 1);
}

static int relay_check(const struct transport_shape *shape, struct err *e)
{
    const struct relay_opts *o = shape->opts;
    if (o->backoff_min > o->backoff_max)
        return err_set(e, ERR_INVALID, "backoff_min is above backoff_max");
    for (party_t i = roster_clients(shape->roster); i < shape->roster->n; i++)
        if (relay_is(shape->roster, i))
            return OK;
    return err_set(e, ERR_INVALID,
                   "the transport relay needs a service of role relay: there are 0, and at least 1 "
                   "must be listed under services");
}

static const struct accept relay_accepts[] = {{RELAY_PORT, LINK_MESSAGE}, {0}};

static const struct transport_role relay_roles[] = {
    {
        .size = sizeof(struct relay_client),
        .init = relay_client_init,
        .send = relay_client_send,
        .event = relay_client_event,
        .free = relay_client_free,
    },
    {
        .name = RELAY_ROLE,
        .accepts = relay_accepts,
        .size = sizeof(struct relay_server),
        .init = relay_server_init,
        .event = relay_server_event,
        .free = relay_server_free,
    },
    {0},
};

const struct transport transport_relay = {
    .name = "relay",
    .help = "a relay forwards between parties over links that they open; it sees who sends to "
            "whom, they see no address",
    .roles = relay_roles,
    .opts = relay_options,
    .opts_size = sizeof(struct relay_opts),
    .max_message = RELAY_MESSAGE_MAX,
    .check = relay_check,
};
