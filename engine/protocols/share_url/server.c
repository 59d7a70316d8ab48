/* The server: signs, says whether a payload is used, computes once, mails. */
#include "engine/protocols/share_url/server.h"
#include "engine/protocols/share_url/ledger.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- clock ----------------------------------------------------------------------------------- */

ns_t share_server_now(const struct share *s, struct party *p)
{
    const struct share_opts *o = s->plan->opts;
    ns_t now = party_now(p);
    bool wrong = now >= o->skew_from && (o->skew_until == 0 || now < o->skew_until);
    return wrong ? now + o->clock_ahead - o->clock_behind : now;
}

/* Is something of that time still valid? */
static enum share_status judge_time(const struct share *s, struct party *p, ns_t time)
{
    const struct share_opts *o = s->plan->opts;
    ns_t now = share_server_now(s, p);
    if (time < now - o->window - o->tolerance)
        return STATUS_EXPIRED;
    return time > now + o->tolerance ? STATUS_CLOCK : STATUS_FRESH;
}

/* ---- what comes ------------------------------------------------------------------------------ */

/* False: this responder has asked too much this hour. */
static bool may_ask(const struct share *s, struct party *p, party_t from)
{
    struct share_server *v = s->as.server;
    ns_t hour = party_now(p) / (SHARE_HOUR_S * NS_S);
    if (hour != v->hour) {
        memset(v->questions, 0, s->plan->roster->n * sizeof *v->questions);
        v->hour = hour;
    }
    if (v->questions[from] >= s->plan->opts->questions) {
        party_drop(p, DROP_PROTOCOL_LIMIT);
        return false;
    }
    v->questions[from]++;
    return true;
}

static enum share_status refuse(struct party *p, enum share_status status)
{
    if (status == STATUS_BAD)
        party_drop(p, DROP_PROTOCOL_AUTH);
    if (status == STATUS_EXPIRED || status == STATUS_CLOCK)
        party_drop(p, DROP_PROTOCOL_EXPIRED);
    return status;
}

/* The one spelling, the server's own signature, and its time. */
static enum share_status read_payload(const struct share *s, struct party *p, const uint8_t *text,
                                      size_t len, uint8_t payload[PAYLOAD_LEN])
{
    ns_t stamp;
    party_charge(p, COST_ED25519_VERIFY, 1);
    if (url_decode(payload, PAYLOAD_LEN, (const char *)text, len) != OK ||
        seal_check(payload, share_server_key(s->plan, p), s->modelled, &stamp) != OK)
        return STATUS_BAD;
    return judge_time(s, p, stamp);
}

/* Opens the seal; what is inside decides. Wipe *out. */
static enum share_status open_payload(const struct share *s, struct party *p,
                                      const uint8_t payload[PAYLOAD_LEN], struct seal *out)
{
    const struct share_opts *o = s->plan->opts;
    enum share_status status;
    party_charge(p, COST_X25519, 1);
    party_charge(p, COST_AEAD, 1);
    if (seal_open(out, payload, share_server_secret(s->plan, p)) != OK ||
        out->program != (enum deal_program)o->program || !share_contact_valid(out->contact))
        return STATUS_BAD;
    status = judge_time(s, p, out->created);
    if (status == STATUS_FRESH &&
        ledger_forgot(&s->as.server->ledger, out->created + o->window + o->tolerance))
        status = STATUS_EXPIRED;
    return status;
}

static void on_post(const struct share *s, struct party *p, party_t from, uint32_t round,
                    const uint8_t *post)
{
    uint8_t payload[PAYLOAD_LEN];
    if (!may_ask(s, p, from))
        return;
    party_charge(p, COST_ED25519_SIGN, 1);
    seal_sign(payload, post, share_server_now(s, p), share_server_secret(s->plan, p));
    share_send(p, from, SHARE_SIGNED, round, payload, sizeof payload);
}

static enum share_status look_up(const struct share *s, struct party *p, const uint8_t *text,
                                 size_t len)
{
    struct share_server *v = s->as.server;
    uint8_t payload[PAYLOAD_LEN];
    struct ledger_entry e;
    enum share_status status = read_payload(s, p, text, len, payload);
    int rc;
    if (status != STATUS_FRESH)
        return refuse(p, status);
    rc = ledger_open(&v->ledger, party_store(p));
    if (rc == OK)
        rc = ledger_find(&v->ledger, seal_tag(payload), &e);
    return rc == ERR_ABSENT ? STATUS_FRESH : rc == OK ? STATUS_USED : STATUS_AGAIN;
}

static void on_ask(const struct share *s, struct party *p, party_t from, uint32_t round,
                   const uint8_t *text, size_t len)
{
    uint8_t status = STATUS_LIMITED;
    if (may_ask(s, p, from))
        status = (uint8_t)look_up(s, p, text, len);
    share_send(p, from, SHARE_STATUS, round, &status, sizeof status);
}

/* ---- steps 11 and 12 ------------------------------------------------------------------------- */

struct answer {
    party_t from;
    uint8_t payload[PAYLOAD_LEN];
    struct seal seal;
    int64_t values[2];
    struct ledger_entry entry; /* as it would be, or is */
    struct deal told;
};

/* Under a key of the server's: says nothing to who has only the row. The nonce is what tells one
 * answer from another, wherever it comes from. */
static void mac_of(const struct share *s, struct party *p, const struct answer *a,
                   const uint8_t *input, uint8_t mac[LEDGER_MAC])
{
    const struct identity *id = share_server_secret(s->plan, p);
    crypto_generichash_state h;
    crypto_generichash_init(&h, id->x25519_secret, sizeof id->x25519_secret, LEDGER_MAC);
    crypto_generichash_update(&h, (const uint8_t *)"partyline share_url answer v1", 29);
    crypto_generichash_update(&h, seal_tag(a->payload), SEAL_TAG);
    crypto_generichash_update(&h, input, DEAL_VALUES + ANSWER_NONCE);
    crypto_generichash_final(&h, mac, LEDGER_MAC);
    sodium_memzero(&h, sizeof h);
}

/* What the responder is told, and what the initiator. */
static void compute(const struct share *s, struct answer *a)
{
    enum deal_program program = (enum deal_program)s->plan->opts->program;
    enum share_lie lie = (enum share_lie)s->plan->opts->server;
    struct deal d = deal_compute(program, a->seal.values, a->values);
    struct deal wrong = deal_lie(program, a->seal.values, a->values, lie == LIE_WITHIN_RANGE);
    a->told = lie == LIE_MISCALCULATES || lie == LIE_WITHIN_RANGE ? wrong : d;
    if (lie == LIE_TWO_RESULTS && program == DEAL_FAIR)
        wrong = d.kind == DEAL_MEET ? (struct deal){.kind = DEAL_NO_OVERLAP}
                                    : (struct deal){DEAL_MEET, a->seal.values[0]};
    deal_put(a->entry.result, lie == LIE_TWO_RESULTS ? wrong : a->told);
}

static void disclose(const struct share *s, struct party *p, const struct answer *a)
{
    party_t initiator = share_of_contact(s->plan, a->seal.contact);
    party_disclose(p, &(struct shown){.kind = SHOWN_INPUT, .whom = a->from, .other = PARTY_NONE});
    if (initiator == PARTY_NONE)
        return;
    party_disclose(p, &(struct shown){.kind = SHOWN_INPUT, .whom = initiator, .other = PARTY_NONE});
    party_disclose(p, &(struct shown){.kind = SHOWN_PAIR, .whom = initiator, .other = a->from});
}

/* A malicious server's own copy, for good. */
static void retain(const struct share *s, struct party *p, const struct answer *a, uint64_t number)
{
    uint8_t key[1 + SEAL_TAG] = {'i'}, both[2 * DEAL_VALUES];
    struct store *store = party_store(p);
    memcpy(key + 1, seal_tag(a->payload), SEAL_TAG);
    deal_put_values(both, a->seal.values);
    deal_put_values(both + DEAL_VALUES, a->values);
    if (store->ops->insert(store, key, sizeof key, both, sizeof both) != OK)
        return;
    party_keep(p, &(struct retained){.record = UINT64_C(1) << 63 | number,
                                     .fields = KEPT_INPUT | KEPT_PAIR,
                                     .bits = 8 * (sizeof key + sizeof both),
                                     .whom = share_of_contact(s->plan, a->seal.contact),
                                     .other = a->from,
                                     .until = NS_NEVER});
    s->as.server->retained += sizeof key + sizeof both;
}

static enum share_status use(const struct share *s, struct party *p, struct answer *a)
{
    struct share_server *v = s->as.server;
    uint64_t number;
    int rc;
    memcpy(a->entry.contact, a->seal.contact, SEAL_CONTACT);
    a->entry.state = LEDGER_PENDING;
    rc = ledger_use(&v->ledger, seal_tag(a->payload), share_server_now(s, p), &a->entry, &number);
    if (rc != OK)
        return rc == ERR_EXISTS ? STATUS_USED : STATUS_AGAIN;
    if (s->plan->opts->server == LIE_RETAINS)
        retain(s, p, a, number);
    share_row_kept(s, p, number, &a->entry);
    share_mail_row(s, p, number);
    return STATUS_DONE;
}

/* The same answer again gets its result again; any other is too late. */
static enum share_status settle(const struct share *s, struct party *p, struct answer *a,
                                const uint8_t *input)
{
    struct share_server *v = s->as.server;
    struct ledger_entry there;
    int rc = ledger_find(&v->ledger, seal_tag(a->payload), &there);
    if (rc != OK && rc != ERR_ABSENT)
        return STATUS_AGAIN;
    mac_of(s, p, a, input, a->entry.mac);
    if (rc == OK && sodium_memcmp(a->entry.mac, there.mac, LEDGER_MAC) != 0)
        return STATUS_USED;
    disclose(s, p, a);
    compute(s, a);
    return rc == OK ? STATUS_DONE : use(s, p, a);
}

static enum share_status answer(const struct share *s, struct party *p, struct answer *a,
                                const uint8_t *data, size_t len)
{
    struct share_server *v = s->as.server;
    const uint8_t *input = data + len - DEAL_VALUES - ANSWER_NONCE;
    enum share_status status = read_payload(s, p, data, (size_t)(input - data), a->payload);
    if (status != STATUS_FRESH)
        return refuse(p, status);
    deal_get_values(a->values, input);
    if (!deal_valid((enum deal_program)s->plan->opts->program, a->values))
        return refuse(p, STATUS_BAD);
    if (ledger_open(&v->ledger, party_store(p)) != OK)
        return STATUS_AGAIN;
    status = open_payload(s, p, a->payload, &a->seal);
    return status == STATUS_FRESH ? settle(s, p, a, input) : refuse(p, status);
}

static void on_answer(const struct share *s, struct party *p, party_t from, uint32_t round,
                      const uint8_t *data, size_t len)
{
    struct answer a = {.from = from};
    uint8_t reply[RESULT_LEN] = {STATUS_LIMITED};
    if (may_ask(s, p, from))
        reply[0] = (uint8_t)answer(s, p, &a, data, len);
    if (reply[0] == STATUS_DONE)
        deal_put(reply + 1, a.told);
    share_send(p, from, SHARE_RESULT, round, reply, sizeof reply);
    sodium_memzero(&a, sizeof a);
}

/* ---- struct share_role_ops ------------------------------------------------------------------- */

static int server_init(struct share *s, struct party *p, struct err *e)
{
    struct share_server *v = calloc(1, sizeof *v);
    s->as.server = v;
    if (v)
        v->questions = calloc(s->plan->roster->n, sizeof *v->questions);
    if (!v || !v->questions)
        return err_set(e, ERR_NOMEM, "no memory for a server");
    if (!party_store(p))
        return err_set(e, ERR_UNSUPPORTED, "this world gives the server no store");
    return OK;
}

static void server_start(struct share *s, struct party *p)
{
    party_result(p, "serving", 7);
    share_mail_all(s, p);
    party_arm(p, TIMER_TICK, party_now(p) + s->plan->opts->sample);
}

static void server_recv(struct share *s, struct party *p, party_t from, struct label label,
                        const uint8_t *data, size_t len)
{
    if (label.instance == SHARE_POST)
        on_post(s, p, from, label.round, data);
    else if (label.instance == SHARE_ASK)
        on_ask(s, p, from, label.round, data, len);
    else if (label.instance == SHARE_ANSWER)
        on_answer(s, p, from, label.round, data, len);
    else if (label.instance == SHARE_TAKEN || label.instance == SHARE_MAILED)
        share_mail_sent(s, p, data, label.instance == SHARE_TAKEN || data[SEAL_TAG] == 1);
    else
        party_drop(p, DROP_LABEL_UNKNOWN);
}

static void tick(struct share *s, struct party *p)
{
    struct share_server *v = s->as.server;
    const struct share_opts *o = s->plan->opts;
    ns_t now = share_server_now(s, p);
    uint64_t unsent = 0;
    share_mail_all(s, p);
    if (v->ledger.open)
        ledger_purge(&v->ledger, now, now - o->window - 2 * o->tolerance, &unsent);
    while (unsent--)
        party_drop(p, DROP_PROTOCOL_EXPIRED);
    party_sample(p, METRIC_STORED_BYTES, (int64_t)(v->ledger.bytes + v->retained));
    party_arm(p, TIMER_TICK, party_now(p) + o->sample);
}

static void server_timer(struct share *s, struct party *p, unsigned timer)
{
    if (timer == TIMER_TICK)
        tick(s, p);
    else if (timer >= TIMER_ROWS)
        share_mail_timer(s, p, timer - TIMER_ROWS);
}

static void server_free(struct share *s)
{
    struct share_server *v = s->as.server;
    if (!v)
        return;
    ledger_free(&v->ledger);
    free(v->questions);
    free(v);
}

const struct share_role_ops share_server_ops = {
    .init = server_init,
    .start = server_start,
    .recv = server_recv,
    .timer = server_timer,
    .free = server_free,
};
