/* links: engine/run/{yaml,yaml_text,names,diag,suggest,schema,schema_check,schema_json,
 * schema_print}.c engine/base/{arena,opt,err}.c engine/worlds/link/access.c */
#include "engine/run/schema.h"
#include "engine/run/suggest.h"
#include "tests/unit/scenario_plugins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct arena arena;
static struct diag_list diags;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 512 << 20);
    diag_init(&diags);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    diag_free(&diags);
    return 0;
}

static struct yaml_node *parse(const char *text, size_t len)
{
    struct source *from = arena_alloc(&arena, sizeof *from);
    *from = (struct source){"x", text, len, 0};
    return yaml_read(&arena, from, &diags);
}

static struct yaml_node *good(const char *text)
{
    struct yaml_node *root = parse(text, strlen(text));
    diag_print(&diags, stderr);
    assert_non_null(root);
    assert_int_equal(diags.n, 0);
    return root;
}

static const char *line_of(const char *text)
{
    static char buf[256];
    return yaml_line(good(text), buf, sizeof buf);
}

static void trees(void **state)
{
    struct yaml_node *root = good("a: 1\nb: [x, 'y z', {c: \"2\"}]\n");
    (void)state;
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->n, 2);
    assert_string_equal(yaml_get(root, "a")->text, "1");
    assert_null(yaml_get(root, "c"));
    assert_null(yaml_get(yaml_get(root, "a"), "c"));
    struct yaml_node *b = yaml_get(root, "b");
    assert_int_equal(b->kind, YAML_LIST);
    assert_int_equal(b->line, 2);
    assert_int_equal(b->column, 4);
    assert_int_equal(b->items[1].value->column, 8);
    assert_true(b->items[1].value->quoted);
    assert_false(b->items[0].value->quoted);
    assert_int_equal(root->weight, 10);
    assert_int_equal(root->height, 3);
    assert_string_equal(line_of("a: 1\nb: [x, 'y, z', {c: \"2\"}]\n"),
                        "{a: 1, b: [x, \"y, z\", {c: 2}]}");
}

static void merging(void **state)
{
    (void)state;
    assert_string_equal(line_of("[&a {x: 1, y1: 2}, &b {y1: 3, z: 4}, {<<: *a, y1: 9}, "
                                "{<<: [*a, *b]}, {<<: [*b, *a], x: 0}, {'<<': 5}]"),
                        "[{x: 1, y1: 2}, {y1: 3, z: 4}, {y1: 9, x: 1}, {x: 1, y1: 2, z: 4}, "
                        "{x: 0, y1: 3, z: 4}, {\"<<\": 5}]");
    assert_string_equal(line_of("[&a {x: 1}, &b {<<: *a, z: 2}, {<<: *b, q: 3}]"),
                        "[{x: 1}, {z: 2, x: 1}, {q: 3, z: 2, x: 1}]");
    struct yaml_node *root = good("a: &a {x: 1}\nb:\n  <<: *a\n");
    assert_int_equal(yaml_item(yaml_get(root, "b"), "x")->key->line, 1);
}

static void ambiguous(void **state)
{
    static const char *const refused[] = {
        "y",   "N",     "yes",  "No",    "ON",         "off",
        "~",   "null",  "Null", "",      "=",          "010",
        "-08", "0_1",   "00",   "0b1",   "-0b10",      "0o7",
        "1_0", "1_0.5", "1:30", "-1:30", "1:30.5",     "190:20:30",
        "1e3", "1.5e3", "1e+3", "1E5",   "2026-11-21", "2026-1-2T10:00:00",
    };
    static const char *const fine[] = {
        "true", "false", "0",      "-1",     "1.5", "0.5",   ".5",        "20ms", "010ms", "noise",
        "none", "nope",  "yess",   "1.5e+3", "a:b", "1:x",   "e3",        "1e",   "a_1",   "v1_0",
        "0x1F", "==",    "2026-x", "12-1-1", "-",   "1.2.3", "eu-west-1", "0o8",  "0b2",
    };
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!yaml_ambiguous(refused[i]))
            fail_msg("%s passes", refused[i]);
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (yaml_ambiguous(fine[i]))
            fail_msg("%s %s", fine[i], yaml_ambiguous(fine[i]));
}

static void equality(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } list[] = {
        {"{a: 1, b: [2]}", "{b: [2], a: '1'}", true},
        {"{a: 1}", "{a: 2}", false},
        {"{a: 1}", "{b: 1}", false},
        {"[1, 2]", "[2, 1]", false},
        {"{a: 1}", "{a: 1, b: 1}", false},
        {"a", "[a]", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        assert_int_equal(yaml_equal(good(list[i].a), good(list[i].b)), list[i].same);
}

static void cut_lines(void **state)
{
    char buf[24];
    (void)state;
    assert_string_equal(yaml_line(good("[aaaaaaaaaa, bbbbbbbbbb, cc]"), buf, sizeof buf),
                        "[aaaaaaaaaa, bbbbbbb...");
    assert_string_equal(yaml_line(good("aaaaaaaaaaaaaaaaaaa\xc3\xa4\xc3\xa4"), buf, sizeof buf),
                        "aaaaaaaaaaaaaaaaaaa...");
}

/* ---- limits -------------------------------------------------------------------------------- */

static void refused(const char *text, size_t len, const char *words)
{
    diag_free(&diags);
    diag_init(&diags);
    assert_null(parse(text, len));
    assert_int_equal(diags.n, 1);
    if (!strstr(diags.items[0].text, words))
        fail_msg("%s lacks %s", diags.items[0].text, words);
}

static void laughs(void **state)
{
    char text[4096] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    (void)state;
    for (int i = 1; i < 20; i++) {
        char line[128];
        snprintf(line, sizeof line, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            snprintf(line + strlen(line), 16, "%s*a%d", j ? ", " : "", i - 1);
        strcat(strcat(text, line), "]\n");
    }
    refused(text, strlen(text), "aliases counted in full");
}

static void deep(void **state)
{
    char text[200];
    (void)state;
    memset(text, '[', sizeof text);
    memset(text + 31, ']', 31);
    assert_non_null(parse(text, 62));
    memset(text + 31, '[', 31);
    memset(text + 100, ']', 100);
    refused(text, 200, "nested deeper than 32");
    /* deep by aliases alone */
    char chain[4096] = "a0: &a0 [x]\n";
    for (int i = 1; i < 40; i++)
        snprintf(chain + strlen(chain), 64, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    refused(chain, strlen(chain), "nested deeper than 32");
}

static void huge(void **state)
{
    size_t len = YAML_MAX_BYTES + 1, at = 0;
    char *text = arena_alloc(&arena, len);
    (void)state;
    memset(text, 'a', len);
    refused(text, len, "bigger than 4 MiB");
    while (at + 4 < len - 1)
        at += (size_t)snprintf(text + at, 16, "- &a\n");
    refused(text, at, "anchors");
    /* merges that multiply */
    at = (size_t)snprintf(text, len, "- &a {");
    for (int i = 0; i < 1000; i++)
        at += (size_t)snprintf(text + at, 16, "k%d: 1, ", i);
    at += (size_t)snprintf(text + at, 16, "}\n");
    for (int i = 0; i < 100000; i++)
        at += (size_t)snprintf(text + at, 16, "- <<: *a\n");
    refused(text, at, "too much");
}

static void many_keys(void **state)
{
    char *text = arena_alloc(&arena, 1 << 20);
    size_t at = 0;
    (void)state;
    for (int i = 0; i < 20000; i++)
        at += (size_t)snprintf(text + at, 32, "key%d: %d\n", i, i + 10);
    assert_int_equal(parse(text, at)->n, 20000);
    at += (size_t)snprintf(text + at, 32, "key77: 1\n");
    diag_free(&diags);
    diag_init(&diags);
    assert_int_equal(parse(text, at)->n, 20000);
    assert_int_equal(diags.n, 1);
    assert_int_equal(diags.items[0].line, 20001);
    diag_free(&diags);
    diag_init(&diags);
}

/* ---- suggestions, findings, the table of keys --------------------------------------------------
 */

static void suggestions(void **state)
{
    char text[128];
    struct suggest s = suggest_for("recieve");
    (void)state;
    assert_int_equal(suggest_distance("abc", "abc", 5), 0);
    assert_int_equal(suggest_distance("abc", "acb", 5), 1);
    assert_int_equal(suggest_distance("abc", "ac", 5), 1);
    assert_int_equal(suggest_distance("abc", "xabc", 5), 1);
    assert_int_equal(suggest_distance("kitten", "sitting", 5), 3);
    assert_int_equal(suggest_distance("kitten", "sitting", 2), 3);
    assert_int_equal(suggest_distance("", "abcdef", 3), 4);
    assert_int_equal(suggest_distance("ABC", "abc", 3), 0);
    suggest_offer(&s, "deceive");
    suggest_offer(&s, "receive");
    suggest_offer(&s, "relieve");
    assert_string_equal(suggest_text(&s, text, sizeof text), ", did you mean \"receive\"?");
    s = suggest_for("xyz");
    suggest_offer(&s, "transport");
    assert_string_equal(suggest_text(&s, text, sizeof text), "");
}

static void findings(void **state)
{
    struct source a = {"a", "one\n\ttwo\n", 9, 0}, b = {"b", "", 0, 1};
    char *out = NULL, quoted[64];
    size_t len;
    FILE *f = open_memstream(&out, &len);
    (void)state;
    diag_add(&diags, &b, 0, 0, "late");
    diag_add(&diags, &a, 2, 2, "two");
    diag_add(&diags, &a, 2, 2, "two");
    diag_add(&diags, &a, 1, 0, "one");
    diag_add(&diags, &a, 9, 9, "beyond");
    assert_int_equal(diags.n, 4);
    assert_int_equal(diags.said, 5);
    diag_print(&diags, f);
    fclose(f);
    assert_string_equal(out,
                        "a:1: one\n  one\na:2:2: two\n  \ttwo\n  \t^\na:9:9: beyond\nb: late\n");
    free(out);
    for (int i = 0; i < 2 * DIAG_MAX; i++)
        diag_add(&diags, &a, i, 1, "x");
    assert_int_equal(diags.n, DIAG_MAX);
    assert_int_equal(diags.more, DIAG_MAX + 4);
    assert_string_equal(diag_quote("a\nb\x1b", quoted, sizeof quoted), "\"a\\x0ab\\x1b\"");
    const char *cut = diag_quote("0123456789012345678901234567890123456789012345\xc3\xa4\xc3\xa4x",
                                 quoted, sizeof quoted);
    assert_string_equal(cut, "\"0123456789012345678901234567890123456789012345\xc3\xa4...\"");
    diag_free(&diags);
    diag_init(&diags);
}

static const json_t *under(const json_t *v, const char *key)
{
    const json_t *next = json_object_get(json_object_get(v, "properties"), key);
    assert_non_null(next);
    return next;
}

static void table_as_schema(void **state)
{
    json_t *v = schema_json();
    (void)state;
    assert_string_equal(json_string_value(json_object_get(v, "$schema")),
                        "https://json-schema.org/draft/2020-12/schema");
    assert_int_equal(json_array_size(json_object_get(v, "required")), 5);
    assert_true(json_is_false(json_object_get(v, "additionalProperties")));
    const json_t *forms = json_object_get(under(v, "transport"), "oneOf");
    assert_int_equal(json_array_size(forms), 4); /* a name, or one of three */
    const json_t *relay = json_array_get(forms, 3);
    assert_string_equal(json_string_value(json_object_get(under(relay, "name"), "const")), "relay");
    assert_int_equal(json_integer_value(json_object_get(under(relay, "mailbox"), "maximum")), 100);
    const json_t *party = json_object_get(under(v, "parties"), "items");
    assert_null(json_object_get(json_object_get(party, "properties"), "mapping"));
    under(party, "region");
    json_decref(v);
}

static void table_as_text(void **state)
{
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);
    (void)state;
    schema_print_help(f);
    schema_print_markdown(f);
    fclose(f);
    assert_non_null(strstr(out, "  limit: a duration such as 20ms; default 60s\n"));
    assert_non_null(strstr(out, "| `channel` | noise \\| none | default noise | "));
    assert_non_null(strstr(out, "udp_timeout"));
    for (const struct schema_row *row = schema_rows + 1; row->path; row++)
        assert_true(row->opt.help && *row->opt.help);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(merging),
        cmocka_unit_test(ambiguous),
        cmocka_unit_test(equality),
        cmocka_unit_test(cut_lines),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(laughs),
        cmocka_unit_test(deep),
        cmocka_unit_test(huge),
        cmocka_unit_test(suggestions),
        cmocka_unit_test(table_as_schema),
        cmocka_unit_test(table_as_text),
    };
    const struct CMUnitTest alone[] = {cmocka_unit_test(findings)};
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    return failed + cmocka_run_group_tests(alone, setup, teardown);
}
