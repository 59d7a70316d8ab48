/* links: analysis/html.c analysis/plot.c analysis/series.c analysis/export.c analysis/export_hgrm.c
 * analysis/gnuplot.c analysis/merge.c analysis/load.c and the engine below them */
#include "analysis/export.h"
#include "analysis/gnuplot.h"
#include "analysis/html.h"
#include "analysis/merge.h"
#include "analysis/plot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- escaping ------------------------------------------------------------------------- */

struct text {
    char *at;
    size_t len;
    FILE *f;
};

static FILE *begin(struct text *t)
{
    *t = (struct text){0};
    t->f = open_memstream(&t->at, &t->len);
    assert_non_null(t->f);
    return t->f;
}

static void expect_text(struct text *t, const char *want)
{
    assert_int_equal(fclose(t->f), 0);
    assert_string_equal(t->at, want);
    free(t->at);
}

static void test_html(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"plain 1 < 2 & 3 > 2", "plain 1 &lt; 2 &amp; 3 &gt; 2"},
        {"<script>alert('\"')</script>", "&lt;script&gt;alert(&#39;&quot;&#39;)&lt;/script&gt;"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"a\tb\nc", "a\tb\nc"},
        {"a\x01"
         "b\x7f\x1b[31m",
         "a\xef\xbf\xbd"
         "b\xef\xbf\xbd\xef\xbf\xbd[31m"},
        {"\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* an overlong < */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* no character */
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* cut short */
        {"\xe2<b>", "\xef\xbf\xbd&lt;b&gt;"},                     /* hides no markup */
        {"\xc2\x85", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* a control of Latin-1 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text t;
        html_text(begin(&t), cases[i].in);
        expect_text(&t, cases[i].out);
    }
}

static void test_html_put(void **state)
{
    struct text t;
    (void)state;
    html_put(begin(&t), "<a title=\"%\">%</a>", "\" onclick=\"x", "100% <b>");
    expect_text(&t, "<a title=\"&quot; onclick=&quot;x\">100% &lt;b&gt;</a>");
}

/* Every byte, alone and behind a lead byte: what comes out never holds a < or a quote. */
static void test_html_bytes(void **state)
{
    (void)state;
    for (unsigned a = 1; a < 256; a++)
        for (unsigned b = 1; b < 256; b++) {
            char in[] = {(char)a, (char)b, '<', 0};
            struct text t;
            html_text(begin(&t), in);
            fclose(t.f);
            assert_null(strpbrk(t.at, "<>\"'"));
            assert_string_equal(t.at + strlen(t.at) - 4, "&lt;");
            free(t.at);
        }
}

static void test_plot_quote(void **state)
{
    struct text t;
    (void)state;
    plot_quote(begin(&t), "it's '.system(\"ls\").' `ls` @m \n%d", 0);
    expect_text(&t, "'it''s ''.system(\"ls\").'' `ls` @m  %d'");
    plot_quote(begin(&t), "abcdef", 4);
    expect_text(&t, "'abc\xe2\x80\xa6'");
    plot_quote(begin(&t), "abcd", 4);
    expect_text(&t, "'abcd'");
    plot_quote(begin(&t), "\xff'", 0);
    expect_text(&t, "' '''");
}

/* ---- gnuplot -------------------------------------------------------------------------- */

static void test_gnuplot(void **state)
{
    struct err e = {0};
    int rc = gnuplot_run("/", "a = 1\n", &e);
    (void)state;
    if (rc == ERR_ABSENT) {
        print_message("SKIP: gnuplot is not installed\n");
        skip();
    }
    assert_int_equal(rc, OK);
    assert_int_equal(gnuplot_run("/", "plot [\n", &e), ERR_FAULT);
    assert_non_null(strstr(e.text, "gnuplot failed"));
    assert_int_equal(gnuplot_run("/nowhere", "a = 1\n", &e), ERR_FAULT);
}

static void test_no_gnuplot(void **state)
{
    const char *old = getenv("PATH");
    char *path = strdup(old ? old : "");
    struct err e = {0};
    int rc;
    (void)state;
    setenv("PATH", "/nowhere", 1);
    rc = gnuplot_run("/", "a = 1\n", &e);
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(rc, ERR_ABSENT);
    assert_non_null(strstr(e.text, "apt-get install gnuplot-nox"));
}

/* ---- figures -------------------------------------------------------------------------- */

static void test_share(void **state)
{
    /* Wilson's intervals, from R: prop.test(k, n, correct = FALSE). */
    static const struct {
        uint32_t part, all;
        int64_t low, high;
    } cases[] = {{20, 20, 838875, 1000000},
                 {0, 20, 0, 161126},
                 {5, 10, 236593, 763408},
                 {1, 100, 1767, 54487}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ppm, low, high;
        series_share(cases[i].part, cases[i].all, &ppm, &low, &high);
        assert_in_range(low, cases[i].low > 2 ? cases[i].low - 2 : 0, cases[i].low + 2);
        assert_in_range(high, cases[i].high - 2, cases[i].high + 2);
        assert_int_equal(ppm, (int64_t)cases[i].part * 1000000 / cases[i].all);
    }
}

/* One to ten: as hdr-histogram-js prints it (values of 1 ms and its multiples, in ns, so that
 * a bucket's end is above its value). */
static void test_hgrm(void **state)
{
    static const char want[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
                               "       0.000 0.000000000000          1           1.00\n"
                               "       0.000 0.100000000000          1           1.11\n"
                               "       0.000 0.200000000000          2           1.25\n";
    struct hist h = {0};
    struct text t;
    (void)state;
    for (int64_t v = 1; v <= 10; v++)
        hist_add(&h, v);
    export_hgrm_text(begin(&t), &h);
    fclose(t.f);
    assert_memory_equal(t.at, want, sizeof want - 1);
    assert_non_null(strstr(t.at, "       0.000 1.000000000000         10\n#[Mean    ="));
    assert_non_null(strstr(t.at, "Total count    =           10]\n"));
    free(t.at);
    hist_free(&h);
    export_hgrm_text(begin(&t), &h); /* nothing at all ends as well */
    fclose(t.f);
    assert_non_null(strstr(t.at, "Total count    =            0]\n"));
    free(t.at);
}

/* ---- folders -------------------------------------------------------------------------- */

static void test_no_run(void **state)
{
    const char *dirs[] = {"/nowhere/at/all"};
    struct series_set s;
    struct err e = {0};
    int code = 0;
    (void)state;
    assert_int_equal(series_open(dirs, 1, &s, &e), ERR_ABSENT);
    assert_true(e.text[0]);
    assert_null(s.list);
    series_close(&s);
    e.text[0] = 0;
    assert_int_equal(merge_runs(dirs, 1, "/nowhere/else", &code, &e), ERR_ABSENT);
    assert_true(e.text[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html),       cmocka_unit_test(test_html_put),
        cmocka_unit_test(test_html_bytes), cmocka_unit_test(test_plot_quote),
        cmocka_unit_test(test_gnuplot),    cmocka_unit_test(test_no_gnuplot),
        cmocka_unit_test(test_share),      cmocka_unit_test(test_hgrm),
        cmocka_unit_test(test_no_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
