/* links: everything */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"
#include "transports/turn.h"

extern const struct observer observer_exposure;

/* METRICS.md, M1, for TURN: who learns whose address, who takes part, and who talks to whom.
 * Four parties behind NATs; with two servers, 0 and 2 are at the first, 1 and 3 at the second. */
enum { PARTIES = 4, PAIRS = PARTIES * (PARTIES - 1) / 2 };

static struct learnt {
    unsigned by_party[PARTIES][PARTIES];  /* [who][whom]: level */
    unsigned by_isp[PARTIES][PARTIES];    /* the same of a party's ISP */
    unsigned isp, isp_members, isp_pairs; /* all of them */
    unsigned party, turn, turn_tied, matchmaker;
    unsigned turn_members, turn_pairs, match_members, match_pairs;
    unsigned each[2]; /* addresses at each TURN server */
    ns_t turn_first;  /* when it knew of a first member */
} learnt;

static void note(const struct bed *b, const struct exposure *x)
{
    const uint32_t n = b->spec.roster->n;
    const char *role = x->who < n ? b->entries[x->who].role : "isp";
    bool turn = strcmp(role, "turn") == 0, match = strcmp(role, "matchmaker") == 0;
    if (x->who >= n && x->who - n < PARTIES) {
        learnt.isp_members += strcmp(x->what, "party_member") == 0;
        learnt.isp_pairs += strcmp(x->what, "party_pair") == 0;
        if (strcmp(x->what, "party_address") == 0) {
            learnt.by_isp[x->who - n][x->whom] = x->level;
            learnt.isp++;
        }
    }
    if (x->who < n && strcmp(x->what, "party_address") == 0) {
        if (x->who < PARTIES)
            learnt.by_party[x->who][x->whom] = x->level;
        learnt.party += x->who < PARTIES;
        learnt.turn += turn;
        learnt.turn_tied += turn && x->level == 2;
        learnt.each[x->who > PARTIES] += turn;
        learnt.matchmaker += match;
        if (!turn)
            assert_int_equal(x->level, 2);
    }
    if (turn && strcmp(x->what, "party_member") == 0) {
        learnt.turn_members++;
        if (!learnt.turn_first || x->first < learnt.turn_first)
            learnt.turn_first = x->first;
    }
    learnt.turn_pairs += turn && strcmp(x->what, "party_pair") == 0;
    learnt.match_members += match && strcmp(x->what, "party_member") == 0;
    learnt.match_pairs += match && strcmp(x->what, "party_pair") == 0;
}

static void run(const char *option, const char *value, bool two, enum channel_mode channel)
{
    static uint8_t opts[256];
    struct observer_spec observers[] = {{.ops = &observer_exposure, .opts = opts}};
    struct conform_plan plan = {.messages = 5, .max = 300};
    struct trial_result r = {0};
    struct err e = {0};
    struct bed b;
    memset(&learnt, 0, sizeof learnt);
    assert_true(bed_make(&b, plugin_transport("turn"), &protocol_conform, PARTIES));
    if (two)
        bed_more_services(&b, plugin_transport("turn"));
    if (option)
        assert_true(bed_set(&b, option, value));
    b.hosts[0].nat = NAT_SYMMETRIC;
    b.hosts[1].nat = NAT_CGNAT;
    b.hosts[2].nat = NAT_PORT_RESTRICTED;
    b.spec.plan = &plan;
    b.spec.channel = channel;
    b.spec.observers = observers;
    b.spec.n_observers = 1;
    assert_true(bed_people(&b));
    if (plugin_world("sim")->run(&b.spec, 1, NULL, NULL, &r, &e) != OK)
        fail_msg("%s", e.text);
    for (uint32_t i = 0; i < PARTIES; i++)
        assert_true(r.outcomes[i].done && !r.outcomes[i].failure);
    for (size_t i = 0; i < r.n_exposures; i++)
        note(&b, &r.exposures[i]);
    trial_result_free(&r, PARTIES);
    bed_free(&b);
}

/* What the matchmaker's messages show on their way, in every run: at a party's line that it takes
 * part and with whom it talks, at a TURN server this of its own clients. */
static void carried(bool two)
{
    assert_int_equal(learnt.isp_members, PARTIES);
    assert_int_equal(learnt.isp_pairs, PARTIES * (PARTIES - 1));
    assert_int_equal(learnt.turn_members, PARTIES);
    assert_int_equal(learnt.turn_pairs, two ? 2 * (PAIRS - 1) : PAIRS); /* but of the others' */
    assert_int_equal(learnt.match_members, PARTIES);
    assert_int_equal(learnt.match_pairs, PAIRS);
}

/* Relayed addresses are the server's: no party learns another's, nor does the matchmaker. */
static void both_relayed(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        run(NULL, NULL, k % 2, k < 2 ? CHANNEL_NOISE : CHANNEL_NONE);
        assert_int_equal(learnt.party, 0);
        assert_int_equal(learnt.isp, 0); /* its own server alone */
        assert_int_equal(learnt.matchmaker, 0);
        assert_int_equal(learnt.turn, PARTIES);      /* each at its own server alone */
        assert_int_equal(learnt.turn_tied, PARTIES); /* pseudonyms, but REGISTER has the name */
        carried(k % 2);
    }
    run(NULL, NULL, true, CHANNEL_NOISE);
    assert_int_equal(learnt.each[0], PARTIES / 2);
    assert_int_equal(learnt.each[1], PARTIES / 2);
}

/* The side that does not relay is exposed to the other: one address a pair. The other's ISP reads
 * it as XOR-PEER-ADDRESS, and whose it is in what the matchmaker says. */
static void one_relayed(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        run("relayed", "one", k % 2, k < 2 ? CHANNEL_NOISE : CHANNEL_NONE);
        assert_int_equal(learnt.party, PAIRS);
        for (int i = 0; i < PARTIES; i++)
            for (int j = 0; j < PARTIES; j++)
                assert_true(learnt.by_party[i][j] == (j < i ? 2 : 0) &&
                            learnt.by_isp[i][j] == (j < i ? 2 : 0));
        assert_int_equal(learnt.isp, PAIRS);
        assert_int_equal(learnt.matchmaker, PARTIES - 1); /* the last one has none to tell it */
        carried(k % 2);
    }
    run("relayed", "one", true, CHANNEL_NOISE);
    /* Clients and peers: 1 and 3 send their own to the first server, 0 and 2 to the second. */
    assert_true(learnt.turn > PARTIES && learnt.turn <= 2 * PARTIES);
}

/* Parties' names as user names tell a server no more than that, and earlier. */
static void named(void **state)
{
    ns_t heard;
    (void)state;
    run("username", "pseudonym", false, CHANNEL_NOISE);
    heard = learnt.turn_first;
    run("username", "name", false, CHANNEL_NOISE);
    assert_int_equal(learnt.party, 0);
    assert_int_equal(learnt.turn, PARTIES);
    assert_int_equal(learnt.turn_tied, PARTIES);
    carried(false);
    assert_true(learnt.turn_first < heard);
    run("username", "name", true, CHANNEL_NOISE);
    assert_int_equal(learnt.turn_tied, PARTIES);
    carried(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_relayed),
                                       cmocka_unit_test(one_relayed), cmocka_unit_test(named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
