#include "engine/crypto/field61.h"
#include "engine/protocols/web_mpc/inner.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static const char counter_key[] = "counter";

int submitter_init(struct submitter *s, struct party *p, const struct plan *plan,
                   const struct input *in, struct err *e)
{
    uint8_t kept[8];
    size_t len = 0;
    *s = (struct submitter){.plan = plan, .input = in, .rank = plan->rank[party_self(p)]};
    if (plan->opts->keys == KEYS_OUT_OF_BAND && !party_identity(p))
        return err_set(e, ERR_INVALID, "keys: out_of_band needs identities: channel: noise");
    if (party_incarnation(p) && server_get(p, counter_key, kept, sizeof kept, &len) == OK &&
        len == sizeof kept) {
        s->counter = get_le32(kept);
        s->acknowledged = get_le32(kept + 4);
    }
    return OK;
}

static int keep(const struct submitter *s, struct party *p)
{
    uint8_t kept[8];
    put_le32(kept, s->counter);
    put_le32(kept + 4, s->acknowledged);
    return server_put(p, counter_key, kept, sizeof kept);
}

/* ---- a submission --------------------------------------------------------------------------- */

static void credentials(const struct submitter *s, struct writer *w)
{
    uint8_t token[BOX_ID];
    plan_token(s->plan, s->rank, token);
    if (s->rank == 0 && s->plan->opts->attack == ATTACK_FORGED_TOKEN)
        token[0] ^= 1;
    write_bytes(w, s->plan->session_key, BOX_ID);
    write_u32(w, s->rank);
    write_bytes(w, token, BOX_ID);
}

static void cheat(const struct submitter *s, uint64_t *vector)
{
    const struct snip *snip = &s->plan->snip;
    if (s->rank == 0 && s->plan->opts->attack == ATTACK_WRONG_SQUARE)
        vector[snip_square(snip, 0)] = f61_add(vector[snip_square(snip, 0)], 1);
    if (s->rank == 0 && s->plan->opts->attack == ATTACK_OUT_OF_RANGE) {
        vector[0] = 1000003; /* a "bit": x is far out of range, and y its true square */
        vector[snip_square(snip, 0)] =
            f61_mul(snip_value(snip, vector, 0), snip_value(snip, vector, 0));
    }
}

/* The vector and the analyst's share of it; room for both. */
static int fill(struct submitter *s, struct party *p, uint32_t counter, uint64_t *vector,
                uint8_t *out)
{
    const struct plan *plan = s->plan;
    struct binding b = {.id = s->rank,
                        .counter = counter,
                        .cohort = plan_cohort(plan, s->input, s->rank),
                        .cells = plan->cells};
    struct writer w = writer_of(out, submit_len(plan));
    uint64_t *other = vector + plan->len, *values = other;
    uint8_t seed[BOX_SEED], *box, *share;
    int rc;
    for (uint32_t cell = 0; cell < plan->cells; cell++)
        values[cell] = plan_value(plan, s->input, s->rank, cell, counter);
    snip_witness(&plan->snip, values, vector);
    cheat(s, vector);
    snip_prove(&plan->snip, party_rng(p), vector);
    prng_bytes(party_rng(p), seed, sizeof seed);
    snip_expand(seed, other, plan->len);
    snip_split(other, vector, plan->len);
    credentials(s, &w);
    write_u32(&w, counter);
    write_u32(&w, b.cohort);
    box = write_room(&w, BOX_LEN);
    share = write_room(&w, 8 * plan->len);
    for (size_t i = 0; i < plan->len; i++)
        put_le64(share + 8 * i, vector[i]);
    memcpy(b.session, plan->session, BOX_ID);
    plan_token(plan, s->rank, b.token);
    box_hash(share, 8 * plan->len, b.share);
    rc = box_seal(s->key, &b, seed, party_rng(p), box);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

int submitter_make(struct submitter *s, struct party *p, uint32_t counter, uint8_t *out)
{
    size_t len = s->plan->len, m = s->plan->snip.gates;
    uint64_t *room = calloc(2 * len, sizeof *room);
    int rc;
    if (!room)
        return ERR_NOMEM;
    rc = fill(s, p, counter, room, out);
    party_charge(p, COST_FIELD_MUL, m * m);
    party_charge(p, COST_SHARE, 2 * len);
    party_charge(p, COST_X25519, 2);
    party_charge(p, COST_AEAD, 1);
    sodium_memzero(room, 2 * len * sizeof *room);
    free(room);
    return rc;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static void push(struct submitter *s, struct party *p)
{
    uint8_t hello[CREDENTIALS_LEN];
    struct writer w = writer_of(hello, sizeof hello);
    int rc;
    if (s->over)
        return;
    if (s->pending) {
        rc = party_send(p, s->plan->server, (struct label){0, SUBMIT}, s->pending,
                        submit_len(s->plan));
    } else {
        credentials(s, &w);
        rc = party_send(p, s->plan->server, (struct label){0, HELLO}, hello, sizeof hello);
    }
    s->unsent = rc == ERR_AGAIN;
}

static void drop_pending(struct submitter *s)
{
    if (s->pending)
        sodium_memzero(s->pending, submit_len(s->plan));
    free(s->pending);
    s->pending = NULL;
}

/* Nothing more to do: it goes, when what it said has come. */
static void retire(struct submitter *s, struct party *p)
{
    s->over = true;
    drop_pending(s);
    party_arm(p, SUBMITTER_LEAVES, party_now(p) + PARTY_LINGER);
}

static void fail(struct submitter *s, struct party *p, const char *why)
{
    retire(s, p);
    party_fail(p, "%s", why);
}

static void finish(struct submitter *s, struct party *p)
{
    uint8_t counter[4];
    retire(s, p);
    put_le32(counter, s->acknowledged);
    party_result(p, counter, sizeof counter);
}

static void submit(struct submitter *s, struct party *p)
{
    s->pending = malloc(submit_len(s->plan));
    s->counter++;
    if (!s->pending || submitter_make(s, p, s->counter, s->pending))
        fail(s, p, "a submission could not be made: no memory, or a bad key");
    else if (keep(s, p))
        fail(s, p, "the store failed");
    else
        push(s, p);
}

void submitter_start(struct submitter *s, struct party *p)
{
    if (s->acknowledged >= (uint32_t)s->plan->opts->submissions)
        finish(s, p);
    else
        push(s, p);
}

/* ---- what comes
 * ---------------------------------------------------------------------------------- */

static void on_key(struct submitter *s, struct party *p, const uint8_t *key)
{
    const struct plan *plan = s->plan;
    const struct identity *own = party_identity(p);
    char why[200];
    if (plan->opts->keys == KEYS_OUT_OF_BAND && !s->has_key) {
        party_charge(p, COST_ED25519_VERIFY, 1);
        if (box_check(&party_roster(p)->identities[plan->analyst], own->modelled, plan->session,
                      key, key + BOX_KEY)) {
            party_drop(p, DROP_PROTOCOL_AUTH);
            snprintf(why, sizeof why, "the key that %.60s delivered is not signed by %.60s",
                     plan->roster->entries[plan->server].name,
                     plan->roster->entries[plan->analyst].name);
            fail(s, p, why);
            return;
        }
    }
    if (!s->has_key)
        memcpy(s->key, key, BOX_KEY);
    s->has_key = true;
    if (s->pending)
        push(s, p);
    else if (s->acknowledged == s->counter || s->counter == 0 || party_incarnation(p))
        submit(s, p);
}

static void on_ack(struct submitter *s, struct party *p, uint32_t counter)
{
    if (!s->pending || counter != s->counter) {
        party_drop(p, DROP_LABEL_LATE);
        return;
    }
    drop_pending(s);
    s->acknowledged = counter;
    if (keep(s, p))
        return; /* the node is gone, or asks again: the same submission counts */
    if (s->acknowledged >= (uint32_t)s->plan->opts->submissions)
        finish(s, p);
    else
        party_arm(p, SUBMITTER_AGAIN, party_now(p) + s->plan->opts->again_after);
}

static void on_refusal(struct submitter *s, struct party *p, uint8_t why)
{
    char text[160];
    if (why == REFUSAL_CLOSED && s->acknowledged) {
        finish(s, p);
        return;
    }
    snprintf(text, sizeof text, "refused by %.60s: %s",
             s->plan->roster->entries[s->plan->server].name, refusal_text(why));
    fail(s, p, text);
}

void submitter_recv(struct submitter *s, struct party *p, uint32_t kind, const uint8_t *data,
                    size_t len)
{
    static const size_t lens[] = {[KEY] = KEY_LEN, [ACK] = 4, [REFUSED] = 1};
    if (kind < KEY || kind > REFUSED)
        party_drop(p, DROP_LABEL_UNKNOWN);
    else if (len != lens[kind])
        party_drop(p, DROP_PROTOCOL_FORMAT);
    else if (s->over)
        party_drop(p, DROP_LABEL_LATE);
    else if (kind == KEY)
        on_key(s, p, data);
    else if (kind == ACK)
        on_ack(s, p, get_le32(data));
    else
        on_refusal(s, p, data[0]);
}

void submitter_peer(struct submitter *s, struct party *p, enum peer_state state)
{
    bool idle = !s->pending && s->has_key; /* between two submissions */
    if (s->over)
        return;
    if (state == PEER_RESTARTED && !idle)
        push(s, p);
    else if (state == PEER_LOST && !idle)
        fail(s, p, "the server is lost");
}

void submitter_room(struct submitter *s, struct party *p)
{
    if (s->unsent)
        push(s, p);
}

void submitter_timer(struct submitter *s, struct party *p, unsigned timer)
{
    if (timer == SUBMITTER_LEAVES)
        party_leave(p);
    else if (!s->over && !s->pending && s->has_key && s->counter == s->acknowledged)
        submit(s, p);
}

void submitter_waiting(const struct submitter *s, char *buf, size_t cap)
{
    const char *server = s->plan->roster->entries[s->plan->server].name;
    if (!s->has_key)
        snprintf(buf, cap, "key of the session from %s", server);
    else
        snprintf(buf, cap, "submission %u: %s %s", s->counter + !s->pending,
                 s->pending ? "acknowledgement from" : "not yet sent to", server);
}

void submitter_free(struct submitter *s)
{
    drop_pending(s);
}
