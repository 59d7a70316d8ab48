/* links: libpartyline */
/* share_url in the simulator: counts by formula, crashes at every operation of the stores, mail
 * that fails, clocks that jump, attacks, lies. */
#include "share_url_run.h"

/* ---- counts ------------------------------------------------------------------------------ */

static uint64_t url_bytes(void)
{
    return URL_HEAD + strlen("mpc.example") + PAYLOAD_TEXT;
}

/* The header's formulas, and the sizes by hand. */
static void counts_by_formula(void **state)
{
    static const char *const compare[] = {"compare: false", "compare: true"};
    (void)state;
    for (unsigned c = 0; c < 2; c++)
        for (unsigned n = 1; n <= 8; n *= 8) {
            struct share_run x;
            char parties[256], say[128];
            uint64_t bytes = SHARE_BYTES + 2 * url_bytes() + c * 2 * SHARE_NOTE;
            snprintf(parties, sizeof parties,
                     "  - {name: i, count: %u, role: initiator, region: a, input: [60, 1000]}\n"
                     "  - {name: r, count: %u, role: responder, region: a, input: [0, 81]}\n",
                     n, n);
            share_load(&x, compare[c], parties, "");
            share_go(&x, 1, NULL, NULL, NULL, 0);
            assert_int_equal(x.verdict, OK);
            for (party_t i = 0; i < 2 * n; i++)
                assert_string_equal(share_says(&x, i, say, sizeof say), "meet at 70");
            assert_int_equal(x.r.metrics.counts[COUNT_MESSAGES], n * (SHARE_MESSAGES + 2 * c));
            assert_int_equal(x.r.metrics.counts[COUNT_MESSAGE_BYTES], n * bytes);
            for (int d = 0; d < DROP_COUNT; d++)
                assert_int_equal(x.r.metrics.drops[d], 0);
            share_end(&x);
        }
    assert_int_equal(SHARE_BYTES, 186 + 258 + 10 + 344 + 1 + 376 + 10 + 105 + 33 + 41 + 32);
}

/* ---- crashes ----------------------------------------------------------------------------- */

/* Everybody has a result, it is the same, and right; the mail came once. */
static void all_is_well(struct share_run *x, uint64_t n, const char *how)
{
    char a[160], b[160];
    share_says(x, 0, a, sizeof a);
    share_says(x, 1, b, sizeof b);
    if (x->verdict != OK || strcmp(a, "meet at 70") != 0 || strcmp(b, "meet at 70") != 0)
        fail_msg("%s %llu: alice: %s; bob: %s; %s", how, (unsigned long long)n, a, b, x->e.text);
}

/* The n-th operation kills its node, before or after its effect, for every n; or just fails. */
static void every_operation(const char *options)
{
    struct action *restarts = calloc((size_t)RESTARTS * 8, sizeof *restarts);
    static const char *const how[] = {"dies before", "dies after", "fails"};
    uint64_t most[3] = {0, 0, 0};
    assert_non_null(restarts);
    for (int kind = 0; kind < 3; kind++)
        for (uint64_t n = 1;; n++) {
            struct sim_tuning tuning = sim_defaults;
            struct fault_plan plan = {.fail_store = kind == 2 ? n : 0};
            struct share_run x;
            uint64_t fired;
            size_t k;
            tuning.die_before = kind == 0 ? n : 0;
            tuning.die_after = kind == 1 ? n : 0;
            share_load(&x, options, ALICE BOB, "");
            k = share_restarts(&x, restarts);
            share_go(&x, 1, &plan, &tuning, restarts, k);
            fired = x.r.faults_fired;
            /* an initiator whose store fails has nothing to send: she says so, and Bob waits in
             * vain */
            if (kind == 2 && n == 1)
                assert_non_null(strstr(x.r.outcomes[0].failure, "in the store"));
            else
                all_is_well(&x, n, how[kind]);
            share_end(&x);
            if (!fired)
                break;
            most[kind] = n;
            assert_true(n < 100);
        }
    /* the session's own: at the initiator, the responder, the server and the mail */
    for (int kind = 0; kind < 3; kind++)
        assert_true(most[kind] >= 10);
    free(restarts);
}

static void crash_at_every_operation(void **state)
{
    (void)state;
    every_operation("law: constant, delay: 10min, retry: 10s");
}

static void crash_with_bad_mail(void **state)
{
    (void)state;
    every_operation("law: constant, delay: 10min, retry: 10s, mail_refuses: 1, mail_silent: 1");
}

static void crash_with_no_mail(void **state)
{
    (void)state;
    every_operation("law: constant, delay: 10min, retry: 10s, mail_refuses: 1000, mail_tries: 2");
}

/* With channel: none what a crash takes with it is not resent by anybody but us. */
static void crash_without_a_channel(void **state)
{
    struct action *restarts = calloc((size_t)RESTARTS * 8, sizeof *restarts);
    (void)state;
    for (uint64_t n = 1; n < 40; n++) {
        struct sim_tuning tuning = sim_defaults;
        struct share_run x;
        char b[160];
        tuning.die_after = n;
        share_load(&x, "law: constant, delay: 10min, retry: 10s", ALICE BOB, "channel: none\n");
        share_go(&x, 1, NULL, &tuning, restarts, share_restarts(&x, restarts));
        assert_int_equal(x.verdict, OK);
        share_says(&x, 1, b, sizeof b);
        assert_null(strstr(b, "used")); /* never "used" without a result */
        share_end(&x);
    }
    free(restarts);
}

/* ---- mail -------------------------------------------------------------------------------- */

static void mail_is_delivered_once(void **state)
{
    static const struct {
        const char *options;
        uint64_t messages, twice; /* of both pairs, until the second one has its result */
    } with[] = {
        {"mail_refuses: 3", 2 * (SHARE_MESSAGES + 6), 0},
        {"mail_silent: 2", 2 * SHARE_MESSAGES + 2 - 1, 0}, /* the second MAILED comes too late */
        /* two in vain; instead of MAILING, MAILED, LETTER, READ then TEXT, TAKEN, TEXT */
        {"mail_refuses: 9, mail_tries: 2", 2 * (SHARE_MESSAGES + 4 - 1), 0},
        /* no MAILED; MAILING, TEXT, TAKEN, TEXT: a letter, and a notice too much */
        {"mail_silent: 9, mail_tries: 2", 2 * (SHARE_MESSAGES - 1) + 4, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        struct share_run x;
        char options[128];
        snprintf(options, sizeof options, "law: constant, delay: 1min, %s", with[i].options);
        /* another pair goes on for long enough that all of the first pair's mail has come */
        share_load(&x, options,
                   ALICE
                   "  - {name: carl, role: initiator, region: a, start: 3h, input: [1, 2]}\n" BOB
                   "  - {name: dora, role: responder, region: a, input: [2, 2]}\n",
                   "");
        share_go(&x, 1, NULL, NULL, NULL, 0);
        assert_int_equal(x.verdict, OK);
        for (party_t who = 0; who < 4; who++)
            assert_true(share_done(&x, who));
        assert_int_equal(x.r.metrics.counts[COUNT_MESSAGES], with[i].messages);
        assert_int_equal(x.r.metrics.drops[DROP_LABEL_TWICE], with[i].twice);
        share_end(&x);
    }
}

/* ---- people ------------------------------------------------------------------------------ */

static void messenger_loses_and_doubles(void **state)
{
    struct share_run x;
    char say[160];
    (void)state;
    share_load(&x, "loss: 100%", ALICE BOB, "");
    share_go(&x, 1, NULL, NULL, NULL, 0);
    assert_string_equal(share_says(&x, 1, say, sizeof say), "no share URL came");
    assert_string_equal(share_says(&x, 0, say, sizeof say),
                        "no result until the payload had expired");
    share_end(&x);
    share_load(&x, "duplicates: 100%, compare: true", ALICE BOB, "");
    share_go(&x, 1, NULL, NULL, NULL, 0);
    assert_int_equal(x.verdict, OK);
    assert_true(share_done(&x, 0) && share_done(&x, 1));
    share_end(&x);
}

/* Many of them: exactly one wins, whatever the order. */
static void one_of_many_wins(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct share_run x;
        unsigned winners = 0;
        share_load(&x, "eve: together",
                   ALICE
                   "  - {name: r, count: 20, role: responder, region: a, access: {jitter: 5ms},"
                   " input: [0, 81]}\n",
                   "");
        share_go(&x, seed, NULL, NULL, NULL, 0);
        assert_int_equal(x.verdict, OK);
        for (party_t who = 1; who <= 20; who++)
            winners += share_done(&x, who);
        assert_int_equal(winners, 1);
        assert_true(share_done(&x, 0));
        share_end(&x);
    }
}

/* A server whose clock once ran ahead has purged, and expires what it has purged for ever. */
static void clock_runs_ahead_and_back(void **state)
{
    struct share_run x;
    char say[160];
    (void)state;
    share_load(&x,
               "law: constant, delay: 1h, eve: later, attack: repost, clock_ahead: 25h, "
               "skew_from: 90min, skew_until: 100min",
               ALICE BOB EVE, "");
    share_go(&x, 1, NULL, NULL, NULL, 0);
    assert_int_equal(x.verdict, OK);
    assert_true(share_done(&x, 0) && share_done(&x, 1));
    assert_string_equal(share_says(&x, 2, say, sizeof say), "tried, 0 accepted");
    assert_true(x.r.metrics.drops[DROP_PROTOCOL_EXPIRED] >= 1);
    assert_true(hist_min(&x.r.metrics.hist[METRIC_STORED_BYTES]) <= LEDGER_FIXED);
    share_end(&x);
}

/* ---- lies -------------------------------------------------------------------------------- */

static void lies(void **state)
{
    static const struct {
        const char *options, *alice, *bob;
        int verdict;
        const char *says_alice, *says_bob;
    } with[] = {
        {"program: fair_deal, server: miscalculates", "[60, 1000]", "[0, 81]", OK,
         "the server miscalculated: a price outside of one's own range",
         "the server miscalculated: a price outside of one's own range"},
        {"program: fair_deal, server: within_range", "[60, 1000]", "[0, 81]", ERR_WRONG,
         "meet at 60", "meet at 60"},
        {"program: equal, server: miscalculates", "7", "7", ERR_WRONG, "no", "no"},
        {"program: less_than, server: miscalculates", "7", "9", ERR_WRONG, "no", "no"},
        {"program: equal, server: two_results, compare: true", "7", "7", OK,
         "the responder got another result", "yes"},
        {"program: less_than, server: two_results, compare: true", "7", "9", OK,
         "the responder got another result", "yes"},
        {"program: equal, server: two_results", "7", "7", ERR_WRONG, "no", "yes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        struct share_run x;
        char parties[256], say[160];
        snprintf(parties, sizeof parties,
                 "  - {name: alice, role: initiator, region: a, input: %s}\n"
                 "  - {name: bob, role: responder, region: a, input: %s}\n",
                 with[i].alice, with[i].bob);
        share_load(&x, with[i].options, parties, "");
        share_go(&x, 1, NULL, NULL, NULL, 0);
        assert_int_equal(x.verdict, with[i].verdict);
        assert_string_equal(share_says(&x, 0, say, sizeof say), with[i].says_alice);
        assert_string_equal(share_says(&x, 1, say, sizeof say), with[i].says_bob);
        share_end(&x);
    }
}

/* ---- how much is kept -------------------------------------------------------------------- */

/* E = rate x bytes x window: a thousand sessions over 20 h, a window of 1 h. */
static void stored_bytes_by_formula(void **state)
{
    enum { SESSIONS = 1000, HOURS = 20 };
    struct share_run x;
    const struct hist *h = &x.r.metrics.hist[METRIC_STORED_BYTES];
    double kept = 1 + 2 * 5 / 60.0; /* hours: window and twice the tolerance */
    double want = SESSIONS * kept * LEDGER_USED / HOURS, mean;
    (void)state;
    share_load(&x, "law: constant, delay: 1min, window: 1h, sample: 1min, wait: 22h",
               "  - {name: i, count: 1000, role: initiator, region: a, start: {uniform: 20h},"
               " input: [60, 1000]}\n"
               "  - {name: r, count: 1000, role: responder, region: a, input: [0, 81]}\n",
               "crypto: modelled\nobservers: [{name: exposure, enabled: false}]\n");
    share_go(&x, 1, NULL, NULL, NULL, 0);
    mean = (double)hist_sum(h) / (double)hist_count(h);
    /* it takes `kept` to fill up, half of which is missing on average */
    want *= 1 - kept / 2 / HOURS;
    if (mean < 0.9 * want || mean > 1.1 * want)
        fail_msg("%.0f bytes on average; by the formula %.0f", mean, want);
    share_end(&x);
}

static void bad_inputs(void **state)
{
    struct share_plan plan = {0};
    struct share_opts opts = {.program = DEAL_FAIR};
    uint8_t role[1] = {SHARE_INITIATOR};
    static const char *const bad[][2] = {{"5", "4"},
                                         {"-1", "4"},
                                         {"01", "4"},
                                         {"", "4"},
                                         {"1", "1000000000000001"},
                                         {"1", "99999999999999999"},
                                         {"1.5", "2"}};
    static const char *const good[] = {"0", "1000000000000000"};
    struct err e;
    (void)state;
    plan.opts = &opts;
    plan.role = role;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(share_check_input(&plan, 0, &(struct input){bad[i], 2}, &e), ERR_INVALID);
    assert_int_equal(share_check_input(&plan, 0, &(struct input){good, 2}, &e), OK);
    assert_int_equal(share_check_input(&plan, 0, &(struct input){good, 1}, &e), ERR_INVALID);
    opts.program = DEAL_EQUAL;
    assert_int_equal(share_check_input(&plan, 0, &(struct input){good, 1}, &e), OK);
    role[0] = SHARE_SERVER;
    assert_int_equal(share_check_input(&plan, 0, &(struct input){good, 1}, &e), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_formula),           cmocka_unit_test(crash_at_every_operation),
        cmocka_unit_test(crash_with_bad_mail),         cmocka_unit_test(crash_with_no_mail),
        cmocka_unit_test(crash_without_a_channel),     cmocka_unit_test(mail_is_delivered_once),
        cmocka_unit_test(messenger_loses_and_doubles), cmocka_unit_test(one_of_many_wins),
        cmocka_unit_test(clock_runs_ahead_and_back),   cmocka_unit_test(lies),
        cmocka_unit_test(stored_bytes_by_formula),     cmocka_unit_test(bad_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
