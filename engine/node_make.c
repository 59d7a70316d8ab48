#include "engine/node.h"

#include "engine/base/slab.h"
#include "engine/party.h"

#include <stdlib.h>
#include <string.h>

static const struct transport_role *carrier_role(const struct trial_spec *t, uint32_t self)
{
    const char *name = t->roster->entries[self].role;
    if (self >= t->roster->n_parties)
        for (const struct transport_role *r = t->transport->roles; r->size; r++)
            if (r->name && strcmp(r->name, name) == 0)
                return r;
    return &t->transport->roles[0];
}

const struct accept *node_accepts(const struct trial_spec *t, uint32_t self)
{
    const struct transport_role *r = carrier_role(t, self);
    return r->accepts_with ? r->accepts_with(t->transport_opts) : r->accepts;
}

/* Does a node of this role talk to this one? */
static bool paired(const struct party *p, const char *mine, const char *role)
{
    return party_role(p->protocol, role) &&
           (!p->protocol->pairs || p->protocol->pairs(p->trial->protocol_opts, mine, role));
}

static bool is_foreign(const struct party *p, party_t id)
{
    return p->foreign && p->foreign->who[id];
}

/* Counts this party's peers, and notes them once there is room for them. */
static uint32_t find_peers(struct party *p, const struct crowds *crowds)
{
    const char *mine = p->trial->roster->entries[p->self].role;
    uint32_t n = 0;
    for (uint32_t i = 0; i < crowds->n; i++) {
        const struct crowd *c = &crowds->list[i];
        bool here = p->self - c->first < c->n;
        if (!paired(p, mine, c->role))
            continue;
        for (party_t id = c->first; p->peers && id - c->first < c->n; id++)
            if (id != p->self && !is_foreign(p, id)) {
                party_peer_ids(p)[n] = id;
                p->peers[n++].id = id;
            }
        n += p->peers ? 0 : c->n - here;
        for (party_t id = c->first; p->foreign && !p->peers && id - c->first < c->n; id++)
            n -= id != p->self && is_foreign(p, id);
    }
    return n;
}

/* A node is one piece of memory: itself, its plugins' states, its peers. */
static struct node *lay_out(const struct trial_spec *t, const struct node_config *config,
                            const struct env *env)
{
    enum { LINE = 64, WORD = sizeof(struct peer *) };
    struct party head = {.trial = t,
                         .self = config->self,
                         .carrier = carrier_role(t, config->self),
                         .foreign = config->foreign};
    size_t carrier, protocol, peers, end;
    struct node *n;
    if (head.carrier->send)
        head.protocol = t->protocol;
    head.n_peers = head.protocol ? find_peers(&head, config->crowds) : 0;
    carrier = (sizeof *n + 15) / 16 * 16;
    protocol = carrier + (head.carrier->size + 15) / 16 * 16;
    peers = protocol + (head.protocol ? head.protocol->size : 0) + head.n_peers * sizeof(party_t);
    peers = (peers + WORD - 1) / WORD * WORD;
    end = (peers + head.n_peers * sizeof *head.peers + LINE - 1) / LINE * LINE;
    n = end <= UINT32_MAX ? slab_lend(env->slab, end) : NULL;
    if (!n)
        return NULL;
    memset(n, 0, end);
    n->p = head;
    n->p.size = (uint32_t)end;
    n->p.carrier_state = (uint8_t *)n + carrier;
    n->p.protocol_state = (uint8_t *)n + protocol;
    if (head.n_peers) {
        n->p.peers = (void *)((uint8_t *)n + peers);
        find_peers(&n->p, config->crowds);
    }
    return n;
}

static int init_plugins(struct party *p, struct err *e)
{
    const struct trial_spec *t = p->trial;
    struct transport_setup setup = {.env = p->env,
                                    .roster = t->roster,
                                    .self = p->self,
                                    .peers = party_peer_ids(p),
                                    .n_peers = p->n_peers,
                                    .opts = t->transport_opts,
                                    .identity = p->shared.identity,
                                    .modelled = t->modelled,
                                    .shared_clock = p->shared_clock,
                                    .timer_base = TIMER_TRANSPORT,
                                    .up = &node_transport_up,
                                    .node = p};
    struct input none = {0};
    int rc = p->carrier->init(p->carrier_state, &setup, e);
    p->carrier_made = rc == OK;
    if (rc == OK && p->protocol) {
        rc = p->protocol->init(p->protocol_state, p, t->plan,
                               p->self < t->roster->n_parties ? &t->inputs[p->self] : &none, e);
        p->protocol_made = rc == OK;
    }
    return rc;
}

int node_new(struct node **out, const struct node_config *config, struct env *env, struct err *e)
{
    const struct trial_spec *t = config->trial;
    struct node *n = lay_out(t, config, env);
    struct party *p;
    int rc;
    if (!n)
        return err_set(e, ERR_NOMEM, "no memory for a node");
    p = &n->p;
    p->env = env;
    p->shared_clock = config->shared_clock;
    p->completion = -1;
    p->trace = config->trace;
    p->shared = (struct channel_node){
        .env = env,
        .roster = t->roster,
        .self = p->self,
        .identity = config->identity,
        .mode = t->channel,
        .scenario_digest = t->scenario_digest,
        .program = p->self < t->roster->n_parties ? t->programs[p->self]
                   : p->protocol                  ? t->service_program
                                                  : "",
        .max_frame = t->transport->max_message,
        .pool_cap = CHANNEL_POOL_DEFAULT,
        .up = &node_channel_up,
        .node = p,
    };
    rc = init_plugins(p, e);
    if (rc != OK) {
        node_free(n);
        return rc;
    }
    env->event = node_event;
    env->node = n;
    *out = n;
    return OK;
}

void node_free(struct node *n)
{
    struct party *p;
    if (!n)
        return;
    p = &n->p;
    for (uint32_t i = 0; i < p->n_peers; i++)
        if (p->peers[i].channel)
            channel_free(p->peers[i].channel);
    if (p->protocol_made && p->protocol->free)
        p->protocol->free(p->protocol_state);
    if (p->carrier_made && p->carrier->free)
        p->carrier->free(p->carrier_state);
    if (p->failed)
        free(p->failure);
    else
        slab_back(p->env->slab, p->result, p->result_len + 1);
    slab_back(p->env->slab, n, p->size);
}
