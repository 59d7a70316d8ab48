/* The responder: opens the share URL, asks, answers with his input, and gets the result.
 *
 * In his store, before it is sent: "a" -> payload in base64url | nonce. A restarted responder gives
 * the same answer again, and so gets the same result.
 */
#include "engine/protocols/share_url/share_url.h"

#include <sodium.h>
#include <stdio.h>

enum { KEPT = PAYLOAD_TEXT + ANSWER_NONCE };
static const uint8_t key[] = {'a'};

static bool keep(const struct share *s, struct party *p)
{
    const struct share_responder *r = &s->as.r;
    uint8_t kept[KEPT];
    memcpy(kept, r->text, PAYLOAD_TEXT);
    memcpy(kept + PAYLOAD_TEXT, r->nonce, ANSWER_NONCE);
    return party_store(p)->ops->put(party_store(p), key, sizeof key, kept, sizeof kept) == OK;
}

static bool recall(struct share *s, struct party *p)
{
    struct share_responder *r = &s->as.r;
    uint8_t kept[KEPT], payload[PAYLOAD_LEN];
    size_t len = 0;
    if (party_store(p)->ops->get(party_store(p), key, sizeof key, kept, sizeof kept, &len) != OK ||
        len != KEPT || url_decode(payload, PAYLOAD_LEN, (char *)kept, PAYLOAD_TEXT) != OK)
        return false;
    memcpy(r->text, kept, PAYLOAD_TEXT);
    memcpy(r->nonce, kept + PAYLOAD_TEXT, ANSWER_NONCE);
    memcpy(r->tag, seal_tag(payload), SEAL_TAG);
    return true;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void request(struct share *s, struct party *p)
{
    struct share_responder *r = &s->as.r;
    uint8_t body[ANSWER_LEN];
    memcpy(body, r->text, PAYLOAD_TEXT);
    deal_put_values(body + PAYLOAD_TEXT, s->values);
    memcpy(body + PAYLOAD_TEXT + DEAL_VALUES, r->nonce, ANSWER_NONCE);
    share_send(p, s->plan->server, r->asking, r->tries, body,
               r->asking == SHARE_ASK ? PAYLOAD_TEXT : ANSWER_LEN);
    sodium_memzero(body, sizeof body);
    party_arm(p, TIMER_RETRY, party_now(p) + share_backoff(s->plan->opts->retry, r->tries));
}

static void ask(struct share *s, struct party *p, enum share_kind kind)
{
    s->as.r.asking = kind;
    s->as.r.tries = 0;
    request(s, p);
}

/* Steps 7 and 8. What is not authentic is nothing: the right one may still
 * come. */
static void on_url(struct share *s, struct party *p, const uint8_t *text, size_t len)
{
    struct share_responder *r = &s->as.r;
    uint8_t payload[PAYLOAD_LEN];
    ns_t stamp;
    if (r->asking != SHARE_TEXT || r->over) {
        party_drop(p, DROP_LABEL_TWICE);
        return;
    }
    party_charge(p, COST_ED25519_VERIFY, 1);
    if (url_parse(payload, s->plan->opts->host, (const char *)text, len) != OK ||
        seal_check(payload, share_server_key(s->plan, p), s->modelled, &stamp) != OK) {
        party_drop(p, DROP_PROTOCOL_AUTH);
        return;
    }
    memcpy(r->tag, seal_tag(payload), SEAL_TAG);
    url_encode(r->text, payload, PAYLOAD_LEN);
    if (share_is_eve(s, party_self(p)) && s->plan->opts->attack >= ATTACK_ALTER) {
        r->asking = SHARE_ASK;
        share_eve_next(s, p, SHARE_TEXT, NULL, 0);
    } else {
        ask(s, p, SHARE_ASK);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static void tell_initiator(const struct share *s, struct party *p, const uint8_t *result)
{
    const struct share_responder *r = &s->as.r;
    uint32_t place = s->plan->place[party_self(p)];
    uint8_t note[NOTE_LEN];
    if (!s->plan->opts->compare || share_is_eve(s, party_self(p)))
        return;
    memcpy(note, r->tag, SEAL_TAG);
    memcpy(note + SEAL_TAG, result, 1 + DEAL_RESULT);
    share_text(s, p, s->plan->messenger, s->plan->initiators[place], TEXT_NOTE, note, sizeof note);
}

/* Some attacks begin when the payload is used. */
static bool attacks_now(const struct share *s, struct party *p)
{
    return share_is_eve(s, party_self(p)) &&
           (s->plan->opts->attack == ATTACK_REPLAY || s->plan->opts->attack == ATTACK_REPOST);
}

static void refused(struct share *s, struct party *p, enum share_status status)
{
    const uint8_t note[1 + DEAL_RESULT] = {(uint8_t)status};
    if (attacks_now(s, p)) {
        share_eve_next(s, p, SHARE_TEXT, NULL, 0);
        return;
    }

    s->as.r.over = true;
    tell_initiator(s, p, note);
    party_fail(p, "the payload is %s", share_status_words(status));
}

static void on_status(struct share *s, struct party *p, enum share_status status)
{
    struct share_responder *r = &s->as.r;
    if (status == STATUS_AGAIN || status == STATUS_LIMITED)
        return; /* the timer asks again */
    if (status != STATUS_FRESH) {
        refused(s, p, status);
        return;
    }
    prng_bytes(party_rng(p), r->nonce, sizeof r->nonce);
    if (keep(s, p))
        ask(s, p, SHARE_ANSWER);
}

static void on_result(struct share *s, struct party *p, const uint8_t *result)
{
    struct share_responder *r = &s->as.r;
    enum deal_program program = (enum deal_program)s->plan->opts->program;
    struct deal d;
    if (result[0] == STATUS_AGAIN || result[0] == STATUS_LIMITED)
        return;
    if (result[0] != STATUS_DONE) {
        refused(s, p, (enum share_status)result[0]);
        return;
    }
    if (attacks_now(s, p)) {
        share_eve_next(s, p, SHARE_TEXT, NULL, 0);
        return;
    }
    r->over = true;
    tell_initiator(s, p, result);
    if (!deal_get(program, &d, result + 1))
        party_fail(p, "the server sent a result that is none");
    else if (!deal_plausible(program, s->values, d))
        party_fail(p, "the server miscalculated: a price outside of one's own range");
    else
        party_result(p, result + 1, DEAL_RESULT);
}

/* ---- struct share_role_ops ------------------------------------------------------------------- */

static void responder_start(struct share *s, struct party *p)
{
    ns_t wait = s->plan->opts->wait ? s->plan->opts->wait : share_patience(s->plan);
    s->as.r.asking = SHARE_TEXT;
    party_arm(p, TIMER_GIVE_UP, party_now(p) + wait);
    if (party_incarnation(p) && recall(s, p))
        ask(s, p, SHARE_ANSWER);
}

static void responder_recv(struct share *s, struct party *p, party_t from, struct label label,
                           const uint8_t *data, size_t len)
{
    struct share_responder *r = &s->as.r;
    (void)from;
    if (label.instance == SHARE_TEXT && data[0] == TEXT_URL) {
        on_url(s, p, data + TEXT_HEAD, len - TEXT_HEAD);
    } else if (label.instance == SHARE_TEXT) {
        party_drop(p, DROP_LABEL_UNKNOWN);
    } else if (r->over) {
        party_drop(p, DROP_LABEL_LATE);
    } else if (r->step) {
        share_eve_next(s, p, (enum share_kind)label.instance, data, len);
    } else if (label.instance == SHARE_STATUS && r->asking == SHARE_ASK) {
        on_status(s, p, (enum share_status)data[0]);
    } else if (label.instance == SHARE_RESULT && r->asking == SHARE_ANSWER) {
        on_result(s, p, data);
    } else {
        party_drop(p, DROP_LABEL_LATE);
    }
}

static bool waits_for_server(const struct share_responder *r)
{
    return !r->over && !r->step && (r->asking == SHARE_ASK || r->asking == SHARE_ANSWER);
}

static void responder_peer(struct share *s, struct party *p, party_t peer, enum peer_state state)
{
    if (state == PEER_RESTARTED && peer == s->plan->server && waits_for_server(&s->as.r))
        request(s, p);
}

static void responder_timer(struct share *s, struct party *p, unsigned timer)
{
    struct share_responder *r = &s->as.r;
    if (timer == TIMER_GIVE_UP && !r->over) {
        r->over = true;
        party_fail(p, r->asking == SHARE_TEXT ? "no share URL came" : "the server never answered");
    } else if (timer == TIMER_RETRY && waits_for_server(r)) {
        r->tries = r->tries < 6 ? (uint8_t)(r->tries + 1) : r->tries;
        request(s, p);
    }
}

static void responder_waiting(const struct share *s, char *buf, size_t cap)
{
    const struct share_responder *r = &s->as.r;
    snprintf(buf, cap, "%s",
             r->over                   ? ""
             : r->asking == SHARE_TEXT ? "a share URL"
             : r->asking == SHARE_ASK  ? "the server's word on the payload"
                                       : "the server's result");
}

const struct share_role_ops share_responder_ops = {
    .start = responder_start,
    .recv = responder_recv,
    .peer = responder_peer,
    .timer = responder_timer,
    .waiting = responder_waiting,
};
