#include "transports/mix_directory.h"
#include "transports/mix_lies.h"
#include "transports/mix_pool.h"
#include "transports/reliable.h"

#include <inttypes.h>

static const char *const topologies[] = {"stratified", "cascade", "free_route", NULL};

#define AT(field) .offset = offsetof(struct mix_opts, field)
#define HOUR (3600 * NS_S)
#define MEAN UINT64_C(6786177901268885504) /* / 2^64 is 1 / e: its delay is the mean */

const struct opt mix_opts[] = {
    {.name = "layers",
     .type = OPT_INT,
     AT(layers),
     .fallback = "3",
     .min = 1,
     .max = 18,
     .help = "Mixes on a packet's way; a packet has two more hops, a provider and its receiver."},
    {.name = "topology",
     .type = OPT_CHOICE,
     AT(topology),
     .fallback = "stratified",
     .choices = topologies,
     .help = "Routes: one mix of each layer (stratified), one of the fixed chains (cascade), or "
             "any different mixes (free_route)."},
    {.name = "strategy",
     .type = OPT_CHOICE,
     AT(strategy),
     .fallback = "poisson",
     .choices = mix_strategy_names,
     .help = "When a mix lets packets go: each after its own exponential delay (poisson), "
             "`threshold` at once, all at each `interval` (timed), all but `keep` at each "
             "`interval` (pool), or at once in order (fifo: no mixing)."},
    {.name = "mean_delay",
     .type = OPT_DURATION,
     AT(mean_delay),
     .fallback = "50ms",
     .min = 0,
     .max = HOUR,
     .help = "poisson: the mean delay at each mix."},
    {.name = "threshold",
     .type = OPT_INT,
     AT(threshold),
     .fallback = "4",
     .min = 1,
     .max = 1000000,
     .help = "threshold: packets that make a batch."},
    {.name = "interval",
     .type = OPT_DURATION,
     AT(interval),
     .fallback = "200ms",
     .min = NS_MS,
     .max = HOUR,
     .help = "timed, pool: the time between two batches."},
    {.name = "keep",
     .type = OPT_INT,
     AT(keep),
     .fallback = "4",
     .min = 0,
     .max = 1000000,
     .help = "pool: packets that stay behind at each batch."},
    {.name = "payload",
     .type = OPT_BYTES,
     AT(payload),
     .fallback = "2KiB",
     .min = 256,
     .max = SPHINX_PAYLOAD_MAX,
     .help = "Bytes of each packet's body, the same for all."},
    {.name = "max_hops",
     .type = OPT_INT,
     AT(max_hops),
     .fallback = "5",
     .min = 3,
     .max = SPHINX_HOPS_MAX,
     .help = "Hops that a packet's header holds, at 32 bytes each."},
    {.name = "payload_every",
     .type = OPT_DURATION,
     AT(payload_every),
     .fallback = "0",
     .min = 0,
     .max = HOUR,
     .help = "Cover: the mean time between a client's packets, real or, if none waits, drop "
             "packets; 0: packets leave at once."},
    {.name = "loop_every",
     .type = OPT_DURATION,
     AT(loop_every),
     .fallback = "0",
     .min = 0,
     .max = HOUR,
     .help = "Cover: the mean time between a client's packets to itself; 0: none."},
    {.name = "drop_every",
     .type = OPT_DURATION,
     AT(drop_every),
     .fallback = "0",
     .min = 0,
     .max = HOUR,
     .help = "Cover: the mean time between a client's packets that their receiver throws away; "
             "0: none."},
    {.name = "mix_loop_every",
     .type = OPT_DURATION,
     AT(mix_loop_every),
     .fallback = "0",
     .min = 0,
     .max = HOUR,
     .help = "Cover: the mean time between a mix's packets to itself; 0: none."},
    {.name = "constant",
     .type = OPT_BOOL,
     AT(constant),
     .fallback = "false",
     .help = "Cover at equal instead of exponential times."},
    {.name = "poll",
     .type = OPT_DURATION,
     AT(poll),
     .fallback = "0",
     .min = 0,
     .max = HOUR,
     .help = "How often a client fetches its packets; 0: its provider pushes them."},
    {.name = "poll_batch",
     .type = OPT_INT,
     AT(poll_batch),
     .fallback = "32",
     .min = 1,
     .max = 100000,
     .help = "Packets that a poll brings at most."},
    {.name = "mailbox",
     .type = OPT_INT,
     AT(mailbox),
     .fallback = "16384",
     .min = 1,
     .max = 10000000,
     .help = "Packets that a provider keeps for a client."},
    {.name = "held",
     .type = OPT_INT,
     AT(held),
     .fallback = "100000",
     .min = 1,
     .max = 10000000,
     .help = "Packets that a mix holds."},
    {.name = "tags",
     .type = OPT_INT,
     AT(tags),
     .fallback = "1000000",
     .min = 64,
     .max = 100000000,
     .help = "Replay tags that a hop remembers, at least; twice as many at most."},
    {.name = "epoch",
     .type = OPT_DURATION,
     AT(epoch),
     .fallback = "10min",
     .min = 100 * NS_MS,
     .max = 1000 * HOUR,
     .help = "With a directory: how long a key serves; a hop takes the last one's packets, too, so "
             "a packet's way must not take longer."},
    {.name = "backoff_min",
     .type = OPT_DURATION,
     AT(backoff_min),
     .fallback = "100ms",
     .min = NS_MS,
     .max = HOUR,
     .help = "The wait before the first new dial; each further one doubles it."},
    {.name = "backoff_max",
     .type = OPT_DURATION,
     AT(backoff_max),
     .fallback = "5s",
     .min = NS_MS,
     .max = HOUR,
     .help = "The longest wait between two dials."},
    {.name = "lies",
     .type = OPT_CHOICE,
     AT(lies),
     .fallback = "no",
     .choices = mix_lie_names,
     .help = "A malicious provider drops, tags or delays packets that the party `lie_to` sends, or "
             "holds all others back (isolate)."},
    {.name = "lie_to",
     .type = OPT_TEXT,
     AT(lie_to),
     .help = "Whose packets a provider that lies is after; the first party unless given."},
    {.name = "lie_rate",
     .type = OPT_RATIO,
     AT(lie_rate),
     .fallback = "1%",
     .max = 1000000,
     .help = "drop, tag: the share of them."},
    {.name = "lie_period",
     .type = OPT_DURATION,
     AT(lie_period),
     .fallback = "1s",
     .min = 2 * NS_MS,
     .max = HOUR,
     .help = "delay, isolate: packets are held in the second half of each period."},
    {0},
};

/* ---- what cannot work ------------------------------------------------------------------- */

static unsigned count(const struct roster *r, const char *role)
{
    unsigned n = 0;
    for (party_t id = roster_clients(r); id < r->n; id++)
        n += strcmp(r->entries[id].role, role) == 0;
    return n;
}

static int check_hops(const struct mix_opts *o, unsigned mixes, struct err *e)
{
    unsigned layers = (unsigned)o->layers;
    if (o->layers + 2 > o->max_hops)
        return err_set(e, ERR_INVALID,
                       "a packet's header holds %" PRId64 " hops (max_hops): %u mixes, the "
                       "provider and the receiver are %u + 2 = %u",
                       o->max_hops, layers, layers, layers + 2);
    if (mixes >= layers)
        return OK;
    if (o->topology == MIX_STRATIFIED)
        return err_set(e, ERR_INVALID,
                       "%u mix%s for %u layers: mix j stands in layer j mod %u, so layer %u has "
                       "none",
                       mixes, mixes == 1 ? "" : "es", layers, layers, mixes + 1);
    return err_set(e, ERR_INVALID, "a route needs %u different mixes: there %s %u", layers,
                   mixes == 1 ? "is" : "are", mixes);
}

/* A packet's keys serve from its making to the end of the next epoch. */
static int check_epoch(const struct mix_opts *o, struct err *e)
{
    const struct mix_strategy *s = mix_strategies[o->strategy];
    int64_t each = s->ticks ? o->interval : s->hold ? s->hold(o, MEAN) : 0;
    if (o->layers * each <= o->epoch)
        return OK;
    return err_set(e, ERR_INVALID,
                   "a packet would outlive its keys, which serve an epoch more at least: %" PRId64
                   " mixes of %" PRId64 " ms each are %" PRId64 " ms, an epoch is %" PRId64 " ms",
                   o->layers, each / NS_MS, o->layers * each / NS_MS, o->epoch / NS_MS);
}

/* Packets of cover in a thousand seconds. */
static int64_t per_1000s(int64_t every)
{
    return every ? 1000 * NS_S / every : 0;
}

static int check_rate(const struct transport_shape *s, party_t id, int64_t rate, int64_t bytes,
                      struct err *e)
{
    int64_t bits = rate * bytes * 8 / 1000;
    if (!s->up_bps || s->up_bps[id] == 0 || bits <= s->up_bps[id])
        return OK;
    return err_set(
        e, ERR_INVALID,
        "cover of %s is above its uplink: %" PRId64 ".%03" PRId64 " packets a second, %" PRId64
        " bytes each, are %" PRId64 " bit/s; it has %" PRId64 " bit/s",
        s->roster->entries[id].name, rate / 1000, rate % 1000, bytes, bits, s->up_bps[id]);
}

static int check_cover(const struct transport_shape *s, struct err *e)
{
    const struct mix_opts *o = s->opts;
    struct sphinx_params p = {&sphinx_network, (unsigned)o->max_hops, (size_t)o->payload};
    int64_t bytes = (int64_t)(LINK_FRAME + MIX_HEAD + sphinx_packet(&p));
    int64_t client =
        per_1000s(o->payload_every) + per_1000s(o->loop_every) + per_1000s(o->drop_every);
    int rc = OK;
    for (party_t id = 0; id < s->roster->n && rc == OK; id++)
        if (id < roster_clients(s->roster) || strcmp(s->roster->entries[id].role, "user") == 0)
            rc = check_rate(s, id, client, bytes, e);
        else if (strcmp(s->roster->entries[id].role, "mix") == 0)
            rc = check_rate(s, id, per_1000s(o->mix_loop_every), bytes, e);
    return rc;
}

int mix_check(const struct transport_shape *s, struct err *e)
{
    const struct mix_opts *o = s->opts;
    unsigned mixes = count(s->roster, "mix"), providers = count(s->roster, "provider");
    int rc;
    if (o->backoff_min > o->backoff_max)
        return err_set(e, ERR_INVALID, "backoff_min is above backoff_max");
    if (o->lies != MIX_HONEST && mix_lies_target(o, s->roster) == PARTY_NONE)
        return err_set(e, ERR_INVALID, "lie_to: no party is called %s", o->lie_to);
    if (providers == 0)
        return err_set(e, ERR_INVALID, "there is no provider: each party needs one");
    if (count(s->roster, "directory") > 1)
        return err_set(e, ERR_INVALID, "there is more than one directory");
    if (count(s->roster, "directory") && mixes + providers > MIX_NODES_MAX)
        return err_set(e, ERR_INVALID, "a directory's document holds %d nodes: %u + %u are more",
                       MIX_NODES_MAX, mixes, providers);
    rc = check_hops(o, mixes, e);
    if (rc == OK && count(s->roster, "directory"))
        rc = check_epoch(o, e);
    return rc == OK ? check_cover(s, e) : rc;
}

/* ---- the transport ---------------------------------------------------------------------- */

static const struct accept none_accepts[] = {{0}};
static const struct accept mix_accepts[] = {{MIX_PORT, LINK_MESSAGE}, {0}};
static const struct accept provider_accepts[] = {
    {MIX_PORT, LINK_MESSAGE}, {MIX_CLIENT_PORT, LINK_MESSAGE}, {0}};
static const struct accept directory_accepts[] = {{MIX_DIRECTORY_PORT, LINK_MESSAGE}, {0}};

static const struct transport_role roles[] = {
    {
        .accepts = none_accepts,
        .size = sizeof(void *),
        .init = mix_client_init,
        .send = mix_client_send,
        .event = mix_client_event,
        .free = mix_client_free,
    },
    {
        .name = "user", /* sends nothing but its cover: the crowd that clients hide in */
        .accepts = none_accepts,
        .size = sizeof(void *),
        .init = mix_client_init,
        .event = mix_client_event,
        .free = mix_client_free,
    },
    {
        .name = "mix",
        .accepts = mix_accepts,
        .size = sizeof(void *),
        .init = mix_hop_init,
        .event = mix_hop_event,
        .free = mix_hop_free,
    },
    {
        .name = "provider",
        .accepts = provider_accepts,
        .size = sizeof(void *),
        .init = mix_provider_init,
        .event = mix_provider_event,
        .free = mix_provider_free,
    },
    {
        .name = "directory",
        .accepts = directory_accepts,
        .size = sizeof(void *),
        .init = mix_directory_init,
        .event = mix_directory_event,
        .free = mix_directory_free,
    },
    {0},
};

const struct transport transport_mix = {
    .name = "mix",
    .help = "Sphinx packets through layers of mixes: nobody learns who computes with whom; keys "
            "from a directory if there is one, else the roster's for ever",
    .roles = roles,
    .opts = mix_opts,
    .opts_size = sizeof(struct mix_opts),
    .max_message = MIX_MESSAGE_MAX,
    .check = mix_check,
};
