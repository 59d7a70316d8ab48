#include "transports/relay_server.h"

static void show(struct relay_server *s, enum shown_kind kind, party_t whom, struct addr addr)
{
    s->setup.env->ops->show(
        s->setup.env,
        &(struct shown){.kind = kind, .whom = whom, .addr = addr, .in_clear = !s->self.identity});
}

/* Calls what() for each flow of a ring; it may free that flow. */
#define EACH_FLOW(s, head, field, what)                                                            \
    for (struct relay_ring *ring = (head)->next, *next_; ring != (head); ring = next_) {           \
        next_ = ring->next;                                                                        \
        what(s, RING_OF(ring, relay_flow, field));                                                 \
    }

/* Its sender is to hear of it, its receiver knows nothing. */
static void forget_told(struct relay_server *s, struct relay_flow *f)
{
    f->told = 0;
    f->watched = false;
    f->deficit = 0;
    f->out = NULL;
    relay_flow_due(s, f);
}

static void cut(struct relay_server *s, struct relay_flow *f)
{
    forget_told(s, f);
    relay_flow_purge(s, f, DROP_RELAY_ABSENT);
    relay_flow_tidy(s, f);
}

static void expire(struct relay_server *s, struct relay_flow *f)
{
    relay_flow_purge(s, f, DROP_RELAY_EXPIRED);
    relay_flow_tidy(s, f);
}

static void begin_anew(struct relay_server *s, struct relay_flow *f)
{
    const struct relay_station *to = &s->stations[f->to];
    f->out = to->out ? to->out : to->home == PARTY_NONE ? NULL : s->stations[to->home].out;
    f->credit = relay_opts_of(s)->window;
    f->owed = 0;
    ring_leave(&f->owing);
    relay_flow_due(s, f);
}

static void renew_from(struct relay_server *s, struct relay_flow *f)
{
    f->owed = 0;
    ring_leave(&f->owing);
    relay_flow_due(s, f);
}

/* All that have to hear of it. */
static void tell(struct relay_server *s, party_t who)
{
    EACH_FLOW(s, &s->stations[who].from, of_from, relay_flow_due)
}

static void release(struct relay_server *s, party_t who)
{
    struct relay_station *st = &s->stations[who];
    (void)s;
    st->held = st->full = false;
    st->kept = 0;
    ring_leave(&st->waiting);
}

static void held_end(struct relay_server *s, party_t who)
{
    release(s, who);
    EACH_FLOW(s, &s->stations[who].to, of_to, expire)
    relay_news(s, who);
    tell(s, who);
}

static void watch_held(struct relay_server *s)
{
    if (!ring_empty(&s->held))
        relay_arm(s, RELAY_TIMER_HELD, RING_OF(s->held.next, relay_station, waiting)->held_until);
}

void relay_held(struct relay_server *s)
{
    while (!ring_empty(&s->held)) {
        struct relay_station *st = RING_OF(s->held.next, relay_station, waiting);
        if (st->held_until > s->setup.env->now)
            break;
        held_end(s, (party_t)(st - s->stations));
    }
    watch_held(s);
}

static void hold(struct relay_server *s, party_t who)
{
    struct relay_station *st = &s->stations[who];
    bool first = ring_empty(&s->held);
    st->held = true;
    st->held_until = s->setup.env->now + relay_opts_of(s)->retention;
    ring_join(&s->held, &st->waiting);
    for (struct relay_ring *r = st->to.next; r != &st->to; r = r->next)
        st->kept += RING_OF(r, relay_flow, of_to)->queued;
    if (first)
        watch_held(s);
}

/* A client's link has ended. moved: it is at another relay now. */
void relay_party_left(struct relay_server *s, party_t who, bool moved)
{
    struct relay_station *st = &s->stations[who];
    st->out = NULL;
    if (relay_opts_of(s)->retention && !moved) {
        EACH_FLOW(s, &st->to, of_to, forget_told)
        EACH_FLOW(s, &st->to, of_to, relay_flow_tidy)
        hold(s, who);
    } else {
        EACH_FLOW(s, &st->to, of_to, cut)
    }
    EACH_FLOW(s, &st->from, of_from, renew_from)
    EACH_FLOW(s, &st->from, of_from, relay_flow_tidy)
    relay_news(s, who);
    tell(s, who);
}

void relay_party_came(struct relay_server *s, struct relay_out *out)
{
    party_t who = out->link.peer;
    struct relay_station *st = &s->stations[who];
    if (st->held)
        release(s, who);
    st->out = out;
    st->home = PARTY_NONE;
    st->session = out->link.session;
    show(s, SHOWN_ADDRESS, who, out->addr);
    show(s, SHOWN_MEMBER, who, out->addr);
    EACH_FLOW(s, &st->to, of_to, begin_anew)
    EACH_FLOW(s, &st->from, of_from, renew_from)
    relay_news(s, who);
}

/* ---- at other relays ------------------------------------------------------------------ */

static void gone_home(struct relay_server *s, party_t who)
{
    struct relay_station *st = &s->stations[who];
    st->home = PARTY_NONE;
    EACH_FLOW(s, &st->to, of_to, cut)
    tell(s, who);
}

static void unroute(struct relay_server *s, struct relay_flow *f)
{
    f->out = NULL;
    relay_flow_due(s, f);
}

void relay_neighbour_left(struct relay_server *s, party_t id)
{
    s->stations[id].out = NULL;
    for (party_t i = 0; i < roster_clients(s->setup.roster); i++)
        if (s->stations[i].home == id)
            EACH_FLOW(s, &s->stations[i].to, of_to, unroute)
    for (party_t i = 0; i < roster_clients(s->setup.roster); i++)
        if (s->stations[i].home == id)
            gone_home(s, i);
}

void relay_arrived(struct relay_server *s, party_t relay, party_t who, uint64_t session)
{
    struct relay_station *st = &s->stations[who];
    struct relay_out *old = st->out;
    if (session < st->session || (session == st->session && (old || st->held)))
        return;
    if (st->home == PARTY_NONE)
        show(s, SHOWN_MEMBER, who, (struct addr){0});
    st->session = session;
    st->home = relay;
    if (st->held) {
        release(s, who);
        EACH_FLOW(s, &st->to, of_to, cut)
    }
    if (old) {
        st->out = NULL;
        relay_out_close(s, old);
        relay_party_left(s, who, true);
    }
    EACH_FLOW(s, &st->to, of_to, begin_anew)
    EACH_FLOW(s, &st->from, of_from, renew_from)
}

void relay_left(struct relay_server *s, party_t relay, party_t who, uint64_t session)
{
    struct relay_station *st = &s->stations[who];
    if (st->home == relay && session >= st->session)
        gone_home(s, who);
}
