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
#include "engine/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct protocol protocol_ping;

enum { PING, PONG };
enum role { PEER, CLIENT, SERVER, ROLES };
enum { SIZE_MAX_BYTES = 16 << 20, COUNT_MAX = 1000000 };

static const struct protocol_role roles[] = {
    {.name = "peer", .help = "pings every other peer", .min = 0, .max = 0},
    {.name = "client", .help = "pings every server", .min = 0, .max = 0},
    {.name = "server", .help = "answers", .min = 0, .max = 0, .serves = true},
    {.name = NULL}};

struct ping_opts {
    int64_t size, reply, count, interval, one_way;
};

struct plan {
    const struct ping_opts *opts;
    const struct roster *roster;
    uint32_t count, in_role[ROLES];
    uint32_t *place;  /* of each node: its role (ROLES: none of ours) above, below its place among
                         those of that role */
    uint8_t *payload; /* what all messages carry */
    size_t reply;
};

enum { ROLE_SHIFT = 30 };

static enum role role_of(const struct plan *plan, uint32_t id)
{
    return (enum role)(plan->place[id] >> ROLE_SHIFT);
}
static uint32_t place_of(const struct plan *plan, uint32_t id)
{
    return plan->place[id] & ((UINT32_C(1) << ROLE_SHIFT) - 1);
}

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
    const struct plan *plan;
    struct flow *flows;
    party_t self;
    enum role role;
    uint32_t n_flows;
    bool over;
    uint64_t left;   /* messages until this party is done */
    struct flow one; /* flows of those who have only one */
};

/* ---- who talks to whom ------------------------------------------------------------------ */

static bool sends(enum role role)
{
    return role != SERVER;
}

static bool receives(enum role role)
{
    return role != CLIENT;
}

static enum role partner(enum role role)
{
    static const uint8_t partners[] = {[PEER] = PEER, [CLIENT] = SERVER, [SERVER] = CLIENT};
    return (enum role)partners[role];
}

static uint32_t partners(const struct plan *plan, enum role role)
{
    return plan->in_role[partner(role)] - (role == PEER);
}

/* NULL: it is no partner. */
static struct flow *flow_of(const struct ping *s, party_t id)
{
    const struct plan *plan = s->plan;
    uint32_t place;
    if (id >= plan->roster->n || role_of(plan, id) != partner(s->role) || id == s->self)
        return NULL;
    place = place_of(plan, id);
    return &s->flows[s->role == PEER && place > place_of(plan, s->self) ? place - 1 : place];
}

static enum role role_named(const char *name)
{
    unsigned i = 0;
    while (i < ROLES && strcmp(name, roles[i].name) != 0)
        i++;
    return (enum role)i;
}

static bool ping_pairs(const void *opts, const char *a, const char *b)
{
    enum role role_a = role_named(a);
    (void)opts;
    return role_a < ROLES && partner(role_a) == role_named(b);
}

/* ---- plan ------------------------------------------------------------------------------- */

static void ping_free_plan(void *p)
{
    struct plan *plan = p;
    if (!plan)
        return;
    free(plan->place);
    free(plan->payload);
    free(plan);
}

static int make_plan(struct plan *plan, struct err *e)
{
    const struct ping_opts *o = plan->opts;
    uint32_t n = plan->roster->n;
    size_t most = (size_t)(o->size > o->reply ? o->size : o->reply);
    if (o->interval && o->count > INT64_MAX / 4 / o->interval)
        return err_set(e, ERR_INVALID, "count x interval is too long: beyond 70 years");
    plan->place = calloc(n + (size_t)1, sizeof *plan->place);
    plan->payload = calloc(most + 1, 1);
    if (!plan->place || !plan->payload)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    plan->count = (uint32_t)o->count;
    plan->reply = (size_t)(o->reply ? o->reply : o->size);
    for (uint32_t i = 0; i < n; i++) {
        enum role role = role_named(plan->roster->entries[i].role);
        plan->place[i] = (uint32_t)role << ROLE_SHIFT;
        if (role < ROLES)
            plan->place[i] |= plan->in_role[role]++;
    }
    if (plan->in_role[CLIENT] && !plan->in_role[SERVER])
        return err_set(e, ERR_INVALID, "ping has clients, but no party or service of role server");
    return OK;
}

static int ping_plan(const struct protocol_shape *shape, void **out, struct err *e)
{
    struct plan *plan = calloc(1, sizeof *plan);
    int rc;
    *out = NULL;
    if (!plan)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    plan->opts = shape->opts;
    plan->roster = shape->roster;
    rc = make_plan(plan, e);
    if (rc)
        ping_free_plan(plan);
    else
        *out = plan;
    return rc;
}

/* ---- sending ---------------------------------------------------------------------------- */

enum { TEXT = 80 };

/* The result of any party of that role. */
static int result_text(const struct plan *plan, enum role role, char *buf)
{
    unsigned long long all = (unsigned long long)plan->count * partners(plan, role);
    if (plan->opts->one_way)
        return snprintf(buf, TEXT, "sent %llu, received %llu", sends(role) ? all : 0,
                        receives(role) ? all : 0);
    if (role == SERVER)
        return snprintf(buf, TEXT, "serving");
    return snprintf(buf, TEXT, "pongs %llu of %llu", all, all);
}

static void finish(struct ping *s, struct party *p)
{
    char text[TEXT];
    s->over = true;
    party_result(p, text, (size_t)result_text(s->plan, s->role, text));
}

static inline void check_done(struct ping *s, struct party *p)
{
    if (s->left == 0 && !s->over)
        finish(s, p);
}

/* Pongs that are owed, then pings that are due, as far as there is room. */
static void flush(struct ping *s, struct party *p, struct flow *f, party_t to)
{
    const struct plan *plan = s->plan;
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
    uint32_t count = sends(s->role) ? s->plan->count : 0;
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
    s->role = role_of(s->plan, s->self);
    s->n_flows = partners(s->plan, s->role);
    s->flows = s->n_flows > 1 ? calloc(s->n_flows, sizeof *s->flows) : &s->one;
    if (!s->flows)
        return err_set(e, ERR_NOMEM, "no memory for %u flows", s->n_flows);
    s->left = sends(s->role) ? (uint64_t)s->plan->count * s->n_flows : 0;
    if (s->plan->opts->one_way && receives(s->role))
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
    if (!f || label.instance > PONG || !(ping ? receives(s->role) : sends(s->role)))
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
                   sends(s->role) ? count : 0, f->came, receives(s->role) ? count : 0);
    else
        party_fail(p, "%.60s is lost: %u of %u pongs", name, f->pongs, count);
    s->over = true;
}

static bool complete(const struct ping *s, const struct flow *f)
{
    uint32_t count = s->plan->count;
    if (!s->plan->opts->one_way)
        return !sends(s->role) || f->pongs == count;
    return (!sends(s->role) || f->sent == count) && (!receives(s->role) || f->came == count);
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

static int ping_verify(const struct protocol_shape *shape, const void *plan,
                       const struct outcome *outcome, struct err *e)
{
    const struct plan *p = plan;
    char text[TEXT];
    for (uint32_t who = 0; who < shape->roster->n_parties; who++) {
        const struct outcome *o = &outcome[who];
        size_t len = (size_t)result_text(p, role_of(p, who), text);
        if (o->done && !o->failure && (o->len != len || memcmp(o->result, text, len) != 0))
            return err_set(e, ERR_WRONG, "%s got '%.*s', expected '%s'",
                           shape->roster->entries[who].name, (int)o->len, (const char *)o->result,
                           text);
    }
    return OK;
}

static void ping_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap)
{
    (void)plan;
    snprintf(buf, cap, "%.*s", (int)len, (const char *)result);
}

#define OPT(field) offsetof(struct ping_opts, field)

/* clang-format off */
static const struct opt opts[] = {
    {"size", OPT_BYTES, OPT(size), "64B", 1, SIZE_MAX_BYTES, NULL, "Bytes of a ping."},
    {"reply", OPT_BYTES, OPT(reply), NULL, 0, SIZE_MAX_BYTES, NULL,
     "Bytes of a pong; 0: as many as the ping has."},
    {"count", OPT_INT, OPT(count), "10", 1, COUNT_MAX, NULL, "Pings to each target."},
    {"interval", OPT_DURATION, OPT(interval), "100ms", 0, 86400 * NS_S, NULL,
     "From ping to ping, whatever became of the one before; 0: all at once."},
    {"one_way", OPT_BOOL, OPT(one_way), "false", 0, 0, NULL,
     "No pongs: a party is done when all is sent, and all that is sent to it has come."},
    {.name = NULL}};
/* clang-format on */

const struct protocol protocol_ping = {
    .name = "ping",
    .help = "Messages there and back, in an open loop: measures what is below.",
    .roles = roles,
    .opts = opts,
    .opts_size = sizeof(struct ping_opts),
    .barrier = false,
    .size = sizeof(struct ping),
    .plan = ping_plan,
    .free_plan = ping_free_plan,
    .pairs = ping_pairs,
    .init = ping_init,
    .start = ping_start,
    .recv = ping_recv,
    .peer = ping_peer,
    .room = ping_room,
    .timer = ping_timer,
    .expect = ping_expect,
    .waiting = ping_waiting,
    .free = ping_free,
    .verify = ping_verify,
    .print = ping_print,
};
