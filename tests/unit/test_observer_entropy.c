/* links: all */
/* The observer `entropy` on sightings made here: one mix, known laws. What it claims must be what
 * the closed forms of METRICS.md 2.2 say, and must not depend on truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/observers/challenge.h"
#include "engine/sights.h"
#include "tests/unit/analytic.h"

extern const struct observer observer_entropy;

enum { SENDERS = 5, MIX = SENDERS, PROVIDER, RELAY, NODES };

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
                                           .role = i == MIX        ? "mix"
                                                   : i == PROVIDER ? "provider"
                                                   : i == RELAY    ? "relay"
                                                                   : "client",
                                           .addr = address(i)};
    return 0;
}

struct bed {
    struct sights *sights;
    struct sights_found found;
    struct packet_truth truth;
    ns_t now;
};

static void begin(struct bed *b, const struct place *places, size_t n)
{
    static int64_t settle;
    static struct stake stake;
    static struct observer_spec spec;
    const struct sights_setup s = {
        .observers = &spec, .n_observers = 1, .roster = &roster, .owner = owner, .seed = 1};
    struct err e;
    settle = 10 * NS_S;
    stake = (struct stake){.places = places, .n_places = n, .at = "here"};
    spec = (struct observer_spec){
        .ops = &observer_entropy, .opts = &settle, .stakes = &stake, .n_stakes = 1};
    *b = (struct bed){0};
    assert_int_equal(sights_new(&b->sights, &s, &e), OK);
    assert_non_null(b->sights);
}

/* A packet on both lines, at once. */
static void hop(struct bed *b, party_t from, party_t to)
{
    struct sighting s = {.when = b->now,
                         .at = from,
                         .beyond = PARTY_NONE,
                         .point = SIGHT_LINE,
                         .out = true,
                         .bytes = 2281,
                         .packets = 2,
                         .from = address(from),
                         .to = address(to)};
    sights_see(b->sights, &s, &b->truth);
    s.at = to;
    s.out = false;
    sights_see(b->sights, &s, &b->truth);
}

static const struct finding_row *row(const struct bed *b, enum privacy what)
{
    for (size_t i = 0; i < b->found.n_findings; i++)
        if (b->found.findings[i].what == what)
            return &b->found.findings[i];
    return NULL;
}

static double value(const struct bed *b, enum privacy what)
{
    const struct finding_row *r = row(b, what);
    assert_non_null(r);
    return (double)r->value;
}

static void finish(struct bed *b)
{
    assert_int_equal(sights_end(b->sights, b->now, &b->found), OK);
    assert_null(b->found.invalid);
}

static void forget(struct bed *b)
{
    sights_free(b->sights);
    sights_found_free(&b->found);
}

/* Five senders through one Poisson mix of rho; lie: truth is rotated by so much. */
static void poisson(struct bed *b, double rho, int packets, uint32_t lie)
{
    struct dice d = dice_name(4, "observer", (uint64_t)rho, 0, 0);
    struct {
        party_t from, to;
    } held[512];
    uint32_t n = 0;
    for (int left = packets; left;) {
        double rate = rho + (double)n, u = (double)(dice_u64(&d) >> 11) * 0x1p-53;
        b->now += dice_exp(&d, (ns_t)(1e8 / rate)); /* mean delay 100 ms */
        if (u * rate < rho && n < 512) {
            party_t from = (party_t)dice_below(&d, SENDERS);
            held[n].from = from;
            held[n].to = (party_t)dice_below(&d, SENDERS);
            b->truth = (struct packet_truth){.kind = TRUTH_REAL, .from = from};
            hop(b, from, PROVIDER);
            hop(b, PROVIDER, MIX);
            n++;
        } else {
            uint32_t i = (uint32_t)dice_below(&d, n);
            b->truth = (struct packet_truth){
                .kind = TRUTH_REAL, .from = (held[i].from + lie) % SENDERS, .to = held[i].to};
            hop(b, MIX, PROVIDER);
            hop(b, PROVIDER, held[i].to);
            held[i] = held[--n];
            left--;
        }
    }
}

static const struct place global[] = {{.point = SIGHT_LINE, .at = PARTY_NONE}};

static void test_poisson_mix(void **state)
{
    struct bed b;
    (void)state;
    begin(&b, global, 1);
    poisson(&b, 10, 240000, 0);
    finish(&b);
    assert_near(value(&b, PRIVACY_MESSAGE_ENTROPY), 4763, 13); /* three standard errors */
    assert_near(value(&b, PRIVACY_MESSAGE_GUESS), 90909, 1500);
    assert_near(value(&b, PRIVACY_MESSAGE_TRUE), 50920, 1000);
    assert_near(value(&b, PRIVACY_PARTY_ENTROPY), 2170, 5); /* S = 5, rho = 10 */
    assert_near(value(&b, PRIVACY_PARTY_TRUE), 1e6 * (0.05092 + (1 - 0.05092) / 5), 2500);
    assert_true(value(&b, PRIVACY_PARTY_TRACED) < 100); /* rarely a mix holds but one */
    assert_int_equal(row(&b, PRIVACY_PARTY_ENTROPY)->population, SENDERS);
    assert_true(row(&b, PRIVACY_PARTY_ENTROPY)->n > 230000);
    assert_non_null(row(&b, PRIVACY_MESSAGE_ENTROPY)->hist);
    forget(&b);
}

/* What is claimed without truth is the same whatever truth says; what truth scores is not. */
static void test_truth_is_not_seen(void **state)
{
    static const enum privacy same[] = {PRIVACY_MESSAGE_ENTROPY, PRIVACY_MESSAGE_GUESS,
                                        PRIVACY_PARTY_ENTROPY, PRIVACY_PARTY_GUESS};
    struct bed b, lied;
    (void)state;
    begin(&b, global, 1);
    poisson(&b, 1, 20000, 0);
    finish(&b);
    begin(&lied, global, 1);
    poisson(&lied, 1, 20000, 2);
    finish(&lied);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(value(&b, same[i]) == value(&lied, same[i]));
    assert_true(value(&b, PRIVACY_PARTY_TRUE) > 500000); /* 0.4472 + 0.5528 / 5 = 0.5578 */
    assert_true(value(&lied, PRIVACY_PARTY_TRUE) < 200000);
    forget(&b);
    forget(&lied);
}

/* A FIFO mix, and one that the adversary runs: nothing is hidden. */
static void test_nothing_hidden(void **state)
{
    const struct place runs[] = {{.point = SIGHT_LINE, .at = PARTY_NONE},
                                 {.point = SIGHT_NODE, .at = MIX, .beyond = PARTY_NONE}};
    struct bed b;
    (void)state;
    begin(&b, global, 1);
    for (party_t i = 0; i < 2000; i++) {
        b.now += 10 * NS_MS;
        b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = i % 3};
        hop(&b, i % 3, PROVIDER);
        hop(&b, PROVIDER, MIX);
        hop(&b, MIX, PROVIDER);
        hop(&b, PROVIDER, 4);
    }
    finish(&b);
    assert_int_equal(value(&b, PRIVACY_MESSAGE_ENTROPY), 0);
    assert_int_equal(value(&b, PRIVACY_PARTY_TRACED), 1000000);
    forget(&b);

    begin(&b, runs, 2);
    for (party_t i = 0; i < 4000; i += 2) { /* two inside, which leave the other way round */
        for (party_t k = 0; k < 2; k++) {
            const struct shown route = {.kind = SHOWN_ROUTE,
                                        .whom = PARTY_NONE,
                                        .other = PROVIDER,
                                        .delay = (2 - (ns_t)k) * NS_MS};
            const struct sighting s = {
                .when = b.now, .at = MIX, .beyond = PARTY_NONE, .visible = &route};
            hop(&b, (i + k) % 3, PROVIDER);
            hop(&b, PROVIDER, MIX);
            sights_see(b.sights, &s, NULL);
        }
        for (party_t k = 2; k-- > 0;) {
            b.now += NS_MS;
            b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = (i + k) % 3};
            hop(&b, MIX, PROVIDER);
            hop(&b, PROVIDER, 4);
        }
        b.now += 10 * NS_MS;
    }
    finish(&b);
    assert_int_equal(value(&b, PRIVACY_PARTY_TRACED), 1000000);
    assert_true(value(&b, PRIVACY_MESSAGE_ENTROPY) > 400); /* who is outside still sees a pool */
    forget(&b);
}

/* Nonsense: sightings of nodes that are not there, of nobody's addresses, without end. */
static void test_nonsense(void **state)
{
    struct dice d = dice_name(1, "nonsense", 0, 0, 0);
    struct bed b;
    (void)state;
    begin(&b, global, 1);
    for (int i = 0; i < 20000; i++) {
        struct sighting s = {.when = i,
                             .at = (party_t)dice_below(&d, NODES + 3),
                             .point = (uint8_t)dice_below(&d, SIGHT_POINTS),
                             .out = dice_below(&d, 2),
                             .bytes = (uint32_t)dice_below(&d, 3000),
                             .packets = (uint32_t)dice_below(&d, 3)};
        s.from.ip[0] = (uint8_t)dice_u64(&d);
        s.to = address((party_t)dice_below(&d, 200));
        b.now = i;
        sights_see(b.sights, &s, dice_below(&d, 2) ? &b.truth : NULL);
    }
    finish(&b);
    forget(&b);
}

/* ---- what does not mix -------------------------------------------------------------------- */

/* A cell without mixes. */
static int setup_relay(void **state)
{
    setup(state);
    entries[MIX].role = entries[PROVIDER].role = "directory";
    return 0;
}

static void one(struct bed *b, party_t at, party_t peer, bool out, uint32_t bytes)
{
    sights_see(b->sights,
               &(struct sighting){.when = b->now,
                                  .at = at,
                                  .beyond = PARTY_NONE,
                                  .point = SIGHT_LINE,
                                  .out = out,
                                  .bytes = bytes,
                                  .packets = 1,
                                  .from = address(out ? at : peer),
                                  .to = address(out ? peer : at)},
               &b->truth);
}

static void over(struct bed *b, party_t from, party_t to, uint32_t bytes)
{
    one(b, from, to, true, bytes);
    b->now += NS_MS;
    one(b, to, from, false, bytes);
}

/* A relay passes on what came first, and speaks itself in between; packets of two senders are
 * told apart by size though the later one leaves first, and one that got lost holds nobody up. */
static void test_relay(void **state)
{
    struct bed b;
    (void)state;
    begin(&b, global, 1);
    over(&b, 2, RELAY, 100);      /* shows its address */
    one(&b, 0, RELAY, true, 900); /* lost on its way */
    for (int i = 0; i < 50; i++) {
        b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = 0, .to = 2};
        over(&b, 0, RELAY, 500);
        b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = 1, .to = 2};
        over(&b, 1, RELAY, 700);
        b.truth = (struct packet_truth){.kind = TRUTH_CONTROL, .from = RELAY, .to = 0};
        over(&b, RELAY, 0, 90);
        b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = 1, .to = 2};
        over(&b, RELAY, 2, 712);
        b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = 0, .to = 2};
        over(&b, RELAY, 2, 512);
    }
    finish(&b);
    assert_int_equal((int)value(&b, PRIVACY_PARTY_GUESS), 1000000);
    assert_true(value(&b, PRIVACY_PARTY_TRUE) == 1e6);
    assert_true(value(&b, PRIVACY_PARTY_ENTROPY) == 0);
    assert_int_equal(row(&b, PRIVACY_PARTY_GUESS)->n, 100);
    forget(&b);
}

/* What a relay keeps for itself stays behind: what passes later is not taken for it, though it is
 * of the same size. Two senders, whom nothing but time tells apart, are told apart: so is who of
 * two it was, each time. */
static void test_relay_keeps_some(void **state)
{
    struct bed b;
    (void)state;
    begin(&b, global, 1);
    over(&b, 2, RELAY, 100); /* shows its address */
    for (uint64_t i = 0; i < 400; i++) {
        const party_t from = i % 2;
        b.truth = (struct packet_truth){.kind = TRUTH_CONTROL, .from = 1 - from, .to = RELAY};
        if (i % 10 == 0)
            over(&b, 1 - from, RELAY, 500);
        b.now += 10 * NS_MS;
        b.truth = (struct packet_truth){TRUTH_REAL, from, 2, i + 1};
        over(&b, from, RELAY, 500);
        over(&b, RELAY, 2, 500);
    }
    finish(&b);
    assert_true(value(&b, PRIVACY_PARTY_GUESS) == 1e6);
    assert_true(value(&b, PRIVACY_PARTY_RIGHT) == 1e6);
    assert_true(value(&b, PRIVACY_ADVANTAGE) == 1e6);
    assert_true(value(&b, PRIVACY_EPSILON) == 1000.0 * CHALLENGE_EPSILON);
    assert_true(value(&b, PRIVACY_NOISE) == 0);
    assert_near(value(&b, PRIVACY_ROUNDS), 2000.0 / 12.1, 2); /* 2 ms; one each 12.1 ms */
    assert_true(value(&b, PRIVACY_HEADROOM) ==
                1e6 - (double)b.found.findings[b.found.n_findings - 2].value);
    forget(&b);
}

/* With the receiver's line alone, whoever uses the relay may have sent it. */
static void test_relay_from_one_line(void **state)
{
    static const struct place line = {.point = SIGHT_LINE, .at = 2};
    struct bed b;
    (void)state;
    begin(&b, &line, 1);
    b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = 2, .to = 0};
    over(&b, 2, RELAY, 500);
    b.truth = (struct packet_truth){.kind = TRUTH_REAL, .from = 0, .to = 2};
    for (int i = 0; i < 20; i++)
        over(&b, RELAY, 2, 512);
    finish(&b);
    assert_true(value(&b, PRIVACY_PARTY_GUESS) == 200000);
    assert_true(value(&b, PRIVACY_PARTY_TRUE) == 200000);
    forget(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_relay, setup_relay, setup),
        cmocka_unit_test_setup_teardown(test_relay_keeps_some, setup_relay, setup),
        cmocka_unit_test_setup_teardown(test_relay_from_one_line, setup_relay, setup),
        cmocka_unit_test(test_poisson_mix),
        cmocka_unit_test(test_truth_is_not_seen),
        cmocka_unit_test(test_nothing_hidden),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
