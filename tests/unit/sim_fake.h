/* For tests of the simulator: nodes that do what a test's own function says, and a log of what
 * they were told. Defines what the simulator wants of engine/node.h. Included once a program. */
#ifndef PARTYLINE_TESTS_SIM_FAKE_H
#define PARTYLINE_TESTS_SIM_FAKE_H

#include "engine/node.h"
#include "engine/store.h"
#include "engine/worlds/sim/sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HOSTS = 8, LOG = 1 << 16, PORT = 443 };

struct entry {
    ns_t time;
    uint32_t node, incarnation;
    enum event_kind kind;
    enum down_reason why;
    unsigned timer;
    link_t link;
    uint32_t tag;
    size_t len;
    uint8_t first; /* byte of data */
    struct addr local, peer;
};

struct node {
    struct env *env;
    uint32_t self;
    bool done;
    uint8_t result[4];
};

/* A test's world. */
static struct fake {
    void (*on)(struct node *, const struct event *);
    struct entry log[LOG];
    size_t n;
    struct addr addrs[HOSTS];
    struct host_spec hosts[HOSTS];
    ns_t rtts[HOSTS * HOSTS];
    struct trial_spec spec;
    struct fault_plan plan;
    struct sim_tuning tuning;
    struct trace trace;
    struct trial_result result;
    struct err err;
    uint64_t seed;
    unsigned count; /* a test's own */
    unsigned lives;
    bool inside; /* event() is running */
    const struct accept *accepts[HOSTS];
} fake;

static struct roster_entry fake_entries[HOSTS];
static struct roster fake_roster;
static struct regions fake_regions;

static const struct accept fake_accepts[] = {
    {PORT, LINK_MESSAGE}, {PORT, LINK_BYTES}, {PORT, LINK_HANDOVER}, {0, LINK_MESSAGE}};

static void fake_event(void *node, const struct event *ev)
{
    struct node *n = node;
    assert_false(fake.inside);
    fake.inside = true;
    if (fake.n < LOG)
        fake.log[fake.n++] = (struct entry){.time = n->env->now,
                                            .node = n->self,
                                            .incarnation = n->env->incarnation,
                                            .kind = ev->kind,
                                            .why = ev->why,
                                            .timer = ev->timer,
                                            .link = ev->link,
                                            .tag = ev->tag,
                                            .len = ev->len,
                                            .first = ev->len ? ev->data[0] : 0,
                                            .local = ev->local,
                                            .peer = ev->peer};
    if (fake.on)
        fake.on(n, ev);
    fake.inside = false;
}

int node_new(struct node **out, const struct node_config *config, struct env *env, struct err *err)
{
    struct node *n;
    if (fake.spec.limit == 13)
        return err_set(err, ERR_INVALID, "unlucky");
    n = calloc(1, sizeof *n);
    if (!n)
        return ERR_NOMEM;
    fake.lives++;
    n->env = env;
    n->self = config->self;
    env->event = fake_event;
    env->node = n;
    *out = n;
    return OK;
}

void node_free(struct node *n)
{
    fake.lives--;
    free(n);
}

struct outcome node_outcome(const struct node *n)
{
    return (struct outcome){.done = n->done, .result = n->result, .len = sizeof n->result};
}

ns_t node_completion(const struct node *n)
{
    return n->done ? 7 : -1;
}

void node_expect(const struct node *n, uint32_t tag, unsigned step)
{
    (void)n, (void)tag, (void)step;
}
uint64_t node_useful_bytes(const struct node *n)
{
    (void)n;
    return 100;
}

void node_waiting(const struct node *n, char *buf, size_t cap)
{
    snprintf(buf, cap, "waits for number %u", n->self + 1);
}

const struct accept *node_accepts(const struct trial_spec *t, uint32_t self)
{
    (void)t;
    return fake.accepts[self];
}

/* ---- for tests ------------------------------------------------------------------------ */

/* n parties, each in a region of its own, 20 ms apart, ideal last miles, all listening. */
static inline void fake_world(uint32_t n, void (*on)(struct node *, const struct event *))
{
    static const char *const names[HOSTS] = {"alice", "bob",   "carol", "dave",
                                             "erin",  "frank", "grace", "heidi"};
    memset(&fake, 0, sizeof fake);
    fake.on = on;
    for (uint32_t i = 0; i < n; i++) {
        struct addr a = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2}, .port = PORT};
        a.ip[15] = (uint8_t)(i + 1);
        fake_entries[i] = (struct roster_entry){.name = names[i], .role = "party", .addr = a};
        fake.addrs[i] = a;
        fake.hosts[i] = (struct host_spec){.region = i, .line = 10 + (int)i};
        fake.accepts[i] = fake_accepts;
        for (uint32_t k = 0; k < n; k++)
            fake.rtts[i * n + k] = i == k ? 0 : 40 * NS_MS;
    }
    fake_roster = (struct roster){.n = n, .n_parties = n, .entries = fake_entries};
    fake_regions = (struct regions){.n = n, .rtt = fake.rtts};
    fake.spec = (struct trial_spec){.scenario = "test",
                                    .roster = &fake_roster,
                                    .hosts = fake.hosts,
                                    .regions = &fake_regions,
                                    .limit = 3600 * NS_S};
    fake.tuning = sim_defaults;
    fake.seed = 1;
}

static inline void fake_clear(void)
{
    trial_result_free(&fake.result, fake_roster.n_parties);
}

static inline void fake_run(void)
{
    int rc;
    fake.n = 0;
    fake.count = 0;
    rc = sim_run(&fake.spec, fake.seed, &fake.plan, &fake.trace, &fake.tuning, &fake.result,
                 &fake.err);
    if (rc != OK)
        fail_msg("sim_run: %s", fake.err.text);
    assert_int_equal(fake.lives, 0);
}

/* The k-th (from 0) logged event of that kind at that node; NULL if there are fewer. */
static inline const struct entry *fake_find(uint32_t node, enum event_kind kind, unsigned k)
{
    for (size_t i = 0; i < fake.n; i++)
        if (fake.log[i].node == node && fake.log[i].kind == kind && k-- == 0)
            return &fake.log[i];
    return NULL;
}

static inline unsigned fake_count(uint32_t node, enum event_kind kind)
{
    unsigned k = 0;
    for (size_t i = 0; i < fake.n; i++)
        k += fake.log[i].node == node && fake.log[i].kind == kind;
    return k;
}

static inline void assert_event(uint32_t node, enum event_kind kind, unsigned k, ns_t time)
{
    const struct entry *e = fake_find(node, kind, k);
    if (!e)
        fail_msg("node %u: no event %d number %u", node, kind, k);
    else if (e->time != time)
        fail_msg("node %u: event %d number %u at %" PRId64 ", not %" PRId64, node, kind, k, e->time,
                 time);
}

static inline link_t fake_open(struct node *n, uint32_t to, enum link_kind kind)
{
    link_t link = 0;
    assert_int_equal(n->env->ops->open(n->env, kind, fake.addrs[to], &link), OK);
    assert_int_not_equal(link, 0);
    return link;
}

static inline int fake_send(struct node *n, link_t link, uint8_t first, size_t len)
{
    static uint8_t data[LINK_MESSAGE_MAX + 1];
    data[0] = first;
    return n->env->ops->send(n->env, link, data, len);
}

static inline void fake_done(struct node *n)
{
    n->done = true;
    n->result[0] = (uint8_t)(n->self + 1);
    n->env->ops->done(n->env);
}

/* ---- nodes that several tests use ------------------------------------------------------ */

/* alice dials bob; both send 100 bytes. */
static inline void dial_and_greet(struct node *n, const struct event *ev)
{
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_MESSAGE);
    if (ev->kind == EV_UP)
        assert_int_equal(fake_send(n, ev->link, n->self ? 'b' : 'a', 100), OK);
}

/* alice sends bob 100 messages of 1000 bytes as fast as she may. */
static inline void fill(struct node *n, const struct event *ev)
{
    int rc = OK;
    if (ev->kind == EV_START && n->self == 0)
        fake_open(n, 1, LINK_MESSAGE);
    if (n->self || (ev->kind != EV_UP && ev->kind != EV_ROOM))
        return;
    while (fake.count < 100 && rc == OK) {
        rc = fake_send(n, ev->link, (uint8_t)fake.count, 1000);
        fake.count += rc == OK;
    }
    assert_int_equal(rc, fake.count < 100 ? ERR_AGAIN : OK);
    if (rc == ERR_AGAIN)
        assert_int_equal(fake_send(n, ev->link, 0, 1), ERR_AGAIN); /* until EV_ROOM */
}

#endif
