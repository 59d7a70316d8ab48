/* links: everything but engine/main.c (a trial in the simulator) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/base/prng.h"
#include "engine/plugins.h"
#include "engine/sights.h"

enum { NODES = 6, PARTIES = 4, SEEN = 400 };

static const struct roster_entry entries[NODES] = {
    {.name = "a", .role = "party"}, {.name = "b", .role = "party"}, {.name = "c", .role = "party"},
    {.name = "d", .role = "party"}, {.name = "r", .role = "mix"},   {.name = "s", .role = "mix"}};
static const struct roster roster = {.n = NODES, .n_parties = PARTIES, .entries = entries};

static struct addr addr_of(party_t who, uint16_t port)
{
    return (struct addr){.ip = {[15] = (uint8_t)(who + 1)}, .port = port};
}
/* world: by how much ownership is rotated; a lie to the judges alone. */
static party_t owner(const void *world, const struct addr *a)
{
    uint32_t by = *(const uint32_t *)world;
    return a->ip[15] && a->ip[15] <= NODES ? (a->ip[15] - 1u + by) % NODES : PARTY_NONE;
}

/* ---- an observer that writes down what it is given --------------------------------------- */

static struct sighting got[SEEN];
static unsigned n_got, n_judged, n_true;
static struct claim claims[SEEN];

struct eye {
    struct observer_setup setup;
};

static int eye_init(void *self, const struct observer_setup *setup, struct err *e)
{
    (void)e;
    ((struct eye *)self)->setup = *setup;
    return OK;
}
static void eye_see(void *self, const struct sighting *s)
{
    struct eye *eye = self;
    got[n_got++] = *s;
    eye->setup.claim(eye->setup.ctx,
                     &(struct claim){.what = 7, .when = s->when, .figure = s->bytes});
}
static void eye_judge(void *score, const struct claim *c, const struct truth *t)
{
    claims[n_judged++] = *c;
    *(unsigned *)score += 1;
    n_true += t->packet && t->packet->from == 2;
    assert_true(t->sighting && t->sighting->when == c->when);
}
static void eye_report(void *score, const struct truth *t, const struct report *out)
{
    (void)t;
    out->finding(out->ctx, &(struct finding){.what = PRIVACY_EXPOSED, .value = *(unsigned *)score});
}
static const struct observer eye = {.name = "eye",
                                    .wants = WANT_NODE_IN | WANT_LINE | WANT_BORDER,
                                    .size = sizeof(struct eye),
                                    .init = eye_init,
                                    .see = eye_see,
                                    .score_size = sizeof(unsigned),
                                    .judge = eye_judge,
                                    .report = eye_report};

static struct sighting packet(enum sight_point point, party_t at, party_t beyond, ns_t when)
{
    return (struct sighting){.point = (uint8_t)point,
                             .at = at,
                             .beyond = beyond,
                             .when = when,
                             .bytes = (uint32_t)when,
                             .packets = 1,
                             .from = addr_of(at % NODES, 1),
                             .to = addr_of((at + 1) % NODES, 2)};
}

static struct sights *begin(const struct observer_spec *specs, size_t n, const uint32_t *by)
{
    const struct sights_setup setup = {
        .observers = specs, .n_observers = n, .roster = &roster, .owner = owner, .world = by};
    struct sights *s;
    struct err e;
    n_got = n_judged = n_true = 0;
    assert_int_equal(sights_new(&s, &setup, &e), OK);
    return s;
}

/* ---- who gets what ------------------------------------------------------------------------ */

static void each_sees_its_places(void **state)
{
    static const struct place node[] = {{SIGHT_NODE, 1, PARTY_NONE}, {SIGHT_LINE, 2, PARTY_NONE}};
    static const struct place lines[] = {{SIGHT_LINE, PARTY_NONE, PARTY_NONE}};
    static const struct place border[] = {{SIGHT_BORDER, 0, 1}},
                              region[] = {{SIGHT_BORDER, 2, PARTY_NONE}};
    static const struct stake stakes[] = {
        {node, 2, "b + isp_c"}, {lines, 1, "global"}, {border, 1, "link"}, {region, 1, "region"}};
    static const unsigned expected[] = {2, 6, 2, 3};
    const struct observer_spec spec = {.ops = &eye, .stakes = stakes, .n_stakes = 4};
    struct sights_found found;
    uint32_t by = 0;
    struct sights *s = begin(&spec, 1, &by);
    (void)state;
    for (party_t i = 0; i < NODES; i++) {
        struct sighting n = packet(SIGHT_NODE, i, PARTY_NONE, i),
                        l = packet(SIGHT_LINE, i, PARTY_NONE, i);
        struct sighting out = n;
        out.out = true; /* not wanted */
        sights_see(s, &n, NULL);
        sights_see(s, &l, NULL);
        sights_see(s, &out, NULL);
    }
    for (party_t a = 0; a < 3; a++)
        for (party_t b = 0; b < 3; b++) {
            struct sighting x = packet(SIGHT_BORDER, a, b, 1);
            if (a != b && !(a == 2 && b == 1))
                sights_see(s, &x, NULL);
        }
    assert_int_equal(sights_end(s, 100, &found), OK);
    assert_int_equal(found.n_findings, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(found.findings[i].value, expected[i]);
        assert_string_equal(found.findings[i].at, stakes[i].at);
        assert_string_equal(found.findings[i].observer, "eye");
    }
    sights_found_free(&found);
    sights_free(s);
}

/* A fact is for the node's eyes alone, unless its packets show it on its line. */
static void lines_show_what_is_in_the_clear(void **state)
{
    static const struct place node[] = {{SIGHT_NODE, 2, PARTY_NONE}},
                              line[] = {{SIGHT_LINE, 2, PARTY_NONE}},
                              other[] = {{SIGHT_LINE, 1, PARTY_NONE}};
    static const struct stake stakes[] = {{node, 1, "c"}, {line, 1, "isp_c"}, {other, 1, "isp_b"}};
    static const unsigned expected[] = {2, 1, 0};
    struct observer wants_facts = eye;
    const struct observer_spec spec = {.ops = &wants_facts, .stakes = stakes, .n_stakes = 3};
    struct sights_found found;
    uint32_t by = 0;
    struct sights *s;
    (void)state;
    wants_facts.wants = WANT_SHOWN;
    s = begin(&spec, 1, &by);
    for (int clear = 0; clear < 2; clear++) {
        const struct shown fact = {.kind = SHOWN_MEMBER, .whom = 3, .in_clear = clear};
        sights_see(s, &(struct sighting){.at = 2, .beyond = PARTY_NONE, .visible = &fact}, NULL);
    }
    assert_int_equal(n_got, 3);
    assert_int_equal(got[2].point, SIGHT_LINE);
    assert_int_equal(sights_end(s, 9, &found), OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(found.findings[i].value, expected[i]);
    sights_found_free(&found);
    sights_free(s);
}

static void nobody_costs_nothing(void **state)
{
    const struct observer_spec absent = {.ops = &eye, .nowhere = true};
    uint32_t by = 0;
    struct sights *s = begin(&absent, 1, &by);
    struct sights_found found;
    (void)state;
    assert_null(s);
    assert_int_equal(sights_wants(s), 0);
    assert_int_equal(sights_end(s, 1, &found), OK);
    sights_found_free(&found);
    sights_free(s);
}

/* ---- truth is beyond the attack's reach ------------------------------------------------- */

/* Any observer: what the attack claims, as a hash, for a trace of sightings with some truth. */
static uint64_t claimed;

static void hash_bytes(const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++)
        claimed = (claimed ^ p[i]) * 0x100000001b3U;
}

static struct observer under_test;
static const struct observer *real;

static void spy_judge(void *score, const struct claim *c, const struct truth *t)
{
    hash_bytes(&c->what, sizeof c->what);
    hash_bytes(&c->when, sizeof c->when);
    hash_bytes(&c->figure, sizeof c->figure);
    hash_bytes(c->about.ip, sizeof c->about.ip);
    hash_bytes(&c->n, sizeof c->n);
    for (size_t i = 0; i < c->n; i++) {
        hash_bytes(&c->candidates[i].p, sizeof c->candidates[i].p);
        hash_bytes(&c->candidates[i].who, sizeof c->candidates[i].who);
        hash_bytes(c->candidates[i].addr.ip, sizeof c->candidates[i].addr.ip);
    }
    if (real->judge)
        real->judge(score, c, t);
}

/* shuffle: the truth handed to the judges is another one. */
static uint64_t run_on_a_trace(const struct observer *o, uint32_t shuffle)
{
    static const struct place all[] = {{SIGHT_LINE, PARTY_NONE, PARTY_NONE},
                                       {SIGHT_NODE, 4, PARTY_NONE}};
    static const struct stake stake = {all, 2, "everything"};
    struct dice dice = dice_name(5, "sights", 0, 0, 0);
    struct observer_spec spec = {.ops = &under_test, .stakes = &stake, .n_stakes = 1};
    uint64_t opts[128] = {0};
    struct sights_found found;
    struct sights *s;
    real = o;
    under_test = *o;
    under_test.judge = spy_judge;
    assert_true(o->opts_size <= sizeof opts);
    if (o->opts)
        opt_defaults(o->opts, opts);
    spec.opts = opts;
    claimed = 0xcbf29ce484222325U;
    s = begin(&spec, 1, &shuffle);
    for (ns_t t = 1; t <= 3000; t++) {
        party_t a = (party_t)dice_below(&dice, PARTIES), b = (party_t)dice_below(&dice, PARTIES);
        struct packet_truth truth = {.kind = (enum truth_kind)(1 + (t + shuffle) % 4),
                                     .from = (a + shuffle) % PARTIES,
                                     .to = (b + shuffle) % PARTIES,
                                     .serial = (uint64_t)t + shuffle};
        struct sighting x =
            packet(t % 2 ? SIGHT_LINE : SIGHT_NODE, t % 2 ? a : 4, PARTY_NONE, t * NS_MS);
        const struct shown route = {
            .kind = SHOWN_ROUTE, .whom = PARTY_NONE, .other = 5, .delay = 9};
        const struct sighting shown = {
            .at = 4, .when = x.when, .beyond = PARTY_NONE, .visible = &route};
        x.out = t % 3 == 0;
        x.from = addr_of(a, 7);
        x.to = addr_of(b, 7);
        x.bytes = 100 + (uint32_t)dice_below(&dice, 4) * 100;
        sights_see(s, &x, &truth);
        if (t % 4 == 2)
            sights_see(s, &shown, &truth);
    }
    assert_int_equal(sights_end(s, 3001 * NS_MS, &found), OK);
    sights_found_free(&found);
    sights_free(s);
    return claimed;
}

static void shuffled_truth_changes_no_claim(void **state)
{
    (void)state;
    for (size_t i = 0; plugin_observers[i]; i++) {
        uint64_t first = run_on_a_trace(plugin_observers[i], 0);
        print_message("%s: %016llx\n", plugin_observers[i]->name, (unsigned long long)first);
        for (uint32_t by = 1; by < 4; by++)
            assert_int_equal(run_on_a_trace(plugin_observers[i], by), first);
    }
}

static void truth_comes_with_its_sighting(void **state)
{
    const struct observer_spec spec = {.ops = &eye};
    const struct packet_truth truth = {.kind = TRUTH_REAL, .from = 2, .to = 1};
    struct sighting x = packet(SIGHT_NODE, 1, PARTY_NONE, 5);
    struct sights_found found;
    uint32_t by = 0;
    struct sights *s = begin(&spec, 1, &by);
    (void)state;
    sights_see(s, &x, &truth);
    sights_see(s, &x, NULL);
    sights_see(s, &x, &(struct packet_truth){.from = 2}); /* unknown */
    assert_int_equal(n_judged, 3);
    assert_int_equal(n_true, 1);
    assert_int_equal(sights_end(s, 9, &found), OK);
    sights_found_free(&found);
    sights_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sees_its_places),
        cmocka_unit_test(lines_show_what_is_in_the_clear),
        cmocka_unit_test(nobody_costs_nothing),
        cmocka_unit_test(truth_comes_with_its_sighting),
        cmocka_unit_test(shuffled_truth_changes_no_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
