#include "analysis/trace_svg.h"

#include "analysis/html.h"
#include "analysis/trace_scene.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Lengths are in tenths of a pixel. */
enum {
    LEFT = 1500, /* of the first node's line */
    RIGHT = 1500,
    TOP = 1000,
    BOTTOM = 1000,
    LETTER = 58, /* wide, of a small text */
    LINE = 95,   /* high */
    LABELS = 512
};

/* Where a small text stands: its middle, and half its width. */
struct label {
    int x, y, half;
};

struct picture {
    FILE *f;
    const struct scene *s;
    const struct trace_filter *filter;
    int step, width, height;
    struct label *labels; /* placed so far, the last LABELS of them */
    size_t n_labels;
};

static int column_x(const struct picture *p, int node)
{
    return LEFT + p->step * p->s->nodes[node].column;
}

static int moment_y(const struct picture *p, ns_t t)
{
    return TOP + scene_height(p->s, t);
}

/* Markup with holes: each @ is the next length. */
static void put(const struct picture *p, const char *markup, const int *lengths)
{
    for (; *markup; markup++) {
        if (*markup != '@') {
            fputc(*markup, p->f);
            continue;
        }
        fprintf(p->f, *lengths < 0 ? "-%d" : "%d", abs(*lengths) / 10);
        if (*lengths % 10)
            fprintf(p->f, ".%d", abs(*lengths) % 10);
        lengths++;
    }
}

#define PUT(p, markup, ...) put(p, markup, (const int[]){__VA_ARGS__})

/* Milliseconds, without noughts at the end. */
static void put_ms(FILE *f, ns_t t)
{
    int64_t part = t % NS_MS;
    int digits = 6;
    while (digits && part % 10 == 0) {
        part /= 10;
        digits--;
    }
    fprintf(f, "%" PRId64, t / NS_MS);
    if (digits)
        fprintf(f, ".%0*" PRId64, digits, part);
    fputs(" ms", f);
}

/* ---- the ground ----------------------------------------------------------------------- */

static void draw_head(const struct picture *p, const char *title)
{
    PUT(p,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"@\" height=\"@\" viewBox=\"0 0 @ @\" "
        "font-family=\"sans-serif\" font-size=\"11\">\n",
        p->width, p->height, p->width, p->height);
    html_put(p->f, "<title>%</title>\n", title);
    fputs("<style>.m,.l,.x{stroke:#000;fill:none}.l{stroke-dasharray:5 3}.x{stroke-width:2}"
          ".n{stroke:#888;stroke-width:1.5}.o{stroke:#888;stroke-dasharray:1 5}"
          ".g{stroke:#ddd}.w{stroke:#000;stroke-dasharray:8 3 2 3}.b{fill:#eee}"
          ".c{fill:#fff;stroke:#000}.t{text-anchor:middle}.e{text-anchor:end}"
          ".s{font-size:9px;paint-order:stroke;stroke:#fff;stroke-width:3px}</style>\n"
          "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" "
          "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 .5L8 4L0 7.5z\"/></marker></defs>\n"
          "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
          p->f);
    html_put(p->f, "<text x=\"12\" y=\"22\" font-size=\"14\">%</text>\n", title);
}

static void draw_band(const struct picture *p, int from, int to)
{
    if (to > from)
        PUT(p, "<rect class=\"b\" x=\"@\" y=\"@\" width=\"@\" height=\"@\"/>\n", LEFT - 400, from,
            p->width - LEFT - RIGHT + 800, to - from);
}

/* Grey while a partition or a changed link holds. */
static void draw_bands(const struct picture *p)
{
    int depth = p->s->depth, from = TOP;
    for (size_t i = 0; i < p->s->n_marks; i++) {
        const struct scene_mark *m = &p->s->marks[i];
        if (m->node != SCENE_WORLD)
            continue;
        if (depth > 0)
            draw_band(p, from, moment_y(p, m->at));
        from = moment_y(p, m->at);
        depth += m->kind == TRACE_HEAL ? -1 : 1;
    }
    if (depth > 0)
        draw_band(p, from, p->height - BOTTOM);
}

/* Where nothing happens for long: the axis is cut, and says how much is not drawn to scale. */
static void draw_cut(const struct picture *p, size_t i)
{
    const struct scene *s = p->s;
    int y = TOP + s->heights[i] - SCENE_GAP / 2;
    PUT(p, "<path class=\"m\" d=\"M@ @l8 -3m0 3l-8 3\"/><text class=\"e s\" x=\"@\" y=\"@\">",
        LEFT - 440, y, LEFT - 460, y + 30);
    put_ms(p->f, (s->moments[i] - s->moments[i - 1]) / NS_US * NS_US);
    fputs("</text>\n", p->f);
}

/* A line and its time wherever there is room for it. */
static void draw_axis(const struct picture *p)
{
    const struct scene *s = p->s;
    int last = -1000, end = TOP + s->heights[s->n_moments - 1];
    PUT(p, "<path class=\"n\" d=\"M@ @V@\"/>\n", LEFT - 400, TOP, end);
    for (size_t i = 0; i < s->n_moments; i++) {
        int y = TOP + s->heights[i];
        if (i > 0 && s->heights[i] - s->heights[i - 1] == SCENE_GAP)
            draw_cut(p, i);
        if (y - last < 140)
            continue;
        last = y;
        PUT(p, "<path class=\"g\" d=\"M@ @H@\"/><text class=\"e\" x=\"@\" y=\"@\">", LEFT - 400, y,
            p->width - RIGHT + 400, LEFT - 460, y + 40);
        put_ms(p->f, s->moments[i] / NS_US * NS_US);
        fputs("</text>\n", p->f);
    }
}

/* A node's name and its line, dotted while it is down. */
static void draw_node(const struct picture *p, int node)
{
    const struct scene *s = p->s;
    int x = column_x(p, node), from = TOP - 150, end = p->height - BOTTOM + 100;
    bool down = s->nodes[node].down;
    if (s->n_columns > 8)
        PUT(p, "<text transform=\"translate(@ @) rotate(-30)\" font-weight=\"bold\">", x - 40,
            TOP - 220);
    else
        PUT(p, "<text class=\"t\" x=\"@\" y=\"@\" font-weight=\"bold\">", x, TOP - 240);
    html_put(p->f, "%</text>\n", s->nodes[node].name);
    for (size_t i = 0; i <= s->n_marks; i++) {
        const struct scene_mark *m = i < s->n_marks ? &s->marks[i] : NULL;
        int y = m ? moment_y(p, m->at) : end;
        if (m && (m->node != node || (m->kind != TRACE_CRASH && m->kind != TRACE_RESTART)))
            continue;
        fprintf(p->f, "<path class=\"%s\"", down ? "o" : "n");
        PUT(p, " d=\"M@ @V@\"/>\n", x, from, y);
        from = y;
        down = m && m->kind == TRACE_CRASH;
    }
}

/* ---- messages ------------------------------------------------------------------------- */

/* Takes a place for a text, unless another one is there. */
static bool take_place(struct picture *p, int x, int y, int half)
{
    size_t n = p->n_labels < LABELS ? p->n_labels : LABELS;
    for (size_t i = 0; i < n; i++) {
        const struct label *o = &p->labels[i];
        if (abs(o->y - y) < LINE && abs(o->x - x) < o->half + half)
            return false;
    }
    p->labels[p->n_labels++ % LABELS] = (struct label){x, y, half};
    return true;
}

static int half_width(const char *text)
{
    return (int)strlen(text) * LETTER / 2;
}

static void put_label(const struct picture *p, int x, int y, const char *text)
{
    PUT(p, "<text class=\"t s\" x=\"@\" y=\"@\">", x, y);
    html_put(p->f, "%</text>", text);
}

static void title_arrow(const struct picture *p, const struct scene_arrow *a)
{
    const struct scene_node *nodes = p->s->nodes;
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 " message%s, %" PRIu64 " bytes", a->count,
             a->count == 1 ? "" : "s", a->bytes);
    html_put(p->f, "<title>% to %: %", nodes[a->from].name, a->to < 0 ? "-" : nodes[a->to].name,
             text);
    if (a->lost)
        html_put(p->f, ", lost: %", a->why);
    fputs(", ", p->f);
    put_ms(p->f, a->sent);
    if (!a->lost) {
        fputs(" to ", p->f);
        put_ms(p->f, a->came);
    }
    fputs("</title>", p->f);
}

/* Where a message is at a time between its sending and its coming. */
static int along(int x1, int x2, const struct scene_arrow *a, ns_t t)
{
    if (t <= a->sent || a->came == a->sent)
        return x1;
    return t >= a->came
               ? x2
               : x1 + (int)((t - a->sent) / 1000 * (x2 - x1) / ((a->came - a->sent) / 1000 + 1));
}

static void draw_message(struct picture *p, const struct scene_arrow *a)
{
    ns_t from = a->sent > p->filter->from ? a->sent : p->filter->from;
    ns_t until = a->came < p->filter->until ? a->came : p->filter->until;
    int far = column_x(p, a->to), near = column_x(p, a->from);
    int x1 = along(near, far, a, from), y1 = moment_y(p, from);
    int x2 = until < a->came ? along(near, far, a, until) : far, y2 = moment_y(p, until);
    char text[64];
    fputs("<g>", p->f);
    title_arrow(p, a);
    PUT(p, "<path class=\"m\" d=\"M@ @L@ @\"", x1, y1, x2, y2);
    fputs(until < a->came ? "/>" : " marker-end=\"url(#a)\"/>", p->f);
    snprintf(text, sizeof text, "%" PRIu64 " B", a->bytes);
    if (a->count > 1)
        snprintf(text, sizeof text, "%" PRIu64 ": %" PRIu64 " B", a->count, a->bytes);
    for (int i = 0; i < 3; i++) {
        int x = x1 + (x2 - x1) * (i + 2) / 8, y = y1 + (y2 - y1) * (i + 2) / 8;
        if (take_place(p, x, y - 10, half_width(text))) {
            put_label(p, x, y - 10, text);
            break;
        }
    }
    fputs("</g>\n", p->f);
}

/* It breaks off; towards farther nodes more steeply, so that they fan out. */
static void draw_lost(struct picture *p, const struct scene_arrow *a)
{
    int x = column_x(p, a->from), y = moment_y(p, a->sent);
    int columns = a->to < 0 ? 1 : p->s->nodes[a->to].column - p->s->nodes[a->from].column;
    int side = columns < 0 ? -1 : 1, dx = side * p->step * 3 / 10;
    int dy = 60 + 120 * (columns * side - 1);
    char text[SCENE_WHY + 32];
    dy = dy > 500 ? 500 : dy;
    fputs("<g>", p->f);
    title_arrow(p, a);
    PUT(p, "<path class=\"l\" d=\"M@ @l@ @\"/><path class=\"x\" d=\"M@ @l7 7m-7 0l7 -7\"/>", x, y,
        dx, dy, x + dx - 35, y + dy - 35);
    snprintf(text, sizeof text, a->count > 1 ? "%s, %" PRIu64 " times" : "%s", a->why, a->count);
    take_place(p, x + dx, y + dy + 30, 40);
    y += dy + 130;
    for (int i = 0; i < 5 && !take_place(p, x + dx, y, half_width(text)); i++)
        y += LINE;
    put_label(p, x + dx, y, text);
    fputs("</g>\n", p->f);
}

/* ---- what happens at a node, and to the world ----------------------------------------- */

static void draw_world(const struct picture *p, const struct scene_mark *m)
{
    int y = moment_y(p, m->at), right = p->width - RIGHT + 400;
    PUT(p, "<path class=\"w\" d=\"M@ @H@\"/><text x=\"@\" y=\"@\">", LEFT - 400, y, right,
        right + 50, y + 40);
    html_put(p->f, "%</text>\n",
             m->kind == TRACE_LINK ? "link changed" : trace_kind_names[m->kind]);
}

static void draw_mark(const struct picture *p, const struct scene_mark *m)
{
    static const char *const shapes[TRACE_COUNT] = {
        [TRACE_START] = "<circle class=\"c\" cx=\"@\" cy=\"@\" r=\"4\"/>",
        [TRACE_GO] = "<path d=\"M@ @m-4 -4.5l9 4.5l-9 4.5z\"/>",
        [TRACE_TIMER] = "<path class=\"m\" d=\"M@ @h5\"/>",
        [TRACE_UP] = "<circle cx=\"@\" cy=\"@\" r=\"2.5\"/>",
        [TRACE_DOWN] = "<path class=\"c\" d=\"M@ @m-3 -3h6v6h-6z\"/>",
        [TRACE_CRASH] = "<path class=\"x\" d=\"M@ @m-6 -6l12 12m-12 0l12 -12\"/>",
        [TRACE_RESTART] = "<circle class=\"c\" cx=\"@\" cy=\"@\" r=\"4\"/>",
    };
    int x = column_x(p, m->node), y = moment_y(p, m->at);
    fputs("<g>", p->f);
    html_put(p->f, "<title>%: % %, ", p->s->nodes[m->node].name, trace_kind_names[m->kind], m->why);
    put_ms(p->f, m->at);
    fputs("</title>", p->f);
    PUT(p, shapes[m->kind], x, y);
    if (m->kind == TRACE_CRASH || m->kind == TRACE_RESTART)
        PUT(p, "<text class=\"s\" x=\"@\" y=\"@\">", x + 90, y + 35);
    if (m->kind == TRACE_CRASH || m->kind == TRACE_RESTART)
        html_put(p->f, "%</text>", trace_kind_names[m->kind]);
    fputs("</g>\n", p->f);
}

static void draw_legend(const struct picture *p)
{
    static const char *const lines[] = {
        "○ start, restart   ● link up   □ link down   ▶ start barrier opens   – timer   × crash",
        "Broken arrow: lost. Grey: a partition or a changed link. //: time is not to scale",
        "An arrow goes from sending to handing over; 3: 500 B is three messages, 500 bytes in all.",
    };
    int y = p->height - BOTTOM + 350;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++, y += 140) {
        PUT(p, "<text class=\"s\" x=\"12\" y=\"@\">", y);
        fprintf(p->f, "%s</text>\n", lines[i]);
    }
    if (p->s->size.left_out == 0)
        return;
    PUT(p, "<text x=\"12\" y=\"@\">", y + 20);
    fprintf(p->f, "%" PRIu64 " more messages are not drawn.</text>\n", p->s->size.left_out);
}

int trace_svg_write(FILE *lines, const struct trace_filter *filter, const char *title, FILE *out,
                    struct trace_svg_size *size, struct err *e)
{
    struct scene s;
    struct label labels[LABELS];
    struct picture p = {.f = out, .s = &s, .filter = filter, .labels = labels};
    int rc = scene_read(&s, lines, filter, e);
    if (rc == OK) {
        p.step = s.n_columns <= 6 ? 1700 : s.n_columns <= 12 ? 1100 : 700;
        p.width = LEFT + RIGHT + p.step * ((int)s.n_columns - 1);
        p.width = p.width > 5600 ? p.width : 5600;
        p.height = TOP + BOTTOM + s.heights[s.n_moments - 1];
        draw_head(&p, title);
        draw_bands(&p);
        draw_axis(&p);
        for (size_t i = 0; i < s.n_marks; i++)
            if (s.marks[i].node == SCENE_WORLD)
                draw_world(&p, &s.marks[i]);
        for (size_t i = 0; i < s.n_nodes; i++)
            if (s.nodes[i].column >= 0)
                draw_node(&p, (int)i);
        for (size_t i = 0; i < s.n_marks; i++)
            if (s.marks[i].node != SCENE_WORLD)
                draw_mark(&p, &s.marks[i]);
        for (size_t i = 0; i < s.n_arrows; i++)
            if (s.arrows[i].lost)
                draw_lost(&p, &s.arrows[i]);
        for (size_t i = 0; i < s.n_arrows; i++)
            if (!s.arrows[i].lost)
                draw_message(&p, &s.arrows[i]);
        draw_legend(&p);
        fputs("</svg>\n", out);
    }
    *size = s.size;
    scene_free(&s);
    return rc;
}
