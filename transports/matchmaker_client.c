/* The client's side. */
#include "transports/matchmaker_inner.h"

#include <stdlib.h>

#define FIRST_WAIT (500 * NS_MS)
#define LONGEST_WAIT (8 * NS_S)

party_t match_find(const struct roster *roster)
{
    for (party_t i = roster_clients(roster); i < roster->n; i++)
        if (roster->entries[i].role && strcmp(roster->entries[i].role, "matchmaker") == 0)
            return i;
    return PARTY_NONE;
}

int match_init(struct match_client *c, const struct transport_setup *setup, party_t server,
               const struct match_ops *ops, void *ctx)
{
    c->setup = setup;
    c->server = server;
    c->ops = ops;
    c->ctx = ctx;
    c->greet_at = c->want_at = c->woken = NS_NEVER;
    c->wants = calloc(setup->n_peers ? setup->n_peers : 1, sizeof *c->wants);
    return c->wants ? OK : ERR_NOMEM;
}

void match_free(struct match_client *c)
{
    free(c->wants);
    c->wants = NULL;
}

static void wake(struct match_client *c)
{
    ns_t at = c->greet_at < c->want_at ? c->greet_at : c->want_at;
    if (at >= c->woken)
        return;
    c->woken = at;
    c->ops->wake(c->ctx, at);
}

static ns_t longer(ns_t wait)
{
    return 2 * wait < LONGEST_WAIT ? 2 * wait : LONGEST_WAIT;
}

/* ---- what is said ------------------------------------------------------------------------ */

static void shows(const struct match_client *c, const uint8_t *message, size_t len)
{
    struct env *env = c->setup->env;
    match_shows(env, c->setup->roster, &env->self, message, len);
}

static void say(const struct match_client *c, const struct writer *w)
{
    shows(c, w->start, w->len);
    c->ops->send(c->ctx, w->start, w->len);
}

static void greet(struct match_client *c)
{
    static const uint8_t zeros[MATCH_GREETING];
    uint8_t out[MATCH_GREETING];
    struct writer w = writer_of(out, sizeof out);
    match_write_head(&w, MATCH_HELLO);
    write_u32(&w, c->setup->self);
    write_bytes(&w, zeros, MATCH_GREETING - w.len);
    c->greeted_at = c->setup->env->now;
    c->greet_at = c->setup->env->now + c->greet_wait;
    c->greet_wait = longer(c->greet_wait);
    say(c, &w);
}

static uint64_t serial_of(const struct match_client *c)
{
    return (uint64_t)c->setup->env->incarnation << 32 | c->changes;
}

/* The next wanted peers from *at on, at most MATCH_WANTS. */
static uint8_t wanted(const struct match_client *c, uint32_t *at, party_t ids[MATCH_WANTS])
{
    uint8_t n = 0;
    for (; *at < c->setup->n_peers && n < MATCH_WANTS; ++*at)
        if (c->wants[*at] || c->announce)
            ids[n++] = c->setup->peers[*at];
    return n;
}

static void write_wants(struct writer *w, const party_t *ids, uint8_t n)
{
    write_u8(w, n);
    for (uint8_t i = 0; i < n; i++)
        write_u32(w, ids[i]);
}

/* Asks for what is wanted from `at` on. */
static void ask(struct match_client *c, uint32_t at)
{
    uint8_t out[2 + 4 + 1 + 4 * MATCH_WANTS], n;
    party_t ids[MATCH_WANTS];
    while ((n = wanted(c, &at, ids)) > 0) {
        struct writer w = writer_of(out, sizeof out);
        match_write_head(&w, MATCH_WANT);
        write_u32(&w, c->setup->self);
        write_wants(&w, ids, n);
        say(c, &w);
    }
    c->want_at = c->n_wants ? c->setup->env->now + c->want_wait : NS_NEVER;
    c->want_wait = longer(c->want_wait);
}

static void enroll(struct match_client *c)
{
    const struct identity_public *all = c->setup->roster->identities;
    uint8_t out[MATCH_REGISTER_FIXED + MATCH_BLOB_MAX + IDENTITY_SIGNATURE + 1 + 4 * MATCH_WANTS];
    uint8_t text[MATCH_SIGNED_MAX], signature[IDENTITY_SIGNATURE] = {0}, n;
    uint8_t len = (uint8_t)(c->blob_len | (c->upwards ? MATCH_UPWARDS : 0));
    party_t ids[MATCH_WANTS];
    uint32_t at = 0;
    struct writer w = writer_of(out, sizeof out);
    match_write_head(&w, MATCH_REGISTER);
    write_u32(&w, c->setup->self);
    write_u64(&w, c->nonce);
    write_u64(&w, serial_of(c));
    write_u8(&w, len);
    write_bytes(&w, c->blob, c->blob_len);
    if (all) {
        size_t size = match_signed(text, &all[c->server], c->nonce, c->setup->self, serial_of(c),
                                   c->blob, len);
        env_charge(c->setup->env, COST_ED25519_SIGN, 1);
        if (!c->setup->modelled)
            identity_sign(c->setup->identity, MATCH_CONTEXT, text, size, signature);
        write_bytes(&w, signature, sizeof signature);
    }
    n = wanted(c, &at, ids);
    write_wants(&w, ids, n);
    say(c, &w);
    c->want_wait = FIRST_WAIT;
    ask(c, at);
}

/* ---- what is heard ----------------------------------------------------------------------- */

static bool on_challenge(struct match_client *c, struct reader *r)
{
    uint64_t nonce = read_u64(r);
    struct addr seen = match_read_addr(r);
    bool moved = !addr_equal(&seen, &c->seen);
    if (r->bad || r->left)
        return false;
    c->nonce = nonce;
    if (moved) {
        c->announce = c->seen.port != 0;
        c->seen = seen;
        c->registered = false;
        c->changes++;
        c->ops->observed(c->ctx, seen);
    }
    if (!c->registered)
        enroll(c);
    c->registered = false; /* until REGISTERED comes, which says that we are not forgotten */
    c->greet_wait = FIRST_WAIT;
    c->greet_at = c->setup->env->now + FIRST_WAIT;
    return true;
}

static bool on_registered(struct match_client *c, struct reader *r)
{
    uint64_t serial = read_u64(r);
    struct addr seen = match_read_addr(r);
    if (r->bad || r->left)
        return false;
    if (serial != serial_of(c) || !addr_equal(&seen, &c->seen))
        return true; /* of an earlier one */
    c->registered = true;
    c->announce = false;
    c->greet_wait = FIRST_WAIT;
    c->greet_at = c->setup->env->now + MATCH_KEEP;
    return true;
}

static bool on_peers(struct match_client *c, struct reader *r)
{
    while (r->left && !r->bad) {
        party_t id = read_u32(r);
        uint64_t serial = read_u64(r);
        struct addr seen = match_read_addr(r);
        uint8_t len = read_u8(r);
        const uint8_t *blob = read_bytes(r, len);
        uint32_t i = transport_peer(c->setup, id);
        (void)serial;
        if (r->bad || len > MATCH_BLOB_MAX)
            return false;
        if (i == PARTY_NONE)
            continue; /* nobody of ours */
        c->ops->peer(c->ctx, id, seen, blob, len);
    }
    return !r->bad;
}

bool match_input(struct match_client *c, const uint8_t *message, size_t len)
{
    struct reader r = reader_of(message, len);
    uint8_t kind = read_u8(&r), version = read_u8(&r);
    bool good = false;
    if (!c->open || r.bad || version != MATCH_VERSION)
        return false;
    shows(c, message, len);
    if (kind == MATCH_CHALLENGE)
        good = on_challenge(c, &r);
    else if (kind == MATCH_REGISTERED)
        good = on_registered(c, &r);
    else if (kind == MATCH_PEERS)
        good = on_peers(c, &r);
    wake(c);
    return good;
}

/* ---- what its owner wants ---------------------------------------------------------------- */

void match_open(struct match_client *c)
{
    c->open = true;
    c->registered = false;
    c->seen = (struct addr){0};
    c->greet_wait = c->want_wait = FIRST_WAIT;
    greet(c);
    wake(c);
}

void match_closed(struct match_client *c)
{
    c->open = c->registered = false;
    c->greet_at = c->want_at = NS_NEVER;
}

void match_publish(struct match_client *c, const uint8_t *blob, size_t len, bool upwards)
{
    if (len > MATCH_BLOB_MAX ||
        (len == c->blob_len && upwards == c->upwards && (!len || !memcmp(blob, c->blob, len))))
        return;
    c->upwards = upwards;
    memcpy(c->blob, blob, len);
    c->blob_len = len;
    c->changes++;
    if (c->registered)
        enroll(c); /* else that is on its way, or to come */
    c->registered = false;
    if (c->greet_at > c->setup->env->now + FIRST_WAIT && c->open)
        c->greet_at = c->setup->env->now + FIRST_WAIT;
    wake(c);
}

void match_want(struct match_client *c, uint32_t peer, bool want)
{
    if (c->wants[peer] == want)
        return;
    c->wants[peer] = want;
    c->n_wants += want ? 1 : UINT32_MAX;
    if (!want || !c->open || !c->nonce)
        return;
    c->want_wait = FIRST_WAIT;
    c->want_at = c->setup->env->now;
    wake(c);
}

void match_check(struct match_client *c)
{
    ns_t now = c->setup->env->now;
    if (!c->open || !c->registered || now - c->greeted_at < NS_S)
        return;
    c->greet_at = now;
    c->greet_wait = FIRST_WAIT;
    wake(c);
}

void match_tick(struct match_client *c)
{
    ns_t now = c->setup->env->now;
    if (c->woken <= now)
        c->woken = NS_NEVER;
    if (!c->open)
        return;
    if (c->greet_at <= now)
        greet(c);
    if (c->want_at <= now)
        ask(c, 0);
    wake(c);
}
