/* links: analysis/compare.c analysis/compare_leaks.c analysis/compare_json.c analysis/effect.c
 * analysis/first_diff.c analysis/load.c analysis/load_trials.c analysis/measure.c
 * analysis/show_compare.c engine/run/table.c */
#include "analysis/show_compare.h"
#include "engine/base/prng.h"
#include "tests/unit/run_folder.h"

/* ---- runs on disk ------------------------------------------------------------------------ */

struct plan {
    int64_t base, jitter; /* completion, and what trials of one seed differ by between two runs */
    uint64_t dice, digest;
    uint32_t exposed, wrong, unfinished; /* in the first so many trials */
    uint8_t level;
    const char *result;
    bool nothing;
    bool pair; /* the exposure is about party_2 and relay1 */
};

static void fill(struct trial_record *r, uint32_t k, void *ctx)
{
    const struct plan *p = ctx;
    struct dice d = dice_name(p->dice, "test", k, 0, 0);
    int64_t at =
        p->base + 10 * (int64_t)k + (p->jitter ? (int64_t)dice_below(&d, (uint64_t)p->jitter) : 0);
    if (!p->nothing)
        for (int i = 0; i < 30; i++)
            metrics_add(&r->metrics, METRIC_COMPLETION, at + i);
    r->digest += p->digest;
    r->metrics.counts[COUNT_MESSAGES] = 12;
    r->status = k < p->wrong                   ? TRIAL_WRONG
                : k < p->wrong + p->unfinished ? TRIAL_UNFINISHED
                                               : TRIAL_COMPLETED;
    r->result = strdup(p->result ? p->result : "42");
    if (k < p->exposed)
        r->exposures[r->n_exposures++] = (struct exposure_row){.observer = "exposure",
                                                               .what = "party_address",
                                                               .whom = 1,
                                                               .other = p->pair ? 2 : PARTY_NONE,
                                                               .level = p->level ? p->level : 2,
                                                               .first = 500};
}

static const struct plan usual = {.base = 1000000};

static struct folder a_run(const char *name, uint32_t n, const struct plan *p, const char *world)
{
    struct folder f = folder_new(name, n, fill, (void *)(uintptr_t)p);
    f.world = world;
    folder_make(&f);
    return f;
}

/* Compares two folders as the command does. The runs stay open. */
struct pair {
    struct load_run a, b;
    struct compare c;
};

static void compare_two(struct pair *p, const char *a, const char *b,
                        const struct compare_options *opts)
{
    static const struct compare_options none;
    struct err e = {0};
    memset(p, 0, sizeof *p);
    if (load_open(a, &p->a, &e) != OK || load_open(b, &p->b, &e) != OK)
        fail_msg("%s", e.text);
    if (!compare_match(&p->a, &p->b, &p->c))
        return;
    if (load_trials(&p->a, &e) != OK || load_trials(&p->b, &e) != OK)
        fail_msg("%s", e.text);
    assert_int_equal(compare_decide(&p->c, opts ? opts : &none), OK);
}

static void done(struct pair *p)
{
    compare_free(&p->c);
    load_close(&p->a);
    load_close(&p->b);
}

static void expect_options(const struct folder *a, const struct folder *b, int code,
                           const char *words, const struct compare_options *opts)
{
    struct pair p;
    char notes[COMPARE_NOTES * COMPARE_NOTE + ERR_TEXT];
    size_t len;
    compare_two(&p, a->dir, b->dir, opts);
    len = (size_t)snprintf(notes, sizeof notes, "%s: %s\n", p.c.verdict, p.c.reason);
    for (size_t i = 0; i < p.c.n_notes; i++)
        len += (size_t)snprintf(notes + len, sizeof notes - len, "%s\n", p.c.notes[i]);
    if (p.c.code != code || !strstr(notes, words))
        fail_msg("expected %d with \"%s\", got %d, %s", code, words, p.c.code, notes);
    done(&p);
}

static void expect(const struct folder *a, const struct folder *b, int code, const char *words)
{
    expect_options(a, b, code, words, NULL);
}

static void test_equal_runs(void **state)
{
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &usual, "sim");
    (void)state;
    expect(&a, &b, EXIT_DONE, "equal: 8 trials are equal");
    expect(&a, &a, EXIT_DONE, "equal");
}

static void test_slower_and_faster(void **state)
{
    struct plan slow = {.base = 1030000, .digest = 5};
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &slow, "sim");
    struct compare_threshold five = {"completion", 50000};
    struct compare_options lax = {.thresholds = &five, .n_thresholds = 1};
    (void)state;
    expect(&a, &b, EXIT_WORSE, "effects are worse");
    expect(&b, &a, EXIT_DONE, "better:");
    expect_options(&a, &b, EXIT_DIFFERS, "none by an effect that counts", &lax);
    five.ppm = 20000;
    expect_options(&a, &b, EXIT_WORSE, "worse", &lax);
    five.name = "completion.mean"; /* p50 has its own threshold still */
    five.ppm = 900000;
    expect_options(&a, &b, EXIT_WORSE, "1 effects are worse", &lax);
}

static void test_equal_events_and_other_figures(void **state)
{
    struct plan slow = {.base = 1030000};
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &slow, "sim");
    struct pair p;
    (void)state;
    compare_two(&p, a.dir, b.dir, NULL);
    assert_int_equal(p.a.digest == p.b.digest, 1);
    assert_int_equal(p.c.code, EXIT_WORSE);
    assert_true(p.c.first.found && !p.c.first.in_event);
    done(&p);
}

static void test_other_events_and_equal_figures(void **state)
{
    struct plan other = {.base = 1000000, .digest = 5};
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &other, "sim");
    (void)state;
    expect(&a, &b, EXIT_DIFFERS, "0 values differ");
}

static void test_too_small_to_count(void **state)
{
    struct plan slow = {.base = 1003000, .digest = 5};
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &slow, "sim");
    (void)state;
    expect(&a, &b, EXIT_DIFFERS, "none by an effect that counts");
}

static void test_few_trials(void **state)
{
    struct plan slow = {.base = 1500000, .digest = 5};
    struct folder a = a_run("a", 4, &usual, "sim"), b = a_run("b", 4, &slow, "sim");
    struct pair p;
    (void)state;
    expect(&a, &b, EXIT_DIFFERS, "4 trials in a cell are too few for an interval");
    compare_two(&p, a.dir, b.dir, NULL);
    for (size_t i = 0; i < p.c.n_rows; i++) {
        assert_false(p.c.rows[i].effect.interval);
        assert_int_equal(p.c.rows[i].fate, FATE_FEW);
    }
    done(&p);
    a = a_run("a", 4, &usual, "sim");
    b = a_run("b", 9, &usual, "sim"); /* the same seeds, and more of them */
    expect(&a, &b, EXIT_DONE, "left out: 0 trials of A and 5 of B");
}

static void test_exposures(void **state)
{
    struct plan one = {.base = 1000000, .exposed = 1}, two = {.base = 1000000, .exposed = 2};
    struct plan weak = {.base = 1000000, .exposed = 1, .level = 1};
    struct plan faster = {.base = 900000, .exposed = 1, .digest = 5};
    struct plan pair = {.base = 1000000, .exposed = 1, .pair = true};
    struct folder none = a_run("none", 8, &usual, "sim"), a = a_run("a", 8, &one, "sim");
    struct folder b = a_run("b", 8, &two, "sim"), c = a_run("c", 8, &weak, "sim");
    struct folder d = a_run("d", 8, &faster, "sim"), e = a_run("e", 8, &pair, "sim");
    (void)state;
    expect(&none, &a, EXIT_WORSE, "exposures are new or rose");
    expect(&a, &b, EXIT_WORSE, "1 exposures are new or rose");  /* in more trials */
    expect(&c, &a, EXIT_WORSE, "1 exposures are new or rose");  /* at a higher level */
    expect(&a, &e, EXIT_WORSE, "1 exposures are new or rose");  /* about a pair: another fact */
    expect(&none, &d, EXIT_WORSE, "exposures are new or rose"); /* however fast it is */
    expect(&a, &none, EXIT_DONE, "fewer exposures");
    expect(&b, &a, EXIT_DONE, "fewer exposures");
    none = a_run("none", 3, &usual, "lab");
    a = a_run("a", 3, &one, "lab");
    expect(&none, &a, EXIT_WORSE, "exposures are new or rose"); /* any world, however few trials */
}

static void test_completion_and_results(void **state)
{
    struct plan lost = {.base = 1000000, .unfinished = 1}, wrong = {.base = 1000000, .wrong = 1};
    struct plan other = {.base = 1000000, .result = "43"};
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &lost, "sim");
    (void)state;
    expect(&a, &b, EXIT_WORSE, "fewer trials complete");
    expect(&b, &a, EXIT_DONE, "more trials complete");
    b = a_run("b", 8, &wrong, "sim");
    expect(&a, &b, EXIT_WORSE, "more wrong results");
    b = a_run("b", 8, &other, "sim");
    expect(&a, &b, EXIT_DIFFERS, "the computed result differs in 8 trials");
    a = a_run("a", 8, &usual, "lab");
    b = a_run("b", 8, &wrong, "lab");
    expect(&a, &b, EXIT_WORSE, "more wrong results");
    b = a_run("b", 8, &lost, "lab"); /* one of eight: that happens */
    expect(&a, &b, EXIT_INCONCLUSIVE, "inconclusive");
}

static void test_not_comparable(void **state)
{
    struct plan nothing = {.nothing = true};
    struct folder a = a_run("a", 8, &usual, "sim"), b = folder_new("b", 8, fill, a.ctx);
    (void)state;
    b.scenario = "other";
    folder_make(&b);
    expect(&a, &b, EXIT_NOT_COMPARABLE, "other scenarios: test and other");
    b.scenario = "test";
    b.scenario_digest = 78;
    folder_make(&b);
    expect(&a, &b, EXIT_NOT_COMPARABLE, "their digests differ");
    b.scenario_digest = 77;
    b.world = "lab";
    folder_make(&b);
    expect(&a, &b, EXIT_NOT_COMPARABLE, "other worlds: sim and lab");
    b.world = "sim";
    b.seed = 2;
    folder_make(&b);
    expect(&a, &b, EXIT_NOT_COMPARABLE, "other seeds");
    a = a_run("a", 8, &nothing, "sim");
    b = a_run("b", 8, &nothing, "sim");
    expect(&a, &b, EXIT_NOT_COMPARABLE, "nothing was measured");
}

static void test_real_worlds(void **state)
{
    struct plan first = {.base = 1000000, .jitter = 20000, .dice = 1};
    struct plan equal = {.base = 1000000, .jitter = 20000, .dice = 2};
    struct plan slow = {.base = 1100000, .jitter = 20000, .dice = 3};
    struct folder a = a_run("a", 20, &first, "lab"), b = a_run("b", 20, &equal, "lab");
    struct folder c = a_run("c", 20, &slow, "lab"), d = a_run("d", 20, &slow, "lab");
    struct load_run again;
    struct compare_options opts = {.again = &again, .n_again = 1};
    struct err e = {0};
    (void)state;
    expect(&a, &b, EXIT_INCONCLUSIVE, "no effect is beyond");
    expect(&a, &a, EXIT_INCONCLUSIVE, "no effect is beyond"); /* no evidence of anything */
    expect(&a, &c, EXIT_WORSE, "worse");
    expect(&c, &a, EXIT_DONE, "better");
    /* If A repeated is as far away as B, that is noise. */
    assert_int_equal(load_open(d.dir, &again, &e), OK);
    assert_int_equal(load_trials(&again, &e), OK);
    expect_options(&a, &c, EXIT_INCONCLUSIVE, "no effect is beyond", &opts);
    load_close(&again);
    assert_int_equal(load_open(b.dir, &again, &e), OK);
    assert_int_equal(load_trials(&again, &e), OK);
    expect_options(&a, &c, EXIT_WORSE, "worse", &opts);
    load_close(&again);
    a = a_run("a", 4, &first, "lab");
    c = a_run("c", 4, &slow, "lab");
    expect(&a, &c, EXIT_INCONCLUSIVE, "4 trials in a cell are too few");
}

/* ---- the first differing event --------------------------------------------------------------- */

static void record(const struct folder *f, const char *text)
{
    char dir[300];
    snprintf(dir, sizeof dir, "%s/traces", f->dir);
    assert_int_equal(files_make_dir(dir, NULL), OK);
    folder_write(f, "traces/0-0.txt", text);
}

static void test_first_difference(void **state)
{
    struct plan other = {.base = 1000000, .digest = 5};
    struct folder a = a_run("fa", 8, &usual, "sim"), b = a_run("fb", 8, &other, "sim");
    struct pair p;
    (void)state;
    compare_two(&p, a.dir, b.dir, NULL);
    assert_true(p.c.first.found && p.c.first.in_event && !p.c.first.traced);
    assert_int_equal(p.c.first.trial, 0);
    assert_non_null(strstr(p.c.first.command, "--cell 0 --trial 0"));
    done(&p);
    record(&a, "1\n2\n3\n4\n5 a\n6\n7\n8\n9\n");
    record(&b, "1\n2\n3\n4\n5 \033[31mb\n6\n");
    compare_two(&p, a.dir, b.dir, NULL);
    assert_true(p.c.first.traced);
    assert_int_equal(p.c.first.line, 5);
    assert_int_equal(p.c.first.n_before, 3);
    assert_string_equal(p.c.first.before[0], "2");
    assert_string_equal(p.c.first.before[2], "4");
    assert_int_equal(p.c.first.n_a, 4);
    assert_string_equal(p.c.first.a[0], "5 a");
    assert_string_equal(p.c.first.a[3], "8");
    assert_int_equal(p.c.first.n_b, 2);
    assert_string_equal(p.c.first.b[0], "5 ?[31mb"); /* nothing for the terminal */
    done(&p);
    record(&b, "1\n2\n"); /* ends early */
    compare_two(&p, a.dir, b.dir, NULL);
    assert_true(p.c.first.traced);
    assert_int_equal(p.c.first.line, 3);
    assert_int_equal(p.c.first.n_b, 0);
    done(&p);
    record(&b, "1\n2\n3\n4\n5 a\n6\n7\n8\n9\n");
    compare_two(&p, a.dir, b.dir, NULL);
    assert_false(p.c.first.traced);
    assert_non_null(strstr(p.c.first.untraced, "recordings are equal"));
    done(&p);
}

static void test_the_verdict_on_disk(void **state)
{
    struct plan slow = {.base = 1030000, .digest = 5, .exposed = 1};
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &slow, "sim");
    struct pair p;
    struct err e = {0};
    char path[300];
    const json_t *o;
    json_t *verdict;
    (void)state;
    compare_two(&p, a.dir, b.dir, NULL);
    assert_int_equal(compare_save(&p.c, &e), OK);
    done(&p);
    snprintf(path, sizeof path, "%s/verdict.json", b.dir);
    verdict = json_load_file(path, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(verdict, "exit")), 0); /* kept */
    o = json_object_get(verdict, "compare");
    assert_int_equal(json_integer_value(json_object_get(o, "exit")), EXIT_WORSE);
    assert_string_equal(json_string_value(json_object_get(o, "verdict")), "worse");
    assert_int_equal(json_array_size(json_object_get(o, "effects")), 2);
    assert_int_equal(json_array_size(json_object_get(o, "exposures")), 2);
    o = json_array_get(json_object_get(o, "effects"), 0);
    assert_string_equal(json_string_value(json_object_get(o, "measure")), "completion.mean");
    assert_string_equal(json_string_value(json_object_get(o, "unit")), "ns");
    assert_int_equal(json_integer_value(json_object_get(o, "effect_ppm")), 29999);
    json_decref(verdict);
    compare_two(&p, a.dir, b.dir, NULL); /* again: the folder is still good */
    assert_int_equal(p.c.code, EXIT_WORSE);
    assert_int_equal(compare_save(&p.c, &e), OK);
    done(&p);
}

static char *text_of(const struct compare *c, void (*show)(const struct compare *, FILE *))
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    show(c, f);
    fclose(f);
    return text;
}

static void test_what_it_prints_is_escaped(void **state)
{
    struct plan slow = {.base = 1030000, .digest = 5};
    struct folder a = a_run("a", 8, &usual, "sim"), b = a_run("b", 8, &slow, "sim");
    struct pair p;
    char *text;
    (void)state;
    compare_two(&p, a.dir, b.dir, NULL);
    snprintf(p.a.cells[0].name, sizeof p.a.cells[0].name, "%s", "x=<script>|\033[0m\n&\"");
    text = text_of(&p.c, show_compare_markdown);
    assert_non_null(strstr(text, "x=&lt;script&gt;&#124;?\\[0m?&amp;\""));
    assert_null(strstr(text, "<script>"));
    free(text);
    text = text_of(&p.c, show_compare_junit);
    assert_non_null(strstr(text, "x=&lt;script&gt;|?[0m?&amp;&quot;"));
    assert_non_null(strstr(text, "failures=\"2\""));
    free(text);
    text = text_of(&p.c, show_compare_line);
    assert_string_equal(text, "test in sim: worse: 2 effects are worse\n");
    free(text);
    done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_runs),
        cmocka_unit_test(test_slower_and_faster),
        cmocka_unit_test(test_equal_events_and_other_figures),
        cmocka_unit_test(test_other_events_and_equal_figures),
        cmocka_unit_test(test_too_small_to_count),
        cmocka_unit_test(test_few_trials),
        cmocka_unit_test(test_exposures),
        cmocka_unit_test(test_completion_and_results),
        cmocka_unit_test(test_not_comparable),
        cmocka_unit_test(test_real_worlds),
        cmocka_unit_test(test_first_difference),
        cmocka_unit_test(test_the_verdict_on_disk),
        cmocka_unit_test(test_what_it_prints_is_escaped),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_clean);
}
