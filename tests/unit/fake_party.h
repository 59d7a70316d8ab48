/* Parties without nodes: party_*() of engine/protocol.h over queues in memory, for tests.
 *
 * One trial of one protocol. Between two parties messages keep their order; across pairs
 * either every message takes fake.delay (FAKE_TIMED), or a random pair is next
 * (FAKE_RANDOM, from fake.dice). fake.refuse: party_send says ERR_AGAIN once a pair has that
 * many messages in flight; room() follows when one is delivered.
 * To be included once in an executable.
 */
#ifndef PARTYLINE_TESTS_FAKE_PARTY_H
#define PARTYLINE_TESTS_FAKE_PARTY_H

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/protocol.h"

enum fake_mode { FAKE_RANDOM, FAKE_TIMED };

struct fake_message {
    struct fake_message *next;
    struct label label;
    ns_t at;
    uint64_t sequence;
    size_t len;
    uint8_t data[];
};

struct fake_pair {
    struct fake_message *head, **tail;
    uint32_t n;
    bool refused, cut; /* cut: what is sent is lost */
};

struct fake_timer {
    party_t who;
    unsigned timer;
    ns_t at;
    uint64_t sequence;
};

struct party {
    struct fake *fake;
    party_t self;
    void *state;
    struct prng rng;
    uint32_t incarnation, rounds;
    uint8_t *result;
    size_t result_len;
    bool done;
    ns_t completion;
    char failure[240];
};

struct fake {
    const struct protocol *protocol;
    enum fake_mode mode;
    uint32_t n, refuse;
    ns_t now, delay;
    struct dice dice;
    struct roster roster;
    struct roster_entry *entries;
    struct input *inputs;
    const void *opts;
    void *plan;
    struct party *parties;
    struct fake_pair *pairs; /* [from * n + to] */
    struct fake_timer *timers;
    size_t n_timers, timers_cap;
    uint64_t sequence, messages, in_flight, bytes, dealt, muls;
    uint64_t by_kind[8]; /* label.instance */
    uint64_t drops[DROP_COUNT];
    struct {
        uint64_t n;
        int64_t min, max;
    } samples[METRIC_COUNT];
    /* Sees (and may change) every message as it is delivered. */
    void (*tap)(struct fake *, party_t from, party_t to, struct fake_message *);
};

#define FAKE_UNUSED __attribute__((unused))

party_t party_self(const struct party *p)
{
    return p->self;
}
uint32_t party_count(const struct party *p)
{
    return p->fake->roster.n_parties;
}
const struct roster *party_roster(const struct party *p)
{
    return &p->fake->roster;
}
ns_t party_now(const struct party *p)
{
    return p->fake->now;
}
struct prng *party_rng(struct party *p)
{
    return &p->rng;
}
struct store *party_store(struct party *p)
{
    (void)p;
    return NULL;
}
uint32_t party_incarnation(const struct party *p)
{
    return p->incarnation;
}
int party_send(struct party *p, party_t to, struct label label, const void *data, size_t len)
{
    struct fake *f = p->fake;
    struct fake_pair *pair = &f->pairs[p->self * f->n + to];
    struct fake_message *m;
    assert(to < f->n && to != p->self);
    if (f->refuse && pair->n >= f->refuse) {
        pair->refused = true;
        return ERR_AGAIN;
    }
    f->messages++;
    f->bytes += len;
    f->by_kind[label.instance & 7]++;
    if (pair->cut)
        return OK;
    m = malloc(sizeof *m + len);
    assert(m);
    *m = (struct fake_message){
        .label = label, .at = f->now + f->delay, .sequence = f->sequence++, .len = len};
    if (len)
        memcpy(m->data, data, len);
    *pair->tail = m;
    pair->tail = &m->next;
    pair->n++;
    f->in_flight++;
    return OK;
}
void party_arm(struct party *p, unsigned timer, ns_t at)
{
    struct fake *f = p->fake;
    assert(timer < 1 << 24);
    if (f->n_timers == f->timers_cap) {
        f->timers_cap = f->timers_cap ? 2 * f->timers_cap : 16;
        f->timers = realloc(f->timers, f->timers_cap * sizeof *f->timers);
        assert(f->timers);
    }
    f->timers[f->n_timers++] = (struct fake_timer){p->self, timer, at, f->sequence++};
}
void party_round(struct party *p, ns_t began)
{
    assert(began <= p->fake->now);
    p->rounds++;
}
static void fake_done(struct party *p)
{
    p->done = true;
    p->completion = p->fake->now;
}
void party_result(struct party *p, const void *data, size_t len)
{
    if (p->done)
        return;
    p->result = malloc(len + 1);
    assert(p->result);
    memcpy(p->result, data, len);
    p->result[len] = 0;
    p->result_len = len;
    fake_done(p);
}
void party_fail(struct party *p, const char *format, ...)
{
    va_list ap;
    if (p->done)
        return;
    va_start(ap, format);
    vsnprintf(p->failure, sizeof p->failure, format, ap);
    va_end(ap);
    fake_done(p);
}
void party_leave(struct party *p)
{
    (void)p;
}
void party_keep(struct party *p, const struct retained *kept)
{
    (void)p;
    (void)kept;
}

void party_sample(struct party *p, enum metric metric, int64_t value)
{
    struct fake *f = p->fake;
    if (f->samples[metric].n++ == 0)
        f->samples[metric].min = f->samples[metric].max = value;
    if (value < f->samples[metric].min)
        f->samples[metric].min = value;
    if (value > f->samples[metric].max)
        f->samples[metric].max = value;
}
void party_drop(struct party *p, enum drop drop)
{
    p->fake->drops[drop]++;
}
void party_charge(struct party *p, enum env_cost op, uint64_t n)
{
    p->fake->muls += op == COST_FIELD_MUL ? n : 0;
    p->fake->dealt += op == COST_SHARE ? n : 0;
}

/* ---- making --------------------------------------------------------------------------- */

static const char *const fake_names[] = {"alice", "bob",   "carol", "dave", "erin",
                                         "frank", "grace", "heidi", "ivan", "judy"};

/* n parties (more than ten are all called "party") without inputs, in the first role. */
static void fake_init(struct fake *f, const struct protocol *protocol, uint32_t n, uint64_t seed)
{
    *f = (struct fake){.protocol = protocol, .n = n, .delay = 1, .dice = {seed, 0}};
    f->entries = calloc(n, sizeof *f->entries);
    f->inputs = calloc(n, sizeof *f->inputs);
    f->parties = calloc(n, sizeof *f->parties);
    f->pairs = calloc((size_t)n * n, sizeof *f->pairs);
    assert(f->entries && f->inputs && f->parties && f->pairs);
    for (uint32_t i = 0; i < n; i++) {
        f->entries[i].name = i < 10 ? fake_names[i] : "party";
        f->entries[i].role = protocol->roles[0].name;
    }
    for (size_t i = 0; i < (size_t)n * n; i++)
        f->pairs[i].tail = &f->pairs[i].head;
    f->roster = (struct roster){.n = n, .n_parties = n, .entries = f->entries};
}

static struct protocol_shape fake_shape(const struct fake *f)
{
    return (struct protocol_shape){.opts = f->opts, .roster = &f->roster, .inputs = f->inputs};
}

static int fake_plan(struct fake *f, struct err *e)
{
    struct protocol_shape shape = fake_shape(f);
    return f->protocol->plan ? f->protocol->plan(&shape, &f->plan, e) : OK;
}

/* A party's life begins (again, with another incarnation). */
static int fake_boot(struct fake *f, party_t who, uint64_t seed, uint32_t incarnation,
                     struct err *e)
{
    struct party *p = &f->parties[who];
    char name[16];
    if (p->state)
        f->protocol->free(p->state);
    free(p->state);
    free(p->result);
    *p = (struct party){.fake = f, .self = who, .incarnation = incarnation};
    snprintf(name, sizeof name, "%u", who);
    prng_name(&p->rng, seed, name, incarnation, "test");
    p->state = calloc(1, f->protocol->size + 1);
    assert(p->state);
    return f->protocol->init(p->state, p, f->plan, &f->inputs[who], e);
}

static int fake_boot_all(struct fake *f, uint64_t seed, struct err *e)
{
    int rc = OK;
    for (party_t who = 0; rc == OK && who < f->n; who++)
        rc = fake_boot(f, who, seed, 0, e);
    return rc;
}

FAKE_UNUSED static void fake_start(struct fake *f)
{
    for (party_t who = 0; who < f->n; who++)
        f->protocol->start(f->parties[who].state, &f->parties[who]);
}

/* Tells `who` of the state of `peer`. */
FAKE_UNUSED static void fake_peer(struct fake *f, party_t who, party_t peer, enum peer_state state)
{
    if (f->protocol->peer)
        f->protocol->peer(f->parties[who].state, &f->parties[who], peer, state);
}

FAKE_UNUSED static void fake_recv(struct fake *f, party_t from, party_t to, struct label label,
                                  const void *data, size_t len)
{
    uint8_t *copy = malloc(len + 1); /* unaligned on purpose, and its end is watched */
    assert(copy);
    if (len)
        memcpy(copy + 1, data, len);
    f->protocol->recv(f->parties[to].state, &f->parties[to], from, label, copy + 1, len);
    free(copy);
}

/* ---- running -------------------------------------------------------------------------- */

static void fake_deliver(struct fake *f, uint32_t pair_index)
{
    struct fake_pair *pair = &f->pairs[pair_index];
    struct fake_message *m = pair->head;
    party_t from = pair_index / f->n, to = pair_index % f->n;
    pair->head = m->next;
    if (!pair->head)
        pair->tail = &pair->head;
    pair->n--;
    f->in_flight--;
    if (f->mode == FAKE_TIMED)
        f->now = m->at;
    else
        f->now++;
    if (f->tap)
        f->tap(f, from, to, m);
    fake_recv(f, from, to, m->label, m->data, m->len);
    free(m);
    if (pair->refused) {
        pair->refused = false;
        f->protocol->room(f->parties[from].state, &f->parties[from], to);
    }
}

static void fake_fire(struct fake *f, size_t i)
{
    struct fake_timer t = f->timers[i];
    f->timers[i] = f->timers[--f->n_timers];
    f->now = t.at > f->now ? t.at : f->now;
    f->protocol->timer(f->parties[t.who].state, &f->parties[t.who], t.timer);
}

/* The pair of the next message; false: there is none. */
static bool fake_next(struct fake *f, uint32_t *pair)
{
    uint32_t all = f->n * f->n, start = (uint32_t)dice_below(&f->dice, all);
    bool found = false;
    if (f->in_flight == 0)
        return false;
    for (uint32_t k = 0; k < all; k++) {
        uint32_t i = (start + k) % all;
        const struct fake_message *m = f->pairs[i].head;
        if (!m)
            continue;
        if (f->mode == FAKE_RANDOM) {
            *pair = i;
            return true;
        }
        if (!found || m->at < f->pairs[*pair].head->at ||
            (m->at == f->pairs[*pair].head->at && m->sequence < f->pairs[*pair].head->sequence))
            *pair = i;
        found = true;
    }
    return found;
}

static bool fake_next_timer(const struct fake *f, size_t *timer)
{
    for (size_t i = 0; i < f->n_timers; i++)
        if (i == 0 || f->timers[i].at < f->timers[*timer].at ||
            (f->timers[i].at == f->timers[*timer].at &&
             f->timers[i].sequence < f->timers[*timer].sequence))
            *timer = i;
    return f->n_timers > 0;
}

/* One message or timer; false: nothing is left. */
FAKE_UNUSED static bool fake_step(struct fake *f)
{
    uint32_t pair = 0;
    size_t timer = 0;
    bool message = fake_next(f, &pair), armed = fake_next_timer(f, &timer);
    if (!message && !armed)
        return false;
    if (message &&
        (!armed || f->mode == FAKE_RANDOM || f->pairs[pair].head->at <= f->timers[timer].at))
        fake_deliver(f, pair);
    else
        fake_fire(f, timer);
    return true;
}

FAKE_UNUSED static void fake_run(struct fake *f)
{
    while (fake_step(f))
        continue;
}

FAKE_UNUSED static int fake_verify(const struct fake *f, struct err *e)
{
    struct protocol_shape shape = fake_shape(f);
    struct outcome *o = calloc(f->n, sizeof *o);
    int rc;
    assert(o);
    for (party_t who = 0; who < f->n; who++) {
        const struct party *p = &f->parties[who];
        o[who] = (struct outcome){.done = p->result != NULL,
                                  .result = p->result,
                                  .len = p->result_len,
                                  .failure = p->failure[0] ? p->failure : NULL};
    }
    rc = f->protocol->verify(&shape, f->plan, o, e);
    free(o);
    return rc;
}

static void fake_free(struct fake *f)
{
    for (party_t who = 0; who < f->n; who++) {
        if (f->parties[who].state)
            f->protocol->free(f->parties[who].state);
        free(f->parties[who].state);
        free(f->parties[who].result);
    }
    for (size_t i = 0; i < (size_t)f->n * f->n; i++) {
        while (f->pairs[i].head) {
            struct fake_message *m = f->pairs[i].head;
            f->pairs[i].head = m->next;
            free(m);
        }
    }
    if (f->protocol->free_plan)
        f->protocol->free_plan(f->plan);
    free(f->pairs);
    free(f->timers);
    free(f->parties);
    free(f->inputs);
    free(f->entries);
    *f = (struct fake){0};
}

#endif
