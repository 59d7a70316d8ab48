#include "engine/base/bytes.h"
#include "transports/relay_server.h"

#include <stdlib.h>

enum { BATCH = 512 }; /* entries of a list in one frame */

void relay_dirty(struct relay_server *s, struct relay_out *out)
{
    if (!out->blocked && ring_empty(&out->dirty))
        ring_join(&s->dirty, &out->dirty);
}

/* False: not taken; EV_ROOM follows, or EV_DOWN. */
static bool put(struct relay_server *s, struct relay_out *out, uint8_t *buf, size_t len)
{
    out->blocked = noiselink_send(&out->link, &s->self, buf, len) != OK;
    if (!out->blocked)
        out->said = s->setup.env->now;
    return !out->blocked;
}

/* ---- messages ------------------------------------------------------------------------- */

static bool put_message(struct relay_server *s, const struct relay_flow *f, uint64_t session,
                        const uint8_t *data, size_t len)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    size_t at = f->out->relay ? RELAY_FORWARD_HEADER : RELAY_HEADER;
    put_le32(buf + 1, f->from);
    if (f->out->relay) {
        buf[0] = RELAY_FORWARD;
        put_le32(buf + 5, f->to);
        put_le64(buf + 9, session);
    } else {
        buf[0] = RELAY_RECV;
    }
    memcpy(buf + at, data, len);
    return put(s, f->out, buf, at + len);
}

bool relay_pass(struct relay_server *s, struct relay_flow *f, uint64_t session, const uint8_t *data,
                size_t len)
{
    struct relay_out *out = f->out;
    if (!out || out->blocked || !ring_empty(&out->active) || !ring_empty(&out->notices))
        return false;
    if (out->relay ? f->credit <= 0 || out->news_at < out->news_n
                   : !f->watched || f->told != session)
        return false;
    if (!put_message(s, f, session, data, len))
        return false;
    f->credit -= out->relay ? (int64_t)len + RELAY_COST : 0;
    return true;
}

/* ---- lists ---------------------------------------------------------------------------- */

static bool put_here(struct relay_server *s, struct relay_out *out)
{
    uint8_t buf[1 + BATCH * 4 + NOISE_TAG];
    struct relay_ring *r = out->notices.next;
    uint64_t first = relay_flow_wants(s, RING_OF(r, relay_flow, notice));
    uint32_t n = 0;
    buf[0] = first ? RELAY_HERE : RELAY_GONE;
    for (; r != &out->notices && n < BATCH; r = r->next, n++) {
        const struct relay_flow *f = RING_OF(r, relay_flow, notice);
        if (!relay_flow_wants(s, f) != !first)
            break;
        put_le32(buf + 1 + n * 4, f->from);
    }
    if (!put(s, out, buf, 1 + n * 4))
        return false;
    for (; n; n--) {
        struct relay_flow *f = RING_OF(out->notices.next, relay_flow, notice);
        f->told = relay_flow_wants(s, f);
        ring_leave(&f->notice);
    }
    return true;
}

/* The sender's next message is of a session that the receiver does not know. */
static bool put_here_one(struct relay_server *s, struct relay_out *out, struct relay_flow *f)
{
    uint8_t buf[1 + 4 + NOISE_TAG] = {RELAY_HERE};
    put_le32(buf + 1, f->from);
    if (!put(s, out, buf, 5))
        return false;
    f->told = f->head->session;
    return true;
}

static bool put_owing(struct relay_server *s, struct relay_out *out)
{
    uint8_t buf[1 + BATCH * 12 + NOISE_TAG];
    uint32_t n = 0;
    size_t at = 1;
    buf[0] = out->relay ? RELAY_PASSED : RELAY_CREDIT;
    for (struct relay_ring *r = out->owing.next; r != &out->owing && n < BATCH; r = r->next, n++) {
        const struct relay_flow *f = RING_OF(r, relay_flow, owing);
        if (out->relay) {
            put_le32(buf + at, f->from);
            at += 4;
        }
        put_le32(buf + at, f->to);
        put_le32(buf + at + 4, f->owed);
        at += 8;
    }
    if (!put(s, out, buf, at))
        return false;
    for (; n; n--) {
        struct relay_flow *f = RING_OF(out->owing.next, relay_flow, owing);
        f->owed = 0;
        ring_leave(&f->owing);
    }
    return true;
}

void relay_news_one(struct relay_server *s, struct relay_out *out, party_t who)
{
    if (out->newsy[who / 8] & 1 << who % 8)
        return;
    if (out->news_n == out->news_cap) {
        uint32_t cap = out->news_cap ? 2 * out->news_cap : 64;
        party_t *news = realloc(out->news, cap * sizeof *news);
        if (!news)
            return;
        out->news = news;
        out->news_cap = cap;
    }
    out->newsy[who / 8] |= (uint8_t)(1 << who % 8);
    out->news[out->news_n++] = who;
    relay_dirty(s, out);
}

void relay_news(struct relay_server *s, party_t who)
{
    for (uint32_t i = 0; i < s->n_neighbours; i++) {
        struct relay_out *out = s->stations[s->neighbours[i].id].out;
        if (out)
            relay_news_one(s, out, who);
    }
}

/* Is it at this relay? */
static bool is_here(const struct relay_server *s, party_t who)
{
    const struct relay_station *st = &s->stations[who];
    return st->out || (st->held && !st->full);
}

static bool put_news(struct relay_server *s, struct relay_out *out)
{
    uint8_t buf[1 + BATCH * 12 + NOISE_TAG];
    bool here = is_here(s, out->news[out->news_at]);
    uint32_t n = 0;
    buf[0] = here ? RELAY_ARRIVED : RELAY_LEFT;
    for (; out->news_at + n < out->news_n && n < BATCH; n++) {
        party_t who = out->news[out->news_at + n];
        if (is_here(s, who) != here)
            break;
        put_le32(buf + 1 + n * 12, who);
        put_le64(buf + 5 + n * 12, s->stations[who].session);
    }
    if (!put(s, out, buf, 1 + n * 12))
        return false;
    for (; n; n--) {
        party_t who = out->news[out->news_at++];
        out->newsy[who / 8] &= (uint8_t) ~(1 << who % 8);
    }
    if (out->news_at == out->news_n)
        out->news_at = out->news_n = 0;
    return true;
}

void relay_say_lost(struct relay_server *s, struct relay_out *out, party_t from, party_t to)
{
    uint8_t buf[9 + NOISE_TAG] = {RELAY_LOST};
    put_le32(buf + 1, from);
    put_le32(buf + 5, to);
    if (!out->blocked)
        put(s, out, buf, 9); /* else the two find out by themselves */
}

/* ---- in turn -------------------------------------------------------------------------- */

/* One message of the flow whose turn it is, or another flow's turn. */
static bool put_next(struct relay_server *s, struct relay_out *out)
{
    struct relay_flow *f = RING_OF(out->active.next, relay_flow, active);
    uint32_t cost = f->head->len + RELAY_COST;
    if (!out->relay && f->told != f->head->session)
        return put_here_one(s, out, f);
    if (f->deficit < cost) {
        f->deficit += RELAY_QUANTUM;
        ring_join(&out->active, &f->active);
        return true;
    }
    if (!put_message(s, f, f->head->session, f->head->data, f->head->len))
        return false;
    f->deficit -= cost;
    f->credit -= out->relay ? cost : 0;
    relay_flow_pop(s, f);
    if (!f->head)
        f->deficit = 0;
    relay_flow_due(s, f);
    relay_flow_tidy(s, f);
    return true;
}

static bool put_pong(struct relay_server *s, struct relay_out *out)
{
    uint8_t buf[1 + NOISE_TAG] = {RELAY_PONG};
    out->pong = !put(s, out, buf, 1);
    return !out->pong;
}

static void pump(struct relay_server *s, struct relay_out *out)
{
    bool going = !out->blocked;
    while (going) {
        if (out->pong)
            going = put_pong(s, out);
        else if (out->news_at < out->news_n)
            going = put_news(s, out);
        else if (!ring_empty(&out->owing))
            going = put_owing(s, out);
        else if (!ring_empty(&out->notices))
            going = put_here(s, out);
        else if (!ring_empty(&out->active))
            going = put_next(s, out);
        else
            return;
    }
}

void relay_pump(struct relay_server *s)
{
    while (!ring_empty(&s->dirty)) {
        struct relay_out *out = RING_OF(s->dirty.next, relay_out, dirty);
        ring_leave(&out->dirty);
        pump(s, out);
    }
}
