/* links: engine/run/trial.c engine/run/tally.c engine/run/table.c engine/metrics.c */
#include "engine/run/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct roster_entry who[] = {
    {.name = "alice", .role = "party"},
    {.name = "bob", .role = "party"},
    {.name = "relay1", .role = "relay"},
};
static const struct roster roster = {.n = 3, .n_parties = 2, .entries = who};
static const struct observer_spec observers[1];
static const struct trial_spec spec = {.roster = &roster, .observers = observers, .n_observers = 1};

static struct trial_record sample(uint32_t k, ns_t completion)
{
    struct trial_record r = {.cell = 2, .trial = k, .seed = UINT64_MAX - k, .digest = 5 + k};
    metrics_init(&r.metrics);
    for (int i = 0; i < 30; i++)
        metrics_add(&r.metrics, METRIC_COMPLETION, completion + i);
    metrics_add(&r.metrics, METRIC_SETUP, 0);
    r.metrics.counts[COUNT_MESSAGES] = 12;
    r.metrics.drops[DROP_LOSS] = k;
    r.metrics.protocol_rounds = 7 + k;
    r.exposures = calloc(3, sizeof *r.exposures);
    r.n_exposures = 2;
    r.exposures[0] =
        (struct exposure_row){"exposure", "party_address", 1, 0, PARTY_NONE, 2, 900 - k};
    r.exposures[1] =
        (struct exposure_row){"exposure", "party_address", 0, 1, PARTY_NONE, 1, 500 + k};
    return r;
}

static void test_a_trial_survives_its_file(void **state)
{
    struct trial_record a = sample(3, 1000000007), b;
    struct err e = {0};
    json_t *o;
    char *text, *again;
    (void)state;
    a.status = TRIAL_UNFINISHED;
    a.why = strdup("alice waits for \"bob\"\nbob waits");
    o = trial_encode(&a);
    text = json_dumps(o, JSON_SORT_KEYS);
    assert_int_equal(trial_decode(o, &b, &e), OK);
    json_decref(o);
    assert_int_equal(b.seed, a.seed);
    assert_int_equal(b.status, TRIAL_UNFINISHED);
    assert_string_equal(b.why, a.why);
    assert_true(hist_equal(&a.metrics.hist[METRIC_COMPLETION], &b.metrics.hist[METRIC_COMPLETION]));
    o = trial_encode(&b);
    again = json_dumps(o, JSON_SORT_KEYS);
    assert_string_equal(text, again);
    json_decref(o);
    free(text);
    free(again);
    trial_record_free(&a);
    trial_record_free(&b);
}

/* Each edit of a good file must be refused: none may be read as something else. */
static void test_an_edited_trial_is_refused(void **state)
{
    static const char *const edits[][2] = {
        {"schema", "2"},
        {"cell", "\"x\""},
        {"seed", "\"123\""},
        {"digest", "\"zzzzzzzzzzzzzzzz\""},
        {"status", "\"fine\""},
        {"metrics", "{\"speed\": {}}"},
        {"metrics",
         "{\"setup\": {\"min\": 5, \"max\": 1, \"sum\": \"0000000000000001\", \"negative\": "
         "\"0000000000000000\", \"overflow\": \"0000000000000000\", "
         "\"lost\": \"0000000000000000\", "
         "\"buckets\": [1, 1]}}"},
        {"metrics",
         "{\"setup\": {\"min\": 1, \"max\": 1, \"sum\": \"0000000000000001\", \"negative\": "
         "\"0000000000000000\", \"overflow\": \"0000000000000000\", "
         "\"lost\": \"0000000000000000\", "
         "\"buckets\": [1, -1]}}"},
        {"metrics",
         "{\"setup\": {\"min\": 1, \"max\": 1, \"sum\": \"0000000000000001\", \"negative\": "
         "\"0000000000000000\", \"overflow\": \"0000000000000000\", "
         "\"lost\": \"0000000000000000\", "
         "\"buckets\": [1]}}"},
        {"counts", "{\"messages\": -4}"},
        {"counts", "{\"unheard_of\": 4}"},
        {"drops", "[]"},
        {"exposures", "[[\"exposure\", \"party_address\", -1, 0, 1, 5]]"},
        {"exposures", "[[\"exposure\", \"party_address\", 1, 0, 9, 5]]"},
        {"exposures", "{}"},
        {"protocol_rounds", "null"},
    };
    struct trial_record a = sample(0, 5), b;
    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct err e = {0};
        json_t *o = trial_encode(&a);
        json_object_set_new(o, edits[i][0], json_loads(edits[i][1], JSON_DECODE_ANY, NULL));
        if (trial_decode(o, &b, &e) == OK)
            fail_msg("accepted: %s = %s", edits[i][0], edits[i][1]);
        assert_int_not_equal(e.text[0], 0);
        json_decref(o);
    }
    trial_record_free(&a);
}

static int64_t look(struct tally *t, const char *path)
{
    int64_t v = -1;
    return tally_lookup(t, path, &v) == OK ? v : -1;
}

static void test_a_tally_adds_up(void **state)
{
    struct tally t;
    struct interval interval;
    char why[64];
    (void)state;
    assert_int_equal(tally_init(&t, &spec, 8), OK);
    for (uint32_t k = 0; k < 8; k++) {
        struct trial_record r = sample(k, 1000 * (k + 1));
        r.status = k == 7 ? TRIAL_UNFINISHED : TRIAL_COMPLETED;
        r.result = strdup(k == 3 ? "other" : "same");
        assert_int_equal(tally_add(&t, &r), OK);
        trial_record_free(&r);
    }
    assert_int_equal(look(&t, "completed"), 875000);
    assert_int_equal(look(&t, "unfinished"), 125000);
    assert_int_equal(look(&t, "wrong"), 0);
    assert_int_equal(look(&t, "counts.messages"), 96);
    assert_int_equal(look(&t, "drops.loss"), 28);
    assert_int_equal(look(&t, "protocol_rounds"), 14);
    assert_int_equal(look(&t, "completion.count"), 240);
    assert_int_equal(look(&t, "metrics.completion.min"), 1000);
    assert_int_equal(look(&t, "completion.max"), hist_max(&t.metrics.hist[METRIC_COMPLETION]));
    assert_int_equal(look(&t, "setup.p50"), -1); /* 8 samples: no quantile */
    assert_int_equal(look(&t, "rtt.p50"), -1);
    assert_string_equal(tally_absence(&t, "metrics.setup.p50", why, sizeof why),
                        "it takes 20 samples, and there are 8");
    assert_string_equal(tally_absence(&t, "rtt.p99", why, sizeof why),
                        "it takes 1000 samples, and there are 0");
    assert_null(tally_absence(&t, "rtt.max", why, sizeof why));
    assert_null(tally_absence(&t, "exposures.party_address.nobody", why, sizeof why));
    assert_int_equal(look(&t, "exposures.party_address.party"), 2);
    assert_int_equal(look(&t, "exposures.party_address.relay"), 0);
    assert_int_equal(look(&t, "exposures.party_address.nobody"), -1);
    assert_true(t.results_vary);
    assert_null(t.result);
    assert_int_equal(t.n_rows, 2);
    assert_int_equal(t.rows[0].who, 0);
    assert_int_equal(t.rows[1].first, 893); /* the earliest of all trials */
    assert_int_equal(t.row_trials[1], 8);
    assert_true(tally_interval(&t, METRIC_COMPLETION, &interval));
    assert_true(interval.low < interval.mid && interval.mid < interval.high);
    tally_free(&t);
}

static void test_quantities_are_readable(void **state)
{
    static const struct {
        const char *unit;
        int64_t value;
        const char *text;
    } cases[] = {
        {"ns", 0, "0 ns"},           {"ns", 999, "999 ns"},        {"ns", 1000, "1.00 us"},
        {"ns", 1234567, "1.23 ms"},  {"ns", 99960000, "100.0 ms"}, {"ns", 2310000000, "2.31 s"},
        {"ns", 125 * NS_S, "125 s"}, {"bytes", 1023, "1023 B"},    {"bytes", 49254, "48.1 KiB"},
        {"ppm", 875000, "87.5 %"},   {"packets", 7, "7"},
    };
    char buf[64];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(table_quantity(cases[i].unit, cases[i].value, buf, sizeof buf),
                            cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trial_survives_its_file),
        cmocka_unit_test(test_an_edited_trial_is_refused),
        cmocka_unit_test(test_a_tally_adds_up),
        cmocka_unit_test(test_quantities_are_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
