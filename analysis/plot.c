#include "analysis/plot.h"

#include "analysis/gnuplot.h"
#include "analysis/html.h"
#include "engine/run/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SVG_MAX = 64 << 20 };

/* podo's blue, vermillion, green, purple, orange, sky blue; its yellow is not readable on
 * white. */
static const struct {
    const char *colour, *dashes;
} styles[PLOT_CURVES] = {{"#0072b2", ""},         {"#d55e00", "8,4"},  {"#009e73", "2,3"},
                         {"#cc79a7", "10,3,2,3"}, {"#e69f00", "14,4"}, {"#56b4e9", "5,3"}};

const char *plot_colour(size_t i)
{
    return styles[i % PLOT_CURVES].colour;
}
const char *plot_dashes(size_t i)
{
    return styles[i % PLOT_CURVES].dashes;
}
unsigned plot_shape(size_t i)
{
    return (unsigned)((i + i / PLOT_CURVES) % PLOT_CURVES);
}

struct plot *plots_add(struct plots *p, enum plot_kind kind, const char *name)
{
    struct plot *more = realloc(p->list, (p->n + 1) * sizeof *more);
    if (!more)
        return NULL;
    p->list = more;
    more = &p->list[p->n++];
    *more = (struct plot){.kind = kind, .width = 600, .height = 380, .narrow_height = 320};
    snprintf(more->name, sizeof more->name, "%s", name);
    return more;
}

void plots_free(struct plots *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->list[i].shown);
        free(p->list[i].settings);
        free(p->list[i].command);
        free(p->list[i].wide);
        free(p->list[i].narrow);
    }
    free(p->list);
    p->list = NULL;
    p->n = 0;
}

void plot_quote(FILE *f, const char *text, size_t width)
{
    fputc('\'', f);
    for (size_t n = 1; *text; n++) {
        size_t len = *text == '\t' || *text == '\n' ? 0 : html_char(text);
        if (width && n == width && text[len ? len : 1]) {
            fputs("\xe2\x80\xa6", f); /* ... */
            break;
        }
        if (len == 0)
            fputc(' ', f);
        else if (*text == '\'')
            fputs("''", f);
        else
            fwrite(text, 1, len, f);
        text += len ? len : 1;
    }
    fputc('\'', f);
}

struct plot_unit plot_unit_of(int64_t max)
{
    return max >= NS_S    ? (struct plot_unit){"s", NS_S}
           : max >= NS_MS ? (struct plot_unit){"ms", NS_MS}
           : max >= NS_US ? (struct plot_unit){"us", NS_US}
                          : (struct plot_unit){"ns", 1};
}

void plot_value(FILE *f, int64_t ns, struct plot_unit u)
{
    fprintf(f, "%" PRId64 ".%09" PRId64, ns / u.ns, ns % u.ns * (NS_S / u.ns));
}

static bool file_of(const struct plots *p, const char *name, const char *suffix,
                    char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s%s", p->dir, name, suffix) < PATH_MAX;
}

FILE *plot_data(const struct plots *p, const struct plot *x, struct err *e)
{
    char path[PATH_MAX];
    FILE *f = file_of(p, x->name, ".dat", path) ? fopen(path, "w") : NULL;
    if (!f)
        err_set(e, ERR_IO, "%s/%s.dat can't be written", p->dir, x->name);
    return f;
}

int plot_data_end(FILE *f, const struct plot *x, struct err *e)
{
    bool good = !ferror(f);
    return fclose(f) == 0 && good ? OK : err_set(e, ERR_IO, "%s.dat can't be written", x->name);
}

/* ---- scripts -------------------------------------------------------------------------- */

static void write_svg(FILE *f, const char *name, const char *kind, unsigned width, unsigned height,
                      unsigned points, const char *draw)
{
    fprintf(f,
            "set terminal svg noenhanced size %u,%u dynamic font 'sans-serif,%u' dashlength 1\n"
            "set output '%s%s.svg'\n%s\n",
            width, height, points, name, kind, draw);
}

static void write_settings(FILE *f, const struct plot *x)
{
    fprintf(f, "set encoding utf8\nset colorsequence podo\nset border 3 lw 0.8\n"
               "set tics nomirror out scale 0.6\nset grid lc rgb '#909090' lw 0.4 dt 3\n"
               "set title ");
    plot_quote(f, x->title, 0);
    fprintf(f, "\nset key below left Left reverse maxcols 1 samplen 4\n%s", x->settings);
}

/* The script that stays beside the plot. */
static void write_script(FILE *f, const struct plot *x)
{
    fprintf(f, "# %s by gnuplot 5: gnuplot -d %s.gp\n", x->name, x->name);
    write_settings(f, x);
    write_svg(f, x->name, "", x->width, x->height + 16 + 18 * (unsigned)x->n_shown, 13, x->command);
    fprintf(f,
            "set terminal pdfcairo noenhanced size %ucm,%ucm font 'sans-serif,9' dashlength 0.5\n"
            "set output '%s.pdf'\nreplot\nunset output\n",
            x->width / 40, (x->height + 18 * (unsigned)x->n_shown) / 40, x->name);
}

/* And for the report. */
static void write_inline(FILE *f, const struct plot *x)
{
    fprintf(f, "load '%s.gp'\nunset key\nunset title\n", x->name);
    write_svg(f, x->name, ".wide", x->width, x->height, 13, "replot");
    write_svg(f, x->name, ".narrow", 350, x->narrow_height, 12, "replot");
    fprintf(f, "unset output\nreset session\n");
}

static int save(const struct plots *p, const struct plot *x, struct err *e)
{
    char path[PATH_MAX], *text = NULL;
    size_t len;
    int rc;
    FILE *f = open_memstream(&text, &len);
    if (!f || !file_of(p, x->name, ".gp", path))
        return err_set(e, ERR_NOMEM, "%s: no memory", x->name);
    write_script(f, x);
    rc = fclose(f) == 0 ? files_write(path, text, len, e) : err_set(e, ERR_NOMEM, "no memory");
    free(text);
    return rc;
}

/* ---- what gnuplot made ---------------------------------------------------------------- */

/* Only the svg element, with ids of its own: several of them go into one page. */
static char *embed(const char *svg, const struct plot *x, const char *kind)
{
    char *out = NULL;
    const char *at = strstr(svg, "<svg"), *next;
    size_t len;
    FILE *f = at ? open_memstream(&out, &len) : NULL;
    if (!f)
        return NULL;
    fprintf(f, "<svg class=\"plot %s\" role=\"img\"", kind);
    html_put(f, " aria-label=\"%\"", x->title);
    for (at += 4; *at; at = next) {
        static const char *const marks[] = {"id='", "id=\"", "xlink:href='#"};
        size_t best = 0;
        next = at + strlen(at);
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
            const char *found = strstr(at, marks[i]);
            if (found && found < next) {
                next = found;
                best = strlen(marks[i]);
            }
        }
        next += best;
        fwrite(at, 1, (size_t)(next - at), f);
        if (best)
            fprintf(f, "%s-%s-", x->name, kind);
    }
    return fclose(f) == 0 ? out : NULL;
}

static int read_inline(const struct plots *p, const struct plot *x, const char *kind, char **out,
                       struct err *e)
{
    char path[PATH_MAX], suffix[16], *text;
    size_t len;
    int rc;
    snprintf(suffix, sizeof suffix, ".%s.svg", kind);
    if (!file_of(p, x->name, suffix, path))
        return err_set(e, ERR_IO, "%s: the path is too long", p->dir);
    rc = files_read(path, SVG_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    unlink(path);
    *out = embed(text, x, kind);
    free(text);
    return *out ? OK : err_set(e, ERR_FAULT, "gnuplot made no picture of %s", x->name);
}

/* Alone, a plot follows the reader's light or dark, too. */
static int finish_svg(const struct plots *p, const struct plot *x, struct err *e)
{
    static const char style[] =
        "<style>svg{color:#1a1a1a}@media(prefers-color-scheme:dark){svg{color:#e8e6e3}}"
        "g[fill=\"black\"]>text{fill:currentColor}g[color=\"black\"]{color:inherit}"
        "[stroke=\"black\"]{stroke:currentColor}</style>\n";
    char path[PATH_MAX], *text, *at, *out = NULL;
    size_t len, n;
    int rc;
    FILE *f;
    if (!file_of(p, x->name, ".svg", path))
        return err_set(e, ERR_IO, "%s: the path is too long", p->dir);
    rc = files_read(path, SVG_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    at = strstr(text, "<title>Gnuplot</title>");
    f = open_memstream(&out, &n);
    if (at && f) {
        fwrite(text, 1, (size_t)(at - text), f);
        html_put(f, "<title>%</title>\n", x->title);
        fprintf(f, "%s%s", style, at + strlen("<title>Gnuplot</title>"));
    }
    rc = f && fclose(f) == 0 && at
             ? files_write(path, out, n, e)
             : err_set(e, ERR_FAULT, "gnuplot made no picture of %s", x->name);
    free(out);
    free(text);
    return rc;
}

/* cairo writes the time into a PDF; a plot depends on the results alone. */
static int finish_pdf(const struct plots *p, const struct plot *x, struct err *e)
{
    static const char key[] = "/CreationDate (D:";
    char path[PATH_MAX], *text, *at;
    size_t len;
    int rc;
    if (!file_of(p, x->name, ".pdf", path))
        return err_set(e, ERR_IO, "%s: the path is too long", p->dir);
    rc = files_read(path, SVG_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    for (at = text; (at = memchr(at, '/', len - (size_t)(at - text))); at++)
        if ((size_t)(at - text) + sizeof key + 14 <= len && memcmp(at, key, sizeof key - 1) == 0)
            memcpy(at + sizeof key - 1, "20000101000000", 14);
    rc = files_write(path, text, len, e);
    free(text);
    return rc;
}

/* ---- all of them ---------------------------------------------------------------------- */

static int draw(struct plots *p, struct err *e)
{
    char *script = NULL;
    size_t len;
    FILE *f = open_memstream(&script, &len);
    int rc = f ? OK : err_set(e, ERR_NOMEM, "no memory for the plots");
    for (size_t i = 0; rc == OK && i < p->n; i++) {
        rc = save(p, &p->list[i], e);
        write_inline(f, &p->list[i]);
    }
    if (f && fclose(f) != 0 && rc == OK)
        rc = err_set(e, ERR_NOMEM, "no memory for the plots");
    if (rc == OK && p->n)
        rc = gnuplot_run(p->dir, script, e);
    free(script);
    for (size_t i = 0; rc == OK && i < p->n; i++) {
        struct plot *x = &p->list[i];
        rc = read_inline(p, x, "wide", &x->wide, e);
        if (rc == OK)
            rc = read_inline(p, x, "narrow", &x->narrow, e);
        if (rc == OK)
            rc = finish_svg(p, x, e);
        if (rc == OK)
            rc = finish_pdf(p, x, e);
    }
    return rc;
}

int plots_make(const struct series_set *s, const char *dir, struct plots *p, struct err *e)
{
    int rc;
    *p = (struct plots){0};
    if (snprintf(p->dir, sizeof p->dir, "%s", dir) >= (int)sizeof p->dir)
        return err_set(e, ERR_IO, "the path of the plots is too long");
    rc = files_make_dir(dir, e);
    if (rc == OK)
        rc = plot_latency(s, p, e);
    if (rc == OK)
        rc = plot_privacy(s, p, e);
    if (rc == OK)
        rc = plot_tradeoff(s, p, e);
    if (rc == OK)
        rc = plot_exposure(s, p, e);
    if (rc == OK)
        rc = draw(p, e);
    if (rc != OK)
        plots_free(p);
    return rc;
}
