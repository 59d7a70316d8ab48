/* links: everything but engine/main.c (a trial in the simulator) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/prng.h"
#include "engine/observer.h"
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"

extern const struct observer observer_exposure;

enum { PARTIES = 40, SERVICES = 2, NODES = PARTIES + SERVICES };

/* Node k owns 10.0.0.k at any port; 10.0.9.x is nobody's. */
static struct addr addr_of(uint32_t k, uint16_t port)
{
    return (struct addr){
        .ip = {[10] = 255, [11] = 255, [12] = 10, [14] = (uint8_t)(k >> 8), [15] = (uint8_t)k},
        .port = port};
}
static party_t owner(const void *world, const struct addr *a)
{
    (void)world;
    return a->ip[14] == 0 && a->ip[15] < NODES ? a->ip[15] : PARTY_NONE;
}

static const struct roster roster = {.n = NODES, .n_parties = PARTIES};
static const struct truth truth = {.roster = &roster, .owner = owner};

struct rows {
    struct exposure row[NODES * NODES];
    size_t n;
};
static void keep(void *ctx, const struct exposure *row)
{
    struct rows *r = ctx;
    assert_in_range(r->n, 0, NODES * NODES - 1);
    r->row[r->n++] = *row;
}

static struct rows rows;
static void *self, *judge;

static void claim(void *ctx, const struct claim *g)
{
    (void)ctx;
    observer_exposure.judge(judge, g, &truth);
}

static int begin(void **state)
{
    const struct observer_setup setup = {.n_nodes = NODES, .n_parties = PARTIES, .claim = claim};
    (void)state;
    rows.n = 0;
    self = calloc(1, observer_exposure.size);
    return self ? observer_exposure.init(self, &setup, NULL) : -1;
}
static int end(void **state)
{
    (void)state;
    observer_exposure.free(self);
    free(self);
    return 0;
}

static void see(party_t at, ns_t when, struct addr peer)
{
    struct sighting s = {.at = at, .when = when, .from = peer, .packets = 1, .bytes = 100};
    observer_exposure.see(self, &s);
}
static void tie(party_t at, ns_t when, struct addr peer, party_t whom)
{
    const struct shown shown = {.kind = SHOWN_ADDRESS, .whom = whom, .addr = peer};
    struct sighting s = {.at = at, .when = when, .visible = &shown};
    observer_exposure.see(self, &s);
}
static void score(void)
{
    const struct report report = {.exposure = keep, .ctx = &rows};
    rows.n = 0;
    judge = calloc(1, observer_exposure.score_size);
    assert_non_null(judge);
    observer_exposure.end(self, 0);
    observer_exposure.report(judge, &truth, &report);
    observer_exposure.score_free(judge);
    free(judge);
}
static void expect_row(size_t i, party_t who, party_t whom, uint8_t level, ns_t first)
{
    assert_in_range(i, 0, rows.n - 1);
    assert_string_equal(rows.row[i].observer, "exposure");
    assert_string_equal(rows.row[i].what, "party_address");
    assert_int_equal(rows.row[i].who, who);
    assert_int_equal(rows.row[i].whom, whom);
    assert_int_equal(rows.row[i].level, level);
    assert_int_equal(rows.row[i].first, first);
}

static void test_nothing(void **state)
{
    (void)state;
    score();
    assert_int_equal(rows.n, 0);
}

static void test_levels(void **state)
{
    (void)state;
    see(1, 10, addr_of(2, 7000));
    score();
    assert_int_equal(rows.n, 1);
    expect_row(0, 1, 2, 1, 10);
    tie(1, 20, addr_of(2, 7000), 2);
    see(1, 30, addr_of(2, 7000));
    score();
    assert_int_equal(rows.n, 1);
    expect_row(0, 1, 2, 2, 10);
    tie(3, 5, addr_of(2, 7000), 2); /* tied without having been seen before */
    score();
    assert_int_equal(rows.n, 2);
    expect_row(1, 3, 2, 2, 5);
}

static void show(party_t at, ns_t when, enum shown_kind kind, party_t whom, party_t other)
{
    const struct shown shown = {.kind = kind, .whom = whom, .other = other};
    struct sighting s = {.at = at, .when = when, .visible = &shown};
    observer_exposure.see(self, &s);
}

static void expect_fact(size_t i, const char *what, party_t who, party_t whom, party_t other,
                        ns_t first)
{
    assert_in_range(i, 0, rows.n - 1);
    assert_string_equal(rows.row[i].what, what);
    assert_int_equal(rows.row[i].who, who);
    assert_int_equal(rows.row[i].whom, whom);
    assert_int_equal(rows.row[i].other, other);
    assert_int_equal(rows.row[i].level, 2);
    assert_int_equal(rows.row[i].first, first);
}

static void test_facts(void **state)
{
    (void)state;
    show(3, 10, SHOWN_PAIR, 2, 1);
    show(3, 20, SHOWN_PAIR, 1, 2); /* the same */
    show(3, 30, SHOWN_MEMBER, 1, 0);
    show(1, 40, SHOWN_PAIR, 1, 2);   /* its own: no exposure */
    show(1, 40, SHOWN_MEMBER, 1, 0); /* likewise */
    show(1, 50, SHOWN_INPUT, 2, 0);
    show(1, 60, SHOWN_MEMBER, PARTIES, 0); /* a service */
    show(1, 60, SHOWN_PAIR, 2, PARTIES);   /* with one */
    show(NODES, 60, SHOWN_MEMBER, 1, 0);   /* nobody */
    score();
    assert_int_equal(rows.n, 3);
    expect_fact(0, "party_member", 3, 1, PARTY_NONE, 30);
    expect_fact(1, "party_pair", 3, 1, 2, 10);
    expect_fact(2, "party_input", 1, 2, PARTY_NONE, 50);
}

static void test_wrong_tie(void **state)
{
    (void)state;
    tie(1, 10, addr_of(2, 7000), 3); /* a liar's address, or a relay's */
    score();
    assert_int_equal(rows.n, 1);
    expect_row(0, 1, 2, 1, 10);
    tie(1, 20, addr_of(2, 7000), 2);
    tie(1, 30, addr_of(2, 7000), 3);
    score();
    assert_int_equal(rows.n, 1);
    expect_row(0, 1, 2, 2, 10);
}

static void test_who_counts(void **state)
{
    (void)state;
    see(PARTIES, 1, addr_of(0, 1));           /* a service sees a party */
    see(0, 2, addr_of(PARTIES, 7000));        /* a party sees a service: no exposure */
    see(4, 3, addr_of(4, 7000));              /* itself */
    see(5, 4, addr_of(0x901, 7000));          /* nobody's address */
    see(NODES, 5, addr_of(1, 7000));          /* no such node */
    tie(6, 6, addr_of(PARTIES + 1, 7000), 7); /* a relay's address, tied to a party */
    score();
    assert_int_equal(rows.n, 1);
    expect_row(0, PARTIES, 0, 1, 1);
}

static void test_ports_merge(void **state)
{
    (void)state;
    see(9, 30, addr_of(3, 40001));
    see(9, 40, addr_of(3, 40002));
    tie(9, 50, addr_of(3, 40003), 3);
    see(8, 60, addr_of(3, 40002));
    score();
    assert_int_equal(rows.n, 2);
    expect_row(0, 8, 3, 1, 60);
    expect_row(1, 9, 3, 2, 30);
}

/* Everybody with everybody, in a shuffled order, many times: n(n-1) at level 2. */
static void test_all_to_all(void **state)
{
    struct dice dice = dice_name(1, "exposure", 0, 0, 0);
    static ns_t first[PARTIES][PARTIES];
    size_t i = 0;
    (void)state;
    memset(first, 0, sizeof first);
    for (ns_t t = 1; t < 200000; t++) {
        uint32_t a = (uint32_t)dice_below(&dice, PARTIES), b = (uint32_t)dice_below(&dice, PARTIES);
        if (a == b)
            continue;
        if (first[a][b] == 0) {
            first[a][b] = t;
            if (t % 2)
                see(a, t, addr_of(b, 7000));
            tie(a, t, addr_of(b, 7000), b);
        } else {
            see(a, t, addr_of(b, 7000));
        }
    }
    score();
    assert_int_equal(rows.n, PARTIES * (PARTIES - 1));
    for (uint32_t a = 0; a < PARTIES; a++)
        for (uint32_t b = 0; b < PARTIES; b++)
            if (a != b)
                expect_row(i++, a, b, 2, first[a][b]);
}

/* n parties that all talk, each dialling or dialled: n(n-1) at level 2 over `direct`. */
static void test_direct(void **state)
{
    enum { N = 7 };
    struct observer_spec spec = {.ops = &observer_exposure};
    struct conform_plan plan = {.messages = 3, .max = 100};
    struct trial_result r = {0};
    const struct world *sim = plugin_world("sim");
    struct bed b;
    struct err e;
    size_t i = 0;
    (void)state;
    assert_non_null(sim);
    assert_true(bed_make(&b, plugin_transport("direct"), &protocol_conform, N));
    b.spec.plan = &plan;
    b.spec.observers = &spec;
    b.spec.n_observers = 1;
    assert_true(bed_people(&b));
    assert_int_equal(sim->run(&b.spec, 1, NULL, NULL, &r, &e), OK);
    assert_int_equal(r.n_exposures, 2 * N * (N - 1)); /* and as many to the ISPs */
    for (uint32_t who = 0; who < 2 * N; who++)
        for (uint32_t whom = 0; whom < N; whom++)
            if (who % N != whom) {
                assert_int_equal(r.exposures[i].who, who < N ? who : b.spec.roster->n + who - N);
                assert_int_equal(r.exposures[i].whom, whom);
                assert_int_equal(r.exposures[i].level, who < N ? 2 : 1);
                assert_in_range(r.exposures[i].first, who < N, r.ended);
                i++;
            }
    trial_result_free(&r, N);
    bed_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_levels, begin, end),
        cmocka_unit_test_setup_teardown(test_facts, begin, end),
        cmocka_unit_test_setup_teardown(test_wrong_tie, begin, end),
        cmocka_unit_test_setup_teardown(test_who_counts, begin, end),
        cmocka_unit_test_setup_teardown(test_ports_merge, begin, end),
        cmocka_unit_test_setup_teardown(test_all_to_all, begin, end),
        cmocka_unit_test(test_direct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
