/* What a TURN client asks for. */
#include "transports/turn_client_inner.h"

#include <stdlib.h>

#define STREAM_WAIT (39500 * NS_MS)

void turn_request_forget(struct turn_request *r)
{
    free(r->bytes);
    *r = (struct turn_request){0};
}

ns_t turn_client_due(const struct turn_client *c)
{
    ns_t at = NS_NEVER, due;
    if (c->main.bytes)
        at = c->main.at;
    else if (c->state == TURN_CLIENT_UP)
        at = c->asked == NS_NEVER || c->refresh < c->asked + TURN_CLIENT_PROBE
                 ? c->refresh
                 : c->asked + TURN_CLIENT_PROBE;
    for (uint32_t i = 0; i < c->setup.n_peers; i++) {
        const struct turn_peer *p = &c->peers[i];
        due = p->request.bytes ? p->request.at : p->bound ? p->refresh : NS_NEVER;
        at = due < at ? due : at;
    }
    return at;
}

void turn_client_arm(struct turn_client *c, ns_t at)
{
    struct env *env = c->setup.env;
    if (at == NS_NEVER || (c->armed > env->now && c->armed <= at))
        return;
    c->armed = at;
    env->ops->arm(env, c->setup.timer, at);
}

static void put_on_wire(struct turn_client *c, const void *data, size_t len)
{
    struct env *env = c->setup.env;
    if (c->asked == NS_NEVER)
        c->asked = env->now;
    if (env->ops->send(env, c->link, data, len) == ERR_AGAIN)
        turn_client_drop(c, DROP_QUEUE);
}

void turn_request_send(struct turn_client *c, struct turn_request *r)
{
    ns_t wait = TURN_CLIENT_RTO << r->sends;
    r->sends++;
    if (c->setup.stream)
        wait = STREAM_WAIT;
    else if (r->sends == TURN_CLIENT_SENDS)
        wait = TURN_CLIENT_LAST_WAIT * TURN_CLIENT_RTO;
    r->at = c->setup.env->now + wait;
    put_on_wire(c, r->bytes, r->len);
    turn_client_arm(c, r->at);
}

void turn_client_give_up(struct turn_client *c)
{
    struct env *env = c->setup.env;
    if (c->link)
        env->ops->close(env, c->link);
    c->link = 0;
    c->state = TURN_CLIENT_CONNECTING;
    turn_client_arm(c, env->now);
}

/* Makes the request anew, with what is known of realm and nonce, and sends it. */
static void begin(struct turn_client *c, struct turn_request *r, struct stun_packet *m)
{
    uint8_t buf[TURN_CLIENT_REQUEST];
    size_t len;
    if (c->has_key) {
        m->username = c->setup.username;
        m->realm = c->realm;
        m->nonce = c->nonce;
    }
    if (c->setup.fingerprint)
        m->has |= STUN_HAS_FINGERPRINT;
    m->kind = STUN_REQUEST;
    prng_bytes(&c->setup.env->rng, m->tid, STUN_TID);
    len = stun_write(m, c->has_key ? c->key : NULL, buf, sizeof buf);
    free(r->bytes);
    r->bytes = len ? malloc(len) : NULL;
    if (!r->bytes) {
        turn_client_give_up(c);
        return;
    }
    memcpy(r->bytes, buf, len);
    memcpy(r->tid, m->tid, STUN_TID);
    r->len = len;
    r->name = m->name;
    r->sends = 0;
    r->signed_ = c->has_key;
    turn_request_send(c, r);
}

void turn_client_allocate(struct turn_client *c)
{
    struct stun_packet m = {
        .name = STUN_ALLOCATE, .has = STUN_HAS_TRANSPORT, .transport = TURN_UDP};
    if (c->setup.lifetime) {
        m.has |= STUN_HAS_LIFETIME;
        m.lifetime = c->setup.lifetime;
    }
    if (turn_family(&c->server) == TURN_IPV6) {
        m.has |= STUN_HAS_FAMILY;
        m.family = TURN_IPV6;
    }
    c->state = TURN_CLIENT_ALLOCATING;
    c->main.bye = false;
    begin(c, &c->main, &m);
}

void turn_client_refresh(struct turn_client *c, bool bye)
{
    struct stun_packet m = {.name = STUN_REFRESH};
    if (bye || c->setup.lifetime) {
        m.has |= STUN_HAS_LIFETIME;
        m.lifetime = bye ? 0 : c->setup.lifetime;
    }
    c->main.bye = bye;
    begin(c, &c->main, &m);
}

void turn_client_ask(struct turn_client *c, uint32_t i)
{
    struct turn_peer *p = &c->peers[i];
    struct stun_packet m = {.name = STUN_CREATE_PERMISSION, .peers = {p->addr}, .n_peers = 1};
    if (!c->setup.indications) {
        m.name = STUN_CHANNEL_BIND;
        m.has = STUN_HAS_CHANNEL;
        m.channel = p->channel;
    }
    env_show(c->setup.env, /* XOR-PEER-ADDRESS */
             &(struct shown){
                 .kind = SHOWN_ADDRESS, .whom = PARTY_NONE, .addr = p->addr, .in_clear = true});
    begin(c, &p->request, &m);
}

void turn_client_again(struct turn_client *c, struct turn_request *r)
{
    uint32_t i = 0;
    if (r == &c->main && r->name == STUN_ALLOCATE) {
        turn_client_allocate(c);
    } else if (r == &c->main) {
        turn_client_refresh(c, r->bye);
    } else {
        while (&c->peers[i].request != r)
            i++;
        turn_client_ask(c, i);
    }
}
