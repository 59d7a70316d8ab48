/* links: analysis/load.c analysis/load_trials.c analysis/measure.c engine/run/tally.c
 * engine/run/trial.c engine/run/files.c engine/run/interval.c engine/metrics.c engine/base/hist.c
 */
#include "tests/unit/run_folder.h"

static void plain(struct trial_record *r, uint32_t k, void *ctx)
{
    (void)ctx;
    for (int i = 0; i < 30; i++)
        metrics_add(&r->metrics, METRIC_COMPLETION, 1000000 + 1000 * (int64_t)k + i);
    r->metrics.counts[COUNT_MESSAGES] = 7;
    r->result = strdup("42");
    r->exposures[r->n_exposures++] =
        (struct exposure_row){"exposure", "party_address", 0, 1, PARTY_NONE, 2, 9};
}

static int load(const char *path, struct load_run *r, struct err *e)
{
    int rc = load_open(path, r, e);
    return rc == OK ? load_trials(r, e) : rc;
}

static void refused(const char *path, int want, const char *words)
{
    struct load_run r;
    struct err e = {0};
    int rc = load(path, &r, &e);
    if (rc == OK)
        fail_msg("accepted; expected a sentence with \"%s\"", words);
    if (rc != want || !strstr(e.text, words))
        fail_msg("expected %s with \"%s\", got %s: %s", err_name(want), words, err_name(rc),
                 e.text);
    load_close(&r);
}

static struct folder fresh(const char *name)
{
    struct folder f = folder_new(name, 4, plain, NULL);
    folder_make(&f);
    return f;
}

static void test_a_good_folder(void **state)
{
    struct folder f = fresh("good");
    struct load_run r;
    struct err e = {0};
    (void)state;
    if (load(f.dir, &r, &e) != OK)
        fail_msg("%s", e.text);
    assert_string_equal(r.scenario, "test");
    assert_true(r.deterministic);
    assert_int_equal(r.n_cells, 1);
    assert_string_equal(r.cells[0].name, "transport=direct");
    assert_int_equal(r.cells[0].n, 4);
    assert_string_equal(load_name(&r.cells[0], 1), "party_2");
    assert_string_equal(load_name(&r.cells[0], 2), "relay1");
    assert_string_equal(load_name(&r.cells[0], 3), "isp_party_1");
    assert_string_equal(load_name(&r.cells[0], 6), "");
    assert_int_equal(r.cells[0].tally.n_rows, 1);
    assert_int_equal((int64_t)r.cells[0].trials[2].values[0 + MEASURE_STATS * METRIC_COMPLETION],
                     1002014); /* the mean of 1002000 .. 1002029 */
    load_close(&r);
    assert_int_equal(load(folder_root, &r, &e), OK); /* the only run in that folder */
    load_close(&r);
}

static void test_not_a_run(void **state)
{
    struct folder f = fresh("one");
    char path[300];
    (void)state;
    refused("/nonexistent/partyline", ERR_ABSENT, "not a folder");
    snprintf(path, sizeof path, "%s/trials", f.dir);
    refused(path, ERR_ABSENT, "holds no run");
    snprintf(path, sizeof path, "%s/digest", f.dir);
    refused(path, ERR_ABSENT, "not a folder");
    refused(folder_root, ERR_ABSENT, "holds 2 runs");
}

static void test_half_written(void **state)
{
    static const char *const files[] = {"summary.json", "verdict.json", "digest",
                                        "trials/0-2.json"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct folder f = fresh("half");
        folder_remove(&f, files[i]);
        refused(f.dir, ERR_ABSENT, files[i]);
    }
    struct folder without = fresh("half");
    folder_remove(&without, "exposure.csv");
    refused(without.dir, ERR_ABSENT, "exposure.csv");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct folder f = fresh("half");
        folder_write(&f, files[i], ""); /* empty */
        refused(f.dir, i == 2 ? ERR_MISMATCH : ERR_FORMAT, i == 2 ? "digest" : files[i]);
        folder_write(&f, files[i], "{\"schema\": 1, \"ce"); /* cut */
        refused(f.dir, i == 2 ? ERR_MISMATCH : ERR_FORMAT, i == 2 ? "digest" : files[i]);
    }
    struct folder f = fresh("half");
    folder_write(&f, "manifest.json", "");
    refused(f.dir, ERR_FORMAT, "manifest.json:");
}

static void test_other_schemas(void **state)
{
    static const char *const files[] = {"manifest.json", "summary.json", "verdict.json"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct folder f = fresh("schema");
        folder_edit(&f, files[i], "schema", "0");
        refused(f.dir, ERR_UNSUPPORTED, "an older Partyline");
        folder_edit(&f, files[i], "schema", "2");
        refused(f.dir, ERR_UNSUPPORTED, "a newer Partyline");
        folder_edit(&f, files[i], "schema", "\"1\"");
        refused(f.dir, ERR_FORMAT, "no schema");
        folder_edit(&f, files[i], "schema", NULL);
        refused(f.dir, ERR_FORMAT, "no schema");
    }
    struct folder f = fresh("schema");
    folder_edit(&f, "trials/0-1.json", "schema", "2");
    refused(f.dir, ERR_FORMAT, "0-1.json");
}

/* Each edit of a good file is noticed. */
static void test_edited(void **state)
{
    static const struct {
        const char *file, *key, *value;
        int code;
    } edits[] = {
        {"manifest.json", "cells", "[]", ERR_FORMAT},
        {"manifest.json", "cells", "[7]", ERR_FORMAT},
        {"manifest.json", "cells", "{}", ERR_FORMAT},
        {"manifest.json", "world", "7", ERR_FORMAT},
        {"manifest.json", "world", "\"lab\"", ERR_MISMATCH},
        {"manifest.json", "run", "null", ERR_FORMAT},
        {"manifest.json", "program", "[]", ERR_FORMAT},
        {"manifest.json", "scenario_digest", "\"4d\"", ERR_FORMAT},
        {"manifest.json", "scenario", "{\"name\": \"../etc\", \"seed\": 1}", ERR_FORMAT},
        {"manifest.json", "scenario", "{\"name\": \"test\"}", ERR_FORMAT},
        {"manifest.json", "scenario", "{\"name\": \"other\", \"seed\": 1}", ERR_MISMATCH},
        {"manifest.json", "cells",
         "[{\"index\": 0, \"axes\": {\"transport\": \"direct\"}, \"seeds\": [\"x\"]}]", ERR_FORMAT},
        {"manifest.json", "cells",
         "[{\"index\": 0, \"axes\": {\"transport\": \"direct\"}, \"seeds\": "
         "[\"0000000000000000\"], \"resolved\": {\"parties\": [{\"name\": \"p\", \"role\": \"r\", "
         "\"count\": 4000000000}], \"services\": []}}]",
         ERR_FORMAT},
        {"manifest.json", "cells",
         "[{\"index\": 0, \"axes\": {\"transport\": \"direct\"}, \"seeds\": "
         "[\"0000000000000000\"], \"resolved\": {\"parties\": [{\"name\": \"p\", \"role\": \"r\"}"
         "], \"services\": []}}]",
         ERR_MISMATCH},
        {"summary.json", "cells", "[]", ERR_MISMATCH},
        {"summary.json", "cells", "[{\"axes\": {\"transport\": \"direct\"}}]", ERR_MISMATCH},
        {"summary.json", "cells", "[{\"axes\": {\"transport\": \"relay\"}}]", ERR_MISMATCH},
        {"summary.json", "digest", "\"0000000000000000\"", ERR_MISMATCH},
        {"summary.json", "world", "\"lab\"", ERR_MISMATCH},
        {"verdict.json", "exit", "-1", ERR_MISMATCH},
        {"verdict.json", "exit", "\"0\"", ERR_MISMATCH},
        {"trials/0-0.json", "digest", "\"0000000000000001\"", ERR_MISMATCH},
        {"trials/0-0.json", "seed", "\"0000000000000001\"", ERR_MISMATCH},
        {"trials/0-0.json", "trial", "1", ERR_MISMATCH},
        {"trials/0-0.json", "cell", "1", ERR_MISMATCH},
        {"trials/0-0.json", "status", "\"wrong\"", ERR_MISMATCH},
        {"trials/0-0.json", "status", "\"fine\"", ERR_FORMAT},
        {"trials/0-0.json", "counts", "{\"messages\": 8}", ERR_MISMATCH},
        {"trials/0-0.json", "counts", "{\"messages\": -8}", ERR_FORMAT},
        {"trials/0-0.json", "exposures", "[[\"exposure\", \"party_address\", 2, 1, 2, 9]]",
         ERR_MISMATCH},
        {"trials/0-0.json", "exposures", "[[\"exposure\", \"party_address\", 77, 1, 2, 9]]",
         ERR_MISMATCH}, /* of nobody */
        {"trials/0-0.json", "metrics", "{}", ERR_MISMATCH},
        {"trials/0-0.json", "result", "\"43\"", ERR_MISMATCH},
    };
    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        struct folder f = fresh("edited");
        struct load_run r;
        struct err e = {0};
        folder_edit(&f, edits[i].file, edits[i].key, edits[i].value);
        int rc = load(f.dir, &r, &e);
        if (rc != edits[i].code || (rc != OK && !strstr(e.text, folder_root)))
            fail_msg("%s: %s = %s: expected %s, got %s: %s", edits[i].file, edits[i].key,
                     edits[i].value, err_name(edits[i].code), err_name(rc), e.text);
        load_close(&r);
    }
}

/* A cell's summary by hand, the trials untouched. */
static void test_an_edited_summary(void **state)
{
    static const char *const paths[][2] = {
        {"completed", "3"}, {"wrong", "1"}, {"unfinished", "1"}, {"trials", "9"}};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct folder f = fresh("summary");
        char path[300], want[64];
        snprintf(path, sizeof path, "%s/summary.json", f.dir);
        json_t *o = json_load_file(path, 0, NULL);
        json_t *cell = json_array_get(json_object_get(o, "cells"), 0);
        json_object_set_new(cell, paths[i][0], json_integer(atoi(paths[i][1])));
        folder_json(&f, "summary.json", o);
        snprintf(want, sizeof want, "(%s of cell 0)", paths[i][0]);
        refused(f.dir, ERR_MISMATCH, want);
    }
}

/* The table of exposures by hand: a line less, a line more, another name, another level. */
static void test_edited_exposures(void **state)
{
    static const char head[] = "cell,observer,what,who,whom,level,trials,first_ns,other\n";
    static const char row[] = "\"transport=direct\",exposure,party_address,\"party_1\",\"party_2\"";
    static const char *const ends[] = {",2,4,9,\"\"\n", ",1,4,9,\"\"\n", ",2,4,9,\"\"\n\n", ""};
    char text[300];
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct folder f = fresh("exposures");
        struct load_run r;
        struct err e = {0};
        snprintf(text, sizeof text, "%s%s%s", head, *ends[i] ? row : "", ends[i]);
        folder_write(&f, "exposure.csv", text);
        if (i > 0) {
            refused(f.dir, ERR_MISMATCH, "exposure.csv does not follow from trials/");
        } else { /* as it was */
            assert_int_equal(load(f.dir, &r, &e), OK);
            load_close(&r);
        }
    }
}

static void test_a_part_of_the_trials(void **state)
{
    struct folder f = fresh("part");
    struct load_run r;
    struct err e = {0};
    (void)state;
    assert_int_equal(load_open(f.dir, &r, &e), OK);
    r.cells[0].n = 2;
    assert_int_equal(load_trials(&r, &e), OK);
    assert_int_equal(r.cells[0].tally.trials, 2);
    load_close(&r);
    folder_edit(&f, "trials/0-3.json", "counts", "{\"messages\": 8}"); /* checked all the same */
    assert_int_equal(load_open(f.dir, &r, &e), OK);
    r.cells[0].n = 2;
    assert_int_equal(load_trials(&r, &e), ERR_MISMATCH);
    load_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_folder),    cmocka_unit_test(test_not_a_run),
        cmocka_unit_test(test_half_written),     cmocka_unit_test(test_other_schemas),
        cmocka_unit_test(test_edited),           cmocka_unit_test(test_an_edited_summary),
        cmocka_unit_test(test_edited_exposures), cmocka_unit_test(test_a_part_of_the_trials),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_clean);
}
