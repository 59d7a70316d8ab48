#include "engine/party.h"

#include "engine/base/bytes.h"
#include "engine/base/slab.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAILURE_MAX = 240 };

/* ---- what both sides need ------------------------------------------------------------- */

struct peer *party_find_peer(struct party *p, party_t id)
{
    uint32_t low = 0, high = p->n_peers;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (p->peers[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->n_peers && p->peers[low].id == id ? &p->peers[low] : NULL;
}

struct channel *party_channel(struct party *p, struct peer *peer)
{
    if (!peer->channel)
        peer->channel = channel_new(&p->shared, peer->id);
    return peer->channel;
}

const char *party_name(const struct party *p, party_t id)
{
    return p->trial->roster->entries[id].name;
}

void party_tell(const struct party *p, struct trace_layer what)
{
    what.node = p->self;
    what.at = p->env->now + p->env->spent;
    p->trace->layer(p->trace->ctx, &what);
}

const struct protocol_role *party_role(const struct protocol *protocol, const char *name)
{
    for (const struct protocol_role *r = protocol->roles; r->name; r++)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}

/* ---- what the protocol may ask -------------------------------------------------------- */

party_t party_self(const struct party *p)
{
    return p->self;
}
uint32_t party_count(const struct party *p)
{
    return p->trial->roster->n_parties;
}
const struct roster *party_roster(const struct party *p)
{
    return p->trial->roster;
}
ns_t party_now(const struct party *p)
{
    return p->env->now;
}
struct prng *party_rng(struct party *p)
{
    return &p->env->rng;
}
struct store *party_store(struct party *p)
{
    return p->env->store;
}
uint32_t party_incarnation(const struct party *p)
{
    return p->env->incarnation;
}

static int send_foreign(struct party *p, party_t to, struct label label, const void *data,
                        size_t len)
{
    int rc =
        p->foreign->send ? p->foreign->send(p->foreign->ctx, to, label, data, len) : ERR_CLOSED;
    if (rc == OK) {
        p->useful += len;
        metrics_count(p->env->metrics, COUNT_MESSAGES, 1);
        metrics_count(p->env->metrics, COUNT_MESSAGE_BYTES, len);
    } else if (rc != ERR_AGAIN) {
        metrics_drop(p->env->metrics, DROP_UNSENT);
    }
    return rc;
}

int party_send(struct party *p, party_t to, struct label label, const void *data, size_t len)
{
    struct peer *peer = party_peer(p, to);
    uint8_t head[NODE_HEADER];
    int rc;
    if (!peer && p->foreign && to < p->trial->roster->n && p->foreign->who[to])
        return send_foreign(p, to, label, data, len);
    if (!peer || !(peer->channel || party_channel(p, peer))) {
        metrics_drop(p->env->metrics, DROP_UNSENT);
        return ERR_CLOSED;
    }
    channel_expect(peer->channel);
    put_le32(head, label.round);
    put_le32(head + 4, label.instance);
    put_le64(head + 8, (uint64_t)(p->env->now + p->env->spent));
    rc = channel_send(peer->channel, head, sizeof head, data, len);
    if (rc == OK) {
        party_trace(p, (struct trace_layer){LAYER_SEND, .peer = to, .label = label, .len = len});
        p->useful += len;
        metrics_count(p->env->metrics, COUNT_MESSAGES, 1);
        metrics_count(p->env->metrics, COUNT_MESSAGE_BYTES, len);
    } else if (rc != ERR_AGAIN) {
        metrics_drop(p->env->metrics, DROP_UNSENT);
    }
    return rc;
}

void party_arm(struct party *p, unsigned timer, ns_t at)
{
    assert(timer < 1 << 24);
    p->env->ops->arm(p->env, TIMER_PROTOCOL + timer, at);
}

void party_round(struct party *p, ns_t began)
{
    metrics_add(p->env->metrics, METRIC_ROUND, p->env->now - began);
    p->rounds++;
    if (p->rounds > p->env->metrics->protocol_rounds)
        p->env->metrics->protocol_rounds = p->rounds;
}

static void finish(struct party *p)
{
    p->done = true;
    p->env->ops->done(p->env);
}

void party_result(struct party *p, const void *data, size_t len)
{
    if (p->done)
        return;
    p->result = len < UINT32_MAX ? slab_lend(p->env->slab, len + 1) : NULL;
    if (!p->result) {
        party_fail(p, "%s", err_name(ERR_NOMEM));
        return;
    }
    memcpy(p->result, data, len);
    p->result[len] = 0;
    p->result_len = (uint32_t)len;
    if (!party_role(p->protocol, p->trial->roster->entries[p->self].role)->serves)
        p->completion = p->env->now + p->env->spent - p->began;
    finish(p);
}

void party_fail(struct party *p, const char *format, ...)
{
    va_list ap;
    if (p->done)
        return;
    p->failure = malloc(FAILURE_MAX);
    if (p->failure) {
        va_start(ap, format);
        vsnprintf(p->failure, FAILURE_MAX, format, ap);
        va_end(ap);
    }
    p->failed = true;
    finish(p);
}

void party_leave(struct party *p)
{
    if (p->done && p->env->ops->leave)
        p->env->ops->leave(p->env);
}
void party_sample(struct party *p, enum metric which, int64_t value)
{
    metrics_add(p->env->metrics, which, value);
}
void party_drop(struct party *p, enum drop which)
{
    metrics_drop(p->env->metrics, which);
}
void party_charge(struct party *p, enum env_cost op, uint64_t n)
{
    env_charge(p->env, op, n);
}
void party_disclose(struct party *p, const struct shown *fact)
{
    p->env->ops->show(p->env, fact);
}
void party_keep(struct party *p, const struct retained *kept)
{
    env_keep(p->env, kept);
}
const struct identity *party_identity(const struct party *p)
{
    return p->shared.identity;
}
