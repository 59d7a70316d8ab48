/* links: engine/base/err.c engine/base/opt.c engine/base/prng.c engine/crypto/field61.c
   engine/crypto/gf256.c engine/crypto/shamir.c engine/protocols/shamir/ (all) */
/* Messages that don't belong are counted by name; whatever peers do, every party ends with a result
 * or a failure that names who and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/base/bytes.h"
#include "engine/crypto/field61.h"
#include "tests/unit/shamir_run.h"

/* ---- messages --------------------------------------------------------------------------- */

/* A trial of five, its first messages under way. */
static void begin(struct fake *f, struct run *r)
{
    struct err e = {0};
    *r = run_ascending("maximum", 5);
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
    struct run r = run_ascending("mean_stddev", 5);
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
