/* A run's figures for the benchmark trackers of CI servers: the times and sizes of every cell, as
 * integers with their unit, smaller is better. The value is the median over trials of each
 * trial's median, its range the 95 % interval over trials where there is one.
 *
 * github-action-benchmark, tool `customSmallerIsBetter`: a list of {name, unit, value, range}.
 * Bencher Metric Format: {benchmark: {measure: {value, lower_value, upper_value}}}.
 */
#ifndef PARTYLINE_ANALYSIS_BENCHMARK_H
#define PARTYLINE_ANALYSIS_BENCHMARK_H

#include "analysis/load.h"

/* Of a run whose trials are loaded. New references. */
json_t *benchmark_github(const struct load_run *);
json_t *benchmark_bencher(const struct load_run *);

#endif
