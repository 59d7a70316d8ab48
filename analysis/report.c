#include "analysis/report.h"

#include "analysis/html.h"
#include "engine/run/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fdfdfc;--ink:#1c1c1a;--soft:#5c5c58;--line:#d9d8d2;"
    "--panel:#f5f4f0;--good:#00664a;--bad:#a33b00;--link:#00558a}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#16181a;--ink:#e9e7e2;--soft:#a5a39c;"
    "--line:#3a3d40;--panel:#1e2124;--good:#4fc99f;--bad:#ff9457;--link:#7cc4f0}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif;"
    "overflow-wrap:anywhere}\n"
    "main,header,footer{max-width:80rem;margin:0 auto;padding:0 1.25rem}\n"
    "header{padding-top:2rem}footer{padding:2rem 1.25rem;color:var(--soft);font-size:.85rem}\n"
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem}\n"
    "h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid "
    "var(--line)}\n"
    "h3{font-size:1.02rem;margin:1.4rem 0 .3rem}\n"
    ".question{font-size:1.15rem;max-width:48rem;margin:.2rem 0}\n"
    ".meta,.note,figcaption{color:var(--soft);font-size:.87rem}\n"
    ".note,figcaption,main>p{max-width:56rem}\n"
    "a{color:var(--link)}\n"
    ".badge{display:inline-block;border:1.5px solid;border-radius:.3rem;padding:.05rem .55rem;"
    "font-weight:600}\n"
    ".good{color:var(--good)}.bad{color:var(--bad);font-weight:600}\n"
    ".warn{border-left:4px solid var(--bad);padding:.3rem .8rem;background:var(--panel)}\n"
    ".scroll{overflow-x:auto;margin:.6rem 0;border:1px solid var(--line);border-radius:.4rem}\n"
    "table{border-collapse:collapse;width:100%;font-size:.84rem;overflow-wrap:normal}\n"
    "th,td{text-align:left;padding:.36rem .55rem;vertical-align:top}\n"
    "th{background:var(--panel);font-weight:600}\n"
    "tbody tr{border-top:1px solid var(--line)}\n"
    "td{white-space:nowrap}td code{white-space:nowrap}td:first-child{font-weight:500}\n"
    "td pre{white-space:pre-wrap;min-width:20rem;max-width:60rem}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums}\n"
    "td small{display:block;color:var(--soft);font-size:.85em}\n"
    "code,pre{font-family:ui-monospace,\"DejaVu Sans Mono\",monospace;font-size:.92em}\n"
    "pre{overflow-x:auto;margin:.3rem 0}main>pre,details pre{background:var(--panel);padding:.7rem "
    ".9rem;border-radius:.4rem}\n"
    "td pre{background:none;padding:0}\n"
    "dl.facts{display:grid;grid-template-columns:fit-content(45%) minmax(0,1fr);gap:.15rem 1rem;"
    "font-size:.9rem;margin:.6rem 0}\n"
    "dl.facts dt,dl.note dt{color:var(--soft)}dl.facts dd,dl.note dd{margin:0}\n"
    "dl.note{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem 1rem}\n"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,33rem),1fr));"
    "gap:1.2rem}\n"
    "figure{margin:0;padding:.9rem;border:1px solid var(--line);border-radius:.4rem;min-width:0}\n"
    "figure h3{margin:0 0 .3rem}\n"
    "svg.plot{display:block;width:100%;height:auto;color:var(--ink)}\n"
    "svg.plot g[fill=\"black\"]>text{fill:currentColor}\n"
    "svg.plot g[color=\"black\"]{color:inherit}svg.plot [stroke=\"black\"]{stroke:currentColor}\n"
    "svg.narrow{display:none}\n"
    "@media(max-width:40rem){svg.wide{display:none}svg.narrow{display:block}h1{font-size:1.5rem}"
    "main,header,footer{padding-left:.9rem;padding-right:.9rem}figure{padding:.6rem}"
    "dl.facts,dl.note{grid-template-columns:minmax(0,1fr)}dl.facts dd,dl.note dd{margin:0 0 "
    ".35rem}}\n"
    "ul.legend{list-style:none;margin:.4rem 0;padding:0;display:flex;flex-wrap:wrap;gap:.1rem "
    "1.1rem;font-size:.85rem}\n"
    "ul.legend li{display:flex;align-items:center;gap:.45rem;min-width:0}\n"
    "ul.legend svg{flex:none}\n"
    ".time{overflow:auto;max-height:46rem;background:#fff;color:#000;border:1px solid var(--line);"
    "border-radius:.4rem}\n"
    "nav{font-size:.9rem;margin:.8rem 0}nav a{margin-right:.9rem;white-space:nowrap;display:"
    "inline-block}\n"
    "@media print{.scroll{overflow:visible}details{display:none}figure{break-inside:avoid}}\n";

/* ---- figures -------------------------------------------------------------------------- */

static void swatch(FILE *f, enum plot_kind kind, size_t i)
{
    static const char *const shapes[] = {
        "<circle cx=\"18\" cy=\"6\" r=\"4.5\"/>", "<path d=\"M14 2h8v8h-8z\"/>",
        "<path d=\"M18 1l5 9h-10z\"/>",           "<path d=\"M18 11l5-9h-10z\"/>",
        "<path d=\"M18 0l6 6-6 6-6-6z\"/>",       "<path d=\"M18 1l5 4-2 6h-6l-2-6z\"/>"};
    fputs("<svg width=\"36\" height=\"12\" aria-hidden=\"true\">", f);
    if (kind == PLOT_SCATTER)
        fprintf(f, "<g fill=\"%s\">%s</g>", plot_colour(i), shapes[plot_shape(i)]);
    else
        fprintf(f,
                "<path d=\"M0 6H36\" fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" "
                "stroke-dasharray=\"%s\"/>",
                plot_colour(i), *plot_dashes(i) ? plot_dashes(i) : "none");
    fputs("</svg>", f);
}

static uint64_t samples_of(const struct plot *p, const struct series *x)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        size_t n = strlen(metric_infos[m].name);
        if (strncmp(p->name, metric_infos[m].name, n) == 0 && p->name[n] == '_')
            return hist_count(&x->cell->tally.metrics.hist[m]);
    }
    return hist_count(&x->cell->tally.metrics.hist[METRIC_COMPLETION]);
}

static void legend(FILE *f, const struct plot *p)
{
    char n[48];
    fputs("<ul class=\"legend\">", f);
    for (size_t i = 0; i < p->n_shown; i++) {
        fputs("<li>", f);
        if (p->kind != PLOT_HEAT)
            swatch(f, p->kind, i);
        snprintf(n, sizeof n, "%" PRIu64, samples_of(p, p->shown[i]));
        html_put(f, p->kind == PLOT_HEAT ? "<span>%</span>" : "<span>% <small>n\xc2\xa0=\xc2\xa0",
                 p->shown[i]->label);
        if (p->kind != PLOT_HEAT)
            html_put(f, "%</small></span>", n);
        fputs("</li>\n", f);
    }
    fputs("</ul>\n", f);
}

/* Those of the kinds in the mask. */
static size_t figures(FILE *f, const struct plots *plots, unsigned kinds)
{
    size_t n = 0;
    for (size_t i = 0; i < plots->n; i++) {
        const struct plot *p = &plots->list[i];
        if (!(kinds & 1U << p->kind))
            continue;
        fputs(n++ ? "" : "<div class=\"grid\">\n", f);
        html_put(f, "<figure id=\"%\"><h3>%</h3>\n", p->name, p->title);
        fputs(p->wide, f);
        fputs(p->narrow, f);
        legend(f, p);
        html_put(f, "<figcaption>%</figcaption></figure>\n", p->caption);
    }
    fputs(n ? "</div>\n" : "", f);
    return n;
}

/* ---- the page ------------------------------------------------------------------------- */

static void verdict(FILE *f, const struct load_run *r)
{
    const char *text = json_string_value(json_object_get(r->verdict, "verdict"));
    bool good = json_integer_value(json_object_get(r->verdict, "exit")) == 0;
    html_put(f, "<span class=\"badge %\">%</span> ", good ? "good" : "bad",
             !text                      ? "?"
             : strcmp(text, "met") == 0 ? "expectations met"
                                        : text);
}

static const char *about_of(const struct load_run *r)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(r->manifest, "scenario"), "about"));
    return text ? text : "";
}

static bool bare(const struct load_run *r)
{
    const json_t *cells = json_object_get(r->manifest, "cells");
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const json_t *c = json_object_get(json_array_get(cells, i), "resolved");
        const char *text = json_string_value(json_object_get(c, "channel"));
        if (text && strcmp(text, "none") == 0)
            return true;
    }
    return false;
}

static void head(FILE *f, const struct series_set *s)
{
    char seed[32];
    html_put(f,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src 'unsafe-inline'; img-src data:\">\n"
             "<link rel=\"icon\" href=\"data:,\">\n<title>%: a Partyline report</title>\n<style>\n",
             s->runs[0].scenario);
    fputs(style, f);
    fputs("</style>\n</head>\n<body>\n<header>\n", f);
    for (size_t i = 0; i < s->n_runs; i++)
        if (i == 0 || strcmp(s->runs[i].scenario, s->runs[0].scenario) != 0)
            html_put(f,
                     i ? "<p class=\"question\"><b>%</b>: %</p>\n"
                       : "<h1>%</h1>\n<p class=\"question\">%</p>\n",
                     s->runs[i].scenario, about_of(&s->runs[i]));
    for (size_t i = 0; i < s->n_runs; i++) {
        const struct load_run *r = &s->runs[i];
        bool listed = s->n_runs > 1;
        snprintf(seed, sizeof seed, "%" PRId64, r->seed);
        fputs("<p class=\"meta\">", f);
        verdict(f, r);
        if (listed)
            html_put(f, "<b>%</b>: ", s->names[i]);
        html_put(f, "world %, seed %, Partyline % (%)</p>\n", r->world, seed, r->version,
                 r->revision);
    }
    for (size_t i = 0; i < s->n_runs; i++)
        if (bare(&s->runs[i])) {
            fputs("<p class=\"warn\"><b>CHANNEL NONE</b>: in some cells there is no encryption and "
                  "no authentication; they show what security costs.</p>\n",
                  f);
            break;
        }
    fputs("</header>\n<main>\n", f);
}

static void section(FILE *f, const char *id, const char *title)
{
    html_put(f, "<h2 id=\"%\">%</h2>\n", id, title);
}

static void result_lines(FILE *f, const struct series_set *s)
{
    const char *one = s->n ? s->list[0].cell->tally.result : NULL;
    for (size_t i = 0; one && i < s->n; i++)
        if (!s->list[i].cell->tally.result || strcmp(s->list[i].cell->tally.result, one) != 0)
            one = NULL;
    if (one) {
        html_put(f, "<p>What the parties computed, in every trial: <b>%</b></p>\n", one);
        return;
    }
    fputs("<dl class=\"facts\">", f);
    for (size_t i = 0; i < s->n; i++) {
        const struct tally *t = &s->list[i].cell->tally;
        if (t->result || t->results_vary)
            html_put(f, "<dt>%</dt><dd>%</dd>\n", s->list[i].label,
                     t->result ? t->result : "results differ between trials");
    }
    fputs("</dl>\n", f);
}

static int body(FILE *f, const struct series_set *s, const struct plots *plots, struct err *e)
{
    struct answer a;
    int rc = answer_make(s, &a, e);
    if (rc != OK)
        return rc;
    section(f, "answer", "The answer");
    report_answer(f, s, &a);
    answer_free(&a);
    result_lines(f, s);
    section(f, "expectations", "What was expected");
    rc = report_expectations(f, s, e);
    if (rc != OK)
        return rc;
    section(f, "latency", "Latency");
    if (figures(f, plots, 1U << PLOT_PERCENTILES | 1U << PLOT_CDF) == 0)
        fputs("<p>No time above zero was measured.</p>\n", f);
    section(f, "privacy", "Latency against privacy");
    report_tradeoff(f, s);
    if (figures(f, plots, 1U << PLOT_SCATTER) == 0)
        fputs("<p>Nobody observed, or nothing was completed.</p>\n", f);
    report_all_privacy(f, s);
    section(f, "exposure", "Who learned what about whom");
    if (figures(f, plots, 1U << PLOT_HEAT) == 0)
        fputs("<p>The scenario has no observer.</p>\n", f);
    section(f, "losses", "What was lost, and why");
    report_losses(f, s);
    section(f, "failures", "Trials that failed");
    report_failures(f, s);
    rc = report_timeline(f, s, e);
    if (rc != OK)
        return rc;
    section(f, "figures", "Every figure");
    report_all_figures(f, s);
    section(f, "scenario", "The scenario");
    report_scenario(f, s);
    section(f, "repeat", "How to repeat it");
    report_repeat(f, s);
    return OK;
}

int report_write(const struct series_set *s, const struct plots *plots, const char *path,
                 struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc;
    if (!f)
        return err_set(e, ERR_NOMEM, "no memory for the report");
    head(f, s);
    rc = body(f, s, plots, e);
    fputs("</main>\n<footer>Made by partyline report from the results alone.</footer>\n</body>\n"
          "</html>\n",
          f);
    if (fclose(f) != 0 && rc == OK)
        rc = err_set(e, ERR_NOMEM, "no memory for the report");
    if (rc == OK)
        rc = files_write(path, text, len, e);
    free(text);
    return rc;
}
