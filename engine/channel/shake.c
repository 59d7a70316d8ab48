#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/channel/inside.h"

static const struct identity_public *peer_identity(const struct channel *c)
{
    return &c->node->roster->identities[c->peer];
}

/* The roster's identity of the peer has signed its static key: checked once a channel. */
static bool trusted(struct channel *c)
{
    char why[ERR_TEXT];
    if (c->trusted)
        return true;
    env_charge(c->node->env, COST_ED25519_VERIFY, 1);
    c->trusted = c->node->identity->modelled || identity_verify(peer_identity(c)) == ERR_OK;
    if (!c->trusted) {
        snprintf(why, sizeof why, "the roster's identity of %s has not signed its static key",
                 channel_peer_name(c));
        channel_fail(c, ERR_AUTH, why);
    }
    return c->trusted;
}

static struct hello our_hello(const struct channel *c)
{
    struct hello h = {
        .identity = c->node->identity->pub,
        .incarnation = c->node->env->incarnation,
        .knows_peer = c->met,
        .peer_incarnation = c->peer_incarnation,
        .expected = c->expected,
        .scenario_digest = c->node->scenario_digest,
    };
    hello_set_program(&h, c->node->program);
    return h;
}

void shake_end(struct channel *c)
{
    if (c->shake) {
        handshake_wipe(c->shake);
        free(c->shake);
    }
    c->shake = NULL;
    c->due &= (uint8_t)~DUE_SHAKE;
}

static void replace_shake(struct channel *c, struct handshake *h)
{
    shake_end(c);
    c->shake = h;
    c->due |= DUE_SHAKE;
    sealed_deadline(c);
}

static void discard(struct handshake *h)
{
    handshake_wipe(h);
    free(h);
}

void shake_begin(struct channel *c)
{
    struct channel_node *n = c->node;
    struct hello ours = our_hello(c);
    struct handshake *h;
    char why[ERR_TEXT];
    if (!trusted(c))
        return;
    h = malloc(sizeof *h);
    if (!h)
        return; /* the timer comes again */
    if (handshake_start(h, n->env, n->identity, peer_identity(c), &ours)) {
        discard(h);
        snprintf(why, sizeof why, "the static key of %s is of low order", channel_peer_name(c));
        channel_fail(c, ERR_AUTH, why);
        return;
    }
    replace_shake(c, h);
}

/* Reads message 1 and answers it. The drop that it is, or DROP_COUNT. */
static enum drop answer(struct channel *c, struct handshake *h, const uint8_t *frame)
{
    struct channel_node *n = c->node;
    struct hello ours = our_hello(c);
    int code = handshake_accept(h, n->env, n->identity, peer_identity(c), frame);
    if (code)
        return code == ERR_FORMAT ? DROP_CHANNEL_FORMAT : DROP_CHANNEL_AUTH;
    if (c->met && h->hello.incarnation < c->peer_incarnation)
        return DROP_CHANNEL_REPLAY;
    return handshake_reply(h, n->env, &ours) ? DROP_CHANNEL_AUTH : DROP_COUNT;
}

static bool same_ephemeral(const struct session *s, const uint8_t *frame)
{
    return memcmp(s->remote_ephemeral, handshake_ephemeral(frame), SESSION_NAME) == 0;
}

void shake_receive_1(struct channel *c, const uint8_t *frame, size_t len)
{
    struct handshake *h = c->shake;
    enum drop drop;
    if (len != FRAME_SHAKE_1) {
        channel_drop(c, DROP_CHANNEL_FORMAT);
    } else if (h && !h->initiator && same_ephemeral(&h->session, frame)) {
        c->due |= DUE_SHAKE; /* our answer got lost */
    } else if (c->live && !c->session.initiator && same_ephemeral(&c->session, frame)) {
        channel_drop(c, DROP_CHANNEL_REPLAY);
    } else if (h && h->initiator && c->node->self < c->peer) {
        channel_drop(c, DROP_CHANNEL_STATE); /* both began: the lower id's handshake counts */
    } else if (trusted(c)) {
        h = malloc(sizeof *h);
        drop = h ? answer(c, h, frame) : DROP_CHANNEL_LIMIT;
        if (drop == DROP_COUNT) {
            replace_shake(c, h);
        } else {
            channel_drop(c, drop);
            if (h)
                discard(h);
        }
    }
}

/* Numbering goes on where it was, or begins anew. True if the peer restarted. */
static bool resume(struct channel *c, const struct hello *theirs)
{
    bool knows_us = theirs->knows_peer && theirs->peer_incarnation == c->node->env->incarnation;
    bool forgot = !knows_us && (c->base || c->expected);
    bool restarted = c->met && (theirs->incarnation != c->peer_incarnation || forgot);
    if (restarted)
        sealed_reset(c);
    else if (c->met && knows_us)
        sealed_acknowledged(c, theirs->expected < c->base + c->high ? theirs->expected
                                                                    : c->base + c->high);
    sealed_rewind(c);
    c->met = true;
    c->peer_incarnation = theirs->incarnation;
    return restarted;
}

static bool adopt(struct channel *c, const struct session *s, const struct hello *theirs)
{
    struct hello ours = our_hello(c);
    char why[ERR_TEXT];
    bool restarted;
    session_wipe(&c->session);
    c->session = *s;
    c->live = true;
    c->lost = false;
    c->tries = 0;
    if (s->initiator)
        c->due |= DUE_ACK; /* the responder waits for a first frame, whatever it is */
    if (c->failed)
        return false;
    if (hello_compare(&ours, theirs, channel_peer_name(c), why, sizeof why)) {
        channel_fail(c, ERR_MISMATCH, why);
        return false;
    }
    restarted = resume(c, theirs);
    channel_report(c, restarted ? PEER_RESTARTED : PEER_UP);
    return true;
}

static void stray_2(struct channel *c, const uint8_t *frame)
{
    if (!c->live || !c->session.initiator || !same_ephemeral(&c->session, frame))
        channel_drop(c, DROP_CHANNEL_STATE);
    else if (c->session.recv_nonce)
        channel_drop(c, DROP_CHANNEL_REPLAY);
    else
        c->due |= DUE_ACK; /* our first frame got lost */
}

void shake_receive_2(struct channel *c, const uint8_t *frame, size_t len)
{
    struct env *env = c->node->env;
    struct session session;
    struct hello theirs;
    int code;
    if (len != FRAME_SHAKE_2) {
        channel_drop(c, DROP_CHANNEL_FORMAT);
        return;
    }
    if (!c->shake || !c->shake->initiator) {
        stray_2(c, frame);
        return;
    }
    code = handshake_finish(c->shake, env, peer_identity(c), frame, &session, &theirs);
    if (code) {
        channel_drop(c, code == ERR_FORMAT ? DROP_CHANNEL_FORMAT : DROP_CHANNEL_AUTH);
        return;
    }
    shake_end(c);
    metrics_count(env->metrics, COUNT_HANDSHAKES, 1);
    adopt(c, &session, &theirs);
    session_wipe(&session);
}

/* The first frame opened under the session that the shake keeps aside: adopts it. False if the two
 * sides turn out not to fit. */
static bool promote(struct channel *c)
{
    struct session session = c->shake->session;
    struct hello theirs = c->shake->hello;
    bool fits;
    shake_end(c);
    fits = adopt(c, &session, &theirs);
    session_wipe(&session);
    return fits;
}

/* Its plaintext, in the frame or in buf; or NULL. */
static const uint8_t *open_under(struct channel *c, struct session *s, const uint8_t *frame,
                                 size_t len, uint8_t *buf)
{
    if (frame_nonce(frame) < s->recv_nonce)
        return NULL;
    channel_charge(c, len);
    if (c->modelled ? !frame_in_clear(s, frame, len) : !frame_decrypt(s, frame, len, buf))
        return NULL;
    s->recv_nonce = frame_nonce(frame) + 1;
    return c->modelled ? frame + FRAME_CLEAR : buf;
}

const uint8_t *shake_open(struct channel *c, const uint8_t *frame, size_t len, uint8_t *buf)
{
    bool live = c->live, aside = c->shake && !c->shake->initiator;
    const uint8_t *plain = live ? open_under(c, &c->session, frame, len, buf) : NULL;
    if (plain)
        return plain;
    if (aside && (plain = open_under(c, &c->shake->session, frame, len, buf)))
        return promote(c) ? plain : NULL;
    if (!live && !aside)
        channel_drop(c, DROP_CHANNEL_STATE);
    else if (live && frame_nonce(frame) < c->session.recv_nonce)
        channel_drop(c, DROP_CHANNEL_REPLAY);
    else
        channel_drop(c, DROP_CHANNEL_AUTH);
    return NULL;
}
