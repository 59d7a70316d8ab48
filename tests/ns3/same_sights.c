/* What ns3 shows observers is what sim shows them, packet by packet, with the same truth beside it
 * and in the same places; and truth changes nothing of what an attack gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"

enum {
    PARTIES = 4,
    MOST = 20000,
    ALL = WANT_NODE_IN | WANT_NODE_OUT | WANT_SHOWN | WANT_KEPT | WANT_LINE_OPENS | WANT_LINE |
          WANT_BORDER | WANT_TRUTH
};

/* A sighting without its time and ports. */
struct glimpse {
    uint32_t point, at, beyond, out, opens, datagram, bytes, packets;
    party_t from, to; /* whose the addresses are */
    struct packet_truth truth;
    uint8_t ips[32];
};

struct view {
    struct glimpse *seen;
    struct addr *from, *to;
    size_t n;
    ns_t last[SIGHT_POINTS][BED_NODES]; /* at each place */
};

static void note(void *ctx, const struct sighting *s, const struct packet_truth *truth)
{
    struct view *v = ctx;
    struct glimpse *g = &v->seen[v->n];
    assert_true(s->when >= v->last[s->point][s->at]);
    v->last[s->point][s->at] = s->when;
    if (s->visible || s->kept)
        return;
    assert_true(v->n < MOST);
    memset(g, 0, sizeof *g);
    g->point = s->point;
    g->at = s->at;
    g->beyond = s->beyond;
    g->out = s->out;
    g->opens = s->opens;
    g->datagram = s->datagram;
    g->bytes = s->bytes;
    g->packets = s->packets;
    if (truth) {
        g->truth.kind = truth->kind;
        g->truth.from = truth->from;
        g->truth.to = truth->to;
        g->truth.serial = truth->serial;
    }
    v->from[v->n] = s->from;
    v->to[v->n++] = s->to;
}

static void settle(void *ctx, const struct truth *t, ns_t now)
{
    struct view *v = ctx;
    (void)now;
    for (size_t i = 0; i < v->n; i++) {
        v->seen[i].from = t->owner(t->world, &v->from[i]);
        v->seen[i].to = t->owner(t->world, &v->to[i]);
        memcpy(v->seen[i].ips, v->from[i].ip, 16);
        memcpy(v->seen[i].ips + 16, v->to[i].ip, 16);
    }
}

static struct view *view_new(void)
{
    struct view *v = calloc(1, sizeof *v);
    assert_non_null(v);
    v->seen = calloc(MOST, sizeof *v->seen);
    v->from = calloc(MOST, sizeof *v->from);
    v->to = calloc(MOST, sizeof *v->to);
    assert_true(v->seen && v->from && v->to);
    return v;
}
static void view_free(struct view *v)
{
    free(v->seen);
    free(v->from);
    free(v->to);
    free(v);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct glimpse));
}

/* ---- a trial ------------------------------------------------------------------------------ */

struct setting {
    const char *transport, *option, *value;
    enum nat_kind kinds[PARTIES];
    enum channel_mode channel;
};

static void watch(const struct setting *how, const char *world, const struct trace *trace,
                  const struct observer_spec *observers, size_t n, uint64_t *digest)
{
    struct conform_plan plan = {.messages = 6, .min = 1, .max = 4000, .every = 100 * NS_MS};
    struct trial_result r = {0};
    struct err e = {0};
    struct bed b;
    assert_true(bed_make(&b, plugin_transport(how->transport), &protocol_conform, PARTIES));
    if (how->option)
        assert_true(bed_set(&b, how->option, how->value));
    for (uint32_t i = 0; i < PARTIES; i++)
        b.hosts[i].nat = how->kinds[i];
    b.spec.plan = &plan;
    b.spec.channel = how->channel;
    b.spec.observers = observers;
    b.spec.n_observers = n;
    assert_true(bed_people(&b));
    if (plugin_world(world)->run(&b.spec, 1, NULL, trace, &r, &e) != OK)
        fail_msg("%s", e.text);
    for (uint32_t i = 0; i < PARTIES; i++)
        assert_true(r.outcomes[i].done && !r.outcomes[i].failure);
    *digest = r.digest;
    trial_result_free(&r, PARTIES);
    bed_free(&b);
}

static struct view *view_of(const struct setting *how, const char *world)
{
    struct view *v = view_new();
    const struct trace trace = {
        .sights = ALL, .sighting = note, .sighted = settle, .sights_ctx = v};
    uint64_t digest;
    watch(how, world, &trace, NULL, 0, &digest);
    qsort(v->seen, v->n, sizeof *v->seen, compare);
    return v;
}

static void print(const char *world, const struct glimpse *g)
{
    static const char *const points[] = {"node", "line", "border"};
    print_message(
        "%s: %s %d beyond %d %s%s%s %u bytes %u packets %d -> %d, truth %d %d -> %d #%u\n", world,
        points[g->point], (int)g->at, (int)g->beyond, g->out ? "out" : "in",
        g->opens ? " opens" : "", g->datagram ? " datagram" : "", g->bytes, g->packets,
        (int)g->from, (int)g->to, (int)g->truth.kind, (int)g->truth.from, (int)g->truth.to,
        (unsigned)g->truth.serial);
}

/* To itself: in sim that takes a way over its line, in ns3 it does not. */
static bool is_home(const struct glimpse *g)
{
    return g->point == SIGHT_LINE && g->from == g->to;
}

/* How many of one are not in the other. */
static unsigned differences(const struct view *sim, const struct view *ns3)
{
    size_t i = 0, k = 0;
    unsigned n = 0;
    while (i < sim->n || k < ns3->n) {
        int order = i == sim->n ? 1 : k == ns3->n ? -1 : compare(&sim->seen[i], &ns3->seen[k]);
        if (order && !is_home(order < 0 ? &sim->seen[i] : &ns3->seen[k]) && n++ < 20)
            print(order < 0 ? "sim alone" : "ns3 alone", order < 0 ? &sim->seen[i] : &ns3->seen[k]);
        i += order <= 0;
        k += order >= 0;
    }
    return n;
}

static unsigned count(const struct view *v, enum sight_point point, bool datagram)
{
    unsigned n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += v->seen[i].point == (uint32_t)point && v->seen[i].datagram == datagram;
    return n;
}

/* Lines and borders show public addresses alone, and whose packets they are. */
static void is_outside(const struct view *v)
{
    static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    for (size_t i = 0; i < v->n; i++) {
        const struct glimpse *g = &v->seen[i];
        if (g->point == SIGHT_NODE)
            continue;
        assert_memory_not_equal(g->ips, v4, sizeof v4);
        assert_memory_not_equal(g->ips + 16, v4, sizeof v4);
        assert_true(g->from != PARTY_NONE && g->to != PARTY_NONE);
        assert_true(g->point != SIGHT_LINE || g->at == (g->out ? g->from : g->to));
    }
}

#define BOXED                                                                                      \
    {                                                                                              \
        NAT_SYMMETRIC, NAT_FULL_CONE, NAT_CGNAT, NAT_PORT_RESTRICTED                               \
    }

/* allowed: what is still on its way when the trial ends. */
static void same(const struct setting *how, unsigned allowed)
{
    struct view *sim = view_of(how, "sim"), *ns3 = view_of(how, "ns3");
    const bool datagrams = strcmp(how->transport, "turn") == 0 || how->option;
    assert_in_range(differences(sim, ns3), 0, allowed);
    assert_true(count(ns3, SIGHT_LINE, datagrams) > 0);
    assert_true(count(ns3, SIGHT_BORDER, datagrams) > 0);
    is_outside(ns3);
    view_free(sim);
    view_free(ns3);
}

static void streams(void **state)
{
    static const struct setting direct = {.transport = "direct"},
                                noise = {.transport = "direct", .channel = CHANNEL_NOISE},
                                relay = {.transport = "relay"},
                                boxed = {.transport = "relay", .kinds = BOXED};
    (void)state;
    same(&direct, 0);
    same(&noise, 0);
    same(&relay, 0);
    same(&boxed, 0);
}

static void datagrams(void **state)
{
    static const struct setting turn = {.transport = "turn"},
                                boxed = {.transport = "turn", .kinds = BOXED},
                                punch = {.transport = "direct",
                                         .option = "punch",
                                         .value = "udp",
                                         .kinds = {NAT_PORT_RESTRICTED, NAT_FULL_CONE,
                                                   NAT_FULL_CONE, NAT_PORT_RESTRICTED}};
    (void)state;
    same(&turn, 0);
    same(&boxed, 2);
    same(&punch, 2);
}

/* Packets of a mix network take other ways whenever a clock differs by a nanosecond: the kinds of
 * them and the pairs that talk are the same, and each is known. */
static void mixed(void **state)
{
    static const struct setting mix = {.transport = "mix"};
    struct view *v[2] = {view_of(&mix, "sim"), view_of(&mix, "ns3")};
    unsigned kinds[2] = {0}, pairs[2] = {0}, unknown[2] = {0};
    (void)state;
    for (int w = 0; w < 2; w++)
        for (size_t i = 0; i < v[w]->n; i++) {
            const struct glimpse *g = &v[w]->seen[i];
            kinds[w] |= 1U << g->truth.kind;
            unknown[w] += g->bytes > 2000 && g->truth.kind == TRUTH_UNKNOWN;
            if (g->truth.kind == TRUTH_REAL)
                pairs[w] |= 1U << (g->truth.from * PARTIES + g->truth.to);
        }
    assert_int_equal(kinds[0], kinds[1]);
    assert_int_equal(pairs[0], pairs[1]);
    assert_int_equal(unknown[0], 0);
    assert_int_equal(unknown[1], 0);
    is_outside(v[1]);
    view_free(v[0]);
    view_free(v[1]);
}

/* ---- truth reaches judges alone ----------------------------------------------------------- */

struct spy {
    struct observer_setup setup;
    uint64_t n, sum;
};
static struct spy left;  /* as the last spy ended */
static unsigned told[2]; /* claims that were judged without truth, and with it */

static int spy_init(void *self, const struct observer_setup *setup, struct err *e)
{
    (void)e;
    ((struct spy *)self)->setup = *setup;
    return OK;
}
static void add(struct spy *s, uint64_t x)
{
    s->sum = (s->sum ^ x) * 0x9e3779b97f4a7c15U;
    s->sum ^= s->sum >> 29;
}
static void spy_see(void *self, const struct sighting *s)
{
    struct spy *spy = self;
    const struct addr *ends[] = {&s->from, &s->to};
    spy->n++;
    add(spy, (uint64_t)s->when);
    add(spy, (uint64_t)s->at << 32 | s->beyond);
    add(spy, (uint64_t)s->bytes << 32 | s->packets);
    add(spy,
        (uint64_t)s->point << 3 | (uint64_t)s->out << 2 | (uint64_t)s->opens << 1 | s->datagram);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 16; k++)
            add(spy, ends[i]->ip[k]);
        add(spy, ends[i]->port);
    }
    spy->setup.claim(spy->setup.ctx, &(struct claim){.when = s->when});
}
static void spy_end(void *self, ns_t now)
{
    (void)now;
    left = *(struct spy *)self;
}
static void spy_judge(void *score, const struct claim *c, const struct truth *t)
{
    (void)score, (void)c;
    told[t->packet != NULL]++;
}
#define SPY(name_, wants_)                                                                         \
    {                                                                                              \
        .name = name_, .wants = wants_, .size = sizeof(struct spy), .init = spy_init,              \
        .see = spy_see, .end = spy_end, .judge = spy_judge                                         \
    }
static const struct observer spy =
                                 SPY("spy", WANT_NODE_IN | WANT_NODE_OUT | WANT_LINE | WANT_BORDER),
                             judged = SPY("judged", WANT_NODE_IN | WANT_NODE_OUT | WANT_LINE |
                                                        WANT_BORDER | WANT_TRUTH);

/* Whether the world carries truth or not, the attack gets the same, bit by bit. */
static void attacks_get_none(void **state)
{
    static const struct setting ways[] = {
        {.transport = "relay"}, {.transport = "turn", .kinds = BOXED}, {.transport = "mix"}};
    const struct observer_spec blind = {.ops = &spy}, scored = {.ops = &judged};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint64_t without, with;
        struct spy first;
        told[0] = told[1] = 0;
        watch(&ways[i], "ns3", NULL, &blind, 1, &without);
        first = left;
        assert_true(first.n > 100 && told[0] == first.n && told[1] == 0);
        watch(&ways[i], "ns3", NULL, &scored, 1, &with);
        assert_int_equal(first.n, left.n);
        assert_int_equal(first.sum, left.sum);
        assert_int_equal(without, with);
        assert_true(told[1] > first.n / 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(mixed),
        cmocka_unit_test(attacks_get_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
