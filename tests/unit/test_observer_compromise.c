/* links: all */
/* M12: the observer `compromise` on sightings made here, and what is expected of so many corrupt
 * mixes by closed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/observers/bounds.h"
#include "engine/sights.h"
#include "tests/unit/analytic.h"

extern const struct observer observer_compromise;

enum { SENDERS = 4, MIX = SENDERS, MIXES = 6, PROVIDER = MIX + MIXES, NODES, LAYERS = 3 };

static struct roster_entry entries[NODES];
static const struct roster roster = {.n = NODES, .n_parties = SENDERS, .entries = entries};

static struct addr address(party_t id)
{
    struct addr a = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 10}, .port = 1000};
    a.ip[15] = (uint8_t)(id + 1);
    return a;
}

static party_t owner(const void *world, const struct addr *a)
{
    (void)world;
    return a->ip[15] ? a->ip[15] - 1U : PARTY_NONE;
}

static int setup(void **state)
{
    (void)state;
    for (party_t i = 0; i < NODES; i++)
        entries[i] = (struct roster_entry){.name = "n",
                                           .role = i < SENDERS    ? "client"
                                                   : i < PROVIDER ? "mix"
                                                                  : "provider",
                                           .addr = address(i)};
    return 0;
}

static struct sights *sights;
static struct sights_found found;

static void begin(uint8_t corrupt, bool lines, int64_t layers)
{
    static struct place places[MIXES + 1];
    static struct stake stake;
    static struct observer_spec spec;
    static int64_t opts[2];
    const struct sights_setup s = {
        .observers = &spec, .n_observers = 1, .roster = &roster, .owner = owner, .seed = 1};
    struct err e;
    size_t n = 0;
    opts[0] = layers;
    for (party_t i = 0; i < MIXES; i++)
        if (corrupt >> i & 1)
            places[n++] = (struct place){SIGHT_NODE, MIX + i, PARTY_NONE};
    if (lines)
        places[n++] = (struct place){SIGHT_LINE, PARTY_NONE, PARTY_NONE};
    stake = (struct stake){.places = places, .n_places = n, .at = "here"};
    spec = (struct observer_spec){
        .ops = &observer_compromise, .opts = opts, .stakes = &stake, .n_stakes = 1};
    assert_int_equal(sights_new(&sights, &s, &e), OK);
    assert_non_null(sights);
}

/* At a mix, handed in by `from` and to be given to `to`. */
static void at_mix(ns_t when, party_t from, party_t mix, party_t to, const struct packet_truth *p)
{
    const struct shown route = {.kind = SHOWN_ROUTE, .whom = PARTY_NONE, .other = to, .delay = 7};
    sights_see(sights,
               &(struct sighting){.when = when,
                                  .at = mix,
                                  .beyond = PARTY_NONE,
                                  .packets = 1,
                                  .bytes = 2281,
                                  .from = address(from),
                                  .to = address(mix)},
               p);
    sights_see(sights,
               &(struct sighting){.when = when, .at = mix, .beyond = PARTY_NONE, .visible = &route},
               p);
}

static void leaves(ns_t when, const struct packet_truth *p)
{
    sights_see(sights,
               &(struct sighting){.when = when,
                                  .at = p->from,
                                  .beyond = PARTY_NONE,
                                  .point = SIGHT_LINE,
                                  .out = true,
                                  .packets = 2,
                                  .bytes = 2281,
                                  .from = address(p->from),
                                  .to = address(PROVIDER)},
               p);
}

static void travels(ns_t when, const party_t *route, uint32_t n, const struct packet_truth *p)
{
    party_t from = PROVIDER;
    leaves(when, p);
    for (uint32_t i = 0; i < n; i++) {
        at_mix(when + i, from, route[i], i + 1 < n ? route[i + 1] : PROVIDER, p);
        from = route[i];
    }
}

static int64_t value(enum privacy what)
{
    for (size_t i = 0; i < found.n_findings; i++)
        if (found.findings[i].what == what)
            return found.findings[i].value;
    return -1;
}

static void finish(void)
{
    assert_int_equal(sights_end(sights, 1000 * NS_S, &found), OK);
    sights_free(sights);
}

/* Every second a packet of a random route: counted by hand beside it. */
static void test_counts(void **state)
{
    enum { PACKETS = 8000 };
    (void)state;
    for (unsigned corrupt = 0; corrupt < 1U << MIXES; corrupt += 7) {
        struct dice d = dice_name(3, "routes", corrupt, 0, 0);
        uint64_t hits = 0, sessions = 0;
        bool session[SENDERS][SENDERS] = {{0}};
        bool bad[MIXES];
        ns_t first = -1;
        double p, error;
        for (int i = 0; i < MIXES; i++)
            bad[i] = corrupt >> i & 1;
        begin((uint8_t)corrupt, true, LAYERS);
        for (uint64_t k = 0; k < PACKETS; k++) {
            party_t from = (party_t)dice_below(&d, SENDERS), to = (party_t)dice_below(&d, SENDERS);
            struct packet_truth t = {TRUTH_REAL, from, to, k + 1};
            party_t route[LAYERS];
            bool all = true;
            if (k % 10 == 0)
                t.kind = TRUTH_COVER_LOOP; /* counts nowhere */
            for (party_t l = 0; l < LAYERS; l++) {
                party_t mix = l + LAYERS * (party_t)dice_below(&d, MIXES / LAYERS);
                all &= bad[mix];
                route[l] = MIX + mix;
            }
            travels((ns_t)(k + 1) * NS_S, route, LAYERS, &t);
            if (!all || t.kind != TRUTH_REAL)
                continue;
            hits++;
            session[from][to] = true;
            first = first < 0 ? (ns_t)(k + 1) * NS_S + LAYERS - 1 + 7 : first;
        }
        finish();
        for (int i = 0; i < SENDERS * SENDERS; i++)
            sessions += session[i / SENDERS][i % SENDERS];
        p = bounds_route(bad, MIXES, LAYERS, BOUNDS_STRATIFIED);
        error = bits_sqrt(p * (1 - p) / (PACKETS * 0.9));
        assert_int_equal(value(PRIVACY_PATH_EXPECTED), (int64_t)(p * 1e6 + 0.5));
        assert_int_equal(value(PRIVACY_PATH_COMPROMISED),
                         bits_round((double)hits * 1e6 / (PACKETS * 9 / 10)));
        assert_near((double)value(PRIVACY_PATH_COMPROMISED) / 1e6, p, 3.5 * error);
        assert_int_equal(value(PRIVACY_SESSION_COMPROMISED),
                         bits_round((double)sessions * 1e6 / (SENDERS * SENDERS)));
        assert_near((double)value(PRIVACY_SESSION_EXPECTED), p > 0 ? 1e6 : 0, 1);
        assert_int_equal(value(PRIVACY_FIRST_COMPROMISED), first);
        assert_true((value(PRIVACY_FIRST_EXPECTED) >= 0) == (p > 0));
        if (p > 0) /* the first is sent at 2 s, then one a gap */
            assert_near((double)value(PRIVACY_FIRST_EXPECTED) / 1e9,
                        2 + (PACKETS - 2) / (PACKETS * 0.9 - 1) / p, 1e-6);
        sights_found_free(&found);
    }
}

/* An honest mix anywhere breaks the chain, also where the corrupt ones before and after it see the
 * same packet; a mix's own loop goes nowhere; a corrupt provider is no corrupt mix. */
static void test_chains(void **state)
{
    const struct packet_truth t = {TRUTH_REAL, 0, 1, 1}, u = {TRUTH_REAL, 0, 1, 2};
    const party_t whole[] = {MIX, MIX + 1, MIX + 2}, gap[] = {MIX, MIX + 4, MIX + 2};
    (void)state;
    begin(7, true, LAYERS);
    travels(NS_S, gap, 3, &t);
    at_mix(2 * NS_S, PROVIDER, MIX, PARTY_NONE, &u);
    finish();
    assert_int_equal(value(PRIVACY_PATH_COMPROMISED), 0);
    assert_int_equal(value(PRIVACY_FIRST_COMPROMISED), -1);
    sights_found_free(&found);
    begin(7, true, LAYERS);
    travels(NS_S, whole, 3, &t);
    leaves(NS_S, &u);
    at_mix(2 * NS_S, MIX, MIX + 1, MIX + 2, &u); /* its beginning was never seen */
    at_mix(2 * NS_S, MIX + 1, MIX + 2, PROVIDER, &u);
    finish();
    assert_int_equal(value(PRIVACY_PATH_COMPROMISED), 500000);
    assert_int_equal(value(PRIVACY_SESSION_COMPROMISED), 1000000);
    sights_found_free(&found);
    begin(7, false, LAYERS); /* without lines nobody knows how many there are */
    travels(NS_S, whole, 3, &t);
    finish();
    assert_int_equal(value(PRIVACY_PATH_EXPECTED), 125000);
    assert_int_equal(value(PRIVACY_PATH_COMPROMISED), -1);
    sights_found_free(&found);
}

static double route(unsigned corrupt, uint32_t n, uint32_t layers, enum bounds_topology t)
{
    bool bad[16];
    for (uint32_t i = 0; i < n; i++)
        bad[i] = corrupt >> i & 1;
    return bounds_route(bad, n, layers, t);
}

static void test_closed_forms(void **state)
{
    double all = 0;
    (void)state;
    assert_near(route(7, 6, 3, BOUNDS_STRATIFIED), 0.125, 1e-15);
    assert_near(route(9, 6, 3, BOUNDS_STRATIFIED), 0, 1e-15); /* a whole layer, nothing else */
    assert_near(route(077, 6, 3, BOUNDS_STRATIFIED), 1, 1e-15);
    assert_near(route(7, 7, 3, BOUNDS_STRATIFIED), 1.0 / 12, 1e-15); /* 3 in the first layer */
    assert_near(route(7, 6, 3, BOUNDS_CASCADE), 0.5, 1e-15);
    assert_near(route(016, 6, 3, BOUNDS_CASCADE), 0, 1e-15);
    assert_near(route(7, 6, 3, BOUNDS_FREE_ROUTE), 1.0 / 20, 1e-15); /* 3 of 3 among 3 of 6 */
    assert_near(route(3, 6, 3, BOUNDS_FREE_ROUTE), 0, 1e-15);
    assert_near(route(037, 5, 3, BOUNDS_FREE_ROUTE), 1, 1e-15);
    assert_near(route(1, 2, 3, BOUNDS_STRATIFIED), 0, 1e-15); /* no route at all */
    assert_near(route(3, 2, 0, BOUNDS_FREE_ROUTE), 0, 1e-15);
    for (unsigned corrupt = 0; corrupt < 64; corrupt++) /* three of six at random: c^L on average */
        if (__builtin_popcount(corrupt) == 3)
            all += route(corrupt, 6, 3, BOUNDS_STRATIFIED) / 20;
    assert_near(all, 8 * 0.125 / 20, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_chains),
                                       cmocka_unit_test(test_closed_forms)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
