/* The initiator: seals and posts, sends the share URL, and reads her mail.
 *
 * In her store, before it is sent: "p" -> shared 1 | created 8 | post. With that a restarted
 * initiator posts the same again, or, when she has shared it, asks for her mail.
 */
#include "engine/protocols/share_url/server.h"

#include <sodium.h>
#include <stdio.h>

enum { KEPT = 1 + 8 + POST_LEN };
static const uint8_t key[] = {'p'};

static bool keep(const struct share *s, struct party *p)
{
    const struct share_initiator *i = &s->as.i;
    uint8_t kept[KEPT];
    kept[0] = i->shared;
    put_le64(kept + 1, (uint64_t)i->created);
    memcpy(kept + 9, i->post, POST_LEN);
    return party_store(p)->ops->put(party_store(p), key, sizeof key, kept, sizeof kept) == OK;
}

static int recall(struct share *s, struct party *p)
{
    struct share_initiator *i = &s->as.i;
    uint8_t kept[KEPT];
    size_t len = 0;
    int rc = party_store(p)->ops->get(party_store(p), key, sizeof key, kept, sizeof kept, &len);
    if (rc != OK || len != KEPT)
        return rc == OK ? ERR_IO : rc;
    i->shared = kept[0] == 1;
    i->created = (ns_t)get_le64(kept + 1);
    memcpy(i->post, kept + 9, POST_LEN);
    return OK;
}

static int seal(struct share *s, struct party *p)
{
    struct share_initiator *i = &s->as.i;
    struct seal in = {.program = (enum deal_program)s->plan->opts->program,
                      .created = party_now(p),
                      .values = {s->values[0], s->values[1]}};
    int rc;
    share_contact(in.contact, party_self(p));
    prng_bytes(party_rng(p), in.id, sizeof in.id);
    i->created = in.created;
    party_charge(p, COST_X25519, 2);
    party_charge(p, COST_AEAD, 1);
    rc = seal_close(i->post, &in, share_server_key(s->plan, p)->x25519, party_rng(p), s->modelled);
    sodium_memzero(&in, sizeof in);
    return rc;
}

static void fail(struct share *s, struct party *p, const char *why)
{
    s->as.i.over = true;
    party_fail(p, "%s", why);
}

static void post(const struct share *s, struct party *p)
{
    share_send(p, s->plan->server, SHARE_POST, 0, s->as.i.post, POST_LEN);
}

static void fetch(const struct share *s, struct party *p)
{
    share_send(p, s->plan->mail, SHARE_FETCH, 0, seal_tag(s->as.i.post), SEAL_TAG);
}

static void initiator_start(struct share *s, struct party *p)
{
    struct share_initiator *i = &s->as.i;
    int rc = party_incarnation(p) ? recall(s, p) : ERR_ABSENT;
    if (rc == ERR_ABSENT) {
        rc = seal(s, p);
        if (rc == OK && !keep(s, p))
            rc = ERR_IO;
    }
    if (rc != OK) {
        fail(s, p, "cannot keep a payload in the store, so nothing was sent");
        return;
    }
    if (i->shared)
        fetch(s, p);
    else
        post(s, p);
    party_arm(p, TIMER_RETRY, party_now(p) + s->plan->opts->retry);
    party_arm(p, TIMER_GIVE_UP, i->created + share_patience(s->plan));
}

/* Steps 5 and 6. */
static void on_signed(struct share *s, struct party *p, const uint8_t *payload)
{
    struct share_initiator *i = &s->as.i;
    char url[URL_MAX];
    size_t len;
    ns_t stamp;
    party_charge(p, COST_ED25519_VERIFY, 1);
    if (memcmp(payload, i->post, POST_LEN) != 0 ||
        seal_check(payload, share_server_key(s->plan, p), s->modelled, &stamp) != OK) {
        party_drop(p, DROP_PROTOCOL_AUTH);
        return;
    }
    if (i->shared && i->text_sent) {
        party_drop(p, DROP_LABEL_TWICE);
        return;
    }
    len = url_make(url, s->plan->opts->host, payload);
    i->text_sent =
        share_text(s, p, s->plan->messenger,
                   share_addressee(s->plan, s->plan->place[party_self(p)]), TEXT_URL, url, len);
    if (i->text_sent && !i->shared) {
        i->shared = true;
        keep(s, p);
    }
}

/* ---- the result ------------------------------------------------------------------------------ */

/* The one round: from sealing to the result. */
static void succeed(const struct share *s, struct party *p)
{
    party_round(p, s->as.i.created);
    party_result(p, s->as.i.letter, DEAL_RESULT);
}

static void finish(struct share *s, struct party *p)
{
    struct share_initiator *i = &s->as.i;
    struct deal d;
    if (i->over || !i->has_letter || (s->plan->opts->compare && !i->has_note))
        return;
    i->over = true;
    if (!deal_get((enum deal_program)s->plan->opts->program, &d, i->letter))
        party_fail(p, "the server sent a result that is none");
    else if (!deal_plausible((enum deal_program)s->plan->opts->program, s->values, d))
        party_fail(p, "the server miscalculated: a price outside of one's own range");
    else if (i->has_note && i->note[0] != STATUS_DONE)
        party_fail(p, "a result, but not with the responder: his payload was %s",
                   share_status_words((enum share_status)i->note[0]));
    else if (i->has_note && memcmp(i->note + 1, i->letter, DEAL_RESULT) != 0)
        party_fail(p, "the responder got another result");
    else
        succeed(s, p);
}

static void on_result(struct share *s, struct party *p, const uint8_t *letter)
{
    struct share_initiator *i = &s->as.i;
    if (memcmp(letter, seal_tag(i->post), SEAL_TAG) != 0) {
        party_drop(p, DROP_LABEL_UNKNOWN);
    } else if (i->has_letter) {
        party_drop(p, DROP_LABEL_TWICE);
    } else {
        i->has_letter = true;
        memcpy(i->letter, letter + SEAL_TAG, DEAL_RESULT);
        finish(s, p);
    }
}

static void on_note(struct share *s, struct party *p, const uint8_t *note)
{
    struct share_initiator *i = &s->as.i;
    if (memcmp(note, seal_tag(i->post), SEAL_TAG) != 0 || !s->plan->opts->compare) {
        party_drop(p, DROP_LABEL_UNKNOWN);
    } else if (i->has_note) {
        party_drop(p, DROP_LABEL_TWICE);
    } else {
        i->has_note = true;
        memcpy(i->note, note + SEAL_TAG, sizeof i->note);
        finish(s, p);
    }
}

static void on_text(struct share *s, struct party *p, const uint8_t *data, size_t len)
{
    party_t from = get_le32(data + 1);
    if (data[0] == TEXT_NOTICE && len == TEXT_HEAD + LETTER_LEN && from == s->plan->server)
        on_result(s, p, data + TEXT_HEAD);
    else if (data[0] == TEXT_NOTE && len == TEXT_HEAD + NOTE_LEN &&
             from == share_addressee(s->plan, s->plan->place[party_self(p)]))
        on_note(s, p, data + TEXT_HEAD);
    else
        party_drop(p, DROP_LABEL_UNKNOWN);
}

/* ---- struct share_role_ops ------------------------------------------------------------------- */

static void initiator_recv(struct share *s, struct party *p, party_t from, struct label label,
                           const uint8_t *data, size_t len)
{
    if (label.instance == SHARE_SIGNED) {
        on_signed(s, p, data);
    } else if (label.instance == SHARE_LETTER) {
        share_send(p, from, SHARE_READ, 0, data, SEAL_TAG);
        on_result(s, p, data);
    } else if (label.instance == SHARE_TEXT) {
        on_text(s, p, data, len);
    } else {
        party_drop(p, DROP_LABEL_UNKNOWN);
    }
}

/* Whoever forgot what we said is told again. */
static void initiator_peer(struct share *s, struct party *p, party_t peer, enum peer_state state)
{
    struct share_initiator *i = &s->as.i;
    if (state != PEER_RESTARTED || i->over)
        return;
    if (peer == s->plan->mail && !i->has_letter) {
        fetch(s, p);
    } else if (peer == s->plan->messenger && i->shared) {
        i->text_sent = false;
        post(s, p);
    }
}

static void initiator_timer(struct share *s, struct party *p, unsigned timer)
{
    struct share_initiator *i = &s->as.i;
    if (i->over)
        return;
    if (timer == TIMER_GIVE_UP) {
        if (i->has_letter && !i->has_note) {
            i->over = true;
            succeed(s, p);
        } else {
            fail(s, p, "no result until the payload had expired");
        }
    } else if (timer == TIMER_RETRY && !i->shared) {
        post(s, p);
        party_arm(p, TIMER_RETRY, party_now(p) + share_backoff(s->plan->opts->retry, i->tries));
        i->tries = i->tries < 6 ? (uint8_t)(i->tries + 1) : i->tries;
    }
}

static void initiator_waiting(const struct share *s, char *buf, size_t cap)
{
    const struct share_initiator *i = &s->as.i;
    snprintf(buf, cap, "%s",
             i->over                                   ? ""
             : !i->shared                              ? "the server's signature"
             : s->plan->opts->compare && i->has_letter ? "the responder's note"
                                                       : "a mail with the result");
}

const struct share_role_ops share_initiator_ops = {
    .start = initiator_start,
    .recv = initiator_recv,
    .peer = initiator_peer,
    .timer = initiator_timer,
    .waiting = initiator_waiting,
};
