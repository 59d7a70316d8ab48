#include <sodium.h>
#include <stdio.h>

#include "engine/channel/inside.h"

enum {
    PROBES_MAX = 6,
    PATIENCE = 2,   /* silent timers, then this side begins a handshake in any case */
    BACKOFF_MAX = 3 /* doublings of PROBE_AFTER */
};

static const ns_t PROBE_AFTER = NS_S;

/* `got` calls for an acknowledgement: 32 frames or 64 KiB, which are powers of two. */
static const uint32_t GOT_MUCH = ~(32 * (uint32_t)GOT_FRAME - 1) | (GOT_FRAME - (64 << 10));

/* ---- time ---- */

/* Is there anything that a timer would have to see to? */
static bool watched(const struct channel *c)
{
    if (!c->transport_up || c->lost)
        return false;
    if (!c->failed && (!c->live || c->sent))
        return true;
    return c->shake && c->shake->initiator;
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
    bool live = c->live, ours = c->shake && c->shake->initiator;
    if (c->tries < UINT8_MAX)
        c->tries++;
    if (live && c->sent)
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

static inline void has_put(struct channel *c)
{
    c->due &= (uint8_t) ~(DUE_ACK | DUE_RESEND);
    c->got = 0;
}

/* The first record that was not, of `len` bytes, is on its way. */
static inline void has_sent(struct channel *c, size_t len)
{
    if (c->sent == 0)
        sealed_deadline(c);
    if (c->sent < c->high)
        metrics_count(c->node->env->metrics, COUNT_RESENT, 1);
    else
        c->high = c->sent + 1;
    c->sent++;
    c->cursor += (uint32_t)(BACKLOG_HEADER + len);
}

/* Can a message of so many bytes go out before channel_send returns, alone and with nothing else
 * to say? */
static inline bool passes(const struct channel *c, size_t len)
{
    if (c->blocked || c->failed || c->limited || !c->live || c->due & ~DUE_ACK)
        return false;
    return c->sent == c->queue.count && len <= c->node->max_frame - FRAME_DATA_OVERHEAD &&
           pool_admits(c, BACKLOG_HEADER + len);
}

/* Begins with what channel_queue would do with an ordinary message. */
int sealed_send(struct channel *c, const void *head, size_t head_len, const void *body,
                size_t body_len)
{
    enum { SMALL = 8 << 10 };
    uint8_t buf[SMALL + FRAME_DATA_OVERHEAD], *kept;
    size_t at, len = head_len + body_len, size = BACKLOG_HEADER + len;
    if (head_len > SMALL || body_len > SMALL - head_len || !passes(c, len) ||
        backlog_reserve(&c->queue, size, c->node->env->slab))
        return channel_queue(c, head, head_len, body, body_len);
    kept = backlog_push(&c->queue, FRAME_FIRST, len);
    c->node->pool_used += size;
    if (head_len)
        memcpy(kept, head, head_len);
    if (body_len)
        memcpy(kept + head_len, body, body_len);
    at = frame_begin(buf, c->session.send_nonce, FRAME_DATA, c->expected, c->base + c->sent);
    memcpy(buf + at, kept, len);
    channel_charge(c, len);
    if (channel_emit(c, buf, frame_seal(&c->session, c->modelled, buf, at + len))) {
        has_put(c);
        has_sent(c, len);
    }
    arm(c);
    return ERR_OK;
}

/* One frame, with `len` bytes of data. False: not taken. */
static __attribute__((noinline)) bool put(struct channel *c, unsigned flags, uint64_t number,
                                          const uint8_t *data, size_t len)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    size_t at;
    if (c->due & DUE_RESEND)
        flags |= FRAME_RESEND;
    at = frame_begin(buf, c->session.send_nonce, (uint8_t)flags, c->expected, number);
    if (len)
        memcpy(buf + at, data, len);
    channel_charge(c, len);
    if (!channel_emit(c, buf, frame_seal(&c->session, c->modelled, buf, at + len)))
        return false;
    has_put(c);
    return true;
}

static bool put_record(struct channel *c)
{
    struct record r = backlog_peek(&c->queue, c->cursor);
    if (!put(c, FRAME_DATA | (r.flags & FRAME_MORE), c->base + c->sent, r.data, r.len))
        return false;
    has_sent(c, r.len);
    return true;
}

static void put_records(struct channel *c)
{
    uint32_t all = c->queue.count, most = c->limited && c->limit < all ? c->limit : all;
    bool any = false;
    while (c->live && !c->blocked && c->sent < most)
        any |= put_record(c);
    if (any && most < all)
        c->due |= DUE_PROBE; /* the next ones wait for the answer */
}

static void put_control(struct channel *c)
{
    uint8_t probe = c->due & DUE_PROBE ? FRAME_PROBE : 0;
    if (put(c, probe, probe ? c->base + c->sent : 0, NULL, 0))
        c->due &= (uint8_t)~DUE_PROBE;
}

static void put_all(struct channel *c)
{
    if (c->due & DUE_SHAKE && c->shake && channel_emit(c, c->shake->frame, c->shake->len))
        c->due &= (uint8_t)~DUE_SHAKE;
    put_records(c);
    if (c->live && !c->blocked && c->due & (DUE_ACK | DUE_RESEND | DUE_PROBE))
        put_control(c);
}

void sealed_flush(struct channel *c)
{
    if (c->transport_up && !c->blocked && (c->due || c->sent != c->queue.count))
        put_all(c);
    arm(c);
}

/* So many records have arrived, of which the peer had not told before. */
static inline void release(struct channel *c, uint32_t records)
{
    c->tries = 0;
    sealed_deadline(c);
    c->base += records;
    c->high -= records;
    while (records--) {
        size_t size = pool_pop(c);
        if (c->sent) {
            c->sent--;
            c->cursor -= (uint32_t)size;
        }
    }
}

void sealed_acknowledged(struct channel *c, uint64_t number)
{
    if (number <= c->base)
        return;
    c->troubled = false;
    if (c->limited) {
        c->limited = c->limit <= UINT32_MAX / 2;
        c->limit *= 2;
    }
    release(c, (uint32_t)(number - c->base));
}

void sealed_rewind(struct channel *c)
{
    c->sent = 0;
    c->cursor = 0;
    c->asked = c->troubled = c->limited = false;
}

void sealed_reset(struct channel *c)
{
    pool_clear(c);
    c->base = c->expected = 0;
    c->high = 0;
    c->got = 0;
    sealed_rewind(c);
}

/* ---- receiving ---- */

static void too_big(struct channel *c)
{
    char why[ERR_TEXT];
    snprintf(why, sizeof why, "%s sent a message above 16 MiB", channel_peer_name(c));
    channel_fail(c, ERR_TOO_BIG, why);
}

/* A frame with data more; its number is the expected one. */
static inline void count_data(struct channel *c, size_t len)
{
    c->expected++;
    c->got += GOT_FRAME + (uint32_t)len;
    if (c->got & GOT_MUCH)
        c->due |= DUE_ACK;
}

static void accept_data(struct channel *c, const struct frame *f)
{
    bool more = f->flags & FRAME_MORE, whole = !c->parted && !more;
    int code = whole ? ERR_OK : pool_join(c, f->data, f->len);
    if (code) {
        channel_drop(c, DROP_CHANNEL_LIMIT); /* without memory: it will be sent again */
        if (code == ERR_TOO_BIG)
            too_big(c);
        return;
    }
    c->asked = false;
    count_data(c, f->len);
    if (whole)
        c->node->up->deliver(c->node->node, c->peer, f->data, f->len);
    else if (!more)
        pool_deliver(c);
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
    if (c->sent == 0)
        return;
    if (c->troubled) {
        c->limited = true;
        c->limit = c->sent > 2 ? c->sent / 2 : 1;
    }
    c->troubled = true;
    c->sent = 0;
    c->cursor = 0;
}

static __attribute__((noinline)) void take_any(struct channel *c, const uint8_t *plain, size_t len)
{
    struct frame f;
    if (frame_parse(&f, plain, len) || f.ack > c->base + c->high) {
        channel_drop(c, DROP_CHANNEL_FORMAT);
        return;
    }
    c->tries = 0;
    if (c->lost) {
        c->lost = false;
        channel_report(c, PEER_UP);
    }
    sealed_acknowledged(c, f.ack);
    if (f.flags & FRAME_RESEND && f.ack == c->base)
        go_back(c);
    if (f.flags & FRAME_PROBE)
        c->due |= (uint8_t)(DUE_ACK | (f.number > c->expected ? DUE_RESEND : 0));
    if (f.flags & FRAME_DATA)
        take_data(c, &f);
}

static __attribute__((noinline)) void receive_any(struct channel *c, const uint8_t *frame,
                                                  size_t len)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    const uint8_t *plain;
    if (c->failed) {
        channel_drop(c, DROP_CHANNEL_STATE);
        return;
    }
    if (len < FRAME_CONTROL || len > LINK_MESSAGE_MAX) {
        channel_drop(c, DROP_CHANNEL_FORMAT);
        return;
    }
    plain = shake_open(c, frame, len, buf);
    if (plain)
        take_any(c, plain, len - FRAME_CLEAR - NOISE_TAG);
    if (plain == buf)
        sodium_memzero(buf, len - FRAME_CLEAR - NOISE_TAG);
}

/* Begins with what receive_any would do with an ordinary message under a modelled cipher. */
void sealed_receive(struct channel *c, const uint8_t *frame, size_t len)
{
    uint64_t nonce, news;
    if (c->failed || c->limited || c->lost || c->asked || c->parted || c->troubled || !c->live ||
        !c->modelled || len < FRAME_DATA_OVERHEAD || len > LINK_MESSAGE_MAX ||
        (nonce = frame_nonce(frame)) < c->session.recv_nonce || frame[9] != FRAME_DATA ||
        (news = get_le64(frame + 10) - c->base) > c->high || get_le64(frame + 18) != c->expected ||
        !frame_in_clear(&c->session, frame, len)) {
        receive_any(c, frame, len);
        return;
    }
    channel_charge(c, len);
    c->session.recv_nonce = nonce + 1;
    c->tries = 0;
    if (news)
        release(c, (uint32_t)news);
    len -= FRAME_DATA_OVERHEAD;
    count_data(c, len);
    c->node->up->deliver(c->node->node, c->peer, frame + FRAME_DATA_HEADER, len);
}
