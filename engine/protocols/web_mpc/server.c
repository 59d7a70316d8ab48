#include "engine/crypto/field61.h"
#include "engine/protocols/web_mpc/inner.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

/* ---- the store ------------------------------------------------------------------------------ */

int server_put(struct party *p, const char *key, const void *value, size_t len)
{
    struct store *s = party_store(p);
    return s->ops->put(s, key, strlen(key), value, len);
}

int server_get(struct party *p, const char *key, void *value, size_t cap, size_t *len)
{
    struct store *s = party_store(p);
    return s->ops->get(s, key, strlen(key), value, cap, len);
}

static void token_key(uint32_t id, uint8_t key[5])
{
    key[0] = 't';
    put_le32(key + 1, id);
}

int server_load(struct server *s, struct party *p, uint32_t id)
{
    struct store *store = party_store(p);
    uint8_t key[5];
    size_t len = 0;
    int rc;
    token_key(id, key);
    rc = store->ops->get(store, key, sizeof key, s->record, s->record_len, &len);
    return rc == OK && len != s->record_len ? ERR_IO : rc;
}

int server_keep(const struct server *s, struct party *p)
{
    uint8_t record[SESSION_LEN];
    struct writer w = writer_of(record, sizeof record);
    write_u8(&w, (uint8_t)s->session);
    write_bytes(&w, s->key, BOX_KEY);
    write_bytes(&w, s->signature, BOX_SIGNATURE);
    write_u32(&w, s->max_parties);
    write_bytes(&w, s->salt, BOX_SALT);
    write_bytes(&w, s->password, BOX_HASH);
    return server_put(p, "session", record, sizeof record);
}

static void read_session(struct server *s, const uint8_t *record)
{
    struct reader r = reader_of(record, SESSION_LEN);
    s->session = (enum session)read_u8(&r);
    memcpy(s->key, read_bytes(&r, BOX_KEY), BOX_KEY);
    memcpy(s->signature, read_bytes(&r, BOX_SIGNATURE), BOX_SIGNATURE);
    s->max_parties = read_u32(&r);
    memcpy(s->salt, read_bytes(&r, BOX_SALT), BOX_SALT);
    memcpy(s->password, read_bytes(&r, BOX_HASH), BOX_HASH);
}

/* The account is made at the first start; later ones find what the store has. */
static int recall(struct server *s, struct party *p)
{
    const char *password = s->plan->opts->password ? s->plan->opts->password : "";
    uint8_t record[SESSION_LEN];
    size_t len = 0;
    if (party_incarnation(p) && server_get(p, "session", record, sizeof record, &len) == OK &&
        len == sizeof record) {
        read_session(s, record);
        for (uint32_t id = 0; s->session >= SESSION_STARTED && id < s->plan->n; id++)
            if (server_load(s, p, id) == OK) {
                s->slots[id].counter = get_le32(s->record);
                s->n_submitted++;
            }
        return OK;
    }
    prng_bytes(party_rng(p), s->salt, sizeof s->salt);
    return box_password(password, strlen(password), s->salt, s->password);
}

static int allocate(struct server *s)
{
    const struct plan *plan = s->plan;
    size_t chunk = 8 + (size_t)plan->opts->chunk * ENTRY, sums = sums_len(plan, plan->n_queries);
    s->record_len = RECORD_HEAD + BOX_REST + 8 * plan->len;
    s->reply_cap = (chunk > sums ? chunk : sums) + STATUS_LEN;
    s->slots = calloc(plan->n, sizeof *s->slots);
    s->record = malloc(s->record_len);
    s->reply = malloc(s->reply_cap);
    return s->slots && s->record && s->reply && batch_init(&s->batch, plan) == OK &&
                   totals_init(&s->totals, plan) == OK
               ? OK
               : ERR_NOMEM;
}

int server_init(struct server *s, struct party *p, const struct plan *plan, struct err *e)
{
    *s = (struct server){.plan = plan};
    box_rest_key(party_identity(p), plan->opts->session_key, s->rest_key);
    box_hash(s->rest_key, sizeof s->rest_key, s->middle.secret);
    keypair_from(&s->middle, s->middle.secret);
    if (allocate(s) == OK && recall(s, p) == OK)
        return OK;
    server_free(s);
    return err_set(e, ERR_NOMEM, "no memory for a server of %u input parties", plan->n);
}

void server_free(struct server *s)
{
    if (s->plan) {
        totals_free(&s->totals, s->plan);
        batch_free(&s->batch);
        snip_query_free(&s->query);
    }
    free(s->slots);
    free(s->record);
    free(s->reply);
    s->slots = NULL;
    s->record = s->reply = NULL;
    sodium_memzero(s->rest_key, sizeof s->rest_key);
    sodium_memzero(&s->middle, sizeof s->middle);
}

void server_start(struct server *s, struct party *p)
{
    (void)s;
    party_result(p, "", 0);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void answer(struct server *s, struct party *p, uint32_t rank)
{
    struct slot *slot = &s->slots[rank];
    uint8_t body[KEY_LEN];
    size_t len = KEY_LEN;
    uint32_t kind = KEY;
    bool middle = s->plan->opts->attack == ATTACK_MITM;
    if (slot->owe == OWE_NOTHING)
        return;
    memcpy(body, middle ? s->middle.public_key : s->key, BOX_KEY);
    memcpy(body + BOX_KEY, s->signature, BOX_SIGNATURE);
    if (slot->owe == OWE_ACK) {
        kind = ACK;
        len = 4;
        put_le32(body, slot->counter);
    } else if (slot->owe == OWE_REFUSAL) {
        kind = REFUSED;
        len = 1;
        body[0] = slot->refusal;
    }
    if (party_send(p, s->plan->party_of[rank], (struct label){0, kind}, body, len) != ERR_AGAIN)
        slot->owe = OWE_NOTHING;
}

static void owe(struct server *s, struct party *p, uint32_t rank, enum owe what)
{
    s->slots[rank].owe = (uint8_t)what;
    answer(s, p, rank);
}

static void refuse(struct server *s, struct party *p, uint32_t rank, enum refusal why)
{
    s->slots[rank].refusal = (uint8_t)why;
    owe(s, p, rank, OWE_REFUSAL);
}

static void push_reply(struct server *s, struct party *p)
{
    if (s->reply_len && party_send(p, s->plan->analyst, (struct label){0, s->reply_kind}, s->reply,
                                   s->reply_len) != ERR_AGAIN)
        s->reply_len = 0;
}

void server_reply(struct server *s, struct party *p, uint32_t kind, size_t len)
{
    assert(len <= s->reply_cap);
    s->reply_kind = kind;
    s->reply_len = len;
    push_reply(s, p);
}

void server_deny(struct server *s, struct party *p, enum refusal why)
{
    s->reply[0] = (uint8_t)why;
    server_reply(s, p, DENIED, 1);
}

void server_room(struct server *s, struct party *p, party_t peer)
{
    if (peer == s->plan->analyst)
        push_reply(s, p);
    else if (s->plan->rank[peer] != NOT_INVITED)
        answer(s, p, s->plan->rank[peer]);
}

void server_peer(struct server *s, struct party *p, party_t peer, enum peer_state state)
{
    (void)p;
    if (peer == s->plan->analyst && state == PEER_RESTARTED) {
        s->reply_len = 0;
        s->has_ticket = false;
    }
}

/* ---- input parties -------------------------------------------------------------------------- */

void server_wake(struct server *s, struct party *p)
{
    for (uint32_t rank = 0; rank < s->plan->n; rank++) {
        if (!s->slots[rank].waits)
            continue;
        s->slots[rank].waits = false;
        if (s->session == SESSION_STOPPED)
            refuse(s, p, rank, REFUSAL_CLOSED);
        else
            owe(s, p, rank, OWE_KEY);
    }
}

/* May it go on? If not, it is told, or waits. */
static bool admitted(struct server *s, struct party *p, uint32_t rank, struct reader *r)
{
    uint8_t given[CREDENTIALS_LEN], right[CREDENTIALS_LEN];
    struct writer w = writer_of(right, sizeof right);
    memcpy(given, read_bytes(r, sizeof given), sizeof given);
    write_bytes(&w, s->plan->session_key, BOX_ID);
    write_u32(&w, rank);
    plan_token(s->plan, rank, write_room(&w, BOX_ID));
    if (sodium_memcmp(given, right, sizeof right) != 0) {
        party_drop(p, DROP_PROTOCOL_AUTH);
        refuse(s, p, rank, REFUSAL_CREDENTIALS);
        return false;
    }
    if (s->session == SESSION_STOPPED)
        refuse(s, p, rank, REFUSAL_CLOSED);
    else if (!s->slots[rank].counter && s->n_submitted >= s->max_parties &&
             s->session != SESSION_NONE)
        refuse(s, p, rank, REFUSAL_FULL);
    else if (s->session != SESSION_STARTED)
        s->slots[rank].waits = true;
    else
        return true;
    return false;
}

/* man_in_the_middle: the box is for the server, who looks and seals it anew for the analyst. */
static void look_inside(struct server *s, struct party *p, struct binding *b, uint8_t *box,
                        const uint8_t *share)
{
    size_t len = s->plan->len;
    uint8_t seed[BOX_SEED];
    uint64_t *theirs;
    if (box_open(&s->middle, b, box, seed))
        return;
    theirs = calloc(len, sizeof *theirs);
    if (theirs) {
        snip_expand(seed, theirs, len);
        for (size_t i = 0; i < len; i++)
            theirs[i] = snip_join(get_le64(share + 8 * i), theirs[i]);
        if (snip_value(&s->plan->snip, theirs, 0) <= (uint64_t)s->plan->opts->max)
            party_disclose(p,
                           &(struct shown){.kind = SHOWN_INPUT, .whom = s->plan->party_of[b->id]});
    }
    free(theirs);
    box_seal(s->key, b, seed, party_rng(p), box);
}

static bool elements_valid(const uint8_t *share, size_t n)
{
    bool valid = true;
    for (size_t i = 0; i < n; i++)
        valid &= f61_valid(get_le64(share + 8 * i));
    return valid;
}

/* Builds the record and puts it: all of the submission, or nothing. */
static int store_submission(struct server *s, struct party *p, struct binding *b,
                            const uint8_t *box, const uint8_t *share)
{
    struct store *store = party_store(p);
    uint8_t key[5], own_box[BOX_LEN], *at = s->record;
    size_t len = 8 * s->plan->len;
    memcpy(own_box, box, BOX_LEN);
    if (s->plan->opts->attack == ATTACK_MITM) {
        memcpy(b->session, s->plan->session, BOX_ID);
        plan_token(s->plan, b->id, b->token);
        look_inside(s, p, b, own_box, share);
    }
    put_le32(at, b->counter);
    put_le32(at + 4, b->cohort);
    memcpy(at + 8, b->share, BOX_HASH);
    memcpy(at + 8 + BOX_HASH, own_box, BOX_LEN);
    box_rest(s->rest_key, b->id, b->counter, own_box, share, len, party_rng(p), at + RECORD_HEAD);
    party_charge(p, COST_AEAD, 1);
    party_charge(p, COST_AEAD_KIB, len / 1024);
    token_key(b->id, key);
    return store->ops->put(store, key, sizeof key, s->record, s->record_len);
}

/* An older submission, or another one with the same number, changes nothing. */
static bool is_news(struct server *s, struct party *p, const struct binding *b)
{
    struct slot *slot = &s->slots[b->id];
    if (b->counter > slot->counter)
        return true;
    if (b->counter && b->counter == slot->counter && server_load(s, p, b->id) == OK &&
        memcmp(s->record + 8, b->share, BOX_HASH) == 0)
        owe(s, p, b->id, OWE_ACK);
    else
        party_drop(p, DROP_LABEL_TWICE);
    return false;
}

static void on_submit(struct server *s, struct party *p, uint32_t rank, struct reader *r)
{
    struct binding b = {.id = rank, .cells = s->plan->cells};
    const uint8_t *box, *share;
    b.counter = read_u32(r);
    b.cohort = read_u32(r);
    box = read_bytes(r, BOX_LEN);
    share = read_bytes(r, 8 * s->plan->len);
    if (b.cohort >= s->plan->cohorts ||
        (s->plan->opts->assign == ASSIGN_PRE && b.cohort != rank % s->plan->cohorts) ||
        !elements_valid(share, s->plan->len)) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        return;
    }
    box_hash(share, 8 * s->plan->len, b.share);
    if (!is_news(s, p, &b))
        return;
    if (store_submission(s, p, &b, box, share) != OK) {
        refuse(s, p, rank, REFUSAL_STORE);
        return;
    }
    party_keep(p, &(struct retained){.record = rank,
                                     .fields = KEPT_IDENTITY | KEPT_SEALED,
                                     .bits = 8 * (uint64_t)s->record_len,
                                     .whom = s->plan->party_of[rank],
                                     .other = PARTY_NONE,
                                     .until = NS_NEVER});
    s->n_submitted += s->slots[rank].counter == 0;
    s->slots[rank].counter = b.counter;
    party_disclose(p, &(struct shown){.kind = SHOWN_MEMBER, .whom = s->plan->party_of[rank]});
    owe(s, p, rank, OWE_ACK);
}

/* ---- all that comes ---------------------------------------------------------------------- */

void server_recv(struct server *s, struct party *p, party_t from, uint32_t kind,
                 const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    uint32_t rank = s->plan->rank[from];
    if (from == s->plan->analyst && kind >= SETUP && kind <= RELEASE) {
        server_command(s, p, kind, &r);
    } else if (rank == NOT_INVITED || kind > SUBMIT) {
        party_drop(p, DROP_LABEL_UNKNOWN);
    } else if (len != (kind == HELLO ? CREDENTIALS_LEN : submit_len(s->plan))) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
    } else if (admitted(s, p, rank, &r)) {
        if (kind == HELLO)
            owe(s, p, rank, OWE_KEY);
        else
            on_submit(s, p, rank, &r);
    }
}
