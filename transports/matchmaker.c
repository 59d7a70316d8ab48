/* What the matchmaker answers and keeps. */
#include "transports/matchmaker_inner.h"

#include <sodium.h>
#include <stdlib.h>

#define EPOCH (60 * NS_S)

static void answer(struct matchmaker *m, const struct match_route *to, const struct writer *w)
{
    struct env *env = m->setup.env;
    if (to->stream)
        env->ops->send(env, to->link, w->start, w->len); /* refused: the client will ask again */
    else
        env->ops->send_to(env, to->link, to->addr, w->start, w->len);
}

/* The entry of a party that is still good. */
static struct match_entry *entry_of(struct matchmaker *m, party_t id)
{
    struct match_entry *e = id < roster_clients(m->setup.roster) ? m->entries[id] : NULL;
    return e && e->until > m->setup.env->now ? e : NULL;
}

static bool is_route(const struct match_entry *e, const struct match_route *from)
{
    return e->stream == from->stream && e->link == from->link &&
           (e->stream || addr_equal(&e->seen, &from->addr));
}

/* ---- registering ------------------------------------------------------------------------ */

static uint64_t nonce_at(const struct matchmaker *m, party_t id, const struct addr *a, ns_t epoch)
{
    uint8_t text[8 + 4 + MATCH_ADDR], hash[16];
    struct writer w = writer_of(text, sizeof text);
    write_u64(&w, (uint64_t)epoch);
    write_u32(&w, id);
    match_write_addr(&w, a);
    crypto_generichash(hash, sizeof hash, text, w.len, m->key, sizeof m->key);
    return get_le64(hash);
}

static bool nonce_good(const struct matchmaker *m, party_t id, const struct addr *a, uint64_t nonce)
{
    ns_t epoch = m->setup.env->now / EPOCH;
    return nonce == nonce_at(m, id, a, epoch) ||
           (epoch > 0 && nonce == nonce_at(m, id, a, epoch - 1));
}

static bool signature_good(struct matchmaker *m, party_t id, uint64_t nonce, uint64_t serial,
                           const uint8_t *blob, uint8_t len, const uint8_t *signature)
{
    const struct identity_public *all = m->setup.roster->identities;
    uint8_t text[MATCH_SIGNED_MAX];
    size_t n;
    if (!all)
        return true;
    env_charge(m->setup.env, COST_ED25519_VERIFY, 1);
    if (m->setup.modelled)
        return true;
    n = match_signed(text, &all[m->setup.self], nonce, id, serial, blob, len);
    return identity_check(&all[id], MATCH_CONTEXT, text, n, signature) == OK;
}

static void challenge(struct matchmaker *m, const struct match_route *from, party_t id)
{
    uint8_t out[MATCH_GREETING];
    struct writer w = writer_of(out, sizeof out);
    match_write_head(&w, MATCH_CHALLENGE);
    write_u64(&w, nonce_at(m, id, &from->addr, m->setup.env->now / EPOCH));
    match_write_addr(&w, &from->addr);
    answer(m, from, &w);
}

static void confirm(struct matchmaker *m, const struct match_route *to, const struct match_entry *e)
{
    uint8_t out[2 + 8 + MATCH_ADDR];
    struct writer w = writer_of(out, sizeof out);
    match_write_head(&w, MATCH_REGISTERED);
    write_u64(&w, e->serial);
    match_write_addr(&w, &e->seen);
    answer(m, to, &w);
}

static void on_hello(struct matchmaker *m, const struct match_route *from, struct reader *r)
{
    party_t id = read_u32(r);
    struct match_entry *e = entry_of(m, id);
    if (r->bad || r->left != MATCH_GREETING - 6) {
        match_drop(m, DROP_TRANSPORT_FORMAT);
        return;
    }
    if (id >= roster_clients(m->setup.roster)) {
        match_drop(m, DROP_TRANSPORT_STRANGER);
        return;
    }
    challenge(m, from, id);
    if (!e || !is_route(e, from))
        return;
    e->until = m->setup.env->now + MATCH_LIFE;
    confirm(m, from, e);
}

static bool keep(struct matchmaker *m, party_t id, const struct match_route *from, uint64_t serial,
                 const uint8_t *blob, uint8_t n)
{
    struct match_entry *e = m->entries[id];
    if (!e)
        e = m->entries[id] = calloc(1, sizeof *e);
    if (!e) {
        match_drop(m, DROP_TRANSPORT_STRANGER);
        return false;
    }
    match_adopt(m, id, from);
    e->serial = serial;
    e->until = m->setup.env->now + MATCH_LIFE;
    e->link = from->link;
    e->stream = from->stream;
    e->seen = from->addr;
    e->upwards = n & MATCH_UPWARDS;
    e->len = n & MATCH_BLOB_MAX;
    memcpy(e->blob, blob, e->len);
    confirm(m, from, e);
    return true;
}

/* ---- introducing ------------------------------------------------------------------------ */

/* As `asker` may read it. */
static void write_entry(struct writer *w, party_t id, const struct match_entry *e, party_t asker)
{
    uint8_t len = e->upwards && asker < id ? 0 : e->len;
    write_u32(w, id);
    write_u64(w, e->serial);
    match_write_addr(w, &e->seen);
    write_u8(w, len);
    write_bytes(w, e->blob, len);
}

static struct writer peers_begin(uint8_t out[MATCH_MESSAGE])
{
    struct writer w = writer_of(out, MATCH_MESSAGE);
    match_write_head(&w, MATCH_PEERS);
    return w;
}

/* Tells `id`, whose entry is `e`, of one who asked for it. */
static void tell(struct matchmaker *m, const struct match_entry *e, party_t id, party_t asker)
{
    uint8_t out[MATCH_MESSAGE];
    struct writer w = peers_begin(out);
    struct match_route to = {.link = e->link, .stream = e->stream, .addr = e->seen};
    write_entry(&w, asker, m->entries[asker], id);
    if (e->link)
        answer(m, &to, &w);
}

/* Entries of those who are wanted and there go to who wants them, and the other way round. */
static bool introduce(struct matchmaker *m, party_t id, const struct match_route *from, uint8_t n,
                      const uint8_t *ids)
{
    uint8_t out[MATCH_MESSAGE];
    struct writer w = peers_begin(out);
    size_t empty = w.len;
    for (uint8_t i = 0; i < n; i++) {
        party_t peer = get_le32(ids + 4 * i);
        const struct match_entry *e = entry_of(m, peer);
        if (!e || peer == id)
            continue;
        if (w.len + MATCH_ENTRY_FIXED + e->len > MATCH_MESSAGE) {
            answer(m, from, &w);
            w = peers_begin(out);
        }
        write_entry(&w, peer, e, id);
        tell(m, e, peer, id);
    }
    if (w.len > empty)
        answer(m, from, &w);
    return true;
}

/* Is it taken? */
static bool on_register(struct matchmaker *m, const struct match_route *from, struct reader *r)
{
    party_t id = read_u32(r);
    uint64_t nonce = read_u64(r), serial = read_u64(r);
    uint8_t len = read_u8(r);
    const uint8_t *blob = read_bytes(r, len & MATCH_BLOB_MAX);
    bool secured = m->setup.roster->identities != NULL;
    const uint8_t *signature = secured ? read_bytes(r, IDENTITY_SIGNATURE) : NULL;
    uint8_t n = read_u8(r);
    const uint8_t *ids = read_bytes(r, (size_t)n * 4);
    const struct match_entry *e = entry_of(m, id);
    if (r->bad || r->left || n > MATCH_WANTS)
        match_drop(m, DROP_TRANSPORT_FORMAT);
    else if (id >= roster_clients(m->setup.roster) || !nonce_good(m, id, &from->addr, nonce))
        match_drop(m, DROP_TRANSPORT_STRANGER);
    else if (e && serial < e->serial)
        match_drop(m, DROP_TRANSPORT_STRANGER);
    else if (!signature_good(m, id, nonce, serial, blob, len, signature))
        match_drop(m, DROP_TRANSPORT_AUTH);
    else if (keep(m, id, from, serial, blob, len))
        return introduce(m, id, from, n, ids);
    return false;
}

static bool on_want(struct matchmaker *m, const struct match_route *from, struct reader *r)
{
    party_t id = read_u32(r);
    uint8_t n = read_u8(r);
    const uint8_t *ids = read_bytes(r, (size_t)n * 4);
    const struct match_entry *own = entry_of(m, id);
    if (r->bad || r->left || n > MATCH_WANTS)
        match_drop(m, DROP_TRANSPORT_FORMAT);
    else if (!own || !is_route(own, from))
        match_drop(m, DROP_TRANSPORT_STRANGER);
    else
        return introduce(m, id, from, n, ids);
    return false;
}

void match_message(struct matchmaker *m, const struct match_route *from, const uint8_t *data,
                   size_t len)
{
    struct reader r = reader_of(data, len);
    uint8_t kind = read_u8(&r), version = read_u8(&r);
    bool taken = false;
    if (r.bad || version != MATCH_VERSION)
        kind = 0;
    if (kind == MATCH_HELLO)
        on_hello(m, from, &r);
    else if (kind == MATCH_REGISTER)
        taken = on_register(m, from, &r);
    else if (kind == MATCH_WANT)
        taken = on_want(m, from, &r);
    else
        match_drop(m, DROP_TRANSPORT_FORMAT);
    if (taken)
        match_shows(m->setup.env, m->setup.roster, &from->addr, data, len);
}
