/* links: engine/base/err.c engine/base/opt.c engine/base/prng.c engine/crypto/field61.c
   engine/crypto/gf256.c engine/crypto/shamir.c engine/protocols/shamir/ (all) */
/* What cannot work is refused with a sentence; messages that don't belong are counted by name;
 * whatever peers do, every party ends with a result or a failure that names who and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/base/bytes.h"
#include "engine/crypto/field61.h"
#include "tests/unit/shamir_run.h"

static struct run run_of(const char *program, uint32_t parties)
{
    struct run r = {.program = program, .threshold = -1, .parties = parties};
    for (party_t who = 0; who < parties; who++)
        run_value(&r, who, 10 + (int64_t)who);
    return r;
}

/* ---- refusals --------------------------------------------------------------------------- */

static void refused(struct run *r, const char *words)
{
    struct fake f;
    struct err e = {0};
    int rc = run_plan(r, &f, 1, &e);
    if (rc == OK)
        rc = fake_boot_all(&f, 1, &e);
    assert_int_not_equal(rc, OK);
    if (!strstr(e.text, words))
        fail_msg("'%s' is not in '%s'", words, e.text);
    fake_free(&f);
}

static void thresholds(void **state)
{
    struct run r = run_of("sum", 5);
    (void)state;
    r.threshold = 3;
    refused(&r, "threshold 3 needs n >= 2 x 3 + 1 = 7 parties to multiply: with the 5 here it is "
                "at most (5 - 1) / 2 = 2");
    r.threshold = 0;
    refused(&r, "threshold 0 hides nothing");
    r = run_of("sum", 2);
    refused(&r, "at least 3 parties, here are 2");
    r = run_of("sum", 1);
    refused(&r, "at least 3 parties, here is 1");
}

static void shapes(void **state)
{
    struct run r = {.program = "sum", .threshold = -1, .parties = 3};
    (void)state;
    refused(&r, "sum needs at least 1 input: there are 0");
    r = run_of("maximum", 3);
    run_value(&r, 2, 1);
    refused(&r, "maximum takes at most 1 input a party: carol has 2");
    r = (struct run){.program = "second_price_auction", .threshold = -1, .parties = 3};
    run_value(&r, 1, 1);
    refused(&r, "needs at least 2 inputs: there is 1");
    r = run_of("inner_product", 3);
    refused(&r, "vectors from two parties: 3 have inputs");
    r = (struct run){.program = "inner_product", .threshold = -1, .parties = 3};
    run_value(&r, 0, 1);
    run_value(&r, 1, 1);
    run_value(&r, 1, 1);
    refused(&r, "equal length: alice has 1, bob has 2");
}

static void values(void **state)
{
    static const char *const wrong[] = {"",
                                        "-",
                                        "abc",
                                        "1e3",
                                        " 1",
                                        "1 ",
                                        "+1",
                                        "01",
                                        "-0",
                                        "0x10",
                                        "1.5",
                                        "99999999999999999999",
                                        "576460752303423488" /* 2^59 */};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct run r = {.program = "maximum", .threshold = -1, .parties = 3};
        run_value(&r, 0, 1);
        run_text(&r, 1, wrong[i]);
        refused(&r, "bob's input '");
        refused(&r, "expected an integer from -576460752303423487 to 576460752303423487");
    }
    struct run r = {.program = "mean_stddev", .threshold = -1, .parties = 3};
    run_text(&r, 0, "536870912");
    run_text(&r, 0, "1");
    refused(&r, "from -536870911 to 536870911");
    r = run_of("vote", 3);
    refused(&r, "expected an integer from 0 to 1");
    r = (struct run){.program = "vote", .threshold = -1, .parties = 3};
    run_text(&r, 0, "-1");
    refused(&r, "alice's input '-1'");
}

static const char and_text[] = "2 6\n2 2 2\n1 2\n\n2 1 0 2 4 AND\n2 1 1 3 5 AND\n";

static struct run circuit_run(const char *text, uint32_t parties)
{
    return (struct run){
        .threshold = -1,
        .parties = parties,
        .circuit = {.path = "and.txt", .data = (const uint8_t *)text, .len = strlen(text)}};
}

static void circuits(void **state)
{
    static const char *const wrong[] = {"",    "4", "-3", "0x", "0x4",
                                        "0xg", "a", "1 ", "00", "18446744073709551616"};
    struct run r = circuit_run(and_text, 3);
    (void)state;
    refused(&r, "one each of the first parties: alice has 0 inputs, not 1");
    run_text(&r, 0, "1");
    run_text(&r, 1, "1");
    run_text(&r, 2, "1");
    refused(&r, "carol has 1 input, not 0");
    r.program = "sum";
    refused(&r, "sum takes no circuit");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        r = circuit_run(and_text, 3);
        run_text(&r, 0, wrong[i]);
        run_text(&r, 1, "-2"); /* fits: 10 in two's complement */
        refused(&r, "expected a number of 2 bits");
    }
    r = circuit_run("2 6\n2 2 2\n1 2\n\n2 1 0 2 4 AND\n2 1 1 3 5 NAND\n", 3);
    refused(&r, "and.txt:6");
    r = circuit_run("0 4\n4 1 1 1 1\n1 1\n", 3);
    refused(&r, "4 input values, one a party: there are 3 parties");
    r = (struct run){.program = "circuit", .threshold = -1, .parties = 3};
    refused(&r, "needs the option `circuit`");
}

static void field_is_large_enough(void **state)
{
    struct roster_entry entries[256];
    struct roster roster = {.n = 256, .n_parties = 256, .entries = entries};
    struct input inputs[256] = {{.values = (const char *const[]){"1"}, .n = 1},
                                {.values = (const char *const[]){"2"}, .n = 1}};
    struct shamir_opts opts = {.threshold = 1};
    struct protocol_shape shape = {.opts = &opts, .roster = &roster, .inputs = inputs};
    struct err e = {0};
    void *plan;
    (void)state;
    for (int i = 0; i < 256; i++)
        entries[i] = (struct roster_entry){.name = "p", .role = "party"};
    assert_int_equal(plan_new(&shape, &plan, &e), OK); /* a sum, over 2^61 - 1 */
    plan_free(plan);
    opts.circuit = (struct opt_file){"and.txt", (const uint8_t *)and_text, sizeof and_text - 1};
    assert_int_not_equal(plan_new(&shape, &plan, &e), OK);
    assert_non_null(strstr(e.text, "over GF(2^8) there are at most 255 parties, here are 256"));
    roster.n_parties = 255;
    assert_int_not_equal(plan_new(&shape, &plan, &e), OK);
    assert_non_null(strstr(e.text, "a service cannot take part"));
    roster.n = 255;
    assert_int_equal(plan_new(&shape, &plan, &e), OK);
    plan_free(plan);
}

/* ---- messages --------------------------------------------------------------------------- */

/* A trial of five, its first messages under way. */
static void begin(struct fake *f, struct run *r)
{
    struct err e = {0};
    *r = run_of("maximum", 5);
    if (run_start(r, f, 1, &e))
        fail_msg("%s", e.text);
}

static void strange_labels_are_counted(void **state)
{
    struct run r;
    struct fake f;
    struct err e = {0};
    uint8_t body[8] = {1};
    (void)state;
    begin(&f, &r);
    const struct schedule *s = &((struct plan *)f.plan)->schedule;
    static const struct label wrong[] = {
        {UINT32_MAX, 0}, {0, UINT32_MAX}, {0, KIND_OPEN}, {0, KIND_RESHARE},
        {1, KIND_INPUT}, {1, KIND_OPEN},  {0, 6},         {1000, KIND_OPEN}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        fake_recv(&f, 1, 0, wrong[i], body, sizeof body);
    fake_recv(&f, 4, 0, (struct label){0, KIND_RANDOM}, body, sizeof body); /* deals none */
    fake_recv(&f, 1, 0, (struct label){s->rounds - 1, KIND_OPEN}, body, 8); /* not to us */
    assert_int_equal(f.drops[DROP_LABEL_UNKNOWN], 10);
    fake_recv(&f, 0, 0, (struct label){0, KIND_INPUT}, body, 8); /* from itself */
    fake_recv(&f, 5, 0, (struct label){0, KIND_INPUT}, body, 8); /* from a service */
    fake_recv(&f, UINT32_MAX, 0, (struct label){0, SHAMIR_GAVE_UP}, body, 5);
    assert_int_equal(f.drops[DROP_LABEL_UNKNOWN], 13);
    fake_recv(&f, 1, 0, (struct label){0, SHAMIR_GAVE_UP}, body, 4);
    fake_recv(&f, 1, 0, (struct label){0, SHAMIR_GAVE_UP}, "\1\5\0\0\0", 5); /* nobody */
    fake_recv(&f, 1, 0, (struct label){0, SHAMIR_GAVE_UP}, "\4\1\0\0\0", 5); /* no reason */
    assert_int_equal(f.drops[DROP_PROTOCOL_FORMAT], 3);
    fake_run(&f);
    assert_int_equal(fake_verify(&f, &e), OK);
    assert_non_null(f.parties[0].result);
    fake_free(&f);
}

static void repeat(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    f->tap = NULL;
    fake_recv(f, from, to, m->label, m->data, m->len);
    f->tap = repeat;
}

static void repeated_messages_change_nothing(void **state)
{
    struct run r;
    struct fake f;
    struct err e = {0};
    (void)state;
    begin(&f, &r);
    f.tap = repeat;
    uint64_t before = f.in_flight;
    assert_true(before > 0);
    fake_run(&f);
    assert_int_equal(fake_verify(&f, &e), OK);
    for (party_t who = 0; who < 5; who++)
        assert_non_null(f.parties[who].result);
    assert_int_equal(f.drops[DROP_LABEL_TWICE] + f.drops[DROP_LABEL_LATE], f.messages);
    assert_true(f.drops[DROP_LABEL_TWICE] > 0 && f.drops[DROP_LABEL_LATE] > 0);
    fake_free(&f);
}

/* Cuts or stretches, or spoils, the n-th message that bob gets. */
static uint64_t spoil_at, spoil_how;

static void spoil(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    (void)f;
    (void)from;
    if (to != 1 || spoil_at-- != 0)
        return;
    if (spoil_how == 0)
        m->len = 0;
    else if (spoil_how == 1)
        m->len--;
    else
        put_le64(m->data + m->len - 8, spoil_how == 2 ? F61_P : UINT64_MAX);
}

static void check_all_ended(struct fake *f)
{
    for (party_t who = 0; who < f->n; who++) {
        char buf[300] = "";
        if (!f->parties[who].done) {
            f->protocol->waiting(f->parties[who].state, &f->parties[who], buf, sizeof buf);
            fail_msg("%s waits for %s", fake_names[who], buf);
        }
    }
}

static void malformed_messages_name_their_sender(void **state)
{
    uint64_t spoilt = 0;
    (void)state;
    for (uint64_t n = 0;; n++) {
        struct run r;
        struct fake f;
        struct err e = {0};
        const struct party *bob;
        begin(&f, &r);
        f.tap = spoil;
        spoil_at = n;
        spoil_how = n % 4;
        fake_run(&f);
        bob = &f.parties[1];
        check_all_ended(&f);
        assert_int_equal(fake_verify(&f, &e), OK);
        if (!bob->failure[0]) {
            fake_free(&f);
            break;
        }
        spoilt++;
        assert_non_null(strstr(bob->failure, n % 4 < 2
                                                 ? " sent a malformed message: not of the batch"
                                                 : " sent a malformed message: an element "
                                                   "outside the field, round "));
        assert_int_equal(f.drops[DROP_PROTOCOL_FORMAT], 1);
        for (party_t who = 0; who < 5; who++)
            if (who != 1 && f.parties[who].failure[0])
                assert_non_null(strstr(f.parties[who].failure, " gave up because "));
        fake_free(&f);
    }
    assert_int_equal(spoilt, 4 + 2 + 20 * 4 + 5 * 2); /* inputs, random, multiply, open */
}

/* ---- peers ------------------------------------------------------------------------------ */

/* Peers lose sight of each other after any number of steps, or one restarts: nobody waits for
 * ever, and nobody has a wrong result. */
static void losses(void **state)
{
    uint64_t failed = 0, done = 0;
    (void)state;
    for (uint64_t step = 0; step < 482; step += 3) {
        struct run r;
        struct fake f;
        struct err e = {0};
        party_t lost = (party_t)(step / 3 % 5);
        begin(&f, &r);
        for (uint64_t i = 0; i < step; i++)
            fake_step(&f);
        bool restarts = step % 2;
        for (party_t who = 0; who < 5; who++) {
            if (who == lost)
                continue;
            struct fake_pair *pair = &f.pairs[lost * 5 + who];
            while (pair->head) { /* what was under way is gone */
                struct fake_message *m = pair->head;
                pair->head = m->next;
                f.in_flight--;
                pair->n--;
                free(m);
            }
            pair->tail = &pair->head;
        }
        assert_int_equal(fake_boot(&f, lost, 1, 1, &e), OK);
        for (party_t who = 0; who < 5; who++) {
            if (who == lost)
                continue;
            fake_peer(&f, who, lost, PEER_DOWN);
            fake_peer(&f, who, lost, restarts ? PEER_RESTARTED : PEER_LOST);
        }
        if (step % 4 == 0) /* else what comes from the others tells it */
            f.protocol->start(f.parties[lost].state, &f.parties[lost]);
        else
            fake_peer(&f, lost, (lost + 1) % 5, PEER_UP);
        fake_run(&f);
        check_all_ended(&f);
        assert_int_equal(fake_verify(&f, &e), OK);
        assert_string_equal(strchr(f.parties[lost].failure, ' '), " restarted without its shares");
        for (party_t who = 0; who < 5; who++) {
            const char *why = f.parties[who].failure;
            done += why[0] == 0;
            failed += why[0] != 0;
            if (why[0])
                assert_non_null(strstr(why, fake_names[lost]));
        }
        fake_free(&f);
    }
    assert_true(failed > 100 && done > 5);
}

static void only_what_is_needed_matters(void **state)
{
    struct run r = {.program = "inner_product", .threshold = 1, .parties = 7};
    struct fake f;
    struct err e = {0};
    char buf[200];
    (void)state;
    run_value(&r, 0, 6);
    run_value(&r, 1, 7);
    assert_int_equal(run_start(&r, &f, 1, &e), OK);
    fake_peer(&f, 3, 5, PEER_LOST); /* deals nothing, and opens to 6 alone */
    fake_run(&f);
    for (party_t who = 0; who < 7; who++)
        assert_string_equal(run_print(&f, who, buf, sizeof buf), "inner product 42");
    fake_free(&f);

    assert_int_equal(run_start(&r, &f, 1, &e), OK);
    f.mode = FAKE_TIMED;
    while (f.parties[6].rounds < 2)
        fake_step(&f);
    fake_peer(&f, 6, 5, PEER_LOST); /* grace gives up, but has opened her share before */
    fake_run(&f);
    assert_string_equal(f.parties[6].failure, "frank is lost, round 3 of 3 (open)");
    for (party_t who = 0; who < 6; who++)
        assert_string_equal(run_print(&f, who, buf, sizeof buf), "inner product 42");
    assert_int_equal(fake_verify(&f, &e), OK);
    fake_free(&f);
}

/* 6 can't be done without 5, 0 can't without 6, 1 can't without 0. */
static void giving_up_spreads(void **state)
{
    struct run r = {.program = "inner_product", .threshold = 1, .parties = 7};
    struct fake f;
    struct err e = {0};
    (void)state;
    run_value(&r, 0, 6);
    run_value(&r, 1, 7);
    assert_int_equal(run_start(&r, &f, 1, &e), OK);
    f.mode = FAKE_TIMED;
    fake_peer(&f, 6, 5, PEER_LOST);
    fake_run(&f);
    assert_string_equal(f.parties[6].failure, "frank is lost, round 3 of 3 (open)");
    assert_string_equal(f.parties[0].failure,
                        "grace gave up because frank is lost, round 3 of 3 (open)");
    assert_string_equal(f.parties[1].failure,
                        "alice gave up because frank is lost, round 3 of 3 (open)");
    for (party_t who = 2; who < 6; who++) /* bob had opened his share before he heard */
        assert_non_null(f.parties[who].result);
    assert_int_equal(fake_verify(&f, &e), OK);
    fake_free(&f);
}

static void waiting_names_whom(void **state)
{
    struct run r = run_of("mean_stddev", 5);
    struct fake f;
    struct err e = {0};
    char buf[200];
    (void)state;
    assert_int_equal(run_plan(&r, &f, 1, &e), OK);
    assert_int_equal(fake_boot_all(&f, 1, &e), OK);
    f.protocol->waiting(f.parties[0].state, &f.parties[0], buf, sizeof buf);
    assert_string_equal(buf, "the start of round 1");
    fake_start(&f);
    f.protocol->waiting(f.parties[0].state, &f.parties[0], buf, sizeof buf);
    assert_string_equal(buf, "round 1 of 3 (input) from bob, carol, dave, erin");
    f.protocol->waiting(f.parties[0].state, &f.parties[0], buf, 20);
    assert_string_equal(buf, "round 1 of 3 (input");
    for (party_t to = 0; to < 5; to++) /* dave's later messages never arrive */
        f.pairs[3 * 5 + to].cut = true;
    fake_run(&f);
    f.protocol->waiting(f.parties[0].state, &f.parties[0], buf, sizeof buf);
    assert_string_equal(buf, "round 2 of 3 (multiply) from dave");
    fake_free(&f);
    f = (struct fake){0};
    assert_int_equal(run_plan(&r, &f, 1, &e), OK);
    assert_int_equal(fake_boot_all(&f, 1, &e), OK);
    f.refuse = 1;
    f.pairs[2].n = 1; /* alice's way to carol is full */
    fake_start(&f);
    f.protocol->waiting(f.parties[0].state, &f.parties[0], buf, sizeof buf);
    assert_string_equal(buf,
                        "round 1 of 3 (input) from bob, carol, dave, erin; room to send to carol");
    fake_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds),
        cmocka_unit_test(shapes),
        cmocka_unit_test(values),
        cmocka_unit_test(circuits),
        cmocka_unit_test(field_is_large_enough),
        cmocka_unit_test(strange_labels_are_counted),
        cmocka_unit_test(repeated_messages_change_nothing),
        cmocka_unit_test(malformed_messages_name_their_sender),
        cmocka_unit_test(losses),
        cmocka_unit_test(only_what_is_needed_matters),
        cmocka_unit_test(giving_up_spreads),
        cmocka_unit_test(waiting_names_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
