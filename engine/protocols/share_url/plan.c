#include "engine/protocols/share_url/share_url.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- inputs ---------------------------------------------------------------------------------- */

/* A decimal number without sign or zeros in front, 0 to DEAL_MAX. */
static bool number_of(const char *text, int64_t *out)
{
    int64_t v = 0;
    size_t n = strlen(text);
    if (n == 0 || n > 16 || (n > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (text[i] - '0');
    }
    *out = v;
    return v <= DEAL_MAX;
}

static bool has_input(const struct share_plan *plan, party_t who)
{
    return plan->role[who] == SHARE_INITIATOR || plan->role[who] == SHARE_RESPONDER;
}

int share_check_input(const void *p, party_t who, const struct input *in, struct err *e)
{
    const struct share_plan *plan = p;
    enum deal_program program = (enum deal_program)plan->opts->program;
    unsigned need = has_input(plan, who) ? deal_n_values(program) : 0;
    int64_t v[2] = {0, 0};
    if (in->n != need)
        return err_set(e, ERR_INVALID, "%u values: expected %s", (unsigned)in->n,
                       need == 2   ? "the lowest and the highest price, as in [20, 45]"
                       : need == 1 ? "one number"
                                   : "none, it is neither initiator nor responder");
    for (unsigned i = 0; i < need; i++)
        if (!number_of(in->values[i], &v[i]))
            return err_set(e, ERR_INVALID, "'%.40s': expected a whole number from 0 to 10^15",
                           in->values[i]);
    if (!deal_valid(program, v))
        return err_set(e, ERR_INVALID, "the lowest price is above the highest one");
    return OK;
}

void share_values(const struct share_plan *plan, const struct input *in, int64_t v[2])
{
    v[0] = v[1] = 0;
    for (uint32_t i = 0; i < in->n && i < deal_n_values((enum deal_program)plan->opts->program);
         i++)
        number_of(in->values[i], &v[i]);
}

/* ---- plan ------------------------------------------------------------------------------------ */

void share_plan_free(void *p)
{
    struct share_plan *plan = p;
    if (!plan)
        return;
    free(plan->role);
    free(plan->place);
    free(plan->initiators);
    free(plan->responders);
    if (plan->keys)
        identity_wipe(plan->keys);
    free(plan->keys);
    free(plan);
}

static enum share_role role_named(const char *name)
{
    unsigned i = 0;
    while (i < SHARE_ROLES && strcmp(name, protocol_share_url.roles[i].name) != 0)
        i++;
    return (enum share_role)i;
}

static void place_all(struct share_plan *plan)
{
    for (party_t i = 0; i < plan->roster->n; i++) {
        enum share_role role = role_named(plan->roster->entries[i].role);
        plan->role[i] = (uint8_t)role;
        if (role == SHARE_ROLES)
            continue;
        if (role == SHARE_INITIATOR)
            plan->initiators[plan->n[role]] = i;
        else if (role == SHARE_RESPONDER)
            plan->responders[plan->n[role]] = i;
        else if (role == SHARE_SERVER)
            plan->server = i;
        else if (role == SHARE_MESSENGER)
            plan->messenger = i;
        else
            plan->mail = i;
        plan->place[i] = plan->n[role]++;
    }
}

static int derive_keys(struct share_plan *plan)
{
    struct prng rng;
    plan->keys = malloc(sizeof *plan->keys);
    if (!plan->keys)
        return ERR_NOMEM;
    prng_name(&rng, 0, plan->roster->entries[plan->server].name, 0, "share_url without a channel");
    identity_make(plan->keys, &rng);
    prng_wipe(&rng);
    return OK;
}

static int judge(const struct share_plan *plan, struct err *e)
{
    const struct share_opts *o = plan->opts;
    for (party_t i = 0; i < plan->roster->n_parties; i++)
        if (plan->role[i] >= SHARE_ROLES)
            return err_set(e, ERR_INVALID, "a party without a role");
    if (plan->n[SHARE_RESPONDER] < plan->n[SHARE_INITIATOR])
        return err_set(e, ERR_INVALID, "%u initiators need as many responders: there are %u",
                       plan->n[SHARE_INITIATOR], plan->n[SHARE_RESPONDER]);
    if (!url_host_valid(o->host))
        return err_set(e, ERR_INVALID,
                       "host: expected letters, digits, hyphens and dots, at most %d of them",
                       URL_HOST_MAX);
    return OK;
}

static int make(struct share_plan *plan, struct err *e)
{
    size_t n = plan->roster->n + (size_t)1;
    plan->role = calloc(n, sizeof *plan->role);
    plan->place = calloc(n, sizeof *plan->place);
    plan->initiators = calloc(n, sizeof *plan->initiators);
    plan->responders = calloc(n, sizeof *plan->responders);
    if (!plan->role || !plan->place || !plan->initiators || !plan->responders)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    place_all(plan);
    return judge(plan, e);
}

int share_plan_make(const struct protocol_shape *shape, void **out, struct err *e)
{
    struct share_plan *plan = calloc(1, sizeof *plan);
    int rc;
    *out = NULL;
    if (!plan)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    plan->opts = shape->opts;
    plan->roster = shape->roster;
    plan->server = plan->messenger = plan->mail = PARTY_NONE;
    rc = make(plan, e);
    if (rc == OK && plan->server != PARTY_NONE && derive_keys(plan) != OK)
        rc = err_set(e, ERR_NOMEM, "no memory for a plan");
    if (rc)
        share_plan_free(plan);
    else
        *out = plan;
    return rc;
}

const struct identity *share_server_secret(const struct share_plan *plan, struct party *p)
{
    const struct identity *own = party_identity(p);
    return own ? own : plan->keys;
}

const struct identity_public *share_server_key(const struct share_plan *plan, struct party *p)
{
    const struct roster *roster = party_roster(p);
    return roster->identities ? &roster->identities[plan->server] : &plan->keys->pub;
}

ns_t share_patience(const struct share_plan *plan)
{
    const struct share_opts *o = plan->opts;
    ns_t wait = o->window + 2 * o->tolerance;
    for (unsigned k = 0; k < (unsigned)o->mail_tries; k++)
        wait += share_backoff(o->mail_retry, k);
    return wait + (o->compare ? o->window : 0);
}

/* ---- verify ---------------------------------------------------------------------------------- */

struct group {
    const struct share_plan *plan;
    const struct protocol_shape *shape;
    const struct outcome *outcomes;
    enum deal_program program;
    int64_t initiator[2];
};

static struct deal right(const struct group *g, party_t responder)
{
    int64_t v[2];
    share_values(g->plan, &g->shape->inputs[responder], v);
    return deal_compute(g->program, g->initiator, v);
}

static bool same(struct deal a, struct deal b)
{
    return a.kind == b.kind && a.price == b.price;
}

static const char *name_of(const struct group *g, party_t who)
{
    return g->shape->roster->entries[who].name;
}

/* The responder whose result it was; PARTY_NONE: nobody has one. */
static int judge_responders(const struct group *g, uint32_t k, party_t *winner, struct err *e)
{
    const struct share_plan *plan = g->plan;
    *winner = PARTY_NONE;
    for (uint32_t r = k; r < plan->n[SHARE_RESPONDER]; r += plan->n[SHARE_INITIATOR]) {
        party_t who = plan->responders[r];
        const struct outcome *o = &g->outcomes[who];
        struct deal d;
        if (!o->done || o->failure)
            continue;
        if (o->len == DEAL_RESULT && o->result[0] == DEAL_TRIED) {
            if (o->result[1])
                return err_set(e, ERR_WRONG, "%s's attack went through", name_of(g, who));
            continue;
        }
        if (o->len != DEAL_RESULT || !deal_get(g->program, &d, o->result) ||
            !same(d, right(g, who)))
            return err_set(e, ERR_WRONG, "%s got a wrong result", name_of(g, who));
        if (*winner != PARTY_NONE)
            return err_set(e, ERR_WRONG, "%s and %s both got a result of one payload",
                           name_of(g, *winner), name_of(g, who));
        *winner = who;
    }
    return OK;
}

static int judge_group(struct group *g, uint32_t k, struct err *e)
{
    const struct share_plan *plan = g->plan;
    party_t who = plan->initiators[k], winner;
    const struct outcome *o = &g->outcomes[who];
    struct deal d;
    bool fits = false;
    int rc;
    share_values(plan, &g->shape->inputs[who], g->initiator);
    rc = judge_responders(g, k, &winner, e);
    if (rc || !o->done || o->failure)
        return rc;
    if (o->len != DEAL_RESULT || !deal_get(g->program, &d, o->result))
        return err_set(e, ERR_WRONG, "%s got no result", name_of(g, who));
    for (uint32_t r = k; r < plan->n[SHARE_RESPONDER]; r += plan->n[SHARE_INITIATOR])
        if (winner == PARTY_NONE || winner == plan->responders[r])
            fits |= same(d, right(g, plan->responders[r]));
    return fits ? OK : err_set(e, ERR_WRONG, "%s got a wrong result", name_of(g, who));
}

int share_verify(const struct protocol_shape *shape, const void *p, const struct outcome *outcomes,
                 struct err *e)
{
    const struct share_plan *plan = p;
    struct group g = {.plan = plan,
                      .shape = shape,
                      .outcomes = outcomes,
                      .program = (enum deal_program)plan->opts->program};
    int rc = OK;
    for (uint32_t k = 0; rc == OK && k < plan->n[SHARE_INITIATOR]; k++)
        rc = judge_group(&g, k, e);
    return rc;
}
