/* A life of one end: its sessions, its datagrams, its timer. */
#include "transports/reliable.h"

#include "engine/base/bytes.h"
#include "transports/reliable_inner.h"

#include <stdlib.h>

static const struct reliable_setup defaults = {
    .datagram_max = 1200,
    .message_max = LINK_MESSAGE_MAX,
    .queue = 1 << 20,
    .window = 1 << 20,
    .segments = 4096,
    .initial_window = 10,
    .reorder = 3,
    .ack_every = 2,
    .ack_delay = 5 * NS_MS,
    .rto_first = NS_S,
    .rto_min = 50 * NS_MS,
    .rto_max = 10 * NS_S,
    .ping_every = 15 * NS_S,
    .silence = 30 * NS_S,
    .pace = true,
};

void reliable_defaults(struct reliable_setup *s, const struct reliable_ops *ops, void *ctx)
{
    *s = defaults;
    s->ops = ops;
    s->ctx = ctx;
}

int reliable_init(struct reliable *r, const struct reliable_setup *s, struct err *e)
{
    const size_t most = 1 << 30;
    size_t least = s->message_max + RELIABLE_FRAME;
    if (s->datagram_max < RELIABLE_DATAGRAM_MIN || s->datagram_max > RELIABLE_DATAGRAM_MAX)
        return err_set(e, ERR_INVALID, "datagrams of %zu bytes: expected %d to %d", s->datagram_max,
                       RELIABLE_DATAGRAM_MIN, RELIABLE_DATAGRAM_MAX);
    if (s->message_max < 1 || s->message_max > most || s->queue < least || s->window < least ||
        s->queue > most || s->window > most)
        return err_set(e, ERR_INVALID, "queue and window must hold a message: at least %zu bytes",
                       least);
    if (s->segments < 1 || s->segments > RELIABLE_SEGMENTS_MAX || s->initial_window < 1 ||
        s->initial_window > s->segments || s->reorder < 1 || s->reorder > s->segments ||
        s->ack_every < 1)
        return err_set(e, ERR_INVALID,
                       "segments, initial_window, reorder and ack_every: too small "
                       "or too many");
    if (s->rto_min < 1 || s->rto_first < s->rto_min || s->rto_max < s->rto_first ||
        s->ack_delay < 0 || s->ping_every < 0 || s->silence < 1)
        return err_set(e, ERR_INVALID, "rto_min, rto_first and rto_max must ascend from above 0");
    *r = (struct reliable){.setup = *s, .woken = NS_NEVER};
    return OK;
}

void reliable_free(struct reliable *r)
{
    free(r->out.data);
    free(r->in.data);
    free(r->ring);
    free(r->ranges);
    *r = (struct reliable){.setup = r->setup, .woken = NS_NEVER};
}

/* ---- time --------------------------------------------------------------------------------- */

static ns_t earlier(ns_t a, ns_t b)
{
    return a < b ? a : b;
}

static ns_t ping_due(const struct reliable *r)
{
    return r->setup.ping_every && !r->ping ? r->elicit_at + r->setup.ping_every : NS_NEVER;
}

static ns_t silent_at(const struct reliable *r)
{
    return r->asked_at == NS_NEVER ? NS_NEVER : r->asked_at + r->setup.silence;
}

static void wake(struct reliable *r, ns_t now)
{
    ns_t at = NS_NEVER;
    if (r->state == RELIABLE_HELLOING)
        at = r->hello_at;
    if (r->state == RELIABLE_UP) {
        at = earlier(r->ack_at, r->loss_at);
        at = earlier(at, loss_rto_at(r));
        at = earlier(at, out_paced(r));
        at = earlier(at, ping_due(r));
        at = earlier(at, silent_at(r));
    }
    if (at < now)
        at = now;
    if (at >= r->woken)
        return;
    r->woken = at;
    r->setup.ops->wake(r->setup.ctx, at);
}

static void hello(struct reliable *r, ns_t now)
{
    ns_t wait = r->setup.rto_first;
    for (uint32_t i = 0; i < r->backoff && wait < r->setup.rto_max; i++)
        wait *= 2;
    r->backoff += wait < r->setup.rto_max;
    r->hello_at = now + earlier(wait, r->setup.rto_max);
    out_bare(r, 0, 0);
}

/* ---- sessions ----------------------------------------------------------------------------- */

static void bury(struct reliable *r)
{
    if (r->peer)
        r->dead[r->n_dead++ % RELIABLE_DEAD] = r->peer;
    r->peer = 0;
}

static bool is_dead(const struct reliable *r, uint64_t token)
{
    for (int i = 0; i < RELIABLE_DEAD; i++)
        if (r->dead[i] == token)
            return true;
    return false;
}

static void end(struct reliable *r, enum down_reason why)
{
    bury(r);
    r->state = RELIABLE_CLOSED;
    r->life++;
    r->setup.ops->down(r->setup.ctx, why);
}

static void begin(struct reliable *r, ns_t now, uint64_t peer)
{
    r->peer = peer;
    r->state = RELIABLE_UP;
    r->life++;
    in_begin(r);
    out_begin(r, now);
    r->heard_at = now;
    r->setup.ops->up(r->setup.ctx);
}

void reliable_open(struct reliable *r, ns_t now, uint64_t token)
{
    if (r->state != RELIABLE_CLOSED)
        return;
    r->token = token ? token : 1;
    memset(r->dead, 0, sizeof r->dead); /* they knew earlier tokens of ours; the peer may live on */
    r->state = RELIABLE_HELLOING;
    r->backoff = 0;
    hello(r, now);
    wake(r, now);
}

void reliable_close(struct reliable *r, ns_t now)
{
    (void)now;
    if (r->state == RELIABLE_UP)
        out_bare(r, RELIABLE_CLOSE, r->peer);
    if (r->state == RELIABLE_CLOSED)
        return;
    bury(r);
    r->state = RELIABLE_CLOSED;
    r->life++;
}

/* ---- messages ----------------------------------------------------------------------------- */

int reliable_send(struct reliable *r, ns_t now, const void *message, size_t len)
{
    struct reliable_stretch *s = &r->out;
    uint8_t *at;
    if (r->state != RELIABLE_UP)
        return ERR_CLOSED;
    if (len == 0 || len > r->setup.message_max)
        return ERR_TOO_BIG;
    if (s->len + RELIABLE_FRAME + len > r->setup.queue) {
        r->refused = true;
        return ERR_AGAIN;
    }
    if (stretch_room(s, RELIABLE_FRAME + len, r->setup.queue) != OK)
        return ERR_NOMEM;
    if (s->len == 0 && now - r->elicit_at > r->srtt + 4 * r->rttvar + r->setup.rto_min) {
        size_t first = r->setup.initial_window * r->setup.datagram_max;
        r->cwnd = r->cwnd < first ? r->cwnd : first; /* RFC 5681, 4.1 */
    }
    at = s->data + s->start + s->len;
    put_le32(at, (uint32_t)len);
    memcpy(at + RELIABLE_FRAME, message, len);
    s->len += RELIABLE_FRAME + len;
    out_flush(r, now);
    wake(r, now);
    return OK;
}

static void tell_room(struct reliable *r)
{
    if (!r->refused || r->out.len > r->setup.queue / 2)
        return;
    r->refused = false;
    r->setup.ops->room(r->setup.ctx);
}

/* ---- datagrams ---------------------------------------------------------------------------- */

struct datagram {
    uint8_t flags;
    uint64_t to, from, transmission, offset;
    struct reliable_ack ack;
    const uint8_t *data;
    size_t len;
};

static bool parse(struct datagram *d, const uint8_t *bytes, size_t len)
{
    struct reader in = reader_of(bytes, len);
    uint8_t first = read_u8(&in);
    *d = (struct datagram){.flags = first & 15};
    d->to = read_u64(&in);
    d->from = read_u64(&in);
    if (in.bad || first >> 4 != RELIABLE_VERSION || d->from == 0)
        return false;
    if (d->flags & RELIABLE_CLOSE)
        return d->flags == RELIABLE_CLOSE && in.left == 0;
    if (d->flags & RELIABLE_ACK) {
        d->ack.largest = read_u64(&in);
        d->ack.delay_us = read_u32(&in);
        d->ack.duplicates = read_u32(&in);
        d->ack.next = read_u64(&in);
        d->ack.window = read_u32(&in);
        d->ack.n = read_u8(&in);
        if (d->ack.n > RELIABLE_RANGES)
            return false;
        d->ack.ranges = read_bytes(&in, (size_t)d->ack.n * 8);
    }
    if (d->flags & (RELIABLE_DATA | RELIABLE_PING)) {
        d->transmission = read_u64(&in);
        if (d->transmission == 0)
            return false;
    }
    if (d->flags & RELIABLE_DATA) {
        d->offset = read_u64(&in);
        d->len = in.left;
        d->data = read_bytes(&in, in.left);
        return !in.bad && d->len > 0;
    }
    return !in.bad && in.left == 0;
}

uint64_t reliable_to(const uint8_t *datagram, size_t len)
{
    return len >= RELIABLE_HEADER && datagram[0] >> 4 == RELIABLE_VERSION ? get_le64(datagram + 1)
                                                                          : 0;
}

/* The session that a datagram belongs to, which it may begin. */
static int meet(struct reliable *r, ns_t now, const struct datagram *d)
{
    uint32_t life;
    if (d->from == r->token || is_dead(r, d->from) || d->to != r->token)
        return ERR_AUTH;
    if (r->state == RELIABLE_UP && d->from == r->peer)
        return OK;
    if (d->flags & RELIABLE_CLOSE)
        return ERR_AUTH;
    if (r->state == RELIABLE_UP) {
        bury(r);
        life = ++r->life;
        r->setup.ops->down(r->setup.ctx, DOWN_RESET);
        if (r->life != life)
            return ERR_CLOSED;
    }
    life = r->life + 1;
    begin(r, now, d->from);
    if (r->life != life)
        return ERR_CLOSED;
    if (r->transmission == 0)
        out_bare(r, 0, r->peer); /* so that the peer is up, too */
    return OK;
}

/* Its parts, in a session. */
static int apply(struct reliable *r, ns_t now, const struct datagram *d)
{
    uint32_t life = r->life;
    int rc = OK, delivered;
    if ((d->flags & RELIABLE_ACK) && !loss_ack_fits(r, &d->ack))
        return ERR_FORMAT;
    r->heard_at = now;
    r->asked_at = NS_NEVER;
    if (d->flags & RELIABLE_CLOSE) {
        end(r, DOWN_CLOSED);
        return OK;
    }
    if (d->flags & RELIABLE_ACK)
        loss_ack(r, now, &d->ack);
    if (d->transmission)
        in_note(r, now, d->transmission);
    if (d->flags & RELIABLE_PING) {
        r->unacked++;
        r->ack_at = now;
    }
    if (d->flags & RELIABLE_DATA) {
        rc = in_segment(r, now, d->offset, d->data, d->len);
        delivered = in_deliver(r);
        if (delivered == ERR_TOO_BIG) {
            out_bare(r, RELIABLE_CLOSE, r->peer);
            end(r, DOWN_TOO_BIG);
        }
        if (delivered != OK)
            return rc;
    }
    tell_room(r);
    if (r->life != life)
        return rc;
    out_flush(r, now);
    if (r->ack_at <= now)
        out_ack(r, now);
    return rc;
}

static int take(struct reliable *r, ns_t now, const uint8_t *bytes, size_t len)
{
    struct datagram d;
    int rc;
    if (!parse(&d, bytes, len))
        return ERR_FORMAT;
    if (r->state == RELIABLE_CLOSED)
        return ERR_AUTH;
    if (d.to == 0) {
        if (d.flags)
            return ERR_FORMAT;
        if (d.from == r->token || is_dead(r, d.from))
            return ERR_AUTH;
        out_bare(r, 0, d.from);
        return OK;
    }
    rc = meet(r, now, &d);
    if (rc == OK)
        rc = apply(r, now, &d);
    return rc == ERR_CLOSED ? OK : rc;
}

int reliable_input(struct reliable *r, ns_t now, const uint8_t *datagram, size_t len)
{
    int rc = take(r, now, datagram, len);
    r->counts.received++;
    r->counts.foreign += rc == ERR_AUTH;
    r->counts.format += rc == ERR_FORMAT;
    wake(r, now);
    return rc;
}

/* ---- the timer ---------------------------------------------------------------------------- */

static void tick_up(struct reliable *r, ns_t now)
{
    if (silent_at(r) <= now) {
        end(r, DOWN_TIMEOUT);
        return;
    }
    if (r->loss_at <= now)
        loss_judge(r, now);
    if (loss_rto_at(r) <= now)
        loss_rto(r, now);
    out_flush(r, now);
    if (ping_due(r) <= now)
        out_ping(r, now);
    if (r->ack_at <= now)
        out_ack(r, now);
}

void reliable_tick(struct reliable *r, ns_t now)
{
    if (r->woken <= now)
        r->woken = NS_NEVER;
    if (r->state == RELIABLE_UP)
        tick_up(r, now);
    else if (r->state == RELIABLE_HELLOING && r->hello_at <= now)
        hello(r, now);
    wake(r, now);
}

void reliable_moved(struct reliable *r, ns_t now)
{
    size_t first = r->setup.initial_window * r->setup.datagram_max;
    if (r->state != RELIABLE_UP)
        return;
    r->srtt = r->rttvar = r->latest = 0;
    r->backoff = 0;
    r->rto_from = NS_NEVER;
    r->cwnd = r->cwnd < first ? r->cwnd : first;
    r->ssthresh = SIZE_MAX / 4;
    out_ping(r, now);
    wake(r, now);
}
