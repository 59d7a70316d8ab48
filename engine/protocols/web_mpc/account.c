/* The analyst's account at the server: logging in, setting up, starting and stopping. */
#include "engine/protocols/web_mpc/inner.h"

#include <sodium.h>

static void status(struct server *s, struct party *p)
{
    struct writer w = writer_of(s->reply, s->reply_cap);
    write_u8(&w, (uint8_t)s->session);
    write_bytes(&w, s->ticket, BOX_ID);
    write_bytes(&w, s->key, BOX_KEY);
    write_u32(&w, s->n_submitted);
    server_reply(s, p, STATUS, w.len);
}

static bool password_right(const struct server *s, struct party *p, struct reader *r)
{
    uint8_t len = read_u8(r), hash[BOX_HASH];
    const uint8_t *password = read_bytes(r, PASSWORD_MAX);
    party_charge(p, COST_AEAD_KIB, BOX_PASSWORD_KIB);
    return len <= PASSWORD_MAX && box_password((const char *)password, len, s->salt, hash) == OK &&
           sodium_memcmp(hash, s->password, sizeof hash) == 0;
}

static void on_setup(struct server *s, struct party *p, struct reader *r)
{
    const uint8_t *id = read_bytes(r, BOX_ID);
    uint32_t max = read_u32(r);
    const uint8_t *key = read_bytes(r, BOX_KEY), *signature = read_bytes(r, BOX_SIGNATURE);
    if (!password_right(s, p, r) || memcmp(id, s->plan->session, BOX_ID) != 0) {
        party_drop(p, DROP_PROTOCOL_AUTH);
        server_deny(s, p, REFUSAL_PASSWORD);
        return;
    }
    if (s->session == SESSION_NONE) {
        memcpy(s->key, key, BOX_KEY);
        memcpy(s->signature, signature, BOX_SIGNATURE);
        s->max_parties = max ? max : s->plan->n;
        s->session = SESSION_READY;
        if (server_keep(s, p) != OK) {
            s->session = SESSION_NONE;
            server_deny(s, p, REFUSAL_STORE);
            return;
        }
    } else if (memcmp(s->key, key, BOX_KEY) != 0) {
        server_deny(s, p, REFUSAL_KEY);
        return;
    }
    prng_bytes(party_rng(p), s->ticket, sizeof s->ticket);
    s->has_ticket = true;
    status(s, p);
}

static void on_state(struct server *s, struct party *p, struct reader *r)
{
    enum session wanted = (enum session)read_u8(r), was = s->session;
    if (wanted < SESSION_STARTED || wanted > SESSION_STOPPED || was == SESSION_NONE ||
        (was == SESSION_STOPPED && wanted != SESSION_STOPPED)) {
        server_deny(s, p, REFUSAL_ORDER);
        return;
    }
    s->session = wanted;
    if (server_keep(s, p) != OK) {
        s->session = was;
        server_deny(s, p, REFUSAL_STORE);
        return;
    }
    status(s, p);
    if (wanted != SESSION_PAUSED)
        server_wake(s, p);
}

void server_command(struct server *s, struct party *p, uint32_t kind, struct reader *r)
{
    const uint8_t *ticket;
    if (kind == SETUP) {
        if (r->left == SETUP_LEN)
            on_setup(s, p, r);
        else
            party_drop(p, DROP_PROTOCOL_FORMAT);
        return;
    }
    ticket = read_bytes(r, BOX_ID);
    if (!ticket || (kind == STATE && r->left != 1))
        party_drop(p, DROP_PROTOCOL_FORMAT);
    else if (!s->has_ticket || sodium_memcmp(ticket, s->ticket, BOX_ID) != 0)
        party_drop(p, DROP_PROTOCOL_AUTH);
    else if (s->reply_len)
        party_drop(p, DROP_LABEL_EARLY); /* one request at a time */
    else if (kind == STATE)
        on_state(s, p, r);
    else
        server_close(s, p, kind, r);
}
