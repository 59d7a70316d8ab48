/* links: all
 * M9: the observer `disclosure` on sightings made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/sights.h"

extern const struct observer observer_disclosure;

enum { PARTIES = 12, PEERS = 3, ROUNDS = 400 }; /* 0 is the target, 1 .. PEERS its peers */

static const struct roster_entry who[PARTIES] = {
    {.name = "a", .role = "party"}, {.name = "b", .role = "party"}, {.name = "c", .role = "party"},
    {.name = "d", .role = "party"}, {.name = "e", .role = "party"}, {.name = "f", .role = "party"},
    {.name = "g", .role = "party"}, {.name = "h", .role = "party"}, {.name = "i", .role = "party"},
    {.name = "j", .role = "party"}, {.name = "k", .role = "party"}, {.name = "l", .role = "party"}};
static const struct roster roster = {.n = PARTIES, .n_parties = PARTIES, .entries = who};

static party_t owner(const void *world, const struct addr *a)
{
    (void)world;
    return a->ip[15];
}

static void pass(struct sights *s, ns_t when, party_t at, bool out, party_t to)
{
    const struct packet_truth truth = {.kind = TRUTH_REAL, .from = out ? at : PARTY_NONE, .to = to};
    struct sighting x = {.when = when,
                         .at = at,
                         .point = SIGHT_LINE,
                         .out = out,
                         .bytes = 500,
                         .packets = 1,
                         .beyond = PARTY_NONE};
    x.from.ip[15] = out ? (uint8_t)at : 200;
    x.to.ip[15] = out ? 200 : (uint8_t)at;
    sights_see(s, &x, &truth);
}

/* The target sends one packet in each round that a coin chooses (always: in all), to one of its
 * peers as truth has it; `delivered`: it comes there in the same round. Everybody else gets
 * something in every third round on the average. */
static struct sights_found run(bool always, bool delivered)
{
    static const struct place global = {.point = SIGHT_LINE, .at = PARTY_NONE};
    static const struct stake stake = {.places = &global, .n_places = 1, .at = "global"};
    struct observer_spec spec = {.ops = &observer_disclosure, .stakes = &stake, .n_stakes = 1};
    const struct sights_setup setup = {
        .observers = &spec, .n_observers = 1, .roster = &roster, .owner = owner, .seed = 1};
    struct dice d = dice_name(1, "rounds", 0, 0, 0);
    struct sights_found found = {0};
    struct sights *s;
    struct err e;
    void *opts = calloc(1, observer_disclosure.opts_size);
    assert_non_null(opts);
    opt_defaults(observer_disclosure.opts, opts);
    spec.opts = opts;
    assert_int_equal(sights_new(&s, &setup, &e), OK);
    for (int r = 0; r < ROUNDS; r++) {
        ns_t at = r * NS_S;
        bool with = always || dice_below(&d, 2);
        party_t to = 1 + (party_t)dice_below(&d, PEERS);
        if (with)
            pass(s, at, 0, true, to);
        for (party_t p = 1; p < PARTIES; p++)
            if (dice_below(&d, 3) == 0)
                pass(s, at + 100 * NS_MS, p, false, p);
        if (with && delivered)
            pass(s, at + 200 * NS_MS, to, false, to);
    }
    assert_int_equal(sights_end(s, ROUNDS * NS_S, &found), OK);
    sights_free(s);
    free(opts);
    return found;
}

static const struct finding_row *row(const struct sights_found *f, enum privacy what)
{
    for (size_t i = 0; i < f->n_findings; i++)
        if (f->findings[i].what == what)
            return &f->findings[i];
    return NULL;
}

static void test_finds_peers(void **state)
{
    struct sights_found f = run(false, true);
    (void)state;
    assert_non_null(row(&f, PRIVACY_DISCLOSURE_AUC));
    assert_int_equal(row(&f, PRIVACY_DISCLOSURE_AUC)->value, 1000000);
    assert_non_null(row(&f, PRIVACY_DISCLOSURE_ROUNDS));
    assert_in_range(row(&f, PRIVACY_DISCLOSURE_ROUNDS)->value, 5, ROUNDS / 2);
    sights_found_free(&f);
}

/* What never comes out tells nothing: 3 of 11 at random, sigma 0.21; far below certain. */
static void test_nothing_to_find(void **state)
{
    struct sights_found f = run(false, false);
    (void)state;
    assert_non_null(row(&f, PRIVACY_DISCLOSURE_AUC));
    assert_in_range(row(&f, PRIVACY_DISCLOSURE_AUC)->value, 80000, 920000);
    sights_found_free(&f);
}

static void test_always_there(void **state)
{
    struct sights_found f = run(true, true);
    (void)state;
    assert_null(row(&f, PRIVACY_DISCLOSURE_AUC)); /* no round without it to compare with */
    sights_found_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_peers),
        cmocka_unit_test(test_nothing_to_find),
        cmocka_unit_test(test_always_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
