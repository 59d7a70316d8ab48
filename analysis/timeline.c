#include "analysis/html.h"
#include "analysis/report.h"
#include "analysis/trace_svg.h"
#include "engine/run/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_trace(const struct load_run *r, const struct load_cell *c, uint32_t k)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/traces/%u-%u.txt", r->dir, (unsigned)c->index,
                 (unsigned)k) >= (int)sizeof path)
        return NULL;
    return fopen(path, "r");
}

struct choice {
    const struct load_run *run;
    const struct load_cell *cell;
    uint32_t trial;
    FILE *lines;
};

/* The first recording of a trial that failed (or of any). */
static bool choose(const struct series_set *s, bool failed, struct choice *out)
{
    for (size_t r = 0; r < s->n_runs; r++)
        for (size_t i = 0; i < s->runs[r].n_cells; i++) {
            const struct load_cell *c = &s->runs[r].cells[i];
            for (uint32_t k = 0; k < c->n; k++) {
                if (failed && c->trials[k].status == TRIAL_COMPLETED)
                    continue;
                out->lines = open_trace(&s->runs[r], c, k);
                out->run = &s->runs[r];
                out->cell = c;
                out->trial = k;
                if (out->lines)
                    return true;
                if (!failed)
                    break; /* recordings are of all trials or of none */
            }
        }
    return false;
}

static void caption(FILE *f, const struct choice *c, const struct trace_svg_size *size)
{
    char text[LOAD_CELL_NAME + 256], until[40];
    snprintf(
        text, sizeof text,
        "Cell %u%s%s, trial %u: %" PRIu64 " messages, %" PRIu64
        " lost, up to %s%s. Time runs downwards; an arrow is a message, a broken one was lost.",
        (unsigned)c->cell->index, *c->cell->name ? ", " : "", c->cell->name, (unsigned)c->trial,
        size->messages, size->lost, table_quantity("ns", size->until, until, sizeof until),
        size->left_out ? "; what came later is left out" : "");
    html_put(f, "<p class=\"note\">%</p>\n", text);
}

int report_timeline(FILE *f, const struct series_set *s, struct err *e)
{
    const struct trace_filter all = {.until = INT64_MAX};
    struct trace_svg_size size = {0};
    struct err why = {0};
    struct choice c = {0};
    char *svg = NULL, title[96];
    size_t len = 0;
    FILE *out;
    int rc;
    if (!choose(s, true, &c) && !choose(s, false, &c))
        return OK;
    out = open_memstream(&svg, &len);
    if (!out) {
        fclose(c.lines);
        return err_set(e, ERR_NOMEM, "no memory for the time line");
    }
    snprintf(title, sizeof title, "%s, trial %u", c.run->scenario, (unsigned)c.trial);
    rc = trace_svg_write(c.lines, &all, title, out, &size, &why);
    fclose(c.lines);
    fclose(out);
    fputs("<h2 id=\"time\">The course of one trial</h2>\n", f);
    if (rc == OK && svg && strstr(svg, "<svg")) {
        caption(f, &c, &size);
        fprintf(f,
                "<div class=\"time\" tabindex=\"0\" role=\"region\" aria-label=\"time line\">%s"
                "</div>\n",
                strstr(svg, "<svg"));
    } else {
        html_put(f, "<p>The recording can't be drawn: %</p>\n", why.text);
    }
    free(svg);
    return OK;
}
