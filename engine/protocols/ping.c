/* Protocol ping: messages there and back, in an open loop. It measures what is below it.
 *
 * Roles: a peer pings every other peer, a client every server. Ping k of a sender to a target
 * is intended for u + k * interval, u being the moment when the channel to that target
 * was first up, whatever became of those before: what has no room waits, and `rtt` counts from
 * the intended time to the arrival of the pong. With interval 0 all are intended for u.
 * one_way: nothing is answered.
 *
 * Messages: label.instance is PING or PONG, label.round is k; the body is `size` bytes, in a
 * pong `reply` bytes, of no meaning. Others are dropped: PROTOCOL_FORMAT (not of that length),
 * LABEL_TWICE (k came before), LABEL_UNKNOWN (any other).
 *
 * A party is done when its pongs are all there; a server at once, but it goes on answering.
 * With one_way, when all has been sent, and all that is sent to it has come. If a peer
 * restarts, what it has not answered (one_way: all) is sent again. If one is lost that was
 * needed, the party fails.
 */
#include "engine/base/fetch.h"
#include "engine/protocols/ping_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct protocol protocol_ping;

/* Between this party and one other. */
struct flow {
    ns_t base;      /* when its channel was first up */
    uint32_t due;   /* pings whose time has come */
    uint32_t sent;  /* pings */
    uint32_t pongs; /* received */
    uint32_t came;  /* pings received */
    uint32_t answered;
    bool up; /* was, once at least, and is not given up */
};

struct ping {
    const struct ping_plan *plan;
    struct flow *flows;
    party_t self;
    enum ping_role role;
    uint32_t n_flows;
    bool over;
    uint64_t left;   /* messages until this party is done */
    struct flow one; /* flows of those who have only one */
};

/* ---- who talks to whom ------------------------------------------------------------------ */

/* NULL: it is no partner. */
static struct flow *flow_of(const struct ping *s, party_t id)
{
    const struct ping_plan *plan = s->plan;
    uint32_t place;
    if (id >= plan->roster->n || ping_role_of(plan, id) != ping_partner(s->role) || id == s->self)
        return NULL;
    place = ping_place_of(plan, id);
    return &s->flows[s->role == PEER && place > ping_place_of(plan, s->self) ? place - 1 : place];
}

/* ---- sending ---------------------------------------------------------------------------- */

static void finish(struct ping *s, struct party *p)
{
    char text[PING_TEXT];
    s->over = true;
    party_result(p, text, (size_t)ping_result_text(s->plan, s->role, text));
}

static inline void check_done(struct ping *s, struct party *p)
{
    if (s->left == 0 && !s->over)
        finish(s, p);
}

/* Pongs that are owed, then pings that are due, as far as there is room. */
static void flush(struct ping *s, struct party *p, struct flow *f, party_t to)
{
    const struct ping_plan *plan = s->plan;
    if (!f->up)
        return;
    while (f->answered < f->came) {
        if (party_send(p, to, (struct label){f->answered, PONG}, plan->payload, plan->reply))
            return;
        f->answered++;
    }
    while (f->sent < f->due) {
        if (party_send(p, to, (struct label){f->sent, PING}, plan->payload,
                       (size_t)plan->opts->size))
            return;
        f->sent++;
        s->left -= plan->opts->one_way && !s->over;
    }
}

static ns_t intended(const struct ping *s, const struct flow *f, uint32_t k)
{
    return f->base + (ns_t)k * s->plan->opts->interval;
}

/* Sends the pings whose time has come, and arms the timer for the next. */
static void advance(struct ping *s, struct party *p, struct flow *f, party_t to)
{
    uint32_t count = ping_sends(s->role) ? s->plan->count : 0;
    while (f->due < count && intended(s, f, f->due) <= party_now(p))
        f->due++;
    if (f->due < count)
        party_arm(p, to, intended(s, f, f->due));
    flush(s, p, f, to);
}

/* ---- struct protocol -------------------------------------------------------------------- */

static int ping_init(void *self, struct party *p, const void *plan, const struct input *own,
                     struct err *e)
{
    struct ping *s = self;
    (void)own;
    s->plan = plan;
    s->self = party_self(p);
    s->role = ping_role_of(s->plan, s->self);
    s->n_flows = ping_partners(s->plan, s->role);
    s->flows = s->n_flows > 1 ? calloc(s->n_flows, sizeof *s->flows) : &s->one;
    if (!s->flows)
        return err_set(e, ERR_NOMEM, "no memory for %u flows", s->n_flows);
    s->left = ping_sends(s->role) ? (uint64_t)s->plan->count * s->n_flows : 0;
    if (s->plan->opts->one_way && ping_receives(s->role))
        s->left += (uint64_t)s->plan->count * s->n_flows;
    return OK;
}

static void ping_start(void *self, struct party *p)
{
    check_done(self, p);
}

/* In their order; but to a server that was restarted, the first is the first unanswered one. */
static void recv_ping(struct ping *s, struct party *p, struct flow *f, party_t from, uint32_t k)
{
    if (f->came == 0 && k < s->plan->count && !s->plan->opts->one_way)
        f->came = f->answered = k;
    if (k != f->came || k >= s->plan->count) {
        party_drop(p, k < f->came ? DROP_LABEL_TWICE : DROP_LABEL_UNKNOWN);
        return;
    }
    f->came++;
    if (s->plan->opts->one_way) {
        f->answered++;
        s->left -= !s->over;
    } else {
        flush(s, p, f, from);
    }
}

static void recv_pong(struct ping *s, struct party *p, struct flow *f, uint32_t k)
{
    if (k != f->pongs || k >= f->sent || s->plan->opts->one_way) {
        party_drop(p, k < f->pongs ? DROP_LABEL_TWICE : DROP_LABEL_UNKNOWN);
        return;
    }
    party_sample(p, METRIC_RTT, party_now(p) - intended(s, f, k));
    f->pongs++;
    s->left -= !s->over;
}

static void ping_recv(void *self, struct party *p, party_t from, struct label label,
                      const uint8_t *data, size_t len)
{
    struct ping *s = self;
    struct flow *f = flow_of(s, from);
    bool ping = label.instance == PING;
    (void)data;
    if (!f || label.instance > PONG || !(ping ? ping_receives(s->role) : ping_sends(s->role)))
        party_drop(p, DROP_LABEL_UNKNOWN);
    else if (len != (ping ? (size_t)s->plan->opts->size : s->plan->reply))
        party_drop(p, DROP_PROTOCOL_FORMAT);
    else if (ping)
        recv_ping(s, p, f, from, label.round);
    else
        recv_pong(s, p, f, label.round);
    check_done(s, p);
}

/* A peer without memory: it numbers its pings anew, and forgot those that it did not answer. */
static void forget(struct ping *s, struct flow *f)
{
    if (s->plan->opts->one_way) {
        s->left += s->over ? 0 : (uint64_t)f->sent + f->came;
        f->sent = 0;
    } else {
        f->sent = f->pongs;
    }
    f->came = f->answered = 0;
}

static void lose(struct ping *s, struct party *p, const struct flow *f, party_t peer)
{
    const char *name = s->plan->roster->entries[peer].name;
    uint32_t count = s->plan->count;
    if (s->over)
        return;
    if (s->plan->opts->one_way)
        party_fail(p, "%.60s is lost: %u of %u sent, %u of %u received", name, f->sent,
                   ping_sends(s->role) ? count : 0, f->came, ping_receives(s->role) ? count : 0);
    else
        party_fail(p, "%.60s is lost: %u of %u pongs", name, f->pongs, count);
    s->over = true;
}

static bool complete(const struct ping *s, const struct flow *f)
{
    uint32_t count = s->plan->count;
    if (!s->plan->opts->one_way)
        return !ping_sends(s->role) || f->pongs == count;
    return (!ping_sends(s->role) || f->sent == count) &&
           (!ping_receives(s->role) || f->came == count);
}

static void ping_peer(void *self, struct party *p, party_t peer, enum peer_state state)
{
    struct ping *s = self;
    struct flow *f = flow_of(s, peer);
    if (!f || state == PEER_DOWN)
        return;
    if (state == PEER_LOST) {
        f->up = false;
        if (!complete(s, f))
            lose(s, p, f, peer);
        return;
    }
    if (state == PEER_RESTARTED)
        forget(s, f);
    if (!f->up) {
        f->up = true;
        f->base = party_now(p);
        advance(s, p, f, peer);
    } else {
        flush(s, p, f, peer);
    }
    check_done(s, p);
}

static void ping_room(void *self, struct party *p, party_t peer)
{
    struct ping *s = self;
    struct flow *f = flow_of(s, peer);
    if (f)
        flush(s, p, f, peer);
    check_done(s, p);
}

/* timer: the target's id */
static void ping_timer(void *self, struct party *p, unsigned timer)
{
    struct ping *s = self;
    struct flow *f = flow_of(s, timer);
    if (f && f->up)
        advance(s, p, f, timer);
    check_done(s, p);
}

static void ping_expect(const void *self, party_t peer, unsigned step)
{
    const struct ping *s = self;
    if (step == 0)
        fetch(&s->plan->place[peer], 1);
    else
        fetch(flow_of(s, peer), 1);
}

static void ping_waiting(const void *self, const struct party *p, char *buf, size_t cap)
{
    const struct ping *s = self;
    size_t at = 0;
    (void)p;
    if (cap)
        buf[0] = 0;
    for (party_t id = 0; id < s->plan->roster->n && at < cap && !s->over; id++) {
        const struct flow *f = flow_of(s, id);
        if (!f || complete(s, f))
            continue;
        at += (size_t)snprintf(buf + at, cap - at, "%s%u of %u %s %s", at ? ", " : "",
                               s->plan->opts->one_way ? f->came : f->pongs, s->plan->count,
                               s->plan->opts->one_way ? "messages from" : "pongs from",
                               s->plan->roster->entries[id].name);
    }
}

static void ping_free(void *self)
{
    struct ping *s = self;
    if (s->flows != &s->one)
        free(s->flows);
    s->flows = NULL;
}

const struct protocol protocol_ping = {
    .name = "ping",
    .help = "Messages there and back, in an open loop: measures what is below.",
    .roles = ping_plan_roles,
    .opts = ping_plan_opts,
    .opts_size = sizeof(struct ping_opts),
    .barrier = false,
    .size = sizeof(struct ping),
    .plan = ping_plan_make,
    .free_plan = ping_plan_free,
    .pairs = ping_plan_pairs,
    .init = ping_init,
    .start = ping_start,
    .recv = ping_recv,
    .peer = ping_peer,
    .room = ping_room,
    .timer = ping_timer,
    .expect = ping_expect,
    .waiting = ping_waiting,
    .free = ping_free,
    .verify = ping_plan_verify,
    .print = ping_plan_print,
};
