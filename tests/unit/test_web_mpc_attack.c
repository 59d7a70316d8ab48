/* links: engine/base/ engine/crypto/ engine/protocols/web_mpc/ (all) engine/worlds/sim/store.c */
/* Who cheats in a session of web_mpc: input parties, servers, people on the way, an analyst who
 * asks too early, one who lost her key; and proofs and aggregates by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/crypto/field61.h"
#include "tests/unit/web_mpc_run.h"

static void attack(enum attack what, enum keys keys)
{
    run_init(6, 1);
    run.opts.attack = what;
    run.opts.keys = keys;
    assert_int_equal(run_boot(), OK);
    run_all();
}

static void verified(void)
{
    struct err e = {0};
    if (fake_verify(&run.f, &e))
        fail_msg("%s", e.text);
    assert_true(run_good(run.analyst));
}

static void says(party_t who, const char *what)
{
    if (!strstr(run.f.parties[who].failure, what))
        fail_msg("'%s' is not in '%s'", what, run.f.parties[who].failure);
}

static void cheaters_are_excluded(void **state)
{
    static const enum attack attacks[] = {ATTACK_WRONG_SQUARE, ATTACK_OUT_OF_RANGE};
    (void)state;
    for (int i = 0; i < 2; i++) {
        attack(attacks[i], KEYS_SERVER);
        verified();
        assert_int_equal(run_mark(0), 1 | RESULT_EXCLUDED);
        assert_int_equal(run_mark(1), 1);
        run_free();
    }
}

static void forged_tokens_are_refused(void **state)
{
    (void)state;
    attack(ATTACK_FORGED_TOKEN, KEYS_SERVER);
    verified();
    says(0, "the session key or the token is not valid");
    assert_int_equal(run_mark(0), 0);
    assert_int_equal(run.f.drops[DROP_PROTOCOL_AUTH], 1);
    run_free();
}

static void swapped_shares_are_found(void **state)
{
    (void)state;
    attack(ATTACK_SWAPPED_SHARES, KEYS_SERVER);
    verified();
    assert_int_equal(run_mark(0), 1 | RESULT_EXCLUDED);
    assert_int_equal(run_mark(1), 1 | RESULT_EXCLUDED);
    assert_int_equal(run_mark(2), 1);
    assert_int_equal(run.f.drops[DROP_PROTOCOL_AUTH], 2);
    run_free();
}

/* It wins if the server delivers the keys, and fails if they come out of band. */
static void man_in_the_middle(void **state)
{
    (void)state;
    attack(ATTACK_MITM, KEYS_SERVER);
    verified();
    assert_int_equal(run.shown[SHOWN_INPUT], 6);
    run_free();
    attack(ATTACK_MITM, KEYS_OUT_OF_BAND);
    for (party_t who = 0; who < 6; who++)
        says(who, "is not signed by");
    assert_int_equal(run.shown[SHOWN_INPUT] + run.shown[SHOWN_MEMBER], 0);
    run_free();
}

static void lost_key(void **state)
{
    (void)state;
    attack(ATTACK_LOST_KEY, KEYS_SERVER);
    says(run.analyst, "was set up with another key");
    assert_null(run.f.parties[run.analyst].result);
    run_free();
}

/* ---- on the way ------------------------------------------------------------------------------ */

static uint8_t kept[65536];
static size_t kept_len;
static uint32_t target, at_byte;

static void keep_first(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    (void)f;
    (void)to;
    if (from == 0 && m->label.instance == SUBMIT && !kept_len) {
        memcpy(kept, m->data, m->len);
        kept_len = m->len;
    }
}

/* The first submission, a mistake, comes again at the end, also from somebody else. */
static void replayed_submissions(void **state)
{
    (void)state;
    kept_len = 0;
    run_init(4, 1);
    run.opts.submissions = 2;
    run.f.tap = keep_first;
    assert_int_equal(run_boot(), OK);
    while (!run_good(0))
        run_step();
    fake_recv(&run.f, 0, run.server, (struct label){0, SUBMIT}, kept, kept_len);
    assert_int_equal(run.f.drops[DROP_LABEL_TWICE], 1);
    fake_recv(&run.f, 1, run.server, (struct label){0, SUBMIT}, kept, kept_len);
    assert_int_equal(run.f.drops[DROP_PROTOCOL_AUTH], 1);
    run_all();
    verified();
    assert_int_equal(run_mark(0), 2);
    run_free();
}

static void flip(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    (void)f;
    (void)from;
    (void)to;
    if (m->label.instance == target && at_byte < m->len) {
        m->data[at_byte] ^= 1;
        target = MESSAGES;
    }
}

static void flipped(uint32_t kind, uint32_t byte)
{
    target = kind;
    at_byte = byte;
    run_init(4, 1);
    run.f.tap = flip;
    assert_int_equal(run_boot(), OK);
    run_all();
    assert_int_equal(target, MESSAGES);
}

static void altered_bytes(void **state)
{
    (void)state;
    flipped(CHUNK, 8 + 12 + BOX_HASH + 40); /* a box */
    assert_int_equal(run_mark(0), 1 | RESULT_EXCLUDED);
    run_free();
    flipped(CHUNK, 8 + 12); /* the hash of the server's share */
    assert_int_equal(run_mark(0), 1 | RESULT_EXCLUDED);
    run_free();
    flipped(CHUNK, 8 + 4); /* the counter */
    assert_true(!run.f.parties[run.analyst].result || run_mark(0) & RESULT_EXCLUDED);
    run_free();
    flipped(OPENED, 4 + 16); /* sigma: the two then differ on who passed, and there is no result */
    says(run.analyst, "sent a malformed answer");
    assert_null(run.f.parties[run.analyst].result);
    run_free();
    flipped(SETUP, BOX_ID + 4 + BOX_KEY + BOX_SIGNATURE + 1);
    says(run.analyst, "the password is wrong");
    run_free();
}

/* Each request of closing before the session is stopped, with the right ticket. */
static void sums_before_the_end(void **state)
{
    uint8_t request[BOX_ID + 40] = {0};
    const struct {
        uint32_t kind;
        size_t len;
    } asks[] = {{FETCH, 4}, {OPEN, SNIP_SEED + 4}, {SIGMA, 4}, {RELEASE, 4}};
    struct {
        enum role role;
        struct server server;
    } * node;
    uint64_t facts;
    (void)state;
    run_init(4, 1);
    assert_int_equal(run_boot(), OK);
    while (!run_good(0) || !run_good(1) || !run_good(2) || !run_good(3))
        run_step();
    node = run.f.parties[run.server].state;
    memcpy(request, node->server.ticket, BOX_ID);
    facts = run.f.by_kind[DENIED & 7];
    for (int i = 0; i < 4; i++)
        fake_recv(&run.f, run.analyst, run.server, (struct label){0, asks[i].kind}, request,
                  BOX_ID + asks[i].len);
    assert_int_equal(run.f.by_kind[DENIED & 7], facts + 4);
    request[0] ^= 1; /* and without it, no answer */
    fake_recv(&run.f, run.analyst, run.server, (struct label){0, FETCH}, request, BOX_ID + 4);
    assert_int_equal(run.f.by_kind[DENIED & 7], facts + 4);
    assert_int_equal(run.f.drops[DROP_PROTOCOL_AUTH], 1);
    run_free();
}

/* ---- proofs ---------------------------------------------------------------------------------- */

static uint64_t sigma_of(const struct snip *s, const uint64_t *vector, uint8_t challenge)
{
    uint64_t server[2 * SNIP_GATES_MAX + 5], analyst[2 * SNIP_GATES_MAX + 5];
    const uint8_t seed[SNIP_SEED] = {1, challenge}, c[SNIP_SEED] = {2, challenge};
    size_t len = snip_len(s);
    struct snip_query q;
    struct snip_half h1, h2;
    uint64_t d, e;
    memcpy(server, vector, len * sizeof *vector);
    snip_expand(seed, analyst, len);
    snip_split(analyst, server, len);
    assert_int_equal(snip_query_init(&q, s, c), OK);
    h1 = snip_open(&q, server);
    h2 = snip_open(&q, analyst);
    d = snip_join(h1.d, h2.d);
    e = snip_join(h1.e, h2.e);
    snip_query_free(&q);
    return snip_join(snip_sigma(&h1, d, e), snip_sigma(&h2, d, e));
}

static void proofs(void **state)
{
    static const uint64_t maxima[] = {1, 2, 3, 100, 1000, 1023, 1024, (1 << 30) - 1};
    const uint8_t key[PRNG_KEY] = {9};
    uint64_t v[2 * SNIP_GATES_MAX + 5];
    struct prng rng;
    struct snip s;
    (void)state;
    prng_key(&rng, key);
    for (size_t m = 0; m < sizeof maxima / sizeof *maxima; m++) {
        const uint64_t x[3] = {0, maxima[m], maxima[m] / 2};
        assert_int_equal(snip_init(&s, 3, maxima[m]), OK);
        snip_witness(&s, x, v);
        for (uint32_t cell = 0; cell < 3; cell++)
            assert_int_equal(snip_value(&s, v, cell), x[cell]);
        snip_prove(&s, &rng, v);
        assert_int_equal(sigma_of(&s, v, 1), 0);
        for (size_t i = 0; i < snip_len(&s); i++) { /* any element changed afterwards */
            bool blind = i == snip_len(&s) - 2 || i == snip_len(&s) - 3;
            v[i] = f61_add(v[i], 1);
            assert_true(blind || sigma_of(&s, v, 2) != 0);
            v[i] = f61_sub(v[i], 1);
        }
        for (uint32_t i = 0; i < s.cells * (s.bits + 1); i++) { /* or before the proof is made */
            snip_witness(&s, x, v);
            v[i] = f61_sub(v[i], 2);
            snip_prove(&s, &rng, v);
            assert_true(sigma_of(&s, v, 3) != 0);
        }
        snip_free(&s);
    }
    assert_int_equal(snip_init(&s, 400, 1000), ERR_LIMIT);
}

/* ---- aggregates ------------------------------------------------------------------------------ */

static void small_cohorts(void **state)
{
    struct cohorts_of of = {.n = 3, .least = 3, .members = {5, 4, 1}};
    const uint32_t first[] = {7}, two[] = {1, 2}, overlap[] = {5, 3};
    (void)state;
    assert_true(cohort_allows(&of, NULL, 0, 7));
    assert_false(cohort_allows(&of, NULL, 0, 4));    /* of one */
    assert_true(cohort_allows(&of, first, 1, 1));    /* the rest are 5 */
    assert_false(cohort_allows(&of, first, 1, 3));   /* all less these: one */
    assert_false(cohort_allows(&of, two, 2, 7));     /* all less both: one */
    assert_true(cohort_allows(&of, two, 2, 3));      /* nothing new */
    assert_false(cohort_allows(&of, overlap, 1, 1)); /* 1+3 less 1 */
    assert_false(cohort_allows(&of, overlap + 1, 1, 7));
    of.members[2] = 0;
    assert_true(cohort_allows(&of, two, 2, 7)); /* nobody is left over */
    assert_false(cohort_allows(&of, NULL, 0, 4));
}

static void a_session_withholds(void **state)
{
    const uint8_t *q;
    (void)state;
    run_init(5, 1); /* cohorts of 3 and 2 */
    run.opts.cohorts = 2;
    assert_int_equal(run_boot(), OK);
    run_all();
    verified();
    q = run.f.parties[run.analyst].result + 8 + 4 * 5;
    assert_int_equal(get_le32(q + 8), 1);                             /* all */
    assert_int_equal(get_le32(q + 12 + 16 * RUN_CELLS + 8), 0);       /* 1: all less 1 is 2 */
    assert_int_equal(get_le32(q + 2 * (12 + 16 * RUN_CELLS) + 8), 0); /* 2: too small */
    run_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cheaters_are_excluded),
                                       cmocka_unit_test(forged_tokens_are_refused),
                                       cmocka_unit_test(swapped_shares_are_found),
                                       cmocka_unit_test(man_in_the_middle),
                                       cmocka_unit_test(lost_key),
                                       cmocka_unit_test(replayed_submissions),
                                       cmocka_unit_test(altered_bytes),
                                       cmocka_unit_test(sums_before_the_end),
                                       cmocka_unit_test(proofs),
                                       cmocka_unit_test(small_cohorts),
                                       cmocka_unit_test(a_session_withholds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
