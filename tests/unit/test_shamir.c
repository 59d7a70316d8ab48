/* links: engine/base/err.c engine/base/opt.c engine/base/prng.c engine/crypto/field61.c
   engine/crypto/gf256.c engine/crypto/shamir.c engine/protocols/shamir/ (all) */
/* Every program gives the right answer to every party, in any order of delivery, with the
 * messages and rounds that schedule.h and programs.h say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/shamir_run.h"

/* ---- what a run costs, counted here once more ------------------------------------------- */

enum { ROUNDS_MAX = 400 };

struct cost {
    bool random, reshare[ROUNDS_MAX], open[ROUNDS_MAX];
    uint32_t rounds;
};

/* A comparison whose operands are there after round `at`: when its result is. */
static uint32_t compare(struct cost *c, uint32_t at)
{
    c->random = true;
    c->reshare[1] = c->open[2] = c->reshare[3] = true; /* random bits; pairs of them */
    at = at < 3 ? 3 : at;
    c->open[at] = true;
    for (uint32_t i = 1; i <= 5; i++)
        c->reshare[at + i] = true;
    return at + 6;
}

static uint32_t later(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t multiply(struct cost *c, uint32_t at)
{
    c->reshare[at] = true;
    return at + 1;
}

static void cost_maximum(struct cost *c, uint32_t n)
{
    uint32_t at = 1;
    for (; n > 1; n = (n + 1) / 2)
        at = multiply(c, compare(c, at));
    c->open[at] = true;
    c->rounds = at + 1;
}

static void cost_auction(struct cost *c, uint32_t n)
{
    uint32_t best[64], second[64]; /* second 0: none */
    for (uint32_t i = 0; i < n; i++) {
        best[i] = 1;
        second[i] = 0;
    }
    for (; n > 1; n = (n + 1) / 2) {
        for (uint32_t i = 0; i < n / 2; i++) {
            uint32_t a = 2 * i, b = a + 1, right = compare(c, later(best[a], best[b]));
            uint32_t won = multiply(c, right), up = later(best[a], best[b]);
            if (second[a])
                up = later(up, multiply(c, compare(c, later(best[b], second[a]))));
            if (second[b])
                up = later(up, multiply(c, compare(c, later(best[a], second[b]))));
            second[i] = second[a] || second[b] ? multiply(c, later(up, right)) : won;
            best[i] = won;
        }
        best[n / 2] = best[n - 1];
        second[n / 2] = second[n - 1];
    }
    c->rounds = later(best[0], second[0]) + 1;
    c->open[c->rounds - 1] = true;
}

static void cost_sort(struct cost *c, uint32_t n)
{
    uint32_t ready[64], last = 1, t = 0;
    for (uint32_t i = 0; i < n; i++)
        ready[i] = 1;
    while (1u << t < n)
        t++;
    for (uint32_t p = t ? 1u << (t - 1) : 0; p > 0; p /= 2) {
        for (uint32_t q = 1u << (t - 1), r = 0, d = p;; d = q - p, q /= 2, r = p) {
            for (uint32_t i = 0; i + d < n; i++)
                if ((i & p) == r)
                    ready[i] = ready[i + d] =
                        multiply(c, compare(c, later(ready[i], ready[i + d])));
            if (q == p)
                break;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        last = later(last, ready[i]);
    c->open[last] = true;
    c->rounds = last + 1;
}

static uint64_t messages(const struct cost *c, uint64_t senders, uint64_t m, uint64_t t)
{
    uint64_t n = senders * (m - 1) + (c->random ? (t + 1) * (m - 1) : 0);
    for (uint32_t r = 0; r < c->rounds; r++)
        n += (c->reshare[r] ? (2 * t + 1) * (m - 1) : 0) + (c->open[r] ? t * m : 0);
    return n;
}

static struct cost cost_of(const char *program, uint32_t values)
{
    struct cost c = {.rounds = 2};
    if (strcmp(program, "maximum") == 0) {
        cost_maximum(&c, values);
    } else if (strcmp(program, "second_price_auction") == 0) {
        cost_auction(&c, values);
    } else if (strcmp(program, "sort") == 0) {
        cost_sort(&c, values);
    } else {
        bool multiplies = program[0] == 'm' || program[0] == 'i'; /* mean, inner product */
        c.reshare[1] = multiplies;
        c.rounds += multiplies;
        c.open[c.rounds - 1] = true;
    }
    return c;
}

/* ---- integer programs ------------------------------------------------------------------- */

static int64_t random_value(struct dice *d, int64_t limit)
{
    static const int64_t small = 3;
    int64_t most = dice_below(d, 2) ? limit : small < limit ? small : limit;
    return (int64_t)dice_below(d, 2 * (uint64_t)most + 1) - most;
}

/* Random shapes and values that the program takes. limit: of every value. */
static void fill(struct run *r, struct dice *d)
{
    bool one = strcmp(r->program, "maximum") == 0 || r->program[0] == 'v' ||
               strcmp(r->program, "second_price_auction") == 0;
    int64_t limit = r->program[0] == 'i'                           ? INT64_C(1) << 28
                    : r->program[0] == 'm' && !one                 ? INT64_C(1) << 24
                    : r->program[0] == 's' && r->program[1] == 'u' ? INT64_C(1) << 54
                                                                   : (INT64_C(1) << 59) - 1;
    uint32_t length = 1 + (uint32_t)dice_below(d, 5), skip = (uint32_t)dice_below(d, r->parties);
    for (party_t who = 0; who < r->parties; who++) {
        uint32_t n = one ? 1 : (uint32_t)dice_below(d, 3);
        if (who == skip)
            n = 0;
        else if (who == (skip + 1) % r->parties)
            n = 1;
        if (r->program[0] == 'i')
            n = who == skip || who == (skip + 1) % r->parties ? length : 0;
        for (uint32_t i = 0; i < n; i++)
            run_value(r, who,
                      r->program[0] == 'v' ? (int64_t)dice_below(d, (uint64_t)r->candidates)
                                           : random_value(d, limit));
    }
}

/* schedule.h's exception: a single dealer, nothing but inputs and openings, t = 1. */
static bool ahead(const struct run *r, const struct cost *c, uint32_t senders, uint32_t t,
                  party_t who)
{
    return senders == 1 && t == 1 && c->rounds == 2 &&
           r->given[(who + r->parties - 1) % r->parties];
}

static void check_run(struct run *r, uint64_t seed, enum fake_mode mode, uint32_t refuse)
{
    struct fake f;
    struct err e = {0};
    struct cost c = cost_of(r->program, r->n);
    uint32_t senders = 0, t;
    for (party_t who = 0; who < r->parties; who++)
        senders += r->given[who] > 0;
    if (run_plan(r, &f, seed, &e) || fake_boot_all(&f, seed, &e))
        fail_msg("%s: %s", r->program, e.text);
    f.mode = mode;
    f.refuse = refuse;
    f.delay = 40;
    t = ((struct plan *)f.plan)->threshold;
    fake_start(&f);
    fake_run(&f);
    if (fake_verify(&f, &e))
        fail_msg("%s, seed %llu: %s", r->program, (unsigned long long)seed, e.text);
    for (party_t who = 0; who < r->parties; who++) {
        if (!f.parties[who].result)
            fail_msg("%s, seed %llu: %s", r->program, (unsigned long long)seed,
                     f.parties[who].failure);
        assert_int_equal(f.parties[who].rounds, c.rounds);
        if (mode == FAKE_TIMED)
            assert_int_equal(f.parties[who].completion,
                             (ns_t)(c.rounds - ahead(r, &c, senders, t, who)) * f.delay);
    }
    assert_int_equal(f.messages, messages(&c, senders, r->parties, t));
    assert_int_equal(schedule_messages(&((struct plan *)f.plan)->schedule), f.messages);
    for (int drop = 0; drop < DROP_COUNT; drop++)
        assert_int_equal(f.drops[drop], 0);
    fake_free(&f);
}

static void program_in_all_ways(const char *program, uint32_t times)
{
    static const uint32_t sizes[] = {3, 5, 7, 10};
    struct dice d = dice_name(7, program, 0, 0, 0);
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t k = 0; k < times; k++) {
            struct run r = {.program = program, .parties = sizes[i], .candidates = 4};
            uint32_t most = (sizes[i] - 1) / 2;
            r.threshold = k ? 1 + (int64_t)dice_below(&d, most) : -1;
            fill(&r, &d);
            check_run(&r, k, k % 4 ? FAKE_RANDOM : FAKE_TIMED, k % 4 > 1 ? k % 4 - 1 : 0);
        }
    }
}

static void every_program(void **state)
{
    (void)state;
    program_in_all_ways("sum", 25);
    program_in_all_ways("mean_stddev", 25);
    program_in_all_ways("inner_product", 25);
    program_in_all_ways("vote", 25);
    program_in_all_ways("maximum", 12);
    program_in_all_ways("second_price_auction", 8);
    program_in_all_ways("sort", 6);
}

/* The figures that programs.h names. */
static void rounds_by_the_book(void **state)
{
    (void)state;
    assert_int_equal(cost_of("sum", 5).rounds, 2);
    assert_int_equal(cost_of("mean_stddev", 5).rounds, 3);
    assert_int_equal(cost_of("maximum", 5).rounds, 3 + 7 * 3 + 1);
    assert_int_equal(cost_of("maximum", 8).rounds, 3 + 7 * 3 + 1);
    assert_int_equal(cost_of("second_price_auction", 8).rounds, 3 + 7 + 8 * 2 + 1);
    for (uint32_t k = 1; k <= 5; k++)
        assert_int_equal(cost_of("sort", 1u << k).rounds, 3 + 7 * k * (k + 1) / 2 + 1);
    assert_int_equal(cost_of("sort", 3).rounds, 3 + 7 * 3 + 1);
    for (uint32_t m = 3; m <= 10; m++) { /* METRICS.md, section 1 */
        uint32_t t = (m - 1) / 2;
        struct cost c = cost_of("sum", m);
        assert_int_equal(messages(&c, m, m, t), m * (m - 1) + t * m);
        uint64_t k = m > 8 ? 4 : m > 4 ? 3 : 2;
        c = cost_of("maximum", m); /* programs.h */
        assert_int_equal(messages(&c, m, m, t), m * (m - 1) + (t + 1) * (m - 1) +
                                                    (2 + 6 * k) * (2 * t + 1) * (m - 1) +
                                                    (k + 2) * t * m);
        c = cost_of("inner_product", m);
        assert_int_equal(messages(&c, 2, m, t), 2 * (m - 1) + (2 * t + 1) * (m - 1) + t * m);
    }
}

/* ---- what a person reads ---------------------------------------------------------------- */

static void expect_text(struct run *r, const char *text)
{
    struct fake f;
    struct err e = {0};
    char buf[256];
    if (run_start(r, &f, 1, &e))
        fail_msg("%s", e.text);
    fake_run(&f);
    assert_int_equal(fake_verify(&f, &e), OK);
    for (party_t who = 0; who < r->parties; who++)
        assert_string_equal(run_print(&f, who, buf, sizeof buf), text);
    fake_free(&f);
}

static struct run run_of(const char *program, uint32_t parties, const int64_t *values)
{
    struct run r = {.program = program, .threshold = -1, .parties = parties};
    for (party_t who = 0; who < parties; who++)
        run_value(&r, who, values[who]);
    return r;
}

static void texts(void **state)
{
    static const int64_t ages[] = {30, 45, 25, 45, 20};
    struct run r = run_of("maximum", 5, ages);
    (void)state;
    expect_text(&r, "maximum 45, winner bob");
    r = run_of("second_price_auction", 5, ages);
    expect_text(&r, "winner bob, pays 45");
    r = run_of("second_price_auction", 3, ages);
    expect_text(&r, "winner bob, pays 30");
    r = run_of("sort", 5, ages);
    expect_text(&r, "sorted 20, 25, 30, 45, 45");
    r = run_of(NULL, 5, ages);
    expect_text(&r, "sum 165");
    r = run_of("mean_stddev", 5, ages);
    expect_text(&r, "mean 33.000000 (33), standard deviation 10.295630 (sqrt(2650)/5)");
    r = run_of("mean_stddev", 3, (const int64_t[]){-1, -1, 0});
    expect_text(&r, "mean -0.666667 (-2/3), standard deviation 0.471405 (sqrt(2)/3)");
    r = run_of("vote", 3, (const int64_t[]){2, 0, 2});
    r.candidates = 3;
    expect_text(&r, "votes 1, 0, 2; candidate 2 wins");
    r = run_of("vote", 4, (const int64_t[]){2, 0, 2, 0});
    r.candidates = 3;
    expect_text(&r, "votes 2, 0, 2; 2 candidates tie");
    r = (struct run){.program = "inner_product", .threshold = -1, .parties = 3};
    run_value(&r, 0, -2);
    run_value(&r, 0, 7);
    run_value(&r, 2, 5);
    run_value(&r, 2, 3);
    expect_text(&r, "inner product 11");
}

/* ---- what must not go unnoticed --------------------------------------------------------- */

static void change_last_opening(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    const struct plan *p = f->plan;
    (void)from;
    if (to == 2 && m->label.round == p->schedule.rounds - 1)
        m->data[0] ^= 1;
}

static void verify_sees_a_wrong_result(void **state)
{
    static const int64_t ages[] = {30, 45, 25};
    struct run r = run_of("sum", 3, ages);
    struct fake f;
    struct err e = {0};
    (void)state;
    assert_int_equal(run_start(&r, &f, 1, &e), OK);
    f.tap = change_last_opening;
    fake_run(&f);
    assert_int_equal(fake_verify(&f, &e), ERR_WRONG);
    assert_non_null(strstr(e.text, "carol got sum "));
    assert_non_null(strstr(e.text, ", expected sum 100"));
    fake_free(&f);
}

/* ---- what one party sees ---------------------------------------------------------------- */

enum { BINS = 16 };
static uint64_t seen[BINS], n_seen;

static void look(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    const struct plan *p = f->plan;
    (void)from;
    if (to != 1 || m->label.round == p->schedule.rounds - 1 ||
        (m->label.instance == KIND_OPEN && m->label.round == 2))
        return; /* squares, and results, are not uniform */
    for (size_t i = 0; i < m->len; i += p->schedule.field->size) {
        size_t top = i + p->schedule.field->size - 1;
        seen[p->schedule.field->size == 8 ? m->data[top] >> 1 : m->data[top] >> 4]++;
        n_seen++;
    }
}

/* All shares that one party of three receives are uniform, whatever the inputs: chi-square
 * with 15 degrees of freedom, below 50 except with probability 10^-5. */
static void shares_tell_nothing(void **state)
{
    static const int64_t inputs[2][3] = {{0, 0, 0}, {30, -1000000007, INT64_C(1) << 58}};
    (void)state;
    for (int which = 0; which < 2; which++) {
        double chi = 0;
        memset(seen, 0, sizeof seen);
        n_seen = 0;
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct run r = run_of("maximum", 3, inputs[which]);
            struct fake f;
            struct err e = {0};
            assert_int_equal(run_start(&r, &f, seed, &e), OK);
            f.tap = look;
            fake_run(&f);
            fake_free(&f);
        }
        assert_true(n_seen > 10000);
        for (int b = 0; b < BINS; b++) {
            double expected = (double)n_seen / BINS, off = (double)seen[b] - expected;
            chi += off * off / expected;
        }
        assert_true(chi < 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_program),
        cmocka_unit_test(rounds_by_the_book),
        cmocka_unit_test(texts),
        cmocka_unit_test(verify_sees_a_wrong_result),
        cmocka_unit_test(shares_tell_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
