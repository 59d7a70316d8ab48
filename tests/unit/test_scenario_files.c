/* links: engine/run/{scenario,matrix,cell,hosts,place,regions,events,when,show,show_print,schema,
 * schema_check,yaml,yaml_text,names,suggest,diag,expect,files}.c engine/base/{arena,opt,err,prng}.c
 * engine/worlds/link/access.c
 *
 * Scenarios and tables from files. */
#include "tests/unit/scenario_plugins.h"
#include "tests/unit/scenario_text.h"

#define HEAD "schema: 1\nname: t\ntransport: direct\nprotocol: shamir\n"

/* Our table of regions against the measurements that it was made from, where they are. */
static void compare_with_source(const struct regions *aws)
{
    const char *data = getenv("PARTYLINE_DATA") ? getenv("PARTYLINE_DATA") : "../shared/data";
    char path[512];
    snprintf(path, sizeof path, "%s/aws-cloudping/aws-rtt-p50.json", data);
    json_t *source = json_load_file(path, 0, NULL), *table = json_object_get(source, "data");
    if (!source)
        print_message("SKIP: %s is not there\n", path);
    for (uint32_t i = 0; source && i < aws->n; i++)
        for (uint32_t j = 0; j < i; j++) {
            const char *a = aws->names[i], *b = aws->names[j];
            double there = json_number_value(json_object_get(json_object_get(table, a), b));
            double back = json_number_value(json_object_get(json_object_get(table, b), a));
            double off = (there + back) / 2 - (double)aws->rtt[i * aws->n + j] / 1e6;
            assert_true(off <= 0.5 && off >= -0.5);
        }
    json_decref(source);
}

static void from_files(void **state)
{
    const char *folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    struct scenario *s = NULL;
    struct diag_list diags;
    char path[512];
    (void)state;
    snprintf(path, sizeof path, "%s/partyline-test-XXXXXX", folder);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    fputs(HEAD "parties: [{name: m, count: 3, input: 1, region: us-east-1}]\n", f);
    fclose(f);
    scenario_set_data_dir("scenarios");
    diag_init(&diags);
    assert_int_equal(scenario_load(path, NULL, 0, &s, &diags), OK);
    assert_string_equal(s->file, path);
    const struct regions *aws = s->cells[0].spec.regions;
    assert_int_equal(aws->n, 33);
    for (uint32_t i = 0; i < aws->n; i++) {
        assert_int_equal(aws->rtt[i * aws->n + i], NS_MS / 2);
        for (uint32_t j = 0; j < i; j++)
            assert_int_equal(aws->rtt[i * aws->n + j], aws->rtt[j * aws->n + i]);
    }
    compare_with_source(aws);
    scenario_free(s);
    remove(path);
    assert_int_equal(scenario_load(path, NULL, 0, &s, &diags), ERR_IO);
    assert_int_equal(diags.n, 1);
    assert_null(s);
    diag_free(&diags);
}

static void regions_by_name(void **state)
{
    struct loaded l = load_good(HEAD "regions: two\nparties: [{name: m, count: 3, input: 1, "
                                     "region: us}]\n");
    const struct trial_spec *t = &l.s->cells[0].spec;
    (void)state;
    assert_int_equal(t->regions->n, 2);
    assert_int_equal(t->hosts[2].region, 1);
    assert_int_equal(t->regions->rtt[2], 80 * NS_MS);
    assert_int_equal(t->regions->rtt[3], 2 * NS_MS);
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_files),
        cmocka_unit_test(regions_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
