/* What adversaries found, in the report. */
#include "analysis/html.h"
#include "analysis/report.h"
#include "analysis/tradeoffs.h"

#include <inttypes.h>
#include <stdlib.h>

static void open_table(FILE *f, const char *caption)
{
    html_put(f, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%\">\n<table>\n",
             caption);
}

/* What stands in brackets is set smaller, on a line of its own. */
static void put_cell(FILE *f, const char *text)
{
    const char *bracket = strstr(text, " [");
    char head[TRADEOFF_TEXT];
    if (!bracket) {
        html_put(f, "<td class=\"n\">%</td>", text);
        return;
    }
    snprintf(head, sizeof head, "%.*s", (int)(bracket - text), text);
    html_put(f, "<td class=\"n\">% <small>%</small></td>", head, bracket + 1);
}

void report_tradeoff(FILE *f, const struct series_set *s)
{
    struct tradeoff *rows = tradeoffs_of(s);
    if (!rows)
        return;
    open_table(f, "Cost against privacy");
    fputs("<thead><tr><th>cell</th>", f);
    for (int c = 1; c < TRADEOFF_COLUMNS; c++)
        html_put(f, "<th class=\"n\">%</th>", tradeoff_titles[c]);
    fputs("<th>rests on</th></tr></thead>\n<tbody>", f);
    for (size_t i = 0; i < s->n; i++) {
        html_put(f, "<tr><td>%</td>", s->list[i].label);
        for (int c = 1; c < TRADEOFF_COLUMNS; c++)
            put_cell(f, rows[i].text[c]);
        html_put(f,
                 "<td style=\"white-space:normal;min-width:15rem\">% <small>%</small></td></tr>\n",
                 rows[i].stated, rows[i].why);
    }
    fputs(
        "</tbody></table>\n</div>\n<p class=\"note\">Medians over trials, with their interval at "
        "95&nbsp;% from 6 trials on. <b>P(guess)</b>: how sure the adversary is of who sent a real "
        "packet that came to a party, in the mean over packets; <b>right</b>: the weight that it "
        "gives to the true sender; <b>H</b>: bits of who it was, in the mean, and p5 over packets: "
        "of the worst-off ones. <b>linked</b>: receivers whose likeliest sender truly sends to "
        "them. <b>bytes/useful</b>: what parties send / protocol messages without any header; "
        "<b>above direct</b>: paired by seed.</p>\n",
        f);
    free(rows);
}

static void put_row(FILE *f, const struct series *x, const struct privacy_sum *s)
{
    const struct privacy_info *info = &privacy_infos[s->key.what];
    const struct hist *h = s->key.hist;
    static const uint32_t quantiles[] = {10000, 50000, 950000, 990000};
    char text[TRADEOFF_TEXT];
    html_put(f, "<tr><td>%</td><td>%</td><td>%</td><td><code>%</code>", x->label, s->key.observer,
             s->key.at, info->name);
    html_put(f, " %</td>", s->key.about);
    put_cell(f, privacy_quantity(s, text, sizeof text));
    for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++) {
        bool known = h && hist_quantile_allowed(h, quantiles[q]);
        snprintf(text, sizeof text, "-");
        html_put(f, "<td class=\"n\">%</td>",
                 known
                     ? privacy_value(info->unit, hist_quantile(h, quantiles[q]), text, sizeof text)
                     : text);
    }
    snprintf(text, sizeof text, "%" PRIu64, s->key.n);
    html_put(f, "<td class=\"n\">%</td>", text);
    snprintf(text, sizeof text, s->key.population ? "%" PRIu64 : "-", s->key.population);
    html_put(f, "<td class=\"n\">%</td><td>%", text, s->key.prior);
    if (s->key.window)
        html_put(f, ", window %", privacy_value("ns", s->key.window, text, sizeof text));
    fputs(privacy_sum_message_level(s) ? " <small>message-level</small></td></tr>\n"
                                       : "</td></tr>\n",
          f);
}

void report_all_privacy(FILE *f, const struct series_set *s)
{
    size_t rows = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->list[i].cell->tally.privacy.n; k++) {
            if (rows++ == 0) {
                html_put(f, "<details><summary>%</summary>\n", "What every observer found");
                open_table(f, "What every observer found");
                fputs(
                    "<thead><tr><th>cell</th><th>observer</th><th>at</th><th>metric</th>"
                    "<th class=\"n\">median of trials [95&nbsp;%]</th><th class=\"n\">p1</th>"
                    "<th class=\"n\">p5</th><th class=\"n\">p95</th><th class=\"n\">p99</th>"
                    "<th class=\"n\">n</th><th class=\"n\">among</th><th>prior</th></tr></thead>\n"
                    "<tbody>",
                    f);
            }
            put_row(f, &s->list[i], &s->list[i].cell->tally.privacy.sums[k]);
        }
    if (rows)
        fputs(
            "</tbody></table>\n</div>\n<p class=\"note\">Quantiles are over samples where a metric "
            "has them: low entropies (p1, p5) and high probabilities (p95, p99) are the worst-off. "
            "<i>message-level</i>: a message of a stream was seen as one packet; segments and "
            "acknowledgements were not.</p>\n</details>\n",
            f);
}
