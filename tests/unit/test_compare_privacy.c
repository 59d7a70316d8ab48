/* links: all
 * What adversaries find is judged by `compare`: a guess that gets better is worse. */
#include "analysis/show_compare.h"
#include "tests/unit/run_folder.h"

struct plan {
    int64_t guess, entropy, base;
    uint64_t digest;
    bool blind;
};

static void put(struct trial_record *r, enum privacy what, int64_t value)
{
    struct finding_row *row = &r->findings[r->n_findings++];
    *row = (struct finding_row){
        .observer = "entropy", .at = "global", .what = what, .value = value, .n = 50};
}

static void fill(struct trial_record *r, uint32_t k, void *ctx)
{
    const struct plan *p = ctx;
    metrics_add(&r->metrics, METRIC_COMPLETION, p->base + k);
    r->digest += p->digest;
    r->status = TRIAL_COMPLETED;
    r->result = strdup("42");
    if (p->blind)
        return;
    r->findings = calloc(2, sizeof *r->findings);
    put(r, PRIVACY_PARTY_GUESS, p->guess + 100 * (int64_t)k);
    put(r, PRIVACY_PARTY_ENTROPY, p->entropy + (int64_t)k);
}

static void judge(const struct plan *a, const struct plan *b, uint32_t n, int code,
                  const char *words, const char *wanted)
{
    static const struct compare_options none;
    struct folder x = folder_new("pa", n, fill, (void *)(uintptr_t)a);
    struct folder y = folder_new("pb", n, fill, (void *)(uintptr_t)b);
    struct load_run ra, rb;
    struct compare c;
    struct err e;
    bool found = !wanted;
    folder_make(&x);
    folder_make(&y);
    if (load_open(x.dir, &ra, &e) != OK || load_open(y.dir, &rb, &e) != OK)
        fail_msg("%s", e.text);
    assert_true(compare_match(&ra, &rb, &c));
    if (load_trials(&ra, &e) != OK || load_trials(&rb, &e) != OK)
        fail_msg("%s", e.text);
    assert_int_equal(compare_decide(&c, &none), OK);
    if (c.code != code || !strstr(c.reason, words))
        fail_msg("expected %d with \"%s\", got %d, %s: %s", code, words, c.code, c.verdict,
                 c.reason);
    for (size_t i = 0; i < c.n_rows; i++) {
        struct measure m;
        compare_about(&c, &c.rows[i], &m);
        found |= wanted && strcmp(m.name, wanted) == 0;
    }
    assert_true(found);
    compare_free(&c);
    load_close(&ra);
    load_close(&rb);
}

static const struct plan usual = {.guess = 300000, .entropy = 2000, .base = 1000000};

static void test_guesses(void **state)
{
    struct plan better = {.guess = 350000, .entropy = 2000, .base = 1000000, .digest = 5};
    (void)state;
    judge(&usual, &better, 8, EXIT_WORSE, "1 effects are worse",
          "privacy.party_guess.entropy@global");
    judge(&better, &usual, 8, EXIT_DONE, "better", "privacy.party_guess.entropy@global");
}

static void test_entropy(void **state)
{
    struct plan less = {.guess = 300000, .entropy = 1500, .base = 1000000, .digest = 5};
    (void)state;
    judge(&usual, &less, 8, EXIT_WORSE, "1 effects are worse",
          "privacy.party_entropy.entropy@global");
    judge(&less, &usual, 8, EXIT_DONE, "better", NULL);
}

static void test_small_few_and_absent(void **state)
{
    struct plan little = {.guess = 300900, .entropy = 2000, .base = 1000000, .digest = 5};
    struct plan more = {.guess = 400000, .entropy = 2000, .base = 1000000, .digest = 5};
    struct plan blind = {.base = 1000000, .digest = 5, .blind = true};
    (void)state;
    judge(&usual, &little, 8, EXIT_DIFFERS, "none by an effect that counts",
          "privacy.party_guess.entropy@global");
    judge(&usual, &more, 4, EXIT_DIFFERS, "too few trials", "privacy.party_guess.entropy@global");
    judge(&usual, &blind, 8, EXIT_DIFFERS, "0 values differ", NULL);
}

static void test_name_is_a_word(void **state)
{
    struct privacy_sum s = {.key = {.observer = "size", .at = "isp_`x|<b>", .about = "a\nb"}};
    struct measure m;
    (void)state;
    s.key.what = PRIVACY_SIZE_LEAK;
    measure_privacy(&s, &m);
    assert_string_equal(m.name, "privacy.size_leak.size@isp_?x??b? a?b");
    assert_true(measure_matches(&m, "privacy") && measure_matches(&m, "privacy.size_leak"));
    assert_true(measure_matches(&m, "privacy.size_leak.size"));
    assert_false(measure_matches(&m, "privacy.size"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guesses),
        cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_small_few_and_absent),
        cmocka_unit_test(test_name_is_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
