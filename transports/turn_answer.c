#include "transports/turn_auth.h"

#include "engine/metrics.h"

#include <sodium.h>

/* ---- answers -----------------------------------------------------------------------------------
 */

static void answer(struct turn_server *s, const struct turn_asker *who,
                   const struct stun_packet *request, struct stun_packet *m, const uint8_t *key)
{
    uint8_t out[TURN_MESSAGE_MAX];
    size_t len;
    m->kind = m->code ? STUN_ERROR : STUN_SUCCESS;
    m->name = request->name;
    m->has |= STUN_HAS_FINGERPRINT;
    memcpy(m->tid, request->tid, STUN_TID);
    len = stun_write(m, key, out, sizeof out);
    if (len)
        turn_server_send(s, &who->id, who->stream, out, len);
}

static void refuse(struct turn_server *s, const struct turn_asker *who,
                   const struct stun_packet *request, uint16_t code, const uint8_t *key)
{
    struct stun_packet m = {.code = code};
    char nonce[TURN_SERVER_NONCE + 1];
    if (code == 401 || code == 438) {
        turn_auth_nonce(s, &who->id, nonce);
        m.realm = s->limits->realm;
        m.nonce = nonce;
        key = NULL;
    }
    if (code == 420) {
        m.n_listed = request->n_unknown;
        memcpy(m.listed, request->unknown, sizeof m.listed);
    }
    answer(s, who, request, &m, key);
}

/* ---- Allocate and Refresh
 * ------------------------------------------------------------------------ */

static uint32_t lifetime_of(const struct turn_server *s, const struct stun_packet *m)
{
    uint32_t most = (uint32_t)(s->limits->max_lifetime / NS_S);
    uint32_t life = m->has & STUN_HAS_LIFETIME && m->lifetime ? m->lifetime : TURN_LIFETIME;
    life = life < TURN_LIFETIME ? TURN_LIFETIME : life;
    return life > most ? most : life;
}

static void tell_allocated(struct turn_server *s, const struct turn_allocation *a)
{
    struct stun_packet m = {.has = STUN_HAS_RELAYED | STUN_HAS_MAPPED | STUN_HAS_LIFETIME,
                            .relayed = a->relayed,
                            .mapped = a->client.addr,
                            .lifetime = a->lifetime};
    struct stun_packet request = {.name = STUN_ALLOCATE};
    struct turn_asker who = {.id = a->client, .stream = a->stream};
    memcpy(request.tid, a->tid, STUN_TID);
    answer(s, &who, &request, &m, a->key);
}

/* With what an allocation is asked for. OK or an error. */
static uint16_t allocation_wish(const struct turn_server *s, const struct stun_packet *m,
                                const char *user)
{
    const struct turn_server_limits *o = s->limits;
    if (!(m->has & STUN_HAS_TRANSPORT) || (m->transport != TURN_UDP && m->transport != TURN_TCP))
        return 400;
    if (m->transport == TURN_TCP)
        return 442;
    if ((m->has & STUN_HAS_FAMILY ? m->family : TURN_IPV4) != turn_family(&s->setup.env->self))
        return 440;
    if (m->has & (STUN_HAS_EVEN_PORT | STUN_HAS_TOKEN))
        return 508;
    if (o->user_quota && turn_table_of_user(&s->table, user) >= o->user_quota)
        return 486;
    if ((o->total_quota && s->table.n >= o->total_quota) || s->table.n == s->table.max)
        return 486;
    return OK;
}

static party_t party_named(const struct turn_server *s, const char *user)
{
    const struct roster *r = s->setup.roster;
    for (party_t i = 0; r && i < roster_clients(r); i++)
        if (strcmp(r->entries[i].name, user) == 0)
            return i;
    return PARTY_NONE;
}

static void show_client(struct turn_server *s, const struct turn_allocation *a)
{
    struct env *env = s->setup.env;
    if (a->whom == PARTY_NONE)
        return;
    env->ops->show(
        env, &(struct shown){
                 .kind = SHOWN_ADDRESS, .whom = a->whom, .addr = a->client.addr, .in_clear = true});
    env->ops->show(env, &(struct shown){.kind = SHOWN_MEMBER, .whom = a->whom, .in_clear = true});
}

/* The allocation as the server remembers it: addresses, user name, expiry; gone at that time. */
static void keep_client(struct turn_server *s, const struct turn_allocation *a, ns_t until)
{
    const uint64_t bytes = 2 * (sizeof a->client.addr.ip + 2) + strlen(a->user) + 8;
    env_keep(s->setup.env, &(struct retained){.record = a->relay,
                                              .fields = KEPT_ADDRESS | KEPT_TIME |
                                                        (a->whom == PARTY_NONE ? 0 : KEPT_IDENTITY),
                                              .bits = 8 * bytes,
                                              .whom = a->whom,
                                              .other = PARTY_NONE,
                                              .until = until});
}

static void allocate(struct turn_server *s, const struct turn_asker *who,
                     const struct stun_packet *m, const struct turn_proof *proof)
{
    static const struct addr nowhere;
    struct env *env = s->setup.env;
    struct turn_allocation *a;
    uint16_t code = allocation_wish(s, m, proof->user);
    link_t relay = 0;
    uint32_t slot = TURN_NONE;
    if (code == OK && env->ops->open(env, LINK_DATAGRAM, nowhere, &relay) == OK)
        slot = turn_table_add(&s->table, &who->id, relay);
    if (slot == TURN_NONE) {
        if (relay)
            env->ops->close(env, relay);
        refuse(s, who, m, code ? code : 508, proof->key);
        return;
    }
    turn_server_tag(s, relay, slot);
    a = &s->table.slots[slot];
    a->client.addr = who->addr;
    a->stream = who->stream;
    a->lifetime = lifetime_of(s, m);
    a->until = env->now + a->lifetime * NS_S;
    a->whom = party_named(s, proof->user);
    memcpy(a->tid, m->tid, STUN_TID);
    memcpy(a->key, proof->key, STUN_KEY);
    memcpy(a->user, m->username,
           strlen(m->username) + 1); /* shorter than STUN_TEXT: turn_auth_check() */
    if (who->connection && !who->connection->proven) {
        who->connection->proven = true;
        s->n_strangers--;
    }
    turn_server_arm(s, a->until);
    keep_client(s, a, a->until);
    show_client(s, a);
}

void turn_answer_allocated(struct turn_server *s, uint32_t slot, const struct addr *local)
{
    static const uint8_t anywhere[16], any4[16] = {[10] = 255, [11] = 255};
    struct turn_allocation *a = &s->table.slots[slot];
    if (a->answered)
        return;
    a->answered = true;
    a->relayed = *local;
    if (memcmp(local->ip, anywhere, 16) == 0 || memcmp(local->ip, any4, 16) == 0)
        memcpy(a->relayed.ip, s->setup.env->self.ip, 16);
    tell_allocated(s, a);
}

static void refresh(struct turn_server *s, const struct turn_asker *who,
                    const struct stun_packet *m, const struct turn_proof *proof, uint32_t slot)
{
    struct turn_allocation *a = &s->table.slots[slot];
    struct stun_packet reply = {.has = STUN_HAS_LIFETIME};
    if (m->has & STUN_HAS_FAMILY && m->family != turn_family(&a->relayed)) {
        refuse(s, who, m, 443, proof->key);
        return;
    }
    if (m->has & STUN_HAS_LIFETIME && m->lifetime == 0) {
        keep_client(s, a, s->setup.env->now);
        turn_server_remove(s, slot);
        if (who->connection)
            who->connection->over = true;
    } else {
        reply.lifetime = a->lifetime = lifetime_of(s, m);
        a->until = s->setup.env->now + a->lifetime * NS_S;
        turn_server_arm(s, a->until);
        keep_client(s, a, a->until);
    }
    answer(s, who, m, &reply, proof->key);
}

/* ---- CreatePermission and ChannelBind
 * -------------------------------------------------------------- */

/* coturn's: multicast, and unless allowed loopback and "this network". OK or an error. */
static uint16_t peer_allowed(const struct turn_server *s, const struct addr *peer)
{
    static const uint8_t zeros[15];
    bool multicast = peer->ip[0] == 0xff, loopback = memcmp(peer->ip, zeros, 15) == 0;
    if (turn_family(peer) != turn_family(&s->setup.env->self))
        return 443;
    if (turn_family(peer) == TURN_IPV4) {
        multicast = peer->ip[12] >= 224 && peer->ip[12] < 240;
        loopback = peer->ip[12] == 127 || peer->ip[12] == 0;
    }
    return multicast || (loopback && !s->limits->loopback_peers) ? 403 : OK;
}

static uint16_t limit_code(int rc)
{
    return rc == OK ? OK : rc == ERR_EXISTS ? 400 : 508;
}

static uint16_t create_permission(struct turn_server *s, const struct stun_packet *m,
                                  struct turn_allocation *a)
{
    ns_t now = s->setup.env->now;
    uint16_t code = m->n_peers ? OK : 400;
    for (uint32_t i = 0; i < m->n_peers && code == OK; i++)
        code = peer_allowed(s, &m->peers[i]);
    for (uint32_t i = 0; i < m->n_peers && code == OK; i++)
        code = limit_code(turn_permit(a, &m->peers[i], now, now + s->limits->permission_life));
    return code;
}

/* The permission lives as long as the channel: coturn's way. */
static uint16_t channel_bind(struct turn_server *s, const struct stun_packet *m,
                             struct turn_allocation *a)
{
    ns_t now = s->setup.env->now;
    uint16_t code;
    if (!(m->has & STUN_HAS_CHANNEL) || m->channel < TURN_CHANNEL_FIRST ||
        m->channel > TURN_CHANNEL_LAST || m->n_peers == 0)
        return 400;
    code = peer_allowed(s, &m->peers[0]);
    if (code == OK)
        code = limit_code(
            turn_channel_bind(a, m->channel, &m->peers[0], now, now + s->limits->channel_life));
    if (code == OK)
        code = limit_code(turn_permit(a, &m->peers[0], now, now + s->limits->channel_life));
    return code;
}

/* ---- all requests
 * ------------------------------------------------------------------------------------ */

static void redirect(struct turn_server *s, const struct turn_asker *who,
                     const struct stun_packet *m, const struct turn_proof *proof)
{
    struct stun_packet reply = {.code = 300, .has = STUN_HAS_ALTERNATE};
    const struct roster *r = s->setup.roster;
    for (party_t i = roster_clients(r); i < r->n; i++)
        if (strcmp(r->entries[i].name, s->limits->alternate) == 0)
            reply.alternate = r->entries[i].addr;
    reply.alternate.port = TURN_PORT;
    answer(s, who, m, &reply, proof->key);
}

static bool redirects(const struct turn_server *s)
{
    const struct roster *r = s->setup.roster;
    return s->limits->alternate && s->limits->alternate[0] &&
           strcmp(r->entries[s->setup.self].name, s->limits->alternate) != 0;
}

static void proven(struct turn_server *s, const struct turn_asker *who, const struct stun_packet *m,
                   const struct turn_proof *proof)
{
    struct stun_packet good = {0};
    uint32_t slot = turn_table_find(&s->table, &who->id);
    struct turn_allocation *a = slot == TURN_NONE ? NULL : &s->table.slots[slot];
    uint16_t code;
    if (a && strcmp(a->user, m->username) != 0) {
        refuse(s, who, m, 441, NULL);
    } else if (m->n_unknown) {
        refuse(s, who, m, 420, proof->key);
    } else if (m->name == STUN_ALLOCATE && redirects(s)) {
        redirect(s, who, m, proof);
    } else if (m->name == STUN_ALLOCATE && !a) {
        allocate(s, who, m, proof);
    } else if (m->name == STUN_ALLOCATE && memcmp(a->tid, m->tid, STUN_TID) == 0) {
        if (a->answered)
            tell_allocated(s, a);
    } else if (m->name == STUN_ALLOCATE) {
        refuse(s, who, m, 437, NULL);
    } else if (!a) { /* 400 is coturn's */
        refuse(s, who, m, m->name == STUN_REFRESH ? 437 : 400, proof->key);
    } else if (m->name == STUN_REFRESH) {
        refresh(s, who, m, proof, slot);
    } else {
        code = m->name == STUN_CHANNEL_BIND ? channel_bind(s, m, a) : create_permission(s, m, a);
        if (code)
            refuse(s, who, m, code, proof->key);
        else
            answer(s, who, m, &good, proof->key);
    }
}

static bool known(uint16_t name)
{
    return name == STUN_ALLOCATE || name == STUN_REFRESH || name == STUN_CREATE_PERMISSION ||
           name == STUN_CHANNEL_BIND;
}

void turn_answer(struct turn_server *s, const struct turn_asker *who, const struct stun_packet *m)
{
    struct stun_packet binding = {.has = STUN_HAS_MAPPED, .mapped = who->addr};
    struct turn_proof proof = {0};
    uint16_t code;
    if (m->name == STUN_BINDING) {
        if (m->n_unknown)
            refuse(s, who, m, 420, NULL);
        else
            answer(s, who, m, &binding, NULL);
        return;
    }
    code = turn_auth_check(s, who, m, &proof);
    if (code) {
        refuse(s, who, m, code, NULL);
    } else if (known(m->name)) {
        proven(s, who, m, &proof);
    } else {
        refuse(s, who, m, 400, proof.key);
    }
    sodium_memzero(&proof, sizeof proof);
}
