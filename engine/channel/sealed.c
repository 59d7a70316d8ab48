#include <sodium.h>
#include <stdio.h>

#include "engine/channel/inside.h"

enum {
    ACK_FRAMES = 32,
    ACK_BYTES = 64 << 10,
    PROBES_MAX = 6,
    PATIENCE = 2,   /* silent timers, then this side begins a handshake in any case */
    BACKOFF_MAX = 3 /* doublings of PROBE_AFTER */
};

static const ns_t PROBE_AFTER = NS_S;

/* ---- time ---- */

/* Is there anything that a timer would have to see to? */
static bool watched(const struct channel *c)
{
    if (!c->transport_up || c->lost)
        return false;
    if (c->shake && c->shake->initiator)
        return true;
    return !c->failed && (!c->session.live || c->sent > c->base);
}

void sealed_deadline(struct channel *c)
{
    unsigned doublings = c->tries < BACKOFF_MAX ? c->tries : BACKOFF_MAX;
    c->deadline = c->node->env->now + (PROBE_AFTER << doublings);
}

static void arm_now(struct channel *c)
{
    ns_t now = c->node->env->now;
    if (!watched(c))
        return;
    c->armed = true;
    c->node->up->arm(c->node->node, c->peer, c->deadline > now ? c->deadline : now);
}

static inline void arm(struct channel *c)
{
    if (!c->armed)
        arm_now(c);
}

static void give_up(struct channel *c)
{
    c->lost = true;
    shake_end(c);
    if (!c->failed)
        channel_report(c, PEER_LOST);
}

/* Silence since the deadline was set: ask again. */
static void ask(struct channel *c)
{
    bool live = c->session.live, ours = c->shake && c->shake->initiator;
    if (c->tries < UINT8_MAX)
        c->tries++;
    if (live && c->sent > c->base)
        c->due |= DUE_PROBE;
    if (ours || (c->shake && !live && c->tries <= PATIENCE))
        c->due |= DUE_SHAKE;
    else if (c->tries > PATIENCE)
        shake_begin(c);
    sealed_deadline(c);
}

void sealed_timer(struct channel *c)
{
    if (watched(c) && c->node->env->now >= c->deadline) {
        if (c->blocked)
            sealed_deadline(c); /* nothing can be asked now */
        else if (c->tries >= PROBES_MAX)
            give_up(c);
        else
            ask(c);
    }
}

/* ---- sending ---- */

static void charge(struct channel *c, size_t len)
{
    if (!c->node->env->costs)
        return;
    env_charge(c->node->env, COST_AEAD, 1);
    env_charge(c->node->env, COST_AEAD_KIB, (len + 512) / 1024);
}

static void has_put(struct channel *c)
{
    c->due &= (uint8_t) ~(DUE_ACK | DUE_RESEND);
    c->got_frames = 0;
    c->got_bytes = 0;
}

/* One frame; with DATA, the `len` bytes of the record at the cursor. False: not taken. */
static bool put(struct channel *c, uint8_t flags, uint64_t number, size_t len)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    struct frame f = {.flags = flags, .ack = c->expected, .number = number};
    size_t at;
    if (c->due & DUE_RESEND)
        f.flags |= FRAME_RESEND;
    at = frame_begin(buf, c->session.send.nonce, &f);
    if (flags & FRAME_DATA)
        backlog_copy(&c->queue, c->cursor, buf + at);
    charge(c, len);
    if (!channel_emit(c, buf, frame_seal(&c->session.send, buf, at + len)))
        return false;
    has_put(c);
    return true;
}

/* The record at the cursor is on its way. */
static inline void has_sent(struct channel *c, size_t len)
{
    if (c->sent == c->base)
        sealed_deadline(c);
    if (c->sent < c->high)
        metrics_count(c->node->env->metrics, COUNT_RESENT, 1);
    else
        c->high = c->sent + 1;
    c->sent++;
    c->cursor += (uint32_t)(BACKLOG_HEADER + len);
}

static bool put_record(struct channel *c)
{
    struct record r = backlog_peek(&c->queue, c->cursor);
    if (!put(c, (uint8_t)(FRAME_DATA | (r.flags & FRAME_MORE)), c->sent, r.len))
        return false;
    has_sent(c, r.len);
    return true;
}

/* Can a message of so many bytes go out before channel_send returns, with nothing else to say? */
static bool passes(const struct channel *c, size_t len)
{
    return c->session.live && c->transport_up && !c->blocked &&
           !(c->due & (DUE_SHAKE | DUE_PROBE)) && c->sent == c->base + c->queue.count &&
           c->queue.count < c->limit && len <= c->node->max_frame - FRAME_DATA_OVERHEAD &&
           pool_admits(c, BACKLOG_HEADER + len);
}

bool sealed_pass(struct channel *c, const void *head, size_t head_len, const void *body,
                 size_t body_len)
{
    enum { SMALL = 2048 };
    uint8_t buf[SMALL + FRAME_DATA_OVERHEAD], *kept;
    size_t at, len = head_len + body_len;
    struct frame f;
    if (len > SMALL || !passes(c, len) ||
        backlog_reserve(&c->queue, BACKLOG_HEADER + len, c->node->env->slab))
        return false;
    kept = backlog_begin(&c->queue, FRAME_FIRST, len);
    if (!kept)
        return false;
    if (head_len)
        memcpy(kept, head, head_len);
    if (body_len)
        memcpy(kept + head_len, body, body_len);
    c->node->pool_used += BACKLOG_HEADER + len;
    f = (struct frame){.flags = c->due & DUE_RESEND ? FRAME_DATA | FRAME_RESEND : FRAME_DATA,
                       .ack = c->expected,
                       .number = c->sent};
    at = frame_begin(buf, c->session.send.nonce, &f);
    if (len)
        memcpy(buf + at, kept, len);
    charge(c, len);
    if (channel_emit(c, buf, frame_seal(&c->session.send, buf, at + len))) {
        has_put(c);
        has_sent(c, len);
    }
    arm(c);
    return true;
}

static void put_records(struct channel *c)
{
    uint64_t all = c->queue.count, most = all < c->limit ? all : c->limit;
    bool any = false;
    while (c->session.live && !c->blocked && c->sent < c->base + most)
        any |= put_record(c);
    if (any && most < all)
        c->due |= DUE_PROBE; /* the next ones wait for the answer */
}

static void put_control(struct channel *c)
{
    uint8_t probe = c->due & DUE_PROBE ? FRAME_PROBE : 0;
    if (put(c, probe, probe ? c->sent : 0, 0))
        c->due &= (uint8_t)~DUE_PROBE;
}

static void put_all(struct channel *c)
{
    if (c->due & DUE_SHAKE && c->shake && channel_emit(c, c->shake->frame, c->shake->len))
        c->due &= (uint8_t)~DUE_SHAKE;
    put_records(c);
    if (c->session.live && !c->blocked && c->due & (DUE_ACK | DUE_RESEND | DUE_PROBE))
        put_control(c);
}

void sealed_flush(struct channel *c)
{
    if (c->transport_up && !c->blocked && (c->due || c->sent != c->base + c->queue.count))
        put_all(c);
    arm(c);
}

void sealed_acknowledged(struct channel *c, uint64_t number)
{
    bool news = c->base < number;
    while (c->base < number) {
        size_t size = pool_pop(c);
        c->base++;
        if (c->sent < c->base)
            c->sent = c->base;
        else
            c->cursor -= (uint32_t)size;
    }
    if (news) {
        c->tries = 0;
        c->troubled = false;
        c->limit = c->limit > UINT32_MAX / 2 ? UINT32_MAX : 2 * c->limit;
        sealed_deadline(c);
    }
}

void sealed_rewind(struct channel *c)
{
    c->sent = c->base;
    c->cursor = 0;
    c->asked = c->troubled = false;
    c->limit = UINT32_MAX;
}

void sealed_reset(struct channel *c)
{
    pool_clear(c);
    c->base = c->high = c->expected = 0;
    c->got_frames = 0;
    c->got_bytes = 0;
    sealed_rewind(c);
}

/* ---- receiving ---- */

static void deliver(struct channel *c, const struct frame *f)
{
    if (c->part || f->flags & FRAME_MORE) {
        if (!(f->flags & FRAME_MORE))
            pool_deliver(c);
    } else {
        c->node->up->deliver(c->node->node, c->peer, f->data, f->len);
    }
}

static void too_big(struct channel *c)
{
    char why[ERR_TEXT];
    snprintf(why, sizeof why, "%s sent a message above 16 MiB", channel_peer_name(c));
    channel_fail(c, ERR_TOO_BIG, why);
}

static void accept_data(struct channel *c, const struct frame *f)
{
    int code = c->part || f->flags & FRAME_MORE ? pool_join(c, f->data, f->len) : ERR_OK;
    if (code) {
        channel_drop(c, DROP_CHANNEL_LIMIT); /* without memory: it will be sent again */
        if (code == ERR_TOO_BIG)
            too_big(c);
        return;
    }
    c->expected++;
    c->asked = false;
    c->got_frames++;
    c->got_bytes += (uint32_t)f->len;
    if (c->got_frames >= ACK_FRAMES || c->got_bytes >= ACK_BYTES)
        c->due |= DUE_ACK;
    deliver(c, f);
}

static void take_data(struct channel *c, const struct frame *f)
{
    if (f->number == c->expected) {
        accept_data(c, f);
    } else if (f->number < c->expected) {
        channel_drop(c, DROP_CHANNEL_REPLAY);
    } else {
        channel_drop(c, DROP_CHANNEL_GAP);
        if (!c->asked)
            c->due |= DUE_RESEND;
        c->asked = true;
    }
}

/* All from base on once more; if that was in vain before, half as many at a time, so that a
 * transport that reorders lets at least one through. */
static void go_back(struct channel *c)
{
    uint64_t flight = c->sent - c->base;
    if (flight == 0)
        return;
    if (c->troubled)
        c->limit = flight > 2 ? (uint32_t)(flight / 2) : 1;
    c->troubled = true;
    c->sent = c->base;
    c->cursor = 0;
}

static void take(struct channel *c, const struct frame *f)
{
    c->tries = 0;
    if (c->lost) {
        c->lost = false;
        channel_report(c, PEER_UP);
    }
    sealed_acknowledged(c, f->ack);
    if (f->flags & FRAME_RESEND && f->ack == c->base)
        go_back(c);
    if (f->flags & FRAME_PROBE)
        c->due |= (uint8_t)(DUE_ACK | (f->number > c->expected ? DUE_RESEND : 0));
    if (f->flags & FRAME_DATA)
        take_data(c, f);
}

/* Its plaintext, or NULL. */
static const uint8_t *open_under(struct channel *c, struct session *s, const uint8_t *frame,
                                 size_t len, uint8_t *buf)
{
    const uint8_t *plain;
    if (frame_nonce(frame) < s->recv.nonce)
        return NULL;
    charge(c, len);
    plain = frame_open(&s->recv, frame, len, buf);
    if (!plain)
        return NULL;
    s->recv.nonce = frame_nonce(frame) + 1;
    s->confirmed = true;
    return plain;
}

/* Under the session, or the one aside, which then takes its place. */
static const uint8_t *open_frame(struct channel *c, const uint8_t *frame, size_t len, uint8_t *buf)
{
    bool live = c->session.live, aside = c->shake && !c->shake->initiator;
    const uint8_t *plain = live ? open_under(c, &c->session, frame, len, buf) : NULL;
    if (plain)
        return plain;
    if (aside && (plain = open_under(c, &c->shake->session, frame, len, buf)))
        return shake_promote(c) ? plain : NULL;
    if (!live && !aside)
        channel_drop(c, DROP_CHANNEL_STATE);
    else if (live && frame_nonce(frame) < c->session.recv.nonce)
        channel_drop(c, DROP_CHANNEL_REPLAY);
    else
        channel_drop(c, DROP_CHANNEL_AUTH);
    return NULL;
}

void sealed_receive(struct channel *c, const uint8_t *frame, size_t len)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    const uint8_t *plain;
    struct frame f;
    size_t plain_len;
    if (c->failed) {
        channel_drop(c, DROP_CHANNEL_STATE);
        return;
    }
    if (len < FRAME_CONTROL || len > LINK_MESSAGE_MAX) {
        channel_drop(c, DROP_CHANNEL_FORMAT);
        return;
    }
    plain = open_frame(c, frame, len, buf);
    if (!plain)
        return;
    plain_len = len - FRAME_CLEAR - NOISE_TAG;
    if (frame_parse(&f, plain, plain_len) || f.ack > c->high)
        channel_drop(c, DROP_CHANNEL_FORMAT);
    else
        take(c, &f);
    if (plain == buf)
        sodium_memzero(buf, plain_len);
}
