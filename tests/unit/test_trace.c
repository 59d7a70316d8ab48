/* links: engine/run/trace_line.c analysis/trace_scene.c analysis/trace_svg.c analysis/html.c
 * engine/base/err.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/trace_svg.h"

static const struct trace_filter everything = {.until = NS_NEVER};

static int parse(const char *text, struct trace_line *out)
{
    static char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    return trace_line_parse(copy, out);
}

static void reads_every_kind(void **state)
{
    struct trace_line l;
    (void)state;
    assert_int_equal(parse("0 alice start\n", &l), OK);
    assert_int_equal(l.kind, TRACE_START);
    assert_string_equal(l.node, "alice");
    assert_null(l.peer);
    assert_int_equal(parse("7 a timer 1073741824", &l), OK);
    assert_string_equal(l.more, "1073741824");
    assert_int_equal(parse("20 bob up 1 alice [2001:db8:0:0:0:0:0:1]:7000", &l), OK);
    assert_string_equal(l.peer, "alice");
    assert_string_equal(l.more, "[2001:db8:0:0:0:0:0:1]:7000");
    assert_int_equal(parse("30 a data 1 bob 468 20", &l), OK);
    assert_true(l.at == 30 && l.sent == 20 && l.bytes == 468);
    assert_string_equal(l.peer, "bob");
    assert_int_equal(parse("30 a room 1 bob", &l), OK);
    assert_int_equal(parse("30 a down 1 bob closed by peer", &l), OK);
    assert_string_equal(l.more, "closed by peer");
    assert_int_equal(parse("30 a lost - 60 no_route", &l), OK);
    assert_true(l.kind == TRACE_LOST && l.bytes == 60 && l.sent == 30);
    assert_string_equal(l.peer, "-");
    assert_int_equal(parse("30 - heal", &l), OK);
    assert_int_equal(parse("30 a send bob 64 shamir 2 1", &l), OK);
    assert_true(l.kind == TRACE_SEND && l.bytes == 64 && l.sent == 30);
    assert_string_equal(l.more, "shamir 2 1");
    assert_int_equal(parse("30 a deliver bob 64 20 shamir 2 1", &l), OK);
    assert_true(l.kind == TRACE_DELIVER && l.bytes == 64 && l.sent == 20);
    assert_string_equal(l.more, "shamir 2 1");
    assert_int_equal(parse("30 a receive bob 80 relay", &l), OK);
    assert_true(l.kind == TRACE_RECEIVE && l.bytes == 80);
    assert_int_equal(parse("30 a channel bob restarted", &l), OK);
    assert_string_equal(l.more, "restarted");
    assert_int_equal(parse("# sum completed, digest 00", &l), ERR_ABSENT);
    assert_int_equal(parse("\n", &l), ERR_ABSENT);
}

static void refuses_what_is_no_line(void **state)
{
    static const char *const bad[] = {
        "x",
        "-1 a start",
        "1 a",
        "1  start",
        "1 a sleep",
        "1 a start now",
        "1 a timer",
        "1 a timer x",
        "1 a timer 1 2",
        "1 a data 1 b",
        "1 a data 1 b 5",
        "1 a data 1 b 5 2", /* sent after it came */
        "9 a data 1 b 5 2 3",
        "9 a data x b 5 2",
        "1 a up 1 b",
        "1 a up 1",
        "1 a down 1 b ",
        "1 a room 1 b x",
        "1 a lost b x loss",
        "1 a lost b 5",
        "9 a send b 5",
        "9 a send b x shamir 1 1",
        "9 a deliver b 5 shamir 1 1",
        "9 a deliver b 5 10 shamir 1 1", /* sent after it came */
        "9 a emit b",
        "9 a channel b",
        "9999999999999999999 a start",
        "1 a data 1 b 99999999999999999999 0",
    };
    struct trace_line l;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (parse(bad[i], &l) != ERR_FORMAT)
            fail_msg("taken for a line: %s", bad[i]);
}

static bool passes(const struct trace_filter *f, const char *text)
{
    struct trace_line l;
    assert_int_equal(parse(text, &l), OK);
    return trace_filter_concerns(f, &l);
}

static void chooses(void **state)
{
    const char *parties[] = {"alice"};
    const struct trace_pair pairs[] = {{"bob", "alice"}};
    struct trace_filter f = {.parties = parties, .n_parties = 1, .until = 50};
    (void)state;
    assert_true(passes(&f, "1 alice start"));
    assert_false(passes(&f, "1 bob start"));
    assert_true(passes(&f, "1 bob data 1 alice 5 0"));
    assert_false(passes(&f, "1 bob data 1 carol 5 0"));
    assert_true(passes(&f, "1 bob deliver alice 5 0 shamir 1 1"));
    assert_false(passes(&f, "1 bob deliver carol 5 0 shamir 1 1"));
    assert_true(passes(&f, "1 - partition"));
    f = (struct trace_filter){.pairs = pairs, .n_pairs = 1, .until = 50};
    assert_false(passes(&f, "1 alice start"));
    assert_true(passes(&f, "1 alice crash"));
    assert_false(passes(&f, "1 carol crash"));
    assert_true(passes(&f, "1 alice lost bob 5 loss"));
    assert_false(passes(&f, "1 alice lost carol 5 loss"));
    f.kinds = 1U << TRACE_LOST;
    assert_false(passes(&f, "1 alice crash"));
    assert_false(passes(&f, "1 - heal"));
    assert_true(passes(&f, "1 alice lost bob 5 loss"));
    assert_true(trace_filter_when(&f, 49));
    assert_false(trace_filter_when(&f, 50));
}

/* The diagram of these lines; NULL and *rc if there is none. */
static char *draw(const char *text, const struct trace_filter *f, struct trace_svg_size *size,
                  int *rc)
{
    FILE *lines = tmpfile(), *out;
    char *svg = NULL;
    size_t len;
    struct err e = {0};
    assert_non_null(lines);
    fputs(text, lines);
    rewind(lines);
    out = open_memstream(&svg, &len);
    assert_non_null(out);
    *rc = trace_svg_write(lines, f, "a <title> & \"more\"", out, size, &e);
    fclose(out);
    fclose(lines);
    if (*rc == OK)
        return svg;
    assert_true(e.text[0] != 0);
    free(svg);
    return NULL;
}

static const char trace[] = "0 alice start\n0 bob start\n0 carol start\n"
                            "10000000 alice data 1 bob 100 0\n"
                            "10000000 alice data 1 bob 50 0\n"
                            "12000000 carol lost bob 60 loss\n"
                            "15000000 bob crash\n"
                            "20000000 - partition\n"
                            "90000000 carol data 1 alice 7 80000000\n"
                            "# x completed, digest 0\n";

static void draws(void **state)
{
    struct trace_svg_size size;
    int rc;
    char *svg = draw(trace, &everything, &size, &rc);
    (void)state;
    assert_non_null(svg);
    assert_true(size.nodes == 3 && size.messages == 3 && size.lost == 1 && size.left_out == 0);
    assert_true(size.from == 0 && size.until == 90 * NS_MS);
    assert_non_null(strstr(svg, "a &lt;title&gt; &amp; &quot;more&quot;"));
    assert_non_null(strstr(svg, "bob to alice: 2 messages, 150 bytes, 0 ms to 10 ms"));
    assert_non_null(strstr(svg, "carol to bob: 1 message, 60 bytes, lost: loss, 12 ms"));
    assert_non_null(strstr(svg, ">crash<"));
    assert_non_null(strstr(svg, "class=\"o\"")); /* bob stays down */
    assert_non_null(strstr(svg, ">partition<"));
    free(svg);
}

static void cuts_at_the_edges_of_time(void **state)
{
    struct trace_filter f = {.from = 5 * NS_MS, .until = 85 * NS_MS};
    struct trace_svg_size size;
    int rc;
    char *svg = draw(trace, &f, &size, &rc);
    (void)state;
    assert_non_null(svg);
    assert_int_equal(size.messages, 3); /* those on their way at 5 and at 85 ms */
    assert_true(size.from == 5 * NS_MS && size.until == 85 * NS_MS);
    assert_null(strstr(svg, ">90 ms<"));
    f.from = 11 * NS_MS;
    f.until = 13 * NS_MS;
    free(svg);
    svg = draw(trace, &f, &size, &rc);
    assert_non_null(svg);
    assert_true(size.messages == 0 && size.lost == 1 && size.nodes == 2);
    free(svg);
}

static void escapes_foreign_names(void **state)
{
    struct trace_svg_size size;
    int rc;
    char *svg =
        draw("0 <script>x</script> start\n5 \"&' lost </svg> 3 <b>%s@#\n", &everything, &size, &rc);
    (void)state;
    assert_non_null(svg);
    assert_null(strstr(svg, "<script"));
    assert_null(strstr(svg, "<b>"));
    assert_ptr_equal(strstr(svg, "</svg>"), svg + strlen(svg) - strlen("</svg>\n"));
    assert_non_null(strstr(svg, "&lt;b&gt;%s@#"));
    free(svg);
}

static void says_what_it_can_not_draw(void **state)
{
    struct trace_filter late = {.from = NS_S, .until = NS_NEVER};
    struct trace_svg_size size;
    char *crowd = malloc(100000);
    size_t len = 0;
    int rc;
    (void)state;
    assert_non_null(crowd);
    assert_null(draw("", &everything, &size, &rc));
    assert_int_equal(rc, ERR_ABSENT);
    assert_null(draw(trace, &late, &size, &rc));
    assert_int_equal(rc, ERR_ABSENT);
    assert_null(draw("0 a start\nnonsense\n", &everything, &size, &rc));
    assert_int_equal(rc, ERR_FORMAT);
    for (int i = 0; i <= TRACE_SVG_NODES; i++)
        len += (size_t)snprintf(crowd + len, 100000 - len, "0 n%d start\n", i);
    assert_null(draw(crowd, &everything, &size, &rc));
    assert_int_equal(rc, ERR_LIMIT);
    free(crowd);
}

static void leaves_out_what_is_too_much(void **state)
{
    size_t cap = 64 * (TRACE_SVG_ARROWS + 10), len = 0;
    char *text = malloc(cap), *svg;
    struct trace_svg_size size;
    int rc;
    (void)state;
    assert_non_null(text);
    for (int i = 0; i < TRACE_SVG_ARROWS + 5; i++)
        len += (size_t)snprintf(text + len, cap - len, "%d a data 1 b 1 %d\n", 1000 * i + 500,
                                1000 * i);
    svg = draw(text, &everything, &size, &rc);
    assert_non_null(svg);
    assert_true(size.messages == TRACE_SVG_ARROWS && size.left_out == 5);
    assert_non_null(strstr(svg, "5 more messages are not drawn"));
    free(svg);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(refuses_what_is_no_line),
        cmocka_unit_test(chooses),
        cmocka_unit_test(draws),
        cmocka_unit_test(cuts_at_the_edges_of_time),
        cmocka_unit_test(escapes_foreign_names),
        cmocka_unit_test(says_what_it_can_not_draw),
        cmocka_unit_test(leaves_out_what_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
