/* A report: one HTML file that shows what runs found, readable without scripts and without a
 * network, in light and dark, on paper and on a telephone. It depends on the results alone:
 * the same results give the same bytes (with the same gnuplot).
 *
 * It shows, for one run or several side by side: the question; the answer in one table, with
 * the numbers that `run` prints; expectations; latency as percentiles and distributions; latency
 * against privacy; who learned what; what was lost and why; why trials failed; the time line of
 * a trial, if its trace lies in traces/CELL-TRIAL.txt; every figure with its number of samples
 * and its interval; the scenario; and how to repeat it.
 */
#ifndef PARTYLINE_ANALYSIS_REPORT_H
#define PARTYLINE_ANALYSIS_REPORT_H

#include "analysis/plot.h"

/* Writes the file (whole or not at all). Plots are those of the set. Errors: ERR_IO, ERR_NOMEM,
 * ERR_MISMATCH (what summary.json says of an expectation is not what its trials say). */
int report_write(const struct series_set *, const struct plots *, const char *path, struct err *);

/* The answer: a table of texts, made once for HTML and LaTeX. Row 0 is the head. */
enum { ANSWER_COLUMNS = 32, ANSWER_TEXT = 96 };
struct answer {
    char (*text)[ANSWER_TEXT]; /* rows times columns */
    size_t rows, columns;
    bool left[ANSWER_COLUMNS];
};
int answer_make(const struct series_set *, struct answer *, struct err *);
void answer_free(struct answer *);
const char *answer_at(const struct answer *, size_t row, size_t column);

/* What an expectation says and whether it was met, by line and text; evaluated anew. */
struct judged {
    int64_t line;
    const char *text; /* lent from the summary */
    bool met;
    char found[96]; /* "100 %", "not measured" */
};
/* The i-th of a cell: OK, ERR_ABSENT behind the last, ERR_MISMATCH, ERR_FORMAT. */
int report_judge(const struct series *, size_t i, struct judged *, struct err *);

/* ---- its sections, for report.c ------------------------------------------------------- */

void report_answer(FILE *, const struct series_set *, const struct answer *);
int report_expectations(FILE *, const struct series_set *, struct err *);
void report_losses(FILE *, const struct series_set *);
void report_failures(FILE *, const struct series_set *);
void report_all_figures(FILE *, const struct series_set *);
void report_scenario(FILE *, const struct series_set *);
void report_repeat(FILE *, const struct series_set *);
/* Cost against privacy, a line a cell, and every figure of the observers; nothing if there are
 * none. */
void report_tradeoff(FILE *, const struct series_set *);
void report_all_privacy(FILE *, const struct series_set *);
/* A space-time diagram of one trial of the first run whose folder has recordings in traces/: of
 * the first that failed, else of the first. Nothing if there are none. */
int report_timeline(FILE *, const struct series_set *, struct err *);

#endif
