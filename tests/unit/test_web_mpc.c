/* links: engine/base/ engine/crypto/ engine/protocols/web_mpc/ (all) engine/worlds/sim/store.c */
/* A session ends with the sums that a plain recomputation gives, with the messages and bytes that
 * messages.h says, in any order of delivery, with pauses, and after a crash at any operation of
 * any store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/web_mpc_run.h"

static void assert_right(void)
{
    struct err e = {0};
    for (party_t who = 0; who < run.f.n; who++)
        if (!run_good(who))
            fail_msg("party %u: %s", who, run.f.parties[who].failure);
    if (fake_verify(&run.f, &e))
        fail_msg("%s", e.text);
}

static void costs_what_it_says(void **state)
{
    (void)state;
    for (uint32_t n = 3; n <= 7; n++)
        for (int64_t times = 1; times <= 2; times++) {
            run_init(n, n);
            run.opts.submissions = times;
            run.opts.cohorts = n > 5 ? 2 : 1;
            assert_int_equal(run_boot(), OK);
            run_all();
            assert_right();
            assert_int_equal(run.f.messages, messages_count(run_plan()));
            assert_int_equal(run.f.bytes, messages_bytes(run_plan()));
            assert_int_equal(run_drops(), 0);
            assert_int_equal(run.shown[SHOWN_MEMBER], n * (uint32_t)times + n);
            assert_int_equal(run.shown[SHOWN_INPUT], 0);
            run_free();
        }
}

static void any_order_and_little_room(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        run_init(5, seed);
        run.f.mode = FAKE_RANDOM;
        run.f.refuse = (uint32_t)(seed % 3);
        run.opts.submissions = 3;
        run.opts.keys = (int64_t)(seed % 2);
        run.opts.pause_after = 3 * NS_S;
        assert_int_equal(run_boot(), OK);
        run_all();
        assert_right();
        for (uint32_t rank = 0; rank < 5; rank++)
            assert_int_equal(run_mark(rank), 3);
        run_free();
    }
}

/* All three submissions would be over before the pause; the second comes in it. */
static void a_pause_holds_submissions_up(void **state)
{
    (void)state;
    run_init(4, 1);
    run.opts.submissions = 2;
    run.opts.again_after = 3 * NS_S;
    run.opts.pause_after = 2 * NS_S;
    run.opts.pause_for = 10 * NS_S;
    assert_int_equal(run_boot(), OK);
    run_all();
    assert_right();
    assert_true(run.f.parties[0].completion > 12 * NS_S);
    assert_int_equal(run.f.messages, messages_count(run_plan()) + 2 * 2 + 2 * 4);
    run_free();
}

static void too_late_is_refused(void **state)
{
    (void)state;
    run_init(4, 1);
    run.opts.submissions = 3;
    run.opts.again_after = 15 * NS_S; /* the third comes after the end */
    assert_int_equal(run_boot(), OK);
    run_all();
    assert_right();
    assert_int_equal(run_mark(0), 2); /* and a mistake stands */
    assert_int_equal(get_le32(run.f.parties[0].result), 2);
    run_free();
}

static void the_analyst_admits_so_many(void **state)
{
    uint32_t in = 0;
    (void)state;
    run_init(5, 1);
    run.opts.max_parties = 3;
    assert_int_equal(run_boot(), OK);
    run_all();
    for (party_t who = 0; who < 5; who++)
        in += run_good(who);
    assert_int_equal(in, 3);
    assert_true(run_good(run.analyst));
    run_free();
}

/* The n-th operation of the stores kills its node, for all n. */
static void sweep(bool before)
{
    uint64_t n = 0;
    bool fired = true;
    while (fired) {
        n++;
        run_init(4, n);
        run.opts.submissions = 2;
        run.opts.cohorts = 1;
        *(before ? &run.fate.die_before : &run.fate.die_after) = n;
        assert_int_equal(fake_plan(&run.f, NULL), OK);
        for (party_t who = 0; who < run.f.n; who++)
            if (fake_boot(&run.f, who, 1, 0, NULL) != OK)
                fail_msg("boot of %u", who);
        fake_start(&run.f);
        run_all();
        assert_right();
        for (uint32_t rank = 0; rank < 4; rank++)
            assert_true(run_mark(rank) >= 2 && run_mark(rank) <= 3);
        fired = run.fate.fired != 0;
        run_free();
    }
    print_message("%llu crashes\n", (unsigned long long)(n - 1));
    assert_true(n > 40);
}

static void every_crash_before(void **state)
{
    (void)state;
    sweep(true);
}

static void every_crash_after(void **state)
{
    (void)state;
    sweep(false);
}

/* ---- what is refused beforehand ------------------------------------------------------------ */

static void refused(const char *what)
{
    struct err e = {0};
    assert_int_not_equal(fake_plan(&run.f, &e), OK);
    if (!strstr(e.text, what))
        fail_msg("'%s' is not in '%s'", what, e.text);
    run_free();
}

static void bad_scenarios(void **state)
{
    (void)state;
    run_init(4, 1);
    run.opts.max = (1 << 30) - 1; /* 4 x 2^60: above 2^61 - 1 */
    refused("max^2 = 576460752303423487");
    run_init(3, 1);
    run.opts.publish = "all 2";
    refused("publish: expected");
    run_init(3, 1);
    run.opts.pause_after = NS_MS;
    refused("expected open_after <");
    run_init(3, 1);
    run.f.inputs[1].n = 1;
    refused("others have 2");
    run_init(3, 1);
    run.f.entries[0].role = "analyst";
    refused("there are 2 and 1");
}

static void bad_inputs(void **state)
{
    static const char *const bad[] = {"", "-1", "101", "1.5", "18446744073709551617", "x"};
    struct err e;
    (void)state;
    run_init(3, 1);
    assert_int_equal(fake_plan(&run.f, &e), OK);
    assert_int_equal(plan_check(run.f.plan, 0, &run.f.inputs[0], &e), OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        run.values[0][1] = bad[i];
        assert_int_equal(plan_check(run.f.plan, 0, &run.f.inputs[0], &e), ERR_INVALID);
    }
    run_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(costs_what_it_says),
                                       cmocka_unit_test(any_order_and_little_room),
                                       cmocka_unit_test(a_pause_holds_submissions_up),
                                       cmocka_unit_test(too_late_is_refused),
                                       cmocka_unit_test(the_analyst_admits_so_many),
                                       cmocka_unit_test(every_crash_before),
                                       cmocka_unit_test(every_crash_after),
                                       cmocka_unit_test(bad_scenarios),
                                       cmocka_unit_test(bad_inputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
