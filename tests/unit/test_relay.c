/* links: everything but engine/main.c (trials in the simulator) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/node.h"
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"
#include "transports/relay.h"

extern const struct transport transport_relay;
extern const struct world world_sim;
extern const struct observer observer_exposure;

/* Sizes of what client 0 and the relay put on the wire, as the tap tells. */
struct sizes {
    uint64_t n[2][LINK_MESSAGE_MAX]; /* [0: from a party, 1: from a relay][bytes] */
    uint32_t n_parties;
};

static void tap(void *ctx, const struct trace_packet *p)
{
    struct sizes *s = ctx;
    if (p->kind == PACKET_DATA && p->part == 0)
        s->n[p->sender >= s->n_parties][p->len]++;
}

struct trial {
    struct bed bed;
    struct conform_plan plan;
    struct trial_result r;
    struct sizes *sizes;
};

/* Nobody sends before all channels are up. */
static struct protocol patient;

static void make(struct trial *t, uint32_t parties, uint32_t relays, enum channel_mode channel)
{
    memset(t, 0, sizeof *t);
    patient = protocol_conform;
    patient.barrier = true;
    assert_true(bed_make(&t->bed, &transport_relay, &patient, parties));
    for (uint32_t i = 1; i < relays; i++)
        bed_more_services(&t->bed, &transport_relay);
    /* Apart by more than two round trips: each finds its connections idle. */
    t->plan = (struct conform_plan){
        .messages = 20, .min = 100, .max = 100, .every = 400 * NS_MS, .one_way = true};
    t->bed.spec.plan = &t->plan;
    t->bed.spec.channel = channel;
    t->sizes = calloc(1, sizeof *t->sizes);
    assert_non_null(t->sizes);
    t->sizes->n_parties = parties;
}

static void option(struct trial *t, const char *name, const char *value)
{
    struct err e;
    assert_int_equal(
        opt_set(opt_find(transport_relay.opts, name), t->bed.transport_opts, value, &e), OK);
}

static void run(struct trial *t)
{
    struct trace trace = {.packet = tap, .ctx = t->sizes};
    struct err e = {0};
    assert_true(bed_people(&t->bed));
    assert_int_equal(world_sim.run(&t->bed.spec, 1, NULL, &trace, &t->r, &e), OK);
    for (uint32_t i = 0; i < t->bed.roster.n_parties; i++) {
        if (!t->r.outcomes[i].done)
            print_message("p%u: %s %s\n", i, t->r.outcomes[i].failure, t->r.why);
        assert_true(t->r.outcomes[i].done);
    }
}

static void end(struct trial *t)
{
    trial_result_free(&t->r, t->bed.roster.n_parties);
    bed_free(&t->bed);
    free(t->sizes);
}

/* Round trip between the regions of two nodes. */
static ns_t rtt(const struct trial *t, uint32_t a, uint32_t b)
{
    return bed_rtts[t->bed.hosts[a].region * 3 + t->bed.hosts[b].region];
}

static void expect_both(const struct hist *h, ns_t low, ns_t high)
{
    assert_int_equal(hist_min(h), low);
    assert_int_equal(hist_max(h), high);
}

static void test_latency_and_setup(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        enum channel_mode channel = k ? CHANNEL_NOISE : CHANNEL_NONE;
        struct trial t;
        ns_t a, b, way, both;
        make(&t, 2, 1, channel);
        t.bed.spec.modelled = k == 2;
        run(&t);
        a = rtt(&t, 0, 2);
        b = rtt(&t, 1, 2);
        way = (a + b) / 2;
        expect_both(&t.r.metrics.hist[METRIC_MESSAGE], way, way);
        both = a > b ? a : b;
        if (channel == CHANNEL_NOISE)
            expect_both(&t.r.metrics.hist[METRIC_SETUP], both * 5 / 2 + a / 2 + 2 * way,
                        both * 5 / 2 + a / 2 + 3 * way);
        else
            expect_both(&t.r.metrics.hist[METRIC_SETUP], both * 3 / 2 + b / 2,
                        both * 3 / 2 + a / 2);
        for (int d = 0; d < DROP_COUNT; d++)
            assert_int_equal(t.r.metrics.drops[d], 0);
        end(&t);
    }
}

/* Servers half way, two of them: by each party's own, and between them. */
static void test_latency_two_relays(void **state)
{
    struct trial t;
    (void)state;
    make(&t, 2, 2, CHANNEL_NOISE);
    t.bed.hosts[2].region = 0; /* near p0 */
    t.bed.hosts[3].region = 1; /* near p1 */
    run(&t);
    expect_both(&t.r.metrics.hist[METRIC_MESSAGE], NS_MS + 40 * NS_MS + NS_MS,
                NS_MS + 40 * NS_MS + NS_MS);
    end(&t);
    make(&t, 2, 2, CHANNEL_NOISE);
    option(&t, "home", "first");
    t.bed.hosts[2].region = 2;
    t.bed.hosts[3].region = 0;
    run(&t);
    expect_both(&t.r.metrics.hist[METRIC_MESSAGE], 75 * NS_MS + 55 * NS_MS,
                75 * NS_MS + 55 * NS_MS);
    end(&t);
}

static void test_bytes_on_the_wire(void **state)
{
    enum { BODY = NODE_HEADER + 100, PLAIN = LINK_FRAME + RELAY_HEADER + 8 + BODY };
    enum { SEALED = LINK_FRAME + RELAY_HEADER + 42 + BODY + NOISE_TAG };
    struct trial t;
    (void)state;
    make(&t, 2, 1, CHANNEL_NONE);
    run(&t);
    assert_int_equal(t.sizes->n[0][LINK_FRAME + NOISELINK_PLAIN], 2);
    assert_int_equal(t.sizes->n[0][LINK_FRAME + 1 + 4], 2); /* WATCH */
    assert_int_equal(t.sizes->n[0][PLAIN], 20);
    assert_int_equal(t.sizes->n[1][PLAIN], 20);
    end(&t);
    for (int modelled = 0; modelled < 2; modelled++) {
        make(&t, 2, 1, CHANNEL_NOISE);
        t.bed.spec.modelled = modelled;
        run(&t);
        assert_int_equal(t.sizes->n[0][LINK_FRAME + NOISELINK_HELLO], 2);
        assert_int_equal(t.sizes->n[1][LINK_FRAME + NOISELINK_ANSWER], 2);
        assert_int_equal(t.sizes->n[0][LINK_FRAME + NOISELINK_PROOF], 2);
        assert_int_equal(t.sizes->n[0][LINK_FRAME + 1 + 4 + NOISE_TAG], 2);
        assert_int_equal(t.sizes->n[0][SEALED], 20);
        assert_int_equal(t.sizes->n[1][SEALED], 20);
        end(&t);
    }
    make(&t, 2, 2, CHANNEL_NOISE);
    t.bed.hosts[2].region = 0;
    t.bed.hosts[3].region = 1;
    run(&t);
    assert_int_equal(t.sizes->n[1][SEALED + RELAY_FORWARD_HEADER - RELAY_HEADER], 20);
    assert_int_equal(t.sizes->n[1][SEALED], 20);
    end(&t);
}

/* METRICS.md, M1: a party learns no address; a relay those of its clients, tied. */
static void test_exposures(void **state)
{
    static uint8_t opts[256];
    struct observer_spec observers[] = {{.ops = &observer_exposure, .opts = opts}};
    (void)state;
    for (uint32_t relays = 1; relays <= 2; relays++) {
        unsigned tied = 0, pairs = 0, members = 0;
        struct trial t;
        make(&t, 4, relays, CHANNEL_NOISE);
        t.bed.spec.observers = observers;
        t.bed.spec.n_observers = 1;
        run(&t);
        for (size_t i = 0; i < t.r.n_exposures; i++) {
            const struct exposure *x = &t.r.exposures[i];
            const uint32_t n = t.bed.spec.roster->n;
            if (x->who >= n) { /* an ISP: the relays' alone see clients' addresses */
                assert_true(x->who - n >= 4);
            } else if (strcmp(x->what, "party_address") == 0) {
                assert_true(x->who >= 4);
                assert_int_equal(x->level, 2);
                tied++;
            }
            pairs += strcmp(x->what, "party_pair") == 0;
            members += strcmp(x->what, "party_member") == 0;
        }
        assert_int_equal(tied, 4); /* each at its home alone */
        assert_int_equal(members, 4 * relays);
        assert_true(relays == 1 ? pairs == 6 : pairs >= 6);
        end(&t);
    }
}

static void test_check_wants_a_relay(void **state)
{
    struct roster_entry entries[2] = {{.role = "peer"}, {.role = "turn"}};
    struct roster roster = {.n = 2, .n_parties = 1, .entries = entries};
    struct relay_opts opts;
    struct transport_shape shape = {.opts = &opts, .roster = &roster};
    struct err e;
    (void)state;
    opt_defaults(transport_relay.opts, &opts);
    assert_int_equal(transport_relay.check(&shape, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "role relay"));
    entries[1].role = "relay";
    assert_int_equal(transport_relay.check(&shape, &e), OK);
    opts.backoff_min = opts.backoff_max + 1;
    assert_int_equal(transport_relay.check(&shape, &e), ERR_INVALID);
}

/* What is sent to a party that left waits for it; nobody hears that it was away. */
static void test_retention(void **state)
{
    struct action actions[] = {
        {.kind = ACT_CRASH, .at = 2 * NS_S, .until = NS_NEVER, .node = 1},
        {.kind = ACT_RESTART, .at = 4 * NS_S, .until = NS_NEVER, .node = 1},
    };
    (void)state;
    for (int held = 0; held < 2; held++) {
        struct trial t;
        make(&t, 2, 1, CHANNEL_NOISE);
        option(&t, "retention", held ? "60s" : "0s");
        t.plan.messages = 60;
        t.plan.every = 100 * NS_MS;
        t.bed.spec.actions = actions;
        t.bed.spec.n_actions = 2;
        run(&t);
        assert_true((t.r.metrics.drops[DROP_RELAY_ABSENT] > 0) == !held);
        end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latency_and_setup),   cmocka_unit_test(test_latency_two_relays),
        cmocka_unit_test(test_bytes_on_the_wire),   cmocka_unit_test(test_exposures),
        cmocka_unit_test(test_check_wants_a_relay), cmocka_unit_test(test_retention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
