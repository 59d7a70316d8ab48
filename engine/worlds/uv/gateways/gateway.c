#include "engine/worlds/uv/gateways/gateway.h"

#include "engine/gateway.h"
#include "engine/worlds/uv/gateways/http.h"
#include "engine/worlds/uv/gateways/json.h"
#include "engine/worlds/uv/gateways/smtp.h"

#include <sodium.h>
#include <xxhash.h>

enum { KEPT_DATA = 128 };

struct kept {
    uint8_t key[GATEWAY_KEY], data[KEPT_DATA];
    size_t len;
    struct label label;
};

struct uvgateway {
    struct uvgateway_setup setup;
    const struct gateway *ops;
    struct uvnode *node;
    struct http *http;
    struct smtp *smtp;
    unsigned parts; /* of those that are not gone yet, and itself */
    uint64_t salt;
    uint32_t round;
    /* the request that is being answered */
    struct gateway_reply *reply;
    party_t asker;
    bool answered;
    struct kept *kept; /* a ring */
    size_t n_kept, next_kept;
};

static const struct roster *roster_of(const struct uvgateway *g)
{
    return g->setup.trial->roster;
}

/* The n-th foreign party of the role, counting round; PARTY_NONE: there is none. */
static party_t party_of(const struct uvgateway *g, const char *role, uint64_t n)
{
    const struct roster *r = roster_of(g);
    uint64_t count = 0;
    for (party_t i = 0; i < r->n; i++)
        count += g->setup.foreign->who[i] && strcmp(r->entries[i].role, role) == 0;
    for (party_t i = 0; count && i < r->n; i++)
        if (g->setup.foreign->who[i] && strcmp(r->entries[i].role, role) == 0 && n-- % count == 0)
            return i;
    return PARTY_NONE;
}

static uint64_t hash_of(const struct uvgateway *g, const struct addr *client)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    size_t len = memcmp(client->ip, mapped, sizeof mapped) == 0 ? 16 : 8;
    return XXH3_64bits_withSeed(client->ip, len, g->salt);
}

static void tell(struct uvgateway *g, party_t from, const struct gateway_message *m, uint32_t round)
{
    uvnode_foreign(g->node, from, (struct label){.round = round, .instance = m->instance}, m->data,
                   m->len);
}

/* ---- what is kept --------------------------------------------------------------------- */

static struct kept *kept_under(struct uvgateway *g, const uint8_t *key)
{
    for (size_t i = 0; i < g->n_kept; i++)
        if (g->kept[i].len && sodium_memcmp(g->kept[i].key, key, GATEWAY_KEY) == 0)
            return &g->kept[i];
    return NULL;
}

static int keep(struct uvgateway *g, const uint8_t *key, struct label label, const uint8_t *data,
                size_t len)
{
    struct kept *k = kept_under(g, key);
    if (len > KEPT_DATA)
        return ERR_TOO_BIG;
    if (!k) {
        k = &g->kept[g->next_kept];
        g->next_kept = (g->next_kept + 1) % UVGATEWAY_KEPT;
        g->n_kept += g->n_kept < UVGATEWAY_KEPT;
    }
    *k = (struct kept){.len = len, .label = label};
    memcpy(k->key, key, GATEWAY_KEY);
    memcpy(k->data, data, len);
    return OK;
}

/* ---- what the node says --------------------------------------------------------------- */

static int on_send(void *ctx, party_t to, struct label label, const uint8_t *data, size_t len)
{
    struct uvgateway *g = ctx;
    const void *plan = g->setup.trial->plan;
    struct gateway_mail mail = {0};
    int rc = ERR_CLOSED;
    if (g->reply && to == g->asker && label.round == g->round) {
        g->ops->answer(plan, label, data, len, g->reply);
        g->answered = true;
        return OK;
    }
    switch (g->ops->notice(plan, roster_of(g)->entries[to].role, label, data, len, &mail)) {
    case GATEWAY_MAILS:
        rc = g->smtp ? smtp_send(g->smtp, to, &mail) : ERR_CLOSED;
        break;
    case GATEWAY_KEEPS:
        rc = keep(g, mail.key, label, data, len);
        break;
    case GATEWAY_DROPS:
        break;
    }
    sodium_memzero(&mail, sizeof mail);
    return rc;
}

static void on_mailed(void *ctx, party_t whose, const struct gateway_mail *m, bool taken)
{
    struct uvgateway *g = ctx;
    if (g->node)
        tell(g, whose, taken ? &m->sent : &m->unsent, 0);
}

/* ---- what a client asks --------------------------------------------------------------- */

static void fail(struct gateway_reply *r, unsigned status, const char *why)
{
    *r = (struct gateway_reply){.status = status};
    gateway_text(r, "error", why, strlen(why));
}

static void ask(struct uvgateway *g, party_t who, const struct gateway_message *m,
                struct gateway_reply *reply)
{
    g->reply = reply;
    g->asker = who;
    g->answered = false;
    tell(g, who, m, ++g->round);
    g->reply = NULL;
    if (!g->answered)
        fail(reply, 429, "too many requests: later, please");
}

static void act(struct uvgateway *g, const struct addr *client, struct gateway_call *c)
{
    party_t who = PARTY_NONE;
    const struct kept *k;
    if (c->what == GATEWAY_REPLIES)
        return;
    if (c->what == GATEWAY_FETCHES) {
        k = kept_under(g, c->key);
        if (k)
            g->ops->answer(g->setup.trial->plan, k->label, k->data, k->len, &c->reply);
        else
            fail(&c->reply, 404, "there is nothing under this");
        return;
    }
    who = party_of(g, c->message.role, hash_of(g, client));
    if (!g->node || who == PARTY_NONE) {
        fail(&c->reply, 503, "nobody can be asked here");
    } else if (c->what == GATEWAY_ASKS) {
        ask(g, who, &c->message, &c->reply);
    } else {
        tell(g, who, &c->message, ++g->round);
        k = kept_under(g, c->key);
        if (k)
            sodium_memzero(&g->kept[k - g->kept], sizeof *k);
    }
}

static bool path_known(const struct uvgateway *g, const char *path)
{
    for (size_t i = 0; g->ops->paths[i]; i++)
        if (strcmp(g->ops->paths[i], path) == 0)
            return true;
    return false;
}

static void on_request(void *ctx, const struct http_request *http, struct http_response *out)
{
    struct uvgateway *g = ctx;
    struct json_request request;
    struct gateway_call call = {0};
    int rc = json_read(&request, http->post, http->target, http->body, http->len);
    if (rc != OK)
        fail(&call.reply, 400, "malformed: expected a plain URL, and JSON in a POST");
    else if (!path_known(g, request.path))
        fail(&call.reply, 404, "there is no such path");
    else
        g->ops->call(g->setup.trial->plan, roster_of(g), &request.request, &call);
    if (rc == OK && path_known(g, request.path))
        act(g, &http->client, &call);
    out->status = call.reply.status;
    out->body = json_write(&call.reply);
    if (!out->body)
        out->status = 500;
    sodium_memzero(&request, sizeof request);
    sodium_memzero(&call, sizeof call);
}

/* ---- making and ending ---------------------------------------------------------------- */

static void part_gone(void *ctx)
{
    struct uvgateway *g = ctx;
    if (--g->parts)
        return;
    if (g->kept)
        sodium_memzero(g->kept, UVGATEWAY_KEPT * sizeof *g->kept);
    free(g->kept);
    free(g);
}

static int judge(const struct uvgateway *g, struct err *e)
{
    const struct roster *r = roster_of(g);
    const char *name = g->setup.trial->protocol->name;
    if (!g->ops)
        return err_set(e, ERR_UNSUPPORTED, "the protocol %s has nothing to do with a gateway",
                       name);
    for (party_t i = 0; i < r->n; i++) {
        size_t k = 0;
        if (!g->setup.foreign->who[i])
            continue;
        while (g->ops->roles[k] && strcmp(g->ops->roles[k], r->entries[i].role) != 0)
            k++;
        if (!g->ops->roles[k])
            return err_set(e, ERR_UNSUPPORTED, "%s: a %s of %s can't come through a gateway",
                           r->entries[i].name, r->entries[i].role, name);
    }
    return OK;
}

static int make(struct uvgateway *g, struct err *e)
{
    struct prng rng;
    struct http_setup http = {g->setup.loop, g->setup.http, on_request, part_gone, g};
    struct smtp_setup smtp = {g->setup.loop, g->setup.smtp_url, g->setup.from,
                              on_mailed,     part_gone,         g};
    int rc = judge(g, e);
    if (rc != OK)
        return rc;
    if (!uvnode_entropy(&rng))
        return err_set(e, ERR_IO, "the system gives no random bytes");
    g->salt = prng_u64(&rng);
    prng_wipe(&rng);
    g->kept = calloc(UVGATEWAY_KEPT, sizeof *g->kept);
    if (!g->kept)
        return err_set(e, ERR_NOMEM, "no memory for a gateway");
    if (g->setup.http.port)
        rc = http_new(&g->http, &http, e);
    g->parts += g->http != NULL;
    if (rc == OK && g->setup.smtp_url)
        rc = smtp_new(&g->smtp, &smtp, e);
    g->parts += g->smtp != NULL;
    return rc;
}

int uvgateway_new(struct uvgateway **out, const struct uvgateway_setup *setup, struct err *e)
{
    struct uvgateway *g = calloc(1, sizeof *g);
    int rc;
    if (!g)
        return err_set(e, ERR_NOMEM, "no memory for a gateway");
    g->setup = *setup;
    g->ops = setup->trial->protocol->gateway;
    g->parts = 1;
    rc = make(g, e);
    if (rc != OK) {
        uvgateway_free(g);
        return rc;
    }
    setup->foreign->send = on_send;
    setup->foreign->ctx = g;
    *out = g;
    return OK;
}

void uvgateway_serve(struct uvgateway *g, struct uvnode *node)
{
    g->node = node;
}

void uvgateway_free(struct uvgateway *g)
{
    g->node = NULL;
    if (g->http)
        http_free(g->http);
    if (g->smtp)
        smtp_free(g->smtp);
    part_gone(g);
}
