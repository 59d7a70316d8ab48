#include "transports/mix_net.h"

#include <stdlib.h>

static bool is_role(const struct roster_entry *e, const char *role)
{
    return strcmp(e->role, role) == 0;
}

static uint32_t gather(const struct roster *r, const char *role, party_t *out)
{
    uint32_t n = 0;
    for (party_t id = roster_clients(r); id < r->n; id++)
        if (is_role(&r->entries[id], role)) {
            if (out)
                out[n] = id;
            n++;
        }
    return n;
}

int mix_net_init(struct mix_net *n, const struct transport_setup *setup, struct err *e)
{
    const struct mix_opts *o = setup->opts;
    const struct roster *r = setup->roster;
    uint32_t all;
    n->setup = *setup;
    n->opts = o;
    n->params = (struct sphinx_params){&sphinx_network, (unsigned)o->max_hops, (size_t)o->payload};
    n->open = setup->modelled || !r->identities;
    n->directory = PARTY_NONE;
    for (party_t id = r->n; id-- > roster_clients(r);)
        if (is_role(&r->entries[id], "directory"))
            n->directory = id;
    n->n_mixes = gather(r, "mix", NULL);
    n->n_providers = gather(r, "provider", NULL);
    n->n_users = gather(r, "user", NULL);
    all = n->n_mixes + n->n_providers;
    n->nodes = calloc(all + (size_t)1, sizeof *n->nodes);
    n->keys = calloc(all + (size_t)1, sizeof *n->keys);
    n->there = calloc(all + (size_t)1, sizeof *n->there);
    n->index = malloc((r->n - roster_clients(r) + (size_t)1) * sizeof *n->index);
    n->users = calloc(n->n_users + (size_t)1, sizeof *n->users);
    if (!n->nodes || !n->keys || !n->there || !n->index || !n->users) {
        mix_net_free(n);
        return err_set(e, ERR_NOMEM, "no memory for a mix network of %u nodes", all);
    }
    gather(r, "mix", n->nodes);
    gather(r, "provider", n->nodes + n->n_mixes);
    gather(r, "user", n->users);
    for (party_t id = roster_clients(r); id < r->n; id++)
        n->index[id - roster_clients(r)] = UINT32_MAX;
    for (uint32_t i = 0; i < all; i++)
        n->index[n->nodes[i] - roster_clients(r)] = i;
    for (uint32_t i = 0; i < all && n->directory == PARTY_NONE; i++) {
        n->there[i] = true;
        if (!n->open)
            memcpy(n->keys[i], r->identities[n->nodes[i]].x25519, 32);
    }
    return OK;
}

void mix_net_free(struct mix_net *n)
{
    free(n->nodes);
    free(n->keys);
    free(n->there);
    free(n->index);
    free(n->users);
    n->users = NULL;
    n->n_users = 0;
    n->nodes = NULL;
    n->keys = NULL;
    n->there = NULL;
    n->index = NULL;
}

uint32_t mix_net_index(const struct mix_net *n, party_t id)
{
    const struct roster *r = n->setup.roster;
    return id >= roster_clients(r) && id < r->n ? n->index[id - roster_clients(r)] : UINT32_MAX;
}

uint32_t mix_net_client(const struct mix_net *n, party_t id)
{
    uint32_t low = 0, high = n->n_users, clients = roster_clients(n->setup.roster);
    if (id < clients)
        return id;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (n->users[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n->n_users && n->users[low] == id ? clients + low : UINT32_MAX;
}

party_t mix_net_client_id(const struct mix_net *n, uint32_t number)
{
    uint32_t clients = roster_clients(n->setup.roster);
    if (number < clients)
        return number;
    return number - clients < n->n_users ? n->users[number - clients] : PARTY_NONE;
}

/* Its place in nodes; a mix that sends to itself says which by a number. */
static uint32_t provider_of(const struct mix_net *n, party_t to)
{
    uint32_t client = mix_net_client(n, to);
    return n->n_mixes + (client == UINT32_MAX ? to : client) % n->n_providers;
}

party_t mix_net_provider(const struct mix_net *n, party_t id)
{
    return n->n_providers ? n->nodes[provider_of(n, id)] : PARTY_NONE;
}

/* One of the mixes first, first + step ... that is there; UINT32_MAX: none. */
static uint32_t pick(const struct mix_net *n, uint32_t first, uint32_t step, struct prng *rng)
{
    uint32_t good = 0, k;
    for (uint32_t i = first; i < n->n_mixes; i += step)
        good += n->there[i];
    if (good == 0)
        return UINT32_MAX;
    k = (uint32_t)prng_below(rng, good);
    for (uint32_t i = first;; i += step)
        if (n->there[i] && k-- == 0)
            return i;
}

static bool chain_is_there(const struct mix_net *n, uint32_t chain, uint32_t layers)
{
    for (uint32_t l = 0; l < layers; l++)
        if (!n->there[chain * layers + l])
            return false;
    return true;
}

static bool cascade(const struct mix_net *n, uint32_t layers, struct prng *rng, party_t *route)
{
    uint32_t chains = n->n_mixes / layers, good = 0, k;
    for (uint32_t c = 0; c < chains; c++)
        good += chain_is_there(n, c, layers);
    if (good == 0)
        return false;
    k = (uint32_t)prng_below(rng, good);
    for (uint32_t c = 0; c < chains; c++)
        if (chain_is_there(n, c, layers) && k-- == 0)
            for (uint32_t l = 0; l < layers; l++)
                route[l] = n->nodes[c * layers + l];
    return true;
}

/* Different mixes, in any order. */
static bool free_route(const struct mix_net *n, uint32_t layers, struct prng *rng, party_t *route)
{
    uint32_t good = 0;
    for (uint32_t i = 0; i < n->n_mixes; i++)
        good += n->there[i];
    if (good < layers)
        return false;
    for (uint32_t l = 0; l < layers;) {
        party_t id = n->nodes[pick(n, 0, 1, rng)];
        uint32_t k = 0;
        while (k < l && route[k] != id)
            k++;
        if (k == l)
            route[l++] = id;
    }
    return true;
}

unsigned mix_net_route(const struct mix_net *n, party_t to, struct prng *rng,
                       party_t route[SPHINX_HOPS_MAX])
{
    uint32_t layers = (uint32_t)n->opts->layers, last;
    if (n->n_providers == 0)
        return 0;
    last = provider_of(n, to);
    if (!n->there[last])
        return 0;
    switch ((enum mix_topology)n->opts->topology) {
    case MIX_STRATIFIED:
        for (uint32_t l = 0; l < layers; l++) {
            uint32_t i = pick(n, l, layers, rng);
            if (i == UINT32_MAX)
                return 0;
            route[l] = n->nodes[i];
        }
        break;
    case MIX_CASCADE:
        if (!cascade(n, layers, rng, route))
            return 0;
        break;
    case MIX_FREE_ROUTE:
        if (!free_route(n, layers, rng, route))
            return 0;
        break;
    }
    route[layers] = n->nodes[last];
    route[layers + 1] = to;
    return layers + 2;
}

const uint8_t *mix_net_key(const struct mix_net *n, party_t id)
{
    uint32_t i;
    if (mix_net_client(n, id) != UINT32_MAX)
        return n->setup.roster->identities[id].x25519;
    i = mix_net_index(n, id);
    return i != UINT32_MAX && n->there[i] ? n->keys[i] : NULL;
}

void mix_drop(const struct mix_net *n, enum drop why)
{
    metrics_drop(n->setup.env->metrics, why);
}

void mix_arm(const struct mix_net *n, uint32_t timer, ns_t at)
{
    n->setup.env->ops->arm(n->setup.env, n->setup.timer_base + timer, at);
}

ns_t mix_backoff(const struct mix_net *n, unsigned fails)
{
    ns_t wait = n->opts->backoff_min;
    for (unsigned k = 0; k < fails && wait < n->opts->backoff_max; k++)
        wait *= 2;
    if (wait > n->opts->backoff_max)
        wait = n->opts->backoff_max;
    return wait - (ns_t)prng_below(&n->setup.env->rng, (uint64_t)wait / 2 + 1);
}
