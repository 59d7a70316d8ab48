/* What other tools read: runs as CSV, HdrHistogram's percentile text, a SQLite database, LaTeX,
 * the JSON of github-action-benchmark, and JUnit's XML. Files are whole or not there; "-" is
 * stdout for those that are text. Errors fill a sentence: ERR_IO, ERR_NOMEM, and for JUnit
 * those of report_judge.
 */
#ifndef PARTYLINE_ANALYSIS_EXPORT_H
#define PARTYLINE_ANALYSIS_EXPORT_H

#include "analysis/series.h"

#include <stdio.h>

/* Tidy (RFC 4180): one row a cell, metric and statistic. Columns: scenario, world, run, seed,
 * cell, one an axis, metric, unit, stat, value, samples, low, high. Times in nanoseconds,
 * shares in ppm; low and high are empty where there is no interval. */
int export_csv(const struct series_set *, const char *path, struct err *);

/* The report's table, for \input in a document with booktabs. */
int export_latex(const struct series_set *, const char *path, struct err *);

/* customSmallerIsBetter: [{"name", "unit", "value", "range", "extra"}]. */
int export_benchmark(const struct series_set *, const char *path, struct err *);

/* A test suite a run, a test case an expectation, and one for the run's verdict. */
int export_junit(const struct series_set *, const char *path, struct err *);

/* A file TAG.hgrm for each cell and metric in time, values in milliseconds, as HdrHistogram's
 * outputPercentileDistribution writes it with 5 ticks per half distance. Makes the folder. */
int export_hgrm(const struct series_set *, const char *folder, struct err *);
void export_hgrm_text(FILE *, const struct hist *);

/* Tables runs, cells, axes, trials, metrics (of cells), trial_metrics, exposures,
 * expectations. */
int export_sqlite(const struct series_set *, const char *path, struct err *);

#endif
