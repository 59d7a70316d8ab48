#include "engine/protocols/web_mpc/inner.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const session_names[] = {"not set up", "ready", "started", "paused", "stopped"};
static const char file_key[] = "analyst";
enum { FILE_LEN = 8 + BOX_KEY + SNIP_SEED };

/* ---- her key file -----------------------------------------------------------------------------
 */

static int new_file(struct analyst *a, struct party *p)
{
    uint8_t file[FILE_LEN];
    int rc;
    keypair_make(&a->pair, party_rng(p));
    prng_bytes(party_rng(p), a->challenge, sizeof a->challenge);
    a->began = party_now(p);
    put_le64(file, (uint64_t)a->began);
    memcpy(file + 8, a->pair.secret, BOX_KEY);
    memcpy(file + 8 + BOX_KEY, a->challenge, SNIP_SEED);
    rc = server_put(p, file_key, file, sizeof file);
    sodium_memzero(file, sizeof file);
    return rc;
}

/* A file that isn't there, or has a bad format, is replaced: by other keys. */
static int open_file(struct analyst *a, struct party *p)
{
    uint8_t file[FILE_LEN];
    size_t len = 0;
    if (server_get(p, file_key, file, sizeof file, &len) != OK || len != sizeof file)
        return new_file(a, p);
    a->began = (ns_t)get_le64(file);
    keypair_from(&a->pair, file + 8);
    memcpy(a->challenge, file + 8 + BOX_KEY, SNIP_SEED);
    sodium_memzero(file, sizeof file);
    return OK;
}

int analyst_init(struct analyst *a, struct party *p, const struct plan *plan, struct err *e)
{
    size_t chunk = BOX_ID + SNIP_SEED + 4 + 16 * (size_t)plan->opts->chunk;
    *a = (struct analyst){.plan = plan};
    if (plan->opts->keys == KEYS_OUT_OF_BAND && !party_identity(p))
        return err_set(e, ERR_INVALID, "keys: out_of_band needs identities: channel: noise");
    a->request_cap = chunk + SETUP_LEN;
    a->request = malloc(a->request_cap);
    a->marks = calloc(plan->n, sizeof *a->marks);
    if (a->request && a->marks && batch_init(&a->batch, plan) == OK &&
        totals_init(&a->totals, plan) == OK)
        return OK;
    analyst_free(a);
    return err_set(e, ERR_NOMEM, "no memory for an analyst");
}

void analyst_free(struct analyst *a)
{
    if (a->plan) {
        batch_free(&a->batch);
        totals_free(&a->totals, a->plan);
        snip_query_free(&a->query);
    }
    if (a->request)
        sodium_memzero(a->request, a->request_cap);
    free(a->request);
    free(a->marks);
    a->request = NULL;
    a->marks = NULL;
    sodium_memzero(&a->pair, sizeof a->pair);
}

/* ---- one request at a time ----------------------------------------------------------------------
 */

static void push(struct analyst *a, struct party *p)
{
    a->unsent = party_send(p, a->plan->server, (struct label){0, a->request_kind}, a->request,
                           a->request_len) == ERR_AGAIN;
}

void analyst_ask(struct analyst *a, struct party *p, uint32_t kind, size_t len)
{
    assert(!a->waits && BOX_ID + len <= a->request_cap);
    memcpy(a->request, a->ticket, BOX_ID);
    a->request_kind = kind;
    a->request_len = BOX_ID + len;
    a->waits = true;
    push(a, p);
}

static void ask_setup(struct analyst *a, struct party *p)
{
    const struct web_mpc_opts *o = a->plan->opts;
    const char *password = o->password ? o->password : "";
    struct writer w = writer_of(a->request, a->request_cap);
    uint8_t *signature;
    write_bytes(&w, a->plan->session, BOX_ID);
    write_u32(&w, (uint32_t)o->max_parties);
    write_bytes(&w, a->pair.public_key, BOX_KEY);
    signature = write_room(&w, BOX_SIGNATURE);
    memset(signature, 0, BOX_SIGNATURE);
    if (party_identity(p)) {
        box_sign(party_identity(p), a->plan->session, a->pair.public_key, signature);
        party_charge(p, COST_ED25519_SIGN, 1);
    }
    write_u8(&w, (uint8_t)strlen(password));
    memset(write_room(&w, PASSWORD_MAX), 0, PASSWORD_MAX);
    memcpy(w.start + w.len - PASSWORD_MAX, password, strlen(password));
    a->request_kind = SETUP;
    a->request_len = w.len;
    a->waits = true;
    push(a, p);
}

static enum session wanted(const struct analyst *a, ns_t now)
{
    const struct web_mpc_opts *o = a->plan->opts;
    ns_t age = now - a->began;
    if (age >= o->close_after)
        return SESSION_STOPPED;
    if (o->pause_after && age >= o->pause_after && age < o->pause_after + o->pause_for)
        return SESSION_PAUSED;
    return age >= o->open_after ? SESSION_STARTED : SESSION_READY;
}

/* Whatever is next, unless an answer is still to come. */
static void go_on(struct analyst *a, struct party *p)
{
    enum session want = wanted(a, party_now(p));
    if (a->over || a->waits)
        return;
    if (!a->set_up) {
        ask_setup(a, p);
    } else if (want != SESSION_READY && a->session != want && a->session != SESSION_STOPPED) {
        a->request[BOX_ID] = (uint8_t)want;
        analyst_ask(a, p, STATE, 1);
    } else if (a->session == SESSION_STOPPED && a->plan->opts->attack == ATTACK_LOST_KEY &&
               !a->forgot) {
        keypair_make(&a->pair, party_rng(p));
        a->forgot = true;
        ask_setup(a, p);
    } else if (a->session == SESSION_STOPPED) {
        analyst_close(a, p);
    }
}

void analyst_start(struct analyst *a, struct party *p)
{
    const struct web_mpc_opts *o = a->plan->opts;
    const ns_t after[] = {o->open_after, o->pause_after, o->pause_after + o->pause_for,
                          o->close_after};
    if (open_file(a, p) != OK) {
        a->over = true;
        party_fail(p, "the key file could not be written");
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        if ((o->pause_after || i == 0 || i == 3) && a->began + after[i] > party_now(p))
            party_arm(p, i, a->began + after[i]);
    go_on(a, p);
}

void analyst_timer(struct analyst *a, struct party *p)
{
    go_on(a, p);
}

void analyst_room(struct analyst *a, struct party *p)
{
    if (a->unsent && !a->over)
        push(a, p);
}

void analyst_peer(struct analyst *a, struct party *p, enum peer_state state)
{
    if (a->over)
        return;
    if (state == PEER_RESTARTED) {
        a->waits = a->unsent = a->set_up = false;
        go_on(a, p);
    } else if (state == PEER_LOST) {
        a->over = true;
        party_fail(p, "%.60s is lost", a->plan->roster->entries[a->plan->server].name);
    }
}

/* ---- answers
 * ------------------------------------------------------------------------------------- */

static void on_status(struct analyst *a, struct reader *r)
{
    uint8_t session = read_u8(r);
    const uint8_t *ticket = read_bytes(r, BOX_ID);
    memcpy(a->ticket, ticket, BOX_ID);
    a->session = session <= SESSION_STOPPED ? (enum session)session : SESSION_NONE;
    a->set_up = true;
}

static void on_denied(struct analyst *a, struct party *p, uint8_t why)
{
    a->over = true;
    party_fail(p, "denied by %.60s: %s", a->plan->roster->entries[a->plan->server].name,
               refusal_text(why));
}

/* Which answer fits the request. */
static bool fits(const struct analyst *a, uint32_t kind)
{
    static const uint32_t answer[] = {[SETUP] = STATUS, [STATE] = STATUS,  [FETCH] = CHUNK,
                                      [OPEN] = OPENED,  [SIGMA] = COUNTED, [RELEASE] = SUMS};
    return a->waits && !a->over && (kind == DENIED || kind == answer[a->request_kind]);
}

void analyst_recv(struct analyst *a, struct party *p, uint32_t kind, const uint8_t *data,
                  size_t len)
{
    struct reader r = reader_of(data, len);
    if (kind < STATUS || kind > DENIED || !fits(a, kind)) {
        party_drop(p, DROP_LABEL_UNKNOWN);
        return;
    }
    if ((kind == STATUS && len != STATUS_LEN) || (kind == DENIED && len != 1)) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        return;
    }
    a->waits = false;
    if (kind == STATUS) {
        on_status(a, &r);
        go_on(a, p);
    } else if (kind == DENIED) {
        on_denied(a, p, data[0]);
    } else if (analyst_closing(a, p, kind, &r) != OK) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        a->over = true;
        party_fail(p, "%.60s sent a malformed answer",
                   a->plan->roster->entries[a->plan->server].name);
    }
}

void analyst_waiting(const struct analyst *a, const struct party *p, char *buf, size_t cap)
{
    const char *server = a->plan->roster->entries[a->plan->server].name;
    if (a->waits)
        snprintf(buf, cap, "answer to request %u from %s (session %s, token %u of %u)",
                 a->request_kind, server, session_names[a->session], a->first, a->plan->n);
    else
        snprintf(buf, cap, "session to become %s at %lld ns, now %s",
                 session_names[wanted(a, party_now(p)) == SESSION_READY ? SESSION_STARTED
                                                                        : SESSION_STOPPED],
                 (long long)(a->began + a->plan->opts->close_after), session_names[a->session]);
}
