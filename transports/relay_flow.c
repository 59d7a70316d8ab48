#include "transports/relay_server.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 };

static uint32_t bucket_of(party_t from, party_t to, uint32_t n)
{
    uint64_t h = ((uint64_t)from << 32 | to) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((h ^ h >> 32) * UINT64_C(0x94d049bb133111eb) >> 32) & (n - 1);
}

struct relay_flow *relay_flow_find(const struct relay_server *s, party_t from, party_t to)
{
    struct relay_flow *f = s->n_buckets ? s->buckets[bucket_of(from, to, s->n_buckets)] : NULL;
    while (f && (f->from != from || f->to != to))
        f = f->chain;
    return f;
}

static bool grow(struct relay_server *s)
{
    uint32_t n = s->n_buckets ? 2 * s->n_buckets : FIRST_BUCKETS;
    struct relay_flow **buckets = n ? calloc(n, sizeof(struct relay_flow *)) : NULL;
    if (!buckets)
        return false;
    for (uint32_t i = 0; i < s->n_buckets; i++)
        for (struct relay_flow *f = s->buckets[i], *next; f; f = next) {
            uint32_t b = bucket_of(f->from, f->to, n);
            next = f->chain;
            f->chain = buckets[b];
            buckets[b] = f;
        }
    free(s->buckets);
    s->buckets = buckets;
    s->n_buckets = n;
    return true;
}

static struct relay_out *route(const struct relay_server *s, party_t to)
{
    const struct relay_station *st = &s->stations[to];
    if (st->out || st->home == PARTY_NONE)
        return st->out;
    return s->stations[st->home].out;
}

struct relay_flow *relay_flow_get(struct relay_server *s, party_t from, party_t to)
{
    struct relay_flow *f = relay_flow_find(s, from, to);
    struct env *env = s->setup.env;
    uint32_t b;
    if (f)
        return f;
    if (s->n_flows >= s->n_buckets && !grow(s))
        return NULL;
    f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    *f = (struct relay_flow){.from = from, .to = to, .credit = relay_opts_of(s)->window};
    f->tail = &f->head;
    f->out = route(s, to);
    ring_init(&f->active);
    ring_init(&f->notice);
    ring_init(&f->owing);
    ring_init(&f->of_from);
    ring_init(&f->of_to);
    ring_join(&s->stations[from].from, &f->of_from);
    ring_join(&s->stations[to].to, &f->of_to);
    b = bucket_of(from, to, s->n_buckets);
    f->chain = s->buckets[b];
    s->buckets[b] = f;
    s->n_flows++;
    env->ops->show(
        env, &(struct shown){
                 .kind = SHOWN_PAIR, .whom = from, .other = to, .in_clear = !s->self.identity});
    return f;
}

void relay_flow_tidy(struct relay_server *s, struct relay_flow *f)
{
    struct relay_flow **at = &s->buckets[bucket_of(f->from, f->to, s->n_buckets)];
    if (f->watched || f->head || s->stations[f->from].out)
        return;
    while (*at != f)
        at = &(*at)->chain;
    *at = f->chain;
    s->n_flows--;
    ring_leave(&f->active);
    ring_leave(&f->notice);
    ring_leave(&f->owing);
    ring_leave(&f->of_from);
    ring_leave(&f->of_to);
    free(f);
}

/* ---- who is where --------------------------------------------------------------------- */

uint64_t relay_present(const struct relay_server *s, party_t who)
{
    const struct relay_station *st = &s->stations[who];
    return st->out || (st->held && !st->full) || st->home != PARTY_NONE ? st->session : 0;
}

void relay_flow_due(struct relay_server *s, struct relay_flow *f)
{
    struct relay_out *out = f->out;
    bool may = out && (out->relay ? f->credit > 0 : f->watched);
    if (out && f->head && may) {
        if (ring_empty(&f->active))
            ring_join(&out->active, &f->active);
        relay_dirty(s, out);
    } else {
        ring_leave(&f->active);
    }
    if (out && !out->relay && f->watched && !f->head && f->told != relay_present(s, f->from)) {
        if (ring_empty(&f->notice))
            ring_join(&out->notices, &f->notice);
        relay_dirty(s, out);
    } else {
        ring_leave(&f->notice);
    }
}

void relay_flow_break(struct relay_server *s, party_t from, party_t to, bool here_alone)
{
    for (int k = 0; k < 2; k++) {
        struct relay_flow *f = relay_flow_find(s, k ? to : from, k ? from : to);
        struct relay_out *far = route(s, k ? from : to);
        if (far && far->relay && !here_alone)
            relay_say_lost(s, far, from, to);
        if (!f || (far && far->relay))
            continue;
        f->told = f->told ? RELAY_UNSURE : 0;
        relay_flow_due(s, f);
    }
}

/* ---- what is on its way --------------------------------------------------------------- */

void relay_flow_owe(struct relay_server *s, struct relay_flow *f, size_t bytes)
{
    struct relay_out *source = route(s, f->from);
    f->owed += (uint32_t)bytes;
    if (f->owed < relay_opts_of(s)->window / 4 || !source || !ring_empty(&f->owing))
        return;
    ring_join(&source->owing, &f->owing);
    relay_dirty(s, source);
}

/* What a seizure would find: who wrote to whom how much. */
static void declare(struct relay_server *s, const struct relay_flow *f)
{
    env_keep(s->setup.env,
             &(struct retained){.record = (uint64_t)f->from << 32 | f->to,
                                .fields = KEPT_IDENTITY | KEPT_PAIR | KEPT_SIZE | KEPT_SEALED,
                                .bits = 8 * (uint64_t)f->queued,
                                .whom = f->from,
                                .other = f->to,
                                .until = f->head ? NS_NEVER : s->setup.env->now});
}

void relay_flow_pop(struct relay_server *s, struct relay_flow *f)
{
    struct relay_kept *k = f->head;
    size_t cost = k->len + RELAY_COST;
    f->head = k->next;
    if (!f->head)
        f->tail = &f->head;
    f->queued -= cost;
    s->queued -= cost;
    declare(s, f);
    relay_flow_owe(s, f, cost);
    free(k);
}

void relay_flow_purge(struct relay_server *s, struct relay_flow *f, enum drop why)
{
    while (f->head) {
        relay_drop(s, why);
        relay_flow_pop(s, f);
    }
    f->deficit = 0;
}

/* What would be kept beyond a limit: its name, or DROP_COUNT. */
static enum drop above(const struct relay_server *s, const struct relay_flow *f, size_t cost)
{
    const struct relay_opts *o = relay_opts_of(s);
    const struct relay_station *to = &s->stations[f->to];
    if (to->held && to->kept + cost > (size_t)o->retention_bytes)
        return DROP_RELAY_EXPIRED;
    if (f->queued + cost > 2 * ((size_t)o->window + LINK_MESSAGE_MAX) ||
        s->queued + cost > (size_t)o->memory)
        return DROP_RELAY_LIMIT;
    return DROP_COUNT;
}

static void told_full(struct relay_server *s, party_t who)
{
    struct relay_station *st = &s->stations[who];
    st->full = true;
    relay_news(s, who);
    for (struct relay_ring *r = st->from.next; r != &st->from; r = r->next)
        relay_flow_due(s, RING_OF(r, relay_flow, of_from));
}

static void keep(struct relay_server *s, struct relay_flow *f, uint64_t session,
                 const uint8_t *data, size_t len)
{
    struct relay_station *to = &s->stations[f->to];
    size_t cost = len + RELAY_COST;
    enum drop why = above(s, f, cost);
    struct relay_kept *k = why == DROP_COUNT ? malloc(sizeof *k + len) : NULL;
    if (!k) {
        relay_drop(s, why == DROP_COUNT ? DROP_RELAY_LIMIT : why);
        relay_flow_owe(s, f, cost);
        if (to->held) {
            told_full(s, f->to);
        } else {
            relay_flow_purge(s, f, DROP_RELAY_LIMIT); /* they begin anew, and there is room */
            relay_flow_break(s, f->from, f->to, false);
        }
        return;
    }
    *k = (struct relay_kept){.session = session, .len = (uint32_t)len};
    memcpy(k->data, data, len);
    *f->tail = k;
    f->tail = &k->next;
    f->queued += cost;
    s->queued += cost;
    to->kept += to->held ? cost : 0;
    declare(s, f);
    relay_flow_due(s, f);
}

void relay_flow_take(struct relay_server *s, struct relay_flow *f, uint64_t session,
                     const uint8_t *data, size_t len)
{
    const struct relay_station *to = &s->stations[f->to];
    if (!f->head && relay_pass(s, f, session, data, len)) {
        relay_flow_owe(s, f, len + RELAY_COST);
    } else if (f->out || (to->held && !to->full)) {
        keep(s, f, session, data, len);
    } else {
        relay_drop(s, DROP_RELAY_ABSENT);
        relay_flow_owe(s, f, len + RELAY_COST);
        relay_flow_tidy(s, f);
    }
}
